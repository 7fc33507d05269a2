// A started server with a limit of memory: it stays within it, whatever is stored, and what it evicted is
// gone from its log, too.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "integration/data_folder.h"

namespace pinyon::testing {
namespace {

constexpr uint64_t kMegabyte = 1024 * 1024;

uint64_t Number(RawClient& client, const std::string& section, const std::string& field) {
  return std::stoull(InfoField(client, section, field));
}

// What is on its way out counts as gone, so the freeing thread is waited for. With lazyfree-lazy-eviction
// only: else it does not say what it has to do.
uint64_t CountedBytes(RawClient& client) {
  while (InfoField(client, "memory", "lazyfree_pending_objects") != "0") {
  }
  // Both of one moment: the log's buffer, which is used but not counted, may be written meanwhile.
  const std::string info = TextOf(client.Call({"INFO", "memory"}));
  return std::stoull(FieldOf(info, "used_memory")) - std::stoull(FieldOf(info, "mem_not_counted_for_evict"));
}

// A write of the i-th key of a cache: of every type, small and large, every other one with an expiry.
void Store(RawClient& client, int i) {
  const std::string key = "key:" + std::to_string(i);
  const std::string text(static_cast<size_t>(50 + i % 400), static_cast<char>('a' + i % 26));
  switch (i % 8) {
    case 0: client.Call({"RPUSH", key, text, "b", "c"}); break;
    case 1: client.Call({"HSET", key, "name", text, "i", std::to_string(i)}); break;
    case 2: client.Call({"ZADD", key, "1", text, "2.5", "member"}); break;
    case 3: client.Call({"SADD", key, text, "member"}); break;
    case 4: {
      std::vector<std::string> command = {"SADD", key};
      for (int m = 0; m < 300; ++m) command.push_back("member " + std::to_string(m * i));
      client.Call(command);
      break;
    }
    case 5:
      client.Call({"SET", key, std::string(static_cast<size_t>(i % 100 == 5 ? 300'000 : 3'000), 'x')});
      break;
    default: client.Call({"SET", key, text}); break;
  }
  if (i % 2 == 0) client.Call({"EXPIRE", key, std::to_string(10'000 + i)});
}

}  // namespace

TEST_CASE("a cache of values of every type stays within its limit, and so does its log",
          "[eviction][pinyon]") {
  const std::string policy = GENERATE("allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-adaptive");
  INFO(policy);
  DataFolder folder;
  std::string digest;
  {
    auto server = folder.Start(
        PinyonBinary(), {"--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--maxmemory", "20mb",
                         "--maxmemory-policy", policy, "--lazyfree-lazy-eviction", "yes"});
    RawClient client = server->Connect();
    uint64_t most = 0;
    for (int i = 0; i < 20'000; ++i) {
      Store(client, i);
      if (i % 200 == 0) most = std::max(most, CountedBytes(client));
    }
    CHECK(most > 19 * kMegabyte);
    CHECK(most < 21 * kMegabyte);
    // The adaptive policy has large values go first, so it needs fewer.
    CHECK(Number(client, "stats", "evicted_keys") > 2'000);
    CHECK(InfoField(client, "memory", "maxmemory_human") == "20.00M");
    CHECK(InfoField(client, "memory", "maxmemory_policy") == policy);
    // Or the digest's own connection may cost another key.
    CHECK(client.Call({"CONFIG", "SET", "maxmemory", "0"}).text == "OK");
    digest = Digest(*server);
    CHECK(server->Stop() == 0);
  }
  auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
  CHECK(Digest(*server) == digest);
}

TEST_CASE("volatile policies evict only keys that have an expiry", "[eviction][redis-ok]") {
  const std::string policy = GENERATE("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl");
  INFO(policy);
  auto server = LaunchWith({"--maxmemory", "20mb", "--maxmemory-policy", policy, "--save", ""});
  RawClient client = server->Connect();
  const std::string value(1'000, 'x');
  for (int i = 0; i < 2'000; ++i) client.Call({"SET", "stays:" + std::to_string(i), value});
  for (int i = 0; i < 40'000; ++i) {
    REQUIRE(TextOf(client.Call(
                {"SET", "goes:" + std::to_string(i), value, "EX", std::to_string(1'000 + i)})) == "OK");
  }
  CHECK(Number(client, "stats", "evicted_keys") > 10'000);
  int left = 0;
  for (int i = 0; i < 2'000; ++i) left += TextOf(client.Call({"GET", "stays:" + std::to_string(i)})) == value;
  CHECK(left == 2'000);
}

TEST_CASE("without eviction writes are refused until there is room again", "[eviction][redis-ok]") {
  auto server = LaunchWith({"--maxmemory", "10mb", "--save", ""});
  RawClient client = server->Connect();
  const std::string value(10'000, 'x');
  int stored = 0;
  while (TextOf(client.Call({"SET", "k" + std::to_string(stored), value})) == "OK" && stored < 5'000)
    ++stored;
  CHECK(stored < 1'100);
  CHECK(stored > 500);
  CHECK(TextOf(client.Call({"SET", "k", value})) ==
        "OOM command not allowed when used memory > 'maxmemory'.");
  CHECK(TextOf(client.Call({"GET", "k0"})) == value);
  for (int i = 0; i < 100; ++i) client.Call({"DEL", "k" + std::to_string(i)});
  CHECK(TextOf(client.Call({"SET", "k", value})) == "OK");
  CHECK(InfoField(client, "stats", "evicted_keys") == "0");
}

TEST_CASE("a lower limit is reached in steps, without a command", "[eviction][pinyon]") {
  auto server = LaunchWith({"--save", "", "--lazyfree-lazy-eviction", "yes"});
  RawClient client = server->Connect();
  const std::string value(100, 'x');
  for (int i = 0; i < 2'000; ++i) {
    std::vector<std::string> command = {"MSET"};
    for (int k = 0; k < 100; ++k) {
      command.push_back("key:" + std::to_string(i * 100 + k));
      command.push_back(value);
    }
    client.Call(command);
  }
  const uint64_t limit = CountedBytes(client) / 2;
  CHECK(TextOf(client.Call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory",
                            std::to_string(limit)})) == "OK");
  CHECK(server->OutputText().find("is smaller than the current memory usage") != std::string::npos);
  CHECK(TextOf(client.Call({"SET", "new", "1"})) == "OK");
  // Asked seldom: a command takes a step, too.
  constexpr int kMaxLooks = 20;
  for (int looks = 0; looks < kMaxLooks; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
    if (InfoField(client, "stats", "current_eviction_exceeded_time") == "0") break;
  }
  CHECK(Number(client, "stats", "evicted_keys") > 80'000);
  CHECK(CountedBytes(client) < limit + kMegabyte);
  CHECK(InfoField(client, "stats", "current_eviction_exceeded_time") == "0");
  CHECK(Number(client, "stats", "total_eviction_exceeded_time") > 0);
}

TEST_CASE("snapshots keep idle times or frequencies as the policy has it", "[eviction][pinyon]") {
  DataFolder folder;
  const std::string policy = GENERATE("allkeys-lru", "volatile-lfu");
  INFO(policy);
  const bool is_lfu = policy == "volatile-lfu";
  {
    auto server = folder.Start(PinyonBinary(), {"--maxmemory-policy", policy});
    RawClient client = server->Connect();
    client.Call({"SET", "k", "v"});
    const Reply payload = client.Call({"DUMP", "k"});
    CHECK(TextOf(client.Call({"RESTORE", "idle", "0", payload.text, "IDLETIME", "1000"})) == "OK");
    CHECK(TextOf(client.Call({"RESTORE", "often", "0", payload.text, "FREQ", "200"})) == "OK");
    REQUIRE(TextOf(client.Call({"SAVE"})) == "OK");
    CHECK(server->Stop() == 0);
  }
  for (const std::string& binary : {PinyonBinary(), RedisBinary()}) {
    INFO(binary);
    auto server = folder.Start(binary, {"--maxmemory-policy", policy});
    RawClient client = server->Connect();
    const Reply reply =
        is_lfu ? client.Call({"OBJECT", "FREQ", "often"}) : client.Call({"OBJECT", "IDLETIME", "idle"});
    if (is_lfu) {
      CHECK(reply.Integer() >= 198);
      CHECK(reply.Integer() <= 200);
    } else {
      CHECK(reply.Integer() >= 1'000);
      CHECK(reply.Integer() < 1'060);
    }
  }
}

TEST_CASE("the adaptive policies can be switched to and from while keys are evicted", "[eviction][pinyon]") {
  auto server = LaunchWith({"--maxmemory", "10mb", "--maxmemory-policy", "volatile-adaptive", "--save", ""});
  RawClient client = server->Connect();
  const std::string value(1'000, 'x');
  for (int i = 0; i < 1'000; ++i) client.Call({"SET", "stays:" + std::to_string(i), value});
  int stored = 0;
  const auto store = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const std::string key = "goes:" + std::to_string(stored++ % 40'000);
      REQUIRE(TextOf(client.Call({"SET", key, value, "EX", "10000"})) == "OK");
    }
  };
  store(20'000);
  CHECK(InfoField(client, "memory", "maxmemory_policy") == "volatile-adaptive");
  CHECK(TextOf(client.Call({"GET", "stays:1"})) == value);
  CHECK(client.Call({"OBJECT", "FREQ", "stays:1"}).Integer() == 2);
  for (const char* policy : {"volatile-lru", "volatile-adaptive", "volatile-lfu", "volatile-adaptive"}) {
    REQUIRE(TextOf(client.Call({"CONFIG", "SET", "maxmemory-policy", policy})) == "OK");
    CHECK(TextOf(client.Call({"CONFIG", "GET", "maxmemory-policy"}).elements[1]) == policy);
    store(5'000);
    CHECK(CountedBytes(client) < 11 * kMegabyte);
  }
  int left = 0;
  for (int i = 0; i < 1'000; ++i) left += TextOf(client.Call({"GET", "stays:" + std::to_string(i)})) == value;
  CHECK(left == 1'000);
  CHECK(Number(client, "stats", "evicted_keys") > 20'000);
}

TEST_CASE("snapshots keep frequencies under the adaptive policies", "[eviction][pinyon]") {
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary(), {"--maxmemory-policy", "allkeys-adaptive"});
    RawClient client = server->Connect();
    client.Call({"SET", "k", "v"});
    for (int i = 0; i < 9; ++i) client.Call({"GET", "k"});
    const Reply payload = client.Call({"DUMP", "k"});
    CHECK(TextOf(client.Call({"RESTORE", "often", "0", payload.text, "FREQ", "200"})) == "OK");
    REQUIRE(TextOf(client.Call({"SAVE"})) == "OK");
    CHECK(server->Stop() == 0);
  }
  auto server = folder.Start(PinyonBinary(), {"--maxmemory-policy", "volatile-adaptive"});
  RawClient client = server->Connect();
  CHECK(client.Call({"OBJECT", "FREQ", "k"}).Integer() == 11);  // DUMP is a use, too
  CHECK(client.Call({"OBJECT", "FREQ", "often"}).Integer() == 200);
}

}  // namespace pinyon::testing
