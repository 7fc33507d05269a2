// Clocks. Wall time is Unix time; monotonic time starts anywhere. All reads are a few nanoseconds up to some
// 25 (no system call), except ThreadCpuNs, which asks the kernel.
#pragma once

#include <time.h>

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace pinyon {

inline int64_t ReadClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline int64_t WallUs() { return ReadClockNs(CLOCK_REALTIME) / 1000; }
inline int64_t WallMs() { return ReadClockNs(CLOCK_REALTIME) / 1'000'000; }
inline int64_t MonotonicUs() { return ReadClockNs(CLOCK_MONOTONIC) / 1000; }
// CPU time that the calling thread has used.
inline int64_t ThreadCpuNs() { return ReadClockNs(CLOCK_THREAD_CPUTIME_ID); }

// The cheapest clock there is, in units of its own: for measuring every command. Units are converted by
// comparing with the monotonic clock since the start, so no time is lost on calibration.
class CycleClock {
 public:
  CycleClock() : start_cycles_(Now()), start_ns_(ReadClockNs(CLOCK_MONOTONIC)) {}

  static uint64_t Now() {
#if defined(__x86_64__)
    return __rdtsc();
#else
    return static_cast<uint64_t>(ReadClockNs(CLOCK_MONOTONIC));
#endif
  }

  // Cycles per microsecond, more exact the longer the process has run; at least 1.
  double CyclesPerUs() const {
    const double elapsed_us = static_cast<double>(ReadClockNs(CLOCK_MONOTONIC) - start_ns_) / 1000.0;
    const double elapsed_cycles = static_cast<double>(Now() - start_cycles_);
    return elapsed_us < 1.0 || elapsed_cycles < elapsed_us ? 1.0 : elapsed_cycles / elapsed_us;
  }
  uint64_t ToUs(uint64_t cycles) const {
    return static_cast<uint64_t>(static_cast<double>(cycles) / CyclesPerUs());
  }

 private:
  uint64_t start_cycles_;
  int64_t start_ns_;
};

}  // namespace pinyon
