// Publish and subscribe with real connections: order, protocols, slow and lost subscribers, many of them.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "integration/data_folder.h"
#include "integration/server_fixture.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

// The elements of an aggregate, in one line.
std::string Words(const Reply& reply) {
  std::string text;
  for (const Reply& element : reply.elements) {
    if (!text.empty()) text += ' ';
    text += element.type == ReplyType::kInteger ? std::to_string(element.Integer()) : element.text;
  }
  return text;
}

std::string Next(RawClient& client) { return Words(client.ReadReply()); }

constexpr std::string_view kRestricted =
    "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in "
    "this context";

}  // namespace

// The course of things of redis-py's PubSub object.
TEST_CASE("a RESP2 subscriber's life", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient subscriber = server->Connect(), publisher = server->Connect();
  CHECK(Words(subscriber.Call({"SUBSCRIBE", "news", "sport"})) == "subscribe news 1");
  CHECK(Next(subscriber) == "subscribe sport 2");
  CHECK(Words(subscriber.Call({"PSUBSCRIBE", "n*"})) == "psubscribe n* 3");
  CHECK(publisher.Call({"PUBLISH", "news", "one"}).Integer() == 2);
  CHECK(publisher.Call({"PUBLISH", "nature", "two"}).Integer() == 1);
  CHECK(publisher.Call({"PUBLISH", "weather", "none"}).Integer() == 0);
  CHECK(Next(subscriber) == "message news one");
  CHECK(Next(subscriber) == "pmessage n* news one");
  CHECK(Next(subscriber) == "pmessage n* nature two");
  CHECK(TextOf(subscriber.Call({"GET", "k"})) == kRestricted);
  CHECK(Words(subscriber.Call({"PING"})) == "pong ");
  CHECK(Words(subscriber.Call({"PING", "health"})) == "pong health");
  const std::string line = publisher.Call({"CLIENT", "LIST", "TYPE", "pubsub"}).text;
  INFO(line);
  CHECK(line.find(" flags=P db=0 sub=2 psub=1 ssub=0 multi=-1 ") != std::string::npos);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(Words(publisher.Call({"PUBSUB", "NUMSUB", "news", "x"})) == "news 1 x 0");
  CHECK(publisher.Call({"PUBSUB", "NUMPAT"}).Integer() == 1);
  CHECK(Words(publisher.Call({"PUBSUB", "CHANNELS", "s*"})) == "sport");
  CHECK(InfoField(publisher, "pubsub_channels") == "2");
  CHECK(InfoField(publisher, "pubsub_patterns") == "1");
  CHECK(Words(subscriber.Call({"UNSUBSCRIBE", "news", "sport"})) == "unsubscribe news 2");
  CHECK(Next(subscriber) == "unsubscribe sport 1");
  CHECK(Words(subscriber.Call({"PUNSUBSCRIBE"})) == "punsubscribe n* 0");
  CHECK(TextOf(subscriber.Call({"PING"})) == "PONG");
  CHECK(subscriber.Call({"GET", "k"}).IsNull());
  CHECK(InfoField(publisher, "pubsub_channels") == "0");
}

TEST_CASE("a RESP3 subscriber runs any command between messages", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect(), other = server->Connect();
  client.Call({"HELLO", "3"});
  CHECK(client.Call({"SUBSCRIBE", "c"}).type == ReplyType::kPush);
  CHECK(TextOf(client.Call({"SET", "k", "v"})) == "OK");
  // To oneself: the message comes first.
  client.SendCommand({"PUBLISH", "c", "mine"});
  CHECK(Next(client) == "message c mine");
  CHECK(client.ReadReply().Integer() == 1);
  // While it waits for a key.
  client.SendCommand({"BLPOP", "l", "0"});
  REQUIRE(Eventually([&] { return InfoField(other, "blocked_clients") == "1"; }));
  CHECK(other.Call({"PUBLISH", "c", "meanwhile"}).Integer() == 1);
  CHECK(Next(client) == "message c meanwhile");
  other.Call({"RPUSH", "l", "x"});
  CHECK(Next(client) == "l x");
  // In a transaction.
  CHECK(TextOf(client.Call({"MULTI"})) == "OK");
  CHECK(other.Call({"PUBLISH", "c", "queued"}).Integer() == 1);
  CHECK(Next(client) == "message c queued");
  CHECK(TextOf(client.Call({"GET", "k"})) == "QUEUED");
  CHECK(Words(client.Call({"EXEC"})) == "v");
  CHECK(TextOf(client.Call({"RESET"})) == "RESET");
  CHECK(other.Call({"PUBLISH", "c", "gone"}).Integer() == 0);
}

