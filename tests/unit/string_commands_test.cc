// What a comparison with redis-server cannot show: effects, notifications with frozen time, what came
// after 7.0, and that errors change nothing.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

Encoding EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  REQUIRE(ref);
  return ref->encoding();
}

int64_t ExpiryOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  REQUIRE(ref);
  return ref->expiry_ms();
}

TEST_CASE("string commands propagate times as Unix times") {
  CommandFixture f;
  f.RecordEffects();
  const auto effects_of = [&](std::string_view line) {
    f.Run(line);
    return f.TakeEffects();
  };
  f.Run("SET warm up");  // so that no SELECT stands before what is looked at
  f.TakeEffects();

  CHECK(effects_of("SET k v EX 10") == Lines{"SET k v PXAT 1700000010000"});
  CHECK(effects_of("SET k v PX 10") == Lines{"SET k v PXAT 1700000000010"});
  CHECK(effects_of("SET k v EXAT 1800000000") == Lines{"SET k v PXAT 1800000000000"});
  CHECK(effects_of("SET k v PXAT 1800000000001") == Lines{"SET k v PXAT 1800000000001"});
  CHECK(effects_of("SET k v XX PX 10 GET") == Lines{"SET k v PXAT 1700000000010"});
  CHECK(effects_of("SETEX k 10 v") == Lines{"SET k v PXAT 1700000010000"});
  CHECK(effects_of("PSETEX k 10 v") == Lines{"SET k v PXAT 1700000000010"});
  CHECK(effects_of("GETEX k EX 20") == Lines{"PEXPIREAT k 1700000020000"});
  CHECK(effects_of("GETEX k PXAT 1800000000001") == Lines{"PEXPIREAT k 1800000000001"});
  CHECK(effects_of("GETEX k") == Lines{});
  CHECK(effects_of("GETEX k PERSIST") == Lines{"PERSIST k"});
  CHECK(effects_of("GETEX k PERSIST") == Lines{});
  CHECK(effects_of("GETEX k EXAT 1") == Lines{"DEL k"});
  f.options.lazy_free.expire = true;
  f.Run("SET k v");
  f.TakeEffects();
  CHECK(effects_of("GETEX k EXAT 1") == Lines{"UNLINK k"});
  CHECK(effects_of("MSETEX 2 a 1 b 2 EX 10") ==
        Lines{"MULTI", "SET a 1 PXAT 1700000010000", "SET b 2 PXAT 1700000010000", "EXEC"});
}

TEST_CASE("string commands propagate results, not conditions") {
  CommandFixture f;
  f.RecordEffects();
  const auto effects_of = [&](std::string_view line) {
    f.Run(line);
    return f.TakeEffects();
  };
  f.Run("SET warm up");
  f.TakeEffects();

  CHECK(effects_of("SET k v") == Lines{"SET k v"});
  CHECK(effects_of("SET k v NX") == Lines{});
  CHECK(effects_of("SET k2 v NX") == Lines{"SET k2 v"});
  CHECK(effects_of("SET k w GET") == Lines{"SET k w"});
  CHECK(effects_of("SET k x IFEQ w") == Lines{"SET k x"});
  CHECK(effects_of("SET k x IFEQ w") == Lines{});
  CHECK(effects_of("SET k v KEEPTTL XX") == Lines{"SET k v KEEPTTL"});
  CHECK(effects_of("GETSET k 10") == Lines{"SET k 10"});
  CHECK(effects_of("INCR k") == Lines{"INCR k"});
  CHECK(effects_of("INCRBYFLOAT k 0.5") == Lines{"SET k 11.5 KEEPTTL"});
  CHECK(effects_of("SETNX k 1") == Lines{});
  CHECK(effects_of("SETNX n 1") == Lines{"SETNX n 1"});
  CHECK(effects_of("MSET a 1 b 2") == Lines{"MSET a 1 b 2"});
  CHECK(effects_of("MSETNX a 1 c 2") == Lines{});
  CHECK(effects_of("MSETEX 1 a 1 NX") == Lines{});
  CHECK(effects_of("MSETEX 2 a 1 b 2") == Lines{"MULTI", "SET a 1", "SET b 2", "EXEC"});
  CHECK(effects_of("MSETEX 1 a 1 KEEPTTL") == Lines{"SET a 1 KEEPTTL"});
  CHECK(effects_of("APPEND a 1") == Lines{"APPEND a 1"});
  CHECK(effects_of("SETRANGE a 0 9") == Lines{"SETRANGE a 0 9"});
  CHECK(effects_of("DELIFEQ a 11") == Lines{});
  CHECK(effects_of("DELIFEQ a 91") == Lines{"DEL a"});
  CHECK(effects_of("GETDEL b") == Lines{"DEL b"});
  CHECK(effects_of("GETDEL b") == Lines{});
  f.engine.options.lazy_free.user_del = true;
  CHECK(effects_of("GETDEL k") == Lines{"UNLINK k"});
}

