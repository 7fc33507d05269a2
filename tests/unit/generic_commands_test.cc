#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {

namespace {

using Lines = std::vector<std::string>;

constexpr const char* kDbRange = "-ERR DB index is out of range\r\n";
constexpr const char* kSameObject = "-ERR source and destination objects are the same\r\n";
constexpr const char* kNoSuchKey = "-ERR no such key\r\n";

// The keys of an array of bulks, and in `*cursor` the cursor before it in a reply to SCAN.
std::vector<std::string> ParseKeys(const std::string& reply, std::string* cursor = nullptr) {
  std::vector<std::string> bulks;
  size_t at = 0;
  while ((at = reply.find('$', at)) != std::string::npos) {
    const size_t end = reply.find("\r\n", at);
    const size_t length = std::stoul(reply.substr(at + 1, end - at - 1));
    bulks.push_back(reply.substr(end + 2, length));
    at = end + 2 + length + 2;
  }
  if (cursor != nullptr) {
    REQUIRE_FALSE(bulks.empty());
    *cursor = bulks.front();
    bulks.erase(bulks.begin());
  }
  return bulks;
}

std::vector<std::string> Sorted(std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  return keys;
}

// All keys that a whole SCAN with these options returns.
std::vector<std::string> ScanAll(CommandFixture& f, const std::string& options, size_t* steps = nullptr) {
  std::vector<std::string> all;
  std::string cursor = "0";
  size_t count = 0;
  do {
    const auto keys = ParseKeys(f.Run("SCAN " + cursor + options), &cursor);
    all.insert(all.end(), keys.begin(), keys.end());
    ++count;
    REQUIRE(count < 100'000);
  } while (cursor != "0");
  if (steps != nullptr) *steps = count;
  return all;
}

}  // namespace

TEST_CASE("DEL and UNLINK count what they delete", "[generic]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications(kNotifyGeneric);
  const std::string name = GENERATE("DEL", "UNLINK");
  f.Run("SET a 1");
  f.Run("SET b 2");
  f.TakeEffects();
  CHECK(f.Run(name + " nokey") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run(name + " a nokey b a") == ":2\r\n");
  CHECK(f.TakeEffects() == Lines{name + " a nokey b a"});
  CHECK(f.TakeNotifications() == Lines{"del a", "del b"});
  CHECK(f.Run("DBSIZE") == ":0\r\n");
  CHECK(f.Run(name) == "-ERR wrong number of arguments for '" +
                           std::string(name == "DEL" ? "del" : "unlink") + "' command\r\n");
}

TEST_CASE("Commands with many keys handle each of them", "[generic]") {
  CommandFixture f;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("key:" + std::to_string(i));
  for (const std::string& name : names) f.Do({"SET", name, "v"});
  std::vector<std::string_view> args = {"EXISTS"};
  args.insert(args.end(), names.begin(), names.end());
  args.push_back("missing");
  CHECK(f.DoAs(0, args) == ":100\r\n");
  args[0] = "TOUCH";
  CHECK(f.DoAs(0, args) == ":100\r\n");
  args[0] = "DEL";
  CHECK(f.DoAs(0, args) == ":100\r\n");
  CHECK(f.Run("DBSIZE") == ":0\r\n");
}

TEST_CASE("EXISTS counts a key as often as it is named", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  CHECK(f.Run("EXISTS a a nokey") == ":2\r\n");
  CHECK(f.keyspace.stats().hits == 2);
  CHECK(f.keyspace.stats().misses == 1);
}

TEST_CASE("Asking about a key does not touch it, TOUCH does", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  f.Advance(100'000);
  f.Run("EXISTS a");
  f.Run("TYPE a");
  f.Run("TTL a");
  CHECK(f.Run("OBJECT IDLETIME a") == ":100\r\n");
  CHECK(f.Run("TOUCH a a nokey") == ":2\r\n");
  CHECK(f.Run("OBJECT IDLETIME a") == ":0\r\n");
}

TEST_CASE("TYPE names a type or none", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  CHECK(f.Run("TYPE a") == "+string\r\n");
  CHECK(f.Run("TYPE nokey") == "+none\r\n");
}

TEST_CASE("A missed key is notified to who asks for that", "[generic]") {
  CommandFixture f;
  f.RecordNotifications(kNotifyKeyMiss);
  f.Run("EXISTS nokey");
  f.Run("TYPE nokey");
  f.Run("TTL nokey");
  f.Run("OBJECT ENCODING nokey");
  f.Run("DEL nokey");
  CHECK(f.TakeNotifications() == Lines{"keymiss nokey", "keymiss nokey", "keymiss nokey"});
}

TEST_CASE("RENAME replaces, and takes value and expiry along", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1 EX 100");
  f.Run("SET b 2");
  f.RecordEffects();
  f.RecordNotifications();
  CHECK(f.Run("RENAME a b") == kOk);
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "RENAME a b"});
  CHECK(f.TakeNotifications() == Lines{"new b", "rename_from a", "rename_to b"});
  CHECK(f.Run("GET b") == "$1\r\n1\r\n");
  CHECK(f.Run("TTL b") == ":100\r\n");
  CHECK(f.Run("EXISTS a") == ":0\r\n");

