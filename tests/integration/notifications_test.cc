// Keyspace notifications: which events commands cause, in which order, and who hears of them.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

std::vector<std::string> Split(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const size_t end = line.find(' ');
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return words;
}

RawClient Listener(ServerProcess& server, const std::string& pattern) {
  RawClient client = server.Connect();
  client.Call({"PSUBSCRIBE", pattern});
  return client;
}

// "event key" of the next message of a keyspace channel, with "@number" behind in another database than 0.
std::string EventOf(const Reply& message) {
  const std::string& channel = message.elements.at(2).text;
  constexpr std::string_view kPrefix = "__keyspace@";
  REQUIRE(channel.starts_with(kPrefix));
  const size_t end = channel.find("__:");
  const std::string database = channel.substr(kPrefix.size(), end - kPrefix.size());
  return message.elements.at(3).text + " " + channel.substr(end + 3) +
         (database == "0" ? "" : "@" + database);
}

// What a listener has been told by now.
std::string TakeEvents(RawClient& listener) {
  std::string events;
  listener.SendCommand({"PING"});
  for (Reply reply = listener.ReadReply(); reply.elements.size() == 4; reply = listener.ReadReply())
    events += (events.empty() ? "" : ", ") + EventOf(reply);
  return events;
}

struct Row {
  const char* command;
  const char* events;
};

