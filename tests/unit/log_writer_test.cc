#include "persist/log_writer.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "persist_fixture.h"

namespace pinyon {
namespace {

constexpr uint64_t kUngated = ~uint64_t{0};

// A writer with short times, and what it said.
struct LogUnderTest {
  explicit LogUnderTest(FsyncPolicy policy, std::string_view contents = "")
      : LogUnderTest(WithPolicy(policy), contents) {}
  explicit LogUnderTest(LogWriter::Options options, std::string_view contents = "") {
    folder.Put("log", contents);
    writer =
        std::make_unique<LogWriter>(Open("log"), options,
                                    LogWriter::Callbacks{[this] { ++wakes; },
                                                         [this](const std::string& text) {
                                                           ++deaths;
                                                           Note("fatal: " + text);
                                                         },
                                                         [this](const std::string& text) { Note(text); }});
  }

  static LogWriter::Options WithPolicy(FsyncPolicy policy) {
    LogWriter::Options options;
    options.policy = policy;
    options.sync_interval_ms = 20;
    options.stuck_ms = 40;
    options.retry_ms = 10;
    options.linger_ms = 1;
    return options;
  }
  File Open(std::string_view name) {
    File file;
    REQUIRE_FALSE(File::OpenToAppend(fs, folder.At(name), &file));
    return file;
  }
  uint64_t Write(std::string_view unit) {
    const uint64_t offset = writer->Append(unit, 1700000000);
    writer->Commit();
    return offset;
  }
  bool Written(uint64_t offset) {
    return Eventually([&] { return writer->written_offset() >= offset; });
  }
  bool Synced(uint64_t offset) {
    return Eventually([&] { return writer->synced_offset() >= offset; });
  }
  void Note(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex);
    said.push_back(text);
  }
  std::vector<std::string> Said() {
    const std::lock_guard<std::mutex> lock(mutex);
    return said;
  }

