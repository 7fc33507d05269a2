#include "types/intset.h"

#include <bit>
#include <limits>
#include <utility>

namespace pinyon {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is copied as it is in memory");

constexpr size_t kMaxSize = std::numeric_limits<uint32_t>::max();

size_t WidthOf(int64_t value) {
  if (std::in_range<int16_t>(value)) return sizeof(int16_t);
  return std::in_range<int32_t>(value) ? sizeof(int32_t) : sizeof(int64_t);
}

template <typename T>
T LoadAt(const uint8_t* values, size_t index) {
  T value;
  std::memcpy(&value, values + index * sizeof(T), sizeof(T));
  return value;
}

// Halves without branches, since which half it is cannot be predicted.
template <typename T>
size_t LowerBound(const uint8_t* values, size_t size, T value) {
  size_t below = 0;
  while (size > 1) {
    const size_t half = size / 2;
    below += LoadAt<T>(values, below + half - 1) < value ? half : 0;
    size -= half;
  }
  return below + (size == 1 && LoadAt<T>(values, below) < value ? 1 : 0);
}

template <typename T>
bool IsAscending(const uint8_t* values, size_t size) {
  for (size_t i = 1; i < size; ++i) {
    if (LoadAt<T>(values, i - 1) >= LoadAt<T>(values, i)) return false;
  }
  return true;
}

}  // namespace

size_t IntsetView::CountBelow(int64_t value) const {
  const size_t count = size();
  // Integers are often added in order, and asked for out of range.
  if (count == 0 || value <= At(0)) return 0;
  if (value > At(count - 1)) return count;
  const uint8_t* const values = bytes_ + kHeaderBytes;
  switch (width()) {
    case sizeof(int16_t): return LowerBound(values, count, static_cast<int16_t>(value));
    case sizeof(int32_t): return LowerBound(values, count, static_cast<int32_t>(value));
    default: return LowerBound(values, count, value);
  }
}

bool IntsetView::Contains(int64_t value) const {
  if (WidthOf(value) > width()) return false;
  const size_t place = CountBelow(value);
  return place < size() && At(place) == value;
}

bool IntsetView::Validate(const uint8_t* bytes, size_t size, bool deep) {
  if (size < kHeaderBytes) return false;
  const size_t width = Load<uint32_t>(bytes);
  const size_t count = Load<uint32_t>(bytes + 4);
  if (width != sizeof(int16_t) && width != sizeof(int32_t) && width != sizeof(int64_t)) return false;
  if (size != kHeaderBytes + width * count) return false;
  if (!deep) return true;

  const uint8_t* const values = bytes + kHeaderBytes;
  switch (width) {
    case sizeof(int16_t): return IsAscending<int16_t>(values, count);
    case sizeof(int32_t): return IsAscending<int32_t>(values, count);
    default: return IsAscending<int64_t>(values, count);
  }
}

void Intset::InitEmpty(PackedBytes& where) {
  constexpr uint8_t kEmpty[kHeaderBytes] = {sizeof(int16_t), 0, 0, 0, 0, 0, 0, 0};
  where.Resize(kHeaderBytes);
  std::memcpy(where.data(), kEmpty, kHeaderBytes);
}

// Resizes the bytes and says so in the header; the integers are the caller's.
void Intset::Resize(size_t width, size_t size) {
  PINYON_CHECK(size <= kMaxSize);
  where_.Resize(kHeaderBytes + width * size);
  bytes_ = where_.data();
  const uint32_t header[2] = {static_cast<uint32_t>(width), static_cast<uint32_t>(size)};
  std::memcpy(where_.data(), header, sizeof(header));
}

void Intset::WriteAt(size_t index, int64_t value) {
  PINYON_ASSERT(index < size() && WidthOf(value) <= width());
  // The low bytes of a little-endian integer are the narrower integer.
  std::memcpy(where_.data() + kHeaderBytes + index * width(), &value, width());
}

// An integer that needs a new width is below all others or above them.
void Intset::AddWider(int64_t value, size_t new_width) {
  const size_t old_width = width();
  const size_t old_size = size();
  const size_t shift = value < 0 ? 1 : 0;
  Resize(new_width, old_size + 1);
  // From the last on, so that none is overwritten before it is read.
  for (size_t i = old_size; i-- > 0;) WriteAt(i + shift, ReadAt(i, old_width));
  WriteAt(shift == 1 ? 0 : old_size, value);
}

bool Intset::Add(int64_t value) {
  PINYON_ASSERT(bytes() == where_.size());
  const size_t value_width = WidthOf(value);
  if (value_width > width()) {
    AddWider(value, value_width);
    return true;
  }
  const size_t place = CountBelow(value);
  const size_t old_size = size();
  if (place < old_size && At(place) == value) return false;

  Resize(width(), old_size + 1);
  uint8_t* const gap = where_.data() + kHeaderBytes + place * width();
  std::memmove(gap + width(), gap, (old_size - place) * width());
  WriteAt(place, value);
  return true;
}

bool Intset::Remove(int64_t value) {
  PINYON_ASSERT(bytes() == where_.size());
  if (WidthOf(value) > width()) return false;
  const size_t place = CountBelow(value);
  const size_t old_size = size();
  if (place == old_size || At(place) != value) return false;

  uint8_t* const gap = where_.data() + kHeaderBytes + place * width();
  std::memmove(gap, gap + width(), (old_size - place - 1) * width());
  Resize(width(), old_size - 1);
  return true;
}

}  // namespace pinyon
