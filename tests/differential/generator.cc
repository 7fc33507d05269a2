#include "differential/generator.h"

namespace pinyon::differential {
namespace {

constexpr Generator kGenerators[] = {
    {"strings", AppendStrings, true},           {"bitmaps", AppendBitmaps, true},
    {"generic", AppendGeneric, true},           {"expiry", AppendExpiry, true},
    {"transactions", AppendTransactions, true}, {"connection", AppendConnection, false},
    {"protocol", AppendProtocol, false},
};

}  // namespace

std::span<const Generator> AllGenerators() { return kGenerators; }

std::vector<Step> GenerateRound(Random& random, const Pool& pool, std::span<const Generator> families,
                                size_t count) {
  std::vector<Step> steps;
  steps.reserve(count + 64);
  while (steps.size() < count) {
    if (pool.collections && random.OneIn(20)) steps.push_back({.args = MakeCollection(random)});
    const size_t first = steps.size();
    random.Pick(families).append(random, pool, steps);
    for (size_t i = first; i < steps.size(); ++i) Mutate(random, steps[i]);
  }
  return steps;
}

}  // namespace pinyon::differential
