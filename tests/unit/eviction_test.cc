#include "keyspace/eviction.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "eviction_fixture.h"
#include "keyspace/lfu.h"

namespace pinyon {
namespace {

constexpr int64_t kNow = kEvictionTestNow;
using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("eviction: under LRU the key goes that was used the longest ago") {
  EvictionTest t(EvictionPolicy::kAllkeysLru);
  for (int i = 0; i < 10; ++i) {
    t.At(i);
    t.Set("k" + std::to_string(i), i % 2 == 0 ? 100 : 0);
  }
  t.At(11);
  t.Touch("k3");
  t.At(12);
  t.Set("k0");
  CHECK(t.EvictAll() == Keys{"k1", "k2", "k4", "k5", "k6", "k7", "k8", "k9", "k3", "k0"});
  CHECK(t.keyspace.TotalKeys() == 0);
  CHECK(t.keyspace.stats().evicted_keys == 10);
}

TEST_CASE("eviction: the access clock tells sixteenths of a second apart, and survives wrapping around") {
  EvictionTest t(EvictionPolicy::kAllkeysLru);
  // 24 bits of seconds are full here.
  const int64_t wrap_ms = ((kNow / 1000 >> 24) + 1) * (int64_t{1} << 24) * 1000;
  for (const int64_t offset_ms : {-125, -62, 0, 63, 125}) {
    t.keyspace.set_now_ms(wrap_ms + offset_ms);
    t.keyspace.database(0).SetString("at " + std::to_string(offset_ms), "v", kNoExpiry);
  }
  CHECK(t.EvictAll() == Keys{"at -125", "at -62", "at 0", "at 63", "at 125"});
}

TEST_CASE("eviction: volatile policies leave keys without an expiry alone") {
  const auto policy = GENERATE(EvictionPolicy::kVolatileLru, EvictionPolicy::kVolatileLfu,
                               EvictionPolicy::kVolatileRandom, EvictionPolicy::kVolatileTtl);
  EvictionTest t(policy);
  CHECK_FALSE(t.eviction.EvictOne());
  for (int i = 0; i < 200; ++i) t.Set("k" + std::to_string(i), i % 10 == 0 ? 1000 + i : 0);
  CHECK(t.EvictAll().size() == 20);
  for (int i = 0; i < 200; ++i) {
    INFO(i);
    CHECK(static_cast<bool>(t.keyspace.database(0).Peek("k" + std::to_string(i))) == (i % 10 != 0));
  }
}

TEST_CASE("eviction: a candidate whose expiry was removed stays") {
  EvictionTest t(EvictionPolicy::kVolatileLru);
  for (int i = 0; i < 8; ++i) {
    t.At(i);
    t.Set("k" + std::to_string(i), 1000);
  }
  REQUIRE(t.eviction.EvictOne());  // the others are in the pool now
  t.keyspace.database(0).SetExpiry(t.keyspace.database(0).Find("k1"), kNoExpiry);
  CHECK(t.EvictAll() == Keys{"k2", "k3", "k4", "k5", "k6", "k7"});
}

TEST_CASE("eviction: volatile-ttl takes what expires first") {
  EvictionTest t(EvictionPolicy::kVolatileTtl);
  for (const int s : {50, 10, 40, 20, 30}) t.Set("in " + std::to_string(s), s);
  t.Set("never");
  CHECK(t.EvictAll() == Keys{"in 10", "in 20", "in 30", "in 40", "in 50"});
}

TEST_CASE("eviction: under LFU what is used least goes, of equals what was used longest ago") {
  EvictionTest t(EvictionPolicy::kAllkeysLfu);
  t.options.lfu_decay_minutes = 0;
  for (const char* key : {"old", "rare", "often", "new"}) t.Set(key);
  t.SetCounter("often", 200);
  t.SetCounter("rare", 4);
  t.At(120);
  t.Set("newest");
  CHECK(t.keyspace.Frequency(t.keyspace.database(0).Peek("newest").entry()) == 5);
  t.SetCounter("new", 5);
  t.SetCounter("newest", 6);
  CHECK(t.EvictAll() == Keys{"rare", "old", "new", "newest", "often"});
}

TEST_CASE("eviction: counters decay") {
  EvictionTest t(EvictionPolicy::kAllkeysLfu);
  t.Set("was hot");
  t.SetCounter("was hot", 60);
  t.At(59 * 60);
  t.Set("new");
  CHECK(t.EvictAll() == Keys{"was hot", "new"});
}

TEST_CASE("eviction: random policies take every key once") {
  EvictionTest t(EvictionPolicy::kAllkeysRandom);
  for (int i = 0; i < 100; ++i) t.Set("k" + std::to_string(i), i % 2, i % 2);
  const Keys keys = t.EvictAll();
  CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == 100);
  CHECK_FALSE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("eviction: noeviction evicts nothing") {
  EvictionTest t(EvictionPolicy::kNoEviction);
  t.Set("k", 5);
  CHECK_FALSE(t.eviction.EvictOne());
  CHECK(t.keyspace.TotalKeys() == 1);
}

TEST_CASE("eviction: candidates that were used, deleted or swapped since are passed over") {
  EvictionTest t(EvictionPolicy::kAllkeysLru);
  for (int i = 0; i < 8; ++i) {
    t.At(i);
    t.Set("k" + std::to_string(i));
  }
  t.At(20);
  REQUIRE(t.eviction.EvictOne());
  t.Touch("k1");
  t.keyspace.database(0).Delete(t.keyspace.database(0).Find("k2"));
  t.Set("k1", 0, 1);
  t.At(21);
  t.Set("last");
  SECTION("in place") {
    const Keys keys = t.EvictAll();
    CHECK(Keys(keys.begin(), keys.begin() + 5) == Keys{"k3", "k4", "k5", "k6", "k7"});
    CHECK(std::set<std::string>(keys.begin() + 5, keys.end()) == std::set<std::string>{"k1", "1:k1", "last"});
  }
  SECTION("swapped") {
    t.keyspace.Swap(0, 1);
    const Keys keys = t.EvictAll();
    CHECK(std::set<std::string>(keys.begin(), keys.end()) ==
          std::set<std::string>{"1:k3", "1:k4", "1:k5", "1:k6", "1:k7", "1:k1", "k1", "1:last"});
  }
}

TEST_CASE("eviction: keys of every length are named right") {
  EvictionTest t(EvictionPolicy::kAllkeysLru);
  std::set<std::string> keys;
  for (int i = 0; i < 300; ++i)
    keys.insert(std::string(static_cast<size_t>(i % 7 * 500), 'x') + std::to_string(i));
  for (const std::string& key : keys) t.Set(key);
  const Keys evicted = t.EvictAll();
  CHECK(std::set<std::string>(evicted.begin(), evicted.end()) == keys);
}

// The table of the Redis documentation ("Key eviction"): the counter after so many accesses.
TEST_CASE("eviction: the counter grows with the logarithm of accesses") {
  struct Row {
    int factor;
    int accesses;
    int low;
    int high;
  };
  // Within four or five standard deviations.
  const Row row =
      GENERATE(Row{0, 100, 105, 105}, Row{0, 1000, 255, 255}, Row{1, 100, 9, 27}, Row{1, 1000, 32, 66},
               Row{10, 100, 6, 15}, Row{10, 1000, 10, 29}, Row{10, 100'000, 115, 177},
               Row{10, 1'000'000, 255, 255}, Row{100, 1000, 6, 17}, Row{100, 100'000, 32, 68});
  Random random(Catch::rngSeed());
  uint32_t counter = lfu::kNewCounter;
  for (int i = 0; i < row.accesses; ++i) counter = lfu::Incremented(counter, row.factor, random);
  INFO("factor " << row.factor << ", " << row.accesses << " accesses, seed " << Catch::rngSeed());
  CHECK(static_cast<int>(counter) >= row.low);
  CHECK(static_cast<int>(counter) <= row.high);
}

TEST_CASE("eviction: decay is reckoned when somebody looks") {
  const uint32_t field = lfu::Field(65'530, 100);
  CHECK(lfu::Counter(field, 65'530, 1) == 100);
  CHECK(lfu::Counter(field, 65'540, 1) == 90);  // the minutes wrapped around
  CHECK(lfu::Counter(field, 65'540, 3) == 97);
  CHECK(lfu::Counter(field, 65'540, 0) == 100);
  CHECK(lfu::Counter(field, 65'530 + 500, 1) == 0);
  Random random(1);
  CHECK(lfu::Accessed(lfu::Field(7, 3), 8, 1, 10, random) == lfu::Field(8, 3));
}

TEST_CASE("eviction: only the policy in force makes something of idle times and frequencies") {
  EvictionTest t(EvictionPolicy::kAllkeysLfu);
  t.Set("k");
  Entry* entry = t.keyspace.database(0).Peek("k").entry();
  t.keyspace.SetAccess(entry, 100, 77);
  CHECK(t.keyspace.Frequency(entry) == 77);
  t.options.policy = EvictionPolicy::kVolatileTtl;
  t.keyspace.set_eviction_options(t.options);
  t.keyspace.SetAccess(entry, 100, 77);
  CHECK(t.keyspace.IdleSeconds(entry) == 100);
  t.keyspace.SetAccess(entry, -1, 77);
  CHECK(t.keyspace.IdleSeconds(entry) == 0);
  t.keyspace.SetAccess(entry, INT64_MAX, -1);
  CHECK(t.keyspace.IdleSeconds(entry) == 0xffffff);
}

}  // namespace pinyon
