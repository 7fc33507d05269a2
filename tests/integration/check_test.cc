// pinyon-check, under its three names, on what Pinyon and redis-server write: whole, torn and damaged. The
// oracle for the names of Redis's tools are these tools themselves.
//
// PINYON_CHECK_SEED repeats the damage of a run, PINYON_CHECK_ROUNDS says how much of it there is.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <thread>

#include "integration/data_folder.h"
#include "support/environment.h"
#include "support/run_program.h"

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;
namespace stdfs = std::filesystem;

constexpr const char* kManifest = "appendonly.aof.manifest";

std::string Read(const stdfs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const stdfs::path& path, const std::string& bytes) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string Encode(const std::vector<std::string>& args) { return EncodeCommand(args); }
std::string Timestamp(int64_t seconds) { return "#TS:" + std::to_string(seconds) + "\r\n"; }
std::string Set(const std::string& key) { return Encode({"SET", key, "value of " + key}); }

ProgramRun Check(std::vector<std::string> args, const std::string& input = "") {
  args.insert(args.begin(), SiblingOfPinyon("pinyon-check"));
  return RunProgram(std::move(args), {.input = input});
}

// One of Redis's tools, or what Pinyon answers with under its name. Run in `folder`, so that both name files
// alike.
ProgramRun Tool(bool ours, const std::string& name, std::vector<std::string> args, const std::string& folder,
                const std::string& input = "") {
  args.insert(args.begin(), ours ? SiblingOfPinyon(name) : name);
  // Under a sanitizer, looking for leaks takes several times as long as these runs, of which there are
  // hundreds; those of Check look for them.
  const char* sanitizer = std::getenv("ASAN_OPTIONS");
  if (ours && sanitizer != nullptr)
    args.insert(args.begin(), {"env", std::string("ASAN_OPTIONS=") + sanitizer + ":detect_leaks=0"});
  return RunProgram(std::move(args), {.input = input, .folder = folder});
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Lines that tell a fault's place in the tool's own words: "0x              2f: Expected ...".
std::string WithoutReasons(const std::string& text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    if (!line.starts_with("0x ")) kept += line;
    at = end;
  }
  return kept;
}

void WaitForRewrite(RawClient& client) {
  for (int i = 0; i < 500; ++i) {
    if (InfoField(client, "persistence", "aof_rewrite_in_progress") == "0" &&
        InfoField(client, "persistence", "aof_rewrite_scheduled") == "0") {
      return;
    }
    std::this_thread::sleep_for(20ms);
  }
  throw std::runtime_error("the rewrite does not end");
}

// A snapshot and a log, both with everything in them.
void MakeData(const DataFolder& folder, const std::string& binary, const std::string& preamble) {
  auto server = folder.Start(binary, {"--appendonly", "yes", "--aof-use-rdb-preamble", preamble});
  RawClient client = server->Connect();
  FillWithEverything(client);
  client.Call({"SAVE"});
  client.Call({"BGREWRITEAOF"});
  WaitForRewrite(client);
  client.Call({"SELECT", "7"});
  for (int i = 0; i < 50; ++i) {
    client.Call({"MULTI"});
    client.Call({"INCR", "counter"});
    client.Call({"RPUSH", "list", std::to_string(i)});
    client.Call({"EXEC"});
  }
  CHECK(server->Stop() == 0);
}

std::string FirstWith(const stdfs::path& folder, const std::string& part) {
  for (const auto& entry : stdfs::directory_iterator(folder)) {
    if (Has(entry.path().filename().string(), part)) return entry.path().string();
  }
  throw std::runtime_error("no " + part + " in " + folder.string());
}

}  // namespace

