// Numbers to text and back, as the protocol and the configuration file write them. What is accepted, refused
// and printed is observable by clients, so every rule below was probed on Redis 7.0 and is pinned by
// numbers_test.cc.
//
// Parsers leave *out untouched when they return false; formatters write no terminating zero and return the
// number of characters. None allocates but FormatLongDoubleHuman for its result, and
// ParseScoreBound for a long number out of range. Integers cost a few nanoseconds,
// doubles tens; long doubles go through the C library, hence need the C numeric locale, which a process keeps
// that never calls setlocale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pinyon {

inline constexpr size_t kMaxInt64Chars = 21;
inline constexpr size_t kMaxDoubleChars = 32;
inline constexpr size_t kMaxHumanDoubleChars = 344;

// Only the canonical spelling of a number is one: no spaces, no '+', no leading zeros, no "-0". Hence
// FormatInt64(ParseInt64(s)) == s, which is what lets a string be stored as an integer. (ParseLongInt64 is
// for ParseInt64 only: of numbers that are not a single digit.)
bool ParseLongInt64(std::string_view text, int64_t* out);
inline bool ParseInt64(std::string_view text, int64_t* out) {
  if (text.size() != 1 || static_cast<unsigned char>(text[0] - '0') > 9) return ParseLongInt64(text, out);
  *out = text[0] - '0';
  return true;
}
bool ParseUint64(std::string_view text, uint64_t* out);

// `out` has room for kMaxInt64Chars; what of it lies behind the number may have been written to, too.
size_t FormatInt64(int64_t value, char* out);
size_t FormatUint64(uint64_t value, char* out);

// INCRBYFLOAT, HINCRBYFLOAT and the timeouts of blocking commands. Infinities are accepted, NaN is not.
bool ParseLongDouble(std::string_view text, long double* out);

// Scores, coordinates and other double arguments. Infinities are accepted, NaN is not.
bool ParseDouble(std::string_view text, double* out);

// The bounds of ZRANGEBYSCORE, ZCOUNT and the like, behind their "(". Laxer than ParseDouble: leading white
// space is skipped, a number out of range becomes an infinity or zero, a zero byte ends the text, and an
// empty text is 0.
bool ParseScoreBound(std::string_view text, double* out);

// What INCRBYFLOAT replies and stores: 17 decimals at most, never an exponent, trailing zeros trimmed.
std::string FormatLongDoubleHuman(long double value);

// What a coordinate looks like in a reply: the same for a double, several times as fast. `out` has room for
// kMaxHumanDoubleChars.
size_t FormatDoubleHuman(double value, char* out);

// What a score looks like in a reply: %.17g, "inf", "-inf", "nan". `out` has room for kMaxDoubleChars.
size_t FormatDouble(double value, char* out);

// A size in the configuration file or in CONFIG SET: digits and a unit in any case; b or none 1, k 1000, kb
// 1024, m 1000^2, mb 1024^2, g 1000^3, gb 1024^3. No digits are 0, as in Redis. What does not fit in 64 bits
// is refused, where Redis wraps around (and takes "17179869184gb" for a maxmemory of 0, which is none).
bool ParseMemory(std::string_view text, uint64_t* bytes);

}  // namespace pinyon
