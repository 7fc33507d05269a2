#include "check/pinyon_check.h"

#include <fmt/format.h>

#include "check/check_options.h"
#include "check/cut.h"
#include "check/locate.h"
#include "check/rdb_text.h"
#include "persist/key_text.h"
#include "persist/rdb_format.h"

namespace pinyon {

namespace {

constexpr int kGoodCode = 0;
constexpr int kFaultCode = 1;
constexpr int kUsageCode = 2;
// Databases that are listed one by one.
constexpr size_t kMaxDatabasesShown = 16;

std::string CountOf(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

class Checker {
 public:
  Checker(FileSystem& fs, const CheckOptions& options, Console& console)
      : fs_(fs), options_(options), console_(console) {}

  int Run();

 private:
  bool CheckFolder();
  bool CheckManifest(const std::string& path);
  // A file of a log, or an RDB file; `what` says what it is to the manifest.
  bool CheckFile(const std::string& path, std::string_view what, bool is_last);
  bool RefuseOrphan(const std::string& path);

  void Describe(const RdbReport& report);
  void DescribeKeys(const RdbReport& report);
  void Describe(const LogReport& report);
  bool Act(const std::string& path, bool is_last, const LogReport& report);
  bool Advise(const LogReport& report, bool is_last);
  bool Cut(const std::string& path, const LogReport& report, std::string_view where);
  bool Fault(const std::string& path, uint64_t offset, std::string_view reason);
  bool RdbFault(const std::string& path, const RdbReadResult& read);
  uint64_t SizeOf(const std::string& path) const;

  // A line of what was found.
  template <typename... Args>
  void Tell(fmt::format_string<Args...> format, Args&&... args) {
    if (!options_.quiet) console_.Line(format, std::forward<Args>(args)...);
  }

  FileSystem& fs_;
  const CheckOptions& options_;
  Console& console_;
};

int Checker::Run() {
  PathKind kind = PathKind::kUnknown;
  const std::string error = RecognisePath(fs_, options_.path, &kind);
  if (!error.empty()) {
    console_.Line("fault: {}", error);
    return kFaultCode;
  }
  if (kind == PathKind::kFolder && options_.cut.until_s) {
    console_.PrintError("--truncate-to-timestamp is for one log: give its manifest, or its file\n");
    return kUsageCode;
  }
  bool good = false;
  switch (kind) {
    case PathKind::kFolder: good = CheckFolder(); break;
    case PathKind::kManifest: good = CheckManifest(options_.path); break;
    case PathKind::kRdb:
    case PathKind::kLog: good = CheckFile(options_.path, "", true); break;
    case PathKind::kUnknown:
      good = Fault(options_.path, 0, "this is neither an RDB file nor a log nor the manifest of one");
      break;
  }
  return good ? kGoodCode : kFaultCode;
}

// --- what there is ---

bool Checker::CheckFolder() {
  FolderContents contents;
  const std::string error = ScanFolder(options_.path, &contents);
  if (!error.empty()) {
    console_.Line("fault: {}", error);
    return false;
  }
  for (const std::string& path : contents.temporary) {
    Tell("{}: left by a server that was killed while it wrote; nobody reads it", path);
  }
  bool good = true, found = false;
  const auto each = [&](const std::vector<std::string>& paths, auto&& check) {
    for (const std::string& path : paths) {
      found = true;
      good = check(path) && good;
    }
  };
  each(contents.manifests, [this](const std::string& path) { return CheckManifest(path); });
  each(contents.orphans, [this](const std::string& path) { return RefuseOrphan(path); });
  each(contents.single_logs, [this](const std::string& path) { return CheckFile(path, "", true); });
  each(contents.snapshots, [this](const std::string& path) { return CheckFile(path, "", true); });
  if (!found) console_.Line("fault: {} has no RDB file, no log and no manifest", options_.path);
  return good && found;
}

bool Checker::RefuseOrphan(const std::string& path) {
  return Fault(path, 0, "part of a log, but the manifest that names it is not there");
}

bool Checker::CheckManifest(const std::string& path) {
  AofManifest manifest;
  std::vector<LogPart> parts;
  const std::string error = ReadManifest(fs_, path, &manifest, &parts);
  if (!error.empty()) {
    console_.Line("fault: {}: {}", path, error);
    return false;
  }
  Tell("{}: manifest of a log, {}{}", path, CountOf(parts.size(), "file"),
       manifest.history().empty() ? "" : fmt::format(", and {} to be deleted", manifest.history().size()));
  for (const LogPart& part : parts) {
    const std::string_view what = part.type == AofFileType::kBase ? "base, " : "increment, ";
    if (!CheckFile(part.path, what, &part == &parts.back())) return false;
  }
  return true;
}

uint64_t Checker::SizeOf(const std::string& path) const {
  File file;
  uint64_t size = 0;
  if (!File::OpenToRead(fs_, path, &file)) (void)file.Size(&size);
  return size;
}

bool Checker::CheckFile(const std::string& path, std::string_view what, bool is_last) {
  PathKind kind = PathKind::kUnknown;
  const std::string error = RecognisePath(fs_, path, &kind);
  if (!error.empty()) {
    console_.Line("fault: {}", error);
    return false;
  }
  const uint64_t size = SizeOf(path);
  const auto progress = console_.ProgressOf(path, size);
  Tell("{}: {}{}, {}", path, what, kind == PathKind::kRdb ? "RDB file" : "log", CountOf(size, "byte"));
  LogCheckOptions log_options{.until_s = options_.cut.until_s};
  log_options.rdb.progress = log_options.progress = console_.ProgressOf(path, size);
  log_options.preamble_read = [this](const RdbReport& rdb) { Describe(rdb); };
  const LogReport report = CheckLog(fs_, path, log_options);
  // Called .rdb, but it does not begin as one.
  if (kind == PathKind::kRdb && !report.preamble)
    return Fault(path, 0, "this is no RDB file, only called one");
  const bool has_log = !report.preamble || report.preamble->read.offset < report.file_bytes;
  if (report.state != LogReport::State::kBadRdb && has_log) Describe(report);
  return Act(path, is_last, report);
}

// --- what is said about it ---

void Checker::Describe(const RdbReport& report) {
  const RdbReadResult& read = report.read;
  if (read.version > 0) Tell("  version    {}", read.version);
  for (const auto& [name, value] : report.aux) Tell("  aux        {} {}", Shown(name), Shown(value));
  DescribeKeys(report);
  if (report.expiring > 0) Tell("  expires    {}, {} of them past", report.expiring, report.expired);
  if (read.empty_keys > 0) Tell("  left out   {} without elements", CountOf(read.empty_keys, "key"));
  for (const std::string& note : report.notes) Tell("  note       {}", note);
  if (!report.good() || read.version < rdb::kChecksumVersion) return;
  Tell("  checksum   {}", read.checksum != 0 ? "right" : "none was reckoned");
}

void Checker::DescribeKeys(const RdbReport& report) {
  std::string types;
  for (size_t i = 0; i < RdbReport::kTypes; ++i) {
    if (report.keys_of_type[i] == 0) continue;
    types += fmt::format("{}{} {}", types.empty() ? ": " : ", ", ValueTypeName(static_cast<ValueType>(i)),
                         report.keys_of_type[i]);
  }
  Tell("  keys       {}{}", report.read.keys, types);
  if (report.keys_of_database.empty()) return;
  std::string databases;
  size_t shown = 0;
  for (const auto& [number, keys] : report.keys_of_database) {
    if (++shown > kMaxDatabasesShown) break;
    databases += fmt::format("{}{} ({})", databases.empty() ? "" : ", ", number, CountOf(keys, "key"));
  }
  if (shown > kMaxDatabasesShown) {
    databases += fmt::format(", and {} more", report.keys_of_database.size() - kMaxDatabasesShown);
  }
  Tell("  databases  {}", databases);
}

void Checker::Describe(const LogReport& report) {
  Tell("  commands   {} in {}", report.commands, CountOf(report.units, "unit"));
  if (!report.first_timestamp_s) return;
  Tell("  timestamps {} to {}", *report.first_timestamp_s, *report.last_timestamp_s);
}

bool Checker::Fault(const std::string& path, uint64_t offset, std::string_view reason) {
  console_.Line("fault: {} at offset {}: {}", path, offset, reason);
  return false;
}

bool Checker::RdbFault(const std::string& path, const RdbReadResult& read) {
  std::string reason = read.reason;
  if (read.in_value) {
    reason += fmt::format(" (in the value of key {}, database {}, {}, which begins at {})", KeyText(read.key),
                          read.database, ValueCodeName(read.record_code), read.record_offset);
  }
  Fault(path, read.offset, reason);
  if (options_.cut.fix) {
    console_.Line(
        "  not cut: an RDB file is whole or of no use to a server, and what a cut leaves is not whole");
  }
  return false;
}

// --- what is done about it ---

bool Checker::Act(const std::string& path, bool is_last, const LogReport& report) {
  if (report.state == LogReport::State::kBadRdb) return RdbFault(path, report.preamble->read);
  const CutStep step = DecideCut(report, is_last, options_.cut);
  switch (step) {
    case CutStep::kGood: Tell("  good"); return true;
    case CutStep::kNothingLater:
      console_.Line("{}: good, and nothing in it is later than {}", path, *options_.cut.until_s);
      return true;
    case CutStep::kCutLater:
      return Cut(path, report, fmt::format(", to timestamp {}", *options_.cut.until_s));
    case CutStep::kNothingEarlier:
      console_.Line("fault: {}: nothing in it is as early as {}; not cut", path, *options_.cut.until_s);
      return false;
    case CutStep::kNotLast:
      if (report.state != LogReport::State::kLater) break;
      console_.Line(
          "fault: {} is later than {} from offset {} on, but other files of the log follow; not cut", path,
          *options_.cut.until_s, report.whole_end);
      console_.Line("  Take the files behind it out of the manifest, and then begin again.");
      return false;
    case CutStep::kCutTorn:
    case CutStep::kFault:
    case CutStep::kFaultKept: break;
  }
  Fault(path, report.offset, report.reason);
  if (step != CutStep::kCutTorn) return Advise(report, is_last);
  console_.Line("{}: a cut at offset {} takes off {} of {}", path, report.whole_end,
                CountOf(report.file_bytes - report.whole_end, "byte"), report.file_bytes);
  if (options_.yes || console_.AskToContinue()) return Cut(path, report, "");
  console_.Line("not cut");
  return false;
}

// Always false, the verdict.
bool Checker::Advise(const LogReport& report, bool is_last) {
  const std::string behind = CountOf(report.file_bytes - report.whole_end, "byte");
  switch (report.state) {
    case LogReport::State::kTorn:
      console_.Line("  whole up to offset {}; {}", report.whole_end,
                    is_last ? fmt::format("--fix cuts off the {} behind it", behind)
                            : "not to be cut, as other files of the log follow");
      return false;
    case LogReport::State::kDamaged:
      console_.Line(
          "  whole up to offset {}; the {} behind it may hold good commands, so --fix does not cut here",
          report.whole_end, behind);
      return false;
    default: return false;
  }
}

bool Checker::Cut(const std::string& path, const LogReport& report, std::string_view where) {
  const std::string error = CutLog(fs_, path, report);
  if (!error.empty()) {
    console_.Line("fault: not cut: {}", error);
    return false;
  }
  console_.Line("{}: cut from {} bytes to {}{}", path, report.file_bytes, report.whole_end, where);
  return true;
}

}  // namespace

int RunPinyonCheck(FileSystem& fs, const std::vector<std::string>& args, Console& console) {
  const CheckOptions options = ParseCheckOptions(args);
  switch (options.action) {
    case CheckOptions::Action::kPrint: console.Line("{}", options.text); return kGoodCode;
    case CheckOptions::Action::kRefuse:
      console.PrintError(fmt::format("pinyon-check: {}\nTry pinyon-check --help.\n", options.text));
      return kUsageCode;
    case CheckOptions::Action::kCheck: break;
  }
  return Checker(fs, options, console).Run();
}

}  // namespace pinyon
