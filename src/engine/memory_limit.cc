#include "engine/memory_limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/clock.h"

namespace pinyon {

namespace {

constexpr int64_t kUsPerTenacity = 50;
constexpr int kDefaultTenacity = 10;
constexpr int kTenacityDoublesEvery = 5;
constexpr int kMaxTenacity = 100;
// How many keys are evicted between two looks at the clock, and at least for each command.
constexpr int kKeysAtOnce = 4;

}  // namespace

int64_t MemoryLimit::TurnUs() const {
  const int tenacity = keyspace_.eviction_options().tenacity;
  if (tenacity >= kMaxTenacity) return std::numeric_limits<int64_t>::max();
  if (tenacity <= kDefaultTenacity) return kUsPerTenacity * tenacity;
  const double doublings = static_cast<double>(tenacity - kDefaultTenacity) / kTenacityDoublesEvery;
  return static_cast<int64_t>(kUsPerTenacity * kDefaultTenacity * std::exp2(doublings));
}

uint64_t MemoryLimit::CountedBytes(uint64_t used) const {
  const uint64_t excepted = UncountedBytes() + keyspace_.lazy_free().pending_bytes();
  return used > excepted ? used - excepted : 0;
}

bool MemoryLimit::IsAbove() const {
  const uint64_t used = mem::UsedBytesOfOwner();
  return used > limit_ && CountedBytes(used) > limit_;
}

MemoryLimit::Room MemoryLimit::Evict() {
  // (While the limit was exceeded it may have been removed.)
  if (!enabled() || keyspace_.hides_expired_only()) return Room::kEnough;
  // Exact once, as what other threads hold is only known from the last time.
  const bool was_above = CountedBytes(mem::UsedBytes()) > limit_;
  Room room = Room::kEnough;
  if (was_above) {
    if (exceeded_since_us_ == 0) exceeded_since_us_ = MonotonicUs();
    room = EvictForAWhile();
  }
  if (room == Room::kEnough && exceeded_since_us_ != 0) {
    total_exceeded_us_ += CurrentExceededUs();
    exceeded_since_us_ = 0;
  }
  is_behind_ = room == Room::kMoreToCome;
  return room;
}

MemoryLimit::Room MemoryLimit::EvictForAWhile() {
  if (keyspace_.eviction_options().policy == EvictionPolicy::kNoEviction) return Room::kNone;
  if (turn_left_us_ == kNewTurn) turn_left_us_ = TurnUs();
  const int64_t start_us = MonotonicUs();
  int64_t spent_us = 0;
  Room room = Room::kMoreToCome;
  do {
    for (int i = 0; i < kKeysAtOnce && room == Room::kMoreToCome; ++i) {
      if (!eviction_.EvictOne()) room = Room::kNone;
      if (!IsAbove()) room = Room::kEnough;
    }
    spent_us = MonotonicUs() - start_us;
  } while (room == Room::kMoreToCome && spent_us < turn_left_us_);
  turn_left_us_ = std::max<int64_t>(turn_left_us_ - spent_us, 0);
  return room;
}

void MemoryLimit::OnLimitChanged() {
  ReadLimit();
  if (!enabled()) {
    total_exceeded_us_ += CurrentExceededUs();
    exceeded_since_us_ = 0;
    is_behind_ = false;
    return;
  }
  const uint64_t counted = CountedBytes(mem::UsedBytes());
  if (counted <= limit_) return;
  log_.Warning(
      "WARNING: the new maxmemory value set via CONFIG SET ({}) is smaller than the current memory usage "
      "({}). This will "
      "result in key eviction and/or the inability to accept new write commands depending on the "
      "maxmemory-policy.",
      limit_, counted);
  is_behind_ = true;
}

void MemoryLimit::OnPolicyChanged() {
  eviction_.ForgetCandidates();
  is_behind_ = enabled();
}

void MemoryLimit::Tick() {
  if (!enabled()) return;
  mem::UsedBytes();  // for UsedBytesOfOwner
  is_behind_ = is_behind_ || IsAbove();
}

int64_t MemoryLimit::CurrentExceededUs() const {
  return exceeded_since_us_ == 0 ? 0 : MonotonicUs() - exceeded_since_us_;
}

void MemoryLimit::ResetStats() {
  total_exceeded_us_ = 0;
  if (exceeded_since_us_ != 0) exceeded_since_us_ = MonotonicUs();
}

}  // namespace pinyon
