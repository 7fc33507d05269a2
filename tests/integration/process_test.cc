// What the server does to its process and tells those who watch it: pid file, service manager, log file,
// configuration that is refused, addresses that cannot be bound.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool Exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A setting of the environment that servers started meanwhile inherit.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~ScopedVariable() { unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

// systemd's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) == 0);
    const timeval timeout{5, 0};
    REQUIRE(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
  }
  ~NotifySocket() { close(fd_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // The next message; empty when none comes in time.
  std::string Next() {
    char text[256];
    const ssize_t length = recv(fd_, text, sizeof(text), 0);
    return length > 0 ? std::string(text, static_cast<size_t>(length)) : std::string();
  }

 private:
  int fd_;
};

}  // namespace

TEST_CASE("the pid file is there while the server runs", "[process][redis-ok]") {
  auto server = Launch({.args = {"--pidfile", "server.pid"}});
  const std::string path = server->folder() + "/server.pid";
  CHECK(ReadAll(path) == std::to_string(server->pid()) + "\n");
  CHECK(server->Stop() == 0);
  CHECK_FALSE(Exists(path));
  CHECK(Has(server->OutputText(), "Removing the pid file."));
}

TEST_CASE("a pid file that cannot be written does not keep the server from running", "[process][redis-ok]") {
  auto server = Launch({.args = {"--pidfile", "no/such/folder/server.pid"}});
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("systemd is told when the server is ready and when it stops", "[process][redis-ok]") {
  char folder[] = "/tmp/pinyon-notify-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string path = std::string(folder) + "/socket";
  const std::string mode = GENERATE("systemd", "auto");
  const bool abstract = GENERATE(false, true);
  INFO(mode << (abstract ? ", abstract" : ", path"));
  const std::string name = abstract ? "@" + path.substr(1) : path;
  {
    NotifySocket manager(name);
    const ScopedVariable variable("NOTIFY_SOCKET", name);
    // It stays in the foreground: the process that was started is the one to watch.
    auto server = Launch({.args = {"--supervised", mode, "--daemonize", "yes"}});
    CHECK(Has(manager.Next(), "STATUS="));
    CHECK(manager.Next() == "STATUS=Ready to accept connections\n");
    CHECK(manager.Next() == "READY=1\n");
    CHECK(Has(TextOf(server->Connect().Call({"INFO", "server"})), "process_supervised:systemd\r\n"));
    CHECK(server->Stop() == 0);
    CHECK(manager.Next() == "STOPPING=1\n");
    CHECK(Has(server->OutputText(), "Supervised by systemd."));
  }
  unlink(path.c_str());
  rmdir(folder);
}

TEST_CASE("without a service manager the server runs unsupervised", "[process][redis-ok]") {
  const std::string mode = GENERATE("systemd", "upstart", "auto", "no");
  auto server = Launch({.args = {"--supervised", mode}});
  CHECK(Has(TextOf(server->Connect().Call({"INFO", "server"})), "process_supervised:no\r\n"));
  const std::string complaint = mode == "systemd"   ? "NOTIFY_SOCKET not found!"
                                : mode == "upstart" ? "UPSTART_JOB not found!"
                                                    : "Ready to accept connections";
  CHECK(Has(server->OutputText(), complaint));
}

TEST_CASE("a log file that cannot be opened ends the server with 1", "[process][redis-ok]") {
  auto server = Launch({.args = {"--logfile", "no/such/folder/log"}, .wait_until_ready = false});
  REQUIRE(server->WaitForExit(5000) == 1);
  CHECK(Has(server->ErrorText(), "Can't open the log file: No such file or directory"));
}

TEST_CASE("settings that would guard the server do not go unheeded", "[process][pinyon]") {
  const std::string line = GENERATE("tls-port 6390", "loadmodule module.so");
  auto server = Launch({.config_text = "# first\n" + line + "\n", .wait_until_ready = false});
  INFO(line);
  REQUIRE(server->WaitForExit(5000) == 1);
  const std::string errors = server->ErrorText();
  CHECK(Has(errors, "at line 2"));
  CHECK(Has(errors, "server.conf"));
  CHECK(Has(errors, "not supported yet"));
}

TEST_CASE("CONFIG SET of what cannot be is refused, of what has no effect is logged", "[process][pinyon]") {
  auto server = Launch();
  RawClient client = server->Connect();
  CHECK(Has(TextOf(client.Call({"CONFIG", "SET", "tls-port", "6390"})), "TLS is not supported yet"));
  CHECK(TextOf(client.Call({"CONFIG", "SET", "repl-backlog-size", "1gb"})) == "OK");
  CHECK(TextOf(client.Call({"CONFIG", "SET", "appendonly", "no"})) == "OK");
  CHECK(Has(server->OutputText(), "CONFIG SET repl-backlog-size: the directive has no effect yet"));
  CHECK_FALSE(Has(server->OutputText(), "CONFIG SET appendonly"));
}

TEST_CASE("addresses that cannot be bound are in the log", "[process][redis-ok]") {
  auto first = Launch();
  const std::string port = std::to_string(first->port());
  auto second = Launch({.port = first->port(), .wait_until_ready = false});
  REQUIRE(second->WaitForExit(5000) == 1);
  CHECK(Has(second->OutputText(), "Warning: Could not create server TCP listening socket 127.0.0.1:" + port +
                                      ": bind: Address already in use\n"));
  CHECK(Has(second->OutputText(), ":M "));
  CHECK(Has(second->OutputText(), "# Failed listening on port " + port + " (TCP), aborting.\n"));

  auto optional = Launch({.bind = "127.0.0.1 -192.0.2.1"});
  CHECK(Has(optional->OutputText(), "listening socket 192.0.2.1:" + std::to_string(optional->port()) +
                                        ": bind: Cannot assign requested address\n"));

  auto no_folder = Launch({.args = {"--unixsocket", "/no/such/folder/socket"}, .wait_until_ready = false});
  REQUIRE(no_folder->WaitForExit(5000) == 1);
  CHECK(Has(no_folder->OutputText(), "Failed opening Unix socket: bind: No such file or directory\n"));
}

TEST_CASE("a CONFIG SET of bind or port that fails leaves the server where it was", "[process][redis-ok]") {
  auto other = Launch();
  auto server = Launch();
  RawClient client = server->Connect();
  CHECK(Has(TextOf(client.Call({"CONFIG", "SET", "bind", "192.0.2.1"})),
            "Failed to bind to specified addresses."));
  CHECK(TextOf(server->Connect().Call({"PING"})) == "PONG");
  CHECK(Has(TextOf(client.Call({"CONFIG", "SET", "port", std::to_string(other->port())})),
            "Unable to listen on this port. Check server logs."));
  CHECK(client.Call({"CONFIG", "GET", "bind"}).elements.at(1).text == "127.0.0.1");
  CHECK(client.Call({"CONFIG", "GET", "port"}).elements.at(1).text == std::to_string(server->port()));
  for (const char* name : {"bind", "port"}) {
    CHECK(
        Has(server->OutputText(), std::string("Failed applying new configuration. Possibly related to new ") +
                                      name + " setting. Restoring previous settings.\n"));
  }
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("the log of a stop reads as that of Redis", "[process][redis-ok]") {
  auto server = Launch();
  CHECK(server->Stop() == 0);
  const std::string log = server->OutputText();
  CHECK(Has(log, std::to_string(server->pid()) + ":signal-handler ("));
  CHECK(Has(log, ") Received SIGTERM scheduling shutdown...\n"));
  CHECK(Has(log, "# User requested shutdown...\n"));
  CHECK(Has(log, "is now ready to exit, bye bye...\n"));
}

TEST_CASE("the log shows the client that is cut off", "[process][clients][redis-ok]") {
  auto server = Launch({.args = {"--client-query-buffer-limit", "1mb"}});
  RawClient greedy = server->Connect();
  try {
    greedy.Send("*2\r\n$3\r\nGET\r\n$1500000\r\n" + std::string(1300000, 'x'));
  } catch (const ClientError&) {  // cut off while it was sending
  }
  REQUIRE(greedy.WaitForClose(5000));
  const std::string log = server->OutputText();
  CHECK(Has(log, "Closing client that reached max query buffer length: id="));
  CHECK(Has(log, " cmd="));
  CHECK(Has(log, " (qbuf initial bytes: \""));
}

}  // namespace pinyon::testing
