// MIGRATE with a target of the test's own: what is sent, what is made of the replies, and what is left here.
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "engine/key_transfer.h"

namespace pinyon {

namespace {

using Result = TransferLink::Result;

// A line that is read, or what happens instead of one.
struct Line {
  Line(const char* in_text) : text(in_text) {}
  Line(Result in_result) : result(in_result) {}
  std::string text;
  Result result = Result::kDone;
};

class FakeTransfer final : public KeyTransfer {
 public:
  TransferLink* Open(std::string_view host, std::string_view port, int timeout_ms) override {
    asked.push_back(std::string(host) + ":" + std::string(port) + " " + std::to_string(timeout_ms));
    if (unreachable) return nullptr;
    if (link == nullptr) {
      link = std::make_unique<Link>(*this);
      ++opened;
    }
    return link.get();
  }
  void Close(TransferLink& closed) override {
    CHECK(&closed == link.get());
    link.reset();
  }

  // Commands that were sent, the payloads of RESTORE left out.
  std::vector<std::string> TakeSent() {
    std::vector<std::string> commands = recorder.Take();
    for (std::string& command : commands) {
      if (!command.starts_with("RESTORE ")) continue;
      const size_t payload = command.find(' ', command.find(' ', 8) + 1);
      const bool replaces = command.ends_with(" REPLACE");
      command.resize(payload);
      if (replaces) command += " REPLACE";
    }
    return commands;
  }

  std::deque<Line> lines;
  std::vector<std::string> asked;
  bool unreachable = false;
  Result send_result = Result::kDone;
  int opened = 0;
  EffectRecorder recorder;

 private:
  class Link final : public TransferLink {
   public:
    explicit Link(FakeTransfer& owner) : owner_(owner) {}
    Result Send(std::string_view bytes, int) override {
      owner_.recorder.Append(bytes);
      return owner_.send_result;
    }
    Result ReadLine(std::string* line, int) override {
      if (owner_.lines.empty()) return Result::kTimedOut;
      const Line next = owner_.lines.front();
      owner_.lines.pop_front();
      *line = next.text;
      return next.result;
    }

   private:
    FakeTransfer& owner_;
  };

  std::unique_ptr<Link> link;
};

class MigrateFixture : public CommandFixture {
 public:
  MigrateFixture() {
    engine.transfer = &target;
    RecordEffects();
    Run("MSET a 1 b 2 c 3");
    TakeEffects();
    RecordNotifications(kNotifyGeneric);
  }
  using Lines = std::deque<Line>;
  // MIGRATE h 1 <rest>
  std::string Migrate(std::string_view rest, Lines lines = {"+OK", "+OK"}) {
    target.lines = std::move(lines);
    std::vector<std::string> words = {"MIGRATE", "h", "1"};
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(' '), rest.size());
      words.emplace_back(rest.substr(0, end) == "\"\"" ? "" : rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const std::vector<std::string_view> args(words.begin(), words.end());
    return DoAs(0, Args(args));
  }
  std::string Left() { return Run("EXISTS a") + Run("EXISTS b") + Run("EXISTS c"); }

