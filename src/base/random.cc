#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

namespace pinyon {

namespace {

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), which
// the authors of xoshiro recommend for expanding a seed: similar seeds give unrelated states.
uint64_t SplitMix64(uint64_t* state) {
  *state += 0x9E3779B97F4A7C15;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(&seed);
}

Random Random::FromSystem() {
  uint64_t seed = 0;
  ssize_t got;
  // May be interrupted only while the kernel's own pool is not yet seeded, early at boot.
  do {
    got = getrandom(&seed, sizeof(seed), 0);
  } while (got < 0 && errno == EINTR);
  PINYON_CHECK(got == static_cast<ssize_t>(sizeof(seed)));
  return Random(seed);
}

}  // namespace pinyon
