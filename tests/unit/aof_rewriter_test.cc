#include "persist/aof_rewriter.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "command_fixture.h"
#include "fixture_executor.h"
#include "persist/aof_loader.h"
#include "persist/log_writer.h"
#include "persist_fixture.h"
#include "support/server_process.h"

namespace pinyon {
namespace {

std::string Rewrite(const CommandFixture& server) {
  std::string text, error;
  AofRewriter rewriter([&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  REQUIRE(rewriter.Write(server.keyspace, &error));
  CHECK(rewriter.keys() == server.keyspace.TotalKeys());
  return text;
}

std::string DigestOf(CommandFixture& server) {
  server.options.enable_debug_command = EngineOptions::Permission::kYes;
  std::string reply = server.Run("DEBUG DIGEST");
  return reply.substr(1, reply.size() - 3);
}

// Every type, in its small and its large encoding, binary, empty, far-away and in several databases. What
// only Pinyon knows (fields that expire) is added by the caller.
std::vector<std::vector<std::string>> AllKinds() {
  const std::string binary("\0\r\n*1\xff", 6);
  std::vector<std::vector<std::string>> commands = {
      {"SET", "int", "-17"},
      {"SET", "text", "hello"},
      {"SET", "empty", ""},
      {"SET", binary, binary},
      {"SET", "", "a key without a name"},
      {"SET", "large", std::string(100000, 'L')},
      {"SETRANGE", "edited", "100", "x"},
      {"RPUSH", "list", "1", "two", binary},
      {"SADD", "ints", "1", "2", "-300000"},
      {"SADD", "texts", "a", "b", binary},
      {"ZADD", "zset", "1", "a", "-inf", "b", "inf", "c", "3.0000000000000004", binary},
      {"HSET", "hash", "f", "v", binary, binary, "n", "17"},
      {"SET", "expiring", "x"},
      {"PEXPIREAT", "expiring", "4000000000000"},
  };
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(i), text = "element-" + n;
    commands.push_back({"RPUSH", "list-large", text, n});
    commands.push_back({"SADD", "ints-large", n});
    commands.push_back({"SADD", "texts-large", text});
    commands.push_back({"ZADD", "zset-large", n + ".25", text});
    commands.push_back({"HSET", "hash-large", text, n});
  }
  commands.push_back({"RPUSH", "list-large", std::string(50000, 'e')});
  for (int i = 0; i < 130; ++i) commands.push_back({"RPUSH", "batches", std::to_string(i)});
  commands.push_back({"SELECT", "9"});
  commands.push_back({"SET", "other", "database"});
  commands.push_back({"PEXPIREAT", "other", "4000000000001"});
  return commands;
}

void Fill(CommandFixture& server) {
  for (const auto& command : AllKinds()) {
    const std::vector<std::string_view> args(command.begin(), command.end());
    REQUIRE(server.DoAs(0, args)[0] != '-');
  }
  server.session().database = 0;
}

TEST_CASE("a keyspace that is written as commands is the same when they are run") {
  CommandFixture server;
  Fill(server);
  CHECK(server.Run("HSET volatile a 1 b 2 c 3") == ":3\r\n");
  CHECK(server.Run("HPEXPIREAT volatile 4000000000002 FIELDS 2 a c") == "*2\r\n:1\r\n:1\r\n");
  const TestFolder folder;
  folder.Put("appendonlydir/appendonly.aof.1.base.aof", Rewrite(server));
  folder.Put("appendonlydir/appendonly.aof.manifest", "file appendonly.aof.1.base.aof seq 1 type b\n");

  AofDirectory directory(FileSystem::Real(), {folder.path(), "appendonlydir", "appendonly.aof"});
  std::string error;
  REQUIRE((directory.Find(&error) == AofDirectory::Found::kManifest));
  CommandFixture loaded;
  FixtureExecutor executor(loaded);
  const AofLoader::Result result = AofLoader(FileSystem::Real(), executor, {}).Load(directory, false);
  CHECK(result.error.empty());
  REQUIRE(result.ok);
  loaded.session().database = 0;
  CHECK(DigestOf(loaded) == DigestOf(server));
  CHECK(loaded.Run("HPEXPIRETIME volatile FIELDS 3 a b c") ==
        "*3\r\n:4000000000002\r\n:-1\r\n:4000000000002\r\n");
  CHECK(loaded.Run("PEXPIRETIME expiring") == ":4000000000000\r\n");
}

TEST_CASE("collections come in batches of 64") {
  CommandFixture server;
  for (int i = 0; i < 130; ++i) server.Run("RPUSH k " + std::to_string(i));
  const std::string text = Rewrite(server);
  CHECK_THAT(text, Catch::StartsWith(
                       "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*66\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$1\r\n0\r\n"));
  CHECK(text.find("*66\r\n", 30) != text.npos);
  CHECK_THAT(text, Catch::EndsWith("*4\r\n$5\r\nRPUSH\r\n$1\r\nk\r\n$3\r\n128\r\n$3\r\n129\r\n"));
}

TEST_CASE("an empty keyspace is nothing, and a file may begin with its time") {
  CommandFixture server;
  CHECK(Rewrite(server).empty());
  std::string text;
  AofRewriter rewriter([&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  CHECK(rewriter.WriteTimestamp(1700000000));
  CHECK(text == "#TS:1700000000\r\n");
}

TEST_CASE("fields that have expired are left out, and a hash that has no others") {
  CommandFixture server;
  server.Run("HSET some a 1 b 2");
  server.Run("HPEXPIRE some 10 FIELDS 1 a");
  server.Run("HSET all a 1");
  server.Run("HPEXPIRE all 10 FIELDS 1 a");
  server.keyspace.set_hides_expired_only(true);
  server.Advance(1000);
  std::string text, error;
  AofRewriter rewriter([&](std::string_view bytes) {
    text += bytes;
    return true;
  });
  REQUIRE(rewriter.Write(server.keyspace, &error));
  CHECK(text == EncodeArgs({"SELECT", "0"}) + EncodeArgs({"HSET", "some", "b", "2"}));
}

TEST_CASE("a sink that takes no more ends the rewrite, wherever that happens") {
  CommandFixture server;
  Fill(server);
  const size_t size = Rewrite(server).size();
  for (size_t limit = 0; limit < size; limit += size / 40) {
    size_t taken = 0;
    AofRewriter rewriter([&](std::string_view bytes) { return (taken += bytes.size()) <= limit; });
    std::string error;
    CHECK_FALSE(rewriter.Write(server.keyspace, &error));
    CHECK(error == "the file could not be written");
  }
}

// With a real redis-server, both ways.

testing::ServerProcess StartRedis(const std::string& folder) {
  return testing::ServerProcess(
      {.binary = testing::RedisBinary(),
       .args = {"--appendonly", "yes", "--dir", folder, "--aof-use-rdb-preamble", "no",
                "--enable-debug-command", "yes", "--auto-aof-rewrite-percentage", "0"}});
}

TEST_CASE("redis-server reads what is written, and the data is the same") {
  CommandFixture server;
  Fill(server);
  const TestFolder folder;
  folder.Put("appendonlydir/appendonly.aof.1.base.aof", Rewrite(server));
  folder.Put("appendonlydir/appendonly.aof.manifest", "file appendonly.aof.1.base.aof seq 1 type b\n");
  testing::ServerProcess redis = StartRedis(folder.path());
  CHECK(redis.Connect().Call({"DEBUG", "DIGEST"}).text == DigestOf(server));
}

TEST_CASE("a log that redis-server wrote is loaded, and the data is the same") {
  const TestFolder folder;
  std::string digest;
  const bool rewrite = GENERATE(false, true);
  CAPTURE(rewrite);
  {
    testing::ServerProcess redis = StartRedis(folder.path());
    testing::RawClient client = redis.Connect();
    for (const auto& command : AllKinds()) REQUIRE_FALSE(client.Call(command).IsError());
    if (rewrite) {
      REQUIRE_FALSE(client.Call({"BGREWRITEAOF"}).IsError());
      REQUIRE(Eventually(
          [&] {
            return client.Call({"INFO", "persistence"}).text.find("aof_rewrite_in_progress:0") !=
                   std::string::npos;
          },
          std::chrono::seconds(20)));
    }
    REQUIRE_FALSE(client.Call({"MULTI"}).IsError());
    client.Call({"SELECT", "4"});
    client.Call({"SET", "in", "transaction"});
    client.Call({"INCRBYFLOAT", "float", "1.5"});
    REQUIRE_FALSE(client.Call({"EXEC"}).IsError());
    client.Call({"SET", "relative", "x", "EX", "100000"});
    digest = client.Call({"DEBUG", "DIGEST"}).text;
    CHECK(redis.Stop() == 0);
  }
  // Without the base of the start, which is an RDB file, unless a rewrite made one of commands.
  AofDirectory directory(FileSystem::Real(), {folder.path(), "appendonlydir", "appendonly.aof"});
  std::string error;
  REQUIRE((directory.Find(&error) == AofDirectory::Found::kManifest));
  CommandFixture loaded;
  loaded.SetNow(WallMs());
  FixtureExecutor executor(loaded);
  const AofLoader::Result result = AofLoader(FileSystem::Real(), executor,
                                             {.load_rdb =
                                                  [&](const std::string& path, uint64_t* end, std::string*) {
                                                    *end = std::filesystem::file_size(path);
                                                    return !rewrite;  // the empty one
                                                  },
                                              .progress = {},
                                              .log = {}})
                                       .Load(directory, false);
  CHECK(result.error.empty());
  REQUIRE(result.ok);
  CHECK(DigestOf(loaded) == digest);
  loaded.session().database = 4;
  CHECK(loaded.Run("GET float") == "$3\r\n1.5\r\n");
}

TEST_CASE("redis-server goes on with a log that was rotated here") {
  const TestFolder folder;
  AofDirectory directory(FileSystem::Real(), {folder.path(), "appendonlydir", "appendonly.aof"});
  std::string error;
  REQUIRE((directory.Find(&error) == AofDirectory::Found::kNothing));
  File file;
  REQUIRE_FALSE(directory.OpenForAppend(&file));
  LogWriter::Options options;
  options.timestamps = true;
  LogWriter writer(std::move(file), options, {});
  writer.Append(EncodeArgs({"SELECT", "0"}) + EncodeArgs({"SET", "a", "1"}), 1700000000);
  int64_t seq = 0;
  std::function<FileError()> publish;
  REQUIRE_FALSE(directory.PrepareIncremental(&file, &seq, &publish));
  writer.Rotate(std::move(file), publish);
  writer.Append(EncodeArgs({"SELECT", "0"}) + EncodeArgs({"INCR", "a"}), 1700000001);
  REQUIRE_FALSE(writer.Flush());
  testing::ServerProcess redis = StartRedis(folder.path());
  CHECK(redis.Connect().Call({"GET", "a"}).text == "2");
}

}  // namespace
}  // namespace pinyon
