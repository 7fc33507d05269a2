#include "commands/scan_options.h"

#include "base/glob.h"

namespace pinyon {

namespace {

// A cursor as Redis accepts it, which is what strtoul does with it: an empty text is 0, a sign is taken, a
// negative number wraps around.
bool ReadCursor(std::string_view text, uint64_t* cursor) {
  bool negative = false;
  size_t i = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    if (++i == text.size()) return false;
  }
  uint64_t value = 0;
  for (; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(text[i] - '0'), &value)) return false;
  }
  *cursor = negative ? 0 - value : value;
  return true;
}

}  // namespace

bool ScanOptions::Matches(std::string_view text) const { return MatchesAll() || GlobMatch(pattern, text); }

bool ParseCursor(Call& call, size_t index, uint64_t* cursor) {
  return ReadCursor(call.args[index], cursor) || call.Fail("ERR invalid cursor");
}

bool ParseScanOptions(Call& call, size_t first, uint32_t extra, ScanOptions* options) {
  for (size_t i = first; i < call.argc(); ++i) {
    if ((extra & kScanNoValues) != 0 && call.Is(i, "novalues")) {
      options->no_values = true;
      continue;
    }
    const size_t option = i++;
    if (i == call.argc()) return call.SyntaxError();
    if (call.Is(option, "count")) {
      int64_t count;
      if (!call.Int(i, &count)) return false;
      if (count < 1) return call.SyntaxError();
      options->count = static_cast<size_t>(count);
    } else if (call.Is(option, "match")) {
      options->pattern = call.args[i];
    } else if ((extra & kScanType) != 0 && call.Is(option, "type")) {
      options->type = call.args[i];
      options->has_type = true;
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

void ReplyScanHeader(Call& call, uint64_t cursor, size_t count) {
  call.reply.ArrayHeader(2);
  char text[kMaxInt64Chars];
  call.reply.Bulk({text, FormatUint64(cursor, text)});
  call.reply.ArrayHeader(count);
}

}  // namespace pinyon
