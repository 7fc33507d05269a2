#include "keyspace/value_object.h"

#include "base/alloc.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/member.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

// Chunks of a list whose memory is looked at; that of the others is taken to be alike.
constexpr size_t kMemorySamples = 1000;
// The same, and elements of a table, for an estimate.
constexpr size_t kEstimateSamples = 16;

// What is asked of tables whose items are found by key.
template <typename Table, typename CopyItem>
Table* CopyTable(const Table& source, CopyItem copy_item) {
  auto copy = std::make_unique<Table>(source.seed());
  source.ForEach([&](auto* item) { copy->Insert(copy_item(*item), copy->Hash(item->key())); });
  return copy.release();
}

template <typename Table>
size_t TableMemoryBytes(const Table& table) {
  size_t bytes = sizeof table + table.OverheadBytes();
  table.ForEach([&](const auto* item) { bytes += mem::UsableSize(item->AllocatedBytes()); });
  return bytes;
}

template <typename Table>
size_t EstimatedTableBytes(const Table& table) {
  size_t sampled = 0;
  size_t bytes = 0;
  table.ScanItems(0, kEstimateSamples, [&](const auto* item) {
    ++sampled;
    bytes += mem::UsableSize(item->AllocatedBytes());
  });
  return sizeof table + table.OverheadBytes() + (sampled == 0 ? 0 : bytes * table.size() / sampled);
}

// Calls `visit` with the object as what it is.
template <typename Visit>
auto Dispatch(ValueType type, Encoding encoding, void* object, Visit visit) {
  if (type == ValueType::kHash && encoding == Encoding::kHashtable) {
    return visit(*static_cast<FieldTable*>(object));
  }
  if (type == ValueType::kList && encoding == Encoding::kQuicklist) {
    return visit(*static_cast<ChunkedList*>(object));
  }
  if (type == ValueType::kZset && encoding == Encoding::kSkiplist) {
    return visit(*static_cast<SortedSet*>(object));
  }
  PINYON_CHECK(type == ValueType::kSet && encoding == Encoding::kHashtable);
  return visit(*static_cast<MemberTable*>(object));
}
template <typename Visit>
auto Dispatch(ValueType type, Encoding encoding, const void* object, Visit visit) {
  return Dispatch(type, encoding, const_cast<void*>(object), [&](const auto& value) { return visit(value); });
}

FieldTable* Copy(const FieldTable& table) {
  return CopyTable(
      table, [](const Field& field) { return Field::New(field.key(), field.value(), field.expiry_ms()); });
}
MemberTable* Copy(const MemberTable& table) {
  return CopyTable(table, [](const Member& member) { return Member::New(member.key()); });
}
SortedSet* Copy(const SortedSet& set) { return set.Copy().release(); }

ChunkedList* Copy(const ChunkedList& list) { return list.Copy(); }

size_t MemoryOf(const ChunkedList& list) { return list.MemoryBytes(kMemorySamples); }
size_t AllocationsOf(const ChunkedList& list) { return list.chunk_count() * 2; }

template <typename Item>
size_t MemoryOf(const HashTable<Item>& table) {
  return TableMemoryBytes(table);
}
template <typename Item>
size_t AllocationsOf(const HashTable<Item>& table) {
  return table.size();
}

size_t EstimateOf(const ChunkedList& list) { return list.MemoryBytes(kEstimateSamples); }
size_t EstimateOf(const SortedSet& set) { return set.MemoryBytes(); }
template <typename Item>
size_t EstimateOf(const HashTable<Item>& table) {
  return EstimatedTableBytes(table);
}

uint64_t Relocate(SortedSet& set, uint64_t cursor, size_t count) { return set.Relocate(cursor, count); }
uint64_t Relocate(ChunkedList& list, uint64_t cursor, size_t count) {
  // A chunk is one block, or two, whatever it holds.
  return list.Relocate(cursor, count);
}
template <typename Item>
uint64_t Relocate(HashTable<Item>& table, uint64_t cursor, size_t count) {
  return table.Relocate(cursor, count, [](Item* item) {
    return static_cast<Item*>(mem::Relocate(item, item->AllocatedBytes()));
  });
}

size_t MemoryOf(const SortedSet& set) { return set.MemoryBytes(); }
size_t AllocationsOf(const SortedSet& set) { return set.size(); }

}  // namespace

void DeleteObject(ValueType type, Encoding encoding, void* object) {
  Dispatch(type, encoding, object, [](const auto& value) { delete &value; });
}

void* CopyObject(ValueType type, Encoding encoding, const void* object) {
  return Dispatch(type, encoding, object, [](const auto& value) -> void* { return Copy(value); });
}

size_t ObjectMemoryBytes(ValueType type, Encoding encoding, const void* object) {
  return Dispatch(type, encoding, object, [](const auto& value) { return MemoryOf(value); });
}

size_t ObjectEstimatedBytes(ValueType type, Encoding encoding, const void* object) {
  return Dispatch(type, encoding, object, [](const auto& value) { return EstimateOf(value); });
}

uint64_t RelocateObject(ValueType type, Encoding encoding, void* object, uint64_t cursor, size_t count) {
  return Dispatch(type, encoding, object, [&](auto& value) { return Relocate(value, cursor, count); });
}

size_t ObjectAllocations(ValueType type, Encoding encoding, const void* object) {
  return Dispatch(type, encoding, object, [](const auto& value) { return AllocationsOf(value); });
}

}  // namespace pinyon
