// Quoting was probed with inline commands, and with MONITOR for QuoteForLog, on Redis 7.0.
#include "base/strings.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

using namespace std::string_literals;
using Words = std::vector<std::string>;

TEST_CASE("case is ASCII's") {
  CHECK(ToLower("Hello, WORLD @[`{ \xC4"s) == "hello, world @[`{ \xC4");
  CHECK(ToUpper("Hello, world @[`{ \xE4"s) == "HELLO, WORLD @[`{ \xE4");
  CHECK(ToLower("") == "");
}

TEST_CASE("EqualsIgnoreCase at every length and position") {
  CHECK(EqualsIgnoreCase("", ""));
  CHECK_FALSE(EqualsIgnoreCase("", "a"));
  for (size_t size = 1; size <= 40; ++size) {
    const std::string lower(size, 'q');
    const std::string upper(size, 'Q');
    REQUIRE(EqualsIgnoreCase(lower, upper));
    CHECK_FALSE(EqualsIgnoreCase(lower, lower + "q"));
    for (size_t i = 0; i < size; ++i) {
      std::string other = upper;
      other[i] = 'r';
      if (EqualsIgnoreCase(lower, other)) FAIL(size << " " << i);
    }
  }
}

TEST_CASE("EqualsIgnoreCase folds no byte but the letters") {
  for (const size_t size : {size_t{1}, size_t{4}, size_t{8}, size_t{11}}) {
    for (int a = 0; a < 256; ++a) {
      for (int b = 0; b < 256; ++b) {
        const char x = static_cast<char>(a);
        const char y = static_cast<char>(b);
        // A neighbour of high bytes would receive a carry, if there were one.
        std::string left(size, '\xFF');
        std::string right(size, '\xFF');
        left[size / 2] = x;
        right[size / 2] = y;
        if (EqualsIgnoreCase(left, right) != (ToLower(x) == ToLower(y))) FAIL(size << ": " << a << " " << b);
      }
    }
  }
}

TEST_CASE("SplitArgs follows the quoting of inline commands") {
  const std::vector<std::pair<std::string, Words>> facts = {{"", {}},
                                                            {"   ", {}},
                                                            {"a b", {"a", "b"}},
                                                            {"  a   b  ", {"a", "b"}},
                                                            {"\"a b\" c", {"a b", "c"}},
                                                            {"'a b'", {"a b"}},
                                                            {R"('a\'b')", {"a'b"}},
                                                            {R"('a\nb')", {R"(a\nb)"}},
                                                            {R"("\n\r\t\b\a")", {"\n\r\t\b\a"}},
                                                            {R"("\x41\x4")", {"Ax4"}},
                                                            {R"("\xzz")", {"xzz"}},
                                                            {R"("\x0")", {"x0"}},
                                                            {R"("\X41")", {"X41"}},
                                                            {R"("\q")", {"q"}},
                                                            {R"("\"")", {"\""}},
                                                            {R"("\0")", {"0"}},
                                                            {R"("\v\f\e")", {"vfe"}},
                                                            {R"("\xAF\xaf\x00")", {"\xAF\xAF\0"s}},
                                                            {"foo\"bar\"", {"foobar"}},
                                                            {"foo'bar'", {"foobar"}},
                                                            {"\"a\"\tb", {"a", "b"}},
                                                            {"a\tb", {"a", "b"}},
                                                            {"a\rb", {"a", "b"}},
                                                            {"a\r\r", {"a"}},
                                                            {"a\vb", {"a\vb"}},
                                                            {"a\fb", {"a\fb"}},
                                                            {"\va", {"a"}},
                                                            {"\"a\"\vb", {"a", "b"}},
                                                            {"a\v\"b\"", {"a\vb"}},
                                                            {"\"\"", {""}},
                                                            {"''", {""}},
                                                            {"\"\" ''", {"", ""}},
                                                            {R"(a\nb)", {R"(a\nb)"}},
                                                            {R"(a\ b)", {"a\\", "b"}},
                                                            {R"(\"a")", {"\\a"}},
                                                            {"\xFF\xFE", {"\xFF\xFE"}},
                                                            {"\"a\rb\"", {"a\rb"}},
                                                            {"a\x85"
                                                             "b",
                                                             {"a\x85"
                                                              "b"}},
                                                            {"a\xA0"
                                                             "b",
                                                             {"a\xA0"
                                                              "b"}}};
  for (const auto& [line, expected] : facts) {
    CAPTURE(line);
    const auto words = SplitArgs(line);
    REQUIRE(words.has_value());
    CHECK(*words == expected);
  }
}

TEST_CASE("SplitArgs refuses unbalanced quotes") {
  for (const auto& line :
       {"\"a\"b"s, "'a'b"s, "\"abc"s, "'abc"s, "foo\"bar\"baz"s, "\"\\"s, "'\\"s, R"('\\')"s, "\"a\"'b'"s,
        "\"a\" \"b"s, "a\f'b'c"s, "\"\\x"s, "\"\\x4"s, "\"\\x41"s, "\""s, "'"s}) {
    CAPTURE(line);
    CHECK_FALSE(SplitArgs(line).has_value());
  }
}

TEST_CASE("a zero byte ends the line") {
  CHECK(SplitArgs("a b\0c d"s) == Words{"a", "b"});
  CHECK(SplitArgs("\0a"s) == Words{});
  CHECK_FALSE(SplitArgs("'a\0b'"s).has_value());
}

TEST_CASE("QuoteForLog escapes as MONITOR does") {
  CHECK(QuoteForLog("") == R"("")");
  CHECK(QuoteForLog("a b'c") == R"("a b'c")");
  CHECK(QuoteForLog("\"\\") == R"("\"\\")");
  CHECK(QuoteForLog("\n\r\t\a\b\v\f\0\x1F\x7F\x80\xFF"s) == R"("\n\r\t\a\b\x0b\x0c\x00\x1f\x7f\x80\xff")");
}

TEST_CASE("what QuoteForLog writes SplitArgs reads back") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 20000; ++i) {
    Words words(random.Below(4));
    std::string line;
    for (std::string& word : words) {
      for (uint64_t left = random.Below(20); left > 0; --left) {
        word += random.Below(2) == 0 ? static_cast<char>(random.Below(256)) : "\"'\\xn 0a"[random.Below(8)];
      }
      line += QuoteForLog(word) + (random.Below(2) == 0 ? " " : "\t ");
    }
    const auto read = SplitArgs(line);
    if (!read || *read != words) FAIL(line);
  }
}

TEST_CASE("SplitArgs survives any line") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 50000; ++i) {
    std::string line;
    for (uint64_t left = random.Below(10); left > 0; --left) line += "\"'\\x4 a\t\n"[random.Below(9)];
    const auto words = SplitArgs(line);
    if (!words) continue;
    size_t total = 0;
    for (const std::string& word : *words) total += word.size();
    if (total > line.size()) FAIL(line);
  }
}

}  // namespace
}  // namespace pinyon
