#include "keyspace/hash_value.h"

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "keyspace/keyspace.h"

namespace pinyon {

namespace {

constexpr int64_t kNow = 1'700'000'000'000;

struct ModelField {
  std::string value;
  int64_t expiry_ms = Field::kNoExpiry;
  bool operator==(const ModelField&) const = default;
};
using Model = std::map<std::string, ModelField>;

struct ExpiredFields {
  std::string key;
  std::vector<std::string> fields;
};

class HashTest : public KeyspaceObserver {
 public:
  HashTest() : keyspace(1, Catch::rngSeed()), db(keyspace.database(0)), random(Catch::rngSeed()) {
    keyspace.set_now_ms(kNow);
    keyspace.set_observer(this);
    keyspace.set_encoding_limits(limits);
  }
  ~HashTest() override {
    db.CheckConsistency();
    db.table().CheckConsistency();
  }

  void OnExpired(int, std::string_view key) override { expired_keys.emplace_back(key); }
  void OnFieldsExpired(int, std::string_view key, std::span<const std::string_view> fields) override {
    expired.push_back({std::string(key), {fields.begin(), fields.end()}});
  }
  void OnLastFieldsExpired(int, std::string_view key) override { emptied.emplace_back(key); }
  void OnEvicted(int, std::string_view) override {}

  EntryRef Add(std::string_view key) {
    return db.AddPacked(key, db.Hash(key), ValueType::kHash, Encoding::kListpack);
  }
  HashValue Value(std::string_view key = "h") {
    EntryRef ref = db.Find(key);
    return HashValue(db, ref ? ref : Add(key));
  }
  void Fill(size_t fields, std::string_view key = "h") {
    HashValue hash = Value(key);
    for (size_t i = 0; i < fields; ++i) hash.Set("f" + std::to_string(i), "v" + std::to_string(i));
  }
  std::optional<std::string> Get(std::string_view name, std::string_view key = "h") {
    const EntryRef ref = db.Find(key);
    HashField field;
    if (!ref || !HashView(ref.entry(), keyspace.now_ms()).Find(name, &field)) return std::nullopt;
    PackedElement::Digits digits;
    return std::string(field.value.Text(digits));
  }
  HashView View(std::string_view key = "h") {
    const EntryRef ref = db.Find(key);
    REQUIRE(ref);
    return HashView(ref.entry(), keyspace.now_ms());
  }
  Model Contents(std::string_view key = "h") {
    Model model;
    if (!db.Find(key)) return model;
    PackedElement::Digits name, value;
    View(key).ForEach([&](const HashField& field) {
      const bool is_new = model
                              .emplace(std::string(field.name.Text(name)),
                                       ModelField{std::string(field.value.Text(value)), field.expiry_ms})
                              .second;
      CHECK(is_new);
    });
    return model;
  }
  void SetNow(int64_t now_ms) { keyspace.set_now_ms(now_ms); }

