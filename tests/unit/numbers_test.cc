// What is accepted, refused and printed here was probed on Redis 7.0: SET and OBJECT ENCODING for integers,
// INCRBYFLOAT for long doubles, ZADD, GEOSEARCH and ZRANGEBYSCORE for doubles, CONFIG SET maxmemory for
// sizes.
#include "base/numbers.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

using namespace std::string_literals;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUnsignedMax = std::numeric_limits<uint64_t>::max();

template <typename T>
std::optional<T> Parse(bool (*parse)(std::string_view, T*), std::string_view text) {
  // On the heap without a terminating zero, so that the address sanitizer sees a read beyond the end.
  const std::vector<char> exact(text.begin(), text.end());
  T value{};
  if (!parse({exact.data(), exact.size()}, &value)) return std::nullopt;
  return value;
}

auto Int(std::string_view text) { return Parse<int64_t>(ParseInt64, text); }
auto Uint(std::string_view text) { return Parse<uint64_t>(ParseUint64, text); }
auto Double(std::string_view text) { return Parse<double>(ParseDouble, text); }
auto Bound(std::string_view text) { return Parse<double>(ParseScoreBound, text); }
auto LongDouble(std::string_view text) { return Parse<long double>(ParseLongDouble, text); }
auto Memory(std::string_view text) { return Parse<uint64_t>(ParseMemory, text); }

template <typename T>
std::string Format(size_t (*format)(T, char*), T value, size_t room) {
  std::string out(room + 1, '#');
  const size_t size = format(value, out.data());
  REQUIRE(size <= room);
  CHECK(out.back() == '#');
  return out.substr(0, size);
}

std::string FromInt(int64_t value) { return Format<int64_t>(FormatInt64, value, kMaxInt64Chars); }
std::string FromUint(uint64_t value) { return Format<uint64_t>(FormatUint64, value, kMaxInt64Chars); }
std::string FromDouble(double value) { return Format<double>(FormatDouble, value, kMaxDoubleChars); }

// All magnitudes alike, rather than nearly always 19 digits.
uint64_t AnyMagnitude(Random* random) { return random->Next() >> random->Below(64); }

TEST_CASE("ParseInt64 takes the canonical spelling only") {
  CHECK(Int("0") == 0);
  CHECK(Int("-1") == -1);
  CHECK(Int("9") == 9);
  CHECK(Int("12345678") == 12345678);
  CHECK(Int("123456789") == 123456789);
  CHECK(Int("9223372036854775807") == kMax);
  CHECK(Int("-9223372036854775808") == kMin);
  for (const auto& text : {""s,
                           "-"s,
                           "+"s,
                           "-0"s,
                           "+1"s,
                           "01"s,
                           "00"s,
                           "-01"s,
                           " 1"s,
                           "1 "s,
                           "1a"s,
                           "1e3"s,
                           "0x1"s,
                           "--1"s,
                           "1.0"s,
                           "9223372036854775808"s,
                           "-9223372036854775809"s,
                           "18446744073709551616"s,
                           "99999999999999999999"s,
                           "-99999999999999999999"s,
                           "999999999999999999999"s,
                           "\0001"s,
                           "1\000"s,
                           "1234567:"s,
                           "/2345678"s,
                           "1234567\xB8"s,
                           "12345678901234567/"s}) {
    CAPTURE(text);
    CHECK(Int(text) == std::nullopt);
  }
}

TEST_CASE("ParseUint64 takes digits only, at every place of every length") {
  for (size_t length = 1; length <= 20; ++length) {
    const std::string digits = std::string("12345678901234567890").substr(0, length);
    REQUIRE(Uint(digits) == std::strtoull(digits.c_str(), nullptr, 10));
    for (size_t place = 0; place < length; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text = digits;
        text[place] = static_cast<char>(byte);
        const bool is_number = byte >= (place == 0 && length > 1 ? '1' : '0') && byte <= '9';
        errno = 0;
        const uint64_t expected = std::strtoull(text.c_str(), nullptr, 10);
        const std::optional<uint64_t> parsed = Uint(text);
        if (parsed.has_value() != (is_number && errno == 0) || parsed.value_or(expected) != expected) {
          FAIL_CHECK(length << " digits, at " << place << " byte " << byte);
        }
      }
    }
  }
}

