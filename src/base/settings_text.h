// How values of directives are printed for CONFIG GET and into configuration files. Pure functions of their
// arguments; cost is linear in the text. Splitting and quoting themselves are in base/strings.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pinyon {

// Words joined by one space, none quoted.
std::string JoinWords(const std::vector<std::string>& words);

// Splits at every single space and drops empty pieces; knows no quotes. So CONFIG SET splits its one value
// for a directive of several words.
std::vector<std::string> SplitAtSpaces(std::string_view text);

// Bytes in the largest unit that divides them: 1gb, 64mb, 3kb, 1000.
std::string FormatMemory(int64_t bytes);

}  // namespace pinyon
