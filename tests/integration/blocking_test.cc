// Commands that wait, with real connections: who is served, when, and what becomes of the others.
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "integration/server_fixture.h"
#include "support/elapsed.h"

namespace pinyon::testing {

namespace {

using Clock = std::chrono::steady_clock;

// A server, a client that never waits, and any number of others that may.
class Stage {
 public:
  explicit Stage(std::vector<std::string> args = {})
      : server(LaunchWith(std::move(args))), admin(Connect()) {}

  RawClient Connect() const { return server->Connect(); }
  Reply Do(const std::vector<std::string>& args) { return admin.Call(args); }
  std::string Text(const std::vector<std::string>& args) { return Print(Do(args)); }
  // A field of INFO clients.
  int64_t Info(const std::string& field) {
    const std::string text = TextOf(Do({"INFO", "clients"}));
    const size_t start = text.find("\r\n" + field + ":");
    REQUIRE(start != std::string::npos);
    return std::stoll(text.substr(start + field.size() + 3));
  }
  bool BecomesWaiting(int64_t count) {
    const auto start = Clock::now();
    while (Info("blocked_clients") != count) {
      if (MsSince(start) > 5000) return false;
    }
    return true;
  }
  // Sends a command that has to wait, and returns when it does.
  void Wait(RawClient& client, const std::vector<std::string>& args) {
    const int64_t before = Info("blocked_clients");
    client.SendCommand(args);
    REQUIRE(BecomesWaiting(before + 1));
  }
  std::string Id(RawClient& client) { return std::to_string(client.Call({"CLIENT", "ID"}).Integer()); }

  std::unique_ptr<ServerProcess> server;
  RawClient admin;
};

// What BLPOP replies, as Print shows it.
std::string Popped(const std::string& key, const std::string& element) {
  return Print(ParseReply("*2\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" +
                          std::to_string(element.size()) + "\r\n" + element + "\r\n"));
}

std::string Next(RawClient& client) { return Print(client.ReadReply()); }

bool IsQuiet(RawClient& client) { return client.Drain(20).empty() && !client.closed(); }

}  // namespace

TEST_CASE("waiting clients are served in the order of their coming", "[blocking][redis-ok]") {
  Stage s;
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(s.Connect());
    s.Wait(clients.back(), {i % 2 == 0 ? "BLPOP" : "BRPOP", "k", "0"});
  }
  CHECK(s.Do({"RPUSH", "k", "a", "b", "c"}).Integer() == 3);
  CHECK(Next(clients[0]) == Popped("k", "a"));
  CHECK(Next(clients[1]) == Popped("k", "c"));
  CHECK(Next(clients[2]) == Popped("k", "b"));
  CHECK(IsQuiet(clients[3]));
  CHECK(s.Do({"EXISTS", "k"}).Integer() == 0);
  CHECK(s.Do({"LPUSH", "k", "d", "e", "f"}).Integer() == 3);
  CHECK(Next(clients[3]) == Popped("k", "d"));
  CHECK(Next(clients[4]) == Popped("k", "f"));
  CHECK(s.Do({"LLEN", "k"}).Integer() == 1);
  CHECK(s.Info("blocked_clients") == 0);
}

TEST_CASE("a thousand clients are served by one push", "[blocking][redis-ok]") {
  Stage s;
  constexpr int kClients = 1000;
  std::vector<RawClient> clients;
  std::vector<std::string> push = {"RPUSH", "k"};
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(s.Connect());
    s.Wait(clients.back(), {"BLPOP", "k", "other", "0"});
    push.push_back(std::to_string(i));
  }
  CHECK(s.Do(push).Integer() == kClients);
  for (int i = 0; i < kClients; ++i) {
    const Reply reply = clients[static_cast<size_t>(i)].ReadReply();
    REQUIRE(reply.elements.size() == 2);
    REQUIRE(reply.elements[1].text == std::to_string(i));
  }
  CHECK(s.Do({"EXISTS", "k"}).Integer() == 0);
  CHECK(s.Info("blocked_clients") == 0);
}

