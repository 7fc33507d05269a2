#include "types/lcs.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

namespace pinyon {
namespace {

using LengthTable = std::vector<std::vector<size_t>>;

LengthTable ClassicTable(const std::string& a, const std::string& b) {
  LengthTable table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      table[i][j] =
          a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  return table;
}

// The pairs of positions that walking back through the classic table matches, the last one first.
std::vector<std::pair<size_t, size_t>> ClassicPairs(const LengthTable& table, const std::string& a,
                                                    const std::string& b) {
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      pairs.emplace_back(--i, --j);
    } else if (table[i - 1][j] > table[i][j - 1]) {
      --i;
    } else {
      --j;
    }
  }
  return pairs;
}

std::string RandomText(std::mt19937& random, size_t max_length, unsigned letters) {
  std::string text(random() % (max_length + 1), ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % letters);
  return text;
}

TEST_CASE("LCS by bit vectors finds what the classic table finds") {
  std::mt19937 random(20240229);
  for (int round = 0; round < 1500; ++round) {
    const unsigned letters = 1 + static_cast<unsigned>(random() % 6);
    const std::string a = RandomText(random, 200, letters);
    const std::string b = RandomText(random, 200, letters);
    INFO("round " << round << ": " << a << " " << b);
    const LengthTable table = ClassicTable(a, b);
    REQUIRE(LcsLength(a, b) == table[a.size()][b.size()]);
    std::vector<std::pair<size_t, size_t>> pairs;
    for (const LcsRun& run : LcsRuns(a, b)) {
      for (size_t k = run.length; k > 0; --k) pairs.emplace_back(run.a_start + k - 1, run.b_start + k - 1);
    }
    REQUIRE(pairs == ClassicPairs(table, a, b));
  }
}

TEST_CASE("LCS runs are as long as possible") {
  const std::vector<LcsRun> runs = LcsRuns("ohmytext", "mynewtext");
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].a_start == 4);
  CHECK(runs[0].b_start == 5);
  CHECK(runs[0].length == 4);
  CHECK(runs[1].a_start == 2);
  CHECK(runs[1].b_start == 0);
  CHECK(runs[1].length == 2);
}

TEST_CASE("LCS of empty strings and of all bytes") {
  CHECK(LcsLength("", "") == 0);
  CHECK(LcsLength("a", "") == 0);
  CHECK(LcsRuns("", "a").empty());
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  CHECK(LcsLength(bytes, bytes) == 256);
  CHECK(LcsRuns(bytes, bytes).size() == 1);
}

}  // namespace
}  // namespace pinyon
