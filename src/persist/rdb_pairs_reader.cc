// The part of RdbValueReader that reads sorted sets and hashes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/numbers.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/keyspace.h"
#include "keyspace/zset_value.h"
#include "persist/old_encodings.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value_reader.h"

namespace pinyon {

namespace {

// What fields' expiries have room for; Redis's limit.
constexpr uint64_t kMaxFieldExpiryMs = (uint64_t{1} << 46) - 1;

ListpackView ViewOf(std::string_view blob) {
  return ListpackView(reinterpret_cast<const uint8_t*>(blob.data()));
}

bool ScoreOf(const PackedElement& element, double* score) {
  if (!element.is_integer) return ParseDouble(element.text, score);
  *score = static_cast<double>(element.integer);
  return true;
}

// The longest element, as text.
size_t LongestOf(const ListpackView& listpack) {
  size_t longest = 0;
  PackedElement::Digits digits;
  for (auto at = listpack.First(); at != ListpackView::kEnd; at = listpack.Next(at)) {
    longest = std::max(longest, listpack.Get(at).Text(digits).size());
  }
  return longest;
}

}  // namespace

// --- sorted sets ---

bool RdbValueReader::AddScored(SortedSet* set, std::string_view member, double score) {
  if (std::isnan(score)) return decoder_.Corrupt("a score is no number");
  if (set->Find(member) != nullptr) return decoder_.Corrupt("a member is there twice");
  set->Insert(member, score);
  return true;
}

Entry* RdbValueReader::ReadZset(bool scores_are_text) {
  uint64_t count = 0;
  if (!decoder_.Count(&count, scores_are_text ? 2 : 1 + sizeof(double))) return nullptr;
  if (count == 0) return Empty();
  const bool few = count <= Limit(limits_.zset_max_listpack_entries, kMaxGathered);
  auto set = std::make_unique<SortedSet>(db_.keyspace().seed());
  for (; count > 0; --count) {
    double score = 0;
    if (!decoder_.TextInto(&name_)) return nullptr;
    if (!(scores_are_text ? decoder_.ScoreText(&score) : decoder_.Fixed(&score))) return nullptr;
    if (!AddScored(set.get(), name_, score)) return nullptr;
  }
  Entry* entry = ObjectEntry(ValueType::kZset, Encoding::kSkiplist, set.release());
  if (!few) return entry;
  ZsetValue value(db_, entry);
  value.PackIfSmall();
  return value.Release();
}

// By score, then by member, none twice. Every score is a number.
bool RdbValueReader::CheckOrder(const ListpackView& pairs) {
  double last_score = 0;
  PackedElement last_member;
  PackedElement::Digits digits;
  PackedElement::Digits last_digits;
  for (auto at = pairs.First(); at != ListpackView::kEnd;) {
    const bool is_first = at == pairs.First();
    const PackedElement member = pairs.Get(at);
    at = pairs.Next(at);
    double score = 0;
    if (!ScoreOf(pairs.Get(at), &score)) return decoder_.Corrupt("a score is no number");
    at = pairs.Next(at);
    const bool follows = is_first || score > last_score ||
                         (score == last_score && member.Text(digits) > last_member.Text(last_digits));
    if (!follows) return decoder_.Corrupt("a sorted set is out of order");
    last_score = score;
    last_member = member;
  }
  return CheckDistinct(pairs, 2);
}

Entry* RdbValueReader::ReadZsetPacked(bool is_ziplist) {
  Blob blob;
  if (!decoder_.Text(&blob)) return nullptr;
  if (is_ziplist) {
    if (const char* wrong = ZiplistToListpack(blob, &scratch_)) return Corrupt(wrong);
    blob = ScratchBlob();
  }
  if (!CheckListpack(2, blob)) return nullptr;
  const ListpackView pairs = ViewOf(blob);
  const bool few = pairs.size() / 2 <= Limit(limits_.zset_max_listpack_entries);
  const bool is_short = !is_ziplist || LongestOf(pairs) <= Limit(limits_.zset_max_listpack_value);
  if (!CheckOrder(pairs)) return nullptr;
  if (few && is_short) return PackedEntry(ValueType::kZset, Encoding::kListpack, blob);

  auto set = std::make_unique<SortedSet>(db_.keyspace().seed());
  PackedElement::Digits digits;
  for (auto at = pairs.First(); at != ListpackView::kEnd;) {
    const PackedElement member = pairs.Get(at);
    at = pairs.Next(at);
    double score = 0;
    ScoreOf(pairs.Get(at), &score);
    at = pairs.Next(at);
    if (!AddScored(set.get(), member.Text(digits), score)) return nullptr;
  }
  return ObjectEntry(ValueType::kZset, Encoding::kSkiplist, set.release());
}

// --- hashes ---

std::unique_ptr<FieldTable> RdbValueReader::NewFields() {
  auto table = std::make_unique<FieldTable>(db_.keyspace().seed());
  // Tells it what time it is, which the deadlines of fields are reckoned from.
  table->ExpireDue(db_.keyspace().now_ms(), [](FieldTable::Position) { return true; });
  return table;
}

bool RdbValueReader::AddField(FieldTable* table, std::string_view name, std::string_view value,
                              int64_t expiry_ms) {
  const uint64_t hash = table->Hash(name);
  if (table->Find(name, hash)) return decoder_.Corrupt("a field is there twice");
  table->Insert(Field::New(name, value, expiry_ms), hash);
  return true;
}

// Pairs, or (stride 3) triplets with an expiry that has been checked.
bool RdbValueReader::AddFields(FieldTable* table, const ListpackView& fields, size_t stride) {
  PackedElement::Digits name_digits;
  PackedElement::Digits value_digits;
  for (auto at = fields.First(); at != ListpackView::kEnd;) {
    const PackedElement name = fields.Get(at);
    at = fields.Next(at);
    const PackedElement value = fields.Get(at);
    at = fields.Next(at);
    int64_t expiry_ms = Field::kNoExpiry;
    if (stride == 3) {
      const int64_t written = fields.Get(at).integer;
      if (written != 0) expiry_ms = written;
      at = fields.Next(at);
    }
    if (!AddField(table, name.Text(name_digits), value.Text(value_digits), expiry_ms)) return false;
  }
  return true;
}

Entry* RdbValueReader::ReadHash() {
  uint64_t count = 0;
  if (!decoder_.Count(&count, 2)) return nullptr;
  if (count == 0) return Empty();
  const uint64_t longest = Limit(limits_.hash_max_listpack_value);
  std::unique_ptr<FieldTable> table;
  if (count > Limit(limits_.hash_max_listpack_entries, kMaxGathered)) table = NewFields();
  ClearScratch();
  for (; count > 0; --count) {
    std::string_view value;
    if (!decoder_.TextInto(&name_) || !decoder_.Text(&value)) return nullptr;
    const bool fits =
        name_.size() <= longest && value.size() <= longest && scratch().Fits(name_.size() + value.size());
    if (table == nullptr && !fits) {
      table = NewFields();
      if (!AddFields(table.get(), scratch(), 2)) return nullptr;
    }
    if (table == nullptr) {
      const std::string_view texts[] = {name_, value};
      Listpack(scratch_).AppendAll(texts, 2);
    } else if (!AddField(table.get(), name_, value)) {
      return nullptr;
    }
  }
  if (table != nullptr) return ObjectEntry(ValueType::kHash, Encoding::kHashtable, table.release());
  if (!CheckDistinct(scratch(), 2)) return nullptr;
  return PackedEntry(ValueType::kHash, Encoding::kListpack, ScratchBlob());
}

Entry* RdbValueReader::ReadHashPacked(uint8_t code) {
  Blob blob;
  if (!decoder_.Text(&blob)) return nullptr;
  const bool is_old = code != rdb::kHashListpack;
  if (is_old) {
    const char* wrong =
        code == rdb::kHashZipmap ? ZipmapToListpack(blob, &scratch_) : ZiplistToListpack(blob, &scratch_);
    if (wrong != nullptr) return Corrupt(wrong);
    blob = ScratchBlob();
  }
  if (!CheckListpack(2, blob)) return nullptr;
  const ListpackView pairs = ViewOf(blob);
  const bool few = pairs.size() / 2 <= Limit(limits_.hash_max_listpack_entries);
  const bool is_short = !is_old || LongestOf(pairs) <= Limit(limits_.hash_max_listpack_value);
  if (few && is_short) {
    if (!CheckDistinct(pairs, 2)) return nullptr;
    return PackedEntry(ValueType::kHash, Encoding::kListpack, blob);
  }
  std::unique_ptr<FieldTable> table = NewFields();
  if (!AddFields(table.get(), pairs, 2)) return nullptr;
  return ObjectEntry(ValueType::kHash, Encoding::kHashtable, table.release());
}

// --- hashes whose fields expire ---

// The earliest first, those that never expire (0) behind.
bool RdbValueReader::CheckExpiries(const ListpackView& triplets) {
  uint64_t last = 0;
  bool past_expiring = false;
  for (auto at = triplets.First(); at != ListpackView::kEnd;) {
    at = triplets.Next(triplets.Next(at));
    const PackedElement expiry = triplets.Get(at);
    at = triplets.Next(at);
    const auto expiry_ms = static_cast<uint64_t>(expiry.integer);
    if (!expiry.is_integer || expiry_ms > kMaxFieldExpiryMs)
      return decoder_.Corrupt("a field's expiry is no time");
    if (expiry_ms == 0) {
      past_expiring = true;
    } else if (past_expiring || expiry_ms < last) {
      return decoder_.Corrupt("fields are not in the order of their expiries");
    }
    last = expiry_ms;
  }
  return true;
}

Entry* RdbValueReader::ReadHashListpackEx() {
  // (The earliest expiry, which the fields tell, too.)
  int64_t earliest_ms = 0;
  Blob blob;
  if (!decoder_.Fixed(&earliest_ms) || !ReadListpack(3, &blob)) return nullptr;
  const ListpackView triplets = ViewOf(blob);
  if (!CheckExpiries(triplets)) return nullptr;
  if (triplets.size() / 3 <= Limit(limits_.hash_max_listpack_entries)) {
    if (!CheckDistinct(triplets, 3)) return nullptr;
    return PackedEntry(ValueType::kHash, Encoding::kListpackEx, blob);
  }
  std::unique_ptr<FieldTable> table = NewFields();
  if (!AddFields(table.get(), triplets, 3)) return nullptr;
  return ObjectEntry(ValueType::kHash, Encoding::kHashtable, table.release());
}

// Triplets of a table that is small enough, in their order; the table else.
Entry* RdbValueReader::ExpiringHash(std::unique_ptr<FieldTable> table) {
  bool fits = table->size() <= Limit(limits_.hash_max_listpack_entries, kMaxGathered);
  const uint64_t longest = Limit(limits_.hash_max_listpack_value);
  std::vector<const Field*> fields;
  if (fits) {
    table->ForEach([&](const Field* field) {
      fields.push_back(field);
      fits = fits && field->key().size() <= longest && field->value().size() <= longest;
    });
  }
  if (!fits) return ObjectEntry(ValueType::kHash, Encoding::kHashtable, table.release());
  const auto order = [](const Field* field) {
    return field->HasExpiry() ? static_cast<uint64_t>(field->expiry_ms()) : UINT64_MAX;
  };
  std::sort(fields.begin(), fields.end(), [&](const Field* a, const Field* b) {
    return std::pair(order(a), a->key()) < std::pair(order(b), b->key());
  });
  ClearScratch();
  for (const Field* field : fields) {
    char digits[kMaxInt64Chars];
    const size_t length = FormatInt64(field->HasExpiry() ? field->expiry_ms() : 0, digits);
    const std::string_view texts[] = {field->key(), field->value(), {digits, length}};
    if (!scratch().Fits(texts[0].size() + texts[1].size() + length)) {
      return ObjectEntry(ValueType::kHash, Encoding::kHashtable, table.release());
    }
    Listpack(scratch_).AppendAll(texts, std::size(texts));
  }
  return PackedEntry(ValueType::kHash, Encoding::kListpackEx, ScratchBlob());
}

Entry* RdbValueReader::ReadHashMetadata() {
  uint64_t earliest_ms = 0;
  uint64_t count = 0;
  if (!decoder_.Fixed(&earliest_ms) || !decoder_.Count(&count, 3)) return nullptr;
  if (count == 0) return Empty();
  if (earliest_ms > kMaxFieldExpiryMs) return Corrupt("a field's expiry is no time");
  std::unique_ptr<FieldTable> table = NewFields();
  for (; count > 0; --count) {
    uint64_t later = 0;
    std::string_view value;
    if (!decoder_.Length(&later) || !decoder_.TextInto(&name_) || !decoder_.Text(&value)) return nullptr;
    int64_t expiry_ms = Field::kNoExpiry;
    if (later != 0) {
      if (later - 1 > kMaxFieldExpiryMs - earliest_ms) return Corrupt("a field's expiry is no time");
      expiry_ms = static_cast<int64_t>(earliest_ms + later - 1);
      if (expiry_ms == 0) return Corrupt("a field's expiry is no time");
    }
    if (!AddField(table.get(), name_, value, expiry_ms)) return nullptr;
  }
  return ExpiringHash(std::move(table));
}

}  // namespace pinyon
