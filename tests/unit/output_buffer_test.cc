#include "resp/output_buffer.h"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace pinyon {

namespace {

constexpr uint64_t kAll = ~uint64_t{0};

// A pool of which it is known what it should hold: its chunks are made beforehand.
class WatchedPool {
 public:
  explicit WatchedPool(size_t chunks) {
    for (size_t i = 0; i < chunks; ++i) chunks_.insert(pool_.Acquire());
    for (char* chunk : chunks_) pool_.Release(chunk);
  }
  ChunkPool& operator*() { return pool_; }
  // Whether all chunks are back in the pool, each once; to be asked when they should be.
  bool IsWhole() {
    std::vector<char*> acquired;
    for (size_t i = 0; i < chunks_.size(); ++i) acquired.push_back(pool_.Acquire());
    const bool whole = std::set<char*>(acquired.begin(), acquired.end()) == chunks_;
    for (char* chunk : acquired) pool_.Release(chunk);
    return whole;
  }

 private:
  ChunkPool pool_;
  std::set<char*> chunks_;
};

// Up to `limit` bytes from the front, gathered from at most `max` pieces.
std::string Front(OutputBuffer& buffer, size_t limit, size_t max = 1000) {
  std::vector<iovec> pieces(max);
  const size_t count = buffer.Front(pieces.data(), max, limit);
  REQUIRE(count <= max);
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    CHECK(pieces[i].iov_len > 0);
    text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return text;
}

std::string Contents(OutputBuffer& buffer) { return Front(buffer, buffer.size_bytes()); }

SharedBlock* MakeBlock(size_t size) {
  SharedBlock* block = SharedBlock::New(size);
  for (size_t i = 0; i < size; ++i) block->data()[i] = static_cast<char>('a' + i % 26);
  return block;
}

}  // namespace

TEST_CASE("An output buffer owns memory only while it holds something", "[output_buffer]") {
  WatchedPool pool(2);
  OutputBuffer buffer(*pool);
  CHECK(buffer.empty());
  CHECK(buffer.MemoryBytes() == 0);
  buffer.Append("abc");
  CHECK(buffer.size_bytes() == 3);
  CHECK(buffer.MemoryBytes() >= ChunkPool::kChunkBytes);
  buffer.Consume(3);
  CHECK(buffer.empty());
  CHECK(buffer.MemoryBytes() == 0);
  CHECK(pool.IsWhole());
  // Room that was asked for and not used.
  buffer.Reserve(100);
  CHECK(buffer.empty());
  buffer.Consume(0);
  CHECK(pool.IsWhole());
}

