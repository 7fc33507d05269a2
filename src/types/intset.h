// A set of integers in ascending order in one run of bytes, in Redis's format, so that snapshots and DUMP
// copy it as it is.
//
//   [bytes per integer: u32, 2, 4 or 8][count: u32][integers, little-endian, ascending, no two equal]
//
// All integers take the width of the widest that was ever added. IntsetView reads; Intset also changes, in a
// PackedBytes. Costs: search O(log n); changes move what is behind them, or (a wider integer) everything.
#pragma once

#include <cstdint>

#include "types/packed_bytes.h"

namespace pinyon {

class IntsetView {
 public:
  static constexpr size_t kHeaderBytes = 8;

  explicit IntsetView(const uint8_t* bytes) : bytes_(bytes) {}

  size_t bytes() const;  // in all
  size_t size() const;
  bool Contains(int64_t value) const;
  // The integer at a place in ascending order; index < size().
  int64_t At(size_t index) const;

  // Whether `size` bytes are a well-formed intset; with `deep`, in order and without doubles.
  static bool Validate(const uint8_t* bytes, size_t size, bool deep = true);

 protected:
  const uint8_t* bytes_;
};

class Intset : public IntsetView {
 public:
  explicit Intset(PackedBytes& where) : IntsetView(where.data()), where_(where) {}
  static void InitEmpty(PackedBytes& where);

  // False when it was there already.
  bool Add(int64_t value);
  // False when it was not there.
  bool Remove(int64_t value);

 private:
  PackedBytes& where_;
};

}  // namespace pinyon
