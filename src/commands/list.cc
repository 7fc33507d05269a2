// Lists: pushing, popping, and everything that works on one list by index or by value. (list_move.cc has the
// commands that work on several, and those that wait.)
#include <algorithm>
#include <string>
#include <vector>

#include "commands/families.h"
#include "commands/list_common.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// A large element keeps the block that it arrived in.
void PushArgument(Call& call, ListValue& value, ListEnd end, size_t index) {
  if (call.session.large_args != nullptr && value.TakesBlock(call.args[index])) {
    if (BlockRef block = call.TakeBlock(index)) return value.PushBlock(end, std::move(block));
  }
  value.Push(end, call.args[index]);
}

void Push(Call& call, ListEnd end, bool must_exist) {
  const Args elements = call.args.subspan(2);
  size_t bytes = 0;
  for (const std::string_view element : elements) {
    if (!FitsInList(call, element)) return;
    bytes += element.size();
  }
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref && must_exist) return call.reply.Integer(0);
  const std::string_view key = call.args[1];
  if (!ref) {
    call.Notify(call.session.database, kNotifyNew, "new", key);
    ref = call.db.AddPacked(key, call.KeyHash(1), ValueType::kList, Encoding::kListpack);
  }

  ListValue value(call.db, ref);
  value.PrepareFor(bytes, elements.size());
  if (value.chunks() == nullptr) {
    value.PushAll(end, elements);
  } else {
    for (size_t i = 2; i < call.argc(); ++i) PushArgument(call, value, end, i);
  }
  const uint64_t size = value.size();
  call.Changed(kNotifyList, PushEvent(end), key, static_cast<int64_t>(elements.size()));
  call.reply.Integer(static_cast<int64_t>(size));
}

// LPUSH key element [element ...]
void LPush(Call& call) { Push(call, ListEnd::kHead, false); }
// RPUSH key element [element ...]
void RPush(Call& call) { Push(call, ListEnd::kTail, false); }
// LPUSHX key element [element ...]
void LPushX(Call& call) { Push(call, ListEnd::kHead, true); }
// RPUSHX key element [element ...]
void RPushX(Call& call) { Push(call, ListEnd::kTail, true); }

void Pop(Call& call, ListEnd end) {
  if (call.argc() > 3) {
    return call.reply.Error("ERR wrong number of arguments for '" + std::string(call.command.name) +
                            "' command");
  }
  const bool has_count = call.argc() == 3;
  int64_t count = 1;
  if (has_count && (!ParseInt64(call.args[2], &count) || count < 0)) {
    return call.reply.Error(kErrMustBePositive);
  }
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return has_count ? call.reply.NullArray() : call.reply.Null();
  if (count == 0) return call.reply.EmptyArray();
  ListValue value(call.db, ref);
  if (!has_count) return PopOne(call, value, call.args[1], end);
  PopMany(call, value, call.args[1], end, static_cast<uint64_t>(count));
}

// LPOP key [count]
void LPop(Call& call) { Pop(call, ListEnd::kHead); }
// RPOP key [count]
void RPop(Call& call) { Pop(call, ListEnd::kTail); }

// LLEN key
void LLen(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kList, &ref)) return;
  call.reply.Integer(ref ? static_cast<int64_t>(ListValue(call.db, ref).size()) : 0);
}

// The element that an index names, negative ones from the end; false when it is out of range.
bool FindIndex(const ListValue& value, int64_t index, uint64_t* place) {
  *place = index < 0 ? value.size() + static_cast<uint64_t>(index) : static_cast<uint64_t>(index);
  return *place < value.size();
}

// LINDEX key index
void LIndex(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Null();
  int64_t index;
  if (!call.Int(2, &index)) return;
  const ListValue value(call.db, ref);
  uint64_t place;
  if (!FindIndex(value, index, &place)) return call.reply.Null();
  value.Visit(place, 1, ListDirection::kForward, [&](const PackedElement& element, SharedBlock* block) {
    ReplyElement(call.reply, element, block);
    return true;
  });
}

