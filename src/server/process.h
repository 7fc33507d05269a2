// What the server does to its process: descriptors, daemon, pid file, title, crash report.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"

namespace pinyon {

// What the server holds open beside its clients: the loop, listeners, log, files.
inline constexpr int64_t kReservedDescriptors = 32;

// Raises the limit of open files so that `clients` can connect beside what the server itself needs. Returns
// how many clients there is room for: `clients`, or fewer when the system does not allow it.
int64_t ReserveDescriptors(int64_t clients, Log& log);

// Goes on in a child of init, without terminal or standard streams. Returns false when that fails.
bool Daemonize();

// Writes "<pid>\n"; a failure is logged and otherwise ignored, as the server runs just as well without.
void WritePidFile(const std::string& path, Log& log);

// Reserves the room in which SetProcessTitle writes; to be called once, by main, with its own arguments,
// which are not valid any more after the first SetProcessTitle.
class ProcessTitle {
 public:
  ProcessTitle(int argc, char** argv);
  // `title` is cut to the room there is.
  void Set(const std::string& title);

 private:
  char* start_ = nullptr;
  size_t room_ = 0;
};

// Replaces {title}, {listen-addr}, {server-mode}, {port}, {tls-port}, {unixsocket} and {config-file}; returns
// false when the template has another variable.
struct TitleFields {
  std::string title, listen_address, server_mode, port, tls_port, unix_socket, config_file;
};
bool ExpandTitle(const std::string& title_template, const TitleFields& fields, std::string* title);

// Crashes print what happened and a stack trace to standard error before the process dies of the signal.
void InstallCrashHandlers();

}  // namespace pinyon
