// The arithmetic of token buckets: the bound, against a model in exact fractions; waiting times; the clock
// going back; limits that change.
#include "ratelimit/token_bucket.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "ratelimit/bucket_state.h"

namespace pinyon {

namespace {

__extension__ using Int128 = __int128;

constexpr int64_t kNow = 1'700'000'000'000;

// The theoretical arrival time of GCRA as a fraction in lowest terms, as the recommendation writes it:
// independent of how TokenBucket counts.
class Fraction {
 public:
  Fraction(Int128 numerator, Int128 denominator = 1) : numerator_(numerator), denominator_(denominator) {
    Int128 a = numerator < 0 ? -numerator : numerator, b = denominator;
    while (b != 0) {
      const Int128 rest = a % b;
      a = b;
      b = rest;
    }
    if (a != 0) {
      numerator_ /= a;
      denominator_ /= a;
    }
  }
  friend Fraction operator+(const Fraction& a, const Fraction& b) {
    return {a.numerator_ * b.denominator_ + b.numerator_ * a.denominator_, a.denominator_ * b.denominator_};
  }
  friend bool operator<(const Fraction& a, const Fraction& b) {
    return a.numerator_ * b.denominator_ < b.numerator_ * a.denominator_;
  }
  friend bool operator==(const Fraction& a, const Fraction& b) = default;

 private:
  Int128 numerator_;
  Int128 denominator_;
};

class Model {
 public:
  explicit Model(const BucketLimits& limits) : limits_(limits), arrival_(0) {}

  bool Take(uint64_t cost, int64_t now_ms) {
    const Fraction now(now_ms), burst = Time(limits_.capacity);
    const Fraction latest = now + burst;
    if (latest < arrival_) arrival_ = latest;
    const Fraction next = std::max(arrival_, now) + Time(cost);
    if (latest < next) return false;
    arrival_ = next;
    return true;
  }

 private:
  Fraction Time(uint64_t tokens) const {
    return {static_cast<Int128>(tokens) * static_cast<Int128>(limits_.period_ms),
            static_cast<Int128>(limits_.refill)};
  }

  BucketLimits limits_;
  Fraction arrival_;
};

// A bucket as the server keeps it: encoded between requests, gone when it is full, not stored when nothing
// has changed.
class Stored {
 public:
  explicit Stored(const BucketLimits& limits) : limits_(limits) {}

  TokenBucket At(int64_t now_ms) {
    if (bytes_ && expiry_ms_ < now_ms) bytes_.reset();
    if (!bytes_) return TokenBucket(limits_);
    BucketState state;
    REQUIRE(DecodeBucketState(*bytes_, &state));
    REQUIRE(state.limits == limits_);
    return TokenBucket(limits_, state.full_at, now_ms);
  }
  bool Take(uint64_t cost, int64_t now_ms) {
    TokenBucket bucket = At(now_ms);
    const bool has = bucket.Has(cost);
    if (has) bucket.Take(cost);
    if (!has && !bucket.was_clamped()) return false;
    const BucketState state = {.limits = limits_, .full_at = bucket.FullAt(now_ms)};
    bytes_.emplace(kBucketStateBytes, '\0');
    EncodeBucketState(state, bytes_->data());
    expiry_ms_ = static_cast<int64_t>(state.full_at.CeilMs());
    return has;
  }

