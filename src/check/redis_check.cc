#include "check/redis_check.h"

#include <cstring>

#include "check/check_options.h"
#include "check/cut.h"
#include "check/locate.h"
#include "check/rdb_text.h"

namespace pinyon {

namespace {

constexpr std::string_view kAofUsage =
    "Usage: redis-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
constexpr std::string_view kRdbUsage = "Usage: redis-check-rdb <rdb-file-name>\n";

bool IsVersionOption(const std::string& arg) { return arg == "-v" || arg == "--version"; }

std::string Reason(const FileError& error) { return std::strerror(error.code()); }

// redis-check-aof's examination of one log.
class AofSession {
 public:
  AofSession(FileSystem& fs, Console& console, CutRequest request)
      : fs_(fs), console_(console), request_(request) {}

  int Run(const std::string& path);

 private:
  bool CheckParts(const std::string& manifest_path);
  // `title` is what a file is called in the lines that say it is good: "AOF", "BASE AOF".
  bool CheckFile(const LogPart& part, std::string_view title, bool is_last);
  bool Conclude(const LogPart& part, std::string_view title, bool is_last, const LogReport& report);
  bool Mend(const LogPart& part, const LogReport& report);
  bool CutLater(const LogPart& part, const LogReport& report);
  bool RefuseNotLast(const LogPart& part, const LogReport& report);
  void Analysis(const LogPart& part, const LogReport& report);
  LogCheckOptions OptionsFor(const LogPart& part);
  bool StartsAsRdb(const LogPart& part);

