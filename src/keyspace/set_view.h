// A key's set as it is read, whatever its encoding:
//
//   kIntset     integers, ascending
//   kListpack   a few strings (and integers), in the order in which they were added
//   kHashtable  a MemberTable, in no order
//
// A SetView borrows an entry and is valid until something in its database changes; copying it costs nothing.
// Elements are given as PackedElement: a number where one is stored, else a text that is borrowed likewise.
//
// Costs: Contains is O(log n), O(n) of at most set-max-listpack-entries, and O(1); a member's hash may be
// given where it is known (all tables of a keyspace have the same seed).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "keyspace/entry.h"
#include "types/intset.h"
#include "types/listpack.h"
#include "types/member.h"

namespace pinyon {

// A member that was chosen, with its place, valid until the set changes.
struct SetPick {
  PackedElement element;
  ListpackView::Offset offset = ListpackView::kEnd;  // kListpack
  MemberTable::Position position;                    // kHashtable
};

class SetView {
 public:
  explicit SetView(const Entry* entry) : entry_(entry) { PINYON_ASSERT(entry->type() == ValueType::kSet); }

  const Entry* entry() const { return entry_; }
  Encoding encoding() const { return entry_->encoding(); }
  size_t size() const;

  // `member` in any spelling but the canonical one is no integer.
  bool Contains(std::string_view member) const;
  bool Contains(const PackedElement& member) const;

  // A member with equal odds; the set must not be empty.
  SetPick PickRandom(Random& random) const;
  // `count` different members, each subset with equal odds; count < size(). Their order is the set's own, or
  // none when they are few among many.
  std::vector<PackedElement> Sample(size_t count, Random& random) const;

  // The next members from `cursor` on (0: the beginning), about `count` of them; returns the next cursor, 0
  // at the end. A member that is present throughout a scan is visited at least once, whatever else changes.
  // Small encodings are visited whole.
  uint64_t Scan(uint64_t cursor, size_t count, const std::function<void(const PackedElement&)>& visit) const;

  IntsetView intset() const {
    PINYON_ASSERT(encoding() == Encoding::kIntset);
    return IntsetView(entry_->packed());
  }
  ListpackView listpack() const {
    PINYON_ASSERT(encoding() == Encoding::kListpack);
    return ListpackView(entry_->packed());
  }
  const MemberTable& table() const {
    PINYON_ASSERT(encoding() == Encoding::kHashtable);
    return *static_cast<const MemberTable*>(entry_->pointer());
  }

 private:
  const Entry* entry_;
};

// Reads a set from its beginning to its end, members of large tables fetched ahead.
class SetReader {
 public:
  explicit SetReader(SetView set);
  // False at the end.
  bool Next(PackedElement* element);

 private:
  bool FetchMembers();

  SetView set_;
  size_t index_ = 0;                                  // kIntset
  ListpackView::Offset offset_ = ListpackView::kEnd;  // kListpack
  uint64_t cursor_ = 0;                               // kHashtable
  bool at_end_ = false;
  size_t next_member_ = 0;
  std::vector<const Member*> members_;
};

// Draws members of a set with equal odds, again and again, in O(1).
class SetPicker {
 public:
  explicit SetPicker(SetView set);
  PackedElement Draw(Random& random) const;

 private:
  SetView set_;
  std::vector<ListpackView::Offset> offsets_;  // kListpack
};

// Up to sixteen elements on their way through tests of membership: the places of all in a large table are
// asked of memory before the first is looked at. What is kept of them is a bit each.
class SetBatch {
 public:
  static constexpr size_t kCapacity = 16;

  explicit SetBatch(const HashSeed& seed) : seed_(seed) {}

  // Takes the next elements of a set in the place of what was there; false when there are none.
  bool Fill(SetReader& reader);
  void Clear();
  void Add(const PackedElement& element);
  void Add(std::string_view text) { Add(PackedElement{.text = text}); }

  size_t size() const { return size_; }
  const PackedElement& element(size_t index) const { return elements_[index]; }
  bool IsKept(size_t index) const { return (kept_ >> index & 1) != 0; }
  bool any_kept() const { return kept_ != 0; }

  void KeepMembersOf(SetView set) { kept_ = MembersOf(set); }
  void DropMembersOf(SetView set) { kept_ &= ~MembersOf(set); }

 private:
  // Those that are kept and are members, as bits.
  uint32_t MembersOf(SetView set);
  uint32_t MembersOfTable(const MemberTable& table);
  void PrepareHashes();

  HashSeed seed_;
  size_t size_ = 0;
  uint32_t kept_ = 0;
  bool hashed_ = false;
  std::array<PackedElement, kCapacity> elements_;
  std::array<PackedElement::Digits, kCapacity> digits_;
  std::array<std::string_view, kCapacity> texts_;
  std::array<uint64_t, kCapacity> hashes_;
};

}  // namespace pinyon
