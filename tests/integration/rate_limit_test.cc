// Rate limits of a started server: clients that wait for tokens, many clients at once, restarts, and the way
// into a redis-server. (tests/unit has the arithmetic and the replies.)
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "integration/data_folder.h"
#include "support/elapsed.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Command = std::vector<std::string>;

class Stage {
 public:
  explicit Stage(std::vector<std::string> args = {})
      : server(LaunchWith(std::move(args))), admin(server->Connect()) {}

  Reply Do(const Command& args) { return admin.Call(args); }
  // Sends a command that has to wait, and returns when it does.
  void Wait(RawClient& client, const Command& args) {
    const int64_t before = Waiting();
    client.SendCommand(args);
    REQUIRE(Eventually([&] { return Waiting() == before + 1; }));
  }
  int64_t Waiting() { return std::stoll(InfoField(admin, "clients", "blocked_clients")); }
  std::string Id(RawClient& client) { return std::to_string(client.Call({"CLIENT", "ID"}).Integer()); }

  std::unique_ptr<ServerProcess> server;
  RawClient admin;
};

bool IsQuiet(RawClient& client) { return client.Drain(30).empty() && !client.closed(); }

bool Granted(const Reply& reply) {
  if (reply.elements.size() < 3) throw std::runtime_error("no decision: " + Print(reply));
  return reply.elements[0].Integer() == 1;
}
bool NextGranted(RawClient& client) { return Granted(client.ReadReply()); }

// A bucket of five tokens that gains one an hour: the clock plays no part in the test.
Command Slow(const std::string& name, const std::string& cost, const std::string& key = "k") {
  Command command = {name, key, "5", "1", "3600000", cost};
  if (name == "TB.WAIT") command.emplace_back("0");
  return command;
}

}  // namespace

TEST_CASE("clients that wait for tokens are served in the order of their coming", "[ratelimit][pinyon]") {
  Stage s;
  REQUIRE(Granted(s.Do(Slow("TB.TAKE", "5"))));
  std::vector<RawClient> clients;
  for (const char* cost : {"2", "1", "1", "1"}) {
    clients.push_back(s.server->Connect());
    s.Wait(clients.back(), Slow("TB.WAIT", cost));
  }
  CHECK(s.Do({"TB.INFO", "k"}).elements.back().Integer() == 4);
  s.Do({"TB.REFUND", "k", "1"});
  for (RawClient& client : clients) CHECK(IsQuiet(client));  // nobody overtakes the first
  SECTION("not even who does not wait") {
    const Reply refused = s.Do(Slow("TB.TAKE", "1"));
    CHECK(!Granted(refused));
    CHECK(refused.elements[3].Integer() == 1);
    // Four are to be served with five tokens, then this one: five more than there are.
    CHECK(refused.elements[1].Integer() > 4 * 3'600'000);
    CHECK(refused.elements[1].Integer() <= 5 * 3'600'000);
    CHECK(!Granted(s.Do(Slow("TB.PEEK", "1"))));
    CHECK(s.Do({"CL.THROTTLE", "k", "4", "1", "3600"}).elements[0].Integer() == 1);
    CHECK(s.Do({"CL.THROTTLE", "k", "4", "1", "3600", "0"}).elements[0].Integer() == 0);
  }
  s.Do({"TB.REFUND", "k", "1"});
  CHECK(NextGranted(clients[0]));
  CHECK(IsQuiet(clients[1]));
  s.Do({"TB.REFUND", "k", "2"});
  CHECK(NextGranted(clients[1]));
  CHECK(NextGranted(clients[2]));
  CHECK(IsQuiet(clients[3]));
  CHECK(s.Do({"TB.RESET", "k"}).Integer() == 1);
  CHECK(NextGranted(clients[3]));
  CHECK(s.Waiting() == 0);
  CHECK(s.Do({"TB.INFO", "k"}).elements[7].Integer() == 4);
}

TEST_CASE("whatever makes a bucket full serves those who wait", "[ratelimit][pinyon]") {
  Stage s;
  RawClient client = s.server->Connect();
  REQUIRE(Granted(s.Do(Slow("TB.TAKE", "5"))));
  s.Wait(client, Slow("TB.WAIT", "1"));
  SECTION("TB.RESET") { s.Do({"TB.RESET", "k"}); }
  SECTION("DEL") { s.Do({"DEL", "k"}); }
  SECTION("RENAME") { s.Do({"RENAME", "k", "other"}); }
  SECTION("FLUSHALL") { s.Do({"FLUSHALL"}); }
  SECTION("FLUSHDB") { s.Do({"FLUSHDB"}); }
  SECTION("SWAPDB") { s.Do({"SWAPDB", "0", "1"}); }
  SECTION("an expiry") { s.Do({"PEXPIRE", "k", "20"}); }
  SECTION("a transaction") {
    s.Do({"MULTI"});
    s.Do({"DEL", "k"});
    s.Do(Slow("TB.TAKE", "1"));
    s.Do({"TB.REFUND", "k", "1"});
    // In the transaction nobody else is served; but those in line are not overtaken.
    CHECK(!Granted(s.Do({"EXEC"}).elements[1]));
  }
  CHECK(NextGranted(client));
}

