// What a stop does about a log that the disk does not take.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "command_fixture.h"
#include "persist_fixture.h"
#include "server/persistence.h"

namespace pinyon {

namespace {

// A server's persistence in a folder of its own, which is the working directory meanwhile.
class StopFixture {
 public:
  explicit StopFixture(PersistOptions::Fsync policy = PersistOptions::Fsync::kEverySecond)
      : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
    options_.Declare(commands.settings, {});
    options_.append_fsync = policy;
    options_.append_only = true;
    options_.save_points.clear();
    persistence.emplace(
        fs, commands.engine, commands.dispatcher, options_, log_, [] {}, [] {});
    REQUIRE(persistence->LoadAndOpen().empty());
  }
  ~StopFixture() {
    fs.HoldSyncs(false);
    persistence.reset();
    std::filesystem::current_path(before_);
  }
  // Returns whether it is safe to stop, and takes about `at_least_ms`.
  bool Stop(int flags, int64_t timeout_ms, int64_t at_least_ms) {
    const int64_t start_us = MonotonicUs();
    const bool safe = persistence->PrepareStop(flags, timeout_ms);
    const int64_t took_ms = (MonotonicUs() - start_us) / 1000;
    CHECK(took_ms >= at_least_ms);
    CHECK(took_ms < at_least_ms + 2000);
    return safe;
  }
  std::string LogText() { return folder_.Get("server.log"); }

  FaultyFileSystem fs;
  CommandFixture commands;
  std::optional<Persistence> persistence;

 private:
  std::filesystem::path before_;
  TestFolder folder_;
  Log log_{folder_.At("server.log"), LogLevel::kNotice};
  PersistOptions options_;
};

}  // namespace

TEST_CASE("A stop waits for the disk no longer than it may, and is refused then", "[persistence]") {
  StopFixture f;
  f.commands.Run("SET a 1");
  f.fs.HoldSyncs(true);
  CHECK_FALSE(f.Stop(kShutdownDefault, 100, 100));
  CHECK(f.LogText().find("Not on the disk: 0 bytes that are not written, ") != std::string::npos);
  CHECK(f.LogText().find(" 0 bytes that are not synced") == std::string::npos);
  // Saving nothing is not losing what was logged; not to wait for replicas is not either.
  CHECK_FALSE(f.Stop(kShutdownNoSave | kShutdownNow, 10, 10));
  CHECK_FALSE(f.Stop(kShutdownSave, 10, 10));
  // The server goes on, and stops when the disk is there again.
  CHECK(f.commands.Run("SET b 1") == "+OK\r\n");
  f.fs.HoldSyncs(false);
  CHECK(f.Stop(kShutdownDefault, 5000, 0));
  CHECK_FALSE(f.persistence->abandons_log());
  CHECK(f.persistence->IsSynced(f.commands.engine.effects.offset()));
}

TEST_CASE("A forced stop leaves behind what the disk does not take", "[persistence]") {
  StopFixture f(PersistOptions::Fsync::kNo);
  f.commands.Run("SET a 1");
  f.fs.HoldSyncs(true);
  CHECK(f.Stop(kShutdownForce, 50, 50));
  CHECK(f.persistence->abandons_log());
}

TEST_CASE("A disk that fails refuses the stop at once", "[persistence]") {
  StopFixture f;
  f.commands.Run("SET a 1");
  f.fs.sync_error = EIO;
  CHECK_FALSE(f.Stop(kShutdownDefault, 5000, 0));
  CHECK(f.Stop(kShutdownForce, 5000, 0));
}

TEST_CASE("What is asked for by WAITAOF is synced where the policy leaves it to the kernel",
          "[persistence]") {
  StopFixture f(PersistOptions::Fsync::kNo);
  f.commands.Run("SET a 1");
  CHECK(f.commands.Run("WAITAOF 1 0 0").empty());
  CHECK_FALSE(f.commands.dispatcher.ServeLogWaiters(1));
  f.persistence->Commit();
  CHECK(Eventually([&] { return f.persistence->IsSynced(f.commands.engine.effects.offset()); }));
  CHECK_FALSE(f.commands.dispatcher.ServeLogWaiters(1));
  CHECK(f.commands.Received(0) == "*2\r\n:1\r\n:0\r\n");
}

}  // namespace pinyon
