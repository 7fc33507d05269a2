#include "keyspace/entry.h"

#include <algorithm>

#include "base/numbers.h"
#include "keyspace/value_object.h"
#include "types/intset.h"
#include "types/listpack.h"

namespace pinyon {

std::string_view ValueTypeName(ValueType type) {
  switch (type) {
    case ValueType::kString: return "string";
    case ValueType::kList: return "list";
    case ValueType::kSet: return "set";
    case ValueType::kZset: return "zset";
    case ValueType::kHash: return "hash";
    case ValueType::kStream: return "stream";
  }
  PINYON_CHECK(false);
  return {};
}

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kRaw: return "raw";
    case Encoding::kInt: return "int";
    case Encoding::kEmbstr: return "embstr";
    case Encoding::kListpack: return "listpack";
    case Encoding::kListpackEx: return "listpackex";
    case Encoding::kIntset: return "intset";
    case Encoding::kHashtable: return "hashtable";
    case Encoding::kSkiplist: return "skiplist";
    case Encoding::kQuicklist: return "quicklist";
    case Encoding::kStream: return "stream";
  }
  PINYON_CHECK(false);
  return {};
}

size_t Entry::HeadBytes(size_t key_length, bool has_expiry) {
  return kFixedBytes + (key_length > 0xff ? 4 : 0) + (has_expiry ? 8 : 0) + key_length;
}

Entry* Entry::AllocateHead(size_t total, std::string_view key, int64_t expiry_ms, ValueType type,
                           Encoding encoding, uint8_t flags) {
  // Proto's limit on a bulk keeps keys far below this.
  PINYON_CHECK(key.size() <= 0xffffffff);
  Entry* entry = static_cast<Entry*>(mem::Allocate(total));
  uint8_t* bytes = entry->bytes_;
  if (expiry_ms != kNoExpiry) flags |= kHasExpiry;
  bytes[0] = static_cast<uint8_t>(static_cast<uint8_t>(type) | static_cast<uint8_t>(encoding) << 4);
  bytes[2] = bytes[3] = bytes[4] = 0;
  if (key.size() > 0xff) {
    flags |= kWideKey;
    bytes[5] = 0xff;
    const uint32_t length = static_cast<uint32_t>(key.size());
    std::memcpy(bytes + kFixedBytes, &length, sizeof length);
  } else {
    bytes[5] = static_cast<uint8_t>(key.size());
  }
  bytes[1] = flags;
  if (expiry_ms != kNoExpiry) std::memcpy(bytes + entry->ExpiryOffset(), &expiry_ms, sizeof expiry_ms);
  if (!key.empty()) std::memcpy(bytes + entry->KeyOffset(), key.data(), key.size());
  return entry;
}

Entry* Entry::NewInteger(std::string_view key, int64_t expiry_ms, int64_t value) {
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + sizeof value;
  Entry* entry = AllocateHead(total, key, expiry_ms, ValueType::kString, Encoding::kInt, 0);
  entry->set_integer(value);
  return entry;
}

Entry* Entry::NewString(std::string_view key, int64_t expiry_ms, std::string_view value, Encoding encoding) {
  PINYON_ASSERT(value.size() <= kInlineMaxBytes);
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + InlineStringBytes(value.size());
  const uint8_t flags = value.size() > 0xff ? kWideValue : 0;
  Entry* entry = AllocateHead(total, key, expiry_ms, ValueType::kString, encoding, flags);
  entry->WriteInlineString(value);
  return entry;
}

void Entry::WriteInlineString(std::string_view value) {
  uint8_t* out = bytes_ + ValueOffset();
  if ((bytes_[1] & kWideValue) != 0) {
    const uint32_t length = static_cast<uint32_t>(value.size());
    std::memcpy(out, &length, sizeof length);
    out += sizeof length;
  } else {
    *out++ = static_cast<uint8_t>(value.size());
  }
  // The value may lie in this very entry (a string edited in place).
  if (!value.empty()) std::memmove(out, value.data(), value.size());
}

Entry* Entry::NewBlock(std::string_view key, int64_t expiry_ms, SharedBlock* block) {
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + sizeof(void*);
  Entry* entry = AllocateHead(total, key, expiry_ms, ValueType::kString, Encoding::kRaw, kOutOfLine);
  entry->set_pointer(block);
  return entry;
}

Entry* Entry::NewPacked(std::string_view key, int64_t expiry_ms, ValueType type, Encoding encoding,
                        size_t bytes) {
  const size_t head = HeadBytes(key.size(), expiry_ms != kNoExpiry);
  const bool inside = head + bytes <= kPackedEntryMaxBytes;
  Entry* entry = AllocateHead(head + (inside ? bytes : sizeof(void*)), key, expiry_ms, type, encoding,
                              inside ? uint8_t{0} : kOutOfLine);
  if (!inside) entry->set_pointer(mem::Allocate(bytes));
  return entry;
}

