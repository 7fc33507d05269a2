// WAIT and WAITAOF: the engine's part, with a log whose disk the test controls.
#include <catch2/catch.hpp>
#include <string>

#include "base/clock.h"
#include "command_fixture.h"

namespace pinyon {

namespace {

class FakePersistence final : public PersistenceControl {
 public:
  Answer Save() override { return {true, "OK"}; }
  Answer BackgroundSave(bool, bool) override { return {true, "OK"}; }
  Answer RewriteLog(bool) override { return {true, "OK"}; }
  int64_t LastSave() const override { return 0; }
  Answer Reload(const ReloadOptions&) override { return {true, "OK"}; }
  Answer ReloadLog() override { return {true, "OK"}; }
  void OnFlushAll() override {}
  bool IsLogging() const override { return is_logging; }
  bool IsSynced(uint64_t offset) const override { return is_logging && is_complete && offset <= synced; }
  void AskForSync() override { ++syncs_asked; }

  bool is_logging = true;
  bool is_complete = true;
  uint64_t synced = 0;
  int syncs_asked = 0;
};

class WaitFixture : public CommandFixture {
 public:
  WaitFixture() {
    engine.persistence = &disk;
    RecordEffects();
  }
  ~WaitFixture() {
    for (size_t client = 0; client < 10; ++client) {
      if (engine.blocked.client_count() > 0) Disconnect(client);
    }
    CHECK(engine.blocked.client_count() == 0);
    CHECK(engine.blocked.deadline_count() == 0);
    CHECK_FALSE(engine.blocked.AwaitsLog());
    engine.persistence = nullptr;
  }
  bool IsWaiting(size_t client) { return session(client).suspension != nullptr; }
  void Wait(size_t client, std::string_view line) {
    CHECK(RunAs(client, line).empty());
    CHECK(IsWaiting(client));
  }
  // The disk has all that was written so far.
  void Sync() { disk.synced = effect_recorder.offset(); }
  void TimeOut(int64_t milliseconds) {
    while (dispatcher.TimeOutBlocked(MonotonicUs() + milliseconds * 1000, 3)) {
    }
  }

