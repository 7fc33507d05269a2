// The facts were probed with KEYS and, for the case-insensitive ones, COMMAND LIST FILTERBY PATTERN of
// Redis 7.0.
#include "base/glob.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

using namespace std::string_literals;

// Every text of one byte, and the empty text, in the order of their bytes.
std::string BytesThatMatch(std::string_view pattern, std::string_view of, bool ignore_case = false) {
  std::string result;
  for (const char c : of) {
    if (GlobMatch(pattern, {&c, 1}, ignore_case)) result += c;
  }
  return result;
}

TEST_CASE("a class of a pattern matches what Redis matches") {
  const std::string bytes = "\0*-?A[\\]^abz\xFF"s;
  const std::vector<std::pair<std::string, std::string>> facts = {{"?", bytes},
                                                                  {"[", ""},
                                                                  {"[a", "a"},
                                                                  {"[a-", "-a"},
                                                                  {"[a-z", "abz"},
                                                                  {"[^", bytes},
                                                                  {"[^a", "\0*-?A[\\]^bz\xFF"s},
                                                                  {"[]", ""},
                                                                  {"[]]", ""},
                                                                  {"[]a]", ""},
                                                                  {"[a]", "a"},
                                                                  {"[^]", bytes},
                                                                  {"[^]]", ""},
                                                                  {"[z-a]", "abz"},
                                                                  {"[a-]", "]^a"},
                                                                  {"[a-]]", "]^a"},
                                                                  {"[-a]", "-a"},
                                                                  {"[\\]]", "]"},
                                                                  {"[\\-a]", "-a"},
                                                                  {"[a\\-z]", "-az"},
                                                                  {"[\\", "\\"},
                                                                  {"[a\\", "\\a"},
                                                                  {"\\", "\\"},
                                                                  {"\\\\", "\\"},
                                                                  {"a\\", ""},
                                                                  {"*\\", "\\"},
                                                                  {"\\a", "a"},
                                                                  {"\\*", "*"},
                                                                  {"\\?", "?"},
                                                                  {"\\[", "["},
                                                                  {"[*]", "*"},
                                                                  {"[?]", "?"},
                                                                  {"[[]", "["},
                                                                  {"[a-c-e]", "-ab"},
                                                                  {"[--a]", "-?A[\\]^a"},
                                                                  {"*", bytes},
                                                                  {"**", bytes},
                                                                  {"?*", bytes},
                                                                  {"*?", bytes},
                                                                  {"??", ""},
                                                                  {"[^^]", "\0*-?A[\\]abz\xFF"s},
                                                                  {"[a^]", "^a"},
                                                                  {"[\\a-c]", "-a"},
                                                                  {"[a-\\z]", "\\]^az"},
                                                                  {"[z-\\a]", "\\]^abz"},
                                                                  {"[a-\\]]", ""},
                                                                  {"[!a]", "a"},
                                                                  {"*[", ""},
                                                                  {"*[a", "a"},
                                                                  {"a[", ""},
                                                                  {"[][", ""},
                                                                  {"\0"s, "\0"s},
                                                                  {"[\0]"s, "\0"s},
                                                                  {"\xFF", "\xFF"},
                                                                  {"[\xFE-\xFF]", "\xFF"},
                                                                  {"[\xFF-a]", "\0*-?A[\\]^a\xFF"s},
                                                                  {"[a-\xFF]", "\0*-?A[\\]^a\xFF"s},
                                                                  {"[^a-z]", "\0*-?A[\\]^\xFF"s},
                                                                  {"[A-Z]", "A"},
                                                                  {"", ""}};
  for (const auto& [pattern, expected] : facts) {
    CAPTURE(pattern);
    CHECK(BytesThatMatch(pattern, bytes) == expected);
  }
}

TEST_CASE("longer texts") {
  CHECK(GlobMatch("h?llo", "hello"));
  CHECK(GlobMatch("h*llo", "hllo"));
  CHECK(GlobMatch("h[^e]llo", "hallo"));
  CHECK_FALSE(GlobMatch("h[^e]llo", "hello"));
  CHECK(GlobMatch("[^]]", "[]"));
  CHECK(GlobMatch("***a", "aaa"));
  CHECK(GlobMatch("a**", "a"));
  CHECK(GlobMatch("*a*", "[a"));
  CHECK(GlobMatch("\\\\\\a", "\\a"));
  CHECK_FALSE(GlobMatch("abc", "abcd"));
  CHECK_FALSE(GlobMatch("abcd", "abc"));
  CHECK(GlobMatch("*abc", "ababcabc"));
  CHECK(GlobMatch("*ab*ab", "abab"));
  CHECK_FALSE(GlobMatch("*ab*ab", "aba"));
}