Entry* Entry::NewObject(std::string_view key, int64_t expiry_ms, ValueType type, Encoding encoding,
                        void* object) {
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + sizeof(void*);
  Entry* entry = AllocateHead(total, key, expiry_ms, type, encoding, kOutOfLine);
  entry->set_pointer(object);
  return entry;
}

Entry* Entry::NewHead(const Entry* old, size_t value_bytes, Encoding encoding, bool out_of_line) {
  uint8_t flags = static_cast<uint8_t>(old->bytes_[1] & ~(kHasExpiry | kWideKey | kOutOfLine));
  if (out_of_line) flags |= kOutOfLine;
  Entry* entry = AllocateHead(old->ValueOffset() + value_bytes, old->key(), old->expiry_ms(), old->type(),
                              encoding, flags);
  entry->set_access_tick(old->access_tick());
  return entry;
}

size_t Entry::PackedSize() const {
  return encoding() == Encoding::kIntset ? IntsetView(packed()).bytes() : ListpackView(packed()).bytes();
}

void Entry::FreePackedOutside() {
  PINYON_ASSERT(IsPacked());
  if (IsOutOfLine()) mem::Free(packed(), PackedSize());
}

Entry* Entry::ResizePacked(Entry* entry, size_t old_size, size_t new_size) {
  PINYON_ASSERT(entry->IsPacked() && old_size > 0 && new_size > 0);
  const size_t offset = entry->ValueOffset();
  const size_t kept = std::min(old_size, new_size);
  if (entry->IsOutOfLine()) {
    uint8_t* bytes = entry->packed();
    if (offset + new_size <= kPackedEntryReturnBytes) {
      Entry* moved = NewHead(entry, new_size, entry->encoding(), false);
      std::memcpy(moved->bytes_ + offset, bytes, kept);
      mem::Free(bytes, old_size);
      mem::Free(entry, offset + sizeof(void*));
      return moved;
    }
    if (mem::SameClass(old_size, new_size)) return entry;
    uint8_t* moved = static_cast<uint8_t*>(mem::Allocate(new_size));
    std::memcpy(moved, bytes, kept);
    mem::Free(bytes, old_size);
    entry->set_pointer(moved);
    return entry;
  }
#ifndef PINYON_ASSERTIONS
  if (mem::SameClass(offset + old_size, offset + new_size)) return entry;
#endif
  // (Builds with assertions move the entry every time, so that whoever keeps its address is found out.)
  const bool inside = offset + new_size <= kPackedEntryMaxBytes;
  Entry* moved = NewHead(entry, inside ? new_size : sizeof(void*), entry->encoding(), !inside);
  if (!inside) moved->set_pointer(mem::Allocate(new_size));
  std::memcpy(moved->packed(), entry->bytes_ + offset, kept);
  mem::Free(entry, offset + old_size);
  return moved;
}

Entry* Entry::ReplaceWithObject(Entry* entry, Encoding encoding, void* object) {
  if (entry->IsOutOfLine()) {
    if (entry->IsPacked()) entry->FreePackedOutside();
    entry->set_encoding(encoding);
    entry->set_pointer(object);
    return entry;
  }
  PINYON_ASSERT(entry->IsPacked());
  Entry* moved = NewHead(entry, sizeof(void*), encoding, true);
  moved->set_pointer(object);
  mem::Free(entry, entry->EntryBytes());
  return moved;
}

Entry* Entry::ReplaceWithPacked(Entry* entry, Encoding encoding, const uint8_t* bytes, size_t size) {
  const size_t offset = entry->ValueOffset();
  const bool inside = offset + size <= kPackedEntryMaxBytes;
  Entry* moved = NewHead(entry, inside ? size : sizeof(void*), encoding, !inside);
  if (!inside) moved->set_pointer(mem::Allocate(size));
  std::memcpy(moved->packed(), bytes, size);
  const size_t old_bytes = entry->EntryBytes();
  if (entry->IsPacked()) entry->FreePackedOutside();
  mem::Free(entry, old_bytes);
  return moved;
}

Entry* Entry::Rebuild(Entry* old, std::string_view key, int64_t expiry_ms) {
  const size_t value_offset = old->ValueOffset();
  const size_t value_bytes = old->EntryBytes() - value_offset;
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + value_bytes;
  const uint8_t kept_flags = static_cast<uint8_t>(old->bytes_[1] & ~(kHasExpiry | kWideKey));
  Entry* entry = AllocateHead(total, key, expiry_ms, old->type(), old->encoding(), kept_flags);
  std::memcpy(entry->bytes_ + entry->ValueOffset(), old->bytes_ + value_offset, value_bytes);
  entry->set_access_tick(old->access_tick());
  mem::Free(old, old->EntryBytes());
  return entry;
}

Entry* Entry::Relocate(Entry* entry) {
  if (SharedBlock* block = entry->block()) {
    entry->set_pointer(SharedBlock::Relocate(block));
  } else if (entry->IsPacked() && entry->IsOutOfLine()) {
    entry->set_pointer(mem::Relocate(entry->pointer(), entry->PackedSize()));
  }
  return static_cast<Entry*>(mem::Relocate(entry, entry->EntryBytes()));
}

