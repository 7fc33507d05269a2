// The set commands through the dispatcher. Expected replies are what a redis-server 7.0 gave, encodings those
// that the documentation of 7.2 says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "command_fixture.h"
#include "keyspace/set_view.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

constexpr char kIntegerError[] = "-ERR value is not an integer or out of range\r\n";

std::string EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  return ref ? std::string(EncodingName(ref->encoding())) : "none";
}

// The bulks of a reply, as they come.
Lines Bulks(std::string_view reply) {
  Lines bulks;
  for (size_t at = reply.find('$'); at != std::string_view::npos; at = reply.find('$', at)) {
    const size_t start = reply.find("\r\n", at) + 2;
    const size_t length = std::stoul(std::string(reply.substr(at + 1)));
    bulks.emplace_back(reply.substr(start, length));
    at = start + length;
  }
  return bulks;
}

Lines Sorted(std::string_view reply) {
  Lines bulks = Bulks(reply);
  std::sort(bulks.begin(), bulks.end());
  return bulks;
}

Lines Members(CommandFixture& f, std::string_view key) { return Sorted(f.Do({"SMEMBERS", key})); }

// SADD of `prefix`0 to `prefix`<count - 1>.
void AddMany(CommandFixture& f, const std::string& key, const std::string& prefix, int count, int first = 0) {
  for (int i = 0; i < count; ++i) f.Do({"SADD", key, prefix + std::to_string(first + i)});
}

TEST_CASE("SADD adds what is not there and keeps the small encodings", "[set]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications();
  CHECK(f.Run("SADD s 3 1 2 1") == ":3\r\n");
  CHECK(EncodingOf(f, "s") == "intset");
  CHECK(f.Run("SMEMBERS s") == "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  CHECK(f.TakeNotifications() == Lines{"new s", "sadd s"});
  CHECK(f.Run("SADD s 3") == ":0\r\n");
  CHECK(f.TakeNotifications().empty());
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "SADD s 3 1 2 1"});
  CHECK(f.Run("SADD s x") == ":1\r\n");
  CHECK(EncodingOf(f, "s") == "listpack");
  CHECK(f.Run("SMEMBERS s") == "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\nx\r\n");
  f.UseResp3();
  CHECK(f.Run("SMEMBERS s") == "~4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\nx\r\n");
  CHECK(f.Run("SMEMBERS none") == "~0\r\n");
  AddMany(f, "s", "m", 200);
  CHECK(EncodingOf(f, "s") == "hashtable");
  CHECK(f.Run("SCARD s") == ":204\r\n");
  CHECK(f.Run("SADD s") == "-ERR wrong number of arguments for 'sadd' command\r\n");
}

TEST_CASE("set commands refuse other types and change nothing", "[set]") {
  CommandFixture f;
  f.Run("SET str v");
  f.Run("SADD s a b");
  for (const char* line : {"SADD str a",
                           "SREM str a",
                           "SISMEMBER str a",
                           "SMISMEMBER str a",
                           "SCARD str",
                           "SMEMBERS str",
                           "SPOP str",
                           "SPOP str 1",
                           "SPOP str 0",
                           "SRANDMEMBER str",
                           "SRANDMEMBER str 0",
                           "SMOVE str s a",
                           "SMOVE s str zz",
                           "SSCAN str 0",
                           "SINTER str",
                           "SINTER none str",
                           "SINTER str none",
                           "SUNION s str",
                           "SDIFF none str",
                           "SINTERCARD 2 none str",
                           "SINTERSTORE d s str",
                           "SUNIONSTORE d s str",
                           "SDIFFSTORE s none str"}) {
    INFO(line);
    CHECK(f.Run(line) == kWrongType);
  }
  CHECK(Members(f, "s") == Lines{"a", "b"});
  CHECK(f.Run("SMOVE none str x") == ":0\r\n");
  CHECK(f.Run("GET s") == kWrongType);
  CHECK(f.Run("SUNIONSTORE str s") == ":2\r\n");
  CHECK(f.Run("TYPE str") == "+set\r\n");
}

