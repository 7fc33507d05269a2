// Taking members from either end of a sorted set, and waiting for one: ZPOPMIN, ZPOPMAX, ZMPOP and their
// blocking forms.
#include <algorithm>

#include "commands/families.h"
#include "commands/zset_args.h"

namespace pinyon {

namespace {

enum class End : uint8_t { kMin, kMax };

// As what a pop propagates.
std::string_view PopCommand(End end) { return end == End::kMin ? "ZPOPMIN" : "ZPOPMAX"; }

ZsetCursor StartAt(const ZsetValue& zset, End end) { return end == End::kMin ? zset.First() : zset.Last(); }

// Removes members that have been replied; `zset` must not be used any more.
void Take(Call& call, ZsetValue& zset, std::string_view key, End end, uint64_t count) {
  const uint64_t size = zset.size();
  PINYON_ASSERT(count <= size);
  const RankRange range = end == End::kMin ? RankRange{0, count} : RankRange{size - count, size};
  RemoveMembers(call, zset, range, end == End::kMin ? "zpopmin" : "zpopmax", key);
}

// Replies one member and its score, without an array around them, and takes it out.
void PopOne(Call& call, EntryRef ref, std::string_view key, End end) {
  ZsetValue zset(call.db, ref);
  ZsetCursor at = StartAt(zset, end);
  call.reply.Bulk(at.member());
  call.reply.Double(at.score());
  Take(call, zset, key, end, 1);
}

// Replies `count` members as pairs, without a header, and takes them out.
void PopPairs(Call& call, ZsetValue& zset, std::string_view key, End end, uint64_t count,
              bool always_nested) {
  ZsetCursor at = StartAt(zset, end);
  for (uint64_t left = count; left > 0; --left) {
    ReplyPair(call, at.member(), at.score(), always_nested);
    end == End::kMin ? at.Next() : at.Previous();
  }
  Take(call, zset, key, end, count);
}

void ZpopGeneric(Call& call, End end) {
  if (call.argc() > 3) return call.reply.Error(kErrSyntax);
  const bool has_count = call.argc() == 3;
  int64_t count = 1;
  if (has_count && (!ParseInt64(call.args[2], &count) || count < 0)) {
    return call.reply.Error(kErrMustBePositive);
  }
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kZset, &ref)) return;
  if (!ref || count == 0) return call.reply.EmptyArray();
  if (!has_count) {
    call.reply.ArrayHeader(2);
    return PopOne(call, ref, call.args[1], end);
  }
  ZsetValue zset(call.db, ref);
  const uint64_t popped = std::min(static_cast<uint64_t>(count), zset.size());
  ReplyPairsHeader(call, popped);
  PopPairs(call, zset, call.args[1], end, popped, false);
}

// ZPOPMAX key [count]
void Zpopmax(Call& call) { ZpopGeneric(call, End::kMax); }

// ZPOPMIN key [count]
void Zpopmin(Call& call) { ZpopGeneric(call, End::kMin); }

// numkeys key [key ...] <MIN | MAX> [COUNT count]
struct MpopRequest {
  Args keys;
  End end = End::kMin;
  int64_t count = 1;
};

bool ParseMpop(Call& call, size_t numkeys_index, MpopRequest* request) {
  int64_t keys;
  if (!ParseInt64(call.args[numkeys_index], &keys) || keys < 1) {
    return call.Fail("ERR numkeys should be greater than 0");
  }
  const size_t rest = call.argc() - numkeys_index - 1;
  if (static_cast<uint64_t>(keys) >= rest) return call.SyntaxError();
  request->keys = call.args.subspan(numkeys_index + 1, static_cast<size_t>(keys));
  size_t i = numkeys_index + 1 + static_cast<size_t>(keys);
  if (call.Is(i, "min")) {
    request->end = End::kMin;
  } else if (call.Is(i, "max")) {
    request->end = End::kMax;
  } else {
    return call.SyntaxError();
  }
  if (++i == call.argc()) return true;
  if (!call.Is(i, "count") || i + 1 == call.argc()) return call.SyntaxError();
  if (!ParseInt64(call.args[i + 1], &request->count) || request->count < 1) {
    return call.Fail("ERR count should be greater than 0");
  }
  return i + 2 == call.argc() || call.SyntaxError();
}

