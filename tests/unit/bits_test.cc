// Bits of byte strings, against a model that knows nothing but one bit at a time.
#include "types/bits.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon::bits {
namespace {

using Bits = std::vector<bool>;

Bits ToBits(std::string_view bytes) {
  Bits bits;
  for (const char c : bytes) {
    for (int bit = 7; bit >= 0; --bit) bits.push_back(((static_cast<unsigned char>(c) >> bit) & 1) != 0);
  }
  return bits;
}

std::string RandomBytes(Random& random, size_t max_size) {
  std::string bytes(random.Below(max_size + 1), '\0');
  // Long stretches of one value find other mistakes than noise does.
  const uint64_t kind = random.Below(4);
  for (char& c : bytes) {
    if (kind == 0) c = static_cast<char>(random.Next());
    if (kind == 1) c = static_cast<char>(0xff);
    if (kind == 2) c = static_cast<char>(random.Below(200) == 0 ? 0x10 : 0);
    if (kind == 3) c = static_cast<char>(random.Below(200) == 0 ? 0xef : 0xff);
  }
  return bytes;
}

uint64_t ModelField(const Bits& bits, uint64_t offset, unsigned width) {
  uint64_t value = 0;
  for (uint64_t i = offset; i < offset + width; ++i)
    value = value << 1 | (i < bits.size() && bits[i] ? 1 : 0);
  return value;
}

// What low `width` bits mean, without shifts of negative numbers.
int64_t ModelMeaning(FieldType type, uint64_t value) {
  if (!type.is_signed || (value >> (type.width - 1)) == 0) return static_cast<int64_t>(value);
  uint64_t extended = value;
  for (unsigned i = type.width; i < 64; ++i) extended |= uint64_t{1} << i;
  return static_cast<int64_t>(extended);
}

FieldType RandomType(Random& random) {
  const bool is_signed = random.Below(2) == 0;
  return {.is_signed = is_signed, .width = static_cast<uint8_t>(1 + random.Below(is_signed ? 64 : 63))};
}

// A seed of its own for every run; Catch prints it when a check fails.
uint64_t Seed() { return Random::FromSystem().Next(); }

TEST_CASE("bits are numbered from the most significant of the first byte", "[bits]") {
  const std::string bytes("\x80\x01", 2);
  CHECK(GetBit(bytes, 0));
  CHECK_FALSE(GetBit(bytes, 1));
  CHECK(GetBit(bytes, 15));
  CHECK_FALSE(GetBit(bytes, 16));
  CHECK_FALSE(GetBit(bytes, ~uint64_t{0}));
  CHECK_FALSE(GetBit("", 0));
  CHECK(Count(bytes) == 2);
  CHECK(Find(bytes, true, 1, 15) == 15);
}

TEST_CASE("single bits follow the model", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  std::string bytes(40, '\0');
  Bits model(bytes.size() * 8);
  for (int i = 0; i < 5000; ++i) {
    const size_t offset = random.Below(model.size());
    const bool value = random.Below(2) == 0;
    SetBit(bytes.data(), offset, value);
    model[offset] = value;
  }
  CHECK(ToBits(bytes) == model);
  for (size_t i = 0; i < model.size(); ++i) CHECK(GetBit(bytes, i) == model[i]);
}

TEST_CASE("counting follows the model at every length and alignment", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 400; ++round) {
    // Beyond 1 KiB all loops of the widest form have run.
    const std::string bytes = RandomBytes(random, round % 10 == 0 ? 3000 : 100);
    const std::string_view unaligned =
        std::string_view(bytes).substr(std::min<size_t>(random.Below(8), bytes.size()));
    const Bits model = ToBits(unaligned);
    CHECK(Count(unaligned) == static_cast<uint64_t>(std::count(model.begin(), model.end(), true)));
    if (model.empty()) continue;
    const size_t first = random.Below(model.size());
    const size_t last = first + random.Below(std::min<size_t>(model.size() - first, 1 + random.Below(4000)));
    CAPTURE(first, last, unaligned.size());
    CHECK(Count(unaligned, first, last) ==
          static_cast<uint64_t>(std::count(model.begin() + static_cast<ptrdiff_t>(first),
                                           model.begin() + static_cast<ptrdiff_t>(last) + 1, true)));
  }
}

