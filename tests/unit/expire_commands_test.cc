#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"

namespace pinyon {

namespace {

using Lines = std::vector<std::string>;

constexpr int64_t kStart = CommandFixture::kStartMs;
const std::string kYes = ":1\r\n";
const std::string kNo = ":0\r\n";

}  // namespace

TEST_CASE("Expiries are set in any unit, relative or absolute", "[expire]") {
  CommandFixture f;
  f.Run("SET k v");
  CHECK(f.Run("TTL k") == ":-1\r\n");
  CHECK(f.Run("PEXPIRETIME k") == ":-1\r\n");
  CHECK(f.Run("EXPIRE k 100") == kYes);
  CHECK(f.Run("PTTL k") == ":100000\r\n");
  CHECK(f.Run("PEXPIRE k 1500") == kYes);
  CHECK(f.Run("PTTL k") == ":1500\r\n");
  CHECK(f.Run("TTL k") == ":2\r\n");
  CHECK(f.Run("EXPIREAT k 2000000000") == kYes);
  CHECK(f.Run("EXPIRETIME k") == ":2000000000\r\n");
  CHECK(f.Run("PEXPIREAT k 2000000000499") == kYes);
  CHECK(f.Run("EXPIRETIME k") == ":2000000000\r\n");
  CHECK(f.Run("PEXPIRETIME k") == ":2000000000499\r\n");
  CHECK(f.Run("PERSIST k") == kYes);
  CHECK(f.Run("PERSIST k") == kNo);
  CHECK(f.Run("TTL k") == ":-1\r\n");
}

TEST_CASE("Keys that are not there have no expiry", "[expire]") {
  CommandFixture f;
  for (const char* name : {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}) CHECK(f.Do({name, "k"}) == ":-2\r\n");
  for (const char* name : {"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"})
    CHECK(f.Do({name, "k", "100"}) == kNo);
  CHECK(f.Run("PERSIST k") == kNo);
}

TEST_CASE("An expiry propagates as an absolute time", "[expire]") {
  CommandFixture f;
  f.Run("SET k v");
  f.RecordEffects();
  f.RecordNotifications();
  f.Run("EXPIRE k 100 NX");
  f.Run("PEXPIRE k 7");
  f.Run("EXPIREAT k 2000000000");
  f.Run("PERSIST k");
  f.Run("EXPIRE k 100 XX");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "PEXPIREAT k " + std::to_string(kStart + 100'000),
                                 "PEXPIREAT k " + std::to_string(kStart + 7), "PEXPIREAT k 2000000000000",
                                 "PERSIST k"});
  CHECK(f.TakeNotifications() == Lines{"expire k", "expire k", "expire k", "persist k"});
}

TEST_CASE("A time that is not in the future deletes", "[expire]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications(kNotifyGeneric);
  const std::string line = GENERATE("EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1",
                                    "PEXPIREAT k 1700000000000", "PEXPIREAT k -9223372036854775808",
                                    "PEXPIRE k -9223372036854775808", "EXPIREAT k -9223372036854775");
  f.Run("SET k v");
  f.TakeEffects();
  CHECK(f.Run(line) == kYes);
  CHECK(f.TakeEffects() == Lines{"DEL k"});
  CHECK(f.TakeNotifications() == Lines{"del k"});
  CHECK(f.Run("DBSIZE") == kNo);
}

TEST_CASE("Where expired keys are only hidden a time in the past is kept", "[expire]") {
  CommandFixture f;
  f.Run("SET k v");
  f.keyspace.set_hides_expired_only(true);
  CHECK(f.Run("PEXPIREAT k -1") == kYes);
  CHECK(f.Run("GET k") == "$-1\r\n");
  CHECK(f.Run("DBSIZE") == kYes);
}

TEST_CASE("Conditions on an expiry", "[expire]") {
  CommandFixture f;
  f.Run("SET k v");
  SECTION("a key without an expiry") {
    CHECK(f.Run("EXPIRE k 10 XX") == kNo);
    CHECK(f.Run("EXPIRE k 10 GT") == kNo);
    CHECK(f.Run("EXPIRE k 10 XX LT") == kNo);
    CHECK(f.Run("EXPIRE k 10 XX GT") == kNo);
    CHECK(f.Run("TTL k") == ":-1\r\n");
    SECTION("LT") { CHECK(f.Run("EXPIRE k 10 LT") == kYes); }
    SECTION("NX") { CHECK(f.Run("EXPIRE k 10 NX") == kYes); }
  }
  SECTION("a key with an expiry") {
    f.Run("EXPIRE k 100");
    CHECK(f.Run("EXPIRE k 10 NX") == kNo);
    CHECK(f.Run("EXPIRE k 100 GT") == kNo);
    CHECK(f.Run("EXPIRE k 100 LT") == kNo);
    CHECK(f.Run("EXPIRE k 99 GT") == kNo);
    CHECK(f.Run("EXPIRE k 101 LT") == kNo);
    CHECK(f.Run("TTL k") == ":100\r\n");
    CHECK(f.Run("EXPIRE k 101 XX gt") == kYes);
    CHECK(f.Run("EXPIRE k 99 lt") == kYes);
    CHECK(f.Run("EXPIRE k 50 xx xx") == kYes);
    CHECK(f.Run("TTL k") == ":50\r\n");
  }
}

