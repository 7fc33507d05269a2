// Token buckets in the keyspace, for the commands that limit rates: found, checked, brought to now, stored.
// A bucket is a string with the bytes of ratelimit/bucket_state.h and the expiry at which it is full; a full
// one need not be there.
//
// Costs: one search for each bucket that is looked at, one more to store one of several; a bucket that is
// there already is rewritten where it lies, nothing is allocated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "engine/call.h"
#include "ratelimit/bucket_state.h"
#include "ratelimit/token_bucket.h"

namespace pinyon {

inline constexpr std::string_view kErrNotBucket = "WRONGTYPE Key is not a valid token bucket string value.";
inline constexpr std::string_view kErrFillTime =
    "ERR invalid bucket: it would take more than 2000 years to fill";

// Reads the bucket at `ref`; none is a bucket that is full, and leaves *state as it is. False when there is
// something else, after the error reply.
bool ReadBucket(Call& call, EntryRef ref, BucketState* state);

// A bucket as it is now and under the limits of a request.
struct LiveBucket {
  TokenBucket bucket;
  // What is stored says something else, whether or not tokens are taken: its limits were others, or the clock
  // has gone back. It must be stored then, or it would go on filling by its old limits, or not at all.
  bool must_store;
};
// False after an error reply.
bool LoadBucket(Call& call, EntryRef ref, const BucketLimits& limits, LiveBucket* live);

// Stores a bucket that is not full, under the key that `ref` (may be none) was found for, says so with
// `event`, and lets its state propagate.
void StoreBucket(Call& call, EntryRef ref, std::string_view key, uint64_t hash, const TokenBucket& bucket,
                 std::string_view event);

// Deletes a bucket: it is full.
void DeleteBucket(Call& call, EntryRef ref, std::string_view key);

// How much was asked of a bucket by those who wait for it before this client (TB.WAIT), who must not be
// overtaken.
inline WaitingLines::Ahead AheadAtBucket(Call& call, std::string_view key) {
  if (call.engine.blocked.lines().empty()) [[likely]]
    return {};
  return call.engine.blocked.lines().AheadOf(call.session, key);
}

// How long until `cost` tokens can be taken, 0: now.
inline int64_t BucketWaitMs(const TokenBucket& bucket, uint64_t cost, const WaitingLines::Ahead& ahead) {
  if (ahead.sessions == 0) [[likely]]
    return bucket.WaitMs(cost);
  return std::max<int64_t>(bucket.WaitMs(cost + ahead.weight), 1);
}

}  // namespace pinyon
