#include "engine/memory_limit.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/alloc.h"
#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

constexpr const char* kOom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
constexpr const char* kAborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";

struct LimitTest : CommandFixture {
  LimitTest() { Run("CONFIG SET maxmemory-eviction-tenacity 100"); }
  void Limit(std::string_view policy) {
    REQUIRE(Do({"CONFIG", "SET", "maxmemory-policy", policy, "maxmemory", "1"}) == kOk);
  }
  std::vector<std::string> Sorted(std::vector<std::string> list) {
    std::sort(list.begin(), list.end());
    return list;
  }
};

// A request of a command with as many arguments as it needs.
std::vector<std::string> RequestOf(const Command& command) {
  std::vector<std::string> args;
  const size_t bar = command.name.find('|');
  args.emplace_back(command.name.substr(0, bar));
  if (bar != std::string_view::npos) args.emplace_back(command.name.substr(bar + 1));
  while (args.size() < static_cast<size_t>(std::abs(command.spec->arity))) args.emplace_back("x");
  return args;
}

}  // namespace

TEST_CASE("memory limit: of all commands those are refused that may need memory") {
  LimitTest f;
  // FLUSHALL is among them, and under a sanitizer nothing else is counted.
  constexpr size_t kHeld = 64;
  const std::unique_ptr<void, void (*)(void*)> held(mem::Allocate(kHeld),
                                                    [](void* memory) { mem::Free(memory, kHeld); });
  f.Limit("noeviction");
  size_t refused = 0;
  const auto check = [&](const Command& command, size_t client) {
    // (What belongs to administrators does too much when it is called like this, and there is no disk to ask
    // about.)
    if (command.spec->handler == nullptr || (command.flags & (kAdmin | kProtectedDebug)) != 0) return;
    if (command.name == "lastsave") return;
    const std::vector<std::string> request = RequestOf(command);
    const std::vector<std::string_view> args(request.begin(), request.end());
    const std::string reply = f.DoAs(client, args);
    const bool may_grow = (command.flags & kDenyOom) != 0;
    INFO(command.name << ": " << reply);
    CHECK((reply == kOom) == may_grow);
    refused += may_grow ? 1 : 0;
    f.Disconnect(client);
  };
  size_t client = 1;
  for (const Command* command : f.commands.commands()) {
    check(*command, ++client);
    for (const Command* sub : command->subcommands) check(*sub, ++client);
  }
  CHECK(refused > 50);
  CHECK(f.Run("CONFIG SET maxmemory 0") == kOk);
  CHECK(f.Run("SET a 1") == kOk);
}

TEST_CASE("memory limit: a transaction cannot grow, and ends") {
  LimitTest f;
  f.Run("SET a 1");
  f.RunAs(1, "MULTI");
  f.RunAs(1, "SET a 2");
  f.RunAs(2, "MULTI");
  f.RunAs(2, "GET a");
  f.Limit("noeviction");
  CHECK(f.RunAs(1, "EXEC") ==
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > "
        "'maxmemory'.\r\n");
  CHECK(f.RunAs(1, "EXEC") == "-ERR EXEC without MULTI\r\n");
  CHECK(f.RunAs(2, "EXEC") == "*1\r\n$1\r\n1\r\n");
  for (const char* queued : {"SET a 1", "GET a", "PING", "MULTI", "WATCH a", "UNWATCH", "HELLO 3"}) {
    INFO(queued);
    CHECK(f.Run("MULTI") == kOk);
    CHECK(f.Run(queued) == kOom);
    CHECK(f.Run("EXEC") == kAborted);
  }
  CHECK(f.Run("MULTI") == kOk);
  CHECK(f.Run("DISCARD") == kOk);
  CHECK(f.Run("MULTI") == kOk);
  CHECK(f.Run("RESET") == "+RESET\r\n");
  CHECK(f.Run("MULTI") == kOk);
  CHECK(f.Run("QUIT") == kOk);
}

