// Snapshots and the append-only file of a started server: both ways with a real redis-server, across restarts
// and kills, and when the disk fails.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "integration/data_folder.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;

// Waits for the child that writes in the background.
bool BackgroundDone(RawClient& client) {
  return Eventually([&client] {
    return InfoField(client, "persistence", "rdb_bgsave_in_progress") == "0" &&
           InfoField(client, "persistence", "aof_rewrite_in_progress") == "0" &&
           InfoField(client, "persistence", "aof_rewrite_scheduled") == "0";
  });
}

}  // namespace

TEST_CASE("snapshots move both ways between Pinyon and redis-server", "[persistence]") {
  const std::string binaries[] = {PinyonBinary(), RedisBinary()};
  const int first = GENERATE(0, 1);
  DataFolder folder;
  std::string digest;
  {
    auto server = folder.Start(binaries[first]);
    RawClient client = server->Connect();
    FillWithEverything(client);
    digest = Digest(*server);
    REQUIRE(TextOf(client.Call({"SAVE"})) == "OK");
    CHECK(server->Stop() == 0);
  }
  auto server = folder.Start(binaries[1 - first]);
  CHECK(Digest(*server) == digest);
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"DEBUG", "RELOAD"})) == "OK");
  CHECK(Digest(*server) == digest);
  CHECK(server->Stop() == 0);
}

TEST_CASE("logs move both ways between Pinyon and redis-server", "[persistence]") {
  const std::string binaries[] = {PinyonBinary(), RedisBinary()};
  const int first = GENERATE(0, 1);
  const std::string preamble = GENERATE("yes", "no");
  const std::vector<std::string> args = {"--appendonly", "yes", "--aof-use-rdb-preamble", preamble};
  DataFolder folder;
  std::string digest;
  {
    auto server = folder.Start(binaries[first], args);
    RawClient client = server->Connect();
    FillWithEverything(client);
    client.Call({"BGREWRITEAOF"});
    REQUIRE(BackgroundDone(client));
    client.Call({"INCR", "after"});
    client.Call({"SELECT", "9"});
    client.Call({"MULTI"});
    client.Call({"RPUSH", "list", "a", "b"});
    client.Call({"INCRBYFLOAT", "float", "0.1"});
    client.Call({"EXEC"});
    client.Call({"SPOP", "list"});
    digest = Digest(*server);
    CHECK(server->Stop() == 0);
  }
  for (const int next : {1 - first, first}) {
    auto server = folder.Start(binaries[next], args);
    CHECK(Digest(*server) == digest);
    RawClient client = server->Connect();
    client.Call({"SELECT", "3"});
    client.Call({"APPEND", "visits", std::to_string(next)});
    digest = Digest(*server);
    CHECK(server->Stop() == 0);
  }
}

