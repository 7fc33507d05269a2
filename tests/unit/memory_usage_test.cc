// What MEMORY USAGE tells of a key against what deleting the key really gives back, for every type and
// encoding at several sizes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "base/alloc.h"
#include "command_fixture.h"

namespace pinyon {
namespace {

using Command = std::vector<std::string>;

class MemoryUsageFixture : public CommandFixture {
 public:
  MemoryUsageFixture() {
    // What the keyspace, the freeing thread and replies need once is not to be taken for the first key's.
    for (int i = 0; i < 200; ++i) Set("other key " + std::to_string(i), "value");
    for (int round = 0; round < 3; ++round) {
      FillHash("warm", 1'000, 20, false);
      FillHash("warm too", 5, 20, true);
      Freed("warm");
      Freed("warm too");
    }
  }

  std::string Call(const Command& command) {
    std::vector<std::string_view> args(command.begin(), command.end());
    return DoAs(0, Args(args));
  }
  void Set(const std::string& key, const std::string& value) { Call({"SET", key, value}); }
  std::string Text(size_t bytes) {
    std::string text(bytes, ' ');
    for (char& c : text) c = static_cast<char>('!' + random.Below(90));
    return text;
  }
  // About `bytes`, between next to nothing and twice as much.
  std::string SomeText(size_t bytes) { return Text(1 + random.Below(2 * bytes)); }

  // Adds `count` elements by a command that takes several at once.
  template <typename Element>
  void Fill(Command command, size_t count, Element element) {
    const Command head = command;
    for (size_t i = 0; i < count; ++i) {
      for (std::string& part : element(i)) command.push_back(std::move(part));
      if (command.size() < 1'000 && i + 1 < count) continue;
      const std::string reply = Call(command);
      REQUIRE(reply[0] != '-');
      command = head;
    }
  }
  void FillList(const std::string& key, size_t count, size_t bytes) {
    Fill({"RPUSH", key}, count, [&](size_t) { return Command{SomeText(bytes)}; });
  }
  void FillSet(const std::string& key, size_t count, size_t bytes) {
    Fill({"SADD", key}, count, [&](size_t i) { return Command{std::to_string(i) + SomeText(bytes)}; });
  }
  void FillIntset(const std::string& key, size_t count) {
    Fill({"SADD", key}, count, [&](size_t i) { return Command{std::to_string(i * 70'001)}; });
  }
  void FillZset(const std::string& key, size_t count, size_t bytes) {
    Fill({"ZADD", key}, count, [&](size_t i) {
      return Command{std::to_string(random.Below(1'000)) + ".5", std::to_string(i) + SomeText(bytes)};
    });
  }
  void FillHash(const std::string& key, size_t count, size_t bytes, bool expires) {
    Fill({"HSET", key}, count, [&](size_t i) {
      return Command{"field:" + std::to_string(i), SomeText(bytes)};
    });
    if (!expires) return;
    for (size_t i = 0; i < count; i += 2) {
      Call({"HPEXPIRE", key, std::to_string(100'000 + random.Below(1'000'000)), "FIELDS", "1",
            "field:" + std::to_string(i)});
    }
  }

  uint64_t Usage(const std::string& key, const std::string& samples) {
    const std::string reply = Call({"MEMORY", "USAGE", key, "SAMPLES", samples});
    REQUIRE(reply[0] == ':');
    return std::stoull(reply.substr(1));
  }
  // What deleting the key gives back.
  uint64_t Freed(const std::string& key) {
    Database& database = keyspace.database(0);
    WaitForFreeing();
    const EntryRef ref = database.Find(key);
    REQUIRE(ref);
    const uint64_t before = mem::UsedBytes();
    database.Delete(ref);
    WaitForFreeing();
    return before - mem::UsedBytes();
  }
  void WaitForFreeing() {
    while (!keyspace.lazy_free().IsIdle()) std::this_thread::yield();
  }

  void CheckKey(const std::string& what) {
    const std::string encoding = Run("OBJECT ENCODING key");
    const bool has_expiry = random.Below(2) == 0;
    if (has_expiry) Run("EXPIRE key 1000");
    INFO(what << (has_expiry ? ", expires" : "") << ", " << encoding << "seed " << seed);
    const auto by_default = static_cast<double>(Usage("key", "5"));
    const auto exact = static_cast<double>(Usage("key", "0"));
    const auto freed = static_cast<double>(Freed("key"));
    CHECK(std::abs(by_default - freed) <= freed / 10);
    CHECK(std::abs(exact - freed) <= freed / 50 + 16);
  }

  const uint64_t seed = Random::FromSystem().Next();
  Random random{seed};
};

// Under a sanitizer what is not allocated by base/alloc.h is not counted.
#ifndef PINYON_PLAIN_MALLOC

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE tells what deleting a string gives back",
                 "[memory_usage]") {
  const size_t bytes = GENERATE(1, 10, 44, 45, 200, 300, 3'000, 9'000, 40'000, 1'000'000);
  Set("key", Text(bytes));
  CheckKey("string");
  Set("key", "12345");
  CheckKey("integer");
  // With room to grow.
  Set("key", Text(bytes));
  for (int i = 0; i < 5; ++i) Call({"APPEND", "key", SomeText(bytes / 3 + 1)});
  CheckKey("appended string");
  const std::string long_key = Text(bytes % 5'000 + 300);
  Set(long_key, Text(bytes));
  const uint64_t usage = Usage(long_key, "5");
  CHECK(usage == Freed(long_key));
}

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE tells what deleting a hash gives back", "[memory_usage]") {
  const size_t count = GENERATE(1, 5, 30, 128, 600, 5'000, 40'000);
  const size_t bytes = GENERATE(5, 30, 500);
  if (count * bytes > 5'000'000) return;
  FillHash("key", count, bytes, false);
  CheckKey("hash");
  FillHash("key", count, bytes, true);
  CheckKey("hash with expiring fields");
}

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE tells what deleting a set gives back", "[memory_usage]") {
  const size_t count = GENERATE(1, 5, 30, 128, 600, 5'000, 40'000);
  const size_t bytes = GENERATE(5, 30, 500);
  if (count * bytes > 5'000'000) return;
  FillSet("key", count, bytes);
  CheckKey("set");
  FillIntset("key", count);
  CheckKey("set of integers");
}

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE tells what deleting a sorted set gives back",
                 "[memory_usage]") {
  const size_t count = GENERATE(1, 5, 30, 128, 600, 5'000, 40'000);
  const size_t bytes = GENERATE(5, 30, 500);
  if (count * bytes > 5'000'000) return;
  FillZset("key", count, bytes);
  CheckKey("sorted set");
}

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE tells what deleting a list gives back", "[memory_usage]") {
  const size_t count = GENERATE(1, 5, 30, 128, 600, 5'000, 40'000, 300'000);
  const size_t bytes = GENERATE(5, 30, 500, 3'000);
  if (count * bytes > 20'000'000) return;
  FillList("key", count, bytes);
  CheckKey("list");
  options.encoding.list_compress_depth = 1;
  FillList("key", count, bytes);
  CheckKey("compressed list");
}

#endif

TEST_CASE_METHOD(MemoryUsageFixture, "MEMORY USAGE follows the changes of a large collection",
                 "[memory_usage]") {
  INFO("seed " << seed);
  FillHash("key", 3'000, 30, true);
  FillSet("set", 3'000, 30);
  FillZset("zset", 3'000, 30);
  const uint64_t hash = Usage("key", "5"), set = Usage("set", "5"), zset = Usage("zset", "5");
  for (int i = 0; i < 3'000; ++i) {
    const std::string field = "field:" + std::to_string(random.Below(3'000));
    Call({"HSET", "key", field, SomeText(100)});
    if (random.Below(3) == 0) Call({"HPERSIST", "key", "FIELDS", "1", field});
    if (random.Below(3) == 0) Call({"HDEL", "key", "field:" + std::to_string(random.Below(3'000))});
    Run("SPOP set");
    Run("ZPOPMIN zset");
    if (i % 500 == 0) keyspace.database(0).CheckConsistency();
  }
  CHECK(Usage("key", "5") > hash / 2);
  CHECK(Run("EXISTS set zset") == ":0\r\n");
  FillSet("set", 3'000, 30);
  FillZset("zset", 3'000, 30);
  CHECK(std::abs(static_cast<double>(Usage("set", "5")) - static_cast<double>(set)) <
        static_cast<double>(set) / 10);
  CHECK(std::abs(static_cast<double>(Usage("zset", "5")) - static_cast<double>(zset)) <
        static_cast<double>(zset) / 10);
}

}  // namespace
}  // namespace pinyon
