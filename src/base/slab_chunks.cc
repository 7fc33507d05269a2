#include "base/slab_chunks.h"

#include <sys/mman.h>

#include "base/assert.h"
#include "base/out_of_memory.h"

namespace pinyon::mem {

namespace {

// How many chunks are looked at in one call after their memory was given back.
constexpr size_t kBackAtOnce = 64;

}  // namespace

SlabChunks::~SlabChunks() {
  CollectBack(~size_t{0});
  for (SlabChunk* chunk : chunks_) munmap(chunk->memory, ChunkSupply::kChunkBytes);
  for (char* memory : spare_) munmap(memory, ChunkSupply::kChunkBytes);
}

void SlabChunks::Place(SlabChunk* chunk) {
  PINYON_ASSERT(!chunk->is_listed && (chunk->live & (chunk->bare | chunk->away)) == 0);
  const auto ready = static_cast<size_t>(std::popcount(chunk->ready()));
  ready_slabs_ += ready;
  if (chunk->live == 0) ready_in_empty_ += ready;
  if (!chunk->HasToGive()) return;
  to_give_ += ready;
  Lists& lists = ListsOf(chunk);
  const size_t count = chunk->live_count();
  SlabChunk*& first = lists.first[count];
  chunk->previous = nullptr;
  chunk->next = first;
  if (first != nullptr) first->previous = chunk;
  first = chunk;
  lists.any |= uint32_t{1} << count;
  chunk->is_listed = true;
}

void SlabChunks::Lift(SlabChunk* chunk) {
  const auto ready = static_cast<size_t>(std::popcount(chunk->ready()));
  ready_slabs_ -= ready;
  if (chunk->live == 0) ready_in_empty_ -= ready;
  if (!chunk->is_listed) return;
  to_give_ -= ready;
  Lists& lists = ListsOf(chunk);
  const size_t count = chunk->live_count();
  SlabChunk*& first = lists.first[count];
  (chunk->previous == nullptr ? first : chunk->previous->next) = chunk->next;
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
  if (first == nullptr) lists.any &= ~(uint32_t{1} << count);
  chunk->is_listed = false;
}

SlabChunk* SlabChunks::NewChunk(bool ahead) {
  char* spare = nullptr;
  if (!spare_.empty()) {
    spare = spare_.back();
    spare_.pop_back();
  }
  const ChunkSupply::Chunk supplied = supply_.Take(ahead, &spare);
  if (supplied.memory == nullptr) OutOfMemory(ChunkSupply::kChunkBytes);
  if (spare != nullptr) spare_.push_back(spare);
  SlabChunk* chunk;
  if (unused_records_.empty()) {
    chunk = records_.emplace_back(std::make_unique<SlabChunk>()).get();
  } else {
    chunk = unused_records_.back();
    unused_records_.pop_back();
  }
  chunk->memory = supplied.memory;
  chunk->live = chunk->away = 0;
  chunk->bare = supplied.is_ready ? 0 : SlabChunk::kAll;
  chunk->is_huge = supplied.is_ready;
  chunk->index = static_cast<uint32_t>(chunks_.size());
  chunks_.push_back(chunk);
  Place(chunk);
  return chunk;
}

void SlabChunks::RemoveChunk(SlabChunk* chunk) {
  PINYON_ASSERT(chunk->live == 0 && chunks_[chunk->index] == chunk);
  chunks_[chunk->index] = chunks_.back();
  chunks_[chunk->index]->index = chunk->index;
  chunks_.pop_back();
}

SlabChunks::Slab SlabChunks::Take(bool ahead) {
  SlabChunk* chunk = ready_.Fullest();
  if (chunk == nullptr) {
    // What was given back before may be in the fullest chunk.
    CollectBack(kBackAtOnce);
    chunk = ready_.any != 0 ? ready_.Fullest() : bare_.Fullest();
  }
  if (chunk == nullptr) chunk = NewChunk(ahead);
  Lift(chunk);
  const bool is_there = chunk->ready() != 0;
  const int i = std::countr_zero(is_there ? chunk->ready() : chunk->bare);
  const uint32_t bit = uint32_t{1} << i;
  chunk->live |= bit;
  chunk->bare &= ~bit;
  Place(chunk);
  ++live_slabs_;
  NoteFilled(chunk);
  return {chunk->slab(static_cast<size_t>(i)), chunk, is_there};
}

void SlabChunks::Return(SlabChunk* chunk, const void* slab) {
  const auto i = static_cast<size_t>(static_cast<const char*>(slab) - chunk->memory) / kSlabBytes;
  const uint32_t bit = uint32_t{1} << i;
  PINYON_ASSERT(i < SlabChunk::kSlabs && (chunk->live & bit) != 0);
  Lift(chunk);
  chunk->live &= ~bit;
  if (chunk->live == 0) chunk->is_barred = false;
  Place(chunk);
  --live_slabs_;
}

void SlabChunks::Bar(SlabChunk* chunk) {
  PINYON_ASSERT(chunk->live != 0 && !chunk->is_barred);
  Lift(chunk);
  chunk->is_barred = true;
  Place(chunk);
}

void SlabChunks::Unbar(SlabChunk* chunk) {
  PINYON_ASSERT(chunk->is_barred);
  Lift(chunk);
  chunk->is_barred = false;
  Place(chunk);
  NoteFilled(chunk);
}

void SlabChunks::NoteFilled(SlabChunk* chunk) {
  if (chunk->live != SlabChunk::kAll || chunk->is_huge || chunk->is_filled || live_slabs_ < kHugeFromSlabs)
    return;
  if (chunk->in_small_pages > SlabChunk::kSlabs / 2) return;
  chunk->is_filled = true;
  filled_.push_back(chunk);
}

void SlabChunks::TakeReady(size_t keep, size_t keep_in_parts, Portion portion,
                           std::vector<EmptyRange>* taken) {
  CollectBack(kBackAtOnce);
  while (SlabChunk* chunk = ready_.first[0]) {
    if (portion.whole == 0 || to_give_ <= keep) break;
    Lift(chunk);
    RemoveChunk(chunk);
    chunk->away = SlabChunk::kAll;
    taken->push_back({chunk->memory, ChunkSupply::kChunkBytes, chunk, SlabChunk::kAll});
    --portion.whole;
  }
  if (ready_.first[0] != nullptr) return;  // those first
  for (size_t count = 1; count < SlabChunk::kSlabs; ++count) {
    while (portion.in_parts > 0 && to_give_ > keep_in_parts && ready_.first[count] != nullptr) {
      TakePart(ready_.first[count], taken);
      --portion.in_parts;
    }
  }
}

// In as long pieces as can be.
void SlabChunks::TakePart(SlabChunk* chunk, std::vector<EmptyRange>* taken) {
  PINYON_ASSERT(chunk->live != 0);
  Lift(chunk);
  for (uint32_t left = chunk->ready(); left != 0;) {
    const int begin = std::countr_zero(left);
    const int length = std::countr_one(left >> begin);
    const uint32_t run = ((uint32_t{1} << length) - 1) << begin;
    taken->push_back(
        {chunk->slab(static_cast<size_t>(begin)), static_cast<size_t>(length) * kSlabBytes, chunk, run});
    left &= ~run;
    chunk->away |= run;
  }
  chunk->is_huge = false;
  Place(chunk);
}

void SlabChunks::Release(const EmptyRange& range) {
  SlabChunk* chunk = range.chunk;
  madvise(range.memory, range.bytes, MADV_DONTNEED);
  if (chunk->back.fetch_or(range.slabs, std::memory_order_acq_rel) != 0) return;  // it is in the list
  chunk->next_back = back_.load(std::memory_order_relaxed);
  while (!back_.compare_exchange_weak(chunk->next_back, chunk, std::memory_order_release)) {
  }
}

void SlabChunks::CollectBack(size_t max_chunks) {
  for (; max_chunks > 0; --max_chunks) {
    if (collecting_ == nullptr) {
      if (back_.load(std::memory_order_relaxed) == nullptr) return;
      collecting_ = back_.exchange(nullptr, std::memory_order_acquire);
    }
    SlabChunk* chunk = collecting_;
    collecting_ = chunk->next_back;  // first: afterwards the chunk may be entered anew
    TakeBack(chunk, chunk->back.exchange(0, std::memory_order_acq_rel));
  }
}

void SlabChunks::TakeBack(SlabChunk* chunk, uint32_t slabs) {
  if (slabs != SlabChunk::kAll) {
    Lift(chunk);
    chunk->away &= ~slabs;
    chunk->bare |= slabs;
    if (chunk->bare != SlabChunk::kAll) return Place(chunk);
    RemoveChunk(chunk);
  }
  spare_.push_back(chunk->memory);
  unused_records_.push_back(chunk);
}

SlabChunk* SlabChunks::TakeFilled() {
  while (!filled_.empty()) {
    SlabChunk* chunk = filled_.back();
    filled_.pop_back();
    chunk->is_filled = false;
    // It may have been emptied since, or be another one.
    if (chunk->live != SlabChunk::kAll || chunk->is_huge || chunk->is_barred) continue;
    return chunk;
  }
  return nullptr;
}

}  // namespace pinyon::mem
