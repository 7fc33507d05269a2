// Strings set and read whole, and counters. What a time-to-live is given as never propagates: an effect
// carries the Unix time that it came to. (string_range.cc has the commands that work on parts of a string.)
#include <cmath>
#include <cstring>
#include <string>

#include "commands/families.h"
#include "commands/key_batch.h"
#include "commands/set_effect.h"
#include "commands/set_options.h"
#include "engine/call.h"

namespace pinyon {

namespace {

using Condition = SetOptions::Condition;

void ReplyString(ReplyWriter& reply, const Entry* entry) {
  if (entry->IsInteger()) return reply.BulkInteger(entry->integer());
  if (SharedBlock* block = entry->block(); block != nullptr) return reply.BulkBlock(block);
  reply.Bulk(entry->StoredBytes());
}

bool StringEquals(const Entry* entry, std::string_view text) {
  IntegerText digits;
  return entry->StringBytes(digits) == text;
}

// Stores argument `index`, by its own block if it came in one, as the value of the key that `ref` was found
// for.
EntryRef StoreArgument(Call& call, EntryRef ref, std::string_view key, uint64_t hash, size_t index,
                       int64_t expiry_ms) {
  const std::string_view value = call.args[index];
  if (!ref) call.Notify(call.session.database, kNotifyNew, "new", key);
  if (value.size() > kInlineMaxBytes) {
    if (BlockRef block = call.TakeBlock(index))
      return call.db.SetBlock(ref, key, hash, std::move(block), expiry_ms);
  }
  return call.db.SetString(ref, key, hash, value, expiry_ms);
}

void DeleteKey(Call& call, EntryRef ref, bool lazily) {
  const std::string_view key = call.args[1];
  call.db.Delete(ref, lazily);
  call.Changed(kNotifyGeneric, "del", key);
  if (call.Propagating()) call.PropagateAs({DeletionVerb(lazily), key});
}

// Whether a condition lets a SET go on; otherwise everything is replied.
bool MaySet(Call& call, EntryRef ref, const SetOptions& options) {
  bool allowed = true;
  switch (options.condition) {
    case Condition::kNone: break;
    case Condition::kIfAbsent: allowed = !ref; break;
    case Condition::kIfPresent: allowed = static_cast<bool>(ref); break;
    case Condition::kIfEqual:
      if (!call.CheckType(ref, ValueType::kString)) return false;
      allowed = ref && StringEquals(ref.entry(), call.args[options.comparison_index]);
  }
  if (!allowed && !options.get) call.reply.Null();
  return allowed;
}

// SET with options.
void SetWithOptions(Call& call) {
  SetOptions options;
  if (!ParseSetOptions(call, 3, OptionSyntax::kSet, &options)) return;
  int64_t expiry_ms = kNoExpiry;
  if (options.unit != ExpiryUnit::kNone && !ParseExpiry(call, options.expiry_index, options.unit, &expiry_ms))
    return;

  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  const EntryRef ref = options.get ? call.FindForRead(key, hash) : call.FindForWrite(key, hash);
  if (options.get) {
    if (!call.CheckType(ref, ValueType::kString)) return;
    ref ? ReplyString(call.reply, ref.entry()) : call.reply.Null();
  }
  if (!MaySet(call, ref, options)) return;

  if (options.keep_ttl && ref) expiry_ms = ref->expiry_ms();
  StoreArgument(call, ref, key, hash, 2, expiry_ms);
  call.Changed(kNotifyString, "set", key);
  if (options.unit != ExpiryUnit::kNone) call.Notify(call.session.database, kNotifyGeneric, "expire", key);
  PropagateSet(call, key, call.args[2], options.keep_ttl, expiry_ms);
  if (!options.get) call.reply.Ok();
}

// SET key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | ... | KEEPTTL]
void Set(Call& call) {
  if (call.argc() > 3) return SetWithOptions(call);
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  StoreArgument(call, call.FindForWrite(key, hash), key, hash, 2, kNoExpiry);
  call.Changed(kNotifyString, "set", key);
  call.reply.Ok();
}

// SETEX key seconds value, PSETEX key milliseconds value
void SetWithExpiry(Call& call, ExpiryUnit unit) {
  int64_t expiry_ms;
  if (!ParseExpiry(call, 2, unit, &expiry_ms)) return;
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  StoreArgument(call, call.FindForWrite(key, hash), key, hash, 3, expiry_ms);
  call.Changed(kNotifyString, "set", key);
  call.Notify(call.session.database, kNotifyGeneric, "expire", key);
  PropagateSet(call, key, call.args[3], false, expiry_ms);
  call.reply.Ok();
}

void SetEx(Call& call) { SetWithExpiry(call, ExpiryUnit::kSeconds); }
void PSetEx(Call& call) { SetWithExpiry(call, ExpiryUnit::kMilliseconds); }

// SETNX key value
void SetNx(Call& call) {
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  const EntryRef ref = call.FindForWrite(key, hash);
  if (ref) return call.reply.Integer(0);
  StoreArgument(call, ref, key, hash, 2, kNoExpiry);
  call.Changed(kNotifyString, "set", key);
  call.reply.Integer(1);
}

// GET key
void Get(Call& call) {
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  ref ? ReplyString(call.reply, ref.entry()) : call.reply.Null();
}

// GETSET key value
void GetSet(Call& call) {
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  const EntryRef ref = call.FindForRead(key, hash);
  if (!call.CheckType(ref, ValueType::kString)) return;
  ref ? ReplyString(call.reply, ref.entry()) : call.reply.Null();
  StoreArgument(call, ref, key, hash, 2, kNoExpiry);
  call.Changed(kNotifyString, "set", key);
  PropagateSet(call, key, call.args[2], false, kNoExpiry);
}

// GETDEL key
void GetDel(Call& call) {
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  if (!ref) return call.reply.Null();
  ReplyString(call.reply, ref.entry());
  DeleteKey(call, ref, call.engine.options.lazy_free.user_del);
}

// GETEX key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]
void GetEx(Call& call) {
  SetOptions options;
  if (!ParseSetOptions(call, 2, OptionSyntax::kGetEx, &options)) return;
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  if (!ref) return call.reply.Null();
  int64_t expiry_ms = kNoExpiry;
  if (options.unit != ExpiryUnit::kNone && !ParseExpiry(call, options.expiry_index, options.unit, &expiry_ms))
    return;

  ReplyString(call.reply, ref.entry());
  const std::string_view key = call.args[1];
  if (options.persist) {
    if (!ref->HasExpiry()) return;
    call.db.SetExpiry(ref, kNoExpiry);
    call.Changed(kNotifyGeneric, "persist", key);
    if (call.Propagating()) call.PropagateAs({"PERSIST", key});
  } else if (options.unit != ExpiryUnit::kNone) {
    if (expiry_ms <= call.now_ms() && !call.engine.keyspace.hides_expired_only())
      return DeleteKey(call, ref, call.engine.options.lazy_free.expire);
    call.db.SetExpiry(ref, expiry_ms);
    call.Changed(kNotifyGeneric, "expire", key);
    if (!call.Propagating()) return;
    char digits[kMaxInt64Chars];
    const size_t length = FormatInt64(expiry_ms, digits);
    call.PropagateAs({"PEXPIREAT", key, std::string_view(digits, length)});
  }
}

// DELIFEQ key value
void DelIfEq(Call& call) {
  EntryRef ref;
  if (!call.FindStringForWrite(1, &ref)) return;
  if (!ref || !StringEquals(ref.entry(), call.args[2])) return call.reply.Integer(0);
  DeleteKey(call, ref, call.engine.options.lazy_free.user_del);
  call.reply.Integer(1);
}

// MGET key [key ...]
void MGet(Call& call) {
  call.reply.ArrayHeader(call.argc() - 1);
  for (size_t first = 1; first < call.argc();) {
    const KeyBatch batch(call, first, call.argc(), 1);
    for (size_t i = 0; i < batch.size(); ++i) {
      const EntryRef ref = call.FindForRead(call.args[first + i], batch.hash(i));
      ref && ref->type() == ValueType::kString ? ReplyString(call.reply, ref.entry()) : call.reply.Null();
    }
    first += batch.size();
  }
}

bool IsKeyAmong(const Call& call, std::string_view key, size_t first, size_t end) {
  for (size_t i = first; i < end; i += 2) {
    if (call.args[i] == key) return true;
  }
  return false;
}

// Sets the pairs of key and value from argument `first` up to `end`.
void SetPairs(Call& call, size_t first, size_t end, bool keep_ttl, int64_t expiry_ms) {
  const bool expires = expiry_ms != kNoExpiry;
  while (first < end) {
    const KeyBatch batch(call, first, end, 2);
    for (size_t i = 0; i < batch.size(); ++i, first += 2) {
      const std::string_view key = call.args[first];
      const uint64_t hash = batch.hash(i);
      const EntryRef ref = call.FindForWrite(key, hash);
      const int64_t key_expiry_ms = keep_ttl && ref ? ref->expiry_ms() : expiry_ms;
      // A value that a later pair overwrites must not take its argument's bytes with it: they propagate yet.
      const bool may_take =
          call.args[first + 1].size() > kInlineMaxBytes && !IsKeyAmong(call, key, first + 2, end);
      if (may_take) {
        StoreArgument(call, ref, key, hash, first + 1, key_expiry_ms);
      } else {
        if (!ref) call.Notify(call.session.database, kNotifyNew, "new", key);
        call.db.SetString(ref, key, hash, call.args[first + 1], key_expiry_ms);
      }
      call.Changed(kNotifyString, "set", key);
      if (expires) call.Notify(call.session.database, kNotifyGeneric, "expire", key);
    }
  }
}

// How many of the keys (every other argument) are there.
size_t CountPresent(Call& call, size_t first, size_t end) {
  size_t present = 0;
  while (first < end) {
    const KeyBatch batch(call, first, end, 2);
    for (size_t i = 0; i < batch.size(); ++i, first += 2) {
      if (call.FindForWrite(call.args[first], batch.hash(i))) ++present;
    }
  }
  return present;
}

bool HasWholePairs(Call& call) {
  return call.argc() % 2 == 1 ||
         call.Fail("ERR wrong number of arguments for '" + std::string(call.command.name) + "' command");
}

// MSET key value [key value ...]
void MSet(Call& call) {
  if (!HasWholePairs(call)) return;
  SetPairs(call, 1, call.argc(), false, kNoExpiry);
  call.reply.Ok();
}

// MSETNX key value [key value ...]
void MSetNx(Call& call) {
  if (!HasWholePairs(call)) return;
  if (CountPresent(call, 1, call.argc()) != 0) return call.reply.Integer(0);
  SetPairs(call, 1, call.argc(), false, kNoExpiry);
  call.reply.Integer(1);
}

// MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | ... | KEEPTTL]
void MSetEx(Call& call) {
  int64_t count;
  constexpr std::string_view kBadCount = "ERR invalid numkeys value";
  if (!call.Int(1, &count, kBadCount)) return;
  if (count <= 0) return call.reply.Error(kBadCount);
  if (static_cast<uint64_t>(count) > (call.argc() - 2) / 2) {
    return call.reply.Error("ERR wrong number of key-value pairs");
  }
  const size_t keys = static_cast<size_t>(count);
  const size_t end = 2 + 2 * keys;
  SetOptions options;
  if (!ParseSetOptions(call, end, OptionSyntax::kMsetEx, &options)) return;
  int64_t expiry_ms = kNoExpiry;
  if (options.unit != ExpiryUnit::kNone && !ParseExpiry(call, options.expiry_index, options.unit, &expiry_ms))
    return;

  if (options.condition != Condition::kNone) {
    const size_t wanted = options.condition == Condition::kIfPresent ? keys : 0;
    if (CountPresent(call, 2, end) != wanted) return call.reply.Integer(0);
  }
  SetPairs(call, 2, end, options.keep_ttl, expiry_ms);
  for (size_t i = 2; i < end; i += 2) {
    PropagateSet(call, call.args[i], call.args[i + 1], options.keep_ttl, expiry_ms);
  }
  call.reply.Integer(1);
}

// INCR, DECR, INCRBY, DECRBY
void IncrementBy(Call& call, int64_t increment) {
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  const EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kString)) return;
  int64_t value = 0;
  const bool in_place = ref && ref->IsInteger();
  if (in_place) {
    value = ref->integer();
  } else if (ref && !ParseInt64(ref->StoredBytes(), &value)) {
    return call.reply.Error(kErrNotInteger);
  }
  if (__builtin_add_overflow(value, increment, &value)) return call.reply.Error(kErrOverflow);

