#include "keyspace/collection_value.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "keyspace/keyspace.h"
#include "types/listpack.h"
#include "types/member.h"

namespace pinyon {

namespace {

// A value that lets a test at what it has of CollectionValue.
class TestValue final : public CollectionValue {
 public:
  TestValue(Database& db, EntryRef ref) : CollectionValue(db, ref) {}
  TestValue(Database& db, Entry* detached) : CollectionValue(db, detached) {}

  Listpack listpack() { return Listpack(packed()); }
  void MakeTable(MemberTable* table) { BecomeObject(Encoding::kHashtable, table); }
  void MakeListpack(const uint8_t* bytes, size_t size) { BecomePacked(Encoding::kListpack, bytes, size); }
  MemberTable& table() { return *static_cast<MemberTable*>(object()); }
  const HashSeed& hash_seed() const { return seed(); }
};

std::vector<std::string> Elements(const Entry* entry) {
  std::vector<std::string> elements;
  const ListpackView view(entry->packed());
  PackedElement::Digits digits;
  for (auto at = view.First(); at != ListpackView::kEnd; at = view.Next(at)) {
    elements.emplace_back(view.Get(at).Text(digits));
  }
  return elements;
}

EntryRef AddListpack(Database& db, std::string_view key, int64_t expiry_ms = kNoExpiry) {
  return db.AddPacked(key, db.Hash(key), ValueType::kSet, Encoding::kListpack, expiry_ms);
}

}  // namespace

TEST_CASE("A packed value grows out of its entry and back into it", "[collection_value]") {
  Keyspace keyspace(1, Catch::rngSeed());
  Database& db = keyspace.database(0);
  Random random(Catch::rngSeed());
  const int64_t expiry_ms = GENERATE(int64_t{kNoExpiry}, int64_t{4'000'000'000'000});
  AddListpack(db, "key", expiry_ms);
  std::vector<std::string> model;
  bool was_outside = false, was_inside = false;
  for (int i = 0; i < 3000; ++i) {
    TestValue value(db, db.Find("key"));
    Listpack listpack = value.listpack();
    const size_t wanted = i / 300 % 2 == 0 ? 60 : 4;
    if (model.size() < wanted) {
      model.push_back(std::string(random.Below(30), 'a') + std::to_string(i));
      listpack.Append(model.back());
    } else {
      const size_t index = random.Below(model.size());
      listpack.Delete(listpack.Seek(static_cast<int64_t>(index)));
      model.erase(model.begin() + static_cast<ptrdiff_t>(index));
    }
    const Entry* entry = value.entry();
    CHECK(entry == db.Find("key").entry());
    (entry->IsOutOfLine() ? was_outside : was_inside) = true;
    REQUIRE(Elements(entry) == model);
    REQUIRE(entry->key() == "key");
    REQUIRE(entry->expiry_ms() == expiry_ms);
  }
  CHECK((was_outside && was_inside));
  db.table().CheckConsistency();
  db.Delete(db.Find("key"));
  CHECK(db.size() == 0);
}

TEST_CASE("A packed value becomes an object and packed again", "[collection_value]") {
  Keyspace keyspace(1, Catch::rngSeed());
  Database& db = keyspace.database(0);
  AddListpack(db, "key");
  const bool starts_outside = GENERATE(false, true);
  TestValue value(db, db.Find("key"));
  value.listpack().Append(std::string(starts_outside ? 1000 : 10, 'x'));
  CHECK(value.entry()->IsOutOfLine() == starts_outside);

  auto* table = new MemberTable(value.hash_seed());
  table->Insert(Member::New("one"), table->Hash("one"));
  value.MakeTable(table);
  CHECK(value.encoding() == Encoding::kHashtable);
  CHECK(value.entry()->IsObject());
  CHECK(db.Find("key").entry() == value.entry());
  CHECK(value.table().size() == 1);

  db.AddCopy(value.entry(), "copy", kNoExpiry);
  const EntryRef copy = db.Find("copy");
  auto* copied = static_cast<MemberTable*>(copy->pointer());
  CHECK(copied != table);
  CHECK(copied->Find("one", copied->Hash("one")).operator bool());

  TestValue again(db, db.Find("key"));
  PackedBlock block;
  Listpack::InitEmpty(block);
  Listpack(block).Append("back");
  delete &again.table();
  again.MakeListpack(block.data(), block.size());
  CHECK(Elements(db.Find("key").entry()) == std::vector<std::string>{"back"});
  CHECK(db.Find("key")->MemoryBytes() < 100);
}

TEST_CASE("A value that is built first replaces whatever was there", "[collection_value]") {
  Keyspace keyspace(1, Catch::rngSeed());
  Database& db = keyspace.database(0);
  db.SetString("key", "text", 4'000'000'000'000);
  {
    TestValue dropped(db, Database::NewPacked("key", ValueType::kSet, Encoding::kListpack));
    dropped.listpack().Append("never stored");
  }
  CHECK(db.Find("key")->type() == ValueType::kString);
  TestValue value(db, Database::NewPacked("key", ValueType::kSet, Encoding::kListpack));
  std::vector<std::string> model;
  for (int i = 0; i < 200; ++i) {
    model.push_back("element " + std::to_string(i));
    value.listpack().Append(model.back());
  }
  db.StoreEntry(value.Release());
  CHECK(db.size() == 1);
  CHECK(db.expiring() == 0);
  CHECK(Elements(db.Find("key").entry()) == model);
  db.table().CheckConsistency();
}

TEST_CASE("An expiry and another name keep a packed value", "[collection_value]") {
  Keyspace keyspace(1, Catch::rngSeed());
  Database& db = keyspace.database(0);
  const int count = GENERATE(1, 30, 200);
  TestValue value(db, AddListpack(db, "key"));
  std::vector<std::string> model;
  for (int i = 0; i < count; ++i) {
    model.push_back("element " + std::to_string(i));
    value.listpack().Append(model.back());
  }
  db.SetExpiry(db.Find("key"), 4'000'000'000'000);
  CHECK(Elements(db.Find("key").entry()) == model);
  db.Adopt(db.Detach(db.Find("key")), "another key", 4'000'000'000'001);
  CHECK(Elements(db.Find("another key").entry()) == model);
  db.SetExpiry(db.Find("another key"), kNoExpiry);
  CHECK(Elements(db.Find("another key").entry()) == model);
  CHECK(db.Find("another key")->MemoryBytes() >= db.Find("another key")->PackedSize());
}

}  // namespace pinyon