TEST_CASE("Errors of EXPIRE come in Redis's order", "[expire]") {
  CommandFixture f;
  const std::string nx = "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n";
  const std::string gt = "-ERR GT and LT options at the same time are not compatible\r\n";
  CHECK(f.Run("EXPIRE k 10 NX XX") == nx);
  CHECK(f.Run("EXPIRE k 10 GT NX") == nx);
  CHECK(f.Run("EXPIRE k 10 NX LT GT") == nx);
  CHECK(f.Run("EXPIRE k 10 GT LT") == gt);
  CHECK(f.Run("EXPIRE k 10 NX XX Foo") == "-ERR Unsupported option Foo\r\n");
  CHECK(f.Do({"EXPIRE", "k", "10", std::string_view("a\0b", 3)}) == "-ERR Unsupported option a\r\n");
  CHECK(f.Do({"EXPIRE", "k", "10", "a\nb\r\n"}) == "-ERR Unsupported option a b\r\n");
  CHECK(f.Run("EXPIRE k a foo") == "-ERR Unsupported option foo\r\n");
  CHECK(f.Run("EXPIRE k a GT LT") == gt);
  CHECK(f.Run("EXPIRE k a") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("EXPIRE k") == "-ERR wrong number of arguments for 'expire' command\r\n");
}

TEST_CASE("Times that do not fit are refused", "[expire]") {
  CommandFixture f;
  f.Run("SET k v");
  const auto invalid = [](const std::string& name) {
    return "-ERR invalid expire time in '" + name + "' command\r\n";
  };
  CHECK(f.Run("EXPIRE nokey 9223372036854775807") == invalid("expire"));
  CHECK(f.Run("EXPIRE k 9223372036854775") == invalid("expire"));
  CHECK(f.Run("EXPIRE k -9223372036854776") == invalid("expire"));
  CHECK(f.Run("PEXPIRE k 9223372036854775807") == invalid("pexpire"));
  CHECK(f.Run("EXPIREAT k 9223372036854776") == invalid("expireat"));
  CHECK(f.Run("EXPIREAT k -9223372036854776") == invalid("expireat"));
  CHECK(f.Run("TTL k") == ":-1\r\n");
  CHECK(f.Run("EXPIREAT k 9223372036854775") == kYes);
  CHECK(f.Run("PEXPIREAT k 9223372036854775807") == kYes);
  CHECK(f.Run("EXPIRETIME k") == ":9223372036854776\r\n");
  CHECK(f.Run("PEXPIRETIME k") == ":9223372036854775807\r\n");
}

TEST_CASE("A key that has expired is not there, and its end propagates", "[expire]") {
  CommandFixture f;
  f.Run("SET k v PX 10");
  f.RecordEffects();
  f.RecordNotifications(kNotifyExpired | kNotifyGeneric);
  f.Advance(10);
  CHECK(f.Run("EXISTS k") == kYes);
  f.Advance(1);
  const std::string line =
      GENERATE("EXISTS k", "DEL k", "PERSIST k", "EXPIRE k 10", "MOVE k 3", "COPY k x", "TOUCH k");
  CHECK(f.Run(line) == kNo);
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "DEL k"});
  CHECK(f.TakeNotifications() == Lines{"expired k"});
  CHECK(f.keyspace.stats().expired_keys == 1);
}

TEST_CASE("An expired destination does not stand in the way", "[expire]") {
  CommandFixture f;
  f.Run("SET target old PX 10");
  f.Run("SET k v");
  f.Advance(11);
  SECTION("RENAMENX") { CHECK(f.Run("RENAMENX k target") == kYes); }
  SECTION("RENAME") { CHECK(f.Run("RENAME k target") == "+OK\r\n"); }
  SECTION("COPY") { CHECK(f.Run("COPY k target") == kYes); }
  CHECK(f.Run("GET target") == "$1\r\nv\r\n");
  CHECK(f.Run("TTL target") == ":-1\r\n");
}

}  // namespace pinyon
