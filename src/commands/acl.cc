// ACL: who may do what. The rules are in engine/acl_user.h and below it; here they are given, asked for and
// written down.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "base/assert.h"
#include "commands/families.h"
#include "commands/help.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrNoFile =
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL "
    "SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in "
    "order to store users in the Redis configuration.";

// What an error repeats of an argument: nothing from a zero byte on.
std::string Quoted(std::string_view text) {
  return std::string("'").append(text.substr(0, text.find('\0'))).append("'");
}

// ACL CAT [category]
void AclCat(Call& call) {
  if (call.argc() > 3) return RejectArguments(call);
  if (call.argc() == 2) {
    const std::vector<std::string_view> names = AclCategoryNames(~0u);
    call.reply.ArrayHeader(names.size());
    for (const std::string_view name : names) call.reply.Bulk(name);
    return;
  }
  const uint32_t category = AclCategoryByName(call.args[2]);
  if (category == 0) {
    call.reply.Error("ERR Unknown category " + Quoted(call.args[2]));
    return;
  }
  std::vector<std::string_view> names;
  for (const auto& command : call.engine.commands.all()) {
    if ((command->acl & category) != 0) names.push_back(command->name);
  }
  call.reply.ArrayHeader(names.size());
  for (const std::string_view name : names) call.reply.Bulk(name);
}

// ACL DELUSER username [username ...]
void AclDelUser(Call& call) {
  Acl& acl = call.engine.acl;
  for (const std::string_view name : call.args.subspan(2)) {
    if (acl.Find(name) != &acl.default_user()) continue;
    call.reply.Error("ERR The 'default' user cannot be removed");
    return;
  }
  int64_t deleted = 0;
  for (const std::string_view name : call.args.subspan(2)) {
    if (acl.DeleteUser(name, &call.session)) ++deleted;
  }
  call.reply.Integer(deleted);
}

// ACL DRYRUN username command [arg [arg ...]]
void AclDryRun(Call& call) {
  Acl& acl = call.engine.acl;
  const AclUser* user = acl.Find(call.args[2]);
  if (user == nullptr) {
    return call.reply.Error("ERR User " + Quoted(call.args[2]) + " not found");
  }
  const Args request = call.args.subspan(3);
  const Command* command = call.engine.commands.Resolve(request);
  if (command == nullptr) return call.reply.Error("ERR Command " + Quoted(request[0]) + " not found");
  const int argc = static_cast<int>(request.size()), arity = command->spec->arity;
  if (arity > 0 ? argc != arity : argc < -arity) {
    return call.reply.Error("ERR wrong number of arguments for '" + std::string(command->name) + "' command");
  }
  const AclDecision decision = acl.Check(*user, *command, request);
  const std::string arg(request[static_cast<size_t>(decision.arg)]);
  switch (decision.verdict) {
    case AclDecision::Verdict::kAllowed: return call.reply.Ok();
    case AclDecision::Verdict::kCommand:
      return call.reply.Bulk("This user has no permissions to run the '" + std::string(command->name) +
                             "' command");
    case AclDecision::Verdict::kKey:
      return call.reply.Bulk("This user has no permissions to access the '" + arg + "' key");
    case AclDecision::Verdict::kChannel:
      return call.reply.Bulk("This user has no permissions to access the '" + arg + "' channel");
  }
}

// ACL GENPASS [bits]
void AclGenPass(Call& call) {
  constexpr int64_t kDefaultBits = 256, kMaxBits = 4096;
  constexpr int64_t kBitsPerDigit = 4;
  if (call.argc() > 3) return RejectArguments(call);
  int64_t bits = kDefaultBits;
  if (call.argc() == 3 && !call.Int(2, &bits)) return;
  if (bits <= 0 || bits > kMaxBits) {
    call.reply.Error(
        "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up "
        "to 4096");
    return;
  }
  std::array<unsigned char, kMaxBits / 8> random;
  const size_t digits = static_cast<size_t>((bits + kBitsPerDigit - 1) / kBitsPerDigit);
  for (size_t filled = 0; filled < (digits + 1) / 2;) {
    const ssize_t got = getrandom(random.data() + filled, (digits + 1) / 2 - filled, 0);
    PINYON_CHECK(got > 0 || errno == EINTR);
    if (got > 0) filled += static_cast<size_t>(got);
  }
  std::string password;
  for (size_t i = 0; i < digits; ++i) password += "0123456789abcdef"[random[i / 2] >> (i % 2 * 4) & 15];
  call.reply.Bulk(password);
}

