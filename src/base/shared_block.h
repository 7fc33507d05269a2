// A large string: bytes in one block with a reference count, so that a reply can send them without a copy
// while the key changes or goes away. A block that is shared is never written: who wants to change it copies
// it first.
//
// Layout: [refs u32][pad u32][length u64][capacity u64][bytes ...]; one allocation, 24 bytes of header. The
// count is atomic because a detached value may be dropped on the freeing thread while a reply still holds it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include "base/alloc.h"
#include "base/assert.h"

namespace pinyon {

class SharedBlock {
 public:
  // A block with one reference, `length` bytes of undefined content, and room for `capacity` (at least
  // `length`).
  static SharedBlock* New(size_t length, size_t capacity) {
    PINYON_ASSERT(capacity >= length);
    void* memory = mem::Allocate(sizeof(SharedBlock) + capacity);
    return new (memory) SharedBlock(length, capacity);
  }
  static SharedBlock* New(size_t length) { return New(length, length); }
  static SharedBlock* Copy(std::string_view bytes) {
    SharedBlock* block = New(bytes.size());
    if (!bytes.empty()) std::memcpy(block->data(), bytes.data(), bytes.size());
    return block;
  }

  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) mem::Free(this, AllocatedBytes());
  }
  bool IsShared() const { return refs_.load(std::memory_order_acquire) > 1; }

  // Moves a block that is to be moved (mem::Relocate) unless it is shared; returns where it is now.
  static SharedBlock* Relocate(SharedBlock* block) {
    if (block->IsShared()) return block;
    return static_cast<SharedBlock*>(mem::Relocate(block, block->AllocatedBytes()));
  }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t length() const { return length_; }
  size_t capacity() const { return capacity_; }
  std::string_view bytes() const { return {data(), length_}; }
  void set_length(size_t length) {
    PINYON_ASSERT(length <= capacity_);
    length_ = length;
  }
  // The size asked of the allocator.
  size_t AllocatedBytes() const { return sizeof(SharedBlock) + capacity_; }

 private:
  SharedBlock(size_t length, size_t capacity) : refs_(1), length_(length), capacity_(capacity) {}

  std::atomic<uint32_t> refs_;
  uint64_t length_;
  uint64_t capacity_;
};

static_assert(sizeof(SharedBlock) == 24);

// Owns one reference.
class BlockRef {
 public:
  BlockRef() = default;
  explicit BlockRef(SharedBlock* adopted) : block_(adopted) {}
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  BlockRef(const BlockRef&) = delete;
  BlockRef& operator=(const BlockRef&) = delete;
  ~BlockRef() {
    if (block_ != nullptr) block_->Unref();
  }

  explicit operator bool() const { return block_ != nullptr; }
  SharedBlock* get() const { return block_; }
  SharedBlock* operator->() const { return block_; }
  // Gives the reference to the caller.
  SharedBlock* Release() { return std::exchange(block_, nullptr); }

 private:
  SharedBlock* block_ = nullptr;
};

}  // namespace pinyon
