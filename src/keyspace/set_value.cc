#include "keyspace/set_value.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/selection_sampler.h"
#include "keyspace/keyspace.h"

namespace pinyon {

namespace {

// What an intset can hold whatever the configuration says.
constexpr int64_t kMaxIntsetEntries = int64_t{1} << 30;

size_t MaxIntsetEntries(const EncodingLimits& limits) {
  return static_cast<size_t>(std::min(limits.set_max_intset_entries, kMaxIntsetEntries));
}
size_t MaxListpackEntries(const EncodingLimits& limits) {
  return static_cast<size_t>(limits.set_max_listpack_entries);
}
size_t MaxListpackValue(const EncodingLimits& limits) {
  return static_cast<size_t>(limits.set_max_listpack_value);
}

size_t DigitsOf(int64_t value) {
  char digits[kMaxInt64Chars];
  return FormatInt64(value, digits);
}

// The next members of a set as texts.
class TextBatch {
 public:
  bool Fill(SetReader& reader) {
    size_ = 0;
    for (PackedElement element; size_ < texts_.size() && reader.Next(&element); ++size_) {
      texts_[size_] = element.Text(digits_[size_]);
    }
    return size_ > 0;
  }
  std::span<const std::string_view> texts() const { return std::span(texts_).first(size_); }

