#include "keyspace/table.h"

#include <algorithm>
#include <cmath>

#include "table_fixture.h"

namespace pinyon {
namespace {

TEST_CASE_METHOD(TableFixture, "an empty table finds nothing and owns nothing") {
  CHECK_FALSE(Find("a"));
  CHECK(table.size() == 0);
  CHECK(table.OverheadBytes() == 0);
  CHECK(table.Scan(0, 10, [](Entry*) { FAIL("an entry"); }) == 0);
  CHECK_FALSE(table.RandomPosition(random));
  CHECK_FALSE(table.RandomExpiring(random));
  CHECK_FALSE(table.Maintain(10, 10));
  CHECK(table.ExpireDue(1'000'000, [](Table::Position) { return true; }));
  table.PrefetchBucket(1);
  table.PrefetchItem(1);
  table.CheckConsistency();
}

// Room for `items` keys, of which every `expiring_each`th expires, and then `inserted` of them.
struct ReserveTest : TableFixture {
  void Run(uint64_t items, uint64_t expiring_each, uint64_t inserted) {
    const auto expires = [=](uint64_t i) { return expiring_each != 0 && i % expiring_each == 0; };
    table.Reserve(items, expiring_each == 0 ? 0 : items / expiring_each);
    table.CheckConsistency();
    reserved = table.OverheadBytes();
    for (uint64_t i = 0; i < inserted; ++i) Insert(KeyOf(i), expires(i) ? 1'000'000 : kNoExpiry);
    table.CheckConsistency();
    for (uint64_t i = 0; i < inserted; ++i) {
      if (!Find(KeyOf(i))) FAIL(KeyOf(i));
    }
    CHECK(table.size() == inserted);
  }

