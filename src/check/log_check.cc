#include "check/log_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/numbers.h"
#include "persist/aof_reader.h"

namespace pinyon {

namespace {

constexpr std::string_view kTimestampPrefix = "TS:";

// Whether these bytes begin a line of a length, and may be all of it but its end.
bool BeginsLength(std::string_view text) {
  if (!text.empty() && (text[0] == '*' || text[0] == '$')) text.remove_prefix(1);
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
  return text.empty() || text == "\r";
}

// Whether from `offset` on there are only zero bytes, behind the beginning of a length at most.
bool IsUnwrittenTail(const File& file, uint64_t offset) {
  constexpr size_t kBlockBytes = 64 * 1024;
  std::string block(kBlockBytes, '\0');
  bool in_zeros = false;
  for (;;) {
    size_t count = 0;
    if (file.Read(offset, block.data(), block.size(), &count)) return false;
    if (count == 0) return in_zeros;
    std::string_view bytes(block.data(), count);
    if (!in_zeros) {
      const size_t zero = bytes.find('\0');
      if (zero == std::string_view::npos || !BeginsLength(bytes.substr(0, zero))) return false;
      bytes.remove_prefix(zero);
      in_zeros = true;
    }
    if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '\0'; })) return false;
    offset += count;
  }
}

class LogChecker {
 public:
  LogChecker(FileSystem& fs, const std::string& path, const LogCheckOptions& options)
      : fs_(fs), path_(path), options_(options) {}

  LogReport Run() {
    if (const FileError error = reader_.Open(fs_, path_)) return Unreadable(error);
    report_.file_bytes = reader_.file_bytes();
    if (reader_.HasRdbPreamble() && !ReadPreamble()) return std::move(report_);
    const AofReader::Result result = reader_.Read(
        {.unit = [this](std::span<const LogCommand> commands, uint64_t*) -> std::optional<std::string> {
           ++report_.units;
           report_.commands += commands.size();
           return std::nullopt;
         },
         .annotation = [this](std::string_view text,
                              uint64_t offset) { return TakeAnnotation(text, offset); },
         .progress = options_.progress});
    report_.whole_end = reader_.whole_end();
    report_.lines = reader_.lines();
    // An annotation ended it.
    if (report_.state == LogReport::State::kWhole) Conclude(result);
    return std::move(report_);
  }

 private:
  LogReport Unreadable(const FileError& error) {
    report_.state = LogReport::State::kUnreadable;
    report_.reason = error.Text();
    return std::move(report_);
  }

  bool ReadPreamble() {
    RdbReport& rdb = report_.preamble.emplace();
    if (const FileError error = CheckRdb(fs_, path_, options_.rdb, &rdb)) {
      report_.state = LogReport::State::kUnreadable;
      report_.reason = error.Text();
      return false;
    }
    if (options_.preamble_read) options_.preamble_read(rdb);
    if (!rdb.good()) {
      report_.state = LogReport::State::kBadRdb;
      report_.offset = rdb.read.offset;
      report_.reason = rdb.read.reason;
      return false;
    }
    reader_.SkipTo(rdb.read.offset);
    return true;
  }

  // False ends the reading.
  bool TakeAnnotation(std::string_view text, uint64_t offset) {
    if (!text.starts_with(kTimestampPrefix)) return true;
    text.remove_prefix(kTimestampPrefix.size());
    int64_t timestamp_s = 0;
    if (!ParseInt64(text, &timestamp_s)) {
      // Whoever does not ask for times does not need them: servers skip annotations.
      if (!options_.until_s) return true;
      return End(LogReport::State::kDamaged, offset, "a timestamp is no number");
    }
    if (options_.until_s && timestamp_s > *options_.until_s) {
      return End(LogReport::State::kLater, offset, fmt::format("timestamp {}", timestamp_s));
    }
    if (!report_.first_timestamp_s) report_.first_timestamp_s = timestamp_s;
    report_.last_timestamp_s = timestamp_s;
    return true;
  }

  bool End(LogReport::State state, uint64_t offset, std::string reason) {
    report_.state = state;
    report_.offset = offset;
    report_.reason = std::move(reason);
    return false;
  }

  void Conclude(const AofReader::Result& result) {
    switch (result.status) {
      case AofReader::Status::kEnd: return;
      case AofReader::Status::kTorn: End(LogReport::State::kTorn, result.offset, result.reason); return;
      case AofReader::Status::kIoError:
        End(LogReport::State::kUnreadable, result.offset, result.reason);
        return;
      case AofReader::Status::kRefused:  // (nothing here refuses)
      case AofReader::Status::kDamaged: break;
    }
    File file;
    if (!File::OpenToRead(fs_, path_, &file) && IsUnwrittenTail(file, result.offset)) {
      End(LogReport::State::kTorn, result.offset, "the file ends in zero bytes, which nobody wrote");
    } else {
      End(LogReport::State::kDamaged, result.offset, result.reason);
    }
  }

  FileSystem& fs_;
  const std::string& path_;
  const LogCheckOptions& options_;
  AofReader reader_;
  LogReport report_;
};

}  // namespace

LogReport CheckLog(FileSystem& fs, const std::string& path, const LogCheckOptions& options) {
  return LogChecker(fs, path, options).Run();
}

}  // namespace pinyon
