// A session store as applications keep one, through hiredis: a hash for each session, made at login, touched
// with every request, and gone when nobody has come back; with parts of a session that live shorter.
#include <fmt/core.h>
#include <hiredis/hiredis.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/server_fixture.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class SessionStore {
 public:
  explicit SessionStore(ServerProcess& server)
      : context_(redisConnect("127.0.0.1", server.port()), redisFree) {
    REQUIRE(context_ != nullptr);
    REQUIRE(context_->err == 0);
  }

  // The reply as text: numbers and nulls too, the elements of an array between spaces.
  std::string Do(const std::vector<std::string>& command) {
    Append(command);
    return Reply();
  }
  void Append(const std::vector<std::string>& command) {
    std::vector<const char*> texts;
    std::vector<size_t> lengths;
    for (const std::string& argument : command) {
      texts.push_back(argument.data());
      lengths.push_back(argument.size());
    }
    redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), lengths.data());
  }
  std::string Reply() {
    void* reply = nullptr;
    REQUIRE(redisGetReply(context_.get(), &reply) == REDIS_OK);
    const std::unique_ptr<redisReply, decltype(&freeReplyObject)> owned(static_cast<redisReply*>(reply),
                                                                        freeReplyObject);
    return Text(*owned);
  }

  void Create(const std::string& id, const std::string& user) {
    Append({"MULTI"});
    Append({"HSET", Key(id), "user", user, "visits", "0", "csrf", "token-" + id});
    Append({"EXPIRE", Key(id), "1000"});
    Append({"EXEC"});
    for (int i = 0; i < 3; ++i) Reply();
    REQUIRE(Reply() == "3 1");
  }
  static std::string Key(const std::string& id) { return "session:" + id; }

 private:
  static std::string Text(const redisReply& reply) {
    switch (reply.type) {
      case REDIS_REPLY_INTEGER: return std::to_string(reply.integer);
      case REDIS_REPLY_NIL: return "(nil)";
      case REDIS_REPLY_ARRAY: break;
      default: return std::string(reply.str, reply.len);
    }
    std::string text;
    for (size_t i = 0; i < reply.elements; ++i) text += (i == 0 ? "" : " ") + Text(*reply.element[i]);
    return text;
  }

  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

}  // namespace

TEST_CASE("sessions are created, touched and read", "[session_store][redis-ok]") {
  auto server = Launch();
  SessionStore store(*server);
  constexpr int kSessions = 500;
  for (int i = 0; i < kSessions; ++i) store.Create(std::to_string(i), fmt::format("user{}", i));
  CHECK(store.Do({"DBSIZE"}) == std::to_string(kSessions));
  // Ten requests in each, all in one pipeline.
  for (int request = 0; request < 10; ++request) {
    for (int i = 0; i < kSessions; ++i) {
      const std::string key = SessionStore::Key(std::to_string(i));
      store.Append({"HINCRBY", key, "visits", "1"});
      store.Append({"HSET", key, "page", fmt::format("/page/{}", request)});
      store.Append({"EXPIRE", key, "2000"});
      store.Append({"HMGET", key, "user", "visits", "page"});
    }
  }
  for (int request = 0; request < 10; ++request) {
    for (int i = 0; i < kSessions; ++i) {
      REQUIRE(store.Reply() == std::to_string(request + 1));
      REQUIRE(store.Reply() == (request == 0 ? "1" : "0"));
      REQUIRE(store.Reply() == "1");
      REQUIRE(store.Reply() == fmt::format("user{} {} /page/{}", i, request + 1, request));
    }
  }
  CHECK(store.Do({"HGETALL", "session:7"}) == "user user7 visits 10 csrf token-7 page /page/9");
  CHECK(store.Do({"OBJECT", "ENCODING", "session:7"}) == "listpack");
  CHECK(store.Do({"HDEL", "session:7", "csrf", "page", "visits"}) == "3");
  CHECK(store.Do({"HDEL", "session:7", "user"}) == "1");
  CHECK(store.Do({"EXISTS", "session:7"}) == "0");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a shopping basket that grows large keeps every item", "[session_store][redis-ok]") {
  auto server = Launch();
  SessionStore store(*server);
  store.Create("big", "user");
  constexpr int kItems = 3000;
  for (int i = 0; i < kItems; ++i) {
    store.Append({"HSET", "session:big", fmt::format("item:{}", i), std::to_string(i % 7)});
  }
  for (int i = 0; i < kItems; ++i) REQUIRE(store.Reply() == "1");
  CHECK(store.Do({"HLEN", "session:big"}) == std::to_string(kItems + 3));
  CHECK(store.Do({"OBJECT", "ENCODING", "session:big"}) == "hashtable");
  for (int i = 0; i < kItems; ++i) store.Append({"HGET", "session:big", fmt::format("item:{}", i)});
  for (int i = 0; i < kItems; ++i) REQUIRE(store.Reply() == std::to_string(i % 7));
  CHECK(store.Do({"DEL", "session:big"}) == "1");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("sessions expire, whole and in parts", "[session_store][pinyon]") {
  auto server = Launch();
  SessionStore store(*server);
  for (int i = 0; i < 300; ++i) store.Create(std::to_string(i), "user");
  // A token that lives shorter than its session; touched, it lives on.
  for (int i = 0; i < 300; ++i) {
    const std::string key = SessionStore::Key(std::to_string(i));
    CHECK(store.Do({"HPEXPIRE", key, "300", "FIELDS", "1", "csrf"}) == "1");
    if (i % 3 == 0)
      CHECK(store.Do({"HGETEX", key, "EX", "1000", "FIELDS", "1", "csrf"}) == fmt::format("token-{}", i));
  }
  // Sessions of nothing but fields that expire.
  for (int i = 0; i < 100; ++i) {
    CHECK(store.Do({"HSETEX", fmt::format("guest:{}", i), "PX", "300", "FIELDS", "2", "a", "1", "b", "2"}) ==
          "1");
  }
  CHECK(store.Do({"DBSIZE"}) == "400");
  std::this_thread::sleep_for(301ms);
  CHECK(store.Do({"HGET", "session:1", "csrf"}) == "(nil)");
  CHECK(store.Do({"HGET", "session:3", "csrf"}) == "token-3");
  CHECK(store.Do({"EXISTS", "guest:1"}) == "0");
  // Nobody asks for the others: the background sees to them.
  CHECK(Eventually([&] { return store.Do({"DBSIZE"}) == "300"; }, 5s));
  const auto expired = [&] {
    return store.Do({"INFO", "stats"}).find("expired_subkeys:400\r\n") != std::string::npos;
  };
  CHECK(Eventually(expired, 5s));
  CHECK(store.Do({"HLEN", "session:2"}) == "2");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("fields do not expire by themselves while active expiry is off", "[session_store][pinyon]") {
  auto server = LaunchWith({"--enable-debug-command", "yes"});
  SessionStore store(*server);
  CHECK(store.Do({"DEBUG", "SET-ACTIVE-EXPIRE", "0"}) == "OK");
  CHECK(store.Do({"HSETEX", "h", "PX", "50", "FIELDS", "1", "a", "1"}) == "1");
  std::this_thread::sleep_for(400ms);
  CHECK(store.Do({"DBSIZE"}) == "1");
  CHECK(store.Do({"HLEN", "h"}) == "0");
  CHECK(store.Do({"DBSIZE"}) == "0");
}

}  // namespace pinyon::testing
