// A small sorted set in a listpack: member, score, member, score ... in the order of a ScoreTree, by score,
// then by member. The bytes are Redis's: a score that is an integer (up to 2^62 either way) is an integer
// element, any other the text that replies give it, and -0.0 becomes 0.
//
// PackedZsetView reads; PackedZset also changes, in a PackedBytes. A pair is named by the offset of its
// member; offsets hold until the next change. Costs: everything but steps and the ends is O(n); a change
// moves the bytes behind it. No member is there twice, which callers ensure by Find.
#pragma once

#include <cstdint>
#include <string_view>

#include "types/listpack.h"
#include "types/score_tree.h"

namespace pinyon {

// A score as such a listpack has it. What looks like an integer becomes an integer element there.
class PackedScoreText {
 public:
  explicit PackedScoreText(double score) : length_(Write(score)) {}
  std::string_view view() const { return {text_, length_}; }

 private:
  size_t Write(double score);

  char text_[kMaxDoubleChars];
  size_t length_;
};

class PackedZsetView {
 public:
  using Offset = ListpackView::Offset;
  static constexpr Offset kEnd = ListpackView::kEnd;

  explicit PackedZsetView(const uint8_t* bytes) : list_(bytes) {}

  uint64_t size() const { return list_.size() / 2; }
  Offset First() const { return list_.First(); }
  Offset Last() const { return empty() ? kEnd : list_.Previous(list_.Last()); }
  Offset Next(Offset pair) const { return list_.Next(list_.Next(pair)); }
  Offset Previous(Offset pair) const {
    const Offset score = list_.Previous(pair);
    return score == kEnd ? kEnd : list_.Previous(score);
  }
  // kEnd from size() on.
  Offset At(uint64_t rank) const;
  // kEnd when it is not there.
  Offset Find(std::string_view member) const { return empty() ? kEnd : list_.Find(First(), member, 1); }

  PackedElement Member(Offset pair) const { return list_.Get(pair); }
  double Score(Offset pair) const;

  uint64_t RankOf(Offset pair) const;
  // As ScoreTree::CountBefore.
  uint64_t CountBefore(const ScoreBound& bound) const;

  // Whether another member of so many bytes can be taken in.
  bool Fits(size_t member_bytes) const { return list_.Fits(member_bytes + kMaxDoubleChars); }

 protected:
  bool empty() const { return list_.empty(); }
  bool IsBefore(Offset pair, const ScoreBound& bound) const;

  ListpackView list_;
};

class PackedZset : public PackedZsetView {
 public:
  explicit PackedZset(PackedBytes& where) : PackedZsetView(where.data()), where_(where) {}

  // Adds a member that is not there. The text may not lie within the listpack.
  void Insert(std::string_view member, double score);
  // Gives `member`, which is at `pair`, another score and the place that goes with it.
  void SetScore(Offset pair, std::string_view member, double score);
  void Remove(Offset pair) { Delete(pair, 1); }
  void RemoveRanks(uint64_t rank, uint64_t count);

 private:
  void InsertBefore(Offset next, std::string_view member, double score);
  void Delete(Offset pair, uint64_t pairs);
  // After a change: the bytes may lie elsewhere.
  void Reload() { list_ = ListpackView(where_.data()); }

  PackedBytes& where_;
};

}  // namespace pinyon