TEST_CASE("pinyon-check finds good what servers write", "[check]") {
  const std::string binary = GENERATE(PinyonBinary(), RedisBinary());
  const std::string preamble = GENERATE("yes", "no");
  DataFolder folder;
  MakeData(folder, binary, preamble);
  const ProgramRun run = Check({folder.path()});
  CAPTURE(run.output);
  CHECK(run.code == 0);
  CHECK(run.errors == "");
  CHECK(Has(run.output, "dump.rdb: RDB file, "));
  CHECK(Has(run.output, "  version    10\n"));
  CHECK(Has(run.output, ": string 610, list 10, set 10, zset 10, hash 8\n"));
  CHECK(Has(run.output, "  databases  0 (324 keys), 5 (324 keys)\n"));
  CHECK(Has(run.output, "  expires    4, 0 of them past\n"));
  CHECK(Has(run.output, "  checksum   right\n"));
  CHECK(Has(run.output, "appendonly.aof.manifest: manifest of a log, 2 files"));
  CHECK(Has(run.output, "  commands   101 in 5"));
  CHECK_FALSE(Has(run.output, "fault"));
  CHECK(Check({"--quiet", folder.path()}).output == "");

  const std::string logs = (folder / "appendonlydir").string();
  CHECK(Check({logs}).code == 0);
  CHECK(Check({logs + "/" + kManifest}).code == 0);
  CHECK(Check({(folder / "dump.rdb").string()}).code == 0);
  CHECK(Check({FirstWith(logs, ".incr.aof")}).code == 0);
  CHECK(Check({FirstWith(logs, ".base.")}).code == 0);
}

TEST_CASE("under the names of Redis's tools the same lines are said of good files", "[check]") {
  DataFolder folder;
  MakeData(folder, GENERATE(PinyonBinary(), RedisBinary()), GENERATE("yes", "no"));
  const auto same = [&](const std::string& name, const std::vector<std::string>& args) {
    const ProgramRun ours = Tool(true, name, args, folder.path());
    const ProgramRun theirs = Tool(false, name, args, folder.path());
    CHECK(ours.code == 0);
    CHECK(ours.code == theirs.code);
    CHECK(ours.output == theirs.output);
  };
  same("redis-check-rdb", {"dump.rdb"});
  const std::string logs = "appendonlydir/";
  same("redis-check-aof", {logs + kManifest});
  same("redis-check-aof", {"--fix", logs + kManifest});
  same("redis-check-aof", {"--truncate-to-timestamp", "5", logs + kManifest});
  same("redis-check-aof", {"dump.rdb"});
}

TEST_CASE("torn logs are told and cut as redis-check-aof does it", "[check]") {
  const std::string text = Encode({"SELECT", "0"}) + Set("a") + Timestamp(1700000000) + Encode({"MULTI"}) +
                           Set("b") + Encode({"SET", "c", "two\r\nlines"}) + Encode({"EXEC"}) + Set("d");
  DataFolder folder;
  for (size_t size = 0; size <= text.size(); ++size) {
    // A begun annotation is whole to redis-check-aof, but then swallows what is written next.
    const size_t line = text.find('#');
    if (size > line && size < text.find('\n', line) + 1) continue;
    if (size > 40 && size + 20 < text.size() && size % 7 != 0) continue;
    CAPTURE(size);
    for (const std::vector<std::string>& args :
         std::vector<std::vector<std::string>>{{"x.aof"}, {"--fix", "x.aof"}}) {
      ProgramRun runs[2];
      std::string left[2];
      for (const bool ours : {false, true}) {
        Write(folder / "x.aof", text.substr(0, size));
        runs[ours] = Tool(ours, "redis-check-aof", args, folder.path(), "y\n");
        left[ours] = Read(folder / "x.aof");
      }
      CHECK(runs[1].code == runs[0].code);
      CHECK(WithoutReasons(runs[1].output) == WithoutReasons(runs[0].output));
      CHECK(left[1] == left[0]);
    }
  }
}

