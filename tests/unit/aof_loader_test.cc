#include "persist/aof_loader.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "fixture_executor.h"
#include "persist_fixture.h"

namespace pinyon {
namespace {

const std::string kBaseName = "appendonlydir/appendonly.aof.1.base.aof";
const std::string kFirst = "appendonlydir/appendonly.aof.1.incr.aof";
const std::string kSecond = "appendonlydir/appendonly.aof.2.incr.aof";

struct LoaderFixture {
  LoaderFixture() {
    manifest = "file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n";
    folder.Put(kBaseName, EncodeArgs({"SELECT", "0"}) + EncodeArgs({"SET", "a", "1"}));
    folder.Put(kFirst, whole);
  }
  void AddSecond(std::string_view bytes) {
    manifest += "file appendonly.aof.2.incr.aof seq 2 type i\n";
    folder.Put(kSecond, bytes);
  }
  AofLoader::Result Load(bool load_truncated = true) {
    folder.Put("appendonlydir/appendonly.aof.manifest", manifest);
    AofDirectory directory(fs, {folder.path(), "appendonlydir", "appendonly.aof"});
    std::string error;
    REQUIRE((directory.Find(&error) == AofDirectory::Found::kManifest));
    last_done = 0;
    AofLoader loader(fs, executor,
                     {.load_rdb =
                          [&](const std::string& path, uint64_t* end, std::string* why) {
                            rdb_path = path;
                            *end = rdb_bytes;
                            *why = rdb_error;
                            return rdb_error.empty();
                          },
                      .progress =
                          [&](uint64_t done, uint64_t total) {
                            CHECK(done <= total);
                            CHECK(done >= last_done);
                            last_done = done;
                          },
                      .log = [&](bool, const std::string& text) { lines.push_back(text); }});
    return loader.Load(directory, load_truncated);
  }

