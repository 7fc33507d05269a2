// Sorted-set algebra through the dispatcher. Expected replies are what a redis-server 7.0 gave.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

// The bulks of a reply, each followed by a space.
std::string Bulks(std::string_view reply) {
  if (reply.empty() || reply.front() != '*') return std::string(reply);
  std::string bulks;
  for (size_t at = reply.find('$'); at != std::string_view::npos; at = reply.find('$', at)) {
    const size_t start = reply.find("\r\n", at) + 2;
    const size_t length = std::stoul(std::string(reply.substr(at + 1)));
    bulks += std::string(reply.substr(start, length)) + " ";
    at = start + length;
  }
  return bulks;
}

std::string EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  return ref ? std::string(EncodingName(ref->encoding())) : "none";
}

void AddSamples(CommandFixture& f) {
  f.Run("ZADD a 1 x 2 y 3 z");
  f.Run("ZADD b 10 y 20 z 5 w");
  f.Run("SADD s x w q 3");
  f.Run("SET str 1");
  f.Run("ZADD inf inf x");
  f.Run("ZADD ninf -inf x");
}

TEST_CASE("ZUNION weighs, aggregates and orders", "[zset_algebra]") {
  CommandFixture f;
  AddSamples(f);
  const auto run = [&f](std::string_view line) { return Bulks(f.Run(line)); };
  CHECK(run("ZUNION 2 a b") == "x w y z ");
  CHECK(run("ZUNION 2 a b WITHSCORES") == "x 1 w 5 y 12 z 23 ");
  CHECK(run("ZUNION 2 a b WITHSCORES AGGREGATE max") == "x 1 w 5 y 10 z 20 ");
  CHECK(run("ZUNION 2 a b AGGREGATE MIN WITHSCORES WEIGHTS 2 3") == "x 2 y 4 z 6 w 15 ");
  CHECK(run("ZUNION 2 a b WEIGHTS inf 2 WITHSCORES") == "w 10 x inf y inf z inf ");
  CHECK(run("ZUNION 2 a s WITHSCORES") == "3 1 q 1 w 1 x 2 y 2 z 3 ");
  CHECK(run("ZUNION 1 s WITHSCORES") == "3 1 q 1 w 1 x 1 ");
  CHECK(run("ZUNION 2 s s WITHSCORES") == "3 2 q 2 w 2 x 2 ");
  CHECK(run("ZUNION 2 inf ninf WITHSCORES") == "x 0 ");
  CHECK(run("ZUNION 2 inf ninf AGGREGATE MIN WITHSCORES") == "x -inf ");
  CHECK(run("ZUNION 1 inf WEIGHTS 0 WITHSCORES") == "x 0 ");
  CHECK(run("ZUNION 1 a WEIGHTS -1 WITHSCORES") == "z -3 y -2 x -1 ");
  CHECK(run("ZUNION 1 s WEIGHTS 1 WEIGHTS 2 WITHSCORES WITHSCORES") == "3 2 q 2 w 2 x 2 ");
  CHECK(f.Run("ZUNION 1 none") == "*0\r\n");
}

TEST_CASE("ZINTER and ZDIFF look in sets and sorted sets", "[zset_algebra]") {
  CommandFixture f;
  AddSamples(f);
  const auto run = [&f](std::string_view line) { return Bulks(f.Run(line)); };
  CHECK(run("ZINTER 2 a b WITHSCORES") == "y 12 z 23 ");
  CHECK(run("ZINTER 2 s s WEIGHTS 2 3 WITHSCORES") == "3 5 q 5 w 5 x 5 ");
  CHECK(run("ZINTER 2 a s WITHSCORES") == "x 2 ");
  CHECK(f.Run("ZINTER 2 none a") == "*0\r\n");
  CHECK(f.Run("ZINTERCARD 2 a b") == ":2\r\n");
  CHECK(f.Run("ZINTERCARD 2 a b LIMIT 1") == ":1\r\n");
  CHECK(f.Run("ZINTERCARD 2 a b LIMIT 1 LIMIT 0") == ":2\r\n");
  CHECK(run("ZDIFF 2 a b WITHSCORES") == "x 1 ");
  CHECK(run("ZDIFF 2 a s WITHSCORES") == "y 2 z 3 ");
  CHECK(run("ZDIFF 2 a none") == "x y z ");
  CHECK(f.Run("ZDIFF 2 a a WITHSCORES") == "*0\r\n");
  CHECK(f.Run("ZDIFF 2 none a") == "*0\r\n");
  f.UseResp3();
  CHECK(f.Run("ZINTER 2 a b") == "*2\r\n$1\r\ny\r\n$1\r\nz\r\n");
  CHECK(f.Run("ZDIFF 2 a b WITHSCORES") == "*1\r\n*2\r\n$1\r\nx\r\n,1\r\n");
}

