#include <catch2/catch.hpp>

#include "server/statistics.h"

namespace pinyon {

TEST_CASE("A rate is the mean of the last sixteen samples", "[rate]") {
  Rate rate;
  CHECK(rate.PerSecond() == 0);
  rate.Sample(1000, 500);  // only where it starts from
  CHECK(rate.PerSecond() == 0);
  rate.Sample(1100, 660);  // 160 in 100 ms: 1600 a second
  CHECK(rate.PerSecond() == 1600 / 16);
  uint64_t counter = 660;
  for (int i = 1; i <= 16; ++i) rate.Sample(1100 + i * 100, counter += 10);
  CHECK(rate.PerSecond() == 100);
  for (int i = 1; i <= 16; ++i) rate.Sample(2700 + i * 100, counter);
  CHECK(rate.PerSecond() == 0);
}

TEST_CASE("A rate is of the time that passed, however long", "[rate]") {
  Rate rate;
  rate.Sample(1, 0);
  rate.Sample(1, 100);  // no time passed: no sample, and the count starts anew
  CHECK(rate.PerSecond() == 0);
  rate.Sample(2001, 164);
  CHECK(rate.PerSecond() == 32 / 16);
  // A clock that is set back gives no sample either.
  rate.Sample(1000, 1'000'000);
  CHECK(rate.PerSecond() == 32 / 16);
}

TEST_CASE("A rate starts anew after its counter was set back", "[rate]") {
  Rate rate;
  rate.Sample(1000, 1'000'000);
  rate.Sample(1100, 2'000'000);
  rate.Restart();
  CHECK(rate.PerSecond() == 0);
  rate.Sample(1200, 0);
  rate.Sample(1300, 16);
  CHECK(rate.PerSecond() == 10);
}

}  // namespace pinyon