  size_t reserved = 0;
};

TEST_CASE_METHOD(ReserveTest, "a table that was told its size hardly grows", "[table]") {
  const uint64_t items = GENERATE(1, 7, 100, 5'000, 200'000);
  const uint64_t expiring_each = GENERATE(0, 1, 3, 100'000);
  Run(items, expiring_each, items);
  // (Where few keys expire there may be no room for deadlines at first.)
  CHECK(table.OverheadBytes() <= reserved + reserved / 4 + 1024);
  CHECK(reserved <= items * 18 + 1024);
}

TEST_CASE_METHOD(ReserveTest, "a table that was told too much shrinks, too little grows", "[table]") {
  SECTION("too much") {
    Run(300'000, 2, 1'000);
    CHECK(table.RandomPosition(random));
    MaintainFully();
    CHECK(table.OverheadBytes() < 30'000);
  }
  SECTION("too little") { Run(1'000, 0, 100'000); }
  SECTION("nothing") { Run(0, 0, 100); }
  table.CheckConsistency();
}

// Random changes against a model, in phases that grow, stay and shrink.
struct ModelTest : TableFixture {
  struct Value {
    int64_t value;
    int64_t expiry_ms;
  };

  int64_t RandomExpiry(unsigned percent) {
    return random.Below(100) < percent ? static_cast<int64_t>(random.Below(1'000'000)) : kNoExpiry;
  }

  void Step(uint64_t keys, unsigned insert_percent, unsigned expiring_percent) {
    const std::string key = KeyOf(random.Below(keys));
    const auto known = model.find(key);
    const Table::Position found = Find(key);
    if (static_cast<bool>(found) != (known != model.end())) FAIL("presence of " << key);
    if (found && (found->integer() != known->second.value || found->expiry_ms() != known->second.expiry_ms)) {
      FAIL("value of " << key);
    }
    const Value value{static_cast<int64_t>(random.Next()), RandomExpiry(expiring_percent)};
    if (random.Below(100) < insert_percent) {
      if (!found) {
        const Table::Position inserted = Insert(key, value.expiry_ms, value.value);
        if (inserted->key() != key) FAIL("position of " << key);
      } else {
        Entry* old = found.entry();
        Entry* entry = Entry::NewInteger(key, value.expiry_ms, value.value);
        const Table::Position replaced =
            table.Replace(found, entry, old->HasExpiry() && random.Below(2) == 0 ? 0 : table.Hash(key));
        Entry::Delete(old);
        if (replaced.entry() != entry) FAIL("position of " << key);
      }
      model[key] = value;
    } else if (found) {
      Entry* removed = table.Remove(found);
      if (removed->key() != key) FAIL("removal of " << key);
      Entry::Delete(removed);
      model.erase(known);
    }
    if (random.Below(20) == 0) table.Maintain(1 + random.Below(4), 1 + random.Below(3));
  }

  void Compare() {
    table.CheckConsistency();
    REQUIRE(table.size() == model.size());
    size_t expiring = 0, visited = 0;
    for (const auto& [key, value] : model) expiring += value.expiry_ms != kNoExpiry;
    REQUIRE(table.expiring() == expiring);
    table.ForEach([&](Entry* entry) {
      ++visited;
      if (model.count(std::string(entry->key())) == 0) FAIL("unknown " << entry->key());
    });
    REQUIRE(visited == model.size());
  }

  std::unordered_map<std::string, Value> model;
};

TEST_CASE_METHOD(ModelTest, "a table behaves as a map does") {
  INFO("seed " << Catch::rngSeed());
  const unsigned expiring_percent = GENERATE(0u, 5u, 100u);
  for (const uint64_t keys : {uint64_t{30}, uint64_t{1000}, uint64_t{30'000}}) {
    for (const unsigned insert_percent : {90u, 50u, 10u, 70u, 0u}) {
      for (int part = 0; part < 3; ++part) {
        for (uint64_t i = 0; i < std::max<uint64_t>(300, keys * 2 / 3); ++i)
          Step(keys, insert_percent, expiring_percent);
        Compare();
      }
    }
  }
}

TEST_CASE_METHOD(TableFixture, "an item that is known by its address is moved where it stands", "[table]") {
  constexpr int kKeys = 20'000;
  std::vector<Entry*> entries;
  for (int i = 0; i < kKeys; ++i)
    entries.push_back(Insert(KeyOf(i), i % 3 == 0 ? 1'000'000 : kNoExpiry, i).entry());
  const auto copy = [](Entry* entry) {
    Entry* moved = Entry::NewInteger(entry->key(), entry->expiry_ms(), entry->integer());
    Entry::Delete(entry);
    return moved;
  };
  for (int i = 0; i < kKeys; i += 2) {
    // Not by its key alone, nor by its address with another hash.
    Entry* other = Entry::NewInteger(KeyOf(i), kNoExpiry, i);
    REQUIRE_FALSE(table.RelocateItem(other, table.Hash(KeyOf(i)), copy));
    Entry::Delete(other);
    REQUIRE_FALSE(table.RelocateItem(entries[i], ~table.Hash(KeyOf(i)), copy));
    REQUIRE(table.RelocateItem(entries[i], table.Hash(KeyOf(i)), copy));
  }
  table.CheckConsistency();
  for (int i = 0; i < kKeys; ++i) {
    const Table::Position position = Find(KeyOf(i));
    REQUIRE(position);
    CHECK(position->integer() == i);
    CHECK((position.entry() == entries[i]) == (i % 2 != 0));
  }
}

TEST_CASE_METHOD(TableFixture,
                 "where an item most likely is tells nine in ten, and next to nothing of others", "[table]") {
  constexpr uint64_t kKeys = 20'000;
  const unsigned expiring_every = GENERATE(0u, 3u);
  for (uint64_t i = 0; i < kKeys; ++i) {
    Insert(KeyOf(i), expiring_every != 0 && i % expiring_every == 0 ? 1'000'000 : kNoExpiry);
  }
  uint64_t found = 0, others = 0;
  for (uint64_t i = 0; i < kKeys; ++i) {
    const uint64_t hash = table.Hash(KeyOf(i));
    const auto likely = table.FindLikely(hash, true);
    CHECK(table.FindLikely(hash).deadline == nullptr);
    if (likely.item == nullptr) continue;
    const auto* item = reinterpret_cast<const char*>(Find(KeyOf(i)).entry());
    likely.item == item ? ++found : ++others;
    CHECK((likely.deadline != nullptr) == (expiring_every != 0));
    Table::PrefetchLikely(likely);
  }
  CHECK(found > kKeys * 90 / 100);
  CHECK(others < kKeys / 100);
  uint64_t mistaken = 0;
  for (uint64_t i = kKeys; i < 2 * kKeys; ++i) {
    if (table.FindLikely(table.Hash(KeyOf(i))).item != nullptr) ++mistaken;
  }
  CHECK(mistaken < kKeys / 100);
}

TEST_CASE_METHOD(TableFixture, "a table grows to 300,000 keys and shrinks back to nothing") {
  INFO("seed " << Catch::rngSeed());
  constexpr uint64_t kKeys = 300'000;
  const unsigned expiring_every = GENERATE(0u, 1u);
  double least = 100, most = 0;
  for (uint64_t i = 0; i < kKeys; ++i) {
    Insert(KeyOf(i), expiring_every == 0 ? kNoExpiry : 1'000'000, static_cast<int64_t>(i));
    if (table.size() < 50'000 || i % 64 != 0) continue;
    const double bytes_per_key =
        static_cast<double>(table.OverheadBytes()) / static_cast<double>(table.size());
    least = std::min(least, bytes_per_key);
    most = std::max(most, bytes_per_key);
  }
  INFO("between " << least << " and " << most << " bytes a key");
  const double deadline = expiring_every == 0 ? 0 : 2.2;
  CHECK(least > 9.9 + deadline);
  CHECK(most < 12.8 + (expiring_every == 0 ? 0 : 2.8));
  table.CheckConsistency();
  for (uint64_t i = 0; i < kKeys; ++i) {
    const Table::Position position = Find(KeyOf(i));
    if (!position || position->integer() != static_cast<int64_t>(i)) FAIL("key " << i);
  }

  // Memory follows the keys down.
  size_t bytes = table.OverheadBytes();
  uint64_t removed = 0;
  for (const uint64_t left : {kKeys / 2, kKeys / 5, kKeys / 20, kKeys / 100, kKeys / 1000, uint64_t{0}}) {
    for (; removed < kKeys - left; ++removed) Remove(KeyOf(removed));
    MaintainFully();
    table.CheckConsistency();
    INFO(left << " left: " << table.OverheadBytes() << " bytes, depth " << table.DirectoryDepth());
    if (left <= kKeys / 5) CHECK(table.OverheadBytes() < bytes);
    CHECK(table.OverheadBytes() <= left * 40 + 400);
    bytes = table.OverheadBytes();
  }
  CHECK(table.DirectoryDepth() == 0);
  CHECK(table.SegmentCount() == 1);
  CHECK(table.expiring() == 0);
  Insert("again");
  CHECK(Find("again"));
}

TEST_CASE_METHOD(TableFixture, "the first expiring key of a full table is found and counted") {
  for (uint64_t i = 0; i < 20'000; ++i) Insert(KeyOf(i));
  const size_t without = table.OverheadBytes();
  for (uint64_t i = 0; i < 20'000; i += 7) Replace(KeyOf(i), 5000);
  table.CheckConsistency();
  CHECK(table.expiring() == (20'000 + 6) / 7);
  CHECK(table.OverheadBytes() > without);
  for (uint64_t i = 0; i < 20'000; i += 7) Replace(KeyOf(i), kNoExpiry);
  CHECK(table.expiring() == 0);
  CHECK_FALSE(table.RandomExpiring(random));
  table.CheckConsistency();
}

TEST_CASE("memory and entries go with the table") {
  mem::RegisterThread();
  mem::Free(mem::Allocate(1), 1);
  uint64_t before = 0, held = 0;
  for (int round = 0; round < 2; ++round) {  // first so that the allocator's own lists have grown
    before = mem::UsedBytes();
    auto table = std::make_unique<Table>(HashSeed{1, 2});
    for (int i = 0; i < 50'000; ++i) {
      const std::string key = KeyOf(static_cast<uint64_t>(i));
      table->Insert(Entry::NewInteger(key, i % 3 == 0 ? 1 : kNoExpiry, i), table->Hash(key));
    }
    held = mem::UsedBytes();
    table.reset();
  }
  CHECK(held > before + 50'000 * 30);
  CHECK(mem::UsedBytes() == before);
}

// --- scans ---

struct ScanTest : TableFixture {
  // One whole scan with changes between its calls; returns how often each key came.
  std::unordered_map<std::string, int> ScanAll(size_t count, const std::function<void(int)>& between) {
    std::unordered_map<std::string, int> seen;
    uint64_t cursor = 0;
    int calls = 0;
    do {
      cursor = table.Scan(cursor, count, [&](Entry* entry) { ++seen[std::string(entry->key())]; });
      if (++calls > 2'000'000) FAIL("a scan without end");
      between(calls);
    } while (cursor != 0);
    return seen;
  }
};

TEST_CASE_METHOD(ScanTest, "a scan of a table at rest gives each key once, in portions") {
  for (const uint64_t keys : {1, 2, 30, 500, 40'000}) {
    for (uint64_t i = table.size(); i < keys; ++i) Insert(KeyOf(i));
    for (const size_t count : {1, 10, 1000, 1'000'000}) {
      int calls = 0;
      const auto seen = ScanAll(count, [&](int call) { calls = call; });
      REQUIRE(seen.size() == keys);
      for (const auto& [key, times] : seen) REQUIRE(times == 1);
      // A portion is at least what was asked for, and not much more than a bucket's overflow.
      CHECK(static_cast<size_t>(calls) <= keys / count + table.SlotCapacity() / count + 2);
    }
  }
}

TEST_CASE_METHOD(ScanTest, "a scan returns what is there throughout while keys come and go") {
  INFO("seed " << Catch::rngSeed());
  for (int round = 0; round < 12; ++round) {
    const uint64_t stable = 1 + random.Below(3000);
    const uint64_t others = random.Below(20'000);
    for (uint64_t i = 0; i < stable; ++i) {
      if (!Find("stable:" + KeyOf(i))) Insert("stable:" + KeyOf(i), i % 5 == 0 ? 1000 : kNoExpiry);
    }
    const auto seen = ScanAll(1 + random.Below(50), [&](int call) {
      for (uint64_t i = random.Below(60); i > 0; --i) {
        const std::string key = KeyOf(random.Below(others + 1));
        // Mostly insertions for a while, then mostly removals.
        const bool insert = random.Below(10) < (call / 64 % 2 == 0 ? 8u : 2u);
        if (insert && !Find(key)) Insert(key, random.Below(2) == 0 ? 1000 : kNoExpiry);
        if (!insert && Find(key)) Remove(key);
      }
      table.Maintain(3, 2);
    });
    for (uint64_t i = 0; i < stable; ++i) {
      if (seen.count("stable:" + KeyOf(i)) == 0) FAIL("missed stable:" << KeyOf(i) << " in round " << round);
    }
  }
  table.CheckConsistency();
}

TEST_CASE_METHOD(ScanTest, "a scan survives growth from 10 to 100,000 keys and shrinking back") {
  INFO("seed " << Catch::rngSeed());
  for (uint64_t i = 0; i < 10; ++i) Insert("stable:" + KeyOf(i));
  constexpr uint64_t kMost = 100'000;
  // Grows after the first call, and shrinks somewhere on the way.
  for (const int shrink_at : {2, 30, 300, 3000}) {
    uint64_t inserted = 0, removed = 0;
    const auto seen = ScanAll(5, [&](int call) {
      if (call == 1) {
        for (; inserted < kMost; ++inserted) Insert(KeyOf(inserted));
      }
      if (call < shrink_at) return;
      for (uint64_t i = 0; i < 2000 && removed < inserted; ++i, ++removed) Remove(KeyOf(removed));
      table.Maintain(table.SegmentCount(), 100);
    });
    for (uint64_t i = 0; i < 10; ++i) CHECK(seen.count("stable:" + KeyOf(i)) == 1);
    for (; removed < inserted; ++removed) Remove(KeyOf(removed));
    MaintainFully();
    CHECK(table.size() == 10);
    CHECK(table.DirectoryDepth() == 0);
    table.CheckConsistency();
  }
}

TEST_CASE_METHOD(ScanTest, "any number is a cursor, and from it a scan ends") {
  for (uint64_t i = 0; i < 30'000; ++i) Insert(KeyOf(i));
  for (int round = 0; round < 300; ++round) {
    uint64_t cursor = random.Next() >> random.Below(64);
    size_t visited = 0;
    do {
      cursor = table.Scan(cursor, 1000, [&](Entry*) { ++visited; });
      REQUIRE(visited <= 2 * table.size());
    } while (cursor != 0);
  }
}

// --- random choice ---

// Chi-square of `counts` against equal odds, in standard deviations from what chance gives.
double Unfairness(const std::vector<int>& counts) {
  double rounds = 0;
  for (const int count : counts) rounds += count;
  const double expected = rounds / static_cast<double>(counts.size());
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size() - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}

TEST_CASE_METHOD(TableFixture, "random keys are fair, in small, large and almost empty tables") {
  INFO("seed " << Catch::rngSeed());
  for (const uint64_t keys : {2, 20, 100, 10'000, 17'000}) {
    for (uint64_t i = table.size(); i < keys; ++i) Insert(KeyOf(i), kNoExpiry, static_cast<int64_t>(i));
    std::vector<int> counts(keys);
    for (uint64_t i = 0; i < std::max<uint64_t>(keys * 20, 10'000); ++i) {
      ++counts[static_cast<size_t>(table.RandomPosition(random)->integer())];
    }
    INFO(keys << " keys");
    CHECK(Unfairness(counts) < 6);
  }
  // Only a few left in all that room.
  for (uint64_t i = 5; i < 17'000; ++i) Remove(KeyOf(i));
  std::vector<int> counts(5);
  for (int i = 0; i < 2000; ++i) ++counts[static_cast<size_t>(table.RandomPosition(random)->integer())];
  CHECK(Unfairness(counts) < 6);
}

TEST_CASE_METHOD(TableFixture, "random expiring keys are found even where they are few, each of them") {
  INFO("seed " << Catch::rngSeed());
  for (uint64_t i = 0; i < 150'000; ++i)
    Insert(KeyOf(i), i % 30'000 == 0 ? 1000 : kNoExpiry, static_cast<int64_t>(i));
  REQUIRE(table.expiring() == 5);
  std::unordered_map<int64_t, int> seen;
  for (int i = 0; i < 2000; ++i) {
    const Table::Position position = table.RandomExpiring(random);
    REQUIRE(position->HasExpiry());
    ++seen[position->integer()];
  }
  CHECK(seen.size() == 5);
  for (const auto& [value, times] : seen) CHECK(times > 50);
}

}  // namespace
}  // namespace pinyon
