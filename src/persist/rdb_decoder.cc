#include "persist/rdb_decoder.h"

#include <fmt/format.h>
#include <lzf.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/numbers.h"
#include "persist/rdb_format.h"

namespace pinyon {

namespace {

// What lengths of keys, fields and members have room for; far more than Redis lets clients send.
constexpr uint64_t kMaxTextBytes = (uint64_t{1} << 32) - 1024;
// A string whose size is not known to be there is read by steps if it is longer.
constexpr uint64_t kTrustedBytes = 1024 * 1024;
// Three bytes of LZF give 264 at most.
constexpr uint64_t kMaxLzfGain = 88;
// Room that is kept for the next string.
constexpr size_t kKeptBytes = 1024 * 1024;

void GiveBackRoom(std::string* room) {
  if (room->capacity() > kKeptBytes) std::string().swap(*room);
}

}  // namespace

bool RdbDecoder::Fail(RdbError::Kind kind, std::string reason) {
  if (ok()) error_ = {kind, std::move(reason), 0};
  return false;
}

bool RdbDecoder::SourceFailed() {
  if (!ok()) return false;
  if (source_.error() == 0) return Fail(RdbError::Kind::kTruncated, "unexpected end");
  error_ = {RdbError::Kind::kIo, fmt::format("cannot read: {}", std::strerror(source_.error())),
            source_.error()};
  return false;
}

bool RdbDecoder::LengthOrForm(uint64_t* length, bool* is_form) {
  uint8_t first = 0;
  *is_form = false;
  if (!Byte(&first)) return false;
  switch (first & 0xc0) {
    case rdb::kLength6: *length = first & 0x3f; return true;
    case rdb::kLength14: {
      uint8_t second = 0;
      if (!Byte(&second)) return false;
      *length = static_cast<uint64_t>(first & 0x3f) << 8 | second;
      return true;
    }
    case rdb::kLengthSpecial:
      *length = first & 0x3f;
      *is_form = true;
      return true;
    default: break;
  }
  if (first == rdb::kLength32) {
    uint32_t value = 0;
    if (!Fixed(&value)) return false;
    *length = __builtin_bswap32(value);
    return true;
  }
  if (first != rdb::kLength64) return Corrupt(fmt::format("no length begins with byte {:#04x}", first));
  uint64_t value = 0;
  if (!Fixed(&value)) return false;
  *length = __builtin_bswap64(value);
  return true;
}

bool RdbDecoder::Length(uint64_t* length) {
  bool is_form = false;
  if (!LengthOrForm(length, &is_form)) return false;
  return !is_form || Corrupt("a string stands in the place of a length");
}

bool RdbDecoder::Count(uint64_t* count, uint64_t bytes_each) {
  if (!Length(count)) return false;
  if (*count <= source_.Left() / bytes_each) return true;
  return Fail(RdbError::Kind::kTruncated,
              fmt::format("{} elements are announced, but too few bytes are left", *count));
}

// --- strings ---

bool RdbDecoder::IntegerHead(uint64_t form, Head* head) {
  head->is_integer = true;
  const auto read = [&](auto value) {
    if (!Fixed(&value)) return false;
    head->integer = value;
    return true;
  };
  switch (form) {
    case rdb::kInt8: return read(int8_t{});
    case rdb::kInt16: return read(int16_t{});
    case rdb::kInt32: return read(int32_t{});
    default: return Corrupt(fmt::format("no string has form {}", form));
  }
}

bool RdbDecoder::LzfHead(Head* head) {
  head->is_compressed = true;
  if (!Length(&head->stored_bytes) || !Length(&head->bytes)) return false;
  if (head->bytes == 0 || head->bytes / kMaxLzfGain > head->stored_bytes) {
    return Corrupt(
        fmt::format("{} compressed bytes cannot hold a string of {}", head->stored_bytes, head->bytes));
  }
  return true;
}

bool RdbDecoder::CheckSizes(const Head& head) {
  if (head.stored_bytes > source_.Left()) {
    return Fail(RdbError::Kind::kTruncated,
                fmt::format("a string of {} bytes is announced, but only {} are left", head.stored_bytes,
                            source_.Left()));
  }
  if (head.bytes <= kMaxTextBytes && head.stored_bytes <= kMaxTextBytes) return true;
  return Corrupt(fmt::format("a string of {} bytes is too long", head.bytes));
}

bool RdbDecoder::ReadHead(Head* head) {
  uint64_t length = 0;
  bool is_form = false;
  if (!LengthOrForm(&length, &is_form)) return false;
  if (!is_form) {
    head->bytes = head->stored_bytes = length;
    return CheckSizes(*head);
  }
  if (length != rdb::kLzf) return IntegerHead(length, head);
  return LzfHead(head) && CheckSizes(*head);
}

bool RdbDecoder::Stored(uint64_t size, std::string* room, std::string_view* bytes) {
  if (size <= ByteSource::kMaxBorrowBytes) {
    const auto* borrowed = reinterpret_cast<const char*>(source_.Borrow(static_cast<size_t>(size)));
    if (borrowed == nullptr) return SourceFailed();
    *bytes = {borrowed, static_cast<size_t>(size)};
    return true;
  }
  if (!source_.ReadString(size, room)) return SourceFailed();
  *bytes = *room;
  return true;
}

// Writes head.bytes bytes.
bool RdbDecoder::BodyInto(const Head& head, char* out) {
  if (!head.is_compressed) return source_.Read(out, static_cast<size_t>(head.bytes)) || SourceFailed();
  std::string_view stored;
  if (!Stored(head.stored_bytes, &stored_, &stored)) return false;
  const unsigned made = lzf_decompress(stored.data(), static_cast<unsigned>(stored.size()), out,
                                       static_cast<unsigned>(head.bytes));
  GiveBackRoom(&stored_);
  return made == head.bytes || Corrupt("a compressed string is damaged");
}

bool RdbDecoder::Body(const Head& head, std::string_view* text) {
  GiveBackRoom(&text_);
  if (!head.is_compressed) return Stored(head.bytes, &text_, text);
  text_.resize(static_cast<size_t>(head.bytes));
  *text = text_;
  return BodyInto(head, text_.data());
}

bool RdbDecoder::Element(PackedElement* element) {
  Head head;
  if (!ReadHead(&head)) return false;
  *element = {.is_integer = head.is_integer, .integer = head.integer, .text = {}};
  return head.is_integer || Body(head, &element->text);
}

bool RdbDecoder::Text(std::string_view* text) {
  PackedElement element;
  if (!Element(&element)) return false;
  *text = element.Text(digits_);
  return true;
}

bool RdbDecoder::TextInto(std::string* text) {
  std::string_view borrowed;
  if (!Text(&borrowed)) return false;
  text->assign(borrowed);
  return true;
}

bool RdbDecoder::ElementOrBlock(size_t inline_bytes, PackedElement* element, BlockRef* block) {
  Head head;
  if (!ReadHead(&head)) return false;
  *element = {.is_integer = head.is_integer, .integer = head.integer, .text = {}};
  if (head.is_integer) return true;
  if (head.bytes <= inline_bytes) return Body(head, &element->text);
  // Straight into the block, if that many bytes are there.
  if (!head.is_compressed && head.bytes > kTrustedBytes && source_.Left() == ByteSource::kUnknown) {
    if (!Body(head, &element->text)) return false;
    *block = BlockRef(SharedBlock::Copy(element->text));
    return true;
  }
  *block = BlockRef(SharedBlock::New(static_cast<size_t>(head.bytes)));
  return BodyInto(head, block->get()->data());
}

bool RdbDecoder::SkipText() {
  Head head;
  if (!ReadHead(&head)) return false;
  return head.is_integer || source_.Skip(head.stored_bytes) || SourceFailed();
}

bool RdbDecoder::ScoreText(double* score) {
  uint8_t length = 0;
  if (!Byte(&length)) return false;
  switch (length) {
    case rdb::kScoreNan: return Corrupt("a score is no number");
    case rdb::kScoreInfinity: *score = HUGE_VAL; return true;
    case rdb::kScoreMinusInfinity: *score = -HUGE_VAL; return true;
    default: break;
  }
  const auto* bytes = reinterpret_cast<const char*>(source_.Borrow(length));
  if (bytes == nullptr) return SourceFailed();
  return ParseDouble({bytes, length}, score) || Corrupt("a score is no number");
}

}  // namespace pinyon
