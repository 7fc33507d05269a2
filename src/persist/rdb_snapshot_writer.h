// Writes a whole snapshot: an RDB file, or the RDB preamble of an append-only file.
//
// The version is the lowest that holds the data: 10, which Redis 7.0 reads, or 12 if any hash has fields that
// expire. A cap refuses, before a byte is written, what would need more, and names a key.
//
// Nothing is changed, no lock is taken and no thread started: a forked child may do this. What has expired
// and is in memory is written, too; whoever loads it sees to that.
//
// Costs: entries are fetched ahead; what is written is what the sink makes of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "keyspace/keyspace.h"
#include "persist/byte_sink.h"
#include "persist/rdb_format.h"

namespace pinyon {

struct RdbSnapshotOptions {
  // No version above this is written; at least rdb::kBaseVersion.
  int max_version = rdb::kNewestVersion;
  bool compress = true;   // rdbcompression
  bool checksum = true;   // rdbchecksum
  bool aof_base = false;  // the beginning of an append-only file
  // What Entry::access is: to be kept when the eviction policy makes something of it.
  enum class Access : uint8_t { kIgnored, kClock, kFrequency };
  Access access = Access::kIgnored;
  int64_t key_delay = 0;  // see key_delay.h
  // Called every thousand keys or so, and whenever a megabyte has been written.
  std::function<void(uint64_t keys, uint64_t bytes)> progress = {};
};

struct RdbSnapshotResult {
  std::string error;     // "" if it is complete
  int system_error = 0;  // errno, if it was that
  int version = 0;
  uint64_t keys = 0;
  uint64_t bytes = 0;
};

// Returns whether all was written and the sink flushed (the disk is the caller's matter: fsync).
bool WriteRdbSnapshot(const Keyspace& keyspace, ByteSink& sink, const RdbSnapshotOptions& options,
                      RdbSnapshotResult* result);

// What the eviction policy in force makes of the access field: Redis writes it under the LRU and LFU
// policies.
RdbSnapshotOptions::Access AccessToKeep(const Keyspace& keyspace);

// The lowest version that holds what a keyspace has.
int RdbVersionNeeded(const Keyspace& keyspace);

}  // namespace pinyon
