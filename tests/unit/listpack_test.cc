// Listpacks, against a vector of strings, and against bytes that Redis 7.0 wrote.
#include "types/listpack.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "packed_fixture.h"

namespace pinyon {
namespace {

using Model = std::vector<std::string>;
using Offset = ListpackView::Offset;
constexpr Offset kEnd = ListpackView::kEnd;

bool IsValid(std::string_view bytes, bool deep = true) {
  // A copy of its own, so that reading past its end is noticed.
  const MovingBytes copy(bytes);
  return ListpackView::Validate(copy.data(), copy.size(), deep);
}

std::string TextAt(const ListpackView& pack, Offset at) {
  PackedElement::Digits digits;
  return std::string(pack.Get(at).Text(digits));
}

Model ToModel(const ListpackView& pack) {
  Model texts;
  for (Offset at = pack.First(); at != kEnd; at = pack.Next(at)) texts.push_back(TextAt(pack, at));
  return texts;
}

Model ToModelBackwards(const ListpackView& pack) {
  Model texts;
  for (Offset at = pack.Last(); at != kEnd; at = pack.Previous(at)) texts.push_back(TextAt(pack, at));
  std::reverse(texts.begin(), texts.end());
  return texts;
}

std::string PackOf(const Model& texts) {
  MovingBytes bytes;
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  for (const std::string& text : texts) pack.Append(text);
  return std::string(bytes.view());
}

void RequireEqual(const MovingBytes& bytes, const ListpackView& pack, const Model& model) {
  REQUIRE(pack.data() == bytes.data());
  REQUIRE(pack.bytes() == bytes.size());
  REQUIRE(ListpackView::Validate(bytes.data(), bytes.size()));
  REQUIRE(pack.size() == model.size());
  REQUIRE(pack.empty() == model.empty());
  REQUIRE(ToModel(pack) == model);
  REQUIRE(ToModelBackwards(pack) == model);
}

// Every bound of every encoding, and its neighbours.
std::vector<int64_t> BoundaryIntegers() {
  std::vector<int64_t> values = {0, 1, 127, 128, -1, -2, 4095, 4096, -4096, -4097};
  for (const int bits : {15, 23, 31}) {
    const int64_t bound = int64_t{1} << bits;
    values.insert(values.end(), {bound - 2, bound - 1, bound, -bound + 1, -bound, -bound - 1});
  }
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  values.insert(values.end(), {kMin, kMin + 1, kMax, kMax - 1});
  return values;
}

// Sizes around the bounds of the encodings and of the back lengths.
const std::vector<size_t> kBoundarySizes = {
    0,  1,  2,   3,   4,   5,   7,    8,    9,    15,    16,    17,    20,    21,    62,    63,
    64, 65, 124, 125, 126, 127, 4094, 4095, 4096, 16376, 16377, 16378, 16379, 16380, 20000, 65536};

std::string RandomText(Random& random) {
  static const std::vector<int64_t> kIntegers = BoundaryIntegers();
  switch (random.Below(10)) {
    case 0: return std::to_string(static_cast<int64_t>(random.Next()) >> random.Below(64));
    case 1: return std::to_string(kIntegers[random.Below(kIntegers.size())]);
    case 2: return std::to_string(random.Below(20));
    case 3: {
      // Looks like an integer and is none.
      static const Model kAlmost = {"",
                                    "-",
                                    "-0",
                                    "00",
                                    "01",
                                    "+1",
                                    " 1",
                                    "1 ",
                                    "1.0",
                                    "0x1",
                                    "9223372036854775808",
                                    "-9223372036854775809",
                                    "99999999999999999999",
                                    "100000000000000000000"};
      return kAlmost[random.Below(kAlmost.size())];
    }
    case 4: {
      const size_t limit = random.Below(30) == 0 ? kBoundarySizes.size() : kBoundarySizes.size() - 10;
      return std::string(kBoundarySizes[random.Below(limit)], static_cast<char>('a' + random.Below(2)));
    }
    default: {
      // Few letters, so that prefixes, suffixes and whole texts are often equal.
      std::string text(random.Below(24), '\0');
      for (char& c : text) c = random.Below(4) == 0 ? static_cast<char>(random.Next()) : 'x';
      return text;
    }
  }
}

int64_t FindInModel(const Model& model, size_t from, std::string_view text, size_t skip) {
  for (size_t i = from; i < model.size(); i += skip + 1) {
    if (model[i] == text) return static_cast<int64_t>(i);
  }
  return -1;
}

void RequireSearches(Random& random, const ListpackView& pack, const Model& model) {
  const auto size = static_cast<int64_t>(model.size());
  const auto index = static_cast<int64_t>(random.Below(2 * model.size() + 4)) - size - 2;
  const Offset at = pack.Seek(index);
  if (index >= size || index < -size) {
    REQUIRE(at == kEnd);
  } else {
    const auto place = static_cast<size_t>(index < 0 ? index + size : index);
    REQUIRE(at != kEnd);
    REQUIRE(TextAt(pack, at) == model[place]);
    const std::string other = RandomText(random);
    REQUIRE(pack.Equals(at, model[place]));
    REQUIRE(pack.Equals(at, other) == (model[place] == other));
  }

  const size_t from = random.Below(model.size() + 1);
  const size_t skip = random.Below(3);
  const bool known = !model.empty() && random.Below(2) == 0;
  const std::string text = known ? model[random.Below(model.size())] : RandomText(random);
  const Offset found = pack.Find(pack.Seek(static_cast<int64_t>(from)), text, skip);
  const int64_t expected = FindInModel(model, from, text, skip);
  REQUIRE(found == (expected < 0 ? kEnd : pack.Seek(expected)));
}

class Changes {
 public:
  explicit Changes(uint64_t seed) : random_(seed) { Listpack::InitEmpty(bytes_); }

