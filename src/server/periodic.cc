#include "server/periodic.h"

#include <algorithm>

#include "base/alloc.h"
#include "base/clock.h"

namespace pinyon {

namespace {

// A slice of active expiry, for each step of active-expire-effort. Turns follow each other at once while keys are
// due, so with busy clients (whose part of a turn is a millisecond) expiry gets at least a fifth of the time.
constexpr int64_t kExpireSliceUs = 250;
constexpr int64_t kExpireStepUs = 50;
// Housekeeping done per tick: segments looked at in each database, and slabs given back (some microseconds each).
constexpr size_t kSegmentsPerTick = 64;
constexpr size_t kSlabsPerTick = 32;
constexpr size_t kIdleChunks = 64;

}  // namespace

void Periodic::Tick() {
  expiry_due_ = active_expiry_;
  housekeeping_due_ = true;
  const int64_t now_ms = MonotonicUs() / 1000;
  stats_.commands.Sample(now_ms, engine_.stats.commands_processed);
  stats_.input.Sample(now_ms, stats_.traffic.input_bytes);
  stats_.output.Sample(now_ms, stats_.traffic.output_bytes);
}

bool Periodic::RunSlice() {
  if (expiry_due_) expiry_due_ = ExpireSlice();
  if (housekeeping_due_) {
    housekeeping_due_ = false;
    Housekeep();
  }
  return expiry_due_;
}

// Returns whether keys are left that are due now.
bool Periodic::ExpireSlice() {
  dispatcher_.UpdateTime();
  const int64_t start_us = MonotonicUs();
  const int64_t end_us = start_us + kExpireSliceUs + kExpireStepUs * (options_.active_expire_effort - 1);
  bool stopped = false;
  const int databases = engine_.keyspace.DatabaseCount();
  for (int visited = 0; visited < databases && !stopped; ++visited) {
    if (expire_database_ >= databases) expire_database_ = 0;
    Database& database = engine_.keyspace.database(expire_database_);
    if (database.expiring() > 0) {
      stopped = !database.ExpireDue([end_us] { return MonotonicUs() >= end_us; });
    }
    if (!stopped) ++expire_database_;
  }
  KeyspaceStats& stats = engine_.keyspace.stats();
  stats.expire_cycle_us += static_cast<uint64_t>(MonotonicUs() - start_us);
  if (stopped) ++stats.expire_cycle_stopped;
  return stopped;
}

void Periodic::Housekeep() {
  for (int i = 0; i < engine_.keyspace.DatabaseCount(); ++i) {
    engine_.keyspace.database(i).table().Maintain(kSegmentsPerTick);
  }
  mem::TrimEmptySlabs(kSlabsPerTick);
  pool_.Trim(kIdleChunks);
  stats_.peak_memory = std::max(stats_.peak_memory, mem::UsedBytes());
}

}  // namespace pinyon
