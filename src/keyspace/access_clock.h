// The clock of last accesses under the policies that go by them. It counts sixteenths of a second, of which
// an entry keeps 28 bits: six months, as idle times that clients are told (in seconds) go in Redis.
//
// That is too coarse for a small cache under heavy traffic, which replaces all that it holds within a
// sixteenth of a second: most entries would seem equally old. So eviction tells the clock how old the entries
// were that went, and when they are young the clock goes faster, up to 1024 ticks a second; entries keep what
// they have, and go on to compare. When they are old again, or none were evicted for a while, it goes at its
// old pace. The last few changes are remembered, so that idle times stay right to the second.
//
// A fast clock wraps around after three days. Under a volatile policy, entries that never go may tell idle
// times modulo that.
//
// Costs: a multiplication for each unit, nothing for an access.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pinyon {

class AccessClock {
 public:
  static constexpr int64_t kSlowTicksPerSecond = 16;
  static constexpr int kMaxSpeed = 6;  // the pace doubles so often

  void SetNow(int64_t now_ms) {
    now_ms_ = now_ms;
    if (speed_ > 0 && now_ms - last_evicted_ms_ > kFastForMs) [[unlikely]]
      ChangeSpeed(0);
    ticks_ = TicksAt(now_ms, changes_[newest_]);
  }

  int64_t now_ms() const { return now_ms_; }
  uint64_t ticks() const { return ticks_; }
  int speed() const { return speed_; }

  // The unit's time at which the clock showed `ticks`, and what it showed at a time; as far as is remembered.
  int64_t MsAt(uint64_t ticks) const;
  uint64_t TicksAt(int64_t ms) const;

  // An entry was evicted that was last used so many ticks ago.
  void NoteEvicted(uint64_t age_ticks);

 private:
  static constexpr size_t kChanges = 16;
  static constexpr int64_t kFastForMs = 10'000;

  struct Change {
    int64_t ms = 0;
    int64_t ticks = 0;
    int speed = 0;
  };

  // Rounded down, also before the change.
  static uint64_t TicksAt(int64_t ms, const Change& change) {
    const int64_t thousandths = (ms - change.ms) * (kSlowTicksPerSecond << change.speed);
    return static_cast<uint64_t>(change.ticks +
                                 (thousandths >= 0 ? thousandths / 1000 : (thousandths - 999) / 1000));
  }
  void ChangeSpeed(int speed);

  int64_t now_ms_ = 0;
  uint64_t ticks_ = 0;
  int speed_ = 0;
  // Since the first change, which is the beginning of time: a ring.
  std::array<Change, kChanges> changes_{};
  size_t newest_ = 0;
  int64_t last_evicted_ms_ = 0;
  uint32_t evicted_ = 0;
  uint64_t ages_ = 0;  // of those, summed
};

}  // namespace pinyon
