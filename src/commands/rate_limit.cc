// Rate limits: CL.THROTTLE, argument for argument and reply for reply what the redis-cell module has, and the
// family of our own, TB.* (docs/rate-limiting.md). What is taken propagates as the bucket's state.
#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "commands/bucket.h"
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kTakeEvent = "tb.take";
constexpr int64_t kMaxTokens = BucketLimits::kMaxTokens;

// --- CL.THROTTLE ---

struct ThrottleRequest {
  BucketLimits limits;
  uint64_t quantity = 1;
};

bool ParseThrottle(Call& call, ThrottleRequest* request) {
  if (call.argc() > 6) return call.Fail("ERR wrong number of arguments for 'cl.throttle' command");
  constexpr int64_t kMaxPeriodS = BucketLimits::kMaxPeriodMs / 1000;
  int64_t max_burst, count, period_s, quantity = 1;
  if (!call.Int(2, &max_burst) || !call.Int(3, &count) || !call.Int(4, &period_s)) return false;
  if (call.argc() > 5 && !call.Int(5, &quantity)) return false;
  if (count <= 0 || period_s <= 0) return call.Fail("ERR zero rates are not supported");
  if (max_burst < 0 || max_burst >= kMaxTokens || count > kMaxTokens || period_s > kMaxPeriodS ||
      quantity < 0 || quantity > kMaxTokens) {
    return call.Fail(kErrOutOfRange);
  }
  request->limits = {.capacity = static_cast<uint64_t>(max_burst) + 1,
                     .refill = static_cast<uint64_t>(count),
                     .period_ms = static_cast<uint64_t>(period_s) * 1000};
  request->quantity = static_cast<uint64_t>(quantity);
  return request->limits.FillsInTime() || call.Fail(kErrFillTime);
}

// A fraction of a second counts as one, so that whoever waits as long as told is let in.
int64_t CeilSeconds(int64_t milliseconds) { return milliseconds / 1000 + (milliseconds % 1000 != 0 ? 1 : 0); }

// CL.THROTTLE key max_burst count_per_period period [quantity]
void Throttle(Call& call) {
  ThrottleRequest request;
  if (!ParseThrottle(call, &request)) return;
  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  const EntryRef ref = call.FindForWrite(key, hash);
  LiveBucket live;
  if (!LoadBucket(call, ref, request.limits, &live)) return;

  // As redis-cell does: nothing asked for is always granted, and more than there can ever be is refused with
  // no time after which to try again.
  constexpr int64_t kNoRetry = -1;
  TokenBucket& bucket = live.bucket;
  int64_t retry_s = kNoRetry;
  bool limited = false;
  if (request.quantity > 0) {
    const int64_t wait_ms = BucketWaitMs(bucket, request.quantity, AheadAtBucket(call, key));
    limited = wait_ms > 0;
    if (!limited) bucket.Take(request.quantity);
    if (limited && request.quantity <= request.limits.capacity) retry_s = CeilSeconds(wait_ms);
    if (!limited || live.must_store) StoreBucket(call, ref, key, hash, bucket, "cl.throttle");
  }
  const int64_t reply[] = {limited ? 1 : 0, static_cast<int64_t>(request.limits.capacity),
                           static_cast<int64_t>(bucket.Tokens()), retry_s, CeilSeconds(bucket.FullInMs())};
  call.reply.IntegerArray(reply);
}

// --- TB.TAKE, TB.PEEK, TB.WAIT ---

// Arguments of one bucket: key capacity refill period cost.
constexpr size_t kBucketArgs = 5;
// More limits than one request is checked against; a request is decided on the stack.
constexpr size_t kMaxBuckets = 32;

struct AskedBucket {
  size_t arg;  // that is its key
  uint64_t hash;
  uint64_t cost;
  LiveBucket live;
};

static_assert(std::is_trivially_default_constructible_v<AskedBucket>);

struct BucketRequest {
  std::span<AskedBucket> buckets() { return {asked.data(), count}; }

  size_t count = 0;
  EntryRef first;                              // of the first bucket
  std::array<AskedBucket, kMaxBuckets> asked;  // not initialised
  // Decided: how long until every bucket would pay, and which keeps the request waiting for longest.
  int64_t wait_ms = 0;
  const AskedBucket* refused_by = nullptr;
};

