#include "persist/rdb_options.h"

namespace pinyon {

void RdbOptions::Declare(SettingsRegistry& registry) {
  registry.AddBool("rdbcompression", {.target = &compression, .default_value = true});
  registry.AddBool("rdbchecksum", {.target = &checksum, .default_value = true, .flags = setting::kImmutable});
  registry.AddInteger("rdb-version-limit", {.target = &version_limit,
                                            .min = rdb::kBaseVersion,
                                            .max = rdb::kNewestVersion,
                                            .default_value = rdb::kNewestVersion});
}

}  // namespace pinyon
