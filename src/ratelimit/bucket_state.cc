#include "ratelimit/bucket_state.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/assert.h"

namespace pinyon {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr char kHead[] = {'\xd4', '\xc2', 1};
constexpr size_t kCapacityAt = 3;
constexpr size_t kRefillAt = 9;
constexpr size_t kPeriodAt = 15;
constexpr size_t kFullMsAt = 20;
constexpr size_t kFractionAt = 26;

// Reads the eight bytes that end with the number, which are within the state whatever the number: one load.
template <size_t kBytes>
uint64_t Load(const char* state, size_t at) {
  PINYON_ASSERT(at + kBytes >= sizeof(uint64_t));
  uint64_t value;
  std::memcpy(&value, state + at + kBytes - sizeof value, sizeof value);
  return value >> 8 * (sizeof value - kBytes);
}

template <size_t kBytes>
void Store(uint64_t value, char* out) {
  PINYON_ASSERT(value >> (8 * kBytes) == 0);
  std::memcpy(out, &value, kBytes);
}

}  // namespace

void EncodeBucketState(const BucketState& state, char* out) {
  PINYON_ASSERT(state.limits.InRange() && state.full_at.fraction < state.limits.refill);
  std::memcpy(out, kHead, sizeof kHead);
  Store<6>(state.limits.capacity, out + kCapacityAt);
  Store<6>(state.limits.refill, out + kRefillAt);
  Store<5>(state.limits.period_ms, out + kPeriodAt);
  Store<6>(state.full_at.ms, out + kFullMsAt);
  Store<6>(state.full_at.fraction, out + kFractionAt);
}

bool DecodeBucketState(std::string_view bytes, BucketState* state) {
  if (bytes.size() != kBucketStateBytes || std::memcmp(bytes.data(), kHead, sizeof kHead) != 0) return false;
  const char* in = bytes.data();
  const BucketLimits limits = {.capacity = Load<6>(in, kCapacityAt),
                               .refill = Load<6>(in, kRefillAt),
                               .period_ms = Load<5>(in, kPeriodAt)};
  const FullTime full_at = {.ms = Load<6>(in, kFullMsAt), .fraction = Load<6>(in, kFractionAt)};
  if (!limits.InRange() || !limits.FillsInTime() || full_at.fraction >= limits.refill) return false;
  *state = {.limits = limits, .full_at = full_at};
  return true;
}

}  // namespace pinyon
