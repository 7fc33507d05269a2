// The turn with real clients: order, fairness, and what is owed to whom.
#include "server/turn.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "turn_fixture.h"

namespace pinyon {

namespace {

std::string Repeat(std::string_view text, size_t count) {
  std::string all;
  for (; count > 0; --count) all += text;
  return all;
}

// The value of a key that fits a bulk reply, as the test's own client reads it.
std::string Value(TurnFixture& f, std::string_view key) {
  const std::string reply = f.commands.Do({"GET", key});
  const size_t start = reply.find('\n') + 1;
  return reply.starts_with("$-1") ? "" : reply.substr(start, reply.size() - start - 2);
}

}  // namespace

TEST_CASE("A long pipeline keeps nobody waiting for more than a batch", "[turn]") {
  TurnFixture f;
  Client& busy = f.Connect();
  Client& quick = f.Connect();
  f.Give(busy, Repeat("APPEND log a\r\n", 10'000));
  f.Give(quick, "APPEND log b\r\n");
  f.RunTurns();
  const std::string order = Value(f, "log");
  REQUIRE(order.size() == 10'001);
  CHECK(order.find('b') <= 64);
}

TEST_CASE("Long pipelines share the turns evenly", "[turn]") {
  TurnFixture f;
  constexpr int kClients = 3;
  for (int i = 0; i < kClients; ++i) {
    f.Give(f.Connect(), Repeat("APPEND log " + std::to_string(i) + "\r\n", 2000));
  }
  f.RunTurns();
  const std::string order = Value(f, "log");
  REQUIRE(order.size() == 2000 * kClients);
  int counts[kClients] = {};
  for (const char c : order) {
    ++counts[c - '0'];
    const auto [least, most] = std::minmax_element(std::begin(counts), std::end(counts));
    if (*most - *least > 128) FAIL("after " << counts[0] << ", " << counts[1] << " and " << counts[2]);
  }
}

TEST_CASE("Replies come in the order of the requests", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    // Every third inline, with quotes: its arguments are the parser's own.
    const std::string length = std::to_string(number.size());
    f.Give(client, i % 3 == 0 ? "echo \"" + number + "\"\r\n"
                              : "*2\r\n$4\r\nECHO\r\n$" + length + "\r\n" + number + "\r\n");
    expected += "$" + length + "\r\n" + number + "\r\n";
  }
  f.RunTurns();
  CHECK(f.Received(client) == expected);
  CHECK(client.input.capacity() == 0);
  CHECK(client.output.MemoryBytes() == 0);
}

TEST_CASE("A request cut in two waits for its rest without holding up others", "[turn]") {
  TurnFixture f;
  Client& slow = f.Connect();
  Client& other = f.Connect();
  f.Give(slow, "*2\r\n$4\r\nECHO\r\n$5\r\nab");
  f.Give(other, "PING\r\n");
  f.RunTurns();
  CHECK(f.Received(slow).empty());
  CHECK(f.Received(other) == "+PONG\r\n");
  f.Give(slow, "cde\r\nPING\r\n");
  f.RunTurns();
  CHECK(f.Received(slow) == "$5\r\nabcde\r\n+PONG\r\n");
}

TEST_CASE("Nothing is executed behind a request that closes the connection", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  const uint64_t id = client.session.id;
  std::string expected;
  SECTION("QUIT") {
    f.Give(client, "APPEND log a\r\nQUIT\r\nAPPEND log b\r\n");
    expected = ":1\r\n+OK\r\n<EOF>";
  }
  SECTION("a mistake in the protocol") {
    f.Give(client, "APPEND log a\r\n*1\r\nX\r\nAPPEND log b\r\n");
    expected = ":1\r\n-ERR Protocol error: expected '$', got 'X'\r\n<EOF>";
  }
  f.RunTurns();
  f.Poll();
  CHECK(f.IsGone(id));
  CHECK(f.Received(id) == expected);
  CHECK(Value(f, "log") == "a");
}

TEST_CASE("What was no request counts as an error, and uses up CLIENT REPLY SKIP", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  f.Give(client, "CLIENT REPLY SKIP\r\n*0\r\nPING\r\n");
  f.Give(client, "CLIENT REPLY SKIP\r\n\r\nPING\r\nCLIENT REPLY SKIP\r\nPING\r\n");
  f.RunTurns();
  CHECK(f.Received(client) == "+PONG\r\n+PONG\r\n");
  CHECK(f.commands.engine.stats.error_replies == 0);
  f.Give(client, "*1\r\n:4\r\n");
  f.RunTurns();
  CHECK(f.commands.engine.stats.error_replies == 1);
  CHECK(f.commands.engine.stats.errors_by_code["ERR"] == 1);
}

TEST_CASE("A client that another kills within the batch executes nothing more", "[turn]") {
  TurnFixture f;
  Client& killer = f.Connect();
  Client& victim = f.Connect();
  const uint64_t id = victim.session.id;
  f.Give(killer, "CLIENT KILL ID " + std::to_string(id) + "\r\nAPPEND log k\r\n");
  f.Give(victim, "APPEND log v\r\n");
  f.RunTurns();
  f.Poll();
  CHECK(f.Received(killer) == ":1\r\n:1\r\n");
  CHECK(f.Received(id) == "<EOF>");
  CHECK(f.IsGone(id));
  CHECK(Value(f, "log") == "k");
}

TEST_CASE("HTTP requests are cut off without being executed", "[turn]") {
  TurnFixture f;
  const std::string_view attacks[] = {"POST / HTTP/1.1\r\n", "post\r\n", "Host: localhost\r\n",
                                      "*2\r\n$5\r\nhOST:\r\n$1\r\nx\r\n", "MULTI\r\nPOST\r\n"};
  for (const std::string_view attack : attacks) {
    INFO(attack);
    f.commands.server.closed_sessions.clear();
    Client& client = f.Connect();
    const uint64_t id = client.session.id;
    f.Give(client, std::string(attack) + "APPEND log x\r\n");
    f.RunTurns();
    CHECK(f.commands.server.closed_sessions == std::vector<uint64_t>{id});
    CHECK(f.Received(id).find("-ERR") == std::string::npos);
  }
  CHECK(Value(f, "log").empty());
  // Only these very words.
  Client& client = f.Connect();
  f.Give(client, "POSTX\r\nHost:x\r\nPOS\r\nECHO POST\r\n");
  f.RunTurns();
  CHECK_FALSE(client.session.closing);
  CHECK(f.Received(client).ends_with("$4\r\nPOST\r\n"));
}

TEST_CASE("What a request changes holds for those that came with it", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  SECTION("the database") {
    f.Give(client, "SET k zero\r\nSELECT 1\r\nSET k one\r\nGET k\r\nSELECT 0\r\nGET k\r\n");
    f.RunTurns();
    CHECK(f.Received(client) == "+OK\r\n+OK\r\n+OK\r\n$3\r\none\r\n+OK\r\n$4\r\nzero\r\n");
  }
  SECTION("authentication, which lifts the limits of the parser") {
    f.commands.engine.acl.SetDefaultPassword("secret");
    client.session.authenticated = false;
    const std::string big(20'000, 'x');
    f.Give(client, "AUTH secret\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n" + big + "\r\n");
    f.RunTurns();
    CHECK(f.Received(client) == "+OK\r\n$20000\r\n" + big + "\r\n");
  }
}

TEST_CASE("Replies wait until the log has reached their effects", "[turn]") {
  TurnFixture f;
  GatedLog log;
  f.commands.engine.effects.SetListener(&log);
  Client& writer = f.Connect();
  Client& reader = f.Connect();
  f.Give(reader, "PING\r\n");
  f.RunTurns();
  CHECK(f.Received(reader) == "+PONG\r\n");  // nothing was written yet
  f.Give(writer, "SET k v\r\n");
  f.RunTurns();
  // A reader must not see what may still be lost.
  f.Give(reader, "GET k\r\n");
  f.RunTurns();
  REQUIRE(log.written > 0);
  CHECK(f.Received(writer).empty());
  CHECK(f.Received(reader).empty());
  log.reached = log.written;
  f.turn.AddFlush(writer);
  f.turn.AddFlush(reader);
  f.RunTurns();
  CHECK(f.Received(writer) == "+OK\r\n");
  CHECK(f.Received(reader) == "$1\r\nv\r\n");
  f.commands.engine.effects.SetListener(nullptr);
}

TEST_CASE("A client that reads nothing is owed everything, in order", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  const std::string value(1'000'000, 'v');
  f.commands.Do({"SET", "k", value});
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    f.Give(client, "GET k\r\nECHO " + std::to_string(i) + "\r\n");
    expected += f.commands.Do({"GET", "k"}) + f.commands.Do({"ECHO", std::to_string(i)});
    f.RunTurns();
  }
  CHECK(client.OutputBytes() > 10'000'000);
  std::string received;
  for (int i = 0; i < 100'000 && received.size() < expected.size(); ++i) {
    received += f.Received(client);
    f.Poll();
    f.RunTurns();
  }
  CHECK((received == expected));
  CHECK(client.OutputBytes() == 0);
}

TEST_CASE("What was read before a hang-up is executed and answered", "[turn]") {
  TurnFixture f;
  Client& client = f.Connect();
  const uint64_t id = client.session.id;
  client.StartReading();
  f.Send(client, "APPEND log a\r\nPING\r\nECHO unfinished");
  f.HangUp(client);
  for (int i = 0; i < 100 && !f.IsGone(id); ++i) {
    f.Poll();
    f.RunTurns();
  }
  CHECK(f.IsGone(id));
  CHECK(f.Received(id) == ":1\r\n+PONG\r\n<EOF>");
  CHECK(Value(f, "log") == "a");
}

TEST_CASE("Background work gets its part of every turn and is asked for again", "[turn]") {
  TurnFixture f;
  int left = 5;
  f.turn.SetBackground([&left] { return --left > 0; });
  CHECK(f.RunTurns() == 5);
  CHECK(left == 0);
  CHECK(f.turn.stats().turns == 5);
}

}  // namespace pinyon
