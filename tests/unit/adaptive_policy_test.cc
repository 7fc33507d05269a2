#include "keyspace/adaptive_policy.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/alloc.h"
#include "eviction_fixture.h"

namespace pinyon {
namespace {

using Keys = std::vector<std::string>;

constexpr uint32_t kTurnover = HitDensity::kTicksPerTurnover;

// Lets the clock of a policy of 1000 keys advance.
void PassTurnovers(AdaptivePolicy& policy, int turnovers) {
  uint32_t field = policy.FieldOf(1);
  for (int i = 0; i < turnovers * 1000; ++i) field = policy.Hit(field);
}

uint32_t FieldAfterUses(AdaptivePolicy& policy, int uses) {
  uint32_t field = policy.FieldOf(1);
  for (int i = 1; i < uses; ++i) field = policy.Accessed(field);
  return field;
}

}  // namespace

TEST_CASE("adaptive policy: uses are counted, and half of them forgotten in 32 turnovers") {
  AdaptivePolicy policy(1);
  policy.SetKeys(1000);
  CHECK(policy.Frequency(policy.FieldOf(0)) == 0);
  CHECK(policy.Frequency(policy.FieldOf(1)) == 1);
  CHECK(policy.Frequency(policy.FieldOf(200)) == 200);
  CHECK(policy.Frequency(policy.FieldOf(255)) == 255);
  const uint32_t field = FieldAfterUses(policy, 40);
  CHECK(policy.Frequency(field) == 40);
  PassTurnovers(policy, 32);
  CHECK(policy.Frequency(field) >= 19);
  CHECK(policy.Frequency(field) <= 21);
  PassTurnovers(policy, 32);
  CHECK(policy.Frequency(field) >= 9);
  CHECK(policy.Frequency(field) <= 11);
  // More than a byte can say.
  CHECK(policy.Frequency(FieldAfterUses(policy, 400)) == AdaptivePolicy::kMaxFrequency);
  CHECK(policy.Frequency(FieldAfterUses(policy, 100'000)) == AdaptivePolicy::kMaxFrequency);
}

TEST_CASE("adaptive policy: before it has learned, what is used more often and later ranks higher") {
  AdaptivePolicy policy(1);
  policy.SetKeys(1000);
  const uint32_t old_once = policy.FieldOf(1);
  const uint32_t old_often = FieldAfterUses(policy, 20);
  PassTurnovers(policy, 3);
  const uint32_t once = policy.FieldOf(1);
  const uint32_t often = FieldAfterUses(policy, 20);
  CHECK(policy.Rank(old_once, 64) < policy.Rank(once, 64));
  CHECK(policy.Rank(old_often, 64) < policy.Rank(often, 64));
  CHECK(policy.Rank(once, 64) < policy.Rank(often, 64));
  // Of equals the largest goes.
  CHECK(policy.Rank(once, 65) < policy.Rank(once, 64));
  CHECK(policy.Rank(often, 64'000) < policy.Rank(old_once, 64));
}

TEST_CASE("adaptive policy: an entry that is older than the clock can say is kept as old as it can") {
  AdaptivePolicy policy(1);
  policy.SetKeys(1000);
  uint32_t field = policy.FieldOf(3);
  for (int i = 0; i < 10; ++i) {
    PassTurnovers(policy, 60);
    if (policy.IsOlderThanKept(field)) field = policy.AsOldAsKept(field);
    CHECK(policy.Rank(field, 64) < policy.Rank(policy.FieldOf(3), 64));
  }
  CHECK(policy.Frequency(field) == 0);
  CHECK_FALSE(policy.IsOlderThanKept(policy.AsOldAsKept(field)));
}

TEST_CASE("adaptive policy: a key that was evicted is known when it comes back, once, in its database") {
  AdaptivePolicy policy(1);
  policy.SetKeys(1000);
  constexpr uint64_t kHash = 0x123456789abcdef0;
  CHECK(policy.Frequency(policy.Arrived(0, kHash)) == 1);
  policy.Evicted(0, kHash, FieldAfterUses(policy, 30));
  CHECK(policy.Frequency(policy.Arrived(1, kHash)) == 1);
  const uint32_t frequency = policy.Frequency(policy.Arrived(0, kHash));
  CHECK(frequency > 22);
  CHECK(frequency < 40);
  CHECK(policy.Frequency(policy.Arrived(0, kHash)) == 1);
}

TEST_CASE("adaptive policy: newcomers are given once, in order, but for the last few") {
  AdaptivePolicy policy(1);
  AdaptivePolicy::Newcomer newcomer;
  CHECK_FALSE(policy.NextNewcomer(&newcomer));
  for (uint64_t i = 0; i < 6; ++i) policy.Arrived(3, i);
  REQUIRE(policy.NextNewcomer(&newcomer));
  CHECK(newcomer.database == 3);
  CHECK(newcomer.hash == 0);
  REQUIRE(policy.NextNewcomer(&newcomer));
  CHECK(newcomer.hash == 1);
  CHECK_FALSE(policy.NextNewcomer(&newcomer));
  for (uint64_t i = 100; i < 200; ++i) policy.Arrived(0, i);
  REQUIRE(policy.NextNewcomer(&newcomer));
  CHECK(newcomer.hash == 192);
}

TEST_CASE("hit density: ages double every four, and cover all ticks") {
  CHECK(HitDensity::AgeOf(0) == 0);
  CHECK(HitDensity::AgeOf(3) == 3);
  CHECK(HitDensity::AgeOf(4) == 4);
  CHECK(HitDensity::AgeOf(7) == 7);
  CHECK(HitDensity::AgeOf(8) == 8);
  CHECK(HitDensity::AgeOf(HitDensity::kMaxAge - 1) == HitDensity::kAges - 2);
  CHECK(HitDensity::AgeOf(HitDensity::kMaxAge) == HitDensity::kAges - 1);
  CHECK(HitDensity::AgeOf(0xffff) == HitDensity::kAges - 1);
  for (uint32_t ticks = 1; ticks < 0x10000; ++ticks) {
    const uint32_t step = HitDensity::AgeOf(ticks) - HitDensity::AgeOf(ticks - 1);
    REQUIRE(step <= 1);
  }
}

TEST_CASE("hit density: what is seen to be hit is worth more, whatever the formula says") {
  HitDensity density;
  const uint32_t often = HitDensity::Cell(10, 5);
  const uint32_t once = HitDensity::Cell(1, 5);
  CHECK(density.Density(often) > density.Density(once));
  for (int i = 0; i < 1000; ++i) {
    density.CountEntry(often);
    density.CountEntry(once);
    density.CountHit(once);
  }
  density.Learn(1000, 1000);
  CHECK(density.Density(often) < density.Density(once));
  CHECK(density.Density(often) > 0);
}

// In a loop an entry is hit at one age only, and the nearer that is the more it is worth. (Neighbours share
// what is learned.)
TEST_CASE("hit density: before the age at which entries are hit they are worth more and more") {
  HitDensity density;
  constexpr uint32_t kHitAt = 40;
  for (uint32_t age = 0; age < HitDensity::kAges; ++age) {
    for (int i = 0; i < 5000; ++i) {
      const uint32_t cell = HitDensity::kAges + age;
      density.CountEntry(cell);
      if (age == kHitAt) density.CountHit(cell);
    }
  }
  density.Learn(100'000, 50'000);
  for (uint32_t age = 1; age < kHitAt; ++age) {
    INFO(age);
    CHECK(density.Density(HitDensity::kAges + age) > density.Density(HitDensity::kAges + age - 1));
  }
  CHECK(density.Density(HitDensity::kAges + kHitAt + 2) < density.Density(HitDensity::kAges));
}

TEST_CASE("hit density: a cache without a hit has positive densities") {
  HitDensity density;
  for (uint32_t cell = 0; cell < HitDensity::kAges * HitDensity::kClasses; ++cell) {
    for (int i = 0; i < 3; ++i) density.CountEntry(cell);
  }
  for (int i = 0; i < 300; ++i) density.Learn(10'000'000'000, 16);
  for (uint32_t cell = 0; cell < HitDensity::kAges * HitDensity::kClasses; ++cell) {
    REQUIRE(density.Density(cell) > 0);
  }
}

TEST_CASE("adaptive eviction: of keys of one age and use the largest goes first") {
  EvictionTest t(EvictionPolicy::kAllkeysAdaptive);
  Database& database = t.keyspace.database(0);
  for (const size_t size : {100, 4'000, 900, 20'000, 300}) {
    database.SetString("of " + std::to_string(size), std::string(size, 'x'), kNoExpiry);
  }
  CHECK(t.EvictAll() == Keys{"of 20000", "of 4000", "of 900", "of 300", "of 100"});
}

TEST_CASE("adaptive eviction: newcomers are found by their hash") {
  EvictionTest t(EvictionPolicy::kAllkeysAdaptive);
  Database& database = t.keyspace.database(0);
  CHECK_FALSE(database.table().FindHash(database.Hash("k0")));
  for (int i = 0; i < 5'000; ++i) t.Set("k" + std::to_string(i));
  size_t others = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    const EntryRef ref = database.table().FindHash(database.Hash(key));
    REQUIRE(ref);
    others += ref->key() == key ? 0 : 1;
  }
  CHECK(others < 10);
  size_t found = 0;
  for (int i = 5'000; i < 10'000; ++i) {
    found += database.table().FindHash(database.Hash("k" + std::to_string(i))) ? 1 : 0;
  }
  CHECK(found < 20);
}

TEST_CASE("adaptive eviction: what was used more often stays longer") {
  EvictionTest t(EvictionPolicy::kAllkeysAdaptive);
  for (const char* key : {"a", "b", "c", "d"}) t.Set(key);
  for (int i = 0; i < 4; ++i) t.Touch("c");
  for (int i = 0; i < 12; ++i) t.Touch("a");
  for (int i = 0; i < 40; ++i) t.Touch("d");
  CHECK(t.EvictAll() == Keys{"b", "c", "a", "d"});
}

TEST_CASE("adaptive eviction: the volatile form leaves keys without an expiry alone") {
  EvictionTest t(EvictionPolicy::kVolatileAdaptive);
  CHECK_FALSE(t.eviction.EvictOne());
  for (int i = 0; i < 2'000; ++i) t.Set("k" + std::to_string(i), i % 10 == 0 ? 1000 + i : 0, i % 2);
  CHECK(t.EvictAll().size() == 200);
  CHECK_FALSE(t.eviction.EvictOne());
  CHECK(t.keyspace.TotalKeys() == 1'800);
}

TEST_CASE("adaptive eviction: overwriting a value keeps what is known of its key") {
  EvictionTest t(EvictionPolicy::kAllkeysAdaptive);
  t.Set("k");
  for (int i = 0; i < 9; ++i) t.Touch("k");
  Database& database = t.keyspace.database(0);
  CHECK(t.keyspace.Frequency(database.Peek("k").entry()) == 10);
  t.Set("k");
  database.SetString("k", std::string(20'000, 'x'), kNoExpiry);
  database.SetExpiry(database.Find("k"), kEvictionTestNow + 1000);
  CHECK(t.keyspace.Frequency(database.Peek("k").entry()) == 10);
  t.keyspace.SetAccess(database.Peek("k").entry(), 100, 77);
  CHECK(t.keyspace.Frequency(database.Peek("k").entry()) == 77);
}

TEST_CASE("adaptive eviction: what it remembers takes two bytes a key, and goes with the policy") {
  EvictionTest t(EvictionPolicy::kAllkeysAdaptive);
  constexpr size_t kKeys = 100'000;
  for (size_t i = 0; i < kKeys; ++i) t.Set("k" + std::to_string(i));
  CHECK(t.keyspace.adaptive()->ghosts().bytes() == 0);  // nothing was evicted
  for (size_t i = 0; i < kKeys; ++i) {
    REQUIRE(t.eviction.EvictOne());
    t.Set("n" + std::to_string(i));
  }
  CHECK(t.keyspace.adaptive()->ghosts().bytes() > kKeys);
  CHECK(t.keyspace.adaptive()->ghosts().bytes() < kKeys * 5 / 2);

  [[maybe_unused]] const uint64_t with = mem::UsedBytes();
  t.options.policy = EvictionPolicy::kAllkeysLru;
  t.keyspace.set_eviction_options(t.options);
  CHECK(t.keyspace.adaptive() == nullptr);
#ifndef PINYON_PLAIN_MALLOC  // which counts the keyspace's own blocks only
  CHECK(mem::UsedBytes() + kKeys < with);
#endif
  t.options.policy = EvictionPolicy::kVolatileAdaptive;
  t.keyspace.set_eviction_options(t.options);
  CHECK_FALSE(t.eviction.EvictOne());
  t.options.policy = EvictionPolicy::kAllkeysAdaptive;
  t.keyspace.set_eviction_options(t.options);
  CHECK(t.EvictAll().size() == kKeys);
}

}  // namespace pinyon
