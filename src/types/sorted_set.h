// A large sorted set: a hash table that finds an item by its member, and a tree that has them in order of
// score and member. The table owns the items, the tree points to them.
//
// Costs: 24 bytes for a member of up to 15 bytes with its score, 10 to 11.2 in the table, 17 to 20 in the
// tree. A member is found in O(1), everything that has to do with order takes O(log n). It may be destroyed
// on any thread: that frees and reads nothing but members' lengths.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/hash.h"
#include "base/random.h"
#include "types/hash_table.h"
#include "types/score_tree.h"
#include "types/scored_member.h"

namespace pinyon {

extern template class HashTable<ScoredMember>;

class SortedSet {
 public:
  explicit SortedSet(const HashSeed& seed) : index_(seed) {}
  SortedSet(const SortedSet&) = delete;
  SortedSet& operator=(const SortedSet&) = delete;

  uint64_t size() const { return tree_.size(); }
  // Ranks, ranges and walks in order.
  const ScoreTree& tree() const { return tree_; }
  // Members by their hash.
  const HashTable<ScoredMember>& index() const { return index_; }

  // Null when it is not there. An item stays where it is until it is removed.
  ScoredMember* Find(std::string_view member) const;
  // The member must not be there; it is copied.
  ScoredMember* Insert(std::string_view member, double score);
  // Gives an item of this set another score.
  void SetScore(ScoredMember* item, double score) { tree_.Move(item, score); }
  // False when it was not there. The view may lie in the set.
  bool Remove(std::string_view member);
  // Removes `count` items from `rank` on; rank + count <= size().
  void RemoveRange(uint64_t rank, uint64_t count);

  // As HashTable::Scan: about `count` items from `cursor` on, 0 at the beginning and at the end.
  using Visit = std::function<void(std::string_view member, double score)>;
  uint64_t Scan(uint64_t cursor, size_t count, const Visit& visit) const;
  // An item chosen with equal odds; the set must not be empty.
  const ScoredMember* RandomItem(Random& random) const { return tree_.At(random.Below(size())).item(); }

  // Moves what is to be moved (mem::Relocate) of some `count` items from `cursor` on; returns the cursor for
  // the next, 0 at the beginning and at the end. A change in between may leave some out.
  uint64_t Relocate(uint64_t cursor, size_t count);

  // Shares nothing with the original, but for the hash's seed.
  std::unique_ptr<SortedSet> Copy() const;
  // Everything that it takes from memory, itself included; costs nothing to ask.
  size_t MemoryBytes() const;

  // Checks every invariant; for tests.
  void CheckConsistency() const;

 private:
  void Forget(HashTable<ScoredMember>::Position position);
  ScoredMember* RelocateItem(ScoredMember* item);

  HashTable<ScoredMember> index_;
  ScoreTree tree_;
};

}  // namespace pinyon
