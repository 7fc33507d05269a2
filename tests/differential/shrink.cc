#include "differential/shrink.h"

#include <algorithm>
#include <chrono>

namespace pinyon::differential {

std::vector<Step> Shrink(std::vector<Step> steps, const std::function<bool(std::span<const Step>)>& fails,
                         double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  size_t stretch = std::max<size_t>(steps.size() / 2, 1);
  while (true) {
    bool dropped = false;
    // From the back, since what stands before the failing step is more likely to matter the later it is.
    for (size_t end = steps.size(); end > 0;) {
      if (Clock::now() >= deadline) return steps;
      const size_t begin = end > stretch ? end - stretch : 0;
      std::vector<Step> fewer(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(begin));
      fewer.insert(fewer.end(), steps.begin() + static_cast<std::ptrdiff_t>(end), steps.end());
      if (!fewer.empty() && fails(fewer)) {
        steps = std::move(fewer);
        dropped = true;
      }
      end = begin;
    }
    if (stretch > 1) {
      stretch /= 2;
    } else if (!dropped) {
      return steps;
    }
  }
}

}  // namespace pinyon::differential
