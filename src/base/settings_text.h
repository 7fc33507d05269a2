// The words of a configuration line: Redis's splitting and quoting rules, and how values are printed.
// Pure functions of their arguments; cost is linear in the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinyon {

// Splits at white space. "double quotes" know \n \r \t \b \a \\ \" and \xHH; 'single quotes' know \' only; a
// closing quote must be followed by white space or the end. Returns nothing when quotes are unbalanced.
std::optional<std::vector<std::string>> SplitWords(std::string_view line);

// The text in double quotes, with everything that is not printable ASCII escaped, so that SplitWords() reads
// it back.
std::string QuoteWord(std::string_view text);

// The text itself if SplitWords() reads it as that one word, else QuoteWord(text).
std::string QuoteWordIfNeeded(std::string_view text);

// Words joined by one space, none quoted.
std::string JoinWords(const std::vector<std::string>& words);

// Bytes in the largest unit that divides them: 1gb, 64mb, 3kb, 1000.
std::string FormatMemory(int64_t bytes);

std::string ToLowerAscii(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace pinyon
