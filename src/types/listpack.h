// A listpack: a sequence of strings and integers in one run of bytes, in the published format of Redis
// (https://github.com/antirez/listpack), so that snapshots and DUMP copy it as it is.
//
//   [total bytes: u32][elements: u16, 0xffff: count them][element ...][0xff]         little-endian
//   element   [encoding, 1..5 bytes][string or integer bytes][length of both, backwards: 1..5 bytes]
//   encoding  0xxxxxxx  integer 0..127                    11110001  16-bit integer follows
//             10xxxxxx  string of up to 63 bytes          11110010  24-bit
//             110xxxxx  13-bit integer, + 1 byte          11110011  32-bit
//             1110xxxx  string of up to 4095 bytes, + 1   11110100  64-bit
//             11110000  string, its length in 4 bytes
//
// A text that is an integer in canonical form is stored as one, so equal texts have equal bytes.
//
// ListpackView reads; Listpack also changes, in a PackedBytes. An element is named by its offset from the
// start; offsets are valid until the next change and kEnd (0) is none. Positions are searched from the nearer
// end.
//
// Costs: 7 bytes and, per element, 2 (more from 64 and from 4096 bytes on); steps in both directions are
// O(1), changes move what is behind them. An operation that inserts must not let the whole exceed kMaxBytes:
// callers ask Fits first.
#pragma once

#include <cstdint>
#include <string_view>

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

class ListpackView {
 public:
  using Offset = uint32_t;
  static constexpr Offset kEnd = 0;
  static constexpr size_t kHeaderBytes = 6;
  static constexpr size_t kEmptyBytes = 7;
  // The most that a listpack may take (a safe distance from the four bytes of its length).
  static constexpr size_t kMaxBytes = size_t{1} << 30;

  explicit ListpackView(const uint8_t* bytes) : bytes_(bytes) {}

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
  bool Fits(size_t added) const { return bytes() + added + 16 <= kMaxBytes; }

 protected:
  const uint8_t* bytes_;
};

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
  // Appends the elements as texts, in one move of memory.
  void AppendAll(const std::string_view* texts, size_t count);
  // Deletes `count` elements (or as many as there are) from `at` on.
  Offset Delete(Offset at, size_t count = 1);
  void DeleteFromIndex(int64_t index, size_t count);
  // Appends, or prepends, all elements of another listpack.
  void AppendListpack(const ListpackView& other);
  void PrependListpack(const ListpackView& other);

 private:
  PackedBytes& where_;
};

}  // namespace pinyon
