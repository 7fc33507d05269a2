// What the parts of the table share and nobody else sees: a segment's layout, its sizes, and deadline
// arithmetic.
#pragma once

#include <array>
#include <limits>

#include "base/alloc.h"
#include "types/hash_table.h"

namespace pinyon {

namespace table_detail {

// Sizes of a segment: up to kMaxSmallSegment from the process allocator, then whole pages of a block, in
// which it grows in place. Beyond the largest it splits.
inline constexpr std::array<uint32_t, 6> kSmallSegments = {128, 192, 320, 640, 1280, 2560};
inline constexpr uint32_t kMaxSmallSegment = kSmallSegments.back();
inline constexpr uint32_t kMaxSegmentBytes = mem::kBlockBytes;
inline constexpr size_t kLineBytes = 64;
inline constexpr size_t kDeadlineBytesPerBucket = HashTableLayout::kSlotsPerBucket * sizeof(uint16_t);
// Fuller than this a segment grows: in percent of its slots.
inline constexpr size_t kMaxLoadPercent = 92;
// Emptier than this it may shrink or merge, to a size in which it fills at most kShrunkLoadPercent.
inline constexpr size_t kMinLoadPercent = 40;
inline constexpr size_t kShrunkLoadPercent = 75;
inline constexpr uint8_t kMaxDepth = 32;
inline constexpr uint8_t kStuck = 0xff;  // a `passed` counter that counts no more
inline constexpr int64_t kNothingDue = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kDueUnknown = std::numeric_limits<int64_t>::min() / 2;
// How far ahead a 16-bit deadline is trusted to reach, in ticks (32 minutes).
inline constexpr int64_t kDeadlineRange = 30000;

inline constexpr uint32_t BucketsIn(uint32_t bytes, bool with_deadlines) {
  return static_cast<uint32_t>((bytes - kLineBytes) /
                               (kLineBytes + (with_deadlines ? kDeadlineBytesPerBucket : 0)));
}

// The smallest size in which `used` slots fill at most `percent`; 0 when none is large enough.
inline uint32_t SizeFor(size_t used, bool with_deadlines, size_t percent) {
  const auto fits = [=](uint32_t bytes) {
    return used * 100 <= BucketsIn(bytes, with_deadlines) * HashTableLayout::kSlotsPerBucket * percent;
  };
  for (const uint32_t bytes : kSmallSegments) {
    if (fits(bytes)) return bytes;
  }
  for (uint32_t bytes = mem::kPageBytes; bytes <= kMaxSegmentBytes; bytes += mem::kPageBytes) {
    if (fits(bytes)) return bytes;
  }
  return 0;
}

inline int64_t TickOf(int64_t time_ms) {
  // Rounded toward the past, so that a deadline never comes after its expiry.
  return time_ms >= 0 ? time_ms / HashTableLayout::kTickMs : (time_ms + 1) / HashTableLayout::kTickMs - 1;
}

// A tick as a slot's deadline; 0 stands for none, so its neighbour before it serves for both.
inline uint16_t DeadlineOf(int64_t tick) {
  const uint16_t low = static_cast<uint16_t>(tick);
  return low == 0 ? 0xffff : low;
}

// How far a deadline is ahead of `now_tick`, negative when it has passed.
inline int64_t DeadlineAhead(uint16_t deadline, int64_t now_tick) {
  return static_cast<int16_t>(static_cast<uint16_t>(deadline - static_cast<uint16_t>(now_tick)));
}

}  // namespace table_detail

// The header line of a segment's memory; buckets and deadlines follow.
struct alignas(64) HashTableLayout::Segment {
  uint64_t prefix;  // the directory bits, at the top
  uint32_t bytes;
  uint32_t buckets;
  uint32_t used;
  uint32_t expiring;
  uint8_t depth;  // how many directory bits the segment's keys have in common
  bool has_deadlines;
};

}  // namespace pinyon