TEST_CASE("sorted-set algebra refuses what Redis refuses, types first", "[zset_algebra]") {
  CommandFixture f;
  AddSamples(f);
  for (const char* name :
       {"zunion", "zinter", "zdiff", "zintercard", "zunionstore d", "zinterstore d", "zdiffstore d"}) {
    const std::string command(name);
    INFO(command);
    const std::string plain = command.substr(0, command.find(' '));
    CHECK(f.Run(command + " 0 a") == "-ERR at least 1 input key is needed for '" + plain + "' command\r\n");
    CHECK(f.Run(command + " x a") == "-ERR value is not an integer or out of range\r\n");
    CHECK(f.Run(command + " 3 a b") == kSyntaxError);
    CHECK(f.Run(command + " 9223372036854775807 a b") == kSyntaxError);
    CHECK(f.Run(command + " 2 none str") == kWrongType);
    CHECK(f.Run(command + " 1 str BOGUS") == kWrongType);
    CHECK(f.Run(command + " 1 a BOGUS") == kSyntaxError);
  }
  CHECK(f.Run("ZUNION 2 a b WEIGHTS 1") == kSyntaxError);
  CHECK(f.Run("ZUNION 2 a b WEIGHTS 1 2 3") == kSyntaxError);
  CHECK(f.Run("ZUNION 2 a b WEIGHTS 1 x") == "-ERR weight value is not a float\r\n");
  CHECK(f.Run("ZUNION 2 a b WEIGHTS 1 nan") == "-ERR weight value is not a float\r\n");
  CHECK(f.Run("ZUNION 2 a b AGGREGATE") == kSyntaxError);
  CHECK(f.Run("ZUNION 2 a b AGGREGATE avg") == kSyntaxError);
  CHECK(f.Run("ZUNIONSTORE d 2 a b WITHSCORES") == kSyntaxError);
  CHECK(f.Run("ZDIFF 2 a b WEIGHTS 1 2") == kSyntaxError);
  CHECK(f.Run("ZDIFFSTORE d 2 a b AGGREGATE SUM") == kSyntaxError);
  CHECK(f.Run("ZINTERCARD 2 a b WITHSCORES") == kSyntaxError);
  CHECK(f.Run("ZINTERCARD 2 a b LIMIT") == kSyntaxError);
  CHECK(f.Run("ZINTERCARD 2 a b LIMIT -1") == "-ERR LIMIT can't be negative\r\n");
  CHECK(f.Run("EXISTS d") == ":0\r\n");
}

TEST_CASE("stored sorted sets replace their destination, which may be a source", "[zset_algebra]") {
  CommandFixture f;
  AddSamples(f);
  f.RecordNotifications();
  CHECK(f.Run("ZUNIONSTORE d 2 a b") == ":4\r\n");
  CHECK(f.TakeNotifications() == Lines{"new d", "zunionstore d"});
  CHECK(EncodingOf(f, "d") == "listpack");
  CHECK(f.Run("ZINTERSTORE a 2 a b WEIGHTS 1 10") == ":2\r\n");
  CHECK(f.TakeNotifications() == Lines{"zinterstore a"});
  CHECK(Bulks(f.Run("ZUNION 1 a WITHSCORES")) == "y 102 z 203 ");
  CHECK(f.Run("ZDIFFSTORE a 2 a a") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"del a"});
  CHECK(EncodingOf(f, "a") == "none");
  CHECK(f.Run("ZUNIONSTORE str 1 s") == ":4\r\n");
  CHECK(f.Run("TYPE str") == "+zset\r\n");
  for (int i = 0; i < 200; ++i) f.Run("SADD many m" + std::to_string(i));
  CHECK(f.Run("ZUNIONSTORE d 2 many s") == ":204\r\n");
  CHECK(EncodingOf(f, "d") == "skiplist");
  CHECK(f.Run("ZINTERSTORE d 2 d s") == ":4\r\n");
  CHECK(EncodingOf(f, "d") == "listpack");
}

