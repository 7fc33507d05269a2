// The allocation layer: everything that the keyspace holds is allocated here, by size, and freed by size.
//
//   sizes 1..512     slabs of our own: classes eight bytes apart, no header per block, 64 KiB slabs
//   ..2048           the same, with classes 64 bytes apart
//   7169..8184       the same, eight to a slab: the chunks of lists, which are all of that size
//   others           the process allocator (jemalloc, see base/owner_arena.h; plain malloc under a sanitizer)
//
// Why slabs of our own: the price of a key is the product. General allocators round 56 bytes up to 64; here
// the rounding is at most seven bytes, and a block's class follows from its size, which every owner knows
// anyway. And what lies in slabs comes to lie in huge pages (CollapseRange): the nodes of trees, too.
//
// Threads: one thread, the first that allocates, owns the slabs and is the only one that allocates small
// blocks. Any thread may free: another thread's frees go to their slab's remote list and are taken back by
// the owner.
//
// The state is process-wide on purpose (an allocator is), and is reached only through these functions.
//
// Costs: Allocate and Free of a small block are a handful of instructions on the owner's thread; a slab costs
// 64 bytes of header, and the block that does not fit at its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pinyon::mem {

inline constexpr size_t kClassBytes = 8;
inline constexpr size_t kMaxFineBytes = 512;
inline constexpr size_t kCoarseClassBytes = 64;
inline constexpr size_t kMaxSmallBytes = 2048;
// The one class beyond: an eighth of a slab. The process allocator has a record of 128 bytes for each block
// of that size, and rounds it up to a page.
inline constexpr size_t kEighthBytes = 8184;
inline constexpr size_t kMinEighthBytes = 7169;

// Returns at least `size` bytes aligned to eight; never null (running out of memory ends the process, as
// there is no way to go on). `size` must be above zero.
void* Allocate(size_t size);

// Blocks: kBlockBytes of address space, aligned to that, of which only the first `used_bytes` (whole pages)
// hold memory. For what grows and shrinks in place by the page. The used part is not cleared; what
// ResizeBlock adds reads as anything, what it takes away goes back to the system at once. Allocated and
// resized by the owner's thread only.
inline constexpr size_t kBlockBytes = 64 * 1024;
inline constexpr size_t kPageBytes = 4096;
void* AllocateBlock(size_t used_bytes);
void ResizeBlock(void* block, size_t old_used_bytes, size_t new_used_bytes);
void FreeBlock(void* block, size_t used_bytes);
// What another thread than the owner's frees keeps its memory until this gives it back, neighbours as one:
// each call of the kernel holds up all threads for a moment. Any thread; at the end of a piece of work.
void ReleaseFreedBlocks();

// As Allocate, from the process allocator whatever the size, aligned to `alignment` (a power of two).
void* AllocateAligned(size_t size, size_t alignment);
void FreeAligned(void* block, size_t size, size_t alignment);

// Gives back a block of Allocate(size): the same size, or any size of the same class.
void Free(void* block, size_t size);

// What Allocate(size) really takes from memory, in bytes.
size_t UsableSize(size_t size);
// The same of what operator new gets, which is the process allocator's whatever its size.
size_t UsableSizeOfNew(size_t size);

// Whether blocks of a size are in slabs.
inline constexpr bool IsInSlab(size_t size) {
  return size <= kMaxSmallBytes || (size >= kMinEighthBytes && size <= kEighthBytes);
}

// The number of the class of such a size, and the bytes that all blocks of a class have.
inline constexpr size_t ClassOf(size_t size) {
  if (size <= kMaxFineBytes) return (size + kClassBytes - 1) / kClassBytes;
  size = size <= kMaxSmallBytes ? size : kMaxSmallBytes + kCoarseClassBytes;
  return kMaxFineBytes / kClassBytes + (size - kMaxFineBytes + kCoarseClassBytes - 1) / kCoarseClassBytes;
}
inline constexpr size_t kEighthClass = ClassOf(kEighthBytes);
inline constexpr size_t ClassBytes(size_t index) {
  constexpr size_t kFine = kMaxFineBytes / kClassBytes;
  if (index == kEighthClass) return kEighthBytes;
  return index <= kFine ? index * kClassBytes : kMaxFineBytes + (index - kFine) * kCoarseClassBytes;
}

// Whether a block allocated with size `a` may hold, and be freed as, one of size `b`.
inline bool SameClass(size_t a, size_t b) {
  if (!IsInSlab(a) || !IsInSlab(b)) return UsableSize(a) == UsableSize(b);
  return ClassOf(a) == ClassOf(b);
}

// Every byte that the process holds allocated: small blocks, large ones, and what the C++ library, libuv and
// others took from the process allocator. Exact for the calling (owner's) thread, a moment old for the
// others.
uint64_t UsedBytes();
// The same for the owner's thread to ask before every command: a few loads and no lock. What other threads
// have taken from the process allocator is as of the owner's last call of UsedBytes.
uint64_t UsedBytesOfOwner();

