#include "resp/request_parser.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/numbers.h"
#include "base/strings.h"

namespace pinyon {

namespace {

// Requests of up to so many arguments are first tried as lying there whole.
constexpr size_t kFewArgs = 64;
constexpr size_t kMaxUnauthenticatedArgs = 10;
constexpr int64_t kMaxUnauthenticatedBulk = 16 * 1024;
constexpr std::string_view kErrInvalidLength = "invalid bulk length";

// The first `line_end` in the bytes, unless a zero byte stands before it: Redis looks no further than that,
// and so waits for a line end that never comes until the line is too long.
const char* FindLineEnd(const char* p, const char* end, char line_end) {
  const auto* found = static_cast<const char*>(std::memchr(p, line_end, static_cast<size_t>(end - p)));
  const char* const stop = found != nullptr ? found : end;
  return std::memchr(p, '\0', static_cast<size_t>(stop - p)) == nullptr ? found : nullptr;
}

// Bytes that the shortest argument has: "$0\r\n\r\n".
constexpr ptrdiff_t kLeastArgBytes = 6;

constexpr uint64_t Word(std::string_view bytes) {
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) word |= uint64_t{static_cast<uint8_t>(bytes[i])} << 8 * i;
  return word;
}

// The usual header, a type and one or two digits, at `p`, where kLeastArgBytes lie: with no loop and few
// branches, since a request has one for each argument. What it takes for something else may be a header all
// the same.
template <char Type>
inline bool TakeShortHeader(const char*& p, const char* end, size_t* value) {
  constexpr char kOneDigit[] = {Type, '0', '\r', '\n', '\0'};
  constexpr char kTwoDigits[] = {Type, '0', '0', '\r', '\n', '\0'};
  uint32_t head;
  std::memcpy(&head, p, sizeof head);
  // What exceeds the least such header is the digit, in its place.
  const uint32_t digit = head - static_cast<uint32_t>(Word(kOneDigit));
  if (digit <= 0x900 && (digit & 0xFF) == 0) {
    *value = digit >> 8;
    p += 4;
    return true;
  }
  uint64_t word;
  if (end - p < static_cast<ptrdiff_t>(sizeof word)) return false;
  std::memcpy(&word, p, sizeof word);
  const uint64_t digits = (word & 0xFFFFFFFFFF) - Word(kTwoDigits);
  const uint64_t tens = digits >> 8 & 0xFF, ones = digits >> 16;
  if ((digits & 0xFF) != 0 || tens - 1 > 8 || ones > 9) return false;
  *value = tens * 10 + ones;
  p += 5;
  return true;
}

}  // namespace

RequestParser::~RequestParser() { Clear(); }

void RequestParser::Clear() {
  ReleaseLargeArgs();
  if (block_ != nullptr) block_->Unref();
  block_ = nullptr;
  block_filled_ = 0;
  partial_.reset();
}

void RequestParser::ReleaseLargeArgs() {
  for (const LargeArg& arg : large_args_) {
    if (arg.second != nullptr) arg.second->Unref();
  }
  large_args_.clear();
}

size_t RequestParser::MemoryBytes() const {
  size_t total = block_ != nullptr ? block_->AllocatedBytes() : 0;
  for (const LargeArg& arg : large_args_) total += arg.second != nullptr ? arg.second->AllocatedBytes() : 0;
  if (partial_ != nullptr) total += sizeof(Partial) + partial_->args.capacity() * sizeof(Partial::Arg);
  return total;
}

size_t RequestParser::LargeArgBytes() const {
  size_t total = 0;
  for (const LargeArg& arg : large_args_) total += arg.second != nullptr ? arg.second->length() : 0;
  return total;
}

RequestParser::Status RequestParser::Fail(std::string_view text) {
  error_ = "ERR Protocol error: ";
  error_ += text;
  partial_.reset();
  return Status::kError;
}

// Reads the decimal number at `p` and the line end behind it (any two bytes of which the first is '\r', as
// Redis does); on success `p` is behind them.
RequestParser::Line RequestParser::ParseLength(const char*& p, const char* end, int64_t* value) {
  // The usual: up to nine digits without a leading zero.
  const char* q = p;
  int64_t number = 0;
  while (q < end && q - p < 9 && static_cast<unsigned char>(*q - '0') <= 9)
    number = number * 10 + (*q++ - '0');
  if (end - q >= 2 && *q == '\r' && q > p && (*p != '0' || q - p == 1)) {
    *value = number;
    p = q + 2;
    return Line::kDone;
  }
  const char* line_end = FindLineEnd(p, end, '\r');
  if (line_end == nullptr) return Line::kEndless;
  if (end - line_end < 2) return Line::kNeedMore;
  if (!ParseInt64({p, static_cast<size_t>(line_end - p)}, value)) return Line::kBad;
  p = line_end + 2;
  return Line::kDone;
}