TEST_CASE("ParseInt64 takes digits and a sign before them only, at every place of every length") {
  for (size_t length = 1; length <= 18; ++length) {
    const std::string digits = std::string("123456789012345678").substr(0, length);
    for (size_t place = 0; place < length; ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text = digits;
        text[place] = static_cast<char>(byte);
        const bool is_sign = place == 0 && length > 1 && byte == '-';
        const bool is_digit = byte >= (place == 0 && length > 1 ? '1' : '0') && byte <= '9';
        const std::optional<int64_t> parsed = Int(text);
        const int64_t expected = std::strtoll(text.c_str(), nullptr, 10);
        if (parsed.has_value() != (is_sign || is_digit) || parsed.value_or(expected) != expected) {
          FAIL_CHECK(length << " digits, at " << place << " byte " << byte);
        }
      }
    }
  }
}

TEST_CASE("ParseUint64 takes the canonical spelling only") {
  CHECK(Uint("0") == 0u);
  CHECK(Uint("10000000000000000000") == 10000000000000000000u);
  CHECK(Uint("18446744073709551615") == kUnsignedMax);
  for (const auto& text : {""s, "-"s, "-0"s, "-1"s, "+1"s, "01"s, " 1"s, "1 "s, "18446744073709551616"s,
                           "18446744073709551620"s, "20000000000000000000"s, "99999999999999999999"s,
                           "1844674407370955161x"s, "100000000000000000000"s}) {
    CAPTURE(text);
    CHECK(Uint(text) == std::nullopt);
  }
}

TEST_CASE("a failed parse leaves the output alone") {
  int64_t integer = 7;
  CHECK_FALSE(ParseInt64("12345678x", &integer));
  CHECK(integer == 7);
  double number = 7;
  CHECK_FALSE(ParseDouble("1e999", &number));
  CHECK(number == 7);
  uint64_t bytes = 7;
  CHECK_FALSE(ParseMemory("1tb", &bytes));
  CHECK(bytes == 7);
}

TEST_CASE("integers are printed at every length") {
  CHECK(FromInt(0) == "0");
  CHECK(FromInt(-7) == "-7");
  CHECK(FromInt(kMin) == "-9223372036854775808");
  CHECK(FromInt(kMax) == "9223372036854775807");
  CHECK(FromUint(kUnsignedMax) == "18446744073709551615");
  for (uint64_t power = 1; power <= 1000000000000000000; power *= 10) {
    CHECK(FromUint(power) == std::to_string(power));
    CHECK(FromUint(power - 1) == std::to_string(power - 1));
  }
}

TEST_CASE("integers survive a round trip, and corrupted ones are judged like strtoll") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t value = AnyMagnitude(&random);
    const auto integer = static_cast<int64_t>(random.Below(2) == 0 ? value : 0 - value);
    if (FromInt(integer) != std::to_string(integer) || Int(FromInt(integer)) != integer) FAIL(integer);
    if (FromUint(value) != std::to_string(value) || Uint(FromUint(value)) != value) FAIL(value);

    // An oracle that shares no idea with the parser: print what the library reads, and compare the spelling.
    std::string text = FromInt(integer);
    text[random.Below(text.size())] = "0123456789-+ :/x\x80"[random.Below(17)];
    if (random.Below(4) == 0) text += static_cast<char>('0' + random.Below(10));
    errno = 0;
    const long long expected = std::strtoll(text.c_str(), nullptr, 10);
    const bool canonical = errno == 0 && std::to_string(expected) == text;
    if (Int(text) != (canonical ? std::optional<int64_t>(expected) : std::nullopt)) FAIL(text);
  }
}

