// A field of a large hash with its value and, if it has one, its expiry: one allocation, an item of
// FieldTable.
//
//   [field length: u8, below 0x80][value length: u8][field][value]                             the usual case
//   [0x80 | kWide | kHasExpiry][both lengths: u8 each, with kWide u32 each][expiry: i64, with kHasExpiry]
//   [field][value]
//
// So a 14-byte field with a 16-byte value takes 32 bytes, and 10 to 11.2 bytes of table.
#pragma once

#include <cstdint>
#include <string_view>

#include "types/hash_table.h"

namespace pinyon {

class Field {
 public:
  static constexpr bool kCanExpire = true;
  static constexpr bool kCountsBytes = true;
  static constexpr size_t kPrefetchLines = 1;
  static constexpr int64_t kNoExpiry = -1;

  // `expiry_ms` is kNoExpiry or a Unix time in milliseconds.
  static Field* New(std::string_view name, std::string_view value, int64_t expiry_ms = kNoExpiry);
  static void Delete(Field* field);

  std::string_view key() const;
  // Borrowed until the field changes.
  std::string_view value() const;
  bool HasExpiry() const { return (bytes_[0] & kExtended) != 0 && (bytes_[0] & kHasExpiry) != 0; }
  int64_t expiry_ms() const;
  // Only for a field that has an expiry; the table must be told (Replace with the same item).
  void set_expiry_ms(int64_t expiry_ms);

  // Writes another value in place, keeping the expiry, if that fits the size class and the form of the
  // lengths; false, and nothing changed, if not. The value may not lie in this field.
  bool RewriteInPlace(std::string_view value);

  // The size asked of the allocator.
  size_t AllocatedBytes() const;

 private:
  Field() = delete;
  static constexpr uint8_t kExtended = 0x80;
  static constexpr uint8_t kWide = 1;
  static constexpr uint8_t kHasExpiry = 2;

  struct Layout {
    size_t name_length;
    size_t value_length;
    size_t head_bytes;  // the name begins here
  };
  Layout ReadLayout() const;
  static bool IsWide(size_t name_length, size_t value_length, bool extended);
  static size_t HeadBytes(bool extended, bool wide, bool has_expiry);
  size_t ExpiryOffset() const { return 1 + ((bytes_[0] & kWide) != 0 ? 8 : 2); }

  uint8_t bytes_[1];
};

extern template class HashTable<Field>;
using FieldTable = HashTable<Field>;

}  // namespace pinyon