// Pops from the first of the keys that is there. False when none is; then nothing was replied.
bool ServeMpop(Call& call, const MpopRequest& request) {
  for (const std::string_view key : request.keys) {
    if (!call.MayServeFrom(key)) continue;
    const EntryRef ref = call.FindForWrite(key, call.db.Hash(key));
    if (!call.CheckType(ref, ValueType::kZset)) return true;
    if (!ref) continue;
    ZsetValue zset(call.db, ref);
    const uint64_t popped = std::min(static_cast<uint64_t>(request.count), zset.size());
    call.reply.ArrayHeader(2);
    call.reply.Bulk(key);
    call.reply.ArrayHeader(popped);
    PopPairs(call, zset, key, request.end, popped, true);
    char digits[kMaxInt64Chars];
    call.PropagateAs({PopCommand(request.end), key, {digits, FormatUint64(popped, digits)}});
    return true;
  }
  return false;
}

// ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]
void Zmpop(Call& call) {
  MpopRequest request;
  if (ParseMpop(call, 1, &request) && !ServeMpop(call, request)) call.reply.NullArray();
}

void BzpopGeneric(Call& call, End end) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(call.argc() - 1, &timeout_ms)) return;
  const Args keys = call.args.subspan(1, call.argc() - 2);
  for (const std::string_view key : keys) {
    if (!call.MayServeFrom(key)) continue;
    const EntryRef ref = call.FindForWrite(key, call.db.Hash(key));
    if (!call.CheckType(ref, ValueType::kZset)) return;
    if (!ref) continue;
    call.reply.ArrayHeader(3);
    call.reply.Bulk(key);
    PopOne(call, ref, key, end);
    return call.PropagateAs({PopCommand(end), key});
  }
  call.Block(keys, ValueType::kZset, timeout_ms);
}

// BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]
void Bzmpop(Call& call) {
  int64_t timeout_ms;
  MpopRequest request;
  if (!ParseMpop(call, 2, &request) || !call.TimeoutSeconds(1, &timeout_ms)) return;
  if (!ServeMpop(call, request)) call.Block(request.keys, ValueType::kZset, timeout_ms);
}

// BZPOPMAX key [key ...] timeout
void Bzpopmax(Call& call) { BzpopGeneric(call, End::kMax); }

// BZPOPMIN key [key ...] timeout
void Bzpopmin(Call& call) { BzpopGeneric(call, End::kMin); }

constexpr uint32_t kPopKey = kKeyRW | kKeyAccess | kKeyDelete;
constexpr const char* kPopCost =
    "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements "
    "popped.";
constexpr const char* kMpopCost =
    "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the sorted "
    "set, and M being the number of elements popped.";

constexpr CommandSpec kZsetPopCommands[] = {
    {.name = "bzmpop",
     .arity = -5,
     .flags = kWrite | kBlocking,
     .handler = Bzmpop,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(2, kPopKey)},
     .group = "sorted-set",
     .since = "7.0.0",
     .complexity = kMpopCost,
     .summary = "Takes members from an end of the first sorted set that is there, or waits for one.",
     .syntax = "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]"},
    {.name = "bzpopmax",
     .arity = -3,
     .flags = kWrite | kNoScript | kBlocking | kFast,
     .handler = Bzpopmax,
     .acl = kAclSortedSet,
     .keys = {KeysFrom(1, kPopKey, -2)},
     .group = "sorted-set",
     .since = "5.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Takes the highest member of the first sorted set that is there, or waits for one.",
     .syntax = "key [key ...] timeout",
     .history = {{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}}},
    {.name = "bzpopmin",
     .arity = -3,
     .flags = kWrite | kNoScript | kBlocking | kFast,
     .handler = Bzpopmin,
     .acl = kAclSortedSet,
     .keys = {KeysFrom(1, kPopKey, -2)},
     .group = "sorted-set",
     .since = "5.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Takes the lowest member of the first sorted set that is there, or waits for one.",
     .syntax = "key [key ...] timeout",
     .history = {{"6.0.0", "`timeout` is interpreted as a double instead of an integer."}}},
    {.name = "zmpop",
     .arity = -4,
     .flags = kWrite,
     .handler = Zmpop,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(1, kPopKey)},
     .group = "sorted-set",
     .since = "7.0.0",
     .complexity = kMpopCost,
     .summary = "Takes members from an end of the first sorted set that is there.",
     .syntax = "numkeys key [key ...] <MIN | MAX> [COUNT count]"},
    {.name = "zpopmax",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = Zpopmax,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kPopKey)},
     .group = "sorted-set",
     .since = "5.0.0",
     .complexity = kPopCost,
     .summary = "Takes the highest members from a sorted set.",
     .syntax = "key [count]"},
    {.name = "zpopmin",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = Zpopmin,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kPopKey)},
     .group = "sorted-set",
     .since = "5.0.0",
     .complexity = kPopCost,
     .summary = "Takes the lowest members from a sorted set.",
     .syntax = "key [count]"},
};

}  // namespace

std::span<const CommandSpec> ZsetPopCommands() { return kZsetPopCommands; }

}  // namespace pinyon
