#include "keyspace/defragmenter.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/random.h"
#include "keyspace/value_object.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/sorted_set.h"
#include "unit/command_fixture.h"

namespace pinyon {

namespace {

constexpr size_t kKeys = 3000;

std::string RandomText(Random& random, size_t longest) {
  return std::string(1 + random.Below(longest), static_cast<char>('a' + random.Below(26)));
}

// One random change of a key, whose type follows from its number: every type, small and large.
std::vector<std::string> RandomChange(Random& random) {
  const size_t number = random.Below(kKeys);
  const std::string key = std::to_string(number) + ":key";
  const std::string element = std::to_string(random.Below(number % 3 == 0 ? 3000 : 40));
  if (random.Below(100) == 0) return {"DEL", key};
  if (random.Below(50) == 0) return {"EXPIRE", key, "10000"};
  const bool adds = random.Below(3) > 0;
  switch (number % 8) {
    case 0:
      return adds ? std::vector<std::string>{"HSET", key, element, RandomText(random, 90)}
                  : std::vector<std::string>{"HDEL", key, element};
    case 1:
      return adds ? std::vector<std::string>{"SADD", key, RandomText(random, 90) + element}
                  : std::vector<std::string>{"SREM", key, "a" + element};
    case 2:
      return adds ? std::vector<std::string>{"ZADD", key, element, RandomText(random, 60) + element}
                  : std::vector<std::string>{"ZREMRANGEBYRANK", key, element, element};
    case 3:
      return adds ? std::vector<std::string>{"RPUSH", key, RandomText(random, 200)}
                  : std::vector<std::string>{"LPOP", key};
    case 4: return {"SADD", key, element};  // an intset
    case 5: return {"APPEND", key, RandomText(random, 60)};
    case 6: return {"HSETEX", key, "EX", "10000", "FIELDS", "1", element, RandomText(random, 90)};
    default: return {"SET", key, RandomText(random, 2500)};
  }
}

void Do(CommandFixture& f, const std::vector<std::string>& words) {
  const std::vector<std::string_view> args(words.begin(), words.end());
  f.DoAs(0, Args(args.data(), args.size()));
}

// Whether every structure of every value is sound.
void CheckValues(CommandFixture& f) {
  Database& db = f.keyspace.database(0);
  db.table().CheckConsistency();
  db.CheckConsistency();
  db.table().ForEach([](Entry* entry) {
    if (entry->encoding() == Encoding::kSkiplist)
      static_cast<const SortedSet*>(entry->pointer())->CheckConsistency();
    if (entry->encoding() == Encoding::kQuicklist)
      static_cast<const ChunkedList*>(entry->pointer())->CheckInvariants();
    if (entry->encoding() == Encoding::kHashtable && entry->type() == ValueType::kHash)
      static_cast<const FieldTable*>(entry->pointer())->CheckConsistency();
  });
}

}  // namespace

TEST_CASE("moving blocks changes nothing that can be seen", "[defrag]") {
  INFO("seed " << Catch::rngSeed());
  CommandFixture moved, still;
  moved.Run("CONFIG SET list-max-listpack-size 20");
  still.Run("CONFIG SET list-max-listpack-size 20");
  Random random(Catch::rngSeed());
  const std::string filler(1'000, 'f');
  for (int round = 0; round < 8; ++round) {
    // Between what stays there is much that goes as a whole.
    for (int i = 0; i < 15'000; ++i) {
      for (const auto& change : {RandomChange(random), {"SET", "filler:" + std::to_string(i), filler}}) {
        Do(moved, change);
        Do(still, change);
      }
    }
    for (int i = 0; i < 15'000; ++i) {
      Do(moved, {"DEL", "filler:" + std::to_string(i)});
      Do(still, {"DEL", "filler:" + std::to_string(i)});
    }
    // Most go, so that what stays is scattered.
    for (size_t i = 0; i < kKeys; ++i) {
      if (random.Below(3) == 0) continue;
      const std::vector<std::string> change = {"DEL", std::to_string(i) + ":key"};
      Do(moved, change);
      Do(still, change);
    }
    moved.engine.defragmenter.RunRound();
    CheckValues(moved);
    REQUIRE(moved.Run("DEBUG DIGEST") == still.Run("DEBUG DIGEST"));
  }
  CHECK(mem::GetRelocateStats().moved > 0);
  CHECK(moved.engine.defragmenter.stats(MonotonicUs()).keys_moved > 0);
}

TEST_CASE("anything may change between two slices of a round", "[defrag]") {
  INFO("seed " << Catch::rngSeed());
  CommandFixture moved, still;
  DefragOptions& options = moved.options.defrag;
  options.ignore_bytes = 1;
  options.threshold_lower = 0;
  options.max_scan_fields = 20;  // most collections are gone through by steps
  Random random(Catch::rngSeed());
  int64_t now_us = 1;
  size_t slices = 0;
  for (int step = 0; step < 4000; ++step) {
    std::vector<std::string> change = RandomChange(random);
    if (step % 1500 == 1499) change = {"FLUSHALL"};
    if (step % 700 == 699) change = {"SWAPDB", "0", "1"};
    for (int i = 0; i < 10; ++i) Do(moved, change), Do(still, change), change = RandomChange(random);
    // As if a tick and enough time for a step had gone by.
    now_us += 10'000;
    moved.engine.defragmenter.Tick(now_us);
    if (!moved.engine.defragmenter.running()) {
      if (step % 50 != 0) continue;
      moved.engine.defragmenter.BeginRound(now_us);
    }
    moved.engine.defragmenter.RunSlice(now_us);
    ++slices;
  }
  CheckValues(moved);
  CHECK(moved.Run("DEBUG DIGEST") == still.Run("DEBUG DIGEST"));
  CHECK(slices > 0);
}

#ifndef PINYON_PLAIN_MALLOC
TEST_CASE("a round gives back what slabs hold for nothing", "[defrag]") {
  INFO("seed " << Catch::rngSeed());
  CommandFixture f;
  Random random(Catch::rngSeed());
  const std::string value(90, 'v');
  constexpr int kMany = 200'000;
  for (int i = 0; i < kMany; ++i) f.Do({"SET", "key:" + std::to_string(i), value});
  for (int i = 0; i < kMany; ++i) {
    if (random.Below(4) > 0) f.Do({"DEL", "key:" + std::to_string(i)});
  }
  const auto lost = [] {
    const mem::SlabStats slabs = mem::GetSlabStats();
    return static_cast<double>(slabs.slab_bytes - slabs.empty_bytes - slabs.used_bytes);
  };
  const double before = lost();
  f.engine.defragmenter.RunRound();
  // One round leaves at most the slabs that were fuller than most.
  CHECK(lost() < before / 3);
  CHECK(mem::ChosenSlabs() == 0);
}

TEST_CASE("entries are found by the slabs that are emptied", "[defrag]") {
  CommandFixture f;
  Random random(Catch::rngSeed());
  INFO("seed " << Catch::rngSeed());
  constexpr int kMany = 100'000;
  for (int i = 0; i < kMany; ++i) {
    if (i % 1000 == 0) f.Do({"SELECT", i % 2000 == 0 ? "0" : "3"});
    f.Do({"SET", "key:" + std::to_string(i), std::string(static_cast<size_t>(40 + i % 50), 'v')});
  }
  for (const char* database : {"0", "3"}) {
    f.Do({"SELECT", database});
    for (int i = 0; i < kMany; ++i) {
      if (random.Below(5) > 0) f.Do({"DEL", "key:" + std::to_string(i)});
    }
  }
  const std::string before = f.Run("DEBUG DIGEST");
  f.engine.defragmenter.RunRound();
  // Most have moved, and few others were looked at.
  const Defragmenter::Stats stats = f.engine.defragmenter.stats(MonotonicUs());
  CHECK(stats.keys_moved > kMany / 20);
  CHECK(stats.keys_left < kMany / 100);
  CHECK(f.Run("DEBUG DIGEST") == before);
  for (const int d : {0, 3}) f.keyspace.database(d).table().CheckConsistency();
}

TEST_CASE("a round that would gain nothing moves nothing", "[defrag]") {
  CommandFixture f;
  // Every class has a slab of which little is used: however they are moved, there are as many.
  constexpr int kSizes = 85;
  for (int i = 0; i < kSizes * 200; ++i) {
    f.Do({"SET", "key:" + std::to_string(i), std::string(static_cast<size_t>(8 + i % kSizes * 10), 'v')});
  }
  Defragmenter& defragmenter = f.engine.defragmenter;
  uint64_t moved = 0;
  int rounds = 0;
  do {
    // As a server does: what is empty is not there to move to.
    mem::ReleaseSlabs(mem::TakeEmptySlabs(true));
    moved = defragmenter.stats(MonotonicUs()).keys_moved;
    defragmenter.RunRound();
  } while (defragmenter.stats(MonotonicUs()).keys_moved > moved && ++rounds < 10);
  CHECK(rounds < 4);
}

TEST_CASE("rounds begin and end by themselves", "[defrag]") {
  CommandFixture f;
  Defragmenter& defragmenter = f.engine.defragmenter;
  f.options.defrag.ignore_bytes = 1 << 20;
  const std::string value(70, 'v');
  for (int i = 0; i < 100'000; ++i) f.Do({"SET", "key:" + std::to_string(i), value});
  for (int i = 0; i < 100'000; ++i) {
    if (i % 8 != 0) f.Do({"DEL", "key:" + std::to_string(i)});
  }
  int64_t now_us = MonotonicUs();
  f.options.defrag.enabled = false;
  defragmenter.Tick(now_us);
  CHECK_FALSE(defragmenter.running());
  f.options.defrag.enabled = true;
  defragmenter.Tick(now_us);
  REQUIRE(defragmenter.running());
  CHECK(defragmenter.CpuPercent() == f.options.defrag.cycle_max);
  CHECK(f.Do({"DBSIZE"}) == ":12500\r\n");
  // Its share of no time is none.
  defragmenter.RunSlice(now_us);
  CHECK(mem::ChosenSlabs() == 0);
  int slices = 0;
  for (; defragmenter.running() && slices < 100'000; ++slices) defragmenter.RunSlice(now_us += 100'000);
  CHECK_FALSE(defragmenter.running());
  CHECK(slices > 0);
  CHECK(f.Do({"DBSIZE"}) == ":12500\r\n");
  // Turned off in the middle of a round: what was chosen is as any other memory again.
  for (int i = 0; i < 100'000; ++i) f.Do({"SET", "key:" + std::to_string(i), value});
  for (int i = 0; i < 100'000; ++i) {
    if (i % 8 != 0) f.Do({"DEL", "key:" + std::to_string(i)});
  }
  for (int i = 0; i < 1000 && !defragmenter.running(); ++i) defragmenter.Tick(now_us += 100'000);
  REQUIRE(defragmenter.running());
  while (mem::ChosenSlabs() == 0 && defragmenter.running()) defragmenter.RunSlice(now_us += 10'000);
  f.options.defrag.enabled = false;
  defragmenter.Tick(now_us);
  while (defragmenter.running()) defragmenter.RunSlice(now_us += 100'000);
  CHECK(mem::ChosenSlabs() == 0);
}
#endif

}  // namespace pinyon
