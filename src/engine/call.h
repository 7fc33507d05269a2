// One call of a command: what a handler gets. A handler has three visible parts: parse (the helpers here
// reply the error themselves), act (on `db`), reply. Arguments are borrowed: they live until the handler
// returns.
//
// A handler that changes a key says so by Changed(): that tells watchers, tracking and notifications, and
// makes the command propagate. What propagates is the command's own text unless the handler gives its effect
// by PropagateAs.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/numbers.h"
#include "base/strings.h"
#include "engine/command_spec.h"
#include "engine/engine.h"
#include "engine/errors.h"
#include "engine/notify.h"
#include "engine/session.h"
#include "keyspace/keyspace.h"
#include "resp/reply_writer.h"

namespace pinyon {

class Call {
 public:
  Call(Engine& in_engine, Session& in_session, Command& in_command, Args in_args, uint64_t first_key_hash)
      : engine(in_engine),
        session(in_session),
        command(in_command),
        args(in_args),
        reply(in_session.reply),
        db(in_engine.keyspace.database(in_session.database)),
        first_key_hash_(first_key_hash) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  Engine& engine;
  Session& session;
  Command& command;
  Args args;  // args[0] is the command's name
  ReplyWriter& reply;
  Database& db;  // the session's database

  size_t argc() const { return args.size(); }
  // Whether argument `index` is `keyword` (given in lower case), in any case.
  bool Is(size_t index, std::string_view keyword) const { return EqualsIgnoreCase(args[index], keyword); }
  // Also while data are loaded, when the keyspace's time stands still.
  int64_t now_ms() const { return engine.is_loading ? WallMs() : engine.keyspace.now_ms(); }

  // --- parsing: on failure these reply the error and return false ---
  bool Int(size_t index, int64_t* value, std::string_view error = kErrNotInteger) {
    if (ParseInt64(args[index], value)) return true;
    reply.Error(error);
    return false;
  }
  // As Int, and within [min, max], else kErrOutOfRange ("ERR value is out of range...").
  bool IntInRange(size_t index, int64_t min, int64_t max, int64_t* value, std::string_view range_error);
  // How long a blocking command waits, in milliseconds, 0: for ever. Given as seconds with fractions (BLPOP),
  // or as milliseconds (XREAD, WAIT).
  bool TimeoutSeconds(size_t index, int64_t* timeout_ms);
  bool TimeoutMilliseconds(size_t index, int64_t* timeout_ms);
  bool SyntaxError() {
    reply.Error(kErrSyntax);
    return false;
  }
  bool Fail(std::string_view error) {
    reply.Error(error);
    return false;
  }

  // --- finding keys ---
  // The hash of a key argument; computed ahead for the command's first key.
  uint64_t KeyHash(size_t index) const {
    return index == static_cast<size_t>(command.first_key) && first_key_hash_ != 0 ? first_key_hash_
                                                                                   : db.Hash(args[index]);
  }
  // For a command that reads: counts a hit or a miss, updates the access clock.
  EntryRef FindForRead(size_t index) { return FindForRead(args[index], KeyHash(index)); }
  EntryRef FindForRead(std::string_view key, uint64_t hash);
  // For a command that changes the key: updates the access clock only.
  EntryRef FindForWrite(size_t index) { return FindForWrite(args[index], KeyHash(index)); }
  EntryRef FindForWrite(std::string_view key, uint64_t hash);
  // As above for strings: false when another type is there, after the WRONGTYPE reply; *ref may be none.
  bool FindStringForRead(size_t index, EntryRef* ref) {
    *ref = FindForRead(index);
    return CheckType(*ref, ValueType::kString);
  }
  bool FindStringForWrite(size_t index, EntryRef* ref) {
    *ref = FindForWrite(index);
    return CheckType(*ref, ValueType::kString);
  }
  // The same for any type.
  bool FindTypedForRead(size_t index, ValueType type, EntryRef* ref) {
    *ref = FindForRead(index);
    return CheckType(*ref, type);
  }
  bool FindTypedForWrite(size_t index, ValueType type, EntryRef* ref) {
    *ref = FindForWrite(index);
    return CheckType(*ref, type);
  }
  bool CheckType(EntryRef ref, ValueType type) {
    if (!ref || ref->type() == type) return true;
    reply.Error(kErrWrongType);
    return false;
  }

