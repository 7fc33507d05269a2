#include "persist/rdb_value_writer.h"

#include <lzf.h>

#include <algorithm>
#include <limits>
#include <span>

#include "base/numbers.h"
#include "keyspace/hash_view.h"
#include "keyspace/set_view.h"
#include "persist/fetched_items.h"
#include "types/chunked_list.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

// A time at which nothing has expired yet: what is in memory is written.
constexpr int64_t kBeforeAll = std::numeric_limits<int64_t>::min();

HashView WholeHash(const Entry* entry) { return HashView(entry, kBeforeAll); }

std::string_view AsText(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

int RdbVersionNeeded(const Entry* entry) {
  const bool fields_expire = entry->type() == ValueType::kHash && WholeHash(entry).HasExpiring();
  return fields_expire ? rdb::kFieldExpiryVersion : rdb::kBaseVersion;
}

// --- parts ---

void RdbValueWriter::WriteLength(uint64_t length) {
  if (length < 1 << 6) return sink_.WriteByte(static_cast<uint8_t>(rdb::kLength6 | length));
  if (length < 1 << 14) {
    const uint8_t bytes[] = {static_cast<uint8_t>(rdb::kLength14 | length >> 8),
                             static_cast<uint8_t>(length)};
    return sink_.Write(bytes, sizeof bytes);
  }
  const bool is_short = length <= UINT32_MAX;
  sink_.WriteByte(is_short ? rdb::kLength32 : rdb::kLength64);
  uint8_t bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(length >> (56 - 8 * i));
  is_short ? sink_.Write(bytes + 4, 4) : sink_.Write(bytes, 8);
}

bool RdbValueWriter::WriteSmallInteger(int64_t value) {
  const auto form = [&](rdb::StringForm which) {
    sink_.WriteByte(static_cast<uint8_t>(rdb::kLengthSpecial | which));
  };
  if (value >= INT8_MIN && value <= INT8_MAX) {
    form(rdb::kInt8);
    sink_.WriteByte(static_cast<uint8_t>(value));
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    form(rdb::kInt16);
    WriteFixed(static_cast<int16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    form(rdb::kInt32);
    WriteFixed(static_cast<int32_t>(value));
  } else {
    return false;
  }
  return true;
}

void RdbValueWriter::WriteInteger(int64_t value) {
  if (WriteSmallInteger(value)) return;
  char digits[kMaxInt64Chars];
  const size_t length = FormatInt64(value, digits);
  WriteLength(length);
  sink_.Write(digits, length);
}

void RdbValueWriter::WriteLzf(const void* compressed, size_t compressed_bytes, size_t bytes) {
  sink_.WriteByte(rdb::kLengthSpecial | rdb::kLzf);
  WriteLength(compressed_bytes);
  WriteLength(bytes);
  sink_.Write(compressed, compressed_bytes);
}

bool RdbValueWriter::WriteCompressed(std::string_view text) {
  if (!options_.compress || text.size() < rdb::kMinCompressBytes || text.size() > UINT32_MAX) return false;
  const size_t most = text.size() - rdb::kMinCompressGain;
  // (Not more than is needed: of a large block the system clears every page.)
  if (compressed_.size() < most) compressed_.resize(most);
  const unsigned length = lzf_compress(text.data(), static_cast<unsigned>(text.size()), compressed_.data(),
                                       static_cast<unsigned>(most));
  if (length == 0) return false;
  WriteLzf(compressed_.data(), length, text.size());
  return true;
}

void RdbValueWriter::WriteString(std::string_view text) {
  constexpr size_t kMaxInt32Chars = 11;
  int64_t value;
  if (text.size() <= kMaxInt32Chars && ParseInt64(text, &value) && WriteSmallInteger(value)) return;
  if (WriteCompressed(text)) return;
  WriteLength(text.size());
  sink_.Write(text);
}

// --- values ---

rdb::ValueCode RdbValueWriter::CodeOf(const Entry* entry) const {
  switch (entry->type()) {
    case ValueType::kString: return rdb::kString;
    case ValueType::kList: return rdb::kListQuicklist2;
    case ValueType::kSet:
      if (entry->encoding() == Encoding::kIntset) return rdb::kSetIntset;
      return entry->IsPacked() && options_.version >= rdb::kSetListpackVersion ? rdb::kSetListpack
                                                                               : rdb::kSet;
    case ValueType::kZset: return entry->IsPacked() ? rdb::kZsetListpack : rdb::kZset2;
    case ValueType::kHash: {
      const bool expires = WholeHash(entry).HasExpiring();
      PINYON_ASSERT(!expires || options_.version >= rdb::kFieldExpiryVersion);
      if (entry->IsPacked()) return expires ? rdb::kHashListpackEx : rdb::kHashListpack;
      return expires ? rdb::kHashMetadata : rdb::kHash;
    }
    case ValueType::kStream: break;
  }
  PINYON_CHECK(false);
  return rdb::kString;
}

void RdbValueWriter::WriteValue(const Entry* entry) {
  switch (entry->type()) {
    case ValueType::kString: return WriteStringValue(entry);
    case ValueType::kList: return WriteList(entry);
    case ValueType::kSet: return WriteSet(entry);
    case ValueType::kZset: return WriteZset(entry);
    case ValueType::kHash: return WriteHash(entry);
    case ValueType::kStream: break;
  }
  PINYON_CHECK(false);
}

void RdbValueWriter::WritePacked(const Entry* entry) {
  WriteString(AsText(entry->packed(), entry->PackedSize()));
}

void RdbValueWriter::WriteStringValue(const Entry* entry) {
  if (entry->IsInteger()) return WriteInteger(entry->integer());
  WriteString(entry->StoredBytes());
}

void RdbValueWriter::WriteList(const Entry* entry) {
  if (entry->IsPacked()) {
    WriteLength(1);
    WriteLength(rdb::kContainerPacked);
    return WritePacked(entry);
  }
  const auto& list = *static_cast<const ChunkedList*>(entry->pointer());
  WriteLength(list.chunk_count());
  list.ForEachChunk([&](const ListChunk& chunk) {
    WriteLength(chunk.is_plain ? rdb::kContainerPlain : rdb::kContainerPacked);
    if (chunk.is_compressed) return WriteLzf(chunk.block, chunk.capacity, chunk.bytes);
    WriteString(chunk.is_plain ? chunk.text() : AsText(chunk.listpack(), chunk.bytes));
  });
}

void RdbValueWriter::WriteSet(const Entry* entry) {
  const rdb::ValueCode code = CodeOf(entry);
  if (code != rdb::kSet) return WritePacked(entry);
  const SetView set(entry);
  WriteLength(set.size());
  if (!entry->IsPacked()) {
    return ForEachFetched(set.table(), [&](const Member& member) { WriteString(member.key()); });
  }
  const ListpackView members = set.listpack();
  for (auto at = members.First(); at != ListpackView::kEnd; at = members.Next(at)) {
    WriteElement(members.Get(at));
  }
}

void RdbValueWriter::WriteZset(const Entry* entry) {
  if (entry->IsPacked()) return WritePacked(entry);
  const auto& set = *static_cast<const SortedSet*>(entry->pointer());
  WriteLength(set.size());
  // From the highest on, as Redis does: whoever adds them to a skip list adds each at its beginning.
  for (ScoreTree::Cursor at = set.tree().Last(); at; at.Previous()) {
    WriteString(at.item()->key());
    WriteFixed(at.score());
  }
}

void RdbValueWriter::WriteHash(const Entry* entry) {
  const bool expires = WholeHash(entry).HasExpiring();
  if (entry->encoding() == Encoding::kListpackEx) {
    if (!expires) return WritePairsOfTriplets(entry);
    WriteFixed(WholeHash(entry).EarliestExpiryMs());
  }
  if (entry->IsPacked()) return WritePacked(entry);
  if (expires) return WriteHashWithExpiries(entry);
  const auto& table = *static_cast<const FieldTable*>(entry->pointer());
  WriteLength(table.size());
  ForEachFetched(table, [&](const Field& field) {
    WriteString(field.key());
    WriteString(field.value());
  });
}

// A packed hash whose fields had expiries once, as one that knows of none.
void RdbValueWriter::WritePairsOfTriplets(const Entry* entry) {
  std::vector<HashField> fields = WholeHash(entry).Collect();
  std::vector<PackedElement::Digits> digits(fields.size() * 2);
  std::vector<std::string_view> texts;
  texts.reserve(fields.size() * 2);
  for (const HashField& field : fields) {
    texts.push_back(field.name.Text(digits[texts.size()]));
    texts.push_back(field.value.Text(digits[texts.size()]));
  }
  PackedBlock pairs;
  Listpack::InitEmpty(pairs);
  Listpack(pairs).AppendAll(texts.data(), texts.size());
  WriteString(AsText(pairs.data(), pairs.size()));
}

void RdbValueWriter::WriteHashWithExpiries(const Entry* entry) {
  const auto& table = *static_cast<const FieldTable*>(entry->pointer());
  int64_t earliest_ms = HashView::kNothingExpires;
  table.ForEach([&](const Field* field) {
    if (field->HasExpiry()) earliest_ms = std::min(earliest_ms, field->expiry_ms());
  });
  WriteFixed(earliest_ms);
  WriteLength(table.size());
  ForEachFetched(table, [&](const Field& field) {
    WriteLength(field.HasExpiry() ? static_cast<uint64_t>(field.expiry_ms() - earliest_ms) + 1 : 0);
    WriteString(field.key());
    WriteString(field.value());
  });
}

}  // namespace pinyon
