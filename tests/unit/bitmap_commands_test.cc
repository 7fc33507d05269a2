// The bitmap commands and DEBUG through the dispatcher. The expected replies are what a redis-server 7.0
// gave.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;
using namespace std::string_literals;

constexpr char kOffsetError[] = "-ERR bit offset is not an integer or out of range\r\n";
constexpr char kBitError[] = "-ERR bit is not an integer or out of range\r\n";
constexpr char kIntegerError[] = "-ERR value is not an integer or out of range\r\n";
constexpr char kFieldTypeError[] =
    "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n";

std::string EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  return ref ? std::string(EncodingName(ref->encoding())) : "none";
}

std::string ValueOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  IntegerText text;
  return ref ? std::string(ref->StringBytes(text)) : "";
}

void SetKey(CommandFixture& f, std::string_view key, std::string_view value, int64_t expiry_ms = kNoExpiry) {
  f.keyspace.database(0).SetString(key, value, expiry_ms);
}

TEST_CASE("SETBIT creates, lengthens and edits", "[bitmap]") {
  CommandFixture f;
  CHECK(f.Run("SETBIT s 0 0") == ":0\r\n");
  CHECK(ValueOf(f, "s") == "\0"s);
  CHECK(f.Run("SETBIT s 7 1") == ":0\r\n");
  CHECK(f.Run("SETBIT s 7 1") == ":1\r\n");
  CHECK(f.Run("SETBIT s 17 1") == ":0\r\n");
  CHECK(ValueOf(f, "s") == "\x01\x00\x40"s);
  CHECK(EncodingOf(f, "s") == "raw");
  CHECK(f.Run("GETBIT s 17") == ":1\r\n");
  CHECK(f.Run("GETBIT s 18") == ":0\r\n");
  CHECK(f.Run("GETBIT s 4294967295") == ":0\r\n");
  CHECK(f.Run("GETBIT missing 5") == ":0\r\n");
}

TEST_CASE("SETBIT makes a string raw, even one that it leaves as it is", "[bitmap]") {
  CommandFixture f;
  f.RecordEffects();
  SetKey(f, "i", "12345");
  CHECK(EncodingOf(f, "i") == "int");
  CHECK(f.Run("GETBIT i 3") == ":1\r\n");
  CHECK(EncodingOf(f, "i") == "int");
  CHECK(f.Run("SETBIT i 3 1") == ":1\r\n");
  CHECK(EncodingOf(f, "i") == "raw");
  CHECK(ValueOf(f, "i") == "12345");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("SETBIT i 1 1") == ":0\r\n");
  CHECK(ValueOf(f, "i") == "q2345");
  SetKey(f, "e", "hello");
  CHECK(f.Run("SETBIT e 0 0") == ":0\r\n");
  CHECK(EncodingOf(f, "e") == "raw");
  CHECK(f.Run("BITFIELD i GET u8 0 SET u8 0 113") == "*2\r\n:113\r\n:113\r\n");
}

