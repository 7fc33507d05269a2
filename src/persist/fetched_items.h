// Visits all items of a table once, each fetched from memory some items before: two to three times as fast as
// waiting for each. The table must not change meanwhile.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/prefetch.h"
#include "types/hash_table.h"

namespace pinyon {

template <typename Item, typename Visit>
void ForEachFetched(const HashTable<Item>& table, Visit visit) {
  constexpr size_t kAhead = 8;
  constexpr size_t kLineBytes = 64;
  const Item* ahead[kAhead];
  size_t count = 0;
  table.ForEach([&](Item* item) {
    for (size_t line = 0; line < Item::kPrefetchLines; ++line) {
      Prefetch(reinterpret_cast<const char*>(item) + line * kLineBytes);
    }
    const Item*& place = ahead[count % kAhead];
    if (count >= kAhead) visit(*place);
    place = item;
    ++count;
  });
  const size_t left = std::min(count, kAhead);
  for (size_t i = count - left; i < count; ++i) visit(*ahead[i % kAhead]);
}

}  // namespace pinyon
