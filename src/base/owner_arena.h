// The part of jemalloc that serves the owner's thread (base/alloc.h): an arena of its own, which takes
// address space by kPieceBytes, and, once it has some pieces, with their memory. So blocks that are too large
// for slabs, such as the chunks of long lists, cost no page fault each while the keyspace grows: sixty-four
// pages at once cost the kernel a tenth of as many faults.
//
// Small pages, unlike slabs': what is here is read from one end to the other, and gains nothing from huge
// ones, which cost the kernel several times as much to clear.
//
// Costs: at most one piece that is not used yet; some 50 us for every 256 KiB by which the arena grows.
#pragma once

#include <cstddef>

namespace pinyon::mem {

inline constexpr size_t kOwnerPieceBytes = 128 * 1024;

// Makes the calling thread use it from now on. Called once in a process. False when jemalloc refuses; then
// the thread's blocks come as they do for others.
bool EnterOwnerArena();

}  // namespace pinyon::mem
