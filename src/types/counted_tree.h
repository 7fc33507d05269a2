// A sequence of leaves, each of which stands for so many elements, with their counts summed up in a tree: the
// leaf that holds the element of an index is found, and leaves come and go anywhere, in O(log n).
//
// The tree does not own its leaves and knows nothing of them but their counts: a leaf derives from
// CountedLeaf. A node is 512 bytes, and has up to kMaxChildren leaves or nodes below it.
//
// Invariants (CheckInvariants):
// - a node's count of a child is the sum of all counts below that child
// - all leaves are equally deep; no node but the root of an empty tree is empty
// - two neighbours below one node have more than kMaxChildren / 2 children together, so the depth stays
//   logarithmic; appending and prepending leave full nodes behind
#pragma once

#include <cstddef>
#include <cstdint>

namespace pinyon {

struct CountedNode;

struct CountedLeaf {
  CountedNode* parent = nullptr;  // null: in no tree
  uint32_t count = 0;             // elements; within a tree, changed by CountedTree::Add only
  uint8_t slot = 0;               // place below the parent
};

struct CountedNode {
  static constexpr size_t kMaxChildren = 31;
  static constexpr size_t kMergeChildren = 23;  // neighbours that have no more together become one

  CountedNode* parent = nullptr;
  uint8_t slot = 0;
  uint8_t level = 0;  // 0: the children are leaves
  uint8_t size = 0;
  uint64_t counts[kMaxChildren];
  void* children[kMaxChildren];  // CountedLeaf* or CountedNode*
};
static_assert(sizeof(CountedNode) == 512);

class CountedTree {
 public:
  CountedTree() = default;
  // Frees the nodes; leaves are not touched (they may be gone already).
  ~CountedTree();
  CountedTree(const CountedTree&) = delete;
  CountedTree& operator=(const CountedTree&) = delete;

  bool empty() const { return root_ == nullptr; }
  uint64_t node_count() const { return node_count_; }
  size_t MemoryBytes() const;

  // Puts a leaf behind another one, or (null) before all.
  void InsertAfter(CountedLeaf* at, CountedLeaf* leaf);
  void Remove(CountedLeaf* leaf);
  // Adds to a leaf's count.
  void Add(CountedLeaf* leaf, int64_t delta);
  // A leaf (of this tree, or of none) lies elsewhere in memory now.
  void LeafMoved(CountedLeaf* leaf) {
    if (leaf->parent != nullptr) leaf->parent->children[leaf->slot] = leaf;
  }

  // The leaf with the element at `*index`, which becomes the element's index within that leaf; the index must
  // be below the sum of all counts.
  CountedLeaf* Find(uint64_t* index) const;

  void CheckInvariants() const;

 private:
  CountedNode* NewNode(uint8_t level);
  void DeleteNode(CountedNode* node);
  void DeleteSubtree(CountedNode* node);
  static CountedNode* Leftmost(CountedNode* node);
  // Whether nothing of its level is before, or behind, a node.
  static bool IsFirst(const CountedNode* node);
  static bool IsLast(const CountedNode* node);
  // Places a child in a slot of a node that has room, or takes one out, and leaves the counts above alone.
  static void Place(CountedNode* node, size_t slot, void* child, uint64_t count);
  static void Take(CountedNode* node, size_t slot);
  static void SetParent(CountedNode* node, size_t slot);
  static uint64_t Sum(const CountedNode* node);
  // Adds to what is counted above a node, its parent's count of it included.
  static void AddAbove(CountedNode* node, uint64_t delta);
  // Makes room in a full node and returns where a child for `*slot` is to go.
  CountedNode* Split(CountedNode* node, size_t* slot);
  // A child comes with a count of zero and goes when it has that: counts follow and precede.
  void InsertChild(CountedNode* node, size_t slot, void* child);
  void RemoveChild(CountedNode* node, size_t slot);
  // Moves all children of the right one of two neighbours to the left one.
  void MergeRightInto(CountedNode* left, CountedNode* right);
  uint64_t CheckNode(const CountedNode* node) const;

  CountedNode* root_ = nullptr;
  uint64_t node_count_ = 0;
};

}  // namespace pinyon