TEST_CASE("SETBIT leaves a block that a reply still holds alone", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "big", std::string(100'000, 'x'));
  SharedBlock* block = f.keyspace.database(0).Peek("big")->block();
  REQUIRE(block != nullptr);
  block->Ref();
  const BlockRef held(block);
  CHECK(f.Run("SETBIT big 7 1") == ":0\r\n");
  CHECK(held->bytes() == std::string(100'000, 'x'));
  CHECK(ValueOf(f, "big") == "y" + std::string(99'999, 'x'));
  CHECK(f.Run("BITFIELD big SET u8 8 65") == "*1\r\n:120\r\n");
  CHECK(ValueOf(f, "big").substr(0, 3) == "yAx");
}

TEST_CASE("the errors of SETBIT and GETBIT, and which comes first", "[bitmap]") {
  CommandFixture f;
  f.Run("SETBIT s 0 0");
  for (const std::string_view offset : {"-1", "abc", "", "4294967296", "99999999999999999999", "+1", "01"}) {
    CAPTURE(offset);
    CHECK(f.Do({"SETBIT", "s", offset, "2"}) == kOffsetError);
    CHECK(f.Do({"GETBIT", "s", offset}) == kOffsetError);
    CHECK(f.Do({"GETBIT", "missing", offset}) == kOffsetError);
  }
  for (const std::string_view bit : {"2", "-1", "abc", "", "1.0"}) {
    CAPTURE(bit);
    CHECK(f.Do({"SETBIT", "s", "0", bit}) == kBitError);
  }
  CHECK(ValueOf(f, "s").size() == 1);
  f.engine.options.proto_max_bulk_len = 1024 * 1024;
  CHECK(f.Run("GETBIT s 8388607") == ":0\r\n");
  CHECK(f.Run("GETBIT s 8388608") == kOffsetError);
  // A field may start at the last bit and reach beyond the limit.
  CHECK(f.Run("BITFIELD s SET u8 8388607 1") == "*1\r\n:0\r\n");
  CHECK(ValueOf(f, "s").size() == 1024 * 1024 + 1);
}

TEST_CASE("BITCOUNT", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "k", "hello");
  SetKey(f, "ones", "\xff\xff\xff");
  SetKey(f, "i", "12345");
  SetKey(f, "empty", "");
  CHECK(f.Run("BITCOUNT k") == ":21\r\n");
  CHECK(f.Run("BITCOUNT i") == ":17\r\n");
  CHECK(f.Run("BITCOUNT k -2 -1") == ":10\r\n");
  CHECK(f.Run("BITCOUNT k 0 100") == ":21\r\n");
  CHECK(f.Run("BITCOUNT k 10 100") == ":0\r\n");
  CHECK(f.Run("BITCOUNT k 1 9 bit") == ":4\r\n");
  CHECK(f.Run("BITCOUNT k -3 -1 BIT") == ":3\r\n");
  CHECK(f.Run("BITCOUNT k -9223372036854775808 9223372036854775807 bit") == ":21\r\n");
  // Clamped to the first byte when in order, nothing when not.
  CHECK(f.Run("BITCOUNT ones -100 -99") == ":8\r\n");
  CHECK(f.Run("BITCOUNT ones -100 -99 BIT") == ":1\r\n");
  CHECK(f.Run("BITCOUNT ones -100 -200") == ":0\r\n");
  CHECK(f.Run("BITCOUNT ones -1 -2 nonsense") == ":0\r\n");
  CHECK(f.Run("BITCOUNT empty 0 -1 BIT") == ":0\r\n");
  CHECK(f.Run("BITCOUNT missing a b c d") == ":0\r\n");
  CHECK(f.Run("BITCOUNT k 0") == kSyntaxError);
  CHECK(f.Run("BITCOUNT k a b BIT x") == kSyntaxError);
  CHECK(f.Run("BITCOUNT k a b xx") == kIntegerError);
  CHECK(f.Run("BITCOUNT k 0 -1 xx") == kSyntaxError);
}

TEST_CASE("BITPOS", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "ones", "\xff\xff\xff");
  SetKey(f, "m", "\xff\xf0\x00"s);
  SetKey(f, "empty", "");
  // Only without an end is the string followed by zeros.
  CHECK(f.Run("BITPOS ones 0") == ":24\r\n");
  CHECK(f.Run("BITPOS ones 0 1") == ":24\r\n");
  CHECK(f.Run("BITPOS ones 0 0 -1") == ":-1\r\n");
  CHECK(f.Run("BITPOS ones 0 3") == ":-1\r\n");
  CHECK(f.Run("BITPOS ones 1 -1 -1 bit") == ":23\r\n");
  CHECK(f.Run("BITPOS m 0") == ":12\r\n");
  CHECK(f.Run("BITPOS m 1 2") == ":-1\r\n");
  CHECK(f.Run("BITPOS m 0 5 9 bit") == ":-1\r\n");
  CHECK(f.Run("BITPOS m 1 11 20 bit") == ":11\r\n");
  CHECK(f.Run("BITPOS m 1 -200 -100") == ":0\r\n");
  CHECK(f.Run("BITPOS empty 0") == ":-1\r\n");
  CHECK(f.Run("BITPOS missing 0 5 10") == ":0\r\n");
  CHECK(f.Run("BITPOS missing 1 a b c d") == ":-1\r\n");
  CHECK(f.Run("BITPOS missing 2") == "-ERR The bit argument must be 1 or 0.\r\n");
  CHECK(f.Run("BITPOS m abc") == kIntegerError);
  // The unit is looked at before the end, the start before both.
  CHECK(f.Run("BITPOS m 1 0 b xx") == kSyntaxError);
  CHECK(f.Run("BITPOS m 1 a 1 xx") == kIntegerError);
  CHECK(f.Run("BITPOS m 1 11 bit") == kIntegerError);
  CHECK(f.Run("BITPOS m 1 0 1 bit 3") == kSyntaxError);
}

TEST_CASE("BITOP stores a raw string without expiry", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "a", "abc");
  SetKey(f, "b", "\xff\x00"s);
  SetKey(f, "i", "12345");
  SetKey(f, "d", "old", CommandFixture::kStartMs + 1000);
  CHECK(f.Run("BITOP AND d a b") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "a\0\0"s);
  CHECK_FALSE(f.keyspace.database(0).Peek("d")->HasExpiry());
  CHECK(f.Run("BITOP or d a b missing") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "\xff"s + "bc");
  CHECK(f.Run("BITOP XoR d a b") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "\x9e"s + "bc");
  CHECK(f.Run("BITOP NOT d a") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "\x9e\x9d\x9c");
  CHECK(f.Run("BITOP AND d a missing") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "\0\0\0"s);
  // The target among the sources; a result that looks like an integer.
  CHECK(f.Run("BITOP OR a a b") == ":3\r\n");
  CHECK(ValueOf(f, "a") == "\xff"s + "bc");
  CHECK(f.Run("BITOP AND d i") == ":5\r\n");
  CHECK(ValueOf(f, "d") == "12345");
  CHECK(EncodingOf(f, "d") == "raw");
  CHECK(f.Run("BITOP NOT i i") == ":5\r\n");
  CHECK(ValueOf(f, "i") == "\xce\xcd\xcc\xcb\xca");
  CHECK(f.Run("BITOP NOT d a b") == "-ERR BITOP NOT must be called with a single source key.\r\n");
  CHECK(f.Run("BITOP NAND d a") == kSyntaxError);

  const std::string large(20'000, '\x0f');
  SetKey(f, "large", large);
  CHECK(f.Run("BITOP NOT large large") == ":20000\r\n");
  CHECK((ValueOf(f, "large") == std::string(20'000, '\xf0')));
  CHECK(EncodingOf(f, "large") == "raw");
}

TEST_CASE("BITOP with an empty result deletes its target", "[bitmap]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications();
  SetKey(f, "d", "x");
  SetKey(f, "empty", "");
  CHECK(f.Run("BITOP AND d missing empty") == ":0\r\n");
  CHECK(EncodingOf(f, "d") == "none");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "BITOP AND d missing empty"});
  CHECK(f.TakeNotifications() == Lines{"keymiss missing", "del d"});
  CHECK(f.Run("BITOP AND d empty") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.TakeNotifications().empty());
}

TEST_CASE("BITOP among keys that expire as it looks them up", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "a", "abc");
  SetKey(f, "gone", "\xff\xff\xff\xff", CommandFixture::kStartMs + 10);
  SetKey(f, "b", "b");
  SetKey(f, "d", "x", CommandFixture::kStartMs + 10);
  f.Advance(100);
  CHECK(f.Run("BITOP OR d a gone b") == ":3\r\n");
  CHECK(ValueOf(f, "d") == "cbc");
  CHECK(EncodingOf(f, "gone") == "none");
}

TEST_CASE("BITFIELD reads and writes", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "e", "hello");
  CHECK(f.Run("BITFIELD e") == "*0\r\n");
  CHECK(f.Run("BITFIELD missing GET u8 0") == "*1\r\n:0\r\n");
  CHECK(EncodingOf(f, "missing") == "none");
  CHECK(f.Run("BITFIELD e GET u8 0 GET u8 #1 GET i64 0") == "*3\r\n:104\r\n:101\r\n:7522537965566820352\r\n");
  CHECK(f.Run("BITFIELD e GET i5 37 GET i5 40 GET u8 4294967295") == "*3\r\n:-4\r\n:0\r\n:0\r\n");
  CHECK(f.Run("BITFIELD e GET u8 0 overflow sat Set u4 #1 15") == "*2\r\n:104\r\n:8\r\n");
  CHECK(ValueOf(f, "e") == "oello");
  // The product of an index and the width wraps around: 3074457345618258603 * 12 is 4 more than 2 * 2^64.
  CHECK(f.Run("BITFIELD e GET u12 #3074457345618258603 GET u12 4") == "*2\r\n:3941\r\n:3941\r\n");
  // The string grows to the last field written, not to the last one read.
  CHECK(f.Run("BITFIELD n GET u8 1000 SET u8 16 1") == "*2\r\n:0\r\n:0\r\n");
  CHECK(ValueOf(f, "n") == "\0\0\1"s);
  CHECK(f.Run("BITFIELD_RO e GET u8 0 OVERFLOW SAT GET u8 #1") == "*2\r\n:111\r\n:101\r\n");
}

TEST_CASE("BITFIELD on overflow", "[bitmap]") {
  CommandFixture f;
  CHECK(f.Run("BITFIELD n SET u8 0 256 SET u8 0 -1 GET i8 0") == "*3\r\n:0\r\n:0\r\n:-1\r\n");
  CHECK(
      f.Run("BITFIELD n OVERFLOW SAT SET i8 0 200 OVERFLOW FAIL INCRBY i8 0 1 OVERFLOW WRAP INCRBY i8 0 1") ==
      "*3\r\n:-1\r\n$-1\r\n:-128\r\n");
  CHECK(f.Run("BITFIELD n OVERFLOW FAIL SET u8 0 -1 GET u8 0") == "*2\r\n$-1\r\n:128\r\n");
  CHECK(f.Run("BITFIELD n OVERFLOW SAT INCRBY u63 0 9223372036854775807 INCRBY u63 0 -9223372036854775808") ==
        "*2\r\n:9223372036854775807\r\n:0\r\n");
  f.UseResp3();
  CHECK(f.Run("BITFIELD n OVERFLOW FAIL SET u2 0 5") == "*1\r\n_\r\n");
}

TEST_CASE("the errors of BITFIELD, and which comes first", "[bitmap]") {
  CommandFixture f;
  SetKey(f, "e", "hello");
  for (const std::string_view type : {"u64", "u0", "i0", "i65", "x8", "U8", "8", "", "u", "u08", "u+8", "u-8",
                                      "u8 ", "i99999999999999999999"}) {
    CAPTURE(type);
    CHECK(f.Do({"BITFIELD", "e", "GET", type, "-1"}) == kFieldTypeError);
  }
  for (const std::string_view offset :
       {"-1", "#", "#-1", "##1", "abc", "", "4294967296", "#536870912", "#9223372036854775807"}) {
    CAPTURE(offset);
    CHECK(f.Do({"BITFIELD", "e", "SET", "u8", offset, "abc"}) == kOffsetError);
  }
  CHECK(f.Run("BITFIELD e SET u8 0 abc") == kIntegerError);
  CHECK(f.Run("BITFIELD e SET x8 0") == kSyntaxError);
  CHECK(f.Run("BITFIELD e GET u8") == kSyntaxError);
  CHECK(f.Run("BITFIELD e SET u8 0 1 FOO") == kSyntaxError);
  CHECK(f.Run("BITFIELD e OVERFLOW") == kSyntaxError);
  CHECK(f.Run("BITFIELD e OVERFLOW FOO") == "-ERR Invalid OVERFLOW type specified\r\n");
  CHECK(f.Run("BITFIELD e OVERFLOW WRAP") == "*0\r\n");
  CHECK(f.Run("BITFIELD_RO missing SET u8 0 1") == "-ERR BITFIELD_RO only supports the GET subcommand\r\n");
  CHECK(f.Run("BITFIELD_RO e SET u8 0 abc") == kIntegerError);
  CHECK(ValueOf(f, "e") == "hello");
}

TEST_CASE("only what changed is counted, announced and propagated", "[bitmap]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications(kNotifyString | kNotifyNew | kNotifyGeneric);
  const auto run = [&f](std::string_view line) {
    const int64_t before = f.engine.stats.changes_since_save;
    f.Run(line);
    return f.engine.stats.changes_since_save - before;
  };
  CHECK(run("SETBIT k 0 0") == 1);
  CHECK(f.TakeNotifications() == Lines{"new k", "setbit k"});
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "SETBIT k 0 0"});
  CHECK(run("SETBIT k 0 0") == 0);
  CHECK(run("GETBIT k 0") == 0);
  CHECK(run("BITFIELD k GET u8 0") == 0);
  CHECK(run("BITFIELD k SET u8 0 0 INCRBY u8 0 0") == 0);
  CHECK(f.TakeNotifications().empty());
  CHECK(f.TakeEffects().empty());
  CHECK(run("BITFIELD k SET u8 0 0 INCRBY u8 0 3") == 1);
  // In a string that has grown every write counts.
  CHECK(run("BITFIELD n SET u8 0 1 SET u8 16 1 SET u8 8 0") == 3);
  CHECK(f.TakeNotifications() == Lines{"setbit k", "new n", "setbit n"});
  CHECK(f.TakeEffects() ==
        Lines{"BITFIELD k SET u8 0 0 INCRBY u8 0 3", "BITFIELD n SET u8 0 1 SET u8 16 1 SET u8 8 0"});
  CHECK(run("BITOP OR d k") == 1);
  CHECK(f.TakeNotifications() == Lines{"new d", "set d"});
  CHECK(f.TakeEffects() == Lines{"BITOP OR d k"});
}

