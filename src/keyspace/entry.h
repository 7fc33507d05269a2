// A key with its value: one allocation, reached by exactly one pointer, its slot in the table. Everybody else
// names keys, never entries, so an entry may be reallocated at any mutation.
//
//   byte  0      type (low four bits), encoding (high four bits)
//         1      flags (kHas...); the high four bits are the lowest of the access clock
//         2..4   access: the rest of the access clock at the last one, or a frequency (lfu.h), 24
//                bits, little-endian; adaptive_policy.h has all 28 for itself
//         5      key length; kWideKey: unused, a u32 follows
//         [4]    key length, with kWideKey
//         [8]    expiry, Unix time in milliseconds, with kHasExpiry
//         n      the key
//   then, by encoding and flags, unaligned:
//         integer            8 bytes
//         kOutOfLine         8 bytes: pointer to the value: a SharedBlock (strings), the bytes of a packed
//         value,
//                            or the object of a large collection (value_object.h)
//         short string       u8 length (kWideValue: u32) and the bytes
//         packed value       its bytes (a listpack or an intset), which say their own length
//
// So a 17-byte key with a 32-byte value takes 6 + 17 + 1 + 32 = 56 bytes, nothing else but its slot.
//
// The encoding is what clients are told (OBJECT ENCODING) and a state of its own: a raw string may lie inside
// the entry, and an embstr is one because of how it came to be, not because of where it lies.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/shared_block.h"

namespace pinyon {

// The numbering is our own; names are Redis's (TYPE).
enum class ValueType : uint8_t { kString, kList, kSet, kZset, kHash, kStream };
std::string_view ValueTypeName(ValueType type);

enum class Encoding : uint8_t {
  kRaw,
  kInt,
  kEmbstr,
  kListpack,
  kListpackEx,  // a hash of field, value and expiry, by expiry
  kIntset,
  kHashtable,
  kSkiplist,
  kQuicklist,
  kStream,
};
std::string_view EncodingName(Encoding encoding);

inline constexpr int64_t kNoExpiry = -1;

// A string up to this long is told as embstr when it is set whole (OBJECT ENCODING), as Redis does.
inline constexpr size_t kEmbstrMaxBytes = 44;
// A string up to this long lies inside its entry when it is set whole; a longer one is a SharedBlock.
inline constexpr size_t kInlineMaxBytes = 8 * 1024;
// An entry with a packed value inside grows to this size in all; then the value goes outside, and comes back
// when it has shrunk well below.
inline constexpr size_t kPackedEntryMaxBytes = 512;
inline constexpr size_t kPackedEntryReturnBytes = 384;
// A string that is edited in place (APPEND, SETRANGE, SETBIT) moves to a block with room to grow beyond this.
inline constexpr size_t kInlineEditMaxBytes = 256;

// Room for the decimal form of an integer value.
struct IntegerText {
  char bytes[24];
};

class Entry {
 public:
  // What the table asks of its items. A short entry often reaches into a second line, and with a value of 64
  // bytes into a third.
  static constexpr bool kCanExpire = true;
  static constexpr bool kCountsBytes = false;
  static constexpr size_t kPrefetchLines = 3;

  // New entries; the key is copied, `expiry_ms` is kNoExpiry or a time, a block's reference is taken over.
  static Entry* NewInteger(std::string_view key, int64_t expiry_ms, int64_t value);
  static Entry* NewString(std::string_view key, int64_t expiry_ms, std::string_view value, Encoding encoding);
  static Entry* NewBlock(std::string_view key, int64_t expiry_ms, SharedBlock* block);
  // With room for a packed value of `bytes` bytes, which the caller writes before anything else.
  static Entry* NewPacked(std::string_view key, int64_t expiry_ms, ValueType type, Encoding encoding,
                          size_t bytes);
  // Takes over the object, which is what value_object.h says for the type and encoding.
  static Entry* NewObject(std::string_view key, int64_t expiry_ms, ValueType type, Encoding encoding,
                          void* object);
  // A new entry with another key and expiry that takes over this one's value; this one is freed, value not.
  static Entry* Rebuild(Entry* old, std::string_view key, int64_t expiry_ms);
  // Moves the entry, and what it owns outside in one block, if that is to be moved (mem::Relocate); returns
  // where the entry is now. Objects are for RelocateObject.
  static Entry* Relocate(Entry* entry);
  // Whether a block of `bytes` bytes, whatever is in it, may hold an entry, and what its key would be then.
  static bool MayBe(const void* block, size_t bytes, std::string_view* key);
  // Frees the entry and drops its value.
  static void Delete(Entry* entry);