TEST_CASE("a torn log that was cut is loaded, by a server that cuts nothing", "[check]") {
  const bool by_redis_name = GENERATE(false, true);
  DataFolder folder;
  MakeData(folder, PinyonBinary(), "yes");
  const std::string manifest = (folder / "appendonlydir" / kManifest).string();
  const std::string last = FirstWith(folder / "appendonlydir", ".incr.aof");
  const std::string whole = Read(last);
  const std::string torn = whole.substr(0, whole.size() - 20);
  Write(last, torn);
  const auto run = [&](const std::string& option, const std::string& answer) {
    std::vector<std::string> args = {manifest};
    if (!option.empty()) args.insert(args.begin(), option);
    return by_redis_name ? Tool(true, "redis-check-aof", args, folder.path(), answer) : Check(args, answer);
  };
  CHECK(run("", "").code == 1);
  for (const std::string answer : {"n\n", "", "\n", " y\n", "no, y\n"}) {
    const ProgramRun refused = run("--fix", answer);
    CHECK(refused.code == 1);
    CHECK(Has(refused.output, "Continue? [y/N]: "));
    CHECK(Read(last) == torn);
  }
  const ProgramRun fixed = run("--fix", GENERATE("y\n", "Yes\n", "y"));
  CAPTURE(fixed.output);
  CHECK(fixed.code == 0);
  CHECK(Read(last) == whole.substr(0, whole.rfind("*1\r\n$5\r\nMULTI")));
  CHECK(run("", "").code == 0);
  for (const std::string& binary : {PinyonBinary(), RedisBinary()}) {
    auto server = folder.Start(binary, {"--appendonly", "yes", "--aof-load-truncated", "no"});
    RawClient client = server->Connect();
    client.Call({"SELECT", "7"});
    CHECK(TextOf(client.Call({"GET", "counter"})) == "49");
    CHECK(client.Call({"LLEN", "list"}).Integer() == 49);
  }
}