TEST_CASE("a string that grows for writes that fail is propagated although nothing counts", "[bitmap]") {
  CommandFixture f;
  f.RecordEffects();
  CHECK(f.Run("BITFIELD k OVERFLOW FAIL INCRBY u2 100 5") == "*1\r\n$-1\r\n");
  CHECK(f.engine.stats.changes_since_save == 0);
  CHECK(ValueOf(f, "k") == std::string(13, '\0'));
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "BITFIELD k OVERFLOW FAIL INCRBY u2 100 5"});
}

TEST_CASE("replaying the effects of random bitmap commands gives the same strings", "[bitmap]") {
  const uint64_t seed = Random::FromSystem().Next();
  CAPTURE(seed);
  Random random(seed);
  CommandFixture f;
  f.RecordEffects();
  CommandFixture replayed;
  const auto number = [&random](uint64_t bound) { return std::to_string(random.Below(bound)); };
  const auto key = [&number] { return "k" + number(4); };
  constexpr const char* kOverflows[] = {"WRAP", "SAT", "FAIL"};
  constexpr const char* kOperations[] = {"AND", "OR", "XOR"};
  for (int i = 0; i < 3000; ++i) {
    std::string line;
    switch (random.Below(4)) {
      case 0: line = "SETBIT " + key() + " " + number(3000) + " " + number(2); break;
      case 1:
        line = "BITOP "s + kOperations[random.Below(3)] + " " + key() + " " + key() + " " + key();
        break;
      case 2: line = "BITOP NOT " + key() + " " + key(); break;
      default:
        line = "BITFIELD " + key() + " OVERFLOW " + kOverflows[random.Below(3)] + " INCRBY i" +
               std::to_string(1 + random.Below(64)) + " " + number(3000) + " " + number(300) + " SET u" +
               std::to_string(1 + random.Below(63)) + " #" + number(40) + " " + number(1000);
    }
    f.Run(line);
    for (const std::string& effect : f.TakeEffects()) replayed.Run(effect);
    if (i % 100 != 0) continue;
    for (const std::string_view name : {"k0", "k1", "k2", "k3"}) {
      REQUIRE((ValueOf(f, name) == ValueOf(replayed, name)));
      REQUIRE((EncodingOf(f, name) == "none") == (EncodingOf(replayed, name) == "none"));
    }
  }
}

