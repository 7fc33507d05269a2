#include "base/assert.h"

#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace pinyon {

void PrintStackTrace() {
  constexpr int kMaxFrames = 64;
  void* frames[kMaxFrames];
  const int count = backtrace(frames, kMaxFrames);
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

void AssertionFailed(const char* condition, const char* file, int line, const char* function) {
  std::fprintf(stderr, "=== PINYON ASSERTION FAILED ===\n%s:%d: %s: '%s' is not true\n", file, line, function,
               condition);
  PrintStackTrace();
  std::abort();
}

}  // namespace pinyon