TEST_CASE("memory limit: evictions propagate each by itself, before the command") {
  LimitTest f;
  for (const char* key : {"a", "b", "c"}) f.Do({"SET", key, "1"});
  f.RunAs(1, "SELECT 3");
  f.RunAs(1, "SET d 1");
  f.RecordNotifications(kNotifyEvicted);
  f.RecordEffects();
  const int64_t changes = f.engine.stats.changes_since_save;
  f.Limit("allkeys-lru");
  CHECK(f.TakeEffects().empty());
  SECTION("DEL") {
    CHECK(f.Run("SET e 1") == kOom);
    CHECK(f.Sorted(f.TakeNotifications()) ==
          std::vector<std::string>{"evicted a", "evicted b", "evicted c", "evicted d@3"});
    std::vector<std::string> effects = f.TakeEffects();
    std::erase_if(effects, [](const std::string& effect) { return effect.starts_with("SELECT"); });
    CHECK(f.Sorted(effects) == std::vector<std::string>{"DEL a", "DEL b", "DEL c", "DEL d"});
    CHECK(f.effect_recorder.units() == 4);
  }
  SECTION("UNLINK, and a command that needs no memory") {
    f.options.lazy_free.eviction = true;
    CHECK(f.Run("GET a") == "$-1\r\n");
    std::vector<std::string> effects = f.TakeEffects();
    CHECK(std::count(effects.begin(), effects.end(), "UNLINK a") == 1);
    CHECK(f.Run("DBSIZE") == ":0\r\n");
  }
  CHECK(f.keyspace.TotalKeys() == 0);
  CHECK(f.keyspace.stats().evicted_keys == 4);
  CHECK(f.engine.stats.changes_since_save == changes);
}

TEST_CASE("memory limit: an evicted key that is watched has changed") {
  LimitTest f;
  f.Run("SET a 1");
  f.RunAs(1, "WATCH a");
  f.Limit("allkeys-random");
  f.Run("PING");
  f.Run("CONFIG SET maxmemory 0");
  f.RunAs(1, "MULTI");
  f.RunAs(1, "PING");
  CHECK(f.RunAs(1, "EXEC") == "*-1\r\n");
}

TEST_CASE("memory limit: who waits for a key goes on waiting") {
  LimitTest f;
  f.Run("RPUSH other x");
  CHECK(f.RunAs(1, "BLPOP list 0") == "");
  f.Limit("allkeys-lru");
  CHECK(f.Run("DBSIZE") == ":0\r\n");
  CHECK(f.session(1).suspension != nullptr);
  f.Run("CONFIG SET maxmemory 0");
  f.Run("RPUSH list v");
  CHECK(f.Received(1) == "*2\r\n$4\r\nlist\r\n$1\r\nv\r\n");
}

