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

struct OwnerArena {
  extent_hooks_t hooks{};
  extent_alloc_t* allocate = nullptr;  // jemalloc's own
  std::atomic<uint32_t> pieces{0};
};
// Process-wide, as the allocator is.
constinit OwnerArena arena;

void* AllocateExtent(extent_hooks_t* hooks, void* new_addr, size_t size, size_t alignment, bool* zero,
                     bool* commit, unsigned index) {
  void* memory = arena.allocate(hooks, new_addr, size, alignment, zero, commit, index);
  // Larger ones are for single blocks, which may never be filled, and would hold the loop.
  if (memory == nullptr || size > kOwnerPieceBytes) return memory;
  if (arena.pieces.fetch_add(1, std::memory_order_relaxed) >= kPopulateFrom)
    ChunkSupply::Populate(memory, size);
  return memory;
}

template <typename T>
bool Set(const std::string& name, T value) {
  return mallctl(name.c_str(), nullptr, nullptr, &value, sizeof value) == 0;
}

}  // namespace

bool EnterOwnerArena() {
  PINYON_ASSERT(arena.allocate == nullptr);
  extent_hooks_t* standard = nullptr;
  size_t length = sizeof(standard);
  if (mallctl("arena.0.extent_hooks", &standard, &length, nullptr, 0) != 0) return false;
  arena.hooks = *standard;
  arena.allocate = standard->alloc;
  arena.hooks.alloc = AllocateExtent;

  unsigned index = 0;
  length = sizeof(index);
  extent_hooks_t* hooks = &arena.hooks;
  if (mallctl("arenas.create", &index, &length, &hooks, sizeof hooks) != 0) return false;
  // jemalloc would otherwise ask for more each time.
  return Set("arena." + std::to_string(index) + ".retain_grow_limit", kOwnerPieceBytes) &&
         Set("thread.arena", index);
}

}  // namespace pinyon::mem

#endif
