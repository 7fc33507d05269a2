// Lists: taking elements from the first of several lists that has some, moving them from one to another, and
// waiting for them (engine/blocking.h). What a waiting command did propagates as the command that does not
// wait.
#include <string>
#include <utility>

#include "commands/families.h"
#include "commands/list_common.h"
#include "engine/call.h"

namespace pinyon {

namespace {

// An element on its way from one list to another.
class CarriedElement {
 public:
  CarriedElement(const ListValue& value, ListEnd end) {
    if (SharedBlock* block = value.BlockAt(end); block != nullptr) {
      block->Ref();
      block_ = BlockRef(block);
      return;
    }
    PackedElement::Digits digits;
    text_ = value.At(end).Text(digits);
  }
  void PushTo(ListValue& value, ListEnd end) {
    value.PrepareFor(text().size(), 1);
    if (block_ && value.TakesBlock(text())) return value.PushBlock(end, std::move(block_));
    value.Push(end, text());
  }
  void Reply(ReplyWriter& reply) const { block_ ? reply.BulkBlock(block_.get()) : reply.Bulk(text_); }

 private:
  std::string_view text() const { return block_ ? block_->bytes() : std::string_view(text_); }

  std::string text_;
  BlockRef block_;
};

// Moves an element of a list, which is there, to the list of args[2], which may be the same; false when that
// is of another type, after the error reply.
bool Move(Call& call, ListEnd from, ListEnd to) {
  const std::string_view source = call.args[1];
  const std::string_view destination = call.args[2];
  const uint64_t source_hash = call.KeyHash(1);
  if (source == destination) {
    ListValue value(call.db, call.db.Find(source, source_hash));
    CarriedElement element(value, from);
    value.Pop(from);
    element.Reply(call.reply);
    element.PushTo(value, to);
    call.Changed(kNotifyList, PushEvent(to), destination, 0);
    AfterListRemoval(call, value, source, PopEvent(from), 1);
    return true;
  }

  const uint64_t destination_hash = call.db.Hash(destination);
  EntryRef ref = call.FindForWrite(destination, destination_hash);
  if (!call.CheckType(ref, ValueType::kList)) return false;
  // Each found anew after the other changed.
  CarriedElement element(ListValue(call.db, call.db.Find(source, source_hash)), from);
  element.Reply(call.reply);
  if (!ref) {
    call.Notify(call.session.database, kNotifyNew, "new", destination);
    ref = call.db.AddPacked(destination, destination_hash, ValueType::kList, Encoding::kListpack);
  }
  ListValue target(call.db, ref);
  element.PushTo(target, to);
  call.Changed(kNotifyList, PushEvent(to), destination, 0);
  ListValue value(call.db, call.db.Find(source, source_hash));
  value.Pop(from);
  AfterListRemoval(call, value, source, PopEvent(from), 1);
  return true;
}

// LMOVE source destination LEFT|RIGHT LEFT|RIGHT
void LMove(Call& call) {
  ListEnd from;
  ListEnd to;
  if (!ParseListEnd(call, 3, &from) || !ParseListEnd(call, 4, &to)) return;
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Null();
  Move(call, from, to);
}

// RPOPLPUSH source destination
void RPopLPush(Call& call) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return;
  if (!ref) return call.reply.Null();
  Move(call, ListEnd::kTail, ListEnd::kHead);
}

// Moves an element, or waits for one; true when it was moved.
bool MoveOrWait(Call& call, ListEnd from, ListEnd to, int64_t timeout_ms) {
  EntryRef ref;
  if (!call.FindTypedForWrite(1, ValueType::kList, &ref)) return false;
  if (ref) return Move(call, from, to);
  call.Block(call.args.subspan(1, 1), ValueType::kList, timeout_ms, Call::NullReply::kBulk);
  return false;
}

// BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout
void BLMove(Call& call) {
  ListEnd from;
  ListEnd to;
  int64_t timeout_ms;
  if (!ParseListEnd(call, 3, &from) || !ParseListEnd(call, 4, &to)) return;
  if (!call.TimeoutSeconds(5, &timeout_ms)) return;
  const bool moved = MoveOrWait(call, from, to, timeout_ms);
  if (moved && call.Propagating()) {
    call.PropagateAs({"LMOVE", call.args[1], call.args[2], call.args[3], call.args[4]});
  }
}

// BRPOPLPUSH source destination timeout
void BRPopLPush(Call& call) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(3, &timeout_ms)) return;
  const bool moved = MoveOrWait(call, ListEnd::kTail, ListEnd::kHead, timeout_ms);
  if (moved && call.Propagating()) call.PropagateAs({"RPOPLPUSH", call.args[1], call.args[2]});
}

