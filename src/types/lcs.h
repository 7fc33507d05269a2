// The longest common subsequence of two strings, 64 cells of the classic table at a time.
//
// In a row of that table neighbours differ by 0 or 1, so a row is one bit for each byte of b, and the next
// row follows from it by one addition and a few logical operations on whole words (Crochemore, Iliopoulos,
// Pinzon, Reid, "A fast and practical bit-vector algorithm for the longest common subsequence problem", IPL
// 2001; Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004). Walking back needs no more than
// those bits: where the bytes differ, the bit tells whether the left neighbour is smaller, and then the upper
// one is not.
//
// Among subsequences of equal length this finds the one that Redis's LCS finds: from the ends toward the
// beginnings, matching where the bytes are equal, else shortening `b` unless that loses length.
//
// Time: |a| * |b| / 64 steps. Memory: |b| / 8 bytes for each distinct byte of `a`; LcsRuns another |a| * |b|
// / 8.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace pinyon {

size_t LcsLength(std::string_view a, std::string_view b);

// A stretch of the subsequence that is without gaps in both strings.
struct LcsRun {
  size_t a_start;
  size_t b_start;
  size_t length;
};

// All of them, as long as possible each, the last one first.
std::vector<LcsRun> LcsRuns(std::string_view a, std::string_view b);

}  // namespace pinyon
