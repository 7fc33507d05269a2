#include "server/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/assert.h"

extern char** environ;

namespace pinyon {

namespace {

void OnCrash(int signal, siginfo_t* info, void*) {
  char text[128];
  const int length =
      std::snprintf(text, sizeof text, "\n=== PINYON CRASHED: signal %d (%s), address %p ===\n", signal,
                    strsignal(signal), info->si_addr);
  if (length > 0 && write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) _exit(1);
  PrintStackTrace();
  // The handler was reset when it was entered: the signal now does what it does by default.
  raise(signal);
}

}  // namespace

int64_t ReserveDescriptors(int64_t clients, Log& log) {
  const auto wanted = static_cast<rlim_t>(clients + kReservedDescriptors);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log.Warning("Unable to obtain the current NOFILE limit ({}), assuming 1024.", std::strerror(errno));
    return std::min<int64_t>(clients, 1024 - kReservedDescriptors);
  }
  if (limit.rlim_cur >= wanted) return clients;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (limit.rlim_max < wanted) {
    // Root may raise the hard limit.
    rlimit raised{wanted, wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return clients;
  }
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  if (limit.rlim_cur >= wanted) return clients;
  const int64_t room = static_cast<int64_t>(limit.rlim_cur) - kReservedDescriptors;
  if (room > 0) {
    log.Warning(
        "You requested maxclients of {} requiring at least {} max file descriptors. The server can't set "
        "maximum open "
        "files to {} because of OS error or limit: maxclients has been reduced to {}. If you need higher "
        "maxclients "
        "increase 'ulimit -n'.",
        clients, wanted, wanted, room);
  }
  return room;
}

bool Daemonize() {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child > 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR);
  if (null < 0) return true;
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(null, STDERR_FILENO);
  if (null > STDERR_FILENO) close(null);
  return true;
}

void WritePidFile(const std::string& path, Log& log) {
  std::ofstream file(path, std::ios::trunc);
  file << getpid() << '\n';
  if (!file.flush()) log.Warning("Failed to write the pid file {}: {}", path, std::strerror(errno));
}

ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc == 0) return;
  // The kernel shows the memory of the arguments and, behind them, of the environment: the latter moves away.
  char* end = argv[0];
  for (int i = 0; i < argc; ++i) {
    if (argv[i] == end) end = argv[i] + std::strlen(argv[i]) + 1;
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (*variable == end) end = *variable + std::strlen(*variable) + 1;
    *variable = strdup(*variable);
  }
  start_ = argv[0];
  room_ = static_cast<size_t>(end - start_);
}

void ProcessTitle::Set(const std::string& title) {
  if (room_ == 0) return;
  const size_t length = std::min(title.size(), room_ - 1);
  std::memset(start_, 0, room_);
  std::memcpy(start_, title.data(), length);
}

bool ExpandTitle(const std::string& title_template, const TitleFields& fields, std::string* title) {
  const std::pair<std::string_view, const std::string*> variables[] = {
      {"{title}", &fields.title},
      {"{listen-addr}", &fields.listen_address},
      {"{server-mode}", &fields.server_mode},
      {"{port}", &fields.port},
      {"{tls-port}", &fields.tls_port},
      {"{unixsocket}", &fields.unix_socket},
      {"{config-file}", &fields.config_file}};
  title->clear();
  std::string_view rest = title_template;
  while (!rest.empty()) {
    if (rest.front() != '{') {
      const size_t plain = std::min(rest.find('{'), rest.size());
      title->append(rest.substr(0, plain));
      rest.remove_prefix(plain);
      continue;
    }
    const auto* found =
        std::find_if(std::begin(variables), std::end(variables),
                     [rest](const auto& variable) { return rest.starts_with(variable.first); });
    if (found == std::end(variables)) return false;
    title->append(*found->second);
    rest.remove_prefix(found->first.size());
  }
  while (!title->empty() && title->back() == ' ') title->pop_back();
  return true;
}

void InstallCrashHandlers() {
  // A stack of its own, since running out of stack is one way to crash.
  static char stack[64 * 1024];
  const stack_t alternate{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
  sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO | SA_RESETHAND | SA_NODEFER | SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

}  // namespace pinyon