bool ParseNumber(Call& call, size_t index, uint64_t max, std::string_view error, uint64_t* value) {
  int64_t number;
  if (!call.IntInRange(index, 1, static_cast<int64_t>(max), &number, error)) return false;
  *value = static_cast<uint64_t>(number);
  return true;
}

bool ParseBucket(Call& call, size_t index, BucketLimits* limits, uint64_t* cost) {
  constexpr std::string_view kBadCapacity = "ERR capacity must be between 1 and 281474976710655";
  constexpr std::string_view kBadRefill = "ERR refill must be between 1 and 281474976710655";
  constexpr std::string_view kBadPeriod = "ERR period must be between 1 and 1099511627775 milliseconds";
  constexpr std::string_view kBadCost = "ERR cost must be between 1 and the capacity";
  if (!ParseNumber(call, index + 1, BucketLimits::kMaxTokens, kBadCapacity, &limits->capacity)) return false;
  if (!ParseNumber(call, index + 2, BucketLimits::kMaxTokens, kBadRefill, &limits->refill)) return false;
  if (!ParseNumber(call, index + 3, BucketLimits::kMaxPeriodMs, kBadPeriod, &limits->period_ms)) return false;
  if (!ParseNumber(call, index + 4, limits->capacity, kBadCost, cost)) return false;
  return limits->FillsInTime() || call.Fail(kErrFillTime);
}

bool IsNamedBefore(const Call& call, size_t arg) {
  for (size_t i = 1; i < arg; i += kBucketArgs) {
    if (call.args[i] == call.args[arg]) return true;
  }
  return false;
}

// Parses the buckets of arguments 1 up to `end`, and finds them: to read, or to write.
bool LoadRequest(Call& call, size_t end, bool to_write, BucketRequest* request) {
  if (end <= 1 || (end - 1) % kBucketArgs != 0) {
    return call.Fail("ERR wrong number of arguments for '" + std::string(call.command.name) + "' command");
  }
  if ((end - 1) / kBucketArgs > kMaxBuckets) return call.Fail("ERR more than 32 buckets in one request");
  for (size_t index = 1; index < end; index += kBucketArgs) {
    AskedBucket& asked = request->asked[request->count];
    asked.arg = index;
    if (IsNamedBefore(call, index)) return call.Fail("ERR the same bucket is named twice");
    BucketLimits limits;
    if (!ParseBucket(call, index, &limits, &asked.cost)) return false;
    asked.hash = call.KeyHash(index);
    const EntryRef ref = to_write ? call.FindForWrite(call.args[index], asked.hash)
                                  : call.FindForRead(call.args[index], asked.hash);
    if (request->count == 0) request->first = ref;
    if (!LoadBucket(call, ref, limits, &asked.live)) return false;
    ++request->count;
  }
  return true;
}

// Decides: all pay or none does.
void Decide(Call& call, BucketRequest* request) {
  for (AskedBucket& asked : request->buckets()) {
    const int64_t wait_ms =
        BucketWaitMs(asked.live.bucket, asked.cost, AheadAtBucket(call, call.args[asked.arg]));
    if (wait_ms <= request->wait_ms) continue;
    request->wait_ms = wait_ms;
    request->refused_by = &asked;
  }
}

// Takes the tokens, if all buckets pay, and stores what has changed: of a request that is refused, only what
// was not as its limits or the clock say.
void Settle(Call& call, BucketRequest* request) {
  const bool pays = request->refused_by == nullptr;
  for (AskedBucket& asked : request->buckets()) {
    if (pays) asked.live.bucket.Take(asked.cost);
    if (!pays && !asked.live.must_store) continue;
    const std::string_view key = call.args[asked.arg];
    // Storing another bucket may have moved this one.
    const EntryRef ref = request->count == 1 ? request->first : call.db.Find(key, asked.hash);
    StoreBucket(call, ref, key, asked.hash, asked.live.bucket, kTakeEvent);
  }
}

void ReplyDecision(Call& call, BucketRequest* request, bool granted) {
  call.reply.ArrayHeader(3 + 2 * request->count);
  call.reply.Integer(granted ? 1 : 0);
  call.reply.Integer(request->wait_ms);
  request->refused_by == nullptr ? call.reply.Null() : call.reply.Bulk(call.args[request->refused_by->arg]);
  for (const AskedBucket& asked : request->buckets()) {
    call.reply.Integer(static_cast<int64_t>(asked.live.bucket.Tokens()));
    call.reply.Integer(asked.live.bucket.FullInMs());
  }
}