TEST_CASE("SREM removes, and deletes the key with the last member", "[set]") {
  CommandFixture f;
  f.RecordNotifications();
  f.Run("SADD s a b c 1");
  f.TakeNotifications();
  CHECK(f.Run("SREM s zz") == ":0\r\n");
  CHECK(f.Run("SREM none a") == ":0\r\n");
  CHECK(f.TakeNotifications().empty());
  CHECK(f.Run("SREM s a zz a 1") == ":2\r\n");
  CHECK(f.TakeNotifications() == Lines{"srem s"});
  CHECK(f.Run("SREM s b c d") == ":2\r\n");
  CHECK(f.TakeNotifications() == Lines{"srem s", "del s"});
  CHECK(f.Run("EXISTS s") == ":0\r\n");
}

TEST_CASE("SISMEMBER and SMISMEMBER look in every encoding", "[set]") {
  CommandFixture f;
  f.Run("SADD i 1 2 3");
  f.Run("SADD l a 2");
  AddMany(f, "t", "m", 300);
  f.Run("SADD t 2");
  CHECK(f.Run("SISMEMBER i 2") == ":1\r\n");
  CHECK(f.Run("SISMEMBER i 02") == ":0\r\n");
  CHECK(f.Run("SISMEMBER none 2") == ":0\r\n");
  CHECK(f.Run("SMISMEMBER i 1 9 a 3") == "*4\r\n:1\r\n:0\r\n:0\r\n:1\r\n");
  CHECK(f.Run("SMISMEMBER l 2 a b") == "*3\r\n:1\r\n:1\r\n:0\r\n");
  CHECK(f.Run("SMISMEMBER none a b") == "*2\r\n:0\r\n:0\r\n");
  std::vector<std::string> args = {"SMISMEMBER", "t"};
  std::string expected = "*40\r\n";
  for (int i = 0; i < 40; ++i) {
    args.push_back("m" + std::to_string(i * 10));
    expected += i < 30 ? ":1\r\n" : ":0\r\n";
  }
  const std::vector<std::string_view> views(args.begin(), args.end());
  CHECK(f.DoAs(0, views) == expected);
}

TEST_CASE("SMOVE moves between sets of any encoding", "[set]") {
  CommandFixture f;
  f.RecordNotifications();
  f.RecordEffects();
  f.Run("SADD from a b 1");
  f.TakeNotifications();
  f.TakeEffects();
  CHECK(f.Run("SMOVE from to 1") == ":1\r\n");
  CHECK(EncodingOf(f, "to") == "intset");
  CHECK(f.TakeNotifications() == Lines{"srem from", "new to", "sadd to"});
  CHECK(f.TakeEffects() == Lines{"SMOVE from to 1"});
  CHECK(f.Run("SMOVE from to x") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("SADD to a") == ":1\r\n");
  f.TakeNotifications();
  CHECK(f.Run("SMOVE from to a") == ":1\r\n");
  CHECK(f.TakeNotifications() == Lines{"srem from"});
  CHECK(f.Run("SMOVE from to b") == ":1\r\n");
  CHECK(f.TakeNotifications() == Lines{"srem from", "del from", "sadd to"});
  CHECK(Members(f, "to") == Lines{"1", "a", "b"});
  CHECK(f.Run("SMOVE to to a") == ":1\r\n");
  CHECK(f.Run("SMOVE to to x") == ":0\r\n");
  CHECK(f.TakeNotifications().empty());
  // The destination's time has come: it is deleted on the way.
  f.Run("SADD old x");
  f.Run("PEXPIRE old 10");
  f.Advance(20);
  CHECK(f.Run("SMOVE to old a") == ":1\r\n");
  CHECK(Members(f, "old") == Lines{"a"});
  CHECK(f.Run("TTL old") == ":-1\r\n");
}

