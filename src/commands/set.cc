// Sets: commands on the members of one (and SMOVE, of two). What SPOP chooses is chance: it propagates as the
// SREM of what it chose. (set_algebra.cc has intersections, unions and differences.)
#include <array>
#include <string>
#include <vector>

#include "commands/families.h"
#include "commands/random_count.h"
#include "commands/scan_options.h"
#include "commands/set_reply.h"
#include "engine/call.h"
#include "keyspace/set_value.h"

namespace pinyon {

namespace {

// The set of a key, created for `members` members, of which `first` is one, if there is none; it must not
// stay empty.
EntryRef FindOrAddSet(Call& call, EntryRef ref, std::string_view key, uint64_t hash, std::string_view first,
                      size_t members) {
  if (!ref) {
    const EncodingLimits& limits = call.engine.keyspace.encoding_limits();
    ref = call.db.AddPacked(key, hash, ValueType::kSet, SetValue::InitialEncoding(limits, first, members));
    call.Notify(call.session.database, kNotifyNew, "new", key);
  }
  SetValue set(call.db, ref);
  set.Expect(members);
  return set.ref();
}

// After members were removed.
void DeleteIfEmpty(Call& call, const SetValue& set, std::string_view key) {
  if (set.size() > 0) return;
  call.db.Delete(set.ref());
  call.Changed(kNotifyGeneric, "del", key, 0);
}

// SADD key member [member ...]
void Sadd(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kSet, &ref)) return;
  const std::string_view key = call.args[1];
  const Args members = call.args.subspan(2);
  SetValue set(call.db, FindOrAddSet(call, ref, key, call.KeyHash(1), members[0], members.size()));
  const auto added = static_cast<int64_t>(set.AddAll(members));
  if (added > 0) call.Changed(kNotifySet, "sadd", key, added);
  call.reply.Integer(added);
}

// SREM key member [member ...]
void Srem(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kSet, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  SetValue set(call.db, ref);
  const auto removed = static_cast<int64_t>(set.RemoveAll(call.args.subspan(2)));
  if (removed > 0) {
    call.Changed(kNotifySet, "srem", call.args[1], removed);
    DeleteIfEmpty(call, set, call.args[1]);
  }
  call.reply.Integer(removed);
}

// SISMEMBER key member
void Sismember(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  call.reply.Integer(ref && SetView(ref.entry()).Contains(call.args[2]) ? 1 : 0);
}

// SMISMEMBER key member [member ...]
void Smismember(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  const Args members = call.args.subspan(2);
  call.reply.ArrayHeader(members.size());
  SetBatch batch(call.engine.keyspace.seed());
  for (size_t first = 0; first < members.size(); first += SetBatch::kCapacity) {
    batch.Clear();
    for (const std::string_view member : members.subspan(first)) {
      if (batch.size() == SetBatch::kCapacity) break;
      batch.Add(member);
    }
    if (ref) batch.KeepMembersOf(SetView(ref.entry()));
    for (size_t i = 0; i < batch.size(); ++i) call.reply.Integer(ref && batch.IsKept(i) ? 1 : 0);
  }
}

// SCARD key
void Scard(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(SetView(ref.entry()).size()) : 0);
}

// SMEMBERS key
void Smembers(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  if (!ref) return call.reply.SetHeader(0);
  const SetView set(ref.entry());
  call.reply.SetHeader(set.size());
  ReplyMembers(call.reply, set);
}

// SMOVE source destination member
void Smove(Call& call) {
  const std::string_view source_key = call.args[1], destination_key = call.args[2], member = call.args[3];
  const uint64_t destination_hash = call.KeyHash(2);
  if (!call.FindForWrite(1)) return call.reply.Integer(0);
  const EntryRef destination = call.FindForWrite(destination_key, destination_hash);
  // Found again: the destination may just have been deleted because it had expired.
  const EntryRef source = call.db.Find(source_key, call.KeyHash(1));
  if (!call.CheckType(source, ValueType::kSet) || !call.CheckType(destination, ValueType::kSet)) return;
  if (source_key == destination_key) {
    return call.reply.Integer(SetView(source.entry()).Contains(member) ? 1 : 0);
  }

  SetValue from(call.db, source);
  if (!from.Remove(member)) return call.reply.Integer(0);
  call.Changed(kNotifySet, "srem", source_key);
  DeleteIfEmpty(call, from, source_key);

  SetValue to(call.db, FindOrAddSet(call, call.db.Find(destination_key, destination_hash), destination_key,
                                    destination_hash, member, 1));
  if (to.Add(member)) {
    call.Changed(kNotifySet, "sadd", destination_key);
  } else {
    call.SignalModified(call.session.database, destination_key);
  }
  call.reply.Integer(1);
}

