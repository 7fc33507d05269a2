// A key's sorted set, whatever its encoding: kListpack (PackedZset, in or beside the entry) or kSkiplist
// (SortedSet, which is no skip list, but that is what clients are told). It becomes the latter when a member
// comes that zset-max-listpack-entries or -value do not allow, and never goes back by itself.
//
// Order is by score, then by member; ranks count from 0 in that order. No score is NaN.
//
//   for (ZsetCursor at = zset.At(range.begin); count > 0; --count, at.Next()) Use(at.member(), at.score());
//
// A result that is stored under a key is built outside of the database:
//
//   ZsetValue result(db, ZsetValue::New(key));
//   ... result.Add, AddNew ...
//   if (result.size() > 0) db.StoreEntry(result.Release());
//
// Costs: of a listpack everything is O(n), n being small; else search by member O(1), everything else
// O(log n + answer). See collection_value.h for how long a value is valid; every change ends its cursors.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "keyspace/collection_value.h"
#include "types/packed_zset.h"
#include "types/sorted_set.h"
#include "types/zset_range.h"

namespace pinyon {

// A place in the order of a sorted set, or none. Stepping beyond either end makes it none.
class ZsetCursor {
 public:
  ZsetCursor() = default;
  explicit operator bool() const { return bytes_ != nullptr ? pair_ != PackedZsetView::kEnd : bool(tree_); }

  // Borrowed until the cursor moves or the set changes.
  std::string_view member() {
    return bytes_ != nullptr ? PackedZsetView(bytes_).Member(pair_).Text(digits_) : tree_->key();
  }
  double score() const { return bytes_ != nullptr ? PackedZsetView(bytes_).Score(pair_) : tree_.score(); }
  void Next() {
    if (bytes_ == nullptr) return tree_.Next();
    pair_ = PackedZsetView(bytes_).Next(pair_);
  }
  void Previous() {
    if (bytes_ == nullptr) return tree_.Previous();
    pair_ = PackedZsetView(bytes_).Previous(pair_);
  }

 private:
  friend class ZsetValue;
  explicit ZsetCursor(ScoreTree::Cursor tree) : tree_(tree) {}
  ZsetCursor(const uint8_t* bytes, PackedZsetView::Offset pair) : bytes_(bytes), pair_(pair) {}

  const uint8_t* bytes_ = nullptr;  // of a listpack
  PackedZsetView::Offset pair_ = PackedZsetView::kEnd;
  ScoreTree::Cursor tree_;
  PackedElement::Digits digits_;
};

// The conditions of ZADD.
struct ZaddOptions {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool only_greater = false;   // GT: members that exist get a greater score only
  bool only_less = false;      // LT
  bool increment = false;      // INCR: the score is added to what is there
};

enum class ZaddResult : uint8_t {
  kRefused,  // by a condition; nothing changed
  kAdded,
  kUpdated,
  kUnchanged,  // it had that score
  kNan,        // the increment would give no number; nothing changed
};

class ZsetValue : public CollectionValue {
 public:
  // The sorted set of a key.
  ZsetValue(Database& database, EntryRef ref) : CollectionValue(database, ref) { CheckType(); }
  // One that is built outside, which is taken over.
  ZsetValue(Database& database, Entry* detached) : CollectionValue(database, detached) { CheckType(); }
  // An empty one, outside.
  static Entry* New(std::string_view key, int64_t expiry_ms = kNoExpiry) {
    return Database::NewPacked(key, ValueType::kZset, Encoding::kListpack, expiry_ms);
  }
  // An empty one under a key that is not there, to be filled at once.
  static EntryRef AddKey(Database& database, std::string_view key, uint64_t hash) {
    return database.AddPacked(key, hash, ValueType::kZset, Encoding::kListpack);
  }

  bool is_packed() const { return encoding() == Encoding::kListpack; }
  uint64_t size() const;

  // False when the member is not there.
  bool Score(std::string_view member, double* score) const;
  bool Contains(std::string_view member) const;
  // The rank of a member from the lowest score on, and its score; false when it is not there.
  bool Rank(std::string_view member, uint64_t* rank, double* score) const;

  // ZADD for one member. *new_score is its score afterwards, unless it was refused, or is NaN.
  ZaddResult Add(std::string_view member, double score, const ZaddOptions& options, double* new_score);
  // The plain case: the member has that score afterwards.
  void Add(std::string_view member, double score) {
    double ignored;
    Add(member, score, {}, &ignored);
  }
  // So many members will be added to an empty value: it takes the encoding for them at once.
  void ExpectSize(uint64_t members) {
    PINYON_ASSERT(size() == 0);
    if (members > static_cast<uint64_t>(limits().zset_max_listpack_entries)) BecomeSortedSet();
  }
  // Adds a member that is not there (not looked for).
  void AddNew(std::string_view member, double score);
  bool Remove(std::string_view member);
  // The range lies within [0, size()].
  void RemoveRanks(RankRange range);

  // rank < size().
  ZsetCursor At(uint64_t rank) const;
  ZsetCursor First() const;
  ZsetCursor Last() const;
  // Any member with equal odds; the set is not empty.
  ZsetCursor RandomMember() const { return At(random().Below(size())); }

  // How many come before a bound: the rank of what follows it.
  uint64_t CountBefore(const ScoreBound& bound) const;
  RankRange RanksOf(const ScoreRange& range) const;
  // Where scores differ, what it gives is in the set, but not specified.
  RankRange RanksOf(const LexRange& range) const;

  // Visits some members: all of a listpack, else as HashTable::Scan. Returns the next cursor, 0 at the end.
  using Visit = std::function<void(std::string_view member, double score)>;
  uint64_t Scan(uint64_t cursor, size_t count, const Visit& visit) const;

  // Makes a listpack of a result from which members were removed, if the limits allow it. Of a detached
  // value only.
  void PackIfSmall();

  // The value as what it is, for those that measure it.
  const SortedSet& sorted_set() const {
    PINYON_ASSERT(!is_packed());
    return *static_cast<const SortedSet*>(object());
  }

 private:
  void CheckType() const { PINYON_ASSERT(entry()->type() == ValueType::kZset); }
  PackedZsetView view() const { return PackedZsetView(packed_data()); }
  PackedZset packed_set() { return PackedZset(packed()); }
  SortedSet& sorted_set() {
    PINYON_ASSERT(!is_packed());
    return *static_cast<SortedSet*>(object());
  }
  bool MayStayPacked(std::string_view new_member) const;
  void BecomeSortedSet();
};

}  // namespace pinyon
