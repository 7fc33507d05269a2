// Hashes: setting, reading, deleting and counting fields. (Random fields and scans: hash_scan.cc; fields that
// expire: hash_expire.cc and hash_getex.cc.)
#include <cmath>
#include <string>

#include "commands/families.h"
#include "commands/hash_common.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrHashNotInteger = "ERR hash value is not an integer";
constexpr std::string_view kErrHashNotFloat = "ERR hash value is not a float";

// --- setting ---

// Sets the pairs from argument 2 to the end; false after an error. `*created` counts the fields that are new.
bool SetPairs(Call& call, int64_t* created) {
  if (call.argc() % 2 != 0) {
    return call.Fail("ERR wrong number of arguments for '" + std::string(call.command.name) + "' command");
  }
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return false;
  HashValue hash(call.db, OrNewHash(call, ref));
  *created = static_cast<int64_t>(hash.SetAll(call.args.subspan(2)));
  call.Changed(kNotifyHash, "hset", call.args[1], static_cast<int64_t>(call.argc() / 2 - 1));
  return true;
}

// HSET key field value [field value ...]
void Hset(Call& call) {
  int64_t created = 0;
  if (SetPairs(call, &created)) call.reply.Integer(created);
}

// HMSET key field value [field value ...]
void Hmset(Call& call) {
  int64_t created = 0;
  if (SetPairs(call, &created)) call.reply.Ok();
}

// HSETNX key field value
void Hsetnx(Call& call) {
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (ref && ViewOf(call, ref).Contains(call.args[2])) return call.reply.Integer(0);
  HashValue hash(call.db, OrNewHash(call, ref));
  hash.Set(call.args[2], call.args[3]);
  call.Changed(kNotifyHash, "hset", call.args[1]);
  call.reply.Integer(1);
}

// --- counting ---

bool ReadInteger(const PackedElement& element, int64_t* value) {
  if (!element.is_integer) return ParseInt64(element.text, value);
  *value = element.integer;
  return true;
}

// The field that a counting command counts in, if it is there; false after WRONGTYPE.
bool FindCounter(Call& call, EntryRef* ref, HashField* field, bool* exists) {
  if (!FindHashForWrite(call, ref)) return false;
  *exists = *ref && ViewOf(call, *ref).Find(call.args[2], field);
  return true;
}

void SetCounter(Call& call, EntryRef ref, std::string_view text) {
  HashValue hash(call.db, OrNewHash(call, ref));
  hash.Set(call.args[2], text, HashValue::Expiry::kKeep);
}

// HINCRBY key field increment
void Hincrby(Call& call) {
  int64_t value;
  EntryRef ref;
  HashField field;
  bool exists;
  if (!call.Int(3, &value) || !FindCounter(call, &ref, &field, &exists)) return;
  int64_t current = 0;
  if (exists && !ReadInteger(field.value, &current)) return call.reply.Error(kErrHashNotInteger);
  if (__builtin_add_overflow(current, value, &value)) return call.reply.Error(kErrOverflow);
  char text[kMaxInt64Chars];
  SetCounter(call, ref, {text, FormatInt64(value, text)});
  call.Changed(kNotifyHash, "hincrby", call.args[1]);
  call.reply.Integer(value);
}

// The result propagates instead of the increment: other machines must not add differently.
void PropagateCounter(Call& call, std::string_view text, int64_t expiry_ms) {
  if (!call.Propagating()) return;
  call.PropagateAs({"HSET", call.args[1], call.args[2], text});
  if (expiry_ms == Field::kNoExpiry) return;
  char digits[kMaxInt64Chars];
  call.PropagateAs(
      {"HPEXPIREAT", call.args[1], {digits, FormatInt64(expiry_ms, digits)}, "FIELDS", "1", call.args[2]});
}

