// How commands that ask about keys, not for their values (EXISTS, TYPE, TTL, ...), look them up: a hit or a
// miss is counted, but the access clock stays, since asking is not using. One search in the table.
#pragma once

#include <string_view>

#include "engine/call.h"

namespace pinyon {

inline EntryRef FindUntouched(Call& call, std::string_view key, uint64_t hash) {
  const EntryRef ref = call.db.Find(key, hash);
  KeyspaceStats& stats = call.engine.keyspace.stats();
  if (ref) {
    ++stats.hits;
  } else {
    ++stats.misses;
    call.Notify(call.session.database, kNotifyKeyMiss, "keymiss", key);
  }
  return ref;
}

inline EntryRef FindUntouched(Call& call, size_t index) {
  return FindUntouched(call, call.args[index], call.KeyHash(index));
}

// What a command answers to a database number that is not even an int.
inline constexpr std::string_view kErrIntRange =
    "ERR value is out of range, value must between -2147483648 and 2147483647";

// Parses a database number; on failure the error has been replied.
inline bool ParseDatabase(Call& call, size_t index, int* database) {
  int64_t value;
  if (!call.IntInRange(index, INT32_MIN, INT32_MAX, &value, kErrIntRange)) return false;
  if (value < 0 || value >= call.engine.keyspace.DatabaseCount()) return call.Fail(kErrDbIndexRange);
  *database = static_cast<int>(value);
  return true;
}

}  // namespace pinyon