TEST_CASE("a key that becomes something else ends the waiting", "[ratelimit][pinyon]") {
  Stage s;
  RawClient client = s.server->Connect();
  REQUIRE(Granted(s.Do(Slow("TB.TAKE", "5"))));
  s.Wait(client, Slow("TB.WAIT", "1"));
  s.Do({"SET", "k", "text"});
  CHECK(TextOf(client.ReadReply()) == "WRONGTYPE Key is not a valid token bucket string value.");
  CHECK(s.Waiting() == 0);
}

TEST_CASE("time serves a line in its order", "[ratelimit][pinyon]") {
  Stage s;
  constexpr int64_t kTokenMs = 400;
  const std::string period = std::to_string(kTokenMs);
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(s.server->Connect());
  const auto start = Clock::now();
  REQUIRE(Granted(s.Do({"TB.TAKE", "k", "1", "1", period, "1"})));
  for (RawClient& client : clients) s.Wait(client, {"TB.WAIT", "k", "1", "1", period, "1", "0"});
  std::vector<int64_t> served_ms(clients.size(), -1);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      if (NextGranted(clients[i])) served_ms[i] = MsSince(start);
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Nobody before its turn; the server counts whole milliseconds.
  for (size_t i = 0; i < clients.size(); ++i) {
    CHECK(served_ms[i] >= static_cast<int64_t>(i + 1) * kTokenMs - 2);
  }
}

TEST_CASE("clients wake when their tokens are there", "[ratelimit][pinyon]") {
  Stage s;
  // A token every 40 ms; ten clients take one each.
  const auto wait = [](const std::string& key) { return Command{"TB.WAIT", key, "1", "1", "40", "1", "0"}; };
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(s.server->Connect());
  const auto start = Clock::now();
  REQUIRE(Granted(s.Do({"TB.TAKE", "k", "1", "1", "40", "1"})));
  for (RawClient& client : clients) client.SendCommand(wait("k"));
  for (RawClient& client : clients) REQUIRE(NextGranted(client));
  CHECK(MsSince(start) >= 10 * 40 - 2);  // the server counts whole milliseconds
  CHECK(s.Waiting() == 0);
  // One at a time: never early, and the least late of several is not late by much, as the machine may be
  // busy.
  std::vector<int64_t> excess_ms;
  for (int i = 0; i < 10; ++i) {
    const std::string key = "single:" + std::to_string(i);
    REQUIRE(Granted(s.Do({"TB.TAKE", key, "1", "1", "40", "1"})));
    const auto sent = Clock::now();
    CHECK(Granted(clients[0].Call(wait(key))));
    const int64_t took_ms = MsSince(sent);
    CHECK(took_ms <= 40 + 5000);
    excess_ms.push_back(took_ms - 40);
  }
  CHECK(*std::min_element(excess_ms.begin(), excess_ms.end()) <= 4);
  CHECK(*std::min_element(excess_ms.begin(), excess_ms.end()) >= -20);
}