  TestFolder folder;
  FaultyFileSystem fs;
  std::atomic<int> wakes{0}, deaths{0};
  std::mutex mutex;
  std::vector<std::string> said;
  std::unique_ptr<LogWriter> writer;
};

void Pause(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST_CASE("always: replies follow the disk, and one sync serves all that was queued") {
  LogUnderTest log(FsyncPolicy::kAlways);
  CHECK(log.writer->reply_offset() == 0);
  CHECK(log.Write("one") == 3);
  CHECK(log.Synced(3));
  CHECK(log.writer->reply_offset() == 3);
  CHECK(log.wakes >= 1);
  CHECK(log.folder.Get("log") == "one");

  log.fs.HoldSyncs(true);
  log.Write("two");
  REQUIRE(log.Written(6));
  const int syncs_before = log.fs.syncs;
  for (int i = 0; i < 100; ++i) log.Write("x");
  Pause(20);
  CHECK(log.writer->reply_offset() == 3);
  CHECK(log.writer->queued_bytes() == 100);
  log.fs.HoldSyncs(false);
  CHECK(log.Synced(106));
  CHECK(log.fs.syncs == syncs_before + 2);
  CHECK(log.folder.Get("log") == "onetwo" + std::string(100, 'x'));
}

TEST_CASE("nothing is handed over before the turn commits") {
  LogUnderTest log(FsyncPolicy::kAlways);
  log.writer->Append("one", 0);
  CHECK(log.writer->Append("two", 0) == 6);
  Pause(10);
  CHECK(log.writer->written_offset() == 0);
  CHECK(log.writer->queued_bytes() == 6);
  log.writer->Commit();
  CHECK(log.Synced(6));
}

TEST_CASE("everysec: written at once, synced once in a while, nobody waits") {
  auto options = LogUnderTest::WithPolicy(FsyncPolicy::kEverysec);
  options.sync_interval_ms = 200;
  LogUnderTest log(options);
  CHECK(log.Write("one") == 3);
  CHECK(log.writer->reply_offset() == kUngated);
  CHECK(log.Written(3));
  CHECK(log.writer->synced_offset() == 0);
  CHECK(log.Synced(3));
  Pause(50);
  CHECK(log.fs.syncs == 1);  // nothing new, no sync
}

TEST_CASE("no: written, never synced but at a flush") {
  LogUnderTest log(FsyncPolicy::kNo);
  log.Write("one");
  CHECK(log.Written(3));
  Pause(50);
  CHECK(log.fs.syncs == 0);
  CHECK_FALSE(log.writer->Flush());
  CHECK(log.fs.syncs == 1);
  CHECK(log.writer->synced_offset() == 3);
}

TEST_CASE("no: synced once for whoever asks") {
  LogUnderTest log(FsyncPolicy::kNo);
  log.Write("one");
  log.writer->AskForSync();
  CHECK(log.Synced(3));
  // Asked for before it is handed over, and then no more.
  log.writer->Append("two", 0);
  log.writer->AskForSync();
  log.writer->Commit();
  CHECK(log.Synced(6));
  const int syncs = log.fs.syncs;
  log.Write("three");
  REQUIRE(log.Written(11));
  Pause(20);
  CHECK(log.fs.syncs == syncs);
}

TEST_CASE("everysec: asking does not hurry, but is remembered when the policy becomes no") {
  auto options = LogUnderTest::WithPolicy(FsyncPolicy::kEverysec);
  options.sync_interval_ms = 10'000;
  LogUnderTest log(options);
  log.Write("one");
  log.writer->AskForSync();
  REQUIRE(log.Written(3));
  Pause(20);
  CHECK(log.fs.syncs == 0);
  log.writer->SetPolicy(FsyncPolicy::kNo);
  CHECK(log.Synced(3));
}

TEST_CASE("a flush waits no longer than it may, and can be tried again") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  log.fs.HoldSyncs(true);
  log.Write("one");
  CHECK(log.writer->Flush(20).code() == ETIMEDOUT);
  CHECK(log.writer->Flush(0).code() == ETIMEDOUT);
  CHECK(log.writer->synced_offset() == 0);
  log.writer->Append("two", 0);
  std::thread disk([&] {
    Pause(20);
    log.fs.HoldSyncs(false);
  });
  CHECK_FALSE(log.writer->Flush(5000));
  CHECK(log.writer->synced_offset() == 6);
  disk.join();
}

TEST_CASE("policies are switched at any time") {
  LogUnderTest log(FsyncPolicy::kNo);
  log.Write("one");
  REQUIRE(log.Written(3));
  log.writer->SetPolicy(FsyncPolicy::kAlways);
  CHECK(log.writer->reply_offset() < kUngated);
  CHECK(log.Synced(3));
  log.writer->SetPolicy(FsyncPolicy::kEverysec);
  CHECK(log.writer->reply_offset() == kUngated);
  log.Write("two");
  CHECK(log.Synced(6));
}

TEST_CASE("syncs are suspended while a child lives") {
  LogUnderTest log(FsyncPolicy::kAlways);
  log.writer->SetSyncSuspended(true);
  CHECK(log.writer->reply_offset() == kUngated);
  log.Write("one");
  REQUIRE(log.Written(3));
  Pause(50);
  CHECK(log.fs.syncs == 0);
  log.writer->SetSyncSuspended(false);
  CHECK(log.writer->reply_offset() < kUngated);
  CHECK(log.Synced(3));
}

TEST_CASE("a thread that is stuck is noticed, and can be waited for") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  log.fs.HoldSyncs(true);
  CHECK_FALSE(log.writer->MustWait());
  log.Write("one");
  CHECK(Eventually([&] { return log.writer->MustWait(); }));
  CHECK(log.writer->MustWait());
  CHECK(log.writer->delayed_syncs() == 1);
  log.writer->WaitForProgress(5);  // bounded
  CHECK(log.writer->MustWait());
  CHECK(log.writer->delayed_syncs() == 1);
  log.fs.HoldSyncs(false);
  CHECK(log.Synced(3));
  CHECK_FALSE(log.writer->MustWait());
}

