// The part of jemalloc that serves the owner's thread (base/alloc.h): an arena of its own, which takes
// address space by pieces, and, once it has some, with their memory. So blocks that are too large for slabs,
// such as the chunks of long lists, cost no page fault each while the keyspace grows: many pages at once cost
// the kernel a tenth of as many faults. From 128 MiB on pieces are larger, since jemalloc gives memory back
// by the piece at most, and each call costs up to 120 us, however much it is, where a hypervisor keeps page
// tables of its own.
//
// Small pages, unlike slabs': what is here is read from one end to the other, and gains nothing from huge
// ones, which cost the kernel several times as much to clear.
//
// Costs: at most one piece that is not used yet; some 0.2 ms for each MiB by which the arena grows.
#pragma once

#include <cstddef>

namespace pinyon::mem {

inline constexpr size_t kOwnerPieceBytes = 128 * 1024;
inline constexpr size_t kLargeOwnerPieceBytes = 1024 * 1024;

// Makes the calling thread use it from now on. Called once in a process. False when jemalloc refuses; then
// the thread's blocks come as they do for others.
bool EnterOwnerArena();

// Lets the arena take large pieces once it has some size. Called from time to time by the same thread.
void AdaptOwnerArena();

}  // namespace pinyon::mem
