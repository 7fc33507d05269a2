#include "resp/reply_sink.h"

#include <catch2/catch.hpp>
#include <string>

namespace pinyon {

TEST_CASE("A string sink collects what is written to it", "[reply_sink]") {
  StringSink sink;
  CHECK(sink.text().empty());
  std::string expected;
  // Across several fillings of its buffer, by all three ways of writing.
  for (int i = 0; i < 1000; ++i) {
    const std::string number = std::to_string(i);
    sink.Append(number);
    char* out = sink.Reserve(ReplySink::kMaxReserve);
    std::memcpy(out, "reserved", 8);
    sink.Advance(out + 8);
    expected += number + "reserved";
    if (i % 100 == 0) CHECK(sink.text() == expected);
  }
  const std::string big(100'000, 'x');
  sink.Append(big);
  sink.Append("");
  BlockRef block(SharedBlock::Copy("0123456789"));
  sink.AppendBlock(block.get(), 2, 5);
  CHECK_FALSE(block->IsShared());
  CHECK(sink.text() == expected + big + "23456");
  sink.Clear();
  CHECK(sink.text().empty());
  sink.Append("again");
  CHECK(sink.text() == "again");
}

TEST_CASE("A null sink takes everything", "[reply_sink]") {
  NullSink sink;
  BlockRef block(SharedBlock::Copy("0123456789"));
  for (int i = 0; i < 100; ++i) {
    sink.Append(std::string(10'000, 'x'));
    sink.Advance(sink.Reserve(ReplySink::kMaxReserve) + ReplySink::kMaxReserve);
    sink.AppendBlock(block.get(), 0, 10);
  }
  CHECK_FALSE(block->IsShared());
}

}  // namespace pinyon
