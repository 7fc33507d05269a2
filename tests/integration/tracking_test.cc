// Client-side caching with real connections: every kind of change reaches who has read the key, in order,
// and once.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "integration/data_folder.h"
#include "integration/server_fixture.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

using Command = std::vector<std::string>;

// What a push says: "invalidate a b", "invalidate *" for all keys, or its elements in one line.
std::string Words(const Reply& push) {
  std::string text;
  const auto add = [&text](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  for (const Reply& element : push.elements) {
    if (element.IsNull()) {
      add("*");
    } else if (!element.elements.empty()) {
      for (const Reply& key : element.elements) add(key.text);
    } else {
      add(element.type == ReplyType::kInteger ? std::to_string(element.Integer()) : element.text);
    }
  }
  return text;
}

std::string Next(RawClient& client) { return Words(client.ReadReply()); }

RawClient Resp3(ServerProcess& server) {
  RawClient client = server.Connect();
  client.Call({"HELLO", "3"});
  return client;
}

// A client that is told of keys, with the line that CLIENT TRACKING was given.
RawClient Tracker(ServerProcess& server, Command options = {}) {
  RawClient client = Resp3(server);
  Command command = {"CLIENT", "TRACKING", "ON"};
  command.insert(command.end(), options.begin(), options.end());
  CHECK(TextOf(client.Call(command)) == "OK");
  return client;
}

// What the client was told up to now, a line each, without the answer to the question.
std::vector<std::string> Told(RawClient& client) {
  std::vector<std::string> told;
  client.SendCommand({"ECHO", "that is all"});
  while (true) {
    const Reply reply = client.ReadReply();
    if (reply.text == "that is all") return told;
    told.push_back(Words(reply));
  }
}

std::string Id(RawClient& client) { return std::to_string(client.Call({"CLIENT", "ID"}).Integer()); }

}  // namespace

TEST_CASE("every kind of change is told", "[tracking][redis-ok]") {
  struct Kind {
    std::vector<Command> before;  // makes the keys
    Command change;
    std::vector<std::string> told;
  };
  const std::vector<Kind> kinds = {
      {{}, {"SET", "k", "1"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"SET", "k", "1"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"SET", "k", "2", "NX"}, {}},
      {{{"SET", "k", "1"}}, {"DEL", "k", "m"}, {"invalidate k"}},
      {{{"SET", "k", "1"}, {"SET", "m", "1"}}, {"UNLINK", "k", "m"}, {"invalidate k", "invalidate m"}},
      {{{"SET", "k", "1"}}, {"APPEND", "k", "x"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"SETRANGE", "k", "0", ""}, {}},
      {{{"SET", "k", "1"}}, {"INCR", "k"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"GETDEL", "k"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"EXPIRE", "k", "100"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"EXPIRE", "k", "-1"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"PERSIST", "k"}, {}},
      {{{"SET", "k", "1"}}, {"GETEX", "k", "EX", "100"}, {"invalidate k"}},
      {{{"SET", "k", "1"}}, {"GETEX", "k"}, {}},
      {{{"SET", "k", "1"}}, {"RENAME", "k", "m"}, {"invalidate k", "invalidate m"}},
      {{{"SET", "k", "1"}}, {"COPY", "k", "m"}, {"invalidate m"}},
      {{{"SET", "k", "1"}}, {"MOVE", "k", "3"}, {"invalidate k"}},
      {{}, {"LPUSH", "k", "1"}, {"invalidate k"}},
      {{{"RPUSH", "k", "1", "2"}}, {"LPOP", "k"}, {"invalidate k"}},
      {{{"RPUSH", "k", "1", "2"}}, {"LREM", "k", "0", "x"}, {}},
      {{{"RPUSH", "k", "1", "2"}}, {"LSET", "k", "0", "x"}, {"invalidate k"}},
      {{{"SADD", "k", "a"}}, {"SADD", "k", "a"}, {}},
      {{{"SADD", "k", "a"}}, {"SMOVE", "k", "m", "a"}, {"invalidate k", "invalidate m"}},
      {{{"SADD", "k", "a"}}, {"SUNIONSTORE", "m", "k"}, {"invalidate m"}},
      {{}, {"HSET", "k", "f", "v"}, {"invalidate k"}},
      {{{"HSET", "k", "f", "v"}}, {"HDEL", "k", "g"}, {}},
      {{{"HSET", "k", "f", "v"}}, {"HDEL", "k", "f"}, {"invalidate k"}},
      {{}, {"ZADD", "k", "1", "a"}, {"invalidate k"}},
      {{{"ZADD", "k", "1", "a"}}, {"ZPOPMIN", "k"}, {"invalidate k"}},
      {{{"ZADD", "k", "1", "a"}}, {"ZRANGESTORE", "m", "k", "0", "-1"}, {"invalidate m"}},
      {{}, {"GEOADD", "k", "1", "1", "a"}, {"invalidate k"}},
      {{}, {"SETBIT", "k", "1", "1"}, {"invalidate k"}},
      {{}, {"PFADD", "k", "a"}, {"invalidate k"}},
      {{{"RPUSH", "k", "1"}}, {"SORT", "k", "STORE", "m"}, {"invalidate m"}},
      {{{"SET", "k", "1"}}, {"FLUSHDB"}, {"invalidate *"}},
      {{}, {"FLUSHALL", "ASYNC"}, {"invalidate *"}},
      {{{"SET", "k", "1"}}, {"SWAPDB", "0", "5"}, {}},
      {{{"SET", "k", "1"}}, {"LPUSH", "k", "x"}, {}},
      {{{"SET", "k", "1"}}, {"TOUCH", "k"}, {}},
  };
  auto server = Launch();
  RawClient tracker = Tracker(*server), writer = Resp3(*server);
  for (const Kind& kind : kinds) {
    writer.Call({"FLUSHALL"});
    for (const Command& command : kind.before) writer.Call(command);
    Told(tracker);
    tracker.Call({"MGET", "k", "m"});
    writer.Call(kind.change);
    CAPTURE(kind.change);
    CHECK(Told(tracker) == kind.told);
    writer.Call(kind.change);
    const bool flush = !kind.told.empty() && kind.told[0] == "invalidate *";
    if (!flush) CHECK(Told(tracker).empty());  // once only
  }
}