void WriteSelector(Call& call, const AclSelector& selector) {
  call.reply.Bulk("commands");
  call.reply.Bulk(selector.DescribeCommands(call.engine.acl.commands()));
  call.reply.Bulk("keys");
  call.reply.Bulk(selector.DescribeKeys());
  call.reply.Bulk("channels");
  call.reply.Bulk(selector.DescribeChannels());
}

// ACL GETUSER username
void AclGetUser(Call& call) {
  const AclUser* user = call.engine.acl.Find(call.args[2]);
  if (user == nullptr) return call.reply.Null();
  constexpr size_t kFields = 6, kFieldsOfSelector = 3;
  const std::vector<std::string_view> flags = user->Flags();
  call.reply.MapHeader(kFields);
  call.reply.Bulk("flags");
  call.reply.SetHeader(flags.size());
  for (const std::string_view flag : flags) call.reply.Bulk(flag);
  call.reply.Bulk("passwords");
  call.reply.ArrayHeader(user->password_hashes().size());
  for (const std::string& hash : user->password_hashes()) call.reply.Bulk(hash);
  WriteSelector(call, user->selectors().front());
  call.reply.Bulk("selectors");
  call.reply.ArrayHeader(user->selectors().size() - 1);
  for (size_t i = 1; i < user->selectors().size(); ++i) {
    call.reply.MapHeader(kFieldsOfSelector);
    WriteSelector(call, user->selectors()[i]);
  }
}

// ACL LIST
void AclList(Call& call) {
  const std::vector<std::string> lines = call.engine.acl.Lines();
  call.reply.ArrayHeader(lines.size());
  for (const std::string& line : lines) call.reply.Bulk(line);
}

// ACL LOAD
void AclLoad(Call& call) {
  const std::string& path = call.engine.options.acl.file;
  if (path.empty()) return call.reply.Error(kErrNoFile);
  std::string text;
  std::string error = call.engine.server.ReadAclFile(&text);
  if (error.empty()) error = call.engine.acl.LoadText(text, path, &call.session);
  error.empty() ? call.reply.Ok() : call.reply.Error("ERR " + error);
}

void WriteLogEntry(Call& call, const AclLog::Entry& entry) {
  constexpr size_t kFields = 10;
  const auto text = [&call](std::string_view name, std::string_view value) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  };
  const auto number = [&call](std::string_view name, int64_t value) {
    call.reply.Bulk(name);
    call.reply.Integer(value);
  };
  call.reply.MapHeader(kFields);
  number("count", static_cast<int64_t>(entry.count));
  text("reason", ReasonName(entry.reason));
  text("context", ContextName(entry.context));
  text("object", entry.object);
  text("username", entry.username);
  call.reply.Bulk("age-seconds");
  call.reply.Double(static_cast<double>(call.now_ms() - entry.updated_ms) / 1000);
  text("client-info", entry.client_info);
  number("entry-id", static_cast<int64_t>(entry.id));
  number("timestamp-created", entry.created_ms);
  number("timestamp-last-updated", entry.updated_ms);
}

// ACL LOG [count | RESET]
void AclLogCommand(Call& call) {
  constexpr int64_t kDefaultCount = 10;
  if (call.argc() > 3) return RejectArguments(call);
  AclLog& log = call.engine.acl.log();
  if (call.argc() == 3 && call.Is(2, "reset")) {
    log.Clear();
    return call.reply.Ok();
  }
  int64_t count = kDefaultCount;
  if (call.argc() == 3 && !call.Int(2, &count)) return;
  const size_t shown = std::min(log.entries().size(), static_cast<size_t>(std::max<int64_t>(count, 0)));
  call.reply.ArrayHeader(shown);
  auto it = log.entries().begin();
  for (size_t i = 0; i < shown; ++i, ++it) WriteLogEntry(call, *it);
}

// ACL SAVE
void AclSave(Call& call) {
  if (call.engine.options.acl.file.empty()) return call.reply.Error(kErrNoFile);
  std::string text;
  for (const std::string& line : call.engine.acl.Lines()) text.append(line).append("\n");
  const std::string error = call.engine.server.WriteAclFile(text);
  if (error.empty()) return call.reply.Ok();
  call.engine.log.Warning("Saving the ACL file failed: {}", error);
  call.reply.Error(
      "ERR There was an error trying to save the ACLs. Please check the server logs for more information");
}

// ACL SETUSER username [rule [rule ...]]
void AclSetUser(Call& call) {
  const std::string error = call.engine.acl.SetUser(call.args[2], call.args.subspan(3), &call.session);
  error.empty() ? call.reply.Ok() : call.reply.Error("ERR " + error);
}

// ACL USERS
void AclUsers(Call& call) {
  const Acl::Users& users = call.engine.acl.users();
  call.reply.ArrayHeader(users.size());
  for (const auto& [name, user] : users) call.reply.Bulk(name);
}