TEST_CASE("too much in the queue makes the owner wait") {
  auto options = LogUnderTest::WithPolicy(FsyncPolicy::kAlways);
  options.max_queued_bytes = 1000;
  LogUnderTest log(options);
  log.fs.HoldSyncs(true);
  log.Write("one");
  REQUIRE(log.Written(3));
  log.Write(std::string(1000, 'x'));
  CHECK_FALSE(log.writer->MustWait());
  log.Write("y");
  CHECK(log.writer->MustWait());
  log.fs.HoldSyncs(false);
  CHECK(log.Synced(1004));
  CHECK_FALSE(log.writer->MustWait());
}

TEST_CASE("always: a failed write or sync is fatal, and nothing is acknowledged after it") {
  LogUnderTest log(FsyncPolicy::kAlways);
  log.Write("one");
  REQUIRE(log.Synced(3));
  SECTION("write") {
    log.fs.write_error = ENOSPC;
    log.fs.write_takes = 2;
  }
  SECTION("sync") { log.fs.sync_error = EIO; }
  const int syncs = log.fs.syncs;
  log.Write("two");
  CHECK(Eventually([&] { return log.deaths == 1; }));
  log.fs.write_error = 0;
  const bool was_sync = log.fs.sync_error.exchange(0) != 0;
  log.Write("three");
  log.writer->SetPolicy(FsyncPolicy::kAlways);
  Pause(30);
  CHECK(log.writer->health() == LogHealth::kDead);
  CHECK(log.writer->reply_offset() == 3);
  CHECK(log.deaths == 1);
  CHECK(log.fs.syncs == syncs + (was_sync ? 1 : 0));
  CHECK(log.writer->Flush());
  CHECK(log.folder.Get("log") == (was_sync ? "onetwo" : "one"));
}

TEST_CASE("everysec: a failed write is cut off, told, tried again and told again") {
  for (const bool can_truncate : {true, false}) {
    CAPTURE(can_truncate);
    LogUnderTest log(FsyncPolicy::kEverysec, "before");
    log.Write("one");
    REQUIRE(log.Synced(3));
    log.fs.truncate_error = can_truncate ? 0 : EIO;
    log.fs.write_error = ENOSPC;
    log.fs.write_takes = 2;
    log.Write("12345");
    CHECK(Eventually([&] { return log.writer->health() == LogHealth::kWriteFailed; }));
    CHECK(log.writer->error() == "write " + log.folder.At("log") + ": No space left on device");
    CHECK(log.wakes >= 1);
    CHECK(log.folder.Get("log") == (can_truncate ? "beforeone" : "beforeone12"));
    log.Write("67");
    Pause(30);  // some attempts
    CHECK(log.writer->written_offset() == 3);
    CHECK(log.writer->queued_bytes() == 7);
    const FileError flushed = log.writer->Flush();
    CHECK(flushed.code() == ENOSPC);
    log.fs.write_error = 0;
    CHECK(log.Synced(10));
    CHECK(log.writer->health() == LogHealth::kGood);
    CHECK(log.writer->error().empty());
    CHECK(log.folder.Get("log") == "beforeone1234567");
    CHECK(log.Said() ==
          std::vector<std::string>{"Error writing to the append only file: write " + log.folder.At("log") +
                                       ": No space left on device",
                                   "AOF write error looks solved. The server can write again."});
  }
}

TEST_CASE("what was written before a failed write is synced all the same") {
  auto options = LogUnderTest::WithPolicy(FsyncPolicy::kEverysec);
  options.sync_interval_ms = 100;
  LogUnderTest log(options);
  log.Write("one");
  REQUIRE(log.Written(3));
  log.fs.write_error = ENOSPC;
  log.Write("two");
  CHECK(log.Synced(3));
  log.fs.write_error = 0;
}

