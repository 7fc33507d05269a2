// A member of a large set: one allocation with its bytes, an item of MemberTable.
//
//   [length: u8; 0xff: a u32 follows][bytes]
//
// So a 17-byte member takes 18 bytes, rounded up to 24, and 10 to 11.2 bytes of table.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/alloc.h"
#include "base/assert.h"
#include "types/hash_table.h"

namespace pinyon {

class Member {
 public:
  static constexpr bool kCanExpire = false;
  static constexpr bool kCountsBytes = true;
  static constexpr size_t kPrefetchLines = 1;

  static Member* New(std::string_view text) {
    PINYON_CHECK(text.size() <= UINT32_MAX);
    uint8_t* bytes = static_cast<uint8_t*>(mem::Allocate(HeadBytes(text.size()) + text.size()));
    if (text.size() < kWide) {
      bytes[0] = static_cast<uint8_t>(text.size());
    } else {
      bytes[0] = kWide;
      const uint32_t length = static_cast<uint32_t>(text.size());
      std::memcpy(bytes + 1, &length, sizeof length);
    }
    if (!text.empty()) std::memcpy(bytes + HeadBytes(text.size()), text.data(), text.size());
    return reinterpret_cast<Member*>(bytes);
  }
  static void Delete(Member* member) { mem::Free(member, member->AllocatedBytes()); }

  std::string_view key() const {
    if (bytes_[0] != kWide) return {reinterpret_cast<const char*>(bytes_) + 1, bytes_[0]};
    uint32_t length;
    std::memcpy(&length, bytes_ + 1, sizeof length);
    return {reinterpret_cast<const char*>(bytes_) + 5, length};
  }
  // The size asked of the allocator.
  size_t AllocatedBytes() const {
    const size_t length = key().size();
    return HeadBytes(length) + length;
  }

 private:
  Member() = delete;
  static constexpr uint8_t kWide = 0xff;
  static size_t HeadBytes(size_t length) { return length < kWide ? 1 : 5; }

  uint8_t bytes_[1];
};

extern template class HashTable<Member>;
using MemberTable = HashTable<Member>;

}  // namespace pinyon
