#include "types/listpack.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace pinyon {

namespace {

using listpack_format::After;
using listpack_format::BackBytes;
using listpack_format::IsLongString;
using listpack_format::IsShortString;
using listpack_format::IsString;
using listpack_format::Load;

static_assert(std::endian::native == std::endian::little, "the format is copied as it is in memory");

// What the header can say. Fits leaves room below it for the heads and back lengths of many elements.
constexpr size_t kBytesLimit = std::numeric_limits<uint32_t>::max();
constexpr size_t kMaxShortString = 63;
constexpr size_t kMaxMiddleString = 4095;
// Elements that are encoded before the memory for them is asked for.
constexpr size_t kAppendBatch = 32;
// Below this many bytes a listpack that has lost its count is counted again: it holds half of the elements
// then at most that the header can count, so this is not soon to be done again.
constexpr size_t kRecountBytes = 0xffff;

constexpr int64_t kMin13Bits = -4096;
constexpr int64_t kMax13Bits = 4095;
constexpr int64_t kMin24Bits = -(1 << 23);
constexpr int64_t kMax24Bits = (1 << 23) - 1;

// ParseInt64 for texts of which most are no integers.
bool ParseInteger(std::string_view text, int64_t* out) {
  if (text.empty() || text.size() >= kMaxInt64Chars || static_cast<uint8_t>(text[0]) > '9') return false;
  return ParseInt64(text, out);
}

// Equality of texts known to be of one length: up to 16 bytes by two loads that may overlap, where memcmp
// would cost a call per element; longer ones by the ends first, which is where names differ.
class TextMatcher {
 public:
  explicit TextMatcher(std::string_view text)
      : text_(reinterpret_cast<const uint8_t*>(text.data())), size_(text.size()) {
    if (size_ >= 8) {
      head_ = Load<uint64_t>(text_);
      tail_ = Load<uint64_t>(text_ + size_ - 8);
    } else if (size_ >= 4) {
      head_ = Load<uint32_t>(text_);
      tail_ = Load<uint32_t>(text_ + size_ - 4);
    } else if (size_ > 0) {
      head_ = Ends(text_);
    }
  }
  size_t size() const { return size_; }

  bool Matches(const uint8_t* other) const {
    if (size_ >= 8) {
      if (Load<uint64_t>(other + size_ - 8) != tail_ || Load<uint64_t>(other) != head_) return false;
      return size_ <= 16 || std::memcmp(other + 8, text_ + 8, size_ - 16) == 0;
    }
    if (size_ >= 4) return Load<uint32_t>(other) == head_ && Load<uint32_t>(other + size_ - 4) == tail_;
    return size_ == 0 || Ends(other) == head_;
  }

 private:
  // All of up to three bytes: the first, the middle and the last.
  uint64_t Ends(const uint8_t* text) const {
    return text[0] | static_cast<uint64_t>(text[size_ / 2]) << 8 |
           static_cast<uint64_t>(text[size_ - 1]) << 16;
  }

