// Where a packed value (a listpack, an intset) lies: a run of bytes that can grow and shrink. The algorithms
// on such values get one of these and do not know whether the bytes are a block of their own (PackedBlock),
// part of an entry, or a chunk of a list.
//
// data() is valid until the next Resize. Resize keeps the leading bytes that both sizes have; what it adds is
// undefined. A value says its own length in its header: the algorithms keep header and size() equal whenever
// they return.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/alloc.h"

namespace pinyon {

class PackedBytes {
 public:
  PackedBytes(const PackedBytes&) = delete;
  PackedBytes& operator=(const PackedBytes&) = delete;
  virtual ~PackedBytes() = default;

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // `size` must be above zero.
  void Resize(size_t size) {
    if (size != size_) DoResize(size);
  }
  // Adds undefined bytes before the first, or takes some away from there, if that can be done without moving
  // the others; else does nothing and says so.
  bool GrowFront(size_t added) { return DoGrowFront(added); }
  bool ShrinkFront(size_t removed) { return DoShrinkFront(removed); }

 protected:
  PackedBytes() = default;
  // Sets data_ and size_.
  virtual void DoResize(size_t size) = 0;
  // Change data_ and size_, or return false.
  virtual bool DoGrowFront(size_t) { return false; }
  virtual bool DoShrinkFront(size_t) { return false; }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// A block of its own, allocated by the size of its bytes and nothing more: who knows the bytes can free them
// with mem::Free(data, size).
class PackedBlock final : public PackedBytes {
 public:
  PackedBlock() = default;
  // Takes over a block of mem::Allocate(size).
  PackedBlock(uint8_t* data, size_t size) {
    data_ = data;
    size_ = size;
  }
  ~PackedBlock() override {
    if (data_ != nullptr) mem::Free(data_, size_);
  }
  // Gives the block to the caller.
  uint8_t* Release() {
    size_ = 0;
    return std::exchange(data_, nullptr);
  }

 private:
  void DoResize(size_t size) override {
    if (data_ != nullptr && mem::SameClass(size_, size)) {
      size_ = size;
      return;
    }
    uint8_t* moved = static_cast<uint8_t*>(mem::Allocate(size));
    if (data_ != nullptr) {
      std::memcpy(moved, data_, size < size_ ? size : size_);
      mem::Free(data_, size_);
    }
    data_ = moved;
    size_ = size;
  }
};

}  // namespace pinyon
