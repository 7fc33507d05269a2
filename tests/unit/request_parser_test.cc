#include "resp/request_parser.h"

#include <catch2/catch.hpp>
#include <climits>
#include <string>
#include <string_view>
#include <vector>

#include "../fuzz/request_feed.h"
#include "base/random.h"

namespace pinyon {

namespace {

using Status = RequestParser::Status;
using Limits = RequestParser::Limits;

constexpr size_t kLargeBytes = RequestParser::kLargeBulkBytes;
constexpr size_t kLineBytes = RequestParser::kMaxInlineBytes;
constexpr Limits kUnauthenticated{.authenticated = false};

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string Request(const std::vector<std::string>& args) {
  std::string text = "*" + std::to_string(args.size()) + "\r\n";
  for (const std::string& arg : args) text += Bulk(arg);
  return text;
}

// A text with zero bytes in it.
template <size_t kSize>
std::string Text(const char (&text)[kSize]) {
  return {text, kSize - 1};
}

struct Outcome {
  RequestList requests;
  std::string error;
};

// What comes of bytes that arrive without a pause.
Outcome Feed(std::string_view bytes, const Limits& limits = {}) {
  RequestFeed feed(limits);
  feed.Read(bytes);
  return {feed.requests(), feed.error()};
}

std::string ErrorOf(std::string_view bytes, const Limits& limits = {}) {
  const std::string error = Feed(bytes, limits).error;
  const std::string_view prefix = "ERR Protocol error: ";
  if (error.empty()) return "";
  REQUIRE(error.starts_with(prefix));
  return error.substr(prefix.size());
}

}  // namespace

TEST_CASE("A request gives its arguments, wherever it is cut", "[request_parser]") {
  const std::string zero("a\0b", 3);
  struct Case {
    std::string bytes;
    RequestList requests;
  };
  const Case cases[] = {
      {Request({"PING"}), {{"PING"}}},
      {Request({"SET", "k", ""}), {{"SET", "k", ""}}},
      {Request({"SET", zero, "\r\n$3\r\n"}), {{"SET", zero, "\r\n$3\r\n"}}},
      {Request({"GET", "a"}) + Request({"GET", "bc"}) + Request({"", ""}),
       {{"GET", "a"}, {"GET", "bc"}, {"", ""}}},
      {"*0\r\n*-1\r\n*-99\r\n" + Request({"PING"}), {{"PING"}}},
      {"PING\r\n", {{"PING"}}},
      {"PING\n", {{"PING"}}},
      {"\r\n\n  \r\n\t\nGET k\r\n", {{"GET", "k"}}},
      {"  SET   k  v  \r\n" + Request({"GET", "k"}) + "QUIT\r\n",
       {{"SET", "k", "v"}, {"GET", "k"}, {"QUIT"}}},
      {"set k \"a\\x41\\n b\" 'c\\'d' \"\"\nPING\n", {{"set", "k", "aA\n b", "c'd", ""}, {"PING"}}},
      {"GET \xC3\xA9\r\n", {{"GET", "\xC3\xA9"}}},
      {"\rPING a\rb\r\r\n", {{"PING", "a", "b"}}},
      // Of a line end only the first byte counts, of those behind a bulk none.
      {"*2\rX$3\r\nGET??$1\r\rk\r\n" + Request({"PING"}), {{"GET", "k"}, {"PING"}}},
      {Text("*1\r\0$4\r\0PING\0\0") + "PING\r\n", {{"PING"}, {"PING"}}},
  };
  for (const Case& each : cases) {
    INFO(each.bytes);
    CHECK(Feed(each.bytes).requests == each.requests);
    CHECK(ParsedAtOnce(each.bytes, {}).requests == each.requests);
    for (size_t cut = 1; cut < each.bytes.size(); ++cut) {
      RequestFeed feed;
      feed.Read(std::string_view(each.bytes).substr(0, cut));
      feed.Read(std::string_view(each.bytes).substr(cut));
      REQUIRE(feed.requests() == each.requests);
      REQUIRE_FALSE(feed.failed());
    }
    RequestFeed byte_by_byte({}, 2);
    for (const char c : each.bytes) byte_by_byte.Read({&c, 1});
    CHECK(byte_by_byte.requests() == each.requests);
    CHECK_FALSE(byte_by_byte.parser().InRequest());
    CHECK(byte_by_byte.input().capacity() == 0);
  }
}

TEST_CASE("Arguments of a request that lies there are views into it", "[request_parser]") {
  const std::string bytes = Request({"SET", "key", "value"});
  RequestParser parser;
  std::vector<std::string_view> args{"before"};
  size_t consumed = 0;
  REQUIRE(parser.Parse(bytes, {}, &consumed, &args) == Status::kRequest);
  CHECK(consumed == bytes.size());
  REQUIRE(args.size() == 4);
  CHECK(args[0] == "before");
  CHECK(args[2].data() == bytes.data() + bytes.find("key"));
  CHECK_FALSE(parser.HoldsArguments());
  CHECK(parser.MemoryBytes() == 0);
}

TEST_CASE("An unfinished request leaves the arguments alone", "[request_parser]") {
  RequestParser parser;
  std::vector<std::string_view> args{"before"};
  size_t consumed = 7;
  const std::string bytes = Request({"SET", "key", "value"});
  CHECK(parser.Parse(std::string_view(bytes).substr(0, bytes.size() - 1), {}, &consumed, &args) ==
        Status::kNeedMore);
  CHECK(consumed == 0);
  CHECK(args == std::vector<std::string_view>{"before"});
  CHECK(parser.InRequest());
  // The same bytes, elsewhere.
  const std::string moved = bytes + "PING\r\n";
  REQUIRE(parser.Parse(moved, {}, &consumed, &args) == Status::kRequest);
  CHECK(consumed == bytes.size());
  CHECK(args == std::vector<std::string_view>{"before", "SET", "key", "value"});
  CHECK_FALSE(parser.InRequest());
}

TEST_CASE("Requests that cannot be are refused in Redis's words", "[request_parser]") {
  const std::string huge = std::to_string(INT64_MAX) + "0";
  for (const char* length : {"a", "", "-0", "+1", "01", " 1", "1 ", "2147483648", "1\n"}) {
    INFO(length);
    CHECK(ErrorOf("*" + std::string(length) + "\r\n") == "invalid multibulk length");
    CHECK(ErrorOf("*1\r\n$" + std::string(length) + "\r\n") == "invalid bulk length");
  }
  CHECK(ErrorOf("*" + huge + "\r\n") == "invalid multibulk length");
  CHECK(ErrorOf("*2147483647\r\n").empty());
  CHECK(ErrorOf("*1\r\n$" + huge + "\r\n") == "invalid bulk length");
  CHECK(ErrorOf("*1\r\n$-1\r\n") == "invalid bulk length");
  CHECK(ErrorOf("*1\r\n$536870913\r\n") == "invalid bulk length");
  CHECK(ErrorOf("*1\r\n$536870912\r\n").empty());
  CHECK(ErrorOf("*1\r\n$6\r\n", {.max_bulk_bytes = 5}) == "invalid bulk length");
  CHECK(ErrorOf("*1\r\n$5\r\n", {.max_bulk_bytes = 5}).empty());

  CHECK(ErrorOf("*1\r\nX\r\n") == "expected '$', got 'X'");
  CHECK(ErrorOf("*1\r\n\xFF\r\n") == "expected '$', got '\xFF'");
  CHECK(ErrorOf("*1\r\n\r\n") == "expected '$', got '\r'");
  CHECK(ErrorOf("*1\r\n\rX") == "expected '$', got '\r'");
  CHECK(ErrorOf("*1\r\n\n\r\n") == "expected '$', got '\n'");
  CHECK(ErrorOf("*2\r\n$3\r\nGET\r\n:1\r\n") == "expected '$', got ':'");
  // Not before the line is complete.
  CHECK(ErrorOf("*1\r\nX\r").empty());
  CHECK(ErrorOf("*1\r\nX\n").empty());
  CHECK(ErrorOf("*1\r\n\r").empty());

  for (const char* line : {"set \"a\n", "PING 'a\r\n", "PING \"a\"b\r\n", "'\n"}) {
    CHECK(ErrorOf(line) == "unbalanced quotes in request");
  }
}

TEST_CASE("What came before an error is still understood", "[request_parser]") {
  const std::string bytes = Request({"SET", "k", "v"}) + "GET k\r\n*1\r\n$-1\r\n" + Request({"PING"});
  const RequestList before = {{"SET", "k", "v"}, {"GET", "k"}};
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    RequestFeed feed;
    feed.Read(std::string_view(bytes).substr(0, cut));
    feed.Read(std::string_view(bytes).substr(cut));
    REQUIRE(feed.requests() == before);
    REQUIRE(feed.error() == "ERR Protocol error: invalid bulk length");
    REQUIRE_FALSE(feed.parser().InRequest());
  }
}

