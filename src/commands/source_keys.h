// What commands share that make one collection of several: finding their sources, and storing what comes out.
#pragma once

#include <string_view>
#include <vector>

#include "commands/key_batch.h"
#include "engine/call.h"

namespace pinyon {

// The entries of the keys [first, end), null for a key that is not there, all of which stay valid until the
// database is changed; false, after WRONGTYPE, if one is neither of `type` nor of `other_type`.
inline bool FindSources(Call& call, size_t first, size_t end, ValueType type, ValueType other_type,
                        std::vector<const Entry*>* entries) {
  for (size_t i = first; i < end; i += KeyBatch::kMaxKeys) {
    const KeyBatch batch(call, i, end, 1);
    for (size_t j = 0; j < batch.size(); ++j) {
      const EntryRef ref = call.FindForRead(call.args[i + j], batch.hash(j));
      if (ref && ref->type() != type && ref->type() != other_type) return call.Fail(kErrWrongType);
    }
  }
  // Only now, because a lookup may have deleted a key that had expired.
  entries->reserve(end - first);
  for (size_t i = first; i < end; ++i) {
    const EntryRef ref = call.db.Find(call.args[i], call.KeyHash(i));
    entries->push_back(ref ? ref.entry() : nullptr);
  }
  return true;
}

// Puts a collection of `size` elements, which is taken over, in the place of key argument `index`. With no
// elements (`result` may then be null) the key goes instead. Says what changed; the caller replies.
inline void StoreResult(Call& call, size_t index, Entry* result, size_t size, NotifyClass type,
                        std::string_view event) {
  const std::string_view key = call.args[index];
  const EntryRef old = call.db.Find(key, call.KeyHash(index));
  if (size > 0) {
    PINYON_ASSERT(result->key() == key);
    call.db.StoreEntry(result);
    if (!old) call.Notify(call.session.database, kNotifyNew, "new", key);
    return call.Changed(type, event, key);
  }
  if (result != nullptr) Entry::Delete(result);
  if (!old) return;
  call.db.Delete(old);
  call.Changed(kNotifyGeneric, "del", key);
}

}  // namespace pinyon
