// Small commands of the tests' own that wait for strings: the waiting itself can be tested with them,
// whatever the families bring.
//
//   TAKE key [key ...] timeout         deletes the first key that is there and replies its name and value
//   PASS source destination timeout    moves a value to another key and replies it
//   TAKEIF key value timeout           deletes the key once it holds that very value
//   TAKELIST key timeout               waits for a list, which it never takes
#pragma once

#include <span>

#include "engine/command_spec.h"

namespace pinyon {

std::span<const CommandSpec> WaitingCommands();

}  // namespace pinyon
