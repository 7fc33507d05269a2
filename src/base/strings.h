// Small text helpers over bytes: ASCII case, the quoting rules of inline commands and configuration lines,
// and the quoting of untrusted bytes for a log line. Only A-Z and a-z have a case; bytes above 127 are left
// alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pinyon {

inline constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
inline constexpr char ToUpper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
}

// White space as isspace has it in the C locale.
inline constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string ToLower(std::string_view text);
std::string ToUpper(std::string_view text);

// Eight bytes at a time; no allocation.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// The words of an inline command or of a configuration line. Words are separated by white space; a part of a
// word in double quotes may hold \n \r \t \b \a \xHH and \ before any other byte; in single quotes only \' is
// an escape. A closing quote must be followed by white space or the end. Unbalanced quotes give nullopt, a
// blank line no words. A zero byte outside quotes ends the line; within quotes it is an unbalanced quote.
std::optional<std::vector<std::string>> SplitArgs(std::string_view line);

// "text" in double quotes, with what is not printable ASCII escaped so that SplitArgs reads it back: the form
// of MONITOR lines, the crash report and everything of a client's that reaches the log.
std::string QuoteForLog(std::string_view text);

}  // namespace pinyon