// A line in place of a bulk's header is an error once it is complete, as it is for Redis.
RequestParser::Line RequestParser::FindBadHeader(const char* header, const char* end) {
  const char* line_end = FindLineEnd(header, end, '\r');
  if (line_end == nullptr) return Line::kEndless;
  return end - line_end < 2 ? Line::kNeedMore : Line::kBad;
}

bool RequestParser::TakeWhole(std::string_view bytes, const Limits& limits, size_t* consumed,
                              std::vector<std::string_view>* args) {
  const char* const end = bytes.data() + bytes.size();
  const char* p = bytes.data();
  size_t count = 0;
  if (end - p < kLeastArgBytes || !TakeShortHeader<'*'>(p, end, &count)) return false;
  if (count == 0 || count > (limits.authenticated ? kFewArgs : kMaxUnauthenticatedArgs)) return false;
  const size_t first_arg = args->size();
  args->resize(first_arg + count);
  for (std::string_view *arg = args->data() + first_arg, *last = arg + count; arg != last; ++arg) {
    size_t length = 0;
    if (end - p < kLeastArgBytes ||
        (!TakeShortHeader<'$'>(p, end, &length) && !TakeHeader(p, end, limits, &length)) ||
        static_cast<size_t>(end - p) < length + 2) {
      args->resize(first_arg);
      return false;
    }
    *arg = {p, length};
    p += length + 2;
  }
  *consumed = static_cast<size_t>(p - bytes.data());
  return true;
}

// A header of an argument that is allowed, whatever its length.
bool RequestParser::TakeHeader(const char*& p, const char* end, const Limits& limits, size_t* length) {
  const char* q = p + 1;
  int64_t value = 0;
  if (*p != '$' || ParseLength(q, end, &value) != Line::kDone || !LengthError(value, limits).empty())
    return false;
  *length = static_cast<size_t>(value);
  p = q;
  return true;
}

RequestParser::Status RequestParser::ParseSlowly(std::string_view bytes, const Limits& limits,
                                                 size_t* consumed, std::vector<std::string_view>* args) {
  *consumed = 0;
  if (partial_ != nullptr) return ResumePartial(bytes, limits, consumed, args);
  if (holds_arguments_) {
    holds_arguments_ = false;
    ReleaseLargeArgs();
    inline_args_.clear();
  }
  if (bytes.empty()) return Status::kNeedMore;
  if (bytes.front() != '*') return ParseInline(bytes, consumed, args);
  return ParseHeader(bytes, limits, consumed, args);
}

// An array, of whatever length, that may not have arrived whole.
RequestParser::Status RequestParser::ParseHeader(std::string_view bytes, const Limits& limits,
                                                 size_t* consumed, std::vector<std::string_view>* args) {
  const char* p = bytes.data() + 1;
  int64_t count = 0;
  switch (ParseLength(p, bytes.data() + bytes.size(), &count)) {
    case Line::kEndless:
      if (bytes.size() > kMaxInlineBytes) return Fail("too big mbulk count string");
      return Status::kNeedMore;
    case Line::kNeedMore: return Status::kNeedMore;
    case Line::kBad: return Fail("invalid multibulk length");
    case Line::kDone: break;
  }
  if (count > INT_MAX) return Fail("invalid multibulk length");
  if (count > static_cast<int64_t>(kMaxUnauthenticatedArgs) && !limits.authenticated)
    return Fail("unauthenticated multibulk length");
  return ParseArgs(bytes, static_cast<size_t>(p - bytes.data()), count, limits, consumed, args);
}

// Its arguments, which begin at `position`. When not all of the request lies there, what was found goes into
// partial_.
RequestParser::Status RequestParser::ParseArgs(std::string_view bytes, size_t position, int64_t count,
                                               const Limits& limits, size_t* consumed,
                                               std::vector<std::string_view>* args) {
  const char* const start = bytes.data();
  const char* const end = start + bytes.size();
  const char* p = start + position;
  const size_t first_arg = args->size();
  for (int64_t left = count; left > 0; --left) {
    const char* const arg_start = p;
    size_t length = 0;
    if (p < end && TakeHeader(p, end, limits, &length) && static_cast<size_t>(end - p) >= length + 2) {
      args->emplace_back(p, length);
      p += length + 2;
      continue;
    }
    partial_ = std::make_unique<Partial>();
    partial_->position = static_cast<size_t>(arg_start - start);
    partial_->args_left = left;
    for (size_t i = first_arg; i < args->size(); ++i) {
      partial_->args.push_back({static_cast<size_t>((*args)[i].data() - start), (*args)[i].size()});
    }
    args->resize(first_arg);
    return ResumePartial(bytes, limits, consumed, args);
  }
  *consumed = static_cast<size_t>(p - start);
  return Status::kRequest;
}

std::string_view RequestParser::LengthError(int64_t length, const Limits& limits) {
  if (length < 0 || length > limits.max_bulk_bytes) return kErrInvalidLength;
  if (!limits.authenticated && length > kMaxUnauthenticatedBulk) return "unauthenticated bulk length";
  return {};
}

