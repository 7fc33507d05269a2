// A listpack: a sequence of strings and integers in one run of bytes, in the published format of Redis
// (https://github.com/antirez/listpack), so that snapshots and DUMP copy it as it is.
//
//   [total bytes: u32][elements: u16, 0xffff: count them][element ...][0xff]         little-endian
//   element   [encoding, 1..5 bytes][string or integer bytes][back length, 1..5 bytes]
//   encoding  0xxxxxxx  integer 0..127                    11110001  16-bit integer follows
//             10xxxxxx  string of up to 63 bytes          11110010  24-bit
//             110xxxxx  13-bit integer, + 1 byte          11110011  32-bit
//             1110xxxx  string of up to 4095 bytes, + 1   11110100  64-bit
//             11110000  string, its length in 4 bytes
//
// The back length is that of the two parts before it, in groups of seven bits, the highest first; every byte
// but the first has 0x80 set, so that it is read from its end.
//
// A text that is an integer in canonical form is stored as one. Other writers need not do that, nor choose
// the shortest encoding: such elements are read, found and kept as they are.
//
// ListpackView reads; Listpack also changes, in a PackedBytes. An element is named by its offset from the
// start; offsets are valid until the next change and kEnd (0) is none. Positions are searched from the nearer
// end.
//
// Costs: 7 bytes and, per element, 2 (more from 64 and from 4096 bytes on); steps in both directions are
// O(1), changes move what is behind them: appending moves nothing. From 65535 elements on size() counts; the
// header knows again when there are few. An operation that inserts must not let the whole exceed kMaxBytes:
// callers ask Fits first.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/numbers.h"
#include "types/packed_bytes.h"

namespace pinyon {

// An element as text or number. A text is borrowed until the listpack changes.
struct PackedElement {
  bool is_integer = false;
  int64_t integer = 0;
  std::string_view text;  // of an element that is no integer

  // Room for the decimal form of an integer.
  struct Digits {
    char bytes[24];
  };
  // The bytes of the element; those of an integer are written into `digits`.
  std::string_view Text(Digits& digits) const;
  bool Equals(std::string_view other) const;
};

namespace listpack_format {
struct Element;
}

class ListpackView {
 public:
  using Offset = uint32_t;
  static constexpr Offset kEnd = 0;
  static constexpr size_t kHeaderBytes = 6;
  static constexpr size_t kEmptyBytes = 7;
  // The most that a listpack may take: a safe distance from what four bytes of length can say, which is where
  // it ends.
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  explicit ListpackView(const uint8_t* bytes) : bytes_(bytes) {}

  const uint8_t* data() const { return bytes_; }
  // Total bytes, as the header says.
  size_t bytes() const;
  // Number of elements: O(1) below 65535, else O(n).
  size_t size() const;
  bool empty() const { return bytes() == kEmptyBytes; }

  Offset First() const;
  Offset Last() const;
  Offset Next(Offset at) const;      // kEnd behind the last
  Offset Previous(Offset at) const;  // kEnd before the first
  // The element at an index; negative ones count from the end (-1 is the last); kEnd when out of range.
  Offset Seek(int64_t index) const;

  PackedElement Get(Offset at) const;
  bool Equals(Offset at, std::string_view text) const;
  // The first element from `from` on (kEnd: none) that equals `text`, looking at every (skip + 1)th only:
  // skip 1 finds keys of key, value, key, value.
  Offset Find(Offset from, std::string_view text, size_t skip = 0) const;

  // Whether `size` bytes are a well-formed listpack: the header, and with `deep` every element. For bytes
  // that come from outside.
  static bool Validate(const uint8_t* bytes, size_t size, bool deep = true);

  // Bytes that an element of this text takes in a listpack.
  static size_t ElementBytes(std::string_view text);
  // Whether elements of `added` text bytes in all may still be inserted.
  bool Fits(size_t added) const { return added <= kMaxBytes && bytes() + added + 16 <= kMaxBytes; }

 protected:
  static constexpr uint32_t kUnknownCount = 0xffff;
  static constexpr uint8_t kTerminator = 0xff;

  uint32_t header_count() const;
  size_t CountElements() const;
  const uint8_t* AtPointer(Offset at) const;
  Offset OffsetOf(const uint8_t* element) const;

