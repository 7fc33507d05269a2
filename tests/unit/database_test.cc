#include "keyspace/database.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "keyspace/keyspace.h"

namespace pinyon {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

struct Expired {
  int database;
  std::string key;
  bool was_there;
  bool operator==(const Expired&) const = default;
};

struct DatabaseTest : KeyspaceObserver {
  DatabaseTest() : keyspace(2, Catch::rngSeed()), db(keyspace.database(0)), random(Catch::rngSeed() + 1) {
    keyspace.set_now_ms(kNow);
    keyspace.set_observer(this);
  }
  ~DatabaseTest() override {
    for (int i = 0; i < keyspace.DatabaseCount(); ++i) keyspace.database(i).table().CheckConsistency();
  }

  void OnExpired(int database, std::string_view key) override {
    const Table& table = keyspace.database(database).table();
    expired.push_back({database, std::string(key), static_cast<bool>(table.Find(key, table.Hash(key)))});
  }

  void OnFieldsExpired(int, std::string_view, std::span<const std::string_view>) override {}
  void OnLastFieldsExpired(int, std::string_view) override {}
  void OnEvicted(int, std::string_view) override {}

  std::optional<std::string> Value(std::string_view key) {
    const EntryRef ref = db.Peek(key);
    if (!ref) return std::nullopt;
    IntegerText text;
    return std::string(ref->StringBytes(text));
  }
  Encoding EncodingOf(std::string_view key) { return db.Peek(key)->encoding(); }
  size_t EntriesNamed(std::string_view key) {
    size_t count = 0;
    db.table().ForEach([&](Entry* entry) { count += entry->key() == key; });
    return count;
  }

