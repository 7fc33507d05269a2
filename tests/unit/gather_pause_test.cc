#include "server/gather_pause.h"

#include <catch2/catch.hpp>
#include <vector>

namespace pinyon {
namespace {

// Clients that come again `cycle_us` after they came, `together` of them at a time.
int64_t PauseFor(size_t clients, int64_t cycle_us, size_t together = 1, int64_t max_us = 60) {
  GatherPause pause(max_us);
  std::vector<int64_t> last(clients, 0);
  const int64_t step_us =
      std::max<int64_t>(cycle_us * static_cast<int64_t>(together) / static_cast<int64_t>(clients), 1);
  int64_t now_us = 0;
  for (size_t turn = 0, next = 0; turn < 20'000; ++turn) {
    now_us += step_us;
    pause.NoteTurn(now_us, together);
    for (size_t i = 0; i < together; ++i) pause.NoteClient(now_us, &last[next++ % clients]);
  }
  return pause.WaitUs();
}

}  // namespace

TEST_CASE("nothing is known at first, and nobody waits") {
  const int64_t max_us = 60;
  CHECK(GatherPause(max_us).WaitUs() == 0);
}

TEST_CASE("many busy clients are gathered") {
  CHECK(PauseFor(50, 1'500) == 60);
  CHECK(PauseFor(50, 1'000) >= 48);
  CHECK(PauseFor(50, 1'000, 4) >= 48);
  CHECK(PauseFor(1'000, 20'000) == 60);
}

TEST_CASE("a pause is never more than a twentieth of a client's cycle") {
  CHECK(PauseFor(50, 300) == 0);
  CHECK(PauseFor(4, 60) == 0);
  CHECK(PauseFor(1, 25) == 0);
  for (const int64_t cycle_us : {400, 500, 777, 1'100}) CHECK(PauseFor(64, cycle_us) <= cycle_us / 20);
}

TEST_CASE("nobody waits for clients that come seldom") {
  CHECK(PauseFor(1, 1'000) == 0);
  CHECK(PauseFor(10, 1'000) == 0);
  CHECK(PauseFor(100, 1'000'000) == 0);
  // A look after a long rest.
  const int64_t max_us = 60;
  GatherPause pause(max_us);
  int64_t last_us = 0;
  pause.NoteTurn(3'600'000'000, 1);
  pause.NoteClient(3'600'000'000, &last_us);
  CHECK(pause.WaitUs() == 0);
}

TEST_CASE("the directive bounds the pause and turns it off") {
  CHECK(PauseFor(50, 1'500, 1, 0) == 0);
  CHECK(PauseFor(50, 1'500, 1, 10) == 0);
  CHECK(PauseFor(50, 1'500, 1, 40) == 40);
  CHECK(PauseFor(50, 1'500, 1, 1'000) == GatherPause::kMaxUs);
}

}  // namespace pinyon
