// Whole snapshots: written and loaded again, from files and as preambles; what is wrong is told with its
// offset.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>

#include "base/random.h"
#include "keyspace/lfu.h"
#include "persist/keyspace_loader.h"
#include "persist/rdb_format.h"
#include "persist/rdb_snapshot_reader.h"
#include "persist/rdb_snapshot_writer.h"
#include "rdb_fixture.h"

namespace pinyon {

namespace {

std::string Snapshot(const Keyspace& keyspace, const RdbSnapshotOptions& options = {},
                     RdbSnapshotResult* result = nullptr) {
  RdbSnapshotResult own;
  std::string text;
  TextSink sink(text);
  CHECK(WriteRdbSnapshot(keyspace, sink, options, result != nullptr ? result : &own));
  return text;
}

RdbReadResult Load(std::string_view file, Keyspace& keyspace, const RdbReadOptions& options = {}) {
  MemorySource source(file);
  KeyspaceLoader loader(keyspace);
  RdbReadResult result;
  RdbSnapshotReader(source, keyspace, loader, options).Read(&result);
  return result;
}

// Ends a file by hand.
std::string WithEnd(std::string file) {
  file += '\xff';
  return file + RdbFixed(Crc64(0, file.data(), file.size()));
}

void FillSome(RdbFixture& f) {
  f.FillAllEncodings();
  f.Run("SELECT 3");
  for (int i = 0; i < 3000; ++i) f.Do({"SET", "key:" + std::to_string(i), std::to_string(i * 3)});
  for (int i = 0; i < 100; ++i) {
    f.Do({"SET", "due:" + std::to_string(i), "x", "PXAT", std::to_string(1'700'000'100'000 + i * 1000)});
  }
  f.Run("SELECT 15");
  f.Run("SET last 1");
  f.Run("SELECT 0");
}

class Recorder final : public RdbReceiver {
 public:
  void OnAux(std::string_view name, std::string_view value) override {
    events.push_back("aux " + std::string(name) + "=" + std::string(value));
  }
  bool OnSelect(uint64_t database, std::string*) override {
    events.push_back("select " + std::to_string(database));
    return true;
  }
  void OnSizes(int, uint64_t keys, uint64_t expiring) override {
    events.push_back("sizes " + std::to_string(keys) + " " + std::to_string(expiring));
  }
  bool OnKey(const RdbKey& key, Entry* entry, std::string* reason) override {
    std::string event = std::to_string(key.database) + " " + std::string(entry->key());
    if (entry->HasExpiry()) event += " at " + std::to_string(entry->expiry_ms());
    if (key.has_idle) event += " idle " + std::to_string(key.idle_s);
    if (key.has_frequency) event += " freq " + std::to_string(key.frequency);
    events.push_back(event);
    Entry::Delete(entry);
    *reason = "enough";
    return events.size() < stop_after;
  }
  void OnNote(std::string_view) override { events.push_back("note"); }

