// The part of base/alloc.h that is defragmentation.
#ifndef PINYON_PLAIN_MALLOC

#include <algorithm>
#include <cstring>

#include "base/heap.h"

namespace pinyon::mem {

namespace {

// So many slabs in new chunks may be needed for what moves, at least: the chosen chunks make up for them, but
// only at the round's end.
constexpr int64_t kSlabsAhead = 2 * SlabChunk::kSlabs;

template <typename Function>
void ForEachLive(const SlabChunk* chunk, const Function& function) {
  for (uint32_t left = chunk->live; left != 0; left &= left - 1)
    function(reinterpret_cast<Slab*>(chunk->slab(static_cast<size_t>(std::countr_zero(left)))));
}

// How many slabs of its own a class needs when it has so much room.
int64_t SlabsFor(int64_t room, size_t block_bytes) {
  const auto capacity = static_cast<int64_t>(CapacityOf(block_bytes));
  return room >= 0 ? 0 : (-room + capacity - 1) / capacity;
}

size_t HeldSlabs(const SlabChunk* chunk) {
  return static_cast<size_t>(std::popcount(chunk->live | chunk->ready()));
}

void Survey(SlabChunk* chunk) {
  if (chunk->live == 0) return;
  heap.chosen.ready_slabs += std::popcount(chunk->ready());
  heap.chosen.bare_slabs += std::popcount(chunk->bare);
  size_t used = 0;
  ForEachLive(chunk, [&](const Slab* slab) {
    used += slab->used_bytes();
    heap.chosen.room[ClassOf(slab->block_bytes)] += static_cast<int64_t>(slab->room_bytes());
  });
  const double fill = static_cast<double>(used) / static_cast<double>(HeldSlabs(chunk) * kSlabBytes);
  if (fill < heap.chosen.keep_fill) heap.chosen.candidates.push_back({fill, chunk});
}

// Enters into the account that the chunk is emptied, or with -1 that it is not; returns how many slabs are
// gained by it: those that it holds, less those that what lies in it needs elsewhere.
int64_t Enter(const SlabChunk* chunk, int64_t sign) {
  Evacuation& chosen = heap.chosen;
  int64_t needed = 0;
  ForEachLive(chunk, [&](const Slab* slab) {
    int64_t& room = chosen.room[ClassOf(slab->block_bytes)];
    needed -= SlabsFor(room, slab->block_bytes);
    // What was room there is none any more, and what is there needs some.
    room -= sign * static_cast<int64_t>(CapacityOf(slab->block_bytes));
    needed += SlabsFor(room, slab->block_bytes);
  });
  chosen.ready_slabs -= needed + sign * std::popcount(chunk->ready());
  chosen.bare_slabs -= sign * std::popcount(chunk->bare);
  chosen.held_slabs += sign * static_cast<int64_t>(HeldSlabs(chunk));
  return sign * static_cast<int64_t>(HeldSlabs(chunk)) - needed;
}

// Plans the next candidate; returns whether there may be more.
bool Plan() {
  Evacuation& chosen = heap.chosen;
  if (chosen.candidates.empty()) return false;
  std::pop_heap(chosen.candidates.begin(), chosen.candidates.end());
  SlabChunk* chunk = chosen.candidates.back().chunk;
  chosen.candidates.pop_back();
  if (chunk->live == 0) return true;
  // What needs nearly as many slabs elsewhere (many classes, each with a little) is better left alone.
  const bool gains = Enter(chunk, 1) > static_cast<int64_t>(HeldSlabs(chunk) / 8);
  const auto ahead = static_cast<int64_t>(heap.chunks.live_slabs() / 32);
  const bool has_room = chosen.ready_slabs + chosen.bare_slabs >= -std::max(kSlabsAhead, ahead);
  if (gains && has_room) {
    chosen.planned.push_back(chunk);
  } else {
    Enter(chunk, -1);
  }
  return has_room;  // others need even more
}

// Whether the plan as a whole frees enough chunks beyond those that it begins.
bool IsWorthIt() {
  constexpr int64_t kLeast = 4, kSlabs = SlabChunk::kSlabs;
  const int64_t lacking = std::max<int64_t>(-heap.chosen.ready_slabs, 0);
  const int64_t bare = std::min(lacking, heap.chosen.bare_slabs);
  const int64_t gained = heap.chosen.held_slabs - bare - (lacking - bare + kSlabs - 1) / kSlabs * kSlabs;
  return gained >= std::max(kLeast, static_cast<int64_t>(heap.chunks.live_slabs() / 64));
}

void ChooseSlab(Slab* slab) {
  if (slab->state == SlabState::kPartial) UnlinkPartial(slab);
  Slab*& current = heap.current[ClassOf(slab->block_bytes)];
  if (current == slab) current = nullptr;
  slab->state = SlabState::kChosen;
  ++heap.chosen.slabs;
  ++heap.chosen.marks[Evacuation::MarkOf(slab)];
  if (slab->used == 0) ReleaseSlab(slab);
}

void Choose(SlabChunk* chunk) {
  if (chunk->live == 0 || chunk->is_barred) return;
  heap.chunks.Bar(chunk);
  heap.chosen.chunks.push_back(chunk);
  ForEachLive(chunk, ChooseSlab);
}

char* FirstBlock(Slab* slab) { return reinterpret_cast<char*>(slab) + kSlabHeaderBytes; }

void NoteFreeBlocks(Slab* slab) {
  heap.chosen.free.reset();
  for (const FreeLink* block = slab->free; block != nullptr; block = block->next) {
    const auto offset = static_cast<size_t>(reinterpret_cast<const char*>(block) - FirstBlock(slab));
    heap.chosen.free.set(offset / slab->block_bytes);
  }
}

// Where NextChosenBlocks goes on; null at the end.
Slab* NextChosenSlab() {
  Evacuation& chosen = heap.chosen;
  for (; chosen.next_chunk < chosen.chunks.size(); ++chosen.next_chunk, chosen.next_slab = 0) {
    const SlabChunk* chunk = chosen.chunks[chosen.next_chunk];
    // (One that is empty may be in use again, but is not chosen.)
    for (; chunk->is_barred && chosen.next_slab < SlabChunk::kSlabs; ++chosen.next_slab) {
      if ((chunk->live >> chosen.next_slab & 1) != 0)
        return reinterpret_cast<Slab*>(chunk->slab(chosen.next_slab));
      chosen.next_block = 0;
    }
    chosen.next_block = 0;
  }
  return nullptr;
}

}  // namespace

void Unchoose(Slab* slab) {
  PINYON_ASSERT(slab->state == SlabState::kChosen);
  --heap.chosen.slabs;
  --heap.chosen.marks[Evacuation::MarkOf(slab)];
}

void BeginRound() {
  // Chunks that are no fuller than most go, but neither ones that are nearly full, which gains little, nor,
  // where all are alike, none.
  constexpr double kLeastKept = 0.5, kMostKept = 0.9;
  Evacuation& chosen = heap.chosen;
  PINYON_ASSERT(chosen.chunks.empty() && chosen.slabs == 0);
  const size_t held =
      heap.chunks.live_slabs() + heap.chunks.ready_slabs() - heap.chunks.ready_in_empty_chunks();
  chosen.candidates.clear();
  chosen.planned.clear();
  chosen.next_chunk = chosen.next_slab = chosen.next_block = 0;
  chosen.phase = Evacuation::Phase::kSurvey;
  chosen.to_survey = heap.chunks.chunk_count();
  const double average =
      static_cast<double>(heap.used_bytes) / static_cast<double>(std::max<size_t>(held, 1) * kSlabBytes);
  chosen.keep_fill = std::clamp(average, kLeastKept, kMostKept);
  std::fill(std::begin(chosen.room), std::end(chosen.room), 0);
  chosen.ready_slabs = chosen.bare_slabs = 0;
  chosen.held_slabs = 0;
}

bool ChooseSparseChunks(size_t max_chunks) {
  if (!owns_heap) return false;
  Evacuation& chosen = heap.chosen;
  for (; max_chunks > 0; --max_chunks) {
    switch (chosen.phase) {
      case Evacuation::Phase::kSurvey:
        if (chosen.to_survey > 0) {
          // The number may have changed since; what is left out or seen twice does no harm.
          if (--chosen.to_survey < heap.chunks.chunk_count()) Survey(heap.chunks.chunk(chosen.to_survey));
        } else {
          std::make_heap(chosen.candidates.begin(), chosen.candidates.end());
          chosen.phase = Evacuation::Phase::kPlan;
        }
        break;
      case Evacuation::Phase::kPlan:
        if (Plan()) break;
        if (!IsWorthIt()) chosen.planned.clear();
        chosen.phase = Evacuation::Phase::kChoose;
        break;
      case Evacuation::Phase::kChoose:
        if (chosen.planned.empty()) return false;
        Choose(chosen.planned.back());
        chosen.planned.pop_back();
        break;
    }
  }
  return true;
}

RelocateStats GetRelocateStats() { return heap.relocated; }
void ResetRelocateStats() { heap.relocated = {}; }

size_t ChosenSlabs() { return heap.chosen.slabs; }

bool NextChosenBlocks(std::span<ChosenBlock> blocks, size_t* count) {
  Evacuation& chosen = heap.chosen;
  *count = 0;
  Slab* slab = NextChosenSlab();
  if (slab == nullptr) return false;
  PINYON_ASSERT(slab->state == SlabState::kChosen);
  const size_t block_bytes = slab->block_bytes;
  const auto end = static_cast<size_t>(slab->unused - FirstBlock(slab)) / block_bytes;
  if (chosen.next_block == 0) NoteFreeBlocks(slab);
  for (; chosen.next_block < end && *count < blocks.size(); ++chosen.next_block) {
    if (!chosen.free[chosen.next_block])
      blocks[(*count)++] = {FirstBlock(slab) + chosen.next_block * block_bytes, block_bytes};
  }
  if (chosen.next_block >= end) {
    ++chosen.next_slab;
    chosen.next_block = 0;
  }
  return true;
}

bool IsToMove(const void* block, size_t size) {
  if (!IsInSlab(size) || heap.chosen.marks[Evacuation::MarkOf(block)] == 0) return false;
  return SlabOf(const_cast<void*>(block))->state == SlabState::kChosen;
}

void* CopyToMove(const void* block, size_t size) {
  PINYON_ASSERT(owns_heap);
  ++heap.relocated.asked;
  if (!IsToMove(block, size)) return nullptr;
  ++heap.relocated.moved;
  void* moved = Allocate(size);
  std::memcpy(moved, block, ClassBytes(ClassOf(size)));
  return moved;
}

bool ReturnChosenChunks(size_t max_chunks) {
  Evacuation& chosen = heap.chosen;
  for (; max_chunks > 0 && !chosen.chunks.empty(); --max_chunks) {
    SlabChunk* chunk = chosen.chunks.back();
    chosen.chunks.pop_back();
    if (!chunk->is_barred) continue;  // it was emptied
    ForEachLive(chunk, [](Slab* slab) {
      Unchoose(slab);
      slab->state = SlabState::kFull;
      if (slab->HasRoom()) LinkPartial(slab, false);
    });
    heap.chunks.Unbar(chunk);
  }
  return !chosen.chunks.empty();
}

}  // namespace pinyon::mem

#endif
