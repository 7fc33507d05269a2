// Ranges of sorted sets: ZRANGE in all its forms, the older commands for each of them, ZRANGESTORE, and
// ZREMRANGEBY*.
#include <algorithm>

#include "commands/families.h"
#include "commands/zset_args.h"

namespace pinyon {

namespace {

enum class RangeBy : uint8_t { kAny, kRank, kScore, kLex };
enum class RangeOrder : uint8_t { kAny, kForward, kReverse };

// What a command of this family asks for. Of kAny the arguments decide.
struct RangeRequest {
  RangeBy by = RangeBy::kAny;
  RangeOrder order = RangeOrder::kAny;
  bool store = false;  // ZRANGESTORE: the first key is where the result goes
  size_t key = 1;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: none
  // One of these, by `by`.
  int64_t start = 0;
  int64_t stop = 0;
  ScoreRange scores = {};
  LexRange lex = {};

  bool reverse() const { return order == RangeOrder::kReverse; }
};

bool ParseRangeOptions(Call& call, RangeRequest* request) {
  for (size_t i = request->key + 3; i < call.argc(); ++i) {
    if (!request->store && call.Is(i, "withscores")) {
      request->with_scores = true;
    } else if (call.Is(i, "limit") && i + 2 < call.argc()) {
      if (!call.Int(i + 1, &request->offset) || !call.Int(i + 2, &request->limit)) return false;
      i += 2;
    } else if (request->order == RangeOrder::kAny && call.Is(i, "rev")) {
      request->order = RangeOrder::kReverse;
    } else if (request->by == RangeBy::kAny && call.Is(i, "bylex")) {
      request->by = RangeBy::kLex;
    } else if (request->by == RangeBy::kAny && call.Is(i, "byscore")) {
      request->by = RangeBy::kScore;
    } else {
      return call.SyntaxError();
    }
  }
  if (request->by == RangeBy::kAny) request->by = RangeBy::kRank;
  // A count of -1 is none, as in Redis, whatever the offset.
  if (request->limit != -1 && request->by == RangeBy::kRank) {
    return call.Fail("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (request->with_scores && request->by == RangeBy::kLex) {
    return call.Fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  return true;
}

bool ParseRange(Call& call, RangeRequest* request) {
  if (!ParseRangeOptions(call, request)) return false;
  size_t min = request->key + 1;
  size_t max = request->key + 2;
  if (request->by == RangeBy::kRank) return call.Int(min, &request->start) && call.Int(max, &request->stop);
  // Given from high to low then.
  if (request->reverse()) std::swap(min, max);
  if (request->by == RangeBy::kScore) return ParseScoreRange(call, min, max, &request->scores);
  return ParseLexRange(call, min, max, &request->lex);
}

// Cuts a range by LIMIT; in reverse it is counted from its end.
RankRange Limit(RankRange range, const RangeRequest& request) {
  if (request.offset < 0 || static_cast<uint64_t>(request.offset) >= range.size()) return {};
  const auto offset = static_cast<uint64_t>(request.offset);
  uint64_t count = range.size() - offset;
  if (request.limit >= 0) count = std::min(count, static_cast<uint64_t>(request.limit));
  if (!request.reverse()) return {range.begin + offset, range.begin + offset + count};
  return {range.end - offset - count, range.end - offset};
}

// The ranks that are asked for, in ascending order whatever the order of the reply.
RankRange FindRange(const ZsetValue& zset, const RangeRequest& request) {
  if (request.by == RangeBy::kScore) return Limit(zset.RanksOf(request.scores), request);
  if (request.by == RangeBy::kLex) return Limit(zset.RanksOf(request.lex), request);
  const uint64_t size = zset.size();
  const RankRange range = RanksOf(request.start, request.stop, size);
  if (range.empty() || !request.reverse()) return range;
  return {size - range.end, size - range.begin};
}

void ReplyRange(Call& call, const ZsetValue& zset, RankRange range, const RangeRequest& request) {
  uint64_t count = range.size();
  request.with_scores ? ReplyPairsHeader(call, count) : call.reply.ArrayHeader(count);
  if (count == 0) return;
  ZsetCursor at = zset.At(request.reverse() ? range.end - 1 : range.begin);
  for (; count > 0; --count) {
    request.with_scores ? ReplyPair(call, at.member(), at.score()) : call.reply.Bulk(at.member());
    request.reverse() ? at.Previous() : at.Next();
  }
}

void RangeGeneric(Call& call, RangeRequest request) {
  if (!ParseRange(call, &request)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(request.key, ValueType::kZset, &ref)) return;
  if (!ref) return call.reply.EmptyArray();
  const ZsetValue zset(call.db, ref);
  ReplyRange(call, zset, FindRange(zset, request), request);
}

// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
void Zrange(Call& call) { RangeGeneric(call, {}); }

// ZRANGEBYLEX key min max [LIMIT offset count]
void Zrangebylex(Call& call) { RangeGeneric(call, {.by = RangeBy::kLex, .order = RangeOrder::kForward}); }

// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
void Zrangebyscore(Call& call) { RangeGeneric(call, {.by = RangeBy::kScore, .order = RangeOrder::kForward}); }

// ZREVRANGE key start stop [WITHSCORES]
void Zrevrange(Call& call) { RangeGeneric(call, {.by = RangeBy::kRank, .order = RangeOrder::kReverse}); }

// ZREVRANGEBYLEX key max min [LIMIT offset count]
void Zrevrangebylex(Call& call) { RangeGeneric(call, {.by = RangeBy::kLex, .order = RangeOrder::kReverse}); }

// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
void Zrevrangebyscore(Call& call) {
  RangeGeneric(call, {.by = RangeBy::kScore, .order = RangeOrder::kReverse});
}

// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
void Zrangestore(Call& call) {
  RangeRequest request{.store = true, .key = 2};
  if (!ParseRange(call, &request)) return;
  EntryRef source;
  if (!call.FindTypedForRead(request.key, ValueType::kZset, &source)) return;
  const std::string_view destination = call.args[1];
  ZsetValue result(call.db, ZsetValue::New(destination));
  if (source) {
    const ZsetValue zset(call.db, source);
    const RankRange range = FindRange(zset, request);
    result.ExpectSize(range.size());
    ZsetCursor at = range.empty() ? ZsetCursor() : zset.At(range.begin);
    for (uint64_t left = range.size(); left > 0; --left, at.Next()) result.AddNew(at.member(), at.score());
  }
  const auto stored = static_cast<int64_t>(result.size());
  if (stored > 0) {
    if (!call.db.Find(destination, call.KeyHash(1)))
      call.Notify(call.session.database, kNotifyNew, "new", destination);
    call.db.StoreEntry(result.Release());
    call.Changed(kNotifyZset, "zrangestore", destination);
  } else if (const EntryRef old = call.FindForWrite(1)) {
    call.db.Delete(old);
    call.Changed(kNotifyGeneric, "del", destination);
  }
  call.reply.Integer(stored);
}

// Removes what a range, already parsed, meets.
void RemoveGeneric(Call& call, const RangeRequest& request, std::string_view event) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kZset, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  ZsetValue zset(call.db, ref);
  const RankRange range = FindRange(zset, request);
  RemoveMembers(call, zset, range, event, call.args[1]);
  call.reply.Integer(static_cast<int64_t>(range.size()));
}

// ZREMRANGEBYLEX key min max
void Zremrangebylex(Call& call) {
  RangeRequest request{.by = RangeBy::kLex};
  if (ParseLexRange(call, 2, 3, &request.lex)) RemoveGeneric(call, request, "zremrangebylex");
}

// ZREMRANGEBYRANK key start stop
void Zremrangebyrank(Call& call) {
  RangeRequest request{.by = RangeBy::kRank};
  if (!call.Int(2, &request.start) || !call.Int(3, &request.stop)) return;
  RemoveGeneric(call, request, "zremrangebyrank");
}

// ZREMRANGEBYSCORE key min max
void Zremrangebyscore(Call& call) {
  RangeRequest request{.by = RangeBy::kScore};
  if (ParseScoreRange(call, 2, 3, &request.scores)) RemoveGeneric(call, request, "zremrangebyscore");
}

constexpr const char* kReplyCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
    "returned.";
constexpr const char* kLimitedCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being "
    "returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can consider "
    "it O(log(N)).";
constexpr const char* kRemoveCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed "
    "by the operation.";
constexpr const char* kStoreCost =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements stored "
    "into the destination key.";

constexpr CommandSpec kZsetRangeCommands[] = {
    {.name = "zrange",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrange,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = kReplyCost,
     .summary = "Returns members of a sorted set that lie in a range of places, scores or members.",
     .syntax = "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
     .history = {{"6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."}}},
    {.name = "zrangebylex",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrangebylex,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.8.9",
     .complexity = kLimitedCost,
     .summary = "Returns the members of a sorted set that lie between two members.",
     .syntax = "key min max [LIMIT offset count]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYLEX` argument"},
    {.name = "zrangebyscore",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrangebyscore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "1.0.5",
     .complexity = kLimitedCost,
     .summary = "Returns the members of a sorted set whose scores lie between two bounds.",
     .syntax = "key min max [WITHSCORES] [LIMIT offset count]",
     .history = {{"2.0.0", "Added the `WITHSCORES` modifier."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `BYSCORE` argument"},
    {.name = "zrangestore",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .handler = Zrangestore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), KeyAt(2, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = kStoreCost,
     .summary = "Stores a range of a sorted set under another key.",
     .syntax = "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]"},
    {.name = "zremrangebylex",
     .arity = 4,
     .flags = kWrite,
     .handler = Zremrangebylex,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .group = "sorted-set",
     .since = "2.8.9",
     .complexity = kRemoveCost,
     .summary = "Removes the members of a sorted set that lie between two members.",
     .syntax = "key min max"},
    {.name = "zremrangebyrank",
     .arity = 4,
     .flags = kWrite,
     .handler = Zremrangebyrank,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = kRemoveCost,
     .summary = "Removes the members of a sorted set in a range of places.",
     .syntax = "key start stop"},
    {.name = "zremrangebyscore",
     .arity = 4,
     .flags = kWrite,
     .handler = Zremrangebyscore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = kRemoveCost,
     .summary = "Removes the members of a sorted set whose scores lie between two bounds.",
     .syntax = "key min max"},
    {.name = "zrevrange",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrevrange,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = kReplyCost,
     .summary = "Returns the members of a sorted set in a range of places, highest scores first.",
     .syntax = "key start stop [WITHSCORES]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` argument"},
    {.name = "zrevrangebylex",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrevrangebylex,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.8.9",
     .complexity = kLimitedCost,
     .summary = "Returns the members of a sorted set that lie between two members, highest first.",
     .syntax = "key max min [LIMIT offset count]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments"},
    {.name = "zrevrangebyscore",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Zrevrangebyscore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.2.0",
     .complexity = kLimitedCost,
     .summary = "Returns the members of a sorted set whose scores lie between two bounds, highest first.",
     .syntax = "key max min [WITHSCORES] [LIMIT offset count]",
     .history = {{"2.1.6", "`min` and `max` can be exclusive."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments"},
};

}  // namespace

std::span<const CommandSpec> ZsetRangeCommands() { return kZsetRangeCommands; }

}  // namespace pinyon
