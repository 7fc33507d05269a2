#include "commands/help.h"

#include <string>

#include "base/assert.h"

namespace pinyon {

void ReplyHelp(Call& call, std::span<const std::string_view> lines) {
  PINYON_ASSERT(call.command.parent != nullptr);
  call.reply.ArrayHeader(lines.size() + 3);
  call.reply.SimpleString(ToUpper(call.command.parent->name) +
                          " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const std::string_view line : lines) call.reply.SimpleString(line);
  call.reply.SimpleString("HELP");
  call.reply.SimpleString("    Prints this help.");
}

void RejectArguments(Call& call) {
  PINYON_ASSERT(call.command.parent != nullptr);
  constexpr size_t kMaxQuotedBytes = 128;
  call.reply.Error("ERR unknown subcommand or wrong number of arguments for '" +
                   std::string(call.args[1].substr(0, kMaxQuotedBytes)) + "'. Try " +
                   ToUpper(call.command.parent->name) + " HELP.");
}

}  // namespace pinyon
