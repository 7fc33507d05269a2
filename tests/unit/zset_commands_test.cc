// What a comparison with redis-server cannot show: effects and notifications (those of Redis 7.0 for the same
// lines), what came after 7.0, waiting clients, hostile arguments, and that errors change nothing.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kNilArray = "*-1\r\n";
constexpr std::string_view kEmpty = "*0\r\n";

// Two commands, one of them only when there is something to say.
constexpr std::string_view kChanges[] = {
    "ZADD z 1 a 2 b 3 c 4 d",
    "ZADD z 1 a",
    "ZADD z NX 5 a",
    "ZADD z CH 2 a 9 e",
    "ZADD z INCR 1 a",
    "ZADD z XX INCR 1 nope",
    "ZINCRBY z 0 a",
    "ZINCRBY z 2 a",
    "ZREM z nope",
    "ZREM z a nope",
    "ZPOPMIN z",
    "ZPOPMAX z 10",
    "ZPOPMIN z",
    "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f",
    "ZMPOP 2 nokey z MAX COUNT 2",
    "BZPOPMIN z 0",
    "BZMPOP 0 1 z MIN COUNT 2",
    "ZRANGESTORE y z 0 -1",
    "ZRANGESTORE y z 5 6",
    "ZRANGESTORE y z 5 6",
    "ZREMRANGEBYRANK z 5 6",
    "ZREMRANGEBYRANK z 0 -1",
    "ZADD z 1 a 2 b 3 c",
    "ZREMRANGEBYSCORE z 1 2",
    "ZREMRANGEBYLEX z - +",
    "ZADD z 1 a",
    "ZREM z a",
    "SET s x",
    "ZRANGESTORE s z 0 -1",
};

TEST_CASE("sorted set commands notify as Redis does", "[zset]") {
  CommandFixture f;
  f.RecordNotifications(~static_cast<uint32_t>(kNotifyKeyMiss | kNotifyNew));
  for (const std::string_view line : kChanges) f.Run(line);
  CHECK(f.TakeNotifications() == Lines{"zadd z",
                                       "zadd z",
                                       "zincr z",
                                       "zincr z",
                                       "zrem z",
                                       "zpopmin z",
                                       "zpopmax z",
                                       "del z",
                                       "zadd z",
                                       "zpopmax z",
                                       "zpopmin z",
                                       "zpopmin z",
                                       "zrangestore y",
                                       "del y",
                                       "zremrangebyrank z",
                                       "del z",
                                       "zadd z",
                                       "zremrangebyscore z",
                                       "zremrangebylex z",
                                       "del z",
                                       "zadd z",
                                       "zrem z",
                                       "del z",
                                       "set s",
                                       "del s"});
}

TEST_CASE("sorted set commands propagate as Redis does", "[zset]") {
  CommandFixture f;
  f.Run("CONFIG SET zset-max-listpack-entries 0");
  f.RecordEffects();
  f.Run("SET warm up");  // so that no SELECT stands before what is looked at
  f.TakeEffects();
  for (const std::string_view line : kChanges) f.Run(line);
  CHECK(f.TakeEffects() == Lines{"ZADD z 1 a 2 b 3 c 4 d",
                                 "ZADD z CH 2 a 9 e",
                                 "ZADD z INCR 1 a",
                                 "ZINCRBY z 2 a",
                                 "ZREM z a nope",
                                 "ZPOPMIN z",
                                 "ZPOPMAX z 10",
                                 "ZADD z 1 a 2 b 3 c 4 d 5 e 6 f",
                                 "ZPOPMAX z 2",
                                 "ZPOPMIN z",
                                 "ZPOPMIN z 2",
                                 "ZRANGESTORE y z 0 -1",
                                 "ZRANGESTORE y z 5 6",
                                 "ZREMRANGEBYRANK z 0 -1",
                                 "ZADD z 1 a 2 b 3 c",
                                 "ZREMRANGEBYSCORE z 1 2",
                                 "ZREMRANGEBYLEX z - +",
                                 "ZADD z 1 a",
                                 "ZREM z a",
                                 "SET s x",
                                 "ZRANGESTORE s z 0 -1"});
}

