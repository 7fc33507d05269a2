#include "base/numbers.h"

#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <system_error>

#include "base/assert.h"
#include "base/strings.h"

namespace pinyon {

namespace {

static_assert(std::endian::native == std::endian::little,
              "ParseEightDigits reads the first digit in the low byte");

constexpr uint64_t kEightZeros = 0x3030303030303030;  // as text
constexpr size_t kMaxInt64Digits = 19;                // any 19 digits fit in 64 bits, 20 may not
constexpr size_t kMaxUint64Digits = 20;
constexpr size_t kMaxLongDoubleInput = 5119;  // probed: 5120 characters are refused
constexpr size_t kMaxMemoryDigits = 127;      // probed: 128 digits are refused
// A long double has at most 4933 digits before the point; then the sign, the point and 17 decimals.
constexpr size_t kMaxLongDoubleOutput = 4933 + 19 + 1;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Eight digits with three multiplications: neighbours are joined to pairs, pairs to fours, fours to eight
// (Lemire, "Quickly parsing eight digits", 2018). False when a byte is not a digit.
bool ParseEightDigits(uint64_t chunk, uint64_t* value) {
  constexpr uint64_t kHighNibbles = 0xF0F0F0F0F0F0F0F0;
  if ((chunk & kHighNibbles) != kEightZeros) return false;
  if (((chunk + 0x0606060606060606) & kHighNibbles) != kEightZeros) return false;
  chunk &= 0x0F0F0F0F0F0F0F0F;
  chunk = (chunk * 10 + (chunk >> 8)) & 0x00FF00FF00FF00FF;
  chunk = (chunk * 100 + (chunk >> 16)) & 0x0000FFFF0000FFFF;
  chunk = (chunk * 10000 + (chunk >> 32)) & 0x00000000FFFFFFFF;
  *value = chunk;
  return true;
}

template <typename T>
uint64_t Load(const char* text) {
  T value;
  std::memcpy(&value, text, sizeof value);
  return value;
}

// One to eight characters, with zeros before them. Two loads overlap: they bring the same bytes to the same
// places.
uint64_t PadToEight(const char* text, size_t count) {
  PINYON_ASSERT(count >= 1 && count <= 8);
  uint64_t chunk;
  if (count >= 4) {
    chunk = Load<uint32_t>(text) | Load<uint32_t>(text + count - 4) << 8 * (count - 4);
  } else if (count >= 2) {
    chunk = Load<uint16_t>(text) | Load<uint16_t>(text + count - 2) << 8 * (count - 2);
  } else {
    chunk = Load<uint8_t>(text);
  }
  return kEightZeros >> 8 * (count - 1) >> 8 | chunk << 8 * (8 - count);
}

// The least number of i + 1 digits; zero, not one, for one digit.
constexpr auto kLeastOfLength = [] {
  std::array<uint64_t, 20> least{};
  for (uint64_t i = 1, power = 10; i < least.size(); ++i, power *= 10) least[i] = power;
  return least;
}();

// `count` digits of any kind, 1 to 19 of them.
bool ParseDigits(const char* text, size_t count, uint64_t* out) {
  PINYON_ASSERT(count <= kMaxInt64Digits);
  uint64_t value = 0, part = 0;
  for (; count >= 8; text += 8, count -= 8) {
    if (!ParseEightDigits(Load<uint64_t>(text), &part)) return false;
    value = value * 100000000 + part;
  }
  if (count > 0) {
    if (!ParseEightDigits(PadToEight(text, count), &part)) return false;
    value = value * kLeastOfLength[count] + part;
  }
  *out = value;
  return true;
}

constexpr uint64_t kEightDigitsEnd = 100'000'000;

// The values of the eight digits of a number below kEightDigitsEnd, a byte each, the first in the low byte:
// ParseEightDigits backwards. Fours are taken apart to pairs, pairs to digits, all at once; the
// multiplications divide by 100 and by 10 (Khuong, "How to print integers really fast", 2017).
uint64_t EightDigits(uint64_t value) {
  PINYON_ASSERT(value < kEightDigitsEnd);
  const uint64_t fours = value / 10000 | value % 10000 << 32;
  const uint64_t hundreds = (fours * 10486 >> 20) & 0x0000007F0000007F;
  const uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
  const uint64_t tens = (pairs * 103 >> 10) & 0x000F000F000F000F;
  return tens | (pairs - 10 * tens) << 8;
}

enum class Parsed { kValue, kOutOfRange, kInvalid };

// The whole of `text`, without leading white space, as strtod in the C locale reads it: decimal or
// hexadecimal, with either sign, "inf", "infinity" or "nan". std::from_chars wants no '+' and no "0x", so
// both are taken off here.
Parsed ParseDoubleStrict(std::string_view text, double* out) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  if (begin == end) return Parsed::kInvalid;
  const bool negative = *begin == '-';
  if (*begin == '-' || *begin == '+') ++begin;
  if (begin == end || *begin == '-') return Parsed::kInvalid;
  // Most scores are plain integers; their conversion rounds as that of decimal text does.
  const auto length = static_cast<size_t>(end - begin);
  uint64_t digits = 0;
  if (length <= kMaxInt64Digits && ParseDigits(begin, length, &digits)) {
    const auto magnitude = static_cast<double>(digits);
    *out = negative ? -magnitude : magnitude;
    return Parsed::kValue;
  }
  auto format = std::chars_format::general;
  if (end - begin > 2 && begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X')) {
    begin += 2;
    // Else "0xinf" and "0x-1" would pass.
    if (!std::isxdigit(static_cast<unsigned char>(*begin)) && *begin != '.') return Parsed::kInvalid;
    // GCC 12 takes "0x1p+-1" for a number.
    if (text.find("+-") != std::string_view::npos) return Parsed::kInvalid;
    format = std::chars_format::hex;
  }
  double value = 0;
  const auto result = std::from_chars(begin, end, value, format);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return Parsed::kInvalid;
  if (result.ec == std::errc::result_out_of_range) return Parsed::kOutOfRange;
  if (std::isnan(value)) return Parsed::kInvalid;
  *out = negative ? -value : value;
  return Parsed::kValue;
}

}  // namespace

