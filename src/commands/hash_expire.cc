// Hashes: when fields expire: setting, asking for and removing the time (as Redis 7.4 and Valkey 9 document
// it). Times are Unix times in milliseconds inside; what propagates is always absolute.
#include <algorithm>

#include "commands/families.h"
#include "commands/hash_common.h"
#include "commands/hash_field_args.h"
#include "commands/hash_field_effects.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// What is replied for each field.
constexpr int64_t kNoField = -2;
constexpr int64_t kFieldNeverExpires = -1;
constexpr int64_t kConditionNotMet = 0;
constexpr int64_t kFieldChanged = 1;
constexpr int64_t kFieldDeleted = 2;

void ReplyForEach(Call& call, size_t count, int64_t value) {
  call.reply.ArrayHeader(count);
  for (; count > 0; --count) call.reply.Integer(value);
}

// --- setting ---

enum class Condition { kNone, kNx, kXx, kGt, kLt };

Condition ConditionNamed(const Call& call, size_t index) {
  if (call.Is(index, "nx")) return Condition::kNx;
  if (call.Is(index, "xx")) return Condition::kXx;
  if (call.Is(index, "gt")) return Condition::kGt;
  if (call.Is(index, "lt")) return Condition::kLt;
  return Condition::kNone;
}

// A field without an expiry is one that expires at infinity.
bool Allows(Condition condition, int64_t current_ms, int64_t when_ms) {
  const bool expires = current_ms != Field::kNoExpiry;
  switch (condition) {
    case Condition::kNone: return true;
    case Condition::kNx: return !expires;
    case Condition::kXx: return expires;
    case Condition::kGt: return expires && when_ms > current_ms;
    case Condition::kLt: return !expires || when_ms < current_ms;
  }
  PINYON_CHECK(false);
  return false;
}

int64_t SetFieldExpiry(Call& call, HashValue& hash, std::string_view name, Condition condition,
                       int64_t when_ms, FieldEffects* effects) {
  HashField field;
  if (!hash.view().Find(name, &field)) return kNoField;
  if (!Allows(condition, field.expiry_ms, when_ms)) return kConditionNotMet;
  if (when_ms <= call.now_ms() && !call.engine.keyspace.hides_expired_only()) {
    hash.Delete(name);
    effects->Deleted(name);
    return kFieldDeleted;
  }
  // Only where what has expired is not deleted can the time be as early as that.
  hash.SetExpiry(name, std::max<int64_t>(when_ms, 1));
  effects->Expires(name);
  return kFieldChanged;
}

void SetFieldExpiries(Call& call, ExpiryUnit unit) {
  int64_t when_ms;
  if (!ParseFieldExpiry(call, 2, unit, &when_ms)) return;
  const Condition condition = ConditionNamed(call, 3);
  FieldArgs fields;
  if (!ParseFields(call, condition == Condition::kNone ? 3 : 4, 1, kErrNumFields, &fields)) return;

  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (!ref) return ReplyForEach(call, fields.count, kNoField);
  HashValue hash(call.db, ref);
  FieldEffects effects(call);
  call.reply.ArrayHeader(fields.count);
  for (const std::string_view name : call.args.subspan(fields.first)) {
    call.reply.Integer(SetFieldExpiry(call, hash, name, condition, when_ms, &effects));
  }
  effects.Finish(hash, when_ms);
}

// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
void Hexpire(Call& call) { SetFieldExpiries(call, ExpiryUnit::kSeconds); }
// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
void Hpexpire(Call& call) { SetFieldExpiries(call, ExpiryUnit::kMilliseconds); }
// HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
void Hexpireat(Call& call) { SetFieldExpiries(call, ExpiryUnit::kUnixSeconds); }
// HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
void Hpexpireat(Call& call) { SetFieldExpiries(call, ExpiryUnit::kUnixMilliseconds); }

// --- asking ---