  const uint8_t* text_;
  size_t size_;
  uint64_t head_ = 0;
  uint64_t tail_ = 0;
};

// Whether a text element equals; false for an integer.
bool TextEquals(const uint8_t* element, const TextMatcher& matcher) {
  const uint8_t first = *element;
  if (IsShortString(first)) {
    return static_cast<size_t>(first & 0x3F) == matcher.size() && matcher.Matches(element + 1);
  }
  if (!IsLongString(first)) return false;
  const std::string_view text = listpack_format::LongText(element);
  return text.size() == matcher.size() && matcher.Matches(reinterpret_cast<const uint8_t*>(text.data()));
}

// The first element from `element` on, of every (skip + 1)th, for which `equals` holds; null when there is
// none.
template <typename Equals>
const uint8_t* FindWhere(const uint8_t* element, size_t skip, Equals equals) {
  while (*element != 0xff) {
    if (equals(element)) return element;
    element = After(element);
    for (size_t i = 0; i < skip && *element != 0xff; ++i) element = After(element);
  }
  return nullptr;
}

// Bytes of an element without its back length, for bytes that may be anything; 0 when they are no element, or
// not whole within `available` (at least one).
size_t CheckedLength(const uint8_t* element, size_t available) {
  const uint8_t first = *element;
  size_t length = 0;
  if (first == 0xF0) {
    if (available < 5) return 0;
    length = 5 + static_cast<size_t>(Load<uint32_t>(element + 1));
  } else if (IsLongString(first)) {
    if (available < 2) return 0;
    length = 2 + (static_cast<size_t>(first & 0x0F) << 8 | element[1]);
  } else {
    if (listpack_format::kElementBytes[first] == 0) return 0;
    length = listpack_format::kElementBytes[first] - size_t{1};
  }
  return length <= available ? length : 0;
}

void WriteBackLength(uint8_t* to, size_t length) {
  const size_t bytes = BackBytes(length);
  for (size_t i = bytes; i-- > 1; length >>= 7) to[i] = static_cast<uint8_t>((length & 0x7F) | 0x80);
  to[0] = static_cast<uint8_t>(length);
}

bool IsBackLength(const uint8_t* bytes, size_t length) {
  uint8_t expected[5];
  WriteBackLength(expected, length);
  return std::memcmp(bytes, expected, BackBytes(length)) == 0;
}

}  // namespace

// An element about to be written: all of an integer, or the head of a string and the string itself.
struct listpack_format::Element {
  uint8_t head[9];
  uint8_t head_bytes = 0;
  std::string_view text;

  Element() = default;
  explicit Element(int64_t value) { SetInteger(value); }
  explicit Element(std::string_view value) { Set(value); }

  void Set(std::string_view value) {
    int64_t integer = 0;
    if (ParseInteger(value, &integer)) return SetInteger(integer);
    SetString(value);
  }
  size_t length() const { return head_bytes + text.size(); }
  size_t bytes() const { return length() + BackBytes(length()); }
  // Returns what follows the element.
  uint8_t* Write(uint8_t* to) const {
    if (head_bytes == 1) {
      *to = head[0];
    } else {
      std::memcpy(to, head, head_bytes);
    }
    // An empty text may have no address.
    if (!text.empty()) std::memcpy(to + head_bytes, text.data(), text.size());
    WriteBackLength(to + length(), length());
    return to + bytes();
  }

 private:
  void SetInteger(int64_t value) {
    text = {};
    if (value >= 0 && value <= 127) {
      head[0] = static_cast<uint8_t>(value);
      head_bytes = 1;
    } else if (value >= kMin13Bits && value <= kMax13Bits) {
      head[0] = static_cast<uint8_t>(0xC0 | (value >> 8 & 0x1F));
      head[1] = static_cast<uint8_t>(value);
      head_bytes = 2;
    } else if (std::in_range<int16_t>(value)) {
      SetWide(0xF1, value, 2);
    } else if (value >= kMin24Bits && value <= kMax24Bits) {
      SetWide(0xF2, value, 3);
    } else if (std::in_range<int32_t>(value)) {
      SetWide(0xF3, value, 4);
    } else {
      SetWide(0xF4, value, 8);
    }
  }
  void SetWide(uint8_t encoding, int64_t value, uint8_t value_bytes) {
    head[0] = encoding;
    std::memcpy(head + 1, &value, sizeof(value));
    head_bytes = static_cast<uint8_t>(1 + value_bytes);
  }
  void SetString(std::string_view value) {
    text = value;
    if (value.size() <= kMaxShortString) {
      head[0] = static_cast<uint8_t>(0x80 | value.size());
      head_bytes = 1;
    } else if (value.size() <= kMaxMiddleString) {
      head[0] = static_cast<uint8_t>(0xE0 | value.size() >> 8);
      head[1] = static_cast<uint8_t>(value.size());
      head_bytes = 2;
    } else {
      PINYON_CHECK(value.size() < kBytesLimit);
      const auto size = static_cast<uint32_t>(value.size());
      head[0] = 0xF0;
      std::memcpy(head + 1, &size, sizeof(size));
      head_bytes = 5;
    }
  }
};

