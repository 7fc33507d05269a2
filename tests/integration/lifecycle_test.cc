// Starting, listening and stopping: exit codes, log lines, addresses, sockets, descriptors.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

bool HasIpv6Loopback() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return bound;
}

size_t Count(const std::string& text, char c) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), c));
}

}  // namespace

TEST_CASE("SIGTERM and SIGINT end the server with 0", "[lifecycle][redis-ok]") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  auto server = Launch();
  RawClient idle = server->Connect();
  REQUIRE(TextOf(idle.Call({"PING"})) == "PONG");
  server->Signal(signal);
  REQUIRE(server->WaitForExit(2000) == 0);
  CHECK(idle.WaitForClose(1000));
}

TEST_CASE("the log tells when the server is ready", "[lifecycle][redis-ok]") {
  auto server = Launch();
  const std::string log = server->OutputText();
  CHECK(log.find("Server initialized") != std::string::npos);
  CHECK(log.find("Ready to accept connections") != std::string::npos);
}

TEST_CASE("a port in use ends the server with 1", "[lifecycle][redis-ok]") {
  auto first = Launch();
  auto second = Launch({.port = first->port(), .wait_until_ready = false});
  REQUIRE(second->WaitForExit(5000) == 1);
  CHECK(second->LogText().find("in use") != std::string::npos);
  CHECK(HealthyUntilTheEnd(*first));
}

TEST_CASE("a port in use is one clear line on standard error", "[lifecycle][pinyon]") {
  auto first = Launch();
  auto second = Launch({.port = first->port(), .wait_until_ready = false});
  REQUIRE(second->WaitForExit(5000) == 1);
  const std::string errors = second->ErrorText();
  INFO(errors);
  CHECK(Count(errors, '\n') == 1);
  CHECK(errors.find(std::to_string(first->port())) != std::string::npos);
  CHECK(errors.find("in use") != std::string::npos);
}

TEST_CASE("a wrong directive ends the server with 1", "[lifecycle][redis-ok]") {
  const std::string directive = GENERATE("nosuchdirective yes\n", "maxclients abc\n", "appendonly maybe\n");
  auto server = Launch({.config_text = directive, .wait_until_ready = false});
  INFO(directive);
  REQUIRE(server->WaitForExit(5000) == 1);
  // The line is quoted, so that it can be found.
  CHECK(server->LogText().find(directive.substr(0, directive.find(' '))) != std::string::npos);
}

TEST_CASE("a configuration file is read and arguments override it", "[lifecycle][redis-ok]") {
  auto server =
      Launch({.args = {"--timeout", "77"}, .config_text = "# a comment\n\ntimeout 50\ntcp-keepalive 60\n"});
  RawClient client = server->Connect();
  CHECK(client.Call({"CONFIG", "GET", "timeout"}).elements.at(1).text == "77");
  CHECK(client.Call({"CONFIG", "GET", "tcp-keepalive"}).elements.at(1).text == "60");
}

TEST_CASE("the server listens on several addresses", "[lifecycle][redis-ok]") {
  auto server = Launch({.bind = "127.0.0.1 127.0.0.2"});
  for (const char* host : {"127.0.0.1", "127.0.0.2"}) {
    CHECK(TextOf(RawClient::Tcp(host, server->port()).Call({"PING"})) == "PONG");
  }
  CHECK_THROWS_AS(RawClient::Tcp("127.0.0.3", server->port()), ClientError);
}

TEST_CASE("the server listens on IPv6", "[lifecycle][redis-ok]") {
  if (!HasIpv6Loopback()) {
    WARN("no IPv6 on this machine");
    return;
  }
  auto server = Launch({.bind = "127.0.0.1 -::1"});
  RawClient client = RawClient::Tcp("::1", server->port());
  REQUIRE(TextOf(client.Call({"PING"})) == "PONG");
  CHECK(client.Call({"CLIENT", "INFO"}).text.find("addr=[::1]:") != std::string::npos);
  CHECK(TextOf(RawClient::Tcp("127.0.0.1", server->port()).Call({"PING"})) == "PONG");
}

TEST_CASE("an address that is not there is passed over only when optional", "[lifecycle][redis-ok]") {
  auto optional = Launch({.bind = "127.0.0.1 -192.0.2.1"});
  CHECK(HealthyUntilTheEnd(*optional));
  auto mandatory = Launch({.bind = "127.0.0.1 192.0.2.1", .wait_until_ready = false});
  CHECK(mandatory->WaitForExit(5000) == 1);
}

TEST_CASE("the Unix socket has the permissions asked for and goes with the server", "[lifecycle][redis-ok]") {
  auto server = Launch({.args = {"--unixsocketperm", "700"}, .port = uint16_t{0}, .unix_socket = true});
  REQUIRE(TextOf(RawClient::Unix(server->socket_path()).Call({"PING"})) == "PONG");
  struct stat status {};
  REQUIRE(stat(server->socket_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(server->Stop() == 0);
  CHECK(stat(server->socket_path().c_str(), &status) != 0);
}

TEST_CASE("TCP and a Unix socket serve the same data", "[lifecycle][redis-ok]") {
  auto server = Launch({.unix_socket = true});
  REQUIRE(TextOf(RawClient::Unix(server->socket_path()).Call({"SET", "a", "1"})) == "OK");
  CHECK(TextOf(server->Connect().Call({"GET", "a"})) == "1");
}

TEST_CASE("SHUTDOWN ends the server with 0", "[lifecycle][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"SHUTDOWN", "BOGUS"})) == "ERR syntax error");
  client.SendCommand({"SHUTDOWN", "NOSAVE"});
  REQUIRE(server->WaitForExit(2000) == 0);
  CHECK(client.WaitForClose(1000));
}

TEST_CASE("running out of descriptors refuses new clients and keeps the others",
          "[lifecycle][clients][redis-ok]") {
  auto server = Launch({.max_descriptors = 100});
  RawClient first = server->Connect();
  REQUIRE(TextOf(first.Call({"PING"})) == "PONG");
  {
    std::vector<RawClient> crowd;
    crowd.reserve(200);
    for (int i = 0; i < 200; ++i) crowd.push_back(server->Connect());
    CHECK(TextOf(first.Call({"PING"})) == "PONG");
    CHECK(TextOf(first.Call({"SET", "a", "1"})) == "OK");
  }
  // With the crowd gone there is place again, at the latest once the server has noticed.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  bool served = false;
  while (!served && std::chrono::steady_clock::now() < deadline) {
    try {
      served = TextOf(server->Connect(1000).Call({"GET", "a"})) == "1";
    } catch (const ClientError&) {
    }
  }
  CHECK(served);
  CHECK(TextOf(first.Call({"PING"})) == "PONG");
  CHECK(server->Stop() == 0);
}

}  // namespace pinyon::testing
