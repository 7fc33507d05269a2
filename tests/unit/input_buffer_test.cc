#include "resp/input_buffer.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "base/random.h"

namespace pinyon {

namespace {

constexpr size_t kChunkBytes = ChunkPool::kChunkBytes;

void Append(InputBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> space = buffer.Space();
    REQUIRE(space.size() >= kChunkBytes / 4);
    const size_t count = std::min(bytes.size(), space.size());
    std::memcpy(space.data(), bytes.data(), count);
    buffer.Filled(count);
    bytes.remove_prefix(count);
  }
}

}  // namespace

TEST_CASE("An empty input buffer owns nothing", "[input_buffer]") {
  ChunkPool pool;
  char* const chunk = pool.Acquire();
  pool.Release(chunk);
  InputBuffer buffer(pool);
  CHECK(buffer.capacity() == 0);
  CHECK(buffer.bytes().empty());
  CHECK(buffer.Space().data() == chunk);
  CHECK(buffer.capacity() == kChunkBytes);
  buffer.ReleaseIfEmpty();
  CHECK(buffer.capacity() == 0);
  CHECK(pool.Acquire() == chunk);
  pool.Release(chunk);

  Append(buffer, "abc");
  buffer.ReleaseIfEmpty();
  CHECK(buffer.bytes() == "abc");
  buffer.Consume(1);
  CHECK(buffer.bytes() == "bc");
  buffer.DropFromEnd(1);
  CHECK(buffer.bytes() == "b");
  buffer.Consume(1);
  CHECK(buffer.empty());
  buffer.ReleaseIfEmpty();
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("An input buffer keeps its bytes while it grows, by doubling", "[input_buffer]") {
  ChunkPool pool;
  InputBuffer buffer(pool);
  std::string expected;
  size_t growths = 0, capacity = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = std::to_string(i);
    expected += text;
    Append(buffer, text);
    if (buffer.capacity() != capacity) ++growths;
    capacity = buffer.capacity();
  }
  CHECK(buffer.bytes() == expected);
  CHECK(growths <= 8);
  CHECK(capacity <= 2 * (expected.size() + kChunkBytes));
  // The chunk that it outgrew is in the pool.
  char* const chunk = pool.Acquire();
  pool.Release(chunk);
  buffer.Clear();
  CHECK(buffer.empty());
  buffer.ReleaseIfEmpty();
  CHECK(buffer.capacity() == 0);
}

TEST_CASE("Bytes do not move while they are consumed", "[input_buffer]") {
  ChunkPool pool;
  InputBuffer buffer(pool);
  Append(buffer, std::string(kChunkBytes - 1, 'x') + "y");
  const char* const last = buffer.bytes().data() + kChunkBytes - 1;
  buffer.Consume(1000);
  buffer.Consume(kChunkBytes - 1001);
  CHECK(buffer.bytes().data() == last);
  CHECK(*last == 'y');
}

TEST_CASE("A pipeline of small requests stays within a chunk", "[input_buffer]") {
  ChunkPool pool;
  InputBuffer buffer(pool);
  Append(buffer, "left over");
  for (int i = 0; i < 1000; ++i) {
    Append(buffer, std::string(3000, static_cast<char>('a' + i % 26)) + "left over");
    buffer.Consume(3009);
    REQUIRE(buffer.bytes() == "left over");
    REQUIRE(buffer.capacity() == kChunkBytes);
  }
}

TEST_CASE("A pipeline that never pauses gives up the memory of its largest request", "[input_buffer]") {
  ChunkPool pool;
  InputBuffer buffer(pool);
  Append(buffer, std::string(3'000'000, 'x') + "left over");
  CHECK(buffer.capacity() > 3'000'000);
  buffer.Consume(3'000'000);
  for (int i = 0; i < 2000 && buffer.capacity() > kChunkBytes; ++i) {
    Append(buffer, std::string(3000, 'y') + "left over");
    buffer.Consume(3009);
    REQUIRE(buffer.bytes() == "left over");
  }
  CHECK(buffer.capacity() == kChunkBytes);
}

TEST_CASE("An input buffer is a queue of bytes, whatever is done to it", "[input_buffer]") {
  ChunkPool pool;
  InputBuffer buffer(pool);
  std::string expected;
  Random random(1903);
  for (int step = 0; step < 20'000; ++step) {
    switch (random.Below(5)) {
      case 0:
      case 1: {
        const std::string text(random.Below(random.Below(8) == 0 ? 60'000 : 500),
                               static_cast<char>(random.Below(256)));
        Append(buffer, text);
        expected += text;
        break;
      }
      case 2:
      case 3: {
        const size_t count = random.Below(random.Below(3) == 0 ? expected.size() + 1
                                                               : std::min<size_t>(expected.size() + 1, 900));
        buffer.Consume(count);
        expected.erase(0, count);
        break;
      }
      default: {
        const size_t count = random.Below(std::min<size_t>(expected.size() + 1, 100));
        buffer.DropFromEnd(count);
        expected.resize(expected.size() - count);
        buffer.ReleaseIfEmpty();
      }
    }
    if (buffer.bytes() != expected) FAIL("step " << step);
  }
}

}  // namespace pinyon