 private:
  size_t size_ = 0;
  std::array<std::string_view, SetBatch::kCapacity> texts_;
  std::array<PackedElement::Digits, SetBatch::kCapacity> digits_;
};

void Append(Listpack& listpack, const PackedElement& element) {
  element.is_integer ? listpack.AppendInteger(element.integer) : listpack.Append(element.text);
}

}  // namespace

Encoding SetValue::InitialEncoding(const EncodingLimits& limits, std::string_view first_member,
                                   size_t expected) {
  int64_t value;
  const bool as_integers = ParseInt64(first_member, &value) && expected <= MaxIntsetEntries(limits);
  return as_integers ? Encoding::kIntset : Encoding::kListpack;
}

void SetValue::Expect(size_t members) {
  const bool outgrown = (encoding() == Encoding::kIntset && members > MaxIntsetEntries(limits())) ||
                        (encoding() == Encoding::kListpack && members > MaxListpackEntries(limits()));
  if (outgrown) BecomeTable();
}

// --- adding ---

bool SetValue::Add(std::string_view member) {
  switch (encoding()) {
    case Encoding::kIntset: {
      int64_t value;
      return ParseInt64(member, &value) ? AddToIntset(value) : AddText(member);
    }
    case Encoding::kListpack: return AddToListpack(member);
    default: return AddToTable(member, table().Hash(member));
  }
}

bool SetValue::Add(const PackedElement& member) {
  if (member.is_integer && encoding() == Encoding::kIntset) return AddToIntset(member.integer);
  PackedElement::Digits digits;
  return Add(member.Text(digits));
}

size_t SetValue::AddAll(std::span<const std::string_view> members) {
  std::array<uint64_t, SetBatch::kCapacity> hashes;
  size_t added = 0;
  for (size_t first = 0; first < members.size(); first += hashes.size()) {
    const auto group = members.subspan(first, std::min(hashes.size(), members.size() - first));
    if (encoding() != Encoding::kHashtable || group.size() == 1) {
      for (const std::string_view member : group) added += Add(member);
      continue;
    }
    for (size_t i = 0; i < group.size(); ++i) {
      hashes[i] = table().Hash(group[i]);
      table().PrefetchBucket(hashes[i]);
    }
    for (size_t i = 0; i < group.size(); ++i) added += AddToTable(group[i], hashes[i]);
  }
  return added;
}

void SetValue::AddAll(SetView other) {
  // Adding them one by one would come to the same.
  const size_t largest_packed = std::max(MaxIntsetEntries(limits()), MaxListpackEntries(limits()));
  if (other.size() > largest_packed) Expect(other.size());
  SetReader reader(other);
  TextBatch batch;
  while (encoding() == Encoding::kHashtable && batch.Fill(reader)) AddAll(batch.texts());
  for (PackedElement element; reader.Next(&element);) Add(element);
}

bool SetValue::AddToIntset(int64_t value) {
  if (!Intset(packed()).Add(value)) return false;
  if (view().intset().size() > MaxIntsetEntries(limits())) BecomeTable();
  return true;
}

// A text comes to integers.
bool SetValue::AddText(std::string_view member) {
  if (FitsListpack(member) && IntegersFitListpack()) {
    BecomeListpack();
    Listpack(packed()).Append(member);
    return true;
  }
  BecomeTable();
  return AddToTable(member, table().Hash(member));
}

bool SetValue::AddToListpack(std::string_view member) {
  if (view().Contains(member)) return false;
  if (FitsListpack(member) && view().listpack().Fits(member.size())) {
    Listpack(packed()).Append(member);
    return true;
  }
  BecomeTable();
  return AddToTable(member, table().Hash(member));
}

bool SetValue::AddToTable(std::string_view member, uint64_t hash) {
  MemberTable& members = table();
  if (members.Find(member, hash)) return false;
  members.Insert(Member::New(member), hash);
  return true;
}

bool SetValue::FitsListpack(std::string_view member) const {
  return view().size() < MaxListpackEntries(limits()) && member.size() <= MaxListpackValue(limits());
}

bool SetValue::IntegersFitListpack() const {
  const IntsetView integers = view().intset();
  const size_t count = integers.size();
  if (count == 0) return true;
  const size_t longest = std::max(DigitsOf(integers.At(0)), DigitsOf(integers.At(count - 1)));
  constexpr size_t kMaxElementBytes = 10;
  return longest <= MaxListpackValue(limits()) && count < ListpackView::kMaxBytes / (2 * kMaxElementBytes);
}

// --- removing ---

bool SetValue::Remove(std::string_view member) {
  switch (encoding()) {
    case Encoding::kIntset: {
      int64_t value;
      return ParseInt64(member, &value) && Intset(packed()).Remove(value);
    }
    case Encoding::kListpack: {
      Listpack members(packed());
      const auto at = members.Find(members.First(), member);
      if (at == ListpackView::kEnd) return false;
      members.Delete(at);
      return true;
    }
    default: return RemoveFromTable(member, table().Hash(member));
  }
}

bool SetValue::Remove(const PackedElement& member) {
  if (member.is_integer && encoding() == Encoding::kIntset) return Intset(packed()).Remove(member.integer);
  PackedElement::Digits digits;
  return Remove(member.Text(digits));
}

void SetValue::Remove(const SetPick& pick) {
  switch (encoding()) {
    case Encoding::kIntset: {
      const bool removed = Intset(packed()).Remove(pick.element.integer);
      PINYON_ASSERT(removed);
      break;
    }
    case Encoding::kListpack: Listpack(packed()).Delete(pick.offset); break;
    default: RemoveFromTable(pick.position);
  }
}

size_t SetValue::RemoveAll(std::span<const std::string_view> members) {
  std::array<uint64_t, SetBatch::kCapacity> hashes;
  size_t removed = 0;
  for (size_t first = 0; first < members.size(); first += hashes.size()) {
    const auto group = members.subspan(first, std::min(hashes.size(), members.size() - first));
    if (encoding() != Encoding::kHashtable || group.size() == 1) {
      for (const std::string_view member : group) removed += Remove(member);
      continue;
    }
    for (size_t i = 0; i < group.size(); ++i) {
      hashes[i] = table().Hash(group[i]);
      table().PrefetchBucket(hashes[i]);
    }
    for (size_t i = 0; i < group.size(); ++i) table().PrefetchItem(hashes[i]);
    for (size_t i = 0; i < group.size(); ++i) removed += RemoveFromTable(group[i], hashes[i]);
  }
  return removed;
}

void SetValue::RemoveAll(SetView other) {
  PINYON_ASSERT(other.entry() != entry());
  SetReader reader(other);
  TextBatch batch;
  while (batch.Fill(reader)) RemoveAll(batch.texts());
}

bool SetValue::RemoveFromTable(std::string_view member, uint64_t hash) {
  const MemberTable::Position position = table().Find(member, hash);
  if (!position) return false;
  RemoveFromTable(position);
  return true;
}

void SetValue::RemoveFromTable(MemberTable::Position position) {
  Member::Delete(table().Remove(position));
  table().Tidy();
}

void SetValue::PopMany(size_t count, const Visitor& visit) {
  PINYON_ASSERT(count < size());
  if (encoding() != Encoding::kHashtable) return PopFromPacked(count, visit);
  // Where few stay it costs less to pick those.
  constexpr size_t kFewStay = 5;
  if ((size() - count) * kFewStay <= count) return PopMostOfTable(count, visit);
  for (; count > 0; --count) {
    const SetPick pick = view().PickRandom(random());
    visit(pick.element);
    Remove(pick);
  }
}

void SetValue::PopFromPacked(size_t count, const Visitor& visit) {
  const Encoding kept_encoding = encoding();
  PackedBlock kept;
  if (kept_encoding == Encoding::kIntset) {
    Intset::InitEmpty(kept);
  } else {
    Listpack::InitEmpty(kept);
  }
  SelectionSampler sampler(count, size(), random());
  SetReader reader(view());
  for (PackedElement element; reader.Next(&element);) {
    if (sampler.Take()) {
      visit(element);
    } else if (kept_encoding == Encoding::kIntset) {
      Intset(kept).Add(element.integer);
    } else {
      Listpack into(kept);
      Append(into, element);
    }
  }
  BecomePacked(kept_encoding, kept.data(), kept.size());
}

void SetValue::PopMostOfTable(size_t count, const Visitor& visit) {
  MemberTable* popped = &table();
  std::vector<Member*> kept;
  kept.reserve(popped->size() - count);
  size_t longest = 0;
  while (popped->size() > count) {
    kept.push_back(popped->Remove(popped->RandomPosition(random())));
    longest = std::max(longest, kept.back()->key().size());
  }
  SetReader reader(view());
  for (PackedElement element; reader.Next(&element);) visit(element);

  if (kept.size() <= MaxListpackEntries(limits()) && longest <= MaxListpackValue(limits()) &&
      longest * kept.size() < ListpackView::kMaxBytes / 2) {
    PackedBlock block;
    Listpack::InitEmpty(block);
    Listpack members(block);
    for (Member* member : kept) {
      members.Append(member->key());
      Member::Delete(member);
    }
    BecomePacked(Encoding::kListpack, block.data(), block.size());
  } else {
    auto members = std::make_unique<MemberTable>(seed());
    for (Member* member : kept) members->Insert(member, members->Hash(member->key()));
    entry()->set_pointer(members.release());
  }
  // What was popped is freed like any other large value.
  Entry* garbage = Entry::NewObject("", kNoExpiry, ValueType::kSet, Encoding::kHashtable, popped);
  if (garbage->IsExpensiveToFree()) {
    db().keyspace().lazy_free().Free(garbage, false);
  } else {
    Entry::Delete(garbage);
  }
}

// --- encodings ---

void SetValue::BecomeListpack() {
  const IntsetView integers = view().intset();
  PackedBlock block;
  Listpack::InitEmpty(block);
  Listpack members(block);
  for (size_t i = 0; i < integers.size(); ++i) members.AppendInteger(integers.At(i));
  BecomePacked(Encoding::kListpack, block.data(), block.size());
}

void SetValue::BecomeTable() {
  auto members = std::make_unique<MemberTable>(seed());
  SetReader reader(view());
  PackedElement::Digits digits;
  for (PackedElement element; reader.Next(&element);) {
    Member* member = Member::New(element.Text(digits));
    members->Insert(member, members->Hash(member->key()));
  }
  BecomeObject(Encoding::kHashtable, members.release());
}

void SetValue::CompactIntegers() {
  if (encoding() == Encoding::kIntset || size() > MaxIntsetEntries(limits())) return;
  std::vector<int64_t> values;
  values.reserve(size());
  SetReader reader(view());
  for (PackedElement element; reader.Next(&element);) {
    if (!element.is_integer && !ParseInt64(element.text, &element.integer)) return;
    values.push_back(element.integer);
  }
  std::sort(values.begin(), values.end());
  PackedBlock block;
  Intset::InitEmpty(block);
  for (const int64_t value : values) Intset(block).Add(value);
  MemberTable* outgrown = encoding() == Encoding::kHashtable ? &table() : nullptr;
  BecomePacked(Encoding::kIntset, block.data(), block.size());
  delete outgrown;
}

}  // namespace pinyon
