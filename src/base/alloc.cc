#ifndef PINYON_PLAIN_MALLOC

#include "base/alloc.h"

#include <fmt/format.h>
#include <jemalloc/jemalloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/heap.h"
#include "base/out_of_memory.h"
#include "base/owner_arena.h"

// Read by jemalloc at its start. Unused pages go back to the system on a thread of its own, not on the
// loop's, and soon: a cache of values of 4,000 bytes that takes smaller ones is replaced within two seconds,
// and took up to twice maxmemory while pages were kept for as long.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:150,muzzy_decay_ms:0";

namespace pinyon::mem {

namespace {

// With so many slabs (128 MiB) the next chunk is made ready ahead: what that takes is little then.
constexpr uint64_t kAheadFromSlabs = 2048;
[[maybe_unused]] constexpr int kFreedByte = 0xdb;
// A class that has so many slabs gets the memory of further ones all at once: sixteen page faults cost
// several times as much. Classes that are little used stay at the pages that they touch.
constexpr uint32_t kPopulateFrom = 16;

// A slab's remote list: its first block (low 48 bits) and how many there are (high 16). In one word, because
// a thread may be held up between reading the list and adding to it, while the owner takes all back and
// another thread starts a new list with the same block: then the number differs, or it is right.
constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;
FreeLink* RemoteFirst(uint64_t list) { return reinterpret_cast<FreeLink*>(list & kAddressMask); }
uint64_t RemoteCount(uint64_t list) { return list >> 48; }

template <typename T>
T* PopBack(std::vector<T*>& list) {
  if (list.empty()) return nullptr;
  T* memory = list.back();
  list.pop_back();
  return memory;
}

// What other threads freed or released, without memory, once nothing else is left of its kind. Not while one
// of them is at it: nobody waits for them.
void CollectFreedBlocks() {
  if (!heap.clean_blocks.empty() || !heap.has_freed_blocks.load(std::memory_order_relaxed)) return;
  const std::unique_lock lock(heap.freed_blocks_mutex, std::try_to_lock);
  if (!lock.owns_lock()) return;
  heap.clean_blocks.swap(heap.freed_blocks);
  heap.block_used_bytes -= heap.freed_block_bytes.exchange(0, std::memory_order_relaxed);
  heap.has_freed_blocks.store(false, std::memory_order_relaxed);
}

// The chunks of lists, which are most of what has that size, gain nothing by huge pages, which they pay for:
// a list that grows takes new memory all the time, and on a virtual machine a huge page mostly comes from
// memory that the host has yet to find, while small pages were somebody's before (2.2 ms a megabyte, 0.4: 0.1
// us for each push of 64 bytes).
constexpr bool StaysInSmallPages(size_t index) { return index == kEighthClass; }

Slab* NewSlab(size_t index) {
  const size_t block_bytes = ClassBytes(index);
  const bool ahead = !StaysInSmallPages(index) && heap.chunks.live_slabs() >= kAheadFromSlabs;
  const SlabChunks::Slab taken = heap.chunks.Take(ahead);
  if (++heap.slabs_of[index] > kPopulateFrom && !taken.is_there)
    ChunkSupply::Populate(taken.memory, kSlabBytes);
  Slab* slab = new (taken.memory) Slab;
  slab->block_bytes = static_cast<uint16_t>(block_bytes);
  slab->state = SlabState::kCurrent;
  slab->used = 0;
  slab->free = nullptr;
  slab->unused = reinterpret_cast<char*>(slab) + kSlabHeaderBytes;
  slab->previous = slab->next = slab->remote_next = nullptr;
  slab->remote.store(0, std::memory_order_relaxed);
  slab->chunk = taken.chunk;
  if (StaysInSmallPages(index)) ++slab->chunk->in_small_pages;
  return slab;
}

}  // namespace

constinit NeverDestroyed<Heap> heap_storage;
constinit thread_local bool owns_heap = false;

void SlabList::Push(Slab* slab, bool at_front) {
  slab->previous = at_front ? nullptr : last;
  slab->next = at_front ? first : nullptr;
  (slab->previous == nullptr ? first : slab->previous->next) = slab;
  (slab->next == nullptr ? last : slab->next->previous) = slab;
}

void SlabList::Remove(Slab* slab) {
  (slab->previous == nullptr ? first : slab->previous->next) = slab->next;
  (slab->next == nullptr ? last : slab->next->previous) = slab->previous;
}

void LinkPartial(Slab* slab, bool at_front) {
  slab->state = SlabState::kPartial;
  heap.partial[ClassOf(slab->block_bytes)].Push(slab, at_front);
}

void UnlinkPartial(Slab* slab) {
  PINYON_ASSERT(slab->state == SlabState::kPartial);
  heap.partial[ClassOf(slab->block_bytes)].Remove(slab);
}

void ReleaseSlab(Slab* slab) {
  PINYON_ASSERT(slab->used == 0 && slab->state != SlabState::kCurrent);
  if (slab->state == SlabState::kPartial) UnlinkPartial(slab);
  if (slab->state == SlabState::kChosen) Unchoose(slab);
  const size_t index = ClassOf(slab->block_bytes);
  --heap.slabs_of[index];
  if (StaysInSmallPages(index)) --slab->chunk->in_small_pages;
  heap.chunks.Return(slab->chunk, slab);
}

namespace {

// Takes back what another thread freed in one slab.
void CollectRemote(Slab* slab) {
  // Releases, too: what was read of the slab before (remote_next) may be written by whoever finds the list
  // empty.
  const uint64_t taken = slab->remote.exchange(0, std::memory_order_acq_rel);
  if (taken == 0) return;
  FreeLink* list = RemoteFirst(taken);
  const uint64_t count = RemoteCount(taken);
  PINYON_ASSERT(count <= slab->used);
  slab->used -= static_cast<uint32_t>(count);
  heap.used_bytes -= count * slab->block_bytes;
  heap.remote_bytes.fetch_sub(count * slab->block_bytes, std::memory_order_relaxed);
  if (slab->used == 0 && slab->state != SlabState::kCurrent) return ReleaseSlab(slab);
  if (slab->free == nullptr) {
    slab->free = list;
  } else {
    FreeLink* last = list;
    while (last->next != nullptr) last = last->next;
    last->next = slab->free;
    slab->free = list;
  }
  if (slab->state == SlabState::kFull) LinkPartial(slab);
}

bool AnyRemote() {
  return heap.collecting != nullptr || heap.remote_slabs.load(std::memory_order_relaxed) != nullptr;
}

// Takes back what other threads freed, in at most `max_slabs` slabs: so that freeing ten million blocks over
// there does not come back as one long pause here. (A slab in the list is not entered again before it was
// collected, since its remote list is not empty till then.)
void CollectRemoteSlabs(size_t max_slabs) {
  for (; max_slabs > 0; --max_slabs) {
    if (heap.collecting == nullptr)
      heap.collecting = heap.remote_slabs.exchange(nullptr, std::memory_order_acquire);
    Slab* slab = heap.collecting;
    if (slab == nullptr) return;
    heap.collecting = slab->remote_next;  // before collecting: afterwards the slab may be entered anew
    CollectRemote(slab);
  }
}

// The first thread that comes here owns the heap for good.
void ClaimHeap() {
  if (owns_heap) return;
  PINYON_CHECK(!heap.has_owner.exchange(true));  // small blocks are allocated by one thread only
  owns_heap = true;
  EnterOwnerArena();  // where that cannot be, blocks come as they do for other threads
  RegisterThread();
}

void* AllocateSlow(size_t index) {
  ClaimHeap();
  constexpr size_t kCollectAtOnce = 4;
  if (AnyRemote()) CollectRemoteSlabs(kCollectAtOnce);
  Slab* slab = heap.current[index];
  const size_t bytes = ClassBytes(index);
  if (slab == nullptr || (slab->free == nullptr && slab->unused + bytes > slab->end())) {
    if (slab != nullptr) slab->state = SlabState::kFull;
    slab = heap.partial[index].first;
    if (slab != nullptr) {
      UnlinkPartial(slab);
      slab->state = SlabState::kCurrent;
    } else {
      slab = NewSlab(index);
    }
    heap.current[index] = slab;
  }
  void* block;
  if (slab->free != nullptr) {
    block = slab->free;
    slab->free = slab->free->next;
  } else {
    block = slab->unused;
    slab->unused += bytes;
  }
  ++slab->used;
  heap.used_bytes += bytes;
  return block;
}

void FreeRemote(void* memory, size_t bytes) {
  Slab* slab = SlabOf(memory);
  FreeLink* block = static_cast<FreeLink*>(memory);
  // Counted before the owner can see the block and count it back.
  heap.remote_bytes.fetch_add(bytes, std::memory_order_relaxed);
  uint64_t list = slab->remote.load(std::memory_order_relaxed), longer;
  do {
    block->next = RemoteFirst(list);
    longer = reinterpret_cast<uint64_t>(block) | (RemoteCount(list) + 1) << 48;
  } while (!slab->remote.compare_exchange_weak(list, longer, std::memory_order_acq_rel));
  if (list != 0) return;
  Slab* first = heap.remote_slabs.load(std::memory_order_relaxed);
  do {
    slab->remote_next = first;
  } while (!heap.remote_slabs.compare_exchange_weak(first, slab, std::memory_order_acq_rel));
}

// What each registered thread has taken from and given back to the process allocator: counters that jemalloc
// keeps.
struct ThreadCounters {
  const uint64_t* allocated = nullptr;
  const uint64_t* freed = nullptr;
};
struct ThreadRegistry {
  std::mutex mutex;
  std::vector<ThreadCounters> threads;
  uint64_t ended_allocated = 0;
  uint64_t ended_freed = 0;
};
ThreadRegistry& registry = *new ThreadRegistry;

// The owner's own counters, and what all other threads held when it last asked (less than nothing, when they
// free what it allocated). Touched by the owner only.
struct OwnerView {
  ThreadCounters own;
  int64_t others = 0;
};
constinit OwnerView owner_view;

uint64_t WithSlabs(uint64_t large) {
  const uint64_t handed_out = heap.used_bytes + heap.block_used_bytes;
  const uint64_t freed_elsewhere = heap.remote_bytes.load(std::memory_order_relaxed) +
                                   heap.freed_block_bytes.load(std::memory_order_relaxed);
  return large + (handed_out > freed_elsewhere ? handed_out - freed_elsewhere : 0);
}

class ThreadRegistration {
 public:
  const ThreadCounters& counters() const { return counters_; }

