// Dispatch, strings, lists and sets; hashes and sorted sets are in rdb_pairs_reader.cc.
#include "persist/rdb_value_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/keyspace.h"
#include "persist/old_encodings.h"
#include "persist/rdb_format.h"
#include "types/intset.h"

namespace pinyon {

namespace {

// An intset has room for so many, whatever the configuration says.
constexpr uint64_t kMaxIntsetEntries = uint64_t{1} << 28;

ListLimits LimitsOfLists(const EncodingLimits& limits) {
  return ListLimits::FromFill(static_cast<int>(limits.list_max_listpack_size),
                              static_cast<size_t>(limits.list_packed_threshold));
}

// The name in a module type's number: nine characters of six bits each, before ten bits of version.
std::string ModuleName(uint64_t id) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int shift = 58; shift >= 10; shift -= 6) name += kCharacters[id >> shift & 0x3f];
  return name;
}

}  // namespace

RdbValueReader::RdbValueReader(RdbDecoder& decoder, Database& db)
    : decoder_(decoder), db_(db), limits_(db.keyspace().encoding_limits()), distinct_(db.keyspace().seed()) {}

Entry* RdbValueReader::Read(uint8_t code, std::string_view key, int64_t expiry_ms) {
  key_ = key;
  expiry_ms_ = expiry_ms;
  Entry* entry = code == rdb::kString ? ReadString() : ReadCollection(code);
  PINYON_ASSERT((entry != nullptr) == decoder_.ok());
  return entry;
}

Entry* RdbValueReader::ReadCollection(uint8_t code) {
  switch (code) {
    case rdb::kList: return ReadList();
    case rdb::kListZiplist: return ReadListZiplist();
    case rdb::kListQuicklist: return ReadQuicklist(true);
    case rdb::kListQuicklist2: return ReadQuicklist(false);
    case rdb::kSet: return ReadSet();
    case rdb::kSetIntset: return ReadIntset();
    case rdb::kSetListpack: return ReadSetListpack();
    case rdb::kZset: return ReadZset(true);
    case rdb::kZset2: return ReadZset(false);
    case rdb::kZsetZiplist: return ReadZsetPacked(true);
    case rdb::kZsetListpack: return ReadZsetPacked(false);
    case rdb::kHash: return ReadHash();
    case rdb::kHashZipmap:
    case rdb::kHashZiplist:
    case rdb::kHashListpack: return ReadHashPacked(code);
    case rdb::kHashListpackEx: return ReadHashListpackEx();
    case rdb::kHashMetadata: return ReadHashMetadata();
    default: return Unsupported(code);
  }
}

Entry* RdbValueReader::Unsupported(uint8_t code) {
  std::string reason = fmt::format("unknown value type {}", code);
  uint64_t module = 0;
  switch (code) {
    case rdb::kStreamListpacks:
    case rdb::kStreamListpacks2:
    case rdb::kStreamListpacks3: reason = "streams are not supported"; break;
    case rdb::kModule:
      if (!decoder_.Length(&module)) return nullptr;
      reason = fmt::format("a value of module type {}: modules are not supported", ModuleName(module));
      break;
    case rdb::kModulePreGa: reason = "a module's value from before Redis 4.0"; break;
    case rdb::kHashMetadataPreGa:
    case rdb::kHashListpackExPreGa:
      reason = "a hash with field expiry from a release candidate of Redis 7.4";
      break;
    default: break;
  }
  decoder_.Fail(RdbError::Kind::kUnsupported, std::move(reason));
  return nullptr;
}

std::nullptr_t RdbValueReader::Empty() {
  decoder_.Fail(RdbError::Kind::kEmpty, "a collection without elements");
  return nullptr;
}

Entry* RdbValueReader::ReadString() {
  PackedElement element;
  BlockRef block;
  if (!decoder_.ElementOrBlock(kInlineMaxBytes, &element, &block)) return nullptr;
  if (block) return Entry::NewBlock(key_, expiry_ms_, block.Release());
  if (!element.is_integer && element.text.size() < kMaxInt64Chars) {
    element.is_integer = ParseInt64(element.text, &element.integer);
  }
  if (element.is_integer) return Entry::NewInteger(key_, expiry_ms_, element.integer);
  const Encoding encoding = element.text.size() <= kEmbstrMaxBytes ? Encoding::kEmbstr : Encoding::kRaw;
  return Entry::NewString(key_, expiry_ms_, element.text, encoding);
}

// --- what packed values have in common ---

bool RdbValueReader::CheckListpack(size_t stride, Blob blob) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (!ListpackView::Validate(bytes, blob.size())) return decoder_.Corrupt("a listpack is damaged");
  const ListpackView view(bytes);
  if (view.empty()) {
    Empty();
    return false;
  }
  return view.size() % stride == 0 || decoder_.Corrupt("a name in a listpack has no value");
}

