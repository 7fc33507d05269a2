// Sorted sets, member by member: adding, scores, ranks, counts; and the commands that go through members in
// no order, ZSCAN and ZRANDMEMBER.
#include <array>
#include <string>
#include <unordered_set>
#include <vector>

#include "commands/families.h"
#include "commands/random_count.h"
#include "commands/scan_options.h"
#include "commands/zset_args.h"

namespace pinyon {

namespace {

struct ZaddRequest {
  ZaddOptions options;
  bool count_changed = false;  // CH
  size_t first_pair = 2;       // argument of the first score
  size_t pairs = 0;
};

bool ParseZadd(Call& call, ZaddRequest* request) {
  ZaddOptions& options = request->options;
  size_t i = 2;
  for (; i < call.argc(); ++i) {
    // A score begins with none of these letters but in "nan" and "inf".
    const std::string_view word = call.args[i];
    if (word.size() < 2 || word.size() > 4 || word[0] <= '9') break;
    if (EqualsIgnoreCase(word, "nx")) {
      options.only_new = true;
    } else if (EqualsIgnoreCase(word, "xx")) {
      options.only_existing = true;
    } else if (EqualsIgnoreCase(word, "ch")) {
      request->count_changed = true;
    } else if (EqualsIgnoreCase(word, "incr")) {
      options.increment = true;
    } else if (EqualsIgnoreCase(word, "gt")) {
      options.only_greater = true;
    } else if (EqualsIgnoreCase(word, "lt")) {
      options.only_less = true;
    } else {
      break;
    }
  }
  const size_t rest = call.argc() - i;
  if (rest == 0 || rest % 2 != 0) return call.SyntaxError();
  request->first_pair = i;
  request->pairs = rest / 2;
  if (options.only_new && options.only_existing) {
    return call.Fail("ERR XX and NX options at the same time are not compatible");
  }
  if (options.only_greater + options.only_less + options.only_new > 1) {
    return call.Fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (options.increment && request->pairs > 1) {
    return call.Fail("ERR INCR option supports a single increment-element pair");
  }
  return true;
}

// All scores are looked at before anything is changed; few of them are kept without memory of their own.
class Scores {
 public:
  bool Parse(Call& call, const ZaddRequest& request) {
    if (request.pairs > few_.size()) many_.resize(request.pairs);
    double* scores = request.pairs > few_.size() ? many_.data() : few_.data();
    for (size_t i = 0; i < request.pairs; ++i) {
      if (!ParseDouble(call.args[request.first_pair + 2 * i], &scores[i])) return call.Fail(kErrNotFloat);
    }
    return true;
  }
  double operator[](size_t index) const { return many_.empty() ? few_[index] : many_[index]; }

 private:
  std::array<double, 8> few_;
  std::vector<double> many_;
};

// ZADD, and ZINCRBY, which is the same with INCR.
void ZaddGeneric(Call& call, ZaddRequest request) {
  if (!ParseZadd(call, &request)) return;
  Scores scores;
  if (!scores.Parse(call, request)) return;
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kZset)) return;
  const bool increment = request.options.increment;
  if (!ref) {
    if (request.options.only_existing) return increment ? call.reply.Null() : call.reply.Integer(0);
    ref = ZsetValue::AddKey(call.db, key, hash);
    call.Notify(call.session.database, kNotifyNew, "new", key);
  }

  ZsetValue zset(call.db, ref);
  int64_t added = 0;
  int64_t updated = 0;
  double new_score = 0;
  ZaddResult result = ZaddResult::kRefused;
  for (size_t i = 0; i < request.pairs; ++i) {
    const std::string_view member = call.args[request.first_pair + 2 * i + 1];
    result = zset.Add(member, scores[i], request.options, &new_score);
    added += result == ZaddResult::kAdded;
    updated += result == ZaddResult::kUpdated;
  }
  PINYON_ASSERT(zset.size() > 0);
  if (result == ZaddResult::kNan) return call.reply.Error(kErrScoreNan);
  if (added + updated > 0) call.Changed(kNotifyZset, increment ? "zincr" : "zadd", key, added + updated);
  if (!increment) return call.reply.Integer(request.count_changed ? added + updated : added);
  result == ZaddResult::kRefused ? call.reply.Null() : call.reply.Double(new_score);
}

// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
void Zadd(Call& call) { ZaddGeneric(call, {}); }

// ZCARD key
void Zcard(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ZsetValue(call.db, ref).size()) : 0);
}

