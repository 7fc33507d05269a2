// A stock client library, hiredis, as users have it.
#include <hiredis/hiredis.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>

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

}  // namespace pinyon::testing
