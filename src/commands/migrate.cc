// MIGRATE: keys go to another server, by RESTORE, and from here once that server has acknowledged them. Like
// Redis it waits for the other side, and everybody waits with it.
#include <algorithm>
#include <climits>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "commands/dump_limit.h"
#include "commands/families.h"
#include "engine/call.h"
#include "engine/key_transfer.h"
#include "persist/dump_payload.h"
#include "resp/request_text.h"

namespace pinyon {

namespace {

using Result = TransferLink::Result;

constexpr size_t kFirstOption = 6;
constexpr int64_t kDefaultTimeoutMs = 1000;

struct MigrateOptions {
  int64_t database = 0;
  int timeout_ms = 0;
  bool copy = false;
  bool replace = false;
  std::optional<std::string_view> user;
  std::optional<std::string_view> password;
  // Which arguments are the keys.
  size_t first_key = 3;
  size_t key_count = 1;
};

bool ParseTimes(Call& call, MigrateOptions* options) {
  int64_t timeout_ms;
  if (!call.Int(5, &timeout_ms) || !call.Int(4, &options->database)) return false;
  if (timeout_ms <= 0) timeout_ms = kDefaultTimeoutMs;
  options->timeout_ms = static_cast<int>(std::min<int64_t>(timeout_ms, INT_MAX));
  return true;
}

bool ParseMigrate(Call& call, MigrateOptions* options) {
  for (size_t i = kFirstOption; i < call.argc(); ++i) {
    const size_t left = call.argc() - i - 1;
    if (call.Is(i, "copy")) {
      options->copy = true;
    } else if (call.Is(i, "replace")) {
      options->replace = true;
    } else if (call.Is(i, "auth") && left >= 1) {
      options->password = call.args[++i];
    } else if (call.Is(i, "auth2") && left >= 2) {
      options->user = call.args[++i];
      options->password = call.args[++i];
    } else if (call.Is(i, "keys")) {
      if (!call.args[3].empty()) {
        return call.Fail(
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
      }
      options->first_key = i + 1;
      options->key_count = left;
      break;
    } else {
      return call.SyntaxError();
    }
  }
  return ParseTimes(call, options);
}

// Where COMMAND GETKEYS and access rules find the keys.
void MigrateKeys(Args args, std::vector<int>* positions) {
  for (size_t i = kFirstOption; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "auth")) {
      ++i;
    } else if (EqualsIgnoreCase(args[i], "auth2")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "keys") && i + 1 < args.size()) {
      // With a key in its place as well the request is wrong.
      if (!args[3].empty()) return;
      for (++i; i < args.size(); ++i) positions->push_back(static_cast<int>(i));
      return;
    }
  }
  positions->push_back(3);
}

// The keys that are there, as indices of their arguments; false after an error.
bool FindMigrating(Call& call, const MigrateOptions& options, std::vector<size_t>* keys) {
  for (size_t i = options.first_key; i < options.first_key + options.key_count; ++i) {
    const EntryRef ref = call.FindForRead(i);
    if (!ref) continue;
    if (!MayDump(call, ref.entry())) return false;
    keys->push_back(i);
  }
  return true;
}

void AppendRestore(Call& call, const MigrateOptions& options, size_t key, std::string* text) {
  const EntryRef ref = call.db.Find(call.args[key], call.KeyHash(key));
  PINYON_ASSERT(ref);
  int64_t ttl_ms = 0;
  if (ref->HasExpiry()) ttl_ms = std::max<int64_t>(ref->expiry_ms() - call.now_ms(), 1);
  char digits[kMaxInt64Chars];
  const std::string payload = DumpPayload(ref.entry(), call.engine.options.rdb.compression);
  const std::string_view args[] = {
      "RESTORE", call.args[key], {digits, FormatInt64(ttl_ms, digits)}, payload, "REPLACE"};
  AppendRequest(text, {args, options.replace ? size_t{5} : size_t{4}});
}

// All requests at once; *greetings is how many of them come before the keys.
std::string EncodeTransfer(Call& call, const MigrateOptions& options, const std::vector<size_t>& keys,
                           int64_t selected, size_t* greetings) {
  std::string text;
  *greetings = 0;
  if (options.password) {
    std::vector<std::string_view> args = {"AUTH"};
    if (options.user) args.push_back(*options.user);
    args.push_back(*options.password);
    AppendRequest(&text, args);
    ++*greetings;
  }
  if (selected != options.database) {
    char digits[kMaxInt64Chars];
    const std::string_view args[] = {"SELECT", {digits, FormatInt64(options.database, digits)}};
    AppendRequest(&text, args);
    ++*greetings;
  }
  for (const size_t key : keys) AppendRestore(call, options, key, &text);
  return text;
}

// How one attempt over one connection went.
struct Attempt {
  enum class Stage : uint8_t { kConnecting, kWriting, kReading, kOver } stage = Stage::kConnecting;
  Result result = Result::kBroken;
  bool heard = false;                // the other side has answered something
  std::optional<std::string> error;  // the first that it replied
  std::vector<size_t> acknowledged;
};