// LSET key index element
void LSet(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Error(kErrNoSuchKey);
  int64_t index;
  if (!call.Int(2, &index)) return;
  const std::string_view element = call.args[3];
  if (!FitsInList(call, element)) return;
  ListValue value(call.db, ref);
  uint64_t place;
  if (!FindIndex(value, index, &place)) return call.reply.Error(kErrIndexRange);

  value.PrepareFor(element.size(), 1);
  value.Replace(place, element);
  value.Shrink();
  call.Changed(kNotifyList, "lset", call.args[1]);
  call.reply.Ok();
}

// LINSERT key BEFORE|AFTER pivot element
void LInsert(Call& call) {
  const bool after = call.Is(2, "after");
  if (!after && !call.Is(2, "before")) return call.reply.Error(kErrSyntax);
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  const std::string_view pivot = call.args[3];
  const std::string_view element = call.args[4];
  if (!FitsInList(call, element)) return;
  ListValue value(call.db, ref);
  uint64_t place = 0;
  bool found = false;
  value.Visit(0, value.size(), ListDirection::kForward, [&](const PackedElement& candidate, SharedBlock*) {
    found = candidate.Equals(pivot);
    if (!found) ++place;
    return !found;
  });
  if (!found) return call.reply.Integer(-1);

  value.PrepareFor(element.size(), 1);
  value.Insert(after ? place + 1 : place, element);
  const uint64_t size = value.size();
  call.Changed(kNotifyList, "linsert", call.args[1]);
  call.reply.Integer(static_cast<int64_t>(size));
}

// The part of a list of `size` elements that two indexes name, negative ones from the end; false when that is
// nothing.
bool ClampRange(int64_t start, int64_t end, uint64_t size, uint64_t* first, uint64_t* count) {
  const int64_t length = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (end < 0) end += length;
  end = std::min(end, length - 1);
  if (start > end) return false;
  *first = static_cast<uint64_t>(start);
  *count = static_cast<uint64_t>(end - start) + 1;
  return true;
}