bool Entry::MayBe(const void* block, size_t bytes, std::string_view* key) {
  if (bytes < kFixedBytes) return false;
  // Of a copy, as another thread may just be freeing the block, which writes to it.
  alignas(Entry) uint8_t head_bytes[kFixedBytes + sizeof(uint32_t)] = {};
  std::memcpy(head_bytes, block, std::min(bytes, sizeof head_bytes));
  const auto* head = reinterpret_cast<const Entry*>(head_bytes);
  if (head->type() > ValueType::kStream || head->encoding() > Encoding::kStream) return false;
  const size_t offset = head->KeyOffset(), length = head->KeyLength();
  if (offset > bytes || length > bytes - offset) return false;
  *key = {static_cast<const char*>(block) + offset, length};
  return true;
}

void Entry::Delete(Entry* entry) {
  const size_t bytes = entry->EntryBytes();
  if (SharedBlock* block = entry->block()) {
    block->Unref();
  } else if (entry->IsObject()) {
    DeleteObject(entry->type(), entry->encoding(), entry->pointer());
  } else if (entry->IsPacked()) {
    entry->FreePackedOutside();
  }
  mem::Free(entry, bytes);
}

std::string_view Entry::StringBytes(IntegerText& text) const {
  PINYON_ASSERT(type() == ValueType::kString);
  if (IsInteger()) return {text.bytes, FormatInt64(integer(), text.bytes)};
  return StoredBytes();
}

std::string_view Entry::StoredBytes() const {
  PINYON_ASSERT(type() == ValueType::kString && !IsInteger());
  if (IsOutOfLine()) return static_cast<const SharedBlock*>(pointer())->bytes();
  const uint8_t* value = bytes_ + ValueOffset();
  if ((bytes_[1] & kWideValue) == 0) return {reinterpret_cast<const char*>(value) + 1, *value};
  uint32_t length;
  std::memcpy(&length, value, sizeof length);
  return {reinterpret_cast<const char*>(value) + sizeof length, length};
}

size_t Entry::StringLength() const {
  if (!IsInteger()) return StoredBytes().size();
  IntegerText text;
  return FormatInt64(integer(), text.bytes);
}

size_t Entry::EntryBytes() const {
  const size_t offset = ValueOffset();
  if (IsOutOfLine()) return offset + sizeof(void*);
  if (IsPacked()) return offset + PackedSize();
  PINYON_ASSERT(type() == ValueType::kString);
  if (IsInteger()) return offset + sizeof(int64_t);
  return offset + InlineStringBytes(StoredBytes().size());
}

size_t Entry::MemoryBytes(size_t samples) const {
  size_t bytes = mem::UsableSize(EntryBytes());
  if (!IsOutOfLine()) return bytes;
  if (const SharedBlock* outside = block()) return bytes + mem::UsableSize(outside->AllocatedBytes());
  if (IsPacked()) return bytes + mem::UsableSize(PackedSize());
  return bytes + ObjectMemoryBytes(type(), encoding(), pointer(), samples);
}

bool Entry::IsExpensiveToFree() const {
  // Beyond this the allocator gives the pages back to the kernel at once, which takes it milliseconds a
  // gigabyte.
  constexpr size_t kExpensiveBytes = 256 * 1024;
  // So many blocks to free take longer than handing them to the freeing thread.
  constexpr size_t kExpensiveElements = 64;
  if (!IsOutOfLine()) return false;
  if (const SharedBlock* outside = block()) return outside->AllocatedBytes() >= kExpensiveBytes;
  if (IsPacked()) return PackedSize() >= kExpensiveBytes;
  return ObjectAllocations(type(), encoding(), pointer()) > kExpensiveElements;
}

bool Entry::RewriteInPlace(int64_t value) {
  PINYON_ASSERT(type() == ValueType::kString);
  if (!mem::SameClass(EntryBytes(), ValueOffset() + sizeof value)) return false;
  bytes_[1] &= static_cast<uint8_t>(~(kWideValue | kOutOfLine));
  set_encoding(Encoding::kInt);
  set_integer(value);
  return true;
}

bool Entry::RewriteInPlace(std::string_view value, Encoding encoding) {
  PINYON_ASSERT(type() == ValueType::kString);
  if (value.size() > kInlineMaxBytes) return false;
  // Most new values are as long as the old one.
  if (!IsOutOfLine() && !IsInteger() && StoredBytes().size() == value.size()) {
    set_encoding(encoding);
    if (!value.empty()) std::memmove(MutableBytes(), value.data(), value.size());
    return true;
  }
  if (!mem::SameClass(EntryBytes(), ValueOffset() + InlineStringBytes(value.size()))) return false;
  bytes_[1] &= static_cast<uint8_t>(~(kWideValue | kOutOfLine));
  if (value.size() > 0xff) bytes_[1] |= kWideValue;
  set_encoding(encoding);
  WriteInlineString(value);
  return true;
}

}  // namespace pinyon
