// maxmemory: before each command, room is made by evicting keys; where none can be made, commands that may
// need more memory are refused.
//
// What counts is all that the process has allocated (mem::UsedBytes), but for what waits in log and replica
// buffers, since evictions write there, and for what is queued to be freed: or a huge value on its way out
// would take the rest of the keyspace along.
//
// Evicting much at once (after CONFIG SET maxmemory) is spread over turns: in each, evictions have the time
// that maxmemory-eviction-tenacity says, 50 microseconds a step up to the default of 10, from there doubling
// every five steps, and none but the machine's at 100. When that is used up a command still evicts a few
// keys, so that memory shrinks however fast commands come, and runs; the rest is done in slices of the turns
// that follow (server/periodic.h).
//
// Each eviction is a unit of its own: Engine::OnEvicted. None happens while expired keys are only hidden
// (loading, CLIENT PAUSE), and nothing is refused then.
//
// Costs: one test while there is no limit, a few loads while memory is below it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/alloc.h"
#include "base/log.h"
#include "keyspace/eviction.h"

namespace pinyon {

class MemoryLimit {
 public:
  MemoryLimit(Keyspace& keyspace, Log& log) : keyspace_(keyspace), log_(log), eviction_(keyspace) {}
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  // To be called when the directives have changed: at the start, and after CONFIG SET.
  void ReadLimit() { limit_ = static_cast<uint64_t>(keyspace_.eviction_options().max_memory); }
  void OnLimitChanged();
  void OnPolicyChanged();
  // What buffers hold that do not count.
  void set_uncounted(std::function<uint64_t()> bytes) { uncounted_ = std::move(bytes); }

  bool enabled() const { return limit_ != 0; }
  // Evictions have their time anew.
  void BeginTurn() { turn_left_us_ = kNewTurn; }

  enum class Room : uint8_t {
    kEnough,
    kMoreToCome,  // above the limit, but evictions go on
    kNone,        // above the limit, and nothing can be evicted
  };
  // Not within a unit. Called before every command, hence the short way.
  Room MakeRoom() {
    if (exceeded_since_us_ == 0 && mem::UsedBytesOfOwner() <= limit_) [[likely]]
      return Room::kEnough;
    return Evict();
  }

  // Whether evictions are due that no command waits for; RunSlice does some.
  bool IsBehind() const { return is_behind_; }
  void RunSlice() { is_behind_ = enabled() && Evict() == Room::kMoreToCome; }
  // Periodic: memory may have grown without a command.
  void Tick();

  // For INFO: bytes that do not count, and how long memory was above the limit, in all and now.
  uint64_t UncountedBytes() const { return uncounted_ ? uncounted_() : 0; }
  int64_t TotalExceededMs() const { return (total_exceeded_us_ + CurrentExceededUs()) / 1000; }
  int64_t CurrentExceededMs() const { return CurrentExceededUs() / 1000; }
  void ResetStats();

 private:
  static constexpr int64_t kNewTurn = -1;

  Room Evict();
  Room EvictForAWhile();
  bool IsAbove() const;
  uint64_t CountedBytes(uint64_t used) const;
  int64_t TurnUs() const;
  int64_t CurrentExceededUs() const;

  Keyspace& keyspace_;
  Log& log_;
  Eviction eviction_;
  std::function<uint64_t()> uncounted_;
  uint64_t limit_ = 0;
  int64_t turn_left_us_ = kNewTurn;
  bool is_behind_ = false;
  int64_t exceeded_since_us_ = 0;  // 0: below the limit
  int64_t total_exceeded_us_ = 0;  // before that
};

}  // namespace pinyon
