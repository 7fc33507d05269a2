#include "keyspace/set_view.h"

#include <algorithm>
#include <unordered_set>

#include "base/prefetch.h"
#include "base/selection_sampler.h"

namespace pinyon {

namespace {

PackedElement OfInteger(int64_t value) { return {.is_integer = true, .integer = value, .text = {}}; }
PackedElement OfMember(const Member* member) { return {.text = member->key()}; }

}  // namespace

size_t SetView::size() const {
  switch (encoding()) {
    case Encoding::kIntset: return intset().size();
    case Encoding::kListpack: return listpack().size();
    default: return table().size();
  }
}

bool SetView::Contains(std::string_view member) const {
  switch (encoding()) {
    case Encoding::kIntset: {
      int64_t value;
      return ParseInt64(member, &value) && intset().Contains(value);
    }
    case Encoding::kListpack: {
      const ListpackView members = listpack();
      return members.Find(members.First(), member) != ListpackView::kEnd;
    }
    default: return static_cast<bool>(table().Find(member, table().Hash(member)));
  }
}

bool SetView::Contains(const PackedElement& member) const {
  if (member.is_integer && encoding() == Encoding::kIntset) return intset().Contains(member.integer);
  PackedElement::Digits digits;
  return Contains(member.Text(digits));
}

SetPick SetView::PickRandom(Random& random) const {
  SetPick pick;
  switch (encoding()) {
    case Encoding::kIntset: pick.element = OfInteger(intset().At(random.Below(size()))); break;
    case Encoding::kListpack: {
      const ListpackView members = listpack();
      pick.offset = members.Seek(static_cast<int64_t>(random.Below(members.size())));
      pick.element = members.Get(pick.offset);
      break;
    }
    default: pick.position = table().RandomPosition(random); pick.element = OfMember(pick.position.entry());
  }
  return pick;
}

std::vector<PackedElement> SetView::Sample(size_t count, Random& random) const {
  const size_t total = size();
  PINYON_ASSERT(count < total);
  std::vector<PackedElement> sample;
  sample.reserve(count);
  // Drawing again what was drawn before is rare enough below this share.
  constexpr size_t kFewAmongMany = 3;
  if (encoding() == Encoding::kHashtable && count < total / kFewAmongMany) {
    std::unordered_set<const Member*> drawn;
    drawn.reserve(count);
    while (sample.size() < count) {
      const Member* member = table().RandomPosition(random).entry();
      if (drawn.insert(member).second) sample.push_back(OfMember(member));
    }
    return sample;
  }
  SelectionSampler sampler(count, total, random);
  SetReader reader(*this);
  for (PackedElement element; !sampler.done() && reader.Next(&element);) {
    if (sampler.Take()) sample.push_back(element);
  }
  PINYON_ASSERT(sample.size() == count);
  return sample;
}

uint64_t SetView::Scan(uint64_t cursor, size_t count,
                       const std::function<void(const PackedElement&)>& visit) const {
  if (encoding() == Encoding::kHashtable) {
    return table().ScanItems(cursor, count, [&visit](const Member* member) { visit(OfMember(member)); });
  }
  SetReader reader(*this);
  for (PackedElement element; reader.Next(&element);) visit(element);
  return 0;
}

SetReader::SetReader(SetView set) : set_(set) {
  if (set.encoding() == Encoding::kListpack) offset_ = set.listpack().First();
}

bool SetReader::Next(PackedElement* element) {
  switch (set_.encoding()) {
    case Encoding::kIntset: {
      const IntsetView members = set_.intset();
      if (index_ == members.size()) return false;
      *element = OfInteger(members.At(index_++));
      return true;
    }
    case Encoding::kListpack: {
      if (offset_ == ListpackView::kEnd) return false;
      const ListpackView members = set_.listpack();
      *element = members.Get(offset_);
      offset_ = members.Next(offset_);
      return true;
    }
    default:
      if (next_member_ == members_.size() && !FetchMembers()) return false;
      *element = OfMember(members_[next_member_++]);
      return true;
  }
}

// The next members of the table, on their way into the cache.
bool SetReader::FetchMembers() {
  constexpr size_t kSlotsAtOnce = 32;
  members_.clear();
  next_member_ = 0;
  while (members_.empty() && !at_end_) {
    cursor_ = set_.table().Scan(cursor_, kSlotsAtOnce, [this](const Member* member) {
      Prefetch(member);
      members_.push_back(member);
    });
    at_end_ = cursor_ == 0;
  }
  return !members_.empty();
}

SetPicker::SetPicker(SetView set) : set_(set) {
  if (set.encoding() != Encoding::kListpack) return;
  const ListpackView members = set.listpack();
  offsets_.reserve(members.size());
  for (auto at = members.First(); at != ListpackView::kEnd; at = members.Next(at)) offsets_.push_back(at);
}

PackedElement SetPicker::Draw(Random& random) const {
  if (offsets_.empty()) return set_.PickRandom(random).element;
  return set_.listpack().Get(offsets_[random.Below(offsets_.size())]);
}

void SetBatch::Clear() {
  size_ = 0;
  kept_ = 0;
  hashed_ = false;
}

void SetBatch::Add(const PackedElement& element) {
  PINYON_ASSERT(size_ < kCapacity);
  elements_[size_] = element;
  kept_ |= 1u << size_++;
  hashed_ = false;
}

bool SetBatch::Fill(SetReader& reader) {
  Clear();
  for (PackedElement element; size_ < kCapacity && reader.Next(&element);) Add(element);
  return size_ > 0;
}

uint32_t SetBatch::MembersOf(SetView set) {
  if (set.encoding() == Encoding::kHashtable) return MembersOfTable(set.table());
  uint32_t members = 0;
  for (uint32_t left = kept_; left != 0; left &= left - 1) {
    const auto i = static_cast<uint32_t>(__builtin_ctz(left));
    if (set.Contains(elements_[i])) members |= 1u << i;
  }
  return members;
}

uint32_t SetBatch::MembersOfTable(const MemberTable& table) {
  PrepareHashes();
  const auto for_each_kept = [this](auto act) {
    for (uint32_t left = kept_; left != 0; left &= left - 1) {
      act(static_cast<uint32_t>(__builtin_ctz(left)));
    }
  };
  uint32_t members = 0;
  for_each_kept([&](uint32_t i) { table.PrefetchBucket(hashes_[i]); });
  for_each_kept([&](uint32_t i) { table.PrefetchItem(hashes_[i]); });
  for_each_kept([&](uint32_t i) {
    if (table.Find(texts_[i], hashes_[i])) members |= 1u << i;
  });
  return members;
}

void SetBatch::PrepareHashes() {
  if (hashed_) return;
  hashed_ = true;
  for (size_t i = 0; i < size_; ++i) {
    texts_[i] = elements_[i].Text(digits_[i]);
    hashes_[i] = HashBytes(texts_[i], seed_);
  }
}

}  // namespace pinyon