  // --- saying what changed ---
  // `key` changed in database `db` (or `database`): watchers, tracking, the notification, and `changes`
  // toward the count of changes since the last save. Call it after the change, once for each key, in Redis's
  // order of events.
  void Changed(NotifyClass type, std::string_view event, std::string_view key, int64_t changes = 1) {
    ChangedIn(session.database, type, event, key, changes);
  }
  void ChangedIn(int database, NotifyClass type, std::string_view event, std::string_view key,
                 int64_t changes = 1);
  // Parts of the above, for the commands that need them one by one.
  void SignalModified(int database, std::string_view key);
  void Notify(int database, NotifyClass type, std::string_view event, std::string_view key) {
    if (engine.notifier.Wants(type)) engine.notifier.Publish(type, event, key, database);
  }
  void CountChanges(int64_t changes) { changes_ += changes; }
  int64_t changes() const { return changes_; }

  // --- waiting for keys (engine/blocking.h) ---
  // Whether the handler may serve the client from `key`: not when it was run again for another one.
  bool MayServeFrom(std::string_view key) const {
    return session.suspension == nullptr || session.suspension->ready_key == key;
  }
  // Nothing was found: the client waits until one of `keys` (of the session's database) holds a value of the
  // awaited type, or the timeout replies a null array. The last thing that a handler does. Where waiting is
  // not allowed (in MULTI, in a script) it replies null at once: `denied` says which.
  enum class NullReply : uint8_t { kBulk, kArray };
  void Block(Args keys, ValueType awaited, int64_t timeout_ms, NullReply denied = NullReply::kArray);
  // Not in MULTI, nor in a script, nor when the time of waiting is over.
  bool MayBlock() const { return session.may_block && !session.transaction.active() && !WaitingIsOver(); }
  // The handler runs for the last time, in no unit: it must change nothing.
  bool WaitingIsOver() const { return session.suspension != nullptr && session.suspension->is_over; }
  // The client waits until the log is synced up to `offset`, or BlockedClients::kNoOffset. Only while
  // MayBlock, and the last thing that a handler does.
  void BlockUntilSynced(uint64_t offset, int64_t timeout_ms);
  // The client stands in line for `tickets` (of the session's database; no key twice), and is served again
  // at `look_ms` (Unix time) or when something changes (engine/waiting_line.h). Only while MayBlock, and the
  // last thing that a handler does.
  void StandInLine(std::span<const LineTicket> tickets, int64_t look_ms, int64_t timeout_ms);

  // --- propagation ---
  // Whether anybody listens: building an effect's arguments is skipped when nobody does.
  bool Propagating() const { return engine.effects.Listening(); }
  // An effect that propagates instead of the command's text; may be called several times. In the session's
  // database unless told otherwise.
  void PropagateAs(std::initializer_list<std::string_view> effect) {
    PropagateAs(Args(effect.begin(), effect.size()));
  }
  void PropagateAs(Args effect) {
    explicit_effect_ = true;
    engine.effects.Add(session.database, effect);
  }
  // The command changed nothing that others must repeat (although Changed was called).
  void PropagateNothing() { explicit_effect_ = true; }
  bool has_explicit_effect() const { return explicit_effect_; }

  // Takes the block in which argument `index` arrived, if it was large enough to be read into one of its own;
  // else none. Its bytes are args[index]'s.
  BlockRef TakeBlock(size_t index);

 private:
  uint64_t first_key_hash_;
  int64_t changes_ = 0;
  bool explicit_effect_ = false;
};

}  // namespace pinyon
