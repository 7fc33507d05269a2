// COMMAND: what the command table knows, in the shapes that client libraries read.
#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/glob.h"
#include "commands/families.h"
#include "commands/help.h"
#include "engine/call.h"
#include "engine/command_docs.h"

namespace pinyon {

namespace {

// A command by "name" or "container|name"; null when unknown.
const Command* Lookup(const CommandTable& table, std::string_view name) {
  const size_t bar = name.find('|');
  if (bar == std::string_view::npos) return table.Find(name);
  const Command* container = table.Find(name.substr(0, bar));
  return container == nullptr ? nullptr : table.FindSubcommand(*container, name.substr(bar + 1));
}

// --- COMMAND INFO ---

void WriteNames(ReplyWriter& reply, const std::vector<std::string_view>& names,
                std::string_view prefix = {}) {
  reply.SetHeader(names.size());
  for (const std::string_view name : names) reply.SimpleString(std::string(prefix).append(name));
}

void WriteTips(ReplyWriter& reply, std::string_view tips) {
  std::vector<std::string_view> parts;
  while (!tips.empty()) {
    const size_t end = std::min(tips.find(','), tips.size());
    parts.push_back(tips.substr(0, end));
    tips.remove_prefix(std::min(end + 1, tips.size()));
  }
  reply.SetHeader(parts.size());
  for (const std::string_view part : parts) reply.Bulk(part);
}

void WriteBeginSearch(ReplyWriter& reply, const KeySpec& spec) {
  reply.MapHeader(2);
  reply.Bulk("type");
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      reply.Bulk("index");
      reply.Bulk("spec");
      reply.MapHeader(1);
      reply.Bulk("index");
      reply.Integer(spec.index);
      return;
    case KeySpec::Begin::kKeyword:
      reply.Bulk("keyword");
      reply.Bulk("spec");
      reply.MapHeader(2);
      reply.Bulk("keyword");
      reply.Bulk(spec.keyword);
      reply.Bulk("startfrom");
      reply.Integer(spec.index);
      return;
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      reply.Bulk("unknown");
      reply.Bulk("spec");
      reply.MapHeader(0);
      return;
  }
}

void WriteNumbers(ReplyWriter& reply, std::string_view first_name, int first, std::string_view second_name,
                  int second, std::string_view third_name, int third) {
  reply.MapHeader(3);
  reply.Bulk(first_name);
  reply.Integer(first);
  reply.Bulk(second_name);
  reply.Integer(second);
  reply.Bulk(third_name);
  reply.Integer(third);
}

void WriteFindKeys(ReplyWriter& reply, const KeySpec& spec) {
  reply.MapHeader(2);
  reply.Bulk("type");
  if (spec.begin == KeySpec::Begin::kUnknown || spec.find == KeySpec::Find::kUnknown) {
    reply.Bulk("unknown");
    reply.Bulk("spec");
    reply.MapHeader(0);
  } else if (spec.find == KeySpec::Find::kRange) {
    reply.Bulk("range");
    reply.Bulk("spec");
    WriteNumbers(reply, "lastkey", spec.last, "keystep", spec.step, "limit", spec.limit);
  } else {
    reply.Bulk("keynum");
    reply.Bulk("spec");
    WriteNumbers(reply, "keynumidx", spec.key_num_index, "firstkey", spec.last, "keystep", spec.step);
  }
}

void WriteKeySpecs(ReplyWriter& reply, const CommandSpec& spec) {
  const auto is_used = [](const KeySpec& keys) { return keys.begin != KeySpec::Begin::kNone; };
  reply.SetHeader(static_cast<size_t>(std::count_if(std::begin(spec.keys), std::end(spec.keys), is_used)));
  for (const KeySpec& keys : spec.keys) {
    if (!is_used(keys)) continue;
    reply.MapHeader(keys.notes != nullptr ? 4 : 3);
    if (keys.notes != nullptr) {
      reply.Bulk("notes");
      reply.Bulk(keys.notes);
    }
    reply.Bulk("flags");
    WriteNames(reply, KeySpecFlagNames(keys.flags));
    reply.Bulk("begin_search");
    WriteBeginSearch(reply, keys);
    reply.Bulk("find_keys");
    WriteFindKeys(reply, keys);
  }
}

void WriteInfo(ReplyWriter& reply, const Command& command) {
  reply.ArrayHeader(10);
  reply.Bulk(command.name);
  reply.Integer(command.spec->arity);
  WriteNames(reply, CommandFlagNames(command.flags));
  reply.Integer(command.first_key);
  reply.Integer(command.last_key);
  reply.Integer(command.key_step);
  WriteNames(reply, AclCategoryNames(command.acl), "@");
  WriteTips(reply, command.spec->tips);
  WriteKeySpecs(reply, *command.spec);
  if (command.subcommands.empty()) {
    reply.SetHeader(0);
    return;
  }
  reply.ArrayHeader(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) WriteInfo(reply, *subcommand);
}

// COMMAND
void CommandAll(Call& call) {
  const std::vector<Command*>& commands = call.engine.commands.commands();
  call.reply.ArrayHeader(commands.size());
  for (const Command* command : commands) WriteInfo(call.reply, *command);
}

// COMMAND INFO [command-name [command-name ...]]
void CommandInfo(Call& call) {
  if (call.argc() == 2) {
    CommandAll(call);
    return;
  }
  call.reply.ArrayHeader(call.argc() - 2);
  for (const std::string_view name : call.args.subspan(2)) {
    const Command* command = Lookup(call.engine.commands, name);
    if (command != nullptr) {
      WriteInfo(call.reply, *command);
    } else {
      call.reply.Null();
    }
  }
}

// COMMAND COUNT
void CommandCount(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.commands.commands().size()));
}

