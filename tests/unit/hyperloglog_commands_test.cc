// The HyperLogLog commands through the dispatcher. The expected replies are what a redis-server 7.0 gave.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "command_fixture.h"
#include "types/hyperloglog.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;
using namespace std::string_literals;

constexpr char kCorruptError[] = "-INVALIDOBJ Corrupted HLL object detected\r\n";
constexpr char kNotHyperLogLogError[] = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";

std::string ValueOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  IntegerText text;
  return ref ? std::string(ref->StringBytes(text)) : "";
}

std::string EncodingOf(CommandFixture& f, std::string_view key) {
  const EntryRef ref = f.keyspace.database(0).Peek(key);
  return ref ? std::string(EncodingName(ref->encoding())) : "none";
}

// A sparse value with a stale estimate.
std::string Sparse(std::string_view body) { return "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80"s + std::string(body); }

TEST_CASE("PFADD says whether the estimate may have changed", "[hyperloglog]") {
  CommandFixture f;
  f.RecordNotifications();
  CHECK(f.Run("PFADD a") == ":1\r\n");
  CHECK(ValueOf(f, "a") == Sparse("\x7f\xff"));
  CHECK(EncodingOf(f, "a") == "raw");
  CHECK(f.TakeNotifications() == Lines{"new a", "pfadd a"});
  CHECK(f.Run("PFADD a") == ":0\r\n");
  CHECK(f.TakeNotifications().empty());
  CHECK(f.Run("PFADD a x y") == ":1\r\n");
  CHECK(f.Run("PFADD a x") == ":0\r\n");
  CHECK(ValueOf(f, "a") == Sparse("\x7a\x53\x88\x45\xa0\x84\x08"));
  CHECK(f.TakeNotifications() == Lines{"pfadd a"});
  CHECK(f.Run("PFDEBUG DECODE a") == "$30\r\nZ:14932 v:3,1 Z:1441 v:2,1 z:9\r\n");
}

