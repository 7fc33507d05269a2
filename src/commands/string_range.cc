// Parts of strings: appending, reading and overwriting ranges, and the longest common subsequence of two.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "commands/families.h"
#include "engine/call.h"
#include "types/lcs.h"

namespace pinyon {

namespace {

// APPEND key value
void Append(Call& call) {
  const std::string_view key = call.args[1];
  const std::string_view suffix = call.args[2];
  const uint64_t hash = call.KeyHash(1);
  EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kString)) return;
  size_t length = suffix.size();
  if (!ref) {
    call.Notify(call.session.database, kNotifyNew, "new", key);
    call.db.SetString(ref, key, hash, suffix, kNoExpiry);
  } else {
    const size_t old_length = ref->StringLength();
    length += old_length;
    if (length > static_cast<uint64_t>(call.engine.options.proto_max_bulk_len)) {
      return call.reply.Error(kErrStringTooLong);
    }
    ref = call.db.EditString(ref, length);
    if (!suffix.empty()) std::memcpy(ref->MutableBytes() + old_length, suffix.data(), suffix.size());
  }
  call.Changed(kNotifyString, "append", key);
  call.reply.Integer(static_cast<int64_t>(length));
}

// STRLEN key
void StrLen(Call& call) {
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ref->StringLength()) : 0);
}

// GETRANGE key start end, SUBSTR key start end
void GetRange(Call& call) {
  int64_t start;
  int64_t end;
  if (!call.Int(2, &start) || !call.Int(3, &end)) return;
  EntryRef ref;
  if (!call.FindStringForRead(1, &ref)) return;
  const int64_t length = ref ? static_cast<int64_t>(ref->StringLength()) : 0;
  // Both counted from the end and out of order: empty, though clamped to the first byte they would meet
  // there.
  if (length == 0 || (start < 0 && end < 0 && start > end)) return call.reply.Bulk("");
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (end < 0) end = std::max<int64_t>(end + length, 0);
  end = std::min(end, length - 1);
  if (start > end) return call.reply.Bulk("");
  const size_t offset = static_cast<size_t>(start);
  const size_t count = static_cast<size_t>(end - start) + 1;
  if (SharedBlock* block = ref->block(); block != nullptr) return call.reply.BulkBlock(block, offset, count);
  IntegerText digits;
  call.reply.Bulk(ref->StringBytes(digits).substr(offset, count));
}

// SETRANGE key offset value
void SetRange(Call& call) {
  int64_t offset;
  if (!call.Int(2, &offset)) return;
  if (offset < 0) return call.reply.Error(kErrOffsetRange);
  const std::string_view key = call.args[1];
  const std::string_view value = call.args[3];
  const uint64_t hash = call.KeyHash(1);
  EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kString)) return;
  const size_t old_length = ref ? ref->StringLength() : 0;
  if (value.empty()) return call.reply.Integer(static_cast<int64_t>(old_length));
  const uint64_t value_end = static_cast<uint64_t>(offset) + value.size();
  if (value_end > static_cast<uint64_t>(call.engine.options.proto_max_bulk_len)) {
    return call.reply.Error(kErrStringTooLong);
  }

  if (!ref) {
    call.Notify(call.session.database, kNotifyNew, "new", key);
    ref = call.db.SetString(ref, key, hash, "", kNoExpiry);
  }
  const size_t length = std::max<size_t>(old_length, value_end);
  ref = call.db.EditString(ref, length);
  std::memcpy(ref->MutableBytes() + offset, value.data(), value.size());
  call.Changed(kNotifyString, "setrange", key);
  call.reply.Integer(static_cast<int64_t>(length));
}

struct LcsOptions {
  bool length = false;
  bool indexes = false;
  bool with_match_length = false;
  int64_t min_match_length = 0;
};

