// HyperLogLog values on plain bytes. Expected bytes and estimates are what a redis-server 7.0 gave.
#include "types/hyperloglog.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

using namespace std::string_literals;

constexpr size_t kSparseMaxBytes = 3000;

class Value {
 public:
  explicit Value(std::string_view bytes = hll::kEmpty) {
    bytes_.Resize(bytes.size());
    std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  hll::Outcome Add(std::string_view element, size_t sparse_max_bytes = kSparseMaxBytes) {
    return hll::Add(bytes_, hll::Observe(element), sparse_max_bytes);
  }
  hll::Outcome Raise(size_t index, uint8_t rank) {
    return hll::Add(bytes_, {static_cast<uint16_t>(index), rank}, kSparseMaxBytes);
  }
  uint64_t Count() const {
    uint64_t count = 0;
    CHECK(hll::Count(view(), &count));
    return count;
  }
  std::string Body() const { return std::string(view().substr(hll::kHeaderBytes)); }
  bool IsDense() const { return hll::FormOf(view()) == hll::Form::kDense; }
  PackedBytes& bytes() { return bytes_; }

 private:
  PackedBlock bytes_;
};

// FNV-1a, to compare long values.
uint64_t Digest(std::string_view bytes) {
  uint64_t digest = 0xcbf29ce484222325;
  for (const char c : bytes) digest = (digest ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return digest;
}

std::vector<uint8_t> RanksOf(std::string_view value) {
  hll::Registers registers;
  REQUIRE(hll::MergeInto(registers, value));
  return {registers.ranks.begin(), registers.ranks.end()};
}

std::string Corrupt(std::string_view body) {
  return std::string(hll::kEmpty.substr(0, hll::kHeaderBytes)) + std::string(body);
}

TEST_CASE("HyperLogLog bytes and estimates are those of Redis", "[hyperloglog]") {
  Value value;
  CHECK(value.Count() == 0);
  CHECK(value.Add("x") == hll::Outcome::kChanged);
  CHECK(value.Add("y") == hll::Outcome::kChanged);
  CHECK(value.Add("x") == hll::Outcome::kSame);
  CHECK(value.Body() == "\x7a\x53\x88\x45\xa0\x84\x08");
  CHECK(hll::Describe(value.view()) == "Z:14932 v:3,1 Z:1441 v:2,1 z:9");

  struct Expected {
    size_t elements;
    uint64_t count;
    size_t bytes;
    uint64_t digest;
  };
  constexpr Expected kExpected[] = {
      {1, 1, 21, 0x446de56fd33c5174},           {2, 2, 24, 0x83c1025a7fd768a0},
      {10, 10, 47, 0x5cde536f74ba0a91},         {100, 100, 287, 0x3770f1dc718158cb},
      {1000, 1001, 1922, 0x0a0dd3e84971cee9},   {1500, 1512, 2766, 0xace791cd419b7f39},
      {2000, 2006, 12304, 0x08842a2e8b28d8d8},  {5000, 4985, 12304, 0x5cc5827aadaf9e3f},
      {10000, 9988, 12304, 0x9078d254492587b6}, {100000, 99562, 12304, 0x736701e306df8596},
  };
  Value numbers;
  size_t added = 0;
  for (const Expected& expected : kExpected) {
    while (added < expected.elements) numbers.Add(std::to_string(++added));
    const uint64_t count = numbers.Count();
    CHECK(count == expected.count);
    CHECK(numbers.view().size() == expected.bytes);
    // Redis's bytes were read after a PFCOUNT.
    hll::SetCachedCount(numbers.bytes().data(), count);
    CHECK(Digest(numbers.view()) == expected.digest);
  }
}

TEST_CASE("HyperLogLog registers agree with a plain array", "[hyperloglog]") {
  Random random(7);
  for (const size_t distinct : {size_t{40}, size_t{700}, hll::kRegisters}) {
    std::vector<uint8_t> model(hll::kRegisters, 0);
    Value value;
    for (size_t i = 0; i < 20'000; ++i) {
      // Few ranks, so that neighbours are often equal.
      const size_t index = (random.Below(distinct) + 300) % hll::kRegisters;
      const uint8_t rank = static_cast<uint8_t>(1 + random.Below(random.Below(1000) == 0 ? 51 : 4));
      const hll::Observation seen{static_cast<uint16_t>(index), rank};
      const hll::Outcome expected = rank > model[index] ? hll::Outcome::kChanged : hll::Outcome::kSame;
      REQUIRE(hll::Probe(value.view(), seen) == expected);
      REQUIRE(value.Raise(index, rank) == expected);
      model[index] = std::max(model[index], rank);
      if (i % 1000 == 0) REQUIRE(RanksOf(value.view()) == model);
    }
    CHECK(RanksOf(value.view()) == model);
  }
}

TEST_CASE("HyperLogLog values become dense", "[hyperloglog]") {
  Value by_rank;
  CHECK(by_rank.Raise(5, 32) == hll::Outcome::kChanged);
  CHECK_FALSE(by_rank.IsDense());
  CHECK(by_rank.Raise(16383, 33) == hll::Outcome::kChanged);
  CHECK(by_rank.IsDense());
  CHECK(RanksOf(by_rank.view())[5] == 32);
  CHECK(RanksOf(by_rank.view())[16383] == 33);

  Value by_size;
  CHECK(by_size.Add("x", 5) == hll::Outcome::kChanged);
  CHECK_FALSE(by_size.IsDense());
  CHECK(by_size.Add("y", 5) == hll::Outcome::kChanged);
  CHECK(by_size.IsDense());
  CHECK(by_size.Count() == 2);
}

TEST_CASE("HyperLogLog unions", "[hyperloglog]") {
  Random random(3);
  const size_t sizes[] = {0, 1, 50, 400, 1500, 20'000};
  for (const size_t a_size : sizes) {
    for (const size_t b_size : sizes) {
      Value a;
      Value b;
      for (size_t i = 0; i < a_size; ++i) a.Add(std::to_string(random.Below(100'000)));
      for (size_t i = 0; i < b_size; ++i) b.Add(std::to_string(random.Below(100'000)));
      std::vector<uint8_t> expected = RanksOf(a.view());
      const std::vector<uint8_t> other = RanksOf(b.view());
      for (size_t i = 0; i < expected.size(); ++i) expected[i] = std::max(expected[i], other[i]);

      hll::Registers registers;
      REQUIRE(hll::MergeInto(registers, a.view()));
      REQUIRE(hll::MergeInto(registers, b.view()));
      const uint64_t count = hll::Count(registers);
      hll::Store(a.bytes(), registers, kSparseMaxBytes);
      CHECK(RanksOf(a.view()) == expected);
      CHECK(a.Count() == count);
    }
  }
}

TEST_CASE("HyperLogLog stores unions in the bytes that Redis gives them", "[hyperloglog]") {
  Value first;
  Value second;
  Value third;
  for (int i = 0; i < 300; ++i) {
    first.Add("a" + std::to_string(i));
    second.Add("b" + std::to_string(i));
    third.Add("a" + std::to_string(i + 100));
  }
  hll::Registers registers;
  REQUIRE(hll::MergeInto(registers, first.view()));
  REQUIRE(hll::MergeInto(registers, second.view()));
  Value target;
  hll::Store(target.bytes(), registers, kSparseMaxBytes);
  hll::DropCachedCount(target.bytes().data());
  CHECK(target.Count() == 603);
  CHECK(Digest(target.view()) == 0x4eb3d9419ba0c43f);
  REQUIRE(hll::MergeInto(registers, third.view()));
  CHECK(hll::Count(registers) == 704);
  hll::Store(third.bytes(), registers, kSparseMaxBytes);
  hll::DropCachedCount(third.bytes().data());
  CHECK(Digest(third.view()) == 0x7c24c23c10e7e465);
}

TEST_CASE("What is no HyperLogLog", "[hyperloglog]") {
  CHECK(hll::IsHyperLogLog(hll::kEmpty));
  CHECK_FALSE(hll::IsHyperLogLog(""));
  CHECK_FALSE(hll::IsHyperLogLog("HYLL"));
  CHECK_FALSE(hll::IsHyperLogLog(hll::kEmpty.substr(0, 15)));
  CHECK_FALSE(hll::IsHyperLogLog("HYLM\1"s + std::string(30, '\0')));
  CHECK_FALSE(hll::IsHyperLogLog("HYLL\2"s + std::string(30, '\0')));
  for (const size_t bytes : {hll::kDenseBytes - 1, hll::kDenseBytes, hll::kDenseBytes + 1}) {
    CHECK(hll::IsHyperLogLog("HYLL\0"s + std::string(bytes - 5, '\0')) == (bytes == hll::kDenseBytes));
  }
}

TEST_CASE("Corrupt HyperLogLogs are found out and left alone", "[hyperloglog]") {
  for (const std::string& body : {""s, "\x7f"s, "\x7f\xfe"s, "\x7f\xff\x00"s, "\x7f\xff\x7f\xff"s, "\x40"s,
                                  "\x80\x80\x80"s, "\x7f\xff\x40"s}) {
    const std::string bytes = Corrupt(body);
    Value value(bytes);
    uint64_t count;
    hll::Registers registers;
    CHECK_FALSE(hll::IsSound(bytes));
    CHECK_FALSE(hll::Count(bytes, &count));
    CHECK_FALSE(hll::MergeInto(registers, bytes));
    CHECK_FALSE(hll::MakeDense(value.bytes()));
    CHECK(value.view() == bytes);
  }
  // A register is found although what follows is wrong, as in Redis; but nothing behind the end is.
  Value long_enough(Corrupt("\x7f\xfe"));
  CHECK(long_enough.Raise(16382, 1) == hll::Outcome::kChanged);
  CHECK(long_enough.Raise(16383, 1) == hll::Outcome::kCorrupt);
  CHECK(long_enough.Raise(3, 40) == hll::Outcome::kCorrupt);
  CHECK(hll::Describe(long_enough.view()) == "Z:16382 v:1,1");
}

TEST_CASE("Ranks that no element has count for nothing", "[hyperloglog]") {
  const std::string header = "HYLL\0\0\0\0\0\0\0\0\0\0\0\x80"s;
  uint64_t count;
  REQUIRE(hll::Count(header + std::string(12288, '\xaa'), &count));
  CHECK(count == 51978566788454384);
  REQUIRE(hll::Count(header + std::string(12288, '\xff'), &count));
  CHECK(count == hll::kInfiniteCount);
}

TEST_CASE("Random opcodes never lead outside", "[hyperloglog]") {
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string body(random.Below(60), '\0');
    for (char& c : body) c = static_cast<char>(random.Next());
    Value value(Corrupt(body));
    for (int i = 0; i < 20; ++i) {
      const std::string before(value.view());
      const auto index = random.Below(hll::kRegisters);
      const auto rank = static_cast<uint8_t>(1 + random.Below(51));
      if (value.Raise(index, rank) != hll::Outcome::kChanged) CHECK(value.view() == before);
    }
    uint64_t count;
    hll::Registers registers;
    CHECK(hll::Count(value.view(), &count) == hll::IsSound(value.view()));
    CHECK(hll::MergeInto(registers, value.view()) == hll::IsSound(value.view()));
    if (!value.IsDense()) hll::Describe(value.view());
  }
}

TEST_CASE("HyperLogLog self-test", "[hyperloglog]") { CHECK(hll::SelfTest().empty()); }

}  // namespace
}  // namespace pinyon