// ZCOUNT key min max
void Zcount(Call& call) {
  ScoreRange range;
  if (!ParseScoreRange(call, 2, 3, &range)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ZsetValue(call.db, ref).RanksOf(range).size()) : 0);
}

// ZINCRBY key increment member
void Zincrby(Call& call) { ZaddGeneric(call, {.options = {.increment = true}}); }

// ZLEXCOUNT key min max
void Zlexcount(Call& call) {
  LexRange range;
  if (!ParseLexRange(call, 2, 3, &range)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ZsetValue(call.db, ref).RanksOf(range).size()) : 0);
}

// ZMSCORE key member [member ...]
void Zmscore(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  call.reply.ArrayHeader(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    double score;
    const bool found = ref && ZsetValue(call.db, ref).Score(call.args[i], &score);
    found ? call.reply.Double(score) : call.reply.Null();
  }
}

// Members that were visited by a scan and match, in one buffer: those of a listpack lie nowhere else.
class ScanMatches {
 public:
  explicit ScanMatches(const ScanOptions& options) : options_(options) {}
  void Visit(std::string_view member, double score) {
    ++visited_;
    if (!options_.Matches(member)) return;
    text_.append(member);
    found_.push_back({text_.size(), score});
  }
  size_t visited() const { return visited_; }
  // In RESP3, too, scores are bulk strings here, as in Redis, and those of a listpack the text that is in it.
  void Reply(Call& call, uint64_t cursor, bool is_packed) const {
    ReplyScanHeader(call, cursor, found_.size() * 2);
    size_t begin = 0;
    for (const Found& found : found_) {
      call.reply.Bulk(std::string_view(text_).substr(begin, found.end - begin));
      begin = found.end;
      if (is_packed) {
        call.reply.Bulk(PackedScoreText(found.score).view());
      } else {
        char digits[kMaxDoubleChars];
        call.reply.Bulk({digits, FormatDouble(found.score, digits)});
      }
    }
  }

 private:
  struct Found {
    size_t end;
    double score;
  };
  const ScanOptions& options_;
  size_t visited_ = 0;
  std::string text_;
  std::vector<Found> found_;
};