  Keyspace keyspace;
  Database& db;
  Random random;
  std::vector<Expired> expired;
};

TEST_CASE_METHOD(DatabaseTest, "a string's encoding follows from what was set") {
  const std::string longest(kEmbstrMaxBytes, 'x'), raw(kEmbstrMaxBytes + 1, 'x'),
      block(kInlineMaxBytes + 1, 'x');
  struct Case {
    std::string value;
    Encoding encoding;
  };
  const std::vector<Case> cases = {
      {"", Encoding::kEmbstr},
      {"hello", Encoding::kEmbstr},
      {"0", Encoding::kInt},
      {"-9223372036854775808", Encoding::kInt},
      {"01", Encoding::kEmbstr},
      {"9223372036854775808", Encoding::kEmbstr},
      {" 1", Encoding::kEmbstr},
      {"+1", Encoding::kEmbstr},
      {longest, Encoding::kEmbstr},
      {raw, Encoding::kRaw},
      {std::string(8192, 'y'), Encoding::kRaw},
      {block, Encoding::kRaw},
  };
  // Each over each.
  for (const Case& old : cases) {
    for (const Case& now : cases) {
      db.SetString("key", old.value, kNoExpiry);
      const EntryRef ref = db.SetString("key", now.value, kNoExpiry);
      REQUIRE(ref->key() == "key");
      REQUIRE(ref->encoding() == now.encoding);
      REQUIRE(ref->IsOutOfLine() == (now.value.size() > kInlineMaxBytes));
      REQUIRE(Value("key") == now.value);
      REQUIRE(db.size() == 1);
    }
  }
}

TEST_CASE_METHOD(DatabaseTest, "SetBlock takes large blocks over and copies small ones") {
  for (const size_t length : {size_t{0}, size_t{5}, kInlineMaxBytes, kInlineMaxBytes + 1}) {
    SharedBlock* block = SharedBlock::Copy(std::string(length, 'b'));
    block->Ref();
    const BlockRef kept(block);
    db.SetBlock("key", BlockRef(block), kNoExpiry);
    CHECK(Value("key") == std::string(length, 'b'));
    CHECK(block->IsShared() == (length > kInlineMaxBytes));
    db.Delete(db.Find("key"));
    CHECK_FALSE(block->IsShared());
  }
  db.SetBlock("key", BlockRef(SharedBlock::Copy("42")), kNoExpiry);
  CHECK(EncodingOf("key") == Encoding::kInt);
}

TEST_CASE_METHOD(DatabaseTest, "EditString makes any string raw, private and of the length asked for") {
  const std::vector<std::string> values = {"",
                                           "12345",
                                           "short",
                                           std::string(40, 'e'),
                                           std::string(250, 'r'),
                                           std::string(3000, 'i'),
                                           std::string(10'000, 'b')};
  for (const std::string& value : values) {
    for (const size_t length :
         {size_t{0}, size_t{3}, size_t{45}, size_t{256}, size_t{257}, size_t{9000}, size_t{200'000}}) {
      for (const int64_t expiry_ms : {kNoExpiry, kNow + 1000}) {
        db.SetString("key", value, expiry_ms);
        EntryRef ref = db.EditString(db.Find("key"), length);
        std::string expected = value;
        expected.resize(length);
        REQUIRE(Value("key") == expected);
        REQUIRE(ref->encoding() == Encoding::kRaw);
        REQUIRE(ref->expiry_ms() == expiry_ms);
        REQUIRE(db.expiring() == (expiry_ms != kNoExpiry));
        if (length == 0) continue;
        ref->MutableBytes()[length - 1] = '!';
        expected[length - 1] = '!';
        REQUIRE(Value("key") == expected);
      }
    }
  }
}

TEST_CASE_METHOD(DatabaseTest, "a string that grows by appending has room ahead and keeps its bytes") {
  std::string expected;
  db.SetString("key", "", kNoExpiry);
  std::map<const SharedBlock*, int> blocks;
  for (int i = 0; i < 3000; ++i) {
    const size_t more = random.Below(100);
    const EntryRef ref = db.EditString(db.Find("key"), expected.size() + more);
    std::memset(ref->MutableBytes() + expected.size(), 'a' + i % 26, more);
    expected.append(more, static_cast<char>('a' + i % 26));
    if (ref->block() != nullptr) ++blocks[ref->block()];
  }
  CHECK(Value("key") == expected);
  CHECK(blocks.size() < 30);
}

TEST_CASE_METHOD(DatabaseTest, "a block that somebody else still reads is copied before it is changed") {
  const std::string old_value(20'000, 'o');
  db.SetString("key", old_value, kNoExpiry);
  SharedBlock* block = db.Find("key")->block();
  REQUIRE(block != nullptr);
  block->Ref();
  const BlockRef reader(block);
  const size_t length = GENERATE(size_t{10}, size_t{20'000}, size_t{20'001});
  EntryRef ref = db.EditString(db.Find("key"), length);
  std::memset(ref->MutableBytes(), 'n', length);
  CHECK(Value("key") == std::string(length, 'n'));
  CHECK(reader->bytes() == old_value);
  CHECK_FALSE(reader->IsShared());
  // Alone with it, the next change is in place.
  const SharedBlock* own = ref->block();
  ref = db.EditString(ref, length);
  CHECK(ref->block() == own);
}

TEST_CASE_METHOD(DatabaseTest, "expiries are set, changed and removed, in the entry and in the table") {
  for (const std::string& value : {std::string("text"), std::string("77"), std::string(10'000, 'b')}) {
    db.SetString("key", value, kNoExpiry);
    CHECK(db.expiring() == 0);
    for (int round = 0; round < 20; ++round) {
      EntryRef ref = db.SetExpiry(db.Find("key"), kNow + 100);
      CHECK(ref->expiry_ms() == kNow + 100);
      CHECK(db.expiring() == 1);
      ref = db.SetExpiry(ref, kNow + 200);
      CHECK(ref->expiry_ms() == kNow + 200);
      CHECK(db.expiring() == 1);
      CHECK(Value("key") == value);
      ref = db.SetExpiry(ref, kNoExpiry);
      CHECK_FALSE(ref->HasExpiry());
      CHECK(db.expiring() == 0);
      ref = db.SetExpiry(ref, kNoExpiry);
      CHECK(ref->key() == "key");
      db.table().CheckConsistency();
    }
  }
  CHECK(Value("key") == std::string(10'000, 'b'));
  // A new value takes its own expiry along, whatever the old one had.
  for (const int64_t expiry_ms : {kNow + 1, kNoExpiry, kNow + 2, kNow + 3, kNoExpiry, kNoExpiry}) {
    CHECK(db.SetString("key", "value", expiry_ms)->expiry_ms() == expiry_ms);
    CHECK(db.SetInteger("key", 5, expiry_ms)->expiry_ms() == expiry_ms);
    CHECK(db.expiring() == (expiry_ms != kNoExpiry));
  }
}

TEST_CASE_METHOD(DatabaseTest, "an expired key is deleted when it is looked for, and reported once, before") {
  db.SetString("key", "value", kNow);
  CHECK(db.Find("key"));  // its last millisecond
  keyspace.set_now_ms(kNow + 1);
  CHECK_FALSE(db.Peek("key"));
  CHECK(db.size() == 1);
  CHECK(expired.empty());
  CHECK_FALSE(db.Find("key"));
  CHECK(db.size() == 0);
  CHECK_FALSE(db.Find("key"));
  CHECK(expired == std::vector<Expired>{{0, "key", true}});
  CHECK(keyspace.stats().expired_keys == 1);
}

TEST_CASE_METHOD(DatabaseTest, "active expiry deletes and reports each key that is due") {
  for (int i = 0; i < 1000; ++i)
    db.SetInteger("key:" + std::to_string(i), i, i % 2 == 0 ? kNow + i : kNoExpiry);
  keyspace.set_now_ms(kNow + 500);
  int asked = 0;
  CHECK_FALSE(db.ExpireDue([&] { return ++asked == 2; }));
  CHECK(expired.size() >= 16);
  CHECK(expired.size() < 100);
  CHECK(db.ExpireDue([] { return false; }));
  CHECK(expired.size() == 250);  // 0, 2 .. 498
  CHECK(db.size() == 750);
  CHECK(db.expiring() == 250);
  CHECK(keyspace.stats().expired_keys == 250);
  std::sort(expired.begin(), expired.end(), [](const Expired& a, const Expired& b) { return a.key < b.key; });
  CHECK(std::adjacent_find(expired.begin(), expired.end()) == expired.end());
  CHECK(std::all_of(expired.begin(), expired.end(),
                    [](const Expired& e) { return e.database == 0 && e.was_there; }));
  CHECK(db.ExpireDue([] { return true; }));
}

TEST_CASE_METHOD(DatabaseTest, "where expired keys are only hidden, they stay, unseen") {
  keyspace.set_hides_expired_only(true);
  db.SetString("key", "value", kNow - 1);
  CHECK_FALSE(db.Find("key"));
  CHECK_FALSE(db.Peek("key"));
  CHECK(db.ExpireDue([] { return false; }));
  CHECK(db.size() == 1);
  CHECK(expired.empty());
  keyspace.set_now_ms(kNow - 1);
  CHECK(db.Find("key"));
}

TEST_CASE_METHOD(DatabaseTest, "what is put under a hidden key replaces it") {
  keyspace.set_hides_expired_only(true);
  const std::string key = "key";
  const uint64_t hash = db.Hash(key);
  const std::string large(20'000, 'l');
  const std::string old_value = GENERATE(as<std::string>(), "old", "11", std::string(20'000, 'o'));
  const int64_t expiry_ms = GENERATE(as<int64_t>(), kNoExpiry, kNow + 5, kNow - 2);
  const auto hide = [&] {
    db.SetString(key, old_value, kNow - 1);
    REQUIRE_FALSE(db.Find(key));
  };
  const auto check = [&](EntryRef ref, const std::string& value) {
    REQUIRE(EntriesNamed(key) == 1);
    REQUIRE(db.table().Find(key, hash).entry() == ref.entry());
    IntegerText text;
    REQUIRE(ref->StringBytes(text) == value);
    REQUIRE(ref->expiry_ms() == expiry_ms);
    db.table().CheckConsistency();
  };
  hide();
  check(db.SetString(db.Find(key, hash), key, hash, "new", expiry_ms), "new");
  hide();
  check(db.SetString(db.Find(key, hash), key, hash, "12", expiry_ms), "12");
  hide();
  check(db.SetString(db.Find(key, hash), key, hash, large, expiry_ms), large);
  hide();
  check(db.SetInteger(db.Find(key, hash), key, hash, 7, expiry_ms), "7");
  hide();
  check(db.SetBlock(db.Find(key, hash), key, hash, BlockRef(SharedBlock::Copy(large)), expiry_ms), large);
  hide();
  db.SetString("other", "moved", kNoExpiry);
  check(db.Adopt(db.Detach(db.Find("other")), key, expiry_ms), "moved");
  hide();
  const EntryRef source = db.SetString("other", "copied", kNoExpiry);
  check(db.AddCopy(source.entry(), key, expiry_ms), "copied");
  CHECK(db.size() == 2);
  CHECK(expired.empty());
}

TEST_CASE_METHOD(DatabaseTest, "an entry moves to another key and database with its value") {
  Database& other = keyspace.database(1);
  const std::string block(20'000, 'b');
  for (const std::string& value : {std::string("text"), std::string("5"), block}) {
    db.SetString("from", value, kNow + 9);
    const SharedBlock* held = db.Find("from")->block();
    Entry* entry = db.Detach(db.Find("from"));
    CHECK(db.size() == 0);
    CHECK(db.expiring() == 0);
    const EntryRef ref = other.Adopt(entry, "a longer name", kNow + 9);
    CHECK(ref->key() == "a longer name");
    CHECK(ref->block() == held);
    CHECK(ref->expiry_ms() == kNow + 9);
    IntegerText text;
    CHECK(ref->StringBytes(text) == value);
    CHECK(other.size() == 1);
    CHECK(other.expiring() == 1);
    other.Delete(other.Find("a longer name"));
  }
}

TEST_CASE_METHOD(DatabaseTest,
                 "a copy has its own life, and a large value is shared till one of them changes") {
  const std::string block(20'000, 'b');
  for (const std::string& value : {std::string("text"), std::string("5"), std::string(300, 'r'), block}) {
    const EntryRef source = db.SetString("from", value, kNoExpiry);
    const EntryRef copy = db.AddCopy(source.entry(), "to", kNow + 9);
    CHECK(Value("to") == value);
    CHECK(copy->encoding() == EncodingOf("from"));
    CHECK(copy->expiry_ms() == kNow + 9);
    CHECK(copy->block() == db.Find("from")->block());
    db.EditString(db.Find("to"), value.size() + 1)->MutableBytes()[0] = '#';
    CHECK(Value("from") == value);
    db.Delete(db.Find("from"));
    CHECK(Value("to") == "#" + value.substr(1) + '\0');
    db.Delete(db.Find("to"));
  }
}

TEST_CASE_METHOD(DatabaseTest, "a random key is fair and never an expired one") {
  CHECK_FALSE(db.RandomKey());
  for (int i = 0; i < 100; ++i) db.SetInteger("key:" + std::to_string(i), i, i < 50 ? kNow - 1 : kNoExpiry);
  std::map<std::string, int> seen;
  for (int i = 0; i < 5000; ++i) ++seen[std::string(db.RandomKey()->key())];
  CHECK(seen.size() == 50);
  for (const auto& [key, times] : seen) CHECK(std::abs(times - 100) < 70);
  CHECK(expired.size() == 50);
  CHECK(db.size() == 50);

  Database& other = keyspace.database(1);
  for (int i = 0; i < 10; ++i) other.SetInteger(std::to_string(i), i, kNow - 1);
  keyspace.set_hides_expired_only(true);
  CHECK(other.RandomKey());  // gives up, as Redis does
  CHECK(other.size() == 10);
  keyspace.set_hides_expired_only(false);
  CHECK_FALSE(other.RandomKey());
  CHECK(other.size() == 0);
}

TEST_CASE_METHOD(DatabaseTest,
                 "clearing empties a database and frees everything, here or in the background") {
  mem::RegisterThread();
  using Clearing = Database::Clearing;
  const Clearing how = GENERATE(Clearing::kHere, Clearing::kInBackground, Clearing::kLazily);
  CHECK(db.Clear(how) == 0);
  uint64_t before = 0, after = 0;
  for (int round = 0; round < 2; ++round) {
    const uint64_t freed = keyspace.lazy_free().freed();
    before = mem::UsedBytes();
    for (int i = 0; i < 30'000; ++i)
      db.SetString("key:" + std::to_string(i), std::string(20, 'v'), i % 2 == 0 ? kNow : kNoExpiry);
    db.SetString("large", std::string(500'000, 'l'), kNoExpiry);
    CHECK(db.Clear(how) == 30'001);
    CHECK(db.size() == 0);
    CHECK(db.expiring() == 0);
    CHECK_FALSE(db.Find("large"));
    while (!keyspace.lazy_free().IsIdle()) std::this_thread::yield();
    CHECK(keyspace.lazy_free().freed() - freed == (how == Clearing::kLazily ? 30'001 : 0));
    after = mem::UsedBytes();
  }
  CHECK(after < before + 100'000);
  CHECK(expired.empty());
  CHECK(db.SetString("key", "again", kNoExpiry)->StringLength() == 5);
}

TEST_CASE_METHOD(DatabaseTest, "swapped databases exchange contents and keep their numbers") {
  db.SetString("a", "in zero", kNow + 10);
  keyspace.database(1).SetString("b", "in one", kNow + 10);
  keyspace.Swap(0, 1);
  CHECK(Value("b") == "in one");
  CHECK_FALSE(db.Find("a"));
  CHECK(db.index() == 0);
  CHECK(keyspace.database(1).Find("a"));
  keyspace.set_now_ms(kNow + 11);
  CHECK_FALSE(db.Find("b"));
  CHECK_FALSE(keyspace.database(1).Find("a"));
  CHECK(expired == std::vector<Expired>{{0, "b", true}, {1, "a", true}});
  keyspace.Swap(0, 0);
}

TEST_CASE_METHOD(DatabaseTest, "the average time to live is of the keys that have one") {
  CHECK(db.AverageTtlMs() == 0);
  for (int i = 0; i < 500; ++i) db.SetInteger(std::to_string(i), i, i % 10 == 0 ? kNow + 16'000 : kNoExpiry);
  CHECK(db.AverageTtlMs() == 16'000);
  keyspace.set_now_ms(kNow + 20'000);
  CHECK(db.AverageTtlMs() == 0);
}

TEST_CASE_METHOD(DatabaseTest, "changes touch the access clock") {
  CHECK(db.SetString("key", "v", kNoExpiry)->access() == keyspace.AccessSeconds());
  keyspace.set_now_ms(kNow + 5000);
  for (int i = 0; i < 8; ++i) {
    keyspace.set_now_ms(keyspace.now_ms() + 1000);
    CHECK(db.SetString("key", "w", kNoExpiry)->access() == keyspace.AccessSeconds());
    keyspace.set_now_ms(keyspace.now_ms() + 1000);
    CHECK(db.SetInteger("key", i, kNoExpiry)->access() == keyspace.AccessSeconds());
    keyspace.set_now_ms(keyspace.now_ms() + 1000);
    CHECK(db.EditString(db.Find("key"), 3)->access() == keyspace.AccessSeconds());
  }
  // An expiry is no access.
  const uint32_t access = db.Find("key")->access();
  keyspace.set_now_ms(keyspace.now_ms() + 1000);
  CHECK(db.SetExpiry(db.Find("key"), kNow + 1'000'000)->access() == access);
}

#ifdef PINYON_ASSERTIONS
TEST_CASE_METHOD(DatabaseTest, "builds with assertions move entries at most changes, not at all of them") {
  int moved = 0, stayed = 0;
  const auto count = [&](const Entry* before, EntryRef after) {
    ++(before == after.entry() ? stayed : moved);
  };
  // Values that take as many bytes as an integer, rounded up.
  db.SetString("key", "some value", kNow + 10);
  for (int i = 0; i < 100; ++i) {
    const Entry* before = db.Find("key").entry();
    switch (i % 5) {
      case 0: count(before, db.SetString("key", "any other", kNow + 10)); break;
      case 1: count(before, db.SetInteger("key", 5, kNow + 10)); break;
      case 2: count(before, db.EditString(db.Find("key"), 10)); break;
      case 3: count(before, db.SetExpiry(db.Find("key"), kNow + 20)); break;
      default: count(before, db.SetString("key", "12", kNow + 10)); break;
    }
  }
  CHECK(moved > 50);
  CHECK(stayed > 10);
}
#endif

TEST_CASE_METHOD(DatabaseTest, "a database behaves as a map of strings with expiries does") {
  INFO("seed " << Catch::rngSeed());
  struct Known {
    std::string value;
    int64_t expiry_ms;
  };
  std::unordered_map<std::string, Known> model;
  keyspace.set_hides_expired_only(GENERATE(false, true));
  const auto random_value = [&] {
    static constexpr uint64_t kMost[] = {10, 50, 300, 9000, 30'000};
    if (random.Below(4) == 0) return std::to_string(static_cast<int64_t>(random.Next()) >> random.Below(64));
    return std::string(random.Below(kMost[std::min(random.Below(20), uint64_t{4})]),
                       static_cast<char>('a' + random.Below(26)));
  };
  for (int step = 0; step < 30'000; ++step) {
    const std::string key(1 + random.Below(300) % 270, static_cast<char>('a' + random.Below(4)));
    const uint64_t hash = db.Hash(key);
    if (const auto known = model.find(key); known != model.end() && known->second.expiry_ms != kNoExpiry &&
                                            known->second.expiry_ms < keyspace.now_ms()) {
      model.erase(known);
    }
    const EntryRef ref = db.Find(key, hash);
    const auto known = model.find(key);
    if (static_cast<bool>(ref) != (known != model.end())) FAIL("presence at step " << step);
    if (ref) {
      IntegerText text;
      if (ref->StringBytes(text) != known->second.value) FAIL("value at step " << step);
      if (ref->expiry_ms() != known->second.expiry_ms) FAIL("expiry at step " << step);
    }
    const int64_t expiry_ms =
        random.Below(2) == 0 ? kNoExpiry : keyspace.now_ms() + static_cast<int64_t>(random.Below(5000));
    switch (random.Below(7)) {
      case 0:
      case 1:
        model[key] = {random_value(), expiry_ms};
        db.SetString(ref, key, hash, model[key].value, expiry_ms);
        break;
      case 2:
        model[key] = {random_value(), expiry_ms};
        db.SetBlock(ref, key, hash, BlockRef(SharedBlock::Copy(model[key].value)), expiry_ms);
        break;
      case 3: {
        if (!ref) break;
        const size_t length =
            random.Below(2) == 0 ? random.Below(400) : known->second.value.size() + random.Below(20);
        known->second.value.resize(length);
        const EntryRef edited = db.EditString(ref, length);
        if (length == 0) break;
        const size_t at = random.Below(length);
        edited->MutableBytes()[at] = known->second.value[at] = '*';
        break;
      }
      case 4:
        if (!ref) break;
        db.SetExpiry(ref, expiry_ms);
        known->second.expiry_ms = expiry_ms;
        break;
      case 5:
        if (!ref || random.Below(2) == 0) break;
        db.Delete(ref);
        model.erase(known);
        break;
      default:
        keyspace.set_now_ms(keyspace.now_ms() + static_cast<int64_t>(random.Below(20)));
        db.table().Maintain(2, 2);
        if (!keyspace.hides_expired_only() && random.Below(4) == 0) db.ExpireDue([] { return false; });
    }
    if (step % 5000 == 0) db.table().CheckConsistency();
  }
}

}  // namespace
}  // namespace pinyon