// TB.TAKE key capacity refill period cost [key capacity refill period cost ...]
void Take(Call& call) {
  BucketRequest request;
  if (!LoadRequest(call, call.argc(), true, &request)) return;
  Decide(call, &request);
  Settle(call, &request);
  ReplyDecision(call, &request, request.refused_by == nullptr);
}

// TB.PEEK key capacity refill period cost [key capacity refill period cost ...]
void Peek(Call& call) {
  BucketRequest request;
  if (!LoadRequest(call, call.argc(), false, &request)) return;
  Decide(call, &request);
  ReplyDecision(call, &request, request.refused_by == nullptr);
}

// TB.WAIT key capacity refill period cost [key capacity refill period cost ...] timeout-ms
void Wait(Call& call) {
  int64_t timeout_ms;
  if (!call.TimeoutMilliseconds(call.argc() - 1, &timeout_ms)) return;
  BucketRequest request;
  if (!LoadRequest(call, call.argc() - 1, true, &request)) return;
  Decide(call, &request);
  if (call.WaitingIsOver()) return ReplyDecision(call, &request, false);
  Settle(call, &request);
  const bool granted = request.refused_by == nullptr;
  if (granted || !call.MayBlock()) return ReplyDecision(call, &request, granted);

  std::array<LineTicket, kMaxBuckets> tickets;
  for (size_t i = 0; i < request.count; ++i) {
    tickets[i] = {.key = call.args[request.asked[i].arg], .weight = request.asked[i].cost};
  }
  int64_t look_ms;
  if (__builtin_add_overflow(call.now_ms(), request.wait_ms, &look_ms)) look_ms = INT64_MAX;
  call.StandInLine({tickets.data(), request.count}, look_ms, timeout_ms);
}

// --- buckets as they are stored ---

// TB.REFUND key tokens [key tokens ...]
void Refund(Call& call) {
  if (call.argc() % 2 == 0) {
    return call.reply.Error("ERR wrong number of arguments for 'tb.refund' command");
  }
  constexpr std::string_view kBadTokens = "ERR tokens must be between 1 and 281474976710655";
  BucketState state = {};
  uint64_t tokens = 0;
  for (size_t i = 1; i < call.argc(); i += 2) {
    if (!ParseNumber(call, i + 1, BucketLimits::kMaxTokens, kBadTokens, &tokens)) return;
    if (!ReadBucket(call, call.FindForWrite(i), &state)) return;
  }
  call.reply.ArrayHeader((call.argc() - 1) / 2);
  for (size_t i = 1; i < call.argc(); i += 2) {
    const std::string_view key = call.args[i];
    const uint64_t hash = call.KeyHash(i);
    const EntryRef ref = call.db.Find(key, hash);
    const bool valid = ParseNumber(call, i + 1, BucketLimits::kMaxTokens, kBadTokens, &tokens) &&
                       ReadBucket(call, ref, &state);
    PINYON_ASSERT(valid);
    static_cast<void>(valid);
    if (!ref) {
      call.reply.Null();
      continue;
    }
    TokenBucket bucket(state.limits, state.full_at, call.now_ms());
    bucket.Refund(tokens);
    call.reply.Integer(static_cast<int64_t>(bucket.Tokens()));
    if (bucket.IsFull()) {
      DeleteBucket(call, ref, key);
    } else {
      StoreBucket(call, ref, key, hash, bucket, "tb.refund");
    }
  }
}

// TB.RESET key [key ...]
void Reset(Call& call) {
  BucketState state;
  for (size_t i = 1; i < call.argc(); ++i) {
    if (!ReadBucket(call, call.FindForWrite(i), &state)) return;
  }
  int64_t deleted = 0;
  for (size_t i = 1; i < call.argc(); ++i) {
    const EntryRef ref = call.db.Find(call.args[i], call.KeyHash(i));
    if (!ref) continue;
    DeleteBucket(call, ref, call.args[i]);
    ++deleted;
  }
  call.reply.Integer(deleted);
}