  void Step() {
    Listpack pack(bytes_);
    const size_t place = random_.Below(model_.size() + 1);
    const Offset at = pack.Seek(static_cast<int64_t>(place));
    REQUIRE((at == kEnd) == (place == model_.size()));
    const uint64_t kind = random_.Below(100);
    if (kind < 50 && model_.size() < limit_) {
      Insert(pack, place, at);
    } else if (kind < 70 && at != kEnd) {
      Replace(pack, place, at);
    } else if (kind < 92) {
      Delete(pack, place, at);
    } else if (kind < 95) {
      DeleteEqual(pack);
    } else {
      Join(pack);
    }
    RequireEqual(bytes_, pack, model_);
    RequireSearches(random_, pack, model_);
    if (random_.Below(200) == 0) limit_ = 1 + random_.Below(300);
  }

 private:
  std::vector<std::string>::iterator Iterator(size_t place) {
    return model_.begin() + static_cast<std::ptrdiff_t>(place);
  }

  void Insert(Listpack& pack, size_t place, Offset at) {
    const std::string text = RandomText(random_);
    const auto integer = static_cast<int64_t>(random_.Next()) >> random_.Below(64);
    const size_t size = pack.bytes();
    Offset added = kEnd;
    switch (random_.Below(5)) {
      case 0:
        added = pack.Append(text);
        model_.push_back(text);
        break;
      case 1:
        added = pack.Prepend(text);
        model_.insert(model_.begin(), text);
        break;
      case 2:
        added = pack.AppendInteger(integer);
        model_.push_back(std::to_string(integer));
        REQUIRE(TextAt(pack, added) == model_.back());
        return;
      case 3:
        added = pack.InsertBefore(at, text);
        model_.insert(Iterator(place), text);
        break;
      default:
        if (at == kEnd) return;
        added = pack.InsertAfter(at, text);
        model_.insert(Iterator(place + 1), text);
        break;
    }
    REQUIRE(TextAt(pack, added) == text);
    REQUIRE(pack.bytes() - size == ListpackView::ElementBytes(text));
  }