TEST_CASE("Before authentication only small requests are taken", "[request_parser]") {
  CHECK(ErrorOf("*10\r\n", kUnauthenticated).empty());
  CHECK(ErrorOf("*11\r\n", kUnauthenticated) == "unauthenticated multibulk length");
  CHECK(ErrorOf("*2147483648\r\n", kUnauthenticated) == "invalid multibulk length");
  CHECK(ErrorOf("*1\r\n$16384\r\n", kUnauthenticated).empty());
  CHECK(ErrorOf("*1\r\n$16385\r\n", kUnauthenticated) == "unauthenticated bulk length");
  CHECK(ErrorOf("*1\r\n$-1\r\n", kUnauthenticated) == "invalid bulk length");
  CHECK(ErrorOf("*1\r\n$536870913\r\n", kUnauthenticated) == "invalid bulk length");
  const std::vector<std::string> args(10, std::string(16384, 'x'));
  CHECK(Feed(Request(args), kUnauthenticated).requests == RequestList{args});
  const std::string inline_request(60'000, 'x');
  CHECK(Feed(inline_request + "\n", kUnauthenticated).requests == RequestList{{inline_request}});
}

TEST_CASE("Lines without an end are given up at 64 KiB", "[request_parser]") {
  struct Case {
    std::string prefix;
    std::string counted;  // what of it counts toward the limit
    char fill;
    const char* error;
  };
  const Case cases[] = {
      {"", "", 'x', "too big inline request"},
      {"PING\r\n", "", 'x', "too big inline request"},
      {"", "*", '1', "too big mbulk count string"},
      {"*1\r\n", "$", '1', "too big bulk count string"},
      {"*1\r\n", "X", 'X', "too big bulk count string"},
      {"*2\r\n$3\r\nGET\r\n", "$", '1', "too big bulk count string"},
      // Behind a zero byte Redis sees no line end.
      {"", Text("PI\0NG\r\n"), 'x', "too big inline request"},
      {"", Text("*1\0\r\n"), 'x', "too big mbulk count string"},
      {"*1\r\n", Text("$4\0\r\nPING\r\n"), 'x', "too big bulk count string"},
      {"*1\r\n", Text("\0$4\r\n"), 'x', "too big bulk count string"},
  };
  for (const Case& each : cases) {
    INFO(each.prefix << each.counted << " ... " << each.error);
    const std::string fits =
        each.prefix + each.counted + std::string(kLineBytes - each.counted.size(), each.fill);
    CHECK(ErrorOf(fits).empty());
    CHECK(ErrorOf(fits + each.fill) == each.error);
    RequestFeed feed;
    feed.Read(fits);
    REQUIRE_FALSE(feed.failed());
    feed.Read({&each.fill, 1});
    CHECK(feed.error() == "ERR Protocol error: " + std::string(each.error));
  }
  // A line whose end is half there has one.
  const std::string digits(kLineBytes - 1, '1');
  CHECK(ErrorOf("*" + digits + "\r").empty());
  CHECK(ErrorOf("*" + digits + "\r\n") == "invalid multibulk length");
  CHECK(ErrorOf("*1\r\n$" + digits + "\r").empty());
  CHECK(ErrorOf("*1\r\n$" + digits + "\r\n") == "invalid bulk length");
}

TEST_CASE("A zero byte hides what follows on an inline line", "[request_parser]") {
  const std::string bytes = Text("PI\0NG\r\n") + "PING\r\n" + Request({"PING"});
  const Outcome outcome = Feed("ECHO a\r\n" + bytes);
  CHECK(outcome.requests == RequestList{{"ECHO", "a"}});
  CHECK(outcome.error.empty());
  // Also within quotes, and as the last byte.
  CHECK(Feed(Text("SET k \"a\0b\"\r\n")).requests.empty());
  CHECK(Feed(Text("PING\0\r\nPING\r\n")).requests.empty());
  // A zero byte on a later line does no harm to this one.
  CHECK(Feed(Text("PING\r\nA\0B\r\n")).requests == RequestList{{"PING"}});
}

TEST_CASE("Bulks of every size around the large ones arrive whole", "[request_parser]") {
  const size_t sizes[] = {kLargeBytes - 3, kLargeBytes - 2, kLargeBytes - 1, kLargeBytes,
                          kLargeBytes + 1, kLargeBytes + 2, 2 * kLargeBytes, 1'000'000};
  for (const size_t size : sizes) {
    std::string value(size, 'v');
    value.front() = '<';
    value.back() = '>';
    const std::string bytes = Request({"SET", "k", value}) + Request({"GET", "k"});
    const RequestList expected = {{"SET", "k", value}, {"GET", "k"}};
    const size_t start = bytes.find('<');
    const size_t cuts[] = {1,
                           start - 3,
                           start - 1,
                           start,
                           start + 1,
                           start + size - 1,
                           start + size,
                           start + size + 1,
                           start + size + 2,
                           start + size + 3,
                           bytes.size() - 1};
    for (const size_t cut : cuts) {
      INFO(size << " bytes, cut at " << cut);
      RequestFeed feed;
      feed.Read(std::string_view(bytes).substr(0, cut));
      feed.Read(std::string_view(bytes).substr(cut));
      REQUIRE(feed.requests() == expected);
      // What waited for its end was read into a block.
      if (size >= kLargeBytes && cut > start && cut < start + size + 2) {
        CHECK(feed.block_bytes() == size + 2);
        CHECK(feed.taken_blocks() == 1);
      }
      if (size < kLargeBytes) CHECK(feed.block_bytes() == 0);
    }
  }
}

TEST_CASE("A large bulk's rest is read straight into its block", "[request_parser]") {
  const std::string value(kLargeBytes, 'v');
  const std::string bytes = Request({"SET", "k", value});
  const size_t start = bytes.find('v');
  RequestParser parser;
  std::vector<std::string_view> args;
  size_t consumed = 0;
  std::string head = bytes.substr(0, start + 10);
  REQUIRE(parser.Parse(head, {}, &consumed, &args) == Status::kNeedBlock);
  CHECK(consumed == 10);
  CHECK(parser.BlockMissing() == kLargeBytes + 2 - 10);
  CHECK(parser.MemoryBytes() > kLargeBytes);
  head.resize(head.size() - consumed);

  REQUIRE(parser.Parse(head, {}, &consumed, &args) == Status::kNeedBlock);
  CHECK(consumed == 0);
  while (parser.NeedsBlock()) {
    const size_t count = std::min<size_t>(parser.BlockMissing(), 1000);
    std::memcpy(parser.BlockSpace(), bytes.data() + bytes.size() - parser.BlockMissing(), count);
    parser.BlockFilled(count);
  }
  REQUIRE(parser.Parse(head, {}, &consumed, &args) == Status::kRequest);
  CHECK(consumed == head.size());
  CHECK(args == std::vector<std::string_view>{"SET", "k", value});
  CHECK(parser.HoldsArguments());
  REQUIRE(parser.large_args().size() == 1);
  CHECK(parser.large_args()[0].first == 2);
  SharedBlock* const block = std::exchange(parser.large_args()[0].second, nullptr);
  CHECK(block->bytes() == value);
  CHECK_FALSE(block->IsShared());
  CHECK(parser.MemoryBytes() == 0);
  // The next call lets go of what was not taken, and of nothing else.
  args.clear();
  CHECK(parser.Parse("", {}, &consumed, &args) == Status::kNeedMore);
  CHECK_FALSE(parser.HoldsArguments());
  CHECK(parser.large_args().empty());
  CHECK(block->bytes() == value);
  block->Unref();
}

TEST_CASE("A large argument that nobody takes goes with the next call", "[request_parser]") {
  RequestFeed feed;
  const std::string value(kLargeBytes, 'v');
  const std::string bytes = Request({"ECHO", value, value});
  feed.Read(std::string_view(bytes).substr(0, bytes.size() - 5));
  feed.Read(std::string_view(bytes).substr(bytes.size() - 5));
  CHECK(feed.requests() == RequestList{{"ECHO", value, value}});
  CHECK(feed.parser().MemoryBytes() == 0);
  CHECK(feed.input().capacity() == 0);
}

TEST_CASE("Several large arguments of one request keep their places", "[request_parser]") {
  const std::string a(40'000, 'a'), b(100'000, 'b'), c(32'768, 'c'), small(32'767, 's');
  const std::vector<std::string> args = {"MSET", "a", a, small, b, "", c};
  const std::string bytes = Request({"PING"}) + Request(args) + Request({"GET", "a"}) + Request(args);
  const RequestList expected = {{"PING"}, args, {"GET", "a"}, args};
  for (const size_t piece : {1u, 100u, 4096u, 16384u, 65536u, 1'000'000u}) {
    INFO(piece << " bytes at a time");
    RequestFeed feed;
    for (size_t offset = 0; offset < bytes.size(); offset += piece) {
      feed.Read(std::string_view(bytes).substr(offset, piece));
    }
    CHECK(feed.requests() == expected);
    CHECK_FALSE(feed.parser().InRequest());
    CHECK(feed.input().capacity() == 0);
  }
}

TEST_CASE("A parser may be dropped in the middle of anything", "[request_parser]") {
  const std::string value(kLargeBytes, 'v');
  const std::string bytes = Request({"MSET", value, "k", value}) + "set \"a b\" 'c\n";
  for (size_t size = 0; size < bytes.size(); size += 501) {
    RequestFeed feed;
    feed.Read(std::string_view(bytes).substr(0, size));
  }
}

TEST_CASE("A million arguments in small pieces cost linear time", "[request_parser]") {
  constexpr size_t kCount = 1'000'000;
  std::string bytes = "*" + std::to_string(kCount) + "\r\n";
  for (size_t i = 0; i < kCount; ++i) bytes += Bulk(std::to_string(i));

  SECTION("the buffer is copied a logarithmic number of times, and every argument is there") {
    RequestFeed feed;
    size_t capacities = 0, last = 0;
    for (size_t offset = 0; offset < bytes.size(); offset += 16384) {
      feed.Read(std::string_view(bytes).substr(offset, 16384));
      if (feed.input().capacity() != last) ++capacities;
      last = feed.input().capacity();
    }
    CHECK(capacities < 15);
    REQUIRE(feed.requests().size() == 1);
    REQUIRE(feed.requests()[0].size() == kCount);
    for (size_t i = 0; i < kCount; ++i) {
      if (feed.requests()[0][i] != std::to_string(i)) FAIL("argument " << i);
    }
  }
  SECTION("what was understood is not looked at again") {
    RequestParser parser;
    std::vector<std::string_view> args;
    size_t consumed = 0;
    for (size_t size = 16384; size < bytes.size(); size += 16384) {
      REQUIRE(parser.Parse(std::string_view(bytes).substr(0, size), {}, &consumed, &args) ==
              Status::kNeedMore);
      // The last argument's header is looked for from its start.
      std::fill_n(bytes.begin(), size - 64, '?');
    }
    REQUIRE(parser.Parse(bytes, {}, &consumed, &args) == Status::kRequest);
    CHECK(consumed == bytes.size());
    REQUIRE(args.size() == kCount);
    CHECK(args[1000].size() == 4);
    CHECK(args.back() == std::to_string(kCount - 1));
  }
}

TEST_CASE("Random requests are understood however they are cut", "[request_parser]") {
  Random random(20'240'607);
  for (int round = 0; round < 60; ++round) {
    INFO("round " << round);
    RequestList expected;
    std::string bytes;
    for (size_t count = 1 + random.Below(12); count > 0; --count) {
      std::vector<std::string> args(1 + random.Below(6));
      for (std::string& arg : args) {
        const size_t size = random.Below(12) == 0 ? random.Below(90'000) : random.Below(40);
        for (size_t i = 0; i < size; ++i) arg.push_back(static_cast<char>(random.Below(256)));
      }
      bytes += Request(args);
      expected.push_back(std::move(args));
    }
    RequestFeed feed({}, 1 + random.Below(8));
    for (size_t offset = 0; offset < bytes.size();) {
      const size_t size =
          std::min<size_t>(1 + random.Below(random.Below(2) == 0 ? 50 : 50'000), bytes.size() - offset);
      feed.Read(std::string_view(bytes).substr(offset, size));
      offset += size;
    }
    REQUIRE(feed.requests() == expected);
  }
}

}  // namespace pinyon