TEST_CASE("ParseLongDouble takes what INCRBYFLOAT takes") {
  const auto value_of = [](std::string_view text) {
    const auto value = LongDouble(text);
    return value ? FormatLongDoubleHuman(*value) : "refused";
  };
  const std::vector<std::pair<std::string, std::string>> facts = {
      {"1", "1"},
      {"+1", "1"},
      {"-1", "-1"},
      {"0x10", "16"},
      {"0X1p4", "16"},
      {"-0x1.8p1", "-3"},
      {"1e5", "100000"},
      {"1E5", "100000"},
      {"1e+5", "100000"},
      {"1e-5", "0.00001"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-.5", "-0.5"},
      {"0e99999", "0"},
      {"-0", "0"},
      {"-0.0", "0"},
      {"0.1", "0.1"},
      {"3.0e3", "3000"},
      {"1e17", "100000000000000000"},
      {"123456789012345678901234567890", "123456789012345678899921813504"},
      {"3.141592653589793238462643383279", "3.14159265358979324"},
      {"1e-17", "0.00000000000000001"},
      {"5e-18", "0"},
      {"6e-18", "0.00000000000000001"},
      {"-4e-18", "0"},
      {"1e-4950", "0"},
      {"inf", "inf"},
      {"+inf", "inf"},
      {"-inf", "-inf"},
      {"INF", "inf"},
      {"Infinity", "inf"}};
  for (const auto& [text, expected] : facts) {
    CAPTURE(text);
    CHECK(value_of(text) == expected);
  }
  for (const auto& text :
       {""s,        " 1"s,      "1 "s,      "infinit"s, "infx"s, "  inf"s, "nan"s, "-nan"s,    "NAN"s,
        "nan(1)"s,  "1e"s,      "1e+"s,     "."s,       "+"s,    "-"s,     "1_0"s, "1,5"s,     "1e4933"s,
        "-1e4933"s, "1e-4951"s, "1e-5000"s, "1.5\000"s, "\000"s, "1\000"s, "1\n"s, "\t1"s,     "\v1"s,
        "0x"s,      "0xg"s,     "1d"s,      "1f"s,      "1L"s,   "0b1"s,   "1p3"s, "\xd9\xa1"s}) {
    CAPTURE(text);
    CHECK(LongDouble(text) == std::nullopt);
  }
  CHECK(LongDouble(std::string(5119, '0')) == 0.0L);
  CHECK(LongDouble(std::string(5120, '0')) == std::nullopt);
}

TEST_CASE("the largest long doubles are printed in full") {
  const std::string text = FormatLongDoubleHuman(-std::numeric_limits<long double>::max());
  CHECK(text.size() == 4934);
  CHECK(text.substr(0, 8) == "-1189731");
  CHECK(LongDouble(text) == -std::numeric_limits<long double>::max());
  CHECK(FormatLongDoubleHuman(std::numeric_limits<long double>::quiet_NaN()) == "nan");
  CHECK(FormatLongDoubleHuman(100) == "100");
  CHECK(FormatLongDoubleHuman(-0.5L) == "-0.5");
}

TEST_CASE("ParseDouble takes what ZADD takes") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, double>> facts = {{"1", 1},
                                                             {"+1", 1},
                                                             {"-1", -1},
                                                             {"inf", infinity},
                                                             {"+inf", infinity},
                                                             {"-inf", -infinity},
                                                             {"INF", infinity},
                                                             {"Infinity", infinity},
                                                             {"0x10", 16},
                                                             {"0X1p4", 16},
                                                             {"-0x1.8p1", -3},
                                                             {"1e5", 1e5},
                                                             {"1E5", 1e5},
                                                             {"1e+5", 1e5},
                                                             {".5", 0.5},
                                                             {"5.", 5},
                                                             {"-.5", -0.5},
                                                             {"1e308", 1e308},
                                                             {"1e-308", 1e-308},
                                                             {"5e-324", 5e-324},
                                                             {"4e-324", 5e-324},
                                                             {"0e99999", 0},
                                                             {"0e-99999999999999999999999", 0},
                                                             {"0x1p-1074", 5e-324}};
  for (const auto& [text, expected] : facts) {
    CAPTURE(text);
    CHECK(Double(text) == expected);
  }
  CHECK(std::signbit(*Double("-0")));
  CHECK(Double(std::string(5121, '0') + "1") == 1.0);
  for (const auto& text :
       {""s,          " 1"s,       "1 "s,    "infinit"s, "infx"s,    "nan"s,    "-nan"s,
        "NAN"s,       "nan(1)"s,   "1e"s,    "1e+"s,     "."s,       "+"s,      "-"s,
        "1_0"s,       "1,5"s,      "1e309"s, "-1e309"s,  "2e-324"s,  "1e-400"s, "1.5\000"s,
        "\000"s,      "1\000"s,    "1\n"s,   "\t1"s,     "\r1"s,     "0x"s,     "0xg"s,
        "0xinf"s,     "0x-1"s,     "0x+1"s,  "0x."s,     "0x1p+-1"s, "1d"s,     "1f"s,
        "0x1p-1075"s, "0x1p5000"s, "++1"s,   "+-1"s,     "-+1"s,     "--1"s,    "1e99999999999999999999"s}) {
    CAPTURE(text);
    CHECK(Double(text) == std::nullopt);
  }
}

