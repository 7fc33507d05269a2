#include "persist/rdb_file.h"

#include "persist/byte_sink.h"
#include "persist/rdb_snapshot_writer.h"

namespace pinyon {

std::string WriteRdbFile(Keyspace& keyspace, File& file, const RdbFileOptions& options,
                         ChildProgress* progress) {
  FileSink sink(file.fd());
  if (options.syncs_meanwhile) sink.set_sync_every(kSyncEveryBytes);
  RdbSnapshotOptions snapshot{.max_version = static_cast<int>(options.rdb.version_limit),
                              .compress = options.rdb.compression,
                              .checksum = options.rdb.checksum,
                              .aof_base = options.is_aof_base,
                              .access = AccessToKeep(keyspace),
                              .key_delay = options.key_delay};
  snapshot.progress = [progress](uint64_t keys, uint64_t bytes) {
    if (progress == nullptr) return;
    progress->keys_done = keys;
    progress->bytes_written = bytes;
    progress->NoteCopied(false);
  };
  RdbSnapshotResult result;
  if (!WriteRdbSnapshot(keyspace, sink, snapshot, &result)) return result.error;
  return file.Sync().Text();
}

}  // namespace pinyon