bool RdbValueReader::ReadListpack(size_t stride, Blob* blob) {
  return decoder_.Text(blob) && CheckListpack(stride, *blob);
}

bool RdbValueReader::CheckDistinct(const ListpackView& listpack, size_t stride) {
  return distinct_.Check(listpack, stride) || decoder_.Corrupt("an element is there twice");
}

RdbValueReader::Blob RdbValueReader::ScratchBlob() const {
  return {reinterpret_cast<const char*>(scratch_.view().data()), scratch_.view().size()};
}

Entry* RdbValueReader::PackedEntry(ValueType type, Encoding encoding, Blob blob) {
  Entry* entry = Entry::NewPacked(key_, expiry_ms_, type, encoding, blob.size());
  std::memcpy(entry->packed(), blob.data(), blob.size());
  return entry;
}

Entry* RdbValueReader::ObjectEntry(ValueType type, Encoding encoding, void* object) {
  return Entry::NewObject(key_, expiry_ms_, type, encoding, object);
}

// --- lists ---

Entry* RdbValueReader::ListEntry(std::unique_ptr<ChunkedList> list) {
  if (list->empty()) return Empty();
  const std::span<const uint8_t> sole = list->SoleListpack();
  if (!sole.empty() && LimitsOfLists(limits_).Fit(sole.size(), list->size())) {
    const Blob blob(reinterpret_cast<const char*>(sole.data()), sole.size());
    return PackedEntry(ValueType::kList, Encoding::kListpack, blob);
  }
  return ObjectEntry(ValueType::kList, Encoding::kQuicklist, list.release());
}

Entry* RdbValueReader::ReadList() {
  uint64_t count = 0;
  if (!decoder_.Count(&count)) return nullptr;
  if (count == 0) return Empty();
  const ListLimits limits = LimitsOfLists(limits_);
  auto list = std::make_unique<ChunkedList>(static_cast<uint32_t>(limits_.list_compress_depth));
  for (; count > 0; --count) {
    std::string_view text;
    if (!decoder_.Text(&text)) return nullptr;
    list->PushBack(text, limits);
  }
  return ListEntry(std::move(list));
}

Entry* RdbValueReader::ReadListZiplist() {
  auto list = std::make_unique<ChunkedList>(static_cast<uint32_t>(limits_.list_compress_depth));
  return ReadPackedChunk(true, list.get()) ? ListEntry(std::move(list)) : nullptr;
}

// Redis leaves out chunks without elements, too.
bool RdbValueReader::ReadPackedChunk(bool of_ziplists, ChunkedList* list) {
  Blob blob;
  if (!decoder_.Text(&blob)) return false;
  if (of_ziplists) {
    if (const char* wrong = ZiplistToListpack(blob, &scratch_)) return decoder_.Corrupt(wrong);
    if (!scratch().empty()) list->AppendListpack(scratch_.Copy());
    return true;
  }
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (!ListpackView::Validate(bytes, blob.size())) return decoder_.Corrupt("a listpack is damaged");
  if (ListpackView(bytes).empty()) return true;
  auto* block = static_cast<uint8_t*>(mem::Allocate(blob.size()));
  std::memcpy(block, bytes, blob.size());
  list->AppendListpack(PackedBlock(block, blob.size()));
  return true;
}

bool RdbValueReader::ReadPlainChunk(ChunkedList* list) {
  PackedElement element;
  BlockRef block;
  if (!decoder_.ElementOrBlock(0, &element, &block)) return false;
  PackedElement::Digits digits;
  if (!block) block = BlockRef(SharedBlock::Copy(element.Text(digits)));
  list->PushBack(std::move(block));
  return true;
}

Entry* RdbValueReader::ReadQuicklist(bool of_ziplists) {
  uint64_t chunks = 0;
  if (!decoder_.Count(&chunks)) return nullptr;
  auto list = std::make_unique<ChunkedList>(static_cast<uint32_t>(limits_.list_compress_depth));
  for (; chunks > 0; --chunks) {
    uint64_t container = rdb::kContainerPacked;
    if (!of_ziplists && !decoder_.Length(&container)) return nullptr;
    if (container != rdb::kContainerPacked && container != rdb::kContainerPlain) {
      return Corrupt(fmt::format("a list's chunk is of unknown kind {}", container));
    }
    const bool read = container == rdb::kContainerPlain ? ReadPlainChunk(list.get())
                                                        : ReadPackedChunk(of_ziplists, list.get());
    if (!read) return nullptr;
  }
  return ListEntry(std::move(list));
}

// --- sets ---