  FakePersistence disk;
};

std::string Reached(int local, int replicas = 0) {
  return "*2\r\n:" + std::to_string(local) + "\r\n:" + std::to_string(replicas) + "\r\n";
}

}  // namespace

TEST_CASE("WAITAOF waits for the caller's own writes", "[wait]") {
  WaitFixture f;
  f.RunAs(0, "SET a 1");
  const uint64_t first = f.effect_recorder.offset();
  f.RunAs(1, "SET b 1");
  // Whoever has written nothing has nothing to wait for.
  CHECK(f.RunAs(2, "WAITAOF 1 0 0") == Reached(1));
  f.Wait(0, "WAITAOF 1 0 0");
  f.Wait(1, "WAITAOF 1 0 0");
  CHECK(f.disk.syncs_asked == 2);
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
  CHECK(f.IsWaiting(0));
  f.disk.synced = first;
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
  CHECK(f.Received(0) == Reached(1));
  CHECK(f.IsWaiting(1));
  f.Sync();
  CHECK(f.dispatcher.ServeLogWaiters(0));
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
  CHECK(f.Received(1) == Reached(1));
  CHECK(f.RunAs(1, "WAITAOF 1 0 0") == Reached(1));
  // Reading and failing is no writing.
  f.RunAs(0, "INCR b");
  f.Sync();
  f.RunAs(1, "SET c 1");
  f.RunAs(0, "GET a");
  f.RunAs(0, "LPUSH a x");
  CHECK(f.RunAs(0, "WAITAOF 1 0 0") == Reached(1));
}

TEST_CASE("Timeouts and CLIENT UNBLOCK reply what was reached", "[wait]") {
  WaitFixture f;
  f.Run("SET a 1");
  const std::string id = std::to_string(f.session(0).id);
  SECTION("a timeout") {
    f.Wait(0, "WAITAOF 1 0 50");
    f.TimeOut(40);
    CHECK(f.IsWaiting(0));
    f.TimeOut(60);
    CHECK(f.Received(0) == Reached(0));
  }
  SECTION("a timeout, waiting for replicas") {
    f.Wait(0, "WAITAOF 1 2 50");
    f.Sync();
    CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
    CHECK(f.IsWaiting(0));
    f.TimeOut(60);
    CHECK(f.Received(0) == Reached(1));
  }
  SECTION("WAIT") {
    f.Wait(0, "WAIT 1 50");
    f.TimeOut(60);
    CHECK(f.Received(0) == ":0\r\n");
  }
  SECTION("CLIENT UNBLOCK") {
    f.Wait(0, "WAITAOF 1 0 0");
    CHECK(f.RunAs(1, "CLIENT UNBLOCK " + id) == ":1\r\n");
    CHECK(f.Received(0) == Reached(0));
    f.Wait(0, "WAIT 1 0");
    CHECK(f.RunAs(1, "CLIENT UNBLOCK " + id + " TIMEOUT") == ":1\r\n");
    CHECK(f.Received(0) == ":0\r\n");
    f.Wait(0, "WAIT 1 0");
    CHECK(f.RunAs(1, "CLIENT UNBLOCK " + id + " ERROR") == ":1\r\n");
    CHECK(f.Received(0) == "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  }
  SECTION("CLIENT UNBLOCK within somebody's transaction leaves that whole") {
    f.Wait(0, "WAITAOF 1 0 0");
    f.Sync();
    f.TakeEffects();
    f.RunAs(1, "MULTI");
    f.RunAs(1, "SET x 1");
    f.RunAs(1, "CLIENT UNBLOCK " + id);
    f.RunAs(1, "SET y 1");
    CHECK(f.RunAs(1, "EXEC") == "*3\r\n+OK\r\n:1\r\n+OK\r\n");
    CHECK(f.Received(0) == Reached(1));
    CHECK(f.TakeEffects() == std::vector<std::string>{"MULTI", "SET x 1", "SET y 1", "EXEC"});
  }
  CHECK_FALSE(f.IsWaiting(0));
}

TEST_CASE("Within a transaction WAIT and WAITAOF answer at once", "[wait]") {
  WaitFixture f;
  f.Run("MULTI");
  f.Run("WAITAOF 1 0 0");
  f.Run("SET a 1");
  f.Run("WAITAOF 1 1 0");
  f.Run("WAIT 1 0");
  // What the transaction itself has written is not on its way yet.
  CHECK(f.Run("EXEC") == "*4\r\n" + Reached(1) + "+OK\r\n" + Reached(0) + ":0\r\n");
  f.Run("MULTI");
  f.Run("WAITAOF 1 0 0");
  CHECK(f.Run("EXEC") == "*1\r\n" + Reached(0));
}

TEST_CASE("What is not wanted is not waited for, but told", "[wait]") {
  WaitFixture f;
  f.Run("SET a 1");
  CHECK(f.Run("WAITAOF 0 0 0") == Reached(0));
  f.Sync();
  CHECK(f.Run("WAITAOF 0 0 0") == Reached(1));
  CHECK(f.Run("WAIT 0 0") == ":0\r\n");
  CHECK(f.Run("WAIT -1 0") == ":0\r\n");
  f.disk.is_logging = false;
  CHECK(f.Run("WAITAOF 0 0 0") == Reached(0));
}

TEST_CASE("A log that is turned off ends the waiting for it", "[wait]") {
  WaitFixture f;
  constexpr const char* kError =
      "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n";
  for (size_t client = 0; client < 4; ++client) f.RunAs(client, "SET a 1");
  f.Wait(0, "WAITAOF 1 0 0");
  f.Wait(1, "WAITAOF 1 1 1000");
  f.Wait(2, "WAITAOF 0 1 1000");
  f.Wait(3, "WAIT 1 0");
  f.disk.is_logging = false;
  f.dispatcher.OnLogTurnedOff();
  CHECK(f.Received(0) == kError);
  CHECK(f.Received(1) == kError);
  CHECK(f.IsWaiting(2));
  CHECK(f.IsWaiting(3));
  CHECK(f.RunAs(4, "WAITAOF 1 0 0") == kError);
}

TEST_CASE("A log that is not complete yet promises nothing", "[wait]") {
  WaitFixture f;
  f.disk.is_complete = false;
  f.Wait(0, "WAITAOF 1 0 0");
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
  CHECK(f.IsWaiting(0));
  f.disk.is_complete = true;
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
  CHECK(f.Received(0) == Reached(1));
}

TEST_CASE("A client that leaves is not waited for", "[wait]") {
  WaitFixture f;
  f.Run("SET a 1");
  f.Wait(0, "WAITAOF 1 0 1000");
  f.Disconnect(0);
  CHECK_FALSE(f.engine.blocked.AwaitsLog());
  f.Sync();
  CHECK_FALSE(f.dispatcher.ServeLogWaiters(9));
}

TEST_CASE("WAIT and WAITAOF refuse what they do not understand", "[wait]") {
  WaitFixture f;
  CHECK(f.Run("WAIT x x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("WAIT 0 x") == "-ERR timeout is not an integer or out of range\r\n");
  CHECK(f.Run("WAIT 0 -1") == "-ERR timeout is negative\r\n");
  CHECK(f.Run("WAIT 0") == "-ERR wrong number of arguments for 'wait' command\r\n");
  CHECK(f.Run("WAITAOF 2 0 0") == "-ERR value is out of range, value must between 0 and 1\r\n");
  CHECK(f.Run("WAITAOF -1 0 0") == "-ERR value is out of range, value must between 0 and 1\r\n");
  CHECK(f.Run("WAITAOF x 0 0") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("WAITAOF 0 -1 0") == "-ERR value is out of range, must be positive\r\n");
  CHECK(f.Run("WAITAOF 0 0 -1") == "-ERR timeout is negative\r\n");
}

}  // namespace pinyon