TEST_CASE("ParseDouble agrees with strtod on random spellings") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  constexpr std::string_view kAlphabet = "00112345678999..eE+--xXpPabfinfnan ";
  for (int i = 0; i < 200000; ++i) {
    std::string text = random.Below(4) == 0 ? "0x" : "";
    for (uint64_t left = random.Below(12); left > 0; --left)
      text += kAlphabet[random.Below(kAlphabet.size())];
    if (random.Below(8) == 0) text += "e-3" + std::to_string(random.Below(40));
    char* end = nullptr;
    errno = 0;
    const double expected = std::strtod(text.c_str(), &end);
    const bool out_of_range = errno == ERANGE && (expected == 0 || std::isinf(expected));
    const bool whole = !text.empty() && text[0] != ' ' && *end == '\0' && !std::isnan(expected);
    const auto value = Double(text);
    if (value.has_value() != (whole && !out_of_range)) FAIL(text);
    if (value && std::memcmp(&*value, &expected, sizeof(expected)) != 0) FAIL(text);
  }
}

TEST_CASE("ParseDouble rounds integers as strtod does") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 100000; ++i) {
    char text[kMaxInt64Chars + 4] = "-00";
    FormatUint64(random.Next() >> random.Below(64), text + 3);
    for (const char* begin : {text, text + 1, text + 3}) {
      const double expected = std::strtod(begin, nullptr);
      const auto value = Double(begin);
      if (!value || std::memcmp(&*value, &expected, sizeof(expected)) != 0) FAIL(begin);
    }
  }
  CHECK(Double("9007199254740993") == 9007199254740992.0);
  CHECK(Double("-9223372036854775808") == -0x1p63);
  CHECK(std::signbit(*Double("-0")));
}

TEST_CASE("ParseScoreBound is as lax as ZRANGEBYSCORE") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, double>> facts = {{""s, 0},
                                                             {" 1"s, 1},
                                                             {"\t1"s, 1},
                                                             {"1e400"s, infinity},
                                                             {"-1e400"s, -infinity},
                                                             {"1e-400"s, 0},
                                                             {"0x1"s, 1},
                                                             {" -inf"s, -infinity},
                                                             {"+1"s, 1},
                                                             {"\0001"s, 0},
                                                             {"1\000"s, 1},
                                                             {"1\000x"s, 1},
                                                             {"0x1p5000"s, infinity}};
  for (const auto& [text, expected] : facts) {
    CAPTURE(text);
    CHECK(Bound(text) == expected);
  }
  for (const auto& text : {" "s, "1 "s, "(1"s, "inf "s, "+"s, "-"s, "\""s, "nan"s, "."s}) {
    CAPTURE(text);
    CHECK(Bound(text) == std::nullopt);
  }
}

TEST_CASE("FormatDouble prints scores as ZSCORE does") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<double, std::string>> facts = {
      {0, "0"},
      {-0.0, "-0"},
      {0.1, "0.10000000000000001"},
      {3, "3"},
      {-1, "-1"},
      {1e15, "1000000000000000"},
      {1e16, "10000000000000000"},
      {123456789012345678.0, "1.2345678901234568e+17"},
      {1e17, "1e+17"},
      {99999999999999984.0, "99999999999999984"},
      {-9007199254740992.0, "-9007199254740992"},
      {12345678901234567.0, "12345678901234568"},
      {9223372036854775807.0, "9.2233720368547758e+18"},
      {1e22, "1e+22"},
      {1e100, "1e+100"},
      {1.5, "1.5"},
      {0.30000000000000004, "0.30000000000000004"},
      {0.0001, "0.0001"},
      {1e-5, "1.0000000000000001e-05"},
      {3.14, "3.1400000000000001"},
      {4503599627370495.5, "4503599627370495.5"},
      {5e-324, "4.9406564584124654e-324"},
      {-1.7976931348623157e308, "-1.7976931348623157e+308"},
      {infinity, "inf"},
      {-infinity, "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"}};
  for (const auto& [value, expected] : facts) CHECK(FromDouble(value) == expected);
}

