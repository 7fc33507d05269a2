#include "support/reply.h"

#include <fmt/format.h>

#include <charconv>

namespace pinyon::testing {
namespace {

constexpr int kMaxDepth = 64;

// Reads the header lines of replies; both the length scan and the parser walk with it.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  // The next line without its CRLF, or nullopt when its end has not arrived.
  std::optional<std::string_view> Line() {
    const size_t end = bytes_.find("\r\n", position_);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes_.substr(position_, end - position_);
    position_ = end + 2;
    return line;
  }

  // The next `size` bytes and the CRLF behind them, or nullopt when not all of it has arrived.
  std::optional<std::string_view> Bulk(size_t size) {
    if (bytes_.size() - position_ < size + 2) return std::nullopt;
    const std::string_view bulk = bytes_.substr(position_, size);
    if (bytes_.substr(position_ + size, 2) != "\r\n") throw MalformedReply("no CRLF at the end of a bulk");
    position_ += size + 2;
    return bulk;
  }

  size_t position() const { return position_; }

 private:
  std::string_view bytes_;
  size_t position_ = 0;
};

int64_t ParseCount(std::string_view line) {
  int64_t count = 0;
  const char* end = line.data() + line.size();
  const auto result = std::from_chars(line.data() + 1, end, count);
  if (result.ec != std::errc() || result.ptr != end || count < -1) {
    throw MalformedReply(fmt::format("not a length: {}", Quote(line)));
  }
  return count;
}

ReplyType TypeOf(std::string_view line) {
  switch (line.empty() ? '\0' : line[0]) {
    case '+': return ReplyType::kSimple;
    case '-': return ReplyType::kError;
    case ':': return ReplyType::kInteger;
    case '$': return ReplyType::kBulk;
    case '*': return ReplyType::kArray;
    case '_': return ReplyType::kNull;
    case ',': return ReplyType::kDouble;
    case '#': return ReplyType::kBoolean;
    case '(': return ReplyType::kBigNumber;
    case '!': return ReplyType::kBulkError;
    case '=': return ReplyType::kVerbatim;
    case '%': return ReplyType::kMap;
    case '~': return ReplyType::kSet;
    case '>': return ReplyType::kPush;
    default: throw MalformedReply(fmt::format("unknown reply type: {}", Quote(line.substr(0, 64))));
  }
}

bool IsBulkType(ReplyType type) {
  return type == ReplyType::kBulk || type == ReplyType::kBulkError || type == ReplyType::kVerbatim;
}

bool IsAggregateType(ReplyType type) {
  return type == ReplyType::kArray || type == ReplyType::kMap || type == ReplyType::kSet ||
         type == ReplyType::kPush;
}

// Walks over one reply; builds it when `reply` is given. False when bytes are missing.
bool Walk(Cursor& cursor, Reply* reply, int depth);

bool WalkElements(Cursor& cursor, int64_t count, std::vector<Reply>* elements, int depth) {
  for (int64_t i = 0; i < count; ++i) {
    Reply* element = elements == nullptr ? nullptr : &elements->emplace_back();
    if (!Walk(cursor, element, depth + 1)) return false;
  }
  return true;
}

bool Walk(Cursor& cursor, Reply* reply, int depth) {
  if (depth > kMaxDepth) throw MalformedReply("nested too deeply");
  auto line = cursor.Line();
  if (!line) return false;
  if (!line->empty() && line->front() == '|') {
    if (!WalkElements(cursor, 2 * ParseCount(*line), reply == nullptr ? nullptr : &reply->attributes,
                      depth)) {
      return false;
    }
    line = cursor.Line();
    if (!line) return false;
  }
  ReplyType type = TypeOf(*line);
  if (IsBulkType(type)) {
    const int64_t size = ParseCount(*line);
    if (size < 0) {
      if (reply != nullptr) reply->type = ReplyType::kNullBulk;
      return true;
    }
    const auto bulk = cursor.Bulk(static_cast<size_t>(size));
    if (!bulk) return false;
    if (reply != nullptr) reply->text = *bulk;
  } else if (IsAggregateType(type)) {
    int64_t count = ParseCount(*line);
    if (count < 0) type = ReplyType::kNullArray;
    if (type == ReplyType::kMap) count *= 2;
    if (!WalkElements(cursor, count, reply == nullptr ? nullptr : &reply->elements, depth)) return false;
  } else if (reply != nullptr) {
    reply->text = line->substr(1);
  }
  if (reply != nullptr) reply->type = type;
  return true;
}

std::string_view AggregateName(ReplyType type) {
  switch (type) {
    case ReplyType::kArray: return "array";
    case ReplyType::kMap: return "map";
    case ReplyType::kSet: return "set";
    default: return "push";
  }
}

void PrintTo(std::string& out, const Reply& reply, size_t indent);

void PrintElements(std::string& out, std::string_view name, const std::vector<Reply>& elements,
                   size_t indent) {
  out += fmt::format("({}, {} elements)", name, elements.size());
  for (size_t i = 0; i < elements.size(); ++i) {
    out += fmt::format("\n{}{}) ", std::string(indent, ' '), i + 1);
    PrintTo(out, elements[i], indent + 3);
  }
}

void PrintTo(std::string& out, const Reply& reply, size_t indent) {
  if (!reply.attributes.empty()) {
    PrintElements(out, "attribute", reply.attributes, indent);
    out += "\n" + std::string(indent, ' ');
  }
  switch (reply.type) {
    case ReplyType::kSimple: out += "+" + reply.text; return;
    case ReplyType::kError: out += "(error) " + Quote(reply.text); return;
    case ReplyType::kBulkError: out += "(bulk error) " + Quote(reply.text); return;
    case ReplyType::kInteger: out += "(integer) " + reply.text; return;
    case ReplyType::kBulk: out += "(bulk) " + Quote(reply.text); return;
    case ReplyType::kVerbatim: out += "(verbatim) " + Quote(reply.text); return;
    case ReplyType::kNullBulk: out += "(null bulk)"; return;
    case ReplyType::kNullArray: out += "(null array)"; return;
    case ReplyType::kNull: out += "(null)"; return;
    case ReplyType::kDouble: out += "(double) " + reply.text; return;
    case ReplyType::kBoolean: out += "(boolean) " + reply.text; return;
    case ReplyType::kBigNumber: out += "(big number) " + reply.text; return;
    case ReplyType::kNoReply: out += "(no reply: " + reply.text + ")"; return;
    default: PrintElements(out, AggregateName(reply.type), reply.elements, indent);
  }
}

}  // namespace

