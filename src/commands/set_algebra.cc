// Sets: intersections, unions and differences. Sources are only read until the result is complete, so that
// the destination may be one of them, and a wrong type anywhere changes nothing. Encodings of stored results
// are those that Redis 7.2 gives them: they follow from the order in which members are added.
#include <algorithm>
#include <vector>

#include "commands/families.h"
#include "commands/set_reply.h"
#include "commands/source_keys.h"
#include "engine/call.h"
#include "keyspace/set_value.h"
#include "types/element_index.h"

namespace pinyon {

namespace {

bool FindSets(Call& call, size_t first, size_t end, std::vector<const Entry*>* entries) {
  return FindSources(call, first, end, ValueType::kSet, ValueType::kSet, entries);
}

// Those that exist, each once, in the order of their first mention.
std::vector<SetView> DistinctSets(const std::vector<const Entry*>& entries) {
  std::vector<SetView> sets;
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (*entry == nullptr || std::find(entries.begin(), entry, *entry) != entry) continue;
    sets.emplace_back(*entry);
  }
  return sets;
}

void ReplyElements(ReplyWriter& reply, const std::vector<PackedElement>& elements) {
  reply.SetHeader(elements.size());
  for (const PackedElement& element : elements) ReplyElement(reply, element);
}

void ReplyWhole(ReplyWriter& reply, SetView set) {
  reply.SetHeader(set.size());
  ReplyMembers(reply, set);
}

// Stores a result (null: none) and replies its size.
void ReplyStored(Call& call, SetValue* result, std::string_view event) {
  const size_t size = result != nullptr ? result->size() : 0;
  StoreResult(call, 1, result != nullptr ? result->Release() : nullptr, size, kNotifySet, event);
  call.reply.Integer(static_cast<int64_t>(size));
}

Entry* NewResult(const Call& call, Encoding encoding) {
  return Database::NewPacked(call.args[1], ValueType::kSet, encoding);
}

// --- intersection ---

// The sets to intersect, the smallest first; none when a key is not there.
std::vector<SetView> SetsToIntersect(const std::vector<const Entry*>& entries) {
  if (std::find(entries.begin(), entries.end(), nullptr) != entries.end()) return {};
  std::vector<SetView> sets = DistinctSets(entries);
  std::stable_sort(sets.begin(), sets.end(), [](SetView a, SetView b) { return a.size() < b.size(); });
  return sets;
}

// Calls visit(element) with the members that all sets have, in the order of the smallest, until it returns
// false.
template <typename Visit>
void Intersect(const Call& call, const std::vector<SetView>& sets, Visit visit) {
  SetReader reader(sets.front());
  SetBatch batch(call.engine.keyspace.seed());
  while (batch.Fill(reader)) {
    for (size_t i = 1; i < sets.size() && batch.any_kept(); ++i) batch.KeepMembersOf(sets[i]);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch.IsKept(i) && !visit(batch.element(i))) return;
    }
  }
}

// SINTER key [key ...]
void Sinter(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 1, call.argc(), &entries)) return;
  const std::vector<SetView> sets = SetsToIntersect(entries);
  if (sets.empty()) return call.reply.SetHeader(0);
  if (sets.size() == 1) return ReplyWhole(call.reply, sets.front());
  std::vector<PackedElement> common;
  Intersect(call, sets, [&](const PackedElement& element) {
    common.push_back(element);
    return true;
  });
  ReplyElements(call.reply, common);
}

// SINTERCARD numkeys key [key ...] [LIMIT limit]
void Sintercard(Call& call) {
  int64_t key_count, limit = 0;
  if (!ParseInt64(call.args[1], &key_count) || key_count < 1) {
    return call.reply.Error("ERR numkeys should be greater than 0");
  }
  if (static_cast<uint64_t>(key_count) > call.argc() - 2) {
    return call.reply.Error("ERR Number of keys can't be greater than number of args");
  }
  const size_t end = 2 + static_cast<size_t>(key_count);
  for (size_t i = end; i < call.argc(); i += 2) {
    if (!call.Is(i, "limit") || i + 1 == call.argc()) return call.reply.Error(kErrSyntax);
    if (!ParseInt64(call.args[i + 1], &limit) || limit < 0) {
      return call.reply.Error("ERR LIMIT can't be negative");
    }
  }

  std::vector<const Entry*> entries;
  if (!FindSets(call, 2, end, &entries)) return;
  const std::vector<SetView> sets = SetsToIntersect(entries);
  int64_t count = 0;
  if (!sets.empty()) {
    Intersect(call, sets, [&](const PackedElement&) { return ++count != limit; });
  }
  call.reply.Integer(count);
}

