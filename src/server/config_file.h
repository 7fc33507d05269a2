// Reads configuration in the format of redis.conf into a SettingsRegistry.
//
// One directive a line: words as base/strings.h splits them; blank lines and lines that start with # are
// skipped; `include` takes a path or a glob pattern, relative to the current folder, and is read where it
// stands. Later lines override earlier ones. Reading stops at the first error, which is returned as the whole
// text to print on standard error, without a newline at its end; empty means success. After an error the
// registry holds what came before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace pinyon {

class ConfigReader {
 public:
  // Includes nest at most this deep, which also ends files that include themselves.
  static constexpr int kMaxIncludeDepth = 16;

  // `registry` outlives the reader.
  explicit ConfigReader(SettingsRegistry* registry) : registry_(registry) {}

  // The file at `path`, and what it includes.
  std::string ReadFile(const std::string& path);
  // Everything until the end of an open descriptor, standard input usually; `name` is what errors call it.
  std::string ReadDescriptor(int fd, std::string_view name);
  // A configuration held in memory; `name` as above.
  std::string ReadText(std::string_view text, std::string_view name);
  // One option of the command line, as words; `shown` is how errors quote it, `number` its place, from 1.
  std::string ReadOption(const std::vector<std::string>& words, std::string_view shown, int number);

 private:
  std::string ReadLine(std::string_view line, std::string* include_error);
  std::string Include(const std::string& pattern, std::string* include_error);

  SettingsRegistry* registry_;
  int include_depth_ = 0;
};

// The line that starts every report of a mistake in the configuration, with the newlines around it.
std::string FatalConfigHeadline();
// The block in which a mistake in the configuration is reported. `place` follows "Reading ".
std::string FormatConfigError(std::string_view place, std::string_view line, std::string_view reason);

}  // namespace pinyon
