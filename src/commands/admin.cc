// Commands about the server as a whole: INFO, TIME, SHUTDOWN, LOLWUT.
#include <string>

#include "base/clock.h"
#include "commands/families.h"
#include "engine/call.h"
#include "persist/persist_options.h"

namespace pinyon {

namespace {

// INFO [section [section ...]]
void Info(Call& call) { call.reply.Verbatim("txt", call.engine.server.Info(call.args.subspan(1))); }

// TIME
void Time(Call& call) {
  const int64_t now_us = WallUs();
  call.reply.ArrayHeader(2);
  call.reply.BulkInteger(now_us / 1'000'000);
  call.reply.BulkInteger(now_us % 1'000'000);
}

// SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]
void Shutdown(Call& call) {
  bool save = false, nosave = false, now = false, force = false, abort = false;
  for (size_t i = 1; i < call.argc(); ++i) {
    if (call.Is(i, "nosave")) {
      nosave = true;
    } else if (call.Is(i, "save")) {
      save = true;
    } else if (call.Is(i, "now")) {
      now = true;
    } else if (call.Is(i, "force")) {
      force = true;
    } else if (call.Is(i, "abort")) {
      abort = true;
    } else {
      call.SyntaxError();
      return;
    }
  }
  if ((save && nosave) || (abort && (save || nosave || now || force))) {
    call.SyntaxError();
    return;
  }
  if (abort) {
    // A stop is never waiting for something that it could be called off from.
    call.reply.Error("ERR No shutdown in progress.");
    return;
  }
  const int flags = (save ? kShutdownSave : 0) | (nosave ? kShutdownNoSave : 0) | (now ? kShutdownNow : 0) |
                    (force ? kShutdownForce : 0);
  if (!call.engine.server.Shutdown(flags)) call.reply.Error("ERR Errors trying to SHUTDOWN. Check logs.");
}

// LOLWUT [VERSION version]
void Lolwut(Call& call) {
  int64_t version = 0;
  if (call.argc() >= 3 && call.Is(1, "version") && !call.Int(2, &version)) return;
  constexpr std::string_view kDrawing =
      "            __\n"
      "         __/o \\__\n"
      "        '--,     \\___          /\\\n"
      "            \\   ~~~~ \\____    /\\/\\\n"
      "             \\__  ~~~~  __>  /\\/\\/\\\n"
      "                \\_____-'       ||\n"
      "   .   .  .  . .  _|_|_  .  .  ||  . .   .\n"
      " .  o . .  o   .  . o .   o .    . o  .  o .\n"
      "  A pinyon jay hides thousands of seeds, and finds every one again.\n\n";
  call.reply.Verbatim("txt", std::string(kDrawing) + "Pinyon ver. " PINYON_VERSION "\n");
}

constexpr CommandSpec kAdminCommands[] = {
    {.name = "info",
     .arity = -1,
     .flags = kLoading | kStale,
     .handler = Info,
     .acl = kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns facts and statistics about the server.",
     .syntax = "[section [section ...]]",
     .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special",
     .history = {{"7.0.0", "Added support for taking multiple section arguments."}}},
    {.name = "time",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .handler = Time,
     .group = "server",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Returns the server's clock in seconds and microseconds.",
     .tips = "nondeterministic_output"},
    {.name = "shutdown",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kAllowBusy | kEndsBatch,
     .handler = Shutdown,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) when saving, where N is the total number of keys in all databases when saving data, "
                   "otherwise O(1)",
     .summary = "Stops the server, saving what is configured to be saved.",
     .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
     .history = {{"7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."}}},
    {.name = "lolwut",
     .arity = -1,
     .flags = kReadOnly | kFast,
     .handler = Lolwut,
     .group = "server",
     .since = "5.0.0",
     .summary = "Draws something, and tells the version.",
     .syntax = "[VERSION version]"},
};

}  // namespace

std::span<const CommandSpec> AdminCommands() { return kAdminCommands; }

}  // namespace pinyon
