// Random numbers for sampling, eviction, skip decisions and tests: xoshiro256** 1.0 by Blackman and Vigna
// ("Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021; https://prng.di.unimi.it/). 32
// bytes of state, about a nanosecond a number, passes the known statistical tests. Not for secrets: its state
// can be computed from its output. The state is never all zero, since SplitMix64 expands the seed.
#pragma once

#include <bit>
#include <cstdint>

#include "base/assert.h"

namespace pinyon {

class Random {
 public:
  // The same seed gives the same sequence on every machine.
  explicit Random(uint64_t seed);

  // Seeded by the kernel (getrandom).
  static Random FromSystem();

  // All 64 bits, uniform.
  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), without modulo bias; bound > 0. Lemire, "Fast random integer generation in an
  // interval" (ACM TOMACS 29(1), 2019): one multiplication, and a division only where a bias could arise.
  uint64_t Below(uint64_t bound) {
    PINYON_ASSERT(bound > 0);
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(Next()) * bound;
    if (static_cast<uint64_t>(product) < bound) {
      const uint64_t threshold = (0 - bound) % bound;
      while (static_cast<uint64_t>(product) < threshold) product = static_cast<Wide>(Next()) * bound;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // Uniform in [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_[4];
};

}  // namespace pinyon
