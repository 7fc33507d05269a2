// The directives of eviction, by Redis's names (and two policies of our own); owned by the engine's options,
// read through the Keyspace.
#pragma once

#include <cstdint>
#include <functional>

#include "base/settings.h"

namespace pinyon {

enum class EvictionPolicy : uint8_t {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllkeysLru,
  kAllkeysLfu,
  kAllkeysRandom,
  kNoEviction,
  // Pinyon's own (adaptive_policy.h).
  kVolatileAdaptive,
  kAllkeysAdaptive,
};

struct EvictionOptions {
  int64_t max_memory = 0;  // bytes, 0: no limit
  EvictionPolicy policy = EvictionPolicy::kNoEviction;
  int samples = 5;
  // How long evictions may hold up commands: see engine/memory_limit.h.
  int tenacity = 10;
  int lfu_log_factor = 10;
  int lfu_decay_minutes = 1;

  void Declare(SettingsRegistry& registry);

  // Set by the engine: what CONFIG SET must do at once.
  std::function<void()> on_limit_changed;
  std::function<void()> on_policy_changed;

  // The access field of entries holds a frequency (lfu.h, adaptive_policy.h), otherwise the time of the last
  // access.
  bool TracksFrequency() const {
    return policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kAllkeysLfu || IsAdaptive();
  }
  bool IsAdaptive() const {
    return policy == EvictionPolicy::kVolatileAdaptive || policy == EvictionPolicy::kAllkeysAdaptive;
  }
  bool IsLru() const {
    return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kAllkeysLru;
  }
  // Only keys that have an expiry are evicted.
  bool IsVolatile() const {
    return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kVolatileLfu ||
           policy == EvictionPolicy::kVolatileRandom || policy == EvictionPolicy::kVolatileTtl ||
           policy == EvictionPolicy::kVolatileAdaptive;
  }
};

}  // namespace pinyon
