// What the four collection values (HashValue, ListValue, SetValue, ZsetValue) have in common: the entry that
// holds the value while it is worked on, and its way from the compact encoding to an object and back.
//
// A value of a database is named by a Ref and is valid until something else in the same database changes:
// whoever works on two keys finds them anew after a change of either. ref() is the value's own place after
// each of its changes. A value can also be built outside of any database (a detached entry) and stored when
// it is done: Database::StoreEntry(value.Release()).
//
//   EntryRef ref;
//   if (!call.FindTypedForWrite(1, ValueType::kHash, &ref)) return;   // WRONGTYPE was replied
//   if (!ref) ref = call.db.AddPacked(key, hash, ValueType::kHash, Encoding::kListpack);
//   HashValue value(call.db, ref);
//
// An empty collection must not stay in a database: who removes the last element deletes the key.
#pragma once

#include <cstdint>
#include <optional>

#include "keyspace/database.h"
#include "keyspace/encoding_limits.h"
#include "types/packed_bytes.h"

namespace pinyon {

// The one pointer to an entry: its place in a database's table, or a variable of an entry that is being
// built.
class EntrySlot {
 public:
  EntrySlot(Database& db, EntryRef ref) : db_(db), ref_(ref) {}
  // Owns the entry until Release.
  EntrySlot(Database& db, Entry* detached) : db_(db), detached_(detached) {}
  ~EntrySlot() {
    if (detached_ != nullptr) Entry::Delete(detached_);
  }
  EntrySlot(const EntrySlot&) = delete;
  EntrySlot& operator=(const EntrySlot&) = delete;

  Database& db() const { return db_; }
  Entry* entry() const { return detached_ != nullptr ? detached_ : ref_.entry(); }
  EntryRef ref() const {
    PINYON_ASSERT(detached_ == nullptr);
    return ref_;
  }
  // Puts the entry in its old self's place, which has been freed: same key, same expiry.
  void Put(Entry* moved);
  Entry* Release();

 private:
  Database& db_;
  EntryRef ref_;
  Entry* detached_ = nullptr;
};

// The packed value of an entry, for the algorithms of types/; until the entry gets another one.
class EntryPacked final : public PackedBytes {
 public:
  explicit EntryPacked(EntrySlot& slot);

 private:
  void DoResize(size_t size) override;

  EntrySlot& slot_;
};

class CollectionValue {
 public:
  Entry* entry() const { return slot_.entry(); }
  EntryRef ref() const { return slot_.ref(); }
  Encoding encoding() const { return entry()->encoding(); }
  // Of a value that was built outside: gives the entry to the caller.
  Entry* Release() { return slot_.Release(); }

 protected:
  CollectionValue(Database& db, EntryRef ref) : slot_(db, ref) {}
  CollectionValue(Database& db, Entry* detached) : slot_(db, detached) {}
  ~CollectionValue() = default;

  Database& db() const { return slot_.db(); }
  const EncodingLimits& limits() const;
  const HashSeed& seed() const;
  Random& random() const;

  // The packed bytes (only while the encoding is a packed one), until this is called again.
  PackedBytes& packed() { return packed_.emplace(slot_); }
  const uint8_t* packed_data() const { return entry()->packed(); }
  void* object() const {
    PINYON_ASSERT(entry()->IsObject());
    return entry()->pointer();
  }
  // Takes over an object in the place of the packed value, which is freed.
  void BecomeObject(Encoding encoding, void* object);
  // Takes a copy of packed bytes in the place of the value; an object must have been deleted by the caller,
  // or is so after this returns.
  void BecomePacked(Encoding encoding, const uint8_t* bytes, size_t size);

 private:
  EntrySlot slot_;
  std::optional<EntryPacked> packed_;  // made when it is asked for
};

}  // namespace pinyon