  FileSystem& fs_;
  Console& console_;
  const CutRequest request_;
  uint64_t lines_ = 1;  // of all files so far, counted as in an editor
};

LogCheckOptions AofSession::OptionsFor(const LogPart& part) {
  LogCheckOptions options{.until_s = request_.until_s};
  options.rdb = WatchForRdbLines(console_);
  uint64_t size = 0;
  File file;
  if (!File::OpenToRead(fs_, part.path, &file)) (void)file.Size(&size);
  options.rdb.progress = options.progress = console_.ProgressOf(part.path, size);
  options.preamble_read = [this](const RdbReport& rdb) {
    EndRdbLines(console_, rdb);
    console_.Line("RDB preamble {}",
                  rdb.good() ? "is OK, proceeding with AOF tail..." : "of AOF file is not sane, aborting.");
  };
  return options;
}

bool AofSession::StartsAsRdb(const LogPart& part) {
  PathKind kind;
  return RecognisePath(fs_, part.path, &kind).empty() && kind == PathKind::kRdb;
}

int AofSession::Run(const std::string& path) {
  File file;
  if (const FileError error = File::OpenToRead(fs_, path, &file)) {
    console_.Line("Cannot open file {}: {}", path, Reason(error));
    return 1;
  }
  PathKind kind;
  if (!RecognisePath(fs_, path, &kind).empty() || kind == PathKind::kFolder) {
    console_.Line("Cannot read file: {}", path);
    return 1;
  }
  if (kind == PathKind::kManifest) {
    console_.Line("Start checking Multi Part AOF");
    return CheckParts(path) ? 0 : 1;
  }
  console_.Line("Start checking Old-Style AOF");
  return CheckFile({path, path, AofFileType::kBase}, "AOF", true) ? 0 : 1;
}

bool AofSession::CheckParts(const std::string& manifest_path) {
  AofManifest manifest;
  std::vector<LogPart> parts;
  const std::string error = ReadManifest(fs_, manifest_path, &manifest, &parts);
  if (!error.empty()) {
    console_.Line("\n*** FATAL AOF MANIFEST FILE ERROR ***");
    console_.Line("{}: {}", manifest_path, error);
    return false;
  }
  bool in_incrementals = false;
  for (const LogPart& part : parts) {
    const bool is_base = part.type == AofFileType::kBase;
    if (is_base) {
      console_.Line("Start to check BASE AOF ({} format).", StartsAsRdb(part) ? "RDB" : "RESP");
    } else if (!in_incrementals) {
      in_incrementals = true;
      console_.Line("Start to check INCR files.");
    }
    if (!CheckFile(part, is_base ? "BASE AOF" : "INCR AOF", &part == &parts.back())) return false;
  }
  console_.Line("All AOF files and manifest are valid");
  return true;
}

bool AofSession::CheckFile(const LogPart& part, std::string_view title, bool is_last) {
  File file;
  if (const FileError error = File::OpenToRead(fs_, part.path, &file)) {
    console_.Line("Cannot open file {}: {}, aborting...", part.path, Reason(error));
    return false;
  }
  if (StartsAsRdb(part)) BeginRdbLines(console_, part.name);
  const LogReport report = CheckLog(fs_, part.path, OptionsFor(part));
  lines_ += report.lines;
  return Conclude(part, title, is_last, report);
}

bool AofSession::Conclude(const LogPart& part, std::string_view title, bool is_last,
                          const LogReport& report) {
  if (report.state == LogReport::State::kBadRdb) return false;
  if (report.state == LogReport::State::kWhole && report.file_bytes == 0) {
    console_.Line("{} {} is empty", title, part.name);
    return true;
  }
  const CutStep step = DecideCut(report, is_last, request_);
  if (report.state != LogReport::State::kLater && step != CutStep::kNothingLater) Analysis(part, report);
  switch (step) {
    case CutStep::kNothingLater:
      console_.Line("Truncate nothing in AOF {} to timestamp {}", part.name, *request_.until_s);
      [[fallthrough]];
    case CutStep::kGood: console_.Line("{} {} is valid", title, part.name); return true;
    case CutStep::kNothingEarlier:
      console_.Line("AOF {} has nothing before timestamp {}, aborting...", part.path, *request_.until_s);
      return false;
    case CutStep::kCutLater: return CutLater(part, report);
    case CutStep::kCutTorn: return Mend(part, report);
    case CutStep::kNotLast: return RefuseNotLast(part, report);
    case CutStep::kFault:
      if (report.state == LogReport::State::kTorn) {
        console_.Line("AOF {} is not valid. Use the --fix option to try fixing it.", part.name);
        return false;
      }
      [[fallthrough]];
    case CutStep::kFaultKept:
      console_.Line("AOF {} is not valid. It is not torn at its end but damaged, which --fix leaves alone.",
                    part.name);
      return false;
  }
  return false;
}

void AofSession::Analysis(const LogPart& part, const LogReport& report) {
  if (!report.reason.empty()) console_.Line("0x{:>16x}: {}", report.offset, report.reason);
  console_.Line("AOF analyzed: filename={}, size={}, ok_up_to={}, ok_up_to_line={}, diff={}", part.name,
                report.file_bytes, report.whole_end, lines_, report.file_bytes - report.whole_end);
}

bool AofSession::Mend(const LogPart& part, const LogReport& report) {
  console_.Line("This will shrink the AOF {} from {} bytes, with {} bytes, to {} bytes", part.name,
                report.file_bytes, report.file_bytes - report.whole_end, report.whole_end);
  if (!console_.AskToContinue()) {
    console_.Line("Aborting...");
    return false;
  }
  const std::string error = CutLog(fs_, part.path, report);
  if (!error.empty()) {
    console_.Line("Failed to truncate AOF {}: {}", part.name, error);
    return false;
  }
  console_.Line("Successfully truncated AOF {}", part.name);
  return true;
}

bool AofSession::CutLater(const LogPart& part, const LogReport& report) {
  const std::string error = CutLog(fs_, part.path, report);
  if (!error.empty()) {
    console_.Line("Failed to truncate AOF {} to timestamp {}: {}", part.name, *request_.until_s, error);
    return false;
  }
  console_.Line("Successfully truncated AOF {} to timestamp {}", part.name, *request_.until_s);
  return true;
}

bool AofSession::RefuseNotLast(const LogPart& part, const LogReport& report) {
  if (report.state != LogReport::State::kLater) {
    console_.Line("Failed to truncate AOF {} because it is not the last file", part.name);
    return false;
  }
  console_.Line("Failed to truncate AOF {} to timestamp {} to offset {} because it is not the last file.",
                part.path, *request_.until_s, report.whole_end);
  console_.Line(
      "If you insist, please delete all files after this file according to the manifest file and "
      "delete the corresponding records in manifest file manually. Then re-run redis-check-aof.");
  return false;
}

}  // namespace

int RunRedisCheckRdb(FileSystem& fs, const std::vector<std::string>& args, Console& console) {
  if (args.size() != 1) {
    console.PrintError(kRdbUsage);
    return 1;
  }
  const std::string& path = args[0];
  if (IsVersionOption(path)) {
    console.Line("redis-check-rdb {}", PINYON_VERSION);
    return 0;
  }
  BeginRdbLines(console, path);
  uint64_t size = 0;
  File file;
  if (!File::OpenToRead(fs, path, &file)) (void)file.Size(&size);
  RdbWatch watch = WatchForRdbLines(console);
  watch.progress = console.ProgressOf(path, size);
  RdbReport report;
  if (const FileError error = CheckRdb(fs, path, watch, &report)) {
    console.Line("Cannot open file {}: {}", path, Reason(error));
    return 1;
  }
  EndRdbLines(console, report);
  return report.good() ? 0 : 1;
}

int RunRedisCheckAof(FileSystem& fs, const std::vector<std::string>& args, Console& console) {
  CutRequest request;
  if (args.size() == 1 && IsVersionOption(args[0])) {
    console.Line("redis-check-aof {}", PINYON_VERSION);
    return 0;
  }
  if (args.size() == 2 && args[0] == "--fix") {
    request.fix = true;
  } else if (args.size() == 3 && args[0] == "--truncate-to-timestamp") {
    request.until_s = ParseTimestamp(args[1]);
    if (!request.until_s) {
      console.Line("Invalid timestamp, aborting...");
      return 1;
    }
  } else if (args.size() != 1) {
    console.Print(kAofUsage);
    return 1;
  }
  return AofSession(fs, console, request).Run(args.back());
}

}  // namespace pinyon