TEST_CASE("waiting for tokens ends by timeouts, unblocking and hanging up", "[ratelimit][pinyon]") {
  Stage s;
  REQUIRE(Granted(s.Do(Slow("TB.TAKE", "5"))));
  RawClient first = s.server->Connect(), second = s.server->Connect(), third = s.server->Connect();
  SECTION("a timeout replies as a refusal") {
    const auto start = Clock::now();
    Command command = Slow("TB.WAIT", "2");
    command.back() = "50";
    const Reply reply = first.Call(command);
    CHECK(MsSince(start) >= 50);
    CHECK(!Granted(reply));
    CHECK(reply.elements[1].Integer() > 3'600'000);
    CHECK(reply.elements[2].text == "k");
    CHECK(reply.elements[3].Integer() == 0);
  }
  SECTION("and lets the next in line be served") {
    s.Do({"TB.REFUND", "k", "1"});
    Command command = Slow("TB.WAIT", "2");
    command.back() = "150";
    s.Wait(first, command);
    s.Wait(second, Slow("TB.WAIT", "1"));
    CHECK(!NextGranted(first));
    CHECK(NextGranted(second));
  }
  SECTION("CLIENT UNBLOCK") {
    s.Do({"TB.REFUND", "k", "1"});
    const std::string first_id = s.Id(first), second_id = s.Id(second);
    s.Wait(first, Slow("TB.WAIT", "2"));
    s.Wait(second, Slow("TB.WAIT", "3"));
    s.Wait(third, Slow("TB.WAIT", "1"));
    CHECK(s.Do({"CLIENT", "UNBLOCK", second_id, "ERROR"}).Integer() == 1);
    CHECK(TextOf(second.ReadReply()) == "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    CHECK(IsQuiet(third));
    CHECK(s.Do({"CLIENT", "UNBLOCK", first_id}).Integer() == 1);
    CHECK(!NextGranted(first));
    CHECK(NextGranted(third));
  }
  SECTION("hanging up") {
    s.Do({"TB.REFUND", "k", "1"});
    const std::string second_id = s.Id(second);
    s.Wait(first, Slow("TB.WAIT", "2"));
    s.Wait(second, Slow("TB.WAIT", "3"));
    s.Wait(third, Slow("TB.WAIT", "1"));
    CHECK(s.Do({"CLIENT", "KILL", "ID", second_id}).Integer() == 1);
    CHECK(IsQuiet(third));
    first.Reset();
    CHECK(NextGranted(third));
  }
  CHECK(Eventually([&] { return s.Waiting() == 0; }));
  CHECK(HealthyUntilTheEnd(*s.server));
}

TEST_CASE("who waits for several buckets keeps its place in each", "[ratelimit][pinyon]") {
  Stage s;
  const auto both = [](const std::string& name, const std::string& a, const std::string& b) {
    Command command = {name, "a", "5", "1", "3600000", a, "b", "5", "1", "3600000", b};
    if (name == "TB.WAIT") command.emplace_back("0");
    return command;
  };
  REQUIRE(Granted(s.Do(both("TB.TAKE", "5", "5"))));
  RawClient first = s.server->Connect(), second = s.server->Connect(), third = s.server->Connect();
  s.Wait(first, both("TB.WAIT", "1", "1"));
  s.Wait(second, Slow("TB.WAIT", "1", "a"));
  s.Wait(third, Slow("TB.WAIT", "1", "b"));
  s.Do({"TB.REFUND", "a", "2"});
  CHECK(IsQuiet(first));
  CHECK(IsQuiet(second));
  s.Do({"TB.REFUND", "b", "1"});
  CHECK(NextGranted(first));
  CHECK(NextGranted(second));
  CHECK(IsQuiet(third));
  s.Do({"TB.REFUND", "b", "1"});
  CHECK(NextGranted(third));
}

TEST_CASE("a pause puts off those who wait", "[ratelimit][pinyon]") {
  Stage s;
  RawClient client = s.server->Connect();
  REQUIRE(Granted(s.Do({"TB.TAKE", "k", "1", "1", "30", "1"})));
  s.Wait(client, {"TB.WAIT", "k", "1", "1", "300", "1", "0"});
  const auto start = Clock::now();
  s.Do({"CLIENT", "PAUSE", "600", "WRITE"});
  CHECK(NextGranted(client));
  CHECK(MsSince(start) >= 590);
}

TEST_CASE("several buckets are atomic under concurrent clients", "[ratelimit][pinyon]") {
  Stage s;
  // Every client takes from its own bucket, from one of two shared ones, and from one of all: what passed
  // is what each has lost.
  constexpr int kClients = 8, kTries = 300, kAll = 900, kShared = 500, kOwn = 150;
  const std::string hour = "360000000";
  std::vector<int> passed(kClients, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      RawClient client = s.server->Connect();
      const Command take = {"TB.TAKE",
                            "own:" + std::to_string(i),
                            std::to_string(kOwn),
                            "1",
                            hour,
                            "1",
                            "shared:" + std::to_string(i % 2),
                            std::to_string(kShared),
                            "1",
                            hour,
                            "1",
                            "all",
                            std::to_string(kAll),
                            "1",
                            hour,
                            "1"};
      for (int n = 0; n < kTries; ++n) passed[static_cast<size_t>(i)] += Granted(client.Call(take)) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto missing = [&](const std::string& key, int capacity) {
    const Reply reply = s.Do({"TB.INFO", key});
    return reply.IsNull() ? 0 : capacity - reply.elements[7].Integer();
  };
  int64_t sum = 0;
  int64_t shared[2] = {0, 0};
  for (int i = 0; i < kClients; ++i) {
    const int own = passed[static_cast<size_t>(i)];
    CHECK(missing("own:" + std::to_string(i), kOwn) == own);
    CHECK(own <= kOwn);
    sum += own;
    shared[i % 2] += own;
  }
  CHECK(sum == kAll);
  CHECK(missing("all", kAll) == sum);
  CHECK(missing("shared:0", kShared) == shared[0]);
  CHECK(missing("shared:1", kShared) == shared[1]);
}

TEST_CASE("buckets go on where they were after a restart", "[ratelimit][pinyon]") {
  const bool log = GENERATE(false, true);
  DataFolder folder;
  const std::vector<std::string> args = {"--appendonly", log ? "yes" : "no"};
  std::string state;
  {
    auto server = folder.Start(PinyonBinary(), args);
    RawClient client = server->Connect();
    REQUIRE(Granted(client.Call(Slow("TB.TAKE", "3"))));
    REQUIRE(Granted(client.Call(Slow("TB.TAKE", "1"))));
    REQUIRE(client.Call({"CL.THROTTLE", "cell", "15", "30", "3600", "10"}).elements[2].Integer() == 6);
    REQUIRE(Granted(client.Call({"TB.TAKE", "short", "1", "1", "50", "1"})));
    state = client.Call({"GET", "k"}).text;
    if (!log) REQUIRE(TextOf(client.Call({"SAVE"})) == "OK");
    CHECK(server->Stop() == 0);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  auto server = folder.Start(PinyonBinary(), args);
  RawClient client = server->Connect();
  CHECK(client.Call({"GET", "k"}).text == state);
  CHECK(!Granted(client.Call(Slow("TB.TAKE", "2"))));
  CHECK(Granted(client.Call(Slow("TB.TAKE", "1"))));
  CHECK(client.Call({"CL.THROTTLE", "cell", "15", "30", "3600", "10"}).elements[0].Integer() == 1);
  CHECK(client.Call({"CL.THROTTLE", "cell", "15", "30", "3600", "6"}).elements[0].Integer() == 0);
  CHECK(Granted(client.Call({"TB.TAKE", "short", "1", "1", "50", "1"})));
  CHECK(server->Stop() == 0);
}

TEST_CASE("a redis-server carries buckets", "[ratelimit][pinyon]") {
  DataFolder folder;
  const std::vector<std::string> args = {"--appendonly", "yes", "--aof-use-rdb-preamble", "no"};
  std::string state, dump;
  {
    auto server = folder.Start(PinyonBinary(), args);
    RawClient client = server->Connect();
    REQUIRE(Granted(client.Call(Slow("TB.TAKE", "4"))));
    REQUIRE(Granted(client.Call({"TB.TAKE", "a", "5", "1", "3600000", "1", "b", "5", "1", "3600000", "2"})));
    state = client.Call({"GET", "k"}).text;
    dump = client.Call({"DUMP", "k"}).text;
    CHECK(server->Stop() == 0);
  }
  auto redis = folder.Start(RedisBinary(), args);
  RawClient client = redis->Connect();
  CHECK(client.Call({"GET", "k"}).text == state);
  CHECK(client.Call({"PTTL", "k"}).Integer() > 3 * 3'600'000);
  CHECK(client.Call({"PTTL", "k"}).Integer() <= 4 * 3'600'000);
  CHECK(client.Call({"EXISTS", "a", "b"}).Integer() == 2);
  CHECK(TextOf(client.Call({"RESTORE", "copy", "0", dump})) == "OK");
  CHECK(client.Call({"GET", "copy"}).text == state);
  // And back.
  Stage s;
  const std::string back = client.Call({"DUMP", "copy"}).text;
  CHECK(TextOf(s.Do({"RESTORE", "k", "0", back})) == "OK");
  CHECK(!Granted(s.Do(Slow("TB.TAKE", "2"))));
  CHECK(Granted(s.Do(Slow("TB.TAKE", "1"))));
  CHECK(redis->Stop() == 0);
}

TEST_CASE("users without the key may not touch its bucket", "[ratelimit][pinyon]") {
  Stage s;
  CHECK(TextOf(s.Do({"ACL", "SETUSER", "u", "on", "nopass", "~own:*", "+@string", "+@blocking"})) == "OK");
  RawClient client = s.server->Connect();
  REQUIRE(TextOf(client.Call({"AUTH", "u", "x"})) == "OK");
  CHECK(Granted(client.Call(Slow("TB.TAKE", "5", "own:1"))));
  CHECK(TextOf(client.Call({"TB.TAKE", "own:1", "5", "1", "1", "1", "k", "5", "1", "1", "1"}))
            .starts_with("NOPERM"));
  CHECK(TextOf(client.Call({"CL.THROTTLE", "k", "1", "1", "1"})).starts_with("NOPERM"));
  CHECK(TextOf(client.Call({"TB.INFO", "k"})).starts_with("NOPERM"));
  // Who loses the permission while it waits is told when its turn comes.
  s.Wait(client, Slow("TB.WAIT", "1", "own:1"));
  CHECK(TextOf(s.Do({"ACL", "SETUSER", "u", "resetkeys"})) == "OK");
  s.Do({"TB.RESET", "own:1"});
  CHECK(TextOf(client.ReadReply()).starts_with("NOPERM"));
}

}  // namespace pinyon::testing
