// A key's hash to be changed: see HashView for what it looks like, CollectionValue for how long it is valid.
//
// Small hashes are packed. One grows into a table when it has more fields than hash-max-listpack-entries, or
// when a name or value is longer than hash-max-listpack-value, and stays one; a packed hash takes the
// listpackex form with the first expiry of a field, and keeps it. With every change the database's index of
// hashes whose fields expire is kept true.
//
// A field whose time has come is not there for anything below. Where it is still in memory and in the way, it
// is removed and reported as expired first, unless the keyspace only hides what has expired.
//
// Costs: a change in a packed hash searches it and moves what is behind; in a table it is one search, and one
// allocation unless the new value fits in the place of the old one. Nothing else is allocated.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "keyspace/collection_value.h"
#include "keyspace/hash_view.h"

namespace pinyon {

class HashValue : public CollectionValue {
 public:
  HashValue(Database& db, EntryRef ref) : CollectionValue(db, ref) {}
  // Of an entry that is being built outside of the database.
  HashValue(Database& db, Entry* detached) : CollectionValue(db, detached), detached_(true) {}

  HashView view() const;
  // Fields in memory: when none is left, the key must go.
  size_t StoredSize() const { return view().StoredSize(); }

  enum class Expiry { kDrop, kKeep };
  // Sets a field, which loses its expiry unless that is to be kept; returns whether it is new. The texts may
  // not lie in this hash.
  bool Set(std::string_view name, std::string_view value, Expiry expiry = Expiry::kDrop);
  // Sets pairs of name and value, in order; returns how many fields are new. All texts are looked at first: a
  // packed hash that may not hold them becomes a table, even if one that is too long is overwritten at once.
  size_t SetAll(std::span<const std::string_view> pairs, Expiry expiry = Expiry::kDrop);
  bool Delete(std::string_view name);
  // Sets or (Field::kNoExpiry) removes a field's expiry; false when there is no such field. A time that has
  // passed is for the caller to see to.
  bool SetExpiry(std::string_view name, int64_t expiry_ms);

  // Removes up to `limit` fields whose time has come, and reports them; returns how many there were. Not for
  // a hash whose fields have all expired: that one goes as a whole.
  size_t RemoveExpired(size_t limit);

  void ConvertToTable();

 private:
  using Offset = ListpackView::Offset;

  FieldTable& table() const { return *static_cast<FieldTable*>(object()); }
  bool IsPacked() const { return entry()->IsPacked(); }
  size_t Stride() const { return encoding() == Encoding::kListpack ? 2 : 3; }
  bool FitsPacked(std::string_view text) const;
  void PrepareFor(std::span<const std::string_view> texts);
  bool MayAppendAll(std::span<const std::string_view> pairs) const;
  int64_t now_ms() const;

  bool SetPacked(std::string_view name, std::string_view value, Expiry expiry);
  bool SetInTable(std::string_view name, std::string_view value, Expiry expiry);
  bool SetExpiryPacked(std::string_view name, int64_t expiry_ms);
  bool SetExpiryInTable(std::string_view name, int64_t expiry_ms);
  void InsertByExpiry(Listpack* listpack, std::string_view name, std::string_view value, int64_t expiry_ms);
  void ConvertToListpackEx();
  size_t RemoveExpiredPacked();
  size_t RemoveExpiredFromTable(size_t limit);
  // As the table's, but one that has expired is out of the way.
  FieldTable::Position FindLive(std::string_view name, uint64_t hash);
  void ReportExpired(std::span<const std::string_view> names);
  // To be called when a field got, changed or lost an expiry, or a field that had one is gone.
  void ExpiriesChanged();

  const bool detached_ = false;
};

}  // namespace pinyon
