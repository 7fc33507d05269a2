// WAIT and WAITAOF against a started server: under every policy of appendfsync, with kills behind the reply.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "integration/data_folder.h"
#include "support/elapsed.h"

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::string Reached(int local) { return Print(ParseReply("*2\r\n:" + std::to_string(local) + "\r\n:0\r\n")); }

bool BecomesBlocked(RawClient& admin, const std::string& count) {
  const auto start = Clock::now();
  while (InfoField(admin, "clients", "blocked_clients") != count) {
    if (MsSince(start) > 5000) return false;
  }
  return true;
}

constexpr const char* kLogIsOff =
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

}  // namespace

TEST_CASE("WAIT without replicas waits until its time is over", "[wait][redis-ok]") {
  auto server = LaunchWith({});
  RawClient client = server->Connect(), admin = server->Connect();
  const std::string id = std::to_string(client.Call({"CLIENT", "ID"}).Integer());
  CHECK(client.Call({"SET", "k", "v"}).text == "OK");
  CHECK(client.Call({"WAIT", "0", "0"}).Integer() == 0);
  const auto start = Clock::now();
  CHECK(client.Call({"WAIT", "1", "120"}).Integer() == 0);
  CHECK(MsSince(start) >= 120);
  // What follows waits with it.
  client.Send(EncodeCommand({"WAIT", "1", "100"}) + EncodeCommand({"GET", "k"}));
  CHECK(client.ReadReply().Integer() == 0);
  CHECK(client.ReadReply().text == "v");
  client.SendCommand({"WAIT", "1", "0"});
  REQUIRE(BecomesBlocked(admin, "1"));
  CHECK(admin.Call({"CLIENT", "UNBLOCK", id}).Integer() == 1);
  CHECK(client.ReadReply().Integer() == 0);
  client.SendCommand({"WAIT", "1", "0"});
  REQUIRE(BecomesBlocked(admin, "1"));
  CHECK(admin.Call({"CLIENT", "UNBLOCK", id, "ERROR"}).Integer() == 1);
  CHECK(client.ReadReply().text == "UNBLOCKED client unblocked via CLIENT UNBLOCK");
  client.Call({"MULTI"});
  client.Call({"WAIT", "1", "0"});
  CHECK(Print(client.Call({"EXEC"})) == Print(ParseReply("*1\r\n:0\r\n")));
  client.SendCommand({"WAIT", "1", "0"});
  REQUIRE(BecomesBlocked(admin, "1"));
  client.Close();
  CHECK(BecomesBlocked(admin, "0"));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("what WAITAOF acknowledged is there after a kill", "[wait][persistence]") {
  const std::string policy = GENERATE("always", "everysec", "no");
  CAPTURE(policy);
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes", "--appendfsync", policy});
    RawClient client = server->Connect(), reader = server->Connect();
    CHECK(Print(reader.Call({"WAITAOF", "1", "0", "0"})) == Reached(1));
    for (int i = 0; i < 5; ++i) {
      client.Send(EncodeCommand({"SET", "key:" + std::to_string(i), "v"}) +
                  EncodeCommand({"RPUSH", "list", std::to_string(i)}) +
                  EncodeCommand({"WAITAOF", "1", "0", "5000"}));
      const auto start = Clock::now();
      CHECK(client.ReadReply().text == "OK");
      CHECK(client.ReadReply().Integer() == i + 1);
      CHECK(Print(client.ReadReply()) == Reached(1));
      CHECK(MsSince(start) < 3000);
      // And is told of again at once.
      CHECK(Print(client.Call({"WAITAOF", "1", "0", "0"})) == Reached(1));
    }
    server->Signal(SIGKILL);
    server->WaitForExit(10'000);
  }
  auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
  RawClient client = server->Connect();
  CHECK(client.Call({"LLEN", "list"}).Integer() == 5);
  CHECK(client.Call({"EXISTS", "key:0", "key:4"}).Integer() == 2);
}

TEST_CASE("under everysec WAITAOF is answered by the next sync, for all who wait", "[wait][persistence]") {
  DataFolder folder;
  auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes", "--appendfsync", "everysec"});
  RawClient first = server->Connect();
  // A sync has just been: the next one takes a while.
  first.Call({"SET", "a", "1"});
  REQUIRE(Print(first.Call({"WAITAOF", "1", "0", "5000"})) == Reached(1));
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(server->Connect());
    clients.back().SendCommand({"INCR", "count"});
    clients.back().SendCommand({"WAITAOF", "1", "0", "0"});
  }
  first.Call({"SET", "a", "2"});
  CHECK(Print(first.Call({"WAITAOF", "1", "0", "1"})) == Reached(0));
  // Replicas cannot be reached: what was, is told at the end.
  const auto start = Clock::now();
  CHECK(Print(first.Call({"WAITAOF", "1", "1", "2500"})) == Reached(1));
  CHECK(MsSince(start) >= 2500);
  for (RawClient& client : clients) {
    CHECK(client.ReadReply().Integer() > 0);
    CHECK(Print(client.ReadReply()) == Reached(1));
  }
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("WAITAOF goes with the log that is turned on and off", "[wait][persistence]") {
  DataFolder folder;
  auto server = folder.Start(PinyonBinary(), {"--appendfsync", "everysec"});
  RawClient client = server->Connect(), admin = server->Connect();
  client.Call({"SET", "before", "1"});
  CHECK(client.Call({"WAITAOF", "1", "0", "0"}).text == kLogIsOff);
  CHECK(Print(client.Call({"WAITAOF", "0", "0", "0"})) == Reached(0));
  CHECK(Print(client.Call({"WAITAOF", "0", "1", "20"})) == Reached(0));
  // What was written before is safe when the first rewrite is done.
  CHECK(TextOf(admin.Call({"CONFIG", "SET", "appendonly", "yes"})) == "OK");
  CHECK(Print(client.Call({"WAITAOF", "1", "0", "10000"})) == Reached(1));
  CHECK(InfoField(admin, "persistence", "aof_rewrite_in_progress") == "0");
  client.Call({"SET", "a", "1"});
  client.Call({"WAITAOF", "1", "0", "10000"});
  client.Send(EncodeCommand({"SET", "a", "2"}) + EncodeCommand({"WAITAOF", "1", "1", "0"}));
  CHECK(client.ReadReply().text == "OK");
  REQUIRE(BecomesBlocked(admin, "1"));
  CHECK(TextOf(admin.Call({"CONFIG", "SET", "appendonly", "no"})) == "OK");
  CHECK(client.ReadReply().text == kLogIsOff);
  CHECK(TextOf(client.Call({"PING"})) == "PONG");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("whoever hangs up while it waits for the log is forgotten", "[wait][persistence]") {
  DataFolder folder;
  auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
  RawClient client = server->Connect(), admin = server->Connect();
  client.Call({"SET", "a", "1"});
  client.SendCommand({"WAITAOF", "1", "1", "0"});
  REQUIRE(BecomesBlocked(admin, "1"));
  client.Reset();
  CHECK(BecomesBlocked(admin, "0"));
  admin.Call({"SET", "a", "2"});
  CHECK(Print(admin.Call({"WAITAOF", "1", "0", "5000"})) == Reached(1));
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
