// pinyon-check under the names redis-check-rdb and redis-check-aof: the options, lines and exit codes of
// those of Redis 7.0, so that scripts go on working. docs/aof.md lists where the verdict differs, which is
// where theirs loses data or lets pass what a server refuses.
//
// Both return the exit code: 0 for good (or mended), 1 for everything else.
#pragma once

#include <string>
#include <vector>

#include "check/console.h"
#include "persist/file_io.h"

namespace pinyon {

int RunRedisCheckRdb(FileSystem& fs, const std::vector<std::string>& args, Console& console);
int RunRedisCheckAof(FileSystem& fs, const std::vector<std::string>& args, Console& console);

}  // namespace pinyon
