#include "keyspace/eviction_options.h"

#include <climits>

namespace pinyon {

void EvictionOptions::Declare(SettingsRegistry& registry) {
  const auto call = [](const std::function<void()>& hook) {
    if (hook) hook();
    return SettingError();
  };
  registry.AddMemory("maxmemory",
                     {.target = &max_memory, .apply = [this, call] { return call(on_limit_changed); }});
  registry.AddEnum("maxmemory-policy",
                   {.target = &policy,
                    .choices = {{"volatile-lru", static_cast<int>(EvictionPolicy::kVolatileLru)},
                                {"volatile-lfu", static_cast<int>(EvictionPolicy::kVolatileLfu)},
                                {"volatile-random", static_cast<int>(EvictionPolicy::kVolatileRandom)},
                                {"volatile-ttl", static_cast<int>(EvictionPolicy::kVolatileTtl)},
                                {"allkeys-lru", static_cast<int>(EvictionPolicy::kAllkeysLru)},
                                {"allkeys-lfu", static_cast<int>(EvictionPolicy::kAllkeysLfu)},
                                {"allkeys-random", static_cast<int>(EvictionPolicy::kAllkeysRandom)},
                                {"noeviction", static_cast<int>(EvictionPolicy::kNoEviction)},
                                {"volatile-adaptive", static_cast<int>(EvictionPolicy::kVolatileAdaptive)},
                                {"allkeys-adaptive", static_cast<int>(EvictionPolicy::kAllkeysAdaptive)}},
                    .default_value = static_cast<int>(EvictionPolicy::kNoEviction),
                    .apply = [this, call] { return call(on_policy_changed); }});
  registry.AddInteger("maxmemory-samples",
                      {.target = &samples, .min = 1, .max = INT_MAX, .default_value = samples});
  registry.AddInteger("maxmemory-eviction-tenacity",
                      {.target = &tenacity, .min = 0, .max = 100, .default_value = tenacity});
  registry.AddInteger("lfu-log-factor",
                      {.target = &lfu_log_factor, .min = 0, .max = INT_MAX, .default_value = lfu_log_factor});
  registry.AddInteger(
      "lfu-decay-time",
      {.target = &lfu_decay_minutes, .min = 0, .max = INT_MAX, .default_value = lfu_decay_minutes});
}

}  // namespace pinyon
