// The arguments that commands of fields with expiries share: "FIELDS numfields field ...", always at the end,
// and times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "commands/set_options.h"
#include "engine/call.h"

namespace pinyon {

// The latest time at which a field may expire, as in Redis: 46 bits of milliseconds, in the year 4199.
inline constexpr int64_t kMaxFieldExpiryMs = (int64_t{1} << 46) - 1;

inline constexpr std::string_view kErrNumFields = "ERR Parameter `numFields` should be greater than 0";

// The part from argument `first` to the end.
struct FieldArgs {
  size_t first = 0;
  size_t count = 0;
};

// Reads it with the word FIELDS at argument `at`; a field takes `stride` arguments. `count_error` is the
// reply to a number that is not above zero. False after an error.
bool ParseFields(Call& call, size_t at, size_t stride, std::string_view count_error, FieldArgs* fields);

// The time in argument `index` as Unix time in milliseconds; zero and the past are accepted, a negative
// number is not. False after an error, which names the command.
bool ParseFieldExpiry(Call& call, size_t index, ExpiryUnit unit, int64_t* when_ms);

}  // namespace pinyon
