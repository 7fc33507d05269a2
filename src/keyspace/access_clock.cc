#include "keyspace/access_clock.h"

#include <algorithm>

namespace pinyon {

namespace {

// The pace is considered after so many evictions.
constexpr uint32_t kEvictedPerLook = 32;
// Entries that go should be between these ages: the lower, the less is told apart.
constexpr uint64_t kYoungTicks = 128;
constexpr uint64_t kOldTicks = 2048;

}  // namespace

void AccessClock::ChangeSpeed(int speed) {
  // From now on, which may be between two ticks: what it shows does not go back.
  const Change change = {now_ms_, static_cast<int64_t>(ticks_), speed};
  newest_ = (newest_ + 1) % kChanges;
  changes_[newest_] = change;
  speed_ = speed;
  evicted_ = 0;
  ages_ = 0;
}

void AccessClock::NoteEvicted(uint64_t age_ticks) {
  last_evicted_ms_ = now_ms_;
  ages_ += std::min(age_ticks, kOldTicks * 2);
  if (++evicted_ < kEvictedPerLook) return;
  const uint64_t age = ages_ / evicted_;
  evicted_ = 0;
  ages_ = 0;
  if (age < kYoungTicks && speed_ < kMaxSpeed) {
    ChangeSpeed(speed_ + 1);
  } else if (age > kOldTicks && speed_ > 0) {
    ChangeSpeed(speed_ - 1);
  }
}

int64_t AccessClock::MsAt(uint64_t ticks) const {
  const auto wanted = static_cast<int64_t>(ticks);
  size_t at = newest_;
  for (size_t i = 1; i < kChanges && changes_[at].ticks > wanted && changes_[at].ms != 0; ++i) {
    at = (at + kChanges - 1) % kChanges;
  }
  const Change& change = changes_[at];
  // The first millisecond that shows so many ticks.
  const int64_t per_second = kSlowTicksPerSecond << change.speed;
  const int64_t thousandths = (wanted - change.ticks) * 1000;
  return change.ms +
         (thousandths >= 0 ? (thousandths + per_second - 1) / per_second : thousandths / per_second);
}

uint64_t AccessClock::TicksAt(int64_t ms) const {
  size_t at = newest_;
  for (size_t i = 1; i < kChanges && changes_[at].ms > ms && changes_[at].ms != 0; ++i) {
    at = (at + kChanges - 1) % kChanges;
  }
  return TicksAt(ms, changes_[at]);
}

}  // namespace pinyon
