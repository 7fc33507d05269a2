#include "types/chunked_list.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/assert.h"

namespace pinyon {

namespace {

// An end chunk of a list of so many chunks is given the room at once that its neighbour has needed; in a
// shorter list that might be most of the list's memory.
constexpr size_t kManyChunks = 4;

PackedElement TextElement(std::string_view text) { return {.is_integer = false, .integer = 0, .text = text}; }

}  // namespace

ChunkedList::~ChunkedList() {
  for (ListChunk* chunk = head_; chunk != nullptr;) {
    ListChunk* next = chunk->next;
    ListChunk::Delete(chunk);
    chunk = next;
  }
}

ChunkedList* ChunkedList::FromListpack(PackedBlock&& packed, uint32_t compress_depth) {
  ChunkedList* list = new ChunkedList(compress_depth);
  list->AppendListpack(std::move(packed));
  return list;
}

ChunkedList* ChunkedList::Copy() const {
  ChunkedList* copy = new ChunkedList(compress_depth_);
  for (const ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next) {
    copy->LinkAfter(copy->tail_, ListChunk::CopyOf(*chunk));
    copy->compressed_count_ += chunk->is_compressed ? 1 : 0;
  }
  return copy;
}

size_t ChunkedList::MemoryBytes(size_t samples) const {
  const size_t own = tree_.MemoryBytes() + mem::UsableSize(sizeof *this);
  if (samples == 0 || samples >= chunk_count_) {
    size_t bytes = 0;
    ForEachChunk([&bytes](const ListChunk& chunk) { bytes += chunk.MemoryBytes(); });
    return own + bytes;
  }
  // Even steps over the elements come upon a chunk as often as it has elements, hence the bytes of one
  // element.
  double element_bytes = 0;
  for (size_t i = 0; i < samples; ++i) {
    auto index = static_cast<uint64_t>(static_cast<double>(size_) / static_cast<double>(samples) *
                                       static_cast<double>(i));
    const ListChunk* chunk = FindChunk(&index);
    element_bytes += static_cast<double>(chunk->MemoryBytes()) / chunk->count;
  }
  element_bytes /= static_cast<double>(samples);
  return own + static_cast<size_t>(element_bytes * static_cast<double>(size_));
}

std::span<const uint8_t> ChunkedList::SoleListpack() const {
  if (head_ == nullptr || head_ != tail_ || head_->is_plain) return {};
  PINYON_ASSERT(!head_->is_compressed);
  return {head_->listpack(), head_->bytes};
}

// --- chunks ---

ListpackView::Offset ChunkedList::FirstOffset(const ListChunk& chunk) {
  return chunk.is_plain ? kPlainOffset : ListpackView::Offset{ListpackView::kHeaderBytes};
}

ListChunkBytes ChunkedList::BytesOf(ListChunk& chunk, const ListLimits& limits) const {
  using Room = ListChunkBytes::Room;
  Room room = Room::kNone;
  if (&chunk == head_) room = &chunk == tail_ ? Room::kBoth : Room::kFront;
  if (&chunk == tail_ && room == Room::kNone) room = Room::kBehind;
  return ListChunkBytes(chunk, limits.max_bytes, room);
}

bool ChunkedList::HasRoom(const ListChunk* chunk, size_t element_bytes, const ListLimits& limits) {
  return chunk != nullptr && !chunk->is_plain &&
         limits.Fit(chunk->bytes + element_bytes, size_t{chunk->count} + 1);
}

ListChunk* ChunkedList::NewSingle(std::string_view text, const ListLimits& limits) {
  if (limits.IsPlain(text)) return ListChunk::NewPlain(BlockRef(SharedBlock::Copy(text)));
  PackedBlock packed;
  Listpack::InitEmpty(packed);
  Listpack(packed).Append(text);
  return ListChunk::AdoptPacked(std::move(packed), 1);
}

ListChunk* ChunkedList::NewEndChunk(const ListChunk* neighbour, size_t element_bytes, bool at_front) const {
  size_t room = element_bytes;
  if (chunk_count_ >= kManyChunks && !neighbour->is_plain) room = std::max<size_t>(room, neighbour->bytes);
  return ListChunk::NewPacked(room, at_front);
}

ListChunk* ChunkedList::RelocateChunk(ListChunk* chunk) {
  chunk->RelocateBlock();
  auto* moved = static_cast<ListChunk*>(mem::Relocate(chunk, sizeof(ListChunk)));
  if (moved == chunk) return chunk;
  (moved->previous == nullptr ? head_ : moved->previous->next) = moved;
  (moved->next == nullptr ? tail_ : moved->next->previous) = moved;
  tree_.LeafMoved(moved);
  return moved;
}

uint64_t ChunkedList::Relocate(uint64_t index, size_t chunks) {
  if (index >= size_) return 0;
  uint64_t within = index;
  ListChunk* chunk = FindChunk(&within);
  uint64_t first = index - within;
  for (; chunk != nullptr && chunks > 0; --chunks) {
    chunk = RelocateChunk(chunk);
    first += chunk->count;
    chunk = chunk->next;
  }
  return chunk == nullptr ? 0 : first;
}

ListChunk* ChunkedList::FindChunk(uint64_t* index) const {
  PINYON_ASSERT(*index < size_);
  if (*index < head_->count) return head_;
  const uint64_t before_tail = size_ - tail_->count;
  if (*index >= before_tail) {
    *index -= before_tail;
    return tail_;
  }
  *index -= head_->count;
  return static_cast<ListChunk*>(tree_.Find(index));
}

void ChunkedList::AddCount(ListChunk* chunk, int64_t delta) {
  size_ += static_cast<uint64_t>(delta);
  if (chunk->parent != nullptr) return tree_.Add(chunk, delta);
  chunk->count = static_cast<uint32_t>(chunk->count + delta);
}

void ChunkedList::LinkAfter(ListChunk* at, ListChunk* added) {
  ListChunk* next = at == nullptr ? head_ : at->next;
  added->previous = at;
  added->next = next;
  if (at != nullptr) at->next = added;
  if (next != nullptr) next->previous = added;
  size_ += added->count;
  ++chunk_count_;

  // The chunk that was the end until now, if it is the end no more.
  ListChunk* left_behind = nullptr;
  if (head_ == nullptr) {
    head_ = tail_ = added;
  } else if (next == nullptr) {
    if (tail_ != head_) left_behind = tail_;
    tail_ = added;
  } else if (at == nullptr) {
    if (head_ != tail_) left_behind = head_;
    head_ = added;
  } else {
    tree_.InsertAfter(at == head_ ? nullptr : at, added);
  }
  if (left_behind == nullptr) return;
  tree_.InsertAfter(left_behind->previous == head_ ? nullptr : left_behind->previous, left_behind);
  left_behind->Trim();
}

void ChunkedList::Unlink(ListChunk* chunk) {
  if (chunk->previous != nullptr) chunk->previous->next = chunk->next;
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
  size_ -= chunk->count;
  --chunk_count_;
  if (chunk->parent != nullptr) return tree_.Remove(chunk);
  if (chunk == head_ && chunk == tail_) {
    head_ = tail_ = nullptr;
    return;
  }
  ListChunk*& end = chunk == head_ ? head_ : tail_;
  end = chunk == head_ ? chunk->next : chunk->previous;
  PINYON_ASSERT(end != nullptr);
  if (end->parent != nullptr) tree_.Remove(end);
}

void ChunkedList::Remove(ListChunk* chunk) {
  compressed_count_ -= chunk->is_compressed ? 1 : 0;
  Unlink(chunk);
  ListChunk::Delete(chunk);
}

void ChunkedList::Open(ListChunk* chunk) {
  if (!chunk->is_compressed) return;
  chunk->Decompress();
  --compressed_count_;
}

void ChunkedList::Close(ListChunk* chunk) {
  if (!chunk->is_compressed && chunk->Compress()) ++compressed_count_;
}

void ChunkedList::Settle(ListChunk* changed) {
  if (compress_depth_ == 0 || head_ == nullptr) return;
  if (chunk_count_ <= size_t{compress_depth_} * 2 && compressed_count_ == 0) return;
  ListChunk* first = head_;
  ListChunk* last = tail_;
  for (uint32_t i = 0; i < compress_depth_; ++i) {
    Open(first);
    Open(last);
    if (first == changed || last == changed) changed = nullptr;
    if (first == last || first->next == last) return;
    first = first->next;
    last = last->previous;
  }
  Close(first);
  Close(last);
  if (changed != nullptr) Close(changed);
}

// --- the ends ---

void ChunkedList::PushFront(std::string_view text, const ListLimits& limits) {
  if (limits.IsPlain(text)) return PushFront(BlockRef(SharedBlock::Copy(text)));
  const size_t element_bytes = ListpackView::ElementBytes(text);
  const bool grows = !HasRoom(head_, element_bytes, limits);
  if (grows) LinkAfter(nullptr, NewEndChunk(head_, element_bytes, true));
  ListChunkBytes bytes = BytesOf(*head_, limits);
  Listpack(bytes).Prepend(text);
  AddCount(head_, 1);
  if (grows) Settle(nullptr);
}

void ChunkedList::PushBack(std::string_view text, const ListLimits& limits) {
  if (limits.IsPlain(text)) return PushBack(BlockRef(SharedBlock::Copy(text)));
  const size_t element_bytes = ListpackView::ElementBytes(text);
  const bool grows = !HasRoom(tail_, element_bytes, limits);
  if (grows) LinkAfter(tail_, NewEndChunk(tail_, element_bytes, false));
  ListChunkBytes bytes = BytesOf(*tail_, limits);
  Listpack(bytes).Append(text);
  AddCount(tail_, 1);
  if (grows) Settle(nullptr);
}

void ChunkedList::PushFront(BlockRef block) {
  LinkAfter(nullptr, ListChunk::NewPlain(std::move(block)));
  Settle(nullptr);
}

void ChunkedList::PushBack(BlockRef block) {
  LinkAfter(tail_, ListChunk::NewPlain(std::move(block)));
  Settle(nullptr);
}

void ChunkedList::AppendListpack(PackedBlock&& packed) {
  const size_t count = ListpackView(packed.data()).size();
  LinkAfter(tail_, ListChunk::AdoptPacked(std::move(packed), count));
  Settle(nullptr);
}

PackedElement ChunkedList::Front() const {
  PINYON_ASSERT(!empty() && !head_->is_compressed);
  if (head_->is_plain) return TextElement(head_->text());
  const ListpackView view(head_->listpack());
  return view.Get(view.First());
}

PackedElement ChunkedList::Back() const {
  PINYON_ASSERT(!empty() && !tail_->is_compressed);
  if (tail_->is_plain) return TextElement(tail_->text());
  const ListpackView view(tail_->listpack());
  return view.Get(view.Last());
}

void ChunkedList::PopFront() {
  PINYON_ASSERT(!empty());
  if (head_->count == 1) {
    Remove(head_);
    return Settle(nullptr);
  }
  ListChunkBytes bytes(*head_, 0, ListChunkBytes::Room::kFront);
  Listpack(bytes).Delete(ListpackView::kHeaderBytes);
  AddCount(head_, -1);
}

void ChunkedList::PopBack() {
  PINYON_ASSERT(!empty());
  if (tail_->count == 1) {
    Remove(tail_);
    return Settle(nullptr);
  }
  ListChunkBytes bytes(*tail_, 0, ListChunkBytes::Room::kBehind);
  Listpack listpack(bytes);
  listpack.Delete(listpack.Last());
  AddCount(tail_, -1);
}

// --- anywhere ---

ChunkedList::Cursor::Cursor(const ChunkedList& list, int64_t index, Direction direction)
    : direction_(direction) {
  const uint64_t from_start =
      index >= 0 ? static_cast<uint64_t>(index) : list.size() + static_cast<uint64_t>(index);
  if (from_start < list.size()) Seek(list, from_start);
}

void ChunkedList::Cursor::Seek(const ChunkedList& list, uint64_t index) {
  index_ = index;
  Enter(list.FindChunk(&index));
  offset_ = chunk_->is_plain ? kPlainOffset : ListpackView(bytes_).Seek(static_cast<int64_t>(index));
  PINYON_ASSERT(offset_ != ListpackView::kEnd);
}

void ChunkedList::Cursor::Enter(ListChunk* chunk) {
  chunk_ = chunk;
  if (chunk->is_compressed) {
    scratch_.Resize(chunk->bytes);
    chunk->DecompressTo(scratch_.data());
    bytes_ = scratch_.data();
  } else {
    bytes_ = chunk->is_plain ? reinterpret_cast<const uint8_t*>(chunk->shared->data()) : chunk->listpack();
  }
}

PackedElement ChunkedList::Cursor::Get() const {
  PINYON_ASSERT(valid());
  if (!chunk_->is_plain) return ListpackView(bytes_).Get(offset_);
  return TextElement({reinterpret_cast<const char*>(bytes_), chunk_->bytes});
}

bool ChunkedList::Cursor::Equals(std::string_view text) const {
  PINYON_ASSERT(valid());
  if (!chunk_->is_plain) return ListpackView(bytes_).Equals(offset_, text);
  return std::string_view(reinterpret_cast<const char*>(bytes_), chunk_->bytes) == text;
}

void ChunkedList::Cursor::Advance() {
  PINYON_ASSERT(valid());
  const bool forward = direction_ == Direction::kForward;
  index_ += forward ? 1 : ~uint64_t{0};
  if (!chunk_->is_plain) {
    const ListpackView view(bytes_);
    offset_ = forward ? view.Next(offset_) : view.Previous(offset_);
    if (offset_ != ListpackView::kEnd) return;
  }
  ListChunk* chunk = forward ? chunk_->next : chunk_->previous;
  if (chunk == nullptr) {
    chunk_ = nullptr;
    return;
  }
  Enter(chunk);
  offset_ = forward || chunk->is_plain ? FirstOffset(*chunk) : ListpackView(bytes_).Last();
}

void ChunkedList::InsertBefore(Cursor& cursor, std::string_view text, const ListLimits& limits) {
  PINYON_ASSERT(cursor.valid());
  InsertAt({cursor.chunk_, cursor.offset_}, text, limits);
  cursor.chunk_ = nullptr;
}

void ChunkedList::InsertAfter(Cursor& cursor, std::string_view text, const ListLimits& limits) {
  PINYON_ASSERT(cursor.valid());
  const ListpackView::Offset next =
      cursor.chunk_->is_plain ? ListpackView::kEnd : ListpackView(cursor.bytes_).Next(cursor.offset_);
  InsertAt({cursor.chunk_, next}, text, limits);
  cursor.chunk_ = nullptr;
}

void ChunkedList::InsertInChunk(Place place, std::string_view text, const ListLimits& limits) {
  Open(place.chunk);
  ListChunkBytes bytes = BytesOf(*place.chunk, limits);
  Listpack(bytes).InsertBefore(place.at, text);
  AddCount(place.chunk, 1);
}

void ChunkedList::InsertAt(Place place, std::string_view text, const ListLimits& limits) {
  ListChunk* chunk = place.chunk;
  const size_t element_bytes = ListpackView::ElementBytes(text);
  const auto takes = [&](const ListChunk* candidate) {
    return !limits.IsPlain(text) && HasRoom(candidate, element_bytes, limits);
  };
  const bool at_start = place.at == FirstOffset(*chunk);
  const bool at_end = place.at == ListpackView::kEnd;
  if (!takes(chunk) && at_start && takes(chunk->previous)) place = {chunk->previous, ListpackView::kEnd};
  if (!takes(chunk) && at_end && takes(chunk->next)) place = {chunk->next, FirstOffset(*chunk->next)};
  if (takes(place.chunk)) {
    InsertInChunk(place, text, limits);
    return Settle(place.chunk);
  }
  if (at_start || at_end) {
    ListChunk* single = NewSingle(text, limits);
    LinkAfter(at_end ? chunk : chunk->previous, single);
    return Settle(single);
  }

  ListChunk* right = SplitAt(place, limits);
  ListChunk* single = nullptr;
  if (takes(right)) {
    InsertInChunk({right, FirstOffset(*right)}, text, limits);
  } else if (takes(chunk)) {
    InsertInChunk({chunk, ListpackView::kEnd}, text, limits);
  } else {
    single = NewSingle(text, limits);
    LinkAfter(chunk, single);
  }
  MergeWithNext(right, limits);
  Settle(right);
  if (single != nullptr) Settle(single);
  if (chunk->previous != nullptr) chunk = MergeAround(chunk, limits);
  Settle(chunk);
}

ListChunk* ChunkedList::SplitAt(Place place, const ListLimits& limits) {
  ListChunk* left = place.chunk;
  Open(left);
  const ListpackView view(left->listpack());
  uint32_t kept = 0;
  for (ListpackView::Offset at = view.First(); at != place.at; at = view.Next(at)) ++kept;
  const uint32_t moved = left->count - kept;
  PINYON_ASSERT(kept > 0 && moved > 0);

  PackedBlock rest;
  rest.Resize(left->bytes);
  std::memcpy(rest.data(), left->listpack(), left->bytes);
  Listpack(rest).DeleteFromIndex(0, kept);
  ListChunk* right = ListChunk::AdoptPacked(std::move(rest), moved);
  ListChunkBytes bytes = BytesOf(*left, limits);
  Listpack(bytes).Delete(place.at, moved);
  AddCount(left, -int64_t{moved});
  LinkAfter(left, right);
  return right;
}

// Three quarters of what is allowed, so that insertions and deletions by turns do not merge and split again
// and again.
bool ChunkedList::MergeWithNext(ListChunk* chunk, const ListLimits& limits) {
  ListChunk* next = chunk->next;
  if (next == nullptr || chunk->is_plain || next->is_plain) return false;
  const size_t bytes = size_t{chunk->bytes} + next->bytes - ListpackView::kEmptyBytes;
  const size_t count = size_t{chunk->count} + next->count;
  if (bytes > limits.max_bytes / 4 * 3 || count > limits.max_count / 4 * 3) return false;
  Open(chunk);
  Open(next);
  const uint32_t moved = next->count;
  ListChunkBytes where = BytesOf(*chunk, limits);
  Listpack(where).AppendListpack(ListpackView(next->listpack()));
  Remove(next);
  AddCount(chunk, moved);
  return true;
}

ListChunk* ChunkedList::MergeAround(ListChunk* chunk, const ListLimits& limits) {
  MergeWithNext(chunk, limits);
  ListChunk* previous = chunk->previous;
  return previous != nullptr && MergeWithNext(previous, limits) ? previous : chunk;
}

void ChunkedList::Replace(Cursor& cursor, std::string_view text, const ListLimits& limits) {
  PINYON_ASSERT(cursor.valid());
  ListChunk* chunk = cursor.chunk_;
  const ListpackView::Offset at = cursor.offset_;
  cursor.chunk_ = nullptr;
  if (chunk->count == 1) {
    ListChunk* single = NewSingle(text, limits);
    LinkAfter(chunk, single);
    Remove(chunk);
    return Settle(single);
  }

  Open(chunk);
  const ListpackView view(chunk->listpack());
  const ListpackView::Offset next = view.Next(at);
  const size_t old_bytes = (next == ListpackView::kEnd ? chunk->bytes - 1 : next) - at;
  const size_t new_bytes = chunk->bytes - old_bytes + ListpackView::ElementBytes(text);
  ListChunkBytes bytes = BytesOf(*chunk, limits);
  if (!limits.IsPlain(text) && new_bytes <= limits.max_bytes) {
    Listpack(bytes).Replace(at, text);
    return Settle(chunk);
  }
  const ListpackView::Offset gap = Listpack(bytes).Delete(at);
  AddCount(chunk, -1);
  InsertAt({chunk, gap}, text, limits);
}

void ChunkedList::Delete(Cursor& cursor, const ListLimits& limits) {
  PINYON_ASSERT(cursor.valid());
  const uint64_t index = cursor.index_;
  DeleteRange(index, 1, limits);
  cursor.chunk_ = nullptr;
  const uint64_t next = cursor.direction_ == Direction::kForward ? index : index - 1;
  if (next < size_) cursor.Seek(*this, next);
}

void ChunkedList::DeleteRange(uint64_t start, uint64_t count, const ListLimits& limits) {
  if (start >= size_ || count == 0) return;
  count = std::min(count, size_ - start);
  uint64_t index = start;
  ListChunk* chunk = FindChunk(&index);
  ListChunk* before = index > 0 ? chunk : chunk->previous;
  while (count > 0) {
    ListChunk* next = chunk->next;
    const uint64_t here = std::min(count, chunk->count - index);
    const bool ends_within = index + here < chunk->count;
    count -= here;
    if (here == chunk->count) {
      Remove(chunk);
    } else {
      Open(chunk);
      ListChunkBytes bytes = BytesOf(*chunk, limits);
      Listpack(bytes).DeleteFromIndex(static_cast<int64_t>(index), here);
      AddCount(chunk, -static_cast<int64_t>(here));
    }
    if (!ends_within) chunk = next;
    index = 0;
  }
  // `chunk` has what follows the gap, or (null) nothing does; it may be `before` itself.
  if (before != nullptr) {
    const ListChunk* after = before->next;
    const bool merged = MergeWithNext(before, limits);
    if (chunk == before || (merged && chunk == after)) chunk = nullptr;
    before = MergeAround(before, limits);
    Settle(before);
  }
  Settle(chunk);
}

uint64_t ChunkedList::DeleteEqualIn(ListChunk* chunk, std::string_view text, uint64_t max_count,
                                    Direction direction, const ListLimits& limits) {
  // What is compressed is looked at elsewhere first: mostly nothing is found.
  PackedBlock scratch;
  if (chunk->is_compressed) {
    scratch.Resize(chunk->bytes);
    chunk->DecompressTo(scratch.data());
  }
  if (chunk->is_plain) {
    const bool equal = chunk->is_compressed
                           ? std::string_view(reinterpret_cast<char*>(scratch.data()), scratch.size()) == text
                           : chunk->text() == text;
    if (equal) Remove(chunk);
    return equal ? 1 : 0;
  }
  const ListpackView view(chunk->is_compressed ? scratch.data() : chunk->listpack());
  if (view.Find(view.First(), text) == ListpackView::kEnd) return 0;
  Open(chunk);
  ListChunkBytes bytes = BytesOf(*chunk, limits);
  const size_t deleted = Listpack(bytes).DeleteEqual(text, max_count, direction == Direction::kBackward);
  AddCount(chunk, -static_cast<int64_t>(deleted));
  if (chunk->count == 0) Remove(chunk);
  return deleted;
}

uint64_t ChunkedList::DeleteEqual(std::string_view text, uint64_t max_count, Direction direction,
                                  const ListLimits& limits) {
  const bool forward = direction == Direction::kForward;
  uint64_t deleted = 0;
  ListChunk* visited = nullptr;  // the last chunk that was looked at and is still there
  bool seam = false;             // something has gone next to it, or from it
  for (ListChunk* chunk = forward ? head_ : tail_; chunk != nullptr && deleted < max_count;) {
    ListChunk* next = forward ? chunk->next : chunk->previous;
    const size_t chunks = chunk_count_;
    const uint64_t here = DeleteEqualIn(chunk, text, max_count - deleted, direction, limits);
    deleted += here;
    if (chunk_count_ < chunks) {
      seam = true;
      Settle(nullptr);
    } else {
      // Only with what was looked at already.
      ListChunk* left = forward ? visited : chunk;
      const bool merged = (here > 0 || seam) && visited != nullptr && MergeWithNext(left, limits);
      visited = merged ? left : chunk;
      if (merged || here > 0) Settle(visited);
      seam = here > 0;
    }
    chunk = next;
  }
  if (seam && visited != nullptr) Settle(MergeAround(visited, limits));
  return deleted;
}

void ChunkedList::CheckInvariants() const {
  tree_.CheckInvariants();
  uint64_t elements = 0;
  size_t chunks = 0;
  size_t compressed = 0;
  const ListChunk* previous = nullptr;
  for (const ListChunk* chunk = head_; chunk != nullptr; previous = chunk, chunk = chunk->next) {
    PINYON_CHECK(chunk->previous == previous && chunk->count > 0);
    PINYON_CHECK((chunk->parent == nullptr) == IsEnd(chunk));
    if (chunk->is_plain) {
      PINYON_CHECK(chunk->count == 1);
      PINYON_CHECK(chunk->is_compressed || chunk->bytes == chunk->shared->length());
    } else {
      PackedBlock scratch;
      scratch.Resize(chunk->bytes);
      if (chunk->is_compressed) {
        chunk->DecompressTo(scratch.data());
      } else {
        PINYON_CHECK(chunk->front + chunk->bytes <= chunk->capacity);
        std::memcpy(scratch.data(), chunk->listpack(), chunk->bytes);
      }
      PINYON_CHECK(ListpackView::Validate(scratch.data(), scratch.size()));
      PINYON_CHECK(ListpackView(scratch.data()).size() == chunk->count);
    }
    const size_t from_end = std::min(chunks, chunk_count_ - 1 - chunks);
    PINYON_CHECK(!chunk->is_compressed || from_end >= compress_depth_);
    elements += chunk->count;
    compressed += chunk->is_compressed ? 1 : 0;
    ++chunks;
  }
  PINYON_CHECK(previous == tail_ && elements == size_ && chunks == chunk_count_);
  PINYON_CHECK(compressed == compressed_count_);
}

}  // namespace pinyon