  void Replace(Listpack& pack, size_t place, Offset at) {
    if (random_.Below(3) == 0) {
      const auto integer = static_cast<int64_t>(random_.Next()) >> random_.Below(64);
      REQUIRE(pack.ReplaceInteger(at, integer) == at);
      model_[place] = std::to_string(integer);
    } else {
      model_[place] = RandomText(random_);
      REQUIRE(pack.Replace(at, model_[place]) == at);
    }
  }

  void Delete(Listpack& pack, size_t place, Offset at) {
    const size_t wanted = random_.Below(8) == 0 ? random_.Below(100) : 1;
    const size_t count = std::min(wanted, model_.size() - place);
    if (random_.Below(2) == 0 || at == kEnd) {
      const bool backwards = random_.Below(2) == 0 && at != kEnd;
      const auto index = static_cast<int64_t>(place) - (backwards ? static_cast<int64_t>(model_.size()) : 0);
      pack.DeleteFromIndex(index, wanted);
    } else {
      const Offset next = pack.Delete(at, wanted);
      REQUIRE((next == kEnd) == (place + count == model_.size()));
      REQUIRE((next == kEnd || next == at));
    }
    model_.erase(Iterator(place), Iterator(place + count));
  }

  void DeleteEqual(Listpack& pack) {
    const bool known = !model_.empty() && random_.Below(2) == 0;
    const std::string text = known ? model_[random_.Below(model_.size())] : RandomText(random_);
    const size_t most = random_.Below(3) == 0 ? SIZE_MAX : random_.Below(4);
    const bool from_end = random_.Below(2) == 0;
    Model kept;
    size_t deleted = 0;
    if (from_end) std::reverse(model_.begin(), model_.end());
    for (const std::string& element : model_) {
      const bool goes = element == text && deleted < most;
      if (goes) {
        ++deleted;
      } else {
        kept.push_back(element);
      }
    }
    if (from_end) std::reverse(kept.begin(), kept.end());
    model_ = kept;
    REQUIRE(pack.DeleteEqual(text, most, from_end) == deleted);
  }

  void Join(Listpack& pack) {
    Model more(random_.Below(random_.Below(4) == 0 ? 100 : 5));
    for (std::string& text : more) text = RandomText(random_);
    const MovingBytes other(PackOf(more));
    const uint64_t how = random_.Below(3);
    if (how == 0) {
      pack.PrependListpack(ListpackView(other.data()));
      model_.insert(model_.begin(), more.begin(), more.end());
      return;
    }
    if (how == 1) {
      pack.AppendListpack(ListpackView(other.data()));
    } else {
      const std::vector<std::string_view> texts(more.begin(), more.end());
      pack.AppendAll(texts.data(), texts.size());
    }
    model_.insert(model_.end(), more.begin(), more.end());
  }