  ThreadRegistration() {
    size_t length = sizeof(uint64_t*);
    uint64_t *allocated = nullptr, *freed = nullptr;
    PINYON_CHECK(mallctl("thread.allocatedp", &allocated, &length, nullptr, 0) == 0);
    PINYON_CHECK(mallctl("thread.deallocatedp", &freed, &length, nullptr, 0) == 0);
    counters_ = {allocated, freed};
    const std::lock_guard lock(registry.mutex);
    registry.threads.push_back(counters_);
  }
  ~ThreadRegistration() {
    const std::lock_guard lock(registry.mutex);
    registry.ended_allocated += *counters_.allocated;
    registry.ended_freed += *counters_.freed;
    std::erase_if(registry.threads,
                  [this](const ThreadCounters& t) { return t.allocated == counters_.allocated; });
  }

 private:
  ThreadCounters counters_;
};

}  // namespace

void RegisterThread() {
  static thread_local ThreadRegistration registration;
  if (owns_heap) owner_view.own = registration.counters();
}

void* Allocate(size_t size) {
  PINYON_ASSERT(size > 0);
  if (!IsInSlab(size)) [[unlikely]] {
    void* block = std::malloc(size);
    if (block == nullptr) OutOfMemory(size);
    return block;
  }
  const size_t index = ClassOf(size);
  Slab* slab = heap.current[index];
  if (slab == nullptr || slab->free == nullptr || !owns_heap) [[unlikely]] {
    // Fresh slabs are used from their start on; also the way to a new slab.
    const size_t bytes = ClassBytes(index);
    if (slab == nullptr || !owns_heap || slab->unused + bytes > slab->end()) return AllocateSlow(index);
    void* block = slab->unused;
    slab->unused += bytes;
    ++slab->used;
    heap.used_bytes += bytes;
    return block;
  }
  FreeLink* block = slab->free;
  slab->free = block->next;
  ++slab->used;
  heap.used_bytes += slab->block_bytes;
  return block;
}

void Free(void* block, size_t size) {
  PINYON_ASSERT(block != nullptr && size > 0);
  if (!IsInSlab(size)) return sdallocx(block, size, 0);
  const size_t bytes = ClassBytes(ClassOf(size));
#ifdef PINYON_ASSERTIONS
  std::memset(block, kFreedByte, bytes);  // whoever still reads it shall notice
#endif
  if (!owns_heap) [[unlikely]]
    return FreeRemote(block, bytes);
  Slab* slab = SlabOf(block);
  PINYON_ASSERT(slab->block_bytes == bytes);
  PINYON_ASSERT(slab->used > 0);
  FreeLink* freed = static_cast<FreeLink*>(block);
  freed->next = slab->free;
  slab->free = freed;
  --slab->used;
  heap.used_bytes -= bytes;
  if (slab->state == SlabState::kCurrent) return;
  if (slab->used == 0) return ReleaseSlab(slab);
  if (slab->state == SlabState::kFull) LinkPartial(slab);
}

void* AllocateBlock(size_t used_bytes) {
  PINYON_ASSERT(used_bytes % kPageBytes == 0 && used_bytes <= kBlockBytes);
  ClaimHeap();
  heap.block_used_bytes += used_bytes;
  CollectFreedBlocks();
  if (void* memory = PopBack(heap.clean_blocks)) return memory;
  if (void* memory = PopBack(heap.dirty_blocks)) {
    madvise(memory, kBlockBytes, MADV_DONTNEED);
    return memory;
  }
  if (heap.blocks_left == 0) {
    heap.next_block = ChunkSupply::Map().memory;
    if (heap.next_block == nullptr) OutOfMemory(ChunkSupply::kChunkBytes);
    heap.blocks_left = ChunkSupply::kChunkBytes / kBlockBytes;
  }
  --heap.blocks_left;
  return std::exchange(heap.next_block, heap.next_block + kBlockBytes);
}

void ResizeBlock(void* block, size_t old_used_bytes, size_t new_used_bytes) {
  PINYON_ASSERT(new_used_bytes % kPageBytes == 0 && new_used_bytes <= kBlockBytes);
  heap.block_used_bytes += new_used_bytes - old_used_bytes;
  if (new_used_bytes >= old_used_bytes) return;
  madvise(static_cast<char*>(block) + new_used_bytes, old_used_bytes - new_used_bytes, MADV_DONTNEED);
}

void FreeBlock(void* block, size_t used_bytes) {
  if (owns_heap) {
    heap.block_used_bytes -= used_bytes;
    heap.dirty_blocks.push_back(block);
    return;
  }
  const std::lock_guard lock(heap.freed_blocks_mutex);
  heap.freed_dirty_blocks.push_back(static_cast<char*>(block));
  heap.freed_block_bytes.fetch_add(used_bytes, std::memory_order_relaxed);
}

void* AllocateAligned(size_t size, size_t alignment) {
  void* block = mallocx(size, MALLOCX_ALIGN(alignment));
  if (block == nullptr) OutOfMemory(size);
  return block;
}

void FreeAligned(void* block, size_t size, size_t alignment) {
  sdallocx(block, size, MALLOCX_ALIGN(alignment));
}

size_t UsableSize(size_t size) { return IsInSlab(size) ? ClassBytes(ClassOf(size)) : nallocx(size, 0); }

size_t UsableSizeOfNew(size_t size) { return nallocx(size, 0); }

uint64_t UsedBytes() {
  uint64_t allocated, freed;
  {
    const std::lock_guard lock(registry.mutex);
    allocated = registry.ended_allocated;
    freed = registry.ended_freed;
    for (const ThreadCounters& thread : registry.threads) {
      allocated += *thread.allocated;
      freed += *thread.freed;
    }
  }
  if (owns_heap && owner_view.own.allocated != nullptr) {
    const uint64_t own = *owner_view.own.allocated - *owner_view.own.freed;
    owner_view.others = static_cast<int64_t>(allocated - freed - own);
  }
  return WithSlabs(allocated > freed ? allocated - freed : 0);
}

uint64_t UsedBytesOfOwner() {
  if (owner_view.own.allocated == nullptr) [[unlikely]]
    return UsedBytes();
  PINYON_ASSERT(owns_heap);
  const uint64_t own = *owner_view.own.allocated - *owner_view.own.freed;
  const int64_t large = static_cast<int64_t>(own) + owner_view.others;
  return WithSlabs(large > 0 ? static_cast<uint64_t>(large) : 0);
}

SlabStats GetSlabStats() {
  const size_t ready = heap.chunks.ready_slabs();
  return {(heap.chunks.live_slabs() + ready) * kSlabBytes, heap.used_bytes, ready * kSlabBytes,
          heap.chunks.ready_in_empty_chunks() * kSlabBytes};
}

namespace {

// 0 where the process allocator was built without statistics.
uint64_t ProcessStat(const char* name) {
  uint64_t value = 0;
  size_t length = sizeof value;
  return mallctl(name, &value, &length, nullptr, 0) == 0 ? value : 0;
}

// What slabs have not been touched of yet: the ends of those that are being carved up. (Where slabs come with
// their memory, that has memory all the same.)
struct Untouched {
  uint64_t bytes = 0;
  uint64_t without_memory = 0;
};
Untouched UntouchedOfSlabs() {
  Untouched sum;
  for (size_t index = 0; index < kClasses; ++index) {
    Slab* slab = heap.current[index];
    if (slab == nullptr) continue;
    const auto begin = (reinterpret_cast<uintptr_t>(slab->unused) + kPageBytes - 1) & ~(kPageBytes - 1);
    const uint64_t bytes = reinterpret_cast<uintptr_t>(slab->end()) - begin;
    sum.bytes += bytes;
    const bool has_memory =
        heap.slabs_of[index] > kPopulateFrom || heap.chunks.live_slabs() >= kAheadFromSlabs;
    if (!has_memory) sum.without_memory += bytes;
  }
  return sum;
}

}  // namespace

AllocatorStats GetAllocatorStats() {
  uint64_t epoch = 1;  // any value: what is read next is as of now
  size_t length = sizeof epoch;
  PINYON_CHECK(mallctl("epoch", &epoch, &length, &epoch, length) == 0);
  const uint64_t blocks =
      heap.block_used_bytes -
      std::min(heap.block_used_bytes, heap.freed_block_bytes.load(std::memory_order_relaxed));
  const uint64_t small =
      heap.used_bytes - std::min(heap.used_bytes, heap.remote_bytes.load(std::memory_order_relaxed));
  const Untouched untouched = UntouchedOfSlabs();
  const uint64_t slabs = heap.chunks.live_slabs() * kSlabBytes;
  return {ProcessStat("stats.allocated") + small + blocks,
          ProcessStat("stats.active") + slabs - untouched.bytes + blocks,
          ProcessStat("stats.resident") + slabs - untouched.without_memory + blocks +
              heap.chunks.ready_slabs() * kSlabBytes + heap.dirty_blocks.size() * kBlockBytes};
}

namespace {

void TakeDirtyBlocks(std::vector<EmptyRange>* taken) {
  for (void* block : heap.dirty_blocks)
    taken->push_back({static_cast<char*>(block), kBlockBytes, nullptr, 0});
  heap.dirty_blocks.clear();
}

// Blocks that lie side by side are given back as one.
void ReleaseBlocks(std::vector<char*> blocks) {
  std::sort(blocks.begin(), blocks.end());
  for (size_t begin = 0, end = 0; begin < blocks.size(); begin = end) {
    do ++end;
    while (end < blocks.size() && blocks[end] == blocks[begin] + (end - begin) * kBlockBytes);
    madvise(blocks[begin], (end - begin) * kBlockBytes, MADV_DONTNEED);
  }
  const std::lock_guard lock(heap.freed_blocks_mutex);
  heap.freed_blocks.insert(heap.freed_blocks.end(), blocks.begin(), blocks.end());
  heap.has_freed_blocks.store(true, std::memory_order_relaxed);
}

}  // namespace

std::vector<EmptyRange> TakeEmptySlabs(bool in_parts) {
  // A few stay at hand, so that a load that comes and goes does not map and unmap all the time.
  constexpr size_t kKeep = 16;
  // What is ready in chunks that are in use comes to use again, or is gathered by defragmentation: parts are
  // given back of what is beyond a sixteenth, and at once only by who is small.
  constexpr size_t kPartsOfSmall = 64;
  // Half a gigabyte.
  constexpr size_t kWholeAtOnce = 256;
  std::vector<EmptyRange> taken;
  if (!owns_heap) return taken;
  TakeDirtyBlocks(&taken);
  const size_t live = heap.chunks.live_slabs();
  const size_t parts = !in_parts ? 0 : live < kAheadFromSlabs ? kPartsOfSmall : 1;
  heap.chunks.TakeReady(kKeep, std::max(kKeep, live / 16), {kWholeAtOnce, parts}, &taken);
  return taken;
}

void ReleaseSlabs(const std::vector<EmptyRange>& ranges) {
  std::vector<char*> blocks;
  for (const EmptyRange& range : ranges) {
    if (range.chunk == nullptr) {
      blocks.push_back(range.memory);
    } else {
      heap.chunks.Release(range);
    }
  }
  if (!blocks.empty()) ReleaseBlocks(std::move(blocks));
}

void ReleaseFreedBlocks() {
  std::vector<char*> blocks;
  {
    const std::lock_guard lock(heap.freed_blocks_mutex);
    blocks.swap(heap.freed_dirty_blocks);
  }
  if (!blocks.empty()) ReleaseBlocks(std::move(blocks));
}

void AdaptToSize() {
  if (owns_heap) AdaptOwnerArena();
}

#define PINYON_TEXT_OF(x) #x
#define PINYON_TEXT(x) PINYON_TEXT_OF(x)

void GiveBackUnused() {
  ClaimHeap();
  constexpr size_t kAll = ~size_t{0};
  CollectRemoteSlabs(kAll);
  std::vector<EmptyRange> taken;
  TakeDirtyBlocks(&taken);
  heap.chunks.CollectBack(kAll);
  heap.chunks.TakeReady(0, 0, {kAll, kAll}, &taken);
  ReleaseSlabs(taken);
  ReleaseFreedBlocks();
  heap.chunks.CollectBack(kAll);
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);  // fails where threads keep nothing
  PINYON_CHECK(mallctl("arena." PINYON_TEXT(MALLCTL_ARENAS_ALL) ".purge", nullptr, nullptr, nullptr, 0) == 0);
}

