#include "server/config_file.h"

#include <fcntl.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/strings.h"

namespace pinyon {
namespace {

constexpr char kBlanks[] = " \t\r\n";
constexpr size_t kReadBytes = 64 * 1024;

std::string_view Trim(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

std::string CannotOpen(const std::string& path, int error) {
  return "Fatal error, can't open config file '" + path + "': " + strerror(error);
}

// What errno said, 0 for success.
int ReadAll(int fd, std::string* text) {
  for (;;) {
    const size_t old_size = text->size();
    text->resize(old_size + kReadBytes);
    const ssize_t got = read(fd, text->data() + old_size, kReadBytes);
    const int error = got < 0 ? errno : 0;
    text->resize(old_size + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got == 0) return 0;
    if (error != 0 && error != EINTR) return error;
  }
}

}  // namespace

std::string FatalConfigHeadline() {
  return "\n*** FATAL CONFIG FILE ERROR (Pinyon " PINYON_VERSION ") ***\n";
}

std::string FormatConfigError(std::string_view place, std::string_view line, std::string_view reason) {
  std::string text = FatalConfigHeadline() + "Reading ";
  text += place;
  text += "\n>>> '";
  text += line;
  text += "'\n";
  text += reason;
  return text;
}

std::string ConfigReader::ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotOpen(path, errno);
  std::string error = ReadDescriptor(fd, path);
  close(fd);
  return error;
}

std::string ConfigReader::ReadDescriptor(int fd, std::string_view name) {
  std::string text;
  if (const int error = ReadAll(fd, &text); error != 0) return CannotOpen(std::string(name), error);
  return ReadText(text, name);
}

std::string ConfigReader::ReadText(std::string_view text, std::string_view name) {
  size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    std::string include_error;
    const std::string reason = ReadLine(line, &include_error);
    if (!include_error.empty()) return include_error;
    if (reason.empty()) continue;
    const std::string place =
        "the configuration file, at line " + std::to_string(line_number) + " of " + std::string(name);
    return FormatConfigError(place, line, reason);
  }
  return {};
}

std::string ConfigReader::ReadOption(const std::vector<std::string>& words, std::string_view shown,
                                     int number) {
  std::string include_error;
  std::string reason;
  if (words.empty() && shown.empty()) return {};
  if (words.size() == 2 && EqualsIgnoreCase(words[0], "include")) {
    reason = Include(words[1], &include_error);
  } else {
    reason = words.empty() ? "Unbalanced quotes in configuration line" : registry_->Load(words);
  }
  if (!include_error.empty()) return include_error;
  if (reason.empty()) return {};
  return FormatConfigError("the command line, at option " + std::to_string(number), shown, reason);
}

// Returns the reason that the line is wrong. What is wrong in an included file has a place and line of its
// own and goes, whole, into `include_error`.
std::string ConfigReader::ReadLine(std::string_view line, std::string* include_error) {
  const auto words = SplitArgs(line);
  if (!words) return "Unbalanced quotes in configuration line";
  if (words->empty()) return {};
  if (words->size() == 2 && EqualsIgnoreCase(words->front(), "include"))
    return Include(words->back(), include_error);
  return registry_->Load(*words);
}

std::string ConfigReader::Include(const std::string& pattern, std::string* include_error) {
  if (include_depth_ >= kMaxIncludeDepth) {
    return "include nested more than " + std::to_string(kMaxIncludeDepth) + " deep";
  }
  std::vector<std::string> paths;
  if (pattern.find_first_of("*?[") == std::string::npos) {
    paths.push_back(pattern);
  } else {
    glob_t found = {};
    const int status = glob(pattern.c_str(), 0, nullptr, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    globfree(&found);
    // A pattern that matches nothing is not an error: conf.d folders may be empty.
    if (status != 0 && status != GLOB_NOMATCH) return "can't read the folder of the include pattern";
  }
  ++include_depth_;
  for (const std::string& path : paths) {
    registry_->BeginSource();
    *include_error = ReadFile(path);
    if (!include_error->empty()) break;
  }
  --include_depth_;
  PINYON_ASSERT(include_depth_ >= 0);
  registry_->BeginSource();
  return {};
}

}  // namespace pinyon
