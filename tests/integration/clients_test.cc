// Clients as such: how many, for how long, listed and killed.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "integration/server_fixture.h"

namespace pinyon::testing {

TEST_CASE("clients beyond maxclients are told so and closed", "[clients][redis-ok]") {
  auto server = LaunchWith({"--maxclients", "3"});
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server->Connect());
    REQUIRE(TextOf(clients.back().Call({"PING"})) == "PONG");
  }
  RawClient refused = server->Connect();
  CHECK(TextOf(refused.ReadReply()) == "ERR max number of clients reached");
  CHECK(refused.WaitForClose(2000));
  clients.pop_back();
  // The server needs a moment to see the place become free.
  std::string answer;
  for (int attempt = 0; attempt < 100 && answer != "PONG"; ++attempt) {
    try {
      answer = TextOf(server->Connect().Call({"PING"}));
    } catch (const ClientError&) {
    }
  }
  CHECK(answer == "PONG");
}

TEST_CASE("who has left makes room for who comes at once", "[clients][redis-ok]") {
  auto server = LaunchWith({"--maxclients", "3"});
  for (int round = 0; round < 30; ++round) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(server->Connect());
    for (RawClient& client : clients) CHECK(TextOf(client.Call({"PING"})) == "PONG");
  }
}

TEST_CASE("a reply that fits a client's own buffer is under every limit", "[clients][redis-ok]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "normal 1 0 0"});
  RawClient client = server->Connect();
  REQUIRE(TextOf(client.Call({"SET", "k", std::string(12'000, 'v')})) == "OK");
  CHECK(TextOf(client.Call({"GET", "k"})).size() == 12'000);
  REQUIRE(TextOf(client.Call({"SET", "k", std::string(40'000, 'v')})) == "OK");
  client.SendCommand({"GET", "k"});
  CHECK(client.WaitForClose(2000));
}

TEST_CASE("timeout closes idle clients and no others", "[clients][slow][redis-ok]") {
  auto server = LaunchWith({"--timeout", "1"});
  RawClient idle = server->Connect();
  RawClient busy = server->Connect();
  const auto start = std::chrono::steady_clock::now();
  std::string answers;
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(3500)) {
    if (TextOf(busy.Call({"PING"})) != "PONG") answers = "wrong";
    if (idle.Drain(100).empty() && idle.closed()) break;
  }
  CHECK(answers.empty());
  CHECK(idle.closed());
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(900));
  CHECK(TextOf(busy.Call({"PING"})) == "PONG");
}

TEST_CASE("CLIENT INFO describes the connection", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  REQUIRE(TextOf(client.Call({"CLIENT", "SETNAME", "scrub-jay"})) == "OK");
  REQUIRE(TextOf(client.Call({"SELECT", "3"})) == "OK");
  const int64_t id = client.Call({"CLIENT", "ID"}).Integer();
  const std::string info = client.Call({"CLIENT", "INFO"}).text;
  INFO(info);
  for (const std::string& field :
       {fmt::format("id={} ", id), fmt::format(" addr=127.0.0.1:{} ", client.LocalPort()),
        fmt::format(" laddr=127.0.0.1:{} ", server->port()), std::string(" name=scrub-jay "),
        std::string(" db=3 "), std::string(" flags=N "), std::string(" cmd=client|info "),
        std::string(" user=default "), std::string(" resp=2"), std::string(" multi=-1 ")}) {
    INFO(field);
    CHECK((" " + info).find(field) != std::string::npos);
  }
}

TEST_CASE("CLIENT LIST has a line for every client", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient a = server->Connect();
  RawClient b = server->Connect();
  REQUIRE(TextOf(b.Call({"CLIENT", "SETNAME", "second"})) == "OK");
  const int64_t id = b.Call({"CLIENT", "ID"}).Integer();
  const std::string list = a.Call({"CLIENT", "LIST"}).text;
  INFO(list);
  CHECK(list.find("name=second") != std::string::npos);
  CHECK(list.find("cmd=client|list") != std::string::npos);
  const std::string one = a.Call({"CLIENT", "LIST", "ID", std::to_string(id)}).text;
  CHECK(one.find("name=second") != std::string::npos);
  CHECK(one.find("cmd=client|list") == std::string::npos);
  CHECK(a.Call({"CLIENT", "LIST", "TYPE", "replica"}).text.empty());
}

TEST_CASE("CLIENT KILL closes whom it names", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient killer = server->Connect();
  RawClient victim = server->Connect();
  RawClient bystander = server->Connect();
  const std::string id = std::to_string(victim.Call({"CLIENT", "ID"}).Integer());
  REQUIRE(TextOf(bystander.Call({"PING"})) == "PONG");
  SECTION("by id") { CHECK(killer.Call({"CLIENT", "KILL", "ID", id}).Integer() == 1); }
  SECTION("by address, the old form") {
    CHECK(TextOf(killer.Call({"CLIENT", "KILL", fmt::format("127.0.0.1:{}", victim.LocalPort())})) == "OK");
  }
  SECTION("by address") {
    CHECK(
        killer.Call({"CLIENT", "KILL", "ADDR", fmt::format("127.0.0.1:{}", victim.LocalPort())}).Integer() ==
        1);
  }
  CHECK(victim.WaitForClose(2000));
  CHECK(TextOf(bystander.Call({"PING"})) == "PONG");
  CHECK(TextOf(killer.Call({"PING"})) == "PONG");
}

TEST_CASE("CLIENT KILL of oneself answers before it closes", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  const std::string id = std::to_string(client.Call({"CLIENT", "ID"}).Integer());
  CHECK(client.Call({"CLIENT", "KILL", "ID", id, "SKIPME", "yes"}).Integer() == 0);
  CHECK(client.Call({"CLIENT", "KILL", "ID", id, "SKIPME", "no"}).Integer() == 1);
  CHECK(client.WaitForClose(2000));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a client that kills itself in a transaction ends it, unanswered", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect(), other = server->Connect();
  const std::string id = std::to_string(client.Call({"CLIENT", "ID"}).Integer());
  client.Call({"MULTI"});
  client.Call({"SET", "before", "1"});
  client.Call({"CLIENT", "KILL", "ID", id, "SKIPME", "no"});
  client.Call({"SET", "behind", "2"});
  client.Call({"GET", "behind"});
  client.Send(EncodeCommand({"EXEC"}) + EncodeCommand({"SET", "later", "3"}));
  CHECK(client.Drain(5000) == "*4\r\n+OK\r\n:1\r\n");
  CHECK(client.closed());
  CHECK(TextOf(other.Call({"GET", "before"})) == "1");
  CHECK(TextOf(other.Call({"GET", "behind"})) == "2");
  CHECK(other.Call({"GET", "later"}).IsNull());
}

TEST_CASE("CLIENT LIST names the last command, whatever came of it", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect(), other = server->Connect();
  const std::string id = std::to_string(client.Call({"CLIENT", "ID"}).Integer());
  const auto last = [&](const std::vector<std::string>& command) {
    client.Call(command);
    const std::string line = other.Call({"CLIENT", "LIST", "ID", id}).text;
    const size_t begin = line.find(" cmd=") + 5;
    return line.substr(begin, line.find(' ', begin) - begin);
  };
  CHECK(last({"GET", "k"}) == "get");
  CHECK(last({"SET", "k"}) == "set");  // refused
  CHECK(last({"NOSUCHCOMMAND"}) == "NULL");
  CHECK(last({"CLIENT", "ID"}) == "client|id");
  CHECK(last({"MULTI"}) == "multi");
  CHECK(last({"LLEN", "k"}) == "llen");  // queued
  CHECK(last({"EXEC"}) == "exec");
}

TEST_CASE("what was pipelined behind QUIT or a kill is not run", "[clients][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  client.Send(EncodeCommand({"SET", "a", "1"}) + EncodeCommand({"QUIT"}) + EncodeCommand({"SET", "a", "2"}));
  CHECK(TextOf(client.ReadReply()) == "OK");
  CHECK(TextOf(client.ReadReply()) == "OK");
  CHECK(client.WaitForClose(2000));
  CHECK(TextOf(server->Connect().Call({"GET", "a"})) == "1");
}

}  // namespace pinyon::testing
