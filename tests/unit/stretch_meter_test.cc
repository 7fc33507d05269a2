#include "base/stretch_meter.h"

#include <unistd.h>

#include <catch2/catch.hpp>

namespace pinyon {
namespace {

void Work(int64_t cpu_us) {
  const int64_t start = ThreadCpuNs();
  while (ThreadCpuNs() - start < cpu_us * 1000) {
  }
}

TEST_CASE("the longest stretch of work is known by its CPU time", "[stretch_meter]") {
  StretchMeter meter;
  CHECK(meter.longest_us() == 0);
  for (const int64_t us : {100, 5000, 200}) {
    meter.Begin();
    Work(us);
    meter.End();
  }
  // Cycles are converted by comparison with another clock, a little off when the process is young.
  CHECK(meter.longest_us() >= 4500);
}

TEST_CASE("what a stretch slept does not count", "[stretch_meter]") {
  StretchMeter meter;
  meter.Begin();
  ::usleep(50'000);
  meter.End();
  CHECK(meter.longest_us() < 25'000);
}

TEST_CASE("work between stretches does not count", "[stretch_meter]") {
  StretchMeter meter;
  Work(20'000);
  meter.End();
  CHECK(meter.longest_us() == 0);
  meter.Begin();
  meter.Begin();
  meter.End();
  CHECK(meter.longest_us() < 10'000);
}

}  // namespace
}  // namespace pinyon