TEST_CASE("string commands notify in order") {
  CommandFixture f;
  f.RecordNotifications(kNotifyString | kNotifyGeneric);
  const auto events_of = [&](std::string_view line) {
    f.Run(line);
    return f.TakeNotifications();
  };
  CHECK(events_of("SET k v") == Lines{"set k"});
  CHECK(events_of("SET k v EX 10") == Lines{"set k", "expire k"});
  CHECK(events_of("SET k v KEEPTTL") == Lines{"set k"});
  CHECK(events_of("SET k v NX") == Lines{});
  CHECK(events_of("SETEX k 10 v") == Lines{"set k", "expire k"});
  CHECK(events_of("GETEX k PX 5") == Lines{"expire k"});
  CHECK(events_of("GETEX k PERSIST") == Lines{"persist k"});
  CHECK(events_of("GETEX k PXAT 5") == Lines{"del k"});
  CHECK(events_of("GETSET k v") == Lines{"set k"});
  CHECK(events_of("GETDEL k") == Lines{"del k"});
  CHECK(events_of("MSET a 1 b 2 a 3") == Lines{"set a", "set b", "set a"});
  CHECK(events_of("MSETNX c 1 d 2") == Lines{"set c", "set d"});
  CHECK(events_of("MSETEX 2 a 1 b 2 PX 10") == Lines{"set a", "expire a", "set b", "expire b"});
  CHECK(events_of("INCR c") == Lines{"incrby c"});
  CHECK(events_of("DECRBY c 2") == Lines{"incrby c"});
  CHECK(events_of("INCRBYFLOAT c 2") == Lines{"incrbyfloat c"});
  CHECK(events_of("APPEND c 2") == Lines{"append c"});
  CHECK(events_of("SETRANGE c 2 x") == Lines{"setrange c"});
  CHECK(f.Do({"SETRANGE", "c", "2", ""}) == ":3\r\n");
  CHECK(f.TakeNotifications() == Lines{});
  CHECK(events_of("DELIFEQ d 2") == Lines{"del d"});
}

TEST_CASE("changes are counted once for each key that was set") {
  CommandFixture f;
  const auto changes_of = [&](std::string_view line) {
    const int64_t before = f.engine.stats.changes_since_save;
    f.Run(line);
    return f.engine.stats.changes_since_save - before;
  };
  CHECK(changes_of("SET k v EX 10") == 1);
  CHECK(changes_of("SET k v NX") == 0);
  CHECK(changes_of("SETEX k 10 v") == 1);
  CHECK(changes_of("MSET a 1 b 2") == 2);
  CHECK(changes_of("MSETEX 2 a 1 b 2 EX 5") == 2);
  CHECK(changes_of("GETEX a") == 0);
  CHECK(changes_of("GETEX a EX 10") == 1);
  CHECK(changes_of("GETDEL a") == 1);
}