  if (in_place) {
    ref->set_integer(value);
  } else {
    if (!ref) call.Notify(call.session.database, kNotifyNew, "new", key);
    call.db.SetInteger(ref, key, hash, value, ref ? ref->expiry_ms() : kNoExpiry);
  }
  call.Changed(kNotifyString, "incrby", key);
  call.reply.Integer(value);
}

void Incr(Call& call) { IncrementBy(call, 1); }
void Decr(Call& call) { IncrementBy(call, -1); }

// INCRBY key increment
void IncrBy(Call& call) {
  int64_t increment;
  if (call.Int(2, &increment)) IncrementBy(call, increment);
}

// DECRBY key decrement
void DecrBy(Call& call) {
  int64_t decrement;
  if (!call.Int(2, &decrement)) return;
  if (__builtin_sub_overflow(int64_t{0}, decrement, &decrement)) {
    return call.reply.Error("ERR decrement would overflow");
  }
  IncrementBy(call, decrement);
}

// INCRBYFLOAT key increment
void IncrByFloat(Call& call) {
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kString)) return;
  long double value = 0;
  long double increment;
  if (ref) {
    IntegerText digits;
    if (!ParseLongDouble(ref->StringBytes(digits), &value)) return call.reply.Error(kErrNotFloat);
  }
  if (!ParseLongDouble(call.args[2], &increment)) return call.reply.Error(kErrNotFloat);
  value += increment;
  if (!std::isfinite(value)) return call.reply.Error("ERR increment would produce NaN or Infinity");

  const std::string text = FormatLongDoubleHuman(value);
  if (!ref) call.Notify(call.session.database, kNotifyNew, "new", key);
  ref = call.db.SetString(ref, key, hash, text, ref ? ref->expiry_ms() : kNoExpiry);
  if (ref->IsInteger()) {
    // The result is told as a string even when it is integral; only INCR and SET make integers.
    ref = call.db.EditString(ref, text.size());
    std::memcpy(ref->MutableBytes(), text.data(), text.size());
    ref->set_encoding(Encoding::kEmbstr);
  }
  call.Changed(kNotifyString, "incrbyfloat", key);
  PropagateSet(call, key, text, true, kNoExpiry);
  call.reply.Bulk(text);
}

