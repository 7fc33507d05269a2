// The geo commands through the dispatcher. The expected replies are what a redis-server 7.0 gave.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

constexpr char kFloatError[] = "-ERR value is not a valid float\r\n";
constexpr char kUnitError[] = "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n";
constexpr char kWrongTypeError[] = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
constexpr char kMemberError[] = "-ERR could not decode requested zset member\r\n";

std::string Bulks(std::initializer_list<std::string_view> texts) {
  std::string reply = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string_view text : texts) {
    reply += "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }
  return reply;
}

void AddSicily(CommandFixture& f) {
  f.Run("GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
}

TEST_CASE("GEOADD keeps geohashes as scores", "[geo]") {
  CommandFixture f;
  f.RecordEffects();
  CHECK(f.Run("GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania") == ":2\r\n");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "ZADD k 3479099956230698 Palermo 3479447370796909 Catania"});
  CHECK(f.Run("GEOADD k 13.361389 38.115556 Palermo") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("GEOADD k NX CH 1 1 Palermo") == ":0\r\n");
  CHECK(f.Run("GEOADD k XX CH 1 1 new") == ":0\r\n");
  CHECK(f.Run("GEOADD k CH 1 1 Palermo 2 2 new") == ":2\r\n");
  CHECK(f.Run("GEOADD k 3 3 Palermo") == ":0\r\n");
  CHECK(f.Run("GEOADD missing XX 1 1 a") == ":0\r\n");
  CHECK(f.Run("EXISTS missing") == ":0\r\n");
}

TEST_CASE("GEOADD refuses what is no place, and then adds nothing", "[geo]") {
  CommandFixture f;
  CHECK(f.Run("GEOADD k NX XX 1 2 a") == kSyntaxError);
  CHECK(f.Run("GEOADD k 1 2 a b") == kSyntaxError);
  CHECK(f.Run("GEOADD k GT 1 2 a") == kSyntaxError);
  CHECK(f.Run("GEOADD k NX CH CH") == kSyntaxError);
  CHECK(f.Run("GEOADD k x 2 a") == kFloatError);
  CHECK(f.Run("GEOADD k nan 2 a") == kFloatError);
  CHECK(f.Run("GEOADD k 1 1 a 181 2 b") == "-ERR invalid longitude,latitude pair 181.000000,2.000000\r\n");
  CHECK(f.Run("GEOADD k 1 85.05112879 a") == "-ERR invalid longitude,latitude pair 1.000000,85.051129\r\n");
  CHECK(f.Run("GEOADD k inf 1 a") == "-ERR invalid longitude,latitude pair inf,1.000000\r\n");
  CHECK(f.Run("EXISTS k") == ":0\r\n");
  f.Run("SET s 1");
  CHECK(f.Run("GEOADD s 1 1 a") == kWrongTypeError);
  CHECK(f.Run("GEOADD s 1 100 a") == "-ERR invalid longitude,latitude pair 1.000000,100.000000\r\n");
}

TEST_CASE("GEODIST, GEOPOS and GEOHASH", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  CHECK(f.Run("GEODIST k Palermo Catania") == "$11\r\n166274.1516\r\n");
  CHECK(f.Run("GEODIST k Palermo Catania KM") == "$8\r\n166.2742\r\n");
  CHECK(f.Run("GEODIST k Palermo Catania ft") == "$11\r\n545518.8700\r\n");
  CHECK(f.Run("GEODIST k Palermo Palermo") == "$6\r\n0.0000\r\n");
  CHECK(f.Run("GEODIST k Palermo missing") == "$-1\r\n");
  // Ties go to the even ten-thousandth, which the nearest binary number to the decimal one may not.
  CHECK(f.Run("ZADD tie 168542009805437 p") == ":1\r\n");
  CHECK(f.Run("GEOSEARCH tie FROMLONLAT -65.6284 21.3372 BYRADIUS 90000000 ft WITHDIST") ==
        "*1\r\n*2\r\n$1\r\np\r\n$13\r\n36431832.4508\r\n");
  CHECK(f.Run("GEODIST missing a b") == "$-1\r\n");
  CHECK(f.Run("GEODIST missing a b cm") == kUnitError);
  CHECK(f.Run("GEODIST missing a b m m") == kSyntaxError);
  CHECK(f.Run("GEOPOS k Palermo missing") ==
        "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n");
  CHECK(f.Run("GEOPOS missing a") == "*1\r\n*-1\r\n");
  CHECK(f.Run("GEOPOS k") == "*0\r\n");
  CHECK(f.Run("GEOHASH k Palermo missing") == "*2\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n");
  f.UseResp3();
  CHECK(f.Run("GEOPOS k Palermo missing") ==
        "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n");
  CHECK(f.Run("GEODIST k Palermo Catania km") == "$8\r\n166.2742\r\n");
}

