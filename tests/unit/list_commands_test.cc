// What a comparison with redis-server cannot show: encodings as of 7.2, effects, notifications, waiting, and
// extreme cases.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "keyspace/list_value.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kNilArray = "*-1\r\n";

std::string EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  REQUIRE(ref);
  return std::string(EncodingName(ref->encoding()));
}

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string Array(const Lines& elements) {
  std::string reply = "*" + std::to_string(elements.size()) + "\r\n";
  for (const std::string& element : elements) reply += Bulk(element);
  return reply;
}

void PushMany(CommandFixture& f, std::string_view key, size_t count, const std::string& text) {
  for (size_t i = 0; i < count; ++i) f.Do({"RPUSH", key, text});
}

TEST_CASE("a list becomes a quicklist when a listpack would exceed the limit", "[list]") {
  CommandFixture f;
  // Seven bytes of an empty listpack, and the text of what comes in.
  f.Do({"RPUSH", "k", std::string(8192 - 7, 'x')});
  CHECK(EncodingOf(f, "k") == "listpack");
  f.Do({"RPUSH", "k", "y"});
  CHECK(EncodingOf(f, "k") == "quicklist");
  CHECK(f.Run("LINDEX k -1") == Bulk("y"));
  f.Do({"RPUSH", "large", std::string(8192 - 6, 'x')});
  CHECK(EncodingOf(f, "large") == "quicklist");

  f.options.encoding.list_max_listpack_size = 3;
  f.Run("RPUSH few 1 2 3");
  CHECK(EncodingOf(f, "few") == "listpack");
  f.Run("LINSERT few BEFORE 2 x");
  CHECK(EncodingOf(f, "few") == "quicklist");
  CHECK(f.Run("LRANGE few 0 -1") == Array({"1", "x", "2", "3"}));
  f.Run("RPUSH many 1 2 3 4");
  CHECK(EncodingOf(f, "many") == "quicklist");
  // What a count limits, bytes do too.
  f.Do({"RPUSH", "long", std::string(9000, 'x')});
  CHECK(EncodingOf(f, "long") == "quicklist");
  f.Do({"RPUSH", "set", "a"});
  f.Do({"LSET", "set", "0", std::string(9000, 'x')});
  CHECK(EncodingOf(f, "set") == "quicklist");
}

TEST_CASE("a quicklist becomes a listpack when it has come down to half the limit", "[list]") {
  CommandFixture f;
  f.options.encoding.list_max_listpack_size = 4;
  f.Run("RPUSH k 1 2 3 4 5");
  CHECK(EncodingOf(f, "k") == "quicklist");
  f.Run("RPOP k");
  f.Run("RPOP k");
  CHECK(EncodingOf(f, "k") == "quicklist");
  f.Run("RPOP k");
  CHECK(EncodingOf(f, "k") == "listpack");
  CHECK(f.Run("LRANGE k 0 -1") == Array({"1", "2"}));

  const auto shrunk_by = [&](std::initializer_list<std::string_view> command) {
    f.Run("DEL k");
    f.Run("RPUSH k a b c d e");
    f.Do(command);
    return EncodingOf(f, "k");
  };
  CHECK(shrunk_by({"LTRIM", "k", "0", "1"}) == "listpack");
  CHECK(shrunk_by({"LPOP", "k", "4"}) == "listpack");
  CHECK(shrunk_by({"LMPOP", "1", "k", "RIGHT", "COUNT", "3"}) == "listpack");
  CHECK(shrunk_by({"LPOP", "k", "2"}) == "quicklist");

  f.options.encoding.list_max_listpack_size = -2;
  f.Run("DEL k");
  PushMany(f, "k", 100, std::string(100, 'x'));
  f.Run("RPUSH k y y y");
  CHECK(EncodingOf(f, "k") == "quicklist");
  f.Do({"LREM", "k", "70", std::string(100, 'x')});
  CHECK(EncodingOf(f, "k") == "listpack");
  CHECK(f.Run("LLEN k") == ":33\r\n");

  f.Do({"RPUSH", "set", std::string(9000, 'x')});
  CHECK(EncodingOf(f, "set") == "quicklist");
  f.Run("LSET set 0 a");
  CHECK(EncodingOf(f, "set") == "listpack");
}

