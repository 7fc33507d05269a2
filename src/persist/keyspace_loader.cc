#include "persist/keyspace_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "persist/key_text.h"

namespace pinyon {

KeyspaceLoader::~KeyspaceLoader() {
  for (const Pending& pending : pending_) {
    if (pending.entry != nullptr) Entry::Delete(pending.entry);
  }
}

bool KeyspaceLoader::OnSelect(uint64_t database, std::string* reason) {
  if (database < static_cast<uint64_t>(keyspace_.DatabaseCount())) return true;
  *reason = fmt::format("the file has database {}, but the configuration only {} databases (numbered from 0)",
                        database, keyspace_.DatabaseCount());
  return false;
}

bool KeyspaceLoader::OnKey(const RdbKey& key, Entry* entry, std::string* reason) {
  Database& db = keyspace_.database(key.database);
  const uint64_t hash = db.Hash(entry->key());
  db.table().PrefetchBucket(hash);
  constexpr uint64_t kMaxIdle = INT32_MAX;  // more than a clock can say
  const auto idle_s = static_cast<int64_t>(std::min(key.idle_s, kMaxIdle));
  keyspace_.SetAccess(entry, key.has_idle ? idle_s : -1, key.has_frequency ? key.frequency : -1);
  Pending pending = std::exchange(pending_[next_], {entry, hash, key.database});
  next_ = (next_ + 1) % kPending;
  return PutIn(&pending, reason);
}

bool KeyspaceLoader::OnEnd(std::string* reason) {
  for (size_t i = 0; i < kPending; ++i) {
    Pending pending = std::exchange(pending_[(next_ + i) % kPending], {});
    if (!PutIn(&pending, reason)) return false;
  }
  return true;
}

bool KeyspaceLoader::PutIn(Pending* pending, std::string* reason) {
  if (pending->entry == nullptr) return true;
  if (keyspace_.database(pending->database).AddLoaded(pending->entry, pending->hash)) return true;
  *reason =
      fmt::format("key {} of database {} is there twice", KeyText(pending->entry->key()), pending->database);
  Entry::Delete(pending->entry);
  return false;
}

}  // namespace pinyon
