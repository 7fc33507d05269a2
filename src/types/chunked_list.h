// A long list: elements in chunks (types/list_chunk.h), each a listpack of several or one large element.
//
//   head chunk  <->  chunk  <->  ...  <->  chunk  <->  tail chunk       linked both ways
//                    '-- counted tree of these --'
//
// The chunks at the ends stay out of the tree, so pushing and popping touch nothing else until a chunk is
// full or empty. Costs: both ends O(1) amortised; by index, and insertion and removal anywhere, O(log n + one
// chunk). Memory: the bytes of the listpacks in whole size classes, and per chunk 56 bytes and about 25 of
// tree; chunks at the ends may have room to grow.
//
// How large chunks may become is the caller's matter, with every change (ListLimits). A chunk that is over
// the limits (they were others once, or an element is large) stays until it is changed.
//
// With a compress depth, chunks that have at least so many chunks between them and either end are compressed
// where that gains something. Reading decompresses into the reader's own memory, changing does so in place.
// As many chunks as the depth are looked at then whenever a chunk comes or goes.
//
// Invariants (CheckInvariants): no chunk is empty; sizes, links and tree agree; plain chunks hold one
// element; no chunk within the compress depth of an end is compressed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/alloc.h"
#include "base/shared_block.h"
#include "types/counted_tree.h"
#include "types/list_chunk.h"
#include "types/listpack.h"
#include "types/packed_bytes.h"

namespace pinyon {

struct ListLimits {
  // What chunks limited by a count may take, too.
  static constexpr size_t kSafetyBytes = 8192;
  // What Redis's setting is without DEBUG QUICKLIST-PACKED-THRESHOLD.
  static constexpr size_t kDefaultPlainBytes = size_t{1} << 30;
  // The largest element; Redis's limit.
  static constexpr size_t kMaxElementBytes = (size_t{1} << 32) - 1024;

  // By list-max-listpack-size: -1..-5 are 4, 8, 16, 32, 64 KiB a chunk (and less than -5 is as -5), others
  // elements a chunk, at least one. Elements of `plain_bytes` or more, or of more than a chunk may have, get
  // a plain chunk.
  static ListLimits FromFill(int fill, size_t plain_bytes = kDefaultPlainBytes) {
    constexpr int kLeastFill = -5;
    ListLimits limits{kSafetyBytes, SIZE_MAX, 0};
    if (fill < 0) {
      limits.max_bytes = size_t{4096} << (-1 - std::max(fill, kLeastFill));
    } else {
      limits.max_count = static_cast<size_t>(std::max(fill, 1));
    }
    limits.plain_from = std::min(plain_bytes, limits.max_bytes);
    return limits;
  }

  bool Fit(size_t bytes, size_t count) const { return bytes <= max_bytes && count <= max_count; }
  bool IsPlain(std::string_view text) const { return text.size() >= plain_from; }

  size_t max_bytes;
  size_t max_count;
  size_t plain_from;
};

class ChunkedList {
 public:
  explicit ChunkedList(uint32_t compress_depth = 0) : compress_depth_(compress_depth) {}
  // Frees only, so it may run on another thread.
  ~ChunkedList();
  ChunkedList(const ChunkedList&) = delete;
  ChunkedList& operator=(const ChunkedList&) = delete;
  static void* operator new(size_t size) { return mem::Allocate(size); }
  static void operator delete(void* list, size_t size) { mem::Free(list, size); }

  // A list of what a listpack (not empty) holds, whose block it takes over.
  static ChunkedList* FromListpack(PackedBlock&& packed, uint32_t compress_depth);
  // Plain elements are shared with the copy.
  ChunkedList* Copy() const;

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t chunk_count() const { return chunk_count_; }
  uint32_t compress_depth() const { return compress_depth_; }
  // Of memory; 0: exactly, looking at every chunk, else estimated from so many, when there are more.
  size_t MemoryBytes(size_t samples = 0) const;
  // The listpack when one packed chunk is all; else empty. Borrowed until the next change.
  std::span<const uint8_t> SoleListpack() const;
  // Calls visit(const ListChunk&) for each chunk in order.
  template <typename Visitor>
  void ForEachChunk(Visitor&& visit) const {
    for (const ListChunk* chunk = head_; chunk != nullptr; chunk = chunk->next) visit(*chunk);
  }

  // --- the ends ---
  void PushFront(std::string_view text, const ListLimits& limits);
  void PushBack(std::string_view text, const ListLimits& limits);
  // A large element that is in a block already becomes a plain chunk, without a copy.
  void PushFront(BlockRef block);
  void PushBack(BlockRef block);
  // Puts a listpack (not empty) behind the last element, as a chunk of its own.
  void AppendListpack(PackedBlock&& packed);
  // The list must not be empty.
  PackedElement Front() const;
  PackedElement Back() const;
  // The block of a plain element at an end, else null.
  SharedBlock* FrontBlock() const { return BlockOf(*head_); }
  SharedBlock* BackBlock() const { return BlockOf(*tail_); }
  void PopFront();
  void PopBack();

  // --- anywhere ---
  enum class Direction : uint8_t { kForward, kBackward };

