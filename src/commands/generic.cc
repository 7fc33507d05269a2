// Commands on keys of any type: deleting, asking for existence and type, renaming, copying. What they do with
// an entry (free it, move it, copy its value) is Database's work.

#include "commands/families.h"
#include "commands/key_batch.h"
#include "commands/key_lookup.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// Calls act(key, hash) for each key argument.
template <typename Act>
void ForEachKey(Call& call, Act act) {
  if (call.argc() == 2) return act(call.args[1], call.KeyHash(1));
  for (size_t first = 1; first < call.argc(); first += KeyBatch::kMaxKeys) {
    const KeyBatch batch(call, first, call.argc(), 1);
    for (size_t i = 0; i < batch.size(); ++i) act(call.args[first + i], batch.hash(i));
  }
}

// DEL key [key ...], UNLINK key [key ...]: the same but for what counts as freed lazily.
void DeleteAll(Call& call, bool lazily) {
  int64_t deleted = 0;
  ForEachKey(call, [&](std::string_view key, uint64_t hash) {
    const EntryRef ref = call.db.Find(key, hash);
    if (!ref) return;
    call.db.Delete(ref, lazily);
    call.Changed(kNotifyGeneric, "del", key);
    ++deleted;
  });
  call.reply.Integer(deleted);
}

void Del(Call& call) { DeleteAll(call, call.engine.options.lazy_free.user_del); }
void Unlink(Call& call) { DeleteAll(call, true); }

// EXISTS key [key ...]
void Exists(Call& call) {
  int64_t found = 0;
  ForEachKey(call, [&](std::string_view key, uint64_t hash) {
    if (FindUntouched(call, key, hash)) ++found;
  });
  call.reply.Integer(found);
}

// TOUCH key [key ...]
void Touch(Call& call) {
  int64_t touched = 0;
  ForEachKey(call, [&](std::string_view key, uint64_t hash) {
    const EntryRef ref = FindUntouched(call, key, hash);
    if (!ref) return;
    // Asked for by name, so also for a client that said CLIENT NO-TOUCH.
    call.engine.keyspace.Touch(ref.entry());
    ++touched;
  });
  call.reply.Integer(touched);
}

// TYPE key
void Type(Call& call) {
  const EntryRef ref = FindUntouched(call, 1);
  call.reply.SimpleString(ref ? ValueTypeName(ref->type()) : "none");
}

// Takes the entry under `from` to `to` in another or the same database, where nothing is under that key.
void MoveEntry(Database& from, std::string_view key, Database& to, std::string_view new_key) {
  const EntryRef ref = from.Find(key);
  PINYON_ASSERT(ref);
  const int64_t expiry_ms = ref->expiry_ms();
  to.Adopt(from.Detach(ref), new_key, expiry_ms);
}

// True when the key went to its new name; otherwise the reply is out.
bool RenameTo(Call& call, bool only_if_absent) {
  const std::string_view key = call.args[1];
  const std::string_view new_key = call.args[2];
  if (!call.FindForWrite(1)) return call.Fail(kErrNoSuchKey);
  if (key == new_key) {
    only_if_absent ? call.reply.Integer(0) : call.reply.Ok();
    return false;
  }
  const EntryRef old = call.FindForWrite(2);
  if (old && only_if_absent) {
    call.reply.Integer(0);
    return false;
  }
  if (old) call.db.Delete(old);
  MoveEntry(call.db, key, call.db, new_key);
  call.Notify(call.session.database, kNotifyNew, "new", new_key);
  call.Changed(kNotifyGeneric, "rename_from", key);
  call.Changed(kNotifyGeneric, "rename_to", new_key, 0);
  return true;
}

// RENAME key newkey
void Rename(Call& call) {
  if (RenameTo(call, false)) call.reply.Ok();
}

// RENAMENX key newkey
void Renamenx(Call& call) {
  if (RenameTo(call, true)) call.reply.Integer(1);
}

struct CopyOptions {
  int database;
  bool replace = false;
};

bool ParseCopyOptions(Call& call, CopyOptions* options) {
  options->database = call.session.database;
  for (size_t i = 3; i < call.argc(); ++i) {
    if (call.Is(i, "replace")) {
      options->replace = true;
    } else if (call.Is(i, "db") && i + 1 < call.argc()) {
      if (!ParseDatabase(call, ++i, &options->database)) return false;
    } else {
      return call.SyntaxError();
    }
  }
  if (options->database == call.session.database && call.args[1] == call.args[2])
    return call.Fail(kErrSameObject);
  return true;
}