// Collects what is popped, and propagates it as SREMs of many members.
class PoppedMembers {
 public:
  explicit PoppedMembers(Call& call) : call_(call), listening_(call.Propagating()) {}

  void Add(const PackedElement& element) {
    if (!listening_) return;
    PackedElement::Digits digits;
    text_ += element.Text(digits);
    ends_.push_back(text_.size());
    constexpr size_t kMembersAtOnce = 1024;
    if (ends_.size() == kMembersAtOnce) Propagate();
  }

  void Propagate() {
    if (ends_.empty()) return;
    std::vector<std::string_view> effect = {"SREM", call_.args[1]};
    size_t start = 0;
    for (const size_t end : ends_) {
      effect.push_back(std::string_view(text_).substr(start, end - start));
      start = end;
    }
    call_.PropagateAs(effect);
    text_.clear();
    ends_.clear();
  }

 private:
  Call& call_;
  const bool listening_;
  std::string text_;
  std::vector<size_t> ends_;
};

void PopAll(Call& call, EntryRef ref) {
  const SetView set(ref.entry());
  const auto size = static_cast<int64_t>(set.size());
  call.reply.SetHeader(set.size());
  ReplyMembers(call.reply, set);
  call.db.Delete(ref);
  call.Changed(kNotifySet, "spop", call.args[1], size);
  call.Changed(kNotifyGeneric, "del", call.args[1], 0);
  if (call.Propagating()) call.PropagateAs({"DEL", call.args[1]});
}

void PopOne(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kSet, &ref)) return;
  if (!ref) return call.reply.Null();
  SetValue set(call.db, ref);
  const SetPick pick = set.view().PickRandom(call.engine.keyspace.random());
  ReplyElement(call.reply, pick.element);
  PoppedMembers popped(call);
  popped.Add(pick.element);
  set.Remove(pick);
  call.Changed(kNotifySet, "spop", call.args[1]);
  popped.Propagate();
  DeleteIfEmpty(call, set, call.args[1]);
}

// SPOP key [count]
void Spop(Call& call) {
  if (call.argc() == 2) return PopOne(call);
  if (call.argc() > 3) return call.reply.Error(kErrSyntax);
  int64_t count;
  if (!ParseInt64(call.args[2], &count) || count < 0) return call.reply.Error(kErrMustBePositive);
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kSet, &ref)) return;
  if (!ref || count == 0) return call.reply.SetHeader(0);

  SetValue set(call.db, ref);
  if (static_cast<uint64_t>(count) >= set.size()) return PopAll(call, ref);
  call.reply.SetHeader(static_cast<size_t>(count));
  PoppedMembers popped(call);
  set.PopMany(static_cast<size_t>(count), [&](const PackedElement& element) {
    ReplyElement(call.reply, element);
    popped.Add(element);
  });
  call.Changed(kNotifySet, "spop", call.args[1], count);
  popped.Propagate();
}

// A negative count: members drawn one by one, repeatedly if chance has it so.
void ReplyDraws(Call& call, SetView set, uint64_t draws) {
  DrawBudget budget(call);
  if (!budget.Allows(draws)) return;
  const SetPicker picker(set);
  call.reply.ArrayHeader(draws);
  for (; draws > 0; --draws) {
    const PackedElement element = picker.Draw(call.engine.keyspace.random());
    if (!budget.Spend(element.text.size())) return;
    ReplyElement(call.reply, element);
  }
}

