// A key's set, to be changed. (set_view.h describes the encodings and reads them.)
//
// A set starts as an intset if its first member is an integer, else as a listpack, unless more members are
// expected than that may hold, and then as a table. It becomes a table when it outgrows its encoding:
//
//   intset    more than set-max-intset-entries integers
//             a text is added: a listpack if that may hold all, else a table
//   listpack  more than set-max-listpack-entries members, or one longer than set-max-listpack-value
//
// and goes back only when most of a table is popped at once (PopMany), as in Redis 7.2.
//
// Costs of a member in a table: its bytes and one, rounded up to eight, and 10 to 11.2 bytes of table.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "keyspace/collection_value.h"
#include "keyspace/set_view.h"

namespace pinyon {

class SetValue : public CollectionValue {
 public:
  SetValue(Database& db, EntryRef ref) : CollectionValue(db, ref) { CheckType(); }
  // Built outside, to be stored when it is done.
  SetValue(Database& db, Entry* detached) : CollectionValue(db, detached) { CheckType(); }

  // The packed encoding in which a set starts (kIntset or kListpack); Expect may make a table of it.
  static Encoding InitialEncoding(const EncodingLimits& limits, std::string_view first_member,
                                  size_t expected);
  // Announces that many members: where they will not fit, the conversion happens at once.
  void Expect(size_t members);

  SetView view() const { return SetView(entry()); }
  size_t size() const { return view().size(); }

  // False when it was there already.
  bool Add(std::string_view member);
  bool Add(const PackedElement& member);
  // Return how many were not there.
  size_t AddAll(std::span<const std::string_view> members);
  // Every member of another set.
  void AddAll(SetView other);

  // False when it was not there. `member` must not be borrowed from the set itself.
  bool Remove(std::string_view member);
  bool Remove(const PackedElement& member);
  void Remove(const SetPick& pick);
  // Return how many were there.
  size_t RemoveAll(std::span<const std::string_view> members);
  // Every member that another set, not this one, has too.
  void RemoveAll(SetView other);

  // Removes `count` members, each subset with equal odds, and calls `visit` with each while it still exists;
  // count < size().
  void PopMany(size_t count, const std::function<void(const PackedElement&)>& visit);

  // Makes an intset of a set whose members are all integers, if they are not too many.
  void CompactIntegers();

 private:
  using Visitor = std::function<void(const PackedElement&)>;

  void CheckType() const { PINYON_ASSERT(entry()->type() == ValueType::kSet); }
  MemberTable& table() { return *static_cast<MemberTable*>(object()); }

  bool AddToIntset(int64_t value);
  bool AddText(std::string_view member);
  bool AddToListpack(std::string_view member);
  bool AddToTable(std::string_view member, uint64_t hash);
  bool RemoveFromTable(std::string_view member, uint64_t hash);
  void RemoveFromTable(MemberTable::Position position);
  bool FitsListpack(std::string_view member) const;
  bool IntegersFitListpack() const;
  void BecomeListpack();
  void BecomeTable();

  void PopFromPacked(size_t count, const Visitor& visit);
  void PopMostOfTable(size_t count, const Visitor& visit);
};

}  // namespace pinyon