TEST_CASE("ZRANK and ZREVRANK tell the score, too", "[zset]") {
  CommandFixture f;
  f.Run("ZADD z 1.5 a 2 b inf c");
  CHECK(f.Run("ZRANK z b WITHSCORE") == "*2\r\n:1\r\n$1\r\n2\r\n");
  CHECK(f.Run("ZREVRANK z a withscore") == "*2\r\n:2\r\n$3\r\n1.5\r\n");
  CHECK(f.Run("ZRANK z nope WITHSCORE") == kNilArray);
  CHECK(f.Run("ZRANK none b WITHSCORE") == kNilArray);
  CHECK(f.Run("ZRANK z nope") == kNil);
  CHECK(f.Run("ZRANK z b WITHSCORES") == kSyntaxError);
  CHECK(f.Run("ZRANK z b WITHSCORE x") == kSyntaxError);
  f.UseResp3();
  CHECK(f.Run("ZRANK z c WITHSCORE") == "*2\r\n:2\r\n,inf\r\n");
  CHECK(f.Run("ZRANK z nope WITHSCORE") == "_\r\n");
}

TEST_CASE("errors of sorted set commands change nothing", "[zset]") {
  CommandFixture f;
  f.Run("CONFIG SET zset-max-listpack-entries " + std::string(GENERATE("0", "128")));
  f.Run("ZADD z 1 a inf b");
  f.Run("SET s x");
  f.RecordEffects();
  f.RecordNotifications(~static_cast<uint32_t>(kNotifyKeyMiss));
  const std::string before = f.Run("ZRANGE z 0 -1 WITHSCORES");
  for (const std::string_view line : {"ZADD z 1 c 2 d nan e",  "ZADD z 1 c x d",
                                      "ZADD z 1 c 2",          "ZADD z NX XX 1 c",
                                      "ZADD z GT LT 1 c",      "ZADD z INCR 1 c 2 d",
                                      "ZADD z INCR -inf b",    "ZINCRBY z -inf b",
                                      "ZINCRBY z nan a",       "ZADD s 1 a",
                                      "ZADD new XX 1 a",       "ZADD new nan a",
                                      "ZADD new INCR nan a",   "ZREM s a",
                                      "ZPOPMIN z -1",          "ZPOPMIN z 9223372036854775808",
                                      "ZMPOP 1 z MIN COUNT 0", "ZMPOP 2 s z MIN",
                                      "ZMPOP 99 z MIN",        "ZMPOP 9223372036854775807 z MIN",
                                      "BZPOPMIN s 0",          "BZPOPMIN z -1",
                                      "BZMPOP 0 1 z MID",      "ZRANGESTORE s z 0 x",
                                      "ZRANGESTORE z s 0 -1",  "ZRANGESTORE s z 0 -1 WITHSCORES",
                                      "ZREMRANGEBYRANK z 0 x", "ZREMRANGEBYSCORE z (x 5",
                                      "ZREMRANGEBYLEX z a b",  "ZREMRANGEBYRANK s 0 1"}) {
    f.Run(line);
  }
  CHECK(f.TakeEffects() == Lines{});
  CHECK(f.TakeNotifications() == Lines{});
  CHECK(f.Run("ZRANGE z 0 -1 WITHSCORES") == before);
  CHECK(f.Run("EXISTS new") == kZero);
  CHECK(f.Run("GET s") == "$1\r\nx\r\n");
}

