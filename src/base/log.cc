#include "base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace pinyon {

namespace {

constexpr mode_t kFileMode = 0644;
constexpr std::array<char, 4> kLevelMarks = {'.', '-', '*', '#'};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int OpenForAppend(const std::string& path) {
  int descriptor;
  do {
    descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

// Gives up at the first error: there is nowhere to report it, and what comes next may be written again.
void WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// The calendar is computed here since localtime_r takes a lock, which a fork could copy while it is held.
void AppendPrefix(fmt::memory_buffer* line, LogLevel level, LogRole role, int64_t utc_offset_seconds) {
  using std::chrono::floor, std::chrono::days, std::chrono::milliseconds;
  const auto local =
      floor<milliseconds>(std::chrono::system_clock::now()) + std::chrono::seconds(utc_offset_seconds);
  const auto day = floor<days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  fmt::format_to(std::back_inserter(*line), "{}:{} {:02} {} {} {:02}:{:02}:{:02}.{:03} {} ", getpid(),
                 static_cast<char>(role), static_cast<unsigned>(date.day()),
                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                 time.hours().count(), time.minutes().count(), time.seconds().count(),
                 time.subseconds().count(), kLevelMarks[static_cast<size_t>(level)]);
}

}  // namespace

Log::Log(std::string path, LogLevel level) : path_(std::move(path)), level_(level) { RefreshTimeZone(); }

bool Log::CanOpen() const {
  if (path_.empty()) return true;
  const int descriptor = OpenForAppend(path_);
  if (descriptor < 0) return false;
  close(descriptor);
  return true;
}

void Log::RefreshTimeZone() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  tzset();
  if (localtime_r(&now, &local) == nullptr) return;
  utc_offset_seconds_.store(local.tm_gmtoff, std::memory_order_relaxed);
}

void Log::Write(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept {
  PINYON_ASSERT(level < LogLevel::kNothing);
  if (!Enabled(level)) return;
  // Formats are checked when compiling, so what can throw here is running out of memory.
  try {
    fmt::memory_buffer line;
    AppendPrefix(&line, level, role_.load(std::memory_order_relaxed),
                 utc_offset_seconds_.load(std::memory_order_relaxed));
    fmt::vformat_to(std::back_inserter(line), format, args);
    line.push_back('\n');
    Append({line.data(), line.size()});
  } catch (...) {
    Append("(a log line was lost: it could not be formatted)\n");
  }
}

void Log::Raw(LogLevel level, std::string_view text) noexcept {
  if (Enabled(level)) Append(text);
}

void Log::Append(std::string_view bytes) noexcept {
  // The caller may be about to report errno.
  const int saved_errno = errno;
  if (path_.empty()) {
    WriteAll(STDOUT_FILENO, bytes);
  } else if (const int descriptor = OpenForAppend(path_); descriptor >= 0) {
    WriteAll(descriptor, bytes);
    close(descriptor);
  } else {
    WriteAll(STDERR_FILENO, bytes);
  }
  errno = saved_errno;
}

}  // namespace pinyon
