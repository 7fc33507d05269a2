#include "base/background_priority.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

namespace pinyon {

void TakeBackgroundPriority(int nice) {
  // Whoever gave the server a real-time policy wants its threads to keep it.
  if (sched_getscheduler(0) != SCHED_OTHER) return;
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  // (0 is the calling thread: priorities are each thread's own in Linux.)
  constexpr int kLeast = 19;
  setpriority(PRIO_PROCESS, 0, std::min(getpriority(PRIO_PROCESS, 0) + nice, kLeast));
}

}  // namespace pinyon
