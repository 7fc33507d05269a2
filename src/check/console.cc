#include "check/console.h"

#include <unistd.h>

#include <algorithm>

#include "base/clock.h"

namespace pinyon {

namespace {

constexpr int64_t kQuietUs = 500'000;
constexpr int64_t kProgressEveryUs = 100'000;

}  // namespace

Console::Console(std::FILE* in, std::FILE* out, std::FILE* err)
    : in_(in),
      out_(out),
      err_(err),
      shows_progress_(::isatty(::fileno(err)) == 1),
      start_us_(MonotonicUs()) {}

void Console::Print(std::string_view text) {
  WipeProgress();
  std::fwrite(text.data(), 1, text.size(), out_);
}

void Console::PrintError(std::string_view text) {
  WipeProgress();
  std::fflush(out_);
  std::fwrite(text.data(), 1, text.size(), err_);
}

bool Console::AskToContinue() {
  Print("Continue? [y/N]: ");
  std::fflush(out_);
  const int first = std::fgetc(in_);
  for (int next = first; next != '\n' && next != EOF;) next = std::fgetc(in_);
  return first == 'y' || first == 'Y';
}

std::function<void(uint64_t)> Console::ProgressOf(std::string name, uint64_t total) {
  if (!shows_progress_) return {};
  return [this, name = std::move(name), total](uint64_t done) { ShowProgress(name, done, total); };
}

void Console::ShowProgress(std::string_view name, uint64_t done, uint64_t total) {
  const int64_t now_us = MonotonicUs();
  if (now_us - start_us_ < kQuietUs || now_us - shown_us_ < kProgressEveryUs) return;
  // What was said before shows first.
  std::fflush(out_);
  const double share =
      total == 0 ? 1.0 : static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  // (ESC [ K: to the end of the line.)
  const std::string line =
      fmt::format("\r{}: {} of {} MB, {:.0f}%\033[K", name, done >> 20, total >> 20, share * 100);
  std::fwrite(line.data(), 1, line.size(), err_);
  std::fflush(err_);
  shown_us_ = now_us;
}

void Console::WipeProgress() {
  if (shown_us_ == 0) return;
  std::fputs("\r\033[K", err_);
  std::fflush(err_);
  shown_us_ = 0;
}

bool Console::ok() { return std::fflush(out_) == 0 && std::ferror(out_) == 0; }

}  // namespace pinyon
