// Writes requests as RESP has them: an array of bulk strings. For what is sent to others, or kept in a log.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pinyon {

void AppendRequest(std::string* text, std::span<const std::string_view> args);

}  // namespace pinyon
