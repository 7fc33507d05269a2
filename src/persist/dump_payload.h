// What DUMP replies and RESTORE takes: a value by itself.
//
//   [value type: u8][value, as in an RDB file][RDB version: u16][CRC-64 of all before: u64] little-endian
//
// The version is the lowest that holds the value. Nothing follows the value: a payload that has more is
// refused.
#pragma once

#include <string>
#include <string_view>

#include "keyspace/database.h"
#include "persist/rdb_decoder.h"

namespace pinyon {

std::string DumpPayload(const Entry* entry, bool compress);

// Whether the version is known and the checksum right.
bool IsDumpPayload(std::string_view payload);
// A detached entry of a payload that IsDumpPayload says yes to; null, and *error says why, when its value is
// not right. The database lends its configuration.
Entry* ReadDumpPayload(std::string_view payload, std::string_view key, int64_t expiry_ms, Database& db,
                       RdbError* error);

}  // namespace pinyon
