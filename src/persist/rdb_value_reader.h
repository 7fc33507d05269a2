// Makes an entry of a value in the RDB format, of all versions (rdb_format.h; docs/rdb.md lists what is
// refused). The entry is detached: the caller stores it (Database::StoreEntry, AddLoaded) or deletes it.
//
// Nothing is taken on trust: structure, counts, order, scores that are no numbers, names that are there
// twice. What is wrong is told by the decoder's error, and nothing is left behind. Memory and time are
// bounded by the bytes that are there (compressed strings: by 88 times these).
//
// What is packed within the limits of the configuration stays the bytes that it is; beyond, it becomes an
// object, as Redis does it: of listpacks and intsets by the number of elements alone.
//
// Costs: a pass over the bytes to check them, and one copy. Only the thread that owns the slabs may do this.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "keyspace/database.h"
#include "persist/distinct_names.h"
#include "persist/rdb_decoder.h"
#include "persist/roomy_bytes.h"
#include "types/chunked_list.h"
#include "types/field.h"
#include "types/member.h"
#include "types/sorted_set.h"

namespace pinyon {

struct EncodingLimits;

class RdbValueReader {
 public:
  // The database lends its keyspace's configuration and seed; it is not changed.
  RdbValueReader(RdbDecoder& decoder, Database& db);

  // The value behind a value code. Null when it failed. The key is borrowed during the call.
  Entry* Read(uint8_t code, std::string_view key, int64_t expiry_ms);

 private:
  using Blob = std::string_view;

  // Collections up to this size are gathered packed before it is known what they become, whatever the
  // configuration allows.
  static constexpr uint64_t kMaxGathered = 64 * 1024;

  // A configured limit as a count: none below 0.
  static uint64_t Limit(int64_t configured, uint64_t most = UINT64_MAX) {
    return std::min(static_cast<uint64_t>(std::max<int64_t>(configured, 0)), most);
  }

  Entry* ReadCollection(uint8_t code);
  Entry* ReadString();
  Entry* Unsupported(uint8_t code);

  Entry* ReadList();
  Entry* ReadListZiplist();
  Entry* ReadQuicklist(bool of_ziplists);
  bool ReadPackedChunk(bool of_ziplists, ChunkedList* list);
  bool ReadPlainChunk(ChunkedList* list);
  Entry* ListEntry(std::unique_ptr<ChunkedList> list);

  Entry* ReadSet();
  Entry* ReadIntset();
  Entry* ReadSetListpack();
  Entry* IntsetEntry(std::vector<int64_t>* integers);
  bool AddMember(MemberTable* table, std::string_view member);
  bool AddMembers(MemberTable* table, const ListpackView& members);

  // (rdb_pairs_reader.cc)
  Entry* ReadZset(bool scores_are_text);
  Entry* ReadZsetPacked(bool is_ziplist);
  bool CheckOrder(const ListpackView& pairs);
  bool AddScored(SortedSet* set, std::string_view member, double score);
  Entry* ReadHash();
  Entry* ReadHashPacked(uint8_t code);
  Entry* ReadHashListpackEx();
  Entry* ReadHashMetadata();
  Entry* ExpiringHash(std::unique_ptr<FieldTable> table);
  bool CheckExpiries(const ListpackView& triplets);
  std::unique_ptr<FieldTable> NewFields();
  bool AddField(FieldTable* table, std::string_view name, std::string_view value,
                int64_t expiry_ms = Field::kNoExpiry);
  bool AddFields(FieldTable* table, const ListpackView& fields, size_t stride);

  // A well-formed listpack, not empty, whose number of elements is a multiple of `stride`.
  bool ReadListpack(size_t stride, Blob* blob);
  // The same of what was converted.
  bool CheckListpack(size_t stride, Blob blob);
  bool CheckDistinct(const ListpackView& listpack, size_t stride);
  void ClearScratch() { Listpack::InitEmpty(scratch_); }
  ListpackView scratch() const { return ListpackView(scratch_.data()); }
  Blob ScratchBlob() const;
  Entry* PackedEntry(ValueType type, Encoding encoding, Blob blob);
  Entry* ObjectEntry(ValueType type, Encoding encoding, void* object);

  std::nullptr_t Corrupt(std::string reason) {
    decoder_.Corrupt(std::move(reason));
    return nullptr;
  }
  std::nullptr_t Empty();

  RdbDecoder& decoder_;
  Database& db_;
  const EncodingLimits& limits_;
  std::string_view key_;
  int64_t expiry_ms_ = kNoExpiry;
  RoomyBytes scratch_;
  std::string name_;
  DistinctNames distinct_;
};

}  // namespace pinyon
