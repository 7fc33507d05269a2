// The directive of client-side caching.
#pragma once

#include <climits>
#include <cstdint>

#include "base/settings.h"

namespace pinyon {

struct TrackingOptions {
  int64_t max_keys = 1'000'000;  // 0: no limit

  void Declare(SettingsRegistry& registry) {
    registry.AddInteger("tracking-table-max-keys",
                        {.target = &max_keys, .min = 0, .max = LONG_MAX, .default_value = 1'000'000});
  }
};

}  // namespace pinyon
