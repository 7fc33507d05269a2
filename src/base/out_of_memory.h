// What happens when memory cannot be had: there is no way to go on.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace pinyon::mem {

[[noreturn]] inline void OutOfMemory(size_t size) {
  std::fprintf(stderr, "Out of memory allocating %zu bytes\n", size);
  PrintStackTrace();
  std::abort();
}

}  // namespace pinyon::mem
