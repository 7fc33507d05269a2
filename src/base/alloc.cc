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
#include <vector>

#include "base/assert.h"
#include "base/chunk_supply.h"
#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/owner_arena.h"

// Read by jemalloc at its start. Unused pages go back to the system on a thread of its own, not on the
// loop's.
extern "C" const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";

namespace pinyon::mem {

namespace {

constexpr size_t kSlabBytes = kBlockBytes;  // slabs and blocks come from the same address space
constexpr size_t kHugePageBytes = ChunkSupply::kHugePageBytes;
// With so many slabs (16 MiB) ranges that are handed out become huge pages. The first ranges hold a slab of
// each class, most of them hardly touched: all their memory would be brought for nothing.
constexpr uint64_t kCollapseFromSlabs = 256;
// With so many slabs (128 MiB) the next chunk is made ready ahead: what that takes is little then.
constexpr uint64_t kAheadFromSlabs = 2048;
// So much of each class is moved though there is no room for it yet (defragmentation).
constexpr size_t kRoomAhead = 16 * kSlabBytes;
[[maybe_unused]] constexpr int kFreedByte = 0xdb;
constexpr size_t kClasses = ClassOf(kMaxSmallBytes) + 1;
// A class that has so many slabs gets the memory of further ones all at once: sixteen page faults cost
// several times as much. Classes that are little used stay at the pages that they touch.
constexpr uint32_t kPopulateFrom = 16;

struct FreeLink {
  FreeLink* next;
};
static_assert(sizeof(FreeLink) <= kClassBytes);

// A slab's remote list: its first block (low 48 bits) and how many there are (high 16). In one word, because
// a thread may be held up between reading the list and adding to it, while the owner takes all back and
// another thread starts a new list with the same block: then the number differs, or it is right.
constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;
FreeLink* RemoteFirst(uint64_t list) { return reinterpret_cast<FreeLink*>(list & kAddressMask); }
uint64_t RemoteCount(uint64_t list) { return list >> 48; }

enum class SlabState : uint8_t { kCurrent, kPartial, kFull, kChosen };

// At the start of each slab; the blocks follow. `used` counts blocks handed out, those on the remote list
// included.
struct Slab {
  uint16_t block_bytes;
  SlabState state;
  uint32_t used;
  FreeLink* free;
  char* unused;    // from here to the slab's end nothing was ever handed out
  Slab* previous;  // in its list, when partly used or chosen
  Slab* next;
  std::atomic<uint64_t> remote;
  Slab* remote_next;  // in the list of slabs with remote frees

  char* end() { return reinterpret_cast<char*>(this) + kSlabBytes; }
};
static_assert(sizeof(Slab) <= 64);

Slab* SlabOf(void* block) {
  return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(block) & ~(uintptr_t{kSlabBytes} - 1));
}

// Address space from which 64 KiB at a time are taken.
struct Chunk {
  char* next = nullptr;
  size_t left = 0;        // in units of 64 KiB
  bool is_ready = false;  // it has its memory already
};

// Slabs, linked both ways.
struct SlabList {
  Slab* first = nullptr;
  Slab* last = nullptr;
  size_t count = 0;

  void Push(Slab* slab, bool at_front);
  void Remove(Slab* slab);
};

void SlabList::Push(Slab* slab, bool at_front) {
  slab->previous = at_front ? nullptr : last;
  slab->next = at_front ? first : nullptr;
  (slab->previous == nullptr ? first : slab->previous->next) = slab;
  (slab->next == nullptr ? last : slab->next->previous) = slab;
  ++count;
}

void SlabList::Remove(Slab* slab) {
  (slab->previous == nullptr ? first : slab->previous->next) = slab->next;
  (slab->next == nullptr ? last : slab->next->previous) = slab->previous;
  --count;
}

// The slabs that are being emptied. Whether a block lies in one of them is asked of every block there is, so
// it is told by a small table first: by the address of a slab, in units of slabs, modulo the table's size.
struct Evacuation {
  static constexpr size_t kMarks = 1 << 16;

  SlabList list;
  uint16_t marks[kMarks] = {};
  // The round's search: the class, how many of its slabs are left to look at, how full one must be to stay,
  // and how much room there is for what moves: chosen slabs are empty only at the round's end, so without
  // room in others memory would grow first.
  size_t index = 0;
  size_t left = 0;
  size_t keep_bytes = 0;
  size_t room_bytes = 0;