TEST_CASE("SPOP propagates what it chose", "[set]") {
  CommandFixture f;
  f.RecordNotifications();
  f.Run("SADD s a b c d e");
  f.RecordEffects();
  f.TakeNotifications();
  const std::string popped = Bulks(f.Run("SPOP s")).front();
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "SREM s " + popped});
  CHECK(f.TakeNotifications() == Lines{"spop s"});
  CHECK(f.Run("SISMEMBER s " + popped) == ":0\r\n");
  const Lines two = Bulks(f.Run("SPOP s 2"));
  REQUIRE(two.size() == 2);
  CHECK(f.TakeEffects() == Lines{"SREM s " + two[0] + " " + two[1]});
  CHECK(f.Run("SPOP s 0") == "*0\r\n");
  CHECK(f.TakeEffects().empty());
  f.TakeNotifications();
  CHECK(Bulks(f.Run("SPOP s 9")).size() == 2);
  CHECK(f.TakeEffects() == Lines{"DEL s"});
  CHECK(f.TakeNotifications() == Lines{"spop s", "del s"});
  f.Run("SADD s 7");
  f.TakeEffects();
  f.TakeNotifications();
  CHECK(f.Run("SPOP s") == "$1\r\n7\r\n");
  CHECK(f.TakeEffects() == Lines{"SREM s 7"});
  CHECK(f.TakeNotifications() == Lines{"spop s", "del s"});
  CHECK(f.Run("SPOP s") == "$-1\r\n");
  CHECK(f.Run("SPOP s 3") == "*0\r\n");
  CHECK(f.Run("SPOP s -1") == "-ERR value is out of range, must be positive\r\n");
  CHECK(f.Run("SPOP s x") == "-ERR value is out of range, must be positive\r\n");
  CHECK(f.Run("SPOP s 1 2") == kSyntaxError);
  f.UseResp3();
  CHECK(f.Run("SPOP s 3") == "~0\r\n");
}

TEST_CASE("SPOP of many propagates in portions", "[set]") {
  CommandFixture f;
  AddMany(f, "s", "member:", 4000);
  f.RecordEffects();
  CHECK(Bulks(f.Run("SPOP s 2500")).size() == 2500);
  const Lines effects = f.TakeEffects();
  size_t members = 0, commands = 0;
  std::set<std::string> removed;
  for (const std::string& effect : effects) {
    if (!effect.starts_with("SREM s ")) continue;
    ++commands;
    for (size_t at = 6; at != std::string::npos; at = effect.find(' ', at + 1)) {
      removed.insert(effect.substr(at + 1, effect.find(' ', at + 1) - at - 1));
      ++members;
    }
  }
  CHECK(commands == 3);
  CHECK(members == 2500);
  CHECK(removed.size() == 2500);
  CHECK(effects.front() == "MULTI");
  for (const std::string& member : removed) CHECK(f.Run("SISMEMBER s " + member) == ":0\r\n");
}

TEST_CASE("SRANDMEMBER gives different members, or as many draws as are asked for", "[set]") {
  CommandFixture f;
  f.Run("SADD s a b c");
  CHECK(f.Run("SRANDMEMBER none") == "$-1\r\n");
  CHECK(f.Run("SRANDMEMBER none 5") == "*0\r\n");
  CHECK(f.Run("SRANDMEMBER s 0") == "*0\r\n");
  CHECK(Sorted(f.Run("SRANDMEMBER s 3")) == Lines{"a", "b", "c"});
  CHECK(Sorted(f.Run("SRANDMEMBER s 9223372036854775807")) == Lines{"a", "b", "c"});
  const Lines two = Sorted(f.Run("SRANDMEMBER s 2"));
  CHECK(two.size() == 2);
  CHECK(two[0] != two[1]);
  CHECK(Bulks(f.Run("SRANDMEMBER s -1000")).size() == 1000);
  CHECK(f.Run("SRANDMEMBER s x") == kIntegerError);
  CHECK(f.Run("SRANDMEMBER s 1 2") == kSyntaxError);
  CHECK(f.Run("SCARD s") == ":3\r\n");
  f.UseResp3();
  CHECK(f.Run("SRANDMEMBER s 5").substr(0, 4) == "*3\r\n");
}

