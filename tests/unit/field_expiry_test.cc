#include "keyspace/field_expiry.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "base/hash.h"
#include "base/random.h"
#include "types/field.h"

namespace pinyon {

namespace {

constexpr int64_t kIndexedAt = 1'700'000'000'000;

HashSeed TestSeed() { return HashSeed{Catch::rngSeed(), 17}; }

struct Index {
  void Set(const std::string& key, int64_t due_ms) { index.Set(key, HashBytes(key, seed), due_ms); }
  void Remove(const std::string& key) { index.Remove(key, HashBytes(key, seed)); }
  // The key that was found, "" for none.
  std::string TakeDue(int64_t now_ms) {
    std::string key;
    const auto found = index.TakeDue(
        now_ms, [] { return false; }, &key);
    CHECK(found != FieldExpiry::Search::kStopped);
    return found == FieldExpiry::Search::kFound ? key : "";
  }

  HashSeed seed = TestSeed();
  FieldExpiry index{seed};
};

}  // namespace

TEST_CASE("an index of due hashes gives each key once, when its time has passed", "[field_expiry]") {
  Index index;
  index.Set("a", kIndexedAt + 5);
  index.Set("b", kIndexedAt + 10);
  index.Set("b", kIndexedAt + 1000);
  index.Set("c", kIndexedAt + 5);
  index.Remove("c");
  index.Remove("never there");
  CHECK(index.index.size() == 2);
  CHECK(index.TakeDue(kIndexedAt + 5).empty());
  CHECK(index.TakeDue(kIndexedAt + 6) == "a");
  CHECK(index.TakeDue(kIndexedAt + 500).empty());
  index.Set("b", kIndexedAt + 400);
  CHECK(index.TakeDue(kIndexedAt + 500) == "b");
  CHECK(index.index.size() == 0);
}

TEST_CASE("an index of due hashes does what a map does", "[field_expiry]") {
  Index index;
  Random random(Catch::rngSeed());
  std::map<std::string, int64_t> model;
  int64_t now_ms = kIndexedAt;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = std::string(random.Below(40), 'k') + std::to_string(random.Below(300));
    switch (random.Below(4)) {
      case 0:
        index.Remove(key);
        model.erase(key);
        break;
      case 1: {
        // Now and then far beyond what a deadline reaches.
        now_ms += static_cast<int64_t>(random.Below(random.Below(50) == 0 ? 10'000'000 : 200));
        for (std::string due; !(due = index.TakeDue(now_ms)).empty();) {
          REQUIRE(model.contains(due));
          CHECK(model[due] < now_ms);
          model.erase(due);
        }
        for (const auto& [name, due_ms] : model) CHECK(due_ms >= now_ms);
        break;
      }
      default: {
        const int64_t due_ms =
            now_ms + static_cast<int64_t>(random.Below(random.Below(9) == 0 ? 1 << 30 : 9000));
        index.Set(key, due_ms);
        model[key] = due_ms;
      }
    }
    REQUIRE(index.index.size() == model.size());
    CHECK(index.index.Contains(key) == model.contains(key));
  }
}

TEST_CASE("a search for due hashes can be stopped", "[field_expiry]") {
  Index index;
  for (int i = 0; i < 20000; ++i) index.Set("key:" + std::to_string(i), kIndexedAt + 10);
  std::string key;
  int found = 0, stopped = 0;
  // The clock of the index starts at zero: every segment has to be looked at before anything is known.
  while (true) {
    const auto result = index.index.TakeDue(
        kIndexedAt, [] { return true; }, &key);
    if (result == FieldExpiry::Search::kNothingDue) break;
    CHECK(result == FieldExpiry::Search::kStopped);
    ++stopped;
  }
  CHECK(stopped > 0);
  while (index.index.TakeDue(
             kIndexedAt + 11, [] { return false; }, &key) == FieldExpiry::Search::kFound)
    ++found;
  CHECK(found == 20000);
}

TEST_CASE("a table knows a time before which nothing expires", "[field_expiry][table]") {
  FieldTable table(TestSeed());
  CHECK(table.EarliestDueMs() == INT64_MAX);
  const auto add = [&](std::string_view name, int64_t expiry_ms) {
    table.Insert(Field::New(name, "v", expiry_ms), table.Hash(name));
  };
  add("never", Field::kNoExpiry);
  CHECK(table.EarliestDueMs() == INT64_MAX);
  table.ExpireDue(kIndexedAt, [](FieldTable::Position) { return true; });
  add("late", kIndexedAt + 1'000'000);
  add("soon", kIndexedAt + 10'000);
  CHECK(table.EarliestDueMs() <= kIndexedAt + 10'000);
  CHECK(table.EarliestDueMs() > kIndexedAt + 9'000);
  // Beyond what deadlines reach it is a bound all the same.
  FieldTable far(TestSeed());
  far.ExpireDue(kIndexedAt, [](FieldTable::Position) { return true; });
  far.Insert(Field::New("far", "v", kIndexedAt + 100'000'000'000), far.Hash("far"));
  CHECK(far.EarliestDueMs() > kIndexedAt);
  CHECK(far.EarliestDueMs() <= kIndexedAt + 100'000'000'000);
  // Of one that was never told the time, it says nothing: anything may be due.
  FieldTable fresh(TestSeed());
  fresh.Insert(Field::New("f", "v", kIndexedAt + 5), fresh.Hash("f"));
  CHECK(fresh.EarliestDueMs() <= kIndexedAt);
}

}  // namespace pinyon