  static size_t MarkOf(const void* address) {
    return reinterpret_cast<uintptr_t>(address) / kSlabBytes % kMarks;
  }
};

struct Heap {
  Slab* current[kClasses] = {};
  SlabList partial[kClasses];
  Evacuation chosen;
  RelocateStats relocated;
  uint64_t used_bytes =
      0;  // in small blocks handed out, remote-freed ones included until they are taken back
  uint64_t block_used_bytes = 0;
  uint64_t slab_count = 0;  // slabs that belong to a class
  uint32_t slabs_of[kClasses] = {};
  std::vector<void*> empty_dirty;
  std::vector<void*> empty_clean;
  // Slabs and blocks are carved from different chunks: slabs fill their pages, blocks seldom do.
  Chunk slab_chunk;
  Chunk block_chunk;
  ChunkSupply supply;
  char* filling = nullptr;    // the huge page's worth that slabs are carved from
  std::vector<char*> filled;  // those carved up, see TakeFilledRange

  std::atomic<Slab*> remote_slabs{nullptr};
  Slab* collecting = nullptr;  // taken off remote_slabs, not yet looked at
  std::atomic<uint64_t> remote_bytes{0};
  std::atomic<bool> has_owner{false};

  // Blocks that another thread freed, already without memory.
  std::mutex freed_blocks_mutex;
  std::vector<void*> freed_blocks;
  std::atomic<uint64_t> freed_block_bytes{0};
};

// Process-wide: see the header. Never destroyed, since blocks are freed until the very end.
template <typename T>
union NeverDestroyed {
  constexpr NeverDestroyed() : value{} {}
  constexpr ~NeverDestroyed() {}
  T value;
};
constinit NeverDestroyed<Heap> heap_storage;
constexpr Heap& heap = heap_storage.value;
thread_local bool owns_heap = false;

template <typename T>
T* PopBack(std::vector<T*>& list) {
  if (list.empty()) return nullptr;
  T* memory = list.back();
  list.pop_back();
  return memory;
}

void Refill(Chunk& chunk, ChunkSupply::Chunk supplied) {
  PINYON_ASSERT(chunk.left == 0);
  if (supplied.memory == nullptr) OutOfMemory(ChunkSupply::kChunkBytes);
  chunk = {supplied.memory, ChunkSupply::kChunkBytes / kSlabBytes, supplied.is_ready};
}

// Takes the next 64 KiB of a chunk.
char* Carve(Chunk& chunk) {
  char* memory = chunk.next;
  chunk.next += kSlabBytes;
  --chunk.left;
  return memory;
}

// Address space for a slab: what was in use before, else fresh. Says whether its memory is there, too. A huge
// page's worth of fresh slabs that have all been handed out waits to become one.
void* NewSlabMemory(bool* is_there) {
  *is_there = true;
  if (void* memory = PopBack(heap.empty_dirty)) return memory;
  *is_there = false;
  if (void* memory = PopBack(heap.empty_clean)) return memory;
  if (heap.slab_chunk.left == 0)
    Refill(heap.slab_chunk, heap.supply.Take(heap.slab_count >= kAheadFromSlabs));
  char* memory = Carve(heap.slab_chunk);
  *is_there = heap.slab_chunk.is_ready;
  if (reinterpret_cast<uintptr_t>(memory) % kHugePageBytes == 0) {
    if (heap.filling != nullptr && heap.slab_count >= kCollapseFromSlabs) heap.filled.push_back(heap.filling);
    heap.filling = *is_there ? nullptr : memory;
  }
  return memory;
}

Slab* NewSlab(size_t index) {
  const size_t block_bytes = ClassBytes(index);
  bool is_there = false;
  void* memory = NewSlabMemory(&is_there);
  if (++heap.slabs_of[index] > kPopulateFrom && !is_there) ChunkSupply::Populate(memory, kSlabBytes);
  Slab* slab = new (memory) Slab;
  slab->block_bytes = static_cast<uint16_t>(block_bytes);
  slab->state = SlabState::kCurrent;
  slab->used = 0;
  slab->free = nullptr;
  slab->unused = reinterpret_cast<char*>(slab) + 64;
  slab->previous = slab->next = slab->remote_next = nullptr;
  slab->remote.store(0, std::memory_order_relaxed);
  ++heap.slab_count;
  return slab;
}

void LinkPartial(Slab* slab, bool at_front = true) {
  slab->state = SlabState::kPartial;
  heap.partial[ClassOf(slab->block_bytes)].Push(slab, at_front);
}

void UnlinkPartial(Slab* slab) {
  PINYON_ASSERT(slab->state == SlabState::kPartial);
  heap.partial[ClassOf(slab->block_bytes)].Remove(slab);
}

void Choose(Slab* slab) {
  slab->state = SlabState::kChosen;
  heap.chosen.list.Push(slab, true);
  ++heap.chosen.marks[Evacuation::MarkOf(slab)];
}

void Unchoose(Slab* slab) {
  PINYON_ASSERT(slab->state == SlabState::kChosen);
  heap.chosen.list.Remove(slab);
  --heap.chosen.marks[Evacuation::MarkOf(slab)];
}

void ReleaseSlab(Slab* slab) {
  PINYON_ASSERT(slab->used == 0 && slab->state != SlabState::kCurrent);
  if (slab->state == SlabState::kPartial) UnlinkPartial(slab);
  if (slab->state == SlabState::kChosen) Unchoose(slab);
  --heap.slab_count;
  --heap.slabs_of[ClassOf(slab->block_bytes)];
  heap.empty_dirty.push_back(slab);
}

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
  if (size > kMaxSmallBytes) [[unlikely]] {
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
  if (size > kMaxSmallBytes) return sdallocx(block, size, 0);
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
  if (heap.empty_clean.empty() && heap.freed_block_bytes.load(std::memory_order_relaxed) > 0) {
    const std::lock_guard lock(heap.freed_blocks_mutex);
    heap.empty_clean.swap(heap.freed_blocks);
    heap.block_used_bytes -= heap.freed_block_bytes.exchange(0, std::memory_order_relaxed);
  }
  if (heap.empty_clean.empty()) {
    if (void* memory = PopBack(heap.empty_dirty)) {
      madvise(memory, kBlockBytes, MADV_DONTNEED);
      return memory;
    }
  }
  if (void* memory = PopBack(heap.empty_clean)) return memory;
  // Most blocks use but a part: they come without memory.
  if (heap.block_chunk.left == 0) Refill(heap.block_chunk, ChunkSupply::Map());
  return Carve(heap.block_chunk);
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
    heap.empty_dirty.push_back(block);
    return;
  }
  madvise(block, used_bytes, MADV_DONTNEED);
  const std::lock_guard lock(heap.freed_blocks_mutex);
  heap.freed_blocks.push_back(block);
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

size_t UsableSize(size_t size) {
  return size > kMaxSmallBytes ? nallocx(size, 0) : ClassBytes(ClassOf(size));
}

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
  const size_t empty = heap.empty_dirty.size();
  return {(heap.slab_count + empty) * kSlabBytes, heap.used_bytes, empty * kSlabBytes};
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
    const bool has_memory = heap.slabs_of[index] > kPopulateFrom || heap.slab_count >= kAheadFromSlabs;
    if (!has_memory) sum.without_memory += bytes;
  }
  return sum;
}

