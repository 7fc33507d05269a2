// A list as the value of a key: a listpack within the entry (or beside it) while it is small, a ChunkedList
// beyond (encoding quicklist), by list-max-listpack-size as Redis 7.2 has it.
//
// - Before elements come in, PrepareFor makes a chunked list of a listpack that would exceed the limit.
// - After elements have gone, Shrink makes a listpack of a chunked list whose only chunk has come down to
//   half of it. The caller says when, since Redis does so once for each command.
//
// Costs are those of the two structures; the listpack's are bounded by the limit (64 KiB at most, unless it
// came from elsewhere).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/shared_block.h"
#include "keyspace/collection_value.h"
#include "types/chunked_list.h"

namespace pinyon {

enum class ListEnd : uint8_t { kHead, kTail };

class ListValue : public CollectionValue {
 public:
  using Direction = ChunkedList::Direction;

  ListValue(Database& db, EntryRef ref) : CollectionValue(db, ref) {}
  ListValue(Database& db, Entry* detached) : CollectionValue(db, detached) {}

  uint64_t size() const { return IsChunked() ? list().size() : ListpackView(packed_data()).size(); }
  // As configured at the moment.
  ListLimits chunk_limits() const;
  const ChunkedList* chunks() const { return IsChunked() ? &list() : nullptr; }

  // `count` elements of `bytes` bytes in all are to come in.
  void PrepareFor(size_t bytes, size_t count);
  void Shrink();

  // The element at an end; not on an empty list. Borrowed until the list changes.
  PackedElement At(ListEnd end) const;
  // Its block when it has one, else null.
  SharedBlock* BlockAt(ListEnd end) const;
  void Push(ListEnd end, std::string_view text);
  // One after the other; at the tail of a listpack with little resizing.
  void PushAll(ListEnd end, std::span<const std::string_view> texts);
  // Whether PushBlock is for elements of this kind: large ones, while the list is chunked.
  bool TakesBlock(std::string_view text) const { return IsChunked() && chunk_limits().IsPlain(text); }
  void PushBlock(ListEnd end, BlockRef block);
  void Pop(ListEnd end);

  // Calls visit(PackedElement, SharedBlock* or null) for `count` elements, or as many as there are, from the
  // one at `start` (below size()) on; ends early when it returns false.
  template <typename Visitor>
  void Visit(uint64_t start, uint64_t count, Direction direction, Visitor visit) const;
  // Before the element at `index`; size(): at the end.
  void Insert(uint64_t index, std::string_view text);
  void Replace(uint64_t index, std::string_view text);
  void DeleteRange(uint64_t start, uint64_t count);
  // Elements equal to `text`, the first or the last `max_count`; returns how many have gone.
  uint64_t DeleteEqual(std::string_view text, uint64_t max_count, Direction direction);

 private:
  bool IsChunked() const { return encoding() == Encoding::kQuicklist; }
  ChunkedList& list() const { return *static_cast<ChunkedList*>(object()); }
};

template <typename Visitor>
void ListValue::Visit(uint64_t start, uint64_t count, Direction direction, Visitor visit) const {
  if (IsChunked()) {
    ChunkedList::Cursor cursor(list(), static_cast<int64_t>(start), direction);
    for (; count > 0 && cursor.valid(); --count) {
      if (!visit(cursor.Get(), cursor.block())) return;
      cursor.Advance();
    }
    return;
  }
  const ListpackView view(packed_data());
  const bool forward = direction == Direction::kForward;
  ListpackView::Offset at = view.Seek(static_cast<int64_t>(start));
  for (; count > 0 && at != ListpackView::kEnd; --count) {
    if (!visit(view.Get(at), static_cast<SharedBlock*>(nullptr))) return;
    at = forward ? view.Next(at) : view.Previous(at);
  }
}

}  // namespace pinyon
