// What it is worth to keep an entry: how many hits to expect of it for each moment that it takes up room,
// learned while the cache runs. The idea is LHD's (Beckmann, Chen, Cidon, "LHD: Improving Cache Hit Rate by
// Maximizing Hit Density", NSDI 2018); what is known of an entry here is how often it was used (a class) and
// how long ago (an age).
//
// For each class and age, a cell, two numbers are kept: the hits that entries in it had, and how many
// entries were in it, of which every look at a few neighbours of the table is an unbiased sample. Their
// quotient is the rate at which entries of the cell are hit. An entry goes through the ages of its class
// until it is hit, so what it is worth is the best that any time ahead offers: the greatest quotient of the
// hits expected until then, and the time it will have taken (an index of Gittins, "Bandit processes and
// dynamic allocation indices", JRSS B 41, 1979). For most traffic that falls with age: of equals the one goes
// that was used the longest ago. For a loop that is larger than memory it rises, since each step brings the
// next use nearer: so what has just come goes, and the rest is hit. Under scans what was never used again is
// worth next to nothing, and when what is popular shifts, the rates of the old ages fall whatever the class.
//
// Both numbers are forgotten exponentially: three hundredths for every turnover (as many accesses as there
// are keys). A rate is that of its age and the two beside it, as few are seen of each; where nothing was seen
// a formula stands in: a frequency over an age.
//
// Costs: 18 KiB. Counting is one addition, reading a density one load, learning some ten microseconds for
// every half turnover.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pinyon {

class HitDensity {
 public:
  static constexpr uint32_t kClasses = 16;
  static constexpr uint32_t kAges = 57;
  // Ages are told in ticks, so many to the turnover; from kMaxAge on all are the same.
  static constexpr uint32_t kTicksPerTurnover = 256;
  static constexpr uint32_t kMaxAge = 1 << 15;

  HitDensity();

  // Four ages to each doubling.
  static uint32_t AgeOf(uint32_t ticks) {
    if (ticks < 4) return ticks;
    if (ticks >= kMaxAge) return kAges - 1;
    const auto log = static_cast<uint32_t>(std::bit_width(ticks)) - 1;
    return log * 4 - 4 + (ticks >> (log - 2) & 3);
  }
  static uint32_t Cell(uint32_t use_class, uint32_t age_ticks) {
    return use_class * kAges + AgeOf(age_ticks);
  }

  void CountHit(uint32_t cell) { hits_[cell] += 1; }
  void CountEntry(uint32_t cell) { entries_[cell] += 1; }

  // Expected hits for each tick; positive.
  float Density(uint32_t cell) const { return densities_[cell]; }

  // Learns from what was counted in the last `accesses` accesses to a cache of `keys` keys.
  void Learn(uint64_t accesses, uint64_t keys);

 private:
  static constexpr uint32_t kCells = kClasses * kAges;

  void LearnClass(uint32_t use_class, double prior_scale, double ticks_per_entry);

  // (Counted one by one: a float stops at 16 million.)
  std::array<double, kCells> hits_{};
  std::array<double, kCells> entries_{};
  std::array<float, kCells> densities_;
  double accesses_ = 0;
};

}  // namespace pinyon