bool ParseLongInt64(std::string_view text, int64_t* out) {
  const bool negative = !text.empty() && text[0] == '-';
  const char* digits = text.data() + (negative ? 1 : 0);
  const size_t count = text.size() - (negative ? 1 : 0);
  if (count == 0 || count > kMaxInt64Digits) return false;
  if (digits[0] == '0') return false;
  uint64_t magnitude = 0;
  if (count <= 8) {
    if (!ParseEightDigits(PadToEight(digits, count), &magnitude)) return false;
    *out = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
    return true;
  }
  if (!ParseDigits(digits, count, &magnitude)) return false;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude > kMax + (negative ? 1 : 0)) return false;
  *out = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

bool ParseUint64(std::string_view text, uint64_t* out) {
  if (text.empty() || text.size() > kMaxUint64Digits) return false;
  if (text[0] == '0') {
    if (text.size() != 1) return false;
    *out = 0;
    return true;
  }
  uint64_t value = 0;
  if (text.size() < kMaxUint64Digits) {
    if (!ParseDigits(text.data(), text.size(), &value)) return false;
  } else {
    const char last = text.back();
    if (!ParseDigits(text.data(), kMaxInt64Digits, &value) || !IsDigit(last)) return false;
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(last - '0'), &value)) return false;
  }
  *out = value;
  return true;
}

size_t FormatUint64(uint64_t value, char* out) {
  // Eight bytes are written whatever the number, which is less than `out` has room for.
  if (value < kEightDigitsEnd) {
    const uint64_t digits = EightDigits(value);
    // Zero has a digit, too.
    const auto zeros = static_cast<size_t>(std::countr_zero(digits | uint64_t{1} << 56)) / 8;
    const uint64_t text = (digits | kEightZeros) >> 8 * zeros;
    std::memcpy(out, &text, sizeof text);
    return sizeof text - zeros;
  }
  const size_t count = FormatUint64(value / kEightDigitsEnd, out);
  const uint64_t text = EightDigits(value % kEightDigitsEnd) | kEightZeros;
  std::memcpy(out + count, &text, sizeof text);
  return count + sizeof text;
}

