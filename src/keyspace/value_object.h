// The objects that hold large collections, by type and encoding of the entry that owns them: the one place
// that knows which class is behind an entry's pointer when nothing else about it matters.
//
//   hash  hashtable   FieldTable        set  hashtable   MemberTable
//   zset  skiplist    SortedSet         list quicklist   ChunkedList
//
// DeleteObject may run on the freeing thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/hash.h"
#include "keyspace/entry.h"

namespace pinyon {

void DeleteObject(ValueType type, Encoding encoding, void* object);
// A copy that shares nothing with the original.
void* CopyObject(ValueType type, Encoding encoding, const void* object);
// Bytes taken from memory. Tables and sorted sets know them. Those of a long list are estimated from some of
// its chunks, `samples` times as many as cost as much as a look at an element of anything else; 0: all.
size_t ObjectMemoryBytes(ValueType type, Encoding encoding, const void* object, size_t samples);
// Moves what is to be moved (mem::Relocate) of about `count` elements from `cursor` on; returns the cursor
// for the next, 0 at the beginning and at the end. A change in between may leave some out.
uint64_t RelocateObject(ValueType type, Encoding encoding, void* object, uint64_t cursor, size_t count);
// About how many blocks it takes to free it.
size_t ObjectAllocations(ValueType type, Encoding encoding, const void* object);

}  // namespace pinyon
