// Hashes: reading or setting fields together with their expiry, and reading and deleting them (as Redis 8 and
// Valkey 9 document it).
#include <algorithm>
#include <string>
#include <vector>

#include "commands/families.h"
#include "commands/hash_common.h"
#include "commands/hash_field_args.h"
#include "commands/hash_field_effects.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrInvalidCount = "ERR invalid number of fields";

enum class Existence { kAny, kAbsent, kPresent };

struct FieldOptions {
  Existence key = Existence::kAny;     // NX, XX
  Existence fields = Existence::kAny;  // FNX, FXX
  ExpiryUnit unit = ExpiryUnit::kNone;
  size_t expiry_index = 0;  // the argument with the time, when there is a unit
  int64_t when_ms = 0;      // the time, when there is a unit
  bool keep = false;        // PERSIST of HGETEX, KEEPTTL of HSETEX
};

enum class Syntax { kGetEx, kSetEx };

bool FailExclusive(Call& call, Syntax syntax) {
  return call.Fail(syntax == Syntax::kGetEx
                       ? "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified"
                       : "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
}

bool SetExistence(Call& call, Existence* condition, Existence value, std::string_view error) {
  if (*condition != Existence::kAny) return call.Fail(error);
  *condition = value;
  return true;
}

bool ParseCondition(Call& call, size_t at, FieldOptions* options, bool* is_one) {
  constexpr std::string_view kErrFields = "ERR Only one of FXX or FNX arguments can be specified";
  constexpr std::string_view kErrKey = "ERR Only one of NX or XX arguments can be specified";
  *is_one = true;
  if (call.Is(at, "fnx")) return SetExistence(call, &options->fields, Existence::kAbsent, kErrFields);
  if (call.Is(at, "fxx")) return SetExistence(call, &options->fields, Existence::kPresent, kErrFields);
  if (call.Is(at, "nx")) return SetExistence(call, &options->key, Existence::kAbsent, kErrKey);
  if (call.Is(at, "xx")) return SetExistence(call, &options->key, Existence::kPresent, kErrKey);
  *is_one = false;
  return true;
}

// The options from argument 2 on, in any order, and the fields behind them.
bool ParseOptions(Call& call, Syntax syntax, FieldOptions* options, FieldArgs* fields) {
  size_t at = 2;
  for (; at < call.argc() && !call.Is(at, "fields"); ++at) {
    bool is_condition = false;
    if (syntax == Syntax::kSetEx && !ParseCondition(call, at, options, &is_condition)) return false;
    if (is_condition) continue;
    const ExpiryUnit unit = ExpiryUnitNamed(call.args[at]);
    const bool keeps = call.Is(at, syntax == Syntax::kGetEx ? "persist" : "keepttl");
    if (unit == ExpiryUnit::kNone && !keeps) {
      return call.Fail("ERR unknown argument: " + std::string(call.args[at]));
    }
    if (options->unit != ExpiryUnit::kNone || options->keep) return FailExclusive(call, syntax);
    options->keep = keeps;
    if (keeps) continue;
    if (++at == call.argc()) return call.Fail("ERR missing expire time");
    options->unit = unit;
    options->expiry_index = at;
  }
  const size_t stride = syntax == Syntax::kGetEx ? 1 : 2;
  if (!ParseFields(call, at, stride, kErrInvalidCount, fields)) return false;
  if (options->unit == ExpiryUnit::kNone) return true;
  return ParseFieldExpiry(call, options->expiry_index, options->unit, &options->when_ms);
}

bool DeletesAtOnce(const Call& call, const FieldOptions& options) {
  return options.unit != ExpiryUnit::kNone && options.when_ms <= call.now_ms() &&
         !call.engine.keyspace.hides_expired_only();
}

void ReplyNulls(Call& call, size_t count) {
  call.reply.ArrayHeader(count);
  for (; count > 0; --count) call.reply.Null();
}

// --- HGETEX ---

void ApplyToRead(Call& call, HashValue& hash, std::string_view name, const FieldOptions& options,
                 FieldEffects* effects, bool expires) {
  if (options.keep) {
    if (!expires) return;
    hash.SetExpiry(name, Field::kNoExpiry);
    effects->Persists(name);
  } else if (DeletesAtOnce(call, options)) {
    hash.Delete(name);
    effects->Deleted(name);
  } else if (options.unit != ExpiryUnit::kNone) {
    hash.SetExpiry(name, std::max<int64_t>(options.when_ms, 1));
    effects->Expires(name);
  }
}

// HGETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]
// FIELDS numfields field [field ...]
void Hgetex(Call& call) {
  FieldOptions options;
  FieldArgs fields;
  if (!ParseOptions(call, Syntax::kGetEx, &options, &fields)) return;
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref) return ReplyNulls(call, fields.count);
  HashValue hash(call.db, ref);
  FieldEffects effects(call);
  call.reply.ArrayHeader(fields.count);
  for (const std::string_view name : call.args.subspan(fields.first)) {
    HashField field;
    if (!hash.view().Find(name, &field)) {
      call.reply.Null();
      continue;
    }
    ReplyElement(call, field.value);
    ApplyToRead(call, hash, name, options, &effects, field.expiry_ms != Field::kNoExpiry);
  }
  effects.Finish(hash, options.when_ms);
}

