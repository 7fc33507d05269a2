// A set of integers in ascending order in one run of bytes, in Redis's format, so that snapshots and DUMP
// copy it as it is.
//
//   [bytes per integer: u32, 2, 4 or 8][count: u32][integers, little-endian, ascending, no two equal]
//
// All integers take the width of the widest that was ever added. IntsetView reads; Intset also changes, in a
// PackedBytes. Costs: search O(log n), O(1) for what is below or above all; changes move what is behind them,
// or (a wider integer) everything.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/assert.h"
#include "types/packed_bytes.h"

namespace pinyon {

class IntsetView {
 public:
  static constexpr size_t kHeaderBytes = 8;

  explicit IntsetView(const uint8_t* bytes) : bytes_(bytes) {}

  const uint8_t* data() const { return bytes_; }
  size_t bytes() const { return kHeaderBytes + width() * size(); }  // in all
  size_t size() const { return Load<uint32_t>(bytes_ + 4); }
  bool Contains(int64_t value) const;
  // The integer at a place in ascending order; index < size().
  int64_t At(size_t index) const {
    PINYON_ASSERT(index < size());
    return ReadAt(index, width());
  }

  // Whether `size` bytes are a well-formed intset; with `deep`, in order and without doubles. For bytes that
  // come from outside.
  static bool Validate(const uint8_t* bytes, size_t size, bool deep = true);

 protected:
  template <typename T>
  static T Load(const uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof(value));
    return value;
  }

  size_t width() const { return Load<uint32_t>(bytes_); }
  int64_t ReadAt(size_t index, size_t width) const {
    const uint8_t* const from = bytes_ + kHeaderBytes + index * width;
    if (width == sizeof(int16_t)) return Load<int16_t>(from);
    if (width == sizeof(int32_t)) return Load<int32_t>(from);
    PINYON_ASSERT(width == sizeof(int64_t));
    return Load<int64_t>(from);
  }
  // How many integers are below `value`, which has the width of this set.
  size_t CountBelow(int64_t value) const;

  const uint8_t* bytes_;
};

// Several of these on the same bytes must not outlive a change by one of them.
class Intset : public IntsetView {
 public:
  explicit Intset(PackedBytes& where) : IntsetView(where.data()), where_(where) {}
  static void InitEmpty(PackedBytes& where);

  // False when it was there already.
  bool Add(int64_t value);
  // False when it was not there.
  bool Remove(int64_t value);

 private:
  void Resize(size_t width, size_t size);
  void WriteAt(size_t index, int64_t value);
  void AddWider(int64_t value, size_t new_width);

  PackedBytes& where_;
};

}  // namespace pinyon