// TB.INFO key
void Info(Call& call) {
  BucketState state;
  const EntryRef ref = call.FindForRead(1);
  if (!ReadBucket(call, ref, &state)) return;
  if (!ref) return call.reply.Null();
  const TokenBucket bucket(state.limits, state.full_at, call.now_ms());
  const uint64_t tokens = bucket.Tokens();
  WaitingLines& lines = call.engine.blocked.lines();
  const std::pair<std::string_view, int64_t> fields[] = {
      {"capacity", static_cast<int64_t>(state.limits.capacity)},
      {"refill", static_cast<int64_t>(state.limits.refill)},
      {"period", static_cast<int64_t>(state.limits.period_ms)},
      {"tokens", static_cast<int64_t>(tokens)},
      {"next-token-ms", bucket.IsFull() ? 0 : bucket.WaitMs(tokens + 1)},
      {"full-ms", bucket.FullInMs()},
      {"waiting", static_cast<int64_t>(lines.AheadOf(call.session, call.args[1]).sessions)}};
  call.reply.MapHeader(std::size(fields));
  for (const auto& [name, value] : fields) {
    call.reply.Bulk(name);
    call.reply.Integer(value);
  }
}

constexpr uint32_t kReadModify = kKeyRW | kKeyAccess | kKeyUpdate;
constexpr uint32_t kRead = kKeyRO | kKeyAccess;

constexpr CommandSpec kRateLimitCommands[] = {
    {.name = "cl.throttle",
     .arity = -5,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Throttle,
     .acl = kAclString,
     .keys = {KeyAt(1, kReadModify)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(1)",
     .summary = "Takes tokens from a bucket as the redis-cell module does, with a period in seconds.",
     .syntax = "key max_burst count_per_period period [quantity]"},
    {.name = "tb.take",
     .arity = -6,
     .flags = kWrite | kDenyOom | kFast,
     .handler = Take,
     .acl = kAclString,
     .keys = {KeysFrom(1, kReadModify, -1, kBucketArgs)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(N) where N is the number of buckets.",
     .summary = "Takes tokens from all of the buckets or from none.",
     .syntax = "key capacity refill period cost [key capacity refill period cost ...]"},
    {.name = "tb.peek",
     .arity = -6,
     .flags = kReadOnly | kFast,
     .handler = Peek,
     .acl = kAclString,
     .keys = {KeysFrom(1, kRead, -1, kBucketArgs)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(N) where N is the number of buckets.",
     .summary = "Returns what TB.TAKE would decide, and takes nothing.",
     .syntax = "key capacity refill period cost [key capacity refill period cost ...]"},
    {.name = "tb.wait",
     .arity = -7,
     .flags = kWrite | kDenyOom | kNoScript | kBlocking,
     .handler = Wait,
     .acl = kAclString,
     .keys = {KeysFrom(1, kReadModify, -2, kBucketArgs)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(N) where N is the number of buckets.",
     .summary = "Takes tokens from all of the buckets, waiting in line until they are there.",
     .syntax = "key capacity refill period cost [key capacity refill period cost ...] timeout-ms"},
    {.name = "tb.refund",
     .arity = -3,
     .flags = kWrite | kFast,
     .handler = Refund,
     .acl = kAclString,
     .keys = {KeysFrom(1, kReadModify, -1, 2)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(N) where N is the number of buckets.",
     .summary = "Gives tokens back to buckets, never above their capacities.",
     .syntax = "key tokens [key tokens ...]"},
    {.name = "tb.reset",
     .arity = -2,
     .flags = kWrite | kFast,
     .handler = Reset,
     .acl = kAclString,
     .keys = {KeysFrom(1, kKeyRM | kKeyDelete)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(N) where N is the number of buckets.",
     .summary = "Makes buckets full again by deleting them.",
     .syntax = "key [key ...]"},
    {.name = "tb.info",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Info,
     .acl = kAclString,
     .keys = {KeyAt(1, kRead)},
     .group = "string",
     .since = "0.1.0",
     .complexity = "O(1)",
     .summary = "Returns the limits of a bucket, what is in it, and who waits for it.",
     .syntax = "key"},
};

}  // namespace

std::span<const CommandSpec> RateLimitCommands() { return kRateLimitCommands; }

}  // namespace pinyon
