// The nodes of a ScoreTree, and the search within one. Each is one block of memory, a structure of arrays:
// searching by score reads nothing but contiguous scores, and members only where scores are equal.
//
//   leaf   [count][previous][next][scores: 62][items: 62]                                      1024 bytes
//   inner  [count][scores: 63][children: 63][counts: 63][first items: 63]                      2048 bytes
//
// An inner node has, for each child, how many items are below it and the first of them with its score.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/prefetch.h"
#include "types/scored_member.h"

namespace pinyon {

// A place between items in a ScoreTree's order, given by what is before it.
struct ScoreBound {
  enum class By : uint8_t {
    kScore,   // the score alone
    kItem,    // score, then member: the tree's own order
    kMember,  // the member alone: makes sense only where all scores are equal
  };

  // Before or after all items with that score, that item, or that member (which need not be there).
  static ScoreBound BeforeScore(double score) { return {By::kScore, false, score, {}}; }
  static ScoreBound AfterScore(double score) { return {By::kScore, true, score, {}}; }
  static ScoreBound BeforeItem(double score, std::string_view member) {
    return {By::kItem, false, score, member};
  }
  static ScoreBound AfterItem(double score, std::string_view member) {
    return {By::kItem, true, score, member};
  }
  // After an item that is in the tree: found by its address, without comparing members.
  static ScoreBound AfterItem(const ScoredMember* item) {
    return {By::kItem, true, item->score(), item->key(), item};
  }
  static ScoreBound BeforeMember(std::string_view member) { return {By::kMember, false, 0, member}; }
  static ScoreBound AfterMember(std::string_view member) { return {By::kMember, true, 0, member}; }

  By by;
  bool after;  // whether what is equal lies before the bound
  double score;
  std::string_view member;                // borrowed
  const ScoredMember* present = nullptr;  // the item itself, where it is known to be there
};

// Overlapping or not.
template <typename T>
void MoveItems(T* to, const T* from, size_t n) {
  std::memmove(to, from, n * sizeof(T));  // NOLINT(bugprone-sizeof-expression): pointers are meant, too
}

struct ScoreTreeLeaf {
  static constexpr size_t kCapacity = 62;

  uint32_t count;
  ScoreTreeLeaf* previous;
  ScoreTreeLeaf* next;
  double scores[kCapacity];
  ScoredMember* items[kCapacity];

  // Copies `n` entries to another node or, overlapping or not, to another place in this one.
  void Copy(size_t from, size_t n, ScoreTreeLeaf* to, size_t at) const {
    PINYON_ASSERT(from + n <= kCapacity && at + n <= kCapacity);
    MoveItems(to->scores + at, scores + from, n);
    MoveItems(to->items + at, items + from, n);
  }
  uint64_t Items() const { return count; }
};

struct ScoreTreeInner {
  static constexpr size_t kCapacity = 63;

  uint32_t count;
  double scores[kCapacity];
  void* children[kCapacity];
  uint64_t counts[kCapacity];
  ScoredMember* items[kCapacity];

  void Copy(size_t from, size_t n, ScoreTreeInner* to, size_t at) const {
    PINYON_ASSERT(from + n <= kCapacity && at + n <= kCapacity);
    MoveItems(to->scores + at, scores + from, n);
    MoveItems(to->children + at, children + from, n);
    MoveItems(to->counts + at, counts + from, n);
    MoveItems(to->items + at, items + from, n);
  }
  uint64_t ItemsBefore(size_t child) const {
    uint64_t sum = 0;
    for (size_t i = 0; i < child; ++i) sum += counts[i];
    return sum;
  }
  uint64_t Items() const { return ItemsBefore(count); }
  // The child that holds the item of this rank, which becomes its rank there.
  size_t ChildAt(uint64_t* rank) const {
    size_t child = 0;
    while (*rank >= counts[child]) *rank -= counts[child++];
    PINYON_ASSERT(child < count);
    return child;
  }
};

// Classes of the process allocator, but for what is too little for one entry more.
static_assert(sizeof(ScoreTreeLeaf) <= 1024 && sizeof(ScoreTreeLeaf) + 2 * 8 > 1024);
static_assert(sizeof(ScoreTreeInner) <= 2048 && sizeof(ScoreTreeInner) + 4 * 8 > 2048);

namespace score_tree_detail {

// Asks for the first part of a node before it is searched: all lines at once instead of one after the other,
// which is what counts once a tree is larger than the caches.
template <size_t kBytes>
void PrefetchNode(const void* node) {
  constexpr size_t kLineBytes = 64;
  for (size_t offset = 0; offset < kBytes; offset += kLineBytes) {
    Prefetch(static_cast<const char*>(node) + offset);
  }
}

// How many of the first `count` elements are before the bound, if those are first. Without branches that
// depend on what is found: which way a search goes cannot be predicted.
template <class Before>
size_t PartitionPoint(size_t from, size_t count, const Before& before) {
  size_t base = from;
  while (count > 1) {
    const size_t half = count / 2;
    base += before(base + half - 1) ? half : 0;
    count -= half;
  }
  return base + (count == 1 && before(base) ? 1 : 0);
}

inline size_t ScoresBelow(const double* scores, size_t count, double score) {
  return PartitionPoint(0, count, [=](size_t i) { return scores[i] < score; });
}
inline size_t ScoresUpTo(const double* scores, size_t count, double score) {
  return PartitionPoint(0, count, [=](size_t i) { return scores[i] <= score; });
}

// How many of [from, to), whose scores do not matter, have members before the bound.
template <class Node>
size_t MembersBefore(const Node& node, size_t from, size_t to, const ScoreBound& bound) {
  if (bound.after) {
    return PartitionPoint(from, to - from, [&](size_t i) { return node.items[i]->key() <= bound.member; });
  }
  return PartitionPoint(from, to - from, [&](size_t i) { return node.items[i]->key() < bound.member; });
}

// How many of the node's entries are before the bound.
template <class Node>
size_t EntriesBefore(const Node& node, const ScoreBound& bound) {
  if (bound.by == ScoreBound::By::kMember) return MembersBefore(node, 0, node.count, bound);
  if (bound.by == ScoreBound::By::kScore) {
    return bound.after ? ScoresUpTo(node.scores, node.count, bound.score)
                       : ScoresBelow(node.scores, node.count, bound.score);
  }
  const size_t first = ScoresBelow(node.scores, node.count, bound.score);
  if (first == node.count || node.scores[first] != bound.score) return first;
  size_t last = first + 1;
  if constexpr (std::is_same_v<Node, ScoreTreeLeaf>) {
    // Alone with its score: not even its address is read.
    if (bound.present != nullptr && (last == node.count || node.scores[last] != bound.score)) return last;
  }
  if (last < node.count && node.scores[last] == bound.score) {
    last = ScoresUpTo(node.scores, node.count, bound.score);
  }
  if (bound.present != nullptr) {
    const auto* found = std::find(node.items + first, node.items + last, bound.present);
    if (found != node.items + last) return static_cast<size_t>(found - node.items) + 1;
  }
  return MembersBefore(node, first, last, bound);
}

}  // namespace score_tree_detail

}  // namespace pinyon
