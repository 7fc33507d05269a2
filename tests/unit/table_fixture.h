// What tests of the table share: entries made and found by key, and a model that the table is compared with.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/random.h"
#include "keyspace/table.h"

namespace pinyon {

// Replayed by the seed that Catch prints and takes (--rng-seed).
class TableFixture {
 public:
  TableFixture() : random(Catch::rngSeed()), table(HashSeed{random.Next(), random.Next()}) {}

  Table::Position Find(std::string_view key) { return table.Find(key, table.Hash(key)); }
  // The key must not be there.
  Table::Position Insert(std::string_view key, int64_t expiry_ms = kNoExpiry, int64_t value = 0) {
    return table.Insert(Entry::NewInteger(key, expiry_ms, value), table.Hash(key));
  }
  // The key must be there.
  void Replace(std::string_view key, int64_t expiry_ms, int64_t value = 0) {
    const Table::Position position = Find(key);
    Entry* old = position.entry();
    table.Replace(position, Entry::NewInteger(key, expiry_ms, value), table.Hash(key));
    Entry::Delete(old);
  }
  void Remove(std::string_view key) { Entry::Delete(table.Remove(Find(key))); }
  // Until there is nothing more to do: shrinking by one step may make room for another.
  void MaintainFully() {
    for (int quiet = 0; quiet < 34;) {
      const size_t depth = table.DirectoryDepth();
      const bool more = table.Maintain(table.SegmentCount() + 1, 1000);
      quiet = more || table.DirectoryDepth() != depth ? 0 : quiet + 1;
    }
  }

  Random random;
  Table table;
};

inline std::string KeyOf(uint64_t number) { return "key:" + std::to_string(number); }

}  // namespace pinyon