TEST_CASE("a save in the background, and what it changes", "[persistence]") {
  DataFolder folder;
  auto server = folder.Start(PinyonBinary());
  RawClient client = server->Connect();
  client.Call({"SET", "a", "1"});
  CHECK(InfoField(client, "persistence", "rdb_changes_since_last_save") == "1");
  CHECK(TextOf(client.Call({"BGSAVE", "now"})) == "ERR syntax error");
  CHECK(TextOf(client.Call({"CONFIG", "SET", "rdb-key-save-delay", "500000"})) == "OK");
  CHECK(TextOf(client.Call({"BGSAVE"})) == "Background saving started");
  CHECK(TextOf(client.Call({"BGSAVE"})) == "ERR Background save already in progress");
  CHECK(TextOf(client.Call({"SAVE"})) == "ERR Background save already in progress");
  CHECK(TextOf(client.Call({"BGREWRITEAOF"})) == "Background append only file rewriting scheduled");
  CHECK(InfoField(client, "persistence", "rdb_bgsave_in_progress") == "1");
  client.Call({"SET", "b", "1"});
  client.Call({"CONFIG", "SET", "rdb-key-save-delay", "0"});
  REQUIRE(BackgroundDone(client));
  CHECK(InfoField(client, "persistence", "rdb_last_bgsave_status") == "ok");
  // The change that was made meanwhile is for the next one.
  CHECK(InfoField(client, "persistence", "rdb_changes_since_last_save") == "1");
  CHECK(std::filesystem::exists(folder / "dump.rdb"));
  client.Call({"MULTI"});
  client.Call({"BGSAVE"});
  CHECK(client.Call({"EXEC"}).elements[0].text == "Background saving scheduled");
  CHECK(Eventually([&] { return InfoField(client, "persistence", "rdb_changes_since_last_save") == "0"; }));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("save points, and the save at the end", "[persistence]") {
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary(), {"--save", "1 2"});
    RawClient client = server->Connect();
    client.Call({"MSET", "a", "1", "b", "2"});
    CHECK(Eventually([&] { return InfoField(client, "persistence", "rdb_changes_since_last_save") == "0"; }));
    client.Call({"SET", "c", "3"});
    CHECK(server->Stop() == 0);
  }
  {
    auto server = folder.Start(PinyonBinary(), {"--save", "100 100"});
    RawClient client = server->Connect();
    CHECK(client.Call({"DBSIZE"}).Integer() == 3);
    client.Call({"SET", "d", "4"});
    client.SendCommand({"SHUTDOWN", "NOSAVE"});
    CHECK(server->WaitForExit(10'000) == 0);
  }
  auto server = folder.Start(PinyonBinary());
  CHECK(server->Connect().Call({"DBSIZE"}).Integer() == 3);
}

TEST_CASE("what FLUSHALL took does not come back", "[persistence][redis-ok]") {
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary(), {"--save", "1000 1000"});
    RawClient client = server->Connect();
    client.Call({"SET", "a", "1"});
    CHECK(TextOf(client.Call({"SAVE"})) == "OK");
    CHECK(TextOf(client.Call({"FLUSHALL"})) == "OK");
    server->Signal(SIGKILL);
    server->WaitForExit(10'000);
  }
  auto server = folder.Start(PinyonBinary());
  CHECK(server->Connect().Call({"DBSIZE"}).Integer() == 0);
}

