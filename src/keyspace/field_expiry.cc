#include "keyspace/field_expiry.h"

#include <cstring>

#include "base/alloc.h"
#include "types/hash_table_impl.h"

namespace pinyon {

template class HashTable<DueHash>;

DueHash* DueHash::New(std::string_view key, int64_t due_ms) {
  PINYON_CHECK(key.size() <= UINT32_MAX);
  uint8_t* bytes = static_cast<uint8_t*>(mem::Allocate(BytesFor(key)));
  const uint32_t length = static_cast<uint32_t>(key.size());
  std::memcpy(bytes, &due_ms, sizeof due_ms);
  std::memcpy(bytes + sizeof due_ms, &length, sizeof length);
  if (!key.empty()) std::memcpy(bytes + kHeadBytes, key.data(), key.size());
  return reinterpret_cast<DueHash*>(bytes);
}

void DueHash::Delete(DueHash* item) { mem::Free(item, BytesFor(item->key())); }

std::string_view DueHash::key() const {
  uint32_t length;
  std::memcpy(&length, bytes_ + sizeof(int64_t), sizeof length);
  return {reinterpret_cast<const char*>(bytes_) + kHeadBytes, length};
}

int64_t DueHash::expiry_ms() const {
  int64_t due_ms;
  std::memcpy(&due_ms, bytes_, sizeof due_ms);
  return due_ms;
}

void DueHash::set_expiry_ms(int64_t due_ms) { std::memcpy(bytes_, &due_ms, sizeof due_ms); }

void FieldExpiry::Set(std::string_view key, uint64_t hash, int64_t due_ms) {
  const auto position = table_.Find(key, hash);
  if (!position) {
    table_.Insert(DueHash::New(key, due_ms), hash);
  } else if (position->expiry_ms() != due_ms) {
    position->set_expiry_ms(due_ms);
    table_.Replace(position, position.entry(), hash);
  }
}

void FieldExpiry::Remove(std::string_view key, uint64_t hash) {
  const auto position = table_.Find(key, hash);
  if (!position) return;
  DueHash::Delete(table_.Remove(position));
  table_.Tidy();
}

FieldExpiry::Search FieldExpiry::TakeDue(int64_t now_ms, const std::function<bool()>& should_stop,
                                         std::string* key) {
  bool found = false;
  const auto take = [&](HashTable<DueHash>::Position position) {
    DueHash* item = table_.Remove(position);
    key->assign(item->key());
    DueHash::Delete(item);
    found = true;
    return false;
  };
  const bool finished = table_.ExpireDue(now_ms, take, should_stop);
  if (found) return Search::kFound;
  return finished ? Search::kNothingDue : Search::kStopped;
}

}  // namespace pinyon
