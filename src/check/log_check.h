// Reads one file of an append-only log to its end or its first fault, by AofReader: the RDB file at its
// front, commands, units, annotations. Commands are looked at for their form, not for what they mean: only a
// server can tell whether it knows them.
//
// Beside what AofReader calls torn, a tail that the file system never wrote counts as torn: after a power
// failure a file may have its new length but zero bytes in it. It is one if nothing but zeros follows where
// the log breaks off, a begun line of length aside.
//
// Costs: one pass; memory for one unit at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "check/rdb_check.h"
#include "persist/file_io.h"

namespace pinyon {

struct LogCheckOptions {
  // Reading ends in front of the first unit behind a timestamp that is greater.
  std::optional<int64_t> until_s = {};
  // Of the RDB file at the front.
  RdbWatch rdb = {};
  std::function<void(const RdbReport&)> preamble_read = {};
  std::function<void(uint64_t offset)> progress = {};
};

struct LogReport {
  enum class State : uint8_t {
    kWhole,
    kTorn,        // a cut at whole_end mends it
    kDamaged,     // wrong bytes
    kBadRdb,      // in the RDB file at the front; preamble->read has it
    kUnreadable,  // the system said no
    kLater,       // `until_s` ended the reading: whole_end is the place
  };

  State state = State::kWhole;
  uint64_t offset = 0;  // of the fault, or of the annotation of kLater
  std::string reason;
  uint64_t file_bytes = 0;
  uint64_t whole_end = 0;
  uint64_t lines = 0;  // AofReader::lines
  std::optional<RdbReport> preamble;
  uint64_t units = 0;
  uint64_t commands = 0;
  std::optional<int64_t> first_timestamp_s;
  std::optional<int64_t> last_timestamp_s;
};

LogReport CheckLog(FileSystem& fs, const std::string& path, const LogCheckOptions& options);

}  // namespace pinyon