// --- COMMAND LIST ---

// What FILTERBY asks for; without it everything passes.
struct NameFilter {
  enum class Kind : uint8_t { kAll, kNone, kCategory, kPattern } kind = Kind::kAll;
  uint32_t category = 0;
  std::string_view pattern;

  bool Passes(const Command& command) const {
    switch (kind) {
      case Kind::kAll: return true;
      case Kind::kNone: return false;
      case Kind::kCategory: return (command.acl & category) != 0;
      case Kind::kPattern: return GlobMatch(pattern, command.name, true);
    }
    return false;
  }
};

// COMMAND LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]
void CommandList(Call& call) {
  NameFilter filter;
  if (call.argc() == 5 && call.Is(2, "filterby") && call.Is(3, "module")) {
    filter.kind = NameFilter::Kind::kNone;  // there are no modules
  } else if (call.argc() == 5 && call.Is(2, "filterby") && call.Is(3, "aclcat")) {
    filter.kind = NameFilter::Kind::kCategory;
    filter.category = AclCategoryByName(call.args[4]);
  } else if (call.argc() == 5 && call.Is(2, "filterby") && call.Is(3, "pattern")) {
    filter.kind = NameFilter::Kind::kPattern;
    filter.pattern = call.args[4];
  } else if (call.argc() != 2) {
    call.SyntaxError();
    return;
  }
  std::vector<std::string_view> names;
  for (const Command* command : call.engine.commands.commands()) {
    if (filter.Passes(*command)) names.push_back(command->name);
    for (const Command* subcommand : command->subcommands) {
      if (filter.Passes(*subcommand)) names.push_back(subcommand->name);
    }
  }
  call.reply.ArrayHeader(names.size());
  for (const std::string_view name : names) call.reply.Bulk(name);
}

// --- COMMAND GETKEYS ---

// The keys of the request given behind the subcommand; on failure replies the error, or an empty array for a
// command that may have none, and returns false.
bool KeysOfGivenCommand(Call& call, std::vector<KeyPosition>* keys) {
  const Args request = call.args.subspan(2);
  const Command* command = call.engine.commands.Resolve(request);
  if (command == nullptr) return call.Fail("ERR Invalid command specified");
  const bool has_keys = std::any_of(
      std::begin(command->spec->keys), std::end(command->spec->keys),
      [](const KeySpec& spec) { return spec.begin != KeySpec::Begin::kNone && !(spec.flags & kKeyNotKey); });
  if (!has_keys) return call.Fail("ERR The command has no key arguments");
  const int argc = static_cast<int>(request.size()), arity = command->spec->arity;
  if (arity > 0 ? argc != arity : argc < -arity) {
    return call.Fail("ERR Invalid number of arguments specified for command");
  }
  if (FindKeys(*command, request, keys) && !keys->empty()) return true;
  if (!(command->flags & kNoMandatoryKeys)) return call.Fail("ERR Invalid arguments specified for command");
  call.reply.EmptyArray();
  return false;
}