TEST_CASE("keys that expire and keys that are evicted are told", "[tracking][redis-ok]") {
  auto server = LaunchWith({"--maxmemory-policy", "allkeys-random"});
  RawClient tracker = Tracker(*server), writer = server->Connect();
  writer.Call({"SET", "k", "1", "PX", "20"});
  tracker.Call({"GET", "k"});
  CHECK(Next(tracker) == "invalidate k");  // by active expiry: nobody looks at it
  writer.Call({"SET", "k", "1"});
  tracker.Call({"GET", "k"});
  writer.Call({"CONFIG", "SET", "maxmemory", "1"});
  writer.Call({"PING"});
  CHECK(Next(tracker) == "invalidate k");
}

TEST_CASE("a pipeline's invalidations stand behind the replies of their commands", "[tracking][redis-ok]") {
  auto server = Launch();
  RawClient tracker = Tracker(*server);
  std::string requests, expected;
  const auto add = [&](const Command& command, const std::string& reply) {
    requests += EncodeCommand(command);
    expected += reply;
  };
  const std::string told = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
  add({"GET", "k"}, "_\r\n");
  add({"SET", "k", "1"}, "+OK\r\n" + told);
  add({"SET", "k", "2"}, "+OK\r\n");
  add({"GET", "k"}, "$1\r\n2\r\n");
  add({"MULTI"}, "+OK\r\n");
  add({"SET", "k", "3"}, "+QUEUED\r\n");
  add({"GET", "k"}, "+QUEUED\r\n");
  add({"EXEC"}, "*2\r\n+OK\r\n$1\r\n3\r\n" + told);
  add({"CLIENT", "REPLY", "SKIP"}, "");
  add({"DEL", "k"}, told);
  add({"PING"}, "+PONG\r\n");
  tracker.Send(requests);
  std::string received;
  while (received.size() < expected.size()) received += tracker.ReadRawReply();
  CHECK(received == expected);
}

TEST_CASE("changes of a transaction are told when it runs", "[tracking][redis-ok]") {
  auto server = Launch();
  RawClient tracker = Tracker(*server), writer = server->Connect();
  tracker.Call({"MULTI"});
  tracker.Call({"GET", "a"});
  tracker.Call({"GET", "b"});
  tracker.Call({"EXEC"});
  writer.Call({"MULTI"});
  writer.Call({"SET", "a", "1"});
  writer.Call({"SET", "b", "1"});
  writer.Call({"SET", "a", "2"});
  CHECK(Told(tracker).empty());
  writer.Call({"EXEC"});
  CHECK(Told(tracker) == std::vector<std::string>{"invalidate a", "invalidate b"});
}

TEST_CASE("broadcasts come once for a turn and prefix", "[tracking][redis-ok]") {
  auto server = Launch();
  RawClient all = Tracker(*server, {"BCAST"}),
            users = Tracker(*server, {"BCAST", "PREFIX", "user:", "NOLOOP"});
  RawClient writer = server->Connect();
  writer.Call({"MSET", "user:2", "1", "x", "1", "user:1", "1"});
  CHECK(Next(all) == "invalidate user:1 user:2 x");
  CHECK(Next(users) == "invalidate user:1 user:2");
  users.Call({"SET", "user:1", "2"});
  CHECK(Told(users).empty());
  CHECK(Told(all) == std::vector<std::string>{"invalidate user:1"});
  writer.Call({"SET", "other", "1"});
  CHECK(Told(users).empty());
  CHECK(Told(all) == std::vector<std::string>{"invalidate other"});
  writer.Call({"FLUSHALL"});
  CHECK(Told(users) == std::vector<std::string>{"invalidate *"});
  CHECK(InfoField(writer, "tracking_clients") == "2");
  CHECK(InfoField(writer, "tracking_total_prefixes") == "2");
  users.Close();
  CHECK(Eventually([&] { return InfoField(writer, "tracking_total_prefixes") == "1"; }));
}