TEST_CASE("commands on lists propagate what they did", "[list]") {
  CommandFixture f;
  f.RecordEffects();
  f.Run("SET warm up");
  const auto effects_of = [&](std::string_view line) {
    f.TakeEffects();
    f.Run(line);
    return f.TakeEffects();
  };
  CHECK(effects_of("RPUSH k a b c d e f g h") == Lines{"RPUSH k a b c d e f g h"});
  CHECK(effects_of("LPUSHX none a") == Lines{});
  CHECK(effects_of("LPOP k") == Lines{"LPOP k"});
  CHECK(effects_of("LPOP k 0") == Lines{});
  CHECK(effects_of("LPOP none") == Lines{});
  CHECK(effects_of("LMPOP 2 none k RIGHT COUNT 2") == Lines{"RPOP k 2"});
  CHECK(effects_of("BLMPOP 0 2 none k LEFT") == Lines{"LPOP k 1"});
  CHECK(effects_of("BRPOP none k 0") == Lines{"RPOP k"});
  CHECK(effects_of("BLPOP k 0") == Lines{"LPOP k"});
  CHECK(effects_of("BLMOVE k m RIGHT LEFT 0") == Lines{"LMOVE k m RIGHT LEFT"});
  CHECK(effects_of("BRPOPLPUSH m k 0") == Lines{"RPOPLPUSH m k"});
  CHECK(effects_of("LMOVE k k LEFT RIGHT") == Lines{"LMOVE k k LEFT RIGHT"});
  CHECK(effects_of("LTRIM k 0 -1") == Lines{});
  CHECK(effects_of("LTRIM k 0 0") == Lines{"LTRIM k 0 0"});
  CHECK(effects_of("LREM k 0 zz") == Lines{});
  CHECK(effects_of("LINSERT k BEFORE zz a") == Lines{});
  CHECK(effects_of("LSET k 0 z") == Lines{"LSET k 0 z"});
}

TEST_CASE("events of lists come in Redis's order", "[list]") {
  CommandFixture f;
  f.RecordNotifications();
  const auto events_of = [&](std::string_view line) {
    f.TakeNotifications();
    f.Run(line);
    return f.TakeNotifications();
  };
  f.Run("RPUSH k a b");
  CHECK(events_of("LMOVE k m LEFT RIGHT") == Lines{"new m", "rpush m", "lpop k"});
  CHECK(events_of("LMOVE k k LEFT RIGHT") == Lines{"rpush k", "lpop k"});
  CHECK(events_of("RPOPLPUSH k m") == Lines{"lpush m", "rpop k", "del k"});
  CHECK(events_of("LPOP m 5") == Lines{"lpop m", "del m"});
  f.Run("RPUSH k a a b");
  CHECK(events_of("LREM k 0 a") == Lines{"lrem k"});
  CHECK(events_of("LTRIM k 0 5") == Lines{"ltrim k"});
  CHECK(events_of("LTRIM k 5 6") == Lines{"ltrim k", "del k"});
  f.Run("RPUSH k a b");
  CHECK(events_of("LINSERT k AFTER a x") == Lines{"linsert k"});
  CHECK(events_of("LSET k 0 x") == Lines{"lset k"});
  CHECK(events_of("LMPOP 1 k LEFT COUNT 9") == Lines{"lpop k", "del k"});
}

TEST_CASE("clients wait for elements, first come, first served", "[list]") {
  CommandFixture f;
  CHECK(f.RunAs(1, "BLPOP k other 0").empty());
  CHECK(f.RunAs(2, "BLMOVE k m LEFT RIGHT 0").empty());
  CHECK(f.RunAs(3, "BLMPOP 0 1 k RIGHT COUNT 10").empty());
  f.RecordEffects();
  f.RecordNotifications();
  CHECK(f.Run("RPUSH k 1 2 3 4") == ":4\r\n");
  CHECK(f.Received(1) == Array({"k", "1"}));
  CHECK(f.Received(2) == Bulk("2"));
  CHECK(f.Received(3) == "*2\r\n" + Bulk("k") + Array({"4", "3"}));
  CHECK(f.TakeEffects() ==
        Lines{"SELECT 0", "RPUSH k 1 2 3 4", "LPOP k", "LMOVE k m LEFT RIGHT", "RPOP k 2"});
  CHECK(f.TakeNotifications() ==
        Lines{"new k", "rpush k", "lpop k", "new m", "rpush m", "lpop k", "rpop k", "del k"});
}

