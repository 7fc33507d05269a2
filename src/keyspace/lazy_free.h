// The freeing thread: takes values and whole tables that nothing refers to any more and frees them off the
// loop. What is queued is counted until it is gone. The thread starts with the first job and ends with the
// object, which waits for what is queued.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "keyspace/field_expiry.h"
#include "keyspace/table.h"

namespace pinyon {

class LazyFree {
 public:
  LazyFree() = default;
  ~LazyFree();
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;

  // Take over what they are given.
  void Free(Entry* entry);
  void Free(std::unique_ptr<Table> table);
  void Free(std::unique_ptr<FieldExpiry> index);
  // Has a range of slabs made a huge page (mem::CollapseRange).
  void Collapse(void* range);

  // About how many bytes the queued jobs will free. A job counts until it is done: what is being freed counts
  // twice for that long, as free and as to be freed.
  uint64_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }
  // Objects (keys) queued and not yet freed, and freed since the start.
  uint64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  uint64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

 private:
  struct Job {
    Entry* entry = nullptr;
    std::unique_ptr<Table> table;
    void* range = nullptr;
    std::unique_ptr<FieldExpiry> index;
    uint64_t bytes = 0;
  };
  void Enqueue(Job job, uint64_t objects);
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> pending_bytes_{0};
  std::atomic<uint64_t> freed_{0};
};

}  // namespace pinyon
