// What the commands on lists share: ends by their names, replies of elements, and what follows a removal.
#pragma once

#include <algorithm>
#include <string_view>

#include "engine/call.h"
#include "keyspace/list_value.h"

namespace pinyon {

using ListDirection = ListValue::Direction;

inline constexpr std::string_view kErrElementTooLarge = "ERR Element too large";

// LEFT or RIGHT; on failure the error has been replied.
inline bool ParseListEnd(Call& call, size_t index, ListEnd* end) {
  if (call.Is(index, "left")) {
    *end = ListEnd::kHead;
  } else if (call.Is(index, "right")) {
    *end = ListEnd::kTail;
  } else {
    return call.SyntaxError();
  }
  return true;
}

inline bool FitsInList(Call& call, std::string_view element) {
  return element.size() <= ListLimits::kMaxElementBytes || call.Fail(kErrElementTooLarge);
}

inline std::string_view PushEvent(ListEnd end) { return end == ListEnd::kHead ? "lpush" : "rpush"; }
inline std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }

inline void ReplyElement(ReplyWriter& reply, const PackedElement& element, SharedBlock* block) {
  if (block != nullptr) return reply.BulkBlock(block);
  if (element.is_integer) return reply.BulkInteger(element.integer);
  reply.Bulk(element.text);
}

// After `count` elements have gone from `key`: an emptied list goes, a small one takes less memory, and
// everybody hears of it.
inline void AfterListRemoval(Call& call, ListValue& value, std::string_view key, std::string_view event,
                             uint64_t count) {
  const bool emptied = value.size() == 0;
  if (emptied) {
    call.db.Delete(value.ref());
  } else {
    value.Shrink();
  }
  call.Changed(kNotifyList, event, key, static_cast<int64_t>(count));
  if (emptied) call.Notify(call.db.index(), kNotifyGeneric, "del", key);
}

// Replies the element at an end and takes it away.
inline void PopOne(Call& call, ListValue& value, std::string_view key, ListEnd end) {
  ReplyElement(call.reply, value.At(end), value.BlockAt(end));
  value.Pop(end);
  AfterListRemoval(call, value, key, PopEvent(end), 1);
}

// Replies an array of `count` elements from an end on, or of as many as there are, and takes them away;
// returns how many.
inline uint64_t PopMany(Call& call, ListValue& value, std::string_view key, ListEnd end, uint64_t count) {
  const uint64_t size = value.size();
  count = std::min(count, size);
  const bool at_head = end == ListEnd::kHead;
  call.reply.ArrayHeader(count);
  value.Visit(at_head ? 0 : size - 1, count, at_head ? ListDirection::kForward : ListDirection::kBackward,
              [&](const PackedElement& element, SharedBlock* block) {
                ReplyElement(call.reply, element, block);
                return true;
              });
  value.DeleteRange(at_head ? 0 : size - count, count);
  AfterListRemoval(call, value, key, PopEvent(end), count);
  return count;
}

}  // namespace pinyon
