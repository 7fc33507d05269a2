#include "persist/rewrite_backoff.h"

#include <catch2/catch.hpp>
#include <cstdint>

namespace pinyon {
namespace {

constexpr int64_t kMinute = 60 * 1000;

TEST_CASE("a log is rewritten when it has grown by the percentage beyond the least size") {
  CHECK_FALSE(AofHasGrown(100, 199, 100, 10));
  CHECK(AofHasGrown(100, 200, 100, 10));
  CHECK_FALSE(AofHasGrown(100, 200, 100, 200));  // not above the least size
  CHECK(AofHasGrown(100, 201, 100, 200));
  CHECK_FALSE(AofHasGrown(100, 1000, 0, 0));  // off
  CHECK(AofHasGrown(0, 100, 100, 10));        // from nothing
  CHECK_FALSE(AofHasGrown(100, 50, 1, 10));
  CHECK_FALSE(AofHasGrown(100, 100, 1, 10));
  CHECK(AofHasGrown(uint64_t{1} << 62, (uint64_t{1} << 63) - 1, 99, 0));
  CHECK_FALSE(AofHasGrown(uint64_t{1} << 62, (uint64_t{1} << 62) + 100, INT32_MAX, 0));
}

TEST_CASE("rewrites that fail are put off longer and longer, up to an hour") {
  RewriteBackoff backoff;
  CHECK(backoff.MayStart(0));
  backoff.Failed(0);
  backoff.Failed(0);
  CHECK(backoff.MayStart(0));
  backoff.Failed(1000);
  CHECK_FALSE(backoff.MayStart(1000));
  CHECK_FALSE(backoff.MayStart(1000 + kMinute - 1));
  CHECK(backoff.MayStart(1000 + kMinute));
  for (const int64_t minutes : {2, 4, 8, 16, 32, 60, 60, 60}) {
    backoff.Failed(5);
    CHECK(backoff.DelayMs() == minutes * kMinute);
    CHECK_FALSE(backoff.MayStart(5 + minutes * kMinute - 1));
    CHECK(backoff.MayStart(5 + minutes * kMinute));
  }
  for (int i = 0; i < 1000; ++i) backoff.Failed(5);
  CHECK(backoff.DelayMs() == 60 * kMinute);
  backoff.Succeeded();
  CHECK(backoff.MayStart(0));
  CHECK(backoff.DelayMs() == 0);
}

}  // namespace
}  // namespace pinyon
