// Where the slabs of base/alloc.h lie: chunks of 2 MiB, each of 32 slabs and one huge page where the kernel
// has some. A new slab comes from the fullest chunk that has one to spare, so that others become empty as a
// whole: giving back a whole huge page costs next to nothing, giving back a part of one makes the kernel
// split it, and on a virtual machine that holds up every thread of the process for milliseconds. So parts are
// given back only when much lies empty in chunks that are in use, a little at a time.
//
// Each slab of a chunk is one of these:
//   live    in use
//   ready   not in use, with its memory
//   bare    not in use, without memory: never touched, or given back
//   away    not in use, just being given back; nobody's until that is done
//
// Invariants: a chunk that has a slab to give is in exactly one list, that of its kind (any slab ready; else
// any bare) and its number of live slabs; barred ones, and those of which nothing is live and something away,
// have none to give. A record of a chunk is never freed, only used again, so that a pointer to it may be kept
// and looked at later.
//
// Costs: 64 bytes a chunk; Take and Return a handful of instructions, but for a new chunk.
//
// One thread, the owner, but for Release.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/alloc.h"
#include "base/chunk_supply.h"

namespace pinyon::mem {

struct SlabChunk {
  static constexpr size_t kSlabBytes = kBlockBytes;
  static constexpr size_t kSlabs = ChunkSupply::kChunkBytes / kSlabBytes;
  static constexpr uint32_t kAll = ~uint32_t{0};
  static_assert(kSlabs == 32);

  char* memory = nullptr;
  uint32_t live = 0;
  uint32_t bare = 0;
  uint32_t away = 0;
  bool is_huge = false;    // as far as is known one huge page
  bool is_filled = false;  // in the list of those to be made one
  bool is_barred = false;  // being emptied: has no slabs to spare
  bool is_listed = false;
  uint8_t in_small_pages = 0;  // of its live slabs those that gain nothing by a huge page
  uint32_t index = 0;          // among all
  SlabChunk* previous = nullptr;
  SlabChunk* next = nullptr;
  std::atomic<uint32_t> back{0};  // given back by now, and the owner does not know yet
  SlabChunk* next_back = nullptr;

  uint32_t ready() const { return ~(live | bare | away); }
  bool HasToGive() const { return !is_barred && (ready() | bare) != 0 && (live != 0 || away == 0); }
  size_t live_count() const { return static_cast<size_t>(std::popcount(live)); }
  char* slab(size_t i) const { return memory + i * kSlabBytes; }
};

class SlabChunks {
 public:
  static constexpr size_t kSlabBytes = SlabChunk::kSlabBytes;

  struct Slab {
    char* memory;
    SlabChunk* chunk;
    bool is_there;  // it has its memory
  };

  constexpr SlabChunks() = default;
  // Nothing may be away then, and no chunk be made ready ahead.
  ~SlabChunks();
  SlabChunks(const SlabChunks&) = delete;
  SlabChunks& operator=(const SlabChunks&) = delete;

  // A slab to be used. `ahead`: should a new chunk be needed, the one after it shall be made ready.
  Slab Take(bool ahead);
  // It is not used any more; its memory is still there.
  void Return(SlabChunk* chunk, const void* slab);

  size_t live_slabs() const { return live_slabs_; }
  // Those of chunks that have none to give are among them.
  size_t ready_slabs() const { return ready_slabs_; }
  // Of these, those in chunks that have no others.
  size_t ready_in_empty_chunks() const { return ready_in_empty_; }

  // All chunks, in no order, which may change with every other call.
  size_t chunk_count() const { return chunks_.size(); }
  SlabChunk* chunk(size_t i) const { return chunks_[i]; }

  // From now on no slab of the chunk is used anew, until it is empty or Unbar is called.
  void Bar(SlabChunk* chunk);
  void Unbar(SlabChunk* chunk);

  // How many chunks TakeReady takes: whole ones, and those of which it takes what is ready.
  struct Portion {
    size_t whole;
    size_t in_parts;
  };
  // Takes what is ready, down to `keep` slabs: whole chunks first, then, down to `keep_in_parts`, what is
  // ready in chunks that are in use, the emptiest first. Nobody's until it was given to Release.
  void TakeReady(size_t keep, size_t keep_in_parts, Portion portion, std::vector<EmptyRange>* taken);
  // Any thread: gives the memory back to the system, and the address space to the owner.
  void Release(const EmptyRange& range);

  // What was released since becomes the owner's again, as far as that is a matter of `max_chunks`.
  void CollectBack(size_t max_chunks);

  // A chunk in full use that is no huge page but would gain by it; null when there is none. Whoever makes it
  // one says so (is_huge); left as it is it comes again when it has filled up anew.
  SlabChunk* TakeFilled();
  // From how many live slabs on chunks are made huge pages.
  static constexpr size_t kHugeFromSlabs = 256;

 private:
  // Chunks by their number of live slabs.
  struct Lists {
    SlabChunk* first[SlabChunk::kSlabs] = {};
    uint32_t any = 0;  // bit i: list i is not empty

    SlabChunk* Fullest() const { return any == 0 ? nullptr : first[31 - std::countl_zero(any)]; }
  };
  Lists& ListsOf(const SlabChunk* chunk) { return chunk->ready() != 0 ? ready_ : bare_; }
  // Around every change of a chunk: out of the sums and its list, and in again.
  void Lift(SlabChunk* chunk);
  void Place(SlabChunk* chunk);
  SlabChunk* NewChunk(bool ahead);
  void RemoveChunk(SlabChunk* chunk);
  void TakeBack(SlabChunk* chunk, uint32_t slabs);
  void NoteFilled(SlabChunk* chunk);
  void TakePart(SlabChunk* chunk, std::vector<EmptyRange>* taken);

  Lists ready_;
  Lists bare_;
  std::vector<std::unique_ptr<SlabChunk>> records_;
  std::vector<SlabChunk*> chunks_;
  std::vector<SlabChunk*> unused_records_;
  std::vector<SlabChunk*> filled_;
  std::vector<char*> spare_;  // address space of chunks without memory
  size_t live_slabs_ = 0;
  size_t ready_slabs_ = 0;
  size_t to_give_ = 0;  // of these, those of chunks in the lists
  size_t ready_in_empty_ = 0;
  ChunkSupply supply_;

  std::atomic<SlabChunk*> back_{nullptr};  // chunks of which anything is
  SlabChunk* collecting_ = nullptr;        // taken off that list, not yet looked at
};

}  // namespace pinyon::mem