// --- HGETDEL ---

// HGETDEL key FIELDS numfields field [field ...]
void Hgetdel(Call& call) {
  FieldArgs fields;
  if (!ParseFields(call, 2, 1, "ERR Number of fields must be a positive integer", &fields)) return;
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (!ref) return ReplyNulls(call, fields.count);
  HashValue hash(call.db, ref);
  FieldEffects effects(call);
  call.reply.ArrayHeader(fields.count);
  for (const std::string_view name : call.args.subspan(fields.first)) {
    HashField field;
    if (!hash.view().Find(name, &field)) {
      call.reply.Null();
      continue;
    }
    ReplyElement(call, field.value);
    hash.Delete(name);
    effects.Deleted(name);
  }
  effects.Finish(hash, 0);
}

// --- HSETEX ---

bool ConditionsMet(Call& call, EntryRef ref, const FieldOptions& options, const FieldArgs& fields) {
  if (options.key == Existence::kAbsent && ref) return false;
  if (options.key == Existence::kPresent && !ref) return false;
  if (options.fields == Existence::kAny) return true;
  const bool wanted = options.fields == Existence::kPresent;
  for (size_t i = fields.first; i < call.argc(); i += 2) {
    if ((ref && ViewOf(call, ref).Contains(call.args[i])) != wanted) return false;
  }
  return true;
}

// The time has passed already: nothing is set, and what was there goes.
void DeleteInsteadOfSetting(Call& call, EntryRef ref, const FieldArgs& fields) {
  if (!ref) return;
  HashValue hash(call.db, ref);
  FieldEffects effects(call);
  for (size_t i = fields.first; i < call.argc(); i += 2) {
    if (hash.Delete(call.args[i])) effects.Deleted(call.args[i]);
  }
  effects.Finish(hash, 0);
}

void PropagateExpiry(Call& call, std::string_view name, int64_t expiry_ms) {
  char digits[kMaxInt64Chars];
  call.PropagateAs(
      {"HPEXPIREAT", call.args[1], {digits, FormatInt64(expiry_ms, digits)}, "FIELDS", "1", name});
}

// As what every version with expiries of fields knows: HSET, and HPEXPIREAT where the old expiry was kept
// (one for each field) or a new one set.
void PropagateSet(Call& call, const HashView& hash, const FieldOptions& options, const FieldArgs& fields) {
  if (!call.Propagating()) return;
  std::vector<std::string_view> effect = {"HSET", call.args[1]};
  effect.insert(effect.end(), call.args.begin() + static_cast<ptrdiff_t>(fields.first), call.args.end());
  call.PropagateAs(Args(effect));
  if (options.keep) {
    for (size_t i = fields.first; i < call.argc(); i += 2) {
      HashField field;
      if (!hash.Find(call.args[i], &field) || field.expiry_ms == Field::kNoExpiry) continue;
      PropagateExpiry(call, call.args[i], field.expiry_ms);
    }
  }
}

// HSETEX key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT
// unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]
void Hsetex(Call& call) {
  FieldOptions options;
  FieldArgs fields;
  if (!ParseOptions(call, Syntax::kSetEx, &options, &fields)) return;
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (!ConditionsMet(call, ref, options, fields)) return call.reply.Integer(0);
  call.reply.Integer(1);
  if (DeletesAtOnce(call, options)) return DeleteInsteadOfSetting(call, ref, fields);

  HashValue hash(call.db, OrNewHash(call, ref));
  hash.SetAll(call.args.subspan(fields.first),
              options.keep ? HashValue::Expiry::kKeep : HashValue::Expiry::kDrop);
  PropagateSet(call, hash.view(), options, fields);
  call.Changed(kNotifyHash, "hset", call.args[1], static_cast<int64_t>(fields.count));
  if (options.unit == ExpiryUnit::kNone) return;
  FieldEffects effects(call);
  for (size_t i = fields.first; i < call.argc(); i += 2) {
    hash.SetExpiry(call.args[i], std::max<int64_t>(options.when_ms, 1));
    effects.Expires(call.args[i]);
  }
  effects.Finish(hash, options.when_ms);
}

constexpr CommandSpec kHashGetexCommands[] = {
    {.name = "hgetex",
     .arity = -5,
     .flags = kWrite | kFast,
     .handler = Hgetex,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "hash",
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Gives the values of fields, and sets or removes their expiries.",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
               "PERSIST] FIELDS numfields field [field ...]"},
    {.name = "hsetex",
     .arity = -6,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Hsetex,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "hash",
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of fields being set.",
     .summary = "Sets fields of a hash together with their expiry.",
     .syntax = "key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
               "unix-time-milliseconds | KEEPTTL] FIELDS numfields field value [field value ...]"},
    {.name = "hgetdel",
     .arity = -5,
     .flags = kWrite | kFast,
     .handler = Hgetdel,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete)},
     .group = "hash",
     .since = "8.0.0",
     .complexity = "O(N) where N is the number of specified fields",
     .summary = "Gives the values of fields and deletes them.",
     .syntax = "key FIELDS numfields field [field ...]"},
};

}  // namespace

std::span<const CommandSpec> HashGetexCommands() { return kHashGetexCommands; }

}  // namespace pinyon