TEST_CASE("Bytes and blocks come out in the order in which they were written", "[output_buffer]") {
  WatchedPool pool(8);
  BlockRef block(MakeBlock(50'000));
  const std::string big(40'000, 'x');
  const std::string expected = "one" + std::string(block->bytes()) + "two" + big +
                               std::string(block->bytes().substr(10, 20)) + "three";
  const auto write = [&](OutputBuffer& buffer) {
    buffer.Append("one");
    buffer.AppendBlock(block.get(), 0, block->length());
    buffer.Append("two");
    buffer.Append(big);
    buffer.AppendBlock(block.get(), 10, 0);
    buffer.AppendBlock(block.get(), 10, 20);
    buffer.Append("three");
  };

  SECTION("by reference") {
    OutputBuffer buffer(*pool);
    write(buffer);
    CHECK(buffer.size_bytes() == expected.size());
    CHECK(Contents(buffer) == expected);
    CHECK(block->IsShared());
    buffer.Consume(3 + block->length());
    CHECK(block->IsShared());
    buffer.Consume(3 + big.size() + 20);
    CHECK_FALSE(block->IsShared());
    CHECK(Contents(buffer) == "three");
    buffer.Consume(5);
    CHECK(pool.IsWhole());
  }
  SECTION("consumed at every boundary") {
    for (size_t step : {1u, 2u, 3u, 7u, 4096u, 16'376u, 16'384u, 50'003u, 90'000u}) {
      OutputBuffer buffer(*pool);
      write(buffer);
      std::string text;
      while (!buffer.empty()) {
        const std::string front = Front(buffer, std::min(step, buffer.size_bytes()), 2);
        buffer.Consume(front.size());
        text += front;
        REQUIRE(buffer.size_bytes() + text.size() == expected.size());
      }
      CHECK(text == expected);
      CHECK_FALSE(block->IsShared());
      CHECK(pool.IsWhole());
    }
  }
  SECTION("cleared, and dropped") {
    {
      OutputBuffer buffer(*pool);
      write(buffer);
      buffer.Consume(10);
      buffer.Clear();
      CHECK(buffer.empty());
      CHECK_FALSE(block->IsShared());
      CHECK(pool.IsWhole());
      write(buffer);
      CHECK(Contents(buffer) == expected);
    }
    CHECK_FALSE(block->IsShared());
    CHECK(pool.IsWhole());
  }
  SECTION("moved to another buffer") {
    OutputBuffer buffer(*pool), other(*pool);
    write(buffer);
    buffer.Consume(1);
    buffer.MoveTo(other);
    CHECK(buffer.empty());
    buffer.Append("later");
    CHECK(Contents(other) == expected.substr(1));
    CHECK(Contents(buffer) == "later");
    other.Consume(expected.size() - 1);
    buffer.MoveTo(other);
    CHECK(Contents(other) == "later");
    other.Consume(5);
    CHECK_FALSE(block->IsShared());
    CHECK(pool.IsWhole());
  }
  SECTION("a block lives as long as a reply refers to it") {
    OutputBuffer buffer(*pool);
    write(buffer);
    { const BlockRef gone = std::move(block); }
    CHECK(Contents(buffer) == expected);
  }
}

TEST_CASE("The front is described within both limits", "[output_buffer]") {
  ChunkPool pool;
  OutputBuffer buffer(pool);
  BlockRef block(MakeBlock(100));
  for (int i = 0; i < 5; ++i) {
    buffer.Append("ab");
    buffer.AppendBlock(block.get(), 0, 100);
  }
  std::array<iovec, 3> pieces;
  CHECK(buffer.Front(pieces.data(), 3, 1000) == 3);
  CHECK(buffer.Front(pieces.data(), 3, 0) == 0);
  CHECK(buffer.Front(pieces.data(), 3, 1) == 1);
  CHECK(pieces[0].iov_len == 1);
  CHECK(buffer.Front(pieces.data(), 3, 102) == 2);
  CHECK(buffer.Front(pieces.data(), 3, 103) == 3);
  CHECK(pieces[2].iov_len == 1);
}

TEST_CASE("Gated bytes wait for their offset", "[output_buffer]") {
  ChunkPool pool;
  OutputBuffer buffer(pool);
  buffer.Hold(5);  // nothing to hold
  CHECK(buffer.Sendable(0) == 0);
  buffer.Append("aaa");
  CHECK(buffer.Sendable(0) == 3);
  buffer.Hold(10);
  CHECK(buffer.Sendable(9) == 0);
  CHECK(buffer.Sendable(10) == 3);

  buffer.Append("bb");
  buffer.Hold(20);
  // Without a gate, but behind bytes that have one.
  buffer.Append("c");
  CHECK(buffer.Sendable(9) == 0);
  CHECK(buffer.Sendable(19) == 3);
  CHECK(buffer.Sendable(20) == 6);
  CHECK(buffer.Sendable(kAll) == 6);

  SECTION("while bytes in front of the gate are sent") {
    buffer.Consume(2);
    CHECK(buffer.Sendable(10) == 1);
    buffer.Consume(1);
    CHECK(buffer.Sendable(10) == 0);
    CHECK(buffer.Sendable(20) == 3);
    buffer.Consume(3);
    CHECK(buffer.empty());
    buffer.Append("d");
    CHECK(buffer.Sendable(0) == 1);
  }
  SECTION("in another buffer") {
    OutputBuffer other(pool);
    other.Append("sent before");
    other.Consume(11);
    buffer.Consume(1);
    buffer.MoveTo(other);
    CHECK(other.Sendable(9) == 0);
    CHECK(other.Sendable(10) == 2);
    CHECK(other.Sendable(20) == 5);
    buffer.Append("later");
    CHECK(buffer.Sendable(0) == 5);
    buffer.Hold(30);
    CHECK(buffer.Sendable(29) == 0);
    other.Consume(5);
    CHECK(buffer.Sendable(30) == 5);
  }
  SECTION("more behind the same offset") {
    buffer.Hold(20);
    buffer.Append("dd");
    buffer.Hold(20);
    CHECK(buffer.Sendable(10) == 3);
    CHECK(buffer.Sendable(19) == 3);
    CHECK(buffer.Sendable(20) == 8);
  }
  SECTION("forgotten with the bytes") {
    buffer.Clear();
    buffer.Append("e");
    CHECK(buffer.Sendable(0) == 1);
  }
}

TEST_CASE("A buffer whose tail is always held back keeps no more than it holds", "[output_buffer]") {
  WatchedPool pool(3);
  OutputBuffer buffer(*pool);
  std::string expected;
  for (uint64_t turn = 1; turn <= 20'000; ++turn) {
    buffer.Append("reply " + std::to_string(turn) + "\r\n");
    expected += "reply " + std::to_string(turn) + "\r\n";
    buffer.Hold(turn);
    const size_t sendable = buffer.Sendable(turn - 1);
    REQUIRE(Front(buffer, sendable) == expected.substr(0, sendable));
    buffer.Consume(sendable);
    expected.erase(0, sendable);
    REQUIRE(buffer.size_bytes() == expected.size());
    REQUIRE(buffer.piece_count() <= 2);
    REQUIRE(buffer.MemoryBytes() < 2 * ChunkPool::kChunkBytes);
  }
  buffer.Consume(expected.size());
  CHECK(pool.IsWhole());
}

TEST_CASE("An output buffer is a queue of bytes, whatever is done to it", "[output_buffer]") {
  WatchedPool pool(64);
  BlockRef block(MakeBlock(3000));
  Random random(77);
  {
    OutputBuffer buffer(*pool), in_flight(*pool);
    std::string expected, moved;
    for (int step = 0; step < 20'000; ++step) {
      switch (random.Below(6)) {
        case 0:
        case 1: {
          const std::string text(random.Below(random.Below(10) == 0 ? 40'000 : 300),
                                 static_cast<char>(random.Below(256)));
          buffer.Append(text);
          expected += text;
          break;
        }
        case 2: {
          const size_t offset = random.Below(3000);
          const size_t length = random.Below(3000 - offset);
          buffer.AppendBlock(block.get(), offset, length);
          expected += block->bytes().substr(offset, length);
          break;
        }
        case 3: {
          const size_t count = random.Below(
              random.Below(2) == 0 ? expected.size() + 1 : std::min<size_t>(expected.size() + 1, 500));
          buffer.Consume(count);
          expected.erase(0, count);
          break;
        }
        case 4: {
          char* out = buffer.Reserve(ReplySink::kMaxReserve);
          const size_t count = random.Below(ReplySink::kMaxReserve + 1);
          std::memset(out, 'r', count);
          buffer.Advance(out + count);
          expected.append(count, 'r');
          break;
        }
        default:
          if (in_flight.empty()) {
            buffer.MoveTo(in_flight);
            moved = std::exchange(expected, {});
          }
          if (Contents(in_flight) != moved) FAIL("step " << step);
          const size_t count = std::min<size_t>(moved.size(), random.Below(100'000));
          in_flight.Consume(count);
          moved.erase(0, count);
      }
      if (buffer.size_bytes() != expected.size()) FAIL("step " << step);
      if (step % 16 == 0 && Contents(buffer) != expected) FAIL("step " << step);
    }
  }
  CHECK_FALSE(block->IsShared());
  CHECK(pool.IsWhole());
}

}  // namespace pinyon
