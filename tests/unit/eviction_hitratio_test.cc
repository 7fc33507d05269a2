// Hit ratios of the policies on made-up traffic, beside those of exact ones. The table in docs/eviction.md is
// that of the hidden test here; bench/hitratio measures whole servers.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <iomanip>
#include <iostream>
#include <list>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "eviction_fixture.h"
#include "keyspace/lfu.h"

namespace pinyon {
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

// Number the i-th request's key.
using Traffic = std::function<size_t(size_t i, Random& random)>;

Traffic ZipfTraffic(size_t keys, double exponent) {
  return [zipf = Zipf(keys, exponent)](size_t, Random& random) { return zipf.Next(random); };
}
// Every `every` requests each key becomes a little less popular than it was, but for the last, which is
// first.
Traffic DriftingTraffic(size_t keys, double exponent, size_t every) {
  return [=, zipf = Zipf(keys, exponent)](size_t i, Random& random) { return zipf.Next(random) + i / every; };
}
// Every `every` requests other keys are popular.
Traffic ShiftingTraffic(size_t keys, double exponent, size_t every) {
  return [=, zipf = Zipf(keys, exponent)](size_t i, Random& random) {
    return (zipf.Next(random) + i / every * (keys * 3 / 10 + 17)) % keys;
  };
}
// Three in ten requests, one after the other, are for keys that never come again.
Traffic ScannedTraffic(size_t keys, double exponent, size_t every) {
  return [=, zipf = Zipf(keys, exponent)](size_t i, Random& random) {
    return i % every * 10 >= every * 7 ? keys + i : zipf.Next(random);
  };
}
Traffic LoopTraffic(size_t keys) {
  return [=](size_t i, Random&) { return i % keys; };
}

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

// Redis's counters, but for their decay, which takes minutes; of those with the lowest counter the key goes
// that was used the longest ago.
class ExactLfu {
 public:
  explicit ExactLfu(size_t capacity) : capacity_(capacity), random_(Catch::rngSeed()) {}
  bool Use(size_t key) {
    ++now_;
    const auto it = fields_.find(key);
    if (it != fields_.end()) {
      auto& [counter, time] = it->second;
      order_.erase({counter, time, key});
      counter = lfu::Incremented(counter, 10, random_);
      time = now_;
      order_.insert({counter, time, key});
      return true;
    }
    if (fields_.size() == capacity_) {
      fields_.erase(std::get<2>(*order_.begin()));
      order_.erase(order_.begin());
    }
    fields_[key] = {lfu::kNewCounter, now_};
    order_.insert({lfu::kNewCounter, now_, key});
    return false;
  }

