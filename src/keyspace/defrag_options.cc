#include "keyspace/defrag_options.h"

namespace pinyon {

void DefragOptions::Declare(SettingsRegistry& registry) {
  registry.AddBool("activedefrag", {.target = &enabled, .default_value = enabled});
  registry.AddMemory("active-defrag-ignore-bytes",
                     {.target = &ignore_bytes, .min = 1, .default_value = ignore_bytes});
  registry.AddInteger("active-defrag-threshold-lower",
                      {.target = &threshold_lower, .max = 1000, .default_value = threshold_lower});
  registry.AddInteger("active-defrag-threshold-upper",
                      {.target = &threshold_upper, .max = 1000, .default_value = threshold_upper});
  registry.AddInteger("active-defrag-cycle-min",
                      {.target = &cycle_min, .min = 1, .max = 99, .default_value = cycle_min});
  registry.AddInteger("active-defrag-cycle-max",
                      {.target = &cycle_max, .min = 1, .max = 99, .default_value = cycle_max});
  registry.AddInteger("active-defrag-max-scan-fields",
                      {.target = &max_scan_fields, .min = 1, .default_value = max_scan_fields});
}

}  // namespace pinyon
