// The arithmetic of a token bucket: the generic cell rate algorithm (GCRA, ITU-T I.371) in integers, without
// drift.
//
// A bucket holds up to `capacity` tokens and gains `refill` of them every `period_ms`, evenly: one every
// period_ms / refill milliseconds, which need not be a whole number. So it counts in units of 1 / period_ms
// of a token: a millisecond brings `refill` units, a token is `period_ms` of them, and every quantity below
// is a whole number.
//
//   missing     what the bucket lacks of being full, in units; 0 to capacity * period_ms
//   FullTime    when it will be full: now + missing / refill, as whole milliseconds and a fraction over
//               `refill`. This (GCRA's theoretical arrival time) is all that has to be kept, and it is exact.
//
// The bound: let the clock show t0 at one request and t1 at a later one. Between them, both included, tokens
// pass for no more than
//
//   capacity + refill / period_ms * (how far the clock went forward from t0 to t1)
//
// whatever the pattern, the costs, and the clock's jumps. (The clock counts whole milliseconds: against a
// finer one the window is at most one millisecond longer.) It follows from this: `missing` grows by the cost
// of what passes, must not grow beyond capacity * period_ms, and shrinks only by what the clock goes forward.
//
// When the clock goes back, the stored time lies further ahead than a full burst could have put it; the
// bucket is then as empty as a burst leaves it, and fills from there: nothing is minted, nobody is locked
// out. Whoever sees `was_clamped` must store the bucket even if nothing passes, else it would be clamped
// anew, and stay empty, until the clock has caught up.
//
// Changing the limits of a bucket keeps the tokens that are missing, rounded up to a unit, as far as the new
// capacity goes: who used three of five has used three of ten, and tokens used at a high rate do not come
// back at once at a low one.
//
// Costs: 48 bytes, a few multiplications and divisions of 64 bits for each question.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/assert.h"

namespace pinyon {

struct BucketLimits {
  // What is in range never overflows, and fits the layout of bucket_state.h.
  static constexpr uint64_t kMaxTokens = (uint64_t{1} << 48) - 1;
  static constexpr uint64_t kMaxPeriodMs = (uint64_t{1} << 40) - 1;  // 34 years
  static constexpr uint64_t kMaxFillMs = uint64_t{1} << 46;          // 2,231 years

  uint64_t capacity;
  uint64_t refill;
  uint64_t period_ms;

  bool operator==(const BucketLimits&) const = default;
  // Whether every number is at least 1 and in range.
  bool InRange() const {
    return capacity - 1 < kMaxTokens && refill - 1 < kMaxTokens && period_ms - 1 < kMaxPeriodMs;
  }
  // Whether an empty bucket is full within kMaxFillMs.
  bool FillsInTime() const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<Wide>(capacity) * period_ms <= static_cast<Wide>(kMaxFillMs) * refill;
  }
};

struct FullTime {
  uint64_t ms = 0;        // Unix time
  uint64_t fraction = 0;  // and so many parts of `refill` of a millisecond; less than `refill`

  bool operator==(const FullTime&) const = default;
  // The first millisecond at which the bucket is full.
  uint64_t CeilMs() const { return ms + (fraction > 0 ? 1 : 0); }
};

// Decided millions of times a second: what a refusal asks is inline.
class TokenBucket {
 public:
  TokenBucket() = default;  // to be assigned to before anything else
  // A full one. Limits must be in range and fill in time.
  explicit TokenBucket(const BucketLimits& limits) : limits_(limits), was_clamped_(false), missing_(0) {
    PINYON_ASSERT(limits.InRange() && limits.FillsInTime());
  }
  // One that was to be full at `full_at`, as it is now.
  TokenBucket(const BucketLimits& limits, FullTime full_at, int64_t now_ms) : TokenBucket(limits) {
    PINYON_ASSERT(now_ms >= 0 && full_at.fraction < limits.refill);
    const uint64_t now = static_cast<uint64_t>(now_ms);
    if (full_at.ms < now) return;
    missing_ = static_cast<Wide>(full_at.ms - now) * limits.refill + full_at.fraction;
    if (missing_ <= CapacityUnits()) [[likely]]
      return;
    missing_ = CapacityUnits();
    was_clamped_ = true;
  }

  const BucketLimits& limits() const { return limits_; }
  // The clock has gone back since the state was stored, by so much that it could not stand.
  bool was_clamped() const { return was_clamped_; }

  // Only whole tokens can be taken.
  bool Has(uint64_t tokens) const { return missing_ + Units(tokens) <= CapacityUnits(); }
  // The whole tokens that are in it.
  uint64_t Tokens() const {
    return static_cast<uint64_t>(Divide(CapacityUnits() - missing_, limits_.period_ms).whole);
  }
  bool IsFull() const { return missing_ == 0; }
  // Milliseconds until Has(tokens), if nothing is taken meanwhile; 0 when it has. More tokens than the
  // capacity are meant as taken one after the other. INT64_MAX when that is later.
  int64_t WaitMs(uint64_t tokens) const {
    const Wide needed = missing_ + Units(tokens);
    return needed <= CapacityUnits() ? 0 : CeilToInt64(Divide(needed - CapacityUnits(), limits_.refill));
  }
  // Milliseconds until it is full.
  int64_t FullInMs() const { return CeilToInt64(Divide(missing_, limits_.refill)); }

  void Take(uint64_t tokens);  // which it has
  void Refund(uint64_t tokens);
  void ChangeLimits(const BucketLimits& limits);

  FullTime FullAt(int64_t now_ms) const;

 private:
  __extension__ using Wide = unsigned __int128;
  struct Quotient {
    Wide whole;
    uint64_t rest;
  };

  // Nearly always both fit in 64 bits, whose division takes a quarter of the time.
  static Quotient Divide(Wide dividend, uint64_t divisor) {
    if (static_cast<uint64_t>(dividend >> 64) == 0) [[likely]] {
      const uint64_t narrow = static_cast<uint64_t>(dividend);
      return {narrow / divisor, narrow % divisor};
    }
    return {dividend / divisor, static_cast<uint64_t>(dividend % divisor)};
  }
  static int64_t CeilToInt64(const Quotient& quotient) {
    const Wide ceiling = quotient.whole + (quotient.rest > 0 ? 1 : 0);
    return static_cast<int64_t>(std::min<Wide>(ceiling, INT64_MAX));
  }

  Wide Units(uint64_t tokens) const { return static_cast<Wide>(tokens) * limits_.period_ms; }
  Wide CapacityUnits() const { return Units(limits_.capacity); }

  BucketLimits limits_;
  bool was_clamped_;
  Wide missing_;
};

}  // namespace pinyon
