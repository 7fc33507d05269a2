#include "engine/call.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/clock.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrNegativeTimeout = "ERR timeout is negative";

}  // namespace

bool Call::IntInRange(size_t index, int64_t min, int64_t max, int64_t* value, std::string_view range_error) {
  if (!Int(index, value)) return false;
  return (*value >= min && *value <= max) || Fail(range_error);
}

// A time that does not fit in milliseconds counts as negative, infinity too, as in Redis.
bool Call::TimeoutSeconds(size_t index, int64_t* timeout_ms) {
  constexpr long double kTooLarge = 0x1p63L;
  long double seconds;
  if (!ParseLongDouble(args[index], &seconds)) return Fail("ERR timeout is not a float or out of range");
  const long double milliseconds = std::ceil(seconds * 1000);
  if (milliseconds < 0 || milliseconds >= kTooLarge) return Fail(kErrNegativeTimeout);
  *timeout_ms = static_cast<int64_t>(milliseconds);
  return true;
}

bool Call::TimeoutMilliseconds(size_t index, int64_t* timeout_ms) {
  if (!Int(index, timeout_ms, "ERR timeout is not an integer or out of range")) return false;
  return *timeout_ms >= 0 || Fail(kErrNegativeTimeout);
}

EntryRef Call::FindForRead(std::string_view key, uint64_t hash) {
  const EntryRef ref = db.Find(key, hash);
  if (!ref) {
    ++engine.keyspace.stats().misses;
    Notify(session.database, kNotifyKeyMiss, "keymiss", key);
    return ref;
  }
  ++engine.keyspace.stats().hits;
  if (!session.no_touch) engine.keyspace.TouchRead(ref.entry());
  return ref;
}

EntryRef Call::FindForWrite(std::string_view key, uint64_t hash) {
  const EntryRef ref = db.Find(key, hash);
  if (ref && !session.no_touch) engine.keyspace.Touch(ref.entry());
  return ref;
}

void Call::ChangedIn(int database, NotifyClass type, std::string_view event, std::string_view key,
                     int64_t changes) {
  changes_ += changes;
  SignalModified(database, key);
  Notify(database, type, event, key);
}

void Call::SignalModified(int database, std::string_view key) {
  engine.watches.KeyChanged(database, key);
  engine.tracking.KeyChanged(&session, key);
  engine.blocked.KeyChanged(database, key);
}

void Call::Block(Args keys, ValueType awaited, int64_t timeout_ms, NullReply denied) {
  if (Suspension* suspension = session.suspension.get(); suspension != nullptr) {
    suspension->goes_on = true;
  } else if (MayBlock()) {
    PINYON_ASSERT((command.flags & kBlocking) != 0 && changes_ == 0);
    engine.blocked.Block(session, command, args, keys, awaited, timeout_ms);
  } else if (denied == NullReply::kBulk) {
    reply.Null();
  } else {
    reply.NullArray();
  }
}

void Call::BlockUntilSynced(uint64_t offset, int64_t timeout_ms) {
  PINYON_ASSERT(MayBlock() && (command.flags & (kBlocking | kEndsBatch)) != 0 && changes_ == 0);
  if (session.suspension != nullptr) {
    session.suspension->goes_on = true;
  } else {
    engine.blocked.AwaitLog(session, command, args, offset, timeout_ms);
  }
}

void Call::StandInLine(std::span<const LineTicket> tickets, int64_t look_ms, int64_t timeout_ms) {
  PINYON_ASSERT(MayBlock() && (command.flags & kBlocking) != 0);
  if (session.suspension != nullptr) {
    session.suspension->goes_on = true;
  } else {
    engine.blocked.StandInLine(session, command, args, tickets, timeout_ms);
  }
  // By the monotonic clock: whatever the other does meanwhile, the handler looks after the time that it
  // meant, and asks for more if need be.
  constexpr int64_t kForeverMs = INT64_MAX / 2000;
  const int64_t delay_us = look_ms >= kForeverMs ? kForeverMs : look_ms * 1000 - WallUs();
  engine.blocked.lines().WakeAt(session, MonotonicUs() + std::max<int64_t>(delay_us, 1));
}

BlockRef Call::TakeBlock(size_t index) {
  if (session.large_args == nullptr) return {};
  for (auto& [arg, block] : *session.large_args) {
    if (arg == index) return BlockRef(std::exchange(block, nullptr));
  }
  return {};
}

}  // namespace pinyon