TEST_CASE("GEOSEARCH finds what is near", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  f.Run("GEOADD k 1 1 far");
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km") == Bulks({"Palermo", "Catania"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC") == Bulks({"Catania", "Palermo"}));
  CHECK(f.Run("GEOSEARCH k BYBOX 400 400 km FROMLONLAT 15 37 DESC") == Bulks({"Palermo", "Catania"}));
  CHECK(f.Run("GEOSEARCH k FROMMEMBER Catania BYRADIUS 1 m") == Bulks({"Catania"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1") == Bulks({"Catania"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY") == Bulks({"Palermo"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 DESC") == Bulks({"Palermo"}));
  CHECK(f.Run("GEOSEARCH k FROMMEMBER Palermo BYBOX inf inf km COUNT 9") ==
        Bulks({"Palermo", "Catania", "far"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 100 km WITHCOORD WITHDIST WITHHASH") ==
        "*1\r\n*4\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n:3479447370796909\r\n"
        "*2\r\n$20\r\n15.08726745843887329\r\n$20\r\n37.50266842333162032\r\n");
  CHECK(f.Run("GEOSEARCH missing FROMMEMBER a BYRADIUS 1 km") == "*0\r\n");
}

TEST_CASE("GEOSEARCH refuses what it does not understand", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  const auto search = [&](std::string_view rest) { return f.Run("GEOSEARCH k " + std::string(rest)); };
  CHECK(search("FROMMEMBER missing BYBOX 400 400 KM") == kMemberError);
  CHECK(search("FROMLONLAT 15 37 FROMMEMBER a BYBOX 1 1 KM") == kSyntaxError);
  CHECK(search("FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 KM") == kSyntaxError);
  CHECK(search("BYBOX 400 400 KM WITHDIST") ==
        "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH\r\n");
  CHECK(search("FROMLONLAT 1 1 ASC ASC ASC") ==
        "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS -1 km") == "-ERR radius cannot be negative\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS x km") == "-ERR need numeric radius\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 xx") == kUnitError);
  CHECK(search("FROMMEMBER Palermo BYBOX x 1 km") == "-ERR need numeric width\r\n");
  CHECK(search("FROMMEMBER Palermo BYBOX 1 x km") == "-ERR need numeric height\r\n");
  CHECK(search("FROMMEMBER Palermo BYBOX 1 -1 km") == "-ERR height or width cannot be negative\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 km COUNT 0") == "-ERR COUNT must be > 0\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 km COUNT") == kSyntaxError);
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 km ANY") ==
        "-ERR the ANY argument requires COUNT argument\r\n");
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 km STORE d") == kSyntaxError);
  CHECK(search("FROMMEMBER Palermo BYRADIUS 1 km STOREDIST") == kSyntaxError);
  f.Run("SET s 1");
  CHECK(f.Run("GEOSEARCH s FROMMEMBER a BYRADIUS 1 xx") == kWrongTypeError);
}

TEST_CASE("GEOSEARCHSTORE and STORE put the result in the place of what was there", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  f.RecordNotifications(~kNotifyNew);
  f.Run("SET d 1");
  f.TakeNotifications();
  CHECK(f.Run("GEOSEARCHSTORE d k FROMMEMBER Palermo BYRADIUS 500 km") == ":2\r\n");
  CHECK(f.TakeNotifications() == Lines{"geosearchstore d"});
  CHECK(f.Run("ZRANGE d 0 -1 WITHSCORES") ==
        Bulks({"Palermo", "3479099956230698", "Catania", "3479447370796909"}));
  CHECK(f.Run("GEOSEARCHSTORE d k FROMMEMBER Palermo BYRADIUS 500 mi STOREDIST") == ":2\r\n");
  CHECK(f.Run("ZRANGE d 0 -1 WITHSCORES") == Bulks({"Palermo", "0", "Catania", "103.31822459492733"}));
  CHECK(f.Run("GEORADIUS k 15 37 200 km STOREDIST d2 STORE e COUNT 1") == ":1\r\n");
  CHECK(f.Run("EXISTS d2") == ":0\r\n");
  CHECK(f.Run("ZRANGE e 0 -1 WITHSCORES") == Bulks({"Catania", "3479447370796909"}));
  f.TakeNotifications();
  CHECK(f.Run("GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m") == ":0\r\n");
  CHECK(f.TakeNotifications() == Lines{"del d"});
  CHECK(f.Run("GEOSEARCHSTORE d missing FROMLONLAT 0 0 BYRADIUS 1 m") == ":0\r\n");
  CHECK(f.Run("GEORADIUSBYMEMBER missing x 1 km STORE e") == ":0\r\n");
  CHECK(f.Run("EXISTS e") == ":0\r\n");
  CHECK(f.Run("GEOSEARCHSTORE k k FROMLONLAT 15 37 BYRADIUS 100 km") == ":1\r\n");
  CHECK(f.Run("ZCARD k") == ":1\r\n");
}