// HINCRBYFLOAT key field increment
void Hincrbyfloat(Call& call) {
  long double increment;
  if (!ParseLongDouble(call.args[3], &increment)) return call.reply.Error(kErrNotFloat);
  if (std::isinf(increment)) return call.reply.Error("ERR value is NaN or Infinity");
  EntryRef ref;
  HashField field;
  bool exists;
  if (!FindCounter(call, &ref, &field, &exists)) return;
  long double current = 0;
  PackedElement::Digits digits;
  if (exists && !ParseLongDouble(field.value.Text(digits), &current))
    return call.reply.Error(kErrHashNotFloat);
  const long double sum = current + increment;
  if (std::isnan(sum) || std::isinf(sum)) {
    return call.reply.Error("ERR increment would produce NaN or Infinity");
  }
  const int64_t expiry_ms = exists ? field.expiry_ms : Field::kNoExpiry;
  const std::string text = FormatLongDoubleHuman(sum);
  SetCounter(call, ref, text);
  PropagateCounter(call, text, expiry_ms);
  call.Changed(kNotifyHash, "hincrbyfloat", call.args[1]);
  call.reply.Bulk(text);
}

// --- reading ---

void ReplyValueOf(Call& call, EntryRef ref, std::string_view name) {
  HashField field;
  if (!ref || !ViewOf(call, ref).Find(name, &field)) return call.reply.Null();
  ReplyElement(call, field.value);
}

// HGET key field
void Hget(Call& call) {
  EntryRef ref;
  if (FindHashForRead(call, &ref)) ReplyValueOf(call, ref, call.args[2]);
}

// HMGET key field [field ...]
void Hmget(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  call.reply.ArrayHeader(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) ReplyValueOf(call, ref, call.args[i]);
}

// HGETALL key
void Hgetall(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref) return call.reply.MapHeader(0);
  const HashView hash = ViewOf(call, ref);
  call.reply.MapHeader(hash.size());
  hash.ForEach([&](const HashField& field) {
    ReplyElement(call, field.name);
    ReplyElement(call, field.value);
  });
}

void ReplyAll(Call& call, PackedElement HashField::*part) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref) return call.reply.EmptyArray();
  const HashView hash = ViewOf(call, ref);
  call.reply.ArrayHeader(hash.size());
  hash.ForEach([&](const HashField& field) { ReplyElement(call, field.*part); });
}

// HKEYS key
void Hkeys(Call& call) { ReplyAll(call, &HashField::name); }
// HVALS key
void Hvals(Call& call) { ReplyAll(call, &HashField::value); }

// HLEN key
void Hlen(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ViewOf(call, ref).size()) : 0);
}

// HSTRLEN key field
void Hstrlen(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  HashField field;
  if (!ref || !ViewOf(call, ref).Find(call.args[2], &field)) return call.reply.Integer(0);
  PackedElement::Digits digits;
  call.reply.Integer(static_cast<int64_t>(field.value.Text(digits).size()));
}

// HEXISTS key field
void Hexists(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  call.reply.Integer(ref && ViewOf(call, ref).Contains(call.args[2]) ? 1 : 0);
}

