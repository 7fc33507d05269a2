#include "keyspace/list_value.h"

#include <cstring>
#include <utility>

namespace pinyon {

ListLimits ListValue::chunk_limits() const {
  const EncodingLimits& configured = limits();
  return ListLimits::FromFill(static_cast<int>(configured.list_max_listpack_size),
                              static_cast<size_t>(configured.list_packed_threshold));
}

void ListValue::PrepareFor(size_t bytes, size_t count) {
  if (IsChunked()) return;
  const ListpackView view(packed_data());
  if (chunk_limits().Fit(view.bytes() + bytes, view.size() + count)) return;
  auto* list = new ChunkedList(static_cast<uint32_t>(limits().list_compress_depth));
  if (!view.empty()) {
    PackedBlock copy;
    copy.Resize(view.bytes());
    std::memcpy(copy.data(), view.data(), view.bytes());
    list->AppendListpack(std::move(copy));
  }
  BecomeObject(Encoding::kQuicklist, list);
}

void ListValue::Shrink() {
  if (!IsChunked()) return;
  const std::span<const uint8_t> sole = list().SoleListpack();
  if (sole.empty()) return;
  // Chunks that are limited by a count become listpacks by the count alone.
  const ListLimits limits = chunk_limits();
  const bool by_count = limits.max_count != SIZE_MAX;
  if (by_count ? list().size() > limits.max_count / 2 : sole.size() > limits.max_bytes / 2) return;
  ChunkedList* old = &list();
  BecomePacked(Encoding::kListpack, sole.data(), sole.size());
  delete old;
}

PackedElement ListValue::At(ListEnd end) const {
  if (IsChunked()) return end == ListEnd::kHead ? list().Front() : list().Back();
  const ListpackView view(packed_data());
  return view.Get(end == ListEnd::kHead ? view.First() : view.Last());
}

SharedBlock* ListValue::BlockAt(ListEnd end) const {
  if (!IsChunked()) return nullptr;
  return end == ListEnd::kHead ? list().FrontBlock() : list().BackBlock();
}

void ListValue::Push(ListEnd end, std::string_view text) {
  if (!IsChunked()) {
    Listpack listpack(packed());
    end == ListEnd::kHead ? listpack.Prepend(text) : listpack.Append(text);
  } else if (end == ListEnd::kHead) {
    list().PushFront(text, chunk_limits());
  } else {
    list().PushBack(text, chunk_limits());
  }
}

void ListValue::PushAll(ListEnd end, std::span<const std::string_view> texts) {
  if (!IsChunked() && end == ListEnd::kTail) return Listpack(packed()).AppendAll(texts.data(), texts.size());
  for (const std::string_view text : texts) Push(end, text);
}

void ListValue::PushBlock(ListEnd end, BlockRef block) {
  end == ListEnd::kHead ? list().PushFront(std::move(block)) : list().PushBack(std::move(block));
}

void ListValue::Pop(ListEnd end) {
  if (IsChunked()) return end == ListEnd::kHead ? list().PopFront() : list().PopBack();
  Listpack listpack(packed());
  listpack.Delete(end == ListEnd::kHead ? listpack.First() : listpack.Last());
}

void ListValue::Insert(uint64_t index, std::string_view text) {
  PINYON_ASSERT(index <= size());
  if (index == size()) return Push(ListEnd::kTail, text);
  if (!IsChunked()) {
    Listpack listpack(packed());
    listpack.InsertBefore(listpack.Seek(static_cast<int64_t>(index)), text);
    return;
  }
  ChunkedList::Cursor cursor(list(), static_cast<int64_t>(index));
  list().InsertBefore(cursor, text, chunk_limits());
}

void ListValue::Replace(uint64_t index, std::string_view text) {
  PINYON_ASSERT(index < size());
  if (!IsChunked()) {
    Listpack listpack(packed());
    listpack.Replace(listpack.Seek(static_cast<int64_t>(index)), text);
    return;
  }
  ChunkedList::Cursor cursor(list(), static_cast<int64_t>(index));
  list().Replace(cursor, text, chunk_limits());
}

void ListValue::DeleteRange(uint64_t start, uint64_t count) {
  if (IsChunked()) return list().DeleteRange(start, count, chunk_limits());
  Listpack(packed()).DeleteFromIndex(static_cast<int64_t>(start), count);
}

uint64_t ListValue::DeleteEqual(std::string_view text, uint64_t max_count, Direction direction) {
  if (IsChunked()) return list().DeleteEqual(text, max_count, direction, chunk_limits());
  return Listpack(packed()).DeleteEqual(text, max_count, direction == Direction::kBackward);
}

}  // namespace pinyon