TEST_CASE("STORE does not go with what only a reply can say", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  CHECK(f.Run("GEOSEARCHSTORE d k FROMMEMBER Palermo BYRADIUS 1 km WITHDIST") ==
        "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n");
  CHECK(f.Run("GEORADIUS k 15 37 200 km STORE d WITHHASH") ==
        "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n");
  CHECK(f.Run("GEORADIUS_RO k 15 37 200 km STORE d") == kSyntaxError);
  CHECK(f.Run("GEORADIUSBYMEMBER_RO k Palermo 200 km STORE d") == kSyntaxError);
  CHECK(f.Run("GEORADIUS k 15 37 200 km STORE") == kSyntaxError);
}

TEST_CASE("GEORADIUS and GEORADIUSBYMEMBER", "[geo]") {
  CommandFixture f;
  AddSicily(f);
  CHECK(f.Run("GEORADIUS k 15 37 200 km") == Bulks({"Palermo", "Catania"}));
  CHECK(f.Run("GEORADIUS_RO k 15 37 200 km DESC COUNT 1") == Bulks({"Palermo"}));
  CHECK(f.Run("GEORADIUS missing 15 37 x km") == "-ERR need numeric radius\r\n");
  CHECK(f.Run("GEORADIUS missing 15 137 1 km") ==
        "-ERR invalid longitude,latitude pair 15.000000,137.000000\r\n");
  CHECK(f.Run("GEORADIUSBYMEMBER k Palermo 200 km ASC") == Bulks({"Palermo", "Catania"}));
  CHECK(f.Run("GEORADIUSBYMEMBER k missing 200 km") == kMemberError);
  CHECK(f.Run("GEORADIUSBYMEMBER missing Palermo x xx") == "*0\r\n");
  CHECK(f.Run("GEORADIUSBYMEMBER missing Palermo 200 km FOO") == kSyntaxError);
  CHECK(f.Run("GEORADIUSBYMEMBER k Palermo 200 km FROMMEMBER x") == kSyntaxError);
}

TEST_CASE("Large geo sets are searched as small ones are", "[geo]") {
  CommandFixture f;
  for (int i = 0; i < 400; ++i) {
    const std::string degrees = std::to_string(i % 20) + "." + std::to_string(i);
    f.Do({"GEOADD", "k", degrees, std::to_string(i / 20), "m" + std::to_string(i)});
  }
  CHECK(f.Run("GEOSEARCH k FROMMEMBER m210 BYRADIUS 1 km") == Bulks({"m210"}));
  CHECK(f.Run("GEOSEARCH k FROMLONLAT 0 0 BYRADIUS 20000 km COUNT 500").substr(0, 6) == "*400\r\n");
  CHECK(f.Run("GEOSEARCHSTORE d k FROMLONLAT 0 0 BYBOX 20000 20000 km") == ":400\r\n");
  CHECK(f.Run("GEOSEARCH d FROMLONLAT 0 0 BYRADIUS 20000 km COUNT 7 ANY").substr(0, 4) == "*7\r\n");
}

TEST_CASE("Keys of the geo commands", "[geo]") {
  CommandFixture f;
  CHECK(f.Run("COMMAND GETKEYS GEORADIUS k 1 1 1 km STORE d") == Bulks({"k", "d"}));
  CHECK(f.Run("COMMAND GETKEYS GEORADIUS k 1 1 1 km STOREDIST e STORE") == Bulks({"k", "e"}));
  CHECK(f.Run("COMMAND GETKEYS GEOSEARCHSTORE a b c d e f g") == Bulks({"a", "b"}));
}

}  // namespace
}  // namespace pinyon
