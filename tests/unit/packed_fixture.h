// Bytes for packed values that are a block of exactly their size, elsewhere after every change of it: whoever
// holds on to an old address or steps over the end is caught by the sanitizers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "types/packed_bytes.h"

namespace pinyon {

class MovingBytes final : public PackedBytes {
 public:
  MovingBytes() = default;
  explicit MovingBytes(std::string_view bytes) {
    if (bytes.empty()) return;
    Resize(bytes.size());
    std::memcpy(data_, bytes.data(), bytes.size());
  }

  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  void DoResize(size_t size) override {
    std::unique_ptr<uint8_t[]> moved(new uint8_t[size]);
    std::memset(moved.get(), 0xA5, size);
    if (block_ != nullptr) std::memcpy(moved.get(), block_.get(), std::min(size, size_));
    block_ = std::move(moved);
    data_ = block_.get();
    size_ = size;
  }

  std::unique_ptr<uint8_t[]> block_;
};

// "0c 00 ff" as bytes.
inline std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 3) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

}  // namespace pinyon