 private:
  BucketLimits limits_;
  std::optional<std::string> bytes_;
  int64_t expiry_ms_ = 0;
};

struct Passed {
  int64_t forward_ms;  // how far the clock had gone forward in all
  uint64_t cost;
};

// Over any window.
bool KeepsBound(const std::vector<Passed>& passed, const BucketLimits& limits) {
  for (size_t first = 0; first < passed.size(); ++first) {
    Int128 units = 0;
    for (size_t last = first; last < passed.size(); ++last) {
      units += static_cast<Int128>(passed[last].cost) * static_cast<Int128>(limits.period_ms);
      const Int128 window_ms = passed[last].forward_ms - passed[first].forward_ms;
      const Int128 allowed = static_cast<Int128>(limits.capacity) * static_cast<Int128>(limits.period_ms) +
                             static_cast<Int128>(limits.refill) * window_ms;
      if (units > allowed) return false;
    }
  }
  return true;
}

BucketLimits RandomLimits(Random& random) {
  constexpr uint64_t kMost[] = {3, 10, 100, 5'000};
  return {.capacity = 1 + random.Below(kMost[random.Below(4)]),
          .refill = 1 + random.Below(kMost[random.Below(4)]),
          .period_ms = 1 + random.Below(kMost[random.Below(4)])};
}

// How far the clock goes between two requests: not at all, a little, or past what fills the bucket.
int64_t RandomStep(Random& random, const BucketLimits& limits, bool jumps) {
  const uint64_t fill_ms = limits.capacity * limits.period_ms / limits.refill + 2;
  const uint64_t kind = random.Below(jumps ? 12 : 10);
  if (kind < 3) return 0;
  if (kind < 7) return static_cast<int64_t>(random.Below(3));
  if (kind < 10) return static_cast<int64_t>(random.Below(random.Below(4) == 0 ? 3 * fill_ms : fill_ms));
  const int64_t jump = static_cast<int64_t>(random.Below(random.Below(2) == 0 ? 5'000'000'000 : 2 * fill_ms));
  return kind == 10 ? -jump : jump;
}

}  // namespace

TEST_CASE("Token buckets decide as exact fractions do, and keep the bound over any window", "[ratelimit]") {
  const bool jumps = GENERATE(false, true);
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(jumps, seed);
    Random random(seed);
    const BucketLimits limits = RandomLimits(random);
    CAPTURE(limits.capacity, limits.refill, limits.period_ms);
    Model model(limits);
    Stored stored(limits);
    std::vector<Passed> passed;
    int64_t now_ms = kNow, forward_ms = 0;
    for (int i = 0; i < 250; ++i) {
      const int64_t step = RandomStep(random, limits, jumps);
      now_ms += step;
      forward_ms += std::max<int64_t>(step, 0);
      const uint64_t cost = 1 + random.Below(random.Below(3) == 0 ? limits.capacity : 1);
      const bool has = stored.Take(cost, now_ms);
      REQUIRE(has == model.Take(cost, now_ms));
      if (has) passed.push_back({forward_ms, cost});
    }
    REQUIRE(KeepsBound(passed, limits));
  }
}

TEST_CASE("A refused request passes after the time it was told, and not a millisecond earlier",
          "[ratelimit]") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const BucketLimits limits = RandomLimits(random);
    Stored stored(limits);
    int64_t now_ms = kNow;
    for (int i = 0; i < 100; ++i) {
      now_ms += RandomStep(random, limits, true);
      const uint64_t cost = 1 + random.Below(limits.capacity);
      if (stored.Take(cost, now_ms)) continue;
      const int64_t wait_ms = stored.At(now_ms).WaitMs(cost);
      REQUIRE(wait_ms > 0);
      REQUIRE(!stored.At(now_ms + wait_ms - 1).Has(cost));
      REQUIRE(stored.At(now_ms + wait_ms).Has(cost));
      const int64_t full_ms = stored.At(now_ms).FullInMs();
      REQUIRE(wait_ms <= full_ms);
      REQUIRE(!stored.At(now_ms + full_ms - 1).IsFull());
      REQUIRE(stored.At(now_ms + full_ms).IsFull());
      if (random.Below(2) == 0) now_ms += wait_ms;
    }
  }
}

TEST_CASE("A full burst passes, then the rate, however odd it is", "[ratelimit]") {
  // Three tokens every seven milliseconds for a year's worth of takes would drift by any rounding.
  const BucketLimits limits = {.capacity = 5, .refill = 3, .period_ms = 7};
  Stored stored(limits);
  uint64_t taken = 0;
  for (int64_t ms = 0; ms <= 700'000; ++ms) {
    while (stored.Take(1, kNow + ms)) ++taken;
  }
  CHECK(taken == 5 + 300'000);
}

TEST_CASE("When the clock goes back nothing is minted, and nobody is locked out", "[ratelimit]") {
  const BucketLimits limits = {.capacity = 10, .refill = 1, .period_ms = 1000};
  Stored stored(limits);
  for (int i = 0; i < 10; ++i) REQUIRE(stored.Take(1, kNow));
  const int64_t back = kNow - 86'400'000;
  CHECK(!stored.Take(1, back));
  CHECK(!stored.Take(1, back + 999));
  CHECK(stored.Take(1, back + 1000));
  CHECK(!stored.Take(1, back + 1000));
  CHECK(stored.At(back + 1000).WaitMs(10) == 10'000);
  // A little back: what was missing is missing, and a little more.
  Stored other(limits);
  REQUIRE(other.Take(2, kNow));
  CHECK(other.At(kNow - 1500).Tokens() == 6);
  CHECK(!other.At(kNow - 1500).was_clamped());
}

TEST_CASE("Refunds never go above the capacity", "[ratelimit]") {
  TokenBucket bucket({.capacity = 10, .refill = 1, .period_ms = 3});
  bucket.Take(7);
  bucket.Refund(2);
  CHECK(bucket.Tokens() == 5);
  bucket.Refund(BucketLimits::kMaxTokens);
  CHECK(bucket.Tokens() == 10);
  CHECK(bucket.IsFull());
}

TEST_CASE("Limits that change keep the tokens that are missing", "[ratelimit]") {
  TokenBucket bucket({.capacity = 5, .refill = 5, .period_ms = 60'000});
  bucket.Take(3);
  SECTION("a larger bucket") {
    bucket.ChangeLimits({.capacity = 10, .refill = 1'000, .period_ms = 1'000});
    CHECK(bucket.Tokens() == 7);
    CHECK(bucket.FullInMs() == 3);
  }
  SECTION("a smaller one") {
    bucket.ChangeLimits({.capacity = 2, .refill = 1, .period_ms = 1'000});
    CHECK(bucket.Tokens() == 0);
    CHECK(bucket.FullInMs() == 2'000);
  }
  SECTION("parts of a token are rounded up") {
    TokenBucket part({.capacity = 5, .refill = 1, .period_ms = 3}, {.ms = kNow + 2, .fraction = 0}, kNow);
    part.ChangeLimits({.capacity = 5, .refill = 1, .period_ms = 2});  // 2/3 of a token: 4/3 of its halves
    CHECK(part.FullInMs() == 2);
  }
}

TEST_CASE("The largest numbers do not overflow", "[ratelimit]") {
  constexpr uint64_t kTokens = BucketLimits::kMaxTokens, kPeriod = BucketLimits::kMaxPeriodMs;
  CHECK(!BucketLimits{.capacity = kTokens, .refill = 1, .period_ms = kPeriod}.FillsInTime());
  CHECK(BucketLimits{.capacity = kTokens, .refill = kTokens, .period_ms = kPeriod}.FillsInTime());
  CHECK(BucketLimits{.capacity = 1, .refill = 1, .period_ms = kPeriod}.FillsInTime());
  CHECK(!BucketLimits{.capacity = 0, .refill = 1, .period_ms = 1}.InRange());
  CHECK(!BucketLimits{.capacity = 1, .refill = kTokens + 1, .period_ms = 1}.InRange());
  CHECK(!BucketLimits{.capacity = 1, .refill = 1, .period_ms = kPeriod + 1}.InRange());
  const BucketLimits largest = {.capacity = kTokens, .refill = kTokens, .period_ms = kPeriod};
  Stored stored(largest);
  CHECK(stored.Take(kTokens, kNow));
  CHECK(!stored.Take(1, kNow));
  CHECK(stored.At(kNow).WaitMs(kTokens) == static_cast<int64_t>(kPeriod));
  CHECK(stored.At(kNow).WaitMs(UINT64_MAX) > static_cast<int64_t>(kPeriod));
  CHECK(stored.At(kNow + static_cast<int64_t>(kPeriod)).IsFull());
  TokenBucket bucket = stored.At(kNow);
  bucket.ChangeLimits({.capacity = kTokens, .refill = kTokens, .period_ms = 1});
  CHECK(bucket.FullInMs() == 1);
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const auto limits = [&random] {
      return BucketLimits{.capacity = 1 + random.Below(kTokens >> random.Below(48)),
                          .refill = 1 + random.Below(kTokens >> random.Below(48)),
                          .period_ms = 1 + random.Below(kPeriod >> random.Below(40))};
    };
    const BucketLimits first = limits(), second = limits();
    if (!first.FillsInTime() || !second.FillsInTime()) continue;
    Stored any(first);
    const uint64_t cost = 1 + random.Below(first.capacity);
    REQUIRE(any.Take(cost, kNow));
    TokenBucket changed = any.At(kNow);
    REQUIRE(changed.Tokens() == first.capacity - cost);
    changed.ChangeLimits(second);
    REQUIRE(changed.Tokens() == second.capacity - std::min(cost, second.capacity));
  }
}

TEST_CASE("The bytes of a bucket are as documented, and nothing else is one", "[ratelimit]") {
  const BucketState state = {
      .limits = {.capacity = 0x010203040506, .refill = 0x1112131415, .period_ms = 0x21222324},
      .full_at = {.ms = 0x313233343536, .fraction = 0x1112131414}};
  std::string bytes(kBucketStateBytes, 'x');
  EncodeBucketState(state, bytes.data());
  const std::string expected(
      "\xd4\xc2\x01"
      "\x06\x05\x04\x03\x02\x01"
      "\x15\x14\x13\x12\x11\x00"
      "\x24\x23\x22\x21\x00"
      "\x36\x35\x34\x33\x32\x31"
      "\x14\x14\x13\x12\x11\x00",
      kBucketStateBytes);
  CHECK(bytes == expected);
  BucketState decoded;
  CHECK(DecodeBucketState(bytes, &decoded));
  CHECK(decoded == state);

  const auto refused = [&](std::string changed) { return !DecodeBucketState(changed, &decoded); };
  CHECK(refused(""));
  CHECK(refused(bytes.substr(1)));
  CHECK(refused(bytes + "x"));
  CHECK(refused(std::string(kBucketStateBytes, '\0')));
  const auto with = [&](size_t at, size_t count, char byte) {
    return std::string(bytes).replace(at, count, std::string(count, byte));
  };
  CHECK(refused(with(0, 1, 'T')));
  CHECK(refused(with(2, 1, 2)));
  CHECK(refused(with(3, 6, 0)));   // no capacity
  CHECK(refused(with(9, 6, 0)));   // no refill
  CHECK(refused(with(15, 5, 0)));  // no period
  std::string slow = with(15, 5, '\xff');
  slow.replace(9, 6, std::string("\x01\0\0\0\0\0", 6));
  CHECK(refused(slow));                 // would take too long to fill
  CHECK(refused(with(26, 6, '\xff')));  // a fraction of more than one
  CHECK(decoded == state);
  CHECK(!refused(with(20, 6, '\xff')));  // any time is one
  CHECK(TokenBucket(decoded.limits, decoded.full_at, kNow).was_clamped());
}

}  // namespace pinyon
