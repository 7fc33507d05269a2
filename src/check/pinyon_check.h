// pinyon-check under its own name: examines what lies at a path, tells what it found and the first fault of
// each file or log, and cuts what it was asked to (cut.h has the rules). Nothing but a file to be cut is ever
// opened for writing.
#pragma once

#include <string>
#include <vector>

#include "check/console.h"
#include "persist/file_io.h"

namespace pinyon {

// The exit code: 0 when all is good, or was mended; 1 with a fault; 2 for a command line that is not
// understood.
int RunPinyonCheck(FileSystem& fs, const std::vector<std::string>& args, Console& console);

}  // namespace pinyon
