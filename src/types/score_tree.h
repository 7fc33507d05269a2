// The order of a large sorted set: a counted B+ tree of pointers to items, by score, then by member (bytes,
// as memcmp; the shorter first where one is the other's beginning). -0.0 equals 0.0; infinities are scores
// like others; NaN is none. Every inner node knows how many items each child holds, so ranks are sums on the
// way down (B+ tree: Comer, "The Ubiquitous B-Tree", ACM Computing Surveys 11(2), 1979).
//
// The tree does not own the items, and no two of them may be equal in score and member. Whoever owns them
// takes them out before freeing them.
//
// Fill: a full node first gives to its neighbours; only when they are full too, three become four (B* trees,
// there with two and three), so that random insertion fills leaves to 85 % and more. Insertion at either end
// leaves full nodes behind. A node that removals left below three eighths takes from its neighbours, or
// becomes part of them.
//
// Invariants (CheckConsistency): no node is empty; all leaves are equally deep and linked in order; an inner
// node's entry for a child says exactly how many items are below it, and which is the first of them.
//
// Costs: insertion, removal, rank and search O(log n): 10 million items are four levels above the leaves. 16
// bytes an item in a full leaf: 18.5 to 19 after random, 17 after ascending insertion, inner nodes included.
// A removal of a range takes one way down for every leaf that it touches. Nothing recurses over items.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/assert.h"
#include "types/score_tree_node.h"
#include "types/scored_member.h"

namespace pinyon {

class ScoreTree {
 public:
  // An item's place, or none. Good until the next change of the tree.
  class Cursor {
   public:
    Cursor() = default;
    explicit operator bool() const { return leaf_ != nullptr; }
    ScoredMember* item() const { return leaf_->items[index_]; }
    ScoredMember* operator->() const { return item(); }
    // As the item's own, without reading the item.
    double score() const { return leaf_->scores[index_]; }

    // To the neighbour; beyond the last or before the first item the cursor becomes none. Items some steps
    // ahead are asked for, since each lies somewhere else.
    void Next() {
      if (++index_ < leaf_->count) {
        if (index_ + kAhead < leaf_->count) Prefetch(leaf_->items[index_ + kAhead]);
        return;
      }
      leaf_ = leaf_->next;
      index_ = 0;
    }
    void Previous() {
      if (index_ > 0) {
        if (--index_ >= kAhead) Prefetch(leaf_->items[index_ - kAhead]);
        return;
      }
      leaf_ = leaf_->previous;
      if (leaf_ != nullptr) index_ = leaf_->count - 1;
    }
    bool operator==(const Cursor& other) const {
      return leaf_ == other.leaf_ && (leaf_ == nullptr || index_ == other.index_);
    }

   private:
    friend class ScoreTree;
    static constexpr size_t kAhead = 6;
    Cursor(const ScoreTreeLeaf* leaf, size_t index) : leaf_(leaf), index_(index) {}
    const ScoreTreeLeaf* leaf_ = nullptr;
    size_t index_ = 0;
  };

  ScoreTree() = default;
  // Frees the nodes, on whatever thread; never reads an item.
  ~ScoreTree() { Clear(); }
  ScoreTree(const ScoreTree&) = delete;
  ScoreTree& operator=(const ScoreTree&) = delete;

  uint64_t size() const { return size_; }

  // Adds an item that is not there.
  void Insert(ScoredMember* item);
  // Takes out an item that is there.
  void Remove(const ScoredMember* item);
  // Gives an item that is there another score and the place that goes with it. Mostly within its leaf when
  // the change is small.
  void Move(ScoredMember* item, double score);
  // Takes `count` items out, from `rank` on; rank + count <= size(). `removed` is called with all of them in
  // order, some at a time, and may free them; it must not touch the tree.
  static constexpr size_t kMaxRemovedAtOnce = ScoreTreeLeaf::kCapacity;
  using Removed = std::function<void(std::span<ScoredMember* const>)>;
  void RemoveRange(uint64_t rank, uint64_t count, const Removed& removed);
  // Forgets everything without reading an item.
  void Clear();

  // How many items are before the bound: also the rank of the first that is not.
  uint64_t CountBefore(const ScoreBound& bound) const;
  // How many items come before one with this score and member, whether it is there or not.
  uint64_t Rank(double score, std::string_view member) const {
    return CountBefore(ScoreBound::BeforeItem(score, member));
  }
  // The rank of an item that is there.
  uint64_t Rank(const ScoredMember* item) const { return CountBefore(ScoreBound::AfterItem(item)) - 1; }
  // The first item that is not before the bound, and the last that is.
  Cursor FirstAfter(const ScoreBound& bound) const;
  Cursor LastBefore(const ScoreBound& bound) const;
  // rank < size().
  Cursor At(uint64_t rank) const;
  Cursor First() const { return {first_, 0}; }
  Cursor Last() const { return {last_, last_ == nullptr ? 0 : last_->count - 1}; }