  EncodingLimits limits;
  Keyspace keyspace;
  Database& db;
  Random random;
  std::vector<ExpiredFields> expired;
  std::vector<std::string> expired_keys, emptied;
};

// A name or value as clients make them: numbers, short and long texts.
std::string RandomText(Random& random, size_t longest) {
  switch (random.Below(4)) {
    case 0: return std::to_string(static_cast<int64_t>(random.Next()) >> random.Below(64));
    case 1: return std::string(random.Below(longest + 1), static_cast<char>('a' + random.Below(3)));
    default: return "text" + std::to_string(random.Below(100));
  }
}

}  // namespace

TEST_CASE_METHOD(HashTest, "a hash does what a map does, in every encoding", "[hash_value]") {
  const bool with_expiries = GENERATE(false, true);
  const size_t names = GENERATE(8, 60, 700);
  limits.hash_max_listpack_entries = GENERATE(512, 20);
  Model model;
  std::set<Encoding> seen;
  int64_t now_ms = kNow;
  for (int i = 0; i < 6000; ++i) {
    const std::string name = "n" + std::to_string(random.Below(names));
    if (with_expiries && random.Below(10) == 0) SetNow(now_ms += static_cast<int64_t>(random.Below(300)));
    std::erase_if(model, [&](const auto& item) {
      return item.second.expiry_ms != Field::kNoExpiry && now_ms > item.second.expiry_ms;
    });
    HashValue hash = Value();
    const auto found = model.find(name);
    const bool exists = found != model.end();
    switch (random.Below(with_expiries ? 6 : 4)) {
      case 0:
      case 1: {
        const std::string value = RandomText(random, i % 1000 == 999 ? 70 : 60);
        const bool keep = random.Below(3) == 0;
        CHECK(hash.Set(name, value, keep ? HashValue::Expiry::kKeep : HashValue::Expiry::kDrop) == !exists);
        model[name] = {value, keep && exists ? found->second.expiry_ms : Field::kNoExpiry};
        break;
      }
      case 2:
        CHECK(hash.Delete(name) == exists);
        model.erase(name);
        break;
      case 3: {
        HashField field;
        REQUIRE(hash.view().Find(name, &field) == exists);
        PackedElement::Digits digits;
        if (exists) CHECK(field.value.Text(digits) == found->second.value);
        break;
      }
      case 4: {
        const int64_t expiry_ms = now_ms + 1 + static_cast<int64_t>(random.Below(3000));
        CHECK(hash.SetExpiry(name, expiry_ms) == exists);
        if (exists) found->second.expiry_ms = expiry_ms;
        break;
      }
      default:
        CHECK(hash.SetExpiry(name, Field::kNoExpiry) == exists);
        if (exists) found->second.expiry_ms = Field::kNoExpiry;
    }
    CHECK(hash.view().size() == model.size());
    seen.insert(hash.encoding());
    if (hash.StoredSize() == 0) db.Delete(hash.ref());
    if (i % 50 == 0) CHECK(Contents() == model);
    if (i % 500 == 0) db.CheckConsistency();
    // Deleting the key and starting over, so that all encodings are lived through from their beginning.
    if (i % 2000 == 1999 && db.Find("h")) {
      db.Delete(db.Find("h"));
      model.clear();
    }
  }
  CHECK(Contents() == model);
  if (with_expiries && names == 8) CHECK(seen.contains(Encoding::kListpackEx));
}

TEST_CASE_METHOD(HashTest, "a hash becomes a table at the configured sizes", "[hash_value]") {
  Fill(512);
  CHECK(View().encoding() == Encoding::kListpack);
  Fill(513);
  CHECK(View().encoding() == Encoding::kHashtable);
  CHECK(View().size() == 513);

  Value("v").Set("f", std::string(64, 'x'));
  CHECK(View("v").encoding() == Encoding::kListpack);
  Value("v").Set("f", std::string(65, 'x'));
  CHECK(View("v").encoding() == Encoding::kHashtable);
  CHECK(Get("f", "v") == std::string(65, 'x'));

  Value("n").Set(std::string(65, 'x'), "1");
  CHECK(View("n").encoding() == Encoding::kHashtable);
  for (const auto& [name, field] : Contents()) CHECK(field.value == "v" + name.substr(1));
}

TEST_CASE_METHOD(HashTest, "the texts of one command are looked at before any is written", "[hash_value]") {
  const std::string longest(64, 'x'), too_long(65, 'x');
  HashValue hash = Value();
  const std::string_view fitting[] = {"f", longest, "g", "1"};
  CHECK(hash.SetAll(fitting) == 2);
  CHECK(hash.encoding() == Encoding::kListpack);
  const std::string_view unfitting[] = {"f", "v", "h", too_long, "h", "short"};
  CHECK(hash.SetAll(unfitting) == 1);
  CHECK(hash.encoding() == Encoding::kHashtable);
  CHECK(Get("h") == "short");
}

TEST_CASE_METHOD(HashTest, "pairs are set in order, whether the hash is new or not", "[hash_value]") {
  const size_t count = GENERATE(1, 5, 16, 17, 600);
  const bool twice = GENERATE(false, true);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back("f" + std::to_string(twice && i + 1 == count ? 0 : i));
    texts.push_back(std::to_string(i));
  }
  const std::vector<std::string_view> pairs(texts.begin(), texts.end());
  const size_t different = twice && count > 1 ? count - 1 : count;
  CHECK(Value().SetAll(pairs) == different);
  CHECK(View().size() == different);
  CHECK(Get("f0") == (twice ? std::to_string(count - 1) : "0"));
  CHECK(Value().SetAll(pairs) == 0);
  CHECK(View().encoding() == (different > 512 ? Encoding::kHashtable : Encoding::kListpack));
}

