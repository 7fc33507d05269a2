#include "keyspace/access_clock.h"

#include <catch2/catch.hpp>

#include "eviction_fixture.h"

namespace pinyon {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

// Evictions of entries that were used `age_ms` before, for a while.
void EvictFor(AccessClock& clock, int64_t* now_ms, int64_t age_ms, int evictions = 2'000) {
  for (int i = 0; i < evictions; ++i) {
    clock.SetNow(*now_ms += 1);
    clock.NoteEvicted(clock.ticks() - clock.TicksAt(*now_ms - age_ms));
  }
}

}  // namespace

TEST_CASE("access clock: sixteenths of a second of Unix time, while entries that go are old") {
  AccessClock clock;
  clock.SetNow(kNow + 999);
  CHECK(clock.ticks() == kNow / 1000 * 16 + 15);
  int64_t now_ms = kNow;
  EvictFor(clock, &now_ms, 60'000);
  CHECK(clock.speed() == 0);
  CHECK(clock.ticks() == static_cast<uint64_t>(now_ms * 16 / 1000));
}

TEST_CASE("access clock: goes faster while entries that go are young, never back, and right to the second") {
  AccessClock clock;
  int64_t now_ms = kNow;
  clock.SetNow(now_ms);
  const uint64_t at_start = clock.ticks();
  uint64_t last = at_start;
  EvictFor(clock, &now_ms, 50);
  CHECK(clock.speed() == AccessClock::kMaxSpeed);
  for (int i = 0; i < 100; ++i) {
    clock.SetNow(++now_ms);
    CHECK(clock.ticks() >= last);
    last = clock.ticks();
  }
  clock.SetNow(now_ms + 1);
  CHECK(clock.ticks() >= last + 1);
  CHECK(clock.MsAt(at_start) / 1000 == kNow / 1000);
  CHECK(clock.TicksAt(kNow) == at_start);
  CHECK(clock.MsAt(clock.TicksAt(now_ms - 5)) == now_ms - 5);

  SECTION("slower when they are older") {
    EvictFor(clock, &now_ms, 100'000);
    CHECK(clock.speed() == 0);
  }
  SECTION("and when none goes") {
    clock.SetNow(now_ms += 20'000);
    CHECK(clock.speed() == 0);
  }
  const uint64_t before = clock.ticks();
  clock.SetNow(now_ms + 10'000);
  CHECK(clock.ticks() - before >= 160);
  CHECK(clock.ticks() - before <= 161);
  CHECK(clock.MsAt(at_start) / 1000 == kNow / 1000);
}

TEST_CASE("access clock: idle times are right whatever its pace was meanwhile") {
  EvictionTest t(EvictionPolicy::kAllkeysLru);
  t.Set("old");
  const auto idle_of_old = [&] { return t.keyspace.IdleSeconds(t.keyspace.database(0).Peek("old").entry()); };
  int64_t now_ms = kEvictionTestNow + 7'000;
  t.keyspace.set_now_ms(now_ms);
  CHECK(idle_of_old() == 7);
  EvictFor(t.keyspace.access_clock(), &now_ms, 50);
  CHECK(t.keyspace.access_clock().speed() > 0);
  CHECK(idle_of_old() == 9);
  t.Set("restored");
  Entry* restored = t.keyspace.database(0).Peek("restored").entry();
  for (const int64_t idle_s : {0, 1, 5, 1'000}) {
    t.keyspace.SetAccess(restored, idle_s, -1);
    CHECK(t.keyspace.IdleSeconds(restored) == idle_s);
  }
  EvictFor(t.keyspace.access_clock(), &now_ms, 50, 91'000);
  CHECK(idle_of_old() == 100);
  CHECK(t.keyspace.IdleSeconds(restored) == 1'091);
}

}  // namespace pinyon