TEST_CASE("memory limit: as much goes as is needed") {
  LimitTest f;
  for (int i = 0; i < 2'000; ++i) f.Do({"SET", "k" + std::to_string(i), std::string(1'000, 'x')});
  const uint64_t limit = mem::UsedBytes() - 500'000;
  REQUIRE(f.Do({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", std::to_string(limit)}) ==
          kOk);
  CHECK(f.engine.memory_limit.IsBehind());
  SECTION("before a command") { CHECK(f.Run("SET new 1") == kOk); }
  SECTION("in slices, a few keys in each when there is no time") {
    f.options.eviction.tenacity = 0;
    int slices = 0;
    for (; f.engine.memory_limit.IsBehind(); ++slices) f.engine.memory_limit.RunSlice();
    CHECK(slices > 80);
  }
  SECTION("while commands run that find no time for it") {
    f.options.eviction.tenacity = 0;
    for (int i = 0; i < 300; ++i) CHECK(f.Run("SET new 1") == kOk);
  }
  CHECK_FALSE(f.engine.memory_limit.IsBehind());
  CHECK(mem::UsedBytes() <= limit + 4'096);  // the command itself adds a little
  CHECK(f.keyspace.TotalKeys() < 1'600);
  CHECK(f.keyspace.TotalKeys() > 1'400);
}

TEST_CASE("memory limit: what waits to be written or freed does not count") {
  LimitTest f;
  for (int i = 0; i < 100; ++i) f.Do({"SET", "k" + std::to_string(i), std::string(1'000, 'x')});
  uint64_t uncounted = 10'000'000;
  f.engine.memory_limit.set_uncounted([&uncounted] { return uncounted; });
  const std::string limit = std::to_string(mem::UsedBytes() - 30'000);
  f.Do({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", limit});
  f.Run("PING");
  CHECK(f.keyspace.TotalKeys() == 100);
  CHECK(f.engine.memory_limit.CurrentExceededMs() == 0);
  uncounted = 0;
  f.Run("PING");
  CHECK(f.keyspace.TotalKeys() < 80);
  CHECK(f.keyspace.TotalKeys() > 50);
  CHECK(f.engine.memory_limit.CurrentExceededMs() == 0);
}

TEST_CASE("memory limit: a huge value on its way out takes nothing along") {
  LimitTest f;
  for (int i = 0; i < 100; ++i) f.Do({"SET", "k" + std::to_string(i), std::string(1'000, 'x')});
  const uint64_t small = mem::UsedBytes();
  for (int i = 0; i < 200'000; i += 4) {
    f.Do({"SADD", "huge", "m" + std::to_string(i), "m" + std::to_string(i + 1), "m" + std::to_string(i + 2),
          "m" + std::to_string(i + 3)});
  }
  const std::string limit = std::to_string(small + 1'000'000);
  f.Run("CONFIG SET maxmemory-policy allkeys-lru");
  SECTION("deleted") {
    f.Run("DEL huge");
    f.Do({"CONFIG", "SET", "maxmemory", limit});
  }
  SECTION("flushed") {
    f.Run("MOVE huge 1");
    f.RunAs(1, "SELECT 1");
    f.RunAs(1, "FLUSHDB ASYNC");
    f.Do({"CONFIG", "SET", "maxmemory", limit});
  }
  f.Run("PING");
  CHECK(f.keyspace.TotalKeys() == 100);
}

TEST_CASE("memory limit: nothing is evicted or refused while expired keys are only hidden") {
  LimitTest f;
  f.Run("SET a 1");
  f.Limit("allkeys-lru");
  f.keyspace.set_hides_expired_only(true);
  CHECK(f.Run("SET b 1") == kOk);
  CHECK(f.keyspace.TotalKeys() == 2);
  f.keyspace.set_hides_expired_only(false);
  CHECK(f.Run("SET b 1") == kOom);
}

TEST_CASE("memory limit: OBJECT FREQ and IDLETIME go by the policy in force") {
  LimitTest f;
  constexpr const char* kNotLfu =
      "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
      "switching "
      "between policies at runtime LRU and LFU data will take some time to adjust.\r\n";
  constexpr const char* kLfu =
      "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching "
      "between "
      "policies at runtime LRU and LFU data will take some time to adjust.\r\n";
  f.Run("SET old 1");
  f.Advance(7'000);
  CHECK(f.Run("OBJECT IDLETIME old") == ":7\r\n");
  CHECK(f.Run("OBJECT FREQ old") == kNotLfu);
  CHECK(f.Run("OBJECT FREQ none") == "$-1\r\n");
  CHECK(f.Run("CONFIG SET maxmemory-policy volatile-lfu") == kOk);
  CHECK(f.Run("OBJECT IDLETIME old") == kLfu);
  CHECK(f.Run("OBJECT IDLETIME none") == "$-1\r\n");
  f.Run("SET k 1");
  CHECK(f.Run("OBJECT FREQ k") == ":5\r\n");
  f.Run("GET k");
  CHECK(f.Run("OBJECT FREQ k") == ":6\r\n");
  f.Run("COPY k copy");
  CHECK(f.Run("OBJECT FREQ copy") == ":5\r\n");
  f.Run("SET copy 2");
  CHECK(f.Run("OBJECT FREQ copy") == ":6\r\n");
  f.Run("RENAME copy moved");
  CHECK(f.Run("OBJECT FREQ moved") == ":6\r\n");
  f.Advance(2 * 60'000);
  CHECK(f.Run("OBJECT FREQ moved") == ":4\r\n");
  f.Run("GET moved");
  CHECK(f.Run("OBJECT FREQ moved") == ":5\r\n");
  f.keyspace.set_spares_pages(true);
  f.Run("GET moved");
  CHECK(f.Run("OBJECT FREQ moved") == ":5\r\n");
  f.keyspace.set_spares_pages(false);
  CHECK(f.Run("CONFIG SET maxmemory-policy allkeys-adaptive") == kOk);
  CHECK(f.Run("OBJECT IDLETIME k") == kLfu);
  f.Run("SET counted 1");
  f.Run("GET counted");
  f.Run("GET counted");
  CHECK(f.Run("OBJECT FREQ counted") == ":3\r\n");
  f.Run("SET counted 2");
  CHECK(f.Run("OBJECT FREQ counted") == ":4\r\n");
}

}  // namespace pinyon