TEST_CASE("a tail that was never written is torn, too", "[check]") {
  DataFolder folder;
  const std::string path = (folder / "x.aof").string();
  for (const std::string tail : {"", "*3", "*3\r\n$3\r\nSET\r\n$", "*1\r\n$4\r\nPI"}) {
    CAPTURE(tail);
    Write(path, Set("a") + tail + std::string(100'000, '\0'));
    CHECK(Check({"--fix", "--yes", path}).code == 0);
    CHECK(Read(path) == Set("a"));
  }
  for (const std::string tail : {"x", "*3\r\n$3\r\nSETx", "*3\r\nSET"}) {
    CAPTURE(tail);
    const std::string bytes = Set("a") + tail + std::string(100, '\0');
    Write(path, bytes);
    CHECK(Check({"--fix", "--yes", path}).code == 1);
    CHECK(Read(path) == bytes);
  }
  const std::string bytes = Set("a") + std::string(100'000, '\0') + Set("b");
  Write(path, bytes);
  CHECK(Check({"--fix", "--yes", path}).code == 1);
  CHECK(Read(path) == bytes);
}

TEST_CASE("what is not torn at the end of a log is not cut", "[check]") {
  DataFolder folder;
  const std::string good = Set("a") + Set("b");
  Write(folder / kManifest, "file base seq 1 type b\nfile incr seq 1 type i\n");
  Write(folder / "base", good);
  Write(folder / "incr", good);
  const auto refuses = [&](const std::string& file, const std::string& bytes, const std::string& reason) {
    CAPTURE(file, bytes);
    Write(folder / file, bytes);
    const ProgramRun run = Check({"--fix", "--yes", (folder / kManifest).string()});
    CAPTURE(run.output);
    CHECK(run.code == 1);
    CHECK(Has(run.output, "fault: " + (folder / file).string() + " at offset "));
    CHECK(Has(run.output, reason));
    const ProgramRun as_redis = Tool(true, "redis-check-aof", {"--fix", kManifest}, folder.path(), "y\n");
    CAPTURE(as_redis.output);
    CHECK(as_redis.code == 1);
    CHECK_FALSE(Has(as_redis.output, "Continue?"));
    CHECK(Read(folder / file) == bytes);
    Write(folder / file, good);
  };
  refuses("base", good.substr(0, good.size() - 3), "not to be cut, as other files of the log follow");
  refuses("base", Set("a") + "what is this?" + Set("b"), "--fix does not cut here");
  refuses("incr", Set("a") + "what is this?" + Set("b"), "expected '*', found \"w\"");
  refuses("incr", Set("a") + Encode({"EXEC"}), "EXEC without MULTI");
  refuses("incr", "REDIS0010\xff", "not cut: an RDB file is whole or of no use");

  // A file that is not there, and a manifest that is none.
  stdfs::remove(folder / "incr");
  CHECK(Check({(folder / kManifest).string()}).code == 1);
  CHECK(Has(Tool(true, "redis-check-aof", {kManifest}, folder.path()).output,
            "Cannot open file ./incr: No such file or directory, aborting...\n"));
  for (const std::string text : {"", "file base\n", "file base seq 1 type b", "hello\n"}) {
    Write(folder / kManifest, text);
    CHECK(Check({"--fix", "--yes", (folder / kManifest).string()}).code == 1);
    const ProgramRun run = Tool(true, "redis-check-aof", {"--fix", kManifest}, folder.path(), "y\n");
    CHECK(run.code == 1);
    CHECK(Has(run.output, "*** FATAL AOF MANIFEST FILE ERROR ***"));
    CHECK(Read(folder / kManifest) == text);
  }
}

TEST_CASE("logs are cut at a timestamp as redis-check-aof does it", "[check]") {
  const auto part = [](std::vector<int64_t> times) {
    std::string text;
    for (const int64_t time : times) text += Timestamp(time) + Set("at " + std::to_string(time));
    return text;
  };
  DataFolder source;
  Write(source / "old.aof",
        part({10, 12, 15}) + Encode({"MULTI"}) + Set("x") + Encode({"EXEC"}) + part({20}));
  Write(source / "begins.aof", Set("no time") + part({10, 12}));
  Write(source / "torn.aof", part({10, 12, 15}).substr(0, 100));
  Write(source / kManifest, "file base seq 1 type b\nfile one seq 1 type i\nfile two seq 2 type i\n");
  Write(source / "base", part({5, 8}));
  Write(source / "one", part({10, 12}));
  Write(source / "two", part({15, 18, 20}));
  for (const std::string name : {"old.aof", "begins.aof", "torn.aof", kManifest}) {
    for (int64_t time = 4; time <= 21; ++time) {
      CAPTURE(name, time);
      ProgramRun runs[2];
      std::map<std::string, std::string> left[2];
      for (const bool ours : {false, true}) {
        DataFolder folder;
        stdfs::copy(source.path(), folder.path(), stdfs::copy_options::recursive);
        runs[ours] = Tool(ours, "redis-check-aof", {"--truncate-to-timestamp", std::to_string(time), name},
                          folder.path());
        for (const auto& entry : stdfs::directory_iterator(folder.path())) {
          left[ours][entry.path().filename()] = Read(entry.path());
        }
      }
      CHECK(runs[1].code == runs[0].code);
      CHECK(WithoutReasons(runs[1].output) == WithoutReasons(runs[0].output));
      CHECK(left[1] == left[0]);
      DataFolder folder;
      stdfs::copy(source.path(), folder.path(), stdfs::copy_options::recursive);
      const ProgramRun own =
          Check({"--truncate-to-timestamp", std::to_string(time), (folder / name).string()});
      CHECK(own.code == runs[0].code);
      for (const auto& [file, bytes] : left[0]) CHECK(Read(folder / file) == bytes);
    }
  }
}

TEST_CASE("a transaction is not cut at a timestamp within it", "[check]") {
  DataFolder folder;
  const std::string path = (folder / "x.aof").string();
  const std::string before = Timestamp(10) + Set("a");
  Write(path, before + Encode({"MULTI"}) + Set("b") + Timestamp(12) + Set("c") + Encode({"EXEC"}) + Set("d"));
  CHECK(Check({"--truncate-to-timestamp", "11", path}).code == 0);
  CHECK(Read(path) == before);
}

TEST_CASE("a log with timestamps of a server goes back to an earlier second", "[check]") {
  DataFolder folder;
  const std::string binary = GENERATE(PinyonBinary(), RedisBinary());
  const std::vector<std::string> log = {"--appendonly", "yes", "--aof-timestamp-enabled", "yes"};
  int64_t first_second = 0;
  {
    auto server = folder.Start(binary, log);
    RawClient client = server->Connect();
    for (int second = 0; second < 2; ++second) {
      if (second > 0) std::this_thread::sleep_for(2100ms);
      if (second == 0) first_second = std::time(nullptr);
      client.Call({"SET", "second", std::to_string(second)});
      client.Call({"INCR", "counter"});
    }
    CHECK(server->Stop() == 0);
  }
  const std::string manifest = (folder / "appendonlydir" / kManifest).string();
  const std::string wanted = std::to_string(first_second + 1);
  CHECK(Check({"--truncate-to-timestamp", wanted, manifest}).code == 0);
  auto server = folder.Start(PinyonBinary(), log);
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"GET", "second"})) == "0");
  CHECK(TextOf(client.Call({"GET", "counter"})) == "1");
}