TEST_CASE("DEBUG looks inside", "[debug]") {
  CommandFixture f;
  f.engine.options.enable_debug_command = EngineOptions::Permission::kYes;
  SetKey(f, "i", "300");
  SetKey(f, "s", "hello");
  const std::string object = f.Run("DEBUG OBJECT i");
  CHECK(object.rfind("+Value at:0x", 0) == 0);
  CHECK(object.find(" refcount:1 encoding:int serializedlength:3 lru:") != std::string::npos);
  CHECK(object.find(" lru_seconds_idle:0\r\n") != std::string::npos);
  CHECK(f.Run("DEBUG OBJECT s").find("encoding:embstr serializedlength:6 ") != std::string::npos);
  CHECK(f.Run("DEBUG OBJECT missing") == "-ERR no such key\r\n");
  CHECK(f.Run("DEBUG SDSLEN i") == "-ERR Not an sds encoded string.\r\n");
  CHECK(f.Run("DEBUG SDSLEN s").find("val_sds_len:5, val_sds_avail:0") != std::string::npos);
  CHECK(f.Run("DEBUG HTSTATS 0").find(" number of elements: 2\n") != std::string::npos);
  CHECK(f.Run("DEBUG HTSTATS 1").find("No stats available for empty dictionaries\n") != std::string::npos);
  CHECK(f.Run("DEBUG HTSTATS 16") == "-ERR Out of range database\r\n");
  CHECK(f.Run("DEBUG HTSTATS abc") == kIntegerError);
  CHECK(f.Run("DEBUG JMAP").find("# db0\n") != std::string::npos);
  CHECK(f.Run("DEBUG STRINGMATCH-LEN h?llo hello") == ":1\r\n");
  CHECK(f.Do({"DEBUG", "ERROR", "ERR bar baz"}) == "-ERR bar baz\r\n");
  CHECK(f.Run("DEBUG LOG hello") == "+OK\r\n");
  CHECK(f.Run("DEBUG SLEEP 0.001") == "+OK\r\n");
  CHECK(f.Run("DEBUG SLEEP abc") == "+OK\r\n");
  CHECK(f.Run("DEBUG set-active-expire 0") == "+OK\r\n");
  CHECK_FALSE(f.server.active_expiry);
  CHECK(f.Run("DEBUG SET-ACTIVE-EXPIRE 1") == "+OK\r\n");
  CHECK(f.server.active_expiry);
  CHECK(f.Run("DEBUG HELP").find("+HELP\r\n+    Print this help.\r\n") != std::string::npos);
  CHECK(f.Run("DEBUG Foo") ==
        "-ERR unknown subcommand or wrong number of arguments for 'Foo'. Try DEBUG HELP.\r\n");
  CHECK(f.Do({"DEBUG", "a\0b"s}) ==
        "-ERR unknown subcommand or wrong number of arguments for 'a'. Try DEBUG HELP.\r\n");
  CHECK(f.Run("DEBUG SLEEP 0 0") ==
        "-ERR unknown subcommand or wrong number of arguments for 'SLEEP'. Try DEBUG HELP.\r\n");
  f.engine.options.enable_debug_command = EngineOptions::Permission::kNo;
  CHECK(f.Run("DEBUG SLEEP 0").rfind("-ERR DEBUG command not allowed.", 0) == 0);
}

