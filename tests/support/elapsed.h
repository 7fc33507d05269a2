// How long something has taken, for tests that say so when it took too long or too short.
#pragma once

#include <chrono>
#include <cstdint>

namespace pinyon::testing {

inline int64_t MsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start)
      .count();
}

}  // namespace pinyon::testing
