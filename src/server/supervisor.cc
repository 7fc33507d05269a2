#include "server/supervisor.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/assert.h"

namespace pinyon {

namespace {

constexpr char kSystemdVariable[] = "NOTIFY_SOCKET";
constexpr char kUpstartVariable[] = "UPSTART_JOB";

bool StopForUpstart(Log& log) {
  if (std::getenv(kUpstartVariable) == nullptr) {
    log.Warning("upstart supervision requested, but {} not found!", kUpstartVariable);
    return false;
  }
  log.Notice("supervised by upstart, will stop to signal readiness.");
  raise(SIGSTOP);
  unsetenv(kUpstartVariable);
  return true;
}

}  // namespace

std::string_view SupervisionName(Supervision supervision) {
  switch (supervision) {
    case Supervision::kUpstart: return "upstart";
    case Supervision::kSystemd: return "systemd";
    case Supervision::kAuto: return "auto";
    case Supervision::kNone: break;
  }
  return "no";
}

Supervision ReportToSupervisor(Supervision wanted, Log& log) {
  if (wanted == Supervision::kAuto) {
    wanted = std::getenv(kUpstartVariable) != nullptr   ? Supervision::kUpstart
             : std::getenv(kSystemdVariable) != nullptr ? Supervision::kSystemd
                                                        : Supervision::kNone;
  }
  if (wanted == Supervision::kUpstart) return StopForUpstart(log) ? wanted : Supervision::kNone;
  if (wanted != Supervision::kSystemd) return Supervision::kNone;
  if (!NotifySystemd("STATUS=Pinyon is loading...\n", log)) return Supervision::kNone;
  log.Notice(
      "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and "
      "TimeoutStopSec in your service unit.");
  return wanted;
}

bool NotifySystemd(std::string_view state, Log& log) {
  PINYON_ASSERT(state.ends_with('\n'));
  const char* name = std::getenv(kSystemdVariable);
  if (name == nullptr) {
    log.Warning("systemd supervision error: {} not found!", kSystemdVariable);
    return false;
  }
  const std::string_view path = name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool valid = path.size() > 1 && (path[0] == '/' || path[0] == '@');
  if (!valid || path.size() >= sizeof address.sun_path) {
    log.Warning("systemd supervision error: {} is not the name of a socket", kSystemdVariable);
    return false;
  }
  path.copy(address.sun_path, path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool sent = fd >= 0 && sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                                      reinterpret_cast<const sockaddr*>(&address),
                                      length) == static_cast<ssize_t>(state.size());
  if (!sent) log.Warning("systemd supervision error: sendmsg: {}", std::strerror(errno));
  if (fd >= 0) close(fd);
  return sent;
}

}  // namespace pinyon
