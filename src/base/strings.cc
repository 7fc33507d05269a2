#include "base/strings.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/assert.h"

namespace pinyon {

namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

template <typename Word>
Word LoadWord(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Lowers every byte of a word at once. Bytes are cut to seven bits so that adding cannot carry into the next
// one; the top bit of each sum then tells "at least 'A'" and "beyond 'Z'", and moved by two it is the bit
// that makes a capital a small letter.
template <typename Word>
Word LowerWord(Word word) {
  constexpr Word kOnes = static_cast<Word>(~Word{0}) / 0xFF;
  constexpr Word kTopBits = kOnes * 0x80;
  const Word low_bits = word & static_cast<Word>(~kTopBits);
  const Word at_least_a = low_bits + kOnes * (0x80 - 'A');
  const Word beyond_z = low_bits + kOnes * (0x7F - 'Z');
  return word | (((at_least_a & ~beyond_z & ~word) & kTopBits) >> 2);
}

// For texts of at least one word. The last word overlaps the one before, so that no bytes are left over.
template <typename Word>
bool EqualWords(const char* a, const char* b, size_t size) {
  PINYON_ASSERT(size >= sizeof(Word));
  const size_t last = size - sizeof(Word);
  for (size_t i = 0; i < last; i += sizeof(Word)) {
    if (LowerWord(LoadWord<Word>(a + i)) != LowerWord(LoadWord<Word>(b + i))) return false;
  }
  return LowerWord(LoadWord<Word>(a + last)) == LowerWord(LoadWord<Word>(b + last));
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Vertical tab and form feed separate words, but do not end one: so does Redis.
bool EndsWord(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Reads one escape in double quotes; *position is behind the backslash and moves behind the escape.
char ReadEscape(std::string_view line, size_t* position) {
  const char c = line[*position];
  if (c == 'x' && *position + 2 < line.size()) {
    const int high = HexValue(line[*position + 1]);
    const int low = HexValue(line[*position + 2]);
    if (high >= 0 && low >= 0) {
      *position += 3;
      return static_cast<char>(high * 16 + low);
    }
  }
  ++*position;
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

// Reads what is quoted; *position is behind the opening quote and moves behind the closing one. False when
// there is none, or when it is not at the end of its word.
bool ReadQuoted(std::string_view line, char quote, size_t* position, std::string* word) {
  size_t i = *position;
  while (i < line.size() && line[i] != quote) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      if (quote == '"') {
        word->push_back(ReadEscape(line, &++i));
        continue;
      }
      if (line[i + 1] == '\'') ++i;
    }
    word->push_back(line[i++]);
  }
  if (i == line.size()) return false;
  ++i;
  *position = i;
  return i == line.size() || IsSpace(line[i]);
}

// Reads one word; *position is at its first byte and moves behind its last.
bool ReadWord(std::string_view line, size_t* position, std::string* word) {
  while (*position < line.size() && !EndsWord(line[*position])) {
    const char c = line[(*position)++];
    if (c == '"' || c == '\'') return ReadQuoted(line, c, position, word);
    word->push_back(c);
  }
  return true;
}

}  // namespace

std::string ToLower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ToLower(c);
  return result;
}

std::string ToUpper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ToUpper(c);
  return result;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() >= sizeof(uint64_t)) return EqualWords<uint64_t>(a.data(), b.data(), a.size());
  if (a.size() >= sizeof(uint32_t)) return EqualWords<uint32_t>(a.data(), b.data(), a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

std::optional<std::vector<std::string>> SplitArgs(std::string_view line) {
  line = line.substr(0, line.find('\0'));
  std::vector<std::string> words;
  size_t position = 0;
  while (true) {
    while (position < line.size() && IsSpace(line[position])) ++position;
    if (position == line.size()) return words;
    if (!ReadWord(line, &position, &words.emplace_back())) return std::nullopt;
  }
}

std::string QuoteForLog(std::string_view text) {
  std::string quoted;
  quoted.reserve(text.size() + 2);
  quoted.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '\\':
      case '"':
        quoted.push_back('\\');
        quoted.push_back(c);
        break;
      case '\n': quoted += "\\n"; break;
      case '\r': quoted += "\\r"; break;
      case '\t': quoted += "\\t"; break;
      case '\a': quoted += "\\a"; break;
      case '\b': quoted += "\\b"; break;
      default:
        if (byte >= ' ' && byte < 0x7F) {
          quoted.push_back(c);
        } else {
          quoted += "\\x";
          quoted.push_back(kHexDigits[byte >> 4]);
          quoted.push_back(kHexDigits[byte & 15]);
        }
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace pinyon
