#include <catch2/catch.hpp>

#include "rdb_fixture.h"
#include "replies.h"

namespace pinyon {

namespace {

using Lines = std::vector<std::string>;
constexpr const char* kBusy = "-BUSYKEY Target key name already exists.\r\n";

}  // namespace

TEST_CASE("DUMP: the bytes of Redis 7.0") {
  RdbFixture f;
  CHECK(f.Run("DUMP none") == "$-1\r\n");
  f.Run("SET s hello");
  CHECK(f.Dump("s") == std::string("\x00\x05hello\x0a\x00\x63\x72\xb6\xa2\x04\x01\x76\x65", 17).substr(0, 9) +
                           RdbFixed(Crc64(0, "\x00\x05hello\x0a\x00", 9)));
  f.Run("SADD i 1 2 3");
  CHECK(f.Dump("i") ==
        std::string("\x0b\x0e\x02\x00\x00\x00\x03\x00\x00\x00\x01\x00\x02\x00\x03\x00\x0a\x00\xa5"
                    "\x02\x5c\xe2\x6d\x6e\x4d\x1b",
                    26));
  f.options.rdb.version_limit = 11;
  f.Run("HSET h f v");
  CHECK(f.Dump("h").size() > 10);
  f.Run("HPEXPIREAT h 1800000000000 FIELDS 1 f");
  CHECK(f.Run("DUMP h").find("-ERR the hash has fields that expire") == 0);
}

TEST_CASE("RESTORE: errors in the order of Redis") {
  RdbFixture f;
  f.Run("SET a hello");
  const std::string payload = f.Dump("a");
  CHECK(f.Run("RESTORE a x y") == kBusy);
  CHECK(f.Run("RESTORE a 0 y foo") == kSyntaxError);
  CHECK(f.Run("RESTORE b x y") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("RESTORE b -1 y") == "-ERR Invalid TTL value, must be >= 0\r\n");
  CHECK(f.Run("RESTORE b 0 y") == "-ERR DUMP payload version or checksum are wrong\r\n");
  CHECK(f.Run("RESTORE b 0 y IDLETIME -1") == "-ERR Invalid IDLETIME value, must be >= 0\r\n");
  CHECK(f.Run("RESTORE b 0 y IDLETIME x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("RESTORE b 0 y FREQ 256") == "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n");
  CHECK(f.Run("RESTORE b 0 y IDLETIME 5 FREQ 5") == kSyntaxError);
  CHECK(f.Run("RESTORE b 0 y FREQ 5 IDLETIME 5") == kSyntaxError);
  CHECK(f.Run("RESTORE b 0 y FREQ") == kSyntaxError);
  CHECK(f.Run("RESTORE b 0 y IDLETIME") == kSyntaxError);
  CHECK(f.Do({"RESTORE", "b", "0", RdbPayload(0, RdbString("x"), 13)}) ==
        "-ERR DUMP payload version or checksum are wrong\r\n");
  std::string damaged = payload;
  damaged[2] ^= 1;
  CHECK(f.Do({"RESTORE", "b", "0", damaged}) == "-ERR DUMP payload version or checksum are wrong\r\n");
  CHECK(f.Do({"RESTORE", "b", "0", RdbPayload(0, "\x05x")}) == RdbFixture::kBadData);
  CHECK(f.Run("EXISTS b") == ":0\r\n");
  // A failed REPLACE leaves what is there.
  CHECK(f.Do({"RESTORE", "a", "0", RdbPayload(0, "\x05x"), "REPLACE"}) == RdbFixture::kBadData);
  CHECK(f.Run("GET a") == "$5\r\nhello\r\n");
  for (const uint16_t version : std::initializer_list<uint16_t>{0, 1, 9, 11, 12}) {
    CHECK(f.Do({"RESTORE", "b", "0", RdbPayload(0, RdbString("x"), version), "REPLACE"}) == kOk);
  }
}

TEST_CASE("RESTORE: times to live, effects and notifications") {
  RdbFixture f;
  f.Run("SET a hello");
  const std::string payload = f.Dump("a");
  f.RecordEffects();
  f.RecordNotifications(~uint32_t{kNotifyKeyMiss});
  CHECK(f.Do({"RESTORE", "b", "0", payload}) == kOk);
  CHECK(f.Run("PTTL b") == ":-1\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "RESTORE b 0 " + payload});
  CHECK(f.TakeNotifications() == Lines{"new b", "restore b"});
  CHECK(f.Do({"RESTORE", "b", "5000", payload, "REPLACE", "IDLETIME", "70"}) == kOk);
  CHECK(f.Run("PTTL b") == ":5000\r\n");
  CHECK(f.Run("OBJECT IDLETIME b") == ":70\r\n");
  CHECK(f.TakeEffects() == Lines{"RESTORE b 1700000005000 " + payload + " REPLACE IDLETIME 70 ABSTTL"});
  CHECK(f.Do({"RESTORE", "c", "1800000000000", payload, "absttl", "freq", "7"}) == kOk);
  CHECK(f.Run("PEXPIRETIME c") == ":1800000000000\r\n");
  CHECK(f.TakeEffects() == Lines{"RESTORE c 1800000000000 " + payload + " absttl freq 7"});
  f.TakeNotifications();

  // A time that is over.
  CHECK(f.Do({"RESTORE", "d", "1", payload, "ABSTTL"}) == kOk);
  CHECK(f.Do({"RESTORE", "d", "9223372036854775807", payload}) == kOk);
  CHECK(f.Run("EXISTS d") == ":0\r\n");
  CHECK(f.TakeEffects() == Lines{});
  CHECK(f.TakeNotifications() == Lines{});
  CHECK(f.Do({"RESTORE", "c", "1", payload, "ABSTTL", "REPLACE"}) == kOk);
  CHECK(f.Run("EXISTS c") == ":0\r\n");
  CHECK(f.TakeEffects() == Lines{"DEL c"});
  CHECK(f.TakeNotifications() == Lines{"del c"});
}

TEST_CASE("RESTORE: serves clients that wait for the key") {
  RdbFixture f;
  f.Run("RPUSH l x y");
  const std::string payload = f.Dump("l");
  f.RunAs(1, "BLPOP waited 0");
  CHECK(f.Received(1) == "");
  CHECK(f.Do({"RESTORE", "waited", "0", payload}) == kOk);
  CHECK(f.Received(1) == "*2\r\n$6\r\nwaited\r\n$1\r\nx\r\n");
  CHECK(f.Run("LRANGE waited 0 -1") == "*1\r\n$1\r\ny\r\n");
}

TEST_CASE("RESTORE: in a transaction, and watched") {
  RdbFixture f;
  f.Run("SET a hello");
  const std::string payload = f.Dump("a");
  f.RunAs(1, "WATCH a");
  f.RunAs(1, "MULTI");
  f.RunAs(1, "GET a");
  CHECK(f.Do({"RESTORE", "a", "0", payload, "REPLACE"}) == kOk);
  CHECK(f.RunAs(1, "EXEC") == "*-1\r\n");
}

}  // namespace pinyon