// The first of some keys that there is, if it is a list. kFailed: it is not, and the error has been replied.
enum class FindResult { kFound, kNone, kFailed };
FindResult FindFirst(Call& call, Args keys, std::string_view* key, EntryRef* ref) {
  for (const std::string_view candidate : keys) {
    if (!call.MayServeFrom(candidate)) continue;
    *ref = call.FindForWrite(candidate, call.db.Hash(candidate));
    if (!*ref) continue;
    *key = candidate;
    return call.CheckType(*ref, ValueType::kList) ? FindResult::kFound : FindResult::kFailed;
  }
  return FindResult::kNone;
}

void BlockingPop(Call& call, ListEnd end) {
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(call.argc() - 1, &timeout_ms)) return;
  const Args keys = call.args.subspan(1, call.argc() - 2);
  std::string_view key;
  EntryRef ref;
  const FindResult result = FindFirst(call, keys, &key, &ref);
  if (result == FindResult::kFailed) return;
  if (result == FindResult::kNone) return call.Block(keys, ValueType::kList, timeout_ms);
  ListValue value(call.db, ref);
  call.reply.ArrayHeader(2);
  call.reply.Bulk(key);
  PopOne(call, value, key, end);
  if (call.Propagating()) call.PropagateAs({end == ListEnd::kHead ? "LPOP" : "RPOP", key});
}

// BLPOP key [key ...] timeout
void BLPop(Call& call) { BlockingPop(call, ListEnd::kHead); }
// BRPOP key [key ...] timeout
void BRPop(Call& call) { BlockingPop(call, ListEnd::kTail); }

struct PopRequest {
  Args keys;
  ListEnd end = ListEnd::kHead;
  uint64_t count = 1;
};

// numkeys key [key ...] LEFT|RIGHT [COUNT count], from argument `at` on.
bool ParsePopRequest(Call& call, size_t at, PopRequest* request) {
  constexpr std::string_view kErrNumKeys = "ERR numkeys should be greater than 0";
  constexpr std::string_view kErrCount = "ERR count should be greater than 0";
  int64_t number;
  if (!call.Int(at, &number, kErrNumKeys)) return false;
  if (number <= 0) return call.Fail(kErrNumKeys);
  const size_t left = call.argc() - at - 1;
  if (static_cast<uint64_t>(number) >= left) return call.SyntaxError();
  const size_t keys = static_cast<size_t>(number);
  request->keys = call.args.subspan(at + 1, keys);
  at += 1 + keys;
  if (!ParseListEnd(call, at, &request->end)) return false;
  if (++at == call.argc()) return true;
  if (!call.Is(at, "count") || at + 1 == call.argc()) return call.SyntaxError();
  int64_t count;
  if (!call.Int(at + 1, &count, kErrCount)) return false;
  if (count <= 0) return call.Fail(kErrCount);
  request->count = static_cast<uint64_t>(count);
  return at + 2 == call.argc() || call.SyntaxError();
}

// Pops from the first list that there is; kNone: there is none, and nothing has been replied.
FindResult PopFromFirst(Call& call, const PopRequest& request) {
  std::string_view key;
  EntryRef ref;
  const FindResult result = FindFirst(call, request.keys, &key, &ref);
  if (result != FindResult::kFound) return result;
  ListValue value(call.db, ref);
  call.reply.ArrayHeader(2);
  call.reply.Bulk(key);
  const uint64_t count = PopMany(call, value, key, request.end, request.count);
  if (call.Propagating()) {
    char digits[kMaxInt64Chars];
    const std::string_view text(digits, FormatUint64(count, digits));
    call.PropagateAs({request.end == ListEnd::kHead ? "LPOP" : "RPOP", key, text});
  }
  return result;
}

// LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]
void LMPop(Call& call) {
  PopRequest request;
  if (!ParsePopRequest(call, 1, &request)) return;
  if (PopFromFirst(call, request) == FindResult::kNone) call.reply.NullArray();
}

// BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]
void BLMPop(Call& call) {
  PopRequest request;
  if (!ParsePopRequest(call, 2, &request)) return;
  int64_t timeout_ms;
  if (!call.TimeoutSeconds(1, &timeout_ms)) return;
  if (PopFromFirst(call, request) == FindResult::kNone) {
    call.Block(request.keys, ValueType::kList, timeout_ms);
  }
}