// COMMAND GETKEYS command [arg [arg ...]]
void CommandGetKeys(Call& call) {
  std::vector<KeyPosition> keys;
  if (!KeysOfGivenCommand(call, &keys)) return;
  call.reply.ArrayHeader(keys.size());
  for (const KeyPosition& key : keys) call.reply.Bulk(call.args[static_cast<size_t>(key.index) + 2]);
}

// COMMAND GETKEYSANDFLAGS command [arg [arg ...]]
void CommandGetKeysAndFlags(Call& call) {
  std::vector<KeyPosition> keys;
  if (!KeysOfGivenCommand(call, &keys)) return;
  call.reply.ArrayHeader(keys.size());
  for (const KeyPosition& key : keys) {
    call.reply.ArrayHeader(2);
    call.reply.Bulk(call.args[static_cast<size_t>(key.index) + 2]);
    WriteNames(call.reply, KeySpecFlagNames(key.flags));
  }
}

// --- COMMAND DOCS ---

void WriteText(ReplyWriter& reply, std::string_view name, std::string_view text) {
  reply.Bulk(name);
  reply.Bulk(text);
}

void WriteArguments(ReplyWriter& reply, const std::vector<DocArgument>& arguments) {
  reply.ArrayHeader(arguments.size());
  for (const DocArgument& argument : arguments) {
    std::vector<std::string_view> flags;
    if (argument.optional) flags.emplace_back("optional");
    if (argument.multiple) flags.emplace_back("multiple");
    if (argument.multiple_token) flags.emplace_back("multiple_token");
    const bool is_key = argument.key_spec_index >= 0;
    reply.MapHeader(size_t{2} + is_key + argument.has_token + !flags.empty() + !argument.arguments.empty());
    WriteText(reply, "name", argument.name);
    WriteText(reply, "type", DocTypeName(argument.type));
    if (is_key) {
      reply.Bulk("key_spec_index");
      reply.Integer(argument.key_spec_index);
    }
    if (argument.has_token) WriteText(reply, "token", argument.token);
    if (!flags.empty()) {
      reply.Bulk("flags");
      WriteNames(reply, flags);
    }
    if (!argument.arguments.empty()) {
      reply.Bulk("arguments");
      WriteArguments(reply, argument.arguments);
    }
  }
}

size_t HistoryLength(const CommandSpec& spec) {
  size_t length = 0;
  while (length < kMaxHistory && spec.history[length].since != nullptr) ++length;
  return length;
}

void WriteHistory(ReplyWriter& reply, const CommandSpec& spec) {
  const size_t length = HistoryLength(spec);
  reply.Bulk("history");
  reply.SetHeader(length);
  for (size_t i = 0; i < length; ++i) {
    reply.ArrayHeader(2);
    reply.Bulk(spec.history[i].since);
    reply.Bulk(spec.history[i].change);
  }
}