bool Reply::IsNull() const {
  return type == ReplyType::kNull || type == ReplyType::kNullBulk || type == ReplyType::kNullArray;
}

bool Reply::IsAggregate() const { return IsAggregateType(type); }

int64_t Reply::Integer() const {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (type != ReplyType::kInteger || result.ec != std::errc() || result.ptr != end) {
    throw std::runtime_error("expected an integer reply, got " + Print(*this));
  }
  return value;
}

std::optional<size_t> ReplyLength(std::string_view bytes) {
  Cursor cursor(bytes);
  if (!Walk(cursor, nullptr, 0)) return std::nullopt;
  return cursor.position();
}

Reply ParseReply(std::string_view bytes) {
  Cursor cursor(bytes);
  Reply reply;
  if (!Walk(cursor, &reply, 0)) throw MalformedReply("incomplete reply");
  if (cursor.position() != bytes.size()) throw MalformedReply("bytes behind the reply");
  return reply;
}

std::string Print(const Reply& reply) {
  std::string out;
  PrintTo(out, reply, 0);
  return out;
}

std::string Quote(std::string_view text) {
  constexpr std::string_view kHarmless = "_-.:,/+*?[]^#%@<>=()|!&~;$";
  bool bare = !text.empty();
  for (const char c : text) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && kHarmless.find(c) == std::string_view::npos) bare = false;
  }
  if (bare) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c >= ' ' && c <= '~') {
          out += c;
        } else {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  return out + "\"";
}

std::string QuoteCommand(const std::vector<std::string>& args) {
  std::string line;
  for (const std::string& arg : args) {
    if (!line.empty()) line += ' ';
    line += Quote(arg);
  }
  return line;
}

std::string EncodeCommand(const std::vector<std::string>& args) {
  std::string bytes = fmt::format("*{}\r\n", args.size());
  for (const std::string& arg : args) {
    bytes += fmt::format("${}\r\n", arg.size());
    bytes += arg;
    bytes += "\r\n";
  }
  return bytes;
}

}  // namespace pinyon::testing
