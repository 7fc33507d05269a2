#include "base/chunk_supply.h"

#include <pthread.h>
#include <sys/mman.h>

#include "base/blocked_signals.h"

namespace pinyon::mem {

namespace {

// Advice that is not taken (an older kernel, huge pages turned off) does no harm.
char* MakeReady() {
  char* memory = ChunkSupply::Map().memory;
  if (memory == nullptr) return nullptr;
  madvise(memory, ChunkSupply::kChunkBytes, MADV_HUGEPAGE);
  ChunkSupply::Populate(memory, ChunkSupply::kChunkBytes);
  // What is given back later shall stay given back.
  madvise(memory, ChunkSupply::kChunkBytes, MADV_NOHUGEPAGE);
  return memory;
}

}  // namespace

ChunkSupply::Chunk ChunkSupply::Map() {
  void* mapped = mmap(nullptr, kChunkBytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return {nullptr, false};
  constexpr uintptr_t kMask = kHugePageBytes - 1;
  return {reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(mapped) + kMask) & ~kMask), false};
}

void ChunkSupply::Populate(void* memory, size_t bytes) {
#ifdef MADV_POPULATE_WRITE
  constexpr int kPopulate = MADV_POPULATE_WRITE;
#else
  constexpr int kPopulate = 23;  // Linux 5.14; older headers
#endif
  madvise(memory, bytes, kPopulate);
}

ChunkSupply::Chunk ChunkSupply::Take(bool ahead) {
  Chunk chunk{ready_.exchange(nullptr, std::memory_order_acquire), true};
  if (chunk.memory == nullptr) chunk = Map();
  if (ahead && (is_started_ || StartThread())) {
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
  for (uint32_t seen = 0;;) {
    asked_.wait(seen, std::memory_order_relaxed);
    seen = asked_.load(std::memory_order_relaxed);
    if (ready_.load(std::memory_order_relaxed) == nullptr)
      ready_.store(MakeReady(), std::memory_order_release);
  }
}

}  // namespace pinyon::mem
