#include "ratelimit/token_bucket.h"

#include <algorithm>

#include "base/assert.h"

namespace pinyon {

namespace {

__extension__ using Wide = unsigned __int128;

struct Quotient {
  Wide whole;
  uint64_t rest;
};

// Nearly always both fit in 64 bits, whose division takes a quarter of the time.
Quotient Divide(Wide dividend, uint64_t divisor) {
  if (static_cast<uint64_t>(dividend >> 64) == 0) [[likely]] {
    const uint64_t narrow = static_cast<uint64_t>(dividend);
    return {narrow / divisor, narrow % divisor};
  }
  return {dividend / divisor, static_cast<uint64_t>(dividend % divisor)};
}

int64_t CeilToInt64(const Quotient& quotient) {
  const Wide ceiling = quotient.whole + (quotient.rest > 0 ? 1 : 0);
  return static_cast<int64_t>(std::min<Wide>(ceiling, INT64_MAX));
}

}  // namespace

bool BucketLimits::FillsInTime() const {
  return static_cast<Wide>(capacity) * period_ms <= static_cast<Wide>(kMaxFillMs) * refill;
}

TokenBucket::TokenBucket(const BucketLimits& limits) : limits_(limits), was_clamped_(false), missing_(0) {
  PINYON_ASSERT(limits.InRange() && limits.FillsInTime());
}

TokenBucket::TokenBucket(const BucketLimits& limits, FullTime full_at, int64_t now_ms) : TokenBucket(limits) {
  PINYON_ASSERT(now_ms >= 0 && full_at.fraction < limits.refill);
  const uint64_t now = static_cast<uint64_t>(now_ms);
  if (full_at.ms < now) return;
  missing_ = static_cast<Wide>(full_at.ms - now) * limits.refill + full_at.fraction;
  if (missing_ <= CapacityUnits()) return;
  missing_ = CapacityUnits();
  was_clamped_ = true;
}

uint64_t TokenBucket::Tokens() const {
  return static_cast<uint64_t>(Divide(CapacityUnits() - missing_, limits_.period_ms).whole);
}

int64_t TokenBucket::WaitMs(uint64_t tokens) const {
  const Wide needed = missing_ + Units(tokens);
  return needed <= CapacityUnits() ? 0 : CeilToInt64(Divide(needed - CapacityUnits(), limits_.refill));
}

int64_t TokenBucket::FullInMs() const { return CeilToInt64(Divide(missing_, limits_.refill)); }

void TokenBucket::Take(uint64_t tokens) {
  PINYON_ASSERT(Has(tokens));
  missing_ += Units(tokens);
}

void TokenBucket::Refund(uint64_t tokens) { missing_ -= std::min(missing_, Units(tokens)); }

// In two steps, as their product may not fit: whole tokens, and what is left of one.
void TokenBucket::ChangeLimits(const BucketLimits& limits) {
  PINYON_ASSERT(limits.InRange() && limits.FillsInTime());
  const Quotient tokens = Divide(missing_, limits_.period_ms);
  const Quotient rest = Divide(static_cast<Wide>(tokens.rest) * limits.period_ms, limits_.period_ms);
  limits_ = limits;
  missing_ = tokens.whole * limits.period_ms + rest.whole + (rest.rest > 0 ? 1 : 0);
  missing_ = std::min(missing_, CapacityUnits());
}

FullTime TokenBucket::FullAt(int64_t now_ms) const {
  PINYON_ASSERT(now_ms >= 0);
  const Quotient time = Divide(missing_, limits_.refill);
  return {.ms = static_cast<uint64_t>(now_ms) + static_cast<uint64_t>(time.whole), .fraction = time.rest};
}

}  // namespace pinyon
