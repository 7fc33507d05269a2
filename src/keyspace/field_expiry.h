// The index of a database's hashes that have fields with expiries: by key, when to look at each. It lets
// fields expire in time without looking at any other hash.
//
// Names only: whoever owns the hashes (Database) enters a key when the first field of its hash gets an
// expiry and removes it when the last such field, or the key, is gone. A key's time is never later than its
// earliest field's expiry, unless both have passed; it may be earlier.
//
// Costs: 12 bytes and the key for each such hash, and 12 to 14 bytes of table; nothing for others.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "types/hash_table.h"

namespace pinyon {

// [time: i64][key length: u32][key]
class DueHash {
 public:
  static constexpr bool kCanExpire = true;
  static constexpr bool kCountsBytes = false;
  static constexpr size_t kPrefetchLines = 1;

  static DueHash* New(std::string_view key, int64_t due_ms);
  static void Delete(DueHash* item);

  std::string_view key() const;
  bool HasExpiry() const { return true; }
  int64_t expiry_ms() const;
  void set_expiry_ms(int64_t due_ms);
  static constexpr size_t kHeadBytes = sizeof(int64_t) + sizeof(uint32_t);  // due time, length of the key
  // The size asked of the allocator for an item of that key.
  static size_t BytesFor(std::string_view key) { return kHeadBytes + key.size(); }

 private:
  DueHash() = delete;
  uint8_t bytes_[1];
};

extern template class HashTable<DueHash>;

class FieldExpiry {
 public:
  explicit FieldExpiry(const HashSeed& seed) : table_(seed) {}

  size_t size() const { return table_.size(); }
  bool Contains(std::string_view key) const { return static_cast<bool>(table_.Find(key, table_.Hash(key))); }
  // Of the table, without its items.
  size_t OverheadBytes() const { return table_.OverheadBytes(); }

  // Enters a key, or changes its time.
  void Set(std::string_view key, uint64_t hash, int64_t due_ms);
  // Does nothing for a key that is not in the index.
  void Remove(std::string_view key, uint64_t hash);

  // Takes a key whose time is before `now_ms` out of the index. A search that was stopped goes on with the
  // next call.
  enum class Search { kFound, kNothingDue, kStopped };
  Search TakeDue(int64_t now_ms, const std::function<bool()>& should_stop, std::string* key);

 private:
  HashTable<DueHash> table_;
};

}  // namespace pinyon
