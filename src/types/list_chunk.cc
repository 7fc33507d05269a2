#include "types/list_chunk.h"

#include <lzf.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/alloc.h"
#include "base/assert.h"

namespace pinyon {

namespace {

uint32_t Narrow(size_t bytes) {
  PINYON_CHECK(bytes <= UINT32_MAX);
  return static_cast<uint32_t>(bytes);
}

ListChunk* NewChunk() { return new (mem::Allocate(sizeof(ListChunk))) ListChunk; }

uint8_t* NewBlock(size_t capacity) { return static_cast<uint8_t*>(mem::Allocate(capacity)); }

}  // namespace

ListChunk* ListChunk::NewPacked(size_t room_bytes, bool room_in_front) {
  PackedBlock empty;
  Listpack::InitEmpty(empty);
  ListChunk* chunk = NewChunk();
  chunk->capacity = Narrow(mem::UsableSize(empty.size() + room_bytes));
  chunk->block = NewBlock(chunk->capacity);
  chunk->bytes = Narrow(empty.size());
  chunk->front = room_in_front ? chunk->capacity - chunk->bytes : 0;
  std::memcpy(chunk->listpack(), empty.data(), empty.size());
  return chunk;
}

ListChunk* ListChunk::AdoptPacked(PackedBlock&& packed, size_t count) {
  PINYON_ASSERT(ListpackView(packed.data()).bytes() == packed.size());
  PINYON_ASSERT(ListpackView(packed.data()).size() == count && count > 0);
  ListChunk* chunk = NewChunk();
  chunk->count = Narrow(count);
  chunk->bytes = Narrow(packed.size());
  chunk->capacity = Narrow(mem::UsableSize(packed.size()));
  chunk->block = packed.Release();
  return chunk;
}

ListChunk* ListChunk::NewPlain(BlockRef block) {
  ListChunk* chunk = NewChunk();
  chunk->is_plain = true;
  chunk->count = 1;
  chunk->bytes = Narrow(block->length());
  chunk->shared = block.Release();
  return chunk;
}

ListChunk* ListChunk::CopyOf(const ListChunk& other) {
  ListChunk* chunk = NewChunk();
  chunk->is_plain = other.is_plain;
  chunk->is_compressed = other.is_compressed;
  chunk->count = other.count;
  chunk->bytes = other.bytes;
  if (other.is_plain && !other.is_compressed) {
    chunk->shared = other.shared;
    chunk->shared->Ref();
    return chunk;
  }
  const size_t stored = other.is_compressed ? other.capacity : other.bytes;
  chunk->capacity = other.is_compressed ? other.capacity : Narrow(mem::UsableSize(stored));
  chunk->block = NewBlock(chunk->capacity);
  std::memcpy(chunk->block, other.block + other.front, stored);
  return chunk;
}

void ListChunk::Delete(ListChunk* chunk) {
  if (chunk->is_plain && !chunk->is_compressed) {
    chunk->shared->Unref();
  } else {
    mem::Free(chunk->block, chunk->capacity);
  }
  mem::Free(chunk, sizeof(ListChunk));
}

// `capacity` is the exact length of compressed bytes, because decompression wants to know it.
bool ListChunk::Compress() {
  if (is_compressed || bytes < kMinCompressBytes || bytes > kMaxCompressBytes) return is_compressed;
  const size_t most = bytes - kMinCompressGain;
  uint8_t* out = NewBlock(most);
  const void* in = is_plain ? static_cast<const void*>(shared->data()) : listpack();
  const uint32_t length = lzf_compress(in, bytes, out, static_cast<unsigned>(most));
  if (length == 0) {
    mem::Free(out, most);
    return false;
  }
  if (!mem::SameClass(length, most)) {
    uint8_t* exact = NewBlock(length);
    std::memcpy(exact, out, length);
    mem::Free(std::exchange(out, exact), most);
  }
  if (is_plain) {
    shared->Unref();
  } else {
    mem::Free(block, capacity);
  }
  block = out;
  capacity = length;
  front = 0;
  is_compressed = true;
  return true;
}

void ListChunk::DecompressTo(uint8_t* out) const {
  PINYON_ASSERT(is_compressed);
  PINYON_CHECK(lzf_decompress(block, capacity, out, bytes) == bytes);
}

void ListChunk::Decompress() {
  if (!is_compressed) return;
  uint8_t* compressed = block;
  const size_t compressed_bytes = capacity;
  if (is_plain) {
    SharedBlock* plain = SharedBlock::New(bytes);
    DecompressTo(reinterpret_cast<uint8_t*>(plain->data()));
    shared = plain;
    capacity = 0;
  } else {
    const size_t room = mem::UsableSize(bytes);
    uint8_t* packed = NewBlock(room);
    DecompressTo(packed);
    block = packed;
    capacity = Narrow(room);
  }
  mem::Free(compressed, compressed_bytes);
  is_compressed = false;
}

void ListChunk::Reshape(size_t new_capacity, size_t new_front) {
  PINYON_ASSERT(!is_plain && !is_compressed && new_front + bytes <= new_capacity);
  if (new_capacity == capacity) {
    std::memmove(block + new_front, block + front, bytes);
  } else {
    uint8_t* moved = NewBlock(new_capacity);
    std::memcpy(moved + new_front, block + front, bytes);
    mem::Free(std::exchange(block, moved), capacity);
    capacity = Narrow(new_capacity);
  }
  front = Narrow(new_front);
}

void ListChunk::Trim() {
  if (is_plain || is_compressed) return;
  const size_t needed = mem::UsableSize(bytes);
  if (needed < capacity) Reshape(needed, 0);
}

void ListChunk::RelocateBlock() {
  if (!is_plain || is_compressed) {
    block = static_cast<uint8_t*>(mem::Relocate(block, capacity));
  } else {
    shared = SharedBlock::Relocate(shared);
  }
}

size_t ListChunk::MemoryBytes() const {
  const size_t own = mem::UsableSize(sizeof(ListChunk));
  if (is_plain && !is_compressed) return own + mem::UsableSize(shared->AllocatedBytes());
  return own + mem::UsableSize(capacity);
}

size_t ListChunkBytes::RoomyCapacity(size_t needed) const {
  if (needed <= chunk_.capacity && needed >= chunk_.capacity / 4) return chunk_.capacity;
  if (needed < chunk_.capacity) return mem::UsableSize(needed * 2);
  const size_t roomy = std::max(needed, std::min(needed + needed / 2, goal_));
  // Where the goal is Redis's default limit, some bytes less have a place in slabs.
  constexpr size_t kDefaultLimit = 8192;
  const bool makes_do = roomy <= kDefaultLimit && needed <= mem::kEighthBytes;
  return mem::UsableSize(makes_do ? std::min(roomy, mem::kEighthBytes) : roomy);
}

void ListChunkBytes::Update() {
  data_ = chunk_.listpack();
  size_ = chunk_.bytes;
}

void ListChunkBytes::DoResize(size_t size) {
  const size_t capacity = room_ == Room::kNone ? mem::UsableSize(size) : RoomyCapacity(size);
  if (capacity != chunk_.capacity || size > chunk_.capacity - chunk_.front) {
    chunk_.bytes = Narrow(std::min<size_t>(size, chunk_.bytes));
    // Elements that come in at both ends find room at both.
    chunk_.Reshape(capacity, room_ == Room::kBoth ? (capacity - size) / 2 : 0);
  }
  chunk_.bytes = Narrow(size);
  Update();
}

bool ListChunkBytes::DoGrowFront(size_t added) {
  if (room_ != Room::kFront && room_ != Room::kBoth) return false;
  if (chunk_.front < added) {
    const size_t needed = chunk_.bytes + added;
    const size_t capacity = RoomyCapacity(needed);
    const size_t spare = capacity - needed;
    chunk_.Reshape(capacity, added + (room_ == Room::kBoth ? spare / 2 : spare));
  }
  chunk_.front -= Narrow(added);
  chunk_.bytes += Narrow(added);
  Update();
  return true;
}

// When the block is to shrink, the bytes move anyway.
bool ListChunkBytes::DoShrinkFront(size_t removed) {
  const size_t left = chunk_.bytes - removed;
  if (room_ == Room::kNone || left < chunk_.capacity / 4) return false;
  chunk_.front += Narrow(removed);
  chunk_.bytes = Narrow(left);
  Update();
  return true;
}

}  // namespace pinyon