 private:
  size_t capacity_;
  Random random_;
  uint64_t now_ = 0;
  std::unordered_map<size_t, std::pair<uint32_t, uint64_t>> fields_;
  std::set<std::tuple<uint32_t, uint64_t, size_t>> order_;
};

struct Run {
  size_t capacity = 10'000;
  size_t requests = 2'000'000;
  int requests_per_ms = 100;
  int samples = 5;
};

// All of one length, as adaptive policies prefer small entries.
std::string NameOf(size_t key) { return "key:" + std::to_string(1'000'000'000 + key); }

// In percent, of the second half of the requests.
double HitRatio(const Traffic& traffic, const Run& run, const std::function<bool(size_t key)>& use,
                const std::function<void(int64_t)>& at_ms = {}) {
  Random random(Catch::rngSeed());
  size_t hits = 0;
  for (size_t i = 0; i < run.requests; ++i) {
    if (at_ms) at_ms(kEvictionTestNow + static_cast<int64_t>(i) / run.requests_per_ms);
    const bool hit = use(traffic(i, random));
    hits += hit && i >= run.requests / 2 ? 1 : 0;
  }
  return 100 * static_cast<double>(hits) / static_cast<double>(run.requests - run.requests / 2);
}

double HitRatio(const Traffic& traffic, const Run& run, EvictionPolicy policy) {
  EvictionTest t(policy);
  t.options.samples = run.samples;
  Database& database = t.keyspace.database(0);
  const auto use = [&](size_t key) {
    const std::string name = NameOf(key);
    const EntryRef ref = database.Find(name);
    if (ref) {
      t.keyspace.Touch(ref.entry());
      return true;
    }
    if (database.size() == run.capacity) t.eviction.EvictOne();
    database.SetString(name, "v", t.options.IsVolatile() ? kEvictionTestNow * 2 : kNoExpiry);
    t.evicted.clear();
    return false;
  };
  return HitRatio(traffic, run, use, [&](int64_t ms) { t.keyspace.set_now_ms(ms); });
}

double ExactLruRatio(const Traffic& traffic, const Run& run) {
  ExactLru lru(run.capacity);
  return HitRatio(traffic, run, [&](size_t key) { return lru.Use(key); });
}
double ExactLfuRatio(const Traffic& traffic, const Run& run) {
  ExactLfu lfu(run.capacity);
  return HitRatio(traffic, run, [&](size_t key) { return lfu.Use(key); });
}

}  // namespace

TEST_CASE("eviction: hit ratios come close to those of exact LRU", "[ratios]") {
  const double exponent = GENERATE(0.7, 1.0);
  // A hundred requests a millisecond replace all that there is in less than a tenth of a second.
  const int requests_per_ms = GENERATE(10, 100);
  const Traffic traffic = ZipfTraffic(20'000, exponent);
  const Run run = {.capacity = 2'000, .requests = 300'000, .requests_per_ms = requests_per_ms};
  const double exact = ExactLruRatio(traffic, run);
  const double ours = HitRatio(traffic, run, EvictionPolicy::kAllkeysLru);
  INFO("exponent " << exponent << ", " << requests_per_ms << " a ms: exact " << exact << ", ours " << ours);
  CHECK(ours > exact - 0.5);
}

TEST_CASE("eviction: hit ratios come close to those of exact LFU, or above", "[ratios]") {
  const double exponent = GENERATE(0.7, 1.0);
  const Traffic traffic = ZipfTraffic(20'000, exponent);
  const Run run = {.capacity = 2'000, .requests = 300'000};
  const double exact = ExactLfuRatio(traffic, run);
  const double ours = HitRatio(traffic, run, EvictionPolicy::kAllkeysLfu);
  INFO("exponent " << exponent << ": exact " << exact << ", ours " << ours);
  CHECK(ours > exact - 0.5);
}

TEST_CASE("eviction: the adaptive policies come up to LRU and LFU whatever the traffic", "[ratios]") {
  const auto policy = GENERATE(EvictionPolicy::kAllkeysAdaptive, EvictionPolicy::kVolatileAdaptive);
  // (With so few requests little is learned.)
  const Run run = {.capacity = 2'000, .requests = 300'000};
  const auto better_by = [&](const char* what, const Traffic& traffic, double margin) {
    const double lru = HitRatio(traffic, run, EvictionPolicy::kAllkeysLru);
    const double lfu = HitRatio(traffic, run, EvictionPolicy::kAllkeysLfu);
    const double adaptive = HitRatio(traffic, run, policy);
    INFO(what << ": LRU " << lru << ", LFU " << lfu << ", adaptive " << adaptive << ", seed "
              << Catch::rngSeed());
    CHECK(adaptive > std::max(lru, lfu) + margin);
  };
  better_by("Zipf 0.7", ZipfTraffic(20'000, 0.7), 0);
  better_by("Zipf 1.0", ZipfTraffic(20'000, 1.0), 0);
  better_by("scans", ScannedTraffic(20'000, 0.8, 20'000), -0.5);
  better_by("drifting", DriftingTraffic(20'000, 1.0, 200), 2);
  better_by("shifting", ShiftingTraffic(20'000, 1.0, 40'000), 0.5);
  better_by("loop", LoopTraffic(4'000), 0);
}

TEST_CASE("eviction: the adaptive policy recovers from what another policy left in the entries") {
  const auto before = GENERATE(EvictionPolicy::kAllkeysLru, EvictionPolicy::kAllkeysLfu);
  const Traffic traffic = ZipfTraffic(20'000, 0.9);
  const Run run = {.capacity = 2'000, .requests = 400'000};
  EvictionTest t(before);
  Database& database = t.keyspace.database(0);
  size_t used = 0;
  const double switched = HitRatio(traffic, run, [&](size_t key) {
    if (++used == run.requests / 4) {
      t.options.policy = EvictionPolicy::kAllkeysAdaptive;
      t.keyspace.set_eviction_options(t.options);
      t.eviction.ForgetCandidates();
    }
    t.keyspace.set_now_ms(kEvictionTestNow + static_cast<int64_t>(used) / 100);
    const std::string name = NameOf(key);
    if (const EntryRef ref = database.Find(name)) {
      t.keyspace.Touch(ref.entry());
      return true;
    }
    if (database.size() == run.capacity) t.eviction.EvictOne();
    database.SetString(name, "v", kNoExpiry);
    return false;
  });
  const double always = HitRatio(traffic, run, EvictionPolicy::kAllkeysAdaptive);
  INFO("switched " << switched << ", always " << always);
  CHECK(switched > always - 1);
}

TEST_CASE("eviction: table of hit ratios", "[.hitratio]") {
  std::cout << std::fixed << std::setprecision(2);
  const auto show = [](const std::string& what, const Traffic& traffic, const Run& run = {}) {
    std::cout << "| " << what << " | " << ExactLruRatio(traffic, run);
    for (const int samples : {1, 5, 10}) {
      Run with = run;
      with.samples = samples;
      std::cout << " | " << HitRatio(traffic, with, EvictionPolicy::kAllkeysLru);
    }
    std::cout << " | " << ExactLfuRatio(traffic, run);
    for (const auto policy : {EvictionPolicy::kAllkeysLfu, EvictionPolicy::kAllkeysRandom,
                              EvictionPolicy::kAllkeysAdaptive, EvictionPolicy::kVolatileAdaptive}) {
      std::cout << " | " << HitRatio(traffic, run, policy);
    }
    std::cout << " |" << std::endl;
  };
  std::cout
      << "| traffic | exact LRU | lru, samples 1 | 5 | 10 | exact LFU | lfu | random | allkeys-adaptive "
         "| volatile-adaptive |\n";
  constexpr size_t kKeys = 100'000;
  for (const char* exponent : {"0.7", "0.9", "1.0", "1.2"}) {
    show(std::string("Zipf ") + exponent, ZipfTraffic(kKeys, std::stod(exponent)));
  }
  show("Zipf 0.8 and scans", ScannedTraffic(kKeys, 0.8, 100'000));
  show("Zipf 1.0, drifting", DriftingTraffic(kKeys, 1.0, 200));
  show("Zipf 1.0, shifting", ShiftingTraffic(kKeys, 1.0, 200'000));
  show("Zipf 1.0, shifting fast", ShiftingTraffic(62'500, 1.0, 50'000),
       {.capacity = 9'000, .requests = 500'000});
  show("loop of 1.2 times the room", LoopTraffic(12'000));
  show("loop of twice the room", LoopTraffic(20'000));
  show("Zipf 1.0, 10 a ms", ZipfTraffic(kKeys, 1.0), {.requests_per_ms = 10});
  show("Zipf 0.7 of 20,000, room for 2,000", ZipfTraffic(20'000, 0.7), {.capacity = 2'000});
  show("Zipf 1.0 of 20,000, room for 2,000", ZipfTraffic(20'000, 1.0), {.capacity = 2'000});
}

}  // namespace pinyon
