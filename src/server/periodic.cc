#include "server/periodic.h"

#include <algorithm>

#include "base/alloc.h"
#include "base/clock.h"

namespace pinyon {

namespace {

// A slice of active expiry, for each step of active-expire-effort. Turns follow each other at once while keys
// are due, so with busy clients (whose part of a turn is a millisecond) expiry gets at least a fifth of the
// time.
constexpr int64_t kExpireSliceUs = 250;
constexpr int64_t kExpireStepUs = 50;
// Segments looked at in each database per tick, and how many are rebuilt in a slice (some ten microseconds
// each).
constexpr size_t kSegmentsPerTick = 64;
constexpr size_t kRebuildsPerSlice = 2;
// Slabs taken back, and given back to the system, in a slice (some microseconds each).
constexpr size_t kSlabsPerSlice = 16;
constexpr size_t kIdleChunks = 64;
// So many ticks without a new slab are a time at which huge pages may be made.
constexpr int kQuietTicks = 10;

}  // namespace

void Periodic::Tick() {
  expiry_due_ = active_expiry_;
  maintenance_due_ = memory_due_ = true;
  pool_.Trim(kIdleChunks);
  const uint64_t slab_bytes = mem::GetSlabStats().slab_bytes;
  quiet_ticks_ = slab_bytes == slab_bytes_seen_ ? quiet_ticks_ + 1 : 0;
  slab_bytes_seen_ = slab_bytes;
  stats_.peak_memory = std::max(stats_.peak_memory, mem::UsedBytes());
  engine_.memory_limit.Tick();
  const int64_t now_us = MonotonicUs(), now_ms = now_us / 1000;
  if (!engine_.is_loading) engine_.defragmenter.Tick(now_us);
  stats_.commands.Sample(now_ms, engine_.stats.commands_processed);
  stats_.input.Sample(now_ms, stats_.traffic.input_bytes);
  stats_.output.Sample(now_ms, stats_.traffic.output_bytes);
}

bool Periodic::RunSlice() {
  // Besides the others, as it shares its time with the turn's commands.
  if (engine_.memory_limit.IsBehind()) {
    dispatcher_.UpdateTime();
    engine_.memory_limit.RunSlice();
  }
  // It has a share of the time by itself.
  if (engine_.defragmenter.running() && !engine_.keyspace.spares_pages())
    engine_.defragmenter.RunSlice(MonotonicUs());
  // Expiry goes first, but where keys are always due it takes turns with housekeeping.
  const bool housekeeping_due = maintenance_due_ || memory_due_;
  if (expiry_due_ && !(expired_last_ && housekeeping_due)) {
    expired_last_ = true;
    expiry_due_ = ExpireSlice();
  } else {
    expired_last_ = false;
    if (maintenance_due_) {
      maintenance_due_ = MaintainSlice();
    } else if (memory_due_) {
      memory_due_ = MemorySlice();
    }
  }
  return expiry_due_ || maintenance_due_ || memory_due_ || engine_.memory_limit.IsBehind();
}

// Returns whether keys, or fields of hashes, are left that are due now.
bool Periodic::ExpireSlice() {
  dispatcher_.UpdateTime();
  const int64_t start_us = MonotonicUs();
  const int64_t end_us = start_us + kExpireSliceUs + kExpireStepUs * (options_.active_expire_effort - 1);
  bool stopped = false;
  const int databases = engine_.keyspace.DatabaseCount();
  for (int visited = 0; visited < databases && !stopped; ++visited) {
    if (expire_database_ >= databases) expire_database_ = 0;
    Database& database = engine_.keyspace.database(expire_database_);
    const auto should_stop = [end_us] { return MonotonicUs() >= end_us; };
    if (database.expiring() > 0) stopped = !database.ExpireDue(should_stop);
    if (!stopped && database.hashes_expiring() > 0) stopped = !database.ExpireFieldsDue(should_stop);
    if (!stopped) ++expire_database_;
  }
  KeyspaceStats& stats = engine_.keyspace.stats();
  stats.expire_cycle_us += static_cast<uint64_t>(MonotonicUs() - start_us);
  if (stopped) ++stats.expire_cycle_stopped;
  return stopped;
}

bool Periodic::MaintainSlice() {
  if (!table_maintenance_ || engine_.keyspace.spares_pages()) return false;
  const int databases = engine_.keyspace.DatabaseCount();
  for (; maintain_database_ < databases; ++maintain_database_) {
    Table& table = engine_.keyspace.database(maintain_database_).table();
    if (table.Maintain(kSegmentsPerTick, kRebuildsPerSlice)) return true;
  }
  maintain_database_ = 0;
  return false;
}

bool Periodic::MemorySlice() {
  // While the freeing thread is at work every slab has a little to collect, later some are all free.
  const bool more_freed = engine_.keyspace.lazy_free().pending() == 0 && mem::CollectFreed(kSlabsPerSlice);
  // Making huge pages holds the process's memory map: while the keyspace grows, and so takes new pages all
  // the time, a turn was held up for as long as 9 ms.
  if (quiet_ticks_ >= kQuietTicks) {
    if (void* range = mem::TakeFilledRange()) engine_.keyspace.lazy_free().Collapse(range);
  }
  return mem::TrimEmptySlabs(kSlabsPerSlice) == kSlabsPerSlice || more_freed;
}

}  // namespace pinyon
