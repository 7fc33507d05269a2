#include "keyspace/ghost_table.h"

#include <catch2/catch.hpp>

#include "base/random.h"

namespace pinyon {
namespace {

uint64_t HashOf(uint64_t i) { return Random(i + 1).Next(); }

}  // namespace

TEST_CASE("ghost table: remembers about as many keys as it has slots, each once") {
  GhostTable table;
  CHECK(table.Take(1) == -1);
  constexpr size_t kKeys = 20'000;
  table.SetKeys(kKeys);
  for (size_t i = 0; i < kKeys / 2; ++i) table.Put(HashOf(i), 3, 1);
  size_t known = 0;
  for (size_t i = 0; i < kKeys / 2; ++i) known += table.Take(HashOf(i)) == 3;
  CHECK(known > kKeys / 2 * 97 / 100);
  size_t taken_for_others = 0;
  for (size_t i = 0; i < kKeys / 2; ++i) taken_for_others += table.Take(HashOf(i)) != -1;
  CHECK(taken_for_others < kKeys / 2 / 50);
}

TEST_CASE("ghost table: what was used often is remembered longer, but not for ever") {
  GhostTable table;
  constexpr size_t kKeys = 16'000;
  table.SetKeys(kKeys);
  Random random(Catch::rngSeed());
  INFO("seed " << Catch::rngSeed());
  size_t next = 0;
  const auto put = [&](size_t count, uint32_t use_class) {
    for (size_t i = 0; i < count; ++i)
      table.Put(HashOf(next++), use_class, static_cast<uint32_t>(random.Next()));
  };
  const auto known = [&](size_t from, size_t count) {
    size_t result = 0;
    for (size_t i = from; i < from + count; ++i) result += table.Take(HashOf(i)) > 0;
    return result;
  };
  put(1'000, 12);
  put(kKeys, 1);
  CHECK(known(0, 500) > 450);
  put(20 * kKeys, 1);
  CHECK(known(500, 500) < 100);
}

TEST_CASE("ghost table: another size begins anew, and still knows what it did") {
  GhostTable table;
  table.SetKeys(10'000);
  for (uint64_t i = 0; i < 5'000; ++i) table.Put(HashOf(i), 2, 1);
  const size_t bytes = table.bytes();
  table.SetKeys(11'000);
  table.SetKeys(8'000);
  CHECK(table.slots() == 10'000);
  table.SetKeys(100'000);
  CHECK(table.slots() == 100'000);
  CHECK(table.bytes() == bytes);
  size_t known = 0;
  for (uint64_t i = 0; i < 1'000; ++i) known += table.Take(HashOf(i)) == 2;
  CHECK(known > 950);
  for (uint64_t i = 0; i < 100'000; ++i) table.Put(HashOf(1'000'000 + i), 1, 1);
  CHECK(table.bytes() == 200'000);
  known = 0;
  for (uint64_t i = 1'000; i < 5'000; ++i) known += table.Take(HashOf(i)) == 2;
  CHECK(known < 50);
  table.SetKeys(100);
  CHECK(table.slots() < 500);
}

}  // namespace pinyon