TEST_CASE("shard channels are a world of their own", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient subscriber = server->Connect(), publisher = server->Connect();
  CHECK(Words(subscriber.Call({"SSUBSCRIBE", "c"})) == "ssubscribe c 1");
  CHECK(Words(subscriber.Call({"SUBSCRIBE", "d"})) == "subscribe d 1");
  CHECK(publisher.Call({"PUBLISH", "c", "x"}).Integer() == 0);
  CHECK(publisher.Call({"SPUBLISH", "d", "x"}).Integer() == 0);
  CHECK(publisher.Call({"SPUBLISH", "c", "x"}).Integer() == 1);
  CHECK(Next(subscriber) == "smessage c x");
  CHECK(InfoField(publisher, "pubsubshard_channels") == "1");
  CHECK(Words(subscriber.Call({"UNSUBSCRIBE"})) == "unsubscribe d 0");
  CHECK(TextOf(subscriber.Call({"GET", "k"})) == kRestricted);
  CHECK(Words(subscriber.Call({"SUNSUBSCRIBE"})) == "sunsubscribe c 0");
  CHECK(subscriber.Call({"GET", "k"}).IsNull());
}

TEST_CASE("CLIENT REPLY does not silence messages", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect(), publisher = server->Connect();
  client.Call({"HELLO", "3"});
  client.SendCommand({"CLIENT", "REPLY", "OFF"});
  CHECK(Words(client.Call({"SUBSCRIBE", "c"})) == "subscribe c 1");
  client.SendCommand({"SET", "k", "v"});
  CHECK(publisher.Call({"PUBLISH", "c", "x"}).Integer() == 1);
  CHECK(Next(client) == "message c x");
  CHECK(TextOf(client.Call({"CLIENT", "REPLY", "ON"})) == "OK");
}

TEST_CASE("messages come in the order of publishing, large ones whole", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient a = server->Connect(), b = server->Connect(), publisher = server->Connect();
  b.Call({"HELLO", "3"});
  a.Call({"SUBSCRIBE", "c"});
  b.Call({"SUBSCRIBE", "c"});
  std::vector<std::string> payloads;
  for (size_t i = 0; i < 300; ++i) {
    payloads.push_back(std::to_string(i) + ":" + std::string(i % 10 == 0 ? 5000 * (i % 7) : i, 'x'));
  }
  std::string pipeline;
  for (const std::string& payload : payloads) pipeline += EncodeCommand({"PUBLISH", "c", payload});
  publisher.Send(pipeline);
  for (const std::string& payload : payloads) {
    REQUIRE(Next(a) == "message c " + payload);
    REQUIRE(Next(b) == "message c " + payload);
    REQUIRE(publisher.ReadReply().Integer() == 2);
  }
}

