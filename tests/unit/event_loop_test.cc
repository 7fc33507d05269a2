#include "net/event_loop.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/clock.h"

namespace pinyon {

namespace {

// Runs until the turn has come that WakeAt asked for; returns by how much it came late.
int64_t LatenessOf(int64_t delay_us) {
  EventLoop loop;
  const int64_t due_us = MonotonicUs() + delay_us;
  int64_t woken_us = 0;
  loop.SetTurn([&] {
    if (MonotonicUs() >= due_us) {
      woken_us = MonotonicUs();
      loop.Stop();
    } else {
      loop.WakeAt(due_us);
    }
    return false;
  });
  loop.RequestTurn();
  loop.Run();
  return woken_us - due_us;
}

}  // namespace

TEST_CASE("the loop wakes at a time, not a millisecond late", "[event_loop]") {
  for (const int64_t delay_us : {-5'000, 0, 300, 2'900, 3'100, 11'000}) {
    // The least late of many: the machine may be busy.
    int64_t least_us = INT64_MAX;
    for (int i = 0; i < 200 && least_us > 800; ++i) {
      const int64_t late_us = LatenessOf(delay_us);
      CHECK(late_us >= 0);
      least_us = std::min(least_us, delay_us < 0 ? late_us + delay_us : late_us);
    }
    INFO("asked for in " << delay_us << " us");
    CHECK(least_us <= 800);
  }
}

TEST_CASE("a later time takes the place of an earlier one", "[event_loop]") {
  EventLoop loop;
  const int64_t start_us = MonotonicUs();
  int64_t woken_us = 0;
  loop.SetTurn([&] {
    if (MonotonicUs() >= start_us + 20'000) {
      woken_us = MonotonicUs();
      loop.Stop();
    }
    loop.WakeAt(start_us + 20'000);
    return false;
  });
  loop.WakeAt(start_us + 500);
  loop.WakeAt(INT64_MAX);
  loop.WakeAt(start_us + 1'000);
  loop.Run();
  CHECK(woken_us >= start_us + 20'000);
}

}  // namespace pinyon
