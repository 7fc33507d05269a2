// Waiting for what another process or thread brings about.
#pragma once

#include <chrono>
#include <thread>

namespace pinyon::testing {

// Whether `condition` comes to hold within `limit`; asked again and again.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace pinyon::testing