TEST_CASE("the keys of one command are tried in order, each once", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  s.Do({"RPUSH", "b", "1"});
  s.Do({"RPUSH", "c", "2"});
  CHECK(Print(client.Call({"BLPOP", "a", "b", "c", "0"})) == Popped("b", "1"));
  CHECK(Print(client.Call({"BLPOP", "a", "a", "c", "c", "0"})) == Popped("c", "2"));
  s.Wait(client, {"BLPOP", "a", "b", "a", "0"});
  s.Do({"RPUSH", "a", "3", "4"});
  CHECK(Next(client) == Popped("a", "3"));
  CHECK(s.Text({"LRANGE", "a", "0", "-1"}) == Print(ParseReply("*1\r\n$1\r\n4\r\n")));
}

TEST_CASE("timeouts come when they are due", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  for (const int wanted_ms : {1, 30, 101, 250}) {
    const auto start = Clock::now();
    CHECK(client.Call({"BLPOP", "k", "0." + std::to_string(1000 + wanted_ms).substr(1)}).type ==
          ReplyType::kNullArray);
    const int64_t took_ms = MsSince(start);
    CHECK(took_ms >= wanted_ms);
    CHECK(took_ms < wanted_ms + 150);
  }
  CHECK(client.Call({"BLMOVE", "k", "d", "LEFT", "LEFT", "0.01"}).type == ReplyType::kNullArray);
  CHECK(client.Call({"BRPOPLPUSH", "k", "d", "0.01"}).type == ReplyType::kNullArray);
  CHECK(client.Call({"BLMPOP", "0.01", "2", "k", "l", "LEFT"}).type == ReplyType::kNullArray);
  client.Call({"HELLO", "3"});
  CHECK(client.Call({"BLPOP", "k", "0.01"}).type == ReplyType::kNull);
  CHECK(client.Call({"BLMOVE", "k", "d", "LEFT", "LEFT", "0.01"}).type == ReplyType::kNull);
  CHECK(s.Info("blocked_clients") == 0);
  CHECK(s.Info("clients_in_timeout_table") == 0);
}