TEST_CASE("subscribers that leave are forgotten", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient a = server->Connect(), b = server->Connect(), c = server->Connect(),
            publisher = server->Connect();
  for (RawClient* client : {&a, &b, &c}) client->Call({"SUBSCRIBE", "c"});
  const std::string list = publisher.Call({"CLIENT", "LIST", "TYPE", "pubsub"}).text;
  CHECK(std::count(list.begin(), list.end(), '\n') == 3);
  a.Close();
  CHECK(Eventually([&] { return publisher.Call({"PUBLISH", "c", "x"}).Integer() == 2; }));
  b.Reset();
  CHECK(Eventually([&] { return publisher.Call({"PUBLISH", "c", "x"}).Integer() == 1; }));
  // Other clients than subscribers are spared.
  CHECK(publisher.Call({"CLIENT", "KILL", "TYPE", "pubsub"}).Integer() == 1);
  CHECK(c.WaitForClose(2000));
  CHECK(publisher.Call({"PUBLISH", "c", "x"}).Integer() == 0);
  CHECK(publisher.Call({"PUBSUB", "CHANNELS"}).elements.empty());
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("FLUSHALL leaves subscriptions alone", "[pubsub][redis-ok]") {
  auto server = Launch();
  RawClient subscriber = server->Connect(), publisher = server->Connect();
  subscriber.Call({"SUBSCRIBE", "c"});
  publisher.Call({"FLUSHALL"});
  CHECK(publisher.Call({"PUBLISH", "c", "x"}).Integer() == 1);
  CHECK(Next(subscriber) == "message c x");
}

TEST_CASE("timeout spares subscribers", "[pubsub][slow][redis-ok]") {
  auto server = LaunchWith({"--timeout", "1"});
  RawClient subscriber = server->Connect(), idle = server->Connect();
  subscriber.Call({"SUBSCRIBE", "c"});
  idle.Call({"PING"});
  CHECK(idle.WaitForClose(4000));
  CHECK(Words(subscriber.Call({"PING"})) == "pong ");
}

TEST_CASE("a subscriber that does not read is cut off, the others go on", "[pubsub][redis-ok]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "pubsub 2mb 0 0"});
  RawClient deaf = server->Connect(), reader = server->Connect(), publisher = server->Connect();
  deaf.Call({"SUBSCRIBE", "c"});
  reader.Call({"SUBSCRIBE", "c"});
  const std::string payload(32 * 1024, 'x');
  int64_t receivers = 2;
  int published = 0;
  for (; receivers == 2 && published < 4000; ++published) {
    receivers = publisher.Call({"PUBLISH", "c", payload}).Integer();
    REQUIRE(reader.ReadReply().elements.at(2).text == payload);
  }
  CHECK(receivers == 1);
  CHECK(published > 64);  // not before the limit
  CHECK(deaf.WaitForClose(5000));
  CHECK(InfoField(publisher, "client_output_buffer_limit_disconnections") != "0");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("what one transaction publishes is bounded by the limit, too", "[pubsub][pinyon]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "pubsub 1mb 0 0"});
  RawClient deaf = server->Connect(), publisher = server->Connect();
  deaf.Call({"SUBSCRIBE", "c"});
  const std::string payload(1000, 'x');
  std::string pipeline = EncodeCommand({"MULTI"});
  for (int i = 0; i < 20000; ++i) pipeline += EncodeCommand({"PUBLISH", "c", payload});
  publisher.Send(pipeline + EncodeCommand({"EXEC"}));
  CHECK(TextOf(publisher.ReadReply()) == "OK");
  for (int i = 0; i < 20000; ++i) REQUIRE(TextOf(publisher.ReadReply()) == "QUEUED");
  CHECK(publisher.ReadReply().elements.size() == 20000);
  CHECK(deaf.WaitForClose(5000));
  CHECK(publisher.Call({"PUBLISH", "c", "x"}).Integer() == 0);
}

TEST_CASE("the soft limit gives a subscriber its time", "[pubsub][slow][redis-ok]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "pubsub 0 1mb 1"});
  RawClient deaf = server->Connect(), publisher = server->Connect();
  deaf.Call({"SUBSCRIBE", "c"});
  const std::string payload(64 * 1024, 'x');
  for (int i = 0; i < 200; ++i) REQUIRE(publisher.Call({"PUBLISH", "c", payload}).Integer() == 1);
  CHECK(Eventually([&] { return publisher.Call({"PUBLISH", "c", payload}).Integer() == 0; }));
  CHECK(deaf.WaitForClose(5000));
}

TEST_CASE("the limit of normal clients is kept, too", "[clients][pinyon]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "normal 1mb 0 0"});
  RawClient deaf = server->Connect(), other = server->Connect();
  other.Call({"SET", "k", std::string(100 * 1024, 'x')});
  std::string pipeline;
  for (int i = 0; i < 2000; ++i) pipeline += EncodeCommand({"GET", "k"});
  deaf.Send(pipeline);
  CHECK(Eventually([&] { return InfoField(other, "connected_clients") == "1"; }));
  CHECK(InfoField(other, "client_output_buffer_limit_disconnections") == "1");
  CHECK(TextOf(other.Call({"PING"})) == "PONG");
}

TEST_CASE("thousands of subscribers all get every message", "[pubsub][redis-ok]") {
  constexpr size_t kSubscribers = 2000;
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, kSubscribers + 200);
  setrlimit(RLIMIT_NOFILE, &descriptors);
  const size_t count = std::min<size_t>(kSubscribers, descriptors.rlim_cur - 200);
  auto server = Launch();
  RawClient publisher = server->Connect();
  std::vector<RawClient> subscribers;
  for (size_t i = 0; i < count; ++i) {
    subscribers.push_back(server->Connect());
    subscribers.back().Call({i % 3 == 0 ? "PSUBSCRIBE" : "SUBSCRIBE", "c"});
  }
  std::string pipeline;
  for (int i = 0; i < 50; ++i) pipeline += EncodeCommand({"PUBLISH", "c", std::to_string(i)});
  publisher.Send(pipeline);
  for (int i = 0; i < 50; ++i) REQUIRE(publisher.ReadReply().Integer() == static_cast<int64_t>(count));
  for (RawClient& subscriber : subscribers) {
    for (int i = 0; i < 50; ++i) REQUIRE(subscriber.ReadReply().elements.back().text == std::to_string(i));
  }
  subscribers.clear();
  CHECK(Eventually([&] { return publisher.Call({"PUBLISH", "c", "x"}).Integer() == 0; }));
  CHECK(publisher.Call({"PUBSUB", "NUMPAT"}).Integer() == 0);
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
