#include "ratelimit/token_bucket.h"

#include <algorithm>

#include "base/assert.h"

namespace pinyon {

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
