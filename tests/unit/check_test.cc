// What pinyon-check decides, apart from the program: command lines, where a log is cut, what lies at a path.
#include <catch2/catch.hpp>
#include <cerrno>

#include "check/check_options.h"
#include "check/cut.h"
#include "check/locate.h"
#include "check/log_check.h"
#include "check/repeated_keys.h"
#include "persist_fixture.h"

namespace pinyon {
namespace {

using Action = CheckOptions::Action;
using State = LogReport::State;

const std::string kSet = EncodeArgs({"SET", "a", "1"});
const std::string kMulti = EncodeArgs({"MULTI"});
const std::string kExec = EncodeArgs({"EXEC"});

LogReport CheckBytes(const TestFolder& folder, std::string_view bytes, std::optional<int64_t> until_s = {}) {
  folder.Put("log", bytes);
  return CheckLog(FileSystem::Real(), folder.At("log"), {.until_s = until_s});
}

TEST_CASE("pinyon-check: command lines") {
  const CheckOptions plain = ParseCheckOptions({"dump.rdb"});
  CHECK((plain.action == Action::kCheck));
  CHECK(plain.path == "dump.rdb");
  CHECK_FALSE(plain.cut.fix);
  const CheckOptions fix = ParseCheckOptions({"dir", "--fix", "-y", "-q"});
  CHECK((fix.action == Action::kCheck));
  CHECK((fix.cut.fix && fix.yes && fix.quiet));
  const CheckOptions until = ParseCheckOptions({"--truncate-to-timestamp", "-5", "--", "--fix"});
  CHECK((until.action == Action::kCheck));
  CHECK(until.cut.until_s == -5);
  CHECK(until.path == "--fix");
  CHECK((ParseCheckOptions({"--help", "x", "y"}).action == Action::kPrint));
  CHECK((ParseCheckOptions({"-v"}).action == Action::kPrint));
  CHECK((ParseCheckOptions({""}).action == Action::kRefuse));
  CHECK(ParseTimestamp("007") == 7);
  for (const char* text : {"", " 1", "1 ", "+1", "1e3", "9223372036854775808"}) {
    CHECK_FALSE(ParseTimestamp(text));
  }
}

TEST_CASE("pinyon-check: what a log's file is found to be") {
  const TestFolder folder;
  const LogReport whole = CheckBytes(folder, "#TS:5\r\n" + kSet + kMulti + kSet + kSet + kExec + "#TS:9\r\n");
  CHECK((whole.state == State::kWhole));
  CHECK(whole.commands == 3);
  CHECK(whole.units == 2);
  CHECK(whole.first_timestamp_s == 5);
  CHECK(whole.last_timestamp_s == 9);
  CHECK(whole.whole_end == whole.file_bytes);

  const LogReport torn = CheckBytes(folder, kSet + kMulti + kSet);
  CHECK((torn.state == State::kTorn));
  CHECK(torn.whole_end == kSet.size());
  const LogReport zeros = CheckBytes(folder, kSet + "*12\r" + std::string(70'000, '\0'));
  CHECK((zeros.state == State::kTorn));
  CHECK(zeros.whole_end == kSet.size());
  CHECK((CheckBytes(folder, kSet + std::string(70'000, '\0') + "x").state == State::kDamaged));
  CHECK((CheckBytes(folder, kSet + "*1\r\nx" + std::string(10, '\0')).state == State::kDamaged));

  CHECK((CheckBytes(folder, "REDIS0010").state == State::kBadRdb));
  CHECK((CheckBytes(folder, "REDIS0010\xff" + std::string(8, '\0') + kSet).state == State::kWhole));
  CHECK((CheckLog(FileSystem::Real(), folder.At("nosuch"), {}).state == State::kUnreadable));

  const std::string timed = kSet + "#TS:5\r\n" + kSet + kMulti + kSet + "#TS:9\r\n" + kSet + kExec + "torn?";
  CHECK((CheckBytes(folder, timed, 9).state == State::kDamaged));
  const LogReport later = CheckBytes(folder, timed, 8);
  CHECK((later.state == State::kLater));
  CHECK(later.whole_end == 2 * kSet.size() + 7);
  CHECK(CheckBytes(folder, timed, 4).whole_end == kSet.size());
  CHECK((CheckBytes(folder, "#TS:x\r\n").state == State::kWhole));
  CHECK((CheckBytes(folder, "#TS:x\r\n", 1).state == State::kDamaged));
}

TEST_CASE("pinyon-check: what is cut") {
  const auto decide = [](State state, uint64_t whole_end, bool is_last, const CutRequest& request) {
    LogReport report;
    report.state = state;
    report.whole_end = whole_end;
    return DecideCut(report, is_last, request);
  };
  const CutRequest none, fix{.fix = true}, until{.until_s = 7};
  CHECK((decide(State::kWhole, 5, true, none) == CutStep::kGood));
  CHECK((decide(State::kWhole, 5, false, fix) == CutStep::kGood));
  CHECK((decide(State::kWhole, 5, true, until) == CutStep::kNothingLater));
  CHECK((decide(State::kTorn, 5, true, none) == CutStep::kFault));
  CHECK((decide(State::kTorn, 5, true, until) == CutStep::kFault));
  CHECK((decide(State::kTorn, 0, true, fix) == CutStep::kCutTorn));
  CHECK((decide(State::kTorn, 5, false, fix) == CutStep::kNotLast));
  CHECK((decide(State::kLater, 5, true, until) == CutStep::kCutLater));
  CHECK((decide(State::kLater, 5, false, until) == CutStep::kNotLast));
  CHECK((decide(State::kLater, 0, false, until) == CutStep::kNothingEarlier));
  for (const State state : {State::kDamaged, State::kBadRdb, State::kUnreadable}) {
    CHECK((decide(state, 5, true, none) == CutStep::kFault));
    CHECK((decide(state, 5, true, fix) == CutStep::kFaultKept));
    CHECK((decide(state, 5, true, until) == CutStep::kFault));
  }
}

TEST_CASE("pinyon-check: cutting") {
  const TestFolder folder;
  FaultyFileSystem fs;
  const LogReport report = CheckBytes(folder, kSet + "*3");
  fs.truncate_error = EIO;
  CHECK(CutLog(fs, folder.At("log"), report) == "truncate " + folder.At("log") + ": Input/output error");
  fs.truncate_error = 0;
  // A server that is still there has written on.
  folder.Put("log", kSet + kSet);
  CHECK(CutLog(fs, folder.At("log"), report).find("stop the server") != std::string::npos);
  CHECK(folder.Get("log") == kSet + kSet);
  folder.Put("log", kSet + "*3");
  CHECK(CutLog(fs, folder.At("log"), report) == "");
  CHECK(folder.Get("log") == kSet);
  CHECK(fs.syncs == 1);
}

TEST_CASE("pinyon-check: what lies at a path") {
  const TestFolder folder;
  const auto kind = [&](std::string_view name, std::string_view bytes) {
    folder.Put(name, bytes);
    PathKind found = PathKind::kUnknown;
    CHECK(RecognisePath(FileSystem::Real(), folder.At(name), &found) == "");
    return found;
  };
  CHECK((kind("a", "REDIS0010") == PathKind::kRdb));
  CHECK((kind("b.rdb", "") == PathKind::kRdb));
  CHECK((kind("b.rdb", kSet) == PathKind::kLog));
  CHECK((kind("c", kSet) == PathKind::kLog));
  CHECK((kind("c", "#TS:5\r\n") == PathKind::kLog));
  CHECK((kind("c", "") == PathKind::kLog));
  CHECK((kind("c.aof", "what?") == PathKind::kLog));
  CHECK((kind("c", "# comment\nfile x seq 1 type b\n") == PathKind::kManifest));
  CHECK((kind("c.manifest", "") == PathKind::kManifest));
  CHECK((kind("c", "what?") == PathKind::kUnknown));
  PathKind found;
  CHECK(RecognisePath(FileSystem::Real(), folder.path(), &found) == "");
  CHECK((found == PathKind::kFolder));
  CHECK(RecognisePath(FileSystem::Real(), "/dev/null", &found) != "");
  CHECK(RecognisePath(FileSystem::Real(), folder.At("nosuch"), &found) != "");
}

TEST_CASE("pinyon-check: the files of a log, and of a folder") {
  const TestFolder folder;
  folder.Put("logs/x.aof.manifest", "file x.aof seq 1 type b\nfile old seq 1 type h\n");
  folder.Put("x.aof", kSet);
  folder.Put("dump.rdb", "REDIS");
  folder.Put("notes.txt", "hello");
  folder.Put("temp-5.rdb", "REDIS");
  folder.Put("other/y.1.incr.aof", kSet);
  folder.Put("other/empty.1.incr.aof", "");
  const auto files = [&] {
    AofManifest manifest;
    std::vector<LogPart> parts;
    CHECK(ReadManifest(FileSystem::Real(), folder.At("logs/x.aof.manifest"), &manifest, &parts) == "");
    std::vector<std::string> paths;
    for (const LogPart& part : parts) paths.push_back(part.path);
    return paths;
  };
  // A server was about to move the file.
  CHECK(files() == std::vector<std::string>{folder.At("logs/../x.aof")});
  folder.Put("logs/x.aof", kSet);
  CHECK(files() == std::vector<std::string>{folder.At("logs/x.aof")});

  FolderContents contents;
  CHECK(ScanFolder(folder.path(), &contents) == "");
  CHECK(contents.manifests == std::vector<std::string>{folder.At("logs/x.aof.manifest")});
  CHECK(contents.single_logs == std::vector<std::string>{folder.At("x.aof")});
  CHECK(contents.snapshots == std::vector<std::string>{folder.At("dump.rdb")});
  CHECK(contents.orphans == std::vector<std::string>{folder.At("other/y.1.incr.aof")});
  CHECK(contents.temporary == std::vector<std::string>{folder.At("temp-5.rdb")});
  FolderContents logs;
  CHECK(ScanFolder(folder.At("logs"), &logs) == "");
  CHECK(logs.manifests.size() == 1);
  CHECK(logs.single_logs.empty());
  FolderContents other;
  CHECK(ScanFolder(folder.At("other"), &other) == "");
  CHECK(other.orphans.size() == 1);
  CHECK(ScanFolder(folder.At("nosuch"), &other) != "");
}

TEST_CASE("pinyon-check: keys that are there twice are found by their hashes") {
  KeyHashes hashes({1, 2});
  for (int i = 0; i < 100'000; ++i) hashes.Add(i % 3, "key:" + std::to_string(i));
  hashes.Add(0, "key:1");
  hashes.Add(1, "");
  CHECK(hashes.TakeRepeated().empty());
  for (const int times : {1, 2, 3}) {
    for (int i = 0; i < times; ++i) hashes.Add(times, "key");
  }
  std::vector<uint64_t> expected = {hashes.HashOf(2, "key"), hashes.HashOf(3, "key")};
  std::sort(expected.begin(), expected.end());
  CHECK(hashes.TakeRepeated() == expected);
  CHECK(hashes.TakeRepeated().empty());
}

}  // namespace
}  // namespace pinyon
