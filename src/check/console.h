// What the checker says, asks and shows while it works: reports to one stream, progress to another if that is
// a terminal, answers from a third.
//
// A line of progress is drawn over the last one, a few times a second and only once the work takes long; it
// is wiped away before anything else is printed.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace pinyon {

class Console {
 public:
  Console(std::FILE* in, std::FILE* out, std::FILE* err);
  ~Console() { WipeProgress(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // A line of the report.
  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    Print(fmt::format(format, std::forward<Args>(args)...) + "\n");
  }
  void Print(std::string_view text);
  // For usage and the like.
  void PrintError(std::string_view text);

  // Prints "Continue? [y/N]: " and reads a line; whether it begins with a y. The end of the input is a no.
  bool AskToContinue();

  // For readers, which call it with the bytes done so far.
  std::function<void(uint64_t)> ProgressOf(std::string name, uint64_t total);

  // Whether all that was said went out.
  bool ok();

 private:
  void ShowProgress(std::string_view name, uint64_t done, uint64_t total);
  void WipeProgress();

  std::FILE* in_;
  std::FILE* out_;
  std::FILE* err_;
  const bool shows_progress_;
  const int64_t start_us_;
  int64_t shown_us_ = 0;  // 0: no line of progress stands there
};

}  // namespace pinyon