// SINTERSTORE destination key [key ...]
void Sinterstore(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 2, call.argc(), &entries)) return;
  const std::vector<SetView> sets = SetsToIntersect(entries);
  if (sets.empty()) return ReplyStored(call, nullptr, "sinterstore");
  const bool of_integers = sets.front().encoding() == Encoding::kIntset;
  SetValue result(call.db, NewResult(call, of_integers ? Encoding::kIntset : Encoding::kListpack));
  Intersect(call, sets, [&](const PackedElement& element) {
    result.Add(element);
    return true;
  });
  result.CompactIntegers();
  ReplyStored(call, &result, "sinterstore");
}

// --- union ---

// The union of intsets, in ascending order.
std::vector<PackedElement> UniteIntegers(const std::vector<SetView>& sets) {
  std::vector<int64_t> values;
  for (const SetView set : sets) {
    const IntsetView integers = set.intset();
    for (size_t i = 0; i < integers.size(); ++i) values.push_back(integers.At(i));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<PackedElement> elements;
  elements.reserve(values.size());
  for (const int64_t value : values) {
    elements.push_back({.is_integer = true, .integer = value, .text = {}});
  }
  return elements;
}

// The members of the largest set are what they are; the others' are tested against it, and only those that it
// does not have need be told apart among themselves.
std::vector<PackedElement> Unite(const Call& call, const std::vector<SetView>& sets) {
  const auto largest =
      std::max_element(sets.begin(), sets.end(), [](SetView a, SetView b) { return a.size() < b.size(); });
  std::vector<PackedElement> elements;
  elements.reserve(largest->size());
  SetReader reader(*largest);
  for (PackedElement element; reader.Next(&element);) elements.push_back(element);

  ElementIndex seen(call.engine.keyspace.seed());
  SetBatch batch(call.engine.keyspace.seed());
  for (auto set = sets.begin(); set != sets.end(); ++set) {
    if (set == largest) continue;
    SetReader other(*set);
    while (batch.Fill(other)) {
      batch.DropMembersOf(*largest);
      for (size_t i = 0; i < batch.size(); ++i) {
        if (!batch.IsKept(i)) continue;
        if (sets.size() > 2 && !seen.Insert(batch.element(i)).second) continue;
        elements.push_back(batch.element(i));
      }
    }
  }
  return elements;
}

// SUNION key [key ...]
void Sunion(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 1, call.argc(), &entries)) return;
  const std::vector<SetView> sets = DistinctSets(entries);
  if (sets.empty()) return call.reply.SetHeader(0);
  if (sets.size() == 1) return ReplyWhole(call.reply, sets.front());
  const bool of_integers =
      std::all_of(sets.begin(), sets.end(), [](SetView set) { return set.encoding() == Encoding::kIntset; });
  ReplyElements(call.reply, of_integers ? UniteIntegers(sets) : Unite(call, sets));
}

// SUNIONSTORE destination key [key ...]
void Sunionstore(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 2, call.argc(), &entries)) return;
  SetValue result(call.db, NewResult(call, Encoding::kIntset));
  for (const SetView set : DistinctSets(entries)) result.AddAll(set);
  ReplyStored(call, &result, "sunionstore");
}

// --- difference ---

// What is subtracted from what, and how.
struct Difference {
  bool is_empty = false;
  std::vector<SetView> subtracted;
  // Whether it costs less to go through all that is subtracted than to ask each of these sets for each member
  // of the first. (The second way often ends early, hence the half.)
  bool through_subtracted = false;
};

Difference PlanDifference(const std::vector<const Entry*>& entries) {
  Difference plan;
  const Entry* first = entries.front();
  const std::vector<const Entry*> others(entries.begin() + 1, entries.end());
  plan.is_empty = first == nullptr || std::find(others.begin(), others.end(), first) != others.end();
  if (plan.is_empty) return plan;
  size_t all = SetView(first).size(), asked = all;
  for (const Entry* entry : others) {
    if (entry == nullptr) continue;
    asked += SetView(first).size();
    all += SetView(entry).size();
  }
  plan.subtracted = DistinctSets(others);
  plan.through_subtracted = asked / 2 > all;
  // The largest is the likeliest to have a member.
  std::stable_sort(plan.subtracted.begin(), plan.subtracted.end(),
                   [](SetView a, SetView b) { return a.size() > b.size(); });
  return plan;
}

