// Reads an RDB file, or the one at the front of a log, as a server does that loads it: every value through
// the same decoder, the checksum, keys that are there twice. What a server's configuration decides (how many
// databases there are) is not a fault here.
//
// Costs: one pass; memory for one value at a time, and 8 to 16 bytes a key (repeated_keys.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keyspace/entry.h"
#include "persist/file_io.h"
#include "persist/rdb_snapshot_reader.h"

namespace pinyon {

struct RdbReport {
  static constexpr size_t kTypes = static_cast<size_t>(ValueType::kStream) + 1;
  // Of the fields about the file; more than any server writes, so that a damaged file does not fill memory.
  static constexpr size_t kMaxAux = 64;

  bool good() const { return read.error.empty(); }

  RdbReadResult read;  // what is wrong, and where; version, keys, the offset of the end
  std::vector<std::pair<std::string, std::string>> aux;
  std::array<uint64_t, kTypes> keys_of_type{};
  std::map<int, uint64_t> keys_of_database;
  uint64_t expiring = 0;
  uint64_t expired = 0;  // of these, by the clock
  std::vector<std::string> notes;
};

// Told while the file is read; each may be empty.
struct RdbWatch {
  std::function<void(uint64_t offset, std::string_view name, std::string_view value)> aux;
  std::function<void(uint64_t offset, uint64_t database)> select;
  std::function<void(uint64_t offset)> progress;
};

// False with an error that the file cannot be opened.
FileError CheckRdb(FileSystem& fs, const std::string& path, const RdbWatch& watch, RdbReport* report);

}  // namespace pinyon
