// A key's hash to be read, whatever its encoding, as it is at one time: fields whose time has come are not
// there.
//
//   listpack     field, value, field, value ...
//   listpackex   field, value, expiry, ...: the expiry is a Unix time in milliseconds, 0 for none; triplets
//                stand in order of their expiries, those that have none behind, so that what has expired is
//                at the front (the layout that Redis 7.4 publishes)
//   hashtable    FieldTable
//
// What is read is borrowed until the database changes.
//
// Costs: Find goes through a packed hash, and takes one search in a table. size() is O(1) unless fields have
// expired that nobody has removed yet: then each is looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "keyspace/entry.h"
#include "types/field.h"
#include "types/listpack.h"

namespace pinyon {

struct HashField {
  PackedElement name;
  PackedElement value;
  int64_t expiry_ms = Field::kNoExpiry;
};

class HashView {
 public:
  static constexpr int64_t kNothingExpires = std::numeric_limits<int64_t>::max();

  HashView(const Entry* entry, int64_t now_ms) : entry_(entry), now_ms_(now_ms) {
    PINYON_ASSERT(entry->type() == ValueType::kHash);
  }

  Encoding encoding() const { return entry_->encoding(); }
  size_t size() const { return HasExpired() ? CountLive() : StoredSize(); }
  // Including fields that have expired and are still in memory.
  size_t StoredSize() const;

  bool Find(std::string_view name, HashField* field) const;
  bool Contains(std::string_view name) const {
    HashField field;
    return Find(name, &field);
  }

  // Calls visit(const HashField&) for every field.
  template <typename Visit>
  void ForEach(Visit visit) const;
  std::vector<HashField> Collect() const;

  // Visits some fields and returns the cursor where to go on, 0 at the end; a packed hash is visited whole.
  uint64_t Scan(uint64_t cursor, size_t count, const std::function<void(const HashField&)>& visit) const;

  // Visits `count` fields drawn with equal odds, the same one as often as it comes; until `visit` returns
  // false. Not for an empty hash.
  void DrawRepeatedly(Random& random, uint64_t count,
                      const std::function<bool(const HashField&)>& visit) const;
  // Visits `count` different fields, every choice of which is equally likely; `count` is at most size().
  void DrawDistinct(Random& random, size_t count, const std::function<void(const HashField&)>& visit) const;

  // Whether any field has an expiry, passed or not.
  bool HasExpiring() const;
  // No field expires before this time: exact in a packed hash, in a table the lower bound it keeps.
  int64_t EarliestExpiryMs() const;
  // Whether fields may have expired that are still in memory.
  bool HasExpired() const { return HasExpiring() && EarliestExpiryMs() < now_ms_; }
  bool AllExpired() const;

 private:
  friend class HashValue;

  bool IsPacked() const { return entry_->IsPacked(); }
  bool IsExpired(int64_t expiry_ms) const { return expiry_ms != Field::kNoExpiry && now_ms_ > expiry_ms; }
  size_t Stride() const { return encoding() == Encoding::kListpack ? 2 : 3; }
  ListpackView packed() const { return ListpackView(entry_->packed()); }
  const FieldTable& table() const { return *static_cast<const FieldTable*>(entry_->pointer()); }
  // The field at `*at`, which is moved to the next.
  HashField ReadPacked(const ListpackView& listpack, ListpackView::Offset* at) const;
  static HashField Read(const Field& field);
  int64_t ExpiryOfFirst() const;
  size_t CountLive() const;
  bool AnyLiveInTable() const;
  void DrawFromTable(Random& random, size_t count, const std::function<void(const HashField&)>& visit) const;

  const Entry* entry_;
  int64_t now_ms_;
};

template <typename Visit>
void HashView::ForEach(Visit visit) const {
  if (!IsPacked()) {
    table().ForEach([&](const Field* field) {
      if (!IsExpired(field->expiry_ms())) visit(Read(*field));
    });
    return;
  }
  const ListpackView listpack = packed();
  for (ListpackView::Offset at = listpack.First(); at != ListpackView::kEnd;) {
    const HashField field = ReadPacked(listpack, &at);
    if (!IsExpired(field.expiry_ms)) visit(field);
  }
}

}  // namespace pinyon
