#include "base/chunk_supply.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/background_priority.h"
#include "base/blocked_signals.h"
#include "base/clock.h"
#include "base/huge_page_pace.h"

namespace pinyon::mem {

namespace {

HugePagePace pace;

// Notes what `make`, which makes a huge page, takes the thread.
template <typename Make>
void Timed(Make make) {
  const int64_t start_ns = ThreadCpuNs();
  make();
  pace.Note((ThreadCpuNs() - start_ns) / 1000, MonotonicUs());
}

// One huge page, if there is one to be had. Unlike Populate a touch does not hold the memory map while the
// page is made (from Linux 6.4 on).
void TouchHugePage(char* memory) {
  madvise(memory, ChunkSupply::kHugePageBytes, MADV_HUGEPAGE);
  Timed([memory] { *static_cast<volatile char*>(memory) = 0; });
}

}  // namespace

bool ChunkSupply::MayMakeHugePage() { return pace.MayMake(MonotonicUs()); }

void ChunkSupply::TryHugePage() {
  const Chunk chunk = Map();
  if (chunk.memory == nullptr) return;
  TouchHugePage(chunk.memory);
  munmap(chunk.memory, kChunkBytes);
}

// Advice that is not taken (an older kernel, huge pages turned off) does no harm.
char* ChunkSupply::MakeReady() {
  char* memory = spare_.exchange(nullptr, std::memory_order_acquire);
  if (memory == nullptr) memory = Map().memory;
  if (memory == nullptr) return nullptr;
  // First as its neighbours are, else it would never be one mapping with them.
  madvise(memory, kChunkBytes, MADV_NOHUGEPAGE);
  if (MayMakeHugePage()) TouchHugePage(memory);
  // Where it is a huge page nothing is missing.
  constexpr size_t kPieceBytes = 64 * 1024;
  for (size_t i = 0; i < kChunkBytes; i += kPieceBytes) Populate(memory + i, kPieceBytes);
  // What is given back later shall stay given back.
  madvise(memory, kChunkBytes, MADV_NOHUGEPAGE);
  return memory;
}

ChunkSupply::Chunk ChunkSupply::Map() {
  void* mapped = mmap(nullptr, kChunkBytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return {nullptr, false};
  // The last that is aligned, and nothing beside it: mappings are placed downwards, so chunks come to lie
  // side by side and are one to the kernel, which has but 65,530 for a process.
  char* const begin = static_cast<char*>(mapped);
  char* const end = begin + kChunkBytes + kHugePageBytes;
  const uintptr_t last = reinterpret_cast<uintptr_t>(end) - kChunkBytes;
  char* const chunk = reinterpret_cast<char*>(last & ~uintptr_t{kHugePageBytes - 1});
  if (chunk > begin) munmap(begin, static_cast<size_t>(chunk - begin));
  if (chunk + kChunkBytes < end) munmap(chunk + kChunkBytes, static_cast<size_t>(end - chunk) - kChunkBytes);
  return {chunk, false};
}

void ChunkSupply::Collapse(void* chunk) {
#ifdef MADV_COLLAPSE
  constexpr int kCollapse = MADV_COLLAPSE;
#else
  constexpr int kCollapse = 25;  // older headers; older kernels refuse it
#endif
  Timed([chunk] {
    if (madvise(chunk, kHugePageBytes, kCollapse) == 0 || errno != EINVAL) return;
    // Memory that was made ready ahead once.
    madvise(chunk, kHugePageBytes, MADV_HUGEPAGE);
    madvise(chunk, kHugePageBytes, kCollapse);
    madvise(chunk, kHugePageBytes, MADV_NOHUGEPAGE);
  });
}

void ChunkSupply::Populate(void* memory, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  constexpr int kPopulate = MADV_POPULATE_WRITE;
#else
  constexpr int kPopulate = 23;  // Linux 5.14; older headers
#endif
  madvise(memory, bytes, kPopulate);
}

ChunkSupply::Chunk ChunkSupply::Take(bool ahead, char** spare) {
  Chunk chunk{ready_.exchange(nullptr, std::memory_order_acquire), true};
  if (chunk.memory == nullptr) {
    chunk = *spare != nullptr ? Chunk{*spare, false} : Map();
    *spare = nullptr;
  }
  if (ahead && (is_started_ || StartThread())) {
    if (*spare != nullptr && spare_.load(std::memory_order_relaxed) == nullptr) {
      spare_.store(*spare, std::memory_order_release);
      *spare = nullptr;
    }
    asked_.fetch_add(1, std::memory_order_relaxed);
    asked_.notify_one();
  }
  return chunk;
}

bool ChunkSupply::StartThread() {
  if (has_failed_) return false;
  const BlockedSignals blocked;
  pthread_t thread;
  const auto run = [](void* supply) -> void* { static_cast<ChunkSupply*>(supply)->Run(); };
  is_started_ = pthread_create(&thread, nullptr, run, this) == 0;
  if (is_started_) pthread_detach(thread);
  has_failed_ = !is_started_;
  return is_started_;
}

void ChunkSupply::Run() {
  // The loop waits for this where both share a core, unless it gives way: at 10 that is a tenth as frequent
  // as at 0. With less right to a core that others want, too, the thread might be put aside for long while it
  // holds something of the memory map.
  constexpr int kNice = 10;
  TakeBackgroundPriority(kNice);
  for (uint32_t seen = 0;;) {
    asked_.wait(seen, std::memory_order_relaxed);
    seen = asked_.load(std::memory_order_relaxed);
    if (ready_.load(std::memory_order_relaxed) == nullptr)
      ready_.store(MakeReady(), std::memory_order_release);
  }
}

}  // namespace pinyon::mem