  FakeTransfer target;
};

using Strings = std::vector<std::string>;

const std::string kAllLeft = ":1\r\n:1\r\n:1\r\n";
const std::string kWritingFailed = "-IOERR error or timeout writing to target instance\r\n";
const std::string kReadingFailed = "-IOERR error or timeout reading to target instance\r\n";

std::string TargetError(const std::string& error) {
  return "-ERR Target instance replied with error: " + error + "\r\n";
}

}  // namespace

TEST_CASE("A key goes and is deleted", "[migrate]") {
  MigrateFixture f;
  f.Run("PEXPIRE a 5000");
  f.Advance(1000);
  f.TakeEffects();
  f.TakeNotifications();
  CHECK(f.Migrate("a 0 500") == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"SELECT 0", "RESTORE a 4000"});
  CHECK(f.target.asked == Strings{"h:1 500"});
  CHECK(f.Left() == ":0\r\n:1\r\n:1\r\n");
  CHECK(f.TakeEffects() == Strings{"DEL a"});
  CHECK(f.TakeNotifications() == Strings{"del a"});
  // The connection is kept, and its database.
  CHECK(f.Migrate("b 0 0 REPLACE", {"+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"RESTORE b 0 REPLACE"});
  CHECK(f.target.asked.back() == "h:1 1000");
  CHECK(f.Migrate("c 7 -1", {"+OK", "+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"SELECT 7", "RESTORE c 0"});
  CHECK(f.target.opened == 1);
}

TEST_CASE("A copy stays", "[migrate]") {
  MigrateFixture f;
  CHECK(f.Migrate("a 0 500 COPY") == "+OK\r\n");
  CHECK(f.Left() == kAllLeft);
  CHECK(f.TakeEffects().empty());
  CHECK(f.TakeNotifications().empty());
}

TEST_CASE("What is not there, or expired, does not go", "[migrate]") {
  MigrateFixture f;
  CHECK(f.Migrate("nokey 0 500") == "+NOKEY\r\n");
  CHECK(f.Migrate("\"\" 0 500 KEYS") == "+NOKEY\r\n");
  CHECK(f.Migrate("\"\" 0 500 KEYS x y") == "+NOKEY\r\n");
  CHECK(f.target.asked.empty());
  f.Run("PEXPIRE a 10");
  f.Advance(20);
  f.TakeEffects();
  CHECK(f.Migrate("\"\" 0 500 KEYS a b x", {"+OK", "+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"SELECT 0", "RESTORE b 0"});
  CHECK(f.TakeEffects() == Strings{"MULTI", "DEL a", "DEL b", "EXEC"});
  // A key with an empty name is one like others.
  f.Do({"SET", "", "x"});
  CHECK(f.Migrate("\"\" 0 500", {"+OK"}) == "+OK\r\n");
  CHECK(f.Do({"EXISTS", ""}) == ":0\r\n");
}

TEST_CASE("Only keys that were acknowledged are deleted", "[migrate]") {
  MigrateFixture f;
  SECTION("others failed: the first error is told") {
    CHECK(f.Migrate("\"\" 0 500 KEYS a b c", {"+OK", "-ERR one", "+OK", "-WRONG two"}) ==
          TargetError("ERR one"));
    CHECK(f.Left() == ":1\r\n:0\r\n:1\r\n");
    CHECK(f.TakeEffects() == Strings{"DEL b"});
    // Behind an error the database is selected again.
    f.target.TakeSent();
    f.Migrate("a 0 500");
    CHECK(f.target.TakeSent() == Strings{"SELECT 0", "RESTORE a 0"});
    CHECK(f.target.opened == 1);
  }
  SECTION("the other side fell silent, or away") {
    const Result end = GENERATE(Result::kTimedOut, Result::kBroken);
    CHECK(f.Migrate("\"\" 0 500 KEYS a b c", {"+OK", "+OK", Line(end)}) == kReadingFailed);
    CHECK(f.Left() == ":0\r\n:1\r\n:1\r\n");
    CHECK(f.TakeEffects() == Strings{"DEL a"});
    CHECK(f.target.opened == 1);
    f.Migrate("b 0 500");
    CHECK(f.target.opened == 2);
  }
  SECTION("it was refused before") {
    CHECK(f.Migrate("a 0 500 AUTH pw", {"-ERR no", "-ERR nor this", "+OK"}) == TargetError("ERR no"));
    CHECK(f.Migrate("a 99 500", {"-ERR no such database", "+OK"}) == TargetError("ERR no such database"));
    CHECK(f.Left() == kAllLeft);
  }
  SECTION("it is no server that we understand") {
    CHECK(f.Migrate("a 0 500", {"HTTP/1.1 400 Bad Request", "+OK"}) == kReadingFailed);
    CHECK(f.Migrate("a 0 500", {"+OK", "$2"}) == kReadingFailed);
    CHECK(f.Left() == kAllLeft);
  }
  SECTION("named twice") {
    CHECK(f.Migrate("\"\" 0 500 REPLACE KEYS a a", {"+OK", "+OK", "+OK"}) == "+OK\r\n");
    CHECK(f.TakeEffects() == Strings{"DEL a"});
  }
}

TEST_CASE("A connection that was closed is made again, once", "[migrate]") {
  MigrateFixture f;
  SECTION("before anything was read") {
    CHECK(f.Migrate("a 0 500", {Result::kBroken, "+OK", "+OK"}) == "+OK\r\n");
    CHECK(f.target.opened == 2);
    CHECK(f.Migrate("b 0 500", {Result::kBroken, Result::kBroken, "+OK"}) == kReadingFailed);
    CHECK(f.target.opened == 3);
  }
  SECTION("not after a timeout") {
    CHECK(f.Migrate("a 0 500", {Result::kTimedOut, "+OK", "+OK"}) == kReadingFailed);
    CHECK(f.target.opened == 1);
  }
  SECTION("while writing") {
    f.target.send_result = Result::kBroken;
    CHECK(f.Migrate("a 0 500") == kWritingFailed);
    CHECK(f.target.opened == 2);
    f.target.send_result = Result::kTimedOut;
    CHECK(f.Migrate("a 0 500") == kWritingFailed);
    CHECK(f.target.opened == 3);
  }
  SECTION("not when nobody is there") {
    f.target.unreachable = true;
    CHECK(f.Migrate("a 0 500") == "-IOERR error or timeout connecting to the client\r\n");
    CHECK(f.target.asked.size() == 1);
    CHECK(f.Left() == kAllLeft);
  }
}

TEST_CASE("Passwords go first", "[migrate]") {
  MigrateFixture f;
  CHECK(f.Migrate("a 0 500 AUTH pw COPY", {"+OK", "+OK", "+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"AUTH pw", "SELECT 0", "RESTORE a 0"});
  CHECK(f.Migrate("a 0 500 COPY AUTH2 me pw REPLACE", {"+OK", "+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"AUTH me pw", "RESTORE a 0 REPLACE"});
  CHECK(f.Migrate("\"\" 0 500 auth KEYS keys b", {"+OK", "+OK"}) == "+OK\r\n");
  CHECK(f.target.TakeSent() == Strings{"AUTH KEYS", "RESTORE b 0"});
}

TEST_CASE("MIGRATE refuses what it does not understand", "[migrate]") {
  MigrateFixture f;
  CHECK(f.Migrate("a 0") == "-ERR wrong number of arguments for 'migrate' command\r\n");
  CHECK(f.Migrate("a 0 500 BAD") == "-ERR syntax error\r\n");
  CHECK(f.Migrate("a 0 500 AUTH") == "-ERR syntax error\r\n");
  CHECK(f.Migrate("a 0 500 AUTH2 u") == "-ERR syntax error\r\n");
  CHECK(f.Migrate("a x 500") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Migrate("a 0 x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Migrate("a 0 500 KEYS a") ==
        "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string\r\n");
  CHECK(f.target.asked.empty());
}

TEST_CASE("The keys of MIGRATE are found", "[migrate]") {
  MigrateFixture f;
  CHECK(f.Run("COMMAND GETKEYS MIGRATE h 1 k 0 9") == "*1\r\n$1\r\nk\r\n");
  CHECK(f.Do({"COMMAND", "GETKEYS", "MIGRATE", "h", "1", "", "0", "9", "AUTH2", "keys", "x", "KEYS", "a",
              "b"}) == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  CHECK(f.Run("COMMAND GETKEYS MIGRATE h 1 k 0 9 KEYS a") ==
        "-ERR Invalid arguments specified for command\r\n");
}

TEST_CASE("MIGRATE takes part in a transaction, and touches what is watched", "[migrate]") {
  MigrateFixture f;
  f.RunAs(1, "WATCH b");
  f.RunAs(1, "MULTI");
  f.Run("MULTI");
  f.Run("MIGRATE h 1 b 0 500");
  f.Run("INCR a");
  f.target.lines = {"+OK", "+OK"};
  CHECK(f.Run("EXEC") == "*2\r\n+OK\r\n:2\r\n");
  CHECK(f.TakeEffects() == Strings{"MULTI", "DEL b", "INCR a", "EXEC"});
  CHECK(f.RunAs(1, "EXEC") == "*-1\r\n");
}

}  // namespace pinyon