std::string StatsText() {
  std::string text;
  malloc_stats_print([](void* all, const char* part) { static_cast<std::string*>(all)->append(part); }, &text,
                     nullptr);
  text += fmt::format(
      "___ Slabs of {} bytes, for blocks of up to {} and of {} ___\nBlocks: {} bytes in {} slabs\nEmpty: "
      "{}\n",
      kSlabBytes, kMaxSmallBytes, kEighthBytes, heap.used_bytes, heap.chunks.live_slabs(),
      heap.chunks.ready_slabs());
  for (size_t index = 0; index < kClasses; ++index) {
    if (heap.slabs_of[index] > 0) text += fmt::format("{:5}: {}\n", ClassBytes(index), heap.slabs_of[index]);
  }
  text += "--- End slabs ---\n";
  return text;
}

void* TakeFilledRange() {
  SlabChunk* chunk = owns_heap ? heap.chunks.TakeFilled() : nullptr;
  if (chunk == nullptr) return nullptr;
  chunk->is_huge = true;
  return chunk->memory;
}

void CollapseRange(void* range) { ChunkSupply::Collapse(range); }
bool MayMakeHugePage() { return ChunkSupply::MayMakeHugePage(); }
void TryHugePage() { ChunkSupply::TryHugePage(); }

bool CollectFreed(size_t max_slabs) {
  if (!owns_heap) return false;
  CollectRemoteSlabs(max_slabs);
  return AnyRemote();
}

const char* AllocatorName() {
  return "jemalloc-" PINYON_TEXT(JEMALLOC_VERSION_MAJOR) "." PINYON_TEXT(
      JEMALLOC_VERSION_MINOR) "." PINYON_TEXT(JEMALLOC_VERSION_BUGFIX);
}

}  // namespace pinyon::mem

#endif
