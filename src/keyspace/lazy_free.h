// The freeing thread: takes values and whole tables that nothing refers to any more and frees them off the
// loop; also does what takes the kernel long with memory (huge pages made, slabs given back). What is queued
// is counted until it is gone. The thread gives way to the loop (base/background_priority.h). It starts with
// the first job and ends with the object, which waits for what is queued.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "keyspace/field_expiry.h"
#include "keyspace/table.h"

namespace pinyon {

class LazyFree {
 public:
  LazyFree() = default;
  ~LazyFree();
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;

  // Take over what they are given. What does not count is left out of pending() and freed().
  void Free(Entry* entry, bool counts);
  void Free(std::unique_ptr<Table> table, bool counts);
  void Free(std::unique_ptr<FieldExpiry> index);
  // Anything else that frees itself when its last owner goes, with how many objects and bytes it holds.
  void Free(std::shared_ptr<void> other, uint64_t objects, uint64_t bytes);
  // Has a range of slabs made a huge page (mem::CollapseRange); one at a time (IsCollapsing).
  void Collapse(void* range);
  bool IsCollapsing() const { return is_collapsing_.load(std::memory_order_acquire); }
  // Gives memory of empty slabs back (mem::ReleaseSlabs).
  void Release(std::vector<mem::EmptyRange> ranges);

  // About how many bytes the queued jobs will free. A job counts until it is done: what is being freed counts
  // twice for that long, as free and as to be freed.
  uint64_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }
  // Objects (keys) queued and not yet freed, and freed since the start: those that count.
  uint64_t pending() const { return pending_.load(std::memory_order_relaxed); }
  // Whether all that was queued to be freed, objects or not, is done.
  bool IsIdle() const { return jobs_left_.load(std::memory_order_relaxed) == 0; }
  uint64_t freed() const { return freed_.load(std::memory_order_relaxed); }
  void ResetFreed() { freed_.store(0, std::memory_order_relaxed); }

 private:
  struct FilledRange {
    void* memory;
  };
  using EmptySlabs = std::vector<mem::EmptyRange>;
  struct Job {
    std::variant<Entry*, std::unique_ptr<Table>, std::unique_ptr<FieldExpiry>, std::shared_ptr<void>,
                 FilledRange, EmptySlabs>
        what;
    uint64_t bytes;
    uint64_t objects;
  };
  // The rest is what may be done later, and keeps nobody from collecting what was freed.
  static bool Frees(const Job& job) {
    return !std::holds_alternative<FilledRange>(job.what) && !std::holds_alternative<EmptySlabs>(job.what);
  }
  void Enqueue(Job job);
  void Do(Job job);
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
  std::atomic<uint64_t> jobs_left_{0};
  std::atomic<uint64_t> pending_{0};
  std::atomic<uint64_t> pending_bytes_{0};
  std::atomic<uint64_t> freed_{0};
  std::atomic<bool> is_collapsing_{false};
};

}  // namespace pinyon
