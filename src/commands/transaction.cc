// Transactions: MULTI queues what follows (the dispatcher does that), EXEC runs it as one unit, WATCH makes
// EXEC depend on keys that nobody has changed meanwhile.
#include <vector>

#include "commands/families.h"
#include "engine/call.h"
#include "engine/dispatcher.h"

namespace pinyon {

namespace {

// MULTI
void Multi(Call& call) {
  if (call.session.transaction.active()) return call.reply.Error("ERR MULTI calls can not be nested");
  call.session.transaction.Begin();
  call.reply.Ok();
}

// EXEC
void Exec(Call& call) {
  Session& session = call.session;
  Transaction& transaction = session.transaction;
  WatchTable& watches = call.engine.watches;
  if (!transaction.active()) return call.reply.Error("ERR EXEC without MULTI");
  const bool failed = transaction.has_error();
  if (failed || transaction.watched_changed() || watches.HasExpired(session)) {
    DiscardTransaction(call.engine, session);
    return failed ? call.reply.Error("EXECABORT Transaction discarded because of previous errors.")
                  : call.reply.NullArray();
  }

  // What the commands change of their own accord must not be looked up among the watched keys.
  watches.UnwatchAll(session);
  transaction.BeginExecution();
  call.reply.ArrayHeader(transaction.size());
  std::vector<std::string_view> args;
  for (size_t i = 0; i < transaction.size(); ++i) {
    transaction.GetArgs(i, &args);
    if (call.engine.dispatcher->DenyInExec(session, *transaction.command(i), args)) continue;
    call.engine.dispatcher->Run(session, *transaction.command(i), args);
  }
  DiscardTransaction(call.engine, session);
}

// DISCARD
void Discard(Call& call) {
  if (!call.session.transaction.active()) return call.reply.Error("ERR DISCARD without MULTI");
  DiscardTransaction(call.engine, call.session);
  call.reply.Ok();
}

// WATCH key [key ...]
void Watch(Call& call) {
  Session& session = call.session;
  if (session.transaction.active()) return call.reply.Error("ERR WATCH inside MULTI is not allowed");
  // Once a watched key has changed EXEC fails whatever else is watched.
  if (!session.transaction.watched_changed()) {
    for (const std::string_view key : call.args.subspan(1))
      call.engine.watches.Watch(session, session.database, key);
  }
  call.reply.Ok();
}

// UNWATCH
void Unwatch(Call& call) {
  call.engine.watches.UnwatchAll(call.session);
  call.session.transaction.ClearWatchedChanged();
  call.reply.Ok();
}

constexpr CommandSpec kTransactionCommands[] = {
    {.name = "multi",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kRunsInMulti,
     .handler = Multi,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Starts a transaction: what follows is queued."},
    {.name = "exec",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kRunsInMulti,
     .handler = Exec,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "1.2.0",
     .complexity = "Depends on commands in the transaction",
     .summary = "Runs the queued commands as one."},
    {.name = "discard",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kRunsInMulti,
     .handler = Discard,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "2.0.0",
     .complexity = "O(N), when N is the number of queued commands",
     .summary = "Drops the queued commands and ends the transaction."},
    {.name = "watch",
     .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kRunsInMulti,
     .handler = Watch,
     .acl = kAclTransaction,
     .keys = {KeysFrom(1, kKeyRO)},
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(1) for every key.",
     .summary = "Makes the next EXEC run only if the keys have not changed.",
     .syntax = "key [key ...]"},
    {.name = "unwatch",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .handler = Unwatch,
     .acl = kAclTransaction,
     .group = "transactions",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Forgets all watched keys."},
};

}  // namespace

std::span<const CommandSpec> TransactionCommands() { return kTransactionCommands; }

}  // namespace pinyon
