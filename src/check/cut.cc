#include "check/cut.h"

#include <fcntl.h>
#include <fmt/format.h>

namespace pinyon {

CutStep DecideCut(const LogReport& report, bool is_last, const CutRequest& request) {
  switch (report.state) {
    case LogReport::State::kWhole: return request.until_s ? CutStep::kNothingLater : CutStep::kGood;
    case LogReport::State::kLater:
      if (report.whole_end == 0) return CutStep::kNothingEarlier;
      return is_last ? CutStep::kCutLater : CutStep::kNotLast;
    case LogReport::State::kTorn:
      if (!request.fix) return CutStep::kFault;
      return is_last ? CutStep::kCutTorn : CutStep::kNotLast;
    default: return request.fix ? CutStep::kFaultKept : CutStep::kFault;
  }
}

std::string CutLog(FileSystem& fs, const std::string& path, const LogReport& report) {
  File file;
  if (const FileError error = File::Open(fs, path, O_WRONLY, &file)) return error.Text();
  uint64_t size = 0;
  if (const FileError error = file.Size(&size)) return error.Text();
  if (size != report.file_bytes) {
    return fmt::format("{} had {} bytes when it was read and has {} now: stop the server that writes to it",
                       path, report.file_bytes, size);
  }
  if (const FileError error = file.Truncate(report.whole_end)) return error.Text();
  if (const FileError error = file.Sync()) return error.Text();
  return {};
}

}  // namespace pinyon
