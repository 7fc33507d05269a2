// The command families. A family is one file, generate_<family>.cc, and one line in AllGenerators().
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "differential/pool.h"
#include "differential/random.h"
#include "differential/step.h"

namespace pinyon::differential {

struct Generator {
  std::string_view name;
  // Appends one or more steps; what it appends depends on its arguments alone.
  void (*append)(Random& random, const Pool& pool, std::vector<Step>& steps);
  // Whether its steps also take part in rounds that mix families.
  bool mixes;
  // How much longer than a plain command one of its steps takes; rounds get so much shorter.
  size_t cost;
};

std::span<const Generator> AllGenerators();

// A sequence of about `count` steps from the given families, with mutations and, when the pool has them, keys
// of other types in between.
std::vector<Step> GenerateRound(Random& random, const Pool& pool, std::span<const Generator> families,
                                size_t count);

void AppendStrings(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendBitmaps(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendLists(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendSets(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendHyperLogLog(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendHashes(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendZsetAlgebra(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendGeo(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendSort(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendGeneric(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendDump(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendExpiry(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendTransactions(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendEviction(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendZsets(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendConnection(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendPubSub(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendTracking(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendAcl(Random& random, const Pool& pool, std::vector<Step>& steps);
void AppendProtocol(Random& random, const Pool& pool, std::vector<Step>& steps);

}  // namespace pinyon::differential
