// Assertions. PINYON_CHECK is always compiled in and guards what must never happen in any build;
// PINYON_ASSERT states invariants and stays on in debug, sanitizer and test builds (PINYON_ASSERTIONS). A
// failure prints the condition, its place and a stack trace, and aborts: such a state is a defect of ours,
// never bad input.
#pragma once

namespace pinyon {

[[noreturn]] void AssertionFailed(const char* condition, const char* file, int line, const char* function);

// Prints the calling thread's stack to standard error; safe to call from a signal handler.
void PrintStackTrace();

}  // namespace pinyon

#define PINYON_CHECK(condition)        \
  (__builtin_expect(!!(condition), 1)) \
      ? static_cast<void>(0)           \
      : ::pinyon::AssertionFailed(#condition, __FILE__, __LINE__, static_cast<const char*>(__func__))

#ifdef PINYON_ASSERTIONS
#define PINYON_ASSERT(condition) PINYON_CHECK(condition)
#else
// Unevaluated, so that names used only by assertions do not become unused.
#define PINYON_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif
