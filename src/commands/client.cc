// CLIENT: what clients are called, what the server knows of them, and getting rid of them.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "commands/client_name.h"
#include "commands/client_tracking.h"
#include "commands/families.h"
#include "commands/help.h"
#include "engine/call.h"
#include "engine/client_line.h"
#include "engine/dispatcher.h"
#include "engine/session_subscriber.h"

namespace pinyon {

namespace {

// There are no masters and replicas yet.
enum class ClientType : uint8_t { kNormal, kMaster, kReplica, kPubsub };

ClientType TypeOf(const Session& session) {
  return session.subscriber != nullptr ? ClientType::kPubsub : ClientType::kNormal;
}

bool ParseClientType(Call& call, size_t index, ClientType* type) {
  if (call.Is(index, "normal")) {
    *type = ClientType::kNormal;
  } else if (call.Is(index, "master")) {
    *type = ClientType::kMaster;
  } else if (call.Is(index, "replica") || call.Is(index, "slave")) {
    *type = ClientType::kReplica;
  } else if (call.Is(index, "pubsub")) {
    *type = ClientType::kPubsub;
  } else {
    return call.Fail("ERR Unknown client type '" + std::string(call.args[index]) + "'");
  }
  return true;
}

void AppendLine(Call& call, const Session& session, std::string* text) {
  const Args args = &session == &call.session ? call.args : Args();
  *text += ClientLine(call.engine.server, session, args, call.now_ms());
  *text += '\n';
}

// CLIENT ID
void ClientId(Call& call) { call.reply.Integer(static_cast<int64_t>(call.session.id)); }

// CLIENT GETNAME
void ClientGetName(Call& call) {
  if (call.session.name.empty()) {
    call.reply.Null();
  } else {
    call.reply.Bulk(call.session.name);
  }
}

// CLIENT SETNAME connection-name
void ClientSetName(Call& call) {
  if (SetClientName(call, call.args[2])) call.reply.Ok();
}

// CLIENT SETINFO LIB-NAME libname | LIB-VER libver
void ClientSetInfo(Call& call) {
  std::string* target = nullptr;
  if (call.Is(2, "lib-name")) target = &call.session.lib_name;
  if (call.Is(2, "lib-ver")) target = &call.session.lib_version;
  const std::string attribute(call.args[2]);
  if (target == nullptr) {
    call.reply.Error("ERR Unrecognized option '" + attribute + "'");
  } else if (!IsClientText(call.args[3])) {
    call.reply.Error("ERR " + attribute + " cannot contain spaces, newlines or special characters.");
  } else {
    *target = call.args[3];
    call.reply.Ok();
  }
}

// CLIENT INFO
void ClientInfo(Call& call) {
  std::string text;
  AppendLine(call, call.session, &text);
  call.reply.Verbatim("txt", text);
}

// CLIENT LIST ID client-id [client-id ...]
bool ListById(Call& call, std::string* text) {
  for (size_t i = 3; i < call.argc(); ++i) {
    int64_t id = 0;
    if (!call.Int(i, &id, "ERR Invalid client ID")) return false;
    const Session* session = call.engine.sessions.Find(static_cast<uint64_t>(id));
    if (session != nullptr) AppendLine(call, *session, text);
  }
  return true;
}

// CLIENT LIST [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id [client-id ...]]
void ClientList(Call& call) {
  std::string text;
  if (call.argc() > 3 && call.Is(2, "id")) {
    if (!ListById(call, &text)) return;
  } else {
    std::optional<ClientType> type;
    if (call.argc() == 4 && call.Is(2, "type")) {
      if (!ParseClientType(call, 3, &type.emplace())) return;
    } else if (call.argc() != 2) {
      call.SyntaxError();
      return;
    }
    for (const auto& [id, session] : call.engine.sessions.all()) {
      if (!type || TypeOf(*session) == *type) AppendLine(call, *session, &text);
    }
  }
  call.reply.Verbatim("txt", text);
}

// Which clients CLIENT KILL means; all conditions that are given must hold.
struct KillFilter {
  std::string_view address;
  std::string_view local_address;
  const AclUser* user = nullptr;
  std::optional<ClientType> type;
  uint64_t id = 0;
  int64_t min_age_s = 0;
  bool skip_me = true;
};

bool ParseKillOption(Call& call, size_t i, KillFilter* filter) {
  const std::string_view value = call.args[i + 1];
  int64_t number = 0;
  if (call.Is(i, "id")) {
    if (!ParseInt64(value, &number) || number < 1) return call.Fail("ERR client-id should be greater than 0");
    filter->id = static_cast<uint64_t>(number);
  } else if (call.Is(i, "maxage")) {
    if (!call.Int(i + 1, &number, "ERR maxage is not an integer or out of range")) return false;
    if (number <= 0) return call.Fail("ERR maxage should be greater than 0");
    filter->min_age_s = number;
  } else if (call.Is(i, "type")) {
    return ParseClientType(call, i + 1, &filter->type.emplace());
  } else if (call.Is(i, "addr")) {
    filter->address = value;
  } else if (call.Is(i, "laddr")) {
    filter->local_address = value;
  } else if (call.Is(i, "user")) {
    filter->user = call.engine.acl.Find(value);
    if (filter->user == nullptr) return call.Fail("ERR No such user '" + std::string(value) + "'");
  } else if (call.Is(i, "skipme")) {
    if (!call.Is(i + 1, "yes") && !call.Is(i + 1, "no")) return call.SyntaxError();
    filter->skip_me = call.Is(i + 1, "yes");
  } else {
    return call.SyntaxError();
  }
  return true;
}

bool Matches(Call& call, const KillFilter& filter, const Session& session) {
  if (filter.skip_me && &session == &call.session) return false;
  if (filter.id != 0 && session.id != filter.id) return false;
  if (filter.type && TypeOf(session) != *filter.type) return false;
  if (filter.user != nullptr && session.user != filter.user) return false;
  if (filter.min_age_s > 0 && (call.now_ms() - session.created_ms) / 1000 < filter.min_age_s) return false;
  if (filter.address.empty() && filter.local_address.empty()) return true;
  const ServerControl::ConnectionInfo info = call.engine.server.GetConnectionInfo(session);
  return (filter.address.empty() || info.address == filter.address) &&
         (filter.local_address.empty() || info.local_address == filter.local_address);
}

// CLIENT KILL ip:port, or any number of ID id, TYPE type, USER name, ADDR ip:port, LADDR ip:port, SKIPME
// yes|no, MAXAGE seconds
void ClientKill(Call& call) {
  KillFilter filter;
  const bool old_form = call.argc() == 3;
  if (old_form) {
    filter.address = call.args[2];
    filter.skip_me = false;
  } else {
    for (size_t i = 2; i < call.argc(); i += 2) {
      if (i + 1 == call.argc()) {
        call.SyntaxError();
        return;
      }
      if (!ParseKillOption(call, i, &filter)) return;
    }
  }
  // Closing may take sessions out of the registry, hence first who, then how.
  std::vector<Session*> victims;
  if (!old_form || !filter.address.empty()) {
    for (const auto& [id, session] : call.engine.sessions.all()) {
      if (Matches(call, filter, *session)) victims.push_back(session);
    }
  }
  bool kills_itself = false;
  for (Session* victim : victims) {
    if (victim == &call.session) {
      kills_itself = true;  // after this command's reply
    } else {
      call.engine.server.CloseSession(*victim, true);
    }
  }
  if (!old_form) {
    call.reply.Integer(static_cast<int64_t>(victims.size()));
  } else if (victims.empty()) {
    call.reply.Error("ERR No such client");
  } else {
    call.reply.Ok();
  }
  if (!kills_itself) return;
  call.session.closing = true;
  // What follows in its transaction is done, but not answered.
  call.session.SetReplyMode(Session::ReplyMode::kOff);
}

// CLIENT PAUSE timeout [WRITE|ALL]
void ClientPauseCommand(Call& call) {
  if (call.argc() > 4) return RejectArguments(call);
  using Mode = ClientPause::Mode;
  const bool writes_only = call.argc() == 4 && call.Is(3, "write");
  if (call.argc() == 4 && !writes_only && !call.Is(3, "all")) {
    call.reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    return;
  }
  int64_t timeout_ms;
  if (!call.TimeoutMilliseconds(2, &timeout_ms)) return;
  // An end that the clock never comes to is none for Redis, and nobody could end such a pause.
  if (timeout_ms > INT64_MAX - WallMs()) return call.reply.Ok();
  const int64_t now_us = MonotonicUs();
  const int64_t until_us =
      timeout_ms > (ClientPause::kNever - now_us) / 1000 ? ClientPause::kNever : now_us + timeout_ms * 1000;
  call.engine.pause.Ask(writes_only ? Mode::kWrites : Mode::kAll, until_us);
  call.reply.Ok();
}

// CLIENT UNPAUSE
void ClientUnpause(Call& call) {
  call.engine.pause.End();
  call.reply.Ok();
}

// CLIENT UNBLOCK client-id [TIMEOUT|ERROR]
void ClientUnblock(Call& call) {
  if (call.argc() > 4) {
    return RejectArguments(call);
  }
  const bool with_error = call.argc() == 4 && call.Is(3, "error");
  if (call.argc() == 4 && !with_error && !call.Is(3, "timeout")) {
    call.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    return;
  }
  int64_t id;
  if (!call.Int(2, &id)) return;
  Session* session = call.engine.sessions.Find(static_cast<uint64_t>(id));
  // What a pause has put off has not begun, so there is nothing to be ended.
  if (session == nullptr || session->suspension == nullptr ||
      session->suspension->kind == Suspension::Kind::kPostponed)
    return call.reply.Integer(0);
  call.engine.dispatcher->EndWaiting(*session,
                                     with_error ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : "");
  call.reply.Integer(1);
}

// CLIENT REPLY ON|OFF|SKIP. Only ON has a reply.
void ClientReply(Call& call) {
  Session& session = call.session;
  if (call.Is(2, "on")) {
    session.SetReplyMode(Session::ReplyMode::kOn);
    call.reply.Ok();
  } else if (call.Is(2, "off")) {
    session.SetReplyMode(Session::ReplyMode::kOff);
  } else if (call.Is(2, "skip")) {
    if (session.reply_mode != Session::ReplyMode::kOff) session.SetReplyMode(Session::ReplyMode::kSkipNext);
  } else {
    call.SyntaxError();
  }
}

void SetFlagOnOff(Call& call, bool* flag) {
  if (!call.Is(2, "on") && !call.Is(2, "off")) {
    call.SyntaxError();
    return;
  }
  *flag = call.Is(2, "on");
  call.reply.Ok();
}

// CLIENT NO-EVICT ON|OFF
void ClientNoEvict(Call& call) { SetFlagOnOff(call, &call.session.no_evict); }

// CLIENT NO-TOUCH ON|OFF
void ClientNoTouch(Call& call) { SetFlagOnOff(call, &call.session.no_touch); }

// CLIENT HELP
void ClientHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "CACHING (YES|NO)",
      "    Whether the keys of the next command are tracked (OPTIN and OPTOUT).",
      "GETNAME",
      "    Return the name of this connection.",
      "GETREDIR",
      "    Return where this connection's invalidations go: 0 for itself, -1 for nowhere.",
      "ID",
      "    Return the number of this connection.",
      "INFO",
      "    Return this connection's line of LIST.",
      "KILL <ip:port>",
      "    Close the connection that comes from <ip:port>.",
      "KILL <option> <value> [<option> <value> [...]]",
      "    Close all connections for which every option holds. Options are:",
      "    * ADDR (<ip:port>|<unixsocket>:0)",
      "      Where the connection comes from.",
      "    * LADDR (<ip:port>|<unixsocket>:0)",
      "      Where the connection goes to.",
      "    * ID <client-id>",
      "      The number of the connection.",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      The kind of client.",
      "    * USER <username>",
      "      The user as whom it is authenticated.",
      "    * MAXAGE <seconds>",
      "      It is open for at least so long.",
      "    * SKIPME (YES|NO)",
      "      Spare this connection (default: yes).",
      "LIST [options ...]",
      "    Return one line about each connection. Options:",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
      "      Of clients of this kind only.",
      "    * ID <client-id> [<client-id> ...]",
      "      Of these connections only.",
      "NO-EVICT (ON|OFF)",
      "    Keep this connection even when clients must be closed to free memory.",
      "NO-TOUCH (ON|OFF)",
      "    Read keys without counting that as their use.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Put off all commands, or those that may write, for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Whether this connection is answered at all.",
      "SETINFO <LIB-NAME <name>|LIB-VER <version>>",
      "    Tell which client library this connection uses.",
      "SETNAME <name>",
      "    Name this connection.",
      "TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]]",
      "         [OPTIN] [OPTOUT] [NOLOOP]",
      "    Tell this connection, or another, when keys that it has read change.",
      "TRACKINGINFO",
      "    Return how this connection tracks keys.",
      "UNBLOCK <client-id> [TIMEOUT|ERROR]",
      "    End the waiting of that connection's blocking command.",
      "UNPAUSE",
      "    End a PAUSE.",
  };
  ReplyHelp(call, kLines);
}

