// MIGRATE between started servers: Pinyon and redis-server, both ways, with every type, and what goes wrong.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "integration/data_folder.h"
#include "support/elapsed.h"

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Command = std::vector<std::string>;

// MIGRATE to a server: host, port, and what the test gives.
Command Migrate(const ServerProcess& target, const Command& rest) {
  Command command = {"MIGRATE", "127.0.0.1", std::to_string(target.port())};
  command.insert(command.end(), rest.begin(), rest.end());
  return command;
}

std::vector<std::string> Keys(RawClient& client) {
  std::vector<std::string> keys;
  for (const Reply& key : client.Call({"KEYS", "*"}).elements) keys.push_back(key.text);
  return keys;
}

std::unique_ptr<ServerProcess> LaunchAny(const std::string& binary, std::vector<std::string> args = {}) {
  args.insert(args.begin(), {"--enable-debug-command", "yes"});
  return Launch({.binary = binary, .args = std::move(args)});
}

}  // namespace

TEST_CASE("values of every type go to another server and come back", "[migrate]") {
  const std::string binaries[] = {PinyonBinary(), RedisBinary()};
  const int source = GENERATE(0, 1), target = GENERATE(0, 1);
  CAPTURE(source, target);
  auto first = LaunchAny(binaries[source]);
  auto second = LaunchAny(binaries[target]);
  RawClient here = first->Connect(60'000), there = second->Connect(60'000);
  FillWithEverything(here);
  here.Call({"SELECT", "5"});
  here.Call({"FLUSHDB"});
  here.Call({"SELECT", "0"});
  const std::string digest = Digest(*first);
  const std::vector<std::string> keys = Keys(here);
  REQUIRE(keys.size() > 300);
  // One by one, then all that are left at once.
  for (size_t i = 0; i < 20; ++i) {
    REQUIRE(TextOf(here.Call(Migrate(*second, {keys[i], "0", "5000"}))) == "OK");
  }
  Command rest = Migrate(*second, {"", "0", "5000", "KEYS"});
  rest.insert(rest.end(), keys.begin() + 10, keys.end());  // some are there already
  CHECK(TextOf(here.Call(rest)) == "OK");
  CHECK(here.Call({"DBSIZE"}).Integer() == 0);
  // Times to live arrive, as relative ones, so the digests differ by them.
  const int64_t ttl_ms = there.Call({"PTTL", "compressible"}).Integer();
  CHECK(std::abs(ttl_ms - (4102444800123 - std::stoll(there.Call({"TIME"}).elements[0].text) * 1000)) <
        20'000);
  there.Call({"PEXPIREAT", "compressible", "4102444800123"});
  there.Call({"PEXPIREAT", "HSET100", "4102444800000"});
  CHECK(Digest(*second) == digest);

  rest = Migrate(*first, {"", "0", "5000", "KEYS"});
  rest.insert(rest.end(), keys.begin(), keys.end());
  CHECK(TextOf(there.Call(rest)) == "OK");
  CHECK(there.Call({"DBSIZE"}).Integer() == 0);
  here.Call({"PEXPIREAT", "compressible", "4102444800123"});
  here.Call({"PEXPIREAT", "HSET100", "4102444800000"});
  CHECK(Digest(*first) == digest);
  CHECK(HealthyUntilTheEnd(*first));
}

TEST_CASE("MIGRATE replies what became of the keys", "[migrate][redis-ok]") {
  auto source = LaunchAny(PinyonBinary());
  auto target = LaunchAny(GENERATE(0, 1) == 0 ? PinyonBinary() : RedisBinary());
  RawClient here = source->Connect(), there = target->Connect();
  here.Call({"MSET", "a", "1", "b", "2", "c", "3"});
  there.Call({"SET", "b", "busy"});
  CHECK(TextOf(here.Call(Migrate(*target, {"nokey", "0", "1000"}))) == "NOKEY");
  CHECK(TextOf(here.Call(Migrate(*target, {"", "0", "1000", "KEYS", "x", "y"}))) == "NOKEY");
  // Of which a copy arrives all the same, in the database that is selected there.
  here.Call({"SET", "lost", "0"});
  CHECK(TextOf(here.Call(Migrate(*target, {"lost", "99", "1000"}))) ==
        "ERR Target instance replied with error: ERR DB index is out of range");
  CHECK(here.Call({"DEL", "lost"}).Integer() == 1);
  CHECK(TextOf(here.Call(Migrate(*target, {"", "0", "1000", "KEYS", "a", "b", "x", "c"}))) ==
        "ERR Target instance replied with error: BUSYKEY Target key name already exists.");
  CHECK(Keys(here) == std::vector<std::string>{"b"});
  CHECK(there.Call({"GET", "c"}).text == "3");
  CHECK(there.Call({"GET", "b"}).text == "busy");
  CHECK(TextOf(here.Call(Migrate(*target, {"b", "0", "1000", "COPY", "REPLACE"}))) == "OK");
  CHECK(there.Call({"GET", "b"}).text == "2");
  CHECK(here.Call({"EXISTS", "b"}).Integer() == 1);
  CHECK(TextOf(here.Call(Migrate(*target, {"b", "3", "1000"}))) == "OK");
  CHECK(here.Call({"EXISTS", "b"}).Integer() == 0);
  there.Call({"SELECT", "3"});
  CHECK(there.Call({"GET", "b"}).text == "2");
  // Back in database 0, over the same connection.
  here.Call({"SET", "d", "4"});
  CHECK(TextOf(here.Call(Migrate(*target, {"d", "0", "1000"}))) == "OK");
  there.Call({"SELECT", "0"});
  CHECK(there.Call({"GET", "d"}).text == "4");
  CHECK(InfoField(here, "stats", "migrate_cached_sockets") == "1");
}

TEST_CASE("MIGRATE gives passwords", "[migrate][redis-ok]") {
  auto source = LaunchAny(PinyonBinary());
  auto target = LaunchAny(GENERATE(0, 1) == 0 ? PinyonBinary() : RedisBinary(), {"--requirepass", "secret"});
  RawClient here = source->Connect();
  here.Call({"MSET", "a", "1", "b", "2"});
  CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000"}))) ==
        "ERR Target instance replied with error: NOAUTH Authentication required.");
  CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "AUTH", "wrong"}))) ==
        "ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is "
        "disabled.");
  CHECK(here.Call({"EXISTS", "a"}).Integer() == 1);
  CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "AUTH", "secret"}))) == "OK");
  CHECK(TextOf(here.Call(Migrate(*target, {"b", "0", "1000", "AUTH2", "default", "secret"}))) == "OK");
  CHECK(here.Call({"DBSIZE"}).Integer() == 0);
}

