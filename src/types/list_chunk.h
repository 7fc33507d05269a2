// One chunk of a ChunkedList: a listpack of several elements, or one large element by itself ("plain").
//
//   packed    block: [room in front][listpack, `bytes` long][room behind]       capacity: of the block
//   plain     a SharedBlock, so that the element is taken over, copied (COPY) and sent without copying bytes
//   compressed  block: what LZF made of the `bytes` bytes                       capacity: of the block
//
// The room in front lets elements be put before the first and taken away without moving the others. Blocks
// are allocated in whole size classes, so `capacity` is what they really take.
//
// A chunk is 56 bytes beside its block. Compressing and decompressing cost some nanoseconds per byte; larger
// elements than kMaxCompressBytes are left alone, since the loop would stand still meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/shared_block.h"
#include "types/counted_tree.h"
#include "types/listpack.h"
#include "types/packed_bytes.h"

namespace pinyon {

struct ListChunk : CountedLeaf {
  // Redis's limits: nothing smaller is tried, and less gained is not worth it.
  static constexpr size_t kMinCompressBytes = 48;
  static constexpr size_t kMinCompressGain = 8;
  static constexpr size_t kMaxCompressBytes = size_t{1} << 20;

  // An empty listpack in a block with room for some more bytes, in front or behind.
  static ListChunk* NewPacked(size_t room_bytes, bool room_in_front);
  // Takes over a listpack in a block of its own.
  static ListChunk* AdoptPacked(PackedBlock&& packed, size_t count);
  static ListChunk* NewPlain(BlockRef block);
  static ListChunk* CopyOf(const ListChunk& other);
  static void Delete(ListChunk* chunk);

  // Of a packed chunk that is not compressed.
  uint8_t* listpack() { return block + front; }
  const uint8_t* listpack() const { return block + front; }
  // Of a plain chunk that is not compressed.
  std::string_view text() const { return shared->bytes(); }

  // Does nothing where it gains too little. Says whether it was done.
  bool Compress();
  void Decompress();
  // Writes the `bytes` bytes of a compressed chunk.
  void DecompressTo(uint8_t* out) const;

  // Moves the listpack to a place within a block of another capacity (at least front + bytes).
  void Reshape(size_t new_capacity, size_t new_front);
  // Gives back what the bytes do not need.
  void Trim();
  // Moves the block if it is to be moved (mem::Relocate), unless a reply shares it.
  void RelocateBlock();
  size_t MemoryBytes() const;

  bool is_plain = false;
  bool is_compressed = false;
  uint32_t front = 0;
  ListChunk* previous = nullptr;
  ListChunk* next = nullptr;
  union {
    uint8_t* block = nullptr;
    SharedBlock* shared;
  };
  uint32_t bytes = 0;     // of the listpack or the element, uncompressed
  uint32_t capacity = 0;  // of `block`
};
static_assert(sizeof(ListChunk) <= 56);

// The listpack of a chunk as an algorithm on packed values wants it. The chunk at an end of a list has room
// there, of which it takes more by steps while the listpack is to grow (up to `goal`), and gives some back
// when three quarters are unused; other chunks have none.
class ListChunkBytes final : public PackedBytes {
 public:
  enum class Room : uint8_t { kNone, kFront, kBehind, kBoth };

  ListChunkBytes(ListChunk& chunk, size_t goal, Room room) : chunk_(chunk), goal_(goal), room_(room) {
    PINYON_ASSERT(!chunk.is_plain && !chunk.is_compressed);
    data_ = chunk.listpack();
    size_ = chunk.bytes;
  }

 private:
  void DoResize(size_t size) override;
  bool DoGrowFront(size_t added) override;
  bool DoShrinkFront(size_t removed) override;
  // Capacity for so many bytes, with room.
  size_t RoomyCapacity(size_t needed) const;
  void Update();

  ListChunk& chunk_;
  size_t goal_;
  Room room_;
};

}  // namespace pinyon
