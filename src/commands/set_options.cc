#include "commands/set_options.h"

#include <limits>
#include <string>

namespace pinyon {

namespace {

using Condition = SetOptions::Condition;

// A condition may be repeated, but not joined by another one.
bool SetCondition(SetOptions* options, Condition condition) {
  if (options->condition != Condition::kNone && options->condition != condition) return false;
  options->condition = condition;
  return true;
}

// As a condition: a unit may be repeated (the last time counts), but stands alone.
bool SetUnit(SetOptions* options, ExpiryUnit unit, size_t index) {
  if (options->keep_ttl || options->persist) return false;
  if (options->unit != ExpiryUnit::kNone && options->unit != unit) return false;
  options->unit = unit;
  options->expiry_index = index;
  return true;
}

// The option at `*index`, which is moved to its last argument; false when it is none or contradicts another.
bool ParseOption(const Call& call, size_t* index, OptionSyntax syntax, SetOptions* options) {
  const size_t at = *index;
  const bool has_next = at + 1 < call.argc();
  if (const ExpiryUnit unit = ExpiryUnitNamed(call.args[at]); unit != ExpiryUnit::kNone) {
    ++*index;
    return has_next && SetUnit(options, unit, at + 1);
  }
  if (syntax == OptionSyntax::kGetEx) {
    if (!call.Is(at, "persist") || options->unit != ExpiryUnit::kNone) return false;
    options->persist = true;
    return true;
  }
  if (call.Is(at, "nx")) return SetCondition(options, Condition::kIfAbsent);
  if (call.Is(at, "xx")) return SetCondition(options, Condition::kIfPresent);
  if (call.Is(at, "keepttl")) {
    options->keep_ttl = true;
    return options->unit == ExpiryUnit::kNone;
  }
  if (syntax != OptionSyntax::kSet) return false;
  if (call.Is(at, "get")) {
    options->get = true;
    return true;
  }
  if (!call.Is(at, "ifeq") || !has_next) return false;
  options->comparison_index = ++*index;
  return SetCondition(options, Condition::kIfEqual);
}

}  // namespace

ExpiryUnit ExpiryUnitNamed(std::string_view word) {
  if (EqualsIgnoreCase(word, "ex")) return ExpiryUnit::kSeconds;
  if (EqualsIgnoreCase(word, "px")) return ExpiryUnit::kMilliseconds;
  if (EqualsIgnoreCase(word, "exat")) return ExpiryUnit::kUnixSeconds;
  if (EqualsIgnoreCase(word, "pxat")) return ExpiryUnit::kUnixMilliseconds;
  return ExpiryUnit::kNone;
}

bool ParseSetOptions(Call& call, size_t first, OptionSyntax syntax, SetOptions* options) {
  for (size_t i = first; i < call.argc(); ++i) {
    if (!ParseOption(call, &i, syntax, options)) return call.SyntaxError();
  }
  return true;
}

bool ParseExpiry(Call& call, size_t index, ExpiryUnit unit, int64_t* expiry_ms) {
  PINYON_ASSERT(unit != ExpiryUnit::kNone && index < call.argc());
  int64_t time;
  if (!call.Int(index, &time)) return false;
  const bool in_seconds = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kUnixSeconds;
  const bool relative = unit == ExpiryUnit::kSeconds || unit == ExpiryUnit::kMilliseconds;
  bool valid = time > 0;
  if (in_seconds) valid = valid && !__builtin_mul_overflow(time, int64_t{1000}, &time);
  if (relative) valid = valid && !__builtin_add_overflow(time, call.now_ms(), &time);
  if (!valid) {
    return call.Fail("ERR invalid expire time in '" + std::string(call.command.name) + "' command");
  }
  *expiry_ms = time;
  return true;
}

}  // namespace pinyon