size_t ListpackView::CountElements() const {
  size_t count = 0;
  for (const uint8_t* p = bytes_ + kHeaderBytes; *p != kTerminator; p = After(p)) ++count;
  return count;
}

ListpackView::Offset ListpackView::Seek(int64_t index) const {
  bool from_end = index < 0;
  if (header_count() != kUnknownCount) {
    const auto count = static_cast<int64_t>(header_count());
    if (index < -count || index >= count) return kEnd;
    if (from_end) index += count;
    from_end = index >= count / 2;
    if (from_end) index -= count;
  }
  Offset at = from_end ? Last() : First();
  if (from_end) {
    for (; index < -1 && at != kEnd; ++index) at = Previous(at);
  } else {
    for (; index > 0 && at != kEnd; --index) at = Next(at);
  }
  return at;
}

ListpackView::Offset ListpackView::Find(Offset from, std::string_view text, size_t skip) const {
  if (from == kEnd) return kEnd;
  const TextMatcher matcher(text);
  const uint8_t* found = nullptr;
  int64_t value = 0;
  if (ParseInteger(text, &value)) {
    found = FindWhere(AtPointer(from), skip, [&](const uint8_t* element) {
      // Other writers may have stored an integer as a text.
      if (IsString(*element)) return TextEquals(element, matcher);
      return listpack_format::Integer(element) == value;
    });
  } else {
    found = FindWhere(AtPointer(from), skip,
                      [&](const uint8_t* element) { return TextEquals(element, matcher); });
  }
  return found != nullptr ? OffsetOf(found) : kEnd;
}

bool ListpackView::Validate(const uint8_t* bytes, size_t size, bool deep) {
  if (size < kEmptyBytes || size > kBytesLimit || Load<uint32_t>(bytes) != size) return false;
  if (bytes[size - 1] != kTerminator) return false;
  if (!deep) return true;

  const uint8_t* element = bytes + kHeaderBytes;
  const uint8_t* const end = bytes + size - 1;
  size_t count = 0;
  for (; element < end; ++count) {
    const auto available = static_cast<size_t>(end - element);
    const size_t length = CheckedLength(element, available);
    if (length == 0 || BackBytes(length) > available - length) return false;
    if (!IsBackLength(element + length, length)) return false;
    element += length + BackBytes(length);
  }
  const size_t said = Load<uint16_t>(bytes + 4);
  return said == kUnknownCount || said == count;
}

size_t ListpackView::ElementBytes(std::string_view text) { return listpack_format::Element(text).bytes(); }

void Listpack::InitEmpty(PackedBytes& where) {
  constexpr uint8_t kEmpty[kEmptyBytes] = {kEmptyBytes, 0, 0, 0, 0, 0, kTerminator};
  where.Resize(kEmptyBytes);
  std::memcpy(where.data(), kEmpty, kEmptyBytes);
}

void Listpack::SetBytes(size_t size) {
  PINYON_ASSERT(size >= kEmptyBytes && size == where_.size());
  const auto value = static_cast<uint32_t>(size);
  std::memcpy(where_.data(), &value, sizeof(value));
}

void Listpack::SetCount(size_t count) {
  const auto value = static_cast<uint16_t>(std::min<size_t>(count, kUnknownCount));
  std::memcpy(where_.data() + 4, &value, sizeof(value));
}

void Listpack::NoteAdded(size_t count) {
  if (header_count() != kUnknownCount) SetCount(header_count() + count);
}

