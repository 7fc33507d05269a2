// INFO's text: sections assembled from what each part of the server knows of itself.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/memory_report.h"
#include "server/network_options.h"
#include "server/peer_connections.h"
#include "server/persistence.h"
#include "server/process_options.h"
#include "server/statistics.h"
#include "server/turn.h"

namespace pinyon {

// What INFO reads; nothing is changed through it but the memory peak, which is what is used now at least.
struct InfoSources {
  Engine& engine;
  const Persistence& persistence;
  const PeerConnections& peers;
  ServerStats& stats;
  const TurnStats& turns;
  const NetworkOptions& network;
  const ProcessOptions& process;
  const CycleClock& cycles;
  const std::string& run_id;
  const std::string& executable;
  const std::string& config_file;
  int64_t start_ms;
  uint64_t startup_memory;
  uint64_t clients_memory;
  uint64_t idle_chunk_bytes;
  const size_t& clients_max_input;
  const size_t& clients_max_output;
};

MemoryReport MakeMemoryReport(const InfoSources& sources);

// The sections asked for (any case; "default", "all", "everything" are groups), the default ones when none
// are.
std::string InfoText(const InfoSources& sources, std::span<const std::string_view> sections);

}  // namespace pinyon