// ACL WHOAMI
void AclWhoAmI(Call& call) { call.reply.Bulk(UserName(call.session)); }

// ACL HELP
void AclHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "CAT [<category>]",
      "    Return the categories, or the commands of one.",
      "DELUSER <username> [<username> ...]",
      "    Delete users, and close their connections.",
      "DRYRUN <username> <command> [<arg> ...]",
      "    Tell whether a user might run a command, without running it.",
      "GENPASS [<bits>]",
      "    Return a random password of 256 bits, or so many, in hexadecimal digits.",
      "GETUSER <username>",
      "    Return what a user may do.",
      "LIST",
      "    Return all users, each as its line of a configuration file.",
      "LOAD",
      "    Replace all users by those of the ACL file.",
      "LOG [<count> | RESET]",
      "    Return the latest refusals, or forget them.",
      "SAVE",
      "    Write all users to the ACL file.",
      "SETUSER <username> [<rule> ...]",
      "    Make a user, or change it by rules.",
      "USERS",
      "    Return the names of all users.",
      "WHOAMI",
      "    Return as whom this connection is authenticated.",
  };
  ReplyHelp(call, kLines);
}

constexpr uint32_t kForAll = kNoScript | kLoading | kStale;
constexpr uint32_t kForAdmins = kAdmin | kForAll;

constexpr CommandSpec kAclSubcommands[] = {
    {.name = "cat",
     .arity = -2,
     .flags = kForAll,
     .handler = AclCat,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(1) since the categories and commands are a fixed set.",
     .summary = "Returns the categories of commands, or the commands of one.",
     .syntax = "[category]"},
    {.name = "deluser",
     .arity = -3,
     .flags = kForAdmins,
     .handler = AclDelUser,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(1) amortized time considering the typical user.",
     .summary = "Deletes users, and closes their connections.",
     .syntax = "username [username ...]"},
    {.name = "dryrun",
     .arity = -4,
     .flags = kForAdmins,
     .handler = AclDryRun,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(1).",
     .summary = "Tells whether a user might run a command, without running it.",
     .syntax = "username command [arg [arg ...]]"},
    {.name = "genpass",
     .arity = -2,
     .flags = kForAll,
     .handler = AclGenPass,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Returns a random password.",
     .syntax = "[bits]"},
    {.name = "getuser",
     .arity = 3,
     .flags = kForAdmins,
     .handler = AclGetUser,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of password, command and pattern rules that the user has.",
     .summary = "Returns what a user may do.",
     .syntax = "username",
     .history = {{"6.2.0", "Added Pub/Sub channel patterns."},
                 {"7.0.0",
                  "Added selectors and changed the format of key and channel patterns from a list to their "
                  "rule representation."}}},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = AclHelp,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
    {.name = "list",
     .arity = 2,
     .flags = kForAdmins,
     .handler = AclList,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Returns all users, each as its line of a configuration file."},
    {.name = "load",
     .arity = 2,
     .flags = kForAdmins,
     .handler = AclLoad,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Replaces all users by those of the ACL file."},
    {.name = "log",
     .arity = -2,
     .flags = kForAdmins,
     .handler = AclLogCommand,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N) with N being the number of entries shown.",
     .summary = "Returns the latest refusals, or forgets them.",
     .syntax = "[count | RESET]",
     .history = {{"7.2.0", "Added entry ID, timestamp created, and timestamp last updated."}}},
    {.name = "save",
     .arity = 2,
     .flags = kForAdmins,
     .handler = AclSave,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Writes all users to the ACL file."},
    {.name = "setuser",
     .arity = -3,
     .flags = kForAdmins,
     .handler = AclSetUser,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of rules provided.",
     .summary = "Makes a user, or changes it by rules.",
     .syntax = "username [rule [rule ...]]",
     .history = {{"6.2.0", "Added Pub/Sub channel patterns."},
                 {"7.0.0", "Added selectors and key based permissions."}}},
    {.name = "users",
     .arity = 2,
     .flags = kForAdmins,
     .handler = AclUsers,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(N). Where N is the number of configured users.",
     .summary = "Returns the names of all users."},
    {.name = "whoami",
     .arity = 2,
     .flags = kForAll,
     .handler = AclWhoAmI,
     .group = "server",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Returns as whom the connection is authenticated."},
};

constexpr CommandSpec kAclCommands[] = {
    {.name = "acl",
     .arity = -2,
     .group = "server",
     .since = "6.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Contains the commands of access control.",
     .subcommands = kAclSubcommands},
};

}  // namespace

std::span<const CommandSpec> AclCommandFamily() { return kAclCommands; }

}  // namespace pinyon
