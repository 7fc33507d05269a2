// What it costs to split segments, told by items that count how often they are read.
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "types/hash_table_impl.h"

namespace pinyon {
namespace {

struct CountedItem {
  [[maybe_unused]] static constexpr size_t kPrefetchLines = 1;
  static constexpr bool kCanExpire = false;
  static constexpr bool kCountsBytes = false;

  std::string_view key() const {
    ++reads;
    return {reinterpret_cast<const char*>(&id), sizeof id};
  }
  static void Delete(CountedItem* item) { std::unique_ptr<CountedItem>(item).reset(); }

  uint64_t id;
  static inline size_t reads = 0;
};

using CountedTable = HashTable<CountedItem>;

// Returns the most items that one insertion has read.
size_t Add(CountedTable* table, uint64_t first, uint64_t last) {
  size_t most = 0;
  for (uint64_t id = first; id < last; ++id) {
    auto item = std::make_unique<CountedItem>(CountedItem{id});
    const uint64_t hash = table->Hash(item->key());
    CountedItem::reads = 0;
    table->Insert(item.release(), hash);
    most = std::max(most, CountedItem::reads);
  }
  return most;
}

void Remove(CountedTable* table, uint64_t first, uint64_t last) {
  for (uint64_t id = first; id < last; ++id) {
    const std::string_view key(reinterpret_cast<const char*>(&id), sizeof id);
    CountedItem::Delete(table->Remove(table->Find(key, table->Hash(key))));
    table->Tidy();
  }
}

}  // namespace

TEST_CASE("splitting a segment reads few of its items", "[table]") {
  constexpr uint64_t kItems = 300'000;
  constexpr size_t kMostRead = 650;  // of some 6,500 in a segment that is full
  CountedTable table(HashSeed{1, 2});
  CHECK(Add(&table, 0, kItems) < kMostRead);
  CHECK(table.DirectoryDepth() >= 5);
  table.CheckConsistency();

  // Merged segments know the bit in which they differed.
  Remove(&table, kItems / 50, kItems);
  CHECK(table.DirectoryDepth() < 5);
  table.CheckConsistency();
  CHECK(Add(&table, kItems, 2 * kItems) < kMostRead);
  table.CheckConsistency();
}

}  // namespace pinyon