TEST_CASE("extreme ranges meet what is there", "[zset]") {
  CommandFixture f;
  f.Run("CONFIG SET zset-max-listpack-entries " + std::string(GENERATE("0", "128")));
  f.Run("ZADD z 1 a 2 b 3 c");
  const std::string all = "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n";
  const std::string kMin = "-9223372036854775808";
  const std::string kMax = "9223372036854775807";
  CHECK(f.Run("ZRANGE z " + kMin + " " + kMax) == all);
  CHECK(f.Run("ZRANGE z " + kMax + " " + kMin) == kEmpty);
  CHECK(f.Run("ZRANGE z " + kMin + " " + kMin) == kEmpty);
  CHECK(f.Run("ZRANGE z " + kMax + " " + kMax) == kEmpty);
  CHECK(f.Run("ZREVRANGE z " + kMin + " " + kMax) == "*3\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n");
  CHECK(f.Run("ZRANGEBYSCORE z -inf inf LIMIT 0 " + kMax) == all);
  CHECK(f.Run("ZRANGEBYSCORE z -inf inf LIMIT 0 " + kMin) == all);
  CHECK(f.Run("ZRANGEBYSCORE z -inf inf LIMIT " + kMin + " " + kMax) == kEmpty);
  CHECK(f.Run("ZRANGEBYSCORE z -inf inf LIMIT " + kMax + " " + kMax) == kEmpty);
  CHECK(f.Run("ZREVRANGEBYSCORE z inf -inf LIMIT 2 " + kMax) == "*1\r\n$1\r\na\r\n");
  CHECK(f.Run("ZRANGE z inf -inf BYSCORE REV LIMIT 1 1") == "*1\r\n$1\r\nb\r\n");
  CHECK(f.Run("ZREMRANGEBYRANK z " + kMax + " " + kMin) == kZero);
  CHECK(f.Run("ZPOPMIN z 0") == kEmpty);
  CHECK(f.Run("ZRANDMEMBER z " + kMin) ==
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n");
  CHECK(f.Run("ZRANDMEMBER z -9223372036854775807") == "-ERR value is out of range\r\n");
  CHECK(f.Run("ZRANDMEMBER z -4611686018427387904 WITHSCORES") == "-ERR value is out of range\r\n");
  CHECK(f.Run("ZREMRANGEBYRANK z " + kMin + " " + kMax) == ":3\r\n");
  CHECK(f.Run("EXISTS z") == kZero);
}

TEST_CASE("ZADD takes members that come twice in their order", "[zset]") {
  CommandFixture f;
  f.Run("CONFIG SET zset-max-listpack-entries " + std::string(GENERATE("0", "2", "128")));
  CHECK(f.Run("ZADD z 1 a 2 a 3 b 2 a") == ":2\r\n");
  CHECK(f.Run("ZADD z CH 5 a 5 a 6 a") == ":2\r\n");
  CHECK(f.Run("ZADD z GT CH 7 a 6 a 8 c 9 c") == ":3\r\n");
  CHECK(f.Run("ZRANGE z 0 -1 WITHSCORES") ==
        "*6\r\n$1\r\nb\r\n$1\r\n3\r\n$1\r\na\r\n$1\r\n7\r\n$1\r\nc\r\n$1\r\n9\r\n");
  CHECK(f.Run("ZREM z a a b b c") == ":3\r\n");
  CHECK(f.Run("EXISTS z") == kZero);
}

TEST_CASE("many pairs in one ZADD are checked before any is added", "[zset]") {
  CommandFixture f;
  std::string line = "ZADD z";
  for (int i = 0; i < 300; ++i) line += " " + std::to_string(i % 7) + " m" + std::to_string(i);
  CHECK(f.Run(line + " x m") == "-ERR value is not a valid float\r\n");
  CHECK(f.Run("EXISTS z") == kZero);
  CHECK(f.Run(line) == ":300\r\n");
  CHECK(f.Run("OBJECT ENCODING z") == "$8\r\nskiplist\r\n");
  CHECK(f.Run("ZRANGE z 0 1") == "*2\r\n$2\r\nm0\r\n$4\r\nm105\r\n");
}

TEST_CASE("ZRANDMEMBER picks different members, each with equal odds", "[zset]") {
  CommandFixture f;
  f.Run("CONFIG SET zset-max-listpack-entries " + std::string(GENERATE("0", "1000")));
  // Few of many, and many of many, which are drawn in different ways.
  const int members = GENERATE(6, 200);
  for (int i = 0; i < members; ++i) f.Run("ZADD z 1 " + std::to_string(100 + i));
  const int rounds = 300 * members / 5;
  std::vector<int> drawn(static_cast<size_t>(members));
  for (int round = 0; round < rounds; ++round) {
    const std::string reply = f.Run("ZRANDMEMBER z 5");
    REQUIRE(reply.starts_with("*5\r\n"));
    std::set<std::string> seen;
    for (size_t at = 4; at < reply.size(); at += 9) seen.insert(reply.substr(at + 4, 3));
    REQUIRE(seen.size() == 5);
    for (const std::string& member : seen) ++drawn[static_cast<size_t>(std::stoi(member) - 100)];
  }
  for (const int count : drawn) CHECK(std::abs(count - 300) < 110);
}

TEST_CASE("clients wait for sorted sets", "[zset]") {
  CommandFixture f;
  CHECK(f.RunAs(1, "BZPOPMIN z 0").empty());
  CHECK(f.RunAs(2, "BZPOPMAX other z 0").empty());
  CHECK(f.RunAs(3, "BZMPOP 0 2 z other MAX COUNT 2").empty());
  f.RecordEffects();
  f.Run("SET warm up");
  f.TakeEffects();
  CHECK(f.Run("ZADD z 1 a 2 b 3 c 4 d 5 e") == ":5\r\n");
  CHECK(f.TakeEffects() == Lines{"ZADD z 1 a 2 b 3 c 4 d 5 e", "ZPOPMIN z", "ZPOPMAX z", "ZPOPMAX z 2"});
  CHECK(f.Run("ZRANGE z 0 -1") == "*1\r\n$1\r\nb\r\n");
  // In a transaction nobody waits.
  f.Run("MULTI");
  f.Run("BZPOPMIN nothing 0");
  f.Run("BZMPOP 0 1 nothing MIN");
  CHECK(f.Run("EXEC") == "*2\r\n*-1\r\n*-1\r\n");
}

}  // namespace
}  // namespace pinyon
