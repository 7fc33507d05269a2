#include "types/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pinyon::bits {
namespace {

__extension__ using Int128 = __int128;

uint64_t LoadWord(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// A word whose most significant bit is the string's first.
uint64_t ToBigEndian(uint64_t word) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

// Bits `from` to 7 of a byte, and bits 0 to `to`.
unsigned char MaskFrom(uint64_t from) { return static_cast<unsigned char>(0xff >> from); }
unsigned char MaskTo(uint64_t to) { return static_cast<unsigned char>(0xff << (7 - to)); }

uint64_t CountTail(const char* p, size_t size) {
  PINYON_ASSERT(size < 8);
  uint64_t word = 0;
  std::memcpy(&word, p, size);
  return static_cast<uint64_t>(std::popcount(word));
}

// Four sums, so that the additions do not wait for each other.
[[gnu::always_inline]] inline uint64_t CountWords(const char* p, size_t size) {
  uint64_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
  for (; size >= 32; p += 32, size -= 32) {
    sum0 += static_cast<uint64_t>(__builtin_popcountll(LoadWord(p)));
    sum1 += static_cast<uint64_t>(__builtin_popcountll(LoadWord(p + 8)));
    sum2 += static_cast<uint64_t>(__builtin_popcountll(LoadWord(p + 16)));
    sum3 += static_cast<uint64_t>(__builtin_popcountll(LoadWord(p + 24)));
  }
  for (; size >= 8; p += 8, size -= 8) sum0 += static_cast<uint64_t>(__builtin_popcountll(LoadWord(p)));
  return sum0 + sum1 + sum2 + sum3 + CountTail(p, size);
}

uint64_t CountPortable(const char* p, size_t size) { return CountWords(p, size); }

#if defined(__x86_64__)

[[gnu::target("popcnt")]] uint64_t CountPopcnt(const char* p, size_t size) { return CountWords(p, size); }

// Looks up the counts of nibbles with byte shuffles (Mula, Kurz, Lemire, "Faster population counts using AVX2
// instructions", The Computer Journal 61(1), 2018).
[[gnu::target("avx2,popcnt")]] uint64_t CountAvx2(const char* p, size_t size) {
  const __m256i nibble_counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                                 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_nibbles = _mm256_set1_epi8(0x0f);
  __m256i sums = _mm256_setzero_si256();
  while (size >= 32) {
    // A byte of `bytes` grows by at most 8 a round, so it must be emptied after 31.
    constexpr size_t kMaxRounds = 31;
    const size_t rounds = std::min(size / 32, kMaxRounds);
    __m256i bytes = _mm256_setzero_si256();
    for (size_t i = 0; i < rounds; ++i, p += 32) {
      const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
      const __m256i low = _mm256_and_si256(block, low_nibbles);
      const __m256i high = _mm256_and_si256(_mm256_srli_epi16(block, 4), low_nibbles);
      const __m256i counts =
          _mm256_add_epi8(_mm256_shuffle_epi8(nibble_counts, low), _mm256_shuffle_epi8(nibble_counts, high));
      bytes = _mm256_add_epi8(bytes, counts);
    }
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
    size -= rounds * 32;
  }
  uint64_t lanes[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes), sums);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + CountWords(p, size);
}

#endif

// Where `bytes` first differs from `skipped` repeated; its size if nowhere. A search through bytes only,
// since a bitmap that is searched has long stretches of one value.
size_t SkipBytes(std::string_view bytes, unsigned char skipped) {
  const uint64_t skipped_word = skipped == 0 ? 0 : ~uint64_t{0};
  const char* p = bytes.data();
  size_t at = 0;
  for (; bytes.size() - at >= 32; at += 32) {
    const uint64_t differing = (LoadWord(p + at) ^ skipped_word) | (LoadWord(p + at + 8) ^ skipped_word) |
                               (LoadWord(p + at + 16) ^ skipped_word) |
                               (LoadWord(p + at + 24) ^ skipped_word);
    if (differing != 0) break;
  }
  while (bytes.size() - at >= 8 && LoadWord(p + at) == skipped_word) at += 8;
  while (at < bytes.size() && static_cast<unsigned char>(p[at]) == skipped) ++at;
  return at;
}

// The combining loops are plain so that the compiler vectorises them.
void AndInto(char* __restrict__ out, const char* __restrict__ source, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] & source[i]);
}
void OrInto(char* __restrict__ out, const char* __restrict__ source, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] | source[i]);
}
void XorInto(char* __restrict__ out, const char* __restrict__ source, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] ^ source[i]);
}
void NotInto(char* __restrict__ out, const char* __restrict__ source, size_t size) {
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(~source[i]);
}

