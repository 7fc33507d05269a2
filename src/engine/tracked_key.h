// A key that clients may have cached, with the ids of the sessions that read it: one allocation, an item of
// TrackedKeyTable.
//
//   [key length: u32][ids: u32][room for ids: u32][unused: u32][ids: u64 each, ascending ...][key]
//
// So a key of 20 bytes that one session has read takes 48 bytes, 8 more for each session in doubling steps,
// and 10 to 11.2 bytes of table. A session is looked for by halving, put in by moving those behind it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/alloc.h"
#include "base/assert.h"
#include "types/hash_table.h"

namespace pinyon {

class TrackedKey {
 public:
  static constexpr bool kCanExpire = false;
  static constexpr bool kCountsBytes = true;
  static constexpr size_t kPrefetchLines = 1;

  static TrackedKey* New(std::string_view key, uint32_t room);
  static void Delete(TrackedKey* tracked) { mem::Free(tracked, tracked->AllocatedBytes()); }
  // The same with more room, or less; the old one stays.
  TrackedKey* CopyWithRoom(uint32_t room) const;

  std::string_view key() const { return {reinterpret_cast<const char*>(Ids() + room_), key_length_}; }
  // The size asked of the allocator.
  size_t AllocatedBytes() const { return BytesFor(key_length_, room_); }

  std::span<const uint64_t> ids() const { return {Ids(), count_}; }
  bool Contains(uint64_t id) const;
  bool IsFull() const { return count_ == room_; }
  // An id that is not there yet; not while it is full.
  void Add(uint64_t id);
  // Keeps only the ids for which `keep` holds; returns how many went.
  template <typename Keep>
  size_t Filter(Keep keep) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      if (keep(Ids()[i])) Ids()[kept++] = Ids()[i];
    }
    const size_t gone = count_ - kept;
    count_ = kept;
    return gone;
  }

 private:
  TrackedKey(uint32_t key_length, uint32_t room) : key_length_(key_length), room_(room) {}

  static size_t BytesFor(size_t key_length, size_t room) {
    return sizeof(TrackedKey) + room * sizeof(uint64_t) + key_length;
  }
  uint64_t* Ids() { return reinterpret_cast<uint64_t*>(this + 1); }
  const uint64_t* Ids() const { return reinterpret_cast<const uint64_t*>(this + 1); }

  uint32_t key_length_;
  uint32_t count_ = 0;
  uint32_t room_;
  [[maybe_unused]] uint32_t unused_ = 0;
};

static_assert(sizeof(TrackedKey) % alignof(uint64_t) == 0);

extern template class HashTable<TrackedKey>;
using TrackedKeyTable = HashTable<TrackedKey>;

}  // namespace pinyon
