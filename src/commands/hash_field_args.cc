#include "commands/hash_field_args.h"

#include <string>

namespace pinyon {

bool ParseFields(Call& call, size_t at, size_t stride, std::string_view count_error, FieldArgs* fields) {
  if (at + 1 >= call.argc() || !call.Is(at, "fields")) {
    return call.Fail("ERR Mandatory argument FIELDS is missing or not at the right position");
  }
  int64_t count;
  if (!call.IntInRange(at + 1, 1, INT64_MAX, &count, count_error)) return false;
  fields->first = at + 2;
  const size_t left = call.argc() - fields->first;
  if (left % stride != 0 || static_cast<uint64_t>(count) != left / stride) {
    return call.Fail("ERR The `numfields` parameter must match the number of arguments");
  }
  fields->count = static_cast<size_t>(count);
  return true;
}

bool ParseFieldExpiry(Call& call, size_t index, ExpiryUnit unit, int64_t* when_ms) {
  PINYON_ASSERT(unit != ExpiryUnit::kNone && index < call.argc());
  int64_t time;
  if (!call.Int(index, &time)) return false;
  if (time < 0) return call.Fail("ERR invalid expire time, must be >= 0");
  const bool in_seconds = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kUnixSeconds;
  const bool relative = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kMilliseconds;
  bool valid = !in_seconds || !__builtin_mul_overflow(time, int64_t{1000}, &time);
  if (relative) valid = valid && !__builtin_add_overflow(time, call.now_ms(), &time);
  if (!valid || time > kMaxFieldExpiryMs) {
    return call.Fail("ERR invalid expire time in '" + std::string(call.command.name) + "' command");
  }
  *when_ms = time;
  return true;
}

}  // namespace pinyon