// Calls visit(element) with the members of `first` that none of `subtracted` has.
template <typename Visit>
void Subtract(const Call& call, SetView first, const std::vector<SetView>& subtracted, Visit visit) {
  SetReader reader(first);
  SetBatch batch(call.engine.keyspace.seed());
  while (batch.Fill(reader)) {
    for (size_t i = 0; i < subtracted.size() && batch.any_kept(); ++i) batch.DropMembersOf(subtracted[i]);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch.IsKept(i)) visit(batch.element(i));
    }
  }
}

// The same with all that is subtracted in one index.
template <typename Visit>
void SubtractIndexed(const Call& call, SetView first, const std::vector<SetView>& subtracted, Visit visit) {
  ElementIndex index(call.engine.keyspace.seed());
  for (const SetView set : subtracted) {
    SetReader reader(set);
    for (PackedElement element; reader.Next(&element);) index.Insert(element);
  }
  SetReader reader(first);
  for (PackedElement element; reader.Next(&element);) {
    if (!index.Contains(element)) visit(element);
  }
}

// SDIFF key [key ...]
void Sdiff(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 1, call.argc(), &entries)) return;
  const Difference plan = PlanDifference(entries);
  if (plan.is_empty) return call.reply.SetHeader(0);
  const SetView first(entries.front());
  if (plan.subtracted.empty()) return ReplyWhole(call.reply, first);
  std::vector<PackedElement> left;
  const auto collect = [&left](const PackedElement& element) { left.push_back(element); };
  if (plan.through_subtracted) {
    SubtractIndexed(call, first, plan.subtracted, collect);
  } else {
    Subtract(call, first, plan.subtracted, collect);
  }
  ReplyElements(call.reply, left);
}

// SDIFFSTORE destination key [key ...]
void Sdiffstore(Call& call) {
  std::vector<const Entry*> entries;
  if (!FindSets(call, 2, call.argc(), &entries)) return;
  const Difference plan = PlanDifference(entries);
  if (plan.is_empty) return ReplyStored(call, nullptr, "sdiffstore");
  const SetView first(entries.front());
  SetValue result(call.db, NewResult(call, Encoding::kIntset));
  if (plan.through_subtracted || plan.subtracted.empty()) {
    result.AddAll(first);
    for (const SetView set : plan.subtracted) result.RemoveAll(set);
  } else {
    Subtract(call, first, plan.subtracted, [&](const PackedElement& element) { result.Add(element); });
  }
  ReplyStored(call, &result, "sdiffstore");
}

constexpr CommandSpec kSetAlgebraCommands[] = {
    {.name = "sinter",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Sinter,
     .acl = kAclSet,
     .keys = {KeysFrom(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity =
         "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
     .summary = "Lists the members that several sets have in common.",
     .syntax = "key [key ...]",
     .tips = "nondeterministic_output_order"},
    {.name = "sintercard",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Sintercard,
     .acl = kAclSet,
     .keys = {NumKeysAt(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "7.0.0",
     .complexity =
         "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
     .summary = "Counts the members that several sets have in common.",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
    {.name = "sinterstore",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Sinterstore,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate), KeysFrom(2, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity =
         "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
     .summary = "Stores the members that several sets have in common in a key.",
     .syntax = "destination key [key ...]"},
    {.name = "sunion",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Sunion,
     .acl = kAclSet,
     .keys = {KeysFrom(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Lists the members of several sets taken together.",
     .syntax = "key [key ...]",
     .tips = "nondeterministic_output_order"},
    {.name = "sunionstore",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Sunionstore,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), KeysFrom(2, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Stores the members of several sets taken together in a key.",
     .syntax = "destination key [key ...]"},
    {.name = "sdiff",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Sdiff,
     .acl = kAclSet,
     .keys = {KeysFrom(1, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Lists the members of a set that other sets do not have.",
     .syntax = "key [key ...]",
     .tips = "nondeterministic_output_order"},
    {.name = "sdiffstore",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Sdiffstore,
     .acl = kAclSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), KeysFrom(2, kKeyRO | kKeyAccess)},
     .group = "set",
     .since = "1.0.0",
     .complexity = "O(N) where N is the total number of elements in all given sets.",
     .summary = "Stores the members of a set that other sets do not have in a key.",
     .syntax = "destination key [key ...]"},
};

}  // namespace

std::span<const CommandSpec> SetAlgebraCommands() { return kSetAlgebraCommands; }

}  // namespace pinyon