// The part of `source` that lies in a piece of the result; empty beyond the source's end.
std::string_view Piece(std::string_view source, size_t start, size_t size) {
  return start >= source.size() ? std::string_view() : source.substr(start, size);
}

void CombinePiece(Operation operation, std::span<const std::string_view> sources, char* out, size_t start,
                  size_t size) {
  const std::string_view first = Piece(sources[0], start, size);
  if (operation == Operation::kNot) {
    NotInto(out, first.data(), first.size());
    return;
  }
  if (!first.empty()) std::memcpy(out, first.data(), first.size());
  std::memset(out + first.size(), 0, size - first.size());
  for (const std::string_view source : sources.subspan(1)) {
    const std::string_view part = Piece(source, start, size);
    switch (operation) {
      case Operation::kAnd:
        AndInto(out, part.data(), part.size());
        std::memset(out + part.size(), 0, size - part.size());
        break;
      case Operation::kOr: OrInto(out, part.data(), part.size()); break;
      default: XorInto(out, part.data(), part.size()); break;
    }
  }
}

uint64_t FieldMask(FieldType type) { return ~uint64_t{0} >> (64 - type.width); }

// What a field whose bits are the low bits of `bits` stands for.
int64_t Interpret(FieldType type, uint64_t bits) {
  const unsigned unused = 64u - type.width;
  if (type.is_signed) return static_cast<int64_t>(bits << unused) >> unused;
  return static_cast<int64_t>(bits & FieldMask(type));
}

std::optional<int64_t> Fit(FieldType type, Int128 value, Overflow overflow) {
  if (value >= type.Min() && value <= type.Max()) return static_cast<int64_t>(value);
  switch (overflow) {
    case Overflow::kSaturate: return value < type.Min() ? type.Min() : type.Max();
    case Overflow::kFail: return std::nullopt;
    default: return Interpret(type, static_cast<uint64_t>(value));
  }
}

}  // namespace

uint64_t Count(std::string_view bytes) {
#if defined(__x86_64__)
  // From here on the shuffles win over one popcnt a word.
  constexpr size_t kMinAvx2Bytes = 128;
  if (bytes.size() >= kMinAvx2Bytes && __builtin_cpu_supports("avx2"))
    return CountAvx2(bytes.data(), bytes.size());
  if (__builtin_cpu_supports("popcnt")) return CountPopcnt(bytes.data(), bytes.size());
#endif
  return CountPortable(bytes.data(), bytes.size());
}

uint64_t Count(std::string_view bytes, uint64_t first, uint64_t last) {
  PINYON_ASSERT(first <= last && (last >> 3) < bytes.size());
  const size_t first_byte = first >> 3;
  const size_t last_byte = last >> 3;
  uint64_t count = Count(bytes.substr(first_byte, last_byte - first_byte + 1));
  // The bits of the outer bytes that were counted too much.
  const unsigned before = static_cast<unsigned char>(bytes[first_byte]) & ~MaskFrom(first & 7) & 0xffu;
  const unsigned after = static_cast<unsigned char>(bytes[last_byte]) & ~MaskTo(last & 7) & 0xffu;
  count -= static_cast<uint64_t>(std::popcount(before) + std::popcount(after));
  return count;
}

