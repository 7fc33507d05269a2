#include "base/owner_arena.h"

#ifndef PINYON_PLAIN_MALLOC
#include <jemalloc/jemalloc.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/chunk_supply.h"

namespace pinyon::mem {

namespace {

// With so many pieces (4 MiB) taken, one more that is not used yet makes no difference.
constexpr uint32_t kPopulateFrom = 32;
// With so many (128 MiB) a large one makes none.
constexpr uint32_t kLargeFrom = 1024;

struct OwnerArena {
  extent_hooks_t hooks{};
  extent_alloc_t* allocate = nullptr;  // jemalloc's own
  std::atomic<uint32_t> pieces{0};
  unsigned index = 0;  // jemalloc's number of the arena; 0 before there is one
  size_t piece_bytes = kOwnerPieceBytes;
};
// Process-wide, as the allocator is.
constinit OwnerArena arena;

// Called with jemalloc's locks held: nothing may be allocated here.
void* AllocateExtent(extent_hooks_t* hooks, void* new_addr, size_t size, size_t alignment, bool* zero,
                     bool* commit, unsigned index) {
  void* memory = arena.allocate(hooks, new_addr, size, alignment, zero, commit, index);
  // Larger ones are for single blocks, which may never be filled, and would hold the loop.
  if (memory == nullptr || size > kLargeOwnerPieceBytes) return memory;
  if (arena.pieces.fetch_add(1, std::memory_order_relaxed) >= kPopulateFrom)
    ChunkSupply::Populate(memory, size);
  return memory;
}

template <typename T>
bool Set(const char* name, T value) {
  return mallctl(name, nullptr, nullptr, &value, sizeof value) == 0;
}

// jemalloc would otherwise ask for more each time.
bool SetPieceBytes(size_t bytes) {
  arena.piece_bytes = bytes;
  return Set(("arena." + std::to_string(arena.index) + ".retain_grow_limit").c_str(), bytes);
}

}  // namespace

bool EnterOwnerArena() {
  PINYON_ASSERT(arena.allocate == nullptr);
  extent_hooks_t* standard = nullptr;
  size_t length = sizeof(extent_hooks_t*);
  if (mallctl("arena.0.extent_hooks", &standard, &length, nullptr, 0) != 0) return false;
  arena.hooks = *standard;
  arena.allocate = standard->alloc;
  arena.hooks.alloc = AllocateExtent;

  length = sizeof(arena.index);
  extent_hooks_t* hooks = &arena.hooks;
  if (mallctl("arenas.create", &arena.index, &length, &hooks, sizeof(extent_hooks_t*)) != 0) return false;
  return SetPieceBytes(kOwnerPieceBytes) && Set("thread.arena", arena.index);
}

void AdaptOwnerArena() {
  if (arena.index == 0 || arena.piece_bytes == kLargeOwnerPieceBytes) return;
  if (arena.pieces.load(std::memory_order_relaxed) >= kLargeFrom)
    PINYON_CHECK(SetPieceBytes(kLargeOwnerPieceBytes));
}

}  // namespace pinyon::mem

#endif
