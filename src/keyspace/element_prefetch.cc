#include "keyspace/element_prefetch.h"

#include <cmath>
#include <span>

#include "base/numbers.h"
#include "types/field.h"
#include "types/member.h"
#include "types/sorted_set.h"

namespace pinyon {

namespace {

// Calls `visit` with a collection whose elements are found by a hash; nothing for a list.
template <typename Visit>
void WithIndex(ValueType type, const void* object, Visit visit) {
  if (type == ValueType::kHash) visit(*static_cast<const FieldTable*>(object));
  if (type == ValueType::kSet) visit(*static_cast<const MemberTable*>(object));
  if (type == ValueType::kZset) visit(static_cast<const SortedSet*>(object)->index());
}

}  // namespace

void ElementPrefetch::Add(const Database& db, std::string_view key, uint64_t key_hash,
                          std::string_view element, std::string_view new_score) {
  if (count_ == kMaxElements) return;
  const EntryRef ref = db.table().Find(key, key_hash);
  if (!ref || !ref->IsObject()) return;
  WithIndex(ref->type(), ref->pointer(), [&](const auto& index) {
    const uint64_t hash = index.Hash(element);
    elements_[count_++] = {ref->type(), ref->pointer(), element, new_score, hash};
  });
}

void ElementPrefetch::Finish() {
  std::array<HashTableLayout::Likely, kMaxElements> likely;
  for (size_t i = 0; i < count_; ++i) {
    WithIndex(elements_[i].type, elements_[i].object,
              [&](const auto& index) { index.PrefetchBucket(elements_[i].hash); });
  }
  bool any_sorted = false;
  for (size_t i = 0; i < count_; ++i) {
    const Element& element = elements_[i];
    any_sorted |= element.type == ValueType::kZset;
    WithIndex(element.type, element.object,
              [&](const auto& index) { likely[i] = index.FindLikely(element.hash); });
  }
  for (size_t i = 0; i < count_; ++i) {
    WithIndex(elements_[i].type, elements_[i].object,
              [&](const auto& index) { index.PrefetchLikely(likely[i]); });
  }
  if (any_sorted) FetchPlaces();
  count_ = 0;
}

// Where the members of large sorted sets stand, and where they will.
void ElementPrefetch::FetchPlaces() {
  struct Place {
    const ScoreTree* tree;
    ScoreTree::Hint hint;
  };
  std::array<Place, 2 * kMaxElements> room;
  size_t count = 0;
  const auto add = [&](const SortedSet& set, double score) { room[count++] = {&set.tree(), {score}}; };
  for (size_t i = 0; i < count_; ++i) {
    const Element& element = elements_[i];
    if (element.type != ValueType::kZset) continue;
    const auto& set = *static_cast<const SortedSet*>(element.object);
    if (set.size() < ScoreTree::kWorthHints) continue;
    if (const auto position = set.index().Find(element.text, element.hash)) add(set, position->score());
    double score = 0;
    if (!element.new_score.empty() && ParseDouble(element.new_score, &score) && !std::isnan(score)) {
      add(set, score);
    }
  }
  const std::span<Place> places(room.data(), count);
  for (Place& place : places) place.tree->PrefetchParent(&place.hint);
  for (Place& place : places) place.tree->PrefetchLeaf(&place.hint);
  for (const Place& place : places) place.tree->PrefetchEqual(place.hint);
}

}  // namespace pinyon