TEST_CASE("a failed save refuses writes until one succeeds", "[persistence]") {
  DataFolder folder;
  auto server = folder.Start(PinyonBinary(), {"--save", "1000 1000"});
  RawClient client = server->Connect();
  client.Call({"SET", "a", "1"});
  // A folder in the place of the file cannot be replaced.
  std::filesystem::create_directory(folder / "dump.rdb");
  CHECK(TextOf(client.Call({"BGSAVE"})) == "Background saving started");
  REQUIRE(BackgroundDone(client));
  CHECK(InfoField(client, "persistence", "rdb_last_bgsave_status") == "err");
  CHECK(TextOf(client.Call({"SET", "a", "2"}))
            .starts_with("MISCONF Redis is configured to save RDB snapshots"));
  CHECK(TextOf(client.Call({"PING"})).starts_with("MISCONF"));
  CHECK(TextOf(client.Call({"GET", "a"})) == "1");
  CHECK(TextOf(client.Call({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"})) == "OK");
  CHECK(Eventually([&] { return TextOf(client.Call({"SET", "a", "2"})) == "OK"; }));
  client.Call({"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"});
  // Neither will it stop, unless forced.
  CHECK(TextOf(client.Call({"SHUTDOWN"})) == "ERR Errors trying to SHUTDOWN. Check logs.");
  std::filesystem::remove(folder / "dump.rdb");
  CHECK(TextOf(client.Call({"SAVE"})) == "OK");
  CHECK(TextOf(client.Call({"SET", "a", "3"})) == "OK");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("clients are told while data are loaded", "[persistence]") {
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary());
    server->Connect().Call({"DEBUG", "POPULATE", "1000"});
    server->Connect().Call({"SAVE"});
  }
  std::vector<std::string> args = {"--dir", folder.path(), "--key-load-delay", "5000"};
  auto server = Launch({.binary = PinyonBinary(), .args = args, .wait_until_ready = false});
  REQUIRE(Eventually([&] {
    try {
      return TextOf(server->Connect().Call({"GET", "key:1"})) ==
             "LOADING Redis is loading the dataset in memory";
    } catch (const ClientError&) {
      return false;
    }
  }));
  RawClient client = server->Connect();
  CHECK(InfoField(client, "persistence", "loading") == "1");
  CHECK(TextOf(client.Call({"CONFIG", "SET", "key-load-delay", "0"})) == "OK");
  CHECK(Eventually([&] { return Print(client.Call({"DBSIZE"})) == "(integer) 1000"; }));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("files that are damaged stop the start and stay as they are", "[persistence]") {
  DataFolder folder;
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << bytes;
  };
  const auto fails = [&](std::vector<std::string> args) {
    args.insert(args.begin(), {"--dir", folder.path()});
    auto server = Launch({.binary = PinyonBinary(), .args = args, .wait_until_ready = false});
    return server->WaitForExit(10'000) == 1;
  };
  SECTION("a snapshot") {
    write("dump.rdb", "REDIS0011\xff, and not even a checksum");
    CHECK(fails({}));
    CHECK(std::filesystem::file_size(folder / "dump.rdb") > 30);
  }
  SECTION("a log") {
    write("appendonlydir/appendonly.aof.manifest", "file appendonly.aof.1.incr.aof seq 1 type i\n");
    write("appendonlydir/appendonly.aof.1.incr.aof", "*1\r\n$4\r\nPING\r\n+what is this?\r\n");
    CHECK(fails({"--appendonly", "yes"}));
  }
  SECTION("a log with a torn tail goes on without it") {
    write("appendonlydir/appendonly.aof.manifest", "file appendonly.aof.1.incr.aof seq 1 type i\n");
    write("appendonlydir/appendonly.aof.1.incr.aof",
          "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\n12");
    CHECK(fails({"--appendonly", "yes", "--aof-load-truncated", "no"}));
    auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
    CHECK(server->Connect().Call({"DBSIZE"}).Integer() == 1);
  }
}

TEST_CASE("the log can be turned on and off while the server runs", "[persistence]") {
  DataFolder folder;
  {
    auto server = folder.Start(PinyonBinary());
    RawClient client = server->Connect();
    client.Call({"SET", "before", "1"});
    REQUIRE(TextOf(client.Call({"CONFIG", "SET", "appendonly", "yes"})) == "OK");
    client.Call({"SET", "meanwhile", "2"});
    REQUIRE(BackgroundDone(client));
    client.Call({"SET", "after", "3"});
    server->Signal(SIGKILL);
    server->WaitForExit(10'000);
  }
  auto server = folder.Start(PinyonBinary(), {"--appendonly", "yes"});
  RawClient client = server->Connect();
  CHECK(client.Call({"DBSIZE"}).Integer() >= 2);
  REQUIRE(TextOf(client.Call({"CONFIG", "SET", "appendonly", "no"})) == "OK");
  CHECK(InfoField(client, "persistence", "aof_enabled") == "0");
  CHECK(TextOf(client.Call({"SET", "unlogged", "4"})) == "OK");
  REQUIRE(TextOf(client.Call({"CONFIG", "SET", "appendonly", "yes"})) == "OK");
  REQUIRE(BackgroundDone(client));
  CHECK(TextOf(client.Call({"SET", "logged", "5"})) == "OK");
  CHECK(TextOf(client.Call({"DEBUG", "LOADAOF"})) == "OK");
  CHECK(client.Call({"EXISTS", "unlogged", "logged"}).Integer() == 2);
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
