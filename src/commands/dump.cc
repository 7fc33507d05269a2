// DUMP and RESTORE: a value as bytes, in the form that RDB files have it (persist/dump_payload.h).
#include <algorithm>
#include <vector>

#include "commands/dump_limit.h"
#include "commands/families.h"
#include "engine/call.h"
#include "persist/dump_payload.h"

namespace pinyon {

namespace {

// DUMP key
void Dump(Call& call) {
  const EntryRef ref = call.FindForRead(1);
  if (!ref) return call.reply.Null();
  if (!MayDump(call, ref.entry())) return;
  call.reply.Bulk(DumpPayload(ref.entry(), call.engine.options.rdb.compression));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute_ttl = false;
  int64_t idle_s = -1;
  int64_t frequency = -1;
};

bool ParseRestoreOptions(Call& call, RestoreOptions* options) {
  for (size_t i = 4; i < call.argc(); ++i) {
    const bool has_value = i + 1 < call.argc();
    if (call.Is(i, "replace")) {
      options->replace = true;
    } else if (call.Is(i, "absttl")) {
      options->absolute_ttl = true;
    } else if (call.Is(i, "idletime") && has_value && options->frequency < 0) {
      if (!call.Int(++i, &options->idle_s)) return false;
      if (options->idle_s < 0) return call.Fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (call.Is(i, "freq") && has_value && options->idle_s < 0) {
      if (!call.Int(++i, &options->frequency)) return false;
      if (options->frequency < 0 || options->frequency > 255) {
        return call.Fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
      }
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

// The key's expiry; one that is beyond what a time can say is over, as in Redis.
bool ParseRestoreTtl(Call& call, const RestoreOptions& options, int64_t* expiry_ms) {
  int64_t ttl_ms;
  if (!call.Int(2, &ttl_ms)) return false;
  if (ttl_ms < 0) return call.Fail("ERR Invalid TTL value, must be >= 0");
  *expiry_ms = kNoExpiry;
  if (ttl_ms == 0) return true;
  if (options.absolute_ttl) {
    *expiry_ms = ttl_ms;
  } else if (__builtin_add_overflow(call.now_ms(), ttl_ms, expiry_ms)) {
    *expiry_ms = 0;
  }
  return true;
}

// RESTORE of a key whose time was over before it came.
void RestoreExpired(Call& call, bool was_there) {
  const std::string_view key = call.args[1];
  if (was_there) {
    call.Changed(kNotifyGeneric, "del", key);
    call.PropagateAs({"DEL", key});
  }
  call.reply.Ok();
}

// As given, with an expiry that does not depend on when it is replayed.
void PropagateRestore(Call& call, const RestoreOptions& options, int64_t expiry_ms) {
  if (!call.Propagating() || expiry_ms == kNoExpiry || options.absolute_ttl) return;
  char digits[kMaxInt64Chars];
  std::vector<std::string_view> effect(call.args.begin(), call.args.end());
  effect[2] = {digits, FormatInt64(expiry_ms, digits)};
  effect.emplace_back("ABSTTL");
  call.PropagateAs(effect);
}

// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
void Restore(Call& call) {
  const std::string_view key = call.args[1];
  RestoreOptions options;
  int64_t expiry_ms;
  if (!ParseRestoreOptions(call, &options)) return;
  if (!options.replace && call.FindForWrite(1)) {
    return call.reply.Error("BUSYKEY Target key name already exists.");
  }
  if (!ParseRestoreTtl(call, options, &expiry_ms)) return;
  if (!IsDumpPayload(call.args[3])) {
    return call.reply.Error("ERR DUMP payload version or checksum are wrong");
  }
  RdbError error;
  Entry* entry = ReadDumpPayload(call.args[3], key, expiry_ms, call.db, &error);
  if (entry == nullptr) return call.reply.Error("ERR Bad data format");

  const EntryRef old = call.db.Find(key, call.KeyHash(1));
  const bool was_there = static_cast<bool>(old);
  if (old) call.db.Delete(old);
  if (expiry_ms != kNoExpiry && expiry_ms <= call.now_ms()) {
    Entry::Delete(entry);
    return RestoreExpired(call, was_there);
  }
  const EntryRef ref = call.db.StoreEntry(entry);
  call.engine.keyspace.SetAccess(ref.entry(), options.idle_s, static_cast<int>(options.frequency));
  call.Notify(call.session.database, kNotifyNew, "new", key);
  call.Changed(kNotifyGeneric, "restore", key);
  PropagateRestore(call, options, expiry_ms);
  call.reply.Ok();
}

constexpr CommandSpec kDumpCommands[] = {
    {.name = "dump",
     .arity = 2,
     .flags = kReadOnly,
     .handler = Dump,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "generic",
     .since = "2.6.0",
     .complexity = "O(1) to access the key and additional O(N*M) to serialize it, where N is the number of "
                   "Redis objects composing the value and M their average size. For small string values the "
                   "time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
     .summary = "Gives a key's value as bytes that RESTORE takes.",
     .syntax = "key",
     .tips = "nondeterministic_output"},
    {.name = "restore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Restore,
     .acl = kAclKeyspace | kAclDangerous,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate)},
     .group = "generic",
     .since = "2.6.0",
     .complexity =
         "O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is "
         "the number of Redis objects composing the value and M their average size. For small string values "
         "the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set "
         "values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
     .summary = "Makes a key of bytes that DUMP gave.",
     .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
     .history = {{"3.0.0", "Added the `REPLACE` modifier."},
                 {"5.0.0", "Added the `ABSTTL` modifier."},
                 {"5.0.0", "Added the `IDLETIME` and `FREQ` options."}}},
};

}  // namespace

std::span<const CommandSpec> DumpCommands() { return kDumpCommands; }

}  // namespace pinyon
