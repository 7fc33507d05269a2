// A stock client library, hiredis, as users have it.
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <poll.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Context = std::unique_ptr<redisContext, FreeContext>;

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using HiredisReply = std::unique_ptr<redisReply, FreeReply>;

template <typename... Values>
HiredisReply Command(const Context& context, const char* format, Values... values) {
  return HiredisReply(static_cast<redisReply*>(redisCommand(context.get(), format, values...)));
}

}  // namespace

TEST_CASE("hiredis talks over TCP", "[hiredis][redis-ok]") {
  auto server = Launch();
  const Context context(redisConnect("127.0.0.1", server->port()));
  REQUIRE(context->err == 0);
  const HiredisReply set = Command(context, "SET %s %b", "key", "a\0b", size_t{3});
  REQUIRE(set);
  CHECK(set->type == REDIS_REPLY_STATUS);
  CHECK(std::string(set->str) == "OK");
  const HiredisReply get = Command(context, "GET %s", "key");
  REQUIRE(get);
  CHECK(get->type == REDIS_REPLY_STRING);
  CHECK(std::string(get->str, get->len) == std::string("a\0b", 3));
  const HiredisReply nothing = Command(context, "GET nosuchkey");
  REQUIRE(nothing);
  CHECK(nothing->type == REDIS_REPLY_NIL);
  const HiredisReply error = Command(context, "INCR key");
  REQUIRE(error);
  CHECK(error->type == REDIS_REPLY_ERROR);
}

TEST_CASE("hiredis talks over a Unix socket", "[hiredis][redis-ok]") {
  auto server = Launch({.unix_socket = true});
  const Context context(redisConnectUnix(server->socket_path().c_str()));
  REQUIRE(context->err == 0);
  const HiredisReply reply = Command(context, "INCR counter");
  REQUIRE(reply);
  CHECK(reply->type == REDIS_REPLY_INTEGER);
  CHECK(reply->integer == 1);
}

TEST_CASE("hiredis pipelines a transaction", "[hiredis][redis-ok]") {
  auto server = Launch();
  const Context context(redisConnect("127.0.0.1", server->port()));
  REQUIRE(context->err == 0);
  for (const char* command : {"MULTI", "SET a 1", "INCR a", "GET a", "EXEC"})
    redisAppendCommand(context.get(), command);
  HiredisReply last;
  for (int i = 0; i < 5; ++i) {
    void* reply = nullptr;
    REQUIRE(redisGetReply(context.get(), &reply) == REDIS_OK);
    last.reset(static_cast<redisReply*>(reply));
  }
  REQUIRE(last->type == REDIS_REPLY_ARRAY);
  REQUIRE(last->elements == 3);
  CHECK(last->element[1]->integer == 2);
  CHECK(std::string(last->element[2]->str) == "2");
}

namespace {

// A reply in one line.
std::string LineOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
  if (reply.type != REDIS_REPLY_ARRAY)
    return reply.str == nullptr ? "nil" : std::string(reply.str, reply.len);
  std::string line;
  for (size_t i = 0; i < reply.elements; ++i) line += (i == 0 ? "" : " ") + LineOf(*reply.element[i]);
  return line;
}

// hiredis's asynchronous connection, driven by hand. What its callbacks are given is kept, a line each.
class AsyncConnection {
 public:
  explicit AsyncConnection(const ServerProcess& server)
      : context_(redisAsyncConnect("127.0.0.1", server.port())) {
    REQUIRE(context_ != nullptr);
    REQUIRE(context_->err == 0);
  }
  AsyncConnection(const AsyncConnection&) = delete;
  AsyncConnection& operator=(const AsyncConnection&) = delete;
  ~AsyncConnection() { redisAsyncFree(context_); }

  void Send(const char* command) { REQUIRE(redisAsyncCommand(context_, Take, &lines_, command) == REDIS_OK); }

  // Waits for as many lines, and takes them.
  std::vector<std::string> Lines(size_t count) {
    constexpr int kTimeoutMs = 10'000;
    redisAsyncHandleWrite(context_);
    while (lines_.size() < count) {
      pollfd fd{context_->c.fd, POLLIN, 0};
      REQUIRE(poll(&fd, 1, kTimeoutMs) == 1);
      redisAsyncHandleRead(context_);
      REQUIRE(context_->err == 0);
    }
    return std::exchange(lines_, {});
  }

 private:
  static void Take(redisAsyncContext*, void* reply, void* lines) {
    if (reply != nullptr)
      static_cast<std::vector<std::string>*>(lines)->push_back(LineOf(*static_cast<redisReply*>(reply)));
  }

  redisAsyncContext* context_;
  std::vector<std::string> lines_;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("hiredis subscribes asynchronously", "[hiredis][redis-ok]") {
  auto server = Launch();
  AsyncConnection subscriber(*server);
  const Context publisher(redisConnect("127.0.0.1", server->port()));
  subscriber.Send("SUBSCRIBE news sport");
  subscriber.Send("PSUBSCRIBE n*");
  CHECK(subscriber.Lines(3) == Lines{"subscribe news 1", "subscribe sport 2", "psubscribe n* 3"});
  const std::string bytes("a\0b", 3);
  CHECK(Command(publisher, "PUBLISH news %b", bytes.data(), bytes.size())->integer == 2);
  CHECK(Command(publisher, "PUBLISH nature two")->integer == 1);
  CHECK(subscriber.Lines(3) ==
        Lines{"message news " + bytes, "pmessage n* news " + bytes, "pmessage n* nature two"});
  subscriber.Send("UNSUBSCRIBE news");
  CHECK(subscriber.Lines(1) == Lines{"unsubscribe news 2"});
  CHECK(Command(publisher, "PUBLISH news three")->integer == 1);
  CHECK(subscriber.Lines(1) == Lines{"pmessage n* news three"});
}

// The way of client-side caching that libraries take which know RESP2 only.
TEST_CASE("hiredis gets invalidations through a second connection", "[hiredis][redis-ok]") {
  auto server = Launch();
  const Context listener(redisConnect("127.0.0.1", server->port()));
  const Context reader(redisConnect("127.0.0.1", server->port()));
  const Context writer(redisConnect("127.0.0.1", server->port()));
  const long long id = Command(listener, "CLIENT ID")->integer;
  CHECK(LineOf(*Command(listener, "SUBSCRIBE __redis__:invalidate")) == "subscribe __redis__:invalidate 1");
  CHECK(LineOf(*Command(reader, "CLIENT TRACKING ON REDIRECT %lld", id)) == "OK");
  CHECK(Command(reader, "GET key")->type == REDIS_REPLY_NIL);
  CHECK(LineOf(*Command(writer, "SET key value")) == "OK");
  CHECK(LineOf(*Command(writer, "FLUSHALL")) == "OK");
  for (const char* expected : {"message __redis__:invalidate key", "message __redis__:invalidate nil"}) {
    void* message = nullptr;
    REQUIRE(redisGetReply(listener.get(), &message) == REDIS_OK);
    CHECK(LineOf(*HiredisReply(static_cast<redisReply*>(message))) == expected);
  }
}

}  // namespace pinyon::testing
