// Remembers of keys that were evicted how often they were used (a class below 16), by a few bits of their
// hash: two bytes for each key that the cache holds.
//
// Sets of 16 slots, 32 bytes, chosen by the upper bits of the hash; within a set the newest comes first.
//
//   slot  [ 12 low bits of the hash, not 0 ][ class: 4 ]     0: free
//
// A new one takes the place of the oldest of the lowest class in its set, and now and then all of the set
// lose a class: so what was used often is remembered for long, but not for ever. Two keys are taken for one
// another with odds of 0.4 % for each look at a full set.
//
// Memory comes by chunks of 64 KiB as sets are used. When the number of keys has changed much the table
// begins anew with another size; the old one is only looked up from then on, and goes when as much has been
// remembered as the new one holds. So nothing is ever rebuilt.
//
// Costs: one cache miss for each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace pinyon {

class GhostTable {
 public:
  static constexpr uint32_t kMaxClass = 15;

  // How many keys there are to remember about as many.
  void SetKeys(size_t keys);

  // Remembers; `aging` is a random number.
  void Put(uint64_t hash, uint32_t use_class, uint32_t aging);
  // The class of a key that is remembered, which is forgotten with that; -1 when it is not known.
  int Take(uint64_t hash);

  // Slots of the size in force, and bytes that are allocated.
  size_t slots() const { return now_.sets * kWays; }
  size_t bytes() const { return now_.bytes + before_.bytes; }

 private:
  static constexpr size_t kWays = 16;
  static constexpr size_t kChunkBytes = 64 * 1024;
  static constexpr size_t kSetsPerChunk = kChunkBytes / (kWays * sizeof(uint16_t));
  static constexpr size_t kMinSets = 16;
  // One in so many additions to a full set ages it.
  static constexpr uint32_t kAgeOneIn = 4;

  struct Set {
    uint16_t slots[kWays];
  };
  struct Generation {
    size_t sets = 0;
    size_t bytes = 0;  // allocated
    std::vector<std::unique_ptr<Set[]>> chunks;

    // Null when nothing was put there and `add` is false.
    Set* Find(uint64_t hash, bool add);
  };

  static int TakeFrom(Set* set, uint64_t hash);

  Generation now_;
  Generation before_;
  size_t puts_ = 0;  // since now_ began
};

}  // namespace pinyon
