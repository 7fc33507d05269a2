// A keyspace with a policy, whose evictions are written down.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keyspace/eviction.h"
#include "keyspace/lfu.h"

namespace pinyon {

inline constexpr int64_t kEvictionTestNow = 1'700'000'000'000;

class EvictionTest : public KeyspaceObserver {
 public:
  explicit EvictionTest(EvictionPolicy policy) : keyspace(2, Catch::rngSeed()), eviction(keyspace) {
    options.policy = policy;
    keyspace.set_eviction_options(options);
    keyspace.set_observer(this);
    keyspace.set_now_ms(kEvictionTestNow);
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

  void At(int64_t second) { keyspace.set_now_ms(kEvictionTestNow + second * 1000); }
  void Set(std::string_view key, int64_t expires_in_s = 0, int database = 0) {
    keyspace.database(database).SetString(
        key, "v", expires_in_s == 0 ? kNoExpiry : kEvictionTestNow + expires_in_s * 1000);
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

}  // namespace pinyon