TEST_CASE("FormatDouble agrees with printf on random doubles, which survive a round trip") {
  const auto seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  for (int i = 0; i < 100000; ++i) {
    double value = 0;
    const uint64_t bits = random.Next();
    switch (random.Below(3)) {
      case 0: std::memcpy(&value, &bits, sizeof(value)); break;
      case 1: value = static_cast<double>(static_cast<int64_t>(bits) >> random.Below(64)); break;
      default: value = static_cast<double>(bits >> random.Below(64)) / 1000; break;
    }
    if (std::isnan(value)) continue;
    char expected[64];
    std::snprintf(expected, sizeof(expected), "%.17g", value);
    const std::string text = FromDouble(value);
    if (text != expected || Double(text) != value) FAIL(expected);
  }
}

TEST_CASE("ParseMemory knows the units of the configuration file") {
  const std::vector<std::pair<std::string, uint64_t>> facts = {{"100", 100},
                                                               {"1b", 1},
                                                               {"1B", 1},
                                                               {"1k", 1000},
                                                               {"1K", 1000},
                                                               {"1kb", 1024},
                                                               {"1Kb", 1024},
                                                               {"1KB", 1024},
                                                               {"1m", 1000000},
                                                               {"1mb", 1048576},
                                                               {"1mB", 1048576},
                                                               {"1g", 1000000000},
                                                               {"1gb", 1073741824},
                                                               {"0", 0},
                                                               {"01", 1},
                                                               {"001kb", 1024},
                                                               {"", 0},
                                                               {"k", 0},
                                                               {"kb", 0},
                                                               {"18446744073709551615", kUnsignedMax}};
  for (const auto& [text, expected] : facts) {
    CAPTURE(text);
    CHECK(Memory(text) == expected);
  }
  for (const auto& text : {"1t"s, "1tb"s, " 1"s, "1 "s, "1 kb"s, "-1"s, "-0"s, "+1"s, "1.5g"s, "1e3"s, "1kk"s,
                           "1bb"s, "1kbb"s, "0x10"s, "1%"s, "1\t"s, "10 0"s}) {
    CAPTURE(text);
    CHECK(Memory(text) == std::nullopt);
  }
  CHECK(Memory(std::string(126, '0') + "1") == 1u);
  CHECK(Memory(std::string(127, '0') + "1") == std::nullopt);
}

TEST_CASE("FormatDoubleHuman agrees with FormatLongDoubleHuman") {
  const auto human = [](double value) {
    char text[kMaxHumanDoubleChars];
    return std::string(text, FormatDoubleHuman(value, text));
  };
  CHECK(human(13.361389338970184) == "13.36138933897018433");
  CHECK(human(-179.99999731779099) == "-179.99999731779098511");
  CHECK(human(1e-300) == "0");
  CHECK(human(-1e-300) == "0");
  CHECK(human(180) == "180");
  CHECK(human(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(human(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(human(-std::numeric_limits<double>::max()).size() == 310);
  for (double size = 1e-20; size < 1e20; size *= 1.37) {
    for (const double value : {size, -size}) CHECK(human(value) == FormatLongDoubleHuman(value));
  }
}

TEST_CASE("ParseMemory refuses what Redis lets wrap around") {
  CHECK(Memory("18446744073709551616") == std::nullopt);
  CHECK(Memory("17179869184gb") == std::nullopt);
  CHECK(Memory("17179869183gb") == 17179869183u * (uint64_t{1} << 30));
  CHECK(Memory("1\000"s) == std::nullopt);
}

}  // namespace
}  // namespace pinyon