  // Hints for a later search or change at a score, each step when what the one before asked for has arrived:
  // the node above the leaf, the leaf, and the items that have the same score, which will be compared with.
  // They pay when given for several places before the first is needed, in a tree that is larger than the
  // caches; in a smaller one they do nothing. The tree may not change between the steps.
  static constexpr uint64_t kWorthHints = 1 << 19;
  struct Hint {
    double score;
    const void* node = nullptr;
  };
  void PrefetchParent(Hint* hint) const;
  void PrefetchLeaf(Hint* hint) const;
  void PrefetchEqual(const Hint& hint) const;

  // Puts a copy of an item, in another place of memory, in its stead. The item must still be readable.
  void Replace(const ScoredMember* item, ScoredMember* copy);
  // Moves nodes that are to be moved (mem::Relocate): those of `leaves` leaves from the one with the item of
  // a rank on, and what is above them. Returns the rank from which to go on, 0 at the end. The tree is not
  // empty.
  uint64_t RelocateNodes(uint64_t rank, size_t leaves);

  // What the nodes take from memory.
  size_t MemoryBytes() const;

  // Checks every invariant; for tests.
  void CheckConsistency() const;

 private:
  using Leaf = ScoreTreeLeaf;
  using Inner = ScoreTreeInner;

  // The way from the root down: at each level a node, and in it the child that was taken, or, in the leaf, an
  // item or a gap before it.
  static constexpr size_t kMaxHeight = 16;
  struct Step {
    void* node;
    size_t index;
  };
  struct Path {
    Leaf* leaf() const { return static_cast<Leaf*>(steps[0].node); }
    Inner* inner(size_t level) const { return static_cast<Inner*>(steps[level].node); }
    Step steps[kMaxHeight];
  };
  struct LeafPlace {
    const Leaf* leaf;
    size_t index;
  };
  // Neighbouring children of one parent, among which entries move.
  struct Window {
    size_t first;
    size_t nodes;
  };
  enum class Edge : uint8_t { kNone, kFirst, kLast };

  template <class Node>
  Node* NewNode();
  template <class Node>
  void FreeNode(Node* node);
  // Frees one node of many, which nothing but its neighbours refers to any more.
  template <class Node>
  void DropNode(Node* node);
  void FreeSubtree(void* node, size_t level);
  void LinkLeaf(Leaf* leaf, Leaf* previous, Leaf* next);
  // An empty node, as child number `at`.
  template <class Node>
  Node* AddChild(Inner* parent, size_t at);

  // The tree is not empty.
  void FindPath(const ScoreBound& bound, Path* path) const;
  void FindItem(const ScoredMember* item, Path* path) const;
  void FindRank(uint64_t rank, Path* path) const;
  LeafPlace FindPlace(const ScoreBound& bound) const;
  // Tell the nodes above: the first entry of the node at `level` is another; so many items came or (modulo
  // 2^64) went.
  void FirstChanged(const Path& path, size_t level) const;
  void CountChanged(const Path& path, uint64_t difference);

  // The node at a level of the path may move.
  template <class Node>
  void RelocateNode(Path* path, size_t level);

  template <class Node>
  void MakeRoom(Path* path, size_t level);
  Edge EdgeOf(const Path& path, size_t level) const;
  template <class Node>
  void SplitAtEdge(Path* path, size_t level, Edge edge);
  void GrowRoot(Path* path);
  static Window WindowAround(const Step& step);
  template <class Node>
  static size_t EntriesIn(const Inner* parent, size_t first, size_t nodes);

  bool MoveInLeaf(Path* path, ScoredMember* item, double score);
  void RemoveAt(Path* path, size_t n);
  void DropEntries(Path* path, size_t level, size_t n);
  template <class Node>
  void Refill(Path* path, size_t level);
  void ShrinkRoot();

  uint64_t CheckNode(const void* node, size_t level, const Leaf** previous) const;
  void CheckLeaf(const Leaf* leaf, const Leaf** previous) const;

  void* root_ = nullptr;
  Leaf* first_ = nullptr;
  Leaf* last_ = nullptr;
  uint64_t size_ = 0;
  uint64_t leaves_ = 0;
  uint64_t inners_ = 0;
  uint32_t height_ = 0;  // levels above the leaves
};

}  // namespace pinyon
