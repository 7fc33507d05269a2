// What the files of the hash family share: the hash under a key, replies of its elements, and what is done
// when one of its commands has emptied it.
#pragma once

#include <string_view>

#include "engine/call.h"
#include "keyspace/hash_value.h"

namespace pinyon {

// Argument 1 of every command of the family is the key.
inline bool FindHashForRead(Call& call, EntryRef* ref) {
  return call.FindTypedForRead(1, ValueType::kHash, ref);
}
inline bool FindHashForWrite(Call& call, EntryRef* ref) {
  return call.FindTypedForWrite(1, ValueType::kHash, ref);
}
inline HashView ViewOf(const Call& call, EntryRef ref) { return HashView(ref.entry(), call.now_ms()); }

// The hash that `ref` is, or a new one if it is none: to get its first field at once.
inline EntryRef OrNewHash(Call& call, EntryRef ref) {
  if (ref) return ref;
  call.Notify(call.session.database, kNotifyNew, "new", call.args[1]);
  return call.db.AddPacked(call.args[1], call.KeyHash(1), ValueType::kHash, Encoding::kListpack);
}

inline void ReplyElement(Call& call, const PackedElement& element) {
  element.is_integer ? call.reply.BulkInteger(element.integer) : call.reply.Bulk(element.text);
}

// Deletes the key, and says so, when no field is left.
inline void DeleteIfEmpty(Call& call, const HashValue& hash) {
  if (hash.StoredSize() > 0) return;
  call.db.Delete(hash.ref());
  call.Changed(kNotifyGeneric, "del", call.args[1], 0);
}

}  // namespace pinyon