TEST_CASE("damage anywhere is told, and nothing but a tail is ever cut", "[check]") {
  DataFolder source;
  {
    auto server = source.Start(RedisBinary(), {"--appendonly", "yes"});
    RawClient client = server->Connect();
    FillWithEverything(client);
    client.Call({"SAVE"});
    client.Call({"BGREWRITEAOF"});
    WaitForRewrite(client);
    for (int i = 0; i < 20; ++i) client.Call({"RPUSH", "list", std::to_string(i)});
  }
  const stdfs::path logs = source / "appendonlydir";
  const uint64_t seed = FromEnvironment("PINYON_CHECK_SEED", std::random_device()());
  const uint64_t rounds = FromEnvironment("PINYON_CHECK_ROUNDS", 25);
  INFO("PINYON_CHECK_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::string victims[] = {(source / "dump.rdb").string(), FirstWith(logs, ".base.rdb"),
                                 FirstWith(logs, ".incr.aof"), (logs / kManifest).string()};
  for (uint64_t round = 0; round < rounds; ++round) {
    const std::string& victim = victims[random() % std::size(victims)];
    const std::string whole = Read(victim);
    std::string damaged = whole;
    switch (random() % 3) {
      case 0: damaged.resize(random() % damaged.size()); break;
      case 1: damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8); break;
      default:
        for (size_t i = random() % damaged.size(), end = std::min(i + 16, damaged.size()); i < end; ++i) {
          damaged[i] = static_cast<char>(random());
        }
    }
    Write(victim, damaged);
    CAPTURE(round, victim);
    const ProgramRun runs[] = {Check({source.path()}), Check({victim}),
                               Tool(true, "redis-check-rdb", {victim}, source.path()),
                               Tool(true, "redis-check-aof", {(logs / kManifest).string()}, source.path())};
    for (const ProgramRun& run : runs) {
      CAPTURE(run.output, run.errors);
      CHECK((run.code == 0 || run.code == 1));
      CHECK(run.errors == "");
    }
    CHECK(Read(victim) == damaged);
    // The whole file of an RDB has a checksum: nothing goes unseen.
    if (victim.ends_with(".rdb") && damaged != whole) CHECK(runs[1].code == 1);
    Check({"--fix", "--yes", source.path()});
    const std::string left = Read(victim);
    CHECK(damaged.starts_with(left));
    if (!victim.ends_with(".incr.aof")) CHECK(left == damaged);
    Write(victim, whole);
  }
}

TEST_CASE("a key that an RDB file has twice is found", "[check]") {
  const std::string a(
      "\x00\x01"
      "a\x01"
      "1",
      5),
      b("\x00\x01"
        "b\x01"
        "1",
        5);
  const std::string head = "REDIS0010" + std::string("\xfe\x00", 2), end = "\xff" + std::string(8, '\0');
  DataFolder folder;
  const std::string path = (folder / "dump.rdb").string();
  Write(path, head + a + b + "\xfe\x01" + a + end);
  CHECK(Check({path}).code == 0);
  Write(path, head + a + b + "\xfe\x01" + a + std::string("\xfe\x00", 2) + a + end);
  const ProgramRun run = Check({path});
  CHECK(run.code == 1);
  CHECK(Has(run.output, "at offset 35: key \"a\" of database 0 is there twice"));
}

