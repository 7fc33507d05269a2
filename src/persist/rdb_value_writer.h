// Writes values in the RDB format (rdb_format.h): what snapshots and DUMP payloads have in common.
//
//   string                    its bytes, as an integer where it is one, compressed (LZF) where that gains
//   listpack, intset          its bytes as one string: copied, not converted
//   listpack of a set         its members; as it is only from version 11 on, which Redis 7.0 does not read
//   quicklist                 its chunks as they are; those that are compressed in memory stay so
//   hashtable, skiplist       element by element
//   hash whose fields expire  as Redis 7.4 has it (version 12); fields that have expired are written, too
//
// Costs: nothing is allocated but room to compress in, which is kept. A value is only read, so a forked child
// may do this.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "keyspace/entry.h"
#include "persist/byte_sink.h"
#include "persist/rdb_format.h"
#include "types/listpack.h"

namespace pinyon {

// The lowest version, from rdb::kBaseVersion on, that can hold a value.
int RdbVersionNeeded(const Entry* entry);

class RdbValueWriter {
 public:
  struct Options {
    int version = rdb::kBaseVersion;
    bool compress = true;
  };

  RdbValueWriter(ByteSink& sink, const Options& options) : sink_(sink), options_(options) {}

  // What stands before a value of that kind; the version must be able to hold it.
  rdb::ValueCode CodeOf(const Entry* entry) const;
  void WriteCode(const Entry* entry) { sink_.WriteByte(CodeOf(entry)); }
  // What stands behind its code and key.
  void WriteValue(const Entry* entry);

  // The parts that everything is made of.
  void WriteLength(uint64_t length);
  void WriteString(std::string_view text);
  void WriteInteger(int64_t value);  // as a string
  template <typename T>
  void WriteFixed(T value) {  // little-endian
    sink_.Write(&value, sizeof value);
  }

 private:
  void WriteElement(const PackedElement& element) {
    element.is_integer ? WriteInteger(element.integer) : WriteString(element.text);
  }
  bool WriteSmallInteger(int64_t value);
  bool WriteCompressed(std::string_view text);
  void WriteLzf(const void* compressed, size_t compressed_bytes, size_t bytes);
  void WritePacked(const Entry* entry);
  void WriteStringValue(const Entry* entry);
  void WriteList(const Entry* entry);
  void WriteSet(const Entry* entry);
  void WriteZset(const Entry* entry);
  void WriteHash(const Entry* entry);
  void WritePairsOfTriplets(const Entry* entry);
  void WriteHashWithExpiries(const Entry* entry);

  ByteSink& sink_;
  Options options_;
  std::vector<uint8_t> compressed_;
};

}  // namespace pinyon