  const uint8_t* bytes_;
};

// Several of these on the same bytes must not outlive a change by one of them.
class Listpack : public ListpackView {
 public:
  // On bytes that hold a listpack already, or (InitEmpty) are to hold an empty one.
  explicit Listpack(PackedBytes& where) : ListpackView(where.data()), where_(where) {}
  static void InitEmpty(PackedBytes& where);

  // All give offsets that hold after the change: of the new element, or of what follows the deleted ones.
  // The texts may not lie within the listpack itself.
  Offset Append(std::string_view text);
  Offset Prepend(std::string_view text);
  Offset AppendInteger(int64_t value);
  Offset InsertBefore(Offset at, std::string_view text);  // kEnd: at the end
  Offset InsertAfter(Offset at, std::string_view text);
  Offset Replace(Offset at, std::string_view text);
  Offset ReplaceInteger(Offset at, int64_t value);
  // Appends the elements as texts; memory is resized once in many elements.
  void AppendAll(const std::string_view* texts, size_t count);
  // Deletes `count` elements (or as many as there are) from `at` on.
  Offset Delete(Offset at, size_t count = 1);
  void DeleteFromIndex(int64_t index, size_t count);
  // Deletes elements equal to `text`, the first `max_count` or (from_end) the last, in one pass; returns how
  // many.
  size_t DeleteEqual(std::string_view text, size_t max_count, bool from_end);
  // Appends, or prepends, all elements of another listpack.
  void AppendListpack(const ListpackView& other);
  void PrependListpack(const ListpackView& other);

 private:
  using Element = listpack_format::Element;

  Offset InsertAt(Offset at, const Element& element);
  Offset ReplaceWith(Offset at, const Element& element);
  void InsertElementsOf(Offset at, const ListpackView& other);
  bool IsElsewhere(const Element& element) const;
  uint8_t* OpenGap(Offset at, size_t gap_bytes);
  void CloseGap(Offset at, size_t gap_bytes);
  void SetBytes(size_t size);
  void SetCount(size_t count);
  void NoteAdded(size_t count);
  void NoteRemoved(size_t count);
  Offset end_offset() const { return static_cast<Offset>(bytes() - 1); }

