#include "persist/aof_loader.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/numbers.h"
#include "base/strings.h"
#include "persist/aof_reader.h"

namespace pinyon {

namespace {

// Of a command's name in an error.
constexpr size_t kShownNameBytes = 64;

std::string ShownName(std::string_view name) { return QuoteForLog(name.substr(0, kShownNameBytes)); }

FileError Cut(FileSystem& fs, const std::string& path, uint64_t size) {
  File file;
  if (FileError error = File::Open(fs, path, O_WRONLY, &file)) return error;
  if (FileError error = file.Truncate(size)) return error;
  return file.Sync();
}

}  // namespace

AofLoader::Result AofLoader::Load(const AofDirectory& directory, bool load_truncated) {
  Result result;
  if (FileError error = directory.TotalBytes(&total_)) {
    result.error = error.Text();
    return result;
  }
  const int64_t start_us = MonotonicUs();
  const std::vector<AofFile> files = directory.manifest().Files();
  done_before_ = 0;
  for (const AofFile& file : files) {
    done_in_file_ = 0;
    const int64_t file_start_us = MonotonicUs();
    if (!LoadFile(directory.PathOf(file), &file == &files.back(), load_truncated, &result)) return result;
    if (file.type == AofFileType::kBase) result.base_bytes = done_in_file_;
    done_before_ += done_in_file_;
    if (done_in_file_ == 0) continue;
    Log(false, fmt::format("DB loaded from {} file {}: {:.3f} seconds",
                           file.type == AofFileType::kBase ? "base" : "incr", file.name,
                           static_cast<double>(MonotonicUs() - file_start_us) / 1e6));
  }
  result.bytes = done_before_;
  result.ok = true;
  Log(false, fmt::format("DB loaded from append only file: {:.3f} seconds",
                         static_cast<double>(MonotonicUs() - start_us) / 1e6));
  return result;
}

bool AofLoader::LoadFile(const std::string& path, bool is_last, bool load_truncated, Result* result) {
  const auto fail = [&](uint64_t offset, std::string_view reason) {
    result->error = fmt::format("{} at offset {}: {}", path, offset, reason);
    return false;
  };
  AofReader reader;
  if (FileError error = reader.Open(fs_, path)) {
    result->error = error.Text();
    return false;
  }
  if (reader.HasRdbPreamble()) {
    uint64_t end = 0;
    std::string error;
    if (!hooks_.load_rdb || !hooks_.load_rdb(path, &end, &error)) {
      result->error =
          fmt::format("{}: {}", path, error.empty() ? "an RDB file, which cannot be read here" : error);
      return false;
    }
    reader.SkipTo(end);
  }
  database_ = 0;
  const AofReader::Result read = reader.Read(
      {.unit = [&](std::span<const LogCommand> commands, uint64_t* offset) -> std::optional<std::string> {
         std::string error;
         if (!RunUnit(commands, offset, &error)) return error;
         ++result->units;
         return std::nullopt;
       },
       .annotation = {},
       .progress =
           [&](uint64_t bytes) {
             done_in_file_ = bytes;
             Progress();
           }});
  done_in_file_ = reader.whole_end();
  switch (read.status) {
    case AofReader::Status::kEnd: return true;
    case AofReader::Status::kTorn: break;
    default: return fail(read.offset, read.reason);
  }
  if (!is_last)
    return fail(read.offset, fmt::format("{}, and it is not the last file of the log", read.reason));
  if (!load_truncated) {
    return fail(read.offset,
                fmt::format("{}; whole up to offset {}. Enable aof-load-truncated, or cut it there "
                            "(pinyon-check --fix)",
                            read.reason, reader.whole_end()));
  }
  const std::string name = path.substr(path.rfind('/') + 1);
  Log(true, fmt::format("!!! Warning: short read while loading the AOF file {}!!!", name));
  Log(true, fmt::format("!!! Truncating the AOF {} at offset {} !!!", name, reader.whole_end()));
  if (FileError error = Cut(fs_, path, reader.whole_end())) {
    result->error = error.Text();
    return false;
  }
  result->cut_bytes = reader.file_bytes() - reader.whole_end();
  Log(true, fmt::format("AOF {} loaded anyway because aof-load-truncated is enabled", name));
  return true;
}

bool AofLoader::RunUnit(std::span<const LogCommand> commands, uint64_t* offset, std::string* error) {
  executor_.BeginUnit();
  bool ok = true;
  for (const LogCommand& command : commands) {
    *offset = command.offset;
    ok = RunCommand(command, error);
    if (!ok) break;
  }
  executor_.EndUnit();
  return ok;
}

bool AofLoader::RunCommand(const LogCommand& command, std::string* error) {
  const std::string_view name = command.args[0];
  if (command.args.size() == 2 && EqualsIgnoreCase(name, "SELECT")) {
    int64_t number = 0;
    if (!ParseInt64(command.args[1], &number) || number < 0 || number >= executor_.DatabaseCount()) {
      *error = fmt::format("SELECT {}: the server has {} databases", ShownName(command.args[1]),
                           executor_.DatabaseCount());
      return false;
    }
    database_ = static_cast<int>(number);
    return true;
  }
  const Executor::Result ran = executor_.Run(database_, command.args);
  switch (ran.verdict) {
    case Executor::Result::Verdict::kDone: return true;
    case Executor::Result::Verdict::kUnknownCommand:
      *error = fmt::format("unknown command {}", ShownName(name));
      return false;
    case Executor::Result::Verdict::kRefused:
      *error = fmt::format("command {} failed: {}", ShownName(name), ran.text);
      return false;
  }
  return false;
}

}  // namespace pinyon
