// The policies allkeys-adaptive and volatile-adaptive, Pinyon's own: the key goes whose room brings the
// fewest hits. What that is, is learned (hit_density.h) by how often keys were used and how long ago; so the
// policy is like LFU where the same keys stay popular, like LRU where they change, keeps out what is used but
// once, and holds on to part of a loop that is larger than memory.
//
// An entry's access field:
//
//   [ time: 16 ][ uses: 12 ]
//
// The time is told in ticks of which a turnover, as many accesses as there are keys, has 256, whatever the
// number of keys and their traffic. Uses are counted in eighths, and half of them are forgotten within 32
// turnovers. Times wrap around after 256 turnovers; an entry that is looked at and is older than 128 is
// brought to 128 (OlderThanKept), and entries are looked at far more often than that.
//
// What uses an evicted key had is remembered (ghost_table.h), about as many keys as are held, and is given
// back to the key when it is set again. And a new key is looked at soon after it came: it
// is likely to be worth less than what was hit.
//
// Sizes count: an entry's worth is divided by the bytes that it takes.
//
// Costs: an access some five nanoseconds, no cache miss; an eviction and a new key one each; two bytes a key
// and 20 KiB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/random.h"
#include "keyspace/ghost_table.h"
#include "keyspace/hit_density.h"

namespace pinyon {

class AdaptivePolicy {
 public:
  static constexpr uint32_t kUseBits = 12;
  static constexpr uint32_t kOneUse = 8;
  static constexpr uint32_t kMaxUses = (1 << kUseBits) - 1;
  static constexpr uint32_t kHalfLifeTicks = 32 * HitDensity::kTicksPerTurnover;
  // What clients are told and snapshots hold is a byte.
  static constexpr uint32_t kMaxFrequency = 255;

  explicit AdaptivePolicy(uint64_t random_seed);

  // How many keys may be evicted: sets the pace of the clock, and how many are remembered.
  void SetKeys(size_t keys);

  // The field of an entry after one more access; of an entry that may be evicted this is learned from.
  uint32_t Hit(uint32_t field);
  uint32_t Accessed(uint32_t field) const { return Field(UsesNow(field) + kOneUse); }
  // The field of a new entry that may be evicted, by what is remembered of its key. It will be a newcomer.
  uint32_t Arrived(int database, uint64_t hash);
  // The field of a new entry of which a frequency is known.
  uint32_t FieldOf(uint32_t frequency) const { return Field(frequency * kOneUse); }
  // The uses as of now.
  uint32_t Frequency(uint32_t field) const;

  // The lower, the sooner an entry goes.
  uint32_t Rank(uint32_t field, size_t bytes) const;
  // An entry was looked at that stood at a random place.
  void Seen(uint32_t field) { density_.CountEntry(CellOf(field)); }
  bool IsOlderThanKept(uint32_t field) const { return Age(field) > HitDensity::kMaxAge; }
  uint32_t AsOldAsKept(uint32_t field) const {
    return ((tick() - HitDensity::kMaxAge) & kTimeMask) << kUseBits | (field & kMaxUses);
  }
  // A key that came not long ago, to be looked at; each is given once. False when there is none now.
  struct Newcomer {
    int database;
    uint64_t hash;
  };
  bool NextNewcomer(Newcomer* newcomer);
  // An entry is evicted.
  void Evicted(int database, uint64_t hash, uint32_t field);

  const GhostTable& ghosts() const { return ghosts_; }
  const HitDensity& density() const { return density_; }

 private:
  static constexpr uint32_t kTimeMask = 0xffff;
  static constexpr int kTickFractionBits = 40;
  // Of the last newcomers so many are known, and the last few are left alone.
  static constexpr size_t kNewcomers = 8;
  static constexpr size_t kLeftAlone = 4;

  uint32_t tick() const { return static_cast<uint32_t>(time_ >> kTickFractionBits) & kTimeMask; }
  uint32_t Age(uint32_t field) const { return (tick() - (field >> kUseBits)) & kTimeMask; }
  uint32_t Field(uint32_t uses) const { return tick() << kUseBits | (uses > kMaxUses ? kMaxUses : uses); }
  uint32_t UsesNow(uint32_t field) const;
  // Half octaves of the uses.
  static uint32_t ClassOf(uint32_t uses);
  static uint32_t UsesOf(uint32_t use_class);
  uint32_t CellOf(uint32_t field) const { return HitDensity::Cell(ClassOf(field & kMaxUses), Age(field)); }
  void Advance();

  HitDensity density_;
  GhostTable ghosts_;
  Random random_;
  uint64_t time_ = 0;  // ticks, with kTickFractionBits
  uint64_t step_;      // of the time for each access
  size_t keys_ = 0;
  std::array<Newcomer, kNewcomers> newcomers_{};  // a ring
  size_t newcomers_begin_ = 0;
  size_t newcomers_end_ = 0;
  uint64_t accesses_ = 0;
  uint64_t learn_after_;
  // What is kept of uses after so many quarters of a turnover, in 65536ths.
  std::array<uint16_t, 1024> kept_;
};

}  // namespace pinyon