void Listpack::NoteRemoved(size_t count) {
  if (header_count() != kUnknownCount) {
    PINYON_ASSERT(count <= header_count());
    SetCount(header_count() - count);
  } else if (bytes() < kRecountBytes) {
    SetCount(CountElements());
  }
}

// Makes room before the element at `at`, or the terminator, and returns where it is.
uint8_t* Listpack::OpenGap(Offset at, size_t gap_bytes) {
  const size_t old_bytes = bytes();
  PINYON_ASSERT(at >= kHeaderBytes && at < old_bytes && old_bytes == where_.size());
  PINYON_CHECK(gap_bytes <= kBytesLimit - old_bytes);
  if (at == kHeaderBytes && where_.GrowFront(gap_bytes)) {
    bytes_ = where_.data();
    std::memmove(where_.data(), where_.data() + gap_bytes, kHeaderBytes);
    SetBytes(old_bytes + gap_bytes);
    return where_.data() + at;
  }
  where_.Resize(old_bytes + gap_bytes);
  uint8_t* const gap = where_.data() + at;
  bytes_ = where_.data();
  if (at == old_bytes - 1) {
    gap[gap_bytes] = kTerminator;
  } else {
    std::memmove(gap + gap_bytes, gap, old_bytes - at);
  }
  SetBytes(old_bytes + gap_bytes);
  return gap;
}

void Listpack::CloseGap(Offset at, size_t gap_bytes) {
  const size_t old_bytes = bytes();
  PINYON_ASSERT(at >= kHeaderBytes && at + gap_bytes < old_bytes && old_bytes == where_.size());
  uint8_t* const gap = where_.data() + at;
  // Where the header goes if the front is given up; what it overwrites is what goes.
  uint8_t header[kHeaderBytes];
  std::memcpy(header, where_.data(), kHeaderBytes);
  if (at == kHeaderBytes && where_.ShrinkFront(gap_bytes)) {
    std::memcpy(where_.data(), header, kHeaderBytes);
    bytes_ = where_.data();
    return SetBytes(old_bytes - gap_bytes);
  }
  std::memmove(gap, gap + gap_bytes, old_bytes - at - gap_bytes);
  where_.Resize(old_bytes - gap_bytes);
  bytes_ = where_.data();
  SetBytes(old_bytes - gap_bytes);
}

// A text within the listpack would move while it is written.
bool Listpack::IsElsewhere(const Element& element) const {
  const auto* text = reinterpret_cast<const uint8_t*>(element.text.data());
  return element.text.empty() || text + element.text.size() <= bytes_ || text >= bytes_ + bytes();
}

Listpack::Offset Listpack::InsertAt(Offset at, const Element& element) {
  PINYON_ASSERT(IsElsewhere(element));
  element.Write(OpenGap(at, element.bytes()));
  NoteAdded(1);
  return at;
}

Listpack::Offset Listpack::ReplaceWith(Offset at, const Element& element) {
  const uint8_t* old = AtPointer(at);
  const auto old_bytes = static_cast<size_t>(After(old) - old);
  const size_t new_bytes = element.bytes();
  PINYON_ASSERT(IsElsewhere(element));
  if (new_bytes > old_bytes) OpenGap(at + static_cast<Offset>(old_bytes), new_bytes - old_bytes);
  if (new_bytes < old_bytes) CloseGap(at + static_cast<Offset>(new_bytes), old_bytes - new_bytes);
  element.Write(where_.data() + at);
  return at;
}

Listpack::Offset Listpack::Append(std::string_view text) { return InsertAt(end_offset(), Element(text)); }

Listpack::Offset Listpack::AppendInteger(int64_t value) { return InsertAt(end_offset(), Element(value)); }

Listpack::Offset Listpack::Prepend(std::string_view text) { return InsertAt(kHeaderBytes, Element(text)); }

Listpack::Offset Listpack::InsertBefore(Offset at, std::string_view text) {
  PINYON_ASSERT(at == kEnd || AtPointer(at) != nullptr);
  return InsertAt(at == kEnd ? end_offset() : at, Element(text));
}

