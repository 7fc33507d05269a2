#include "resp/reply_writer.h"

#include <algorithm>
#include <cstring>

#include "base/numbers.h"

namespace pinyon {

namespace {

// From this size on a block is sent by reference: below, copying costs less than another piece to write.
constexpr size_t kByReferenceBytes = 16 * 1024;
// Payloads up to this fit a reservation together with their header.
constexpr size_t kSmallBulkBytes = 256;
constexpr size_t kHeaderChars = 1 + kMaxInt64Chars + 2;

char* WriteHeader(char* out, char type, size_t count) {
  *out++ = type;
  if (count < 10) {
    *out++ = static_cast<char>('0' + count);
  } else {
    out += FormatUint64(count, out);
  }
  *out++ = '\r';
  *out++ = '\n';
  return out;
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
  char* out = sink_->Reserve(kHeaderChars);
  *out++ = ':';
  if (value >= 0 && value < 10) {
    *out++ = static_cast<char>('0' + value);
  } else {
    out += FormatInt64(value, out);
  }
  *out++ = '\r';
  *out++ = '\n';
  sink_->Advance(out);
}

void ReplyWriter::Bulk(std::string_view bytes) {
  if (bytes.size() <= kSmallBulkBytes) [[likely]] {
    char* out = WriteHeader(sink_->Reserve(kHeaderChars + kSmallBulkBytes + 2), '$', bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    out += bytes.size();
    *out++ = '\r';
    *out++ = '\n';
    return sink_->Advance(out);
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
  char digits[kMaxDoubleChars];
  DoubleText({digits, FormatDouble(value, digits)});
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
