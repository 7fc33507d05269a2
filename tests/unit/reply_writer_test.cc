#include "resp/reply_writer.h"

#include <catch2/catch.hpp>
#include <climits>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/chunk_pool.h"
#include "base/numbers.h"
#include "resp/output_buffer.h"

namespace pinyon {

namespace {

// What is written, in RESP2 or RESP3.
std::string Write(bool resp3, const std::function<void(ReplyWriter&)>& write) {
  StringSink sink;
  ReplyWriter reply(&sink);
  reply.set_resp3(resp3);
  write(reply);
  return std::string(sink.text());
}

std::string Error(std::string_view text) {
  return Write(false, [text](ReplyWriter& reply) { reply.Error(text); });
}

}  // namespace

TEST_CASE("Each kind of reply in both protocols", "[reply_writer]") {
  struct Case {
    std::function<void(ReplyWriter&)> write;
    std::string resp2;
    std::string resp3;
  };
  const Case cases[] = {
      {[](ReplyWriter& reply) { reply.Ok(); }, "+OK\r\n", "+OK\r\n"},
      {[](ReplyWriter& reply) { reply.SimpleString("QUEUED"); }, "+QUEUED\r\n", "+QUEUED\r\n"},
      {[](ReplyWriter& reply) { reply.SimpleString(""); }, "+\r\n", "+\r\n"},
      {[](ReplyWriter& reply) { reply.Null(); }, "$-1\r\n", "_\r\n"},
      {[](ReplyWriter& reply) { reply.NullArray(); }, "*-1\r\n", "_\r\n"},
      {[](ReplyWriter& reply) { reply.EmptyArray(); }, "*0\r\n", "*0\r\n"},
      {[](ReplyWriter& reply) { reply.ArrayHeader(0); }, "*0\r\n", "*0\r\n"},
      {[](ReplyWriter& reply) { reply.ArrayHeader(10); }, "*10\r\n", "*10\r\n"},
      {[](ReplyWriter& reply) { reply.MapHeader(3); }, "*6\r\n", "%3\r\n"},
      {[](ReplyWriter& reply) { reply.MapHeader(5); }, "*10\r\n", "%5\r\n"},
      {[](ReplyWriter& reply) { reply.SetHeader(9); }, "*9\r\n", "~9\r\n"},
      {[](ReplyWriter& reply) { reply.PushHeader(2); }, "*2\r\n", ">2\r\n"},
      {[](ReplyWriter& reply) { reply.Double(0.5); }, "$3\r\n0.5\r\n", ",0.5\r\n"},
      {[](ReplyWriter& reply) { reply.Double(-3); }, "$2\r\n-3\r\n", ",-3\r\n"},
      {[](ReplyWriter& reply) { reply.HumanDouble(1e-5); }, "$7\r\n0.00001\r\n", ",0.00001\r\n"},
      {[](ReplyWriter& reply) { reply.Double(INFINITY); }, "$3\r\ninf\r\n", ",inf\r\n"},
      {[](ReplyWriter& reply) { reply.Double(-INFINITY); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
      {[](ReplyWriter& reply) { reply.Boolean(true); }, ":1\r\n", "#t\r\n"},
      {[](ReplyWriter& reply) { reply.Boolean(false); }, ":0\r\n", "#f\r\n"},
      {[](ReplyWriter& reply) { reply.BigNumber("-12345678901234567890"); },
       "$21\r\n-12345678901234567890\r\n", "(-12345678901234567890\r\n"},
      {[](ReplyWriter& reply) { reply.Verbatim("txt", "a\r\nb"); }, "$4\r\na\r\nb\r\n",
       "=8\r\ntxt:a\r\nb\r\n"},
      {[](ReplyWriter& reply) { reply.Verbatim("mkd", ""); }, "$0\r\n\r\n", "=4\r\nmkd:\r\n"},
  };
  for (const Case& each : cases) {
    CHECK(Write(false, each.write) == each.resp2);
    CHECK(Write(true, each.write) == each.resp3);
  }
}

TEST_CASE("Integers of every length", "[reply_writer]") {
  for (const int64_t value :
       {INT64_MIN, -1000L, -10L, -9L, -1L, 0L, 1L, 9L, 10L, 99L, 1'000'000L, INT64_MAX}) {
    const std::string digits = std::to_string(value);
    CHECK(Write(false, [value](ReplyWriter& reply) { reply.Integer(value); }) == ":" + digits + "\r\n");
    CHECK(Write(true, [value](ReplyWriter& reply) { reply.BulkInteger(value); }) ==
          "$" + std::to_string(digits.size()) + "\r\n" + digits + "\r\n");
  }
}

TEST_CASE("A few integers at once are an array of them", "[reply_writer]") {
  std::vector<int64_t> values;
  std::string expected;
  for (const int64_t value : {INT64_MIN, -1L, 0L, 9L, 99L, 100L, 99'999'999L, 100'000'000L, INT64_MAX}) {
    CHECK(Write(false, [&](ReplyWriter& reply) { reply.IntegerArray(values); }) ==
          "*" + std::to_string(values.size()) + "\r\n" + expected);
    values.push_back(value);
    expected += ":" + std::to_string(value) + "\r\n";
  }
  values.assign(ReplyWriter::kFewIntegers, INT64_MIN);
  const std::string longest = Write(false, [&](ReplyWriter& reply) { reply.IntegerArray(values); });
  CHECK(longest.size() == 5 + values.size() * 23);
}

TEST_CASE("Doubles of every length", "[reply_writer]") {
  for (const double value : {0.0, -0.0, 12345678.0, 123456789.0, 1234567890.0, -123456789.0, 0.1, 1e17,
                             -1e300, 3.141592653589793, 1.7976931348623157e308}) {
    char digits[kMaxDoubleChars];
    const std::string text(digits, FormatDouble(value, digits));
    const auto write = [value](ReplyWriter& reply) { reply.Double(value); };
    CHECK(Write(true, write) == "," + text + "\r\n");
    CHECK(Write(false, write) == "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
  }
}

TEST_CASE("Bulks of every size", "[reply_writer]") {
  std::vector<size_t> sizes = {999, 1000, 4094, 4095, 4096, 100'000};
  for (size_t size = 0; size <= 300; ++size) sizes.push_back(size);
  for (const size_t size : sizes) {
    std::string value;
    while (value.size() < size) value += static_cast<char>(value.size() * 7);
    const std::string expected = "$" + std::to_string(size) + "\r\n" + value + "\r\n";
    CHECK(Write(false, [&](ReplyWriter& reply) { reply.Bulk(value); }) == expected);
    BlockRef block(SharedBlock::Copy(value));
    CHECK(Write(false, [&](ReplyWriter& reply) { reply.BulkBlock(block.get()); }) == expected);
  }
}

TEST_CASE("Only large parts of blocks are sent by reference", "[reply_writer]") {
  constexpr size_t kLarge = 16 * 1024;
  ChunkPool pool;
  OutputBuffer output(pool);
  ReplyWriter reply(&output);
  BlockRef block(SharedBlock::Copy(std::string(2 * kLarge, 'x')));
  reply.BulkBlock(block.get(), 5, kLarge - 1);
  CHECK_FALSE(block->IsShared());
  reply.BulkBlock(block.get(), kLarge, 0);
  CHECK_FALSE(block->IsShared());
  const size_t before = output.size_bytes();
  reply.BulkBlock(block.get(), kLarge, kLarge);
  CHECK(block->IsShared());
  CHECK(output.size_bytes() == before + std::string_view("$16384\r\n").size() + kLarge + 2);
  output.Clear();
  CHECK_FALSE(block->IsShared());
}

TEST_CASE("Line breaks do not end an error early", "[reply_writer]") {
  CHECK(Error("ERR syntax error") == "-ERR syntax error\r\n");
  CHECK(Error("ERR 'a\r\nb\n\rc'") == "-ERR 'a  b  c'\r\n");
  CHECK(Error("ERR a\r\n\r\n\n") == "-ERR a\r\n");
  CHECK(Error("ERR a \r\n") == "-ERR a \r\n");
  CHECK(Error("\r\nERR a") == "-  ERR a\r\n");
  CHECK(Error("\r\n") == "-\r\n");
  CHECK(Error("") == "-\r\n");
  const std::string text = "ERR " + std::string(10'000, 'x');
  CHECK(Error(text) == "-" + text + "\r\n");
}

TEST_CASE("Errors are counted, and the last code remembered", "[reply_writer]") {
  StringSink sink;
  ReplyWriter reply(&sink);
  CHECK(reply.error_count() == 0);
  CHECK(reply.last_error_code().empty());
  reply.Error("WRONGTYPE Operation against a key");
  CHECK(reply.error_count() == 1);
  CHECK(reply.last_error_code() == "WRONGTYPE");
  reply.Error("MYCODE\r\n");
  CHECK(reply.last_error_code() == "MYCODE");
  reply.Error(std::string(100, 'A') + " b");
  CHECK(reply.last_error_code().size() < 100);
  CHECK(std::string(100, 'A').starts_with(reply.last_error_code()));
  reply.Error("");
  CHECK(reply.last_error_code().empty());
  CHECK(reply.error_count() == 4);
  reply.Null();
  reply.SimpleString("ERR no error");
  CHECK(reply.error_count() == 4);
}

TEST_CASE("A writer can be turned to another sink", "[reply_writer]") {
  StringSink first, second;
  ReplyWriter reply(&first);
  reply.Ok();
  reply.set_sink(&second);
  reply.Integer(7);
  reply.set_sink(&first);
  reply.Null();
  CHECK(first.text() == "+OK\r\n$-1\r\n");
  CHECK(second.text() == ":7\r\n");
  CHECK(&reply.sink() == &first);
}

}  // namespace pinyon
