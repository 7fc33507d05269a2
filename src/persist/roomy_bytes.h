// Packed bytes that are appended to again and again while a value is read: they grow by doubling, and their
// room is kept for the next value. What was built is copied from view() to where it is to lie.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "types/packed_bytes.h"

namespace pinyon {

class RoomyBytes final : public PackedBytes {
 public:
  std::span<const uint8_t> view() const { return {data_, size_}; }
  // A copy in a block of its own.
  PackedBlock Copy() const {
    auto* block = static_cast<uint8_t*>(mem::Allocate(size_));
    std::memcpy(block, data_, size_);
    return PackedBlock(block, size_);
  }

 private:
  static constexpr size_t kFirstBytes = 1024;

  void DoResize(size_t size) override {
    if (size > capacity_) {
      const size_t capacity = std::max({size, capacity_ * 2, kFirstBytes});
      auto grown = std::make_unique_for_overwrite<uint8_t[]>(capacity);
      if (size_ > 0) std::memcpy(grown.get(), data_, size_);
      room_ = std::move(grown);
      capacity_ = capacity;
      data_ = room_.get();
    }
    size_ = size;
  }

  std::unique_ptr<uint8_t[]> room_;
  size_t capacity_ = 0;
};

}  // namespace pinyon