TEST_CASE("folders without data, and with what is left of some", "[check]") {
  DataFolder folder;
  CHECK(Check({folder.path()}).code == 1);
  Write(folder / "temp-17.rdb", "REDIS00");
  CHECK(Check({folder.path()}).code == 1);
  Write(folder / "appendonly.aof", Set("a"));
  const ProgramRun single = Check({folder.path()});
  CHECK(single.code == 0);
  CHECK(Has(single.output, "temp-17.rdb: left by a server that was killed"));
  Write(folder / "appendonlydir" / "appendonly.aof.1.incr.aof", Set("a"));
  const ProgramRun orphan = Check({folder.path()});
  CHECK(orphan.code == 1);
  CHECK(Has(orphan.output, "the manifest that names it is not there"));
  Write(folder / "appendonlydir" / kManifest, "file appendonly.aof.1.incr.aof seq 1 type i\n");
  CHECK(Check({folder.path()}).code == 0);
  // Names that mislead.
  Write(folder / "appendonly.aof", "what is this?");
  CHECK(Check({folder.path()}).code == 1);
  CHECK(Check({(folder / "appendonly.aof").string()}).code == 1);
  Write(folder / "empty.rdb", "");
  CHECK(Check({(folder / "empty.rdb").string()}).code == 1);
  Write(folder / "anything", "what is this?");
  CHECK(Has(Check({(folder / "anything").string()}).output, "neither an RDB file nor a log"));
}

TEST_CASE("command lines of the three names", "[check]") {
  DataFolder folder;
  Write(folder / "x.aof", Set("a"));
  const std::string path = (folder / "x.aof").string();
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{},
                                             {path, path},
                                             {"--fix"},
                                             {"--no-such", path},
                                             {"--truncate-to-timestamp", path},
                                             {"--truncate-to-timestamp", "1x", path},
                                             {"--fix", "--truncate-to-timestamp", "1", path},
                                             {"--yes", path},
                                             {"--truncate-to-timestamp", "1", folder.path()}}) {
    const ProgramRun run = Check(args);
    CHECK(run.code == 2);
    CHECK(run.errors != "");
    CHECK(run.output == "");
  }
  CHECK(Check({"--help"}).code == 0);
  CHECK(Check({"--version"}).output.starts_with("pinyon-check "));
  CHECK(Check({"--fix", "--", path}).code == 0);
  CHECK(Check({"/no/such/file"}).code == 1);
  for (const auto& [name, args] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"redis-check-aof", {}},
           {"redis-check-aof", {"--fix"}},
           {"redis-check-aof", {"--no-such", "x.aof"}},
           {"redis-check-aof", {"--fix", "no-such.aof"}},
           {"redis-check-aof", {"no-such.aof"}},
           {"redis-check-aof", {"."}},
           {"redis-check-aof", {"x.aof"}},
           {"redis-check-aof", {"--truncate-to-timestamp", "1x", "x.aof"}},
           {"redis-check-aof", {"--truncate-to-timestamp", "1", "no-such.aof"}},
           {"redis-check-aof", {"--fix", "--truncate-to-timestamp", "1", "x.aof"}},
           {"redis-check-rdb", {}},
           {"redis-check-rdb", {"x", "y"}}}) {
    CAPTURE(name, args);
    const ProgramRun ours = Tool(true, name, args, folder.path());
    const ProgramRun theirs = Tool(false, name, args, folder.path());
    CHECK(ours.code == theirs.code);
    CHECK(ours.output == theirs.output);
    CHECK(ours.errors == theirs.errors);
  }
  CHECK(Tool(true, "redis-check-rdb", {"no-such.rdb"}, folder.path()).code == 1);
  CHECK(Tool(true, "redis-check-rdb", {"--version"}, folder.path()).code == 0);
}

}  // namespace pinyon::testing