size_t FormatInt64(int64_t value, char* out) {
  if (value >= 0) return FormatUint64(static_cast<uint64_t>(value), out);
  *out = '-';
  return 1 + FormatUint64(0 - static_cast<uint64_t>(value), out + 1);
}

bool ParseLongDouble(std::string_view text, long double* out) {
  if (text.empty() || text.size() > kMaxLongDoubleInput || IsSpace(text[0])) return false;
  char buffer[kMaxLongDoubleInput + 1];
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  errno = 0;
  char* end = nullptr;
  const long double value = std::strtold(buffer, &end);
  // A zero byte within the text stops strtold before the end of the text.
  if (end != buffer + text.size() || std::isnan(value)) return false;
  // Denormals set ERANGE too, and are accepted.
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return false;
  *out = value;
  return true;
}

bool ParseDouble(std::string_view text, double* out) {
  return ParseDoubleStrict(text, out) == Parsed::kValue;
}

bool ParseScoreBound(std::string_view text, double* out) {
  text = text.substr(0, text.find('\0'));
  double value = 0;
  if (text.empty()) {
    *out = 0;
    return true;
  }
  while (!text.empty() && IsSpace(text[0])) text.remove_prefix(1);
  switch (ParseDoubleStrict(text, &value)) {
    case Parsed::kValue: break;
    case Parsed::kOutOfRange: value = std::strtod(std::string(text).c_str(), nullptr); break;
    case Parsed::kInvalid: return false;
  }
  *out = value;
  return true;
}

std::string FormatLongDoubleHuman(long double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[kMaxLongDoubleOutput];
  const int written = std::snprintf(buffer, sizeof(buffer), "%.17Lf", value);
  PINYON_CHECK(written > 0 && static_cast<size_t>(written) < sizeof(buffer));
  std::string_view text(buffer, static_cast<size_t>(written));
  // There always is a point, so no digit of the integer part is taken.
  while (text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  return text == "-0" ? "0" : std::string(text);
}

size_t FormatDoubleHuman(double value, char* out) {
  constexpr int kDecimals = 17;
  if (!std::isfinite(value)) return FormatDouble(value, out);
  const auto result =
      std::to_chars(out, out + kMaxHumanDoubleChars, value, std::chars_format::fixed, kDecimals);
  PINYON_CHECK(result.ec == std::errc());
  std::string_view text(out, static_cast<size_t>(result.ptr - out));
  while (text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  if (text != "-0") return text.size();
  out[0] = '0';
  return 1;
}

size_t FormatDouble(double value, char* out) {
  // %.17g writes integers of up to 17 digits out in full, and "-0" for the negative zero.
  constexpr double kFirstWithExponent = 1e17;
  if (std::abs(value) < kFirstWithExponent) {
    const auto integer = static_cast<int64_t>(value);
    const bool integral = static_cast<double>(integer) == value;
    if (integral && (integer != 0 || !std::signbit(value))) return FormatInt64(integer, out);
  }
  if (std::isnan(value)) {
    std::memcpy(out, "nan", 3);
    return 3;
  }
  const auto result = std::to_chars(out, out + kMaxDoubleChars, value, std::chars_format::general, 17);
  PINYON_CHECK(result.ec == std::errc());
  return static_cast<size_t>(result.ptr - out);
}

bool ParseMemory(std::string_view text, uint64_t* bytes) {
  size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  if (digits > kMaxMemoryDigits) return false;

  const std::string_view unit = text.substr(digits);
  uint64_t factor = 1;
  if (!unit.empty()) {
    if (unit.size() > 2) return false;
    const bool binary = unit.size() == 2;
    if (binary && unit[1] != 'b' && unit[1] != 'B') return false;
    const uint64_t step = binary ? 1024 : 1000;
    switch (unit[0] | 0x20) {
      case 'b':
        if (binary) return false;
        break;
      case 'k': factor = step; break;
      case 'm': factor = step * step; break;
      case 'g': factor = step * step * step; break;
      default: return false;
    }
  }

  uint64_t value = 0;
  for (const char c : text.substr(0, digits)) {
    if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return false;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(c - '0'), &value)) return false;
  }
  if (__builtin_mul_overflow(value, factor, &value)) return false;
  *bytes = value;
  return true;
}

}  // namespace pinyon
