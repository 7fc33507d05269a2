// What sorted-set algebra reads from: a sorted set, or a set, whose members all have the score 1. Entries are
// borrowed until the database changes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "keyspace/set_view.h"
#include "types/packed_zset.h"
#include "types/sorted_set.h"

namespace pinyon {

struct ScoredElement {
  PackedElement element;
  double score;
};

class ScoredSource {
 public:
  // `entry` may be null: an empty source.
  explicit ScoredSource(const Entry* entry) : entry_(entry) {}

  size_t size() const;
  // False when the member is not there.
  bool Find(std::string_view member, double* score) const;
  // Hints for a later Find of a member with that hash: first the bucket, then, when it has arrived, the item.
  void PrefetchBucket(uint64_t hash) const;
  void PrefetchItem(uint64_t hash) const;
  // Whether those hints do anything, so that it is worth hashing for.
  bool IsTable() const { return sorted_set() != nullptr || members() != nullptr; }

 private:
  friend class ScoredReader;

  bool IsSet() const { return entry_ != nullptr && entry_->type() == ValueType::kSet; }
  const SortedSet* sorted_set() const {
    const bool is_large = entry_ != nullptr && entry_->encoding() == Encoding::kSkiplist;
    return is_large ? static_cast<const SortedSet*>(entry_->pointer()) : nullptr;
  }
  const MemberTable* members() const {
    const bool is_table = IsSet() && entry_->encoding() == Encoding::kHashtable;
    return is_table ? static_cast<const MemberTable*>(entry_->pointer()) : nullptr;
  }

  const Entry* entry_;
};

// Reads a source from its beginning to its end; a sorted set by score.
class ScoredReader {
 public:
  explicit ScoredReader(const ScoredSource& source);
  // False at the end. Texts are borrowed from the source.
  bool Next(ScoredElement* element);

 private:
  const Entry* entry_;
  std::optional<SetReader> set_;
  PackedZsetView::Offset pair_ = PackedZsetView::kEnd;
  ScoreTree::Cursor tree_;
};

// Up to sixteen elements of a source on their way through others, as SetBatch has them.
class ScoredBatch {
 public:
  static constexpr size_t kCapacity = 16;

  explicit ScoredBatch(const HashSeed& seed) : seed_(seed) {}

  // Takes the next elements in the place of what was there; false when there are none.
  bool Fill(ScoredReader& reader);

  size_t size() const { return size_; }
  const ScoredElement& operator[](size_t index) const { return elements_[index]; }
  bool IsKept(size_t index) const { return (kept_ >> index & 1) != 0; }
  bool any_kept() const { return kept_ != 0; }

  // Keeps what a source has too, and gives the scores that it has for them.
  void KeepFound(const ScoredSource& source, std::array<double, kCapacity>* scores) {
    kept_ = FindIn(source, scores);
  }
  void DropFound(const ScoredSource& source) {
    std::array<double, kCapacity> ignored;
    kept_ &= ~FindIn(source, &ignored);
  }

 private:
  // Those that are kept and that the source has, as bits.
  uint32_t FindIn(const ScoredSource& source, std::array<double, kCapacity>* scores);

  HashSeed seed_;
  size_t size_ = 0;
  uint32_t kept_ = 0;
  bool hashed_ = false;
  std::array<ScoredElement, kCapacity> elements_;
  std::array<PackedElement::Digits, kCapacity> digits_;
  std::array<std::string_view, kCapacity> texts_;
  std::array<uint64_t, kCapacity> hashes_;
};

}  // namespace pinyon
