#include "keyspace/element_prefetch.h"

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
  if (type == ValueType::kZset) visit(*static_cast<const SortedSet*>(object));
}

}  // namespace

void ElementPrefetch::Add(const Database& db, std::string_view key, uint64_t key_hash,
                          std::string_view element) {
  if (count_ == kMaxElements) return;
  const EntryRef ref = db.table().Find(key, key_hash);
  if (!ref || !ref->IsObject()) return;
  WithIndex(ref->type(), ref->pointer(), [&](const auto& index) {
    const uint64_t hash = index.Hash(element);
    index.PrefetchBucket(hash);
    elements_[count_++] = {ref->type(), ref->pointer(), element, hash};
  });
}

void ElementPrefetch::Finish() {
  bool any_sorted = false;
  for (size_t i = 0; i < count_; ++i) {
    const Element& element = elements_[i];
    any_sorted |= element.type == ValueType::kZset;
    WithIndex(element.type, element.object, [&](const auto& index) { index.PrefetchItem(element.hash); });
  }
  if (any_sorted) {
    for (size_t i = 0; i < count_; ++i) {
      const Element& element = elements_[i];
      if (element.type != ValueType::kZset) continue;
      static_cast<const SortedSet*>(element.object)->PrefetchParent(element.text, element.hash);
    }
    for (size_t i = 0; i < count_; ++i) {
      const Element& element = elements_[i];
      if (element.type != ValueType::kZset) continue;
      static_cast<const SortedSet*>(element.object)->PrefetchLeaf(element.text, element.hash);
    }
  }
  count_ = 0;
}

}  // namespace pinyon
