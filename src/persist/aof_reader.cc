#include "persist/aof_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/strings.h"

namespace pinyon {

namespace {

constexpr size_t kReadBytes = 256 * 1024;
// Digits of a length, and a sign.
constexpr size_t kMaxLengthChars = 20;
constexpr std::string_view kRdbMagic = "REDIS";

std::string Shown(char c) { return QuoteForLog(std::string_view(&c, 1)); }

}  // namespace

FileError AofReader::Open(FileSystem& fs, const std::string& path) {
  if (FileError error = File::OpenToRead(fs, path, &file_)) return error;
  if (FileError error = file_.Size(&file_bytes_)) return error;
  char magic[kRdbMagic.size()];
  size_t count = 0;
  if (FileError error = file_.Read(0, magic, sizeof magic, &count)) return error;
  has_preamble_ = std::string_view(magic, count) == kRdbMagic;
  return {};
}

void AofReader::SkipTo(uint64_t offset) {
  PINYON_ASSERT(buffer_.empty());
  buffer_offset_ = whole_end_ = offset;
}

bool AofReader::Fill(Result* result) {
  const uint64_t end = OffsetOf(buffer_.size());
  // The file may be longer than it was when it was opened, never so much that it matters.
  const uint64_t rest = file_bytes_ > end ? file_bytes_ - end : 0;
  const size_t missing = wanted_ > buffer_.size() ? wanted_ - buffer_.size() : 0;
  // What could not be parsed is doubled, so that it is not looked at again and again.
  const size_t want = std::max({kReadBytes, missing, buffer_.size() - position_});
  const size_t size = static_cast<size_t>(std::min<uint64_t>(want, std::max<uint64_t>(rest, 1)));
  const size_t before = buffer_.size();
  buffer_.resize(before + size);
  size_t count = 0;
  const FileError error = file_.Read(end, buffer_.data() + before, size, &count);
  buffer_.resize(before + count);
  wanted_ = 0;
  if (!error) return count > 0;
  *result = {Status::kIoError, end, error.Text()};
  return false;
}

// Between units nothing of the buffer is needed but what was not parsed.
void AofReader::DropParsed() {
  const size_t dropped = in_transaction_ ? transaction_start_ : position_;
  if (dropped == 0) return;
  buffer_.erase(0, dropped);
  buffer_offset_ += dropped;
  position_ -= dropped;
  transaction_start_ = 0;
  for (Arg& arg : args_) arg.offset -= dropped;
}

AofReader::Result AofReader::Read(const Receiver& receiver) {
  Result result;
  for (;;) {
    const std::string_view ahead = Ahead();
    bool need_more = ahead.empty();
    if (!need_more && ahead[0] == '#') {
      need_more = ahead.find('\n') == ahead.npos;
      if (need_more && ahead.size() > kMaxAnnotationBytes) {
        Damaged(position_, "a line of annotation has no end", &result);
        return result;
      }
      if (!need_more && !TakeAnnotation(receiver)) return result;
    } else if (!need_more) {
      Command command;
      switch (ParseCommand(&command)) {
        case Parse::kWhole:
          if (!TakeCommand(command, receiver, &result)) return result;
          break;
        case Parse::kBad: Damaged(bad_at_, std::move(bad_reason_), &result); return result;
        case Parse::kNeedMore: need_more = true; break;
      }
    }
    if (!need_more) continue;
    DropParsed();
    if (receiver.progress) receiver.progress(OffsetOf(position_));
    if (Fill(&result)) continue;
    if (result.status == Status::kEnd && (!buffer_.empty() || in_transaction_)) Torn(&result);
    return result;
  }
}

// A length and its line end: "*3\r\n", "$11\r\n".
AofReader::Parse AofReader::ParseLength(char type, size_t* at, int64_t max, int64_t* value) {
  const char* const begin = buffer_.data() + *at;
  const char* const end = buffer_.data() + buffer_.size();
  const char* p = begin;
  const auto bad = [&](const char* where, std::string reason) {
    bad_at_ = static_cast<size_t>(where - buffer_.data());
    bad_reason_ = std::move(reason);
    return Parse::kBad;
  };
  if (p == end) return Parse::kNeedMore;
  if (*p != type) return bad(p, fmt::format("expected '{}', found {}", type, Shown(*p)));
  int64_t number = 0;
  for (++p;; ++p) {
    if (p == end) return Parse::kNeedMore;
    if (*p < '0' || *p > '9') break;
    if (p - begin > static_cast<ptrdiff_t>(kMaxLengthChars) || number > max) break;
    number = number * 10 + (*p - '0');
  }
  if (p == begin + 1 || (*p != '\r' && !(*p >= '0' && *p <= '9'))) {
    return bad(begin, fmt::format("a length is no number ({})", Shown(*p)));
  }
  if (number > max || *p != '\r') return bad(begin, "a length is beyond every limit");
  if (++p == end) return Parse::kNeedMore;
  if (*p != '\n') return bad(p, "a length does not end with CR LF");
  *value = number;
  *at = static_cast<size_t>(p + 1 - buffer_.data());
  return Parse::kWhole;
}

AofReader::Parse AofReader::ParseCommand(Command* command) {
  const size_t first_arg = args_.size();
  size_t at = position_;
  int64_t count = 0;
  broken_lines_ = 0;
  Parse parse = ParseLength('*', &at, kMaxArgs, &count);
  if (parse != Parse::kWhole) return parse;
  if (count == 0) {
    bad_at_ = position_;
    bad_reason_ = "a command without a name";
    return Parse::kBad;
  }
  for (; count > 0; --count) {
    int64_t length = 0;
    const size_t line_start = at;
    parse = ParseLength('$', &at, kMaxBulkBytes, &length);
    const size_t available = buffer_.size() - at, needed = static_cast<size_t>(length);
    // Both bytes of the line end are looked at as far as they are there: a torn tail is what fits so far.
    const size_t line_end = at + needed;
    if (parse == Parse::kWhole && available > needed &&
        (buffer_[line_end] != '\r' || (available > needed + 1 && buffer_[line_end + 1] != '\n'))) {
      bad_at_ = line_end;
      bad_reason_ = fmt::format("an argument of {} bytes is not followed by CR LF", length);
      parse = Parse::kBad;
    } else if (parse == Parse::kWhole && available < needed + 2) {
      wanted_ = line_end + 2;
      parse = Parse::kNeedMore;
    }
    if (parse != Parse::kWhole) {
      broken_lines_ = 1 + 2 * (args_.size() - first_arg) + (at > line_start ? 1 : 0);
      args_.resize(first_arg);
      return parse;
    }
    args_.push_back({at, needed});
    at = line_end + 2;
  }
  *command = {OffsetOf(position_), first_arg, args_.size() - first_arg};
  lines_ += 1 + 2 * command->args;
  position_ = at;
  return Parse::kWhole;
}

bool AofReader::TakeAnnotation(const Receiver& receiver) {
  const std::string_view ahead = Ahead();
  std::string_view line = ahead.substr(0, ahead.find('\n'));
  const size_t length = line.size() + 1;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  line.remove_prefix(1);
  if (receiver.annotation && !receiver.annotation(line, OffsetOf(position_))) return false;
  position_ += length;
  if (!in_transaction_) whole_end_ = OffsetOf(position_);
  return true;
}

bool AofReader::TakeCommand(const Command& command, const Receiver& receiver, Result* result) {
  const size_t start = static_cast<size_t>(command.offset - buffer_offset_);
  if (command.args == 1) {
    const std::string_view name = Text(args_[command.first_arg]);
    if (EqualsIgnoreCase(name, "MULTI")) {
      if (in_transaction_) return Damaged(start, "MULTI within a transaction", result);
      args_.clear();
      transaction_start_ = start;
      in_transaction_ = true;
      return true;
    }
    if (EqualsIgnoreCase(name, "EXEC")) {
      if (!in_transaction_) return Damaged(start, "EXEC without MULTI", result);
      args_.pop_back();
      return Deliver(receiver, result);
    }
    if (EqualsIgnoreCase(name, "DISCARD")) return Damaged(start, "DISCARD in a log", result);
  }
  commands_.push_back(command);
  return in_transaction_ || Deliver(receiver, result);
}

bool AofReader::Deliver(const Receiver& receiver, Result* result) {
  texts_.clear();
  unit_.clear();
  for (const Arg& arg : args_) texts_.push_back(Text(arg));
  for (const Command& command : commands_) {
    unit_.push_back({command.offset, std::span(texts_).subspan(command.first_arg, command.args)});
  }
  in_transaction_ = false;
  uint64_t offset = commands_.empty() ? 0 : commands_.front().offset;
  if (!unit_.empty()) {
    if (const auto refusal = receiver.unit(unit_, &offset)) {
      *result = {Status::kRefused, offset, *refusal};
      return false;
    }
  }
  args_.clear();
  commands_.clear();
  whole_end_ = OffsetOf(position_);
  return true;
}

bool AofReader::Damaged(size_t position, std::string reason, Result* result) const {
  *result = {Status::kDamaged, OffsetOf(position), std::move(reason)};
  return false;
}

void AofReader::Torn(Result* result) const {
  const std::string_view ahead = Ahead();
  const std::string_view where = ahead.empty()     ? "between MULTI and EXEC"
                                 : ahead[0] == '#' ? "in the middle of an annotation"
                                 : in_transaction_ ? "in the middle of a command of a transaction"
                                                   : "in the middle of a command";
  *result = {Status::kTorn, OffsetOf(buffer_.size()), fmt::format("the file ends {}", where)};
}

}  // namespace pinyon
