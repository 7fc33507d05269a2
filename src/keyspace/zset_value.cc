#include "keyspace/zset_value.h"

#include <cmath>
#include <memory>

namespace pinyon {

namespace {

// What ZADD makes of the score of a member that exists: false when a condition keeps it as it is, or (*result
// is kNan) there is no number to make.
bool ResolveScore(double old_score, const ZaddOptions& options, double* score, ZaddResult* result) {
  *result = ZaddResult::kRefused;
  if (options.only_new) return false;
  if (options.increment) {
    *score += old_score;
    if (std::isnan(*score)) {
      *result = ZaddResult::kNan;
      return false;
    }
  }
  if (options.only_less && *score >= old_score) return false;
  if (options.only_greater && *score <= old_score) return false;
  *result = *score == old_score ? ZaddResult::kUnchanged : ZaddResult::kUpdated;
  return true;
}

}  // namespace

uint64_t ZsetValue::size() const { return is_packed() ? view().size() : sorted_set().size(); }

bool ZsetValue::Score(std::string_view member, double* score) const {
  if (is_packed()) {
    const PackedZsetView packed = view();
    const auto pair = packed.Find(member);
    if (pair == PackedZsetView::kEnd) return false;
    *score = packed.Score(pair);
    return true;
  }
  const ScoredMember* item = sorted_set().Find(member);
  if (item == nullptr) return false;
  *score = item->score();
  return true;
}

bool ZsetValue::Contains(std::string_view member) const {
  if (is_packed()) return view().Find(member) != PackedZsetView::kEnd;
  return sorted_set().Find(member) != nullptr;
}

bool ZsetValue::Rank(std::string_view member, uint64_t* rank, double* score) const {
  if (is_packed()) {
    const PackedZsetView packed = view();
    const auto pair = packed.Find(member);
    if (pair == PackedZsetView::kEnd) return false;
    *rank = packed.RankOf(pair);
    *score = packed.Score(pair);
    return true;
  }
  const SortedSet& set = sorted_set();
  const ScoredMember* item = set.Find(member);
  if (item == nullptr) return false;
  *score = item->score();
  *rank = set.tree().Rank(item);
  return true;
}

bool ZsetValue::MayStayPacked(std::string_view new_member) const {
  const PackedZsetView packed = view();
  return packed.size() < static_cast<uint64_t>(limits().zset_max_listpack_entries) &&
         new_member.size() <= static_cast<uint64_t>(limits().zset_max_listpack_value) &&
         packed.Fits(new_member.size());
}

void ZsetValue::BecomeSortedSet() {
  const PackedZsetView packed = view();
  auto set = std::make_unique<SortedSet>(seed());
  PackedElement::Digits digits;
  for (auto pair = packed.First(); pair != PackedZsetView::kEnd; pair = packed.Next(pair)) {
    set->Insert(packed.Member(pair).Text(digits), packed.Score(pair));
  }
  BecomeObject(Encoding::kSkiplist, set.release());
}

void ZsetValue::AddNew(std::string_view member, double score) {
  if (is_packed() && !MayStayPacked(member)) BecomeSortedSet();
  if (is_packed()) {
    packed_set().Insert(member, score);
  } else {
    sorted_set().Insert(member, score);
  }
}

ZaddResult ZsetValue::Add(std::string_view member, double score, const ZaddOptions& options,
                          double* new_score) {
  ZaddResult result;
  if (is_packed()) {
    const auto pair = view().Find(member);
    if (pair != PackedZsetView::kEnd) {
      if (!ResolveScore(view().Score(pair), options, &score, &result)) return result;
      if (result == ZaddResult::kUpdated) packed_set().SetScore(pair, member, score);
      *new_score = score;
      return result;
    }
  } else if (ScoredMember* item = sorted_set().Find(member)) {
    if (!ResolveScore(item->score(), options, &score, &result)) return result;
    if (result == ZaddResult::kUpdated) sorted_set().SetScore(item, score);
    *new_score = score;
    return result;
  }
  if (options.only_existing) return ZaddResult::kRefused;
  AddNew(member, score);
  *new_score = score;
  return ZaddResult::kAdded;
}

bool ZsetValue::Remove(std::string_view member) {
  if (!is_packed()) return sorted_set().Remove(member);
  const auto pair = view().Find(member);
  if (pair == PackedZsetView::kEnd) return false;
  packed_set().Remove(pair);
  return true;
}

void ZsetValue::RemoveRanks(RankRange range) {
  PINYON_ASSERT(range.end <= size());
  if (range.empty()) return;
  if (is_packed()) {
    packed_set().RemoveRanks(range.begin, range.size());
  } else {
    sorted_set().RemoveRange(range.begin, range.size());
  }
}

ZsetCursor ZsetValue::At(uint64_t rank) const {
  PINYON_ASSERT(rank < size());
  if (is_packed()) return {packed_data(), view().At(rank)};
  return ZsetCursor(sorted_set().tree().At(rank));
}

ZsetCursor ZsetValue::First() const {
  if (is_packed()) return {packed_data(), view().First()};
  return ZsetCursor(sorted_set().tree().First());
}

ZsetCursor ZsetValue::Last() const {
  if (is_packed()) return {packed_data(), view().Last()};
  return ZsetCursor(sorted_set().tree().Last());
}

uint64_t ZsetValue::CountBefore(const ScoreBound& bound) const {
  return is_packed() ? view().CountBefore(bound) : sorted_set().tree().CountBefore(bound);
}

RankRange ZsetValue::RanksOf(const ScoreRange& range) const {
  const RankRange ranks{CountBefore(range.Begin()), CountBefore(range.End())};
  return ranks.empty() ? RankRange{} : ranks;
}

RankRange ZsetValue::RanksOf(const LexRange& range) const {
  const auto count_before = [this](const LexBound& bound, bool is_end) -> uint64_t {
    switch (bound.kind) {
      case LexBound::Kind::kLowest: return 0;
      case LexBound::Kind::kHighest: return size();
      case LexBound::Kind::kInclusive:
        return CountBefore(is_end ? ScoreBound::AfterMember(bound.member)
                                  : ScoreBound::BeforeMember(bound.member));
      case LexBound::Kind::kExclusive:
        return CountBefore(is_end ? ScoreBound::BeforeMember(bound.member)
                                  : ScoreBound::AfterMember(bound.member));
    }
    PINYON_CHECK(false);
  };
  const RankRange ranks{count_before(range.min, false), count_before(range.max, true)};
  return ranks.empty() ? RankRange{} : ranks;
}

uint64_t ZsetValue::Scan(uint64_t cursor, size_t count, const Visit& visit) const {
  if (!is_packed()) return sorted_set().Scan(cursor, count, visit);
  for (ZsetCursor at = First(); at; at.Next()) visit(at.member(), at.score());
  return 0;
}

void ZsetValue::PackIfSmall() {
  if (is_packed()) return;
  const SortedSet& set = sorted_set();
  if (set.size() > static_cast<uint64_t>(limits().zset_max_listpack_entries)) return;
  const auto longest = static_cast<uint64_t>(limits().zset_max_listpack_value);
  PackedBlock bytes;
  Listpack::InitEmpty(bytes);
  PackedZset packed_copy(bytes);
  for (auto at = set.tree().First(); at; at.Next()) {
    if (at->key().size() > longest || !packed_copy.Fits(at->key().size())) return;
    packed_copy.Insert(at->key(), at.score());
  }
  std::unique_ptr<SortedSet> old(&sorted_set());
  BecomePacked(Encoding::kListpack, bytes.data(), bytes.size());
}

}  // namespace pinyon