// One after the other on one connection, as a redis-server 7.0 answers them.
constexpr Row kRows[] = {
    {"SET s v", "new s, set s"},
    {"SET s w KEEPTTL", "set s"},
    {"SET s w EX 100", "set s, expire s"},
    {"SET s w XX GET", "set s"},
    {"SETNX n 1", "new n, set n"},
    {"SETEX s 100 v", "set s, expire s"},
    {"PSETEX s 100000 v", "set s, expire s"},
    {"GETSET s x", "set s"},
    {"GETEX s PERSIST", ""},
    {"GETEX s EX 100", "expire s"},
    {"GETEX s PXAT 1000", "del s"},
    {"GET nothing", "keymiss nothing"},
    {"SET s v", "new s, set s"},
    {"GETDEL s", "del s"},
    {"APPEND a x", "new a, append a"},
    {"SETRANGE a 3 yz", "setrange a"},
    {"INCR n", "incrby n"},
    {"DECRBY n 5", "incrby n"},
    {"INCRBYFLOAT n 1.5", "incrbyfloat n"},
    {"MSET m1 1 m2 2", "new m1, set m1, new m2, set m2"},
    {"MSETNX m3 3 m4 4", "new m3, set m3, new m4, set m4"},
    {"SETBIT b 7 1", "new b, setbit b"},
    {"BITFIELD b SET u8 0 200 INCRBY u8 8 1", "setbit b"},
    {"BITOP NOT b2 b", "new b2, set b2"},
    {"BITOP AND b2 missing", "keymiss missing, del b2"},
    {"STRLEN nothing", "keymiss nothing"},
    {"EXPIRE n 100", "expire n"},
    {"PERSIST n", "persist n"},
    {"EXPIREAT n 99999999999", "expire n"},
    {"PEXPIRE n 0", "del n"},
    {"DEL m1 m2 m3 m4", "del m1, del m2, del m3, del m4"},
    {"UNLINK a b", "del a, del b"},
    {"LPUSH l 1 2 3", "new l, lpush l"},
    {"RPUSH l 4", "rpush l"},
    {"LPUSHX l 0", "lpush l"},
    {"LINSERT l BEFORE 4 x", "linsert l"},
    {"LSET l 0 zero", "lset l"},
    {"LREM l 1 x", "lrem l"},
    {"LTRIM l 1 3", "ltrim l"},
    {"LPOP l", "lpop l"},
    {"RPOP l 1", "rpop l"},
    {"LMOVE l l2 LEFT RIGHT", "new l2, rpush l2, lpop l, del l"},
    {"RPOPLPUSH l2 l2", "lpush l2, rpop l2"},
    {"LMPOP 1 l2 LEFT COUNT 5", "lpop l2, del l2"},
    {"RPUSH l a b c d", "new l, rpush l"},
    {"BRPOPLPUSH l l3 1", "new l3, lpush l3, rpop l"},
    {"BLMOVE l l3 LEFT LEFT 1", "lpush l3, lpop l"},
    {"BLMPOP 1 1 l RIGHT COUNT 10", "rpop l, del l"},
    {"LTRIM l3 5 6", "ltrim l3, del l3"},
    {"SADD s1 a b c", "new s1, sadd s1"},
    {"SADD s2 b c d", "new s2, sadd s2"},
    {"SREM s1 a", "srem s1"},
    {"SMOVE s1 s2 b", "srem s1"},
    {"SPOP s1", "spop s1, del s1"},
    {"SPOP nothing", ""},
    {"SADD s1 x y", "new s1, sadd s1"},
    {"SPOP s1 5", "spop s1, del s1"},
    {"SINTERSTORE s3 s2 s2", "new s3, sinterstore s3"},
    {"SUNIONSTORE s3 missing", "keymiss missing, del s3"},
    {"SDIFFSTORE s3 s2 missing", "keymiss missing, new s3, sdiffstore s3"},
    {"SREM s3 b c d", "srem s3, del s3"},
    {"HSET h f 1 g 2", "new h, hset h"},
    {"HSETNX h i 3", "hset h"},
    {"HINCRBY h f 1", "hincrby h"},
    {"HINCRBYFLOAT h f 0.5", "hincrbyfloat h"},
    {"HMSET h j 4", "hset h"},
    {"HDEL h f g", "hdel h"},
    {"HDEL h i j", "hdel h, del h"},
    {"ZADD z 1 a 2 b 3 c 4 d", "new z, zadd z"},
    {"ZADD z INCR 5 a", "zincr z"},
    {"ZADD z XX 9 nobody", ""},
    {"ZINCRBY z 1 b", "zincr z"},
    {"ZREM z a", "zrem z"},
    {"ZREMRANGEBYRANK z 0 0", "zremrangebyrank z"},
    {"ZREMRANGEBYSCORE z 4 4", "zremrangebyscore z"},
    {"ZADD z 0 a 0 b", "zadd z"},
    {"ZREMRANGEBYLEX z [a [b", "zremrangebylex z"},
    {"ZADD z 1 a 2 b 3 c", "zadd z"},
    {"ZPOPMIN z", "zpopmin z"},
    {"ZPOPMAX z 1", "zpopmax z"},
    {"BZPOPMIN z 1", "zpopmin z, del z"},
    {"ZADD z 1 a 2 b 3 c", "new z, zadd z"},
    {"ZMPOP 1 z MIN COUNT 5", "zpopmin z, del z"},
    {"ZADD z 1 a 2 b 3 c", "new z, zadd z"},
    {"BZPOPMAX z 1", "zpopmax z"},
    {"BZMPOP 1 1 z MAX COUNT 9", "zpopmax z, del z"},
    {"ZADD z 1 a 2 b 3 c", "new z, zadd z"},
    {"ZUNIONSTORE z2 2 z z", "new z2, zunionstore z2"},
    {"ZINTERSTORE z2 2 z missing", "keymiss missing, del z2"},
    {"ZDIFFSTORE z2 2 z missing", "keymiss missing, new z2, zdiffstore z2"},
    {"ZRANGESTORE z3 z 0 1", "new z3, zrangestore z3"},
    {"ZRANGESTORE z3 z 9 10", "del z3"},
    {"ZREMRANGEBYRANK z 0 -1", "zremrangebyrank z, del z"},
    {"GEOADD g 13.36 38.11 p 15.08 37.50 c", "new g, zadd g"},
    {"GEORADIUS g 15 37 200 km STORE g2", "new g2, georadiusstore g2"},
    {"GEOSEARCHSTORE g2 g FROMLONLAT 15 37 BYRADIUS 200 km", "geosearchstore g2"},
    {"GEOSEARCHSTORE g2 missing FROMLONLAT 15 37 BYRADIUS 200 km", "keymiss missing, del g2"},
    {"PFADD p a b", "new p, pfadd p"},
    {"PFADD p a", ""},
    {"PFADD p2 c", "new p2, pfadd p2"},
    {"PFMERGE p p2", "pfadd p"},
    {"PFCOUNT p", ""},
    {"RPUSH l 3 1 2", "new l, rpush l"},
    {"SORT l STORE sorted", "new sorted, sortstore sorted"},
    {"SORT missing STORE sorted", "keymiss missing, del sorted"},
    {"RENAME l l4", "new l4, rename_from l, rename_to l4"},
    {"RENAMENX l4 l", "new l, rename_from l4, rename_to l"},
    {"COPY l l5", "new l5, copy_to l5"},
    {"COPY l l5 DB 1", "new l5@1, copy_to l5@1"},
    {"MOVE l 2", "new l@2, move_from l, move_to l@2"},
    {"SWAPDB 0 1", ""},
    {"SWAPDB 0 1", ""},
    {"DUMP nothing", "keymiss nothing"},
    {"SET r 1", "new r, set r"},
    {"TOUCH r", ""},
    {"EXISTS nothing", "keymiss nothing"},
    {"TYPE nothing", "keymiss nothing"},
    {"FLUSHDB", ""},
    {"SELECT 3", ""},
    {"SET k v", "new k@3, set k@3"},
    {"MULTI", ""},
    {"SET k w", ""},
    {"DEL k", ""},
    {"EXEC", "set k@3, del k@3"},
    {"FLUSHALL", ""},
};

}  // namespace

