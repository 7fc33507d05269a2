// What a client may call itself: names stand in CLIENT LIST's lines, so they hold no spaces and nothing
// unprintable.
#pragma once

#include <algorithm>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

inline bool IsClientText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

// Sets the session's name, an empty one removes it; on failure replies the error and returns false.
inline bool SetClientName(Call& call, std::string_view name) {
  if (!IsClientText(name)) {
    return call.Fail("ERR Client names cannot contain spaces, newlines or special characters.");
  }
  call.session.name = name;
  return true;
}

}  // namespace pinyon
