// Whatever bytes IntsetView::Validate accepts can be searched and changed like the set of integers that it
// is, and stays well-formed.
//
// Input: [number of changes: 1 byte][changes, 9 bytes each: what, and an integer ...][intset ...].
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>

#include "../unit/packed_fixture.h"
#include "base/assert.h"
#include "types/intset.h"

namespace {

using pinyon::Intset;
using pinyon::IntsetView;
using pinyon::MovingBytes;
constexpr size_t kChangeBytes = 9;

std::set<int64_t> Read(const IntsetView& set) {
  std::set<int64_t> model;
  for (size_t i = 0; i < set.size(); ++i) PINYON_CHECK(model.insert(set.At(i)).second);
  return model;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1 || size - 1 < data[0] * kChangeBytes) return 0;
  const uint8_t* change = data + 1;
  const uint8_t* const changes_end = change + data[0] * kChangeBytes;
  MovingBytes bytes(
      std::string_view(reinterpret_cast<const char*>(changes_end), size - 1 - data[0] * kChangeBytes));
  if (!IntsetView::Validate(bytes.data(), bytes.size())) return 0;
  PINYON_CHECK(IntsetView::Validate(bytes.data(), bytes.size(), false));

  Intset set(bytes);
  std::set<int64_t> model = Read(set);
  for (; change != changes_end; change += kChangeBytes) {
    int64_t value;
    std::memcpy(&value, change + 1, sizeof(value));
    // Every width.
    value >>= *change / 2 % 64;
    PINYON_CHECK(set.Contains(value) == model.contains(value));
    if (*change % 2 == 0) {
      PINYON_CHECK(set.Add(value) == model.insert(value).second);
    } else {
      PINYON_CHECK(set.Remove(value) == (model.erase(value) == 1));
    }
    PINYON_CHECK(set.bytes() == bytes.size() && IntsetView::Validate(bytes.data(), bytes.size()));
    PINYON_CHECK(Read(set) == model);
  }
  return 0;
}
