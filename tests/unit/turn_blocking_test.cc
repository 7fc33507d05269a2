// Suspended clients in the turn: what they send meanwhile, how they go on, how they leave.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "turn_fixture.h"
#include "waiting_commands.h"

namespace pinyon {

namespace {

class SuspendedFixture : public TurnFixture {
 public:
  SuspendedFixture() { commands.commands.AddFamily(WaitingCommands()); }
  // As a client of the test's own, which has no connection.
  void Do(std::initializer_list<std::string_view> args) { commands.Do(args); }
  // A client whose socket is read, and that waits for `k`.
  Client& ConnectWaiting() {
    Client& client = Connect();
    client.StartReading();
    Send(client, "TAKE k 0\r\n");
    PollUntil([&client] { return client.session.suspension != nullptr; });
    return client;
  }
  template <typename Condition>
  void PollUntil(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < end) {
      Poll();
      RunTurns();
    }
    CHECK(condition());
  }
};

const std::string kTaken = "*2\r\n$1\r\nk\r\n$1\r\nv\r\n";

}  // namespace

TEST_CASE("A pipeline goes on behind a command that waited", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.Connect();
  f.Give(client, "PING\r\nTAKE k 0\r\nAPPEND log a\r\nECHO \"x y\"\r\nTAKE k 0\r\nAPPEND log b\r\n");
  f.RunTurns();
  CHECK(f.Received(client) == "+PONG\r\n");
  CHECK(client.session.suspension != nullptr);
  CHECK(f.commands.Do({"EXISTS", "log"}) == ":0\r\n");
  f.Do({"SET", "k", "v"});
  CHECK(f.commands.Do({"EXISTS", "log"}) == ":0\r\n");  // not within somebody else's command
  f.RunTurns();
  CHECK(f.Received(client) == kTaken + ":1\r\n$3\r\nx y\r\n");
  CHECK(client.session.suspension != nullptr);
  f.Do({"SET", "k", "v"});
  f.RunTurns();
  CHECK(f.Received(client) == kTaken + ":2\r\n");
  CHECK(client.input.capacity() == 0);
}

TEST_CASE("A client can be served within the batch in which it began to wait", "[turn][blocking]") {
  SuspendedFixture f;
  Client& first = f.Connect();
  Client& second = f.Connect();
  Client& writer = f.Connect();
  f.Give(first, "TAKE k 0\r\nPING\r\n");
  f.Give(second, "TAKE k 0\r\nPING\r\n");
  f.Give(writer, "SET k v\r\nGET k\r\nSET k v\r\n");
  f.RunTurns();
  CHECK(f.Received(first) == kTaken + "+PONG\r\n");
  CHECK(f.Received(second) == kTaken + "+PONG\r\n");
  CHECK(f.Received(writer) == "+OK\r\n$-1\r\n+OK\r\n");
}

TEST_CASE("QUIT and RESET wait behind a command that waits", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.Connect();
  const uint64_t id = client.session.id;
  f.Give(client, "TAKE k 0\r\nRESET\r\nQUIT\r\n");
  f.RunTurns();
  CHECK(f.Received(client).empty());
  f.Do({"SET", "k", "v"});
  f.RunTurns();
  f.Poll();
  CHECK(f.Received(id) == kTaken + "+RESET\r\n+OK\r\n<EOF>");
}