bool RequestParser::CheckBulkLength(Line line, int64_t length, const Limits& limits) {
  const std::string_view error = line == Line::kBad ? kErrInvalidLength : LengthError(length, limits);
  if (error.empty()) return true;
  Fail(error);
  return false;
}

RequestParser::Status RequestParser::ResumePartial(std::string_view bytes, const Limits& limits,
                                                   size_t* consumed, std::vector<std::string_view>* args) {
  if (block_ != nullptr) {
    if (BlockMissing() > 0) return Status::kNeedBlock;
    block_->set_length(block_->capacity() - 2);
    partial_->args.push_back({kInBlock, block_->length()});
    large_args_.emplace_back(partial_->args.size() - 1, block_);
    holds_arguments_ = true;
    block_ = nullptr;
    --partial_->args_left;
  }
  const char* const start = bytes.data();
  const char* const end = start + bytes.size();
  while (partial_->args_left > 0) {
    const char* const header = start + partial_->position;
    if (header >= end) return Status::kNeedMore;
    const char* p = header + 1;
    int64_t length = 0;
    const Line line = *header == '$' ? ParseLength(p, end, &length) : FindBadHeader(header, end);
    if (line == Line::kEndless && static_cast<size_t>(end - header) > kMaxInlineBytes) {
      return Fail("too big bulk count string");
    }
    if (line == Line::kEndless || line == Line::kNeedMore) return Status::kNeedMore;
    if (*header != '$') return Fail(std::string("expected '$', got '") + *header + "'");
    if (!CheckBulkLength(line, length, limits)) return Status::kError;
    if (static_cast<size_t>(end - p) < static_cast<size_t>(length) + 2) {
      if (static_cast<size_t>(length) < kLargeBulkBytes) return Status::kNeedMore;
      return StartBlock(static_cast<size_t>(p - start), length, bytes, consumed);
    }
    partial_->args.push_back({static_cast<size_t>(p - start), static_cast<size_t>(length)});
    partial_->position = static_cast<size_t>(p - start) + static_cast<size_t>(length) + 2;
    --partial_->args_left;
  }
  FinishPartial(bytes, consumed, args);
  return Status::kRequest;
}

// Moves what has arrived of a large bulk to a block; the bulk leaves the caller's bytes.
RequestParser::Status RequestParser::StartBlock(size_t arrived_offset, int64_t length, std::string_view bytes,
                                                size_t* consumed) {
  const size_t arrived = bytes.size() - arrived_offset;
  const size_t whole = static_cast<size_t>(length) + 2;  // the line end too
  PINYON_ASSERT(arrived < whole);
  block_ = SharedBlock::New(0, whole);
  std::memcpy(block_->data(), bytes.data() + arrived_offset, arrived);
  block_filled_ = arrived;
  partial_->position = arrived_offset;
  *consumed = arrived;
  return Status::kNeedBlock;
}

void RequestParser::FinishPartial(std::string_view bytes, size_t* consumed,
                                  std::vector<std::string_view>* args) {
  args->reserve(args->size() + partial_->args.size());
  auto large = large_args_.begin();
  for (const Partial::Arg& arg : partial_->args) {
    if (arg.offset == kInBlock) {
      args->push_back(large->second->bytes());
      ++large;
    } else {
      args->push_back(bytes.substr(arg.offset, arg.length));
    }
  }
  *consumed = partial_->position;
  partial_.reset();
}

RequestParser::Status RequestParser::ParseInline(std::string_view bytes, size_t* consumed,
                                                 std::vector<std::string_view>* args) {
  const char* const newline = FindLineEnd(bytes.data(), bytes.data() + bytes.size(), '\n');
  if (newline == nullptr) {
    if (bytes.size() > kMaxInlineBytes) return Fail("too big inline request");
    return Status::kNeedMore;
  }
  std::string_view line(bytes.data(), static_cast<size_t>(newline - bytes.data()));
  *consumed = line.size() + 1;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);

  const auto is_plain = [](char c) { return c >= ' ' && c != '"' && c != '\'' && c != '\\'; };
  if (!std::all_of(line.begin(), line.end(), is_plain)) {
    auto split = SplitArgs(line);
    if (!split) {
      *consumed = 0;
      return Fail("unbalanced quotes in request");
    }
    inline_args_ = std::move(*split);
    holds_arguments_ = true;
    args->insert(args->end(), inline_args_.begin(), inline_args_.end());
    return Status::kRequest;
  }
  for (size_t i = 0; i < line.size();) {
    if (line[i] == ' ') {
      ++i;
      continue;
    }
    const size_t word_end = std::min(line.find(' ', i), line.size());
    args->push_back(line.substr(i, word_end - i));
    i = word_end;
  }
  return Status::kRequest;
}

}  // namespace pinyon