TEST_CASE("SET IFEQ sets only what equals") {
  CommandFixture f;
  CHECK(f.Run("SET k v IFEQ v") == kNil);
  CHECK(f.Run("GET k") == kNil);
  CHECK(f.Run("SET k 10") == kOk);
  CHECK(f.Run("SET k b IFEQ 11") == kNil);
  CHECK(f.Run("SET k b IFEQ 010") == kNil);
  CHECK(f.Run("SET k b IFEQ 10") == kOk);
  CHECK(f.Run("SET k c GET IFEQ x") == "$1\r\nb\r\n");
  CHECK(f.Run("GET k") == "$1\r\nb\r\n");
  CHECK(f.Run("SET k c ifeq b GET EX 10") == "$1\r\nb\r\n");
  CHECK(f.Run("GET k") == "$1\r\nc\r\n");
  CHECK(ExpiryOf(f, "k") == CommandFixture::kStartMs + 10'000);
  CHECK(f.Run("SET k d IFEQ c KEEPTTL") == kOk);
  CHECK(ExpiryOf(f, "k") == CommandFixture::kStartMs + 10'000);
  CHECK(f.Run("SET k d IFEQ d") == kOk);
  CHECK(ExpiryOf(f, "k") == kNoExpiry);
  CHECK(f.Run("SET none v IFEQ v GET") == kNil);
  CHECK(f.Do({"SET", "k", "e", "IFEQ", ""}) == kNil);

  CHECK(f.Run("SET k v IFEQ") == kSyntaxError);
  CHECK(f.Run("SET k v IFEQ d NX") == kSyntaxError);
  CHECK(f.Run("SET k v XX IFEQ d") == kSyntaxError);
  CHECK(f.Run("GETEX k IFEQ d") == kSyntaxError);
  CHECK(f.Run("GET k") == "$1\r\nd\r\n");
}

TEST_CASE("DELIFEQ deletes only what equals") {
  CommandFixture f;
  CHECK(f.Run("DELIFEQ k v") == kZero);
  f.Run("SET k v");
  CHECK(f.Run("DELIFEQ k w") == kZero);
  CHECK(f.Run("DELIFEQ k v") == kOne);
  CHECK(f.Run("GET k") == kNil);
  f.Run("SET n 42");
  CHECK(f.Run("DELIFEQ n 042") == kZero);
  CHECK(f.Run("DELIFEQ n 42") == kOne);
}

TEST_CASE("MSETEX sets all or none") {
  CommandFixture f;
  CHECK(f.Run("MSETEX 2 a 1 b 2 PX 500") == kOne);
  CHECK(f.Run("MGET a b") == "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
  CHECK(ExpiryOf(f, "b") == CommandFixture::kStartMs + 500);
  CHECK(f.Run("MSETEX 2 b 3 c 3 NX") == kZero);
  CHECK(f.Run("MSETEX 2 b 3 c 3 XX") == kZero);
  CHECK(f.Run("MGET b c") == "*2\r\n$1\r\n2\r\n$-1\r\n");
  CHECK(f.Run("MSETEX 2 a 3 b 4 XX KEEPTTL") == kOne);
  CHECK(ExpiryOf(f, "a") == CommandFixture::kStartMs + 500);
  CHECK(f.Run("MSETEX 2 a 3 b 4 XX") == kOne);
  CHECK(ExpiryOf(f, "a") == kNoExpiry);
  CHECK(f.Run("MSETEX 2 c 5 c 6 NX EXAT 1800000000") == kOne);
  CHECK(f.Run("GET c") == "$1\r\n6\r\n");

  const std::string bad_count = "-ERR invalid numkeys value\r\n";
  CHECK(f.Run("MSETEX 0 a 1") == bad_count);
  CHECK(f.Run("MSETEX -1 a 1") == bad_count);
  CHECK(f.Run("MSETEX x a 1") == bad_count);
  CHECK(f.Run("MSETEX 2 a 1") == "-ERR wrong number of key-value pairs\r\n");
  CHECK(f.Run("MSETEX 9223372036854775807 a 1") == "-ERR wrong number of key-value pairs\r\n");
  CHECK(f.Run("MSETEX 1 a 1 b 2") == kSyntaxError);
  CHECK(f.Run("MSETEX 1 a 1 NX XX") == kSyntaxError);
  CHECK(f.Run("MSETEX 1 a 1 EX 1 KEEPTTL") == kSyntaxError);
  CHECK(f.Run("MSETEX 1 a 1 GET") == kSyntaxError);
  CHECK(f.Run("MSETEX 1 a 1 EX") == kSyntaxError);
  CHECK(f.Run("MSETEX 1 a 1 EX 0") == "-ERR invalid expire time in 'msetex' command\r\n");
  CHECK(f.Run("GET a") == "$1\r\n3\r\n");
}

TEST_CASE("string commands give the encodings that Redis gives") {
  CommandFixture f;
  f.Run("SET i 12345");
  CHECK(EncodingOf(f, "i") == Encoding::kInt);
  f.Run("SET s 012");
  CHECK(EncodingOf(f, "s") == Encoding::kEmbstr);
  f.Do({"SET", "s", std::string(44, 'x')});
  CHECK(EncodingOf(f, "s") == Encoding::kEmbstr);
  f.Do({"SET", "s", std::string(45, 'x')});
  CHECK(EncodingOf(f, "s") == Encoding::kRaw);
  f.Do({"APPEND", "i", ""});
  CHECK(EncodingOf(f, "i") == Encoding::kRaw);
  f.Run("INCR i");
  CHECK(EncodingOf(f, "i") == Encoding::kInt);
  f.Run("INCRBYFLOAT i 1");
  CHECK(EncodingOf(f, "i") == Encoding::kEmbstr);
  CHECK(f.Run("GET i") == "$5\r\n12347\r\n");
  f.Run("INCRBYFLOAT i 1e300");
  CHECK(EncodingOf(f, "i") == Encoding::kRaw);
  f.Run("APPEND new 5");
  CHECK(EncodingOf(f, "new") == Encoding::kInt);
  f.Run("SETRANGE new 0 6");
  CHECK(EncodingOf(f, "new") == Encoding::kRaw);
  f.Run("GETSET new 7");
  CHECK(EncodingOf(f, "new") == Encoding::kInt);
  f.Do({"SETRANGE", "new", "0", ""});
  CHECK(EncodingOf(f, "new") == Encoding::kInt);
}

TEST_CASE("counters keep their expiry and change in place") {
  CommandFixture f;
  f.Run("SET c 5 PX 1000");
  CHECK(f.Run("INCR c") == ":6\r\n");
  CHECK(f.Run("INCRBYFLOAT c 0.5") == "$3\r\n6.5\r\n");
  CHECK(f.Run("APPEND c 1") == ":4\r\n");
  CHECK(ExpiryOf(f, "c") == CommandFixture::kStartMs + 1000);
  f.Advance(1001);
  CHECK(f.Run("INCR c") == kOne);
  CHECK(ExpiryOf(f, "c") == kNoExpiry);
}

TEST_CASE("strings respect proto-max-bulk-len and stay as they were on errors") {
  CommandFixture f;
  f.engine.options.proto_max_bulk_len = 16;
  f.Run("SET k 0123456789");
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  CHECK(f.Run("APPEND k 0123456") == too_long);
  CHECK(f.Run("SETRANGE k 16 x") == too_long);
  CHECK(f.Run("SETRANGE k 9223372036854775807 x") == too_long);
  CHECK(f.Run("SETRANGE none 16 x") == too_long);
  CHECK(f.Run("GET none") == kNil);
  CHECK(f.Run("GET k") == "$10\r\n0123456789\r\n");
  CHECK(f.Run("SETRANGE k 15 x") == ":16\r\n");
  CHECK(f.Run("LCS k k") ==
        "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n");
}

TEST_CASE("large strings grow, are read in parts and survive being replaced") {
  CommandFixture f;
  const std::string large(100'000, 'a');
  f.Do({"SET", "k", large});
  CHECK(f.Do({"APPEND", "k", "tail"}) == ":100004\r\n");
  CHECK(f.Do({"GETRANGE", "k", "-6", "-1"}) == "$6\r\naatail\r\n");
  CHECK(f.Do({"SETRANGE", "k", "100010", "z"}) == ":100011\r\n");
  CHECK(f.Do({"GETRANGE", "k", "100000", "-1"}) == "$11\r\ntail" + std::string(6, '\0') + "z\r\n");
  CHECK(f.Do({"MSET", "m", large, "m", "small"}) == kOk);
  CHECK(f.Run("GET m") == "$5\r\nsmall\r\n");
  CHECK(f.Do({"SET", "k", "x", "GET"}).size() == 100'011 + 11);
}

TEST_CASE("many keys in one command") {
  CommandFixture f;
  std::vector<std::string> words = {"MSET"};
  for (int i = 0; i < 100; ++i) {
    words.push_back("key" + std::to_string(i));
    words.push_back(std::to_string(i * i));
  }
  const auto run = [&](const std::vector<std::string>& line) {
    return f.DoAs(0, std::vector<std::string_view>(line.begin(), line.end()));
  };
  CHECK(run(words) == kOk);
  words = {"MGET"};
  std::string expected = "*100\r\n";
  for (int i = 0; i < 100; ++i) {
    words.push_back("key" + std::to_string(i));
    const std::string value = std::to_string(i * i);
    expected += "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }
  CHECK(run(words) == expected);
}

TEST_CASE("LCS answers RESP3 clients with a map") {
  CommandFixture f;
  f.Run("MSET a ohmytext b mynewtext");
  CHECK(f.Run("LCS a b") == "$6\r\nmytext\r\n");
  CHECK(f.Run("LCS a none IDX") == "*4\r\n$7\r\nmatches\r\n*0\r\n$3\r\nlen\r\n:0\r\n");
  f.UseResp3();
  CHECK(f.Run("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN") ==
        "%2\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n");
  CHECK(f.Run("GET none") == "_\r\n");
}

TEST_CASE("LCS whose second key has just expired") {
  CommandFixture f;
  f.Run("SET a abc");
  f.Run("SET b abc PX 10");
  f.Advance(11);
  CHECK(f.Run("LCS a b LEN") == kZero);
}

}  // namespace
}  // namespace pinyon