TEST_CASE("Timeouts are served by the turn", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.Connect();
  f.Give(client, "TAKE k 0.01\r\nPING\r\n");
  f.RunTurns();
  CHECK(f.Received(client).empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  f.RunTurns();
  CHECK(f.Received(client) == "*-1\r\n+PONG\r\n");
}

TEST_CASE("WAIT holds up what follows it until its time is over", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.Connect();
  f.Give(client, "SET k v\r\nWAIT 1 10\r\nGET k\r\nWAIT 0 0\r\nPING\r\n");
  f.RunTurns();
  CHECK(f.Received(client) == "+OK\r\n");
  CHECK(client.session.suspension != nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  f.RunTurns();
  CHECK(f.Received(client) == ":0\r\n$1\r\nv\r\n:0\r\n+PONG\r\n");
}

TEST_CASE("More timeouts than fit a turn are spread over several", "[turn][blocking]") {
  SuspendedFixture f;
  constexpr int kClients = 200;
  for (int i = 0; i < kClients; ++i) f.Give(f.Connect(), "TAKE k 0.001\r\n");
  f.RunTurns();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  f.RunTurns();
  CHECK(f.commands.engine.blocked.client_count() == 0);
}

TEST_CASE("The hang-up of a suspended client is noticed", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.ConnectWaiting();
  const uint64_t id = client.session.id;
  SECTION("with nothing sent") { f.HangUp(client); }
  SECTION("with a pipeline behind the command") {
    f.Send(client, "APPEND log a\r\n");
    f.HangUp(client);
  }
  f.PollUntil([&] { return f.IsGone(id); });
  CHECK(f.commands.engine.blocked.client_count() == 0);
  f.Do({"SET", "k", "v"});
  CHECK(f.commands.Do({"GET", "k"}) == "$1\r\nv\r\n");
  CHECK(f.commands.Do({"EXISTS", "log"}) == ":0\r\n");
  CHECK(f.Received(id) == "<EOF>");
}

TEST_CASE("What a suspended client sends is read", "[turn][blocking]") {
  SuspendedFixture f;
  Client& client = f.ConnectWaiting();
  constexpr size_t kRequests = 100'000;  // more than a client's share of a turn
  const std::string_view request = "APPEND log x\r\n";
  std::string sent;
  for (size_t i = 0; i < kRequests; ++i) sent += request;
  SECTION("small requests") {}
  SECTION("and a large bulk behind them") {
    sent += "*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$100000\r\n" + std::string(100'000, 'b') + "\r\n";
  }
  std::atomic<bool> given_up = false;
  std::thread writer([&] {
    for (std::string_view left = sent; !left.empty() && !given_up;)
      left.remove_prefix(f.TrySend(client, left));
  });
  f.PollUntil([&] { return client.input.bytes().size() == sent.size(); });
  given_up = true;
  writer.join();
  CHECK(client.session.suspension != nullptr);
  f.Do({"SET", "k", "v"});
  f.PollUntil([&] { return client.input.empty(); });
  CHECK(f.commands.Do({"STRLEN", "log"}) == ":100000\r\n");
  CHECK(f.Received(client).starts_with(kTaken + ":1\r\n:2\r\n:3\r\n"));
}

TEST_CASE("A suspended client that sends too much is cut off", "[turn][blocking]") {
  SuspendedFixture f;
  f.query_buffer_limit = 1000;
  Client& client = f.ConnectWaiting();
  const uint64_t id = client.session.id;
  f.Send(client, std::string(1001, 'x'));
  f.PollUntil([&] { return f.IsGone(id); });
  CHECK(f.commands.engine.blocked.client_count() == 0);
}

TEST_CASE("The reply to a client that waited waits for the log", "[turn][blocking]") {
  SuspendedFixture f;
  GatedLog log;
  f.commands.engine.effects.SetListener(&log);
  Client& waiter = f.Connect();
  Client& writer = f.Connect();
  f.Give(waiter, "TAKE k 0\r\n");
  f.RunTurns();
  f.Give(writer, "SET k v\r\n");
  f.RunTurns();
  const uint64_t served = log.written;
  CHECK(f.Received(waiter).empty());
  // The log has the SET, but not yet what the waiting client did.
  log.reached = served - 1;
  f.turn.AddFlush(waiter);
  f.RunTurns();
  CHECK(f.Received(waiter).empty());
  log.reached = served;
  f.turn.AddFlush(waiter);
  f.RunTurns();
  CHECK(f.Received(waiter) == kTaken);
  f.commands.engine.effects.SetListener(nullptr);
}

TEST_CASE("CLIENT PAUSE puts off what it says, in order", "[turn][pause]") {
  SuspendedFixture f;
  Client& first = f.Connect();
  Client& second = f.Connect();
  Client& admin = f.Connect();
  SECTION("writes") {
    f.Give(admin, "CLIENT PAUSE 100000 WRITE\r\nSET own 1\r\n");
    f.RunTurns();
    CHECK(f.Received(admin) == "+OK\r\n");
    Client& unpauser = f.Connect();
    f.Give(first, "GET log\r\nAPPEND log a\r\nGET log\r\n");
    f.Give(second, "MULTI\r\nGET log\r\nEXEC\r\nMULTI\r\nAPPEND log b\r\nEXEC\r\n");
    f.RunTurns();
    CHECK(f.Received(first) == "$-1\r\n");
    CHECK(f.Received(second) == "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n+OK\r\n");
    CHECK(f.commands.engine.blocked.client_count() == 3);
    CHECK(f.commands.Do({"CLIENT", "UNBLOCK", std::to_string(first.session.id)}) == ":0\r\n");
    f.Give(unpauser, "CLIENT UNPAUSE\r\n");
    f.RunTurns();
    CHECK(f.Received(unpauser) == "+OK\r\n");
    CHECK(f.Received(admin) == "+OK\r\n");
    CHECK(f.Received(first) == ":1\r\n$1\r\na\r\n");
    CHECK(f.Received(second) == "+QUEUED\r\n*1\r\n:2\r\n");
  }
  SECTION("everything, for its time") {
    f.Give(admin, "CLIENT PAUSE 20\r\nPING\r\n");
    f.RunTurns();
    f.Give(first, "PING\r\nPING\r\n");
    f.Give(second, "TAKE k 0\r\n");
    f.RunTurns();
    CHECK(f.Received(admin) == "+OK\r\n");
    CHECK(f.Received(first).empty());
    CHECK(f.commands.engine.blocked.postponed_count() == 3);
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    f.RunTurns();
    CHECK(f.Received(admin) == "+PONG\r\n");
    CHECK(f.Received(first) == "+PONG\r\n+PONG\r\n");
    // What it had put off may wait on its own account.
    CHECK(second.session.suspension != nullptr);
    f.Do({"SET", "k", "v"});
    f.RunTurns();
    CHECK(f.Received(second) == kTaken);
  }
  CHECK(f.commands.engine.blocked.client_count() == 0);
}

TEST_CASE("A pause grows, and data stands still in it", "[turn][pause]") {
  SuspendedFixture f;
  Client& admin = f.Connect();
  f.Do({"SET", "k", "v", "PX", "1"});
  f.Give(admin, "CLIENT PAUSE 100000 WRITE\r\nCLIENT PAUSE 1 WRITE\r\n");
  f.RunTurns();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  f.Give(admin, "GET k\r\nDBSIZE\r\n");
  f.RunTurns();
  CHECK(f.Received(admin) == "+OK\r\n+OK\r\n$-1\r\n:1\r\n");
  CHECK(f.commands.engine.pause.mode() == ClientPause::Mode::kWrites);
  f.Give(admin, "CLIENT PAUSE 1 ALL\r\nPING\r\n");
  f.RunTurns();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  f.RunTurns();
  CHECK(f.Received(admin) == "+OK\r\n");
  CHECK(f.commands.engine.pause.mode() == ClientPause::Mode::kAll);
}

TEST_CASE("Mistakes are told in a pause too, and a killed client is forgotten", "[turn][pause]") {
  SuspendedFixture f;
  Client& admin = f.Connect();
  Client& client = f.Connect();
  const uint64_t id = client.session.id;
  f.Give(admin, "CLIENT PAUSE 100000\r\n");
  f.RunTurns();
  f.Give(client, "SET k\r\nNOSUCH\r\nSET k v\r\nQUIT\r\n");
  f.RunTurns();
  CHECK(f.Received(client) ==
        "-ERR wrong number of arguments for 'set' command\r\n"
        "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
  CHECK(f.commands.engine.blocked.postponed_count() == 1);
  client.Close(true);
  CHECK(f.commands.engine.blocked.postponed_count() == 0);
  f.commands.engine.pause.End();
  f.RunTurns();
  f.Poll();
  CHECK(f.IsGone(id));
  CHECK(f.commands.Do({"EXISTS", "k"}) == ":0\r\n");
}

TEST_CASE("A large value is put off whole", "[turn][pause]") {
  SuspendedFixture f;
  Client& admin = f.Connect();
  f.Give(admin, "CLIENT PAUSE 100000 WRITE\r\n");
  f.RunTurns();
  Client& client = f.Connect();
  client.StartReading();
  const std::string value(100'000, 'v');
  const std::string request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + value + "\r\nPING\r\n";
  std::string_view left = request;
  f.PollUntil([&] {
    if (!left.empty()) left.remove_prefix(f.TrySend(client, left.substr(0, 5000)));
    return client.session.suspension != nullptr;
  });
  f.commands.engine.pause.End();
  std::string received;
  f.PollUntil([&] {
    if (!left.empty()) left.remove_prefix(f.TrySend(client, left));
    received += f.Received(client);
    return received.ends_with("+PONG\r\n");
  });
  CHECK(received == "+OK\r\n+PONG\r\n");
  CHECK(f.commands.Do({"GET", "k"}) == "$100000\r\n" + value + "\r\n");
}

}  // namespace pinyon