constexpr uint32_t kTaken = kKeyRW | kKeyAccess | kKeyDelete;
constexpr uint32_t kGiven = kKeyRW | kKeyInsert;
constexpr const char* kTimeoutIsDouble = "`timeout` is interpreted as a double instead of an integer.";
constexpr const char* kPopManyComplexity =
    "O(N+M) where N is the number of provided keys and M is the number of elements returned.";

constexpr CommandSpec kListMoveCommands[] = {
    {.name = "lmove",
     .arity = 5,
     .flags = kWrite | kDenyOom,
     .handler = LMove,
     .acl = kAclList,
     .keys = {KeyAt(1, kTaken), KeyAt(2, kGiven)},
     .group = "list",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Takes an element from an end of a list, adds it to an end of another, and returns it",
     .syntax = "source destination <LEFT | RIGHT> <LEFT | RIGHT>"},
    {.name = "rpoplpush",
     .arity = 3,
     .flags = kWrite | kDenyOom,
     .handler = RPopLPush,
     .acl = kAclList,
     .keys = {KeyAt(1, kTaken), KeyAt(2, kGiven)},
     .group = "list",
     .since = "1.2.0",
     .complexity = "O(1)",
     .summary = "Takes the last element of a list, adds it before the first of another, and returns it",
     .syntax = "source destination",
     .deprecated_since = "6.2.0",
     .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments"},
    {.name = "lmpop",
     .arity = -4,
     .flags = kWrite,
     .handler = LMPop,
     .acl = kAclList,
     .keys = {NumKeysAt(1, kTaken)},
     .group = "list",
     .since = "7.0.0",
     .complexity = kPopManyComplexity,
     .summary = "Takes elements from an end of the first list that is not empty and returns them",
     .syntax = "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]"},
    {.name = "blpop",
     .arity = -3,
     .flags = kWrite | kNoScript | kBlocking,
     .handler = BLPop,
     .acl = kAclList,
     .keys = {KeysFrom(1, kTaken, -2)},
     .group = "list",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of provided keys.",
     .summary = "Takes the first element of the first list that is not empty, waiting for one if need be",
     .syntax = "key [key ...] timeout",
     .history = {{"6.0.0", kTimeoutIsDouble}}},
    {.name = "brpop",
     .arity = -3,
     .flags = kWrite | kNoScript | kBlocking,
     .handler = BRPop,
     .acl = kAclList,
     .keys = {KeysFrom(1, kTaken, -2)},
     .group = "list",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of provided keys.",
     .summary = "Takes the last element of the first list that is not empty, waiting for one if need be",
     .syntax = "key [key ...] timeout",
     .history = {{"6.0.0", kTimeoutIsDouble}}},
    {.name = "blmove",
     .arity = 6,
     .flags = kWrite | kDenyOom | kNoScript | kBlocking,
     .handler = BLMove,
     .acl = kAclList,
     .keys = {KeyAt(1, kTaken), KeyAt(2, kGiven)},
     .group = "list",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Moves an element from an end of a list to an end of another and returns it, waiting for one "
                "if need be",
     .syntax = "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout"},
    {.name = "brpoplpush",
     .arity = 4,
     .flags = kWrite | kDenyOom | kNoScript | kBlocking,
     .handler = BRPopLPush,
     .acl = kAclList,
     .keys = {KeyAt(1, kTaken), KeyAt(2, kGiven)},
     .group = "list",
     .since = "2.2.0",
     .complexity = "O(1)",
     .summary = "Moves the last element of a list to the front of another and returns it, waiting for one if "
                "need be",
     .syntax = "source destination timeout",
     .history = {{"6.0.0", kTimeoutIsDouble}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments"},
    {.name = "blmpop",
     .arity = -5,
     .flags = kWrite | kBlocking,
     .handler = BLMPop,
     .acl = kAclList,
     .keys = {NumKeysAt(2, kTaken)},
     .group = "list",
     .since = "7.0.0",
     .complexity = kPopManyComplexity,
     .summary = "Takes elements from an end of the first list that is not empty and returns them, waiting "
                "for some if need be",
     .syntax = "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]"},
};

}  // namespace

std::span<const CommandSpec> ListMoveCommands() { return kListMoveCommands; }

}  // namespace pinyon
