#include "persist/rdb_snapshot_writer.h"

#include <fmt/format.h>

#include <cstring>
#include <ctime>

#include "base/alloc.h"
#include "base/assert.h"
#include "persist/fetched_items.h"
#include "persist/key_delay.h"
#include "persist/key_text.h"
#include "persist/rdb_value_writer.h"

namespace pinyon {

namespace {

constexpr uint64_t kKeysPerProgress = 1024;
constexpr uint64_t kWrittenBytesPerProgress = 1024 * 1024;

class SnapshotWriter {
 public:
  SnapshotWriter(const Keyspace& keyspace, ByteSink& sink, const RdbSnapshotOptions& options,
                 RdbSnapshotResult* result)
      : keyspace_(keyspace),
        sink_(sink),
        options_(options),
        result_(*result),
        writer_(sink, {.version = result->version, .compress = options.compress}),
        delay_(options.key_delay) {}

  void WriteAll() {
    WriteHeader();
    for (int i = 0; i < keyspace_.DatabaseCount() && sink_.ok(); ++i) {
      if (keyspace_.database(i).size() > 0) WriteDatabase(keyspace_.database(i));
    }
    sink_.WriteByte(rdb::kEof);
    writer_.WriteFixed(options_.checksum ? sink_.Checksum() : uint64_t{0});
  }

 private:
  void WriteHeader() {
    char digits[8];
    const auto end = fmt::format_to_n(digits, sizeof digits, "{:04}", result_.version);
    sink_.Write(rdb::kMagic, sizeof rdb::kMagic);
    sink_.Write(digits, end.size);
    Aux("redis-ver", "7.2.4");
    Aux("redis-bits", 64);
    Aux("ctime", static_cast<int64_t>(std::time(nullptr)));
    Aux("used-mem", static_cast<int64_t>(mem::UsedBytes()));
    Aux("aof-base", options_.aof_base ? 1 : 0);
  }

  void Aux(std::string_view name, std::string_view value) {
    sink_.WriteByte(rdb::kAux);
    writer_.WriteString(name);
    writer_.WriteString(value);
  }
  void Aux(std::string_view name, int64_t value) {
    sink_.WriteByte(rdb::kAux);
    writer_.WriteString(name);
    writer_.WriteInteger(value);
  }

  void WriteDatabase(const Database& db) {
    sink_.WriteByte(rdb::kSelectDb);
    writer_.WriteLength(static_cast<uint64_t>(db.index()));
    sink_.WriteByte(rdb::kResizeDb);
    writer_.WriteLength(db.size());
    writer_.WriteLength(db.expiring());
    ForEachFetched(db.table(), [&](const Entry& entry) {
      // (The walk cannot be left; a sink that has failed drops what it gets.)
      if (sink_.ok()) WriteEntry(&entry);
    });
  }

  void WriteEntry(const Entry* entry) {
    if (entry->HasExpiry()) {
      sink_.WriteByte(rdb::kExpireTimeMs);
      writer_.WriteFixed(entry->expiry_ms());
    }
    WriteAccess(entry);
    writer_.WriteCode(entry);
    writer_.WriteString(entry->key());
    writer_.WriteValue(entry);
    ++result_.keys;
    if (delay_.is_on()) {
      Progress();
      delay_.Next();
    }
    if (++keys_since_ >= kKeysPerProgress || sink_.offset() - last_progress_ >= kWrittenBytesPerProgress)
      Progress();
  }

  void WriteAccess(const Entry* entry) {
    switch (options_.access) {
      case RdbSnapshotOptions::Access::kIgnored: return;
      case RdbSnapshotOptions::Access::kClock:
        sink_.WriteByte(rdb::kIdle);
        return writer_.WriteLength(keyspace_.IdleSeconds(entry));
      case RdbSnapshotOptions::Access::kFrequency:
        sink_.WriteByte(rdb::kFreq);
        return sink_.WriteByte(static_cast<uint8_t>(keyspace_.Frequency(entry)));
    }
  }

  void Progress() {
    keys_since_ = 0;
    last_progress_ = sink_.offset();
    if (options_.progress) options_.progress(result_.keys, last_progress_);
  }

  const Keyspace& keyspace_;
  ByteSink& sink_;
  const RdbSnapshotOptions& options_;
  RdbSnapshotResult& result_;
  RdbValueWriter writer_;
  KeyDelay delay_;
  uint64_t keys_since_ = 0;
  uint64_t last_progress_ = 0;
};

// Names a key whose value needs more than a version.
std::string WhyMoreIsNeeded(const Keyspace& keyspace, int version) {
  std::string text;
  for (int i = 0; i < keyspace.DatabaseCount() && text.empty(); ++i) {
    keyspace.database(i).table().ForEach([&](const Entry* entry) {
      const int needed = text.empty() ? RdbVersionNeeded(entry) : 0;
      if (needed <= version) return;
      text = fmt::format(
          "key {} in database {} has fields that expire, which takes version {} of the RDB format; the "
          "configuration allows version {} at most",
          KeyText(entry->key()), i, needed, version);
    });
  }
  return text;
}

}  // namespace

RdbSnapshotOptions::Access AccessToKeep(const Keyspace& keyspace) {
  const EvictionOptions& options = keyspace.eviction_options();
  if (options.IsLru()) return RdbSnapshotOptions::Access::kClock;
  return options.TracksFrequency() ? RdbSnapshotOptions::Access::kFrequency
                                   : RdbSnapshotOptions::Access::kIgnored;
}

int RdbVersionNeeded(const Keyspace& keyspace) {
  for (int i = 0; i < keyspace.DatabaseCount(); ++i) {
    if (keyspace.database(i).hashes_expiring() > 0) return rdb::kFieldExpiryVersion;
  }
  return rdb::kBaseVersion;
}

bool WriteRdbSnapshot(const Keyspace& keyspace, ByteSink& sink, const RdbSnapshotOptions& options,
                      RdbSnapshotResult* result) {
  PINYON_ASSERT(options.max_version >= rdb::kBaseVersion);
  *result = {};
  result->version = RdbVersionNeeded(keyspace);
  if (result->version > options.max_version) {
    result->error = WhyMoreIsNeeded(keyspace, options.max_version);
    return false;
  }
  const uint64_t begin = sink.offset();
  sink.set_checksums(options.checksum);
  SnapshotWriter(keyspace, sink, options, result).WriteAll();
  if (!sink.Flush()) {
    result->system_error = sink.error();
    result->error = fmt::format("cannot write: {}", std::strerror(sink.error()));
  }
  result->bytes = sink.offset() - begin;
  return result->error.empty();
}

}  // namespace pinyon
