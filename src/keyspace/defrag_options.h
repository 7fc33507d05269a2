// The directives of active defragmentation, by Redis's names; owned by the engine's options.
#pragma once

#include <cstdint>

#include "base/settings.h"

namespace pinyon {

struct DefragOptions {
  bool enabled = true;
  // Of memory lost to fragmentation: a round begins from so many bytes and so many percent of what is used
  // on; between the percentages the CPU share grows from the one limit to the other.
  int64_t ignore_bytes = 4 * 1024 * 1024;
  int threshold_lower = 4;
  int threshold_upper = 12;
  int cycle_min = 1;  // percent of a core
  int cycle_max = 50;
  // Collections with more elements are gone through by steps.
  int64_t max_scan_fields = 1000;

  void Declare(SettingsRegistry& registry);
};

}  // namespace pinyon
