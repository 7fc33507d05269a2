#include "base/settings_text.h"

#include <algorithm>

namespace pinyon {

std::string JoinWords(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

std::vector<std::string> SplitAtSpaces(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string FormatMemory(int64_t bytes) {
  struct Unit {
    int64_t size_bytes;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{1LL << 30, "gb"}, {1LL << 20, "mb"}, {1LL << 10, "kb"}};
  for (const Unit& unit : kUnits) {
    if (bytes != 0 && bytes % unit.size_bytes == 0)
      return std::to_string(bytes / unit.size_bytes) + unit.name;
  }
  return std::to_string(bytes);
}

}  // namespace pinyon