// A plain model, of integral scores, so that the order of additions does not matter.
TEST_CASE("sorted-set algebra gives what plain maps give", "[zset_algebra]") {
  CommandFixture f;
  Random random(9);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, std::map<std::string, double>> model;
    for (int k = 0; k < 4; ++k) {
      const std::string key = "k" + std::to_string(k);
      f.Run("DEL " + key);
      const bool is_set = random.Below(3) == 0;
      for (uint64_t left = random.Below(random.Below(2) == 0 ? 15 : 300); left > 0; --left) {
        const std::string member = (random.Below(2) == 0 ? "" : "m") + std::to_string(random.Below(200));
        const int score = is_set ? 1 : static_cast<int>(random.Below(20));
        is_set ? f.Run("SADD " + key + " " + member)
               : f.Run("ZADD " + key + " " + std::to_string(score) + " " + member);
        model[key][member] = score;
      }
    }
    std::vector<std::string> keys;
    std::string list, weights;
    std::vector<double> factors;
    for (uint64_t left = 1 + random.Below(4); left > 0; --left) {
      keys.push_back("k" + std::to_string(random.Below(4)));
      factors.push_back(static_cast<double>(random.Below(4)));
      list += " " + keys.back();
      weights += " " + std::to_string(static_cast<int>(factors.back()));
    }
    std::map<std::string, double> all, common;
    std::set<std::string> rest;
    for (size_t i = 0; i < keys.size(); ++i) {
      for (const auto& [member, score] : model[keys[i]]) all[member] += score * factors[i];
    }
    for (const auto& [member, score] : all) {
      bool in_all = true, in_others = false;
      for (size_t i = 0; i < keys.size(); ++i) {
        in_all = in_all && model[keys[i]].contains(member);
        in_others = in_others || (i > 0 && model[keys[i]].contains(member));
      }
      if (in_all) common[member] = score;
      if (model[keys[0]].contains(member) && !in_others) rest.insert(member);
    }
    const auto lines = [](const std::map<std::string, double>& scores) {
      std::set<std::pair<double, std::string>> ordered;
      for (const auto& [member, score] : scores) ordered.insert({score, member});
      std::string text;
      for (const auto& [score, member] : ordered) {
        text += member + " " + std::to_string(static_cast<int>(score)) + " ";
      }
      return text;
    };
    std::map<std::string, double> difference;
    for (const std::string& member : rest) difference[member] = model[keys[0]][member];
    const std::string operands = std::to_string(keys.size()) + list;
    INFO(operands << " weights" << weights);
    CHECK(Bulks(f.Run("ZUNION " + operands + " WEIGHTS" + weights + " WITHSCORES")) == lines(all));
    CHECK(Bulks(f.Run("ZINTER " + operands + " WEIGHTS" + weights + " WITHSCORES")) == lines(common));
    CHECK(Bulks(f.Run("ZDIFF " + operands + " WITHSCORES")) == lines(difference));
    CHECK(f.Run("ZINTERCARD " + operands) == ":" + std::to_string(common.size()) + "\r\n");
    f.Run("ZUNIONSTORE d " + operands + " WEIGHTS" + weights);
    CHECK(Bulks(f.Run("ZUNION 1 d WITHSCORES")) == lines(all));
    f.Run("ZDIFFSTORE " + keys[0] + " " + operands);
    CHECK(Bulks(f.Run("ZUNION 1 " + keys[0] + " WITHSCORES")) == lines(difference));
  }
}

}  // namespace
}  // namespace pinyon
