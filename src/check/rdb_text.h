// Words about RDB files: those of redis-check-rdb.
#pragma once

#include <string>
#include <string_view>

#include "check/console.h"
#include "check/rdb_check.h"

namespace pinyon {

// Text from a file as it may be shown on a terminal: what is not printable is escaped.
std::string Shown(std::string_view text);

// How a value is encoded, by its code: "hash-listpack".
std::string_view ValueCodeName(int code);

// What was being read when the fault came: "read-object-value".
std::string_view RdbDoing(const RdbReadResult& read);

// The lines of redis-check-rdb about a file, also of redis-check-aof about the one at the front of a log.
void BeginRdbLines(Console& console, std::string_view name);
// What it says while it reads. The console must outlive it.
RdbWatch WatchForRdbLines(Console& console);
void EndRdbLines(Console& console, const RdbReport& report);

}  // namespace pinyon