// HDEL key field [field ...]
void Hdel(Call& call) {
  EntryRef ref;
  if (!FindHashForWrite(call, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  HashValue hash(call.db, ref);
  int64_t deleted = 0;
  for (size_t i = 2; i < call.argc() && hash.StoredSize() > 0; ++i)
    deleted += hash.Delete(call.args[i]) ? 1 : 0;
  if (deleted > 0) call.Changed(kNotifyHash, "hdel", call.args[1], deleted);
  DeleteIfEmpty(call, hash);
  call.reply.Integer(deleted);
}

constexpr CommandSpec Setter(const char* name, Handler handler, const char* since, const char* complexity,
                             const char* summary, const char* syntax) {
  return {.name = name,
          .arity = -4,
          .flags = kWrite | kDenyOom | kFast,
          .handler = handler,
          .acl = kAclHash,
          .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
          .element = 2,
          .group = "hash",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

constexpr CommandSpec Counter(const char* name, Handler handler, const char* since, const char* summary,
                              const char* syntax) {
  CommandSpec spec = Setter(name, handler, since, "O(1)", summary, syntax);
  spec.arity = 4;
  spec.keys[0] = KeyAt(1, kKeyRW | kKeyAccess | kKeyUpdate);
  return spec;
}

struct ReaderShape {
  int arity;
  uint32_t flags;  // beside kReadOnly
  uint32_t key_flags;
};
constexpr ReaderShape kReadsField = {3, kFast, kKeyRO | kKeyAccess};
constexpr ReaderShape kAsksAboutField = {3, kFast, kKeyRO};
constexpr ReaderShape kReadsAll = {2, 0, kKeyRO | kKeyAccess};

constexpr CommandSpec Reader(const char* name, Handler handler, ReaderShape shape, const char* since,
                             const char* complexity, const char* summary, const char* syntax,
                             const char* tips = "") {
  return {.name = name,
          .arity = shape.arity,
          .flags = kReadOnly | shape.flags,
          .handler = handler,
          .acl = kAclHash,
          .keys = {KeyAt(1, shape.key_flags)},
          .element = shape.arity == kReadsAll.arity ? 0 : 2,
          .group = "hash",
          .since = since,
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax,
          .tips = tips};
}

constexpr CommandSpec WithHistory(CommandSpec spec, HistoryNote note) {
  spec.history[0] = note;
  return spec;
}

constexpr CommandSpec Deprecated(CommandSpec spec, const char* since, const char* replaced_by) {
  spec.deprecated_since = since;
  spec.replaced_by = replaced_by;
  return spec;
}

constexpr char kUnordered[] = "nondeterministic_output_order";
constexpr char kWholeHash[] = "O(N) where N is the size of the hash.";

constexpr CommandSpec kHashCommands[] = {
    WithHistory(Setter("hset", Hset, "2.0.0",
                       "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the "
                       "command is called with multiple field/value pairs.",
                       "Sets fields of a hash, which comes to be with the first.",
                       "key field value [field value ...]"),
                {"4.0.0", "Accepts multiple `field` and `value` arguments."}),
    {.name = "hsetnx",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Hsetnx,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(1)",
     .summary = "Sets a field of a hash if it is not there yet.",
     .syntax = "key field value"},
    Deprecated(Setter("hmset", Hmset, "2.0.0", "O(N) where N is the number of fields being set.",
                      "Sets fields of a hash and replies OK.", "key field value [field value ...]"),
               "4.0.0", "`HSET` with multiple field-value pairs"),
    Reader("hget", Hget, kReadsField, "2.0.0", "O(1)", "Gives the value of a field.", "key field"),
    Reader("hmget", Hmget, {-3, kFast, kKeyRO | kKeyAccess}, "2.0.0",
           "O(N) where N is the number of fields being requested.", "Gives the values of several fields.",
           "key field [field ...]"),
    Reader("hgetall", Hgetall, kReadsAll, "2.0.0", kWholeHash, "Gives all fields with their values.", "key",
           kUnordered),
    Reader("hkeys", Hkeys, kReadsAll, "2.0.0", kWholeHash, "Gives the names of all fields.", "key",
           kUnordered),
    Reader("hvals", Hvals, kReadsAll, "2.0.0", kWholeHash, "Gives the values of all fields.", "key",
           kUnordered),
    Reader("hlen", Hlen, {2, kFast, kKeyRO}, "2.0.0", "O(1)", "Counts the fields of a hash.", "key"),
    Reader("hstrlen", Hstrlen, kAsksAboutField, "3.2.0", "O(1)", "Gives the length of a field's value.",
           "key field"),
    Reader("hexists", Hexists, kAsksAboutField, "2.0.0", "O(1)", "Says whether a hash has a field.",
           "key field"),
    {.name = "hdel",
     .arity = -3,
     .flags = kWrite | kFast,
     .handler = Hdel,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .element = 2,
     .group = "hash",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of fields to be removed.",
     .summary = "Deletes fields, and with the last one the hash.",
     .syntax = "key field [field ...]",
     .history = {{"2.4.0", "Accepts multiple `field` arguments."}}},
    Counter("hincrby", Hincrby, "2.0.0", "Adds to the integer in a field.", "key field increment"),
    Counter("hincrbyfloat", Hincrbyfloat, "2.6.0", "Adds to the number in a field.", "key field increment"),
};

}  // namespace

std::span<const CommandSpec> HashCommands() { return kHashCommands; }

}  // namespace pinyon