// Every reply is read, also behind an error: the connection is to be used again. Only what says so counts as
// an acknowledgement: whatever else may answer at that port must not make us delete a key.
Result ReadReplies(TransferLink& link, const std::vector<size_t>& keys, size_t greetings, int timeout_ms,
                   Attempt* attempt) {
  bool is_welcome = true;
  std::string line;
  for (size_t i = 0; i < greetings + keys.size(); ++i) {
    const Result result = link.ReadLine(&line, timeout_ms);
    if (result != Result::kDone) return result;
    attempt->heard = true;
    if (line.starts_with('-')) {
      if (!attempt->error) attempt->error = line.substr(1);
      if (i < greetings) is_welcome = false;
    } else if (!line.starts_with('+')) {
      return Result::kBroken;
    } else if (i >= greetings && is_welcome) {
      attempt->acknowledged.push_back(keys[i - greetings]);
    }
  }
  return Result::kDone;
}

Attempt TryTransfer(Call& call, const MigrateOptions& options, const std::vector<size_t>& keys) {
  Attempt attempt;
  KeyTransfer* transfer = call.engine.transfer;
  if (transfer == nullptr) return attempt;
  TransferLink* link = transfer->Open(call.args[1], call.args[2], options.timeout_ms);
  if (link == nullptr) {
    attempt.result = Result::kTimedOut;
    return attempt;
  }
  size_t greetings;
  const std::string text = EncodeTransfer(call, options, keys, link->database, &greetings);
  attempt.stage = Attempt::Stage::kWriting;
  attempt.result = link->Send(text, options.timeout_ms);
  if (attempt.result == Result::kDone) {
    attempt.stage = Attempt::Stage::kReading;
    attempt.result = ReadReplies(*link, keys, greetings, options.timeout_ms, &attempt);
  }
  if (attempt.result != Result::kDone) {
    transfer->Close(*link);
    return attempt;
  }
  attempt.stage = Attempt::Stage::kOver;
  link->database = attempt.error ? TransferLink::kUnknownDatabase : options.database;
  return attempt;
}

// What has arrived over there is not here any more, even if the rest has not.
void DeleteAcknowledged(Call& call, const std::vector<size_t>& keys) {
  std::vector<std::string_view> effect = {"DEL"};
  for (const size_t i : keys) {
    const std::string_view key = call.args[i];
    const EntryRef ref = call.db.Find(key, call.KeyHash(i));
    if (!ref) continue;  // named twice
    call.db.Delete(ref);
    call.Changed(kNotifyGeneric, "del", key);
    effect.push_back(key);
  }
  if (effect.size() > 1) call.PropagateAs(effect);
}

// MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
// [KEYS key [key ...]]
void Migrate(Call& call) {
  MigrateOptions options;
  std::vector<size_t> keys;
  if (!ParseMigrate(call, &options) || !FindMigrating(call, options, &keys)) return;
  if (keys.empty()) return call.reply.SimpleString("NOKEY");

  Attempt attempt = TryTransfer(call, options, keys);
  // Once more, as the other side may have closed a connection that was kept.
  if (attempt.result == Result::kBroken && !attempt.heard) attempt = TryTransfer(call, options, keys);
  if (!options.copy) DeleteAcknowledged(call, attempt.acknowledged);
  switch (attempt.stage) {
    case Attempt::Stage::kConnecting:
      return call.reply.Error("IOERR error or timeout connecting to the client");
    case Attempt::Stage::kWriting:
      return call.reply.Error("IOERR error or timeout writing to target instance");
    case Attempt::Stage::kReading:
      return call.reply.Error("IOERR error or timeout reading to target instance");
    case Attempt::Stage::kOver: break;
  }
  if (attempt.error) return call.reply.Error("ERR Target instance replied with error: " + *attempt.error);
  call.reply.Ok();
}

constexpr CommandSpec kMigrateCommands[] = {
    {.name = "migrate",
     .arity = -6,
     .flags = kWrite,
     .handler = Migrate,
     .acl = kAclKeyspace | kAclDangerous,
     .keys = {KeyAt(3, kKeyRW | kKeyAccess | kKeyDelete),
              {.flags = kKeyRW | kKeyAccess | kKeyDelete | kKeyIncomplete,
               .begin = KeySpec::Begin::kKeyword,
               .index = -2,
               .keyword = "KEYS",
               .last = -1}},
     .get_keys = MigrateKeys,
     .group = "generic",
     .since = "2.6.0",
     .complexity = "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the "
                   "target instance. See the pages of these commands for time complexity. Also an O(N) data "
                   "transfer between the two instances is performed.",
     .summary = "Gives keys to another server, which has them instead of this one.",
     .syntax = "host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 "
               "username password] [KEYS key [key ...]]",
     .tips = "nondeterministic_output",
     .history = {{"3.0.0", "Added the `COPY` and `REPLACE` options."},
                 {"3.0.6", "Added the `KEYS` option."},
                 {"4.0.7", "Added the `AUTH` option."},
                 {"6.0.0", "Added the `AUTH2` option."}}},
};

}  // namespace

std::span<const CommandSpec> MigrateCommands() { return kMigrateCommands; }

}  // namespace pinyon