bool ParseLcsOptions(Call& call, LcsOptions* options) {
  for (size_t i = 3; i < call.argc(); ++i) {
    if (call.Is(i, "len")) {
      options->length = true;
    } else if (call.Is(i, "idx")) {
      options->indexes = true;
    } else if (call.Is(i, "withmatchlen")) {
      options->with_match_length = true;
    } else if (call.Is(i, "minmatchlen") && i + 1 < call.argc()) {
      if (!call.Int(++i, &options->min_match_length)) return false;
    } else {
      return call.SyntaxError();
    }
  }
  if (options->length && options->indexes) {
    return call.Fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  return true;
}

void ReplyRange(ReplyWriter& reply, size_t start, size_t length) {
  reply.ArrayHeader(2);
  reply.Integer(static_cast<int64_t>(start));
  reply.Integer(static_cast<int64_t>(start + length - 1));
}

void ReplyLcsIndexes(ReplyWriter& reply, const std::vector<LcsRun>& runs, const LcsOptions& options) {
  const auto is_long_enough = [&](const LcsRun& run) {
    return static_cast<int64_t>(run.length) >= options.min_match_length;
  };
  size_t length = 0;
  for (const LcsRun& run : runs) length += run.length;
  reply.MapHeader(2);
  reply.Bulk("matches");
  reply.ArrayHeader(static_cast<size_t>(std::count_if(runs.begin(), runs.end(), is_long_enough)));
  for (const LcsRun& run : runs) {
    if (!is_long_enough(run)) continue;
    reply.ArrayHeader(options.with_match_length ? 3 : 2);
    ReplyRange(reply, run.a_start, run.length);
    ReplyRange(reply, run.b_start, run.length);
    if (options.with_match_length) reply.Integer(static_cast<int64_t>(run.length));
  }
  reply.Bulk("len");
  reply.Integer(static_cast<int64_t>(length));
}

// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]
void Lcs(Call& call) {
  call.FindForRead(1);
  const EntryRef second = call.FindForRead(2);
  // Looked up again, because finding the second may have deleted that as expired.
  const EntryRef first = call.db.Peek(call.args[1]);
  for (const EntryRef ref : {first, second}) {
    if (ref && ref->type() != ValueType::kString) {
      return call.reply.Error("ERR The specified keys must contain string values");
    }
  }
  LcsOptions options;
  if (!ParseLcsOptions(call, &options)) return;
  IntegerText first_digits;
  IntegerText second_digits;
  const std::string_view a = first ? first->StringBytes(first_digits) : std::string_view();
  const std::string_view b = second ? second->StringBytes(second_digits) : std::string_view();
  // Redis's limit: the bytes of its table of 32-bit lengths. Ours is smaller, the work that the limit bounds
  // is not.
  const size_t max_cells = static_cast<size_t>(call.engine.options.proto_max_bulk_len) / sizeof(uint32_t);
  if (b.size() + 1 > max_cells / (a.size() + 1)) {
    return call.reply.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }

  if (options.length) return call.reply.Integer(static_cast<int64_t>(LcsLength(a, b)));
  const std::vector<LcsRun> runs = LcsRuns(a, b);
  if (options.indexes) return ReplyLcsIndexes(call.reply, runs, options);
  std::string text;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) text += a.substr(run->a_start, run->length);
  call.reply.Bulk(text);
}

constexpr CommandSpec kStringRangeCommands[] = {
    {.name = "append",
     .arity = 3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Append,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "string",
     .since = "2.0.0",
     .complexity =
         "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already "
         "present value is of any size, since the dynamic string library used by Redis will double the "
         "free space available on every reallocation.",
     .summary = "Adds bytes to the end of the string stored under a key",
     .syntax = "key value"},
    {.name = "strlen",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = StrLen,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRO)},
     .group = "string",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Returns the length of the string stored under a key, in bytes",
     .syntax = "key"},
    {.name = "getrange",
     .arity = 4,
     .flags = kReadOnly,
     .handler = GetRange,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "string",
     .since = "2.4.0",
     .complexity =
         "O(N) where N is the length of the returned string. The complexity is ultimately determined by the "
         "returned length, but because creating a substring from an existing string is very cheap, it can "
         "be considered O(1) for small strings.",
     .summary = "Returns a range of the bytes of the string stored under a key",
     .syntax = "key start end"},
    {.name = "substr",
     .arity = 4,
     .flags = kReadOnly,
     .handler = GetRange,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "string",
     .since = "1.0.0",
     .complexity =
         "O(N) where N is the length of the returned string. The complexity is ultimately determined by the "
         "returned length, but because creating a substring from an existing string is very cheap, it can "
         "be considered O(1) for small strings.",
     .summary = "Returns a range of the bytes of the string stored under a key",
     .syntax = "key start end",
     .deprecated_since = "2.0.0",
     .replaced_by = "`GETRANGE`"},
    {.name = "setrange",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .handler = SetRange,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "string",
     .since = "2.2.0",
     .complexity =
         "O(1), not counting the time taken to copy the new string in place. Usually, this string is very "
         "small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length "
         "of the value argument.",
     .summary = "Overwrites bytes of the string stored under a key, lengthening it as needed",
     .syntax = "key offset value"},
    {.name = "lcs",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Lcs,
     .acl = kAclString,
     .keys = {KeysFrom(1, kKeyRO | kKeyAccess, 1)},
     .group = "string",
     .since = "7.0.0",
     .complexity = "O(N*M) where N and M are the lengths of s1 and s2, respectively",
     .summary = "Finds the longest common subsequence of two strings",
     .syntax = "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]"},
};

}  // namespace

std::span<const CommandSpec> StringRangeCommands() { return kStringRangeCommands; }

}  // namespace pinyon
