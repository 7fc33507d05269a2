// Expiry: setting, asking for and removing the time at which a key goes. Times are Unix times in milliseconds
// inside; what propagates is always absolute, so that a replay at another time gives the same data.
#include <algorithm>
#include <string>

#include "commands/families.h"
#include "commands/key_lookup.h"
#include "engine/call.h"

namespace pinyon {

namespace {

enum class Unit { kSeconds, kMilliseconds };

struct ExpireConditions {
  bool nx = false;
  bool xx = false;
  bool gt = false;
  bool lt = false;
};

// What Redis repeats of an argument at the end of an error: nothing from a zero byte on, no line breaks
// behind.
std::string_view QuotableText(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

bool ParseConditions(Call& call, ExpireConditions* conditions) {
  for (size_t i = 3; i < call.argc(); ++i) {
    if (call.Is(i, "nx")) {
      conditions->nx = true;
    } else if (call.Is(i, "xx")) {
      conditions->xx = true;
    } else if (call.Is(i, "gt")) {
      conditions->gt = true;
    } else if (call.Is(i, "lt")) {
      conditions->lt = true;
    } else {
      return call.Fail("ERR Unsupported option " + std::string(QuotableText(call.args[i])));
    }
  }
  if (conditions->nx && (conditions->xx || conditions->gt || conditions->lt)) {
    return call.Fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions->gt && conditions->lt) {
    return call.Fail("ERR GT and LT options at the same time are not compatible");
  }
  return true;
}

// A key without an expiry is one that expires at infinity.
bool Allows(const ExpireConditions& conditions, const Entry& entry, int64_t when_ms) {
  if (!entry.HasExpiry()) return !conditions.xx && !conditions.gt;
  const int64_t current_ms = entry.expiry_ms();
  return !conditions.nx && !(conditions.gt && when_ms <= current_ms) &&
         !(conditions.lt && when_ms >= current_ms);
}

// The time of the second argument, relative to `base_ms`.
bool ParseWhen(Call& call, int64_t base_ms, Unit unit, int64_t* when_ms) {
  int64_t when;
  if (!call.Int(2, &when)) return false;
  if ((unit == Unit::kSeconds && __builtin_mul_overflow(when, int64_t{1000}, &when)) ||
      __builtin_add_overflow(when, base_ms, when_ms)) {
    return call.Fail("ERR invalid expire time in '" + std::string(call.command.name) + "' command");
  }
  return true;
}

void SetExpiry(Call& call, int64_t base_ms, Unit unit) {
  ExpireConditions conditions;
  int64_t when_ms;
  if (!ParseConditions(call, &conditions) || !ParseWhen(call, base_ms, unit, &when_ms)) return;

  const std::string_view key = call.args[1];
  const EntryRef ref = call.FindForWrite(1);
  if (!ref || !Allows(conditions, *ref.entry(), when_ms)) return call.reply.Integer(0);

  if (when_ms <= call.now_ms() && !call.engine.keyspace.hides_expired_only()) {
    const bool lazily = call.engine.options.lazy_free.expire;
    call.db.Delete(ref, lazily);
    if (call.Propagating()) call.PropagateAs({DeletionVerb(lazily), key});
    call.Changed(kNotifyGeneric, "del", key);
    return call.reply.Integer(1);
  }
  // Only where expired keys are not deleted: a time before 1970 is as good as any in the past.
  when_ms = std::max<int64_t>(when_ms, 0);
  call.db.SetExpiry(ref, when_ms);
  if (call.Propagating()) {
    char text[kMaxInt64Chars];
    call.PropagateAs({"PEXPIREAT", key, {text, FormatInt64(when_ms, text)}});
  }
  call.Changed(kNotifyGeneric, "expire", key);
  call.reply.Integer(1);
}

// EXPIRE key seconds [NX | XX | GT | LT]
void Expire(Call& call) { SetExpiry(call, call.now_ms(), Unit::kSeconds); }
// PEXPIRE key milliseconds [NX | XX | GT | LT]
void Pexpire(Call& call) { SetExpiry(call, call.now_ms(), Unit::kMilliseconds); }
// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
void Expireat(Call& call) { SetExpiry(call, 0, Unit::kSeconds); }
// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
void Pexpireat(Call& call) { SetExpiry(call, 0, Unit::kMilliseconds); }

// Replies a key's expiry less `base_ms`, -1 for a key without one, -2 for no key.
void ReplyExpiry(Call& call, int64_t base_ms, Unit unit) {
  const EntryRef ref = FindUntouched(call, 1);
  if (!ref) return call.reply.Integer(-2);
  if (!ref->HasExpiry()) return call.reply.Integer(-1);
  // Unsigned, since rounding the latest of all times to seconds would overflow.
  const uint64_t left = static_cast<uint64_t>(std::max<int64_t>(ref->expiry_ms() - base_ms, 0));
  call.reply.Integer(static_cast<int64_t>(unit == Unit::kSeconds ? (left + 500) / 1000 : left));
}

// TTL key
void Ttl(Call& call) { ReplyExpiry(call, call.now_ms(), Unit::kSeconds); }
// PTTL key
void Pttl(Call& call) { ReplyExpiry(call, call.now_ms(), Unit::kMilliseconds); }
// EXPIRETIME key
void Expiretime(Call& call) { ReplyExpiry(call, 0, Unit::kSeconds); }
// PEXPIRETIME key
void Pexpiretime(Call& call) { ReplyExpiry(call, 0, Unit::kMilliseconds); }

// PERSIST key
void Persist(Call& call) {
  const EntryRef ref = call.FindForWrite(1);
  if (!ref || !ref->HasExpiry()) return call.reply.Integer(0);
  call.db.SetExpiry(ref, kNoExpiry);
  call.Changed(kNotifyGeneric, "persist", call.args[1]);
  call.reply.Integer(1);
}

constexpr HistoryNote kConditionsNote = {"7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."};
constexpr HistoryNote kMinusTwoNote = {"2.8.0", "Added the -2 reply."};

constexpr CommandSpec Setter(const char* name, Handler handler, const char* since, const char* summary,
                             const char* syntax) {
  return {.name = name,
          .arity = -3,
          .flags = kWrite | kFast,
          .handler = handler,
          .acl = kAclKeyspace,
          .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
          .group = "generic",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = syntax,
          .history = {kConditionsNote}};
}

constexpr CommandSpec Getter(const char* name, Handler handler, const char* since, const char* summary,
                             const char* tips = "", HistoryNote note = {}) {
  return {.name = name,
          .arity = 2,
          .flags = kReadOnly | kFast,
          .handler = handler,
          .acl = kAclKeyspace,
          .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
          .group = "generic",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = "key",
          .tips = tips,
          .history = {note}};
}

constexpr CommandSpec kExpireCommands[] = {
    Setter("expire", Expire, "1.0.0", "Sets in how many seconds a key expires.",
           "key seconds [NX | XX | GT | LT]"),
    Setter("pexpire", Pexpire, "2.6.0", "Sets in how many milliseconds a key expires.",
           "key milliseconds [NX | XX | GT | LT]"),
    Setter("expireat", Expireat, "1.2.0", "Sets the Unix time in seconds at which a key expires.",
           "key unix-time-seconds [NX | XX | GT | LT]"),
    Setter("pexpireat", Pexpireat, "2.6.0", "Sets the Unix time in milliseconds at which a key expires.",
           "key unix-time-milliseconds [NX | XX | GT | LT]"),
    Getter("ttl", Ttl, "1.0.0", "Gives the seconds until a key expires.", "nondeterministic_output",
           kMinusTwoNote),
    Getter("pttl", Pttl, "2.6.0", "Gives the milliseconds until a key expires.", "nondeterministic_output",
           kMinusTwoNote),
    Getter("expiretime", Expiretime, "7.0.0", "Gives the Unix time in seconds at which a key expires."),
    Getter("pexpiretime", Pexpiretime, "7.0.0",
           "Gives the Unix time in milliseconds at which a key expires."),
    {.name = "persist",
     .arity = 2,
     .flags = kWrite | kFast,
     .handler = Persist,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "generic",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Removes a key's expiry.",
     .syntax = "key"},
};

}  // namespace

std::span<const CommandSpec> ExpireCommands() { return kExpireCommands; }

}  // namespace pinyon