TEST_CASE("a timeout is precise", "[blocking][pinyon]") {
  Stage s;
  RawClient client = s.Connect();
  int64_t least_excess_us = INT64_MAX;
  for (int i = 0; i < 20; ++i) {
    const auto start = Clock::now();
    client.Call({"BLPOP", "k", "0.025"});
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    CHECK(took.count() >= 25'000);
    least_excess_us = std::min<int64_t>(least_excess_us, took.count() - 25'000);
  }
  // The least of several, as the machine may be busy.
  CHECK(least_excess_us < 3000);
}

TEST_CASE("whoever hangs up is not served", "[blocking][redis-ok]") {
  Stage s;
  RawClient last = s.Connect();
  {
    RawClient closed = s.Connect(), reset = s.Connect(), killed = s.Connect(), half_closed = s.Connect();
    const std::string id = s.Id(killed);
    s.Wait(closed, {"BLPOP", "k", "0"});
    s.Wait(reset, {"BLPOP", "j", "k", "0"});
    s.Wait(killed, {"BLPOP", "k", "0"});
    s.Wait(half_closed, {"BLPOP", "k", "0"});
    closed.Close();
    reset.Reset();
    CHECK(s.Do({"CLIENT", "KILL", "ID", id}).Integer() == 1);
    CHECK(killed.WaitForClose(5000));
    half_closed.ShutdownWrites();
    CHECK(half_closed.WaitForClose(5000));
    REQUIRE(s.BecomesWaiting(0));
  }
  s.Wait(last, {"BLPOP", "k", "0"});
  CHECK(s.Do({"RPUSH", "k", "v"}).Integer() == 1);
  CHECK(Next(last) == Popped("k", "v"));
}

TEST_CASE("CLIENT UNBLOCK and CLIENT LIST know who waits", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  const std::string id = s.Id(client);
  CHECK(s.Do({"CLIENT", "UNBLOCK", id}).Integer() == 0);
  s.Wait(client, {"BLPOP", "k", "0"});
  CHECK(TextOf(s.Do({"CLIENT", "LIST", "ID", id})).find(" flags=b ") != std::string::npos);
  CHECK(s.Do({"CLIENT", "UNBLOCK", id}).Integer() == 1);
  CHECK(client.ReadReply().type == ReplyType::kNullArray);
  s.Wait(client, {"BLMOVE", "k", "d", "LEFT", "RIGHT", "0"});
  CHECK(s.Do({"CLIENT", "UNBLOCK", id, "ERROR"}).Integer() == 1);
  CHECK(TextOf(client.ReadReply()) == "UNBLOCKED client unblocked via CLIENT UNBLOCK");
  CHECK(TextOf(client.Call({"PING"})) == "PONG");
  CHECK(TextOf(s.Do({"CLIENT", "LIST", "ID", id})).find(" flags=N ") != std::string::npos);
}

TEST_CASE("lists that appear by other commands serve", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect(), other = s.Connect();
  other.Call({"SELECT", "1"});
  s.Do({"RPUSH", "source", "v"});
  other.Call({"RPUSH", "k", "v"});
  s.Wait(client, {"BLPOP", "k", "0"});
  SECTION("RENAME") { s.Do({"RENAME", "source", "k"}); }
  SECTION("RENAMENX") { s.Do({"RENAMENX", "source", "k"}); }
  SECTION("COPY") { s.Do({"COPY", "source", "k"}); }
  SECTION("COPY to another database") { other.Call({"COPY", "k", "k", "DB", "0"}); }
  SECTION("MOVE") { other.Call({"MOVE", "k", "0"}); }
  SECTION("SWAPDB") { s.Do({"SWAPDB", "0", "1"}); }
  SECTION("SWAPDB, the other way round") { s.Do({"SWAPDB", "1", "0"}); }
  SECTION("LMOVE") { s.Do({"LMOVE", "source", "k", "LEFT", "LEFT"}); }
  SECTION("a transaction") {
    s.Do({"MULTI"});
    s.Do({"RENAME", "source", "k"});
    s.Do({"LLEN", "k"});
    CHECK(s.Do({"EXEC"}).elements[1].Integer() == 1);
  }
  CHECK(Next(client) == Popped("k", "v"));
  CHECK(s.Do({"EXISTS", "k"}).Integer() == 0);
}

TEST_CASE("keys that change type leave clients waiting", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  s.Do({"SET", "k", "text"});
  CHECK(TextOf(client.Call({"BLPOP", "k", "0"})).starts_with("WRONGTYPE"));
  s.Do({"DEL", "k"});
  s.Wait(client, {"BLPOP", "k", "j", "0"});
  s.Do({"SET", "k", "text"});
  s.Do({"APPEND", "k", "more"});
  s.Do({"SET", "k", "text", "PX", "1"});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  s.Do({"FLUSHALL"});
  CHECK(IsQuiet(client));
  SECTION("until a list is there") {
    s.Do({"RPUSH", "k", "v"});
    CHECK(Next(client) == Popped("k", "v"));
  }
  SECTION("and do not keep another key from serving") {
    s.Do({"SET", "k", "text"});
    s.Do({"RPUSH", "j", "v"});
    CHECK(Next(client) == Popped("j", "v"));
  }
}

TEST_CASE("sorted sets that appear serve, whatever they replace", "[blocking][pinyon]") {
  Stage s;
  RawClient client = s.Connect();
  s.Do({"ZADD", "source", "1", "m", "2", "n"});
  s.Wait(client, {"BZPOPMIN", "k", "0"});
  SECTION("nothing") { s.Do({"ZUNIONSTORE", "k", "1", "source"}); }
  SECTION("a string, by a STORE command") {
    s.Do({"SET", "k", "text"});
    s.Do({"ZUNIONSTORE", "k", "1", "source"});
  }
  SECTION("a list, by RENAME") {
    s.Do({"RPUSH", "k", "element"});
    s.Do({"RENAME", "source", "k"});
  }
  CHECK(Next(client) == Print(ParseReply("*3\r\n$1\r\nk\r\n$1\r\nm\r\n$1\r\n1\r\n")));
  CHECK(s.Do({"ZCARD", "k"}).Integer() == 1);
}

TEST_CASE("a list that SORT stores serves", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  s.Do({"SADD", "source", "2", "1"});
  s.Wait(client, {"BLPOP", "k", "0"});
  CHECK(s.Do({"SORT", "source", "STORE", "k"}).Integer() == 2);
  CHECK(Next(client) == Popped("k", "1"));
  CHECK(s.Do({"LLEN", "k"}).Integer() == 1);
}

TEST_CASE("a pipeline goes on in order when its client was served", "[blocking][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  s.Wait(client, {"BLPOP", "k", "0"});
  std::string requests;
  for (int i = 0; i < 20'000; ++i) requests += EncodeCommand({"APPEND", "log", "x"});
  client.Send(requests + EncodeCommand({"BLPOP", "k", "0"}) + EncodeCommand({"STRLEN", "log"}) +
              EncodeCommand({"QUIT"}));
  CHECK(s.Do({"EXISTS", "log"}).Integer() == 0);
  CHECK(IsQuiet(client));
  s.Do({"RPUSH", "k", "1"});
  CHECK(Next(client) == Popped("k", "1"));
  for (int i = 1; i <= 20'000; ++i) REQUIRE(client.ReadReply().Integer() == i);
  REQUIRE(s.BecomesWaiting(1));
  s.Do({"RPUSH", "k", "2"});
  CHECK(Next(client) == Popped("k", "2"));
  CHECK(client.ReadReply().Integer() == 20'000);
  CHECK(TextOf(client.ReadReply()) == "OK");
  CHECK(client.WaitForClose(5000));
}

TEST_CASE("a pipeline behind a waiting client keeps to the query buffer's limit", "[blocking][redis-ok]") {
  Stage s({"--client-query-buffer-limit", "1mb"});
  RawClient client = s.Connect();
  s.Wait(client, {"BLPOP", "k", "0"});
  const std::string some(64 * 1024, 'x');
  bool cut_off = false;
  for (int i = 0; i < 64 && !cut_off; ++i) {
    try {
      client.Send(some);
    } catch (const ClientError&) {
      cut_off = true;
    }
  }
  CHECK((cut_off || client.WaitForClose(5000)));
  CHECK(s.BecomesWaiting(0));
}

TEST_CASE("nobody waits within a transaction", "[blocking][transactions][redis-ok]") {
  Stage s;
  s.Do({"MULTI"});
  s.Do({"BLPOP", "k", "0"});
  s.Do({"BLMOVE", "k", "d", "LEFT", "LEFT", "0"});
  s.Do({"BRPOPLPUSH", "k", "d", "0"});
  s.Do({"BLMPOP", "0", "1", "k", "LEFT"});
  s.Do({"RPUSH", "k", "v"});
  s.Do({"BLPOP", "k", "0"});
  const Reply replies = s.Do({"EXEC"});
  REQUIRE(replies.elements.size() == 6);
  CHECK(replies.elements[0].type == ReplyType::kNullArray);
  CHECK(replies.elements[1].type == ReplyType::kNullBulk);
  CHECK(replies.elements[2].type == ReplyType::kNullBulk);
  CHECK(replies.elements[3].type == ReplyType::kNullArray);
  CHECK(Print(replies.elements[5]) == Popped("k", "v"));
}

TEST_CASE("a transaction serves when it is over", "[blocking][transactions][redis-ok]") {
  Stage s;
  RawClient both = s.Connect(), one = s.Connect(), none = s.Connect();
  s.Wait(both, {"BLPOP", "a", "b", "0"});
  s.Wait(one, {"BLPOP", "a", "0"});
  s.Wait(none, {"BLPOP", "c", "0"});
  s.Do({"MULTI"});
  s.Do({"RPUSH", "b", "first"});
  s.Do({"RPUSH", "a", "second"});
  s.Do({"RPUSH", "c", "third"});
  s.Do({"LLEN", "b"});
  s.Do({"LPOP", "c"});
  const Reply replies = s.Do({"EXEC"});
  CHECK(replies.elements[3].Integer() == 1);
  CHECK(replies.elements[4].text == "third");
  // From the key that became ready first, not from the one it names first.
  CHECK(Next(both) == Popped("b", "first"));
  CHECK(Next(one) == Popped("a", "second"));
  CHECK(IsQuiet(none));
}

TEST_CASE("what serving pushes serves others", "[blocking][redis-ok]") {
  Stage s;
  RawClient first = s.Connect(), second = s.Connect(), third = s.Connect();
  SECTION("along a chain") {
    s.Wait(third, {"BLPOP", "c", "0"});
    s.Wait(second, {"BRPOPLPUSH", "b", "c", "0"});
    s.Wait(first, {"BLMOVE", "a", "b", "LEFT", "RIGHT", "0"});
    s.Do({"RPUSH", "a", "v"});
    CHECK(TextOf(first.ReadReply()) == "v");
    CHECK(TextOf(second.ReadReply()) == "v");
    CHECK(Next(third) == Popped("c", "v"));
    CHECK(s.Do({"DBSIZE"}).Integer() == 0);
  }
  SECTION("in a circle") {
    s.Wait(first, {"BLMOVE", "a", "b", "LEFT", "RIGHT", "0"});
    s.Wait(second, {"BLMOVE", "b", "a", "LEFT", "RIGHT", "0"});
    s.Wait(third, {"BLMOVE", "a", "a", "LEFT", "RIGHT", "0"});
    s.Do({"RPUSH", "a", "v"});
    for (RawClient* client : {&first, &second, &third}) CHECK(TextOf(client->ReadReply()) == "v");
    CHECK(s.Text({"LRANGE", "a", "0", "-1"}) == Print(ParseReply("*1\r\n$1\r\nv\r\n")));
  }
  SECTION("not into a key of another type") {
    s.Do({"SET", "b", "text"});
    s.Wait(first, {"BLMOVE", "a", "b", "LEFT", "RIGHT", "0"});
    s.Wait(second, {"BLPOP", "a", "0"});
    s.Do({"RPUSH", "a", "v"});
    CHECK(TextOf(first.ReadReply()).starts_with("WRONGTYPE"));
    CHECK(Next(second) == Popped("a", "v"));
  }
}

TEST_CASE("an idle timeout spares those who wait", "[blocking][redis-ok]") {
  Stage s({"--timeout", "1"});
  RawClient waiting = s.Connect(), idle = s.Connect();
  waiting.SendCommand({"BLPOP", "k", "0"});
  CHECK(idle.WaitForClose(5000));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  RawClient writer = s.Connect();
  writer.Call({"RPUSH", "k", "v"});
  CHECK(Next(waiting) == Popped("k", "v"));
  CHECK(TextOf(waiting.Call({"PING"})) == "PONG");
}

TEST_CASE("errors of timeouts are told before anything else", "[blocking][redis-ok]") {
  Stage s;
  s.Do({"SET", "text", "x"});
  CHECK(TextOf(s.Do({"BLPOP", "text", "x"})) == "ERR timeout is not a float or out of range");
  CHECK(TextOf(s.Do({"BLPOP", "text", "-1"})) == "ERR timeout is negative");
  CHECK(TextOf(s.Do({"BRPOPLPUSH", "text", "d", "inf"})) == "ERR timeout is negative");
  CHECK(TextOf(s.Do({"BLMPOP", "nan", "1", "k", "LEFT"})) == "ERR timeout is not a float or out of range");
}

TEST_CASE("a pause puts writes off and lets everything else pass", "[blocking][pause][redis-ok]") {
  Stage s;
  RawClient writer = s.Connect(), reader = s.Connect();
  const auto start = Clock::now();
  CHECK(TextOf(s.Do({"CLIENT", "PAUSE", "300", "WRITE"})) == "OK");
  writer.SendCommand({"SET", "k", "v"});
  CHECK(reader.Call({"GET", "k"}).type == ReplyType::kNullBulk);
  CHECK(TextOf(writer.ReadReply()) == "OK");
  CHECK(MsSince(start) >= 300);
  CHECK(TextOf(reader.Call({"GET", "k"})) == "v");

  CHECK(TextOf(s.Do({"CLIENT", "PAUSE", "100000", "WRITE"})) == "OK");
  writer.SendCommand({"SET", "k", "w"});
  CHECK(s.BecomesWaiting(1));
  CHECK(TextOf(s.Do({"CLIENT", "UNPAUSE"})) == "OK");
  CHECK(TextOf(writer.ReadReply()) == "OK");
}

TEST_CASE("a pause of everything ends by itself", "[blocking][pause][redis-ok]") {
  Stage s;
  RawClient client = s.Connect();
  const auto start = Clock::now();
  CHECK(TextOf(s.Do({"CLIENT", "PAUSE", "200"})) == "OK");
  client.SendCommand({"PING"});
  CHECK(TextOf(client.ReadReply()) == "PONG");
  CHECK(MsSince(start) >= 200);
  CHECK(MsSince(start) < 1500);
}

}  // namespace pinyon::testing
