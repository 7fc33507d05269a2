// The inside of base/alloc.h, for its own files only: the heap of slabs that one thread owns.
//
// Invariants: a slab belongs to one class while it is live (base/slab_chunks.h) and is in one state. Current:
// the one that its class allocates from. Partial: in its class's list, with room. Full: nowhere, without
// room. Chosen: nowhere, being emptied; nothing is allocated in it. `used` is the number of its blocks handed
// out, those on its remote list included.
#pragma once

#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/slab_chunks.h"

namespace pinyon::mem {

inline constexpr size_t kSlabBytes = SlabChunks::kSlabBytes;
inline constexpr size_t kClasses = kEighthClass + 1;

struct FreeLink {
  FreeLink* next;
};
static_assert(sizeof(FreeLink) <= kClassBytes);

enum class SlabState : uint8_t { kCurrent, kPartial, kFull, kChosen };

// How many bytes of a slab blocks of a size can take, behind its header.
inline constexpr size_t kSlabHeaderBytes = 64;
inline constexpr size_t CapacityOf(size_t block_bytes) {
  return (kSlabBytes - kSlabHeaderBytes) / block_bytes * block_bytes;
}

// At the start of each slab; the blocks follow.
struct Slab {
  uint16_t block_bytes;
  SlabState state;
  uint32_t used;
  FreeLink* free;
  char* unused;    // from here to the slab's end nothing was ever handed out
  Slab* previous;  // in its list, when partial
  Slab* next;
  std::atomic<uint64_t> remote;  // its remote list, see alloc.cc
  Slab* remote_next;             // in the list of slabs with remote frees
  SlabChunk* chunk;

  char* end() { return reinterpret_cast<char*>(this) + kSlabBytes; }
  bool HasRoom() { return free != nullptr || unused + block_bytes <= end(); }
  size_t used_bytes() const { return size_t{used} * block_bytes; }
  size_t room_bytes() const { return CapacityOf(block_bytes) - used_bytes(); }
};
static_assert(sizeof(Slab) <= kSlabHeaderBytes && kSlabHeaderBytes + 8 * kEighthBytes == kSlabBytes);

inline Slab* SlabOf(void* block) {
  return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(block) & ~(uintptr_t{kSlabBytes} - 1));
}

// Slabs, linked both ways.
struct SlabList {
  Slab* first = nullptr;
  Slab* last = nullptr;

  void Push(Slab* slab, bool at_front);
  void Remove(Slab* slab);
};

// A round of defragmentation. All chunks are surveyed, then those that lose most of what they hold are
// planned to be emptied, the emptiest first, as long as what lies in them has room elsewhere; and when that
// gains enough all their slabs are chosen, so that they become empty as a whole.
struct Evacuation {
  static constexpr size_t kMarks = 1 << 16;

  // A chunk, and what part of the memory that it holds is in use: the emptiest first out of a heap.
  struct Candidate {
    double fill;
    SlabChunk* chunk;
    bool operator<(const Candidate& other) const { return fill > other.fill; }
  };

  std::vector<Candidate> candidates;
  std::vector<SlabChunk*> planned;
  std::vector<SlabChunk*> chunks;  // chosen, those that are empty by now included
  size_t slabs = 0;                // chosen and not empty
  // Where NextChosenBlocks is: a chunk, a slab and a block, and which blocks of the slab are free.
  static constexpr size_t kMaxBlocks = kSlabBytes / kClassBytes;
  size_t next_chunk = 0;
  size_t next_slab = 0;
  size_t next_block = 0;
  std::bitset<kMaxBlocks> free;
  // Whether a block lies in a chosen slab is asked of every block there is, so it is told by a small table
  // first: by the address of a slab, in units of slabs, modulo the table's size.
  uint16_t marks[kMarks] = {};

  size_t to_survey = 0;  // chunks
  enum class Phase : uint8_t { kSurvey, kPlan, kChoose };
  Phase phase = Phase::kSurvey;
  double keep_fill = 0;  // chunks that are fuller stay
  // The plan's account. Room for what moves, by class: in slabs of chunks that stay, less what is to come
  // into them (below zero: it needs slabs of its own). For these there are the slabs that are ready in chunks
  // that stay (below zero: that many are lacking), then bare ones, then new chunks. And how many slabs with
  // memory the planned chunks hold.
  int64_t room[kClasses] = {};
  int64_t ready_slabs = 0;
  int64_t bare_slabs = 0;
  int64_t held_slabs = 0;

  static size_t MarkOf(const void* address) {
    return reinterpret_cast<uintptr_t>(address) / kSlabBytes % kMarks;
  }
};

struct Heap {
  Slab* current[kClasses] = {};
  SlabList partial[kClasses];
  Evacuation chosen;
  RelocateStats relocated;
  // In small blocks handed out, remote-freed ones included until they are taken back.
  uint64_t used_bytes = 0;
  uint64_t block_used_bytes = 0;
  uint32_t slabs_of[kClasses] = {};
  SlabChunks chunks;

  // Blocks lie in chunks of their own, which come without memory, as most blocks use but a part.
  char* next_block = nullptr;
  size_t blocks_left = 0;
  std::vector<void*> dirty_blocks;  // not in use, with memory
  std::vector<void*> clean_blocks;  // without

  std::atomic<Slab*> remote_slabs{nullptr};
  Slab* collecting = nullptr;  // taken off remote_slabs, not yet looked at
  std::atomic<uint64_t> remote_bytes{0};
  std::atomic<bool> has_owner{false};

  // Blocks that another thread freed: with memory until ReleaseFreedBlocks, then without.
  std::mutex freed_blocks_mutex;
  std::vector<char*> freed_dirty_blocks;
  std::vector<void*> freed_blocks;
  std::atomic<uint64_t> freed_block_bytes{0};
  std::atomic<bool> has_freed_blocks{false};
};

// Process-wide, see base/alloc.h. Never destroyed, since blocks are freed until the very end.
template <typename T>
union NeverDestroyed {
  constexpr NeverDestroyed() : value{} {}
  // NOLINTNEXTLINE(modernize-use-equals-default): a union of what has a destructor has none of itself.
  constexpr ~NeverDestroyed() {}
  T value;
};
extern constinit NeverDestroyed<Heap> heap_storage;
inline constexpr Heap& heap = heap_storage.value;
extern constinit thread_local bool owns_heap;

void LinkPartial(Slab* slab, bool at_front = true);
void UnlinkPartial(Slab* slab);
// Of a slab that holds nothing and is not current.
void ReleaseSlab(Slab* slab);
// The slab is chosen no more.
void Unchoose(Slab* slab);

}  // namespace pinyon::mem
