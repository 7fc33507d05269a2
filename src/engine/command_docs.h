// From the one syntax line of a command's declaration to the argument tree that COMMAND DOCS answers.
//
//   line  = the arguments as documentation prints them, without the command's own name
//   word  = an argument: `key`, `seconds`; its type follows from its name
//   WORD  = a token (no lower-case letters; also * $ = ~ and ""): takes the plain arguments and <...> behind
//   it [ ]   = optional                  a | b   = one of these, within [ ] or < > < >   = a group x [x ...]
//   = x may repeat; so may `x y [x y ...]` and `[X y [X y ...]]`
//
// Lines are literals of ours: the table parses each when it is built and aborts on a malformed one, after
// saying which. Trees are not kept: a line parses in microseconds, and COMMAND DOCS is rare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command_spec.h"

namespace pinyon {

struct DocArgument {
  enum class Type : uint8_t {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,
    kOneOf,
    kBlock
  };
  std::string name;
  Type type = Type::kString;
  bool has_token = false;
  std::string token;        // may be empty although there is one: MIGRATE's ""
  int key_spec_index = -1;  // of a key: which of the command's key specifications finds it
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;         // when repeated, the token is repeated too
  std::vector<DocArgument> arguments;  // of kOneOf and kBlock
};

// False, with a reason, when the line is malformed.
bool ParseSyntax(const CommandSpec& spec, std::vector<DocArgument>* arguments, std::string* error);

// "string", "pure-token", ... as COMMAND DOCS prints them.
std::string_view DocTypeName(DocArgument::Type type);

}  // namespace pinyon
