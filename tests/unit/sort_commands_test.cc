// SORT and SORT_RO through the dispatcher. The expected replies are what a redis-server 7.0 gave.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;
using namespace std::string_literals;

constexpr char kNotNumbersError[] = "-ERR One or more scores can't be converted into double\r\n";
constexpr char kWrongTypeError[] = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr std::string_view kNull = "(null)";

std::string Bulks(std::initializer_list<std::string_view> texts) {
  std::string reply = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string_view text : texts) {
    reply +=
        text == kNull ? "$-1\r\n" : "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }
  return reply;
}

TEST_CASE("SORT orders numbers and texts", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2 10");
  CHECK(f.Run("SORT l") == Bulks({"1", "2", "3", "10"}));
  CHECK(f.Run("SORT l DESC") == Bulks({"10", "3", "2", "1"}));
  CHECK(f.Run("SORT l ALPHA") == Bulks({"1", "10", "2", "3"}));
  CHECK(f.Run("SORT_RO l ASC DESC") == Bulks({"10", "3", "2", "1"}));
  f.Run("SADD s 5 4 3");
  CHECK(f.Run("SORT s") == Bulks({"3", "4", "5"}));
  f.Run("ZADD z 1 c 2 b 3 a");
  CHECK(f.Run("SORT z") == kNotNumbersError);
  CHECK(f.Run("SORT z ALPHA DESC LIMIT 0 2") == Bulks({"c", "b"}));
  f.Run("RPUSH equal 1.0 1 1.00 01");
  CHECK(f.Run("SORT equal") == Bulks({"01", "1", "1.0", "1.00"}));
  CHECK(f.Run("SORT equal DESC") == Bulks({"1.00", "1.0", "1", "01"}));
  CHECK(f.Run("SORT missing") == "*0\r\n");
}

TEST_CASE("SORT LIMIT", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2 10");
  CHECK(f.Run("SORT l LIMIT 1 2") == Bulks({"2", "3"}));
  CHECK(f.Run("SORT l LIMIT -1 2") == Bulks({"1", "2"}));
  CHECK(f.Run("SORT l LIMIT 1 -1") == Bulks({"2", "3", "10"}));
  CHECK(f.Run("SORT l LIMIT 4 2") == "*0\r\n");
  CHECK(f.Run("SORT l LIMIT 0 0") == "*0\r\n");
  CHECK(f.Run("SORT l LIMIT 9223372036854775807 9223372036854775807") == "*0\r\n");
  CHECK(f.Run("SORT l LIMIT -9223372036854775808 9223372036854775807") == Bulks({"1", "2", "3", "10"}));
  CHECK(f.Run("SORT l LIMIT 1 2 LIMIT 0 1") == Bulks({"1"}));
  CHECK(f.Run("SORT l LIMIT 1") == kSyntaxError);
  CHECK(f.Run("SORT l LIMIT a b") == "-ERR value is not an integer or out of range\r\n");
}

TEST_CASE("SORT BY a pattern without a star keeps the order", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2 10");
  CHECK(f.Run("SORT l BY nosort") == Bulks({"3", "1", "2", "10"}));
  CHECK(f.Run("SORT l BY nosort DESC LIMIT 1 2") == Bulks({"2", "1"}));
  CHECK(f.Run("SORT l BY nosort LIMIT -5 2") == Bulks({"3", "1"}));
  CHECK(f.Run("SORT l BY # BY w_*") == Bulks({"3", "1", "2", "10"}));
  f.Run("ZADD z 1 c 2 b 3 a 4 d");
  CHECK(f.Run("SORT z BY nosort") == Bulks({"c", "b", "a", "d"}));
  CHECK(f.Run("SORT z BY nosort DESC LIMIT 1 2") == Bulks({"a", "b"}));
  CHECK(f.Run("SORT z BY nosort LIMIT 7 20") == "*0\r\n");
  f.Run("SADD s c a b");
  CHECK(f.Run("SORT s BY nosort STORE d") == ":3\r\n");
  CHECK(f.Run("LRANGE d 0 -1") == Bulks({"a", "b", "c"}));
}

