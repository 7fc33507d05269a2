#include "base/crc64.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/random.h"

namespace pinyon {

TEST_CASE("crc64: the published check value") {
  CHECK(Crc64(0, "123456789", 9) == 0xe9c6d914c4b8d9ca);
  CHECK(Crc64ByTables(0, "123456789", 9) == 0xe9c6d914c4b8d9ca);
  CHECK(Crc64(0, "", 0) == 0);
  CHECK(Crc64(17, "", 0) == 17);
}

TEST_CASE("crc64: both ways agree, in one piece and in parts") {
  Random random(Catch::rngSeed());
  std::string text(3000, '\0');
  for (char& byte : text) byte = static_cast<char>(random.Below(256));
  for (size_t size = 0; size < 700; ++size) {
    const size_t start = random.Below(1000);
    const uint64_t first = random.Below(2) == 0 ? 0 : random.Next();
    const uint64_t whole = Crc64ByTables(first, text.data() + start, size);
    REQUIRE(Crc64(first, text.data() + start, size) == whole);
    const size_t cut = random.Below(size + 1);
    const uint64_t head = Crc64(first, text.data() + start, cut);
    REQUIRE(Crc64(head, text.data() + start + cut, size - cut) == whole);
  }
  CHECK(Crc64(0, text.data(), text.size()) == Crc64ByTables(0, text.data(), text.size()));
}

}  // namespace pinyon