std::optional<uint64_t> Find(std::string_view bytes, bool value, uint64_t first, uint64_t last) {
  PINYON_ASSERT(first <= last && (last >> 3) < bytes.size());
  const unsigned char skipped = value ? 0 : 0xff;
  const size_t first_byte = first >> 3;
  const size_t last_byte = last >> 3;
  // The byte at which something is found, with what is searched for as ones and without the bits before the
  // range.
  unsigned char found = static_cast<unsigned char>(static_cast<unsigned char>(bytes[first_byte]) ^ skipped);
  found = static_cast<unsigned char>(found & MaskFrom(first & 7));
  size_t at = first_byte;
  if (found == 0) {
    at = first_byte + 1;
    at += SkipBytes(bytes.substr(at, last_byte + 1 - at), skipped);
    if (at > last_byte) return std::nullopt;
    found = static_cast<unsigned char>(static_cast<unsigned char>(bytes[at]) ^ skipped);
  }
  const uint64_t position = at * 8 + static_cast<uint64_t>(std::countl_zero(found));
  return position <= last ? std::optional(position) : std::nullopt;
}

void Combine(Operation operation, std::span<const std::string_view> sources, char* out, size_t length) {
  PINYON_ASSERT(!sources.empty() && (operation != Operation::kNot || sources[0].size() == length));
  // A piece of the result stays in the first-level cache while one source after the other is worked into it.
  constexpr size_t kPieceBytes = 8 * 1024;
  for (size_t start = 0; start < length; start += kPieceBytes) {
    CombinePiece(operation, sources, out + start, start, std::min(kPieceBytes, length - start));
  }
}

int64_t GetField(std::string_view bytes, FieldType type, uint64_t offset) {
  PINYON_ASSERT(type.width >= 1 && type.width <= 64);
  const uint64_t index = offset >> 3;
  const unsigned shift = offset & 7;
  // A field of 64 bits may touch nine bytes.
  char window[9] = {};
  if (index < bytes.size())
    std::memcpy(window, bytes.data() + index, std::min<uint64_t>(9, bytes.size() - index));
  uint64_t bits = ToBigEndian(LoadWord(window)) << shift;
  if (shift != 0) bits |= static_cast<uint64_t>(static_cast<unsigned char>(window[8])) >> (8 - shift);
  return Interpret(type, bits >> (64 - type.width));
}

void SetField(char* bytes, FieldType type, uint64_t offset, int64_t value) {
  PINYON_ASSERT(type.width >= 1 && type.width <= 64);
  // From the last byte to the first, each taking what is left of the value's low bits.
  uint64_t bits = static_cast<uint64_t>(value) & FieldMask(type);
  uint64_t end = offset + type.width;
  while (end > offset) {
    const uint64_t index = (end - 1) >> 3;
    const uint64_t start = std::max(offset, index * 8);
    const unsigned taken = static_cast<unsigned>(end - start);
    const unsigned shift = static_cast<unsigned>((index + 1) * 8 - end);
    const unsigned mask = (0xffu >> (8 - taken)) << shift;
    const unsigned kept = static_cast<unsigned char>(bytes[index]) & ~mask;
    bytes[index] = static_cast<char>(kept | ((static_cast<unsigned>(bits & 0xff) << shift) & mask));
    bits >>= taken;
    end = start;
  }
}

std::optional<int64_t> FitValue(FieldType type, int64_t value, Overflow overflow) {
  if (!type.is_signed) return Fit(type, static_cast<Int128>(static_cast<uint64_t>(value)), overflow);
  if (overflow == Overflow::kSaturate && type.width < 64 && value < type.Max() - INT64_MAX) return type.Max();
  return Fit(type, value, overflow);
}

std::optional<int64_t> FitSum(FieldType type, int64_t value, int64_t increment, Overflow overflow) {
  return Fit(type, static_cast<Int128>(value) + increment, overflow);
}

}  // namespace pinyon::bits
