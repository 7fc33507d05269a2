// Directives of the network: what is listened on, and what one client may take.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/settings.h"

namespace pinyon {

inline constexpr int64_t kMaxPort = 65535;

struct NetworkOptions {
  // They run when CONFIG SET changed what is listened on, or how many clients are; their text refuses the
  // change.
  struct Hooks {
    std::function<std::string()> bind_changed;
    std::function<std::string()> port_changed;
    std::function<std::string()> max_clients_changed;
  };
  void Declare(SettingsRegistry& registry, Hooks hooks);

  std::vector<std::string> bind;
  std::string bind_source;  // for connections that the server opens; it opens none yet
  int port = 6379;
  int tcp_backlog = 511;
  int tcp_keepalive_s = 300;
  int64_t gather_pause_us = 60;  // gather-pause-usec (Pinyon's own): see server/gather_pause.h
  int timeout_s = 0;             // of idle clients; 0: never
  int64_t max_clients = 10000;
  bool protected_mode = true;
  std::string unix_socket;
  unsigned unix_socket_permissions = 0;
  int64_t query_buffer_limit = 1024LL * 1024 * 1024;
  // maxmemory-clients, of all clients together (server/client_memory.h): bytes, or, negative, percent of
  // maxmemory; 0: no limit.
  int64_t clients_max_memory = 0;

  // client-output-buffer-limit: at once beyond `hard`, or `soft` for longer than `soft_seconds`; 0: no limit.
  struct OutputLimit {
    int64_t hard = 0;
    int64_t soft = 0;
    int64_t soft_seconds = 0;
  };
  enum ClientClass { kNormalClients, kReplicaClients, kPubsubClients, kClientClasses };
  OutputLimit output_limits[kClientClasses] = {
      {}, {256LL << 20, 64LL << 20, 60}, {32LL << 20, 8LL << 20, 60}};
};

}  // namespace pinyon