  ValueType type() const { return static_cast<ValueType>(bytes_[0] & 0x0f); }
  Encoding encoding() const { return static_cast<Encoding>(bytes_[0] >> 4); }
  void set_encoding(Encoding encoding) {
    bytes_[0] = static_cast<uint8_t>((bytes_[0] & 0x0f) | (static_cast<uint8_t>(encoding) << 4));
  }

  bool HasExpiry() const { return (bytes_[1] & kHasExpiry) != 0; }
  int64_t expiry_ms() const {
    if (!HasExpiry()) return kNoExpiry;
    int64_t value;
    std::memcpy(&value, bytes_ + ExpiryOffset(), sizeof value);
    return value;
  }
  // Only for an entry that has an expiry already; adding or removing one is Database's work (it reallocates).
  void set_expiry_ms(int64_t expiry_ms) {
    PINYON_ASSERT(HasExpiry());
    std::memcpy(bytes_ + ExpiryOffset(), &expiry_ms, sizeof expiry_ms);
  }

  // 24 bits for the eviction policy: a frequency, or the upper bits of the tick of the last access.
  uint32_t access() const {
    return static_cast<uint32_t>(bytes_[2]) | static_cast<uint32_t>(bytes_[3]) << 8 |
           static_cast<uint32_t>(bytes_[4]) << 16;
  }
  void set_access(uint32_t value) {
    bytes_[2] = static_cast<uint8_t>(value);
    bytes_[3] = static_cast<uint8_t>(value >> 8);
    bytes_[4] = static_cast<uint8_t>(value >> 16);
  }
  // All 28 bits: the access clock at the last access (access_clock.h), or what an adaptive policy knows.
  static constexpr uint32_t kAccessTickMask = 0x0fffffff;
  uint32_t access_tick() const { return access() << 4 | static_cast<uint32_t>(bytes_[1] >> 4); }
  void set_access_tick(uint32_t tick) {
    bytes_[1] = static_cast<uint8_t>((bytes_[1] & 0x0f) | tick << 4);
    set_access(tick >> 4);
  }

  std::string_view key() const { return {reinterpret_cast<const char*>(bytes_) + KeyOffset(), KeyLength()}; }

  // Strings.
  bool IsInteger() const { return encoding() == Encoding::kInt; }
  int64_t integer() const {
    PINYON_ASSERT(IsInteger());
    int64_t value;
    std::memcpy(&value, bytes_ + ValueOffset(), sizeof value);
    return value;
  }
  void set_integer(int64_t value) {
    PINYON_ASSERT(IsInteger());
    std::memcpy(bytes_ + ValueOffset(), &value, sizeof value);
  }
  bool IsOutOfLine() const { return (bytes_[1] & kOutOfLine) != 0; }
  // The block of a string that lies outside; null when it lies inside.
  SharedBlock* block() const {
    return type() == ValueType::kString && IsOutOfLine() ? static_cast<SharedBlock*>(pointer()) : nullptr;
  }
  // The bytes of a string; an integer is written into `text`. Valid until the entry changes.
  std::string_view StringBytes(IntegerText& text) const;
  // Length of what StringBytes gives, without writing it.
  size_t StringLength() const;
  // The stored bytes of a string that is no integer, for editing in place; a shared block must not be edited.
  std::string_view StoredBytes() const;
  char* MutableBytes() { return const_cast<char*>(StoredBytes().data()); }