// LRANGE key start stop
void LRange(Call& call) {
  int64_t start;
  int64_t end;
  if (!call.Int(2, &start) || !call.Int(3, &end)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.EmptyArray();
  const ListValue value(call.db, ref);
  uint64_t first;
  uint64_t count;
  if (!ClampRange(start, end, value.size(), &first, &count)) return call.reply.EmptyArray();
  call.reply.ArrayHeader(count);
  value.Visit(first, count, ListDirection::kForward, [&](const PackedElement& element, SharedBlock* block) {
    ReplyElement(call.reply, element, block);
    return true;
  });
}

// LREM key count element
void LRem(Call& call) {
  int64_t count;
  if (!call.Int(2, &count)) return;
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Integer(0);
  ListValue value(call.db, ref);
  const ListDirection direction = count < 0 ? ListDirection::kBackward : ListDirection::kForward;
  const uint64_t magnitude = count < 0 ? ~static_cast<uint64_t>(count) + 1 : static_cast<uint64_t>(count);
  const uint64_t removed = value.DeleteEqual(call.args[3], count == 0 ? UINT64_MAX : magnitude, direction);
  if (removed > 0) AfterListRemoval(call, value, call.args[1], "lrem", removed);
  call.reply.Integer(static_cast<int64_t>(removed));
}

// What is left of a list is so little beside what goes that it is moved, and the old list given to the
// freeing thread.
bool IsRemnant(const ListValue& value, uint64_t kept) {
  constexpr size_t kManyChunks = 256;
  return value.chunks() != nullptr && value.chunks()->chunk_count() >= kManyChunks + kept;
}

void ReplaceByRange(Call& call, const ListValue& value, uint64_t first, uint64_t count) {
  const std::string_view key = call.args[1];
  ListValue kept(call.db,
                 Database::NewPacked(key, ValueType::kList, Encoding::kListpack, value.entry()->expiry_ms()));
  value.Visit(first, count, ListDirection::kForward, [&](const PackedElement& element, SharedBlock* block) {
    PackedElement::Digits digits;
    const std::string_view text = element.Text(digits);
    kept.PrepareFor(text.size(), 1);
    if (block != nullptr) block->Ref();
    block != nullptr ? kept.PushBlock(ListEnd::kTail, BlockRef(block)) : kept.Push(ListEnd::kTail, text);
    return true;
  });
  call.db.StoreEntry(kept.Release());
}

// LTRIM key start stop
void LTrim(Call& call) {
  int64_t start;
  int64_t end;
  if (!call.Int(2, &start) || !call.Int(3, &end)) return;
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Ok();
  const std::string_view key = call.args[1];
  ListValue value(call.db, ref);
  const uint64_t size = value.size();
  uint64_t first = 0;
  uint64_t count = 0;
  const bool keeps = ClampRange(start, end, size, &first, &count);
  if (!keeps) {
    call.db.Delete(ref);
  } else if (IsRemnant(value, count)) {
    ReplaceByRange(call, value, first, count);
  } else {
    value.DeleteRange(first + count, size - first - count);
    value.DeleteRange(0, first);
    value.Shrink();
  }
  call.Changed(kNotifyList, "ltrim", key, static_cast<int64_t>(keeps ? size - count : size));
  if (!keeps) call.Notify(call.db.index(), kNotifyGeneric, "del", key);
  call.reply.Ok();
}

struct SearchOptions {
  int64_t rank = 1;
  int64_t count = -1;  // -1: not given, one match is replied and not as an array; 0: all
  int64_t max_length = 0;
};

bool ParseSearchOptions(Call& call, SearchOptions* options) {
  // The smallest integer has no counterpart among the positive ones.
  constexpr std::string_view kErrRankRange =
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
  constexpr std::string_view kErrRankZero =
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to "
      "start from the end of the list";
  constexpr std::string_view kErrCount = "ERR COUNT can't be negative";
  constexpr std::string_view kErrMaxLength = "ERR MAXLEN can't be negative";
  for (size_t i = 3; i < call.argc(); i += 2) {
    if (i + 1 == call.argc()) return call.SyntaxError();
    if (call.Is(i, "rank")) {
      if (!call.IntInRange(i + 1, -INT64_MAX, INT64_MAX, &options->rank, kErrRankRange)) return false;
      if (options->rank == 0) return call.Fail(kErrRankZero);
    } else if (call.Is(i, "count")) {
      if (!call.Int(i + 1, &options->count, kErrCount)) return false;
      if (options->count < 0) return call.Fail(kErrCount);
    } else if (call.Is(i, "maxlen")) {
      if (!call.Int(i + 1, &options->max_length, kErrMaxLength)) return false;
      if (options->max_length < 0) return call.Fail(kErrMaxLength);
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

std::vector<uint64_t> Search(const ListValue& value, std::string_view element, const SearchOptions& options) {
  const bool forward = options.rank > 0;
  const uint64_t size = value.size();
  const uint64_t looked_at = options.max_length == 0 ? size : static_cast<uint64_t>(options.max_length);
  const uint64_t wanted = options.count < 0    ? 1
                          : options.count == 0 ? UINT64_MAX
                                               : static_cast<uint64_t>(options.count);
  uint64_t skipped = static_cast<uint64_t>(forward ? options.rank : -options.rank) - 1;
  uint64_t place = forward ? 0 : size - 1;
  std::vector<uint64_t> places;
  value.Visit(place, looked_at, forward ? ListDirection::kForward : ListDirection::kBackward,
              [&](const PackedElement& candidate, SharedBlock*) {
                if (candidate.Equals(element)) {
                  if (skipped == 0) places.push_back(place);
                  if (skipped > 0) --skipped;
                }
                place += forward ? 1 : ~uint64_t{0};
                return places.size() < wanted;
              });
  return places;
}

// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
void LPos(Call& call) {
  SearchOptions options;
  if (!ParseSearchOptions(call, &options)) return;
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kList, &ref)) return;
  const bool as_array = options.count >= 0;
  if (!ref) return as_array ? call.reply.EmptyArray() : call.reply.Null();
  const std::vector<uint64_t> places = Search(ListValue(call.db, ref), call.args[2], options);
  if (as_array) {
    call.reply.ArrayHeader(places.size());
    for (const uint64_t place : places) call.reply.Integer(static_cast<int64_t>(place));
  } else if (places.empty()) {
    call.reply.Null();
  } else {
    call.reply.Integer(static_cast<int64_t>(places.front()));
  }
}

constexpr const char* kPushComplexity =
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
    "arguments.";
constexpr const char* kSeveralElements = "Accepts multiple `element` arguments.";

constexpr CommandSpec kListCommands[] = {
    {.name = "lpush",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = LPush,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "list",
     .since = "1.0.0",
     .complexity = kPushComplexity,
     .summary = "Adds elements before the first of a list, which is created if need be",
     .syntax = "key element [element ...]",
     .history = {{"2.4.0", kSeveralElements}}},
    {.name = "rpush",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = RPush,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "list",
     .since = "1.0.0",
     .complexity = kPushComplexity,
     .summary = "Adds elements behind the last of a list, which is created if need be",
     .syntax = "key element [element ...]",
     .history = {{"2.4.0", kSeveralElements}}},
    {.name = "lpushx",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = LPushX,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "list",
     .since = "2.2.0",
     .complexity = kPushComplexity,
     .summary = "Adds elements before the first of a list that exists",
     .syntax = "key element [element ...]",
     .history = {{"4.0.0", kSeveralElements}}},
    {.name = "rpushx",
     .arity = -3,
     .flags = kWrite | kDenyOom | kFast,
     .handler = RPushX,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "list",
     .since = "2.2.0",
     .complexity = kPushComplexity,
     .summary = "Adds elements behind the last of a list that exists",
     .syntax = "key element [element ...]",
     .history = {{"4.0.0", kSeveralElements}}},
    {.name = "lpop",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = LPop,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete)},
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Takes elements from the start of a list and returns them",
     .syntax = "key [count]",
     .history = {{"6.2.0", "Added the `count` argument."}}},
    {.name = "rpop",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = RPop,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyAccess | kKeyDelete)},
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements returned",
     .summary = "Takes elements from the end of a list and returns them",
     .syntax = "key [count]",
     .history = {{"6.2.0", "Added the `count` argument."}}},
    {.name = "llen",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = LLen,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRO)},
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Returns the number of elements of a list",
     .syntax = "key"},
    {.name = "lindex",
     .arity = 3,
     .flags = kReadOnly,
     .handler = LIndex,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "list",
     .since = "1.0.0",
     .complexity =
         "O(N) where N is the number of elements to traverse to get to the element at index. This makes "
         "asking for the first or the last element of the list O(1).",
     .summary = "Returns the element at an index of a list",
     .syntax = "key index"},
    {.name = "lset",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .handler = LSet,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "list",
     .since = "1.0.0",
     .complexity =
         "O(N) where N is the length of the list. Setting either the first or the last element of the list "
         "is O(1).",
     .summary = "Puts another element in the place of the one at an index of a list",
     .syntax = "key index element"},
    {.name = "linsert",
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .handler = LInsert,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyInsert)},
     .group = "list",
     .since = "2.2.0",
     .complexity =
         "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that "
         "inserting somewhere on the left end on the list (head) can be considered O(1) and inserting "
         "somewhere on the right end (tail) is O(N).",
     .summary = "Inserts an element next to the first one that equals a pivot",
     .syntax = "key <BEFORE | AFTER> pivot element"},
    {.name = "lrange",
     .arity = 4,
     .flags = kReadOnly,
     .handler = LRange,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "list",
     .since = "1.0.0",
     .complexity =
         "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD "
         "or TAIL) for large lists; and N is the number of elements in the specified range.",
     .summary = "Returns the elements of a list from one index to another",
     .syntax = "key start stop"},
    {.name = "lrem",
     .arity = 4,
     .flags = kWrite,
     .handler = LRem,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N+M) where N is the length of the list and M is the number of elements removed.",
     .summary = "Removes elements that equal a given one, all or a number of them from either end",
     .syntax = "key count element"},
    {.name = "ltrim",
     .arity = 4,
     .flags = kWrite,
     .handler = LTrim,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRW | kKeyDelete)},
     .group = "list",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of elements to be removed by the operation.",
     .summary = "Removes all elements of a list but those from one index to another",
     .syntax = "key start stop"},
    {.name = "lpos",
     .arity = -3,
     .flags = kReadOnly,
     .handler = LPos,
     .acl = kAclList,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "list",
     .since = "6.0.6",
     .complexity =
         "O(N) where N is the number of elements in the list, for the average case. When searching for "
         "elements near the head or the tail of the list, or when the MAXLEN option is provided, the command "
         "may run in constant time.",
     .summary = "Returns the indexes of elements that equal a given one",
     .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]"},
};

}  // namespace

std::span<const CommandSpec> ListCommands() { return kListCommands; }

}  // namespace pinyon
