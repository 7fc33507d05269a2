// What a server does when its disk fails, and that nothing acknowledged is lost by it.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "integration/faulty_disk.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

template <typename Condition>
bool Soon(Condition condition) {
  return Eventually(condition, 15s);
}

bool Refuses(RawClient& client) { return TextOf(client.Call({"SET", "probe", "1"})).starts_with("MISCONF"); }

bool Accepts(RawClient& client) { return TextOf(client.Call({"SET", "probe", "1"})) == "OK"; }

// Whether the connection ends before a reply comes.
bool GetsNoReply(RawClient& client, const Strings& command) {
  try {
    client.Call(command);
    return false;
  } catch (const ClientError&) {
    return true;
  }
}

size_t FilesLike(const std::filesystem::path& folder, const std::string& beginning) {
  size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    count += file.path().filename().string().starts_with(beginning) ? 1 : 0;
  }
  return count;
}

// Data at least up to a number, counted up in one key, are there after a start without faults.
void CheckCounter(const FaultyDisk& disk, int acknowledged, const Strings& args) {
  disk.Mend();
  auto server = disk.Start(args);
  RawClient client = server->Connect();
  const int found = std::stoi(TextOf(client.Call({"GET", "counter"})));
  CHECK(found >= acknowledged);
  CHECK(found <= acknowledged + 1);
}

const Strings kAlways = {"--appendonly", "yes", "--appendfsync", "always"};
const Strings kEverysec = {"--appendonly", "yes", "--appendfsync", "everysec"};

}  // namespace

