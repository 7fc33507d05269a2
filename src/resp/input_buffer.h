// Bytes that have arrived on a connection and are not executed yet, in one piece so that requests can be
// parsed in place. Holds a pooled chunk while there is something in it, a larger block of its own for a
// request that does not fit one, and nothing when empty.
//
// Views into it stay valid until Space() is called: bytes are moved only there.
#pragma once

#include <cstring>
#include <span>
#include <string_view>

#include "base/assert.h"
#include "base/chunk_pool.h"

namespace pinyon {

class InputBuffer {
 public:
  explicit InputBuffer(ChunkPool& pool) : pool_(pool) {}
  ~InputBuffer() { Release(); }
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  std::string_view bytes() const { return {data_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }

  // Room for more bytes; what is used of it is told by Filled.
  std::span<char> Space() {
    constexpr size_t kEnough = ChunkPool::kChunkBytes / 4;
    if (data_ == nullptr) {
      data_ = pool_.Acquire();
      capacity_ = ChunkPool::kChunkBytes;
    } else if (capacity_ - end_ < kEnough) {
      MakeRoom(kEnough);
    }
    return {data_ + end_, capacity_ - end_};
  }
  void Filled(size_t count) {
    PINYON_ASSERT(count <= capacity_ - end_);
    end_ += count;
  }

  // Drops bytes from the front; the memory stays until ReleaseIfEmpty.
  void Consume(size_t count) {
    PINYON_ASSERT(count <= end_ - begin_);
    begin_ += count;
  }
  // Drops bytes from the end: those of a large bulk, which have moved to a block.
  void DropFromEnd(size_t count) {
    PINYON_ASSERT(count <= end_ - begin_);
    end_ -= count;
  }
  void ReleaseIfEmpty() {
    if (empty() && data_ != nullptr) Release();
  }
  void Clear() { begin_ = end_ = 0; }

 private:
  // From this size on a block that is nearly empty is given up for a chunk.
  static constexpr size_t kShrinkBytes = 8 * ChunkPool::kChunkBytes;

  void MakeRoom(size_t wanted) {
    const size_t used = end_ - begin_;
    if (capacity_ > kShrinkBytes && used + wanted <= ChunkPool::kChunkBytes) {
      // A pipeline that never pauses must not keep the memory of its largest request.
      MoveTo(pool_.Acquire(), ChunkPool::kChunkBytes);
    } else if (capacity_ - used >= wanted && begin_ >= capacity_ / 2) {
      std::memmove(data_, data_ + begin_, used);
    } else {
      // Doubling, so that the copies of a growing request cost linear time together.
      const size_t grown_bytes = capacity_ * 2;
      MoveTo(static_cast<char*>(mem::Allocate(grown_bytes)), grown_bytes);
    }
    begin_ = 0;
    end_ = used;
  }
  void MoveTo(char* data, size_t capacity) {
    std::memcpy(data, data_ + begin_, end_ - begin_);
    Release();
    data_ = data;
    capacity_ = capacity;
  }
  void Release() {
    if (data_ != nullptr) {
      if (capacity_ == ChunkPool::kChunkBytes) {
        pool_.Release(data_);
      } else {
        mem::Free(data_, capacity_);
      }
    }
    data_ = nullptr;
    capacity_ = begin_ = end_ = 0;
  }

  ChunkPool& pool_;
  char* data_ = nullptr;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace pinyon
