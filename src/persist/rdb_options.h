// The directives of the RDB format; owned by the engine's options.
#pragma once

#include <cstdint>

#include "base/settings.h"
#include "persist/rdb_format.h"

namespace pinyon {

struct RdbOptions {
  bool compression = true;  // rdbcompression: strings of more than 20 bytes, by LZF
  bool checksum = true;     // rdbchecksum: written and verified
  // rdb-version-limit (Pinyon's own): what would need a later version is refused when it is to be written.
  int64_t version_limit = rdb::kNewestVersion;

  void Declare(SettingsRegistry& registry);
};

}  // namespace pinyon