constexpr uint32_t kOwn = kNoScript | kLoading | kStale;
constexpr uint32_t kOthers = kAdmin | kOwn;

constexpr CommandSpec kClientSubcommands[] = {
    {.name = "id",
     .arity = 2,
     .flags = kOwn,
     .handler = ClientId,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Returns the connection's number."},
    {.name = "getname",
     .arity = 2,
     .flags = kOwn,
     .handler = ClientGetName,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Returns the connection's name."},
    {.name = "setname",
     .arity = 3,
     .flags = kOwn,
     .handler = ClientSetName,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.6.9",
     .complexity = "O(1)",
     .summary = "Names the connection.",
     .syntax = "connection-name"},
    {.name = "setinfo",
     .arity = 4,
     .flags = kOwn,
     .handler = ClientSetInfo,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Tells which client library the connection uses.",
     .syntax = "<LIB-NAME libname | LIB-VER libver>"},
    {.name = "info",
     .arity = 2,
     .flags = kOwn,
     .handler = ClientInfo,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns what the server knows of the connection.",
     .tips = "nondeterministic_output"},
    {.name = "list",
     .arity = -2,
     .flags = kOthers,
     .handler = ClientList,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Returns what the server knows of all connections, or of some.",
     .syntax = "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
     .tips = "nondeterministic_output",
     .history = {{"2.8.12", "Added unique client `id` field."},
                 {"5.0.0", "Added optional `TYPE` filter."},
                 {"6.0.0", "Added `user` field."},
                 {"6.2.0",
                  "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."},
                 {"7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."},
                 {"7.0.3", "Added `ssub` field."}}},
    {.name = "kill",
     .arity = -3,
     .flags = kOthers,
     .handler = ClientKill,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "O(N) where N is the number of client connections",
     .summary = "Closes connections.",
     .syntax = "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER "
               "username] | "
               "[ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no] | [MAXAGE maxage] "
               "[[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | "
               "[ADDR ip:port] | [LADDR ip:port] | [SKIPME yes/no] | [MAXAGE maxage] ...]>>",
     .history =
         {{"2.8.12", "Added new filter format."},
          {"2.8.12", "`ID` option."},
          {"3.2.0", "Added `master` type in for `TYPE` option."},
          {"5.0.0",
           "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility."},
          {"6.2.0", "`LADDR` option."},
          {"7.4.0", "`MAXAGE` option."}}},
    {.name = "reply",
     .arity = 3,
     .flags = kOwn,
     .handler = ClientReply,
     .acl = kAclConnection,
     .group = "connection",
     .since = "3.2.0",
     .complexity = "O(1)",
     .summary = "Switches replies to the connection on and off.",
     .syntax = "<ON | OFF | SKIP>"},
    {.name = "pause",
     .arity = -3,
     .flags = kOthers | kEndsBatch,
     .handler = ClientPauseCommand,
     .acl = kAclConnection,
     .group = "connection",
     .since = "2.9.50",
     .complexity = "O(1)",
     .summary = "Puts commands off for a time.",
     .syntax = "timeout [WRITE | ALL]",
     .history = {{"6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option."}}},
    {.name = "unpause",
     .arity = 2,
     .flags = kOthers | kEndsBatch,
     .handler = ClientUnpause,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(N) Where N is the number of paused clients",
     .summary = "Ends a pause of commands."},
    {.name = "tracking",
     .arity = -3,
     .flags = kOwn,
     .handler = ClientTracking,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1). Some options may introduce additional complexity.",
     .summary = "Has the connection told when keys that it has read change, so that it can cache them.",
     .syntax = "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] "
               "[NOLOOP]"},
    {.name = "caching",
     .arity = 3,
     .flags = kOwn,
     .handler = ClientCaching,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Whether the keys of the connection's next command are tracked.",
     .syntax = "<YES | NO>"},
    {.name = "getredir",
     .arity = 2,
     .flags = kOwn,
     .handler = ClientGetRedir,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Returns to which client the connection's invalidations go."},
    {.name = "trackinginfo",
     .arity = 2,
     .flags = kOwn,
     .handler = ClientTrackingInfo,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Tells how the connection tracks keys."},
    {.name = "unblock",
     .arity = -3,
     .flags = kOthers,
     .handler = ClientUnblock,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(log N) where N is the number of client connections",
     .summary = "Ends the waiting of a connection in a blocking command.",
     .syntax = "client-id [TIMEOUT | ERROR]"},
    {.name = "no-evict",
     .arity = 3,
     .flags = kOthers,
     .handler = ClientNoEvict,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.0.0",
     .complexity = "O(1)",
     .summary = "Keeps the connection from being closed when clients use too much memory.",
     .syntax = "<ON | OFF>"},
    {.name = "no-touch",
     .arity = 3,
     .flags = kOwn,
     .handler = ClientNoTouch,
     .acl = kAclConnection,
     .group = "connection",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary = "Keeps the connection's commands from counting as use of their keys.",
     .syntax = "<ON | OFF>"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ClientHelp,
     .acl = kAclConnection,
     .group = "connection",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
};

constexpr CommandSpec kClientCommands[] = {
    {.name = "client",
     .arity = -2,
     .group = "connection",
     .since = "2.4.0",
     .complexity = "Depends on subcommand.",
     .summary = "Contains the commands on client connections.",
     .subcommands = kClientSubcommands},
};

}  // namespace

std::span<const CommandSpec> ClientCommands() { return kClientCommands; }

}  // namespace pinyon
