// Everything that Pinyon answers otherwise than the oracle, Redis 7.0, on purpose: the one list, with the
// reasons.
#pragma once

#include <span>

#include "differential/compare.h"

namespace pinyon::differential {

std::span<const Rule> KnownDifferences();

}  // namespace pinyon::differential