size_t TrimSlabs(size_t max_slabs, size_t keep) {
  size_t trimmed = 0;
  while (trimmed < max_slabs && heap.empty_dirty.size() > keep) {
    void* slab = heap.empty_dirty.back();
    heap.empty_dirty.pop_back();
    madvise(slab, kSlabBytes, MADV_DONTNEED);
    heap.empty_clean.push_back(slab);
    ++trimmed;
  }
  return trimmed;
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
  const uint64_t slabs = heap.slab_count * kSlabBytes;
  const uint64_t ready = heap.slab_chunk.is_ready ? heap.slab_chunk.left * kSlabBytes : 0;
  return {ProcessStat("stats.allocated") + small + blocks,
          ProcessStat("stats.active") + slabs - untouched.bytes + blocks,
          ProcessStat("stats.resident") + slabs - untouched.without_memory + blocks +
              heap.empty_dirty.size() * kSlabBytes + ready};
}

size_t TrimEmptySlabs(size_t max_slabs) {
  // A few stay at hand, so that a load that comes and goes does not map and unmap all the time.
  constexpr size_t kKeep = 16;
  return owns_heap ? TrimSlabs(max_slabs, kKeep) : 0;
}

#define PINYON_TEXT_OF(x) #x
#define PINYON_TEXT(x) PINYON_TEXT_OF(x)

