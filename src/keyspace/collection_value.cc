#include "keyspace/collection_value.h"

#include <utility>

#include "keyspace/keyspace.h"

namespace pinyon {

void EntrySlot::Put(Entry* moved) {
  if (detached_ != nullptr) {
    detached_ = moved;
  } else {
    ref_ = db_.table().Replace(ref_, moved, 0);
  }
}

Entry* EntrySlot::Release() {
  PINYON_ASSERT(detached_ != nullptr);
  return std::exchange(detached_, nullptr);
}

EntryPacked::EntryPacked(EntrySlot& slot) : slot_(slot) {
  Entry* entry = slot_.entry();
  data_ = entry->packed();
  size_ = entry->PackedSize();
}

void EntryPacked::DoResize(size_t size) {
  Entry* entry = slot_.entry();
  Entry* resized = Entry::ResizePacked(entry, size_, size);
  if (resized != entry) slot_.Put(resized);
  data_ = resized->packed();
  size_ = size;
}

const EncodingLimits& CollectionValue::limits() const { return db().keyspace().encoding_limits(); }
const HashSeed& CollectionValue::seed() const { return db().keyspace().seed(); }
Random& CollectionValue::random() const { return db().keyspace().random(); }

void CollectionValue::BecomeObject(Encoding encoding, void* object) {
  Entry* old = entry();
  PINYON_ASSERT(old->IsPacked());
  Entry* replaced = Entry::ReplaceWithObject(old, encoding, object);
  if (replaced != old) slot_.Put(replaced);
}

void CollectionValue::BecomePacked(Encoding encoding, const uint8_t* bytes, size_t size) {
  slot_.Put(Entry::ReplaceWithPacked(entry(), encoding, bytes, size));
}

}  // namespace pinyon