TEST_CASE("SRANDMEMBER with a huge negative count is bounded", "[set]") {
  CommandFixture f;
  f.Run("SADD s a b c");
  CHECK(f.Run("SRANDMEMBER s -9223372036854775808") ==
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n");
  CHECK(f.Run("SRANDMEMBER s -9223372036854775807") == "-ERR value is out of range\r\n");
  f.options.proto_max_bulk_len = 1000;
  CHECK(Bulks(f.Run("SRANDMEMBER s -100")).size() == 100);
  CHECK(f.Run("SRANDMEMBER s -1000") == "-ERR value is out of range\r\n");
  CHECK(f.server.closed_sessions.empty());
  f.Do({"SADD", "long", std::string(300, 'x')});
  CHECK(Bulks(f.Run("SRANDMEMBER long -100")).size() == 3);
  CHECK(f.server.closed_sessions.size() == 1);
}

TEST_CASE("SSCAN visits every member", "[set]") {
  CommandFixture f;
  CHECK(f.Run("SSCAN none 0") == "*2\r\n$1\r\n0\r\n*0\r\n");
  CHECK(f.Run("SSCAN none x") == "-ERR invalid cursor\r\n");
  f.Run("SADD i 3 1 2");
  CHECK(f.Run("SSCAN i 0") == "*2\r\n$1\r\n0\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  CHECK(f.Run("SSCAN i 0 MATCH 2*") == "*2\r\n$1\r\n0\r\n*1\r\n$1\r\n2\r\n");
  CHECK(f.Run("SSCAN i 0 COUNT 0") == kSyntaxError);
  CHECK(f.Run("SSCAN i 0 NOVALUES") == kSyntaxError);
  AddMany(f, "t", "m", 1000);
  std::set<std::string> seen;
  std::string cursor = "0";
  size_t calls = 0;
  do {
    Lines bulks = Bulks(f.Run("SSCAN t " + cursor + " COUNT 20"));
    cursor = bulks.front();
    seen.insert(bulks.begin() + 1, bulks.end());
    ++calls;
  } while (cursor != "0");
  CHECK(seen.size() == 1000);
  CHECK(calls > 20);
  CHECK(calls < 80);
}

TEST_CASE("SINTER, SUNION and SDIFF of small sets keep the natural order", "[set]") {
  CommandFixture f;
  f.Run("SADD i 5 1 3");
  f.Run("SADD j 3 4 5 6 7");
  f.Run("SADD l x 3 y 5 z");
  CHECK(Bulks(f.Run("SINTER i j")) == Lines{"3", "5"});
  CHECK(Bulks(f.Run("SINTER j l")) == Lines{"3", "5"});
  CHECK(Bulks(f.Run("SINTER l l")) == Lines{"x", "3", "y", "5", "z"});
  CHECK(Bulks(f.Run("SUNION i j i")) == Lines{"1", "3", "4", "5", "6", "7"});
  CHECK(Sorted(f.Run("SUNION i l j none")) == Lines{"1", "3", "4", "5", "6", "7", "x", "y", "z"});
  CHECK(Bulks(f.Run("SDIFF j i")) == Lines{"4", "6", "7"});
  CHECK(Bulks(f.Run("SDIFF l j none i")) == Lines{"x", "y", "z"});
  CHECK(f.Run("SDIFF l l") == "*0\r\n");
  CHECK(f.Run("SDIFF none l") == "*0\r\n");
  CHECK(f.Run("SINTER l none") == "*0\r\n");
  CHECK(f.Run("SUNION none none") == "*0\r\n");
  CHECK(f.Run("SUNION none i") == "*3\r\n$1\r\n1\r\n$1\r\n3\r\n$1\r\n5\r\n");
  f.UseResp3();
  CHECK(f.Run("SINTER i j") == "~2\r\n$1\r\n3\r\n$1\r\n5\r\n");
  CHECK(f.Run("SDIFF none") == "~0\r\n");
}

TEST_CASE("SINTERCARD counts up to its limit", "[set]") {
  CommandFixture f;
  AddMany(f, "a", "m", 300);
  AddMany(f, "b", "m", 300, 100);
  CHECK(f.Run("SINTERCARD 2 a b") == ":200\r\n");
  CHECK(f.Run("SINTERCARD 2 a b LIMIT 0") == ":200\r\n");
  CHECK(f.Run("SINTERCARD 2 a b LIMIT 17") == ":17\r\n");
  CHECK(f.Run("SINTERCARD 2 a b LIMIT 500") == ":200\r\n");
  CHECK(f.Run("SINTERCARD 1 a LIMIT 1 LIMIT 2") == ":2\r\n");
  CHECK(f.Run("SINTERCARD 2 a none") == ":0\r\n");
  CHECK(f.Run("SINTERCARD 0 a") == "-ERR numkeys should be greater than 0\r\n");
  CHECK(f.Run("SINTERCARD x a") == "-ERR numkeys should be greater than 0\r\n");
  CHECK(f.Run("SINTERCARD 2 a") == "-ERR Number of keys can't be greater than number of args\r\n");
  CHECK(f.Run("SINTERCARD 1 a LIMIT") == kSyntaxError);
  CHECK(f.Run("SINTERCARD 1 a LIMIT -1") == "-ERR LIMIT can't be negative\r\n");
  CHECK(f.Run("SINTERCARD 1 a b") == kSyntaxError);
}

TEST_CASE("stored results replace their destination, which may be a source", "[set]") {
  CommandFixture f;
  f.RecordNotifications();
  f.Run("SADD a 1 2 3 x");
  f.Run("SADD b 2 3 4");
  f.Run("EXPIRE a 100");
  f.TakeNotifications();
  CHECK(f.Run("SINTERSTORE d a b") == ":2\r\n");
  CHECK(EncodingOf(f, "d") == "intset");
  CHECK(f.TakeNotifications() == Lines{"new d", "sinterstore d"});
  CHECK(f.Run("SUNIONSTORE a a b") == ":5\r\n");
  CHECK(f.TakeNotifications() == Lines{"sunionstore a"});
  CHECK(f.Run("TTL a") == ":-1\r\n");
  CHECK(Members(f, "a") == Lines{"1", "2", "3", "4", "x"});
  CHECK(f.Run("SDIFFSTORE a a b") == ":2\r\n");
  CHECK(Members(f, "a") == Lines{"1", "x"});
  CHECK(EncodingOf(f, "a") == "listpack");
  f.TakeNotifications();
  CHECK(f.Run("SDIFFSTORE a a a") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"del a"});
  CHECK(EncodingOf(f, "a") == "none");
  CHECK(f.Run("SINTERSTORE a a b") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"keymiss a"});
  f.Run("SET str v");
  CHECK(f.Run("SINTERSTORE str none b") == ":0\r\n");
  CHECK(f.Run("EXISTS str") == ":0\r\n");
}

