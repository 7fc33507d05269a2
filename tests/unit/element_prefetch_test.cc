#include "keyspace/element_prefetch.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"

namespace pinyon {

// A hint has no effect that a test could see but one: that it does no harm, whatever is under the key.
TEST_CASE("Elements of anything can be asked for ahead", "[element_prefetch]") {
  CommandFixture f;
  for (int i = 0; i < 1000; ++i) {
    const std::string element = "element" + std::to_string(i);
    f.Run("HSET hash " + element + " value");
    f.Run("SADD set " + element);
    f.Run("ZADD zset " + std::to_string(i) + " " + element);
    f.Run("RPUSH list " + element + std::string(100, 'x'));
  }
  f.Run("HSET small field value");
  f.Run("SET string text");
  const Database& db = f.keyspace.database(0);
  std::vector<std::string> elements;
  for (int i = 0; i < 20; ++i) elements.push_back("element" + std::to_string(i * 100));
  std::vector<std::string> scores(20, "7");
  scores[0] = "nan";
  scores[1] = "no score";
  scores[2] = "";
  scores[3] = "-inf";
  ElementPrefetch prefetch;
  for (int round = 0; round < 3; ++round) {
    for (const std::string_view key : {"hash", "set", "zset", "list", "small", "string", "nothing"}) {
      for (int i = 0; i < 20; ++i)
        prefetch.Add(db, key, db.Hash(key), elements[static_cast<size_t>(i)], scores[static_cast<size_t>(i)]);
    }
    prefetch.Finish();
  }
  prefetch.Finish();
  CHECK(f.Run("HGET hash element999") == "$5\r\nvalue\r\n");
  CHECK(f.Run("ZRANK zset element999") == ":999\r\n");
}

TEST_CASE("Commands say which argument names an element", "[element_prefetch]") {
  CommandFixture f;
  for (const Command* command : f.commands.commands()) {
    const CommandSpec& spec = *command->spec;
    if (spec.element == 0) continue;
    INFO(command->name);
    CHECK(spec.element > command->first_key);
    CHECK(command->first_key > 0);
  }
  CHECK(f.commands.Find("zadd")->spec->element == 3);
  CHECK(f.commands.Find("hget")->spec->element == 2);
}

}  // namespace pinyon
