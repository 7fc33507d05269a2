#include "persist/distinct_names.h"

#include <bit>

namespace pinyon {

namespace {

constexpr size_t kMaxCompared = 8;
constexpr size_t kKeptSlots = 4096;

ListpackView::Offset Step(const ListpackView& listpack, ListpackView::Offset at, size_t stride) {
  for (; stride > 0 && at != ListpackView::kEnd; --stride) at = listpack.Next(at);
  return at;
}

bool Same(const PackedElement& a, const PackedElement& b) {
  if (!a.is_integer) return b.Equals(a.text);
  return b.is_integer ? a.integer == b.integer : a.Equals(b.text);
}

}  // namespace

bool DistinctNames::Check(const ListpackView& listpack, size_t stride) {
  const size_t names = listpack.size() / stride;
  return names <= kMaxCompared ? CheckPairs(listpack, stride) : CheckByHash(listpack, stride, names);
}

bool DistinctNames::CheckPairs(const ListpackView& listpack, size_t stride) {
  PackedElement seen[kMaxCompared];
  size_t count = 0;
  for (auto at = listpack.First(); at != ListpackView::kEnd; at = Step(listpack, at, stride)) {
    PINYON_ASSERT(count < kMaxCompared);
    seen[count] = listpack.Get(at);
    for (size_t i = 0; i < count; ++i) {
      if (Same(seen[i], seen[count])) return false;
    }
    ++count;
  }
  return true;
}

bool DistinctNames::CheckByHash(const ListpackView& listpack, size_t stride, size_t names) {
  const size_t capacity = std::bit_ceil(names * 2);
  slots_.assign(capacity, 0);
  bool distinct = true;
  PackedElement::Digits digits;
  for (auto at = listpack.First(); at != ListpackView::kEnd && distinct; at = Step(listpack, at, stride)) {
    const PackedElement element = listpack.Get(at);
    const uint64_t hash = HashBytes(element.Text(digits), seed_);
    const uint64_t high = hash & ~uint64_t{0xffffffff};
    size_t place = static_cast<size_t>(hash) & (capacity - 1);
    for (; slots_[place] != 0 && distinct; place = (place + 1) & (capacity - 1)) {
      const auto offset = static_cast<ListpackView::Offset>(slots_[place]);
      const bool may_be_same = (slots_[place] ^ high) >> 32 == 0;
      distinct = !may_be_same || !Same(listpack.Get(offset), element);
    }
    if (distinct) slots_[place] = high | at;
  }
  if (capacity > kKeptSlots) std::vector<uint64_t>().swap(slots_);
  return distinct;
}

}  // namespace pinyon