TEST_CASE("a RESP2 client is told through another connection", "[tracking][redis-ok]") {
  auto server = Launch();
  RawClient listener = server->Connect(), reader = server->Connect(), writer = server->Connect();
  const std::string id = Id(listener);
  CHECK(Words(listener.Call({"SUBSCRIBE", "__redis__:invalidate"})) == "subscribe __redis__:invalidate 1");
  CHECK(TextOf(reader.Call({"CLIENT", "TRACKING", "ON", "REDIRECT", id})) == "OK");
  CHECK(std::to_string(reader.Call({"CLIENT", "GETREDIR"}).Integer()) == id);
  reader.Call({"GET", "k"});
  writer.Call({"SET", "k", "1"});
  CHECK(Next(listener) == "message __redis__:invalidate k");
  reader.Call({"GET", "k"});
  writer.Call({"FLUSHALL"});
  CHECK(Next(listener) == "message __redis__:invalidate *");
  const std::string line = writer.Call({"CLIENT", "LIST"}).text;
  CHECK(line.find(" flags=t ") != std::string::npos);
  CHECK(line.find(" redir=" + id + " ") != std::string::npos);
  // The listener goes.
  listener.Close();
  CHECK(Eventually([&] { return InfoField(writer, "connected_clients") == "2"; }));
  reader.Call({"GET", "k"});
  writer.Call({"SET", "k", "1"});
  CHECK(writer.Call({"CLIENT", "LIST"}).text.find(" flags=tR ") != std::string::npos);
  // In RESP3 the reader hears of it itself.
  reader.Call({"HELLO", "3"});
  reader.Call({"GET", "k"});
  writer.Call({"SET", "k", "1"});
  CHECK(Next(reader) == "tracking-redir-broken " + id);
}

TEST_CASE("tracking ends with RESET, with OFF and with the connection", "[tracking][redis-ok]") {
  auto server = Launch();
  RawClient writer = server->Connect();
  RawClient resets = Tracker(*server), off = Tracker(*server), leaves = Tracker(*server);
  for (RawClient* client : {&resets, &off, &leaves}) client->Call({"GET", "k"});
  CHECK(InfoField(writer, "tracking_clients") == "3");
  CHECK(InfoField(writer, "tracking_total_keys") == "1");
  CHECK(InfoField(writer, "tracking_total_items") == "3");
  resets.Call({"RESET"});
  off.Call({"CLIENT", "TRACKING", "OFF"});
  leaves.Close();
  CHECK(Eventually([&] { return InfoField(writer, "tracking_clients") == "0"; }));
  writer.Call({"SET", "k", "1"});
  CHECK(Told(off).empty());
  CHECK(TextOf(resets.Call({"GET", "k"})) == "1");
  CHECK(InfoField(writer, "tracking_total_keys") == "0");
}

TEST_CASE("the table of tracked keys keeps within its limit", "[tracking][pinyon]") {
  auto server = LaunchWith({"--tracking-table-max-keys", "100"});
  RawClient tracker = Tracker(*server), other = server->Connect();
  std::string requests;
  constexpr int kKeys = 2000;
  for (int i = 0; i < kKeys; ++i) requests += EncodeCommand({"GET", "k" + std::to_string(i)});
  tracker.Send(requests);
  size_t told = 0;
  for (int replies = 0; replies < kKeys;) tracker.ReadReply().elements.empty() ? ++replies : (++told, 0);
  told += Told(tracker).size();
  CHECK(told == kKeys - 100);
  CHECK(InfoField(other, "tracking_total_keys") == "100");
  CHECK(TextOf(other.Call({"CONFIG", "SET", "tracking-table-max-keys", "7"})) == "OK");
  CHECK(Eventually([&] { return InfoField(other, "tracking_total_keys") == "7"; }));
  CHECK(Told(tracker).size() == 93);
}

TEST_CASE("a tracking client that does not read is cut off, others are told", "[tracking][pinyon]") {
  auto server = LaunchWith({"--client-output-buffer-limit", "normal 200kb 0 0"});
  RawClient deaf = Tracker(*server, {"BCAST"}), reader = Tracker(*server, {"BCAST"});
  RawClient writer = server->Connect();
  const std::string key(20'000, 'k');
  // The kernel takes some megabytes before anything stays with the server.
  for (int i = 0; i < 1000 && InfoField(writer, "tracking_clients") == "2"; ++i) {
    writer.Call({"SET", key, "1"});
    CHECK(Next(reader) == "invalidate " + key);
  }
  CHECK(InfoField(writer, "tracking_clients") == "1");
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
