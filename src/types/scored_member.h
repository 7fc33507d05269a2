// A member of a large sorted set with its score: one allocation, owned by the index that finds it by name,
// pointed to by the tree that orders it.
//
//   [score: double][member's length: u8; 0xff: a u32 follows][the member]
//
// So a 15-byte member takes 8 + 1 + 15 = 24 bytes. The score in the tree is a copy: whoever changes it
// changes both (ScoreTree::Move).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/alloc.h"
#include "base/assert.h"

namespace pinyon {

class ScoredMember {
 public:
  static constexpr bool kCanExpire = false;
  static constexpr bool kCountsBytes = true;
  static constexpr size_t kPrefetchLines = 1;

  static ScoredMember* New(std::string_view member, double score) {
    PINYON_CHECK(member.size() <= std::numeric_limits<uint32_t>::max());
    auto* item = static_cast<ScoredMember*>(mem::Allocate(Bytes(member.size())));
    item->set_score(score);
    if (member.size() < kWide) {
      item->length_ = static_cast<uint8_t>(member.size());
    } else {
      item->length_ = kWide;
      const auto wide = static_cast<uint32_t>(member.size());
      std::memcpy(item->bytes(), &wide, sizeof wide);
    }
    // An empty view's data may be null.
    if (!member.empty()) std::memcpy(item->bytes() + item->PrefixBytes(), member.data(), member.size());
    return item;
  }
  static void Delete(ScoredMember* item) { mem::Free(item, Bytes(item->key().size())); }

  // The member; the name is the hash table's.
  std::string_view key() const {
    if (length_ < kWide) [[likely]]
      return {bytes(), length_};
    uint32_t wide;
    std::memcpy(&wide, bytes(), sizeof wide);
    return {bytes() + sizeof wide, wide};
  }

  // Never NaN.
  double score() const { return score_; }
  void set_score(double score) {
    PINYON_ASSERT(!std::isnan(score));
    score_ = score;
  }

  // What the item takes from memory.
  size_t AllocatedBytes() const { return mem::UsableSize(Bytes(key().size())); }

 private:
  static constexpr uint8_t kWide = 0xff;
  static constexpr size_t kHeaderBytes = sizeof(double) + 1;

  static size_t Bytes(size_t member_bytes) {
    return kHeaderBytes + (member_bytes < kWide ? 0 : sizeof(uint32_t)) + member_bytes;
  }
  size_t PrefixBytes() const { return length_ < kWide ? 0 : sizeof(uint32_t); }
  // The object is larger than the class says: what follows the header.
  char* bytes() { return reinterpret_cast<char*>(this) + kHeaderBytes; }
  const char* bytes() const { return reinterpret_cast<const char*>(this) + kHeaderBytes; }

  double score_;
  uint8_t length_;
};

}  // namespace pinyon
