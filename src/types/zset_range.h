// Stretches of a sorted set's order, as commands name them: by score, by member (where all scores are equal),
// by rank. The first two become a pair of ScoreBounds, hence of ranks.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "types/score_tree.h"

namespace pinyon {

// The default is everything.
struct ScoreRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool min_exclusive = false;
  bool max_exclusive = false;

  ScoreBound Begin() const {
    return min_exclusive ? ScoreBound::AfterScore(min) : ScoreBound::BeforeScore(min);
  }
  ScoreBound End() const {
    return max_exclusive ? ScoreBound::BeforeScore(max) : ScoreBound::AfterScore(max);
  }
};

struct LexBound {
  enum class Kind : uint8_t { kLowest, kHighest, kInclusive, kExclusive };
  Kind kind = Kind::kLowest;
  std::string_view member = {};  // borrowed; of the last two kinds
};

struct LexRange {
  LexBound min = {};
  LexBound max = {.kind = LexBound::Kind::kHighest};
};

// From `begin` up to, not including, `end`.
struct RankRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return begin < end ? end - begin : 0; }
  bool empty() const { return begin >= end; }
};

}  // namespace pinyon