TEST_CASE("with always, a disk that fails ends the server before anything is acknowledged",
          "[persistence][pinyon]") {
  const std::string call = GENERATE("write", "sync");
  FaultyDisk disk;
  auto server = disk.Start(kAlways);
  RawClient client = server->Connect();
  for (int i = 1; i <= 20; ++i) REQUIRE(client.Call({"INCR", "counter"}).Integer() == i);
  disk.Fail(call, call == "write" ? ENOSPC : EIO);
  CHECK(TextOf(client.Call({"GET", "counter"})) == "20");
  CHECK(GetsNoReply(client, {"INCR", "counter"}));
  CHECK(server->WaitForExit(10'000) == 1);
  CHECK(server->LogText().find("Can't recover from AOF write error") != std::string::npos);
  CheckCounter(disk, 20, kAlways);
}

TEST_CASE("with always, a disk that is full ends the server, and the part of a command is cut off",
          "[persistence][pinyon]") {
  FaultyDisk disk;
  disk.Fail("room", 3'000);
  auto server = disk.Start(kAlways);
  RawClient client = server->Connect();
  int acknowledged = 0;
  try {
    for (;; ++acknowledged) client.Call({"INCR", "counter"});
  } catch (const ClientError&) {
    // The disk is full.
  }
  CHECK(acknowledged > 50);
  CHECK(server->WaitForExit(10'000) == 1);
  CheckCounter(disk, acknowledged, kAlways);
}

TEST_CASE("with everysec, writes are refused while the log cannot be written", "[persistence][pinyon]") {
  FaultyDisk disk;
  auto server = disk.Start(kEverysec);
  RawClient client = server->Connect();
  REQUIRE(client.Call({"INCR", "counter"}).Integer() == 1);
  // It is the next one whose record is to fail.
  REQUIRE(client.Call({"WAITAOF", "1", "0", "10000"}).elements.at(0).Integer() == 1);
  // With a part of a command written, too.
  disk.Fail(GENERATE("write", "room"), ENOSPC);
  client.Call({"INCR", "counter"});
  REQUIRE(Soon([&] { return Refuses(client); }));
  CHECK(TextOf(client.Call({"GET", "counter"})) == "2");
  CHECK(InfoField(client, "persistence", "aof_last_write_status") == "err");
  disk.Mend();
  REQUIRE(Soon([&] { return Accepts(client); }));
  CHECK(InfoField(client, "persistence", "aof_last_write_status") == "ok");
  REQUIRE(client.Call({"INCR", "counter"}).Integer() == 3);
  const std::string digest = Digest(*server);
  REQUIRE(server->Stop() == 0);
  CHECK(Digest(*disk.Start(kEverysec)) == digest);
}

TEST_CASE("a sync that failed is not trusted again before a rewrite", "[persistence][pinyon]") {
  FaultyDisk disk;
  Strings args = kEverysec;
  args.insert(args.end(), {"--auto-aof-rewrite-percentage", "0"});
  auto server = disk.Start(args);
  RawClient client = server->Connect();
  disk.Fail("sync", EIO);
  client.Call({"INCR", "counter"});
  REQUIRE(Soon([&] { return Refuses(client); }));
  // The rewrite that is to make up for it starts by itself; here it has to fail, since it syncs, too.
  CHECK(Refuses(client));
  disk.Mend();
  // By hand: by itself it waits for longer after each failure.
  REQUIRE(Soon([&] { return !client.Call({"BGREWRITEAOF"}).IsError(); }));
  REQUIRE(Soon([&] { return Accepts(client); }));
  const std::string digest = Digest(*server);
  server->Signal(SIGKILL);
  REQUIRE(server->WaitForExit(10'000).has_value());
  CHECK(FilesLike(disk.data / "appendonlydir", "appendonly.aof.1.base") == 1);
  // What was acknowledged after the last sync may be gone; the rewrite has all before.
  auto again = disk.Start(args);
  CHECK(TextOf(again->Connect().Call({"GET", "counter"})) == "1");
}

TEST_CASE("a snapshot that fails leaves the last one, and refuses writes where that is configured",
          "[persistence][pinyon]") {
  const std::string call = GENERATE("write", "sync", "rename", "room");
  CAPTURE(call);
  FaultyDisk disk;
  auto server = disk.Start({"--save", "3600 1"});
  RawClient client = server->Connect();
  client.Call({"SET", "a", std::string(5'000, 'x')});
  REQUIRE(TextOf(client.Call({"SAVE"})) == "OK");
  const std::string before = disk.data.Get("dump.rdb");
  disk.Fail(call, call == "room" ? 200 : EIO);
  client.Call({"CONFIG", "SET", "rdbcompression", "no"});
  client.Call({"SET", "b", std::string(50'000, 'y')});
  CHECK(client.Call({"SAVE"}).IsError());
  CHECK_FALSE(Refuses(client));  // as in Redis, only one in the background does that
  REQUIRE_FALSE(client.Call({"BGSAVE"}).IsError());
  REQUIRE(Soon([&] { return InfoField(client, "persistence", "rdb_last_bgsave_status") == "err"; }));
  CHECK(Refuses(client));
  CHECK(TextOf(client.Call({"GET", "probe"})) == "1");
  CHECK(disk.data.Get("dump.rdb") == before);
  CHECK(FilesLike(disk.data.path(), "temp-") == 0);

  SECTION("a stop is refused, unless it is forced") {
    CHECK(TextOf(client.Call({"SHUTDOWN"})).starts_with("ERR Errors trying to SHUTDOWN"));
    server->Signal(SIGTERM);
    CHECK_FALSE(server->WaitForExit(300).has_value());
    CHECK(GetsNoReply(client, {"SHUTDOWN", "FORCE"}));
    CHECK(server->WaitForExit(10'000) == 0);
    CHECK(disk.data.Get("dump.rdb") == before);
  }
  SECTION("it works again when the disk does") {
    disk.Mend();
    REQUIRE_FALSE(client.Call({"BGSAVE"}).IsError());
    REQUIRE(Soon([&] { return InfoField(client, "persistence", "rdb_last_bgsave_status") == "ok"; }));
    REQUIRE(Soon([&] { return Accepts(client); }));
    const std::string digest = Digest(*server);
    REQUIRE(server->Stop() == 0);
    CHECK(Digest(*disk.Start()) == digest);
  }
}

TEST_CASE("a rewrite that fails leaves the log as it was", "[persistence][pinyon]") {
  const std::string call = GENERATE("rename", "room");
  CAPTURE(call);
  FaultyDisk disk;
  // With always, a manifest that cannot be renamed would end the server.
  Strings args = call == "room" ? kAlways : kEverysec;
  args.insert(args.end(), {"--aof-use-rdb-preamble", "no"});
  auto server = disk.Start(args);
  RawClient client = server->Connect();
  for (int i = 0; i < 100; ++i) client.Call({"RPUSH", "list", std::to_string(i), std::string(100, 'x')});
  // The child's writes count from the fork on, and add to the server's.
  if (call == "rename") disk.Fail(call, EIO);
  if (call == "room") disk.Fail(call, 20'000);
  REQUIRE_FALSE(client.Call({"BGREWRITEAOF"}).IsError());
  REQUIRE(Soon([&] { return InfoField(client, "persistence", "aof_last_bgrewrite_status") == "err"; }));
  REQUIRE(Soon([&] { return InfoField(client, "persistence", "aof_rewrite_in_progress") == "0"; }));
  disk.Mend();
  REQUIRE(Soon([&] { return Accepts(client); }));
  CHECK(client.Call({"INCR", "counter"}).Integer() == 1);
  // (What everysec leaves for the next second is not what this is about.)
  REQUIRE(TextOf(client.Call({"CONFIG", "SET", "appendfsync", "always"})) == "OK");
  CHECK(client.Call({"INCR", "counter"}).Integer() == 2);
  const std::string digest = Digest(*server);
  server->Signal(SIGKILL);
  REQUIRE(server->WaitForExit(10'000).has_value());

  auto again = disk.Start(kAlways);
  CHECK(Digest(*again) == digest);
  RawClient other = again->Connect();
  REQUIRE_FALSE(other.Call({"BGREWRITEAOF"}).IsError());
  REQUIRE(Soon([&] { return InfoField(other, "persistence", "aof_rewrites") == "1"; }));
  CHECK(FilesLike(disk.data / "appendonlydir", "temp-") == 0);
  again->Signal(SIGKILL);
  REQUIRE(again->WaitForExit(10'000).has_value());
  CHECK(Digest(*disk.Start(kAlways)) == digest);
}

TEST_CASE("a log that cannot be turned on leaves the server without one", "[persistence][pinyon]") {
  FaultyDisk disk;
  auto server = disk.Start();
  RawClient client = server->Connect();
  client.Call({"SET", "a", "1"});
  std::ofstream(disk.data / "appendonlydir") << "no folder";
  CHECK(client.Call({"CONFIG", "SET", "appendonly", "yes"}).IsError());
  CHECK(InfoField(client, "persistence", "aof_enabled") == "0");
  CHECK(Accepts(client));
  std::filesystem::remove(disk.data / "appendonlydir");
  CHECK(TextOf(client.Call({"CONFIG", "SET", "appendonly", "yes"})) == "OK");
  REQUIRE(Soon([&] { return InfoField(client, "persistence", "aof_rewrites") == "1"; }));
  server->Signal(SIGKILL);
  REQUIRE(server->WaitForExit(10'000).has_value());
  CHECK(TextOf(disk.Start(kEverysec)->Connect().Call({"GET", "a"})) == "1");
}

}  // namespace pinyon::testing