  // Packed values.
  bool IsPacked() const {
    return encoding() == Encoding::kListpack || encoding() == Encoding::kListpackEx ||
           encoding() == Encoding::kIntset;
  }
  // The bytes, wherever they lie; they say their length.
  const uint8_t* packed() const {
    PINYON_ASSERT(IsPacked());
    return IsOutOfLine() ? static_cast<const uint8_t*>(pointer()) : bytes_ + ValueOffset();
  }
  uint8_t* packed() { return const_cast<uint8_t*>(static_cast<const Entry*>(this)->packed()); }
  size_t PackedSize() const;
  // Gives a packed value of `old_size` bytes another size, keeping the bytes that both have. Returns the
  // entry that takes this one's place: itself or, this one being freed, a new one. The value must be brought
  // to say its new length before anything else is done with the entry.
  static Entry* ResizePacked(Entry* entry, size_t old_size, size_t new_size);

  // Whether the value is an object of its own (a large collection).
  bool IsObject() const { return IsOutOfLine() && type() != ValueType::kString && !IsPacked(); }
  // Puts an object, or other packed bytes, in the place of the value, which the caller has seen to (an
  // object) or which is freed here (packed bytes). Returns the entry that takes this one's place.
  static Entry* ReplaceWithObject(Entry* entry, Encoding encoding, void* object);
  static Entry* ReplaceWithPacked(Entry* entry, Encoding encoding, const uint8_t* bytes, size_t size);

  // Values outside the entry.
  void* pointer() const {
    PINYON_ASSERT(IsOutOfLine());
    void* value;
    std::memcpy(&value, bytes_ + ValueOffset(), sizeof value);
    return value;
  }
  void set_pointer(void* value) {
    PINYON_ASSERT(IsOutOfLine());
    std::memcpy(bytes_ + ValueOffset(), &value, sizeof value);
  }

  // Bytes asked of the allocator for the entry itself.
  size_t EntryBytes() const;
  // Bytes of memory taken by entry and value together; of a long list estimated from `samples` of it, unless
  // that is 0 (ObjectMemoryBytes).
  size_t MemoryBytes(size_t samples = 0) const;
  // Whether dropping the value costs enough to be done on the freeing thread.
  bool IsExpensiveToFree() const;

  // Rewrites this entry in place as a whole new string value, keeping key and expiry, if that fits its size
  // class; returns false and changes nothing if it does not. A value outside is not dropped: the caller has
  // seen to it. The new bytes may be (part of) the entry's own.
  bool RewriteInPlace(int64_t value);
  bool RewriteInPlace(std::string_view value, Encoding encoding);

 private:
  Entry() = delete;

  static constexpr uint8_t kHasExpiry = 1;
  static constexpr uint8_t kWideKey = 2;
  static constexpr uint8_t kWideValue = 4;
  static constexpr uint8_t kOutOfLine = 8;
  static constexpr size_t kFixedBytes = 6;

  // A copy of the head (key, expiry, access) for a value of another size and place.
  static Entry* NewHead(const Entry* old, size_t value_bytes, Encoding encoding, bool out_of_line);
  void FreePackedOutside();

  size_t ExpiryOffset() const { return kFixedBytes + ((bytes_[1] & kWideKey) << 1); }
  size_t KeyOffset() const { return ExpiryOffset() + (static_cast<size_t>(bytes_[1] & kHasExpiry) << 3); }
  size_t KeyLength() const {
    if ((bytes_[1] & kWideKey) == 0) return bytes_[5];
    uint32_t length;
    std::memcpy(&length, bytes_ + kFixedBytes, sizeof length);
    return length;
  }
  size_t ValueOffset() const { return KeyOffset() + KeyLength(); }

  static size_t HeadBytes(size_t key_length, bool has_expiry);
  static Entry* AllocateHead(size_t total, std::string_view key, int64_t expiry_ms, ValueType type,
                             Encoding encoding, uint8_t flags);
  static size_t InlineStringBytes(size_t length) { return length + (length > 0xff ? 4 : 1); }
  void WriteInlineString(std::string_view value);

  uint8_t bytes_[1];
};

}  // namespace pinyon
