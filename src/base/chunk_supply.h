// Address space for the slabs of base/alloc.h, 2 MiB at a time. Once the heap is of some size, the next chunk
// is made ready by a thread of its own before it is needed: its memory is there already, in huge pages where
// the kernel has some quickly. So the loop takes no page faults while the keyspace grows (on a virtual
// machine one costs up to 17 us, which a few kilobytes of new values then pay), and random access to many
// small blocks misses the TLB far less.
//
// Costs: one chunk that is not used yet, and what is not used yet of the last. Without it, when the thread
// cannot keep up or be had, a chunk comes without memory, as it would otherwise.
//
// Take is called by one thread. There are no locks, so a child that was forked at any moment may go on taking
// chunks; its come without memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pinyon::mem {

class ChunkSupply {
 public:
  static constexpr size_t kHugePageBytes = 2 * 1024 * 1024;
  static constexpr size_t kChunkBytes = kHugePageBytes;

  struct Chunk {
    char* memory;  // aligned to a huge page; null when the system has no more
    bool is_ready;
  };

  constexpr ChunkSupply() = default;
  ChunkSupply(const ChunkSupply&) = delete;
  ChunkSupply& operator=(const ChunkSupply&) = delete;

  // One without memory.
  static Chunk Map();
  // Makes what lies in a chunk one huge page, as mem::CollapseRange.
  static void Collapse(void* chunk);
  // Whether huge pages are quick to be had at the moment, as far as is known (huge_page_pace.h); otherwise
  // chunks are made ready without, and nobody is to call Collapse. Any thread.
  static bool MayMakeHugePage();
  // Makes one and gives it back, to know that before anybody could wait for it.
  static void TryHugePage();
  // Brings memory for whole pages at once, if the kernel can.
  static void Populate(void* memory, size_t bytes);
  // `ahead`: the next one shall be made ready. `*spare` is address space of a chunk that has no memory any
  // more, or null; it becomes null when it is used, now or for the next one.
  Chunk Take(bool ahead, char** spare);

 private:
  bool StartThread();
  [[noreturn]] void Run();
  char* MakeReady();

  std::atomic<char*> ready_{nullptr};
  std::atomic<char*> spare_{nullptr};  // for the next one
  std::atomic<uint32_t> asked_{0};     // goes up for every chunk that is asked for
  bool is_started_ = false;
  bool has_failed_ = false;
};

}  // namespace pinyon::mem
