#include "base/huge_page_pace.h"

#include <catch2/catch.hpp>

namespace pinyon::mem {

TEST_CASE("huge page pace: a slow one puts the next off, for twice as long each time") {
  constexpr int64_t kSlow = HugePagePace::kSlowUs + 1, kQuick = HugePagePace::kSlowUs;
  constexpr int64_t kDelay = HugePagePace::kMinDelayUs;
  HugePagePace pace;
  int64_t now = 5'000'000;
  CHECK(pace.MayMake(now));
  pace.Note(kQuick, now);
  CHECK(pace.MayMake(now));

  pace.Note(kSlow, now);
  CHECK_FALSE(pace.MayMake(now + kDelay - 1));
  CHECK(pace.MayMake(now + kDelay));
  // One that was under way at the time tells nothing new.
  pace.Note(kSlow, now + 1);
  CHECK(pace.MayMake(now + kDelay));

  now += kDelay;
  pace.Note(kSlow, now);
  CHECK_FALSE(pace.MayMake(now + 2 * kDelay - 1));
  CHECK(pace.MayMake(now + 2 * kDelay));

  SECTION("up to a limit") {
    for (int i = 0; i < 20; ++i) {
      now += HugePagePace::kMaxDelayUs;
      pace.Note(kSlow, now);
    }
    CHECK_FALSE(pace.MayMake(now + HugePagePace::kMaxDelayUs - 1));
    CHECK(pace.MayMake(now + HugePagePace::kMaxDelayUs));
  }
  SECTION("until one is quick again") {
    now += 2 * kDelay;
    pace.Note(kQuick, now);
    pace.Note(kSlow, now);
    CHECK(pace.MayMake(now + kDelay));
  }
}

}  // namespace pinyon::mem
