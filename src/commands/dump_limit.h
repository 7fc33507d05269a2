// What DUMP's form of a value cannot say to the version of Redis that the operator has named.
#pragma once

#include "engine/call.h"
#include "persist/rdb_value_writer.h"

namespace pinyon {

// Whether the value may leave by DUMP or MIGRATE; replies the error when not.
inline bool MayDump(Call& call, const Entry* entry) {
  return RdbVersionNeeded(entry) <= call.engine.options.rdb.version_limit ||
         call.Fail(
             "ERR the hash has fields that expire, which takes a later version of the RDB format than "
             "rdb-version-limit allows");
}

}  // namespace pinyon