TEST_CASE_METHOD(HashTest, "packed triplets stand in order of their expiries", "[hash_value]") {
  Fill(6);
  Value().SetExpiry("f3", kNow + 500);
  CHECK(View().encoding() == Encoding::kListpackEx);
  Value().SetExpiry("f1", kNow + 900);
  Value().SetExpiry("f5", kNow + 100);
  Value().SetExpiry("f0", kNow + 500);
  Value().Set("f9", "9");
  const auto names = [&] {
    std::string all;
    PackedElement::Digits digits;
    View().ForEach([&](const HashField& field) { all += std::string(field.name.Text(digits)) + " "; });
    return all;
  };
  CHECK(names() == "f5 f3 f0 f1 f2 f4 f9 ");
  CHECK(View().EarliestExpiryMs() == kNow + 100);
  Value().SetExpiry("f5", Field::kNoExpiry);
  CHECK(names() == "f3 f0 f1 f2 f4 f9 f5 ");
  Value().Set("f3", "new");
  CHECK(names() == "f0 f1 f2 f4 f9 f5 f3 ");
  CHECK(View().EarliestExpiryMs() == kNow + 500);
  // As in Redis the encoding stays when no expiry is left.
  Value().SetExpiry("f0", Field::kNoExpiry);
  Value().SetExpiry("f1", Field::kNoExpiry);
  CHECK(View().encoding() == Encoding::kListpackEx);
  CHECK_FALSE(View().HasExpiring());
  CHECK(db.hashes_expiring() == 0);

  // The layout that is published: field, value, Unix time in milliseconds or 0.
  Value().SetExpiry("f4", kNow + 1);
  const ListpackView listpack(db.Find("h")->packed());
  CHECK(listpack.Get(listpack.Seek(0)).text == "f4");
  CHECK(listpack.Get(listpack.Seek(1)).text == "v4");
  CHECK(listpack.Get(listpack.Seek(2)).integer == kNow + 1);
  CHECK(listpack.Get(listpack.Seek(-1)).integer == 0);
}

TEST_CASE_METHOD(HashTest, "a field is gone the millisecond after its expiry", "[hash_value]") {
  const bool as_table = GENERATE(false, true);
  Fill(4);
  if (as_table) Value().ConvertToTable();
  Value().SetExpiry("f1", kNow + 10);
  Value().SetExpiry("f2", kNow + 20);
  SetNow(kNow + 10);
  CHECK(Get("f1") == "v1");
  SetNow(kNow + 11);
  CHECK(Get("f1") == std::nullopt);
  CHECK(Get("f2") == "v2");
  CHECK(View().size() == 3);
  REQUIRE(expired.size() == 1);
  CHECK(expired[0].key == "h");
  CHECK(expired[0].fields == std::vector<std::string>{"f1"});
  CHECK(keyspace.stats().expired_fields == 1);
}

TEST_CASE_METHOD(HashTest, "a hash whose fields have all expired is not there", "[hash_value]") {
  const bool as_table = GENERATE(false, true);
  Fill(3);
  if (as_table) Value().ConvertToTable();
  for (const char* name : {"f0", "f1", "f2"}) Value().SetExpiry(name, kNow + 10);
  CHECK(db.hashes_expiring() == 1);
  SetNow(kNow + 11);
  CHECK_FALSE(db.Peek("h"));
  CHECK(db.size() == 1);
  CHECK_FALSE(db.Find("h"));
  CHECK(db.size() == 0);
  CHECK(db.hashes_expiring() == 0);
  CHECK(emptied == std::vector<std::string>{"h"});
  CHECK(expired.empty());
  CHECK(expired_keys.empty());
  CHECK(keyspace.stats().expired_fields == 3);
}

TEST_CASE_METHOD(HashTest, "what has expired is hidden where it may not be deleted", "[hash_value]") {
  const bool as_table = GENERATE(false, true);
  Fill(3);
  if (as_table) Value().ConvertToTable();
  Value().SetExpiry("f0", kNow + 10);
  Value().SetExpiry("f1", kNow + 10);
  keyspace.set_hides_expired_only(true);
  SetNow(kNow + 11);
  CHECK(Get("f0") == std::nullopt);
  CHECK(View().size() == 1);
  CHECK(View().StoredSize() == 3);
  CHECK(Contents().size() == 1);
  CHECK(db.ExpireFieldsDue([] { return false; }));
  CHECK(View().StoredSize() == 3);
  // Written again it is a new field.
  CHECK(Value().Set("f0", "again", HashValue::Expiry::kKeep));
  CHECK(Get("f0") == "again");
  CHECK_FALSE(Value().Delete("f1"));
  CHECK_FALSE(Value().SetExpiry("f1", kNow + 100));
  Value().Delete("f2");
  Value().Delete("f0");
  CHECK(expired.empty());
  // A hash of nothing but hidden fields is hidden itself, and makes way.
  Fill(1, "other");
  Value("other").SetExpiry("f0", kNow + 20);
  SetNow(kNow + 21);
  CHECK_FALSE(db.Find("other"));
  CHECK(db.hashes_expiring() >= 1);
  Add("other");
  Value("other").Set("f7", "7");
  CHECK(Contents("other").size() == 1);
  db.CheckConsistency();
  db.Delete(db.table().Find("h", db.Hash("h")));
}

