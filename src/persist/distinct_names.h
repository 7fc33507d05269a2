// Whether the names in a packed hash, set or sorted set that comes from outside are all different: compared
// with each other while they are few, else by a table of their hashes, whose room is kept for the next value.
// A number and its text are the same name.
//
// Costs: a few nanoseconds a name.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "types/listpack.h"

namespace pinyon {

class DistinctNames {
 public:
  explicit DistinctNames(const HashSeed& seed) : seed_(seed) {}

  // Of every `stride`th element of a well-formed listpack, from the first on.
  bool Check(const ListpackView& listpack, size_t stride);

 private:
  static bool CheckPairs(const ListpackView& listpack, size_t stride);
  bool CheckByHash(const ListpackView& listpack, size_t stride, size_t names);

  HashSeed seed_;
  std::vector<uint64_t> slots_;  // [high half of a hash: 32][offset: 32]; 0: free
};

}  // namespace pinyon
