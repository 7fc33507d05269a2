// The options that SET, GETEX and MSETEX share, and expiries as string commands give them.
//
// Errors are found in Redis's order: all options are read first (a syntax error wins), and only then, after
// the checks of the command in between, is the time itself looked at (ParseExpiry).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

enum class ExpiryUnit : uint8_t { kNone, kSeconds, kMilliseconds, kUnixSeconds, kUnixMilliseconds };

// That of the option EX, PX, EXAT or PXAT, in any case.
ExpiryUnit ExpiryUnitNamed(std::string_view word);

struct SetOptions {
  enum class Condition : uint8_t { kNone, kIfAbsent, kIfPresent, kIfEqual };
  Condition condition = Condition::kNone;
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;
  ExpiryUnit unit = ExpiryUnit::kNone;
  size_t expiry_index = 0;      // the argument with the time, when there is a unit
  size_t comparison_index = 0;  // the argument to compare with, for kIfEqual
};

// Which options a command knows.
enum class OptionSyntax : uint8_t { kSet, kGetEx, kMsetEx };

// Reads the options from argument `first` to the end; false after "ERR syntax error".
bool ParseSetOptions(Call& call, size_t first, OptionSyntax syntax, SetOptions* options);

// The time in argument `index` as Unix time in milliseconds; false after an error, which names the command. A
// time in the past is accepted when it is given as a Unix time.
bool ParseExpiry(Call& call, size_t index, ExpiryUnit unit, int64_t* expiry_ms);

}  // namespace pinyon