// COPY source destination [DB destination-db] [REPLACE]
void Copy(Call& call) {
  CopyOptions options;
  if (!ParseCopyOptions(call, &options)) return;

  if (!call.FindForRead(1)) return call.reply.Integer(0);
  const std::string_view destination = call.args[2];
  Database& target = call.engine.keyspace.database(options.database);
  const EntryRef old = target.Find(destination);
  if (old && !options.replace) return call.reply.Integer(0);
  if (old) target.Delete(old);
  const EntryRef source = call.db.Find(call.args[1], call.KeyHash(1));
  PINYON_ASSERT(source);
  target.AddCopy(source.entry(), destination, source->expiry_ms());

  call.Notify(options.database, kNotifyNew, "new", destination);
  call.ChangedIn(options.database, kNotifyGeneric, "copy_to", destination);
  call.reply.Integer(1);
}

// MOVE key db
void Move(Call& call) {
  const std::string_view key = call.args[1];
  int database;
  if (!ParseDatabase(call, 2, &database)) return;
  if (database == call.session.database) return call.reply.Error(kErrSameObject);

  Database& target = call.engine.keyspace.database(database);
  if (!call.FindForWrite(1) || target.Find(key)) return call.reply.Integer(0);
  MoveEntry(call.db, key, target, key);

  call.Notify(database, kNotifyNew, "new", key);
  call.Changed(kNotifyGeneric, "move_from", key);
  call.ChangedIn(database, kNotifyGeneric, "move_to", key, 0);
  call.reply.Integer(1);
}

constexpr CommandSpec kGenericCommands[] = {
    {.name = "del",
     .arity = -2,
     .flags = kWrite,
     .handler = Del,
     .acl = kAclKeyspace,
     .keys = {KeysFrom(1, kKeyRM | kKeyDelete)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys that will be removed. When a key to remove holds a "
                   "value other than a "
                   "string, the individual complexity for this key is O(M) where M is the number of elements "
                   "in the list, set, "
                   "sorted set or hash. Removing a single key that holds a string value is O(1).",
     .summary = "Deletes keys.",
     .syntax = "key [key ...]",
     .tips = "request_policy:multi_shard,response_policy:agg_sum"},
    {.name = "unlink",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = Unlink,
     .acl = kAclKeyspace,
     .keys = {KeysFrom(1, kKeyRM | kKeyDelete)},
     .group = "generic",
     .since = "4.0.0",
     .complexity = "O(1) for each key removed regardless of its size. Then the command does O(N) work in a "
                   "different thread in "
                   "order to reclaim memory, where N is the number of allocations the deleted objects where "
                   "composed of.",
     .summary = "Deletes keys and leaves the freeing of their memory to another thread.",
     .syntax = "key [key ...]",
     .tips = "request_policy:multi_shard,response_policy:agg_sum"},
    {.name = "exists",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .handler = Exists,
     .acl = kAclKeyspace,
     .keys = {KeysFrom(1, kKeyRO)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of keys to check.",
     .summary = "Counts how many of the given keys are there.",
     .syntax = "key [key ...]",
     .tips = "request_policy:multi_shard,response_policy:agg_sum",
     .history = {{"3.0.3", "Accepts multiple `key` arguments."}}},
    {.name = "touch",
     .arity = -2,
     .flags = kReadOnly | kFast,
     .handler = Touch,
     .acl = kAclKeyspace,
     .keys = {KeysFrom(1, kKeyRO)},
     .group = "generic",
     .since = "3.2.1",
     .complexity = "O(N) where N is the number of keys that will be touched.",
     .summary = "Marks keys as accessed now and counts those that are there.",
     .syntax = "key [key ...]",
     .tips = "request_policy:multi_shard,response_policy:agg_sum"},
    {.name = "type",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Type,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRO)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Names the type of a key's value.",
     .syntax = "key"},
    {.name = "rename",
     .arity = 3,
     .flags = kWrite,
     .handler = Rename,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete), KeyAt(2, kKeyOW | kKeyUpdate)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Gives a key another name, in place of a key that had it.",
     .syntax = "key newkey"},
    {.name = "renamenx",
     .arity = 3,
     .flags = kWrite | kFast,
     .handler = Renamenx,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete), KeyAt(2, kKeyOW | kKeyInsert)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Gives a key another name unless a key has it already.",
     .syntax = "key newkey",
     .history = {{"3.2.0",
                  "The command no longer returns an error when source and destination names are the same."}}},
    {.name = "copy",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Copy,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), KeyAt(2, kKeyOW | kKeyUpdate)},
     .group = "generic",
     .since = "6.2.0",
     .complexity =
         "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
     .summary = "Copies a key's value and expiry to another key.",
     .syntax = "source destination [DB destination-db] [REPLACE]"},
    {.name = "move",
     .arity = 3,
     .flags = kWrite | kFast,
     .handler = Move,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyUpdate)},
     .group = "generic",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a key to another database unless it is there already.",
     .syntax = "key db"},
};

}  // namespace

std::span<const CommandSpec> GenericCommands() { return kGenericCommands; }

}  // namespace pinyon