TEST_CASE("SORT looks weights and values up", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2 10");
  f.Run("MSET w_1 30 w_2 20 w_10 10 o_1 one o_2 two");
  CHECK(f.Run("SORT l BY w_*") == Bulks({"3", "10", "2", "1"}));
  CHECK(f.Run("SORT l BY w_* DESC GET o_* GET #") ==
        Bulks({"one", "1", "two", "2", kNull, "10", kNull, "3"}));
  CHECK(f.Run("SORT l BY w_* GET # GET nostar LIMIT 0 1") == Bulks({"3", kNull}));
  CHECK(f.Run("SORT l BY o_*") == kNotNumbersError);
  CHECK(f.Run("SORT l BY o_* ALPHA") == Bulks({"3", "10", "1", "2"}));
  f.Run("HSET h_1 f 5 g x");
  f.Run("HSET h_2 f 3");
  CHECK(f.Run("SORT l BY h_*->f GET h_*->g") == Bulks({kNull, kNull, kNull, "x"}));
  CHECK(f.Run("SORT l BY h_*->f") == Bulks({"10", "3", "2", "1"}));
  CHECK(f.Run("SORT l GET h_* GET w_*->f LIMIT 0 1") == Bulks({kNull, kNull}));
  f.Do({"SET", "1->", "arrow"});
  CHECK(f.Run("SORT l GET *-> LIMIT 0 1") == Bulks({"arrow"}));
  f.UseResp3();
  CHECK(f.Run("SORT l GET o_* LIMIT 1 2") == "*2\r\n$3\r\ntwo\r\n_\r\n");
}

TEST_CASE("What SORT takes for a number", "[sort]") {
  CommandFixture f;
  for (const std::string& number : {"inf"s, "-inf"s, ""s, "  5"s, "0x10"s, "+5"s, "5\0x"s, "5."s, "1e3"s}) {
    f.Run("DEL q");
    f.Do({"RPUSH", "q", number});
    CHECK(f.Run("SORT q") == Bulks({number}));
  }
  for (const std::string& text : {"nan"s, "5 "s, "1e"s, " "s, "1e400"s, "-1e400"s, "1e-400"s, "4.9e-324"s}) {
    f.Run("DEL q");
    f.Do({"RPUSH", "q", text});
    CHECK(f.Run("SORT q") == kNotNumbersError);
    CHECK(f.Run("SORT q LIMIT 0 0") == kNotNumbersError);
  }
}

TEST_CASE("SORT STORE", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2 10");
  f.Run("MSET o_1 one o_2 two d str");
  f.RecordEffects();
  f.RecordNotifications(~kNotifyNew & ~kNotifyKeyMiss);
  CHECK(f.Run("SORT l GET o_* STORE d") == ":4\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "SORT l GET o_* STORE d"});
  CHECK(f.TakeNotifications() == Lines{"sortstore d"});
  CHECK(f.Run("LRANGE d 0 -1") == Bulks({"one", "two", "", ""}));
  CHECK(f.Run("SORT l LIMIT 0 0 STORE d") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"del d"});
  CHECK(f.Run("SORT missing STORE d") == ":0\r\n");
  CHECK(f.TakeNotifications().empty());
  CHECK(f.Run("SORT l STORE l") == ":4\r\n");
  CHECK(f.Run("LRANGE l 0 -1") == Bulks({"1", "2", "3", "10"}));
  CHECK(f.Run("SORT l STORE") == kSyntaxError);
  CHECK(f.Run("SORT_RO l STORE d") == kSyntaxError);
}

TEST_CASE("SORT checks its options before the key", "[sort]") {
  CommandFixture f;
  f.Run("SET s 1");
  f.Run("HSET h f v");
  CHECK(f.Run("SORT s") == kWrongTypeError);
  CHECK(f.Run("SORT h") == kWrongTypeError);
  CHECK(f.Run("SORT h FOO") == kSyntaxError);
  CHECK(f.Run("SORT h BY") == kSyntaxError);
  CHECK(f.Run("SORT h GET") == kSyntaxError);
}

TEST_CASE("SORT while weights expire", "[sort]") {
  CommandFixture f;
  f.Run("RPUSH l 3 1 2");
  f.Run("SET w_1 9 PX 10");
  f.Run("SET w_2 5");
  f.Run("SET w_3 7 PX 10");
  CHECK(f.Run("SORT l BY w_* GET w_*") == Bulks({"5", "7", "9"}));
  f.Advance(11);
  CHECK(f.Run("SORT l BY w_* GET # GET w_*") == Bulks({"1", kNull, "3", kNull, "2", "5"}));
}

TEST_CASE("Keys of SORT", "[sort]") {
  CommandFixture f;
  CHECK(f.Run("COMMAND GETKEYS SORT k BY w GET p STORE d") == Bulks({"k", "d"}));
  CHECK(f.Run("COMMAND GETKEYS SORT k STORE a STORE b") == Bulks({"k", "b"}));
  CHECK(f.Run("COMMAND GETKEYS SORT k BY STORE STORE b") == Bulks({"k", "b"}));
  CHECK(f.Run("COMMAND GETKEYS SORT k LIMIT STORE STORE STORE b") == Bulks({"k", "b"}));
  CHECK(f.Run("COMMAND GETKEYS SORT k STORE") == Bulks({"k"}));
  CHECK(f.Run("COMMAND GETKEYS SORT_RO k GET STORE STORE b") == Bulks({"k"}));
}

}  // namespace
}  // namespace pinyon
