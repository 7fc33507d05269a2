// The subcommands of DEBUG that look inside collections, digest data, or make it, for debug.cc's table.
#pragma once

#include <string>

#include "engine/call.h"

namespace pinyon {

void DebugDictResizing(Call& call);
void DebugDigest(Call& call);
void DebugDigestValue(Call& call);
void DebugHtStats(Call& call);
void DebugHtStatsKey(Call& call);
void DebugListpack(Call& call);
void DebugObject(Call& call);
void DebugPopulate(Call& call);
void DebugQuicklist(Call& call);
void DebugQuicklistPackedThreshold(Call& call);

// What HTSTATS says of a database; `full`: how its memory is laid out, too.
std::string DescribeDatabase(const Database& db, bool full);

}  // namespace pinyon
