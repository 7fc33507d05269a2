// Passwords, and what a client may send before it has given one.
#include <catch2/catch.hpp>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

std::unique_ptr<ServerProcess> LaunchWithPassword() { return LaunchWith({"--requirepass", "secret"}); }

constexpr char kWrongPassword[] = "WRONGPASS invalid username-password pair or user is disabled.";
constexpr char kNoAuth[] = "NOAUTH Authentication required.";

}  // namespace

TEST_CASE("commands are refused until AUTH", "[auth][redis-ok]") {
  auto server = LaunchWithPassword();
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"PING"})) == kNoAuth);
  CHECK(TextOf(client.Call({"GET", "a"})) == kNoAuth);
  CHECK(TextOf(client.Call({"AUTH", "wrong"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"AUTH", "default", "wrong"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"AUTH", "nosuchuser", "secret"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"GET", "a"})) == kNoAuth);
  CHECK(TextOf(client.Call({"AUTH", "secret"})) == "OK");
  CHECK(TextOf(client.Call({"PING"})) == "PONG");
  CHECK(TextOf(client.Call({"AUTH", "default", "secret"})) == "OK");
  // A wrong password later does not take away what was granted.
  CHECK(TextOf(client.Call({"AUTH", "wrong"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"PING"})) == "PONG");
}

TEST_CASE("RESET takes the authentication back", "[auth][redis-ok]") {
  auto server = LaunchWithPassword();
  RawClient client = server->Connect();
  REQUIRE(TextOf(client.Call({"AUTH", "secret"})) == "OK");
  CHECK(TextOf(client.Call({"RESET"})) == "RESET");
  CHECK(TextOf(client.Call({"PING"})) == kNoAuth);
}

TEST_CASE("HELLO authenticates and switches, both or neither", "[auth][redis-ok]") {
  auto server = LaunchWithPassword();
  RawClient client = server->Connect();
  CHECK(
      TextOf(client.Call({"HELLO", "3"})) ==
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> "
      "<pass> "
      "option can be used to authenticate the client and select the RESP protocol version at the same time");
  CHECK(TextOf(client.Call({"HELLO", "3", "AUTH", "default", "wrong"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"PING"})) == kNoAuth);
  const Reply greeting = client.Call({"HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me"});
  CHECK(greeting.type == ReplyType::kMap);
  CHECK(TextOf(client.Call({"CLIENT", "GETNAME"})) == "me");
  CHECK(client.Call({"GET", "a"}).type == ReplyType::kNull);
}

TEST_CASE("a transaction cannot be started before AUTH", "[auth][redis-ok]") {
  auto server = LaunchWithPassword();
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"MULTI"})) == kNoAuth);
  CHECK(TextOf(client.Call({"QUIT"})) == "OK");
  CHECK(client.WaitForClose(2000));
}

TEST_CASE("what a client may make the server hold before AUTH is small", "[auth][protocol][redis-ok]") {
  auto server = LaunchWithPassword();
  SECTION("ten arguments") {
    RawClient client = server->Connect();
    CHECK(TextOf(client.Call({"PING", "2", "3", "4", "5", "6", "7", "8", "9", "10"})) == kNoAuth);
    client.Send("*11\r\n");
    CHECK(TextOf(client.ReadReply()) == "ERR Protocol error: unauthenticated multibulk length");
    CHECK(client.WaitForClose(2000));
  }
  SECTION("16384 bytes in one argument") {
    RawClient client = server->Connect();
    CHECK(TextOf(client.Call({"PING", std::string(16384, 'x')})) == kNoAuth);
    client.Send("*2\r\n$4\r\nPING\r\n$16385\r\n");
    CHECK(TextOf(client.ReadReply()) == "ERR Protocol error: unauthenticated bulk length");
    CHECK(client.WaitForClose(2000));
  }
  SECTION("no such limits after it") {
    RawClient client = server->Connect();
    REQUIRE(TextOf(client.Call({"AUTH", "secret"})) == "OK");
    CHECK(TextOf(client.Call({"ECHO", std::string(20000, 'x')})).size() == 20000);
    CHECK(client.Call({"EXISTS", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}).Integer() == 0);
  }
}

}  // namespace pinyon::testing
