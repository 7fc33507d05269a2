#include "base/background_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace pinyon {

namespace {

// What sched_setattr(2) takes; the C library does not have it.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime_ns;
  uint64_t deadline_ns;
  uint64_t period_ns;
};

}  // namespace

void TakeBackgroundPriority(int nice) {
  // Whoever gave the server a real-time policy wants its threads to keep it.
  if (sched_getscheduler(0) != SCHED_OTHER) return;
  // From Linux 6.12 on a thread may ask for shorter slices than the usual ones of milliseconds, in which it
  // goes on though another has woken; older ones ignore that.
  constexpr uint64_t kSliceNs = 100'000;
  constexpr int kLeast = 19;
  // (0 is the calling thread: priorities are each thread's own in Linux.)
  const int nice_then = std::min(getpriority(PRIO_PROCESS, 0) + nice, kLeast);
  const SchedulingAttributes attributes = {.size = sizeof attributes,
                                           .policy = SCHED_BATCH,
                                           .flags = 0,
                                           .nice = nice_then,
                                           .priority = 0,
                                           .runtime_ns = kSliceNs,
                                           .deadline_ns = 0,
                                           .period_ns = 0};
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return;
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, 0, nice_then);
}

}  // namespace pinyon
