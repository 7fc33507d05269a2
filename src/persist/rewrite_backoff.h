// When the append-only file is rewritten by itself: the rule of auto-aof-rewrite-percentage and -min-size,
// and Redis's back-off after rewrites that failed: from the third failure in a row on, the next is put off by
// a minute, then two, four, up to an hour. Each attempt starts a new incremental file, so that without the
// back-off a disk that stays full would fill with small files, too. A rewrite that a user asks for is not put
// off.
//
// Pure: times are passed in (monotonic, milliseconds).
#pragma once

#include <algorithm>
#include <cstdint>

namespace pinyon {

// Sizes are of all files together: after the last rewrite (or at start), and now. A percentage of 0 is off.
inline bool AofHasGrown(uint64_t size_after_rewrite, uint64_t size_now, int64_t percentage,
                        uint64_t min_size) {
  if (percentage <= 0 || size_now <= min_size) return false;
  const uint64_t before = std::max<uint64_t>(size_after_rewrite, 1);
  if (size_now <= before) return false;
  // Wide enough: sizes stay below 2^63, percentages below 2^31.
  __extension__ using Wide = unsigned __int128;
  return Wide{size_now - before} * 100 >= Wide{before} * static_cast<uint64_t>(percentage);
}

class RewriteBackoff {
 public:
  static constexpr int kFailuresBeforeDelay = 3;
  static constexpr int64_t kFirstDelayMs = 60 * 1000;
  static constexpr int64_t kLongestDelayMs = 60 * 60 * 1000;

  void Succeeded() { failures_ = 0; }
  void Failed(int64_t now_ms) {
    ++failures_;
    next_ms_ = now_ms + DelayMs();
  }
  // Whether a rewrite may start by itself.
  bool MayStart(int64_t now_ms) const { return failures_ < kFailuresBeforeDelay || now_ms >= next_ms_; }
  // What the failures so far put the next one off by.
  int64_t DelayMs() const {
    if (failures_ < kFailuresBeforeDelay) return 0;
    const int doublings = std::min(failures_ - kFailuresBeforeDelay, 6);
    return std::min(kFirstDelayMs << doublings, kLongestDelayMs);
  }
  int failures() const { return failures_; }  // in a row

 private:
  int failures_ = 0;
  int64_t next_ms_ = 0;
};

}  // namespace pinyon
