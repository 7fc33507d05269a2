#include "keyspace/entry.h"

#include "base/numbers.h"

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

Entry* Entry::Rebuild(Entry* old, std::string_view key, int64_t expiry_ms) {
  const size_t value_offset = old->ValueOffset();
  const size_t value_bytes = old->EntryBytes() - value_offset;
  const size_t total = HeadBytes(key.size(), expiry_ms != kNoExpiry) + value_bytes;
  const uint8_t kept_flags = static_cast<uint8_t>(old->bytes_[1] & ~(kHasExpiry | kWideKey));
  Entry* entry = AllocateHead(total, key, expiry_ms, old->type(), old->encoding(), kept_flags);
  std::memcpy(entry->bytes_ + entry->ValueOffset(), old->bytes_ + value_offset, value_bytes);
  entry->set_access(old->access());
  mem::Free(old, old->EntryBytes());
  return entry;
}

void Entry::Delete(Entry* entry) {
  if (SharedBlock* block = entry->block()) block->Unref();
  mem::Free(entry, entry->EntryBytes());
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
  PINYON_ASSERT(type() == ValueType::kString);
  if (IsInteger()) return offset + sizeof(int64_t);
  return offset + InlineStringBytes(StoredBytes().size());
}

size_t Entry::MemoryBytes() const {
  const SharedBlock* outside = block();
  return mem::UsableSize(EntryBytes()) +
         (outside != nullptr ? mem::UsableSize(outside->AllocatedBytes()) : 0);
}

bool Entry::IsExpensiveToFree() const {
  // Beyond this the allocator gives the pages back to the kernel at once, which takes it milliseconds a
  // gigabyte.
  constexpr size_t kExpensiveBytes = 256 * 1024;
  const SharedBlock* outside = block();
  return outside != nullptr && outside->AllocatedBytes() >= kExpensiveBytes;
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
  if (!mem::SameClass(EntryBytes(), ValueOffset() + InlineStringBytes(value.size()))) return false;
  bytes_[1] &= static_cast<uint8_t>(~(kWideValue | kOutOfLine));
  if (value.size() > 0xff) bytes_[1] |= kWideValue;
  set_encoding(encoding);
  WriteInlineString(value);
  return true;
}

}  // namespace pinyon