TEST_CASE("stored results have the encodings of Redis 7.2", "[set]") {
  CommandFixture f;
  f.options.encoding.set_max_intset_entries = 4;
  AddMany(f, "ints", "", 4);
  f.Run("SADD mixed 0 1 2 3 4 5 x");
  f.Run("SADD longer 0 1 2 3 4 5 6 7 y");
  CHECK(f.Run("SUNIONSTORE d ints ints") == ":4\r\n");
  CHECK(EncodingOf(f, "d") == "intset");
  CHECK(f.Run("SINTERSTORE d mixed longer") == ":6\r\n");
  CHECK(EncodingOf(f, "d") == "listpack");
  CHECK(f.Run("SINTERSTORE d mixed ints") == ":4\r\n");
  CHECK(EncodingOf(f, "d") == "intset");
  AddMany(f, "big", "m", 200);
  f.Run("SADD big 1 2");
  CHECK(f.Run("SINTERSTORE d big longer") == ":2\r\n");
  CHECK(EncodingOf(f, "d") == "intset");
  CHECK(f.Run("SUNIONSTORE d big ints") == ":204\r\n");
  CHECK(EncodingOf(f, "d") == "hashtable");
}

// What plain sets say about random sets of all encodings.
TEST_CASE("set algebra gives what plain sets give", "[set]") {
  CommandFixture f;
  Random random(5);
  std::map<std::string, std::set<std::string>> model;
  for (int round = 0; round < 60; ++round) {
    std::vector<std::string> keys;
    for (int k = 0; k < 5; ++k) {
      const std::string key = "k" + std::to_string(k);
      f.Run("DEL " + key);
      model[key].clear();
      if (random.Below(8) == 0) continue;
      const bool integers = random.Below(2) == 0;
      const uint64_t size = 1 + random.Below(random.Below(2) == 0 ? 20 : 600);
      for (uint64_t i = 0; i < size; ++i) {
        std::string member = std::to_string(random.Below(700));
        if (!integers && random.Below(2) == 0) member = "m" + member;
        f.Do({"SADD", key, member});
        model[key].insert(member);
      }
    }
    for (uint64_t left = 1 + random.Below(5); left > 0; --left) {
      keys.push_back("k" + std::to_string(random.Below(5)));
    }
    std::string list;
    for (const std::string& key : keys) list += " " + key;
    INFO(list);

    std::set<std::string> all, common = model[keys[0]], rest = model[keys[0]];
    for (const std::string& key : keys) {
      all.insert(model[key].begin(), model[key].end());
      std::erase_if(common, [&](const std::string& member) { return !model[key].contains(member); });
      if (&key != &keys[0]) {
        std::erase_if(rest, [&](const std::string& member) { return model[key].contains(member); });
      }
    }
    const auto lines = [](const std::set<std::string>& set) { return Lines(set.begin(), set.end()); };
    CHECK(Sorted(f.Run("SUNION" + list)) == lines(all));
    CHECK(Sorted(f.Run("SINTER" + list)) == lines(common));
    CHECK(Sorted(f.Run("SDIFF" + list)) == lines(rest));
    CHECK(f.Run("SINTERCARD " + std::to_string(keys.size()) + list) ==
          ":" + std::to_string(common.size()) + "\r\n");
    CHECK(f.Run("SUNIONSTORE d" + list) == ":" + std::to_string(all.size()) + "\r\n");
    CHECK(Members(f, "d") == lines(all));
    CHECK(f.Run("SINTERSTORE d" + list) == ":" + std::to_string(common.size()) + "\r\n");
    CHECK(Members(f, "d") == lines(common));
    CHECK(f.Run("SDIFFSTORE d" + list) == ":" + std::to_string(rest.size()) + "\r\n");
    CHECK(Members(f, "d") == lines(rest));
    CHECK(f.Run("SDIFFSTORE " + keys[0] + list) == ":" + std::to_string(rest.size()) + "\r\n");
    CHECK(Members(f, keys[0]) == lines(rest));
  }
}

TEST_CASE("sources of a set operation may expire while they are looked up", "[set]") {
  CommandFixture f;
  f.Run("SADD a 1 2 3");
  f.Run("SADD b 2 3");
  f.Run("SADD c 3");
  f.Run("PEXPIRE b 10");
  f.Run("PEXPIRE c 10");
  f.Advance(20);
  CHECK(Sorted(f.Run("SDIFF a b c")) == Lines{"1", "2", "3"});
  CHECK(f.Run("DBSIZE") == ":1\r\n");
}

}  // namespace
}  // namespace pinyon
