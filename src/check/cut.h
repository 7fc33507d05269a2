// Whether a file of a log is to be cut, and cutting it. The rules are one place for both manners of speaking
// (pinyon_check.h, redis_check_aof.h):
//
// - Only the last file of a log is cut: what follows a gap must not be loaded as if there were none.
// - Only behind a whole unit, so never within a transaction. (redis-check-aof cuts at a timestamp within
// one.)
// - A torn tail is cut, damage is not: behind wrong bytes there may be any number of good commands.
//   (redis-check-aof cuts there, too.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "check/log_check.h"
#include "persist/file_io.h"

namespace pinyon {

struct CutRequest {
  bool fix = false;
  std::optional<int64_t> until_s = {};
};

enum class CutStep : uint8_t {
  kGood,            // nothing is wrong, nothing to do
  kNothingLater,    // nothing is wrong, and nothing is later than the time that was asked for
  kFault,           // a fault that nobody asked to mend
  kFaultKept,       // a fault that cannot be mended by a cut
  kNotLast,         // a cut would help, but other files follow
  kCutTorn,         // to be asked for
  kCutLater,        // what was asked for
  kNothingEarlier,  // a cut would leave nothing
};

CutStep DecideCut(const LogReport& report, bool is_last, const CutRequest& request);

// Cuts the file at report.whole_end, durably, unless it is not as long any more as it was when it was read:
// then somebody writes to it. "" or what is wrong.
std::string CutLog(FileSystem& fs, const std::string& path, const LogReport& report);

}  // namespace pinyon