TEST_CASE("counting does not overflow its byte sums", "[bits]") {
  const std::string ones(32 * 31 * 3 + 17, '\xff');
  CHECK(Count(ones) == ones.size() * 8);
}

TEST_CASE("searching follows the model", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::string bytes = RandomBytes(random, round % 10 == 0 ? 2000 : 50);
    const Bits model = ToBits(bytes);
    if (model.empty()) continue;
    const size_t first = random.Below(model.size());
    const size_t last = first + random.Below(model.size() - first);
    const bool value = random.Below(2) == 0;
    std::optional<uint64_t> expected;
    for (size_t i = first; i <= last && !expected; ++i) {
      if (model[i] == value) expected = i;
    }
    CAPTURE(first, last, value);
    CHECK(Find(bytes, value, first, last) == expected);
  }
}

TEST_CASE("combining follows the model, with sources of any length", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    // Beyond 8 KiB the work is done in more than one piece.
    const size_t max_size = round % 20 == 0 ? 20000 : 100;
    std::vector<std::string> strings(1 + random.Below(5));
    for (std::string& string : strings) string = RandomBytes(random, max_size);
    const std::vector<std::string_view> sources(strings.begin(), strings.end());
    size_t longest = 0;
    for (const std::string_view source : sources) longest = std::max(longest, source.size());

    for (const Operation operation : {Operation::kAnd, Operation::kOr, Operation::kXor}) {
      std::string expected(longest, '\0');
      for (size_t i = 0; i < longest; ++i) {
        unsigned byte = i < sources[0].size() ? static_cast<unsigned char>(sources[0][i]) : 0;
        for (size_t s = 1; s < sources.size(); ++s) {
          const unsigned other = i < sources[s].size() ? static_cast<unsigned char>(sources[s][i]) : 0;
          if (operation == Operation::kAnd) byte &= other;
          if (operation == Operation::kOr) byte |= other;
          if (operation == Operation::kXor) byte ^= other;
        }
        expected[i] = static_cast<char>(byte);
      }
      std::string combined(longest, 'x');
      Combine(operation, sources, combined.data(), longest);
      CAPTURE(static_cast<int>(operation), sources.size(), longest);
      CHECK((combined == expected));
    }

    std::string inverted(sources[0].size(), 'x');
    Combine(Operation::kNot, {&sources[0], 1}, inverted.data(), inverted.size());
    Bits expected = ToBits(sources[0]);
    expected.flip();
    CHECK((ToBits(inverted) == expected));
  }
}

TEST_CASE("fields of any type at any offset follow the model", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  std::string bytes(64, '\0');
  Bits model(bytes.size() * 8);
  for (int round = 0; round < 20000; ++round) {
    const FieldType type = RandomType(random);
    const uint64_t offset = random.Below(model.size() - type.width + 1);
    CAPTURE(type.is_signed, type.width, offset);
    if (random.Below(2) == 0) {
      const uint64_t value = random.Next();
      SetField(bytes.data(), type, offset, static_cast<int64_t>(value));
      for (unsigned i = 0; i < type.width; ++i) {
        model[offset + i] = ((value >> (type.width - 1 - i)) & 1) != 0;
      }
      REQUIRE(ToBits(bytes) == model);
    }
    // Reads may reach beyond the end.
    const uint64_t read_offset = random.Below(model.size() + 100);
    REQUIRE(GetField(bytes, type, offset) == ModelMeaning(type, ModelField(model, offset, type.width)));
    REQUIRE(GetField(bytes, type, read_offset) ==
            ModelMeaning(type, ModelField(model, read_offset, type.width)));
  }
  CHECK(GetField(bytes, {.is_signed = true, .width = 64}, uint64_t{1} << 40) == 0);
}

TEST_CASE("the limits of field types", "[bits]") {
  CHECK(FieldType{true, 1}.Min() == -1);
  CHECK(FieldType{true, 1}.Max() == 0);
  CHECK(FieldType{true, 8}.Min() == -128);
  CHECK(FieldType{true, 8}.Max() == 127);
  CHECK(FieldType{true, 64}.Min() == INT64_MIN);
  CHECK(FieldType{true, 64}.Max() == INT64_MAX);
  CHECK(FieldType{false, 1}.Min() == 0);
  CHECK(FieldType{false, 1}.Max() == 1);
  CHECK(FieldType{false, 63}.Max() == INT64_MAX);
}

