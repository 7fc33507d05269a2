// Equal blocks for input and output of connections, kept in a free list: a connection holds some only while
// bytes are on their way, so idle connections own none, and the block that was used last, still in the cache,
// is used next. One thread only. The pool must outlive its blocks.
#pragma once

#include <cstddef>
#include <vector>

#include "base/alloc.h"

namespace pinyon {

class ChunkPool {
 public:
  static constexpr size_t kChunkBytes = 16 * 1024;

  ChunkPool() = default;
  ~ChunkPool() { Trim(0); }
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  char* Acquire() {
    if (free_.empty()) return static_cast<char*>(mem::Allocate(kChunkBytes));
    char* chunk = free_.back();
    free_.pop_back();
    return chunk;
  }
  void Release(char* chunk) { free_.push_back(chunk); }

  size_t IdleBytes() const { return free_.size() * kChunkBytes; }
  // Gives back all but `keep` unused blocks.
  void Trim(size_t keep) {
    while (free_.size() > keep) {
      mem::Free(free_.back(), kChunkBytes);
      free_.pop_back();
    }
  }

 private:
  std::vector<char*> free_;
};

}  // namespace pinyon
