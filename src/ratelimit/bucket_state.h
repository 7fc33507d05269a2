// A token bucket as the bytes of a string: what its key holds, in the keyspace, in snapshots and logs, and on
// the way to replicas. Any Redis carries it as the string that it is.
//
//   byte  0..1   D4 C2: no text in UTF-8 begins so
//         2      version: 1
//         3..8   capacity          \  the limits of the last request that
//         9..14  refill             > changed the bucket
//         15..19 period_ms         /
//         20..25 full_at.ms        \  when the bucket will be full; token_bucket.h
//         26..31 full_at.fraction  /
//
// Numbers are unsigned and little-endian. The key's expiry is FullTime::CeilMs: a full bucket needs no key.
// The size is always the same, so a change rewrites the bytes where they lie.
#pragma once

#include <cstddef>
#include <string_view>

#include "ratelimit/token_bucket.h"

namespace pinyon {

inline constexpr size_t kBucketStateBytes = 32;

struct BucketState {
  BucketLimits limits;
  FullTime full_at;

  bool operator==(const BucketState&) const = default;
};

// `out` has room for kBucketStateBytes. The limits are in range, the time is before the year 10889.
void EncodeBucketState(const BucketState& state, char* out);

// Whether the bytes are a bucket with limits that are valid; *state is untouched when they are not.
bool DecodeBucketState(std::string_view bytes, BucketState* state);

}  // namespace pinyon
