// Transactions where time or another client comes in between.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "integration/server_fixture.h"

namespace pinyon::testing {

TEST_CASE("a watched key that expires fails the transaction", "[transactions][expiry][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  REQUIRE(TextOf(client.Call({"SET", "a", "1", "PX", "30"})) == "OK");
  REQUIRE(TextOf(client.Call({"WATCH", "a"})) == "OK");
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  REQUIRE(TextOf(client.Call({"MULTI"})) == "OK");
  REQUIRE(TextOf(client.Call({"SET", "b", "1"})) == "QUEUED");
  CHECK(client.Call({"EXEC"}).type == ReplyType::kNullArray);
  CHECK(client.Call({"EXISTS", "b"}).Integer() == 0);
}

TEST_CASE("time stands still within a transaction", "[transactions][expiry][pinyon]") {
  auto server = Launch();
  RawClient client = server->Connect();
  std::string requests = EncodeCommand({"MULTI"}) + EncodeCommand({"SET", "a", "1", "PX", "100"});
  for (int i = 0; i < 5000; ++i) requests += EncodeCommand({"PTTL", "a"});
  client.Send(requests + EncodeCommand({"EXEC"}));
  for (int i = 0; i < 5002; ++i) client.ReadReply();
  const Reply replies = client.ReadReply();
  REQUIRE(replies.elements.size() == 5001);
  CHECK(replies.elements[5000].Integer() == replies.elements[1].Integer());
}

TEST_CASE("a client that goes away in a transaction leaves nothing done",
          "[transactions][clients][redis-ok]") {
  auto server = Launch();
  {
    RawClient client = server->Connect();
    REQUIRE(TextOf(client.Call({"WATCH", "a"})) == "OK");
    REQUIRE(TextOf(client.Call({"MULTI"})) == "OK");
    REQUIRE(TextOf(client.Call({"SET", "a", "1"})) == "QUEUED");
    client.Reset();
  }
  RawClient other = server->Connect();
  CHECK(other.Call({"EXISTS", "a"}).Integer() == 0);
  CHECK(TextOf(other.Call({"SET", "a", "2"})) == "OK");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("of clients that increment with WATCH none loses an update", "[transactions][redis-ok]") {
  constexpr int kClients = 8;
  constexpr int kRounds = 50;
  auto server = Launch();
  std::vector<RawClient> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i) clients.push_back(server->Connect());
  int succeeded = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<int> values;
    for (RawClient& client : clients) {
      client.Call({"WATCH", "counter"});
      const Reply value = client.Call({"GET", "counter"});
      values.push_back(value.IsNull() ? 0 : std::stoi(value.text));
    }
    for (size_t i = 0; i < clients.size(); ++i) {
      clients[i].Call({"MULTI"});
      clients[i].Call({"SET", "counter", std::to_string(values[i] + 1)});
      succeeded += clients[i].Call({"EXEC"}).type == ReplyType::kArray ? 1 : 0;
    }
  }
  // All read the same, so that exactly the first of each round gets through.
  CHECK(succeeded == kRounds);
  CHECK(TextOf(clients[0].Call({"GET", "counter"})) == std::to_string(kRounds));
}

}  // namespace pinyon::testing
