#include "keyspace/eviction.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <iostream>
#include <list>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "keyspace/lfu.h"

namespace pinyon {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

class EvictionTest : public KeyspaceObserver {
 public:
  explicit EvictionTest(EvictionPolicy policy) : keyspace(2, Catch::rngSeed()), eviction(keyspace) {
    options.policy = policy;
    keyspace.set_eviction_options(options);
    keyspace.set_observer(this);
    keyspace.set_now_ms(kNow);
  }
  ~EvictionTest() override {
    for (int i = 0; i < keyspace.DatabaseCount(); ++i) keyspace.database(i).table().CheckConsistency();
  }

  void OnExpired(int, std::string_view) override {}
  void OnFieldsExpired(int, std::string_view, std::span<const std::string_view>) override {}
  void OnLastFieldsExpired(int, std::string_view) override {}
  void OnEvicted(int database, std::string_view key) override {
    CHECK(keyspace.database(database).Peek(key));
    evicted.push_back((database == 0 ? "" : std::to_string(database) + ":") + std::string(key));
  }

  void At(int64_t second) { keyspace.set_now_ms(kNow + second * 1000); }
  void Set(std::string_view key, int64_t expires_in_s = 0, int database = 0) {
    keyspace.database(database).SetString(key, "v",
                                          expires_in_s == 0 ? kNoExpiry : kNow + expires_in_s * 1000);
  }
  void Touch(std::string_view key) { keyspace.Touch(keyspace.database(0).Find(key).entry()); }
  void SetCounter(std::string_view key, uint32_t counter) {
    keyspace.database(0).Peek(key)->set_access(lfu::Field(keyspace.AccessMinutes(), counter));
  }
  std::vector<std::string> EvictAll() {
    evicted.clear();
    while (eviction.EvictOne()) {
    }
    return evicted;
  }

  Keyspace keyspace;
  EvictionOptions options;
  Eviction eviction;
  std::vector<std::string> evicted;
};

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

// --- how close to exact LRU ---

namespace {

// Ranks with Zipf's distribution.
class Zipf {
 public:
  Zipf(size_t count, double exponent) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
      sums_.push_back(sum += std::pow(static_cast<double>(i + 1), -exponent));
  }
  size_t Next(Random& random) const {
    const double at = random.Unit() * sums_.back();
    return static_cast<size_t>(std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

class ExactLru {
 public:
  explicit ExactLru(size_t capacity) : capacity_(capacity) {}
  bool Use(size_t key) {
    const auto it = places_.find(key);
    const bool hit = it != places_.end();
    if (hit) {
      order_.erase(it->second);
    } else if (places_.size() == capacity_) {
      places_.erase(order_.front());
      order_.pop_front();
    }
    places_[key] = order_.insert(order_.end(), key);
    return hit;
  }

 private:
  size_t capacity_;
  std::list<size_t> order_;
  std::unordered_map<size_t, std::list<size_t>::iterator> places_;
};

struct Traffic {
  size_t keys;
  size_t capacity;
  double exponent;
  size_t requests;
  size_t shift_every = 0;  // so often what is popular changes a little
  int requests_per_ms = 100;
};

struct HitRatios {
  double exact = 0;
  double ours = 0;
};

// In percent, of the second half of the requests.
HitRatios Simulate(const Traffic& traffic, EvictionPolicy policy, int samples = 5) {
  EvictionTest t(policy);
  t.options.samples = samples;
  ExactLru exact(traffic.capacity);
  const Zipf zipf(traffic.keys, traffic.exponent);
  Random random(Catch::rngSeed());
  size_t exact_hits = 0;
  size_t hits = 0;
  for (size_t i = 0; i < traffic.requests; ++i) {
    t.keyspace.set_now_ms(kNow + static_cast<int64_t>(i) / traffic.requests_per_ms);
    const size_t shift = traffic.shift_every == 0 ? 0 : i / traffic.shift_every;
    const size_t key = (zipf.Next(random) + shift) * 2654435761 % 1000000007;
    const bool exact_hit = exact.Use(key);
    const std::string name = "key:" + std::to_string(key);
    const EntryRef ref = t.keyspace.database(0).Find(name);
    if (ref) {
      t.keyspace.Touch(ref.entry());
    } else {
      if (t.keyspace.TotalKeys() == traffic.capacity) t.eviction.EvictOne();
      t.keyspace.database(0).SetString(name, "v", kNoExpiry);
    }
    if (i < traffic.requests / 2) continue;
    exact_hits += exact_hit ? 1 : 0;
    hits += ref ? 1 : 0;
  }
  const double counted = static_cast<double>(traffic.requests - traffic.requests / 2) / 100;
  return {static_cast<double>(exact_hits) / counted, static_cast<double>(hits) / counted};
}

}  // namespace

TEST_CASE("eviction: hit ratios come close to those of exact LRU") {
  const double exponent = GENERATE(0.7, 1.0);
  const HitRatios ratios = Simulate(
      {.keys = 20'000, .capacity = 2'000, .exponent = exponent, .requests = 300'000, .requests_per_ms = 10},
      EvictionPolicy::kAllkeysLru);
  INFO("exponent " << exponent << ": exact " << ratios.exact << ", ours " << ratios.ours);
  CHECK(ratios.ours > ratios.exact - 0.5);
}

TEST_CASE("eviction: table of hit ratios", "[.hitratio]") {
  const auto show = [](const char* what, const Traffic& traffic) {
    for (const int samples : {1, 5, 10}) {
      const HitRatios lru = Simulate(traffic, EvictionPolicy::kAllkeysLru, samples);
      const HitRatios lfu = Simulate(traffic, EvictionPolicy::kAllkeysLfu, samples);
      std::cout << what << ", samples " << samples << ": exact LRU " << lru.exact << ", LRU " << lru.ours
                << ", LFU " << lfu.ours << std::endl;
    }
    std::cout << what << ": random " << Simulate(traffic, EvictionPolicy::kAllkeysRandom).ours << std::endl;
  };
  for (const double exponent : {0.7, 0.9, 1.0, 1.2}) {
    const std::string name = "Zipf " + std::to_string(exponent);
    show(name.c_str(), {.keys = 100'000, .capacity = 10'000, .exponent = exponent, .requests = 2'000'000});
  }
  show("Zipf 1.0, drifting",
       {.keys = 100'000, .capacity = 10'000, .exponent = 1.0, .requests = 2'000'000, .shift_every = 200});
  show("Zipf 1.0, 10 a ms",
       {.keys = 100'000, .capacity = 10'000, .exponent = 1.0, .requests = 2'000'000, .requests_per_ms = 10});
}

}  // namespace pinyon