Listpack::Offset Listpack::InsertAfter(Offset at, std::string_view text) {
  return InsertAt(static_cast<Offset>(After(AtPointer(at)) - bytes_), Element(text));
}

Listpack::Offset Listpack::Replace(Offset at, std::string_view text) {
  return ReplaceWith(at, Element(text));
}

Listpack::Offset Listpack::ReplaceInteger(Offset at, int64_t value) {
  return ReplaceWith(at, Element(value));
}

void Listpack::AppendAll(const std::string_view* texts, size_t count) {
  Element elements[kAppendBatch];
  while (count > 0) {
    const size_t batch = std::min(count, kAppendBatch);
    size_t batch_bytes = 0;
    for (size_t i = 0; i < batch; ++i) {
      elements[i].Set(texts[i]);
      PINYON_ASSERT(IsElsewhere(elements[i]));
      batch_bytes += elements[i].bytes();
    }
    uint8_t* to = OpenGap(end_offset(), batch_bytes);
    for (size_t i = 0; i < batch; ++i) to = elements[i].Write(to);
    PINYON_ASSERT(to == where_.data() + end_offset());
    NoteAdded(batch);
    texts += batch;
    count -= batch;
  }
}

Listpack::Offset Listpack::Delete(Offset at, size_t count) {
  const uint8_t* const begin = AtPointer(at);
  const uint8_t* end = begin;
  size_t deleted = 0;
  for (; deleted < count && *end != kTerminator; ++deleted) end = After(end);
  if (deleted == 0) return at;
  CloseGap(at, static_cast<size_t>(end - begin));
  NoteRemoved(deleted);
  return OffsetOf(bytes_ + at);
}

void Listpack::DeleteFromIndex(int64_t index, size_t count) {
  const Offset at = Seek(index);
  if (at != kEnd) Delete(at, count);
}

// Runs of elements that stay move down over what goes.
size_t Listpack::DeleteEqual(std::string_view text, size_t max_count, bool from_end) {
  size_t spared = 0;
  if (from_end) {
    size_t equal = 0;
    for (Offset at = Find(First(), text); at != kEnd; at = Find(Next(at), text)) ++equal;
    spared = equal - std::min(equal, max_count);
  }
  size_t deleted = 0;
  uint8_t* to = nullptr;
  const uint8_t* run = nullptr;  // start of what stays and has not moved yet
  for (Offset at = Find(First(), text); at != kEnd && deleted < max_count; at = Find(Next(at), text)) {
    if (spared > 0) {
      --spared;
      continue;
    }
    ++deleted;
    uint8_t* const gone = where_.data() + at;
    if (to == nullptr) {
      to = gone;
    } else {
      std::memmove(to, run, static_cast<size_t>(gone - run));
      to += gone - run;
    }
    run = After(gone);
  }
  if (deleted == 0) return 0;
  const uint8_t* const end = bytes_ + bytes();
  std::memmove(to, run, static_cast<size_t>(end - run));
  to += end - run;
  where_.Resize(static_cast<size_t>(to - where_.data()));
  bytes_ = where_.data();
  SetBytes(where_.size());
  NoteRemoved(deleted);
  return deleted;
}

void Listpack::InsertElementsOf(Offset at, const ListpackView& other) {
  PINYON_ASSERT(other.data() != bytes_);
  const size_t other_bytes = other.bytes() - kEmptyBytes;
  if (other_bytes == 0) return;
  std::memcpy(OpenGap(at, other_bytes), other.data() + kHeaderBytes, other_bytes);
  NoteAdded(other.size());
}

void Listpack::AppendListpack(const ListpackView& other) { InsertElementsOf(end_offset(), other); }

void Listpack::PrependListpack(const ListpackView& other) { InsertElementsOf(kHeaderBytes, other); }

}  // namespace pinyon
