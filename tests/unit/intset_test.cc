// Intsets, against a std::set, and against bytes that Redis 7.0 wrote.
#include "types/intset.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "packed_fixture.h"

namespace pinyon {
namespace {

using IntsetModel = std::set<int64_t>;
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// The bounds of the three widths, and their neighbours.
const std::vector<int64_t> kBoundaries = {0,          1,          -1,          32766,       32767,
                                          32768,      -32767,     -32768,      -32769,      2147483646,
                                          2147483647, 2147483648, -2147483647, -2147483648, -2147483649,
                                          kMax - 1,   kMax,       kMin,        kMin + 1};

bool IsValid(std::string_view bytes, bool deep = true) {
  const MovingBytes copy(bytes);
  return IntsetView::Validate(copy.data(), copy.size(), deep);
}

void RequireEqual(const MovingBytes& bytes, const IntsetView& set, const IntsetModel& model) {
  REQUIRE(set.data() == bytes.data());
  REQUIRE(set.bytes() == bytes.size());
  REQUIRE(IntsetView::Validate(bytes.data(), bytes.size()));
  REQUIRE(set.size() == model.size());
  IntsetModel read;
  for (size_t i = 0; i < set.size(); ++i) read.insert(read.end(), set.At(i));
  REQUIRE(read == model);
}

// Mostly of a few bits, so that sets stay narrow for a while and values meet again.
int64_t RandomValue(Random& random, int max_bits) {
  if (max_bits == 64 && random.Below(10) == 0) return kBoundaries[random.Below(kBoundaries.size())];
  const auto bits = 1 + random.Below(static_cast<uint64_t>(max_bits));
  return static_cast<int64_t>(random.Next()) >> (64 - bits);
}

void RunAgainstModel(Random& random, int max_bits, int steps) {
  MovingBytes bytes;
  Intset::InitEmpty(bytes);
  IntsetModel model;
  for (int i = 0; i < steps; ++i) {
    Intset set(bytes);
    const bool known = !model.empty() && random.Below(2) == 0;
    auto chosen = model.begin();
    if (known) std::advance(chosen, static_cast<std::ptrdiff_t>(random.Below(model.size())));
    const int64_t value = known ? *chosen : RandomValue(random, max_bits);
    REQUIRE(set.Contains(value) == model.contains(value));
    if (random.Below(3) == 0) {
      REQUIRE(set.Remove(value) == (model.erase(value) == 1));
    } else {
      REQUIRE(set.Add(value) == model.insert(value).second);
    }
    REQUIRE(set.Contains(value) == model.contains(value));
    RequireEqual(bytes, set, model);
  }
}

TEST_CASE("random changes keep an intset equal to a set", "[intset]") {
  Random random(Catch::rngSeed());
  for (const int max_bits : {4, 16, 17, 32, 33, 64}) RunAgainstModel(random, max_bits, 1000);
}

TEST_CASE("intsets have the bytes that Redis gives them", "[intset]") {
  MovingBytes bytes;
  Intset::InitEmpty(bytes);
  Intset set(bytes);
  CHECK(bytes.view() == FromHex("02 00 00 00 00 00 00 00"));
  CHECK(!set.Contains(0));
  CHECK(!set.Remove(0));

  for (const int64_t value : {1, 2, -5}) CHECK(set.Add(value));
  CHECK(bytes.view() == FromHex("02 00 00 00 03 00 00 00 fb ff 01 00 02 00"));
  CHECK(set.Add(70000));
  CHECK(bytes.view() == FromHex("04 00 00 00 04 00 00 00 fb ff ff ff 01 00 00 00 02 00 00 00 70 11 01 00"));
  CHECK(set.Add(-5000000000));
  CHECK(bytes.view() ==
        FromHex("08 00 00 00 05 00 00 00 00 0e fa d5 fe ff ff ff fb ff ff ff ff ff ff ff 01 00 00 00 "
                "00 00 00 00 02 00 00 00 00 00 00 00 70 11 01 00 00 00 00 00"));
  // The width stays.
  CHECK(set.Remove(-5000000000));
  CHECK(bytes.view() ==
        FromHex("08 00 00 00 04 00 00 00 fb ff ff ff ff ff ff ff 01 00 00 00 00 00 00 00 02 00 00 00 "
                "00 00 00 00 70 11 01 00 00 00 00 00"));
}

TEST_CASE("every width at its bounds, added as the first or the second", "[intset]") {
  for (const int64_t first : kBoundaries) {
    for (const int64_t second : kBoundaries) {
      MovingBytes bytes;
      Intset::InitEmpty(bytes);
      Intset set(bytes);
      CHECK(set.Add(first));
      CHECK(set.Contains(second) == (first == second));
      CHECK(set.Add(second) == (first != second));
      RequireEqual(bytes, set, {first, second});
      for (const int64_t value : kBoundaries)
        CHECK(set.Contains(value) == (value == first || value == second));
    }
  }
}

TEST_CASE("searches in sets of every size", "[intset]") {
  MovingBytes bytes;
  Intset::InitEmpty(bytes);
  Intset set(bytes);
  for (int size = 1; size <= 130; ++size) {
    set.Add(2 * size);
    for (int value = 1; value <= 2 * size + 1; ++value) REQUIRE(set.Contains(value) == (value % 2 == 0));
  }
}

TEST_CASE("damaged intsets are refused", "[intset]") {
  const std::string good = FromHex("04 00 00 00 03 00 00 00 fb ff ff ff 01 00 00 00 70 11 01 00");
  REQUIRE(IsValid(good));
  for (size_t size = 0; size < good.size(); ++size) CHECK(!IsValid(good.substr(0, size), false));
  CHECK(!IsValid(good + '\0', false));

  for (const int width : {0, 1, 2, 3, 5, 8, 16, 255}) {
    std::string bytes = good;
    bytes[0] = static_cast<char>(width);
    CHECK(!IsValid(bytes, false));
  }
  for (const int count : {0, 2, 4, 255}) {
    std::string bytes = good;
    bytes[4] = static_cast<char>(count);
    CHECK(!IsValid(bytes, false));
  }
  // A product that is right only in 32 bits.
  CHECK(!IsValid(FromHex("04 00 00 00 00 00 00 40"), false));
  CHECK(IsValid(FromHex("04 00 00 00 00 00 00 00")));

  const std::string unsorted = FromHex("02 00 00 00 02 00 00 00 02 00 01 00");
  CHECK(IsValid(unsorted, false));
  CHECK(!IsValid(unsorted));
  CHECK(!IsValid(FromHex("02 00 00 00 02 00 00 00 01 00 01 00")));
  CHECK(!IsValid(FromHex("02 00 00 00 02 00 00 00 01 00 ff ff")));
  CHECK(!IsValid(FromHex("08 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00 ff ff ff ff ff ff ff ff")));
}

}  // namespace
}  // namespace pinyon
