#include "persist/aof_reader.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "persist_fixture.h"

namespace pinyon {
namespace {

using Status = AofReader::Status;

struct Outcome {
  AofReader::Result result;
  uint64_t whole_end = 0;
  uint64_t lines = 0;
  std::vector<std::string> units;  // "SET a 1; SET b 2"
  std::vector<std::string> annotations;
};

std::string TextOf(std::span<const LogCommand> commands) {
  std::string text;
  for (const LogCommand& command : commands) {
    if (!text.empty()) text += "; ";
    for (size_t i = 0; i < command.args.size(); ++i) {
      if (i > 0) text += ' ';
      text += command.args[i];
    }
  }
  return text;
}

Outcome ReadBytes(std::string_view bytes, uint64_t skip = 0, std::string_view refused = "\x01") {
  static const TestFolder folder;
  folder.Put("log", bytes);
  AofReader reader;
  REQUIRE_FALSE(reader.Open(FileSystem::Real(), folder.At("log")));
  if (skip > 0) reader.SkipTo(skip);
  Outcome outcome;
  outcome.result = reader.Read(
      {.unit = [&](std::span<const LogCommand> commands, uint64_t*) -> std::optional<std::string> {
         for (const LogCommand& command : commands) CHECK(bytes[command.offset] == '*');
         if (commands[0].args[0] == refused) return "not that one";
         outcome.units.push_back(TextOf(commands));
         return std::nullopt;
       },
       .annotation =
           [&](std::string_view text, uint64_t offset) {
             CHECK(bytes[offset] == '#');
             outcome.annotations.emplace_back(text);
             return text != "stop";
           },
       .progress = {}});
  outcome.whole_end = reader.whole_end();
  outcome.lines = reader.lines();
  return outcome;
}

const std::string kSelect = EncodeArgs({"SELECT", "0"});
const std::string kSetA = EncodeArgs({"SET", "a", "1"});
const std::string kMulti = EncodeArgs({"MULTI"});
const std::string kExec = EncodeArgs({"EXEC"});

TEST_CASE("commands, annotations and transactions are read in order") {
  const std::string binary("\r\n\0*1\r\n", 7);
  const std::string text = "#TS:1700000000\r\n" + kSelect + kSetA + EncodeArgs({"SET", binary, ""}) +
                           "# lf only\n" + kMulti + kSetA + "#TS:1700000001\r\n" + EncodeArgs({"DEL", "a"}) +
                           EncodeArgs({"exec"}) + kMulti + kExec + kSetA;
  const Outcome outcome = ReadBytes(text);
  CHECK(outcome.result.status == Status::kEnd);
  CHECK(outcome.whole_end == text.size());
  CHECK(outcome.units ==
        std::vector<std::string>{"SELECT 0", "SET a 1", "SET " + binary + " ", "SET a 1; DEL a", "SET a 1"});
  CHECK(outcome.annotations == std::vector<std::string>{"TS:1700000000", " lf only", "TS:1700000001"});
}

TEST_CASE("a log that was cut anywhere gives whole units and the place to cut") {
  // The ends of units, and so the places where a tail is cut.
  std::vector<std::pair<size_t, size_t>> ends = {{0, 0}};  // offset, units before it
  std::string text;
  size_t units = 0;
  const auto add = [&](const std::string& bytes, size_t count) {
    text += bytes;
    units += count;
    ends.push_back({text.size(), units});
  };
  add(kSelect, 1);
  add("#TS:1700000000\r\n", 0);
  add(kMulti + kSetA + "#TS:1700000001\r\n" + EncodeArgs({"SET", "b", "xx\r\n"}) + kExec, 1);
  add(kSetA, 1);
  add(kMulti + EncodeArgs({"DEL", "a"}) + kExec, 1);
  for (size_t size = 0; size <= text.size(); ++size) {
    CAPTURE(size);
    const Outcome outcome = ReadBytes(std::string_view(text).substr(0, size));
    auto end = ends.begin();
    while (end + 1 != ends.end() && (end + 1)->first <= size) ++end;
    const bool whole = end->first == size;
    CHECK((outcome.result.status == (whole ? Status::kEnd : Status::kTorn)));
    if (!whole) CHECK(outcome.result.offset == size);
    CHECK(outcome.whole_end == end->first);
    CHECK(outcome.units.size() == end->second);
  }
}

TEST_CASE("lines of the protocol are counted up to where reading ends") {
  CHECK(ReadBytes(kSetA + "#TS:1\r\n" + kMulti + kSetA + kExec).lines == 7 + 3 + 7 + 3);
  CHECK(ReadBytes(kSetA + EncodeArgs({"SET", "a", "\r\n\r\n"})).lines == 7 + 7);
  CHECK(ReadBytes(kSetA + "*3").lines == 7);
  CHECK(ReadBytes(kSetA + "*3\r\n").lines == 7 + 1);
  CHECK(ReadBytes(kSetA + "*3\r\n$3\r\nSE").lines == 7 + 2);
  CHECK(ReadBytes(kSetA + "*3\r\n$3\r\nSET\r\n$x").lines == 7 + 3);
  CHECK(ReadBytes(kSetA + "garbage").lines == 7);
}

TEST_CASE("reasons of torn tails") {
  CHECK(ReadBytes(kSetA + kMulti).result.reason == "the file ends between MULTI and EXEC");
  CHECK(ReadBytes(kSetA + kMulti + "*1").result.reason ==
        "the file ends in the middle of a command of a transaction");
  CHECK(ReadBytes(kSetA + "*1").result.reason == "the file ends in the middle of a command");
  CHECK(ReadBytes(kSetA + "#TS:1").result.reason == "the file ends in the middle of an annotation");
}

TEST_CASE("wrong bytes are told from a torn tail, with offset and reason") {
  const auto damaged = [&](const std::string& tail, size_t offset_in_tail, const std::string& reason) {
    const Outcome outcome = ReadBytes(kSetA + tail);
    CAPTURE(tail, outcome.result.reason);
    CHECK((outcome.result.status == Status::kDamaged));
    CHECK(outcome.result.offset == kSetA.size() + offset_in_tail);
    CHECK(outcome.result.reason == reason);
    CHECK(outcome.whole_end == kSetA.size());
    CHECK(outcome.units.size() == 1);
  };
  damaged("garbage\r\n", 0, "expected '*', found \"g\"");
  damaged(std::string(100, '\0'), 0, "expected '*', found \"\\x00\"");
  damaged("*1\r\n+4\r\nPING\r\n", 4, "expected '$', found \"+\"");
  damaged("*1\r\n$x\r\n", 4, "a length is no number (\"x\")");
  damaged("*1\r\n$-1\r\n", 4, "a length is no number (\"-\")");
  damaged("*-1\r\n", 0, "a length is no number (\"-\")");
  damaged("*0\r\n", 0, "a command without a name");
  damaged("*1\n$4\nPING\n", 0, "a length is no number (\"\\n\")");
  damaged("*1\r\r", 3, "a length does not end with CR LF");
  damaged("*1\r\n$4\r\nPINGxx", 12, "an argument of 4 bytes is not followed by CR LF");
  damaged("*1\r\n$4\r\nPING\rx", 12, "an argument of 4 bytes is not followed by CR LF");
  damaged("*3000000000\r\n", 0, "a length is beyond every limit");
  damaged("*1\r\n$4294967296\r\n", 4, "a length is beyond every limit");
  damaged("*1\r\n$99999999999999999999999\r\n", 4, "a length is beyond every limit");
  damaged(kExec, 0, "EXEC without MULTI");
  damaged(kMulti + kSetA + kMulti, kMulti.size() + kSetA.size(), "MULTI within a transaction");
  damaged(kMulti + EncodeArgs({"DISCARD"}), kMulti.size(), "DISCARD in a log");
  damaged("#" + std::string(300 * 1024, 'x'), 0, "a line of annotation has no end");
}

TEST_CASE("what is only announced is not allocated") {
  for (const std::string tail : {"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4000000000\r\nabc",
                                 "*1000000000\r\n$3\r\nSET", "*2147483647\r\n", "*1\r\n$4294967295\r\n"}) {
    const Outcome outcome = ReadBytes(kSetA + tail);
    CHECK((outcome.result.status == Status::kTorn));
    CHECK(outcome.whole_end == kSetA.size());
  }
}

TEST_CASE("large commands and transactions are read in pieces") {
  const std::string large(3 << 20, 'v');
  std::string many = "*100001\r\n$5\r\nRPUSH\r\n";
  for (int i = 0; i < 100000; ++i) many += "$9\r\nelement_x\r\n";
  std::string transaction = kMulti;
  for (int i = 0; i < 20000; ++i)
    transaction += EncodeArgs({"SET", "key:" + std::to_string(i), "some value"});
  transaction += EncodeArgs({"SET", "large", large}) + kExec;
  const std::string text = kSetA + EncodeArgs({"SET", "x", large}) + many + transaction + kSetA;
  const Outcome outcome = ReadBytes(text);
  CHECK((outcome.result.status == Status::kEnd));
  REQUIRE(outcome.units.size() == 5);
  CHECK(outcome.units[1] == "SET x " + large);
  CHECK(outcome.units[2].size() == 5 + 100000 * 10);
  CHECK(outcome.units[3].starts_with("SET key:0 some value; SET key:1 some value; "));
  CHECK(outcome.units[3].ends_with("; SET large " + large));
  CHECK(outcome.units[4] == "SET a 1");

  const Outcome torn = ReadBytes(std::string_view(text).substr(0, text.size() - kSetA.size() - 1));
  CHECK((torn.result.status == Status::kTorn));
  CHECK(torn.units.size() == 3);
  CHECK(torn.whole_end == text.size() - kSetA.size() - transaction.size());
}

TEST_CASE("an RDB file at the front is announced and skipped") {
  const TestFolder folder;
  const std::string rdb = "REDIS0009 bytes of an RDB file";
  folder.Put("log", rdb + kSetA);
  AofReader reader;
  REQUIRE_FALSE(reader.Open(FileSystem::Real(), folder.At("log")));
  CHECK(reader.HasRdbPreamble());
  folder.Put("other", "REDI");
  REQUIRE_FALSE(reader.Open(FileSystem::Real(), folder.At("other")));
  CHECK_FALSE(reader.HasRdbPreamble());

  const Outcome outcome = ReadBytes(rdb + kSetA, rdb.size());
  CHECK((outcome.result.status == Status::kEnd));
  CHECK(outcome.units == std::vector<std::string>{"SET a 1"});
  const Outcome nothing = ReadBytes(rdb, rdb.size());
  CHECK((nothing.result.status == Status::kEnd));
  CHECK(nothing.whole_end == rdb.size());
}

TEST_CASE("a receiver refuses a unit, and stops at an annotation") {
  const Outcome refused = ReadBytes(kSetA + EncodeArgs({"NOSUCH", "x"}) + kSetA, 0, "NOSUCH");
  CHECK((refused.result.status == Status::kRefused));
  CHECK(refused.result.offset == kSetA.size());
  CHECK(refused.result.reason == "not that one");
  CHECK(refused.whole_end == kSetA.size());

  const Outcome stopped = ReadBytes(kSetA + "#stop\r\n" + kSetA);
  CHECK((stopped.result.status == Status::kEnd));
  CHECK(stopped.whole_end == kSetA.size());
  CHECK(stopped.units.size() == 1);
}

TEST_CASE("flipped bytes give a clear end, never more units than the log has") {
  const std::string text = kSelect + kSetA + "#TS:1700000000\r\n" + kMulti + kSetA + kSetA + kExec + kSetA;
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char flip : {'\x01', '\x10', '\x40', '\x7f'}) {
      std::string bytes = text;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      const Outcome outcome = ReadBytes(bytes);
      CHECK(outcome.units.size() <= 8);
      CHECK(outcome.whole_end <= text.size());
      if (outcome.result.status == Status::kDamaged) CHECK_FALSE(outcome.result.reason.empty());
    }
  }
}

}  // namespace
}  // namespace pinyon