  std::vector<std::string> events;
  size_t stop_after = SIZE_MAX;
};

RdbReadResult Record(std::string_view file, Recorder* recorder, const RdbReadOptions& options = {}) {
  Keyspace keyspace(16, 7);
  keyspace.set_now_ms(CommandFixture::kStartMs);
  MemorySource source(file);
  RdbReadResult result;
  RdbSnapshotReader(source, keyspace, *recorder, options).Read(&result);
  return result;
}

}  // namespace

TEST_CASE("rdb snapshots: a keyspace comes back") {
  RdbFixture f;
  FillSome(f);
  RdbSnapshotOptions options;
  options.compress = GENERATE(true, false);
  options.checksum = GENERATE(true, false);
  uint64_t reported_keys = 0;
  options.progress = [&](uint64_t keys, uint64_t) { reported_keys = keys; };
  RdbSnapshotResult written;
  const std::string file = Snapshot(f.keyspace, options, &written);
  CHECK(written.version == 12);
  CHECK(file.substr(0, 9) == "REDIS0012");
  CHECK(written.keys == f.keyspace.TotalKeys());
  CHECK(written.bytes == file.size());
  CHECK(reported_keys >= 3000);

  RdbFixture g;
  const RdbReadResult read = Load(file, g.keyspace);
  REQUIRE(read.error == "");
  CHECK(read.offset == file.size());
  CHECK(read.version == 12);
  CHECK(read.keys == f.keyspace.TotalKeys());
  CHECK(g.Digest() == f.Digest());
  for (const std::string& key : RdbFixture::AllEncodings()) {
    CAPTURE(key);
    CHECK(g.EncodingOf(key) == f.EncodingOf(key));
  }
  g.Run("SELECT 3");
  CHECK(g.Run("PEXPIRETIME due:7") == ":1700000107000\r\n");
  for (int i = 0; i < 16; ++i) {
    g.keyspace.database(i).table().CheckConsistency();
    g.keyspace.database(i).CheckConsistency();
  }
  CHECK(g.keyspace.database(0).hashes_expiring() == 2);
}

TEST_CASE("rdb snapshots: through a file, in version 10 while nothing needs more") {
  RdbFixture f;
  FillSome(f);
  f.Run("DEL hash:listpackex hash:expiring");
  std::FILE* temporary = std::tmpfile();
  REQUIRE(temporary != nullptr);
  const int fd = ::fileno(temporary);
  FileSink sink(fd);
  RdbSnapshotResult written;
  REQUIRE(WriteRdbSnapshot(f.keyspace, sink, {.max_version = 10}, &written));
  CHECK(written.version == 10);
  // What follows a preamble is left alone.
  REQUIRE(::write(fd, "*1\r\n", 4) == 4);
  REQUIRE(::lseek(fd, 0, SEEK_SET) == 0);

  RdbFixture g;
  FileSource source(fd);
  KeyspaceLoader loader(g.keyspace);
  RdbReadResult read;
  uint64_t progress = 0;
  REQUIRE(RdbSnapshotReader(source, g.keyspace, loader, {.progress = [&](uint64_t at) { progress = at; }})
              .Read(&read));
  CHECK(read.offset == written.bytes);
  CHECK(source.Left() == 4);
  uint8_t next;
  CHECK(source.ReadByte(&next));
  CHECK(next == '*');
  CHECK(g.Digest() == f.Digest());
  std::fclose(temporary);
}

TEST_CASE("rdb snapshots: what a version cannot hold is refused by name") {
  RdbFixture f;
  f.Run("SELECT 2");
  f.Run("HSET h f v");
  f.Run("HPEXPIREAT h 1800000000000 FIELDS 1 f");
  std::string text;
  TextSink sink(text);
  RdbSnapshotResult result;
  CHECK_FALSE(WriteRdbSnapshot(f.keyspace, sink, {.max_version = 11}, &result));
  sink.Flush();
  CHECK(text.empty());
  CHECK(result.error ==
        "key \"h\" in database 2 has fields that expire, which takes version 12 of the RDB format; the "
        "configuration allows version 11 at most");
}

TEST_CASE("rdb snapshots: a disk that is full") {
  RdbFixture f;
  FillSome(f);
  const int full = ::open("/dev/full", O_WRONLY);
  FileSink sink(full);
  RdbSnapshotResult result;
  CHECK_FALSE(WriteRdbSnapshot(f.keyspace, sink, {}, &result));
  CHECK(result.system_error == ENOSPC);
  CHECK(result.error == "cannot write: No space left on device");
  ::close(full);
}

TEST_CASE("rdb snapshots: expired keys are dropped or kept") {
  RdbFixture f;
  FillSome(f);
  const std::string file = Snapshot(f.keyspace);
  RdbFixture g;
  g.SetNow(1'700'000'100'000 + 50'000);
  RdbReadResult read = Load(file, g.keyspace, {.drop_expired = true});
  CHECK(read.error == "");
  CHECK(read.expired_keys == 50);
  CHECK(g.keyspace.database(3).size() == 3050);
  RdbFixture h;
  h.SetNow(1'700'000'100'000 + 50'000);
  read = Load(file, h.keyspace);
  CHECK(read.expired_keys == 0);
  CHECK(h.keyspace.database(3).size() == 3100);
}

TEST_CASE("rdb snapshots: access clocks and frequencies") {
  RdbFixture f;
  f.Run("SET a 1");
  f.Advance(50'000);
  Recorder recorder;
  CHECK(Record(Snapshot(f.keyspace, {.access = RdbSnapshotOptions::Access::kClock}), &recorder).error == "");
  CHECK(recorder.events.back() == "0 a idle 50");
  f.keyspace.database(0).Peek("a")->set_access(lfu::Field(f.keyspace.AccessMinutes(), 77));
  recorder.events.clear();
  CHECK(Record(Snapshot(f.keyspace, {.access = RdbSnapshotOptions::Access::kFrequency}), &recorder).error ==
        "");
  CHECK(recorder.events.back() == "0 a freq 77");

  RdbFixture g;
  const std::string file = WithEnd("REDIS0009" + std::string("\xfe\x00\xf8\x0a\x00\x01"
                                                             "a\x01"
                                                             "1",
                                                             9));
  REQUIRE(Load(file, g.keyspace).error == "");
  CHECK(g.Run("OBJECT IDLETIME a") == ":10\r\n");
}

TEST_CASE("rdb snapshots: opcodes") {
  const std::string a = std::string(
      "\x00\x01"
      "a\x01"
      "1",
      5);
  Recorder recorder;
  std::string file = "REDIS0009";
  file += "\xfa" + RdbString("redis-ver") + RdbString("5.0.0") + "\xfa" + RdbString("ctime") + "\xc0\x07";
  file += std::string("\xfe\x02\xfb\x05\x01", 5);
  file += "\xfd" + RdbFixed(int32_t{1'800'000'000}) + a;
  file += "\xfc" + RdbFixed(int64_t{1'800'000'000'123}) + "\xf8\x05" + a;
  file += "\xfc" + RdbFixed(int64_t{-5}) + a;
  file += "\xf4\x01\x02\x03";
  // A module's data: unsigned 1, signed, float, double, string.
  file += "\xf7" + std::string("\x81\0\0\0\0\0\0\0\x05", 9) + "\x02\x01" + "\x01\x05" + "\x03" + "1234" +
          "\x04" + "12345678" + "\x05" + RdbString("text") + std::string(1, '\0');
  file += a;
  const RdbReadResult result = Record(WithEnd(file), &recorder);
  CHECK(result.error == "");
  CHECK(recorder.events == std::vector<std::string>{"aux redis-ver=5.0.0", "aux ctime=7", "select 2",
                                                    "sizes 5 1", "2 a at 1800000000000",
                                                    "2 a at 1800000000123 idle 5", "2 a at 0", "note",
                                                    "2 a"});
  CHECK(result.keys == 4);
}

TEST_CASE("rdb snapshots: old files, of versions without checksum") {
  Recorder recorder;
  const std::string file = "REDIS0003" + std::string(
                                             "\xfe\x00\x00\x01"
                                             "a\x01"
                                             "1\xff",
                                             8);
  CHECK(Record(file + "what follows", &recorder).offset == file.size());
  CHECK(recorder.events == std::vector<std::string>{"select 0", "0 a"});
}

TEST_CASE("rdb snapshots: collections without elements are left out") {
  Recorder recorder;
  const std::string file = WithEnd("REDIS0009" + std::string("\xfe\x00\x02\x01"
                                                             "e\x00\x00\x01"
                                                             "a\x01"
                                                             "1",
                                                             11));
  const RdbReadResult result = Record(file, &recorder);
  CHECK(result.error == "");
  CHECK(result.empty_keys == 1);
  CHECK(recorder.events == std::vector<std::string>{"select 0", "0 a"});
}

TEST_CASE("rdb snapshots: errors say where and why") {
  const std::string a = std::string(
      "\x00\x01"
      "a\x01"
      "1",
      5);
  const std::string head = "REDIS0010" + std::string("\xfe\x00", 2);
  const auto error = [](const std::string& file) {
    Recorder recorder;
    return Record(file, &recorder).error;
  };
  CHECK(error("") == "offset 0: unexpected end");
  CHECK(error("REDIS00") == "offset 0: unexpected end");
  CHECK(error("*2\r\n$6\r\nSELECT") == "offset 9: this is no RDB file: it does not begin with REDIS");
  CHECK(error("REDIS0013\xff") == "offset 9: version 13 of the RDB format is not known; 1 to 12 are");
  CHECK(error("REDIS0000\xff") == "offset 9: version 0 of the RDB format is not known; 1 to 12 are");
  CHECK(error("REDISx001\xff") == "offset 9: the version is no number");
  CHECK(error(head + a) == "offset 16: unexpected end");
  CHECK(error(head + "\xf5" + RdbString("#!lua")) == "offset 12: function libraries are not supported");
  CHECK(error(head + "\x15\x01s\x01") ==
        "offset 14: streams are not supported (in the value of key \"s\", database 0, which begins at 11)");
  CHECK(error(head + "\x07\x01m" + '\x81' + RdbFixed(__builtin_bswap64(0x45e25238df912c03))) ==
        "offset 23: a value of module type ReJSON-RL: modules are not supported (in the value of key \"m\", "
        "database 0, which begins at 11)");
  CHECK(error(head + "\x64\x01m\x01") ==
        "offset 14: unknown value type 100 (in the value of key \"m\", database 0, which begins at 11)");
  std::string wrong = WithEnd(head + a);
  const uint64_t right = Crc64(0, wrong.data(), wrong.size() - 8);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  CHECK(error(wrong).find("offset 25: the checksum is ") == 0);
  // Zero: none was reckoned.
  CHECK(error(wrong.substr(0, wrong.size() - 8) + std::string(8, '\0')) == "");
  CHECK(error(wrong.substr(0, wrong.size() - 8) + RdbFixed(right)) == "");

  Recorder recorder;
  recorder.stop_after = 1;
  const RdbReadResult refused = Record(WithEnd(head + a), &recorder);
  CHECK(refused.kind == RdbError::Kind::kRefused);
  CHECK(refused.reason == "enough");
  CHECK(refused.in_value);
  CHECK(refused.key == "a");
  CHECK(refused.record_code == 0);
  CHECK(Record(head + "\xf5" + RdbString("#!lua"), &recorder).record_code == 0xf5);
  CHECK(Record(head, &recorder).record_code == -1);
  CHECK(refused.error == "offset 16: enough (in the value of key \"a\", database 0, which begins at 11)");

  Keyspace small(2, 1);
  CHECK(Load(WithEnd("REDIS0010\xfe\x02" + a), small).error ==
        "offset 11: the file has database 2, but the configuration only 2 databases (numbered from 0)");
  CHECK(Load(WithEnd(head + a + a), small).error.find("key \"a\" of database 0 is there twice") !=
        std::string::npos);
}

TEST_CASE("rdb snapshots: a file that was cut anywhere is an error") {
  RdbFixture f;
  for (const char* line :
       {"SET s value", "RPUSH l a b c", "SADD u x y", "SADD i 1 2", "ZADD z 1 m", "HSET h f v",
        "HPEXPIREAT h 1800000000000 FIELDS 1 f", "SET t 1 PXAT 1800000000000"}) {
    f.Run(line);
  }
  const std::string file = Snapshot(f.keyspace);
  for (size_t cut = 0; cut < file.size(); ++cut) {
    Recorder recorder;
    const RdbReadResult result = Record(file.substr(0, cut), &recorder);
    CAPTURE(cut, result.error);
    REQUIRE(result.kind == RdbError::Kind::kTruncated);
  }
}

TEST_CASE("rdb snapshots: flipped bits are errors, or with no checksum at least no harm") {
  RdbFixture f;
  FillSome(f);
  f.Run("SELECT 3");
  f.Run("FLUSHDB");
  const std::string file = Snapshot(f.keyspace);
  const uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = file;
    // (The version says whether there is a checksum.)
    damaged[rdb::kHeaderBytes + random.Below(damaged.size() - rdb::kHeaderBytes - 8)] ^=
        static_cast<char>(1 << random.Below(8));
    Keyspace keyspace(16, 3);
    keyspace.set_now_ms(CommandFixture::kStartMs);
    RdbReadResult result = Load(damaged, keyspace);
    REQUIRE(result.error != "");
    damaged.replace(damaged.size() - 8, 8, std::string(8, '\0'));
    Keyspace other(16, 3);
    other.set_now_ms(CommandFixture::kStartMs);
    result = Load(damaged, other);
    for (int i = 0; i < 16; ++i) other.database(i).CheckConsistency();
  }
}

}  // namespace pinyon