TEST_CASE("MIGRATE does not wait longer than it should", "[migrate][redis-ok]") {
  auto source = LaunchAny(PinyonBinary());
  RawClient here = source->Connect();
  here.Call({"SET", "a", "1"});
  const std::string reading = "IOERR error or timeout reading to target instance";
  SECTION("for itself") {
    const auto start = Clock::now();
    CHECK(TextOf(here.Call(Migrate(*source, {"a", "0", "200"}))) == reading);
    CHECK(MsSince(start) >= 200);
    CHECK(MsSince(start) < 2000);
  }
  SECTION("for a target that is stopped") {
    auto target = LaunchAny(PinyonBinary());
    target->Signal(SIGSTOP);
    CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "100"}))) == reading);
    target->Signal(SIGCONT);
  }
  SECTION("for a target that has gone") {
    auto target = LaunchAny(PinyonBinary());
    CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "COPY"}))) == "OK");
    target->Signal(SIGKILL);
    target->WaitForExit(10'000);
    CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "COPY"}))) ==
          "IOERR error or timeout writing to target instance");
  }
  SECTION("for a connection that the target has closed meanwhile") {
    auto target = LaunchAny(PinyonBinary());
    CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "COPY"}))) == "OK");
    RawClient there = target->Connect();
    there.Call({"CLIENT", "KILL", "TYPE", "normal"});
    CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000", "COPY", "REPLACE"}))) == "OK");
  }
  SECTION("for a name that means nothing") {
    CHECK(TextOf(here.Call({"MIGRATE", "", "1", "a", "0", "100"})) ==
          "IOERR error or timeout connecting to the client");
  }
  CHECK(here.Call({"GET", "a"}).text == "1");
  CHECK(HealthyUntilTheEnd(*source));
}

TEST_CASE("what MIGRATE took is gone from the log", "[migrate][persistence]") {
  auto target = LaunchAny(PinyonBinary());
  DataFolder folder;
  {
    auto source = folder.Start(PinyonBinary(), {"--appendonly", "yes", "--appendfsync", "always"});
    RawClient here = source->Connect();
    here.Call({"MSET", "a", "1", "b", "2", "c", "3"});
    CHECK(TextOf(here.Call(Migrate(*target, {"", "0", "1000", "KEYS", "a", "c", "x"}))) == "OK");
    CHECK(TextOf(here.Call(Migrate(*target, {"b", "0", "1000", "COPY"}))) == "OK");
    source->Signal(SIGKILL);
    source->WaitForExit(10'000);
  }
  auto source = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
  RawClient here = source->Connect(), there = target->Connect();
  CHECK(Keys(here) == std::vector<std::string>{"b"});
  CHECK(there.Call({"DBSIZE"}).Integer() == 3);
}

TEST_CASE("connections of MIGRATE are closed when they are not used", "[migrate][pinyon][slow]") {
  auto source = LaunchAny(PinyonBinary());
  auto target = LaunchAny(PinyonBinary());
  RawClient here = source->Connect();
  here.Call({"SET", "a", "1"});
  CHECK(TextOf(here.Call(Migrate(*target, {"a", "0", "1000"}))) == "OK");
  CHECK(InfoField(here, "stats", "migrate_cached_sockets") == "1");
  const auto start = Clock::now();
  while (InfoField(here, "stats", "migrate_cached_sockets") != "0" && MsSince(start) < 20'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(MsSince(start) > 8'000);
  CHECK(MsSince(start) < 14'000);
}

}  // namespace pinyon::testing
