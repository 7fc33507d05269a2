// Commands that go through the keys of a database: SCAN, KEYS, RANDOMKEY. They see keys in the order of the
// table's hash; none of them may return a key that has expired.
#include <string>
#include <vector>

#include "commands/families.h"
#include "commands/scan_options.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
void Scan(Call& call) {
  uint64_t cursor;
  ScanOptions options;
  if (!ParseCursor(call, 1, &cursor) || !ParseScanOptions(call, 2, kScanType, &options)) return;

  std::vector<const Entry*> found;
  std::vector<std::string> expired;
  const auto visit = [&](Entry* entry) {
    if (!options.Matches(entry->key())) return;
    if (options.has_type && !EqualsIgnoreCase(ValueTypeName(entry->type()), options.type)) return;
    if (call.db.IsExpired(entry)) {
      expired.emplace_back(entry->key());
    } else {
      found.push_back(entry);
    }
  };
  cursor = call.db.table().ScanItems(cursor, options.count, visit);

  ReplyScanHeader(call, cursor, found.size());
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
  const ScanOptions matches = {.pattern = pattern};
  std::vector<const Entry*> found;
  call.db.table().ForEach([&](Entry* entry) {
    if (matches.Matches(entry->key()) && !call.db.IsExpired(entry)) found.push_back(entry);
  });
  call.reply.ArrayHeader(found.size());
  for (const Entry* entry : found) call.reply.Bulk(entry->key());
}

// RANDOMKEY
void Randomkey(Call& call) {
  const EntryRef ref = call.db.RandomKey();
  ref ? call.reply.Bulk(ref->key()) : call.reply.Null();
}

constexpr CommandSpec kScanCommands[] = {
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

std::span<const CommandSpec> ScanCommands() { return kScanCommands; }

}  // namespace pinyon
