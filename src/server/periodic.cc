#include "server/periodic.h"

#include <algorithm>

#include "base/alloc.h"
#include "base/clock.h"

namespace pinyon {

namespace {

// A turn begins nothing more when so much of its time is used. Every part ends by itself after half a
// millisecond (but for eviction, if maxmemory-eviction-tenacity says so): together they would take several.
constexpr int64_t kPartsUs = 400;
// A slice of active expiry, for each step of active-expire-effort. Turns follow each other at once while keys
// are due, so with busy clients (whose part of a turn is a millisecond) expiry gets a fifth of the time, and
// still a tenth where eviction and defragmentation go on, too.
constexpr int64_t kExpireSliceUs = 250;
constexpr int64_t kExpireStepUs = 50;
// Segments looked at in each database per tick, and how many are rebuilt in a slice: one, which takes half
// a millisecond where its entries are not in the cache.
constexpr size_t kSegmentsPerTick = 32;
constexpr size_t kRebuildsPerSlice = 1;
// Slabs taken back in a slice (some microseconds each).
constexpr size_t kSlabsPerSlice = 16;
constexpr size_t kIdleChunks = 64;
// So many ticks without a new slab are a time at which huge pages may be made.
constexpr int kQuietTicks = 10;
// Empty slabs beside used ones wait for so many ticks at most while their number grows: then more of them lie
// side by side, or whole chunks are empty.
constexpr int kMaxHeldTicks = 10;

}  // namespace

void Periodic::Tick() {
  expiry_due_ = active_expiry_;
  maintenance_due_ = memory_due_ = true;
  pool_.Trim(kIdleChunks);
  mem::AdaptToSize();
  const mem::SlabStats slabs = mem::GetSlabStats();
  quiet_ticks_ = slabs.slab_bytes == slab_bytes_seen_ ? quiet_ticks_ + 1 : 0;
  slab_bytes_seen_ = slabs.slab_bytes;
  held_ticks_ = slabs.empty_bytes > empty_bytes_seen_ && held_ticks_ < kMaxHeldTicks ? held_ticks_ + 1 : 0;
  empty_bytes_seen_ = slabs.empty_bytes;
  stats_.peak_memory = std::max(stats_.peak_memory, mem::UsedBytes());
  engine_.memory_limit.Tick();
  const int64_t now_us = MonotonicUs(), now_ms = now_us / 1000;
  if (!engine_.is_loading) engine_.defragmenter.Tick(now_us);
  stats_.commands.Sample(now_ms, engine_.stats.commands_processed);
  stats_.input.Sample(now_ms, stats_.traffic.input_bytes);
  stats_.output.Sample(now_ms, stats_.traffic.output_bytes);
}

bool Periodic::RunSlice() {
  // In turn, so that a part that finds no time left goes first in the next turn.
  constexpr int kParts = static_cast<int>(Part::kHousekeeping) + 1;
  int64_t end_us = 0;
  for (int tried = 0; tried < kParts; ++tried) {
    const Part part = next_part_;
    next_part_ = static_cast<Part>((static_cast<int>(part) + 1) % kParts);
    if (!IsDue(part)) continue;
    if (end_us == 0) end_us = MonotonicUs() + kPartsUs;
    Run(part);
    if (MonotonicUs() >= end_us) break;
  }
  // (Defragmentation has a share of the time: NextSliceUs.)
  return IsDue(Part::kEviction) || IsDue(Part::kTracking) || IsDue(Part::kExpiry) ||
         IsDue(Part::kHousekeeping);
}

int64_t Periodic::NextSliceUs() const {
  return IsDue(Part::kDefragmentation) ? engine_.defragmenter.NextSliceUs() : INT64_MAX;
}

bool Periodic::IsDue(Part part) const {
  switch (part) {
    case Part::kEviction: return engine_.memory_limit.IsBehind();
    case Part::kTracking: return engine_.tracking.IsOverLimit();
    case Part::kDefragmentation: return engine_.defragmenter.running() && !engine_.keyspace.spares_pages();
    case Part::kExpiry: return expiry_due_;
    case Part::kHousekeeping: return maintenance_due_ || memory_due_;
  }
  return false;
}

void Periodic::Run(Part part) {
  switch (part) {
    case Part::kEviction:
      dispatcher_.UpdateTime();
      engine_.memory_limit.RunSlice();
      break;
    case Part::kTracking: engine_.tracking.EvictSlice(); break;
    case Part::kDefragmentation: engine_.defragmenter.RunSlice(MonotonicUs()); break;
    case Part::kExpiry: expiry_due_ = ExpireSlice(); break;
    case Part::kHousekeeping:
      if (maintenance_due_) {
        maintenance_due_ = MaintainSlice();
      } else {
        memory_due_ = MemorySlice();
      }
      break;
  }
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
  LazyFree& lazy_free = engine_.keyspace.lazy_free();
  const bool more_freed = lazy_free.IsIdle() && mem::CollectFreed(kSlabsPerSlice);
  // Making huge pages holds the process's memory map: while the keyspace grows, and so takes new pages all
  // the time, a turn was held up for as long as 9 ms.
  const bool may_collapse = lazy_free.IsIdle() && !lazy_free.IsCollapsing() && mem::MayMakeHugePage();
  if (quiet_ticks_ >= kQuietTicks && may_collapse) {
    if (void* range = mem::TakeFilledRange()) lazy_free.Collapse(range);
  }
  // Defragmentation makes whole chunks of them.
  const bool in_parts = held_ticks_ == 0 && !engine_.defragmenter.running();
  if (std::vector<mem::EmptyRange> ranges = mem::TakeEmptySlabs(in_parts); !ranges.empty())
    lazy_free.Release(std::move(ranges));
  empty_bytes_seen_ = std::min(empty_bytes_seen_, mem::GetSlabStats().empty_bytes);
  return more_freed;
}

}  // namespace pinyon
