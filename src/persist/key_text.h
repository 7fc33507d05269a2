// A key as messages show it: quoted as in the log, long ones cut.
#pragma once

#include <string>
#include <string_view>

#include "base/strings.h"

namespace pinyon {

inline std::string KeyText(std::string_view key) {
  constexpr size_t kMaxShown = 128;
  std::string text = QuoteForLog(key.substr(0, kMaxShown));
  if (key.size() > kMaxShown) text += "...";
  return text;
}

}  // namespace pinyon