bool RdbValueReader::AddMember(MemberTable* table, std::string_view member) {
  const uint64_t hash = table->Hash(member);
  if (table->Find(member, hash)) return decoder_.Corrupt("a member is there twice");
  table->Insert(Member::New(member), hash);
  return true;
}

bool RdbValueReader::AddMembers(MemberTable* table, const ListpackView& members) {
  PackedElement::Digits digits;
  for (auto at = members.First(); at != ListpackView::kEnd; at = members.Next(at)) {
    if (!AddMember(table, members.Get(at).Text(digits))) return false;
  }
  return true;
}

Entry* RdbValueReader::IntsetEntry(std::vector<int64_t>* integers) {
  std::sort(integers->begin(), integers->end());
  if (std::adjacent_find(integers->begin(), integers->end()) != integers->end()) {
    return Corrupt("a member is there twice");
  }
  RoomyBytes bytes;
  Intset::InitEmpty(bytes);
  // The widest first, so that the others need not be widened later.
  const int64_t widest = integers->back() > -(integers->front() + 1) ? integers->back() : integers->front();
  Intset(bytes).Add(widest);
  for (const int64_t integer : *integers) Intset(bytes).Add(integer);
  const Blob blob(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return PackedEntry(ValueType::kSet, Encoding::kIntset, blob);
}

// A set becomes an intset if its members are integers, few enough; a listpack if they are few and short
// enough; else a table. Which one is known at the end, or as soon as the first two are out of the question.
Entry* RdbValueReader::ReadSet() {
  uint64_t count = 0;
  if (!decoder_.Count(&count)) return nullptr;
  if (count == 0) return Empty();
  const uint64_t most_integers = Limit(limits_.set_max_intset_entries, kMaxGathered);
  const uint64_t most_packed = Limit(limits_.set_max_listpack_entries, kMaxGathered);
  const auto longest = static_cast<size_t>(limits_.set_max_listpack_value);
  std::unique_ptr<MemberTable> table;
  std::vector<int64_t> integers;
  bool all_integers = count <= most_integers;
  ClearScratch();
  for (uint64_t i = 0; i < count; ++i) {
    std::string_view member;
    if (!decoder_.Text(&member)) return nullptr;
    int64_t integer = 0;
    all_integers = all_integers && ParseInt64(member, &integer);
    if (all_integers) integers.push_back(integer);
    const bool may_be_packed = all_integers || (count <= most_packed && member.size() <= longest);
    if (table == nullptr && (!may_be_packed || !scratch().Fits(member.size()))) {
      table = std::make_unique<MemberTable>(db_.keyspace().seed());
      if (!AddMembers(table.get(), scratch())) return nullptr;
    }
    if (table == nullptr) {
      Listpack(scratch_).Append(member);
    } else if (!AddMember(table.get(), member)) {
      return nullptr;
    }
  }
  if (table != nullptr) return ObjectEntry(ValueType::kSet, Encoding::kHashtable, table.release());
  if (all_integers) return IntsetEntry(&integers);
  if (!CheckDistinct(scratch(), 1)) return nullptr;
  return PackedEntry(ValueType::kSet, Encoding::kListpack, ScratchBlob());
}

Entry* RdbValueReader::ReadIntset() {
  Blob blob;
  if (!decoder_.Text(&blob)) return nullptr;
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (!IntsetView::Validate(bytes, blob.size())) return Corrupt("an intset is damaged");
  const IntsetView integers(bytes);
  if (integers.size() == 0) return Empty();
  if (integers.size() <= Limit(limits_.set_max_intset_entries, kMaxIntsetEntries)) {
    return PackedEntry(ValueType::kSet, Encoding::kIntset, blob);
  }
  auto table = std::make_unique<MemberTable>(db_.keyspace().seed());
  for (size_t i = 0; i < integers.size(); ++i) {
    char digits[kMaxInt64Chars];
    if (!AddMember(table.get(), {digits, FormatInt64(integers.At(i), digits)})) return nullptr;
  }
  return ObjectEntry(ValueType::kSet, Encoding::kHashtable, table.release());
}

Entry* RdbValueReader::ReadSetListpack() {
  Blob blob;
  if (!ReadListpack(1, &blob)) return nullptr;
  const ListpackView members(reinterpret_cast<const uint8_t*>(blob.data()));
  if (members.size() <= static_cast<uint64_t>(limits_.set_max_listpack_entries)) {
    if (!CheckDistinct(members, 1)) return nullptr;
    return PackedEntry(ValueType::kSet, Encoding::kListpack, blob);
  }
  auto table = std::make_unique<MemberTable>(db_.keyspace().seed());
  if (!AddMembers(table.get(), members)) return nullptr;
  return ObjectEntry(ValueType::kSet, Encoding::kHashtable, table.release());
}

}  // namespace pinyon
