// When huge pages are made: only where the kernel has them quickly. On a virtual machine whose host has yet
// to find the memory one takes 4 ms, which the loop waits for where both share a core; small pages come in
// pieces then. A slow one puts the next off for a while, for twice as long each time.
//
// Costs: two words. All functions may be called by any thread; of two notes at once one may be lost.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace pinyon::mem {

class HugePagePace {
 public:
  // What a huge page may take, of CPU time. It is 0.2 to 0.3 ms where the memory is there.
  static constexpr int64_t kSlowUs = 1000;
  static constexpr int64_t kMinDelayUs = 600'000'000;
  static constexpr int64_t kMaxDelayUs = 14'400'000'000;

  // `now_us` is monotonic time.
  bool MayMake(int64_t now_us) const { return now_us >= next_us_.load(std::memory_order_relaxed); }

  // One took `took_us` of CPU time.
  void Note(int64_t took_us, int64_t now_us) {
    if (took_us <= kSlowUs) return delay_us_.store(0, std::memory_order_relaxed);
    // Slow ones that were begun before it was put off are no news.
    if (!MayMake(now_us)) return;
    const int64_t delay_us =
        std::clamp(delay_us_.load(std::memory_order_relaxed) * 2, kMinDelayUs, kMaxDelayUs);
    delay_us_.store(delay_us, std::memory_order_relaxed);
    next_us_.store(now_us + delay_us, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> next_us_{0};
  std::atomic<int64_t> delay_us_{0};  // how long it was put off when it was last found slow
};

}  // namespace pinyon::mem
