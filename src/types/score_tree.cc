#include "types/score_tree.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "base/alloc.h"

namespace pinyon {

using score_tree_detail::EntriesBefore;
using score_tree_detail::PrefetchNode;

namespace {

// How many neighbours share their entries before one more is added. Three fill to 86 % under random
// insertion, two to 81 %; four gain another 2 %, and move more.
constexpr size_t kWindow = 3;

// With less room than this in each of them on average, sharing would soon have to be done again.
template <class Node>
constexpr size_t kMinRoom = Node::kCapacity / 16;

// Below this many a node is refilled from its neighbours, or joins them, such that each holds at most
// kRefilled: well away from both being full and being refilled again.
template <class Node>
constexpr size_t kMinEntries = Node::kCapacity * 3 / 8;
template <class Node>
constexpr size_t kRefilled = Node::kCapacity * 3 / 4;

// Asks for what will be read of a child: to change it, to search it, to count in it.
void PrefetchForChange(const void* node, bool is_leaf) {
  if (is_leaf) return PrefetchNode<sizeof(ScoreTreeLeaf)>(node);
  PrefetchNode<offsetof(ScoreTreeInner, counts)>(node);
}
void PrefetchForSearch(const void* node, bool is_leaf) {
  if (is_leaf) return PrefetchNode<offsetof(ScoreTreeLeaf, items)>(node);
  PrefetchNode<offsetof(ScoreTreeInner, counts)>(node);
}
void PrefetchForCount(const void* node, bool is_leaf) {
  if (is_leaf) return PrefetchNode<offsetof(ScoreTreeLeaf, items)>(node);
  PrefetchNode<offsetof(ScoreTreeInner, items)>(node);
}

template <class Node>
Node* Child(const ScoreTreeInner* parent, size_t index) {
  PINYON_ASSERT(index < parent->count);
  return static_cast<Node*>(parent->children[index]);
}

// The child in which the bound is: the last one whose first item is before it.
size_t ChildFor(const ScoreTreeInner& inner, const ScoreBound& bound) {
  const size_t before = EntriesBefore(inner, bound);
  return before == 0 ? 0 : before - 1;
}

// Whether one entry is before the bound.
bool IsBefore(const ScoreTreeLeaf& leaf, size_t index, const ScoreBound& bound) {
  if (leaf.scores[index] != bound.score) return leaf.scores[index] < bound.score;
  return leaf.items[index]->key() < bound.member;
}

// Says in the parent what is in a child.
template <class Node>
void Describe(ScoreTreeInner* parent, size_t index, const Node* child) {
  parent->counts[index] = child->Items();
  parent->scores[index] = child->scores[0];
  parent->items[index] = child->items[0];
}

// Spreads the entries of `before` neighbouring children evenly over `after` of them, from the first on; what
// is more than `after` becomes empty.
template <class Node>
void Spread(ScoreTreeInner* parent, size_t first, size_t before, size_t after) {
  PINYON_ASSERT(before <= kWindow && first + std::max(before, after) <= parent->count);
  Node old[kWindow];
  size_t total = 0;
  for (size_t i = 0; i < before; ++i) {
    Node* child = Child<Node>(parent, first + i);
    child->Copy(0, child->count, &old[i], 0);
    old[i].count = child->count;
    child->count = 0;
    total += old[i].count;
  }
  size_t source = 0, taken = 0;
  for (size_t i = 0; i < after; ++i) {
    Node* child = Child<Node>(parent, first + i);
    const size_t wanted = total / after + (i < total % after ? 1 : 0);
    while (child->count < wanted) {
      const size_t n = std::min<size_t>(wanted - child->count, old[source].count - taken);
      old[source].Copy(taken, n, child, child->count);
      child->count += static_cast<uint32_t>(n);
      taken += n;
      if (taken < old[source].count) continue;
      ++source;
      taken = 0;
    }
    Describe(parent, first + i, child);
  }
}

}  // namespace

// Nodes.

template <class Node>
Node* ScoreTree::NewNode() {
  // Not cleared: nothing beyond `count` is ever read.
  auto* node = static_cast<Node*>(mem::Allocate(sizeof(Node)));
  node->count = 0;
  ++(std::is_same_v<Node, Leaf> ? leaves_ : inners_);
  return node;
}

template <class Node>
void ScoreTree::FreeNode(Node* node) {
  --(std::is_same_v<Node, Leaf> ? leaves_ : inners_);
  mem::Free(node, sizeof(Node));
}

void ScoreTree::LinkLeaf(Leaf* leaf, Leaf* previous, Leaf* next) {
  leaf->previous = previous;
  leaf->next = next;
  (previous == nullptr ? first_ : previous->next) = leaf;
  (next == nullptr ? last_ : next->previous) = leaf;
}

template <class Node>
void ScoreTree::DropNode(Node* node) {
  if constexpr (std::is_same_v<Node, Leaf>) {
    (node->previous == nullptr ? first_ : node->previous->next) = node->next;
    (node->next == nullptr ? last_ : node->next->previous) = node->previous;
  }
  FreeNode(node);
}

void ScoreTree::FreeSubtree(void* node, size_t level) {
  if (level == 0) return FreeNode(static_cast<Leaf*>(node));
  auto* inner = static_cast<Inner*>(node);
  for (size_t i = 0; i < inner->count; ++i) FreeSubtree(inner->children[i], level - 1);
  FreeNode(inner);
}

void ScoreTree::Clear() {
  if (root_ != nullptr) FreeSubtree(root_, height_);
  PINYON_ASSERT(leaves_ == 0 && inners_ == 0);
  root_ = nullptr;
  first_ = last_ = nullptr;
  size_ = 0;
  height_ = 0;
}

size_t ScoreTree::MemoryBytes() const {
  return leaves_ * mem::UsableSize(sizeof(Leaf)) + inners_ * mem::UsableSize(sizeof(Inner));
}

// Ways down.

void ScoreTree::FindPath(const ScoreBound& bound, Path* path) const {
  void* node = root_;
  for (size_t level = height_; level > 0; --level) {
    auto* inner = static_cast<Inner*>(node);
    const size_t index = ChildFor(*inner, bound);
    path->steps[level] = {inner, index};
    node = inner->children[index];
    PrefetchForChange(node, level == 1);
  }
  path->steps[0] = {node, EntriesBefore(*static_cast<Leaf*>(node), bound)};
}

void ScoreTree::FindItem(const ScoredMember* item, Path* path) const {
  PINYON_ASSERT(root_ != nullptr);
  // After it, so that an item that is the first of a leaf is found there and not at the end of another.
  FindPath(ScoreBound::AfterItem(item), path);
  PINYON_CHECK(path->steps[0].index > 0);
  --path->steps[0].index;
  PINYON_CHECK(path->leaf()->items[path->steps[0].index] == item);
}

void ScoreTree::FindRank(uint64_t rank, Path* path) const {
  PINYON_ASSERT(rank < size_);
  void* node = root_;
  for (size_t level = height_; level > 0; --level) {
    auto* inner = static_cast<Inner*>(node);
    const size_t index = inner->ChildAt(&rank);
    path->steps[level] = {inner, index};
    node = inner->children[index];
  }
  path->steps[0] = {node, rank};
}

ScoreTree::LeafPlace ScoreTree::FindPlace(const ScoreBound& bound) const {
  PINYON_ASSERT(root_ != nullptr);
  const void* node = root_;
  for (size_t level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    node = inner->children[ChildFor(*inner, bound)];
    PrefetchForSearch(node, level == 1);
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  return {leaf, EntriesBefore(*leaf, bound)};
}

uint64_t ScoreTree::CountBefore(const ScoreBound& bound) const {
  if (root_ == nullptr) return 0;
  uint64_t before = 0;
  const void* node = root_;
  for (size_t level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    const size_t index = ChildFor(*inner, bound);
    node = inner->children[index];
    PrefetchForCount(node, level == 1);
    before += inner->ItemsBefore(index);
  }
  return before + EntriesBefore(*static_cast<const Leaf*>(node), bound);
}

ScoreTree::Cursor ScoreTree::FirstAfter(const ScoreBound& bound) const {
  if (root_ == nullptr) return {};
  const LeafPlace place = FindPlace(bound);
  if (place.index < place.leaf->count) return {place.leaf, place.index};
  return {place.leaf->next, 0};
}

ScoreTree::Cursor ScoreTree::LastBefore(const ScoreBound& bound) const {
  if (root_ == nullptr) return {};
  const LeafPlace place = FindPlace(bound);
  if (place.index > 0) return {place.leaf, place.index - 1};
  const Leaf* previous = place.leaf->previous;
  return previous == nullptr ? Cursor() : Cursor(previous, previous->count - 1);
}

ScoreTree::Cursor ScoreTree::At(uint64_t rank) const {
  PINYON_ASSERT(rank < size_);
  // The ends, which are asked for most, without a way down.
  if (rank < first_->count) return {first_, rank};
  if (size_ - rank <= last_->count) return {last_, last_->count - (size_ - rank)};
  const void* node = root_;
  for (size_t level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    node = inner->children[inner->ChildAt(&rank)];
  }
  return {static_cast<const Leaf*>(node), rank};
}

// Near enough for a hint: by the score alone.
void ScoreTree::PrefetchParent(Hint* hint) const {
  if (size_ < kWorthHints) return;
  const void* node = root_;
  for (size_t level = height_; level > 1; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    node = inner->children[ChildFor(*inner, ScoreBound::AfterScore(hint->score))];
  }
  PrefetchForCount(node, false);
  hint->node = node;
}

void ScoreTree::PrefetchLeaf(Hint* hint) const {
  if (hint->node == nullptr) return;
  const auto* inner = static_cast<const Inner*>(hint->node);
  hint->node = inner->children[ChildFor(*inner, ScoreBound::AfterScore(hint->score))];
  PrefetchForChange(hint->node, true);
}

void ScoreTree::PrefetchEqual(const Hint& hint) const {
  if (hint.node == nullptr) return;
  constexpr size_t kMost = 4;
  const auto* leaf = static_cast<const Leaf*>(hint.node);
  size_t index = EntriesBefore(*leaf, ScoreBound::AfterScore(hint.score));
  for (size_t n = 0; n < kMost && index > 0 && leaf->scores[index - 1] == hint.score; ++n) {
    Prefetch(leaf->items[--index]);
  }
}

// Changes.

void ScoreTree::FirstChanged(const Path& path, size_t level) const {
  const double score = level == 0 ? path.leaf()->scores[0] : path.inner(level)->scores[0];
  ScoredMember* item = level == 0 ? path.leaf()->items[0] : path.inner(level)->items[0];
  while (++level <= height_) {
    const size_t index = path.steps[level].index;
    path.inner(level)->scores[index] = score;
    path.inner(level)->items[index] = item;
    if (index != 0) return;
  }
}

void ScoreTree::CountChanged(const Path& path, uint64_t difference) {
  size_ += difference;
  for (size_t level = 1; level <= height_; ++level) {
    path.inner(level)->counts[path.steps[level].index] += difference;
  }
}

void ScoreTree::GrowRoot(Path* path) {
  PINYON_CHECK(height_ + 1 < kMaxHeight);
  Inner* root = NewNode<Inner>();
  root->count = 1;
  root->children[0] = root_;
  if (height_ == 0) {
    Describe(root, 0, static_cast<Leaf*>(root_));
  } else {
    Describe(root, 0, static_cast<Inner*>(root_));
  }
  root_ = root;
  path->steps[++height_] = {root, 0};
}

template <class Node>
Node* ScoreTree::AddChild(Inner* parent, size_t at) {
  PINYON_ASSERT(parent->count > 0 && parent->count < Inner::kCapacity);
  Node* node = NewNode<Node>();
  if constexpr (std::is_same_v<Node, Leaf>) {
    Leaf* previous = at > 0 ? Child<Leaf>(parent, at - 1) : Child<Leaf>(parent, 0)->previous;
    LinkLeaf(node, previous, at > 0 ? previous->next : Child<Leaf>(parent, 0));
  }
  parent->Copy(at, parent->count - at, parent, at + 1);
  ++parent->count;
  parent->children[at] = node;
  parent->counts[at] = 0;
  return node;
}

ScoreTree::Window ScoreTree::WindowAround(const Step& step) {
  const auto* parent = static_cast<const Inner*>(step.node);
  const size_t nodes = std::min<size_t>(kWindow, parent->count);
  const size_t before = std::min(step.index, nodes / 2);
  return {std::min(step.index - before, parent->count - nodes), nodes};
}

template <class Node>
size_t ScoreTree::EntriesIn(const Inner* parent, size_t first, size_t nodes) {
  size_t entries = 0;
  for (size_t i = 0; i < nodes; ++i) entries += Child<Node>(parent, first + i)->count;
  return entries;
}

// Whether the path leads along one edge of the tree: what is inserted there is probably one of many in order.
ScoreTree::Edge ScoreTree::EdgeOf(const Path& path, size_t level) const {
  bool first = true, last = true;
  for (; level <= height_; ++level) {
    const size_t index = path.steps[level].index;
    first = first && index == 0;
    last = last && index == (level == 0 ? path.leaf()->count : path.inner(level)->count - 1);
  }
  return first ? Edge::kFirst : last ? Edge::kLast : Edge::kNone;
}

// Leaves the full node behind and goes on in a new one beyond it. A new leaf is empty: to be described in its
// parent by whoever fills it.
template <class Node>
void ScoreTree::SplitAtEdge(Path* path, size_t level, Edge edge) {
  MakeRoom<Inner>(path, level + 1);
  auto* full = static_cast<Node*>(path->steps[level].node);
  Inner* parent = path->inner(level + 1);
  size_t& index = path->steps[level + 1].index;
  const size_t full_index = edge == Edge::kFirst ? index + 1 : index;
  if (edge == Edge::kLast) ++index;
  Node* added = AddChild<Node>(parent, index);
  path->steps[level] = {added, 0};
  if constexpr (std::is_same_v<Node, Inner>) {
    // The child at the edge goes along: it is in there that the path goes on.
    const size_t kept = full->count - 1;
    full->Copy(edge == Edge::kFirst ? 0 : kept, 1, added, 0);
    if (edge == Edge::kFirst) full->Copy(1, kept, full, 0);
    full->count = static_cast<uint32_t>(kept);
    added->count = 1;
    Describe(parent, full_index, full);
    Describe(parent, index, added);
  }
}

// Makes room for one entry more in the path's node at `level`. The path may lead through other nodes
// afterwards, to the same place.
template <class Node>
void ScoreTree::MakeRoom(Path* path, size_t level) {
  if (static_cast<Node*>(path->steps[level].node)->count < Node::kCapacity) return;
  if (level == height_) GrowRoot(path);
  const Edge edge = EdgeOf(*path, level);
  if (edge != Edge::kNone) return SplitAtEdge<Node>(path, level, edge);
  Step& step = path->steps[level];
  Step& up = path->steps[level + 1];
  Window window = WindowAround(up);
  size_t entries = EntriesIn<Node>(path->inner(level + 1), window.first, window.nodes);
  const bool split = entries + kMinRoom<Node> * window.nodes > Node::kCapacity * window.nodes;
  if (split) {
    MakeRoom<Inner>(path, level + 1);
    window = WindowAround(up);  // the parent may be another now
  }
  Inner* parent = path->inner(level + 1);
  const size_t ordinal = EntriesIn<Node>(parent, window.first, up.index - window.first) + step.index;
  if (split) AddChild<Node>(parent, window.first + window.nodes);
  Spread<Node>(parent, window.first, window.nodes, window.nodes + (split ? 1 : 0));
  up.index = window.first;
  step.index = ordinal;
  // A gap between two leaves is the end of the first.
  constexpr size_t kEnd = std::is_same_v<Node, Leaf> ? 1 : 0;
  while (step.index >= Child<Node>(parent, up.index)->count + kEnd) {
    step.index -= Child<Node>(parent, up.index++)->count;
  }
  step.node = parent->children[up.index];
}

void ScoreTree::Insert(ScoredMember* item) {
  PINYON_ASSERT(!std::isnan(item->score()));
  if (root_ == nullptr) {
    Leaf* leaf = NewNode<Leaf>();
    LinkLeaf(leaf, nullptr, nullptr);
    root_ = leaf;
  }
  Path path;
  FindPath(ScoreBound::AfterItem(item->score(), item->key()), &path);
  MakeRoom<Leaf>(&path, 0);
  Leaf* leaf = path.leaf();
  const size_t index = path.steps[0].index;
  PINYON_ASSERT(index == 0 || IsBefore(*leaf, index - 1, ScoreBound::BeforeItem(item->score(), item->key())));
  leaf->Copy(index, leaf->count - index, leaf, index + 1);
  ++leaf->count;
  leaf->scores[index] = item->score();
  leaf->items[index] = item;
  CountChanged(path, 1);
  if (index == 0) FirstChanged(path, 0);
}

void ScoreTree::Replace(const ScoredMember* item, ScoredMember* copy) {
  Path path;
  FindItem(item, &path);
  path.leaf()->items[path.steps[0].index] = copy;
  if (path.steps[0].index == 0) FirstChanged(path, 0);
}

template <class Node>
void ScoreTree::RelocateNode(Path* path, size_t level) {
  void*& place = path->steps[level].node;
  auto* node = static_cast<Node*>(mem::Relocate(place, sizeof(Node)));
  if (node == place) return;
  place = node;
  if (level == height_) {
    root_ = node;
  } else {
    const Step& above = path->steps[level + 1];
    path->inner(level + 1)->children[above.index] = node;
  }
  if constexpr (std::is_same_v<Node, Leaf>) LinkLeaf(node, node->previous, node->next);
}

uint64_t ScoreTree::RelocateNodes(uint64_t rank, size_t leaves) {
  PINYON_ASSERT(root_ != nullptr);
  for (; leaves > 0 && rank < size_; --leaves) {
    Path path;
    FindRank(rank, &path);
    for (size_t level = height_; level > 0; --level) RelocateNode<Inner>(&path, level);
    RelocateNode<Leaf>(&path, 0);
    rank += path.leaf()->count - path.steps[0].index;
  }
  return rank < size_ ? rank : 0;
}

void ScoreTree::Remove(const ScoredMember* item) {
  Path path;
  FindItem(item, &path);
  RemoveAt(&path, 1);
}

void ScoreTree::Move(ScoredMember* item, double score) {
  Path path;
  FindItem(item, &path);
  if (MoveInLeaf(&path, item, score)) return;
  RemoveAt(&path, 1);
  item->set_score(score);
  Insert(item);
}

// False when the item belongs into another leaf, and nothing has changed.
bool ScoreTree::MoveInLeaf(Path* path, ScoredMember* item, double score) {
  Leaf* leaf = path->leaf();
  const size_t from = path->steps[0].index;
  const ScoreBound bound = ScoreBound::BeforeItem(score, item->key());
  size_t to = EntriesBefore(*leaf, bound);
  if (to == 0 && leaf->previous != nullptr && !IsBefore(*leaf->previous, leaf->previous->count - 1, bound)) {
    return false;
  }
  if (to == leaf->count && leaf->next != nullptr && IsBefore(*leaf->next, 0, bound)) return false;
  if (to > from) --to;  // past itself
  if (to > from) {
    leaf->Copy(from + 1, to - from, leaf, from);
  } else {
    leaf->Copy(to, from - to, leaf, to + 1);
  }
  item->set_score(score);
  leaf->scores[to] = score;
  leaf->items[to] = item;
  if (from == 0 || to == 0) FirstChanged(*path, 0);
  return true;
}

void ScoreTree::RemoveRange(uint64_t rank, uint64_t count, const Removed& removed) {
  PINYON_ASSERT(rank <= size_ && count <= size_ - rank);
  while (count > 0) {
    Path path;
    FindRank(rank, &path);
    const Leaf* leaf = path.leaf();
    const size_t first = path.steps[0].index;
    const size_t n = std::min<uint64_t>(count, leaf->count - first);
    // Told only when the tree knows them no more.
    ScoredMember* items[kMaxRemovedAtOnce];
    std::copy_n(leaf->items + first, n, items);
    RemoveAt(&path, n);
    removed({items, n});
    count -= n;
  }
}

// Removes `n` items from the path's place on, all in its leaf.
void ScoreTree::RemoveAt(Path* path, size_t n) {
  Leaf* leaf = path->leaf();
  const size_t index = path->steps[0].index;
  PINYON_ASSERT(n > 0 && index + n <= leaf->count);
  leaf->Copy(index + n, leaf->count - index - n, leaf, index);
  leaf->count -= static_cast<uint32_t>(n);
  CountChanged(*path, 0 - uint64_t{n});
  if (leaf->count == 0) {
    DropNode(leaf);
    return DropEntries(path, 1, 1);
  }
  if (index == 0) FirstChanged(*path, 0);
  if (leaf->count < kMinEntries<Leaf>) Refill<Leaf>(path, 0);
}

// Removes `n` entries, whose nodes are gone, from the inner node at `level`, from the path's place on. Above
// the root, that is the whole tree.
void ScoreTree::DropEntries(Path* path, size_t level, size_t n) {
  if (level > height_) {
    PINYON_ASSERT(size_ == 0);
    root_ = nullptr;
    height_ = 0;
    return;
  }
  Inner* inner = path->inner(level);
  const size_t index = path->steps[level].index;
  PINYON_ASSERT(index + n <= inner->count);
  inner->Copy(index + n, inner->count - index - n, inner, index);
  inner->count -= static_cast<uint32_t>(n);
  if (inner->count == 0) {
    DropNode(inner);
    return DropEntries(path, level + 1, 1);
  }
  if (index == 0) FirstChanged(*path, level);
  if (inner->count < kMinEntries<Inner>) Refill<Inner>(path, level);
}

// Gives a node that has become too empty some of its neighbours' entries, or makes fewer nodes of them.
template <class Node>
void ScoreTree::Refill(Path* path, size_t level) {
  if (level == height_) return ShrinkRoot();
  Inner* parent = path->inner(level + 1);
  const Window window = WindowAround(path->steps[level + 1]);
  // An only child waits for its parent to get neighbours of its own.
  if (window.nodes == 1) return Refill<Inner>(path, level + 1);
  const size_t entries = EntriesIn<Node>(parent, window.first, window.nodes);
  const size_t wanted = (entries + kRefilled<Node> - 1) / kRefilled<Node>;
  const size_t nodes = std::min(wanted, window.nodes);
  Spread<Node>(parent, window.first, window.nodes, nodes);
  if (nodes == window.nodes) return;
  for (size_t i = nodes; i < window.nodes; ++i) DropNode(Child<Node>(parent, window.first + i));
  path->steps[level + 1].index = window.first + nodes;
  DropEntries(path, level + 1, window.nodes - nodes);
}

void ScoreTree::ShrinkRoot() {
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* root = static_cast<Inner*>(root_);
    root_ = root->children[0];
    FreeNode(root);
    --height_;
  }
}

// Checks.

void ScoreTree::CheckLeaf(const Leaf* leaf, const Leaf** previous) const {
  PINYON_CHECK(leaf->count > 0 && leaf->count <= Leaf::kCapacity);
  PINYON_CHECK(leaf->previous == *previous);
  PINYON_CHECK(*previous == nullptr ? first_ == leaf : (*previous)->next == leaf);
  const ScoredMember* last = *previous == nullptr ? nullptr : (*previous)->items[(*previous)->count - 1];
  for (size_t i = 0; i < leaf->count; ++i) {
    const ScoredMember* item = leaf->items[i];
    PINYON_CHECK(!std::isnan(item->score()));
    PINYON_CHECK(std::bit_cast<uint64_t>(item->score()) == std::bit_cast<uint64_t>(leaf->scores[i]));
    PINYON_CHECK(last == nullptr || last->score() < item->score() ||
                 (last->score() == item->score() && last->key() < item->key()));
    last = item;
  }
  *previous = leaf;
}

// Returns how many items are below the node; `previous` is the last leaf seen.
uint64_t ScoreTree::CheckNode(const void* node, size_t level, const Leaf** previous) const {
  if (level == 0) {
    const auto* leaf = static_cast<const Leaf*>(node);
    CheckLeaf(leaf, previous);
    return leaf->count;
  }
  const auto* inner = static_cast<const Inner*>(node);
  PINYON_CHECK(inner->count > 0 && inner->count <= Inner::kCapacity);
  PINYON_CHECK(level < height_ || inner->count > 1);
  uint64_t sum = 0;
  for (size_t i = 0; i < inner->count; ++i) {
    const uint64_t below = CheckNode(inner->children[i], level - 1, previous);
    PINYON_CHECK(inner->counts[i] == below);
    sum += below;
    const void* child = inner->children[i];
    const ScoredMember* first =
        level == 1 ? static_cast<const Leaf*>(child)->items[0] : static_cast<const Inner*>(child)->items[0];
    PINYON_CHECK(inner->items[i] == first);
    PINYON_CHECK(std::bit_cast<uint64_t>(inner->scores[i]) == std::bit_cast<uint64_t>(first->score()));
  }
  return sum;
}

void ScoreTree::CheckConsistency() const {
  if (root_ == nullptr) {
    PINYON_CHECK(size_ == 0 && height_ == 0 && leaves_ == 0 && inners_ == 0);
    PINYON_CHECK(first_ == nullptr && last_ == nullptr);
    return;
  }
  const Leaf* last = nullptr;
  PINYON_CHECK(CheckNode(root_, height_, &last) == size_);
  PINYON_CHECK(last == last_ && last->next == nullptr);
}

}  // namespace pinyon
