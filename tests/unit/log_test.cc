#include "base/log.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace pinyon {
namespace {

using testing::TemporaryFolder;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> LogLines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("a line has Redis's format") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  log.Notice("Ready to accept connections on port {}", 6379);
  const std::string text = Contents(folder.At("log"));
  CHECK_THAT(text, Catch::Matches(R"(\d+:M \d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d\.\d{3} \* )"
                                  "Ready to accept connections on port 6379\n"));
  CHECK_THAT(text, Catch::StartsWith(std::to_string(getpid()) + ":M "));
}

TEST_CASE("the time is local") {
  const char* const old_zone = std::getenv("TZ");
  const std::string saved = old_zone == nullptr ? "" : old_zone;
  // Half an hour off, without daylight saving; the sign is POSIX's.
  for (const char* const zone : {"UTC", "TEST-05:30", "TEST11"}) {
    CAPTURE(zone);
    setenv("TZ", zone, 1);
    const TemporaryFolder folder;
    Log log(folder.At("log"));
    const auto expected = [] {
      const std::time_t now = std::time(nullptr);
      std::tm local{};
      localtime_r(&now, &local);
      char text[32];
      std::strftime(text, sizeof(text), "%d %b %Y %H:%M:%S", &local);
      return std::string(text);
    };
    const std::string before = expected();
    log.Notice("x");
    const std::string after = expected();
    const std::string line = Contents(folder.At("log"));
    const bool found =
        line.find(":M " + before + ".") != line.npos || line.find(":M " + after + ".") != line.npos;
    CAPTURE(line, before, after);
    CHECK(found);
  }
  if (old_zone == nullptr) {
    unsetenv("TZ");
  } else {
    setenv("TZ", saved.c_str(), 1);
  }
  tzset();
}

TEST_CASE("levels filter and mark") {
  const TemporaryFolder folder;
  Log log(folder.At("log"), LogLevel::kDebug);
  log.Debug("a");
  log.Verbose("b");
  log.Notice("c");
  log.Warning("d");
  const auto lines = LogLines(folder.At("log"));
  REQUIRE(lines.size() == 4);
  CHECK_THAT(lines[0], Catch::EndsWith(" . a"));
  CHECK_THAT(lines[1], Catch::EndsWith(" - b"));
  CHECK_THAT(lines[2], Catch::EndsWith(" * c"));
  CHECK_THAT(lines[3], Catch::EndsWith(" # d"));

  log.SetLevel(LogLevel::kWarning);
  CHECK_FALSE(log.Enabled(LogLevel::kNotice));
  log.Notice("no");
  log.Raw(LogLevel::kNotice, "no");
  log.SetLevel(LogLevel::kNothing);
  CHECK_FALSE(log.Enabled(LogLevel::kNothing));
  log.Warning("no");
  CHECK(LogLines(folder.At("log")).size() == 4);
}

TEST_CASE("the role is a letter") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  for (const LogRole role : {LogRole::kMaster, LogRole::kReplica, LogRole::kChild, LogRole::kSentinel}) {
    log.SetRole(role);
    log.Notice("x");
  }
  std::string letters;
  for (const std::string& line : LogLines(folder.At("log"))) letters += line.at(line.find(':') + 1);
  CHECK(letters == "MSCX");
}

TEST_CASE("raw text is written as it is") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  log.Raw(LogLevel::kNotice, "  {} banner\n\n");
  CHECK(Contents(folder.At("log")) == "  {} banner\n\n");
}

TEST_CASE("a long message is written whole") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  log.Notice("{}", std::string(100000, 'x'));
  CHECK_THAT(Contents(folder.At("log")), Catch::EndsWith(std::string(100000, 'x') + "\n"));
}

TEST_CASE("a rotated log is made anew") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  log.Notice("before");
  std::filesystem::rename(folder.At("log"), folder.At("log.1"));
  log.Notice("after");
  CHECK_THAT(Contents(folder.At("log.1")), Catch::EndsWith("before\n"));
  CHECK_THAT(Contents(folder.At("log")), Catch::EndsWith("after\n"));
}

TEST_CASE("CanOpen tells whether the file can be written") {
  const TemporaryFolder folder;
  CHECK(Log().CanOpen());
  CHECK(Log(folder.At("log")).CanOpen());
  CHECK(std::filesystem::exists(folder.At("log")));
  const Log missing(folder.At("missing/log"));
  CHECK_FALSE(missing.CanOpen());
  CHECK(errno == ENOENT);
}

TEST_CASE("a full disk costs the line, nothing else") {
  Log log("/dev/full");
  errno = EDOM;
  log.Warning("lost");
  CHECK(errno == EDOM);
}

TEST_CASE("lines of threads do not interleave") {
  const TemporaryFolder folder;
  Log log(folder.At("log"));
  constexpr int kLines = 200;
  const auto write = [&](char c) {
    for (int i = 0; i < kLines; ++i) log.Notice("{}", std::string(300, c));
  };
  std::thread other(write, 'a');
  write('b');
  other.join();
  const auto lines = LogLines(folder.At("log"));
  REQUIRE(lines.size() == 2 * kLines);
  for (const std::string& line : lines) {
    const std::string message = line.substr(line.size() - 301);
    if (message != " " + std::string(300, line.back())) FAIL(line);
  }
}

}  // namespace
}  // namespace pinyon
