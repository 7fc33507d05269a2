#include "keyspace/lazy_free.h"

#include <system_error>
#include <utility>

#include "base/alloc.h"
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

void LazyFree::Free(Entry* entry) {
  const uint64_t bytes = entry->MemoryBytes(kListSamples);
  Enqueue({entry, nullptr, nullptr, nullptr, bytes}, 1);
}

void LazyFree::Free(std::unique_ptr<Table> table) {
  const uint64_t objects = table->size();
  const uint64_t bytes = EstimatedBytes(*table);
  Enqueue({nullptr, std::move(table), nullptr, nullptr, bytes}, objects);
}

// (Keys of an index are no objects that clients know.)
void LazyFree::Free(std::unique_ptr<FieldExpiry> index) {
  Enqueue({nullptr, nullptr, nullptr, std::move(index), 0}, 0);
}

void LazyFree::Collapse(void* range) { Enqueue({nullptr, nullptr, range, nullptr, 0}, 0); }

void LazyFree::Enqueue(Job job, uint64_t objects) {
  pending_.fetch_add(objects, std::memory_order_relaxed);
  pending_bytes_.fetch_add(job.bytes, std::memory_order_relaxed);
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

void LazyFree::Run() {
  mem::RegisterThread();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    uint64_t objects = 1;
    if (job.range != nullptr) {
      mem::CollapseRange(job.range);
      objects = 0;
    } else if (job.index != nullptr) {
      objects = 0;
      job.index.reset();
    } else if (job.entry != nullptr) {
      Entry::Delete(job.entry);
    } else {
      objects = job.table->size();
      job.table.reset();
    }
    pending_bytes_.fetch_sub(job.bytes, std::memory_order_relaxed);
    pending_.fetch_sub(objects, std::memory_order_relaxed);
    freed_.fetch_add(objects, std::memory_order_relaxed);
    lock.lock();
  }
}

}  // namespace pinyon