TEST_CASE("waiting commands reply null at once within a transaction", "[list]") {
  CommandFixture f;
  f.Run("MULTI");
  f.Run("BLPOP k 0");
  f.Run("BLMOVE k m LEFT LEFT 0");
  f.Run("BLMPOP 0 1 k LEFT");
  CHECK(f.Run("EXEC") == "*3\r\n" + std::string(kNilArray) + std::string(kNil) + std::string(kNilArray));
}

TEST_CASE("a move to a key of another type changes nothing", "[list]") {
  CommandFixture f;
  f.Run("RPUSH k a b");
  f.Run("SET s x");
  for (const std::string_view line : {"LMOVE k s LEFT LEFT", "RPOPLPUSH k s", "BLMOVE k s LEFT LEFT 0"}) {
    CHECK(f.Run(line).starts_with("-WRONGTYPE"));
  }
  CHECK(f.Run("LRANGE k 0 -1") == Array({"a", "b"}));
  CHECK(f.Run("GET s") == Bulk("x"));
}

TEST_CASE("extreme indexes and counts are taken for what they are", "[list]") {
  CommandFixture f;
  f.Run("RPUSH k a b a");
  const std::string least = std::to_string(INT64_MIN);
  const std::string most = std::to_string(INT64_MAX);
  CHECK(f.Do({"LRANGE", "k", least, most}) == Array({"a", "b", "a"}));
  CHECK(f.Do({"LRANGE", "k", most, least}) == "*0\r\n");
  CHECK(f.Do({"LRANGE", "k", least, least}) == "*0\r\n");
  CHECK(f.Do({"LINDEX", "k", least}) == kNil);
  CHECK(f.Do({"LSET", "k", least, "x"}) == "-ERR index out of range\r\n");
  CHECK(f.Do({"LPOS", "k", "a", "RANK", least}) ==
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n");
  CHECK(f.Do({"LPOS", "k", "a", "RANK", most}) == kNil);
  CHECK(f.Do({"LPOS", "k", "a", "COUNT", most, "MAXLEN", most}) == "*2\r\n:0\r\n:2\r\n");
  CHECK(f.Do({"LREM", "k", least, "zz"}) == ":0\r\n");
  CHECK(f.Do({"LREM", "k", least, "b"}) == ":1\r\n");
  CHECK(f.Do({"LTRIM", "k", least, most}) == kOk);
  CHECK(f.Do({"LPOP", "k", most}) == Array({"a", "a"}));
  CHECK(f.Run("EXISTS k") == ":0\r\n");
}

TEST_CASE("a long list keeps its expiry and its order through LTRIM to a few elements", "[list]") {
  CommandFixture f;
  const std::string text(1000, 'x');
  PushMany(f, "k", 4000, text);
  f.Do({"LSET", "k", "2000", "middle"});
  f.Do({"LSET", "k", "2001", std::string(50'000, 'y')});
  f.Run("PEXPIREAT k 1800000000000");
  CHECK(f.Run("LTRIM k 1999 2001") == kOk);
  CHECK(f.Run("LRANGE k 0 -1") == Array({text, "middle", std::string(50'000, 'y')}));
  CHECK(f.Run("PEXPIRETIME k") == ":1800000000000\r\n");
  CHECK(f.Run("RPOP k") == Bulk(std::string(50'000, 'y')));
}

TEST_CASE("lists are copied, renamed and compared by value", "[list]") {
  CommandFixture f;
  PushMany(f, "k", 300, std::string(100, 'x'));
  f.Run("COPY k c");
  f.Run("LPUSH k first");
  CHECK(f.Run("LLEN c") == ":300\r\n");
  CHECK(f.Run("RENAME k r") == kOk);
  CHECK(f.Run("LINDEX r 0") == Bulk("first"));
  f.Run("RPUSH small a b");
  f.Run("COPY small other");
  f.Run("LPOP small 2");
  CHECK(f.Run("LRANGE other 0 -1") == Array({"a", "b"}));
}

}  // namespace
}  // namespace pinyon
