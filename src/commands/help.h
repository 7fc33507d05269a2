// What container commands share: the reply to HELP, and the error of subcommands that are given too much.
#pragma once

#include <span>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

// Replies Redis's frame (the "<subcommand> ..." line, HELP itself) around `lines`: subcommands with their
// arguments, each followed by what it does, indented by four spaces.
void ReplyHelp(Call& call, std::span<const std::string_view> lines);

// A subcommand has too many arguments, where its arity alone does not tell.
void RejectArguments(Call& call);

}  // namespace pinyon
