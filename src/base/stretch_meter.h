// How much CPU time a thread's longest stretch of work took (a turn of the loop), for the price of two reads
// of the cycle counter a stretch. The thread's CPU clock is a system call, so it is asked only when a stretch
// may be the longest, or when as much work as kUnaskedCycles has gone by since.
//
// What is reported is the lesser of the time that passed during the stretch and the CPU time that the thread
// has used since it was last asked for: never less than the stretch took, and at most that unasked work more.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace pinyon {

class StretchMeter {
 public:
  // Something is about to be done. Within a stretch it changes nothing.
  void Begin() {
    if (begin_ == 0) begin_ = CycleClock::Now();
  }

  void End() {
    if (begin_ == 0) return;
    const uint64_t cycles = CycleClock::Now() - begin_;
    begin_ = 0;
    unasked_ += cycles;
    if (cycles > longest_cycles_ || unasked_ > kUnaskedCycles) Ask(cycles);
  }

  uint64_t longest_us() const { return longest_us_; }

 private:
  static constexpr uint64_t kUnaskedCycles = 500'000;

  void Ask(uint64_t cycles) {
    const int64_t cpu_ns = ThreadCpuNs();
    const auto used_us = static_cast<uint64_t>(cpu_ns - cpu_ns_) / 1000;
    const uint64_t bound_us = std::min(clock_.ToUs(cycles), used_us);
    if (bound_us > longest_us_) {
      longest_us_ = bound_us;
      longest_cycles_ = static_cast<uint64_t>(static_cast<double>(bound_us) * clock_.CyclesPerUs());
    }
    cpu_ns_ = cpu_ns;
    unasked_ = 0;
  }

  CycleClock clock_;
  uint64_t begin_ = 0;  // 0: between stretches
  uint64_t unasked_ = 0;
  int64_t cpu_ns_ = ThreadCpuNs();  // when it was last asked for
  uint64_t longest_us_ = 0;
  uint64_t longest_cycles_ = 0;
};

}  // namespace pinyon
