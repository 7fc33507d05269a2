// Hashes: random fields, and going through a hash in portions.
#include <vector>

#include "commands/families.h"
#include "commands/hash_common.h"
#include "commands/random_count.h"
#include "commands/scan_options.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// --- HRANDFIELD ---

// With values RESP3 has pairs, RESP2 a flat array.
void ReplyDrawnHeader(Call& call, uint64_t count, bool with_values) {
  call.reply.ArrayHeader(with_values && !call.reply.resp3() ? count * 2 : count);
}

void ReplyDrawn(Call& call, const HashField& field, bool with_values) {
  if (with_values && call.reply.resp3()) call.reply.ArrayHeader(2);
  ReplyElement(call, field.name);
  if (with_values) ReplyElement(call, field.value);
}

size_t TextBytes(const PackedElement& element) {
  return element.is_integer ? kMaxInt64Chars : element.text.size();
}

// `draws` fields, with repetition.
void ReplyDraws(Call& call, const HashView& hash, uint64_t draws, bool with_values) {
  DrawBudget budget(call);
  if (!budget.Allows(with_values ? draws * 2 : draws)) return;
  ReplyDrawnHeader(call, draws, with_values);
  hash.DrawRepeatedly(call.engine.keyspace.random(), draws, [&](const HashField& field) {
    if (!budget.Spend(TextBytes(field.name) + (with_values ? TextBytes(field.value) : 0))) return false;
    ReplyDrawn(call, field, with_values);
    return true;
  });
}

// `count` different fields, or all.
void ReplyChoice(Call& call, const HashView& hash, uint64_t count, bool with_values) {
  const size_t size = hash.size();
  const size_t chosen = count < size ? static_cast<size_t>(count) : size;
  ReplyDrawnHeader(call, chosen, with_values);
  const auto reply = [&](const HashField& field) { ReplyDrawn(call, field, with_values); };
  if (chosen == size) return hash.ForEach(reply);
  hash.DrawDistinct(call.engine.keyspace.random(), chosen, reply);
}

void ReplyOneField(Call& call) {
  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref) return call.reply.Null();
  ViewOf(call, ref).DrawRepeatedly(call.engine.keyspace.random(), 1, [&](const HashField& field) {
    ReplyElement(call, field.name);
    return true;
  });
}

// HRANDFIELD key [count [WITHVALUES]]
void Hrandfield(Call& call) {
  if (call.argc() == 2) return ReplyOneField(call);
  int64_t count;
  if (!ParseRandomCount(call, 2, &count)) return;
  if (call.argc() > 4 || (call.argc() == 4 && !call.Is(3, "withvalues"))) return call.reply.Error(kErrSyntax);
  const bool with_values = call.argc() == 4;
  // The reply has twice as many elements then.
  if (with_values && (count < -INT64_MAX / 2 || count > INT64_MAX / 2))
    return call.reply.Error(kErrOutOfRange);

  EntryRef ref;
  if (!FindHashForRead(call, &ref)) return;
  if (!ref || count == 0) return call.reply.EmptyArray();
  const HashView hash = ViewOf(call, ref);
  if (count < 0) return ReplyDraws(call, hash, static_cast<uint64_t>(-count), with_values);
  ReplyChoice(call, hash, static_cast<uint64_t>(count), with_values);
}

// --- HSCAN ---

// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
void Hscan(Call& call) {
  uint64_t cursor;
  EntryRef ref;
  if (!ParseCursor(call, 2, &cursor) || !FindHashForRead(call, &ref)) return;
  if (!ref) return ReplyEmptyScan(call);
  ScanOptions options;
  if (!ParseScanOptions(call, 3, kScanNoValues, &options)) return;

  std::vector<HashField> found;
  cursor = ViewOf(call, ref).Scan(cursor, options.count, [&](const HashField& field) {
    PackedElement::Digits digits;
    if (options.MatchesAll() || options.Matches(field.name.Text(digits))) found.push_back(field);
  });
  ReplyScanHeader(call, cursor, options.no_values ? found.size() : found.size() * 2);
  for (const HashField& field : found) {
    ReplyElement(call, field.name);
    if (!options.no_values) ReplyElement(call, field.value);
  }
}

constexpr CommandSpec kHashScanCommands[] = {
    {.name = "hrandfield",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Hrandfield,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "hash",
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of fields returned",
     .summary = "Gives random fields of a hash.",
     .syntax = "key [count [WITHVALUES]]",
     .tips = "nondeterministic_output"},
    {.name = "hscan",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Hscan,
     .acl = kAclHash,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "hash",
     .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
                   "the cursor to return back to 0. N is the number of elements inside the collection..",
     .summary = "Goes through the fields of a hash in portions.",
     .syntax = "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
     .tips = "nondeterministic_output",
     .history = {{"7.4.0", "Added the `NOVALUES` option."}}},
};

}  // namespace

std::span<const CommandSpec> HashScanCommands() { return kHashScanCommands; }

}  // namespace pinyon
