// WAIT and WAITAOF: the caller waits until what it wrote is acknowledged, by replicas, or by disks.
#include "commands/families.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrLogIsOff =
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

// How many replicas have what the caller wrote: there are none yet that could.
constexpr int64_t kReplicasReached = 0;

// Whether this server's disk has all that the caller wrote. What the transaction that is under way has
// written is not even in the log yet.
bool IsSyncedHere(const Call& call) {
  if (call.engine.persistence == nullptr) return false;
  if (call.session.transaction.active() && call.engine.effects.HasPending()) return false;
  return call.engine.persistence->IsSynced(call.session.write_offset);
}

// WAIT numreplicas timeout
void Wait(Call& call) {
  int64_t replicas, timeout_ms;
  if (!call.Int(1, &replicas) || !call.TimeoutMilliseconds(2, &timeout_ms)) return;
  if (replicas <= kReplicasReached || !call.MayBlock()) return call.reply.Integer(kReplicasReached);
  call.BlockUntilSynced(BlockedClients::kNoOffset, timeout_ms);
}

// WAITAOF numlocal numreplicas timeout
void Waitaof(Call& call) {
  int64_t local, replicas, timeout_ms;
  if (!call.IntInRange(1, 0, 1, &local, "ERR value is out of range, value must between 0 and 1")) return;
  if (!call.IntInRange(2, 0, INT64_MAX, &replicas, kErrMustBePositive)) return;
  if (!call.TimeoutMilliseconds(3, &timeout_ms)) return;
  PersistenceControl* persistence = call.engine.persistence;
  if (local > 0 && (persistence == nullptr || !persistence->IsLogging())) {
    return call.reply.Error(kErrLogIsOff);
  }
  const bool is_synced = IsSyncedHere(call);
  const bool reached = (is_synced || local == 0) && replicas <= kReplicasReached;
  if (reached || !call.MayBlock()) {
    call.reply.ArrayHeader(2);
    call.reply.Integer(is_synced ? 1 : 0);
    call.reply.Integer(kReplicasReached);
    return;
  }
  if (local > 0 && !is_synced) persistence->AskForSync();
  call.BlockUntilSynced(replicas > kReplicasReached ? BlockedClients::kNoOffset : call.session.write_offset,
                        timeout_ms);
}

// They end a batch because they may suspend the client; Redis lists them among the blocking commands only
// since 7.4.
constexpr CommandSpec kWaitCommands[] = {
    {.name = "wait",
     .arity = 3,
     .flags = kNoScript | kEndsBatch,
     .handler = Wait,
     .acl = kAclConnection,
     .group = "generic",
     .since = "3.0.0",
     .complexity = "O(1)",
     .summary = "Waits until replicas have what the connection wrote.",
     .syntax = "numreplicas timeout",
     .tips = "request_policy:all_shards,response_policy:agg_min"},
    {.name = "waitaof",
     .arity = 4,
     .flags = kNoScript | kEndsBatch,
     .handler = Waitaof,
     .acl = kAclConnection,
     .group = "generic",
     .since = "7.2.0",
     .complexity = "O(1)",
     .summary =
         "Waits until what the connection wrote is in append-only files on disk, here and at replicas.",
     .syntax = "numlocal numreplicas timeout",
     .tips = "request_policy:all_shards,response_policy:agg_min"},
};

}  // namespace

std::span<const CommandSpec> WaitCommands() { return kWaitCommands; }

}  // namespace pinyon
