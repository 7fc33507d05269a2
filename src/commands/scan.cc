// Commands that go through the keys of a database: SCAN, KEYS, RANDOMKEY. They see keys in the order of the
// table's hash; none of them may return a key that has expired.
#include <string>
#include <vector>

#include "base/glob.h"
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// A cursor as Redis accepts it, which is what strtoul does with it: an empty text is 0, a sign is taken, a
// negative number wraps around.
bool ParseCursor(std::string_view text, uint64_t* cursor) {
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

struct ScanOptions {
  size_t count = 10;
  std::string_view pattern = "*";
  std::string_view type;
  bool has_type = false;
};

bool ParseScanOptions(Call& call, ScanOptions* options) {
  for (size_t i = 2; i < call.argc(); i += 2) {
    if (i + 1 == call.argc()) return call.SyntaxError();
    if (call.Is(i, "count")) {
      int64_t count;
      if (!call.Int(i + 1, &count)) return false;
      if (count < 1) return call.SyntaxError();
      options->count = static_cast<size_t>(count);
    } else if (call.Is(i, "match")) {
      options->pattern = call.args[i + 1];
    } else if (call.Is(i, "type")) {
      options->type = call.args[i + 1];
      options->has_type = true;
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

bool Matches(std::string_view pattern, std::string_view key) {
  return pattern == "*" || GlobMatch(pattern, key);
}

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
void Scan(Call& call) {
  uint64_t cursor;
  if (!ParseCursor(call.args[1], &cursor)) return call.reply.Error("ERR invalid cursor");
  ScanOptions options;
  if (!ParseScanOptions(call, &options)) return;

  std::vector<const Entry*> found;
  std::vector<std::string> expired;
  size_t visited = 0;
  const auto visit = [&](Entry* entry) {
    ++visited;
    if (!Matches(options.pattern, entry->key())) return;
    if (options.has_type && !EqualsIgnoreCase(ValueTypeName(entry->type()), options.type)) return;
    if (call.db.IsExpired(entry)) {
      expired.emplace_back(entry->key());
    } else {
      found.push_back(entry);
    }
  };
  // COUNT is about keys and the table's about slots; in a table that is nearly empty the steps are limited,
  // too.
  constexpr int kMaxSteps = 10;
  for (int step = 0; step < kMaxSteps && visited < options.count; ++step) {
    cursor = call.db.table().Scan(cursor, options.count - visited, visit);
    if (cursor == 0) break;
  }

  call.reply.ArrayHeader(2);
  char text[kMaxInt64Chars];
  call.reply.Bulk({text, FormatUint64(cursor, text)});
  call.reply.ArrayHeader(found.size());
  for (const Entry* entry : found) call.reply.Bulk(entry->key());
  // Looking an expired key up deletes it.
  for (const std::string& key : expired) call.db.Find(key);
}

// KEYS pattern
void Keys(Call& call) {
  const std::string_view pattern = call.args[1];
  if (pattern.find_first_of("*?[\\") == std::string_view::npos) {
    const bool exists = static_cast<bool>(call.db.Peek(pattern));
    call.reply.ArrayHeader(exists ? 1 : 0);
    if (exists) call.reply.Bulk(pattern);
    return;
  }
  std::vector<const Entry*> found;
  call.db.table().ForEach([&](Entry* entry) {
    if (Matches(pattern, entry->key()) && !call.db.IsExpired(entry)) found.push_back(entry);
  });
  call.reply.ArrayHeader(found.size());
  for (const Entry* entry : found) call.reply.Bulk(entry->key());
}

// RANDOMKEY
void Randomkey(Call& call) {
  const EntryRef ref = call.db.RandomKey();
  ref ? call.reply.Bulk(ref->key()) : call.reply.Null();
}

constexpr CommandSpec kCommands[] = {
    {.name = "scan",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Scan,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
                   "the cursor to return "
                   "back to 0. N is the number of elements inside the collection.",
     .summary = "Goes through the keys of the database in portions.",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
     .tips = "nondeterministic_output,request_policy:special",
     .history = {{"6.0.0", "Added the `TYPE` subcommand."}}},
    {.name = "keys",
     .arity = 2,
     .flags = kReadOnly,
     .handler = Keys,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) with N being the number of keys in the database, under the assumption that the key "
                   "names in the "
                   "database and the given pattern have limited length.",
     .summary = "Lists all keys whose names match a pattern.",
     .syntax = "pattern",
     .tips = "request_policy:all_shards,nondeterministic_output_order"},
    {.name = "randomkey",
     .arity = 1,
     .flags = kReadOnly,
     .handler = Randomkey,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Picks a key of the database at random.",
     .tips = "request_policy:all_shards,nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> ScanCommands() { return kCommands; }

}  // namespace pinyon
