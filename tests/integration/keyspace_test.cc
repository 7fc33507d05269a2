// What holds over many commands: expiry without access, SCAN's guarantee, RANDOMKEY's fairness.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Sends all commands at once and drops their replies.
void Pipeline(RawClient& client, const std::vector<std::vector<std::string>>& commands) {
  std::string requests;
  for (const auto& command : commands) requests += EncodeCommand(command);
  client.Send(requests);
  for (size_t i = 0; i < commands.size(); ++i) {
    const Reply reply = client.ReadReply();
    if (reply.IsError()) throw std::runtime_error(reply.text);
  }
}

constexpr int kDrawnKeys = 200;
constexpr int kDraws = 40000;

struct Draws {
  int keys_drawn;
  double chi_square;
};

// How evenly RANDOMKEY draws from the keys of a fresh database.
Draws DrawKeys(const ServerProcess& server) {
  RawClient client = server.Connect(60000);
  std::vector<std::vector<std::string>> commands;
  commands.reserve(kDrawnKeys);
  for (int i = 0; i < kDrawnKeys; ++i) commands.push_back({"SET", fmt::format("key:{}", i), "x"});
  Pipeline(client, commands);
  std::string requests;
  for (int i = 0; i < kDraws; ++i) requests += EncodeCommand({"RANDOMKEY"});
  client.Send(requests);
  std::map<std::string, int> drawn;
  for (int i = 0; i < kDraws; ++i) ++drawn[client.ReadReply().text];
  const double expected = static_cast<double>(kDraws) / kDrawnKeys;
  const int missed = kDrawnKeys - static_cast<int>(drawn.size());
  double chi_square = missed * expected;
  for (const auto& [key, count] : drawn) chi_square += (count - expected) * (count - expected) / expected;
  return {static_cast<int>(drawn.size()), chi_square};
}

}  // namespace

TEST_CASE("expired keys go without being asked for", "[expiry][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  std::vector<std::vector<std::string>> sets;
  sets.reserve(10100);
  for (int i = 0; i < 5000; ++i) sets.push_back({"SET", fmt::format("short:{}", i), "x", "PX", "200"});
  for (int i = 0; i < 5000; ++i) sets.push_back({"SET", fmt::format("stay:{}", i), "x"});
  for (int i = 0; i < 100; ++i) sets.push_back({"SET", fmt::format("long:{}", i), "x", "EX", "1000"});
  Pipeline(client, sets);
  const auto deadline = Clock::now() + std::chrono::seconds(5);
  int64_t size = client.Call({"DBSIZE"}).Integer();
  while (size > 5100 && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    size = client.Call({"DBSIZE"}).Integer();
  }
  CHECK(size == 5100);
}

TEST_CASE("a few expiring keys among many that do not are found", "[expiry][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  std::vector<std::vector<std::string>> sets;
  sets.reserve(10100);
  for (int i = 0; i < 50000; ++i) sets.push_back({"SET", fmt::format("stay:{}", i), "x"});
  for (int i = 0; i < 5; ++i) sets.push_back({"SET", fmt::format("short:{}", i), "x", "PX", "100"});
  Pipeline(client, sets);
  const auto deadline = Clock::now() + std::chrono::seconds(3);
  while (client.Call({"DBSIZE"}).Integer() > 50000 && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(client.Call({"DBSIZE"}).Integer() == 50000);
}

TEST_CASE("SCAN returns what is there throughout, whatever comes and goes", "[scan][redis-ok]") {
  const bool shrinks = GENERATE(false, true);
  INFO((shrinks ? "shrinking" : "growing"));
  auto server = Launch();
  RawClient client = server->Connect();
  std::set<std::string> missing;
  std::vector<std::vector<std::string>> commands;
  commands.reserve(65000);
  for (int i = 0; i < 5000; ++i) {
    commands.push_back({"SET", fmt::format("stay:{}", i), "x"});
    missing.insert(commands.back()[1]);
  }
  int come_and_gone = 0;
  if (shrinks) {
    for (; come_and_gone < 60000; ++come_and_gone)
      commands.push_back({"SET", fmt::format("gone:{}", come_and_gone), "x"});
  }
  Pipeline(client, commands);
  std::string cursor = "0";
  int calls = 0;
  do {
    const Reply page = client.Call({"SCAN", cursor, "COUNT", "20"});
    REQUIRE(page.elements.size() == 2);
    cursor = page.elements[0].text;
    for (const Reply& key : page.elements[1].elements) missing.erase(key.text);
    commands.clear();
    for (int i = 0; i < 300 && (shrinks ? come_and_gone > 0 : come_and_gone < 60000); ++i) {
      if (shrinks) {
        commands.push_back({"DEL", fmt::format("gone:{}", --come_and_gone)});
      } else {
        commands.push_back({"SET", fmt::format("new:{}", come_and_gone++), "x"});
      }
    }
    Pipeline(client, commands);
    ++calls;
  } while (cursor != "0" && calls < 100000);
  CHECK(cursor == "0");
  INFO((missing.empty() ? "" : *missing.begin()));
  CHECK(missing.empty());
}

TEST_CASE("SCAN of an unchanging database returns every key", "[scan][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  std::set<std::string> missing;
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 10000; ++i) {
    commands.push_back({"SET", fmt::format("key:{}", i), "x"});
    missing.insert(commands.back()[1]);
  }
  Pipeline(client, commands);
  std::string cursor = "0";
  size_t returned = 0;
  do {
    const Reply page = client.Call({"SCAN", cursor});
    cursor = page.elements.at(0).text;
    returned += page.elements.at(1).elements.size();
    for (const Reply& key : page.elements[1].elements) missing.erase(key.text);
  } while (cursor != "0");
  CHECK(missing.empty());
  // Repeats are allowed but must stay few.
  CHECK(returned < 11000);
}

TEST_CASE("RANDOMKEY gives every key some chance", "[randomkey][redis-ok]") {
  auto server = Launch();
  const Draws draws = DrawKeys(*server);
  CHECK(draws.keys_drawn == kDrawnKeys);
  // Redis itself is at about 3000; a random bucket and then one of its chain gives 12000.
  CHECK(draws.chi_square < 6000);
}

TEST_CASE("RANDOMKEY gives every key the same chance", "[randomkey][pinyon]") {
  auto server = Launch();
  // 199 degrees of freedom: the mean is 199, the deviation 20, so that fair draws practically never fail.
  CHECK(DrawKeys(*server).chi_square < 400);
}

TEST_CASE("RANDOMKEY finds the one key of a database that was large", "[randomkey][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  std::vector<std::vector<std::string>> commands;
  commands.reserve(40000);
  for (int i = 0; i < 20000; ++i) commands.push_back({"SET", fmt::format("key:{}", i), "x"});
  for (int i = 1; i < 20000; ++i) commands.push_back({"DEL", fmt::format("key:{}", i)});
  Pipeline(client, commands);
  const auto start = Clock::now();
  for (int i = 0; i < 50; ++i) CHECK(TextOf(client.Call({"RANDOMKEY"})) == "key:0");
  CHECK(Clock::now() - start < std::chrono::seconds(2));
}

}  // namespace pinyon::testing