TEST_CASE_METHOD(HashTest, "fields expire in the background, many in portions", "[hash_value]") {
  constexpr size_t kFields = 5000;
  Fill(kFields);
  HashValue hash = Value();
  for (size_t i = 0; i < kFields - 10; ++i) {
    hash.SetExpiry("f" + std::to_string(i), kNow + 1 + static_cast<int64_t>(i % 3));
  }
  Fill(5, "small");
  Value("small").SetExpiry("f2", kNow + 2);
  Fill(2, "gone");
  Value("gone").SetExpiry("f0", kNow + 1);
  Value("gone").SetExpiry("f1", kNow + 1);
  CHECK(db.ExpireFieldsDue([] { return false; }));
  CHECK(db.table().Find("h", db.Hash("h")));
  CHECK(keyspace.stats().expired_fields == 0);

  SetNow(kNow + 100);
  int portions = 0;
  while (!db.ExpireFieldsDue([] { return true; })) {
    ++portions;
    REQUIRE(portions < 10000);
  }
  CHECK(portions >= static_cast<int>(kFields / 64));
  CHECK(keyspace.stats().expired_fields == kFields - 10 + 1 + 2);
  CHECK(HashView(db.table().Find("h", db.Hash("h")).entry(), kNow + 100).StoredSize() == 10);
  CHECK(HashView(db.table().Find("small", db.Hash("small")).entry(), kNow + 100).StoredSize() == 4);
  CHECK_FALSE(db.table().Find("gone", db.Hash("gone")));
  CHECK(emptied == std::vector<std::string>{"gone"});
  CHECK(db.hashes_expiring() == 0);
}

TEST_CASE_METHOD(HashTest, "more expired fields than are removed at once are not seen either",
                 "[hash_value]") {
  constexpr size_t kFields = 1000;
  Fill(kFields);
  HashValue hash = Value();
  for (size_t i = 1; i < kFields; ++i) hash.SetExpiry("f" + std::to_string(i), kNow + 1);
  SetNow(kNow + 200);
  const HashView view = View();
  CHECK(view.StoredSize() > 1);
  CHECK(view.size() == 1);
  CHECK(Contents().size() == 1);
  size_t scanned = 0;
  for (uint64_t cursor = 0;;) {
    cursor = view.Scan(cursor, 10, [&](const HashField&) { ++scanned; });
    if (cursor == 0) break;
  }
  CHECK(scanned == 1);
  for (int i = 0; i < 20; ++i) {
    view.DrawRepeatedly(random, 1, [&](const HashField& field) {
      CHECK(field.name.text == "f0");
      return true;
    });
  }
  view.DrawDistinct(random, 1, [&](const HashField& field) { CHECK(field.name.text == "f0"); });
  // Set again, such a field is a new one, and is reported to have expired before.
  HashValue again = Value();
  for (size_t i = 1; i < kFields; ++i) CHECK(again.Set("f" + std::to_string(i), "x"));
  CHECK(keyspace.stats().expired_fields == kFields - 1);
  CHECK(View().size() == kFields);
}

