// Looks up the keys of a command with many ahead of time: the hashes of up to kMaxKeys key arguments at a
// stride, whose buckets and then entries are asked of memory all at once, so that the command does not wait
// for each in turn.
#pragma once

#include <array>
#include <cstdint>

#include "engine/call.h"

namespace pinyon {

class KeyBatch {
 public:
  static constexpr size_t kMaxKeys = 16;

  KeyBatch(const Call& call, size_t first, size_t end, size_t stride) {
    Table& table = call.db.table();
    for (size_t i = first; i < end && count_ < kMaxKeys; i += stride) {
      hashes_[count_] = call.KeyHash(i);
      table.PrefetchBucket(hashes_[count_++]);
    }
    for (size_t i = 0; i < count_; ++i) table.PrefetchItem(hashes_[i]);
  }

  size_t size() const { return count_; }
  uint64_t hash(size_t index) const { return hashes_[index]; }

 private:
  size_t count_ = 0;
  std::array<uint64_t, kMaxKeys> hashes_;
};

}  // namespace pinyon
