// The allocation layer under a sanitizer: every block is the process allocator's own, so that each misuse is
// seen.
#ifdef PINYON_PLAIN_MALLOC

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/alloc.h"
#include "base/out_of_memory.h"

namespace pinyon::mem {

namespace {
std::atomic<uint64_t> plain_used{0};
}

void* Allocate(size_t size) {
  PINYON_ASSERT(size > 0);
  // The whole class: a block may be used as any size of its class.
  void* block = std::malloc(UsableSize(size));
  if (block == nullptr) OutOfMemory(size);
  plain_used.fetch_add(UsableSize(size), std::memory_order_relaxed);
  return block;
}
void* AllocateAligned(size_t size, size_t alignment) {
  void* block = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block == nullptr) OutOfMemory(size);
  plain_used.fetch_add(size, std::memory_order_relaxed);
  return block;
}
void Free(void* block, size_t size) {
  plain_used.fetch_sub(UsableSize(size), std::memory_order_relaxed);
  std::free(block);
}
void FreeAligned(void* block, size_t size, size_t) {
  plain_used.fetch_sub(size, std::memory_order_relaxed);
  std::free(block);
}
size_t UsableSize(size_t size) {
  if (IsInSlab(size)) return ClassBytes(ClassOf(size));
  return (size + kClassBytes - 1) / kClassBytes * kClassBytes;
}
void ReleaseFreedBlocks() {}
void* AllocateBlock(size_t used_bytes) {
  plain_used.fetch_add(used_bytes, std::memory_order_relaxed);
  void* block = std::aligned_alloc(kPageBytes, kBlockBytes);
  if (block == nullptr) OutOfMemory(kBlockBytes);
  return block;
}
void ResizeBlock(void*, size_t old_used_bytes, size_t new_used_bytes) {
  plain_used.fetch_add(new_used_bytes - old_used_bytes, std::memory_order_relaxed);
}
void FreeBlock(void* block, size_t used_bytes) {
  plain_used.fetch_sub(used_bytes, std::memory_order_relaxed);
  std::free(block);
}
size_t UsableSizeOfNew(size_t size) { return UsableSize(size); }
uint64_t UsedBytes() { return plain_used.load(std::memory_order_relaxed); }
uint64_t UsedBytesOfOwner() { return UsedBytes(); }
AllocatorStats GetAllocatorStats() { return {UsedBytes(), UsedBytes(), UsedBytes()}; }
void GiveBackUnused() {}
std::string StatsText() {
  return "Allocator: libc\nAllocated for keys and buffers: " + std::to_string(UsedBytes()) + "\n";
}
SlabStats GetSlabStats() { return {}; }
std::vector<EmptyRange> TakeEmptySlabs(bool) { return {}; }
void ReleaseSlabs(const std::vector<EmptyRange>&) {}
void AdaptToSize() {}
bool CollectFreed(size_t) { return false; }
void* TakeFilledRange() { return nullptr; }
void CollapseRange(void*) {}
bool MayMakeHugePage() { return false; }
void TryHugePage() {}
// Every third block or so moves, so that whoever keeps an address is found out.
namespace {
bool moves_blocks = false;
RelocateStats relocate_stats;
}  // namespace
RelocateStats GetRelocateStats() { return relocate_stats; }
void ResetRelocateStats() { relocate_stats = {}; }
void BeginRound() { moves_blocks = true; }
bool ChooseSparseChunks(size_t) { return false; }
// There are no slabs, but a round goes on only when it has chosen some.
size_t ChosenSlabs() { return moves_blocks ? 1 : 0; }
bool NextChosenBlocks(std::span<ChosenBlock>, size_t* count) {
  *count = 0;
  return false;
}
bool IsToMove(const void* block, size_t size) {
  return moves_blocks && IsInSlab(size) && (reinterpret_cast<uintptr_t>(block) >> 4) % 3 == 0;
}
void* CopyToMove(const void* block, size_t size) {
  ++relocate_stats.asked;
  if (!IsToMove(block, size)) return nullptr;
  ++relocate_stats.moved;
  void* moved = Allocate(size);
  std::memcpy(moved, block, size);
  return moved;
}
bool ReturnChosenChunks(size_t) {
  moves_blocks = false;
  return false;
}
void RegisterThread() {}
const char* AllocatorName() { return "libc"; }

}  // namespace pinyon::mem

#endif
