#include "engine/call.h"

#include <utility>

namespace pinyon {

bool Call::IntInRange(size_t index, int64_t min, int64_t max, int64_t* value, std::string_view range_error) {
  if (!Int(index, value)) return false;
  return (*value >= min && *value <= max) || Fail(range_error);
}

EntryRef Call::FindForRead(std::string_view key, uint64_t hash) {
  const EntryRef ref = db.Find(key, hash);
  if (!ref) {
    ++engine.keyspace.stats().misses;
    Notify(session.database, kNotifyKeyMiss, "keymiss", key);
    return ref;
  }
  ++engine.keyspace.stats().hits;
  if (!session.no_touch) engine.keyspace.Touch(ref.entry());
  return ref;
}

EntryRef Call::FindForWrite(std::string_view key, uint64_t hash) {
  const EntryRef ref = db.Find(key, hash);
  if (ref && !session.no_touch) engine.keyspace.Touch(ref.entry());
  return ref;
}

void Call::ChangedIn(int database, NotifyClass type, std::string_view event, std::string_view key,
                     int64_t changes) {
  changes_ += changes;
  engine.watches.KeyChanged(database, key);
  Notify(database, type, event, key);
}

void Call::SignalModified(int database, std::string_view key) { engine.watches.KeyChanged(database, key); }

BlockRef Call::TakeBlock(size_t index) {
  if (session.large_args == nullptr) return {};
  for (auto& [arg, block] : *session.large_args) {
    if (arg == index) return BlockRef(std::exchange(block, nullptr));
  }
  return {};
}

}  // namespace pinyon
