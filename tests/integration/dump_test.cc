// DUMP and RESTORE between Pinyon and a real redis-server, both ways: every type and encoding that Redis 7.0
// has, small and large; DEBUG DIGEST-VALUE agrees.
#include <catch2/catch.hpp>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

using Command = std::vector<std::string>;

std::string Element(int i) { return i % 3 == 0 ? std::to_string(i * 37) : "element:" + std::to_string(i); }

Command Collection(const std::string& name, const std::string& key, int count) {
  Command command = {name, key};
  for (int i = 0; i < count; ++i) {
    if (name == "ZADD") command.push_back(std::to_string(i % 50) + (i % 2 == 0 ? "" : ".125"));
    command.push_back(Element(i));
    if (name == "HSET") command.push_back("value " + std::to_string(i * i));
  }
  return command;
}

std::vector<Command> AllValues() {
  std::vector<Command> commands = {
      {"SET", "empty", ""},
      {"SET", "int", "-9223372036854775808"},
      {"SET", "small int", "17"},
      {"SET", "text", "hello"},
      {"SET", "binary", std::string("\0\r\n\xff", 4)},
      {"SET", "compressible", std::string(100'000, 'c')},
      {"APPEND", "raw", "12"},
      {"ZADD", "zset special", "inf", "a", "-inf", "b", "1e300", "c", "-0.1", "d", "4611686018427387905",
       "e"},
      {"RPUSH", "list with large", "a", std::string(20'000, 'x'), "b", std::string(9'000, 'y')},
      {"SADD", "intset 16", "1", "-2", "300"},
      {"SADD", "intset 32", "1", "-2", "70000"},
      {"SADD", "intset 64", "1", "-2", "7000000000"},
      {"HSET", "long value", "f", std::string(100, 'v')},
      {"PFADD", "hyperloglog", "a", "b", "c"},
  };
  for (const int count : {1, 20, 100, 700, 20'000}) {
    for (const std::string name : {"RPUSH", "SADD", "ZADD", "HSET"}) {
      commands.push_back(Collection(name, name + " " + std::to_string(count), count));
    }
  }
  return commands;
}

// Both `from` and `to` hold all values; `to` gets each again from `from`, under another name.
void CheckTransfer(RawClient& from, RawClient& to, const std::vector<Command>& values) {
  for (const Command& command : values) {
    const std::string& key = command[1];
    CAPTURE(key);
    const Reply payload = from.Call({"DUMP", key});
    REQUIRE(payload.text.size() > 10);
    REQUIRE(TextOf(to.Call({"RESTORE", "copy", "0", payload.text, "REPLACE"})) == "OK");
    const std::string expected = Print(to.Call({"DEBUG", "DIGEST-VALUE", key}));
    CHECK(Print(from.Call({"DEBUG", "DIGEST-VALUE", key})) == expected);
    CHECK(Print(to.Call({"DEBUG", "DIGEST-VALUE", "copy"})) == expected);
    // Strings that were edited are raw, and come back as if they had been set.
    if (key == "raw" || key == "hyperloglog") continue;
    CHECK(TextOf(to.Call({"OBJECT", "ENCODING", "copy"})) == TextOf(to.Call({"OBJECT", "ENCODING", key})));
  }
}

}  // namespace

TEST_CASE("values go to a redis-server and back by DUMP and RESTORE", "[dump]") {
  const std::vector<std::string> args = {"--enable-debug-command", "yes"};
  auto pinyon = LaunchWith(args);
  auto redis = Launch({.binary = RedisBinary(), .args = args});
  RawClient ours = pinyon->Connect(60000);
  RawClient theirs = redis->Connect(60000);
  const std::vector<Command> values = AllValues();
  for (const Command& command : values) {
    REQUIRE_FALSE(ours.Call(command).IsError());
    REQUIRE_FALSE(theirs.Call(command).IsError());
  }
  for (const char* compression : {"yes", "no"}) {
    CAPTURE(compression);
    REQUIRE(TextOf(ours.Call({"CONFIG", "SET", "rdbcompression", compression})) == "OK");
    REQUIRE(TextOf(theirs.Call({"CONFIG", "SET", "rdbcompression", compression})) == "OK");
    CheckTransfer(theirs, ours, values);
    CheckTransfer(ours, theirs, values);
  }
  // Where nothing is compressed and there is one order only, the bytes are the same.
  for (const char* key :
       {"empty", "int", "small int", "text", "binary", "compressible", "zset special", "intset 16",
        "intset 32", "intset 64", "RPUSH 20", "ZADD 100", "HSET 20", "ZADD 700", "hyperloglog"}) {
    CAPTURE(key);
    CHECK((ours.Call({"DUMP", key}).text == theirs.Call({"DUMP", key}).text));
  }
  CHECK(HealthyUntilTheEnd(*pinyon));
}

}  // namespace pinyon::testing
