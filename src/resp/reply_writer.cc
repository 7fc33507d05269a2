#include "resp/reply_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/numbers.h"

namespace pinyon {

namespace {

// From this size on a block is sent by reference: below, copying costs less than another piece to write.
constexpr size_t kByReferenceBytes = 16 * 1024;
// Payloads up to this fit a reservation together with their header.
constexpr size_t kSmallBulkBytes = 256;
constexpr size_t kHeaderChars = 1 + kMaxInt64Chars + 2;

// Most replies are small, and made of small parts: what follows writes those without a loop or a call.

// Counts from ten to ninety-nine with their line break.
constexpr auto kShortCounts = [] {
  std::array<std::array<char, 4>, 100> texts{};
  for (size_t i = 10; i < texts.size(); ++i) {
    texts[i] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10), '\r', '\n'};
  }
  return texts;
}();

char* WriteLineBreak(char* out) {
  std::memcpy(out, "\r\n", 2);
  return out + 2;
}

static_assert(std::endian::native == std::endian::little, "WriteHeader puts the type in the low byte");

char* WriteHeader(char* out, char type, size_t count) {
  if (count < 10) {
    constexpr uint32_t kZeroLine = '0' << 8 | '\r' << 16 | '\n' << 24;
    const uint32_t text = kZeroLine + (static_cast<uint32_t>(count) << 8) + static_cast<uint8_t>(type);
    std::memcpy(out, &text, sizeof text);
    return out + sizeof text;
  }
  *out++ = type;
  if (count < kShortCounts.size()) {
    std::memcpy(out, kShortCounts[count].data(), 4);
    return out + 4;
  }
  return WriteLineBreak(out + FormatUint64(count, out));
}

char* WriteInteger(char* out, int64_t value) {
  if (value >= 0) return WriteHeader(out, ':', static_cast<size_t>(value));
  *out++ = ':';
  return WriteLineBreak(out + FormatInt64(value, out));
}

// Two copies of Bytes each that overlap, for Bytes to 2 * Bytes bytes.
template <size_t Bytes>
void CopyEnds(char* out, const char* in, size_t size) {
  std::array<char, Bytes> first, last;
  std::memcpy(first.data(), in, Bytes);
  std::memcpy(last.data(), in + size - Bytes, Bytes);
  std::memcpy(out, first.data(), Bytes);
  std::memcpy(out + size - Bytes, last.data(), Bytes);
}

char* WriteBytes(char* out, std::string_view bytes) {
  const size_t size = bytes.size();
  if (size > 32) {
    std::memcpy(out, bytes.data(), size);
  } else if (size >= 16) {
    CopyEnds<16>(out, bytes.data(), size);
  } else if (size >= 8) {
    CopyEnds<8>(out, bytes.data(), size);
  } else if (size >= 4) {
    CopyEnds<4>(out, bytes.data(), size);
  } else if (size > 0) {
    out[0] = bytes[0];
    out[size / 2] = bytes[size / 2];
    out[size - 1] = bytes[size - 1];
  }
  return out + size;
}

}  // namespace

void ReplyWriter::Header(char type, size_t count) {
  char* out = sink_->Reserve(kHeaderChars);
  sink_->Advance(WriteHeader(out, type, count));
}

void ReplyWriter::SimpleString(std::string_view text) {
  sink_->Append("+");
  sink_->Append(text);
  sink_->Append("\r\n");
}

void ReplyWriter::Error(std::string_view text) {
  // Line breaks would end the reply early: those at the end are dropped, as by Redis, the others become
  // spaces.
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  ++error_count_;
  const size_t code_length = std::min(std::min(text.find(' '), text.size()), sizeof last_error_code_);
  std::memcpy(last_error_code_, text.data(), code_length);
  last_error_code_length_ = static_cast<uint8_t>(code_length);

  sink_->Append("-");
  while (!text.empty()) {
    const size_t line_break = text.find_first_of("\r\n");
    sink_->Append(text.substr(0, line_break));
    if (line_break == std::string_view::npos) break;
    sink_->Append(" ");
    text.remove_prefix(line_break + 1);
  }
  sink_->Append("\r\n");
}

void ReplyWriter::Integer(int64_t value) {
  sink_->Advance(WriteInteger(sink_->Reserve(kHeaderChars), value));
}

void ReplyWriter::IntegerArray(std::span<const int64_t> values) {
  static_assert((kFewIntegers + 1) * kHeaderChars <= ReplySink::kMaxReserve);
  PINYON_ASSERT(values.size() <= kFewIntegers);
  char* out = WriteHeader(sink_->Reserve((values.size() + 1) * kHeaderChars), '*', values.size());
  for (const int64_t value : values) out = WriteInteger(out, value);
  sink_->Advance(out);
}

void ReplyWriter::Bulk(std::string_view bytes) {
  if (bytes.size() <= kSmallBulkBytes) [[likely]] {
    char* out = WriteHeader(sink_->Reserve(kHeaderChars + kSmallBulkBytes + 2), '$', bytes.size());
    return sink_->Advance(WriteLineBreak(WriteBytes(out, bytes)));
  }
  Header('$', bytes.size());
  sink_->Append(bytes);
  Raw("\r\n");
}

void ReplyWriter::BulkInteger(int64_t value) {
  char digits[kMaxInt64Chars];
  Bulk({digits, FormatInt64(value, digits)});
}

void ReplyWriter::BulkBlock(SharedBlock* block) { BulkBlock(block, 0, block->length()); }

void ReplyWriter::BulkBlock(SharedBlock* block, size_t offset, size_t length) {
  PINYON_ASSERT(offset + length <= block->length());
  if (length < kByReferenceBytes) return Bulk(block->bytes().substr(offset, length));
  Header('$', length);
  sink_->AppendBlock(block, offset, length);
  Raw("\r\n");
}

void ReplyWriter::Double(double value) {
  char* const begin = sink_->Reserve(kHeaderChars + kMaxDoubleChars + 2);
  // The digits are written where they belong behind a header for less than ten of them.
  char* digits = begin + (resp3_ ? 1 : 4);
  const size_t count = FormatDouble(value, digits);
  if (resp3_) {
    *begin = ',';
  } else if (count < 10) {
    begin[0] = '$';
    begin[1] = static_cast<char>('0' + count);
    WriteLineBreak(begin + 2);
  } else {
    std::memmove(digits + 1, digits, count);
    digits = WriteHeader(begin, '$', count);
  }
  sink_->Advance(WriteLineBreak(digits + count));
}

void ReplyWriter::HumanDouble(double value) {
  char digits[kMaxHumanDoubleChars];
  DoubleText({digits, FormatDoubleHuman(value, digits)});
}

void ReplyWriter::DoubleText(std::string_view text) {
  if (!resp3_) return Bulk(text);
  sink_->Append(",");
  sink_->Append(text);
  sink_->Append("\r\n");
}

void ReplyWriter::Boolean(bool value) {
  if (resp3_) return Raw(value ? "#t\r\n" : "#f\r\n");
  Raw(value ? ":1\r\n" : ":0\r\n");
}

void ReplyWriter::BigNumber(std::string_view digits) {
  if (!resp3_) return Bulk(digits);
  sink_->Append("(");
  sink_->Append(digits);
  sink_->Append("\r\n");
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  PINYON_ASSERT(format.size() == 3);
  if (!resp3_) return Bulk(text);
  Header('=', text.size() + 4);
  sink_->Append(format);
  sink_->Append(":");
  sink_->Append(text);
  sink_->Append("\r\n");
}

}  // namespace pinyon
