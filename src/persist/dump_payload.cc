#include "persist/dump_payload.h"

#include <cstring>

#include "base/crc64.h"
#include "persist/rdb_format.h"
#include "persist/rdb_value_reader.h"
#include "persist/rdb_value_writer.h"

namespace pinyon {

std::string DumpPayload(const Entry* entry, bool compress) {
  std::string payload;
  TextSink sink(payload);
  const int version = RdbVersionNeeded(entry);
  RdbValueWriter writer(sink, {.version = version, .compress = compress});
  writer.WriteCode(entry);
  writer.WriteValue(entry);
  writer.WriteFixed(static_cast<uint16_t>(version));
  writer.WriteFixed(sink.Checksum());
  sink.Flush();
  return payload;
}

bool IsDumpPayload(std::string_view payload) {
  if (payload.size() < rdb::kDumpFooterBytes) return false;
  const size_t value_bytes = payload.size() - rdb::kDumpFooterBytes;
  uint16_t version;
  uint64_t checksum = 0;
  std::memcpy(&version, payload.data() + value_bytes, sizeof version);
  std::memcpy(&checksum, payload.data() + value_bytes + sizeof version, sizeof checksum);
  return version <= rdb::kNewestVersion && checksum == Crc64(0, payload.data(), value_bytes + sizeof version);
}

Entry* ReadDumpPayload(std::string_view payload, std::string_view key, int64_t expiry_ms, Database& db,
                       RdbError* error) {
  PINYON_ASSERT(payload.size() >= rdb::kDumpFooterBytes);
  MemorySource source(payload.substr(0, payload.size() - rdb::kDumpFooterBytes));
  source.set_checksums(false);
  RdbDecoder decoder(source);
  RdbValueReader reader(decoder, db);
  uint8_t code = 0;
  Entry* entry = decoder.Byte(&code) ? reader.Read(code, key, expiry_ms) : nullptr;
  if (entry != nullptr && source.Left() > 0) {
    Entry::Delete(entry);
    decoder.Corrupt("bytes stand behind the value");
    entry = nullptr;
  }
  *error = decoder.error();
  return entry;
}

}  // namespace pinyon