void GiveBackUnused() {
  ClaimHeap();
  constexpr size_t kAll = ~size_t{0};
  CollectRemoteSlabs(kAll);
  TrimSlabs(kAll, 0);
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);  // fails where threads keep nothing
  PINYON_CHECK(mallctl("arena." PINYON_TEXT(MALLCTL_ARENAS_ALL) ".purge", nullptr, nullptr, nullptr, 0) == 0);
}

std::string StatsText() {
  std::string text;
  malloc_stats_print([](void* all, const char* part) { static_cast<std::string*>(all)->append(part); }, &text,
                     nullptr);
  text += fmt::format(
      "___ Slabs of {} bytes, for blocks of up to {} ___\nBlocks: {} bytes in {} slabs\nEmpty: {}\n",
      kSlabBytes, kMaxSmallBytes, heap.used_bytes, heap.slab_count, heap.empty_dirty.size());
  for (size_t index = 0; index < kClasses; ++index) {
    if (heap.slabs_of[index] > 0) text += fmt::format("{:5}: {}\n", ClassBytes(index), heap.slabs_of[index]);
  }
  text += "--- End slabs ---\n";
  return text;
}

void* TakeFilledRange() { return owns_heap ? PopBack(heap.filled) : nullptr; }

void CollapseRange(void* range) {
#ifdef MADV_COLLAPSE
  constexpr int kCollapse = MADV_COLLAPSE;
#else
  constexpr int kCollapse = 25;  // older headers; older kernels refuse it
#endif
  madvise(range, kHugePageBytes, kCollapse);
}

bool CollectFreed(size_t max_slabs) {
  if (!owns_heap) return false;
  CollectRemoteSlabs(max_slabs);
  return AnyRemote();
}

void BeginRound() {
  // Slabs that are no fuller than most go, but neither ones that are nearly full, which gains little, nor,
  // where all are alike, none.
  constexpr size_t kLeastKept = kSlabBytes / 2, kMostKept = kSlabBytes / 10 * 9;
  const size_t average = static_cast<size_t>(heap.used_bytes / std::max<uint64_t>(heap.slab_count, 1));
  heap.chosen.index = heap.chosen.left = 0;
  heap.chosen.keep_bytes = std::clamp(average, kLeastKept, kMostKept);
}

bool ChooseSparseSlabs(size_t max_slabs) {
  if (!owns_heap) return false;
  Evacuation& chosen = heap.chosen;
  for (; max_slabs > 0; --max_slabs) {
    while (chosen.left == 0) {
      if (chosen.index + 1 == kClasses) return false;
      chosen.left = heap.partial[++chosen.index].count;
      chosen.room_bytes = kRoomAhead;
    }
    --chosen.left;
    Slab* slab = heap.partial[chosen.index].first;
    if (slab == nullptr) {
      chosen.left = 0;
      continue;
    }
    UnlinkPartial(slab);
    const size_t used = size_t{slab->used} * slab->block_bytes;
    if (used < chosen.keep_bytes && used <= chosen.room_bytes) {
      chosen.room_bytes -= used;
      Choose(slab);
    } else {
      chosen.room_bytes += kSlabBytes - used;
      LinkPartial(slab, false);
    }
  }
  return true;
}

RelocateStats GetRelocateStats() { return heap.relocated; }

size_t ChosenSlabs() { return heap.chosen.list.count; }

bool IsToMove(const void* block, size_t size) {
  if (size > kMaxSmallBytes || heap.chosen.marks[Evacuation::MarkOf(block)] == 0) return false;
  return SlabOf(const_cast<void*>(block))->state == SlabState::kChosen;
}

void* Relocate(void* block, size_t size) {
  PINYON_ASSERT(owns_heap);
  ++heap.relocated.asked;
  if (!IsToMove(block, size)) return block;
  ++heap.relocated.moved;
  void* moved = Allocate(size);
  std::memcpy(moved, block, ClassBytes(ClassOf(size)));
  Free(block, size);
  return moved;
}

bool ReturnChosenSlabs(size_t max_slabs) {
  for (; max_slabs > 0; --max_slabs) {
    Slab* slab = heap.chosen.list.first;
    if (slab == nullptr) return false;
    Unchoose(slab);
    LinkPartial(slab, false);
  }
  return heap.chosen.list.first != nullptr;
}

const char* AllocatorName() {
  return "jemalloc-" PINYON_TEXT(JEMALLOC_VERSION_MAJOR) "." PINYON_TEXT(
      JEMALLOC_VERSION_MINOR) "." PINYON_TEXT(JEMALLOC_VERSION_BUGFIX);
}

}  // namespace pinyon::mem

#endif
