#include "commands/bucket.h"

#include "commands/set_effect.h"

namespace pinyon {

bool ReadBucket(Call& call, EntryRef ref, BucketState* state) {
  if (!ref) return true;
  if (!call.CheckType(ref, ValueType::kString)) return false;
  if (!ref->IsInteger() && DecodeBucketState(ref->StoredBytes(), state)) return true;
  return call.Fail(kErrNotBucket);
}

bool LoadBucket(Call& call, EntryRef ref, const BucketLimits& limits, LiveBucket* live) {
  BucketState state;
  if (!ReadBucket(call, ref, &state)) return false;
  if (!ref) {
    *live = {.bucket = TokenBucket(limits), .must_store = false};
    return true;
  }
  live->bucket = TokenBucket(state.limits, state.full_at, call.now_ms());
  live->must_store = live->bucket.was_clamped();
  if (state.limits != limits) {
    live->bucket.ChangeLimits(limits);
    live->must_store = !live->bucket.IsFull();
  }
  return true;
}

void StoreBucket(Call& call, EntryRef ref, std::string_view key, uint64_t hash, const TokenBucket& bucket,
                 std::string_view event) {
  PINYON_ASSERT(!bucket.IsFull());
  const BucketState state = {.limits = bucket.limits(), .full_at = bucket.FullAt(call.now_ms())};
  char bytes[kBucketStateBytes];
  EncodeBucketState(state, bytes);
  const std::string_view value(bytes, sizeof bytes);
  const int64_t expiry_ms = static_cast<int64_t>(state.full_at.CeilMs());
  if (!ref) call.Notify(call.session.database, kNotifyNew, "new", key);
  call.db.SetString(ref, key, hash, value, expiry_ms);
  call.Changed(kNotifyString, event, key);
  PropagateSet(call, key, value, false, expiry_ms);
}

void DeleteBucket(Call& call, EntryRef ref, std::string_view key) {
  call.db.Delete(ref);
  call.Changed(kNotifyGeneric, "del", key);
  if (call.Propagating()) call.PropagateAs({"DEL", key});
}

}  // namespace pinyon
