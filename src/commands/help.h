// What container commands share: the reply to HELP.
#pragma once

#include <span>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

// Replies Redis's frame (the "<subcommand> ..." line, HELP itself) around `lines`: subcommands with their
// arguments, each followed by what it does, indented by four spaces.
void ReplyHelp(Call& call, std::span<const std::string_view> lines);

}  // namespace pinyon