// SRANDMEMBER key [count]
void Srandmember(Call& call) {
  if (call.argc() > 3) return call.reply.Error(kErrSyntax);
  const bool has_count = call.argc() == 3;
  int64_t count = 1;
  if (has_count && !ParseRandomCount(call, 2, &count)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  if (!ref || count == 0) return has_count ? call.reply.EmptyArray() : call.reply.Null();

  const SetView set(ref.entry());
  Random& random = call.engine.keyspace.random();
  if (!has_count) return ReplyElement(call.reply, set.PickRandom(random).element);
  if (count < 0) return ReplyDraws(call, set, static_cast<uint64_t>(-count));
  if (static_cast<uint64_t>(count) >= set.size()) {
    call.reply.ArrayHeader(set.size());
    return ReplyMembers(call.reply, set);
  }
  call.reply.ArrayHeader(static_cast<size_t>(count));
  for (const PackedElement& element : set.Sample(static_cast<size_t>(count), random)) {
    ReplyElement(call.reply, element);
  }
}

// SSCAN key cursor [MATCH pattern] [COUNT count]
void Sscan(Call& call) {
  uint64_t cursor;
  if (!ParseCursor(call, 2, &cursor)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kSet, &ref)) return;
  if (!ref) return ReplyEmptyScan(call);
  ScanOptions options;
  if (!ParseScanOptions(call, 3, 0, &options)) return;

  std::vector<PackedElement> found;
  cursor = SetView(ref.entry()).Scan(cursor, options.count, [&](const PackedElement& element) {
    PackedElement::Digits digits;
    if (options.MatchesAll() || options.Matches(element.Text(digits))) found.push_back(element);
  });
  ReplyScanHeader(call, cursor, found.size());
  for (const PackedElement& element : found) ReplyElement(call.reply, element);
}

constexpr CommandSpec kSetCommands[] = {
    {.name = "sadd",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Sadd,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1) for each element added, so O(N) to add N elements when the command is called with "
                   "multiple arguments.",
     .summary = "Adds members to a set, which is created if need be.",
     .syntax = "key member [member ...]",
     .history = {{"2.4.0", "Accepts multiple `member` arguments."}}},
    {.name = "srem",
     .arity = -3,
     .flags = kWrite | kFast,
     .handler = Srem,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of members to be removed.",
     .summary = "Removes members from a set; an empty set is deleted.",
     .syntax = "key member [member ...]",
     .history = {{"2.4.0", "Accepts multiple `member` arguments."}}},
    {.name = "sismember",
     .arity = 3,
     .flags = kReadOnly | kFast,
     .handler = Sismember,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO)},
     .element = 2,
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Tells whether something is a member of a set.",
     .syntax = "key member"},
    {.name = "smismember",
     .arity = -3,
     .flags = kReadOnly | kFast,
     .handler = Smismember,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "6.2.0",
     .complexity = "O(N) where N is the number of elements being checked for membership",
     .summary = "Tells of each of several things whether it is a member of a set.",
     .syntax = "key member [member ...]"},
    {.name = "scard",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Scard,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Counts the members of a set.",
     .syntax = "key"},
    {.name = "smembers",
     .arity = 2,
     .flags = kReadOnly,
     .handler = Smembers,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the set cardinality.",
     .summary = "Lists all members of a set.",
     .syntax = "key",
     .tips = "nondeterministic_output_order"},
    {.name = "spop",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = Spop,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete)},
     .group = "set",
     .since = "1.0.0",
     .complexity =
         "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
     .summary = "Takes members out of a set at random.",
     .syntax = "key [count]",
     .tips = "nondeterministic_output",
     .history = {{"3.2.0", "Added the `count` argument."}}},
    {.name = "srandmember",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Srandmember,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "Without the count argument O(1), otherwise O(N) where N is the absolute value of the "
                   "passed count.",
     .summary = "Picks members of a set at random.",
     .syntax = "key [count]",
     .tips = "nondeterministic_output",
     .history = {{"2.6.0", "Added the optional `count` argument."}}},
    {.name = "smove",
     .arity = 4,
     .flags = kWrite | kFast,
     .handler = Smove,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete), KeyAt(2, kKeyRW | kKeyInsert)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Moves a member from one set to another.",
     .syntax = "source destination member"},
    {.name = "sscan",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Sscan,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "2.8.0",
     .complexity = "O(1) for every call. O(N) for a complete iteration, including enough command calls for "
                   "the cursor to return back to 0. N is the number of elements inside the collection.",
     .summary = "Goes through the members of a set in portions.",
     .syntax = "key cursor [MATCH pattern] [COUNT count]",
     .tips = "nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> SetCommands() { return kSetCommands; }

}  // namespace pinyon
