#include "base/glob.h"

#include <algorithm>
#include <cstddef>

#include "base/assert.h"
#include "base/strings.h"

namespace pinyon {

namespace {

char FoldCase(char c, bool ignore_case) { return ignore_case ? ToLower(c) : c; }

// Whether `c` is in the class that opens at pattern[*position]; moves *position behind the class.
//
// Three probed oddities: bytes are compared as signed in a range; a range is put in order before its case is
// folded, so [Z-a] is empty without case; and an escaped member keeps its case.
bool MatchClass(std::string_view pattern, size_t* position, char c, bool ignore_case) {
  size_t i = *position + 1;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  const char folded = FoldCase(c, ignore_case);
  bool found = false;
  for (; i < pattern.size() && pattern[i] != ']'; ++i) {
    const size_t left = pattern.size() - i;
    if (pattern[i] == '\\' && left >= 2) {
      ++i;
      found |= pattern[i] == c;
    } else if (left >= 3 && pattern[i + 1] == '-') {
      // By value, through an initializer list: the other form would return references to temporaries.
      const auto [low, high] =
          std::minmax({static_cast<signed char>(pattern[i]), static_cast<signed char>(pattern[i + 2])});
      const auto value = static_cast<signed char>(folded);
      found |= value >= static_cast<signed char>(FoldCase(static_cast<char>(low), ignore_case)) &&
               value <= static_cast<signed char>(FoldCase(static_cast<char>(high), ignore_case));
      i += 2;
    } else {
      found |= FoldCase(pattern[i], ignore_case) == folded;
    }
  }
  *position = std::min(i + 1, pattern.size());
  return found != negated;
}

// Whether `c` matches the element at pattern[*position], which is not a star; moves *position behind the
// element.
bool MatchOne(std::string_view pattern, size_t* position, char c, bool ignore_case) {
  PINYON_ASSERT(*position < pattern.size());
  switch (pattern[*position]) {
    case '?': ++*position; return true;
    case '[': return MatchClass(pattern, position, c, ignore_case);
    case '\\':
      if (*position + 1 < pattern.size()) ++*position;
      break;
    default: break;
  }
  return FoldCase(pattern[(*position)++], ignore_case) == FoldCase(c, ignore_case);
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (text.empty()) return pattern.empty();
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t after_star = kNone;  // the pattern behind the last star seen
  size_t star_end = 0;        // the text that this star takes ends here
  size_t p = 0;
  size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      while (p < pattern.size() && pattern[p] == '*') ++p;
      if (p == pattern.size()) return true;
      after_star = p;
      star_end = t;
    } else if (p < pattern.size() && MatchOne(pattern, &p, text[t], ignore_case)) {
      ++t;
    } else if (after_star != kNone) {
      p = after_star;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace pinyon
