#include "base/clock.h"

#include <time.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace pinyon {
namespace {

TEST_CASE("wall clocks agree with the system's, in their units") {
  const int64_t before = ::time(nullptr);
  const int64_t us = WallUs(), ms = WallMs();
  const int64_t after = ::time(nullptr) + 1;
  CHECK(us / 1'000'000 >= before);
  CHECK(us / 1'000'000 <= after);
  CHECK(ms >= us / 1000);
  CHECK(ms / 1000 <= after);
}

TEST_CASE("the monotonic clock never goes back and measures sleep") {
  const int64_t start = MonotonicUs();
  int64_t last = start;
  for (int i = 0; i < 10000; ++i) {
    const int64_t now = MonotonicUs();
    REQUIRE(now >= last);
    last = now;
  }
  ::usleep(2000);
  CHECK(MonotonicUs() - start >= 2000);
}

TEST_CASE("CPU time counts work, not sleep") {
  const int64_t start = ThreadCpuNs();
  ::usleep(20000);
  const int64_t slept = ThreadCpuNs();
  CHECK(slept - start < 15'000'000);
  while (ThreadCpuNs() - slept < 1'000'000) {
  }
  CHECK(ThreadCpuNs() > slept);
}

TEST_CASE("cycles convert to the monotonic clock's microseconds") {
  const CycleClock clock;
  CHECK(clock.CyclesPerUs() >= 1.0);
  const uint64_t start = CycleClock::Now();
  const int64_t start_us = MonotonicUs();
  while (MonotonicUs() - start_us < 20000) {
  }
  const uint64_t cycles = CycleClock::Now() - start;
  const int64_t elapsed_us = MonotonicUs() - start_us;
  const uint64_t converted_us = clock.ToUs(cycles);
  // Loose, since the machine may take the thread away between two readings.
  CHECK(converted_us > static_cast<uint64_t>(elapsed_us) / 2);
  CHECK(converted_us < static_cast<uint64_t>(elapsed_us) * 2);
  CHECK(clock.ToUs(0) == 0);
}

}  // namespace
}  // namespace pinyon
