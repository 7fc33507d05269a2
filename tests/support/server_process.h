// A server under test (or the oracle) as a child process in a temporary folder of its own.
//
// The folder is the child's working directory, holds what it prints, and is removed with the object. The
// child dies with its parent (PR_SET_PDEATHSIG), whatever happens to the test. Both Pinyon and redis-server
// are started with Redis's own command-line directives, always with `--save ""`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/raw_client.h"

namespace pinyon::testing {

// Path of the server under test: $PINYON_SERVER. Throws std::runtime_error when it is not set.
std::string PinyonBinary();

// Path of the oracle: $REDIS_SERVER, or redis-server.
std::string RedisBinary();

// A TCP port on which nothing listened a moment ago.
uint16_t FindFreePort();

struct ServerOptions {
  std::string binary = {};                    // found along PATH when it has no slash
  std::vector<std::string> args = {};         // behind the defaults, so that they override them
  std::vector<std::string> environment = {};  // "NAME=value", besides what the test has
  std::string config_text = {};  // when not empty: written to server.conf, which becomes the first argument
  std::optional<uint16_t> port = {};  // a free one when not given; 0 for no TCP at all (needs unix_socket)
  std::string bind = "127.0.0.1";     // several addresses separated by spaces
  bool unix_socket = false;           // listen on socket_path() too
  uint64_t max_descriptors = 0;       // RLIMIT_NOFILE of the child; 0 leaves it
  bool wait_until_ready = true;       // false for servers that are expected to fail
  int ready_timeout_ms = 20000;
};

class ServerProcess {
 public:
  // Starts it and waits until it answers; retries with another port when the port is taken meanwhile.
  // Throws std::runtime_error, with what the server printed, when it does not come up.
  explicit ServerProcess(ServerOptions options);

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  // A new connection; over TCP, or over the Unix socket when there is no TCP.
  RawClient Connect(int timeout_ms = RawClient::kDefaultTimeoutMs) const;

  void Signal(int signal) const;

  // Exit code (128 + signal when killed by one) once the process has ended; nullopt when it has not in time.
  std::optional<int> WaitForExit(int timeout_ms);
  bool Running() { return !WaitForExit(0).has_value(); }

  // SIGTERM, SIGKILL after `grace_ms`; returns the exit code. What was already over just reports it.
  int Stop(int grace_ms = 10000);

  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  std::string socket_path() const { return folder_ + "/server.sock"; }
  std::string OutputText() const;  // standard output so far: where Redis logs by default
  std::string ErrorText() const;   // standard error so far
  std::string LogText() const { return OutputText() + ErrorText(); }

 private:
  void Launch();
  // False when the process ended before it answered.
  bool WaitUntilReady();
  void RemoveFolder();

  ServerOptions options_;
  std::string folder_;
  uint16_t port_ = 0;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace pinyon::testing