  Random random_;
  MovingBytes bytes_;
  Model model_;
  size_t limit_ = 40;
};

TEST_CASE("random changes keep a listpack equal to a vector", "[listpack]") {
  Changes changes(Catch::rngSeed());
  for (int i = 0; i < 4000; ++i) changes.Step();
}

TEST_CASE("an empty listpack", "[listpack]") {
  MovingBytes bytes;
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  CHECK(bytes.view() == FromHex("07 00 00 00 00 00 ff"));
  RequireEqual(bytes, pack, {});
  CHECK(pack.Fits(1'000'000'000));
  CHECK(!pack.Fits(ListpackView::kMaxBytes));
  CHECK(!pack.Fits(std::numeric_limits<size_t>::max()));
  CHECK(pack.First() == kEnd);
  CHECK(pack.Last() == kEnd);
  CHECK(pack.Seek(0) == kEnd);
  CHECK(pack.Seek(-1) == kEnd);
  CHECK(pack.Find(kEnd, "a") == kEnd);
  pack.DeleteFromIndex(0, 10);
  pack.AppendAll(nullptr, 0);
  RequireEqual(bytes, pack, {});
}

// Written by Redis 7.0 (the value of a hash of one field, "f").
TEST_CASE("elements have the bytes that Redis gives them", "[listpack]") {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"0", "00 01"},
      {"127", "7f 01"},
      {"128", "c0 80 02"},
      {"4095", "cf ff 02"},
      {"4096", "f1 00 10 03"},
      {"-1", "df ff 02"},
      {"-4096", "d0 00 02"},
      {"-4097", "f1 ff ef 03"},
      {"32767", "f1 ff 7f 03"},
      {"32768", "f2 00 80 00 04"},
      {"-32768", "f1 00 80 03"},
      {"-32769", "f2 ff 7f ff 04"},
      {"8388607", "f2 ff ff 7f 04"},
      {"8388608", "f3 00 00 80 00 05"},
      {"-8388608", "f2 00 00 80 04"},
      {"-8388609", "f3 ff ff 7f ff 05"},
      {"2147483647", "f3 ff ff ff 7f 05"},
      {"2147483648", "f4 00 00 00 80 00 00 00 00 09"},
      {"-2147483648", "f3 00 00 00 80 05"},
      {"-2147483649", "f4 ff ff ff 7f ff ff ff ff 09"},
      {"9223372036854775807", "f4 ff ff ff ff ff ff ff 7f 09"},
      {"-9223372036854775808", "f4 00 00 00 00 00 00 00 80 09"},
      {"9223372036854775808", "93 39 32 32 33 33 37 32 30 33 36 38 35 34 37 37 35 38 30 38 14"},
      {"-0", "82 2d 30 03"},
      {"01", "82 30 31 03"},
      {"+1", "82 2b 31 03"},
      {"", "80 01"},
      {"1.5", "83 31 2e 35 04"},
  };
  for (const auto& [text, hex] : known) {
    INFO(text);
    const std::string pack = PackOf({"f", text});
    const std::string element = FromHex(hex);
    CHECK(pack.substr(6) == FromHex("81 66 02") + element + "\xff");
    CHECK(ListpackView::ElementBytes(text) == element.size());
  }
  CHECK(
      PackOf({"name", "pinyon", "age", "7", "neg", "-300", "big", "123456789012"}) ==
      FromHex("33 00 00 00 08 00 84 6e 61 6d 65 05 86 70 69 6e 79 6f 6e 07 83 61 67 65 04 07 01 83 6e 65 67 "
              "04 de d4 02 83 62 69 67 04 f4 14 1a 99 be 1c 00 00 00 09 ff"));
}

// Head and back length, by Redis 7.0. The largest back lengths of a width are written in one byte more.
TEST_CASE("long strings have the heads and back lengths that Redis gives them", "[listpack]") {
  struct Known {
    size_t size;
    std::string head;
    std::string back;
  };
  const std::vector<Known> known = {
      {62, "be", "3f"},
      {63, "bf", "40"},
      {64, "e0 40", "42"},
      {125, "e0 7d", "7f"},
      {126, "e0 7e", "01 80"},
      {4095, "ef ff", "20 81"},
      {4096, "f0 00 10 00 00", "20 85"},
      {16377, "f0 f9 3f 00 00", "7f fe"},
      {16378, "f0 fa 3f 00 00", "00 ff ff"},
      {16379, "f0 fb 3f 00 00", "01 80 80"},
      {2097145, "f0 f9 ff 1f 00", "7f ff fe"},
      {2097146, "f0 fa ff 1f 00", "00 ff ff ff"},
      {2097147, "f0 fb ff 1f 00", "01 80 80 80"},
  };
  for (const Known& expected : known) {
    INFO(expected.size);
    const std::string text(expected.size, 'x');
    const std::string bytes = PackOf({"1", text, "2"});
    const std::string element = FromHex(expected.head) + text + FromHex(expected.back);
    CHECK(bytes.substr(8, bytes.size() - 11) == element);
    CHECK(ListpackView::ElementBytes(text) == element.size());
    const MovingBytes copy(bytes);
    RequireEqual(copy, ListpackView(copy.data()), {"1", text, "2"});
    CHECK(IsValid(bytes));
  }
}

// Takes a gigabyte, hence runs only when asked for by its name.
TEST_CASE("a back length of five bytes", "[.][listpack]") {
  const std::string text(268435455 - 5, 'x');
  MovingBytes bytes;
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  pack.Append(text);
  pack.Append("tail");
  CHECK(bytes.view().substr(6 + 268435455, 5) == FromHex("00 ff ff ff ff"));
  CHECK(ListpackView::Validate(bytes.data(), bytes.size()));
  CHECK(pack.Previous(pack.Last()) == pack.First());
  CHECK(pack.Next(pack.First()) == pack.Last());
}

TEST_CASE("every bound of the encodings is read back and found", "[listpack]") {
  Model texts;
  for (const int64_t value : BoundaryIntegers()) {
    if (std::find(texts.begin(), texts.end(), std::to_string(value)) == texts.end())
      texts.push_back(std::to_string(value));
  }
  for (const size_t size : kBoundarySizes) texts.emplace_back(size, 'x');
  const MovingBytes bytes(PackOf(texts));
  const ListpackView pack(bytes.data());
  RequireEqual(bytes, pack, texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    INFO(i);
    const Offset at = pack.Seek(static_cast<int64_t>(i));
    CHECK(pack.Find(pack.First(), texts[i]) == at);
    CHECK(pack.Find(pack.First(), texts[i] + "y") == kEnd);
    if (texts[i].size() > 1) CHECK(!pack.Equals(at, std::string_view(texts[i]).substr(1)));
  }
  for (const int64_t value : BoundaryIntegers()) {
    const PackedElement element = pack.Get(pack.Find(pack.First(), std::to_string(value)));
    CHECK(element.is_integer);
    CHECK(element.integer == value);
  }
}

TEST_CASE("a difference in any byte is noticed", "[listpack]") {
  for (size_t size = 1; size <= 40; ++size) {
    const std::string text(size, 'x');
    const MovingBytes bytes(PackOf({text}));
    const ListpackView pack(bytes.data());
    CHECK(pack.Find(pack.First(), text) == pack.First());
    for (size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'y';
      CHECK(pack.Find(pack.First(), other) == kEnd);
    }
  }
}

TEST_CASE("a find that skips looks at keys only, and stands a missing value", "[listpack]") {
  const MovingBytes bytes(PackOf({"a", "b", "b", "a", "7", "8", "c"}));
  const ListpackView pack(bytes.data());
  CHECK(pack.Find(pack.First(), "b", 1) == pack.Seek(2));
  CHECK(pack.Find(pack.Seek(1), "a", 1) == pack.Seek(3));
  CHECK(pack.Find(pack.First(), "8", 1) == kEnd);
  CHECK(pack.Find(pack.First(), "c", 1) == pack.Seek(6));
  CHECK(pack.Find(pack.First(), "nothing", 1) == kEnd);
  CHECK(pack.Find(pack.First(), "nothing", 50) == kEnd);
}

// "5" as a string, as a 16-bit integer and as a 13-bit one; "a" with a length of 12 and of 32 bits.
TEST_CASE("encodings longer than necessary are read, found and replaced", "[listpack]") {
  const std::string body = FromHex("81 35 02 f1 05 00 03 c0 05 02 e0 01 61 03 f0 01 00 00 00 61 06 05 01");
  MovingBytes bytes(FromHex("1e 00 00 00 06 00") + body + "\xff");
  Listpack pack(bytes);
  RequireEqual(bytes, pack, {"5", "5", "5", "a", "a", "5"});
  CHECK(pack.Find(pack.First(), "5") == pack.Seek(0));
  CHECK(pack.Find(pack.Seek(1), "5") == pack.Seek(1));
  CHECK(pack.Find(pack.Seek(2), "5") == pack.Seek(2));
  CHECK(pack.Find(pack.First(), "a") == pack.Seek(3));
  CHECK(pack.Find(pack.Seek(4), "a") == pack.Seek(4));
  CHECK(pack.Equals(pack.Seek(0), "5"));
  pack.Replace(pack.Seek(4), "b");
  pack.Replace(pack.Seek(0), "6");
  RequireEqual(bytes, pack, {"6", "5", "5", "a", "b", "5"});
}

TEST_CASE("more elements than the header can count", "[listpack]") {
  PackedBlock bytes;
  Listpack::InitEmpty(bytes);
  Listpack pack(bytes);
  const auto said = [&] {
    return static_cast<size_t>(bytes.data()[4]) | static_cast<size_t>(bytes.data()[5]) << 8;
  };
  const auto append = [&](int from, int to) {
    Model texts;
    for (int i = from; i < to; ++i) texts.push_back(std::to_string(i));
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    pack.AppendAll(views.data(), views.size());
  };
  append(0, 65534);
  CHECK(said() == 65534);
  pack.AppendInteger(65534);
  CHECK(said() == 65535);
  CHECK(pack.size() == 65535);
  append(65535, 70000);
  CHECK(pack.size() == 70000);
  CHECK(ListpackView::Validate(bytes.data(), bytes.size()));
  for (const int64_t index : {0, 1, 65534, 65535, 69999}) {
    CHECK(pack.Get(pack.Seek(index)).integer == index);
    CHECK(pack.Get(pack.Seek(index - 70000)).integer == index);
  }
  CHECK(pack.Seek(70000) == kEnd);
  CHECK(pack.Seek(-70001) == kEnd);

  pack.DeleteFromIndex(0, 10000);
  CHECK(said() == 65535);
  CHECK(pack.size() == 60000);
  CHECK(pack.Get(pack.First()).integer == 10000);
  pack.DeleteFromIndex(10, 60000);
  CHECK(said() == 10);
  CHECK(pack.size() == 10);

  // Two that can be counted may make one that cannot.
  MovingBytes other;
  Listpack::InitEmpty(other);
  const std::vector<std::string_view> views(40000, "x");
  Listpack(other).AppendAll(views.data(), views.size());
  pack.AppendListpack(ListpackView(other.data()));
  CHECK(said() == 40010);
  pack.PrependListpack(ListpackView(other.data()));
  CHECK(said() == 65535);
  CHECK(pack.size() == 80010);
  CHECK(ListpackView::Validate(bytes.data(), bytes.size()));
}

std::string PackOfEveryKind() {
  return PackOf(
      {"a", "5", "-300", "70000", std::string(70, 'b'), std::string(5000, 'c'), "123456789012", ""});
}

TEST_CASE("listpacks with a damaged header or end are refused", "[listpack]") {
  const std::string good = PackOfEveryKind();
  REQUIRE(IsValid(good));

  SECTION("cut off anywhere, even if the total agrees") {
    for (size_t size = 0; size < good.size(); ++size) {
      std::string cut = good.substr(0, size);
      CHECK(!IsValid(cut));
      CHECK(!IsValid(cut, false));
      if (size < 7) continue;
      const auto total = static_cast<uint32_t>(size);
      std::memcpy(cut.data(), &total, sizeof(total));
      CHECK(!IsValid(cut));
      cut.back() = '\xff';
      CHECK(!IsValid(cut));
    }
  }
  SECTION("something behind it") {
    CHECK(!IsValid(good + "x"));
    CHECK(!IsValid(good + "\xff", false));
  }
  SECTION("a wrong total") {
    for (const int change : {-1, 1, 64}) {
      std::string bytes = good;
      bytes[0] = static_cast<char>(bytes[0] + change);
      CHECK(!IsValid(bytes, false));
    }
  }
  SECTION("a wrong count; none is no mistake") {
    for (const int count : {0, 7, 9, 65534}) {
      std::string bytes = good;
      bytes[4] = static_cast<char>(count);
      bytes[5] = static_cast<char>(count >> 8);
      CHECK(!IsValid(bytes));
      CHECK(IsValid(bytes, false));
    }
    std::string bytes = good;
    bytes[4] = bytes[5] = '\xff';
    CHECK(IsValid(bytes));
    const MovingBytes copy(bytes);
    CHECK(ToModelBackwards(ListpackView(copy.data())).size() == 8);
    CHECK(ListpackView(copy.data()).size() == 8);
    CHECK(ListpackView(copy.data()).Seek(-9) == kEnd);
    CHECK(ListpackView(copy.data()).Seek(8) == kEnd);
  }
  SECTION("no terminator") {
    std::string bytes = good;
    bytes.back() = '\xfe';
    CHECK(!IsValid(bytes, false));
  }
}

TEST_CASE("listpacks with damaged elements are refused", "[listpack]") {
  const std::string good = PackOfEveryKind();
  SECTION("any wrong back length") {
    const ListpackView pack(reinterpret_cast<const uint8_t*>(good.data()));
    for (Offset at = pack.First(); at != kEnd; at = pack.Next(at)) {
      const size_t next = pack.Next(at) == kEnd ? good.size() - 1 : pack.Next(at);
      std::string bytes = good;
      for (const int change : {1, 0x80, 0x40}) {
        bytes[next - 1] = static_cast<char>(good[next - 1] ^ change);
        CHECK(!IsValid(bytes));
      }
    }
  }
  SECTION("encodings that there are not, and the terminator before the end") {
    for (int first = 0xF5; first <= 0xFF; ++first) {
      std::string bytes = good;
      bytes[6] = static_cast<char>(first);
      CHECK(!IsValid(bytes));
    }
  }
  SECTION("lengths that lead far out") {
    CHECK(!IsValid(FromHex("0d 00 00 00 01 00 f0 ff ff ff ff 01 ff")));
    CHECK(!IsValid(FromHex("0d 00 00 00 01 00 f0 00 00 00 00 06 ff")));
    CHECK(IsValid(FromHex("0d 00 00 00 01 00 f0 00 00 00 00 05 ff")));
    CHECK(!IsValid(FromHex("08 00 00 00 01 00 f0 ff")));
    CHECK(!IsValid(FromHex("08 00 00 00 01 00 e0 ff")));
    CHECK(!IsValid(FromHex("08 00 00 00 01 00 05 ff")));
    CHECK(!IsValid(FromHex("0a 00 00 00 01 00 e0 ff 01 ff")));
  }
}

// Whatever is accepted can be walked and changed; the sanitizers watch.
TEST_CASE("what is accepted of damaged bytes is safe to use", "[listpack]") {
  Random random(Catch::rngSeed());
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Model texts(random.Below(6));
    for (std::string& text : texts) text = random.Below(2) == 0 ? std::to_string(random.Below(300)) : "abc";
    std::string damaged = PackOf(texts);
    for (uint64_t i = 1 + random.Below(2); i > 0; --i) {
      damaged[random.Below(damaged.size())] =
          static_cast<char>(random.Below(2) == 0 ? random.Next() : random.Below(8));
    }
    MovingBytes bytes(damaged);
    if (!ListpackView::Validate(bytes.data(), bytes.size())) continue;
    ++accepted;
    Listpack pack(bytes);
    Model model = ToModel(pack);
    RequireEqual(bytes, pack, model);
    if (!model.empty()) pack.Replace(pack.Seek(-1), model.back() = "new");
    pack.Prepend("first");
    model.insert(model.begin(), "first");
    RequireEqual(bytes, pack, model);
  }
  CHECK(accepted > 0);
}

}  // namespace
}  // namespace pinyon
