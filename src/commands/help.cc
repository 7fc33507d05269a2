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

}  // namespace pinyon
