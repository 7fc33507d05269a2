// A snapshot of the keyspace as a file on the disk: what SAVE, BGSAVE and the RDB base of a log have in
// common.
#pragma once

#include <cstdint>
#include <string>

#include "keyspace/keyspace.h"
#include "persist/child_process.h"
#include "persist/file_io.h"
#include "persist/rdb_options.h"

namespace pinyon {

struct RdbFileOptions {
  const RdbOptions& rdb;
  // Microseconds for each key (rdb-key-save-delay), as it is at the moment.
  const int64_t& key_delay;
  bool is_aof_base = false;
  // Syncs every few megabytes, so that the sync at the end is short.
  bool syncs_meanwhile = true;
};

// Bytes between two syncs of what is written meanwhile.
inline constexpr uint64_t kSyncEveryBytes = 4 << 20;

// Writes and syncs the file; returns what went wrong, "" if nothing did. Progress may be null.
std::string WriteRdbFile(Keyspace& keyspace, File& file, const RdbFileOptions& options,
                         ChildProgress* progress);

}  // namespace pinyon