// ZSCAN key cursor [MATCH pattern] [COUNT count]
void Zscan(Call& call) {
  uint64_t cursor;
  if (!ParseCursor(call, 2, &cursor)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  if (!ref) return ReplyEmptyScan(call);
  ScanOptions options;
  if (!ParseScanOptions(call, 3, 0, &options)) return;
  const ZsetValue zset(call.db, ref);
  ScanMatches matches(options);
  // COUNT is about members, the table's about slots; in one that is nearly empty the steps are limited, too.
  constexpr int kMaxSteps = 10;
  for (int step = 0; step < kMaxSteps && matches.visited() < options.count; ++step) {
    cursor = zset.Scan(cursor, options.count - matches.visited(),
                       [&](std::string_view member, double score) { matches.Visit(member, score); });
    if (cursor == 0) break;
  }
  matches.Reply(call, cursor, zset.is_packed());
}

// Members as ZRANDMEMBER replies them.
class RandomReply {
 public:
  RandomReply(Call& call, bool with_scores) : call_(call), with_scores_(with_scores) {}
  void Header(uint64_t members) {
    with_scores_ ? ReplyPairsHeader(call_, members) : call_.reply.ArrayHeader(members);
  }
  void Member(ZsetCursor& at) {
    with_scores_ ? ReplyPair(call_, at.member(), at.score()) : call_.reply.Bulk(at.member());
  }

 private:
  Call& call_;
  bool with_scores_;
};

// A negative count: members drawn one by one, repeatedly if chance has it so.
void ReplyDraws(Call& call, const ZsetValue& zset, uint64_t draws, RandomReply& out) {
  DrawBudget budget(call);
  if (!budget.Allows(draws)) return;
  // In a listpack a rank is a long way: the places are noted once.
  std::vector<ZsetCursor> places;
  if (zset.is_packed()) {
    places.reserve(zset.size());
    for (ZsetCursor at = zset.First(); at; at.Next()) places.push_back(at);
  }
  Random& random = call.engine.keyspace.random();
  out.Header(draws);
  for (; draws > 0; --draws) {
    ZsetCursor at = places.empty() ? zset.RandomMember() : places[random.Below(places.size())];
    if (!budget.Spend(at.member().size())) return;
    out.Member(at);
  }
}

// `count` different members, each selection with equal odds; count < size.
void ReplySample(Call& call, const ZsetValue& zset, uint64_t count, RandomReply& out) {
  Random& random = call.engine.keyspace.random();
  const uint64_t size = zset.size();
  out.Header(count);
  // Going through all of them costs less than so many ways down (Knuth, TAOCP vol. 2, 3.4.2, algorithm S).
  constexpr uint64_t kStepsPerWay = 8;
  if (zset.is_packed() || count >= size / kStepsPerWay) {
    uint64_t left = size;
    for (ZsetCursor at = zset.First(); count > 0; at.Next(), --left) {
      if (random.Below(left) >= count) continue;
      out.Member(at);
      --count;
    }
    return;
  }
  // Floyd's algorithm (Bentley, Floyd, "A Sample of Brilliance", CACM 30(9), 1987).
  std::unordered_set<uint64_t> ranks;
  for (uint64_t limit = size - count; limit < size; ++limit) {
    uint64_t rank = random.Below(limit + 1);
    if (!ranks.insert(rank).second) {
      rank = limit;
      ranks.insert(rank);
    }
    ZsetCursor at = zset.At(rank);
    out.Member(at);
  }
}

// ZRANDMEMBER key [count [WITHSCORES]]
void Zrandmember(Call& call) {
  const bool has_count = call.argc() > 2;
  const bool with_scores = call.argc() == 4;
  int64_t count = 1;
  if (has_count) {
    if (!ParseRandomCount(call, 2, &count)) return;
    if (call.argc() > 4 || (with_scores && !call.Is(3, "withscores"))) return call.reply.Error(kErrSyntax);
    constexpr int64_t kMaxPairs = INT64_MAX / 2;
    if (with_scores && (count < -kMaxPairs || count > kMaxPairs)) return call.reply.Error(kErrOutOfRange);
  }
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  if (!ref || count == 0) return has_count ? call.reply.EmptyArray() : call.reply.Null();

  const ZsetValue zset(call.db, ref);
  RandomReply out(call, with_scores);
  if (!has_count) {
    ZsetCursor at = zset.RandomMember();
    return out.Member(at);
  }
  if (count < 0) return ReplyDraws(call, zset, static_cast<uint64_t>(-count), out);
  if (static_cast<uint64_t>(count) < zset.size()) {
    return ReplySample(call, zset, static_cast<uint64_t>(count), out);
  }
  out.Header(zset.size());
  for (ZsetCursor at = zset.First(); at; at.Next()) out.Member(at);
}

void ZrankGeneric(Call& call, bool reverse) {
  const bool with_score = call.argc() == 4;
  if (call.argc() > 4 || (with_score && !call.Is(3, "withscore"))) return call.reply.Error(kErrSyntax);
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  uint64_t rank = 0;
  double score = 0;
  bool found = false;
  if (ref) {
    const ZsetValue zset(call.db, ref);
    found = zset.Rank(call.args[2], &rank, &score);
    if (found && reverse) rank = zset.size() - 1 - rank;
  }
  if (!found) return with_score ? call.reply.NullArray() : call.reply.Null();
  if (with_score) call.reply.ArrayHeader(2);
  call.reply.Integer(static_cast<int64_t>(rank));
  if (with_score) call.reply.Double(score);
}

// ZRANK key member [WITHSCORE]
void Zrank(Call& call) { ZrankGeneric(call, false); }

// ZREM key member [member ...]
void Zrem(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kZset, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  ZsetValue zset(call.db, ref);
  uint64_t removed = 0;
  for (size_t i = 2; i < call.argc() && zset.size() > 0; ++i) removed += zset.Remove(call.args[i]);
  const bool emptied = zset.size() == 0;
  if (emptied) call.db.Delete(zset.ref());
  if (removed > 0) NoteRemoved(call, "zrem", call.args[1], removed, emptied);
  call.reply.Integer(static_cast<int64_t>(removed));
}

// ZREVRANK key member [WITHSCORE]
void Zrevrank(Call& call) { ZrankGeneric(call, true); }

// ZSCORE key member
void Zscore(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  double score;
  const bool found = ref && ZsetValue(call.db, ref).Score(call.args[2], &score);
  found ? call.reply.Double(score) : call.reply.Null();
}

constexpr CommandSpec kZsetCommands[] = {
    {.name = "zadd",
     .arity = -4,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Zadd,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .element = 3,
     .element_score = 2,
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     .summary = "Adds members to a sorted set, or gives those that are there another score.",
     .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
     .history = {{"2.4.0", "Accepts multiple elements."},
                 {"3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."},
                 {"6.2.0", "Added the `GT` and `LT` options."}}},
    {.name = "zcard",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Zcard,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO)},
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Counts the members of a sorted set.",
     .syntax = "key"},
    {.name = "zcount",
     .arity = 4,
     .flags = kReadOnly | kFast,
     .handler = Zcount,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Counts the members of a sorted set whose scores lie between two bounds.",
     .syntax = "key min max"},
    {.name = "zincrby",
     .arity = 4,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Zincrby,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyUpdate)},
     .element = 3,
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = "O(log(N)) where N is the number of elements in the sorted set.",
     .summary = "Adds to the score of a member of a sorted set.",
     .syntax = "key increment member"},
    {.name = "zlexcount",
     .arity = 4,
     .flags = kReadOnly | kFast,
     .handler = Zlexcount,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.8.9",
     .complexity = "O(log(N)) with N being the number of elements in the sorted set.",
     .summary = "Counts the members of a sorted set that lie between two members.",
     .syntax = "key min max"},
    {.name = "zmscore",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .handler = Zmscore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of members being requested.",
     .summary = "Tells the scores of members of a sorted set.",
     .syntax = "key member [member ...]"},
    {.name = "zrandmember",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Zrandmember,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Picks members of a sorted set at random.",
     .syntax = "key [count [WITHSCORES]]",
     .tips = "nondeterministic_output"},
    {.name = "zrank",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .handler = Zrank,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .element = 2,
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = "O(log(N))",
     .summary = "Tells a member's place in a sorted set, from the lowest score on.",
     .syntax = "key member [WITHSCORE]",
     .history = {{"7.2.0", "Added the optional `WITHSCORE` argument."}}},
    {.name = "zrem",
     .arity = -3,
     .flags = kWrite | kFast,
     .handler = Zrem,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .element = 2,
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = "O(M*log(N)) with N being the number of elements in the sorted set and M the number of "
                   "elements to be removed.",
     .summary = "Removes members from a sorted set.",
     .syntax = "key member [member ...]",
     .history = {{"2.4.0", "Accepts multiple elements."}}},
    {.name = "zrevrank",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .handler = Zrevrank,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .element = 2,
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = "O(log(N))",
     .summary = "Tells a member's place in a sorted set, from the highest score on.",
     .syntax = "key member [WITHSCORE]",
     .history = {{"7.2.0", "Added the optional `WITHSCORE` argument."}}},
    {.name = "zscan",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Zscan,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
                   "the cursor to return back to 0. N is the number of elements inside the collection.",
     .summary = "Goes through members and scores of a sorted set in portions.",
     .syntax = "key cursor [MATCH pattern] [COUNT count]",
     .tips = "nondeterministic_output"},
    {.name = "zscore",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .handler = Zscore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .element = 2,
     .group = "sorted-set",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Tells the score of a member of a sorted set.",
     .syntax = "key member"},
};

}  // namespace

std::span<const CommandSpec> ZsetCommands() { return kZsetCommands; }

}  // namespace pinyon