  const std::string whole = EncodeArgs({"SELECT", "0"}) + EncodeArgs({"SET", "b", "2"});
  TestFolder folder;
  FaultyFileSystem fs;
  CommandFixture server;
  FixtureExecutor executor{server};
  std::string manifest;
  std::string rdb_path, rdb_error;
  uint64_t rdb_bytes = 0, last_done = 0;
  std::vector<std::string> lines;
};

TEST_CASE_METHOD(LoaderFixture, "a log is loaded in order, each file from database 0 on") {
  folder.Put(kFirst, EncodeArgs({"SELECT", "3"}) + EncodeArgs({"SET", "b", "2"}));
  AddSecond(EncodeArgs({"APPEND", "a", "x"}));
  const AofLoader::Result result = Load();
  CHECK(result.error.empty());
  REQUIRE(result.ok);
  CHECK(result.bytes ==
        folder.Get(kBaseName).size() + folder.Get(kFirst).size() + folder.Get(kSecond).size());
  CHECK(result.base_bytes == folder.Get(kBaseName).size());
  CHECK(result.units == 5);
  CHECK(last_done == result.bytes);
  server.session().database = 0;
  CHECK(server.Run("GET a") == "$2\r\n1x\r\n");
  CHECK(server.Run("DBSIZE") == ":1\r\n");
  server.session().database = 3;
  CHECK(server.Run("GET b") == "$1\r\n2\r\n");
}

TEST_CASE_METHOD(LoaderFixture, "a torn tail of the last file is cut off") {
  const std::string torn =
      GENERATE(EncodeArgs({"SET", "c", "123"}).substr(0, 20), std::string("*"),
               EncodeArgs({"MULTI"}) + EncodeArgs({"SET", "m", "1"}),
               EncodeArgs({"MULTI"}) + EncodeArgs({"SET", "m", "1"}) + "*3\r\n$3", std::string("#TS:12"));
  folder.Put(kFirst, whole + torn);
  SECTION("when that is allowed") {
    const AofLoader::Result result = Load();
    CHECK(result.error.empty());
    REQUIRE(result.ok);
    CHECK(result.cut_bytes == torn.size());
    CHECK(result.bytes == folder.Get(kBaseName).size() + whole.size());
    CHECK(folder.Get(kFirst) == whole);
    CHECK(server.Run("DBSIZE") == ":2\r\n");
    CHECK(std::count(lines.begin(), lines.end(),
                     "!!! Truncating the AOF appendonly.aof.1.incr.aof at offset " +
                         std::to_string(whole.size()) + " !!!") == 1);
  }
  SECTION("and not when it is not") {
    const AofLoader::Result result = Load(false);
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.error,
               Catch::StartsWith(folder.At(kFirst) + " at offset " +
                                 std::to_string(whole.size() + torn.size()) + ": the file ends "));
    CHECK_THAT(result.error, Catch::Contains("whole up to offset " + std::to_string(whole.size())));
    CHECK(folder.Get(kFirst) == whole + torn);
  }
  SECTION("nor of a file that is not the last") {
    AddSecond("");
    const AofLoader::Result result = Load();
    CHECK_FALSE(result.ok);
    CHECK_THAT(result.error, Catch::EndsWith("it is not the last file of the log"));
    CHECK(folder.Get(kFirst) == whole + torn);
  }
}

TEST_CASE_METHOD(LoaderFixture, "a tail that cannot be cut stops the load") {
  folder.Put(kFirst, whole + "*1");
  fs.truncate_error = EIO;
  CHECK(Load().error == "truncate " + folder.At(kFirst) + ": Input/output error");
}

TEST_CASE_METHOD(LoaderFixture, "anything else wrong stops the load with file, offset and reason") {
  const auto error_of = [&](const std::string& tail) {
    folder.Put(kFirst, whole + tail);
    const AofLoader::Result result = Load();
    CHECK_FALSE(result.ok);
    CHECK(folder.Get(kFirst) == whole + tail);
    const std::string prefix = folder.At(kFirst) + " at offset ";
    REQUIRE(result.error.starts_with(prefix));
    return result.error.substr(prefix.size());
  };
  const std::string size = std::to_string(whole.size());
  CHECK(error_of("garbage\r\n") == size + ": expected '*', found \"g\"");
  CHECK(error_of(EncodeArgs({"NOSUCH", "x"})) == size + ": unknown command \"NOSUCH\"");
  CHECK(error_of(EncodeArgs({std::string(500, 'N')})) ==
        size + ": unknown command \"" + std::string(64, 'N') + "\"");
  CHECK(error_of(EncodeArgs({"LPUSH", "b", "x"})) ==
        size +
            ": command \"LPUSH\" failed: WRONGTYPE Operation against a key holding the wrong kind of value");
  CHECK(error_of(EncodeArgs({"GET"})) ==
        size + ": command \"GET\" failed: ERR wrong number of arguments for 'get' command");
  CHECK(error_of(EncodeArgs({"SELECT", "16"})) == size + ": SELECT \"16\": the server has 16 databases");
  CHECK(error_of(EncodeArgs({"SELECT", "x"})) == size + ": SELECT \"x\": the server has 16 databases");
  // Within a transaction the offset is that of the command.
  const std::string multi = EncodeArgs({"MULTI"}), set = EncodeArgs({"SET", "m", "1"});
  CHECK(error_of(multi + set + EncodeArgs({"NOSUCH"}) + EncodeArgs({"EXEC"})) ==
        std::to_string(whole.size() + multi.size() + set.size()) + ": unknown command \"NOSUCH\"");
}

TEST_CASE_METHOD(LoaderFixture, "a transaction is one unit") {
  folder.Put(kFirst, EncodeArgs({"MULTI"}) + EncodeArgs({"SELECT", "2"}) + EncodeArgs({"SET", "m", "1"}) +
                         EncodeArgs({"INCR", "m"}) + EncodeArgs({"EXEC"}) + EncodeArgs({"INCR", "m"}));
  REQUIRE(Load().ok);
  CHECK(executor.units == 4);
  CHECK(executor.commands == 4);
  server.session().database = 2;
  CHECK(server.Run("GET m") == "$1\r\n3\r\n");
}

TEST_CASE_METHOD(LoaderFixture, "an RDB file, alone or in front of commands, is for its reader") {
  const std::string rdb = "REDIS0011...";
  rdb_bytes = rdb.size();
  folder.Put(kBaseName, rdb + EncodeArgs({"SET", "a", "1"}));
  SECTION("in front") {
    REQUIRE(Load().ok);
    CHECK(server.Run("DBSIZE") == ":2\r\n");
  }
  SECTION("alone") {
    folder.Put(kBaseName, rdb);
    REQUIRE(Load().ok);
    CHECK(server.Run("DBSIZE") == ":1\r\n");
  }
  SECTION("damaged") {
    rdb_error = "offset 5: nonsense";
    const AofLoader::Result result = Load();
    CHECK_FALSE(result.ok);
    CHECK(result.error == folder.At(kBaseName) + ": offset 5: nonsense");
  }
  CHECK(rdb_path == folder.At(kBaseName));
}

TEST_CASE_METHOD(LoaderFixture, "empty files are nothing wrong") {
  folder.Put(kBaseName, "");
  folder.Put(kFirst, "");
  const AofLoader::Result result = Load();
  CHECK(result.ok);
  CHECK(result.bytes == 0);
}

}  // namespace
}  // namespace pinyon
