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
  bool has_asked = false;
  loop.SetTurn([&] {
    const int64_t now_us = MonotonicUs();
    if (has_asked && now_us >= due_us) {
      woken_us = now_us;
      loop.Stop();
    } else {
      loop.WakeAt(due_us);
    }
    has_asked = true;
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
  const int64_t due_us = MonotonicUs() + 50'000;
  int turns = 0;
  loop.SetTurn([&] {
    ++turns;
    if (MonotonicUs() >= due_us) loop.Stop();
    loop.WakeAt(due_us);
    return false;
  });
  loop.WakeAt(due_us - 49'500);
  loop.WakeAt(INT64_MAX);
  loop.WakeAt(due_us - 49'000);
  loop.Run();
  // One for each that was asked for, at most, one some milliseconds before the last, and one for the loop's
  // beginning: nothing goes round in circles.
  CHECK(turns <= 6);
}

}  // namespace pinyon