  // Stands at an element, and walks. Any change to the list that is not made through it makes it invalid.
  class Cursor {
   public:
    // At an index, negative ones counted from the end; not valid when out of range.
    Cursor(const ChunkedList& list, int64_t index, Direction direction = Direction::kForward);
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    bool valid() const { return chunk_ != nullptr; }
    uint64_t index() const { return index_; }
    // Borrowed until the cursor moves or the list changes.
    PackedElement Get() const;
    bool Equals(std::string_view text) const;
    // The block of a plain element that is not compressed, else null.
    SharedBlock* block() const { return BlockOf(*chunk_); }
    // To the next element in the cursor's direction; not valid behind the last.
    void Advance();

   private:
    friend class ChunkedList;
    void Seek(const ChunkedList& list, uint64_t index);
    void Enter(ListChunk* chunk);

    uint64_t index_ = 0;
    ListChunk* chunk_ = nullptr;
    ListpackView::Offset offset_ = ListpackView::kEnd;
    const uint8_t* bytes_ = nullptr;  // of the chunk, uncompressed
    PackedBlock scratch_;
    Direction direction_;
  };

  // Insertion and replacement use the cursor up.
  void InsertBefore(Cursor& cursor, std::string_view text, const ListLimits& limits);
  void InsertAfter(Cursor& cursor, std::string_view text, const ListLimits& limits);
  void Replace(Cursor& cursor, std::string_view text, const ListLimits& limits);
  // The cursor goes on to the next element in its direction.
  void Delete(Cursor& cursor, const ListLimits& limits);
  // Deletes `count` elements, or as many as there are, from `start` (below size(), or nothing happens) on.
  void DeleteRange(uint64_t start, uint64_t count, const ListLimits& limits);
  // Deletes elements equal to `text`, at most `max_count`, from the one end or the other; returns how many.
  // Looks at each element once and moves each at most once.
  uint64_t DeleteEqual(std::string_view text, uint64_t max_count, Direction direction,
                       const ListLimits& limits);

  // Moves what is to be moved (mem::Relocate) of `chunks` chunks, from the one with the element at `index`
  // on; returns the index from which to go on, 0 at the end. The list is not empty.
  uint64_t Relocate(uint64_t index, size_t chunks);

  void CheckInvariants() const;

 private:
  // Where an element is to go: before the one at an offset of a chunk; kEnd: behind its last.
  struct Place {
    ListChunk* chunk;
    ListpackView::Offset at;
  };
  // What a plain chunk's only element has for an offset.
  static constexpr ListpackView::Offset kPlainOffset = 1;

  static SharedBlock* BlockOf(const ListChunk& chunk) {
    return chunk.is_plain && !chunk.is_compressed ? chunk.shared : nullptr;
  }
  static ListpackView::Offset FirstOffset(const ListChunk& chunk);
  bool IsEnd(const ListChunk* chunk) const { return chunk == head_ || chunk == tail_; }
  ListChunkBytes BytesOf(ListChunk& chunk, const ListLimits& limits) const;
  // Whether an element of so many listpack bytes may be added to a chunk (null: no).
  static bool HasRoom(const ListChunk* chunk, size_t element_bytes, const ListLimits& limits);
  static ListChunk* NewSingle(std::string_view text, const ListLimits& limits);
  // For an end: empty, with room as its neighbour has needed it.
  ListChunk* NewEndChunk(const ListChunk* neighbour, size_t element_bytes, bool at_front) const;

  ListChunk* FindChunk(uint64_t* index) const;
  ListChunk* RelocateChunk(ListChunk* chunk);
  void AddCount(ListChunk* chunk, int64_t delta);
  void LinkAfter(ListChunk* at, ListChunk* added);  // null: before all
  void Unlink(ListChunk* chunk);
  void Remove(ListChunk* chunk);

  void InsertAt(Place place, std::string_view text, const ListLimits& limits);
  void InsertInChunk(Place place, std::string_view text, const ListLimits& limits);
  // Moves what is from the place on to a new chunk behind, which it returns; both are left with something.
  ListChunk* SplitAt(Place place, const ListLimits& limits);
  // Makes a chunk and its next one, if there is one, one chunk if they are small enough together.
  bool MergeWithNext(ListChunk* chunk, const ListLimits& limits);
  // The same with both neighbours; returns the chunk that has its elements now.
  ListChunk* MergeAround(ListChunk* chunk, const ListLimits& limits);
  // Deletes what equals `text` in one chunk, which may go; returns how many.
  uint64_t DeleteEqualIn(ListChunk* chunk, std::string_view text, uint64_t max_count, Direction direction,
                         const ListLimits& limits);
  void Open(ListChunk* chunk);
  void Close(ListChunk* chunk);
  // Compresses and decompresses what should be, given that only the chunks near the ends and `changed` (may
  // be null) may be otherwise.
  void Settle(ListChunk* changed);

  ListChunk* head_ = nullptr;
  ListChunk* tail_ = nullptr;
  CountedTree tree_;
  uint64_t size_ = 0;
  size_t chunk_count_ = 0;
  size_t compressed_count_ = 0;
  uint32_t compress_depth_;
};

}  // namespace pinyon
