#include "types/sorted_set.h"

#include <array>
#include <cstring>
#include <span>

#include "base/alloc.h"
#include "base/prefetch.h"
#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<ScoredMember>;

ScoredMember* SortedSet::Find(std::string_view member) const {
  const auto position = index_.Find(member, index_.Hash(member));
  return position ? position.entry() : nullptr;
}

ScoredMember* SortedSet::Insert(std::string_view member, double score) {
  ScoredMember* item = ScoredMember::New(member, score);
  index_.Insert(item, index_.Hash(member));
  tree_.Insert(item);
  return item;
}

bool SortedSet::Remove(std::string_view member) {
  const auto position = index_.Find(member, index_.Hash(member));
  if (!position) return false;
  tree_.Remove(position.entry());
  Forget(position);
  return true;
}

// Frees an item that the tree knows no more.
void SortedSet::Forget(HashTable<ScoredMember>::Position position) {
  ScoredMember::Delete(index_.Remove(position));
  index_.Tidy();
}

void SortedSet::RemoveRange(uint64_t rank, uint64_t count) {
  tree_.RemoveRange(rank, count, [this](std::span<ScoredMember* const> items) {
    // Neighbours in order are strangers in memory: all are asked for before the first is needed.
    std::array<uint64_t, ScoreTree::kMaxRemovedAtOnce> hashes;
    for (const ScoredMember* item : items) Prefetch(item);
    for (size_t i = 0; i < items.size(); ++i) {
      hashes[i] = index_.Hash(items[i]->key());
      index_.PrefetchBucket(hashes[i]);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      const auto position = index_.Find(items[i]->key(), hashes[i]);
      PINYON_CHECK(position && position.entry() == items[i]);
      Forget(position);
    }
  });
}

uint64_t SortedSet::Scan(uint64_t cursor, size_t count, const Visit& visit) const {
  return index_.Scan(cursor, count, [&visit](ScoredMember* item) { visit(item->key(), item->score()); });
}

ScoredMember* SortedSet::RelocateItem(ScoredMember* item) {
  // The tree finds it by what it says, so the old one goes last.
  auto* copy = static_cast<ScoredMember*>(mem::CopyToMove(item, item->AllocatedBytes()));
  if (copy == nullptr) return item;
  tree_.Replace(item, copy);
  ScoredMember::Delete(item);
  return copy;
}

uint64_t SortedSet::Relocate(uint64_t cursor, size_t count) {
  // First the items, then the nodes, whose cursor is the rank of the next leaf's first item.
  constexpr uint64_t kNodes = uint64_t{1} << 63;
  if (tree_.size() == 0) return 0;
  if ((cursor & kNodes) == 0) {
    cursor = index_.Relocate(cursor, count, [this](ScoredMember* item) { return RelocateItem(item); });
    return cursor == 0 ? kNodes : cursor;
  }
  const uint64_t rank = tree_.RelocateNodes(cursor & ~kNodes, count / ScoreTreeLeaf::kCapacity + 1);
  return rank == 0 ? 0 : rank | kNodes;
}

std::unique_ptr<SortedSet> SortedSet::Copy() const {
  auto copy = std::make_unique<SortedSet>(index_.seed());
  // In order, which fills the nodes.
  for (auto at = tree_.First(); at; at.Next()) copy->Insert(at->key(), at.score());
  return copy;
}

size_t SortedSet::MemoryBytes() const {
  return mem::UsableSizeOfNew(sizeof *this) + index_.ItemBytes() + index_.OverheadBytes() +
         tree_.MemoryBytes();
}

void SortedSet::CheckConsistency() const {
  index_.CheckConsistency();
  tree_.CheckConsistency();
  PINYON_CHECK(index_.size() == tree_.size());
  for (auto at = tree_.First(); at; at.Next()) PINYON_CHECK(Find(at->key()) == at.item());
}

}  // namespace pinyon
