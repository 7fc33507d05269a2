#include "differential/generator.h"

namespace pinyon::differential {
namespace {

constexpr Generator kGenerators[] = {
    {"strings", AppendStrings, true, 1},
    {"bitmaps", AppendBitmaps, true, 1},
    {"lists", AppendLists, true, 1},
    {"sets", AppendSets, true, 1},
    {"hyperloglog", AppendHyperLogLog, true, 1},
    {"hashes", AppendHashes, true, 1},
    {"zset_algebra", AppendZsetAlgebra, true, 1},
    {"zsets", AppendZsets, true, 1},
    {"geo", AppendGeo, true, 1},
    {"sort", AppendSort, false, 1},
    {"generic", AppendGeneric, true, 1},
    {"dump", AppendDump, true, 1},
    {"expiry", AppendExpiry, true, 1},
    {"transactions", AppendTransactions, true, 1},
    {"eviction", AppendEviction, false, 2},
    {"connection", AppendConnection, false, 1},
    {"pubsub", AppendPubSub, false, 5},
    {"tracking", AppendTracking, false, 5},
    {"acl", AppendAcl, false, 1},
    {"protocol", AppendProtocol, false, 5},
};

}  // namespace

std::span<const Generator> AllGenerators() { return kGenerators; }

std::vector<Step> GenerateRound(Random& random, const Pool& pool, std::span<const Generator> families,
                                size_t count) {
  std::vector<Step> steps;
  count /= families.front().cost;
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
