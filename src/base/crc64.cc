#include "base/crc64.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinyon {

namespace {

// The polynomial with its bits in reverse: the top bit is the coefficient of x^0.
constexpr uint64_t kPolynomial = 0x95ac9329ac4bc9b5;

constexpr uint64_t TimesX(uint64_t value) { return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0); }

using Tables = std::array<std::array<uint64_t, 256>, 8>;

// tables[k][b]: what byte b does to the checksum once k more bytes have followed.
constexpr Tables kTables = [] {
  Tables tables{};
  for (size_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = TimesX(crc);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = tables[k - 1][byte];
      tables[k][byte] = tables[0][before & 0xff] ^ (before >> 8);
    }
  }
  return tables;
}();

uint64_t ByTables(uint64_t crc, const uint8_t* at, size_t size) {
  for (; size >= 8; size -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][word >> (8 * i) & 0xff];
  }
  for (; size > 0; --size, ++at) crc = kTables[0][(crc ^ *at) & 0xff] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)

// x^n modulo the polynomial.
constexpr uint64_t PowerOfX(int n) {
  uint64_t value = uint64_t{1} << 63;
  for (int i = 0; i < n; ++i) value = TimesX(value);
  return value;
}

// What moves a 128-bit piece of the text over `bits` bits that follow it: its first 64 bits are multiplied by
// x^(bits + 64), its last 64 by x^bits. A carry-less product of two reflected numbers comes out one place too
// low, so the powers are one lower.
struct Fold {
  uint64_t low;
  uint64_t high;
};
constexpr Fold FoldOver(int bits) { return {PowerOfX(bits + 63), PowerOfX(bits - 1)}; }
constexpr Fold kFold512 = FoldOver(512);
constexpr Fold kFold128 = FoldOver(128);

__attribute__((target("pclmul"))) inline __m128i Folded(__m128i piece, __m128i by, const uint8_t* next) {
  const __m128i low = _mm_clmulepi64_si128(piece, by, 0x00);
  const __m128i high = _mm_clmulepi64_si128(piece, by, 0x11);
  const __m128i added = _mm_loadu_si128(reinterpret_cast<const __m128i*>(next));
  return _mm_xor_si128(_mm_xor_si128(low, high), added);
}

constexpr size_t kMinFolded = 128;

// Four pieces side by side, as a multiplication takes several cycles but one can begin with each; then these
// into one, whose checksum the tables make.
__attribute__((target("pclmul"))) uint64_t ByFolding(uint64_t crc, const uint8_t* at, size_t size) {
  const auto load = [](const uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const __m128i by512 =
      _mm_set_epi64x(static_cast<int64_t>(kFold512.high), static_cast<int64_t>(kFold512.low));
  const __m128i by128 =
      _mm_set_epi64x(static_cast<int64_t>(kFold128.high), static_cast<int64_t>(kFold128.low));
  __m128i a = _mm_xor_si128(load(at), _mm_cvtsi64_si128(static_cast<int64_t>(crc)));
  __m128i b = load(at + 16);
  __m128i c = load(at + 32);
  __m128i d = load(at + 48);
  for (at += 64, size -= 64; size >= 64; at += 64, size -= 64) {
    a = Folded(a, by512, at);
    b = Folded(b, by512, at + 16);
    c = Folded(c, by512, at + 32);
    d = Folded(d, by512, at + 48);
  }
  alignas(16) uint8_t piece[16];
  for (const __m128i next : {b, c, d}) {
    _mm_store_si128(reinterpret_cast<__m128i*>(piece), next);
    a = Folded(a, by128, piece);
  }
  for (; size >= 16; at += 16, size -= 16) a = Folded(a, by128, at);
  _mm_store_si128(reinterpret_cast<__m128i*>(piece), a);
  return ByTables(ByTables(0, piece, sizeof piece), at, size);
}

#endif

}  // namespace

uint64_t Crc64ByTables(uint64_t crc, const void* bytes, size_t size) {
  return ByTables(crc, static_cast<const uint8_t*>(bytes), size);
}

uint64_t Crc64(uint64_t crc, const void* bytes, size_t size) {
  const auto* at = static_cast<const uint8_t*>(bytes);
#if defined(__x86_64__)
  static const bool kCanFold = __builtin_cpu_supports("pclmul") != 0;
  if (kCanFold && size >= kMinFolded) return ByFolding(crc, at, size);
#endif
  return ByTables(crc, at, size);
}

}  // namespace pinyon