TEST_CASE("PFCOUNT keeps the estimate in the value, which is a change", "[hyperloglog]") {
  CommandFixture f;
  f.RecordEffects();
  f.Run("PFADD a x y");
  CHECK(f.TakeEffects() == Lines{"SELECT 0", "PFADD a x y"});
  f.RunAs(1, "WATCH a");
  CHECK(f.Run("PFCOUNT a") == ":2\r\n");
  CHECK(f.TakeEffects() == Lines{"PFCOUNT a"});
  CHECK(f.Run("PFCOUNT a") == ":2\r\n");
  CHECK(f.Run("PFCOUNT a missing") == ":2\r\n");
  CHECK(f.Run("PFCOUNT missing") == ":0\r\n");
  CHECK(f.Run("PFADD a x") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(ValueOf(f, "a") == "HYLL\1\0\0\0\2\0\0\0\0\0\0\0\x7a\x53\x88\x45\xa0\x84\x08"s);
  f.RunAs(1, "MULTI");
  f.RunAs(1, "PING");
  CHECK(f.RunAs(1, "EXEC") == "*-1\r\n");
  f.Run("PFADD a z");
  CHECK(ValueOf(f, "a").substr(0, 16) == "HYLL\1\0\0\0\2\0\0\0\0\0\0\x80"s);
  CHECK(f.Run("PFCOUNT a") == ":3\r\n");
}

TEST_CASE("HyperLogLog commands make a value raw, even one that they leave as it is", "[hyperloglog]") {
  CommandFixture f;
  const std::string value = "HYLL\1\0\0\0\7\0\0\0\0\0\0\0\x7a\x53\x88\x45\xa0\x84\x08"s;
  for (const char* command : {"PFADD k x", "PFCOUNT k", "PFDEBUG ENCODING k"}) {
    f.Do({"SET", "k", value});
    CHECK(EncodingOf(f, "k") == "embstr");
    f.Run(command);
    CHECK(EncodingOf(f, "k") == "raw");
    CHECK(ValueOf(f, "k") == value);
  }
  CHECK(f.Run("PFCOUNT k") == ":7\r\n");
  CHECK(f.Run("PFCOUNT k k") == ":2\r\n");
}

TEST_CASE("PFMERGE unites, the destination included", "[hyperloglog]") {
  CommandFixture f;
  f.RecordNotifications();
  CHECK(f.Run("PFMERGE e") == "+OK\r\n");
  CHECK(ValueOf(f, "e") == Sparse("\x7f\xff"));
  CHECK(f.TakeNotifications() == Lines{"keymiss e", "new e", "pfadd e"});
  f.Run("PFADD a 1 2 3");
  f.Run("PFADD b 3 4");
  f.Run("PFADD c 5");
  CHECK(f.Run("PFMERGE c a missing b") == "+OK\r\n");
  CHECK(f.Run("PFCOUNT c") == ":5\r\n");
  CHECK(f.Run("PFCOUNT a b") == ":4\r\n");
  f.Run("EXPIRE c 100");
  CHECK(f.Run("PFDEBUG TODENSE a") == ":1\r\n");
  CHECK(f.Run("PFDEBUG TODENSE a") == ":0\r\n");
  CHECK(f.Run("PFMERGE c a") == "+OK\r\n");
  CHECK(f.Run("PFDEBUG ENCODING c") == "+dense\r\n");
  CHECK(f.Run("TTL c") == ":100\r\n");
  CHECK(f.Run("PFCOUNT c") == ":5\r\n");
}

TEST_CASE("HyperLogLog commands refuse other values", "[hyperloglog]") {
  CommandFixture f;
  f.Run("SET s hello");
  f.Run("SET i 12345");
  f.Do({"SET", "long", "HYLL\0"s + std::string(12300, '\0')});
  for (const char* key : {"s", "i", "long"}) {
    CHECK(f.Do({"PFADD", key, "x"}) == kNotHyperLogLogError);
    CHECK(f.Do({"PFCOUNT", key}) == kNotHyperLogLogError);
    CHECK(f.Do({"PFCOUNT", "missing", key}) == kNotHyperLogLogError);
    CHECK(f.Do({"PFMERGE", "d", key}) == kNotHyperLogLogError);
    CHECK(f.Do({"PFMERGE", key, "missing"}) == kNotHyperLogLogError);
    CHECK(f.Do({"PFDEBUG", "DECODE", key}) == kNotHyperLogLogError);
  }
  CHECK(f.Run("EXISTS d") == ":0\r\n");
}

TEST_CASE("Corrupt values are refused and stay as they are", "[hyperloglog]") {
  CommandFixture f;
  for (const std::string& body : {""s, "\x7f"s, "\x80\x80"s}) {
    const std::string value = Sparse(body);
    f.Do({"SET", "c", value});
    CHECK(f.Run("PFADD c x") == kCorruptError);
    CHECK(f.Run("PFCOUNT c") == kCorruptError);
    CHECK(f.Run("PFCOUNT c missing") == kCorruptError);
    CHECK(f.Run("PFMERGE d c") == kCorruptError);
    CHECK(f.Run("PFMERGE c") == kCorruptError);
    CHECK(f.Run("PFDEBUG TODENSE c") == kCorruptError);
    CHECK(f.Run("PFDEBUG GETREG c") == kCorruptError);
    CHECK(ValueOf(f, "c") == value);
  }
  CHECK(f.Run("EXISTS d") == ":0\r\n");
  // Where an element's register is found, it is set, as in Redis ...
  f.Do({"SET", "c", Sparse("\x7f\xfe")});
  CHECK(f.Run("PFADD c x") == ":1\r\n");
  CHECK(ValueOf(f, "c") == Sparse("\x7f\xf5\x84\x07"));
  // ... but nothing is set when another's is not.
  const std::string before = Sparse("\x7a\x53\x88");
  f.Do({"SET", "c", before});
  CHECK(f.Run("PFADD c y x") == kCorruptError);
  CHECK(ValueOf(f, "c") == before);
}

TEST_CASE("hll-sparse-max-bytes limits the sparse form", "[hyperloglog]") {
  CommandFixture f;
  f.options.encoding.hll_sparse_max_bytes = 5;
  f.Run("PFADD k x");
  CHECK(f.Run("PFDEBUG ENCODING k") == "+sparse\r\n");
  CHECK(f.Run("PFADD k y") == ":1\r\n");
  CHECK(f.Run("PFDEBUG ENCODING k") == "+dense\r\n");
  f.options.encoding.hll_sparse_max_bytes = 0;
  CHECK(f.Run("PFADD new x") == ":1\r\n");
  CHECK(f.Run("PFDEBUG ENCODING new") == "+dense\r\n");
  f.options.encoding.hll_sparse_max_bytes = INT64_MAX;
  for (int i = 0; i < 3000; ++i) f.Do({"PFADD", "huge", std::to_string(i)});
  CHECK(f.Run("PFDEBUG ENCODING huge") == "+sparse\r\n");
}

TEST_CASE("PFDEBUG looks inside", "[hyperloglog]") {
  CommandFixture f;
  f.RecordEffects();
  CHECK(f.Run("PFDEBUG FOO missing") == "-ERR The specified key does not exist\r\n");
  f.Run("PFADD a x");
  f.TakeEffects();
  CHECK(f.Run("PFDEBUG FOO a") == "-ERR Unknown PFDEBUG subcommand 'FOO'\r\n");
  CHECK(f.Run("PFDEBUG encoding a") == "+sparse\r\n");
  CHECK(f.TakeEffects().empty());
  const std::string registers = f.Run("PFDEBUG GETREG a");
  CHECK(registers.substr(0, 13) == "*16384\r\n:0\r\n:");
  CHECK(f.TakeEffects() == Lines{"PFDEBUG GETREG a"});
  CHECK(f.Run("PFDEBUG DECODE a") == "-ERR HLL encoding is not sparse\r\n");
  CHECK(f.Run("PFSELFTEST") == "+OK\r\n");
}

TEST_CASE("PFADD on a value that a reply still holds", "[hyperloglog]") {
  CommandFixture f;
  f.Run("PFADD k x");
  f.Run("PFDEBUG TODENSE k");
  SharedBlock* block = f.keyspace.database(0).Peek("k")->block();
  REQUIRE(block != nullptr);
  block->Ref();
  const BlockRef held(block);
  const std::string before(block->bytes());
  CHECK(f.Run("PFADD k y z") == ":1\r\n");
  CHECK(held->bytes() == before);
  CHECK(f.Run("PFCOUNT k") == ":3\r\n");
  CHECK(held->bytes() == before);
}

}  // namespace
}  // namespace pinyon
