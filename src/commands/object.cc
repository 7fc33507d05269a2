// OBJECT: how a value is held. Looking at a key this way counts as a hit or a miss, but leaves its access
// clock alone.
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// The key of a subcommand; after a null reply, none.
EntryRef FindObject(Call& call) {
  const EntryRef ref = call.db.Find(call.args[2], call.KeyHash(2));
  KeyspaceStats& stats = call.engine.keyspace.stats();
  ++(ref ? stats.hits : stats.misses);
  if (!ref) call.reply.Null();
  return ref;
}

// OBJECT ENCODING key
void ObjectEncoding(Call& call) {
  if (const EntryRef ref = FindObject(call)) call.reply.Bulk(EncodingName(ref->encoding()));
}

// OBJECT FREQ key
void ObjectFreq(Call& call) {
  const EntryRef ref = FindObject(call);
  if (!ref) return;
  const Keyspace& keyspace = call.engine.keyspace;
  if (keyspace.tracks_frequency()) return call.reply.Integer(keyspace.Frequency(ref.entry()));
  call.reply.Error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
      "switching "
      "between policies at runtime LRU and LFU data will take some time to adjust.");
}

// OBJECT IDLETIME key
void ObjectIdletime(Call& call) {
  const EntryRef ref = FindObject(call);
  if (!ref) return;
  const Keyspace& keyspace = call.engine.keyspace;
  if (!keyspace.tracks_frequency()) return call.reply.Integer(keyspace.IdleSeconds(ref.entry()));
  call.reply.Error(
      "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching "
      "between "
      "policies at runtime LRU and LFU data will take some time to adjust.");
}

// OBJECT REFCOUNT key
void ObjectRefcount(Call& call) {
  const EntryRef ref = FindObject(call);
  if (!ref) return;
  // Redis holds these integers once for all keys and answers INT_MAX for them; values are not shared here,
  // but clients see the same.
  constexpr int64_t kSharedIntegers = 10000;
  const bool is_shared = ref->type() == ValueType::kString && ref->IsInteger() && ref->integer() >= 0 &&
                         ref->integer() < kSharedIntegers;
  call.reply.Integer(is_shared ? INT32_MAX : 1);
}

// OBJECT HELP
void ObjectHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "ENCODING <key>",
      "    Return the kind of internal representation used in order to store the value",
      "    associated with a <key>.",
      "FREQ <key>",
      "    Return the access frequency index of the <key>. The returned integer is",
      "    proportional to the logarithm of the recent access frequency of the key.",
      "IDLETIME <key>",
      "    Return the idle time of the <key>, that is the approximated number of",
      "    seconds elapsed since the last access to the key.",
      "REFCOUNT <key>",
      "    Return the number of references of the value associated with the specified",
      "    <key>.",
      "HELP",
      "    Prints this help.",
  };
  call.reply.ArrayHeader(std::size(kLines));
  for (const std::string_view line : kLines) call.reply.SimpleString(line);
}

constexpr CommandSpec kObjectSubcommands[] = {
    {.name = "encoding",
     .arity = 3,
     .flags = kReadOnly,
     .handler = ObjectEncoding,
     .acl = kAclKeyspace,
     .keys = {KeyAt(2, kKeyRO)},
     .group = "generic",
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Names the encoding of a key's value.",
     .syntax = "key",
     .tips = "nondeterministic_output"},
    {.name = "freq",
     .arity = 3,
     .flags = kReadOnly,
     .handler = ObjectFreq,
     .acl = kAclKeyspace,
     .keys = {KeyAt(2, kKeyRO)},
     .group = "generic",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Gives the logarithmic counter of a key's accesses.",
     .syntax = "key",
     .tips = "nondeterministic_output"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = ObjectHelp,
     .acl = kAclKeyspace,
     .group = "generic",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
    {.name = "idletime",
     .arity = 3,
     .flags = kReadOnly,
     .handler = ObjectIdletime,
     .acl = kAclKeyspace,
     .keys = {KeyAt(2, kKeyRO)},
     .group = "generic",
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Gives the seconds since a key was last accessed.",
     .syntax = "key",
     .tips = "nondeterministic_output"},
    {.name = "refcount",
     .arity = 3,
     .flags = kReadOnly,
     .handler = ObjectRefcount,
     .acl = kAclKeyspace,
     .keys = {KeyAt(2, kKeyRO)},
     .group = "generic",
     .since = "2.2.3",
     .complexity = "O(1)",
     .summary = "Gives the number of references to a key's value.",
     .syntax = "key",
     .tips = "nondeterministic_output"},
};

constexpr CommandSpec kObjectCommands[] = {
    {.name = "object",
     .arity = -2,
     .group = "generic",
     .since = "2.2.3",
     .complexity = "Depends on subcommand.",
     .summary = "Tells how values are held.",
     .subcommands = kObjectSubcommands},
};

}  // namespace

std::span<const CommandSpec> ObjectCommands() { return kObjectCommands; }

}  // namespace pinyon