TEST_CASE("an empty text matches the empty pattern only") {
  CHECK(GlobMatch("", ""));
  CHECK_FALSE(GlobMatch("*", ""));
  CHECK_FALSE(GlobMatch("**", ""));
  CHECK_FALSE(GlobMatch("[^", ""));
  CHECK_FALSE(GlobMatch("", "a"));
}

TEST_CASE("without case") {
  const auto g_and_s = [](std::string_view pattern) { return BytesThatMatch(pattern, "gs", true); };
  CHECK(GlobMatch("MAX*", "maxmemory", true));
  CHECK_FALSE(GlobMatch("MAX*", "maxmemory"));
  CHECK(g_and_s("G") == "g");
  CHECK(g_and_s("\\G") == "g");
  CHECK(g_and_s("[G]") == "g");
  CHECK(g_and_s("[\\G]") == "");
  CHECK(g_and_s("[^G]") == "s");
  CHECK(g_and_s("[A-Z]") == "gs");
  CHECK(g_and_s("[z-A]") == "gs");
  CHECK(g_and_s("[S-G]") == "gs");
  CHECK(g_and_s("[Z-a]") == "");
  CHECK(g_and_s("[a-Z]") == "");
  CHECK(g_and_s("[g-S]") == "");
  CHECK(g_and_s("[\xFF-Z]") == "gs");
  CHECK(g_and_s("[\xFF-H]") == "g");
  CHECK(g_and_s("[\xFF-A]") == "");
}

TEST_CASE("patterns with many stars stay cheap") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  pattern += "b";
  const std::string text(20000, 'a');
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(GlobMatch(pattern, text));
  CHECK_FALSE(GlobMatch("*[^" + std::string(500, 'a') + "]b", text));
  // Microseconds are expected; the recursive way would outlive the universe.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

// Whether `c` is in the class that opens behind *rest; takes it off *rest. The plainest reading of the rules.
bool ModelClass(std::string_view* rest, char c) {
  const bool negated = rest->substr(0, 1) == "^";
  if (negated) rest->remove_prefix(1);
  bool found = false;
  while (!rest->empty() && rest->front() != ']') {
    if (rest->front() == '\\' && rest->size() > 1) {
      found = found || (*rest)[1] == c;
      rest->remove_prefix(2);
    } else if (rest->size() > 2 && (*rest)[1] == '-') {
      const int a = static_cast<signed char>(rest->front());
      const int b = static_cast<signed char>((*rest)[2]);
      const int value = static_cast<signed char>(c);
      found = found || (a <= value && value <= b) || (b <= value && value <= a);
      rest->remove_prefix(3);
    } else {
      found = found || rest->front() == c;
      rest->remove_prefix(1);
    }
  }
  if (!rest->empty()) rest->remove_prefix(1);
  return found != negated;
}

bool ModelMatch(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  const char first = pattern.front();
  std::string_view rest = pattern.substr(1);
  if (first == '*') return ModelMatch(rest, text) || (!text.empty() && ModelMatch(pattern, text.substr(1)));
  if (text.empty()) return false;
  const char c = text.front();
  bool matches = true;
  if (first == '[') {
    matches = ModelClass(&rest, c);
  } else if (first == '\\' && !rest.empty()) {
    matches = rest.front() == c;
    rest.remove_prefix(1);
  } else if (first != '?') {
    matches = first == c;
  }
  return matches && ModelMatch(rest, text.substr(1));
}

TEST_CASE("glob agrees with a recursive model on random patterns") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  const auto pick = [&](std::string_view alphabet, uint64_t max_size) {
    std::string text;
    for (uint64_t left = random.Below(max_size + 1); left > 0; --left)
      text += alphabet[random.Below(alphabet.size())];
    return text;
  };
  int matched = 0;
  for (int i = 0; i < 300000; ++i) {
    const std::string pattern = pick("aab-]^\\[[**?\x80", 8);
    const std::string text = pick("aaab-]^\\[\x80", 6);
    const bool expected = text.empty() ? pattern.empty() : ModelMatch(pattern, text);
    matched += expected ? 1 : 0;
    if (GlobMatch(pattern, text) != expected) FAIL("pattern " << pattern << " text " << text);
  }
  CHECK(matched > 10000);
}

}  // namespace
}  // namespace pinyon
