// The server's log: one line per event, in Redis's format, so that tools that read Redis's log read this one.
//
//   <pid>:<role> <dd Mon yyyy HH:MM:SS.mmm> <level> <message>
//   1234:M 06 Feb 2024 11:23:45.678 * Ready to accept connections
//
//   role    M master, S replica, C child, X sentinel
//   level   . debug, - verbose, * notice, # warning
//
// The file is opened for every line, in append mode, written with one write(2) and closed. Lines are rare, so
// this costs nothing that matters, and it buys three things: log rotation works without a signal, lines of a
// forked child and of other threads never interleave within a line, and no lock exists that a fork could
// leave locked. For the same reason the time zone is cached (localtime_r takes a lock): call RefreshTimeZone
// from periodic work.
//
// Nothing here throws, and no failure to write (full disk, missing folder, no descriptors) is more than a
// lost line; a line whose file cannot be opened goes to standard error.
//
// Thread safety: every function but RefreshTimeZone from any thread; level and role are atomics.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace pinyon {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };

enum class LogRole : char { kMaster = 'M', kReplica = 'S', kChild = 'C', kSentinel = 'X' };

class Log {
 public:
  // `path` empty: standard output.
  explicit Log(std::string path = "", LogLevel level = LogLevel::kNotice);

  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Whether lines can be appended to the file; creates it. On false errno says why. For the check at start.
  [[nodiscard]] bool CanOpen() const;

  void SetLevel(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  bool Enabled(LogLevel level) const { return level >= this->level() && level != LogLevel::kNothing; }

  // A forked child calls this with kChild; a line's process id is asked of the kernel every time.
  void SetRole(LogRole role) { role_.store(role, std::memory_order_relaxed); }

  const std::string& path() const { return path_; }

  // Takes changes of the offset from UTC (daylight saving) into account. Only from the thread that forks.
  void RefreshTimeZone();

  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, const Args&... args) {
    Write(LogLevel::kDebug, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void Verbose(fmt::format_string<Args...> format, const Args&... args) {
    Write(LogLevel::kVerbose, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void Notice(fmt::format_string<Args...> format, const Args&... args) {
    Write(LogLevel::kNotice, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> format, const Args&... args) {
    Write(LogLevel::kWarning, format, fmt::make_format_args(args...));
  }

  // One line at `level`, formatted only if that level is written.
  void Write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept;

  // `text` as it is, without prefix or newline: the banner, the crash report.
  void Raw(LogLevel level, std::string_view text) noexcept;

 private:
  void Append(std::string_view bytes) noexcept;

  const std::string path_;
  std::atomic<LogLevel> level_;
  std::atomic<LogRole> role_{LogRole::kMaster};
  std::atomic<int64_t> utc_offset_seconds_{0};
};

}  // namespace pinyon
