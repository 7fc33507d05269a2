// Whatever bytes the reader of RDB values accepts make a value that can be written, read again and written
// the same, or (tables, whose order is their own) of the same size; whatever it refuses leaves nothing
// behind.
//
// Input: [value code: 1 byte][limits: 1 byte][value ...]. Limits that are low (bit 0) make large values of
// small ones; bit 1 lets the snapshot reader have the rest as a file instead.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/keyspace.h"
#include "persist/keyspace_loader.h"
#include "persist/rdb_snapshot_reader.h"
#include "persist/rdb_snapshot_writer.h"
#include "persist/rdb_value_reader.h"
#include "persist/rdb_value_writer.h"

namespace {

using namespace pinyon;

constexpr int64_t kNow = 1'700'000'000'000;

EncodingLimits LimitsOf(bool low) {
  EncodingLimits limits;
  if (!low) return limits;
  limits.hash_max_listpack_entries = limits.set_max_intset_entries = limits.set_max_listpack_entries = 2;
  limits.zset_max_listpack_entries = 2;
  limits.list_max_listpack_size = 2;
  limits.list_compress_depth = 1;
  return limits;
}

Entry* Read(uint8_t code, std::string_view bytes, Database& db) {
  MemorySource source(bytes);
  RdbDecoder decoder(source);
  RdbValueReader reader(decoder, db);
  Entry* entry = reader.Read(code, "key", kNoExpiry);
  PINYON_CHECK((entry == nullptr) == !decoder.error().reason.empty());
  return entry;
}

std::string Write(const Entry* entry) {
  std::string bytes;
  TextSink sink(bytes);
  RdbValueWriter writer(sink, {.version = rdb::kNewestVersion});
  writer.WriteCode(entry);
  writer.WriteValue(entry);
  sink.Flush();
  return bytes;
}

void TryValue(uint8_t code, std::string_view bytes, Keyspace& keyspace) {
  Database& db = keyspace.database(0);
  Entry* entry = Read(code, bytes, db);
  if (entry == nullptr) return;
  const std::string written = Write(entry);
  Entry* again = Read(static_cast<uint8_t>(written[0]), std::string_view(written).substr(1), db);
  PINYON_CHECK(again != nullptr);
  PINYON_CHECK(again->type() == entry->type());
  if (entry->IsPacked()) PINYON_CHECK(Write(again) == written);
  Entry::Delete(again);
  db.StoreEntry(entry);
  db.CheckConsistency();
}

void TryFile(std::string_view bytes, Keyspace& keyspace) {
  MemorySource source(bytes);
  KeyspaceLoader loader(keyspace);
  RdbReadResult result;
  // (No mutated file has the right checksum.)
  if (!RdbSnapshotReader(source, keyspace, loader, {.verify_checksum = false}).Read(&result)) return;
  std::string written;
  TextSink sink(written);
  RdbSnapshotResult write_result;
  PINYON_CHECK(WriteRdbSnapshot(keyspace, sink, {}, &write_result));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const EncodingLimits limits = LimitsOf((data[1] & 1) != 0);
  Keyspace keyspace(2, 1);
  keyspace.set_now_ms(kNow);
  keyspace.set_encoding_limits(limits);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if ((data[1] & 2) != 0) {
    TryFile(bytes, keyspace);
  } else {
    TryValue(data[0], bytes, keyspace);
  }
  return 0;
}