  PackedBytes& where_;
};

// How elements are read, in the header because a step costs less than a call.
namespace listpack_format {

// Bytes of a whole element by its first byte; 0 when the first byte does not say.
inline constexpr std::array<uint8_t, 256> kElementBytes = [] {
  std::array<uint8_t, 256> bytes{};
  for (size_t first = 0; first < 0x80; ++first) bytes[first] = 2;
  for (size_t first = 0x80; first < 0xC0; ++first) bytes[first] = static_cast<uint8_t>(2 + (first & 0x3F));
  for (size_t first = 0xC0; first < 0xE0; ++first) bytes[first] = 3;
  bytes[0xF1] = 4;
  bytes[0xF2] = 5;
  bytes[0xF3] = 6;
  bytes[0xF4] = 10;
  return bytes;
}();

inline bool IsShortString(uint8_t first) { return (first & 0xC0) == 0x80; }
inline bool IsLongString(uint8_t first) { return first >= 0xE0 && first <= 0xF0; }
inline bool IsString(uint8_t first) { return IsShortString(first) || IsLongString(first); }

template <typename T>
T Load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

// Bytes that a back length takes. The largest values of two, three and four bytes take one more than they
// need: Redis writes them so, and refuses others.
constexpr size_t BackBytes(size_t length) {
  if (length <= 127) return 1;
  if (length < 16383) return 2;
  if (length < 2097151) return 3;
  return length < 268435455 ? 4 : 5;
}

// The text of an element from 64 bytes on (or one that was encoded as if it had them).
inline std::string_view LongText(const uint8_t* element) {
  PINYON_ASSERT(IsLongString(*element));
  if (*element == 0xF0) return {reinterpret_cast<const char*>(element + 5), Load<uint32_t>(element + 1)};
  const size_t length = static_cast<size_t>(*element & 0x0F) << 8 | element[1];
  return {reinterpret_cast<const char*>(element + 2), length};
}

inline std::string_view Text(const uint8_t* element) {
  if (!IsShortString(*element)) return LongText(element);
  return {reinterpret_cast<const char*>(element + 1), static_cast<size_t>(*element & 0x3F)};
}

inline const uint8_t* AfterLongString(const uint8_t* element) {
  const std::string_view text = LongText(element);
  const auto* end = reinterpret_cast<const uint8_t*>(text.data()) + text.size();
  return end + BackBytes(static_cast<size_t>(end - element));
}

inline const uint8_t* After(const uint8_t* element) {
  // Computed rather than looked up where it can be: the next step waits for the result.
  if (IsShortString(*element)) return element + 2 + (*element & 0x3F);
  const size_t bytes = kElementBytes[*element];
  return bytes != 0 ? element + bytes : AfterLongString(element);
}

// The element that ends before `end`.
inline const uint8_t* Before(const uint8_t* end) {
  const uint8_t* back = end - 1;
  size_t length = *back & 0x7F;
  for (unsigned shift = 7; (*back & 0x80) != 0; shift += 7) {
    PINYON_ASSERT(shift <= 28);
    --back;
    length |= static_cast<size_t>(*back & 0x7F) << shift;
  }
  return back - length;
}

inline int64_t Integer(const uint8_t* element) {
  const uint8_t first = *element;
  if (first < 0x80) return first;
  if (first < 0xE0) {
    const int value = (first & 0x1F) << 8 | element[1];
    return value < 4096 ? value : value - 8192;
  }
  switch (first) {
    case 0xF1: return Load<int16_t>(element + 1);
    case 0xF2: return Load<uint16_t>(element + 1) | static_cast<int8_t>(element[3]) * 65536;
    case 0xF3: return Load<int32_t>(element + 1);
    default: PINYON_ASSERT(first == 0xF4); return Load<int64_t>(element + 1);
  }
}

}  // namespace listpack_format

inline std::string_view PackedElement::Text(Digits& digits) const {
  static_assert(sizeof(digits.bytes) >= kMaxInt64Chars);
  if (!is_integer) return text;
  return {digits.bytes, FormatInt64(integer, digits.bytes)};
}

inline bool PackedElement::Equals(std::string_view other) const {
  if (!is_integer) return text == other;
  int64_t value = 0;
  return ParseInt64(other, &value) && value == integer;
}

inline size_t ListpackView::bytes() const { return listpack_format::Load<uint32_t>(bytes_); }

inline uint32_t ListpackView::header_count() const { return listpack_format::Load<uint16_t>(bytes_ + 4); }

inline size_t ListpackView::size() const {
  const uint32_t count = header_count();
  return count != kUnknownCount ? count : CountElements();
}

inline const uint8_t* ListpackView::AtPointer(Offset at) const {
  PINYON_ASSERT(at >= kHeaderBytes && at + 1 < bytes());
  return bytes_ + at;
}

// kEnd for the terminator.
inline ListpackView::Offset ListpackView::OffsetOf(const uint8_t* element) const {
  PINYON_ASSERT(element >= bytes_ + kHeaderBytes && element < bytes_ + bytes());
  return *element == kTerminator ? kEnd : static_cast<Offset>(element - bytes_);
}

inline ListpackView::Offset ListpackView::First() const { return OffsetOf(bytes_ + kHeaderBytes); }

inline ListpackView::Offset ListpackView::Last() const {
  return empty() ? kEnd : static_cast<Offset>(listpack_format::Before(bytes_ + bytes() - 1) - bytes_);
}

inline ListpackView::Offset ListpackView::Next(Offset at) const {
  return OffsetOf(listpack_format::After(AtPointer(at)));
}

inline ListpackView::Offset ListpackView::Previous(Offset at) const {
  const uint8_t* element = AtPointer(at);
  return at == kHeaderBytes ? kEnd : static_cast<Offset>(listpack_format::Before(element) - bytes_);
}

inline PackedElement ListpackView::Get(Offset at) const {
  const uint8_t* element = AtPointer(at);
  if (listpack_format::IsString(*element)) return {.text = listpack_format::Text(element)};
  return {.is_integer = true, .integer = listpack_format::Integer(element), .text = {}};
}

inline bool ListpackView::Equals(Offset at, std::string_view text) const { return Get(at).Equals(text); }

}  // namespace pinyon