TEST_CASE("DEBUG PROTOCOL in both protocols", "[debug]") {
  struct Expected {
    const char* type;
    const char* resp2;
    const char* resp3;
  };
  const Expected kExpected[] = {
      {"string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"},
      {"INTEGER", ":12345\r\n", ":12345\r\n"},
      {"double", "$5\r\n3.141\r\n", ",3.141\r\n"},
      {"null", "$-1\r\n", "_\r\n"},
      {"array", "*3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"},
      {"set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"},
      {"map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"},
      {"attrib", "$39\r\nSome real reply following the attribute\r\n",
       "|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
       "$39\r\nSome real reply following the attribute\r\n"},
      {"push", "-ERR RESP2 is not supported by this command\r\n",
       ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n"},
      {"verbatim", "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"},
      {"true", ":1\r\n", "#t\r\n"},
      {"false", ":0\r\n", "#f\r\n"},
      {"bignum", "$37\r\n1234567999999999999999999999999999999\r\n",
       "(1234567999999999999999999999999999999\r\n"},
  };
  CommandFixture f;
  f.engine.options.enable_debug_command = EngineOptions::Permission::kYes;
  f.UseResp3(1);
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.type);
    CHECK(f.Do({"DEBUG", "PROTOCOL", expected.type}) == expected.resp2);
    CHECK(f.DoAs(1, {"DEBUG", "PROTOCOL", expected.type}) == expected.resp3);
  }
  CHECK(f.Run("DEBUG PROTOCOL foo") ==
        "-ERR Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false\r\n");
}

}  // namespace
}  // namespace pinyon