TEST_CASE("everysec: a file with a failed sync is trusted never again, until a rewrite stands for it") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  log.Write("one");
  REQUIRE(log.Synced(3));
  log.fs.sync_error = EIO;
  log.Write("two");
  CHECK(Eventually([&] { return log.writer->health() == LogHealth::kSyncFailed; }));
  log.fs.sync_error = 0;
  const int syncs = log.fs.syncs;
  log.Write("three");
  CHECK(log.Written(11));
  Pause(50);
  CHECK(log.fs.syncs == syncs);  // not tried again
  CHECK(log.writer->synced_offset() == 3);
  CHECK(log.writer->Flush().code() == EIO);

  // The new file is synced, but what comes before it is not there yet.
  const uint64_t start = log.writer->Rotate(log.Open("next"), [] { return FileError(); });
  log.Write("four");
  CHECK(Eventually([&] { return log.fs.syncs > syncs; }));
  CHECK(log.writer->current_file_start() == start);
  CHECK(log.writer->synced_offset() == 3);
  CHECK(log.writer->health() == LogHealth::kSyncFailed);
  CHECK(log.writer->Flush());

  log.writer->BaseIsDurable(start);
  CHECK(Eventually([&] { return log.writer->health() == LogHealth::kGood; }));
  CHECK(log.Synced(15));
  CHECK_FALSE(log.writer->Flush());
  CHECK(log.folder.Get("log") == "onetwothree");
  CHECK(log.folder.Get("next") == "four");
}

TEST_CASE("a sync that fails after the rewrite began is not made up for by it") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  log.Write("one");
  const uint64_t start = log.writer->Rotate(log.Open("next"), [] { return FileError(); });
  REQUIRE(Eventually([&] { return log.writer->current_file_start() == start; }));
  log.fs.sync_error = EIO;
  log.Write("two");
  REQUIRE(Eventually([&] { return log.writer->health() == LogHealth::kSyncFailed; }));
  log.fs.sync_error = 0;
  log.writer->BaseIsDurable(start);
  Pause(30);
  CHECK(log.writer->health() == LogHealth::kSyncFailed);
  CHECK(log.writer->synced_offset() == 3);
}

TEST_CASE(
    "a rotation happens at its offset, when the old file is complete and before the new one has a byte") {
  for (const FsyncPolicy policy : {FsyncPolicy::kAlways, FsyncPolicy::kEverysec, FsyncPolicy::kNo}) {
    LogUnderTest log(policy, "before");
    log.Write("one");
    log.writer->Append("two", 0);  // of a turn that has not ended
    std::string old_at_publish, new_at_publish = "?";
    std::atomic<int> syncs_at_publish{0};
    const uint64_t start = log.writer->Rotate(log.Open("next"), [&] {
      old_at_publish = log.folder.Get("log");
      new_at_publish = log.folder.Get("next");
      syncs_at_publish = log.fs.syncs.load();
      return FileError();
    });
    CHECK(start == 6);
    log.Write("three");
    CHECK_FALSE(log.writer->Flush());
    CHECK(log.writer->current_file_start() == 6);
    CHECK(log.folder.Get("log") == "beforeonetwo");
    CHECK(log.folder.Get("next") == "three");
    CHECK(old_at_publish == "beforeonetwo");
    CHECK(new_at_publish.empty());
    CHECK(syncs_at_publish >= 1);
    CHECK(log.writer->synced_offset() == 11);
  }
}

TEST_CASE("rotations in a row, each with its bytes") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  for (int i = 0; i < 50; ++i) {
    const std::string name = "log" + std::to_string(i);
    log.writer->Rotate(log.Open(name), [] { return FileError(); });
    for (int j = 0; j < i; ++j) log.Write(name);
  }
  CHECK_FALSE(log.writer->Flush());
  for (int i = 0; i < 50; ++i) {
    const std::string name = "log" + std::to_string(i);
    CHECK(log.folder.Get(name).size() == name.size() * static_cast<size_t>(i));
  }
}

TEST_CASE("a manifest that cannot be published holds the rotation up, not the queue's bytes") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  std::atomic<int> error{ENOSPC};
  log.writer->Rotate(log.Open("next"), [&] { return FileError("write", "manifest", error); });
  log.Write("one");
  CHECK(Eventually([&] { return log.writer->health() == LogHealth::kWriteFailed; }));
  CHECK(log.writer->error() == "write manifest: No space left on device");
  CHECK(log.folder.Get("next").empty());
  error = 0;
  CHECK(log.Synced(3));
  CHECK(log.folder.Get("next") == "one");
  CHECK(log.writer->health() == LogHealth::kGood);
}

