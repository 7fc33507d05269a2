#include "support/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace pinyon::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPortAttempts = 10;
constexpr int kExecFailed = 127;

std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string MakeFolder() {
  const char* base = std::getenv("TMPDIR");
  std::string path = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/pinyon-test-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error(fmt::format("mkdtemp {}: {}", path, std::strerror(errno)));
  }
  return path;
}

// What the child needs, prepared before fork() so that only async-signal-safe calls follow it.
struct Launching {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* folder;
  int output;
  int errors;
  uint64_t max_descriptors;
  pid_t parent;
};

[[noreturn]] void RunChild(const Launching& launching) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != launching.parent) _exit(kExecFailed);
  if (launching.max_descriptors != 0) {
    const rlimit limit{launching.max_descriptors, launching.max_descriptors};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(kExecFailed);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0 || dup2(launching.output, 1) < 0 || dup2(launching.errors, 2) < 0 ||
      chdir(launching.folder) != 0) {
    _exit(kExecFailed);
  }
  execvpe(launching.argv[0], launching.argv.data(), launching.environment.data());
  constexpr char kMessage[] = "cannot execute the server binary\n";
  if (write(2, kMessage, sizeof(kMessage) - 1) < 0) _exit(kExecFailed);
  _exit(kExecFailed);
}

int OpenForOutput(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error(fmt::format("open {}: {}", path, std::strerror(errno)));
  return fd;
}

}  // namespace

std::string PinyonBinary() {
  const char* path = std::getenv("PINYON_SERVER");
  if (path == nullptr || *path == '\0') {
    throw std::runtime_error("set PINYON_SERVER to the path of the server under test");
  }
  return path;
}

std::string RedisBinary() {
  const char* path = std::getenv("REDIS_SERVER");
  return path != nullptr && *path != '\0' ? path : "redis-server";
}

uint16_t FindFreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw std::runtime_error("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

ServerProcess::ServerProcess(ServerOptions options) : options_(std::move(options)) {
  // Relative paths must survive the child's chdir.
  if (options_.binary.find('/') != std::string::npos) {
    options_.binary = std::filesystem::absolute(options_.binary).string();
  }
  folder_ = MakeFolder();
  for (int attempt = 1;; ++attempt) {
    port_ = options_.port.has_value() ? *options_.port : FindFreePort();
    try {
      Launch();
      if (!options_.wait_until_ready || WaitUntilReady()) return;
      const std::string log = LogText();
      const bool clash = log.find("ddress already in use") != std::string::npos;
      if (clash && !options_.port.has_value() && attempt < kPortAttempts) continue;
      throw std::runtime_error(fmt::format("{} ended with {} before it answered; it printed:\n{}",
                                           options_.binary, *exit_code_, log));
    } catch (...) {
      Stop(0);
      RemoveFolder();
      throw;
    }
  }
}

ServerProcess::~ServerProcess() {
  try {
    Stop();
    RemoveFolder();
  } catch (const std::exception& error) {
    fmt::print(stderr, "stopping {}: {}\n", options_.binary, error.what());
  }
}

void ServerProcess::RemoveFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ServerProcess::Launch() {
  std::vector<std::string> args = {options_.binary};
  if (!options_.config_text.empty()) {
    std::ofstream(folder_ + "/server.conf", std::ios::binary) << options_.config_text;
    args.emplace_back(folder_ + "/server.conf");
  }
  const auto add = [&args](std::initializer_list<std::string> more) { args.insert(args.end(), more); };
  add({"--port", std::to_string(port_), "--save", "", "--dir", folder_});
  if (!options_.bind.empty()) {
    args.emplace_back("--bind");
    std::istringstream addresses(options_.bind);
    for (std::string address; addresses >> address;) args.push_back(address);
  }
  if (options_.unix_socket) add({"--unixsocket", socket_path()});
  args.insert(args.end(), options_.args.begin(), options_.args.end());

  Launching launching{{},
                      {},
                      folder_.c_str(),
                      OpenForOutput(folder_ + "/stdout.log"),
                      OpenForOutput(folder_ + "/stderr.log"),
                      options_.max_descriptors,
                      getpid()};
  for (std::string& arg : args) launching.argv.push_back(arg.data());
  launching.argv.push_back(nullptr);
  // The first of two that have the same name counts.
  for (std::string& setting : options_.environment) launching.environment.push_back(setting.data());
  for (char** setting = environ; *setting != nullptr; ++setting) launching.environment.push_back(*setting);
  launching.environment.push_back(nullptr);
  exit_code_.reset();
  pid_ = fork();
  if (pid_ == 0) RunChild(launching);
  close(launching.output);
  close(launching.errors);
  if (pid_ < 0) throw std::runtime_error(fmt::format("fork: {}", std::strerror(errno)));
}

bool ServerProcess::WaitUntilReady() {
  const auto deadline = Clock::now() + std::chrono::milliseconds(options_.ready_timeout_ms);
  while (Clock::now() < deadline) {
    if (WaitForExit(0).has_value()) return false;
    try {
      RawClient client = Connect(options_.ready_timeout_ms);
      client.SendCommand({"PING"});
      // Any answer will do, with a password, or with no place left, it is an error; but one that data are
      // still being loaded.
      if (client.ReadRawReply().starts_with("-LOADING")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      // Another process may have taken the port between our look and the child's bind.
      if (!WaitForExit(20).has_value()) return true;
    } catch (const ClientError&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  throw std::runtime_error(
      fmt::format("{} does not answer on port {}; it printed:\n{}", options_.binary, port_, LogText()));
}

RawClient ServerProcess::Connect(int timeout_ms) const {
  if (port_ == 0) return RawClient::Unix(socket_path(), timeout_ms);
  std::string host = options_.bind.substr(0, options_.bind.find(' '));
  if (!host.empty() && host.front() == '-') host.erase(0, 1);
  if (host.empty() || host == "*" || host == "0.0.0.0") host = "127.0.0.1";
  return RawClient::Tcp(host, port_, timeout_ms);
}

void ServerProcess::Signal(int signal) const {
  if (!exit_code_.has_value() && pid_ > 0) kill(pid_, signal);
}

std::optional<int> ServerProcess::WaitForExit(int timeout_ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!exit_code_.has_value() && pid_ > 0) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (ended < 0 && errno != EINTR) {
      exit_code_ = kExecFailed;
    } else if (Clock::now() >= deadline) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  return exit_code_;
}

std::string ServerProcess::OutputText() const { return ReadWholeFile(folder_ + "/stdout.log"); }

std::string ServerProcess::ErrorText() const { return ReadWholeFile(folder_ + "/stderr.log"); }

int ServerProcess::Stop(int grace_ms) {
  if (pid_ <= 0) return exit_code_.value_or(kExecFailed);
  if (WaitForExit(0).has_value()) return *exit_code_;
  Signal(SIGTERM);
  if (!WaitForExit(grace_ms).has_value()) {
    Signal(SIGKILL);
    WaitForExit(10000);
  }
  return exit_code_.value_or(kExecFailed);
}

}  // namespace pinyon::testing