// Bytes in slabs that have their memory, used or not; handed out of them; in slabs that hold nothing, and of
// these in chunks that hold nothing, which can be given back whole (base/slab_chunks.h). What is in neither
// `used_bytes` nor `empty_chunk_bytes` is lost to fragmentation.
struct SlabStats {
  uint64_t slab_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t empty_bytes = 0;
  uint64_t empty_chunk_bytes = 0;
};
SlabStats GetSlabStats();

// What slabs, blocks and the process allocator hold together.
struct AllocatorStats {
  uint64_t allocated = 0;  // handed out, in whole size classes
  uint64_t active = 0;     // pages in which something is, or was but now, handed out
  uint64_t resident = 0;   // pages that have memory; some of it could be given back
};
// As of now; the owner's thread only. Takes the process allocator some ten microseconds.
AllocatorStats GetAllocatorStats();

// Memory that is not used: of slabs, or of a block.
struct SlabChunk;
struct EmptyRange {
  char* memory;
  size_t bytes;
  SlabChunk* chunk;
  uint32_t slabs;  // of the chunk, as bits
};
// Takes what lies empty, but for a few slabs that stay at hand, so that ReleaseSlabs can give the memory back
// to the system: for a thread that nobody waits for, since each call takes the kernel up to 120 us. Until
// then it is not used again. Whole chunks and blocks; `in_parts`: also what is empty in chunks that are in
// use, when that is much. The owner's thread only.
std::vector<EmptyRange> TakeEmptySlabs(bool in_parts);
// Any thread.
void ReleaseSlabs(const std::vector<EmptyRange>& ranges);

// Lets the owner's thread take larger pieces at once when much is in use. Called from time to time.
void AdaptToSize();

// Gives back all that can be, at once: empty slabs, what other threads have freed, and what the process
// allocator keeps for later. Takes as long as it takes (a gigabyte: tens of milliseconds in whole chunks, a
// second where it lies scattered); the owner's thread only.
void GiveBackUnused();

// What the process allocator says of itself, for people, and our slabs by class; empty where it says nothing.
std::string StatsText();

// A range of 2 MiB of slabs that has filled up since, null when there is none: to be made one huge page, as
// random access to many small blocks then misses the TLB far less.
void* TakeFilledRange();
// Makes it one, where the kernel can (Linux 6.1). Takes the kernel some 0.3 ms and now and then, when it has
// to make room first, many times that: for a thread that nobody waits for. No flag is left on the range, so
// memory that is given back later stays given back.
void CollapseRange(void* range);
// Whether that is to be done at the moment: huge pages are quick to be had, as far as is known. Any thread.
bool MayMakeHugePage();
// Tries it out, once at the start: takes 0.2 to 5 ms, and the memory is given back.
void TryHugePage();

// Takes back what other threads have freed, in at most `max_slabs` slabs; returns whether there is more. It
// comes back by itself when memory of its kind is needed; this is for periodic work, and best done when those
// threads are done.
bool CollectFreed(size_t max_slabs);

// Defragmentation, in rounds. Chunks that are emptier than most are chosen: nothing is allocated in their
// slabs any more, and when what lies there has been moved (Relocate) or freed they are given back whole. By
// the owner:
//
//   BeginRound(); while (ChooseSparseChunks(n)); ... Relocate what NextChosenBlocks tells of, or whatever
//   there is ...; while (ReturnChosenChunks(n));
//
// Looks at up to `max_chunks`; returns whether there are more in this round.
void BeginRound();
bool ChooseSparseChunks(size_t max_chunks);
// How many slabs are chosen and hold something yet.
size_t ChosenSlabs();
// The blocks in chosen slabs, each once in a round, for whoever can tell by its bytes what a block is. Puts
// the next of one slab into `blocks` and how many they are into `*count`, which may be none; returns whether
// there are more. Some may be free by now.
struct ChosenBlock {
  void* memory;
  size_t bytes;
};
bool NextChosenBlocks(std::span<ChosenBlock> blocks, size_t* count);
// Whether a block of Allocate(size) lies in a chosen slab. (Large blocks lie in none.)
bool IsToMove(const void* block, size_t size);
// Copies such a block's bytes to a new one; the old one stays allocated. Null where nothing was moved.
void* CopyToMove(const void* block, size_t size);
// Moves such a block and frees the old one; any other block stays. Returns where it is now.
inline void* Relocate(void* block, size_t size) {
  void* moved = CopyToMove(block, size);
  if (moved == nullptr) return block;
  Free(block, size);
  return moved;
}
// How many blocks they were asked about, and how many of them they moved.
struct RelocateStats {
  uint64_t asked = 0;
  uint64_t moved = 0;
};
RelocateStats GetRelocateStats();
void ResetRelocateStats();
// Ends the round: what still holds something is as any other again, at most `max_chunks` of them; returns
// whether there are more.
bool ReturnChosenChunks(size_t max_chunks);

// A thread other than the owner that allocates or frees through the process allocator calls this once, so
// that its share is counted by UsedBytes.
void RegisterThread();

// Name and version of the process allocator, for INFO ("jemalloc-5.3.0", "libc").
const char* AllocatorName();

}  // namespace pinyon::mem