TEST_CASE("always: an old file that cannot be synced at a rotation is fatal") {
  LogUnderTest log(FsyncPolicy::kAlways);
  log.fs.HoldSyncs(true);
  log.Write("one");
  log.fs.sync_error = EIO;
  bool published = false;
  log.writer->Rotate(log.Open("next"), [&] {
    published = true;
    return FileError();
  });
  log.fs.HoldSyncs(false);
  CHECK(Eventually([&] { return log.deaths == 1; }));
  CHECK(log.writer->Flush().code() == EIO);
  CHECK_FALSE(published);
}

TEST_CASE("a base makes up for bytes that could not be written") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  log.fs.write_error = ENOSPC;
  log.Write("lost in the log, kept in the base");
  REQUIRE(Eventually([&] { return log.writer->health() == LogHealth::kWriteFailed; }));
  const uint64_t start = log.writer->Rotate(log.Open("next"), [] { return FileError(); });
  log.Write("two");
  Pause(20);
  CHECK(log.writer->current_file_start() == 0);
  log.writer->BaseIsDurable(start);
  CHECK(Eventually([&] { return log.writer->current_file_start() == start; }));
  log.fs.write_error = 0;
  CHECK(log.Synced(start + 3));
  CHECK(log.writer->health() == LogHealth::kGood);
  CHECK(log.folder.Get("log").empty());
  CHECK(log.folder.Get("next") == "two");
}

TEST_CASE("an annotation comes at most once a second, before the unit, and first in a file") {
  auto options = LogUnderTest::WithPolicy(FsyncPolicy::kEverysec);
  options.timestamps = true;
  LogUnderTest log(options);
  const uint64_t first = log.writer->Append("a", 1700000000);
  CHECK(first == std::string("#TS:1700000000\r\na").size());
  CHECK(log.writer->Append("b", 1700000000) == first + 1);
  log.writer->Append("c", 1700000001);
  log.writer->Append("d", 1700000000);  // the clock was set back
  log.writer->Rotate(log.Open("next"), [] { return FileError(); });
  log.writer->Append("e", 1700000001);
  log.writer->SetTimestamps(false);
  log.writer->Append("f", 1700000002);
  CHECK_FALSE(log.writer->Flush());
  CHECK(log.folder.Get("log") == "#TS:1700000000\r\nab#TS:1700000001\r\ncd");
  CHECK(log.folder.Get("next") == "#TS:1700000001\r\nef");
}

TEST_CASE("a flush writes and syncs everything, or says why not") {
  LogUnderTest log(FsyncPolicy::kEverysec);
  for (int i = 0; i < 1000; ++i) log.writer->Append("0123456789", 0);
  CHECK_FALSE(log.writer->Flush());
  CHECK(log.writer->synced_offset() == 10000);
  CHECK(log.folder.Get("log").size() == 10000);
  CHECK_FALSE(log.writer->Flush());  // nothing to do
  log.fs.write_error = EIO;
  log.writer->Append("x", 0);
  CHECK(log.writer->Flush().Text() == "write " + log.folder.At("log") + ": Input/output error");
  log.fs.write_error = 0;
  CHECK_FALSE(log.writer->Flush());  // the owner stayed, and it works again
  CHECK(log.folder.Get("log").size() == 10001);
  log.writer->Stop();
  log.writer->Stop();
}

TEST_CASE("much is written whole and in order while policies change") {
  LogUnderTest log(FsyncPolicy::kNo);
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string unit = std::to_string(i) + std::string(static_cast<size_t>(i * 37 % 5000), 'x') + "\n";
    expected += unit;
    log.writer->Append(unit, 0);
    if (i % 3 == 0) log.writer->Commit();
    if (i % 500 == 0) log.writer->SetPolicy(static_cast<FsyncPolicy>(i / 500 % 3));
  }
  CHECK_FALSE(log.writer->Flush());
  CHECK(log.folder.Get("log") == expected);
}

}  // namespace
}  // namespace pinyon
