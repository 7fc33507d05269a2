// Delta debugging: the shortest subsequence that still shows a difference.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "differential/step.h"

namespace pinyon::differential {

// Drops ever smaller stretches of `steps` as long as `fails` stays true for what remains. Runs `fails` until
// no single step can be dropped or `seconds` have passed. Any failure counts, not only the first one's.
std::vector<Step> Shrink(std::vector<Step> steps, const std::function<bool(std::span<const Step>)>& fails,
                         double seconds);

}  // namespace pinyon::differential