TEST_CASE("every write command causes Redis's events in Redis's order", "[notifications][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  REQUIRE(TextOf(client.Call({"CONFIG", "SET", "notify-keyspace-events", "KAmn"})) == "OK");
  RawClient listener = Listener(*server, "__key*");
  for (const Row& row : kRows) {
    const Reply reply = client.Call(Split(row.command));
    INFO(row.command << " -> " << Print(reply));
    CHECK(TakeEvents(listener) == row.events);
  }
}

TEST_CASE("an event is published by key, then by event", "[notifications][redis-ok]") {
  auto server = LaunchWith({"--notify-keyspace-events", "KEA"});
  RawClient client = server->Connect();
  RawClient listener = Listener(*server, "__key*@*__:*");
  client.Call({"SELECT", "5"});
  client.Call({"SET", "k", "v"});
  const Reply by_key = listener.ReadReply(), by_event = listener.ReadReply();
  CHECK(by_key.elements.at(2).text == "__keyspace@5__:k");
  CHECK(by_key.elements.at(3).text == "set");
  CHECK(by_event.elements.at(2).text == "__keyevent@5__:set");
  CHECK(by_event.elements.at(3).text == "k");
}

TEST_CASE("CONFIG SET chooses the classes of events", "[notifications][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  RawClient listener = Listener(*server, "__keyspace*");
  const auto run = [&](const std::string& classes) {
    REQUIRE(TextOf(client.Call({"CONFIG", "SET", "notify-keyspace-events", classes})) == "OK");
    for (const char* line : {"DEL k l s", "SET k v", "LPUSH l v", "SADD s v", "GET none", "EXPIRE k 100"})
      client.Call(Split(line));
    return TakeEvents(listener);
  };
  CHECK(run("") == "");
  CHECK(run("A") == "");  // no class without K or E
  CHECK(run("K") == "");
  CHECK(run("K$") == "set k");
  CHECK(run("Kls") == "lpush l, sadd s");
  CHECK(run("Kg") == "del k, del l, del s, expire k");
  CHECK(run("Km") == "keymiss none");
  CHECK(run("Kn") == "new k, new l, new s");
  CHECK(run("KA") == "del k, del l, del s, set k, lpush l, sadd s, expire k");
  CHECK(run("E$").empty());
}

TEST_CASE("keys whose time is over are announced without being asked for", "[notifications][redis-ok]") {
  auto server = LaunchWith({"--notify-keyspace-events", "Kx"});
  RawClient client = server->Connect();
  RawClient listener = Listener(*server, "__keyspace*");
  client.Call({"SET", "soon", "v", "PX", "30"});
  client.Call({"SET", "later", "v", "EX", "100"});
  CHECK(EventOf(listener.ReadReply()) == "expired soon");
  CHECK(TakeEvents(listener).empty());
}

TEST_CASE("a message that a command causes never stands within its reply", "[notifications][pinyon]") {
  auto server = LaunchWith({"--notify-keyspace-events", "KA"});
  RawClient client = server->Connect();
  client.Call({"HELLO", "3"});
  client.Call({"PSUBSCRIBE", "__key*"});
  client.Send(EncodeCommand({"ZADD", "z", "1", "a", "2", "b"}) + EncodeCommand({"ZPOPMIN", "z", "2"}) +
              EncodeCommand({"SADD", "s", "x"}) + EncodeCommand({"SPOP", "s", "1"}) +
              EncodeCommand({"PING"}));
  std::vector<std::string> events;
  std::vector<ReplyType> replies;
  while (true) {
    const Reply reply = client.ReadReply();
    if (reply.type == ReplyType::kPush) {
      events.push_back(EventOf(reply));
      continue;
    }
    replies.push_back(reply.type);
    for (const Reply& element : reply.elements) CHECK(element.type != ReplyType::kPush);
    if (reply.type == ReplyType::kSimple) break;
  }
  CHECK(replies == std::vector<ReplyType>{ReplyType::kInteger, ReplyType::kArray, ReplyType::kInteger,
                                          ReplyType::kSet, ReplyType::kSimple});
  CHECK(events == std::vector<std::string>{"zadd z", "zpopmin z", "del z", "sadd s", "spop s", "del s"});
}

TEST_CASE("what a waiting client is served is announced in order", "[notifications][redis-ok]") {
  auto server = LaunchWith({"--notify-keyspace-events", "KA"});
  RawClient client = server->Connect(), waiting = server->Connect();
  RawClient listener = Listener(*server, "__key*");
  waiting.SendCommand({"BLPOP", "l", "0"});
  while (client.Call({"INFO", "clients"}).text.find("blocked_clients:1") == std::string::npos) continue;
  client.Call({"RPUSH", "l", "a"});
  CHECK(waiting.ReadReply().elements.size() == 2);
  CHECK(TakeEvents(listener) == "rpush l, lpop l, del l");
}

}  // namespace pinyon::testing
