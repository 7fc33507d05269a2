#include "types/counted_tree.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/alloc.h"
#include "base/assert.h"

namespace pinyon {

namespace {

CountedNode* NodeAt(const CountedNode* node, size_t slot) {
  return static_cast<CountedNode*>(node->children[slot]);
}
CountedLeaf* LeafAt(const CountedNode* node, size_t slot) {
  return static_cast<CountedLeaf*>(node->children[slot]);
}

}  // namespace

CountedTree::~CountedTree() {
  if (root_ != nullptr) DeleteSubtree(root_);
}

size_t CountedTree::MemoryBytes() const { return node_count_ * mem::UsableSize(sizeof(CountedNode)); }

CountedNode* CountedTree::NewNode(uint8_t level) {
  CountedNode* node = new (mem::Allocate(sizeof(CountedNode))) CountedNode;
  node->level = level;
  ++node_count_;
  return node;
}

void CountedTree::DeleteNode(CountedNode* node) {
  mem::Free(node, sizeof(CountedNode));
  --node_count_;
}

// As deep as the tree, hence a handful of calls.
void CountedTree::DeleteSubtree(CountedNode* node) {
  if (node->level > 0) {
    for (size_t slot = 0; slot < node->size; ++slot) DeleteSubtree(NodeAt(node, slot));
  }
  DeleteNode(node);
}

CountedNode* CountedTree::Leftmost(CountedNode* node) {
  while (node->level > 0) node = NodeAt(node, 0);
  return node;
}

void CountedTree::SetParent(CountedNode* node, size_t slot) {
  const uint8_t place = static_cast<uint8_t>(slot);
  if (node->level == 0) {
    LeafAt(node, slot)->parent = node;
    LeafAt(node, slot)->slot = place;
  } else {
    NodeAt(node, slot)->parent = node;
    NodeAt(node, slot)->slot = place;
  }
}

void CountedTree::Place(CountedNode* node, size_t slot, void* child, uint64_t count) {
  PINYON_ASSERT(node->size < CountedNode::kMaxChildren && slot <= node->size);
  const size_t behind = node->size - slot;
  std::memmove(node->counts + slot + 1, node->counts + slot, behind * sizeof node->counts[0]);
  std::memmove(node->children + slot + 1, node->children + slot, behind * sizeof node->children[0]);
  node->counts[slot] = count;
  node->children[slot] = child;
  ++node->size;
  for (size_t i = slot; i < node->size; ++i) SetParent(node, i);
}

void CountedTree::Take(CountedNode* node, size_t slot) {
  PINYON_ASSERT(slot < node->size);
  const size_t behind = node->size - slot - 1u;
  std::memmove(node->counts + slot, node->counts + slot + 1, behind * sizeof node->counts[0]);
  std::memmove(node->children + slot, node->children + slot + 1, behind * sizeof node->children[0]);
  --node->size;
  for (size_t i = slot; i < node->size; ++i) SetParent(node, i);
}

uint64_t CountedTree::Sum(const CountedNode* node) {
  uint64_t sum = 0;
  for (size_t slot = 0; slot < node->size; ++slot) sum += node->counts[slot];
  return sum;
}

void CountedTree::AddAbove(CountedNode* node, uint64_t delta) {
  for (; node->parent != nullptr; node = node->parent) node->parent->counts[node->slot] += delta;
}

bool CountedTree::IsFirst(const CountedNode* node) {
  while (node->parent != nullptr && node->slot == 0) node = node->parent;
  return node->parent == nullptr;
}

bool CountedTree::IsLast(const CountedNode* node) {
  while (node->parent != nullptr && node->slot + 1 == node->parent->size) node = node->parent;
  return node->parent == nullptr;
}

CountedNode* CountedTree::Split(CountedNode* node, size_t* slot) {
  PINYON_ASSERT(node->size == CountedNode::kMaxChildren);
  size_t keep = CountedNode::kMaxChildren / 2;
  if (*slot == node->size && IsLast(node)) keep = node->size;
  if (*slot == 0 && IsFirst(node)) keep = 0;
  CountedNode* right = NewNode(node->level);
  right->size = static_cast<uint8_t>(node->size - keep);
  node->size = static_cast<uint8_t>(keep);
  std::copy_n(node->counts + keep, right->size, right->counts);
  std::copy_n(node->children + keep, right->size, right->children);
  for (size_t i = 0; i < right->size; ++i) SetParent(right, i);

  const uint64_t moved = Sum(right);
  if (node->parent == nullptr) {
    root_ = NewNode(static_cast<uint8_t>(node->level + 1));
    Place(root_, 0, node, Sum(node) + moved);
  }
  // May split the parent too, after which the two may have different ones.
  InsertChild(node->parent, node->slot + 1u, right);
  AddAbove(node, ~moved + 1);
  AddAbove(right, moved);
  if (*slot < keep || keep == 0) return node;
  *slot -= keep;
  return right;
}

void CountedTree::InsertChild(CountedNode* node, size_t slot, void* child) {
  if (node->size == CountedNode::kMaxChildren) node = Split(node, &slot);
  Place(node, slot, child, 0);
}

void CountedTree::InsertAfter(CountedLeaf* at, CountedLeaf* leaf) {
  PINYON_ASSERT(leaf->parent == nullptr);
  PINYON_ASSERT(at == nullptr || at->parent != nullptr);
  if (root_ == nullptr) root_ = NewNode(0);
  CountedNode* node = at == nullptr ? Leftmost(root_) : at->parent;
  InsertChild(node, at == nullptr ? 0 : at->slot + 1u, leaf);
  leaf->parent->counts[leaf->slot] = leaf->count;
  AddAbove(leaf->parent, leaf->count);
}

void CountedTree::MergeRightInto(CountedNode* left, CountedNode* right) {
  PINYON_ASSERT(left->parent == right->parent && left->slot + 1 == right->slot);
  std::copy_n(right->counts, right->size, left->counts + left->size);
  std::copy_n(right->children, right->size, left->children + left->size);
  const size_t first = left->size;
  left->size = static_cast<uint8_t>(left->size + right->size);
  for (size_t i = first; i < left->size; ++i) SetParent(left, i);
  left->parent->counts[left->slot] += std::exchange(left->parent->counts[right->slot], 0);
  RemoveChild(left->parent, right->slot);
  DeleteNode(right);
}

void CountedTree::RemoveChild(CountedNode* node, size_t slot) {
  PINYON_ASSERT(node->counts[slot] == 0);
  Take(node, slot);
  CountedNode* parent = node->parent;
  if (parent == nullptr) {
    while (root_ != nullptr && root_->size <= 1 && (root_->size == 0 || root_->level > 0)) {
      CountedNode* old = root_;
      root_ = old->size == 0 ? nullptr : NodeAt(old, 0);
      if (root_ != nullptr) root_->parent = nullptr;
      DeleteNode(old);
    }
    return;
  }
  if (node->size == 0) {
    RemoveChild(parent, node->slot);
    return DeleteNode(node);
  }
  if (node->slot > 0 && NodeAt(parent, node->slot - 1u)->size + node->size <= CountedNode::kMergeChildren) {
    return MergeRightInto(NodeAt(parent, node->slot - 1u), node);
  }
  if (node->slot + 1u < parent->size &&
      NodeAt(parent, node->slot + 1u)->size + node->size <= CountedNode::kMergeChildren) {
    MergeRightInto(node, NodeAt(parent, node->slot + 1u));
  }
}

void CountedTree::Remove(CountedLeaf* leaf) {
  CountedNode* node = leaf->parent;
  PINYON_ASSERT(node != nullptr && LeafAt(node, leaf->slot) == leaf);
  node->counts[leaf->slot] = 0;
  AddAbove(node, ~uint64_t{leaf->count} + 1);
  leaf->parent = nullptr;
  RemoveChild(node, leaf->slot);
}

void CountedTree::Add(CountedLeaf* leaf, int64_t delta) {
  PINYON_ASSERT(leaf->parent != nullptr);
  leaf->count = static_cast<uint32_t>(leaf->count + delta);
  leaf->parent->counts[leaf->slot] = leaf->count;
  AddAbove(leaf->parent, static_cast<uint64_t>(delta));
}

CountedLeaf* CountedTree::Find(uint64_t* index) const {
  PINYON_ASSERT(root_ != nullptr);
  const CountedNode* node = root_;
  for (;;) {
    size_t slot = 0;
    while (*index >= node->counts[slot]) {
      *index -= node->counts[slot];
      ++slot;
      PINYON_ASSERT(slot < node->size);
    }
    if (node->level == 0) return LeafAt(node, slot);
    node = NodeAt(node, slot);
  }
}

uint64_t CountedTree::CheckNode(const CountedNode* node) const {
  PINYON_CHECK(node->size > 0);
  uint64_t nodes = 1;
  for (size_t slot = 0; slot < node->size; ++slot) {
    if (node->level == 0) {
      const CountedLeaf* leaf = LeafAt(node, slot);
      PINYON_CHECK(leaf->parent == node && leaf->slot == slot && leaf->count == node->counts[slot]);
      continue;
    }
    const CountedNode* child = NodeAt(node, slot);
    PINYON_CHECK(child->parent == node && child->slot == slot && child->level + 1 == node->level);
    PINYON_CHECK(Sum(child) == node->counts[slot]);
    if (slot > 0)
      PINYON_CHECK(NodeAt(node, slot - 1)->size + child->size > int{CountedNode::kMaxChildren} / 2);
    nodes += CheckNode(child);
  }
  return nodes;
}

void CountedTree::CheckInvariants() const {
  if (root_ == nullptr) return PINYON_CHECK(node_count_ == 0);
  PINYON_CHECK(root_->parent == nullptr && (root_->level == 0 || root_->size > 1));
  PINYON_CHECK(CheckNode(root_) == node_count_);
}

}  // namespace pinyon