void WriteDocs(ReplyWriter& reply, const Command& command) {
  const CommandSpec& spec = *command.spec;
  const std::string_view complexity = spec.complexity;
  const bool deprecated = spec.deprecated_since != nullptr, replaced = spec.replaced_by != nullptr;
  std::vector<std::string_view> flags;
  if (deprecated) flags.emplace_back("deprecated");
  if (spec.flags & kSystemCommand) flags.emplace_back("syscmd");
  std::vector<DocArgument> arguments;
  std::string error;
  const bool parsed = ParseSyntax(spec, &arguments, &error);
  PINYON_CHECK(parsed);  // the table refused malformed lines

  reply.Bulk(command.name);
  reply.MapHeader(size_t{3} + !complexity.empty() + !flags.empty() + deprecated + replaced +
                  (HistoryLength(spec) > 0) + !arguments.empty() + !command.subcommands.empty());
  WriteText(reply, "summary", spec.summary);
  WriteText(reply, "since", spec.since);
  WriteText(reply, "group", spec.group);
  if (!complexity.empty()) WriteText(reply, "complexity", complexity);
  if (!flags.empty()) {
    reply.Bulk("doc_flags");
    WriteNames(reply, flags);
  }
  if (deprecated) WriteText(reply, "deprecated_since", spec.deprecated_since);
  if (replaced) WriteText(reply, "replaced_by", spec.replaced_by);
  if (HistoryLength(spec) > 0) WriteHistory(reply, spec);
  if (!arguments.empty()) {
    reply.Bulk("arguments");
    WriteArguments(reply, arguments);
  }
  if (command.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.MapHeader(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) WriteDocs(reply, *subcommand);
}

// COMMAND DOCS [command-name [command-name ...]]
void CommandDocs(Call& call) {
  std::vector<const Command*> found;
  if (call.argc() == 2) {
    const std::vector<Command*>& all = call.engine.commands.commands();
    found.assign(all.begin(), all.end());
  }
  for (const std::string_view name : call.args.subspan(2)) {
    const Command* command = Lookup(call.engine.commands, name);
    if (command != nullptr) found.push_back(command);
  }
  call.reply.MapHeader(found.size());
  for (const Command* command : found) WriteDocs(call.reply, *command);
}

// COMMAND HELP
void CommandHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "(no subcommand)",
      "    Return what INFO does, about every command.",
      "COUNT",
      "    Return how many commands there are.",
      "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
      "    Return the names of all commands, or of those that pass the filter.",
      "INFO [<command-name> ...]",
      "    Return arity, flags, keys, categories and subcommands of these commands, or of",
      "    all.",
      "DOCS [<command-name> ...]",
      "    Return the documentation of these commands, or of all.",
      "GETKEYS <full-command>",
      "    Return those arguments of a command that are keys.",
      "GETKEYSANDFLAGS <full-command>",
      "    Return them, and how the command uses each.",
  };
  ReplyHelp(call, kLines);
}

constexpr uint32_t kAlways = kLoading | kStale;

constexpr CommandSpec kCommandSubcommands[] = {
    {.name = "count",
     .arity = 2,
     .flags = kAlways,
     .handler = CommandCount,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(1)",
     .summary = "Returns how many commands there are."},
    {.name = "docs",
     .arity = -2,
     .flags = kAlways,
     .handler = CommandDocs,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Returns the documentation of commands.",
     .syntax = "[command-name [command-name ...]]",
     .tips = "nondeterministic_output_order"},
    {.name = "getkeys",
     .arity = -4,
     .flags = kAlways,
     .handler = CommandGetKeys,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Returns those arguments of a command that are keys."},
    {.name = "getkeysandflags",
     .arity = -4,
     .flags = kAlways,
     .handler = CommandGetKeysAndFlags,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of arguments to the command",
     .summary = "Returns those arguments of a command that are keys, and how it uses them."},
    {.name = "help",
     .arity = 2,
     .flags = kAlways,
     .handler = CommandHelp,
     .acl = kAclConnection,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
    {.name = "info",
     .arity = -2,
     .flags = kAlways,
     .handler = CommandInfo,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) where N is the number of commands to look up",
     .summary = "Returns arity, flags, keys and categories of commands.",
     .syntax = "[command-name [command-name ...]]",
     .tips = "nondeterministic_output_order",
     .history = {{"7.0.0", "Allowed to be called with no argument to get info on all commands."}}},
    {.name = "list",
     .arity = -2,
     .flags = kAlways,
     .handler = CommandList,
     .acl = kAclConnection,
     .group = "server",
     .since = "7.0.0",
     .complexity = "O(N) where N is the total number of Redis commands",
     .summary = "Returns the names of commands.",
     .syntax = "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
     .tips = "nondeterministic_output_order"},
};

constexpr CommandSpec kCommandCommands[] = {
    {.name = "command",
     .arity = -1,
     .flags = kAlways,
     .handler = CommandAll,
     .acl = kAclConnection,
     .group = "server",
     .since = "2.8.13",
     .complexity = "O(N) where N is the total number of Redis commands",
     .summary = "Returns arity, flags, keys and categories of all commands.",
     .tips = "nondeterministic_output_order",
     .subcommands = kCommandSubcommands},
};

}  // namespace

std::span<const CommandSpec> CommandCommands() { return kCommandCommands; }

}  // namespace pinyon
