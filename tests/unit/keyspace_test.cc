#include "keyspace/keyspace.h"

#include <catch2/catch.hpp>
#include <string>

namespace pinyon {
namespace {

TEST_CASE("databases are numbered, separate and counted together") {
  Keyspace keyspace(16, 1);
  REQUIRE(keyspace.DatabaseCount() == 16);
  for (int i = 0; i < 16; ++i) {
    CHECK(keyspace.database(i).index() == i);
    for (int k = 0; k <= i; ++k) keyspace.database(i).SetInteger("key" + std::to_string(k), i, kNoExpiry);
  }
  CHECK(keyspace.TotalKeys() == 16 * 17 / 2);
  CHECK(keyspace.database(3).Find("key3")->integer() == 3);
  CHECK_FALSE(keyspace.database(3).Find("key4"));
  keyspace.Swap(3, 10);
  CHECK(keyspace.database(3).size() == 11);
  CHECK(keyspace.database(10).size() == 4);
  CHECK(keyspace.TotalKeys() == 16 * 17 / 2);
}

TEST_CASE("the hash is the same in all databases, and a secret of each keyspace whatever its random seed") {
  Keyspace one(2, 1), same(2, 1), other(2, 2);
  const uint64_t hash = one.database(0).Hash("key");
  CHECK(one.database(1).Hash("key") == hash);
  CHECK(same.database(0).Hash("key") != hash);
  CHECK(other.database(0).Hash("key") != hash);
  // Also after contents were thrown away or exchanged.
  one.database(0).SetInteger("key", 1, kNoExpiry);
  one.database(0).Clear(Database::Clearing::kHere);
  one.Swap(0, 1);
  CHECK(one.database(0).Hash("key") == hash);
  CHECK(one.database(1).Hash("key") == hash);
}

TEST_CASE("the access clock is 24 bits of seconds") {
  Keyspace keyspace(1, 1);
  keyspace.set_now_ms(1'700'000'000'999);
  CHECK(keyspace.now_ms() == 1'700'000'000'999);
  CHECK(keyspace.AccessSeconds() == (1'700'000'000 & 0xffffff));
  const EntryRef ref = keyspace.database(0).SetInteger("key", 1, kNoExpiry);
  keyspace.set_now_ms(1'700'000'001'000);
  CHECK(ref->access() == keyspace.AccessSeconds() - 1);
  keyspace.Touch(ref.entry());
  CHECK(ref->access() == keyspace.AccessSeconds());
}

TEST_CASE("a keyspace needs no observer") {
  Keyspace keyspace(1, 1);
  keyspace.set_now_ms(1000);
  keyspace.database(0).SetInteger("key", 1, 999);
  CHECK_FALSE(keyspace.database(0).Find("key"));
  CHECK(keyspace.TotalKeys() == 0);
  CHECK(keyspace.stats().expired_keys == 1);
}

}  // namespace
}  // namespace pinyon
