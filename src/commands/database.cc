// Commands on whole databases: selecting, exchanging, emptying, counting. Emptying detaches the table; the
// freeing thread takes it from there, so that a flush of millions of keys delays nobody, whether SYNC was
// asked for or not.
#include "commands/families.h"
#include "commands/key_lookup.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// SELECT index
void Select(Call& call) {
  int database;
  if (!ParseDatabase(call, 1, &database)) return;
  call.session.database = database;
  call.reply.Ok();
}

// SWAPDB index1 index2
void Swapdb(Call& call) {
  Keyspace& keyspace = call.engine.keyspace;
  int64_t first, second;
  constexpr std::string_view kFirst = "ERR invalid first DB index";
  constexpr std::string_view kSecond = "ERR invalid second DB index";
  if (!ParseInt64(call.args[1], &first) || first < INT32_MIN || first > INT32_MAX)
    return call.reply.Error(kFirst);
  if (!ParseInt64(call.args[2], &second) || second < INT32_MIN || second > INT32_MAX)
    return call.reply.Error(kSecond);
  const int64_t count = keyspace.DatabaseCount();
  if (first < 0 || first >= count || second < 0 || second >= count) return call.reply.Error(kErrDbIndexRange);

  if (first != second) {
    call.engine.watches.BeforeSwap(static_cast<int>(first), static_cast<int>(second));
    keyspace.Swap(static_cast<int>(first), static_cast<int>(second));
    call.engine.blocked.AfterSwap(static_cast<int>(first), static_cast<int>(second));
  }
  call.CountChanges(1);
  call.reply.Ok();
}

bool ParseFlushMode(Call& call) {
  if (call.argc() == 1) return true;
  if (call.argc() == 2 && (call.Is(1, "async") || call.Is(1, "sync"))) return true;
  return call.SyntaxError();
}

// Empties databases `first` to `last`. A flush propagates also when there was nothing to remove, since what
// the receiver has may differ.
void Flush(Call& call, int first, int last) {
  const bool lazily = call.argc() == 1 ? call.engine.options.lazy_free.user_flush : call.Is(1, "async");
  const auto how = lazily ? Database::Clearing::kLazily : Database::Clearing::kInBackground;
  for (int i = first; i <= last; ++i) {
    call.engine.watches.BeforeFlush(i);
    call.CountChanges(static_cast<int64_t>(call.engine.keyspace.database(i).Clear(how)));
    call.engine.blocked.AfterFlush(i);
  }
  call.engine.tracking.KeysFlushed();
  if (call.Propagating()) call.PropagateAs(call.args);
  call.reply.Ok();
}

// FLUSHDB [ASYNC | SYNC]
void Flushdb(Call& call) {
  if (ParseFlushMode(call)) Flush(call, call.session.database, call.session.database);
}

// FLUSHALL [ASYNC | SYNC]
void Flushall(Call& call) {
  if (!ParseFlushMode(call)) return;
  Flush(call, 0, call.engine.keyspace.DatabaseCount() - 1);
  if (call.engine.persistence != nullptr) call.engine.persistence->OnFlushAll();
}

// DBSIZE
void Dbsize(Call& call) { call.reply.Integer(static_cast<int64_t>(call.db.size())); }

constexpr CommandSpec kDatabaseCommands[] = {
    {.name = "select",
     .arity = 2,
     .flags = kLoading | kStale | kFast | kEndsBatch,
     .handler = Select,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Chooses the connection's database.",
     .syntax = "index"},
    {.name = "swapdb",
     .arity = 3,
     .flags = kWrite | kFast,
     .handler = Swapdb,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(N) where N is the count of clients watching or blocking on keys from both databases.",
     .summary = "Exchanges the contents of two databases.",
     .syntax = "index1 index2"},
    {.name = "flushdb",
     .arity = -1,
     .flags = kWrite,
     .handler = Flushdb,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys in the selected database",
     .summary = "Removes all keys of the connection's database.",
     .syntax = "[ASYNC | SYNC]",
     .tips = "request_policy:all_shards,response_policy:all_succeeded",
     .history = {{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
                 {"6.2.0", "Added the `SYNC` flushing mode modifier."}}},
    {.name = "flushall",
     .arity = -1,
     .flags = kWrite,
     .handler = Flushall,
     .acl = kAclKeyspace | kAclDangerous,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of keys in all databases",
     .summary = "Removes all keys of all databases.",
     .syntax = "[ASYNC | SYNC]",
     .tips = "request_policy:all_shards,response_policy:all_succeeded",
     .history = {{"4.0.0", "Added the `ASYNC` flushing mode modifier."},
                 {"6.2.0", "Added the `SYNC` flushing mode modifier."}}},
    {.name = "dbsize",
     .arity = 1,
     .flags = kReadOnly | kFast,
     .handler = Dbsize,
     .acl = kAclKeyspace,
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Counts the keys of the connection's database.",
     .tips = "request_policy:all_shards,response_policy:agg_sum"},
};

}  // namespace

std::span<const CommandSpec> DatabaseCommands() { return kDatabaseCommands; }

}  // namespace pinyon