// Replies each field's expiry less `base_ms`; seconds are rounded up, so that a field that is there never has
// none left.
void ReplyFieldExpiries(Call& call, int64_t base_ms, bool in_seconds) {
  FieldArgs fields;
  if (!ParseFields(call, 2, 1, kErrNumFields, &fields)) return;
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref) return ReplyForEach(call, fields.count, kNoField);
  const HashView hash = ViewOf(call, ref);
  call.reply.ArrayHeader(fields.count);
  for (const std::string_view name : call.args.subspan(fields.first)) {
    HashField field;
    if (!hash.Find(name, &field)) {
      call.reply.Integer(kNoField);
    } else if (field.expiry_ms == Field::kNoExpiry) {
      call.reply.Integer(kFieldNeverExpires);
    } else {
      const int64_t left_ms = field.expiry_ms - base_ms;
      call.reply.Integer(in_seconds ? left_ms / 1000 + (left_ms % 1000 != 0 ? 1 : 0) : left_ms);
    }
  }
}

// HTTL key FIELDS numfields field [field ...]
void Httl(Call& call) { ReplyFieldExpiries(call, call.now_ms(), true); }
// HPTTL key FIELDS numfields field [field ...]
void Hpttl(Call& call) { ReplyFieldExpiries(call, call.now_ms(), false); }
// HEXPIRETIME key FIELDS numfields field [field ...]
void Hexpiretime(Call& call) { ReplyFieldExpiries(call, 0, true); }
// HPEXPIRETIME key FIELDS numfields field [field ...]
void Hpexpiretime(Call& call) { ReplyFieldExpiries(call, 0, false); }

// --- removing ---

// HPERSIST key FIELDS numfields field [field ...]
void Hpersist(Call& call) {
  FieldArgs fields;
  if (!ParseFields(call, 2, 1, kErrNumFields, &fields)) return;
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (!ref) return ReplyForEach(call, fields.count, kNoField);
  HashValue hash(call.db, ref);
  FieldEffects effects(call);
  call.reply.ArrayHeader(fields.count);
  for (const std::string_view name : call.args.subspan(fields.first)) {
    HashField field;
    if (!hash.view().Find(name, &field)) {
      call.reply.Integer(kNoField);
    } else if (field.expiry_ms == Field::kNoExpiry) {
      call.reply.Integer(kFieldNeverExpires);
    } else {
      hash.SetExpiry(name, Field::kNoExpiry);
      effects.Persists(name);
      call.reply.Integer(kFieldChanged);
    }
  }
  effects.Finish(hash, 0);
}

constexpr char kPerField[] = "O(N) where N is the number of specified fields";

constexpr CommandSpec Setter(const char* name, Handler handler, const char* summary, const char* syntax) {
  return {.name = name,
          .arity = -6,
          .flags = kWrite | kFast,
          .handler = handler,
          .acl = kAclHash,
          .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
          .group = "hash",
          .since = "7.4.0",
          .complexity = kPerField,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec Getter(const char* name, Handler handler, const char* summary, const char* tips = "") {
  return {.name = name,
          .arity = -5,
          .flags = kReadOnly | kFast,
          .handler = handler,
          .acl = kAclHash,
          .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
          .group = "hash",
          .since = "7.4.0",
          .complexity = kPerField,
          .summary = summary,
          .syntax = "key FIELDS numfields field [field ...]",
          .tips = tips};
}

constexpr CommandSpec kHashExpireCommands[] = {
    Setter("hexpire", Hexpire, "Sets in how many seconds fields of a hash expire.",
           "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Setter("hpexpire", Hpexpire, "Sets in how many milliseconds fields of a hash expire.",
           "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Setter("hexpireat", Hexpireat, "Sets the Unix time in seconds at which fields of a hash expire.",
           "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Setter("hpexpireat", Hpexpireat, "Sets the Unix time in milliseconds at which fields of a hash expire.",
           "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]"),
    Getter("httl", Httl, "Gives the seconds until fields of a hash expire.", "nondeterministic_output"),
    Getter("hpttl", Hpttl, "Gives the milliseconds until fields of a hash expire.",
           "nondeterministic_output"),
    Getter("hexpiretime", Hexpiretime, "Gives the Unix time in seconds at which fields of a hash expire."),
    Getter("hpexpiretime", Hpexpiretime,
           "Gives the Unix time in milliseconds at which fields of a hash expire."),
    {.name = "hpersist",
     .arity = -5,
     .flags = kWrite | kFast,
     .handler = Hpersist,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "hash",
     .since = "7.4.0",
     .complexity = kPerField,
     .summary = "Removes the expiries of fields of a hash.",
     .syntax = "key FIELDS numfields field [field ...]"},
};

}  // namespace

std::span<const CommandSpec> HashExpireCommands() { return kHashExpireCommands; }

}  // namespace pinyon
