// CONFIG: directives as the settings registry (base/settings.h) knows them.
#include <utility>
#include <vector>

#include "commands/families.h"
#include "commands/help.h"
#include "engine/call.h"
#include "engine/dispatcher.h"

namespace pinyon {

namespace {

// CONFIG GET pattern [pattern ...]
void ConfigGet(Call& call) {
  const Args patterns = call.args.subspan(2);
  const auto pairs = call.engine.settings.Get({patterns.begin(), patterns.end()});
  call.reply.MapHeader(pairs.size());
  for (const auto& [name, value] : pairs) {
    call.reply.Bulk(name);
    call.reply.Bulk(value);
  }
}

// CONFIG SET directive value [directive value ...]
void ConfigSet(Call& call) {
  if (call.argc() % 2 != 0) {
    call.SyntaxError();
    return;
  }
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 2; i < call.argc(); i += 2) pairs.emplace_back(call.args[i], call.args[i + 1]);
  const std::string error = call.engine.settings.Set(
      pairs, {.allow_protected = IsPermitted(call.engine.options.enable_protected_configs, call.session),
              .loading = call.engine.is_loading});
  if (error.empty()) {
    call.reply.Ok();
  } else {
    call.reply.Error(error);
  }
}

// CONFIG RESETSTAT
void ConfigResetStat(Call& call) {
  call.engine.server.ResetStats();
  call.reply.Ok();
}

// CONFIG REWRITE
void ConfigRewrite(Call& call) {
  const std::string error = call.engine.server.RewriteConfig();
  if (error.empty()) {
    call.reply.Ok();
  } else {
    call.reply.Error(error);
  }
}

// CONFIG HELP
void ConfigHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "GET <pattern> [<pattern> ...]",
      "    Return the directives whose names match, with their values.",
      "SET <directive> <value> [<directive> <value> ...]",
      "    Change directives, all of them or none.",
      "RESETSTAT",
      "    Set the statistics of INFO back to zero.",
      "REWRITE",
      "    Write what is set now into the configuration file.",
  };
  ReplyHelp(call, kLines);
}

constexpr uint32_t kAdministration = kAdmin | kNoScript | kLoading | kStale;

constexpr CommandSpec kConfigSubcommands[] = {
    {.name = "get",
     .arity = -3,
     .flags = kAdministration,
     .handler = ConfigGet,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Returns directives and their values.",
     .syntax = "parameter [parameter ...]",
     .history = {{"7.0.0", "Added the ability to pass multiple pattern parameters in one call"}}},
    {.name = "set",
     .arity = -4,
     .flags = kAdministration,
     .handler = ConfigSet,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(N) when N is the number of configuration parameters provided",
     .summary = "Changes directives while the server runs.",
     .syntax = "parameter value [parameter value ...]",
     .tips = "request_policy:all_nodes,response_policy:all_succeeded",
     .history = {{"7.0.0", "Added the ability to set multiple parameters in one call."}}},
    {.name = "resetstat",
     .arity = 2,
     .flags = kAdministration,
     .handler = ConfigResetStat,
     .group = "server",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets the statistics of INFO back to zero."},
    {.name = "rewrite",
     .arity = 2,
     .flags = kAdministration,
     .handler = ConfigRewrite,
     .group = "server",
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Writes what is set now into the configuration file."},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ConfigHelp,
     .group = "server",
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
};

constexpr CommandSpec kConfigCommands[] = {
    {.name = "config",
     .arity = -2,
     .group = "server",
     .since = "2.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Contains the commands on the server's configuration.",
     .subcommands = kConfigSubcommands},
};

}  // namespace

std::span<const CommandSpec> ConfigCommands() { return kConfigCommands; }

}  // namespace pinyon
