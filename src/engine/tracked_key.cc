#include "engine/tracked_key.h"

#include <algorithm>
#include <new>

#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<TrackedKey>;

TrackedKey* TrackedKey::New(std::string_view key, uint32_t room) {
  PINYON_CHECK(key.size() <= UINT32_MAX && room > 0);
  void* memory = mem::Allocate(BytesFor(key.size(), room));
  auto* tracked = new (memory) TrackedKey(static_cast<uint32_t>(key.size()), room);
  if (!key.empty()) std::memcpy(tracked->Ids() + room, key.data(), key.size());
  return tracked;
}

TrackedKey* TrackedKey::CopyWithRoom(uint32_t room) const {
  PINYON_ASSERT(room >= count_);
  TrackedKey* copy = New(key(), room);
  std::copy_n(Ids(), count_, copy->Ids());
  copy->count_ = count_;
  return copy;
}

bool TrackedKey::Contains(uint64_t id) const { return std::binary_search(Ids(), Ids() + count_, id); }

void TrackedKey::Add(uint64_t id) {
  PINYON_ASSERT(!IsFull() && !Contains(id));
  uint64_t* end = Ids() + count_;
  uint64_t* place = std::upper_bound(Ids(), end, id);
  std::copy_backward(place, end, end + 1);
  *place = id;
  ++count_;
}

}  // namespace pinyon
