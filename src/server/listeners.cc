#include "server/listeners.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

namespace pinyon {

namespace {

// The kernel silently cuts a longer backlog: say so, as it shows only under load.
void WarnIfBacklogIsCut(int backlog, Log& log) {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  int limit = 0;
  if (file >> limit && limit > 0 && limit < backlog) {
    log.Warning(
        "WARNING: The TCP backlog setting of {} cannot be enforced because /proc/sys/net/core/somaxconn is "
        "set to the "
        "lower value of {}.",
        backlog, limit);
  }
}

}  // namespace

std::string Listeners::OpenTcp(std::vector<std::unique_ptr<Listener>>* listeners) {
  if (options_.port == 0) return {};
  for (const std::string& configured : options_.bind) {
    const bool optional = !configured.empty() && configured.front() == '-';
    const std::string address = optional ? configured.substr(1) : configured;
    if (address.empty()) continue;
    std::string error;
    bool not_available = false;
    auto listener = Listener::Tcp(loop_, address, options_.port, options_.tcp_backlog, on_accept_, &error,
                                  &not_available);
    if (listener != nullptr) {
      listeners->push_back(std::move(listener));
      continue;
    }
    error =
        fmt::format("Could not create server TCP listening socket {}:{}: {}", address, options_.port, error);
    log_.Warning("Warning: {}", error);
    if (!not_available || !optional) return error;
  }
  return {};
}

std::string Listeners::Open() {
  WarnIfBacklogIsCut(options_.tcp_backlog, log_);
  std::string error = OpenTcp(&tcp_);
  if (!error.empty()) {
    log_.Warning("Failed listening on port {} (TCP), aborting.", options_.port);
    return error;
  }
  if (!options_.unix_socket.empty()) {
    unix_ = Listener::Unix(loop_, options_.unix_socket, options_.unix_socket_permissions,
                           options_.tcp_backlog, on_accept_, &error);
    if (unix_ == nullptr) {
      log_.Warning("Failed opening Unix socket: {}", error);
      return fmt::format("Failed opening Unix socket {}: {}", options_.unix_socket, error);
    }
  }
  if (!tcp_.empty() || unix_ != nullptr) return {};
  log_.Warning("Configured to not listen anywhere, exiting.");
  return "Configured to not listen anywhere";
}

std::string Listeners::ReopenTcp(Change change) {
  // The old ones must go first: the new ones may want the same port.
  tcp_.clear();
  std::vector<std::unique_ptr<Listener>> opened;
  std::string error = OpenTcp(&opened);
  if (error.empty()) tcp_ = std::move(opened);
  if (error.empty()) return {};
  const std::string_view name = change == Change::kBind ? "bind" : "port";
  if (change == Change::kBind) log_.Warning("Failed to bind");
  log_.Warning(
      "Failed applying new configuration. Possibly related to new {} setting. Restoring previous settings.",
      name);
  return change == Change::kBind ? "Failed to bind to specified addresses."
                                 : "Unable to listen on this port. Check server logs.";
}

void Listeners::Close() {
  tcp_.clear();
  if (unix_ == nullptr) return;
  unix_.reset();
  log_.Notice("Removing the unix socket file.");
  unlink(options_.unix_socket.c_str());
}

}  // namespace pinyon
