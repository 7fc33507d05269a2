// Values in the RDB format: what is written is read again; what other writers wrote, old ones too, is read;
// what is damaged is refused or a valid value.
#include <catch2/catch.hpp>
#include <limits>

#include "base/random.h"
#include "packed_fixture.h"
#include "persist/rdb_format.h"
#include "rdb_fixture.h"

namespace pinyon {

namespace {

// Listpacks by hand: texts of up to 63 bytes and small numbers.
std::string PackedText(std::string_view text) {
  std::string bytes(1, static_cast<char>(0x80 | text.size()));
  bytes.append(text);
  return bytes + static_cast<char>(text.size() + 1);
}
std::string PackedNumber(uint8_t number) { return {static_cast<char>(number), 1}; }
std::string PackedList(const std::vector<std::string>& elements) {
  std::string body;
  for (const std::string& element : elements) body += element;
  return RdbFixed(static_cast<uint32_t>(body.size() + 7)) + RdbFixed(static_cast<uint16_t>(elements.size())) +
         body + '\xff';
}

// Ziplists by hand: elements are an encoding and bytes, without the back length.
std::string Ziplist(const std::vector<std::string>& elements) {
  std::string body;
  uint32_t last = 10;
  size_t previous = 0;
  for (const std::string& element : elements) {
    last = static_cast<uint32_t>(10 + body.size());
    const size_t start = body.size();
    if (previous < 254) {
      body += static_cast<char>(previous);
    } else {
      body += '\xfe' + RdbFixed(static_cast<uint32_t>(previous));
    }
    body += element;
    previous = body.size() - start;
  }
  return RdbFixed(static_cast<uint32_t>(body.size() + 11)) + RdbFixed(last) +
         RdbFixed(static_cast<uint16_t>(elements.size())) + body + '\xff';
}
std::string ZipText(std::string_view text) {
  if (text.size() < 64) return std::string(1, static_cast<char>(text.size())) + std::string(text);
  if (text.size() < 16384) {
    return std::string{static_cast<char>(0x40 | text.size() >> 8), static_cast<char>(text.size())} +
           std::string(text);
  }
  return '\x80' + RdbFixed(__builtin_bswap32(static_cast<uint32_t>(text.size()))) + std::string(text);
}

}  // namespace

TEST_CASE("rdb values: every type and encoding comes back as it was") {
  RdbFixture f;
  f.options.rdb.compression = GENERATE(true, false);
  f.FillAllEncodings();
  for (const std::string& key : RdbFixture::AllEncodings()) {
    CAPTURE(key);
    const std::string payload = f.Dump(key);
    REQUIRE(payload.size() > 10);
    CHECK(RdbVersionOf(payload) == (key == "hash:listpackex" || key == "hash:expiring" ? 12 : 10));
    CHECK(f.Restore("copy", payload) == RdbFixture::kOk);
    CHECK(f.Digest("copy") == f.Digest(key));
    // (Redis 7.0 has no packed sets of texts, so such a set is written as its members.)
    CHECK(f.EncodingOf("copy") == f.EncodingOf(key));
    if (f.EncodingOf(key) != "hashtable") CHECK(f.Dump("copy") == payload);
    f.keyspace.database(0).CheckConsistency();
  }
  CHECK(f.EncodingOf("list:quicklist") == "quicklist");
  CHECK(f.EncodingOf("hash:listpackex") == "listpackex");
  CHECK(f.EncodingOf("set:intset") == "intset");
}

TEST_CASE("rdb values: fields keep their expiries, and expire") {
  RdbFixture f;
  f.FillAllEncodings();
  for (const std::string key : {"hash:listpackex", "hash:expiring"}) {
    CAPTURE(key);
    CHECK(f.Restore("copy", f.Dump(key)) == RdbFixture::kOk);
    const std::string line = " FIELDS 4 element:3 element:7 element:8 9";
    CHECK(f.Run("HPEXPIRETIME copy" + line) == f.Run("HPEXPIRETIME " + key + line));
    CHECK(f.keyspace.database(0).hashes_expiring() == 3);
  }
  f.SetNow(1'900'000'000'001);
  CHECK(f.Run("HGET copy element:3") == "$-1\r\n");
  CHECK(f.Run("HGET copy element:8") == "$-1\r\n");
  CHECK(f.Run("HGET copy element:1") == "$7\r\nvalue 1\r\n");
}

TEST_CASE("rdb values: a hash that has lost its expiries needs no later version") {
  RdbFixture f;
  f.Run("HSET h a 1 b 2");
  const std::string before = f.Dump("h");
  f.Run("HPEXPIREAT h 1800000000000 FIELDS 1 a");
  CHECK(RdbVersionOf(f.Dump("h")) == 12);
  f.Run("HPERSIST h FIELDS 1 a");
  CHECK(f.EncodingOf("h") == "listpackex");
  const std::string after = f.Dump("h");
  CHECK(RdbVersionOf(after) == 10);
  CHECK(RdbCodeOf(after) == rdb::kHashListpack);
  CHECK(f.Restore("copy", after) == RdbFixture::kOk);
  CHECK(f.Digest("copy") == f.Digest("h"));
  CHECK(before.size() == after.size());
}

TEST_CASE("rdb values: strings in every form") {
  RdbFixture f;
  const auto read = [&](const std::string& value) {
    f.Run("DEL s");
    const std::string reply = f.RestoreValue("s", rdb::kString, value);
    return reply == RdbFixture::kOk ? f.Text({"GET", "s"}) : reply;
  };
  CHECK(read(RdbString("abc")) == "abc");
  CHECK(read(RdbString("")) == "");
  CHECK(read("\xc0\x80") == "-128");
  CHECK(read(std::string("\xc1\x00\x80", 3)) == "-32768");
  CHECK(read(std::string("\xc2\x00\x00\x00\x80", 5)) == "-2147483648");
  CHECK(read(RdbString("9223372036854775807")) == "9223372036854775807");
  CHECK(f.EncodingOf("s") == "int");
  CHECK(read(RdbString("007")) == "007");
  CHECK(f.EncodingOf("s") == "embstr");
  // 32 and 64 bits of length.
  CHECK(read(std::string("\x80\0\0\0\2ab", 7)) == "ab");
  CHECK(read(std::string("\x81\0\0\0\0\0\0\0\2ab", 11)) == "ab");
  // LZF: "a" and nine more of it.
  CHECK(read(std::string("\xc3\x05\x0a\x00"
                         "a\xe0\x00\x00",
                         8)) == "aaaaaaaaaa");

  CHECK(read("\xc4") == RdbFixture::kBadData);
  CHECK(read("\xc0") == RdbFixture::kBadData);
  CHECK(read("\x82") == RdbFixture::kBadData);
  CHECK(read(RdbString("abc") + "x") == RdbFixture::kBadData);
  // Sizes that are not there, and that cannot come of what is there.
  CHECK(read("\x80\x7f\xff\xff\xff") == RdbFixture::kBadData);
  CHECK(read("\x81\x7f\xff\xff\xff\xff\xff\xff\xff") == RdbFixture::kBadData);
  CHECK(read(std::string("\xc3\x05\x80\x7f\xff\xff\xff\x00"
                         "a\xe0\x00\x00",
                         12)) == RdbFixture::kBadData);
}

TEST_CASE("rdb values: collections of single elements, as old versions wrote them") {
  RdbFixture f;
  CHECK(f.RestoreValue("l", rdb::kList, "\x03" + RdbString("a") + "\xc0\x05" + RdbString("c")) ==
        RdbFixture::kOk);
  CHECK(f.Run("LRANGE l 0 -1") == "*3\r\n$1\r\na\r\n$1\r\n5\r\n$1\r\nc\r\n");
  CHECK(f.EncodingOf("l") == "listpack");

  CHECK(f.RestoreValue("s", rdb::kSet, "\x02\xc0\x05\xc0\x03") == RdbFixture::kOk);
  CHECK(f.EncodingOf("s") == "intset");
  CHECK(f.Run("SMEMBERS s") == "*2\r\n$1\r\n3\r\n$1\r\n5\r\n");
  CHECK(f.RestoreValue("s", rdb::kSet, "\x02\xc0\x05" + RdbString("x")) == RdbFixture::kOk);
  CHECK(f.EncodingOf("s") == "listpack");
  CHECK(f.RestoreValue("s", rdb::kSet, "\x02\xc0\x05" + RdbString(std::string(65, 'x'))) == RdbFixture::kOk);
  CHECK(f.EncodingOf("s") == "hashtable");
  CHECK(f.Run("SISMEMBER s 5") == ":1\r\n");

  CHECK(f.RestoreValue("z", rdb::kZset,
                       "\x04" + RdbString("a") + "\x03" + "1.5" + RdbString("b") + "\xfe" + RdbString("c") +
                           "\xff" + RdbString("d") + "\x02-2") == RdbFixture::kOk);
  CHECK(f.EncodingOf("z") == "listpack");
  CHECK(f.Run("ZRANGE z 0 -1 WITHSCORES") ==
        "*8\r\n$1\r\nc\r\n$4\r\n-inf\r\n$1\r\nd\r\n$2\r\n-2\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$"
        "3\r\ninf\r\n");
  CHECK(f.RestoreValue("z", rdb::kZset2, "\x01" + RdbString(std::string(65, 'm')) + RdbFixed(2.5)) ==
        RdbFixture::kOk);
  CHECK(f.EncodingOf("z") == "skiplist");

  CHECK(f.RestoreValue("h", rdb::kHash, "\x02" + RdbString("a") + "\xc0\x01" + RdbString("b") + "\xc0\x02") ==
        RdbFixture::kOk);
  CHECK(f.EncodingOf("h") == "listpack");
  CHECK(f.Run("HGETALL h") == "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");
  CHECK(f.RestoreValue("h", rdb::kHash,
                       "\x02" + RdbString("a") + "\xc0\x01" + RdbString("b") +
                           RdbString(std::string(65, 'v'))) == RdbFixture::kOk);
  CHECK(f.EncodingOf("h") == "hashtable");
  CHECK(f.Run("HGET h a") == "$1\r\n1\r\n");
}

TEST_CASE("rdb values: elements that are there twice, scores that are no numbers, nothing at all") {
  RdbFixture f;
  const auto bad = [&](uint8_t code, const std::string& value) {
    CAPTURE(int{code});
    CHECK(f.RestoreValue("k", code, value, 12) == RdbFixture::kBadData);
  };
  const std::string a = RdbString("a");
  bad(rdb::kSet, "\x02" + a + a);
  bad(rdb::kSet, "\x02\xc0\x07" + RdbString("7"));
  bad(rdb::kSet, "\x02" + RdbString(std::string(80, 'x')) + RdbString(std::string(80, 'x')));
  bad(rdb::kHash, "\x02" + a + a + a + a);
  bad(rdb::kHash, "\x02" + a + RdbString(std::string(80, 'x')) + a + a);
  bad(rdb::kZset2, "\x02" + a + RdbFixed(1.0) + a + RdbFixed(2.0));
  bad(rdb::kZset2, "\x01" + a + RdbFixed(std::numeric_limits<double>::quiet_NaN()));
  bad(rdb::kZset, "\x01" + a + "\xfd");
  bad(rdb::kZset, "\x01" + a + "\x03" + "1x5");
  for (const uint8_t code : {rdb::kList, rdb::kSet, rdb::kZset, rdb::kHash, rdb::kZset2, rdb::kListQuicklist,
                             rdb::kListQuicklist2}) {
    bad(code, std::string(1, '\0'));
  }
  const std::string empty = RdbString(PackedList({}));
  for (const uint8_t code : {rdb::kHashListpack, rdb::kZsetListpack, rdb::kSetListpack}) bad(code, empty);
  bad(rdb::kListQuicklist2, "\x01\x02" + empty);
  bad(rdb::kSetIntset, RdbString(FromHex("02 00 00 00 00 00 00 00")));
  bad(rdb::kHashMetadata, RdbFixed(int64_t{0}) + std::string(1, '\0'));
  for (const uint8_t code : {rdb::kListZiplist, rdb::kZsetZiplist, rdb::kHashZiplist}) {
    bad(code, RdbString(Ziplist({})));
  }
  CHECK(f.Run("EXISTS k") == ":0\r\n");
}

TEST_CASE("rdb values: listpacks that are not right") {
  RdbFixture f;
  const auto restore = [&](uint8_t code, const std::vector<std::string>& elements) {
    return f.RestoreValue("k", code, RdbString(PackedList(elements)), 12);
  };
  const std::string a = PackedText("a"), b = PackedText("b"), one = PackedNumber(1), two = PackedNumber(2);
  CHECK(restore(rdb::kHashListpack, {a, one, b, two}) == RdbFixture::kOk);
  CHECK(restore(rdb::kHashListpack, {a, one, b}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kHashListpack, {a, one, a, two}) == RdbFixture::kBadData);
  // A number and its text are the same name.
  CHECK(restore(rdb::kHashListpack, {one, a, PackedText("1"), b}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kSetListpack, {a, b}) == RdbFixture::kOk);
  CHECK(f.EncodingOf("k") == "listpack");
  CHECK(restore(rdb::kSetListpack, {a, a}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kZsetListpack, {a, one, b, two}) == RdbFixture::kOk);
  CHECK(restore(rdb::kZsetListpack, {a, one, b, PackedText("1.5")}) == RdbFixture::kOk);
  CHECK(restore(rdb::kZsetListpack, {a, one, b, one}) == RdbFixture::kOk);
  CHECK(restore(rdb::kZsetListpack, {b, one, a, one}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kZsetListpack, {a, two, b, one}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kZsetListpack, {a, one, a, two}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kZsetListpack, {a, PackedText("nan")}) == RdbFixture::kBadData);
  CHECK(restore(rdb::kZsetListpack, {a, b}) == RdbFixture::kBadData);
  // Many names are compared by their hashes.
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.insert(many.end(), {PackedText("f" + std::to_string(i)), one});
  CHECK(restore(rdb::kHashListpack, many) == RdbFixture::kOk);
  many.insert(many.end(), {PackedText("f57"), two});
  CHECK(restore(rdb::kHashListpack, many) == RdbFixture::kBadData);
}

TEST_CASE("rdb values: intsets") {
  RdbFixture f;
  const auto restore = [&](std::string_view hex) {
    return f.RestoreValue("k", rdb::kSetIntset, RdbString(FromHex(hex)));
  };
  CHECK(restore("02 00 00 00 02 00 00 00 03 00 05 00") == RdbFixture::kOk);
  CHECK(f.Run("SMEMBERS k") == "*2\r\n$1\r\n3\r\n$1\r\n5\r\n");
  CHECK(restore("02 00 00 00 02 00 00 00 05 00 03 00") == RdbFixture::kBadData);
  CHECK(restore("02 00 00 00 02 00 00 00 05 00 05 00") == RdbFixture::kBadData);
  CHECK(restore("03 00 00 00 02 00 00 00 05 00 05 00") == RdbFixture::kBadData);
  CHECK(restore("02 00 00 00 03 00 00 00 05 00 06 00") == RdbFixture::kBadData);
}

TEST_CASE("rdb values: packed values beyond the limits become large ones") {
  RdbFixture f;
  f.FillAllEncodings();
  f.options.encoding.hash_max_listpack_entries = 10;
  f.options.encoding.set_max_intset_entries = 10;
  f.options.encoding.set_max_listpack_entries = 10;
  f.options.encoding.zset_max_listpack_entries = 10;
  f.options.encoding.list_max_listpack_size = 10;
  for (const std::string key :
       {"hash:listpack", "hash:listpackex", "set:intset", "set:listpack", "zset:listpack", "list:listpack"}) {
    CAPTURE(key);
    CHECK(f.Restore("copy", f.Dump(key)) == RdbFixture::kOk);
    CHECK(f.Digest("copy") == f.Digest(key));
    const std::string large = key[0] == 'z' ? "skiplist" : key[0] == 'l' ? "quicklist" : "hashtable";
    CHECK(f.EncodingOf("copy") == large);
  }
  // The length of elements does not count, as in Redis.
  f.options.encoding = {};
  f.options.encoding.hash_max_listpack_value = 2;
  f.options.encoding.zset_max_listpack_value = 2;
  for (const std::string key : {"hash:listpack", "zset:listpack"}) {
    CHECK(f.Restore("copy", f.Dump(key)) == RdbFixture::kOk);
    CHECK(f.EncodingOf("copy") == "listpack");
  }
}

TEST_CASE("rdb values: lists of chunks") {
  RdbFixture f;
  const std::string packed = RdbString(PackedList({PackedText("a"), PackedNumber(7)}));
  const std::string plain = RdbString(std::string(10000, 'p'));
  CHECK(f.RestoreValue("l", rdb::kListQuicklist2, "\x03\x02" + packed + "\x01" + plain + "\x02" + packed) ==
        RdbFixture::kOk);
  CHECK(f.EncodingOf("l") == "quicklist");
  CHECK(f.Run("LLEN l") == ":5\r\n");
  CHECK(f.Run("LINDEX l -1") == "$1\r\n7\r\n");
  // Chunks without elements are left out, as in Redis.
  CHECK(f.RestoreValue("l", rdb::kListQuicklist2, "\x02\x02" + RdbString(PackedList({})) + "\x02" + packed) ==
        RdbFixture::kOk);
  CHECK(f.EncodingOf("l") == "listpack");
  CHECK(f.RestoreValue("l", rdb::kListQuicklist2, "\x01\x03" + packed) == RdbFixture::kBadData);
  const std::string zip = RdbString(Ziplist({ZipText("a"), "\xf8"}));
  CHECK(f.RestoreValue("l", rdb::kListQuicklist, "\x02" + zip + zip) == RdbFixture::kOk);
  CHECK(f.Run("LRANGE l 0 -1") == "*4\r\n$1\r\na\r\n$1\r\n7\r\n$1\r\na\r\n$1\r\n7\r\n");
}

TEST_CASE("rdb values: ziplists") {
  RdbFixture f;
  const std::string long_text(300, 'x');
  const std::string longer_text(20000, 'y');
  const std::string zip = Ziplist({ZipText("a"), ZipText(long_text), ZipText(longer_text), "\xf1", "\xfd",
                                   std::string("\xfe\x80", 2), std::string("\xc0\x00\x80", 3),
                                   std::string("\xf0\x00\x00\x80", 4), std::string("\xd0\x00\x00\x00\x80", 5),
                                   '\xe0' + RdbFixed(std::numeric_limits<int64_t>::min())});
  REQUIRE(f.RestoreValue("l", rdb::kListZiplist, RdbString(zip)) == RdbFixture::kOk);
  const std::vector<std::string> expected = {
      "a",    long_text, longer_text, "0",           "12",
      "-128", "-32768",  "-8388608",  "-2147483648", "-9223372036854775808"};
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(f.Text({"LINDEX", "l", std::to_string(i)}) == expected[i]);
  CHECK(f.Run("LLEN l") == ":10\r\n");

  CHECK(f.RestoreValue("h", rdb::kHashZiplist, RdbString(Ziplist({ZipText("f"), "\xf4"}))) ==
        RdbFixture::kOk);
  CHECK(f.Run("HGETALL h") == "*2\r\n$1\r\nf\r\n$1\r\n3\r\n");
  CHECK(f.EncodingOf("h") == "listpack");
  CHECK(f.RestoreValue("h", rdb::kHashZiplist, RdbString(Ziplist({ZipText("f"), ZipText(long_text)}))) ==
        RdbFixture::kOk);
  CHECK(f.EncodingOf("h") == "hashtable");
  CHECK(f.RestoreValue("z", rdb::kZsetZiplist, RdbString(Ziplist({ZipText("m"), ZipText("1.5")}))) ==
        RdbFixture::kOk);
  CHECK(f.Run("ZSCORE z m") == "$3\r\n1.5\r\n");
  CHECK(f.RestoreValue("h", rdb::kHashZiplist, RdbString(Ziplist({ZipText("f")}))) == RdbFixture::kBadData);
  CHECK(f.RestoreValue("h", rdb::kHashZiplist,
                       RdbString(Ziplist({ZipText("f"), "\xf1", ZipText("f"), "\xf1"}))) ==
        RdbFixture::kBadData);
  // Every byte of the head and of the back lengths counts.
  const std::string small = Ziplist({ZipText("f"), "\xf4", ZipText("g"), "\xf4"});
  for (const size_t at : {size_t{0}, size_t{4}, size_t{8}, size_t{10}, size_t{13}, small.size() - 1}) {
    std::string wrong = small;
    wrong[at] = static_cast<char>(wrong[at] + 1);
    CAPTURE(at);
    CHECK(f.RestoreValue("h", rdb::kHashZiplist, RdbString(wrong)) == RdbFixture::kBadData);
  }
}

TEST_CASE("rdb values: zipmaps") {
  RdbFixture f;
  const std::string big(300, 'b');
  const std::string map = std::string(
                              "\x02\x01"
                              "a\x01\x02"
                              "1..",
                              8) +
                          "\x02"
                          "bb" +
                          "\xfe" + RdbFixed(uint32_t{300}) + std::string(1, '\0') + big + '\xff';
  REQUIRE(f.RestoreValue("h", rdb::kHashZipmap, RdbString(map)) == RdbFixture::kOk);
  CHECK(f.Run("HGET h a") == "$1\r\n1\r\n");
  CHECK(f.Text({"HGET", "h", "bb"}) == big);
  CHECK(f.EncodingOf("h") == "hashtable");
  CHECK(f.RestoreValue("h", rdb::kHashZipmap,
                       RdbString(std::string("\x01\x01"
                                             "a\x01\x00"
                                             "1\xff",
                                             7))) == RdbFixture::kOk);
  CHECK(f.EncodingOf("h") == "listpack");
  CHECK(f.RestoreValue("h", rdb::kHashZipmap,
                       RdbString(std::string("\x02\x01"
                                             "a\x01\x00"
                                             "1\xff",
                                             7))) == RdbFixture::kBadData);
  CHECK(f.RestoreValue("h", rdb::kHashZipmap,
                       RdbString(std::string("\x01\x01"
                                             "a\xff",
                                             4))) == RdbFixture::kBadData);
}

TEST_CASE("rdb values: hashes with field expiry, by hand") {
  RdbFixture f;
  const int64_t first = 1'800'000'000'000;
  REQUIRE(f.RestoreValue("h", rdb::kHashMetadata,
                         RdbFixed(first) + "\x03" + RdbLength(101) + RdbString("later") + RdbString("1") +
                             std::string(1, '\0') + RdbString("never") + RdbString("2") + "\x01" +
                             RdbString("first") + RdbString("3"),
                         12) == RdbFixture::kOk);
  CHECK(f.EncodingOf("h") == "listpackex");
  CHECK(f.Run("HPEXPIRETIME h FIELDS 3 first later never") ==
        "*3\r\n:1800000000000\r\n:1800000000100\r\n:-1\r\n");
  f.options.encoding.hash_max_listpack_entries = 2;
  REQUIRE(f.Restore("t", f.Dump("h")) == RdbFixture::kOk);
  CHECK(f.EncodingOf("t") == "hashtable");
  CHECK(f.Digest("t") == f.Digest("h"));
  CHECK(f.Run("HPEXPIRETIME t FIELDS 3 first later never") ==
        "*3\r\n:1800000000000\r\n:1800000000100\r\n:-1\r\n");
  f.keyspace.database(0).CheckConsistency();

  // Out of order, beyond what a time can be, no number, an odd count.
  const auto time = [](uint64_t ms) { return '\xf4' + RdbFixed(ms) + '\x09'; };
  const std::string a = PackedText("a"), b = PackedText("b"), v = PackedText("v"), none = PackedNumber(0);
  const auto restore = [&](const std::vector<std::string>& elements) {
    return f.RestoreValue("x", rdb::kHashListpackEx, RdbFixed(first) + RdbString(PackedList(elements)), 12);
  };
  CHECK(restore({a, v, time(1'800'000'000'000), b, v, none}) == RdbFixture::kOk);
  CHECK(restore({a, v, none, b, v, time(1'800'000'000'000)}) == RdbFixture::kBadData);
  CHECK(restore({a, v, time(1'800'000'000'001), b, v, time(1'800'000'000'000)}) == RdbFixture::kBadData);
  CHECK(restore({a, v, time(uint64_t{1} << 50)}) == RdbFixture::kBadData);
  CHECK(restore({a, v, PackedText("soon")}) == RdbFixture::kBadData);
  CHECK(restore({a, v}) == RdbFixture::kBadData);
  CHECK(restore({a, v, none, a, v, none}) == RdbFixture::kBadData);
}

TEST_CASE("rdb values: what is not supported is refused") {
  RdbFixture f;
  for (const uint8_t code : {rdb::kModulePreGa, rdb::kModule, rdb::kStreamListpacks, rdb::kStreamListpacks2,
                             rdb::kStreamListpacks3, rdb::kHashMetadataPreGa, rdb::kHashListpackExPreGa}) {
    CHECK(f.RestoreValue("k", code, RdbString("x"), 12) == RdbFixture::kBadData);
  }
  for (int code = 26; code < 256; ++code) {
    CHECK(f.RestoreValue("k", static_cast<uint8_t>(code), RdbString("x"), 12) == RdbFixture::kBadData);
  }
}

TEST_CASE("rdb values: a value that was cut anywhere is refused") {
  RdbFixture f;
  f.options.rdb.compression = GENERATE(true, false);
  f.FillAllEncodings();
  for (const std::string& key : RdbFixture::AllEncodings()) {
    CAPTURE(key);
    const std::string payload = f.Dump(key);
    const std::string value = RdbValueOf(payload);
    // All of the beginning and the end, some of what is between.
    for (size_t cut = 0; cut < value.size(); cut += cut < 500 || cut + 500 > value.size() ? 1 : 61) {
      const std::string reply = f.RestoreValue("copy", RdbCodeOf(payload), value.substr(0, cut), 12);
      if (reply != RdbFixture::kBadData) FAIL("cut at " << cut << ": " << reply);
    }
  }
}

TEST_CASE("rdb values: a value with flipped bits is refused, or a valid value") {
  RdbFixture f;
  f.options.rdb.compression = GENERATE(true, false);
  f.FillAllEncodings();
  const uint64_t seed = Catch::rngSeed();
  CAPTURE(seed);
  Random random(seed);
  size_t accepted = 0;
  for (const std::string& key : RdbFixture::AllEncodings()) {
    CAPTURE(key);
    const std::string payload = f.Dump(key);
    for (int round = 0; round < 300; ++round) {
      std::string value = RdbValueOf(payload);
      if (value.empty()) break;
      for (uint64_t flips = 1 + random.Below(3); flips > 0; --flips) {
        // Half of them near the beginning, where the structure is.
        const size_t range = random.Below(2) == 0 ? std::min<size_t>(value.size(), 40) : value.size();
        value[random.Below(range)] ^= static_cast<char>(1 << random.Below(8));
      }
      const std::string reply = f.RestoreValue("copy", RdbCodeOf(payload), value, 12);
      if (reply != RdbFixture::kOk) {
        REQUIRE(reply == RdbFixture::kBadData);
        continue;
      }
      ++accepted;
      // It is what it says: it can be read as a whole, and written and read again.
      if (f.Run("EXISTS copy") == ":0\r\n") continue;
      const std::string again = f.Dump("copy");
      REQUIRE(f.Restore("again", again) == RdbFixture::kOk);
      REQUIRE(f.Digest("again") == f.Digest("copy"));
    }
  }
  CHECK(accepted > 0);
  f.keyspace.database(0).CheckConsistency();
  f.keyspace.database(0).table().CheckConsistency();
}

}  // namespace pinyon
