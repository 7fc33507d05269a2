// Work that recurs: active expiry, evictions that no command waits for, housekeeping of tables and memory,
// idle clients, rates. The timer only marks what is due; it is done in slices within turns, so that no turn
// takes long.
#pragma once

#include <cstdint>

#include "engine/dispatcher.h"
#include "server/network_options.h"
#include "server/process_options.h"
#include "server/statistics.h"

namespace pinyon {

class Periodic {
 public:
  Periodic(Engine& engine, Dispatcher& dispatcher, ServerStats& stats, const ProcessOptions& options,
           ChunkPool& pool)
      : engine_(engine), dispatcher_(dispatcher), stats_(stats), options_(options), pool_(pool) {}

  // The timer's call, `hz` times a second.
  void Tick();
  // A slice of what is due; returns whether more is left to do at once.
  bool RunSlice();
  // When a turn is wanted for what has a share of the time; INT64_MAX: it is not.
  int64_t NextSliceUs() const;

  void set_active_expiry(bool enabled) {
    active_expiry_ = enabled;
    expiry_due_ = expiry_due_ && enabled;
  }
  void set_table_maintenance(bool enabled) { table_maintenance_ = enabled; }

 private:
  // What shares a turn, in this order.
  enum class Part : uint8_t { kEviction, kTracking, kDefragmentation, kExpiry, kHousekeeping };
  bool IsDue(Part part) const;
  void Run(Part part);

  bool ExpireSlice();
  // Both return whether there is more to do at once.
  bool MaintainSlice();
  bool MemorySlice();

  Engine& engine_;
  Dispatcher& dispatcher_;
  ServerStats& stats_;
  const ProcessOptions& options_;
  ChunkPool& pool_;
  Part next_part_ = Part::kEviction;
  bool active_expiry_ = true;
  bool table_maintenance_ = true;
  bool expiry_due_ = false;
  bool maintenance_due_ = false;
  bool memory_due_ = false;
  int quiet_ticks_ = 0;  // since the slabs last grew or shrank
  uint64_t slab_bytes_seen_ = 0;
  // For how many ticks empty slabs have been held, as there were more each time.
  int held_ticks_ = 0;
  uint64_t empty_bytes_seen_ = 0;
  int expire_database_ = 0;
  int maintain_database_ = 0;
};

}  // namespace pinyon