constexpr uint32_t kReadModify = kKeyRW | kKeyAccess | kKeyUpdate;
constexpr uint32_t kOverwrite = kKeyOW | kKeyUpdate;
constexpr uint32_t kInsertNew = kKeyOW | kKeyInsert;

constexpr KeySpec WithNotes(KeySpec spec, const char* notes) {
  spec.notes = notes;
  return spec;
}

// Read, too, when the old value is asked for. As the options are not parsed, an argument of one that spells
// GET counts (probed).
uint32_t SetKeyFlags(Args args) {
  for (size_t i = 3; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "get")) return kReadModify;
  }
  return kOverwrite;
}

constexpr CommandSpec kStringCommands[] = {
    {.name = "set",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Set,
     .acl = kAclString,
     .keys = {WithNotes(KeyAt(1, kReadModify | kKeyVariableFlags),
                        "RW and ACCESS due to the optional `GET` argument")},
     .key_flags = SetKeyFlags,
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string under a key, whatever was there before",
     .syntax = "key value [NX | XX | IFEQ comparison-value] [GET] [EX seconds | PX milliseconds | "
               "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
     .history = {{"2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."},
                 {"6.0.0", "Added the `KEEPTTL` option."},
                 {"6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."},
                 {"7.0.0", "Allowed the `NX` and `GET` options to be used together."},
                 {"8.1.0", "Added the `IFEQ` option."}}},
    {.name = "get",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Get,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the string stored under a key",
     .syntax = "key"},
    {.name = "getset",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = GetSet,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string under a key and returns the one it replaces",
     .syntax = "key value",
     .deprecated_since = "6.2.0",
     .replaced_by = "`SET` with the `!GET` argument"},
    {.name = "getdel",
     .arity = 2,
     .flags = kWrite | kFast,
     .handler = GetDel,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete)},
     .group = "string",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns the string stored under a key and deletes the key",
     .syntax = "key"},
    {.name = "getex",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = GetEx,
     .acl = kAclString,
     .keys = {WithNotes(KeyAt(1, kReadModify), "RW and UPDATE because it changes the TTL")},
     .group = "string",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Returns the string stored under a key and sets or removes the key's expiry",
     .syntax = "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | "
               "PERSIST]"},
    {.name = "delifeq",
     .arity = 3,
     .flags = kWrite | kFast,
     .handler = DelIfEq,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRM | kKeyAccess | kKeyDelete)},
     .group = "string",
     .since = "9.0.0",
     .complexity = "O(1)",
     .summary = "Deletes a key if it holds the given string",
     .syntax = "key value"},
    {.name = "setnx",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = SetNx,
     .acl = kAclString,
     .keys = {KeyAt(1, kInsertNew)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string under a key that does not exist yet",
     .syntax = "key value"},
    {.name = "setex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .handler = SetEx,
     .acl = kAclString,
     .keys = {KeyAt(1, kOverwrite)},
     .group = "string",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Stores a string under a key that expires after some seconds",
     .syntax = "key seconds value"},
    {.name = "psetex",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .handler = PSetEx,
     .acl = kAclString,
     .keys = {KeyAt(1, kOverwrite)},
     .group = "string",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Stores a string under a key that expires after some milliseconds",
     .syntax = "key milliseconds value"},
    {.name = "mset",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = MSet,
     .acl = kAclString,
     .keys = {KeysFrom(1, kOverwrite, -1, 2)},
     .group = "string",
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Stores a string under each of several keys",
     .syntax = "key value [key value ...]",
     .tips = "request_policy:multi_shard,response_policy:all_succeeded"},
    {.name = "msetnx",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = MSetNx,
     .acl = kAclString,
     .keys = {KeysFrom(1, kInsertNew, -1, 2)},
     .group = "string",
     .since = "1.0.1",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Stores a string under each of several keys, if none of them exists yet",
     .syntax = "key value [key value ...]",
     .tips = "request_policy:multi_shard,response_policy:agg_min"},
    {.name = "msetex",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = MSetEx,
     .acl = kAclString,
     .keys = {NumKeysAt(1, kOverwrite, 1, 2)},
     .group = "string",
     .since = "8.4.0",
     .complexity = "O(N) where N is the number of keys to set.",
     .summary = "Stores a string under each of several keys, with one expiry for all of them",
     .syntax = "numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | "
               "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
     .tips = "request_policy:multi_shard,response_policy:agg_min"},
    {.name = "mget",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .handler = MGet,
     .acl = kAclString,
     .keys = {KeysFrom(1, kKeyRO | kKeyAccess)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to retrieve.",
     .summary = "Returns the strings stored under several keys",
     .syntax = "key [key ...]",
     .tips = "request_policy:multi_shard"},
    {.name = "incr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Incr,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds one to the integer stored under a key",
     .syntax = "key"},
    {.name = "decr",
     .arity = 2,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Decr,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Subtracts one from the integer stored under a key",
     .syntax = "key"},
    {.name = "incrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = IncrBy,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Adds an integer to the one stored under a key",
     .syntax = "key increment"},
    {.name = "decrby",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = DecrBy,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Subtracts an integer from the one stored under a key",
     .syntax = "key decrement"},
    {.name = "incrbyfloat",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = IncrByFloat,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Adds a decimal number to the one stored under a key",
     .syntax = "key increment"},
};

}  // namespace

std::span<const CommandSpec> StringCommands() { return kStringCommands; }

}  // namespace pinyon