TEST_CASE("values that a field cannot hold", "[bits]") {
  const FieldType i8{true, 8}, u8{false, 8}, i64{true, 64}, u63{false, 63};
  CHECK(FitValue(i8, 128, Overflow::kWrap) == -128);
  CHECK(FitValue(i8, 128, Overflow::kSaturate) == 127);
  CHECK(FitValue(i8, -129, Overflow::kSaturate) == -128);
  CHECK(FitValue(i8, 128, Overflow::kFail) == std::nullopt);
  CHECK(FitValue(i8, -128, Overflow::kFail) == -128);
  CHECK(FitValue(u8, 256, Overflow::kWrap) == 0);
  // A negative value is a very large unsigned one.
  CHECK(FitValue(u8, -1, Overflow::kWrap) == 255);
  CHECK(FitValue(u8, -1, Overflow::kSaturate) == 255);
  CHECK(FitValue(u8, -1, Overflow::kFail) == std::nullopt);
  CHECK(FitValue(u63, -1, Overflow::kWrap) == INT64_MAX);
  CHECK(FitValue(i64, INT64_MIN, Overflow::kFail) == INT64_MIN);
  CHECK(FitValue(i64, INT64_MIN, Overflow::kSaturate) == INT64_MIN);
  // Just near enough, and too far below.
  CHECK(FitValue(i8, 127 - INT64_MAX, Overflow::kSaturate) == -128);
  CHECK(FitValue(i8, 126 - INT64_MAX, Overflow::kSaturate) == 127);
  CHECK(FitValue(i8, INT64_MIN, Overflow::kWrap) == 0);
}

TEST_CASE("sums that a field cannot hold", "[bits]") {
  const FieldType u8{false, 8}, i64{true, 64}, u63{false, 63};
  CHECK(FitSum(u8, 10, -11, Overflow::kWrap) == 255);
  CHECK(FitSum(u8, 10, -11, Overflow::kSaturate) == 0);
  CHECK(FitSum(u8, 10, -11, Overflow::kFail) == std::nullopt);
  CHECK(FitSum(u8, 255, 300, Overflow::kWrap) == 43);
  CHECK(FitSum(i64, INT64_MAX, 1, Overflow::kWrap) == INT64_MIN);
  CHECK(FitSum(i64, INT64_MAX, INT64_MAX, Overflow::kSaturate) == INT64_MAX);
  CHECK(FitSum(i64, INT64_MIN, INT64_MIN, Overflow::kWrap) == 0);
  CHECK(FitSum(i64, INT64_MIN, -1, Overflow::kFail) == std::nullopt);
  CHECK(FitSum(u63, INT64_MAX, INT64_MAX, Overflow::kSaturate) == INT64_MAX);
  CHECK(FitSum(u63, INT64_MAX, INT64_MIN, Overflow::kSaturate) == 0);
}

TEST_CASE("wrapped sums are sums modulo the field's size", "[bits]") {
  const uint64_t seed = Seed();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 10000; ++round) {
    const FieldType type = RandomType(random);
    const auto value = FitValue(type, static_cast<int64_t>(random.Next()), Overflow::kWrap);
    const auto increment = static_cast<int64_t>(random.Next() >> random.Below(64));
    const auto sum = FitSum(type, *value, increment, Overflow::kWrap);
    const uint64_t mask = type.width == 64 ? ~uint64_t{0} : (uint64_t{1} << type.width) - 1;
    const uint64_t bits = (static_cast<uint64_t>(*value) + static_cast<uint64_t>(increment)) & mask;
    CAPTURE(type.is_signed, type.width, *value, increment);
    REQUIRE(sum == ModelMeaning(type, bits));
    // Where nothing overflows, the three ways agree.
    if (const auto exact = FitSum(type, *value, increment, Overflow::kFail)) {
      REQUIRE(exact == sum);
      REQUIRE(FitSum(type, *value, increment, Overflow::kSaturate) == sum);
    }
  }
}

}  // namespace
}  // namespace pinyon::bits
