#include "keyspace/lazy_free.h"

#include <system_error>
#include <utility>

#include "base/alloc.h"
#include "base/background_priority.h"
#include "base/blocked_signals.h"
#include "keyspace/table.h"

namespace pinyon {

namespace {

// Of a list whose bytes are to be told without looking at much of it.
constexpr size_t kListSamples = 1;

// Of a table that is not to be walked: what a few of its entries take, times their number.
uint64_t EstimatedBytes(const Table& table) {
  constexpr size_t kSamples = 32;
  size_t sampled = 0;
  uint64_t bytes = 0;
  table.ScanItems(0, kSamples, [&](const Entry* entry) {
    ++sampled;
    bytes += entry->MemoryBytes(kListSamples);
  });
  return table.OverheadBytes() + (sampled == 0 ? 0 : bytes * table.size() / sampled);
}

}  // namespace

LazyFree::~LazyFree() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LazyFree::Free(Entry* entry, bool counts) {
  Enqueue({entry, entry->MemoryBytes(kListSamples), counts ? uint64_t{1} : 0});
}

void LazyFree::Free(std::unique_ptr<Table> table, bool counts) {
  const uint64_t objects = counts ? table->size() : 0;
  const uint64_t bytes = EstimatedBytes(*table);
  Enqueue({std::move(table), bytes, objects});
}

// (Keys of an index are no objects that clients know.)
void LazyFree::Free(std::unique_ptr<FieldExpiry> index) { Enqueue({std::move(index), 0, 0}); }

void LazyFree::Free(std::shared_ptr<void> other, uint64_t objects, uint64_t bytes) {
  Enqueue({std::move(other), bytes, objects});
}

void LazyFree::Collapse(void* range) {
  PINYON_ASSERT(!IsCollapsing());
  is_collapsing_.store(true, std::memory_order_relaxed);
  Enqueue({FilledRange{range}, 0, 0});
}

void LazyFree::Release(std::vector<mem::EmptyRange> ranges) { Enqueue({std::move(ranges), 0, 0}); }

void LazyFree::Enqueue(Job job) {
  pending_.fetch_add(job.objects, std::memory_order_relaxed);
  pending_bytes_.fetch_add(job.bytes, std::memory_order_relaxed);
  if (Frees(job)) jobs_left_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  if (!thread_.joinable()) {
    const BlockedSignals blocked;
    try {
      thread_ = std::thread([this] { Run(); });
    } catch (const std::system_error&) {
      // No thread to be had now: the job stays queued, and the next one tries again.
    }
  }
  wake_.notify_one();
}

void LazyFree::Do(Job job) {
  if (Entry** entry = std::get_if<Entry*>(&job.what)) {
    Entry::Delete(*entry);
  } else if (FilledRange* range = std::get_if<FilledRange>(&job.what)) {
    mem::CollapseRange(range->memory);
    is_collapsing_.store(false, std::memory_order_release);
  } else if (EmptySlabs* slabs = std::get_if<EmptySlabs>(&job.what)) {
    mem::ReleaseSlabs(*slabs);
  }
  // What is owned goes with the job.
}

void LazyFree::Run() {
  // Freeing is several times as fast as filling: a quarter of a core keeps up.
  constexpr int kNice = 5;
  TakeBackgroundPriority(kNice);
  mem::RegisterThread();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    const uint64_t bytes = job.bytes, objects = job.objects, frees = Frees(job) ? 1 : 0;
    Do(std::move(job));
    if (frees) mem::ReleaseFreedBlocks();
    pending_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    pending_.fetch_sub(objects, std::memory_order_relaxed);
    freed_.fetch_add(objects, std::memory_order_relaxed);
    jobs_left_.fetch_sub(frees, std::memory_order_relaxed);
    lock.lock();
  }
}

}  // namespace pinyon