  CHECK(f.Run("RENAME b b") == kOk);
  CHECK(f.Run("RENAME nokey nokey") == kNoSuchKey);
  CHECK(f.Run("RENAME nokey x") == kNoSuchKey);
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("RENAME drops the expiry of the key that it replaces", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  f.Run("SET b 2 EX 100");
  CHECK(f.Run("RENAME a b") == kOk);
  CHECK(f.Run("TTL b") == ":-1\r\n");
}

TEST_CASE("RENAME moves values of any size", "[generic]") {
  CommandFixture f;
  const std::string big(100'000, 'x');
  f.Do({"SET", "a", big});
  const std::string long_name(1000, 'n');
  CHECK(f.Do({"RENAME", "a", long_name}) == kOk);
  CHECK(f.Do({"GET", long_name}) == "$100000\r\n" + big + "\r\n");
  CHECK(f.Do({"RENAME", long_name, "b"}) == kOk);
  CHECK(f.Do({"GET", "b"}) == "$100000\r\n" + big + "\r\n");
}

TEST_CASE("RENAMENX leaves an existing key alone", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  f.Run("SET b 2");
  f.RecordEffects();
  CHECK(f.Run("RENAMENX a b") == ":0\r\n");
  CHECK(f.Run("RENAMENX a a") == ":0\r\n");
  CHECK(f.Run("RENAMENX nokey nokey") == kNoSuchKey);
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("RENAMENX a c") == ":1\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "RENAMENX a c"});
  CHECK(f.Run("GET c") == "$1\r\n1\r\n");
}

TEST_CASE("COPY copies value and expiry", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1 EX 100");
  f.Run("SET b 2");
  f.RecordEffects();
  f.RecordNotifications();
  CHECK(f.Run("COPY a b") == ":0\r\n");
  CHECK(f.Run("COPY nokey b REPLACE") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"keymiss nokey"});
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("COPY a b REPLACE") == ":1\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "COPY a b REPLACE"});
  CHECK(f.TakeNotifications() == Lines{"new b", "copy_to b"});
  CHECK(f.Run("GET b") == "$1\r\n1\r\n");
  CHECK(f.Run("TTL b") == ":100\r\n");
  CHECK(f.Run("COPY a x DB 3") == ":1\r\n");
  CHECK(f.TakeNotifications() == Lines{"new x@3", "copy_to x@3"});
  f.Run("SELECT 3");
  CHECK(f.Run("GET x") == "$1\r\n1\r\n");
}

TEST_CASE("A copy of a large value is independent of it", "[generic]") {
  CommandFixture f;
  const std::string big(100'000, 'x');
  f.Do({"SET", "a", big});
  CHECK(f.Run("COPY a b") == ":1\r\n");
  f.Run("SET a short");
  CHECK(f.Do({"GET", "b"}) == "$100000\r\n" + big + "\r\n");
}

TEST_CASE("COPY reports errors in Redis's order", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  CHECK(f.Run("COPY a a") == kSameObject);
  CHECK(f.Run("COPY nokey nokey") == kSameObject);
  CHECK(f.Run("COPY a a DB 0") == kSameObject);
  CHECK(f.Run("COPY a a DB 1 REPLACE DB 0") == kSameObject);
  CHECK(f.Run("COPY a b DB 99") == kDbRange);
  CHECK(f.Run("COPY a b DB -1") == kDbRange);
  CHECK(f.Run("COPY a b DB x") == kNotInteger);
  CHECK(f.Run("COPY a b DB 9999999999") ==
        "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
  CHECK(f.Run("COPY a b DB") == kSyntaxError);
  CHECK(f.Run("COPY a b foo") == kSyntaxError);
  CHECK(f.Run("COPY a b DB 1 REPLACE DB x foo") == kNotInteger);
  CHECK(f.Run("COPY a a DB 1") == ":1\r\n");
}

TEST_CASE("MOVE moves to another database", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1 EX 100");
  f.RecordEffects();
  f.RecordNotifications();
  CHECK(f.Run("MOVE a 0") == kSameObject);
  CHECK(f.Run("MOVE nokey 0") == kSameObject);
  CHECK(f.Run("MOVE a 16") == kDbRange);
  CHECK(f.Run("MOVE a x") == kNotInteger);
  CHECK(f.Run("MOVE nokey 1") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("MOVE a 1") == ":1\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "MOVE a 1"});
  CHECK(f.TakeNotifications() == Lines{"new a@1", "move_from a", "move_to a@1"});
  f.Run("SET a 2");
  CHECK(f.Run("MOVE a 1") == ":0\r\n");
  f.Run("SELECT 1");
  CHECK(f.Run("GET a") == "$1\r\n1\r\n");
  CHECK(f.Run("TTL a") == ":100\r\n");
}

TEST_CASE("SCAN returns every key, in any portions", "[generic]") {
  CommandFixture f;
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back("key:" + std::to_string(i));
  for (const std::string& name : names) f.Do({"SET", name, "v"});
  std::sort(names.begin(), names.end());
  CHECK(Sorted(ScanAll(f, "")) == names);
  CHECK(Sorted(ScanAll(f, " COUNT 1")) == names);
  CHECK(Sorted(ScanAll(f, " COUNT 1000")) == names);
  size_t steps = 0;
  CHECK(Sorted(ScanAll(f, " COUNT 9223372036854775807", &steps)) == names);
  CHECK(steps == 1);
  CHECK(ScanAll(f, " MATCH key:77").size() == 1);
  CHECK(ScanAll(f, " MATCH key:77*").size() == 11);
  CHECK(ScanAll(f, " MATCH * COUNT 100").size() == 3000);
  CHECK(ScanAll(f, " TYPE STRING COUNT 100").size() == 3000);
  CHECK(ScanAll(f, " TYPE list COUNT 100").empty());
  CHECK(ScanAll(f, " TYPE unheard-of COUNT 100").empty());
}

TEST_CASE("A small SCAN visits little", "[generic]") {
  CommandFixture f;
  for (int i = 0; i < 3000; ++i) f.Do({"SET", "key:" + std::to_string(i), "v"});
  std::string cursor;
  const auto keys = ParseKeys(f.Run("SCAN 0 COUNT 10"), &cursor);
  CHECK(keys.size() >= 10);
  CHECK(keys.size() < 40);
  CHECK(cursor != "0");
}

TEST_CASE("SCAN returns what stays while other keys come and go", "[generic]") {
  CommandFixture f;
  for (int i = 0; i < 500; ++i) f.Do({"SET", "stay:" + std::to_string(i), "v"});
  std::set<std::string> seen;
  std::string cursor = "0";
  int next = 0;
  do {
    for (const std::string& key : ParseKeys(f.Run("SCAN " + cursor + " COUNT 20"), &cursor)) seen.insert(key);
    for (int i = 0; i < 50; ++i) f.Do({"SET", "come:" + std::to_string(next++), "v"});
    for (int i = 0; i < 25; ++i) f.Do({"DEL", "come:" + std::to_string(next - 40 + i)});
  } while (cursor != "0" && next < 100'000);
  CHECK(cursor == "0");
  for (int i = 0; i < 500; ++i) CHECK(seen.count("stay:" + std::to_string(i)) == 1);
}

TEST_CASE("SCAN takes the cursors that Redis takes", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  const std::string bad = "-ERR invalid cursor\r\n";
  for (const char* cursor : {"a", " 0", "0 ", "0x10", "18446744073709551616", "-", "+", "1.0"}) {
    CHECK(f.Do({"SCAN", cursor}) == bad);
  }
  for (const char* cursor : {"0", "01", "+0", "", "-1", "18446744073709551615"}) {
    CHECK(f.Do({"SCAN", cursor}).substr(0, 2) == "*2");
  }
}

TEST_CASE("SCAN refuses bad options", "[generic]") {
  CommandFixture f;
  CHECK(f.Run("SCAN 0 COUNT") == kSyntaxError);
  CHECK(f.Run("SCAN 0 COUNT 0") == kSyntaxError);
  CHECK(f.Run("SCAN 0 COUNT -1") == kSyntaxError);
  CHECK(f.Run("SCAN 0 COUNT a") == kNotInteger);
  CHECK(f.Run("SCAN 0 MATCH") == kSyntaxError);
  CHECK(f.Run("SCAN 0 foo bar") == kSyntaxError);
  CHECK(f.Run("SCAN x MATCH") == "-ERR invalid cursor\r\n");
}

TEST_CASE("SCAN hides expired keys and deletes them", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1 PX 10");
  f.Run("SET b 1");
  f.Advance(11);
  CHECK(f.Run("DBSIZE") == ":2\r\n");
  CHECK(ScanAll(f, " MATCH b").size() == 1);
  CHECK(f.Run("DBSIZE") == ":2\r\n");
  CHECK(ScanAll(f, "") == Lines{"b"});
  CHECK(f.Run("DBSIZE") == ":1\r\n");
}

TEST_CASE("KEYS lists what matches and lives", "[generic]") {
  CommandFixture f;
  f.Run("SET one 1");
  f.Run("SET two 1 PX 10");
  f.Run("SET three 1");
  f.Do({"SET", "", "empty"});
  CHECK(Sorted(ParseKeys(f.Run("KEYS *"))) == Lines{"", "one", "three", "two"});
  CHECK(Sorted(ParseKeys(f.Run("KEYS t*"))) == Lines{"three", "two"});
  CHECK(f.Run("KEYS one") == "*1\r\n$3\r\none\r\n");
  CHECK(f.Run("KEYS four") == "*0\r\n");
  CHECK(f.Do({"KEYS", ""}) == "*1\r\n$0\r\n\r\n");
  CHECK(f.Do({"KEYS", "\\one"}) == "*1\r\n$3\r\none\r\n");
  f.Advance(11);
  CHECK(f.Run("KEYS t*") == "*1\r\n$5\r\nthree\r\n");
  CHECK(f.Run("KEYS two") == "*0\r\n");
  CHECK(f.Run("DBSIZE") == ":4\r\n");
}

TEST_CASE("RANDOMKEY finds living keys only", "[generic]") {
  CommandFixture f;
  CHECK(f.Run("RANDOMKEY") == kNil);
  f.Run("SET a 1 PX 10");
  f.Run("SET b 1");
  f.Advance(11);
  for (int i = 0; i < 20; ++i) CHECK(f.Run("RANDOMKEY") == "$1\r\nb\r\n");
  f.Run("DEL b");
  CHECK(f.Run("RANDOMKEY") == kNil);
}

TEST_CASE("SELECT chooses the connection's database", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  CHECK(f.Run("SELECT 15") == kOk);
  CHECK(f.Run("EXISTS a") == ":0\r\n");
  CHECK(f.RunAs(1, "EXISTS a") == ":1\r\n");
  CHECK(f.Run("SELECT 16") == kDbRange);
  CHECK(f.Run("SELECT -1") == kDbRange);
  CHECK(f.Run("SELECT a") == kNotInteger);
  CHECK(f.Run("SELECT 1.0") == kNotInteger);
  CHECK(f.Run("SELECT 99999999999999") ==
        "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
  CHECK(f.session().database == 15);
}

TEST_CASE("SWAPDB exchanges two databases", "[generic]") {
  CommandFixture f;
  f.Run("SET a 1");
  f.RecordEffects();
  CHECK(f.Run("SWAPDB 0 7") == kOk);
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "SWAPDB 0 7"});
  CHECK(f.Run("EXISTS a") == ":0\r\n");
  f.Run("SELECT 7");
  CHECK(f.Run("EXISTS a") == ":1\r\n");
  CHECK(f.Run("SWAPDB 7 7") == kOk);
  CHECK(f.Run("EXISTS a") == ":1\r\n");
  CHECK(f.Run("SWAPDB a b") == "-ERR invalid first DB index\r\n");
  CHECK(f.Run("SWAPDB 0 b") == "-ERR invalid second DB index\r\n");
  CHECK(f.Run("SWAPDB 0 9999999999999999999") == "-ERR invalid second DB index\r\n");
  CHECK(f.Run("SWAPDB 0 16") == kDbRange);
  CHECK(f.Run("SWAPDB -1 0") == kDbRange);
}

TEST_CASE("FLUSHDB empties one database, FLUSHALL all", "[generic]") {
  CommandFixture f;
  f.RecordEffects();
  f.Run("SET a 1");
  f.Run("SELECT 1");
  f.Run("SET a 1");
  f.TakeEffects();
  CHECK(f.Run("FLUSHDB") == kOk);
  CHECK(f.TakeEffects() == Lines{"FLUSHDB"});
  CHECK(f.Run("DBSIZE") == ":0\r\n");
  f.Run("SELECT 0");
  CHECK(f.Run("DBSIZE") == ":1\r\n");
  CHECK(f.Run("FLUSHALL ASYNC") == kOk);
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "FLUSHALL ASYNC"});
  CHECK(f.keyspace.TotalKeys() == 0);
  CHECK(f.Run("FLUSHALL sync") == kOk);
  CHECK(f.TakeEffects() == Lines{"FLUSHALL sync"});
  CHECK(f.Run("FLUSHALL foo") == kSyntaxError);
  CHECK(f.Run("FLUSHDB ASYNC SYNC") == kSyntaxError);
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("Changes since the last save count keys", "[generic]") {
  CommandFixture f;
  const auto changes = [&](const char* line) {
    const int64_t before = f.engine.stats.changes_since_save;
    f.Run(line);
    return f.engine.stats.changes_since_save - before;
  };
  f.Run("SET a 1");
  f.Run("SET b 1");
  CHECK(changes("RENAME a c") == 1);
  CHECK(changes("RENAME c c") == 0);
  CHECK(changes("MOVE c 1") == 1);
  CHECK(changes("COPY b d") == 1);
  CHECK(changes("DEL b d nokey") == 2);
  CHECK(changes("SWAPDB 3 3") == 1);
  CHECK(changes("FLUSHDB") == 0);
  CHECK(changes("FLUSHALL") == 1);
}

TEST_CASE("OBJECT describes a value", "[generic]") {
  CommandFixture f;
  f.Run("SET int 1");
  f.Run("SET large 10000");
  f.Run("SET negative -1");
  f.Run("SET text hello");
  f.Do({"SET", "long", std::string(45, 'x')});
  CHECK(f.Run("OBJECT ENCODING int") == "$3\r\nint\r\n");
  CHECK(f.Run("OBJECT ENCODING text") == "$6\r\nembstr\r\n");
  CHECK(f.Run("OBJECT ENCODING long") == "$3\r\nraw\r\n");
  CHECK(f.Run("OBJECT REFCOUNT int") == ":2147483647\r\n");
  CHECK(f.Run("OBJECT REFCOUNT large") == ":1\r\n");
  CHECK(f.Run("OBJECT REFCOUNT negative") == ":1\r\n");
  CHECK(f.Run("OBJECT REFCOUNT text") == ":1\r\n");
  CHECK(f.Run("OBJECT FREQ int").substr(0, 48) == "-ERR An LFU maxmemory policy is not selected, ac");
  for (const char* name : {"ENCODING", "REFCOUNT", "FREQ", "IDLETIME"}) {
    CHECK(f.Do({"OBJECT", name, "nokey"}) == kNil);
  }
  CHECK(f.Run("OBJECT HELP").substr(0, 5) == "*15\r\n");
  CHECK(f.Run("OBJECT foo a") == "-ERR unknown subcommand 'foo'. Try OBJECT HELP.\r\n");
  CHECK(f.Run("OBJECT ENCODING") == "-ERR wrong number of arguments for 'object|encoding' command\r\n");
}

}  // namespace pinyon