TEST_CASE_METHOD(HashTest, "the index follows keys wherever they go", "[hash_value]") {
  const bool as_table = GENERATE(false, true);
  Fill(3);
  if (as_table) Value().ConvertToTable();
  Value().SetExpiry("f0", kNow + 1000);
  CHECK(db.hashes_expiring() == 1);
  db.AddCopy(db.Find("h").entry(), "copy", kNoExpiry);
  CHECK(db.hashes_expiring() == 2);
  Entry* moved = db.Detach(db.Find("h"));
  CHECK(db.hashes_expiring() == 1);
  db.Adopt(moved, "renamed", kNoExpiry);
  CHECK(db.hashes_expiring() == 2);
  db.CheckConsistency();
  db.SetExpiry(db.Find("renamed"), kNow + 5000);
  db.CheckConsistency();
  db.SetString("renamed", "a string", kNoExpiry);
  CHECK(db.hashes_expiring() == 1);
  db.StoreEntry(Database::NewPacked("copy", ValueType::kHash, Encoding::kListpack));
  Value("copy").Set("f", "v");
  CHECK(db.hashes_expiring() == 0);
  Value("copy").SetExpiry("f", kNow + 10);
  CHECK(db.hashes_expiring() == 1);
  db.Delete(db.Find("copy"));
  CHECK(db.hashes_expiring() == 0);
  Fill(1, "cleared");
  Value("cleared").SetExpiry("f0", kNow + 10);
  db.Clear(Database::Clearing::kLazily);
  CHECK(db.hashes_expiring() == 0);
}

TEST_CASE_METHOD(HashTest, "a hash with fields that expire is built outside and stored", "[hash_value]") {
  HashValue built(db, Database::NewPacked("h", ValueType::kHash, Encoding::kListpack));
  built.Set("a", "1");
  built.Set("b", "2");
  built.SetExpiry("b", kNow + 10);
  CHECK(db.hashes_expiring() == 0);
  db.StoreEntry(built.Release());
  CHECK(db.hashes_expiring() == 1);
  SetNow(kNow + 11);
  CHECK(Get("a") == "1");
  CHECK(Get("b") == std::nullopt);
}

TEST_CASE_METHOD(HashTest, "random fields come with equal odds", "[hash_value]") {
  const size_t size = GENERATE(5, 40, 600);
  Fill(size);
  const HashView view = View();
  constexpr size_t kPerField = 300;
  std::map<std::string, size_t> drawn;
  PackedElement::Digits digits;
  const auto count = [&](const HashField& field) { ++drawn[std::string(field.name.Text(digits))]; };
  SECTION("drawn repeatedly") {
    view.DrawRepeatedly(random, size * kPerField, [&](const HashField& field) {
      count(field);
      return true;
    });
  }
  SECTION("chosen, many or few at a time") {
    const size_t chosen = GENERATE(1, 3, 4);
    for (size_t i = 0; i < size * kPerField / chosen; ++i) {
      std::set<std::string> different;
      view.DrawDistinct(random, chosen, [&](const HashField& field) {
        count(field);
        different.insert(std::string(field.name.Text(digits)));
      });
      REQUIRE(different.size() == chosen);
    }
  }
  CHECK(drawn.size() == size);
  // Five and a half standard deviations and more.
  for (const auto& [name, times] : drawn) {
    CHECK(times > kPerField - 100);
    CHECK(times < kPerField + 100);
  }
}

TEST_CASE_METHOD(HashTest, "drawing stops when it is told to", "[hash_value]") {
  Fill(GENERATE(3, 600));
  int visited = 0;
  View().DrawRepeatedly(random, UINT64_MAX, [&](const HashField&) { return ++visited < 5; });
  CHECK(visited == 5);
}

TEST_CASE_METHOD(HashTest, "a scan sees every field that stays while others come and go", "[hash_value]") {
  Fill(2000);
  std::set<std::string> seen;
  uint64_t cursor = 0;
  size_t step = 0;
  do {
    cursor =
        View().Scan(cursor, 10, [&](const HashField& field) { seen.insert(std::string(field.name.text)); });
    HashValue hash = Value();
    for (int i = 0; i < 8; ++i) hash.Set("new" + std::to_string(step * 8 + static_cast<size_t>(i)), "x");
    for (int i = 0; i < 4; ++i) hash.Delete("f" + std::to_string(1000 + random.Below(1000)));
    ++step;
  } while (cursor != 0);
  for (int i = 0; i < 1000; ++i) CHECK(seen.contains("f" + std::to_string(i)));
}

TEST_CASE_METHOD(HashTest, "a field of a large hash costs no more than it should", "[hash_value]") {
  constexpr size_t kFields = 100'000;
  HashValue hash = Value();
  for (size_t i = 0; i < kFields; ++i) {
    std::string name = std::to_string(i);
    name = "item:" + std::string(9 - name.size(), '0') + name;
    hash.Set(name, "0123456789abcdef");
  }
  CHECK(db.Find("h")->MemoryBytes() / kFields <= 52);
}

}  // namespace pinyon
