// Finds keys that an RDB file has twice, which end a server's loading, without remembering the keys: their
// hashes are gathered while the file is read, and only if one of them was there twice the file is read again
// with an eye on the keys that have it (rdb_check.h).
//
// Costs: 8 to 16 bytes a key, and sorting them at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace pinyon {

class KeyHashes {
 public:
  explicit KeyHashes(const HashSeed& seed) : seed_(seed) {}

  void Add(int database, std::string_view key);
  uint64_t HashOf(int database, std::string_view key) const;
  // Hashes that were added more than once, in order. What was added is forgotten.
  std::vector<uint64_t> TakeRepeated();

 private:
  // By the first byte: what a vector takes for growing is a small part of the whole.
  static constexpr size_t kParts = 256;

  HashSeed seed_;
  std::array<std::vector<uint64_t>, kParts> parts_;
};

}  // namespace pinyon
