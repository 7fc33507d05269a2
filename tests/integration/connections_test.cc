// Clients that are hard on the server: long pipelines, no reading, broken bytes, sudden ends.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Generous, for a sanitizer build on a busy machine; a server that starves its other clients takes far
// longer.
constexpr auto kWorstAnswer = std::chrono::milliseconds(1500);
constexpr auto kUsualAnswer = std::chrono::milliseconds(150);

// Asks the server something every millisecond on a connection and a thread of its own.
class Bystander {
 public:
  explicit Bystander(const ServerProcess& server)
      : client_(server.Connect(60000)), thread_([this] { Run(); }) {}
  ~Bystander() { Finish(); }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  // How long the answers took, shortest first.
  const std::vector<Clock::duration>& Finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    std::sort(times_.begin(), times_.end());
    return times_;
  }

 private:
  void Run() {
    try {
      while (!stop_) {
        const auto start = Clock::now();
        client_.Call({"PING"});
        times_.push_back(Clock::now() - start);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    } catch (const ClientError&) {
      times_.emplace_back(std::chrono::hours(1));
    }
  }

  RawClient client_;
  std::vector<Clock::duration> times_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

void CheckServed(Bystander& bystander) {
  const auto& times = bystander.Finish();
  REQUIRE(!times.empty());
  CHECK(times.back() < kWorstAnswer);
  CHECK(times[times.size() * 9 / 10] < kUsualAnswer);
}

}  // namespace

TEST_CASE("a protocol error closes that connection and no other", "[protocol][redis-ok]") {
  auto server = Launch();
  RawClient good = server->Connect();
  REQUIRE(TextOf(good.Call({"SET", "a", "1"})) == "OK");
  const std::string bytes =
      GENERATE("*1\r\nPING\r\n", "*abc\r\n", "*1\r\n$-5\r\n", "ECHO \"abc\r\n", "*2147483648\r\n");
  INFO(Quote(bytes));
  RawClient bad = server->Connect();
  bad.Send(EncodeCommand({"PING"}) + bytes);
  CHECK(TextOf(bad.ReadReply()) == "PONG");
  CHECK(TextOf(bad.ReadReply()).substr(0, 20) == "ERR Protocol error: ");
  CHECK(bad.WaitForClose(2000));
  CHECK(TextOf(good.Call({"GET", "a"})) == "1");
}

TEST_CASE("100000 pipelined commands are answered in order", "[pipeline][redis-ok]") {
  constexpr int kCommands = 100000;
  auto server = Launch();
  std::string requests;
  for (int i = 0; i < kCommands; ++i) requests += EncodeCommand({"INCR", "counter"});
  RawClient client = server->Connect(60000);
  client.Send(requests);
  int in_order = 0;
  for (int i = 1; i <= kCommands; ++i) in_order += client.ReadReply().Integer() == i ? 1 : 0;
  CHECK(in_order == kCommands);
}

TEST_CASE("100 MB written before a byte is read neither deadlocks nor starves others",
          "[pipeline][slow][redis-ok]") {
  constexpr int kBatches = 100;
  constexpr int kCommandsPerBatch = 1000;
  auto server = Launch();
  std::string batch;
  for (int i = 0; i < kCommandsPerBatch; ++i) batch += EncodeCommand({"ECHO", std::string(1024, 'x')});
  RawClient client = server->Connect(60000);
  Bystander bystander(*server);
  for (int i = 0; i < kBatches; ++i) client.Send(batch);
  int right = 0;
  for (int i = 0; i < kBatches * kCommandsPerBatch; ++i)
    right += client.ReadReply().text.size() == 1024 ? 1 : 0;
  CHECK(right == kBatches * kCommandsPerBatch);
  CheckServed(bystander);
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a client that never reads does not hold up others", "[pipeline][redis-ok]") {
  auto server = Launch();
  RawClient silent = server->Connect();
  REQUIRE(TextOf(silent.Call({"SET", "big", std::string(1 << 20, 'x')})) == "OK");
  Bystander bystander(*server);
  for (int i = 0; i < 128; ++i) silent.SendCommand({"GET", "big"});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CheckServed(bystander);
  // The key changes while its old value is still owed: the replies must not.
  REQUIRE(TextOf(server->Connect().Call({"SET", "big", std::string(1 << 20, 'y')})) == "OK");
  CHECK(silent.ReadReply().text == std::string(1 << 20, 'x'));
  silent.Reset();
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a request that stops half-way waits for the rest", "[protocol][redis-ok]") {
  auto server = Launch();
  RawClient half = server->Connect();
  const std::string request = EncodeCommand({"SET", "key", "value"});
  for (size_t cut = 1; cut < request.size(); ++cut) {
    INFO(cut);
    half.Send(request.substr(0, cut));
    REQUIRE(TextOf(server->Connect().Call({"PING"})) == "PONG");
    REQUIRE(half.Drain(0).empty());
    half.Send(request.substr(cut));
    REQUIRE(TextOf(half.ReadReply()) == "OK");
  }
  // Given up half-way it leaves nothing behind.
  half.Send(request.substr(0, request.size() - 3));
  half.Close();
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a client that closes its sending side still gets its replies", "[pipeline][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  client.Send(EncodeCommand({"SET", "a", "1"}) + EncodeCommand({"GET", "a"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  client.ShutdownWrites();
  CHECK(TextOf(client.ReadReply()) == "OK");
  CHECK(TextOf(client.ReadReply()) == "1");
  CHECK(client.WaitForClose(2000));
}

TEST_CASE("reset connections do no harm", "[clients][redis-ok]") {
  auto server = Launch();
  for (int i = 0; i < 200; ++i) {
    RawClient client = server->Connect();
    switch (i % 4) {
      case 0: break;
      case 1: client.SendCommand({"SET", "a", std::string(100000, 'x')}); break;
      case 2: client.Send("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000000\r\nxxx"); break;
      default:
        for (int j = 0; j < 50; ++j) client.SendCommand({"GET", "a"});
    }
    client.Reset();
  }
  RawClient client = server->Connect();
  // Only this one is left once the server has seen them all go.
  std::string list;
  for (int attempt = 0; attempt < 200; ++attempt) {
    list = client.Call({"CLIENT", "LIST"}).text;
    if (std::count(list.begin(), list.end(), '\n') == 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(std::count(list.begin(), list.end(), '\n') == 1);
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("connections come and go by the thousand", "[clients][redis-ok]") {
  auto server = Launch();
  for (int round = 0; round < 10; ++round) {
    std::vector<RawClient> clients;
    clients.reserve(200);
    for (int i = 0; i < 200; ++i) clients.push_back(server->Connect());
    for (RawClient& client : clients) client.SendCommand({"INCR", "visits"});
    for (RawClient& client : clients) client.ReadReply();
    for (RawClient& client : clients) client.Reset();
  }
  CHECK(TextOf(server->Connect().Call({"GET", "visits"})) == "2000");
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
