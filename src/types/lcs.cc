#include "types/lcs.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/assert.h"

namespace pinyon {

namespace {

// For each byte that occurs in `a`, the positions where it occurs in `b`, as a bit vector.
class Positions {
 public:
  Positions(std::string_view a, std::string_view b) : words_((b.size() + 63) / 64) {
    size_t distinct = 0;
    vector_of_.fill(kNone);
    for (const char c : a) {
      uint32_t& vector = vector_of_[static_cast<uint8_t>(c)];
      if (vector == kNone) vector = static_cast<uint32_t>(distinct++);
    }
    bits_.assign(distinct * words_, 0);
    for (size_t j = 0; j < b.size(); ++j) {
      const uint32_t vector = vector_of_[static_cast<uint8_t>(b[j])];
      if (vector != kNone) bits_[vector * words_ + j / 64] |= uint64_t{1} << (j % 64);
    }
  }

  size_t words() const { return words_; }
  const uint64_t* Of(char c) const {
    PINYON_ASSERT(vector_of_[static_cast<uint8_t>(c)] != kNone);
    return bits_.data() + vector_of_[static_cast<uint8_t>(c)] * words_;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  size_t words_;
  std::array<uint32_t, 256> vector_of_;
  std::vector<uint64_t> bits_;
};

// The row below `row`; a zero bit j says that cell j + 1 is one more than cell j. May be done in place.
void NextRow(const uint64_t* row, const uint64_t* matches, size_t words, uint64_t* next) {
  uint64_t carry = 0;
  for (size_t w = 0; w < words; ++w) {
    const uint64_t old = row[w];
    const uint64_t common = old & matches[w];
    uint64_t sum;
    const bool overflow = __builtin_add_overflow(old, common, &sum);
    const bool carry_overflow = __builtin_add_overflow(sum, carry, &sum);
    carry = overflow || carry_overflow ? 1 : 0;
    next[w] = sum | (old & ~matches[w]);
  }
}

bool LeftIsSmaller(const uint64_t* row, size_t j) { return (row[j / 64] >> (j % 64) & 1) == 0; }

}  // namespace

size_t LcsLength(std::string_view a, std::string_view b) {
  const Positions positions(a, b);
  std::vector<uint64_t> row(positions.words(), ~uint64_t{0});
  for (const char c : a) NextRow(row.data(), positions.Of(c), row.size(), row.data());
  // Bits beyond the end of `b` match nothing, but the carry out of it runs through them.
  size_t length = 0;
  for (size_t j = 0; j < b.size(); ++j) length += LeftIsSmaller(row.data(), j) ? 1 : 0;
  return length;
}

std::vector<LcsRun> LcsRuns(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return {};
  const Positions positions(a, b);
  const size_t words = positions.words();
  std::vector<uint64_t> rows((a.size() + 1) * words);
  std::fill_n(rows.begin(), words, ~uint64_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    NextRow(&rows[i * words], positions.Of(a[i]), words, &rows[(i + 1) * words]);
  }

  std::vector<LcsRun> runs;
  bool in_run = false;
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      --i;
      --j;
      if (in_run) {
        runs.back() = {i, j, runs.back().length + 1};
      } else {
        runs.push_back({i, j, 1});
        in_run = true;
      }
      continue;
    }
    in_run = false;
    if (LeftIsSmaller(&rows[i * words], j - 1)) {
      --i;
    } else {
      --j;
    }
  }
  return runs;
}

}  // namespace pinyon
