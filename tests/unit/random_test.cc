#include "base/random.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

namespace pinyon {
namespace {

// The algorithm once more, from its published description, so that the two must agree.
class Reference {
 public:
  explicit Reference(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15;
      word = seed;
      word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
      word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
      word ^= word >> 31;
    }
  }

  uint64_t Next() {
    auto& [a, b, c, d] = state_;
    const uint64_t result = Rotate(b * 5, 7) * 9;
    const uint64_t shifted = b << 17;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = Rotate(d, 45);
    return result;
  }

 private:
  static uint64_t Rotate(uint64_t word, int count) { return (word << count) | (word >> (64 - count)); }

  std::array<uint64_t, 4> state_{};
};

TEST_CASE("SplitMix64's first outputs for seed 0 are the published ones, seen through the first number") {
  // 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, ... are SplitMix64's outputs for seed 0; xoshiro256** starts from
  // the second.
  const uint64_t second = 0x6E789E6AA1B965F4;
  CHECK(Random(0).Next() == std::rotl(second * 5, 7) * 9);
}

TEST_CASE("a seed gives the sequence of the published algorithm") {
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{42}, ~uint64_t{0}}) {
    Random random(seed);
    Reference reference(seed);
    for (int i = 0; i < 1000; ++i) REQUIRE(random.Next() == reference.Next());
  }
}

TEST_CASE("seeds from the system differ") {
  CHECK(Random::FromSystem().Next() != Random::FromSystem().Next());
}

TEST_CASE("Below stays below and is even") {
  Random random(1);
  for (const uint64_t bound :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, (uint64_t{1} << 63) + 1, ~uint64_t{0}}) {
    for (int i = 0; i < 1000; ++i) REQUIRE(random.Below(bound) < bound);
  }
  // With a bound of three quarters of the range, a modulo would make the lowest third twice as likely.
  constexpr uint64_t kBound = uint64_t{3} << 62;
  constexpr int kRounds = 300000;
  std::array<int, 3> counts{};
  for (int i = 0; i < kRounds; ++i) ++counts.at(random.Below(kBound) >> 62);
  for (const int count : counts)
    CHECK(std::abs(count - kRounds / 3) < 2000);  // over seven standard deviations
}

TEST_CASE("Unit is in [0, 1) and centred") {
  Random random(2);
  double sum = 0;
  constexpr int kRounds = 100000;
  for (int i = 0; i < kRounds; ++i) {
    const double value = random.Unit();
    REQUIRE(value >= 0);
    REQUIRE(value < 1);
    sum += value;
  }
  CHECK(std::abs(sum / kRounds - 0.5) < 0.01);
}

}  // namespace
}  // namespace pinyon
