#include "types/packed_zset.h"

#include <cmath>

#include "base/numbers.h"

namespace pinyon {

size_t PackedScoreText::Write(double score) {
  // Integers in this range stand as such; beyond it Redis writes what replies give.
  constexpr double kMaxInteger = 0x1p62;
  if (std::abs(score) <= kMaxInteger) {
    const auto integer = static_cast<int64_t>(score);
    if (static_cast<double>(integer) == score) return FormatInt64(integer, text_);
  }
  return FormatDouble(score, text_);
}

double PackedZsetView::Score(Offset pair) const {
  const PackedElement element = list_.Get(list_.Next(pair));
  if (element.is_integer) return static_cast<double>(element.integer);
  double score = 0;
  PINYON_CHECK(ParseDouble(element.text, &score));
  return score;
}

PackedZsetView::Offset PackedZsetView::At(uint64_t rank) const {
  // No listpack has that many elements, and twice the rank fits.
  if (rank >= ListpackView::kMaxBytes) return kEnd;
  return list_.Seek(static_cast<int64_t>(rank * 2));
}

uint64_t PackedZsetView::RankOf(Offset pair) const {
  uint64_t rank = 0;
  for (Offset at = First(); at != pair; at = Next(at)) ++rank;
  return rank;
}

bool PackedZsetView::IsBefore(Offset pair, const ScoreBound& bound) const {
  if (bound.by != ScoreBound::By::kMember) {
    const double score = Score(pair);
    if (score != bound.score) return score < bound.score;
    if (bound.by == ScoreBound::By::kScore) return bound.after;
  }
  PackedElement::Digits digits;
  const int order = Member(pair).Text(digits).compare(bound.member);
  return bound.after ? order <= 0 : order < 0;
}

uint64_t PackedZsetView::CountBefore(const ScoreBound& bound) const {
  uint64_t count = 0;
  for (Offset at = First(); at != kEnd && IsBefore(at, bound); at = Next(at)) ++count;
  return count;
}

void PackedZset::InsertBefore(Offset next, std::string_view member, double score) {
  Listpack list(where_);
  const Offset pair = list.InsertBefore(next, member);
  const PackedScoreText text(score);
  list.InsertAfter(pair, text.view());
  Reload();
}

void PackedZset::Insert(std::string_view member, double score) {
  PINYON_ASSERT(!std::isnan(score));
  const ScoreBound bound = ScoreBound::BeforeItem(score, member);
  // Most are added in ascending order.
  Offset next = kEnd;
  if (const Offset last = Last(); last != kEnd && !IsBefore(last, bound)) {
    next = First();
    while (IsBefore(next, bound)) next = Next(next);
  }
  InsertBefore(next, member, score);
}

void PackedZset::SetScore(Offset pair, std::string_view member, double score) {
  PINYON_ASSERT(!std::isnan(score));
  PINYON_ASSERT(list_.Equals(pair, member));
  const ScoreBound bound = ScoreBound::BeforeItem(score, member);
  const Offset previous = Previous(pair);
  const Offset next = Next(pair);
  const bool stays =
      (previous == kEnd || IsBefore(previous, bound)) && (next == kEnd || !IsBefore(next, bound));
  if (!stays) {
    Remove(pair);
    return Insert(member, score);
  }
  Listpack list(where_);
  const Offset place = list.Next(pair);
  const PackedScoreText text(score);
  list.Replace(place, text.view());
  Reload();
}

void PackedZset::Delete(Offset pair, uint64_t pairs) {
  Listpack(where_).Delete(pair, pairs * 2);
  Reload();
}

void PackedZset::RemoveRanks(uint64_t rank, uint64_t count) {
  PINYON_ASSERT(rank + count <= size());
  if (count > 0) Delete(At(rank), count);
}

}  // namespace pinyon
