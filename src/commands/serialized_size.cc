#include "commands/serialized_size.h"

#include <string_view>

#include "base/numbers.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/member.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

size_t LengthBytes(uint64_t length) {
  if (length < 64) return 1;
  if (length < 16384) return 2;
  return length <= UINT32_MAX ? 5 : 9;
}

size_t BlobBytes(size_t bytes) { return LengthBytes(bytes) + bytes; }

size_t StringBytes(std::string_view bytes) {
  constexpr size_t kMaxInt32Chars = 11;
  int64_t number;
  if (bytes.size() <= kMaxInt32Chars && ParseInt64(bytes, &number)) {
    if (number >= INT8_MIN && number <= INT8_MAX) return 2;
    if (number >= INT16_MIN && number <= INT16_MAX) return 3;
    if (number >= INT32_MIN && number <= INT32_MAX) return 5;
  }
  return BlobBytes(bytes.size());
}

size_t Bytes(const MemberTable& set) {
  size_t bytes = LengthBytes(set.size());
  set.ForEach([&bytes](const Member* member) { bytes += StringBytes(member->key()); });
  return bytes;
}

size_t Bytes(const FieldTable& hash) {
  size_t bytes = LengthBytes(hash.size());
  hash.ForEach(
      [&bytes](const Field* field) { bytes += StringBytes(field->key()) + StringBytes(field->value()); });
  return bytes;
}

size_t Bytes(const SortedSet& zset) {
  size_t bytes = LengthBytes(zset.size());
  for (auto at = zset.tree().First(); at; at.Next()) bytes += StringBytes(at->key()) + sizeof(double);
  return bytes;
}

size_t Bytes(const ChunkedList& list) {
  size_t bytes = LengthBytes(list.chunk_count());
  // Each chunk says of which kind it is.
  list.ForEachChunk([&bytes](const ListChunk& chunk) { bytes += 1 + BlobBytes(chunk.bytes); });
  return bytes;
}

}  // namespace

size_t SerializedBytes(const Entry* entry) {
  if (entry->IsPacked()) return BlobBytes(entry->PackedSize());
  switch (entry->type()) {
    case ValueType::kString: {
      IntegerText digits;
      return StringBytes(entry->StringBytes(digits));
    }
    case ValueType::kSet: return Bytes(*static_cast<const MemberTable*>(entry->pointer()));
    case ValueType::kHash: return Bytes(*static_cast<const FieldTable*>(entry->pointer()));
    case ValueType::kZset: return Bytes(*static_cast<const SortedSet*>(entry->pointer()));
    case ValueType::kList: return Bytes(*static_cast<const ChunkedList*>(entry->pointer()));
    case ValueType::kStream: break;
  }
  PINYON_CHECK(false);
  return 0;
}

}  // namespace pinyon
