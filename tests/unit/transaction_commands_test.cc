#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"

namespace pinyon {

namespace {

using Lines = std::vector<std::string>;

const std::string kOk = "+OK\r\n";
const std::string kQueued = "+QUEUED\r\n";
const std::string kNullArray = "*-1\r\n";
const std::string kAborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";

// Whether an empty transaction of client 0 goes through.
bool ExecWorks(CommandFixture& f) {
  REQUIRE(f.Run("MULTI") == kOk);
  const std::string reply = f.Run("EXEC");
  REQUIRE((reply == "*0\r\n" || reply == kNullArray));
  return reply == "*0\r\n";
}

}  // namespace

TEST_CASE("EXEC runs what was queued", "[transaction]") {
  CommandFixture f;
  CHECK(f.Run("MULTI") == kOk);
  CHECK(f.Run("SET a 1") == kQueued);
  CHECK(f.Run("INCR a") == kQueued);
  CHECK(f.Run("GET a") == kQueued);
  CHECK(f.RunAs(1, "EXISTS a") == ":0\r\n");
  CHECK(f.Run("EXEC") == "*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
  CHECK(f.Run("GET a") == "$1\r\n2\r\n");
  CHECK(f.Run("EXEC") == "-ERR EXEC without MULTI\r\n");
}

TEST_CASE("A command that fails within EXEC stops nothing", "[transaction]") {
  CommandFixture f;
  f.Run("SET text abc");
  f.Run("MULTI");
  f.Run("INCR text");
  f.Run("SET b 1");
  f.Run("SELECT 99");
  CHECK(f.Run("EXEC") ==
        "*3\r\n-ERR value is not an integer or out of range\r\n+OK\r\n-ERR DB index is out of range\r\n");
}

TEST_CASE("A command that cannot be queued makes EXEC abort", "[transaction]") {
  CommandFixture f;
  f.Run("MULTI");
  SECTION("unknown") { f.Run("FOO"); }
  SECTION("arity") { f.Run("SET a"); }
  SECTION("unknown subcommand") { f.Run("OBJECT foo"); }
  CHECK(f.Run("SET b 1") == kQueued);
  CHECK(f.Run("EXEC") == kAborted);
  CHECK(f.Run("EXISTS b") == ":0\r\n");
  CHECK(ExecWorks(f));
}

TEST_CASE("Nested MULTI and WATCH are refused and harm nothing", "[transaction]") {
  CommandFixture f;
  f.Run("MULTI");
  CHECK(f.Run("MULTI") == "-ERR MULTI calls can not be nested\r\n");
  CHECK(f.Run("WATCH a") == "-ERR WATCH inside MULTI is not allowed\r\n");
  f.Run("SET a 1");
  CHECK(f.Run("EXEC") == "*1\r\n+OK\r\n");
}

TEST_CASE("DISCARD drops the queue and the watches", "[transaction]") {
  CommandFixture f;
  CHECK(f.Run("DISCARD") == "-ERR DISCARD without MULTI\r\n");
  f.Run("WATCH w");
  f.Run("MULTI");
  f.Run("SET a 1");
  CHECK(f.Run("DISCARD") == kOk);
  CHECK(f.engine.watches.empty());
  CHECK(f.Run("EXISTS a") == ":0\r\n");
  f.RunAs(1, "SET w 1");
  CHECK(ExecWorks(f));
}

TEST_CASE("The effects of an EXEC are one transaction", "[transaction]") {
  CommandFixture f;
  f.RecordEffects();
  f.Run("MULTI");
  f.Run("SET a 1");
  f.Run("GET a");
  f.Run("SELECT 3");
  f.Run("SET b 1");
  f.Run("EXEC");
  CHECK(f.TakeEffects() == Lines{"MULTI", "SELECT 0", "SET a 1", "SELECT 3", "SET b 1", "EXEC"});
  CHECK(f.effect_recorder.units() == 1);

  f.Run("MULTI");
  f.Run("SET a 1");
  f.Run("EXEC");
  CHECK(f.TakeEffects() == Lines{"SET a 1"});
  f.Run("MULTI");
  f.Run("GET a");
  f.Run("EXEC");
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("SELECT within EXEC holds within and after it", "[transaction]") {
  CommandFixture f;
  f.Run("MULTI");
  f.Run("SELECT 3");
  f.Run("SET a 1");
  f.Run("EXEC");
  CHECK(f.session().database == 3);
  CHECK(f.Run("EXISTS a") == ":1\r\n");
}

TEST_CASE("EXEC fails when a watched key has changed", "[transaction]") {
  CommandFixture f;
  const std::string change = GENERATE("SET k 2", "SET k 1", "DEL k", "UNLINK k", "APPEND k x", "EXPIRE k 100",
                                      "EXPIRE k 0", "RENAME k x", "RENAME other k", "COPY other k REPLACE",
                                      "MOVE k 3", "FLUSHDB", "FLUSHALL", "SWAPDB 0 4");
  f.Run("SET k 1");
  f.Run("SET other 1");
  f.Run("WATCH missing k");
  f.RunAs(1, change);
  INFO(change);
  CHECK_FALSE(ExecWorks(f));
  CHECK(f.engine.watches.empty());
  CHECK(ExecWorks(f));
}

TEST_CASE("What changes nothing does not disturb a watched key", "[transaction]") {
  CommandFixture f;
  const std::string line =
      GENERATE("GET k", "TOUCH k", "EXPIRE k 0 XX", "PERSIST k", "DEL missing", "SET k2 1",
               "RENAMENX other k", "COPY other k", "MOVE k 0", "SWAPDB 3 4", "OBJECT ENCODING k");
  f.Run("SET k 1");
  f.Run("SET other 1");
  f.Run("WATCH missing k");
  f.RunAs(1, line);
  INFO(line);
  CHECK(ExecWorks(f));
}

TEST_CASE("A watched key that was not there disturbs only when it comes", "[transaction]") {
  CommandFixture f;
  f.Run("WATCH k");
  SECTION("FLUSHALL") {
    f.RunAs(1, "SET other 1");
    f.RunAs(1, "FLUSHALL");
    CHECK(ExecWorks(f));
  }
  SECTION("SWAPDB with a database that has it") {
    f.RunAs(1, "SELECT 1");
    f.RunAs(1, "SET k 1");
    f.RunAs(1, "SWAPDB 0 1");
    CHECK_FALSE(ExecWorks(f));
  }
  SECTION("the same key of another database") {
    f.RunAs(1, "SELECT 1");
    f.RunAs(1, "SET k 1");
    CHECK(ExecWorks(f));
  }
}

TEST_CASE("A watched key that expires has changed", "[transaction]") {
  CommandFixture f;
  f.Run("SET k v PX 10");
  f.Run("WATCH k");
  f.Advance(11);
  SECTION("unnoticed") {}
  SECTION("noticed") { f.RunAs(1, "GET k"); }
  CHECK_FALSE(ExecWorks(f));
}

TEST_CASE("A key that had expired before WATCH may be deleted", "[transaction]") {
  CommandFixture f;
  f.Run("SET k v PX 10");
  f.Advance(11);
  f.Run("WATCH k");
  SECTION("unnoticed") { CHECK(ExecWorks(f)); }
  SECTION("by a reader") {
    f.RunAs(1, "GET k");
    CHECK(ExecWorks(f));
  }
  SECTION("by a flush") {
    f.RunAs(1, "FLUSHALL");
    CHECK(ExecWorks(f));
  }
  SECTION("but not written") {
    f.RunAs(1, "SET k v");
    CHECK_FALSE(ExecWorks(f));
  }
}

TEST_CASE("UNWATCH forgets, unless it is queued", "[transaction]") {
  CommandFixture f;
  f.Run("WATCH k");
  f.RunAs(1, "SET k 1");
  CHECK(f.Run("UNWATCH") == kOk);
  CHECK(ExecWorks(f));

  f.Run("WATCH k");
  f.RunAs(1, "SET k 2");
  f.Run("MULTI");
  CHECK(f.Run("UNWATCH") == kQueued);
  CHECK(f.Run("EXEC") == kNullArray);
}

TEST_CASE("WATCH again does not undo a change", "[transaction]") {
  CommandFixture f;
  f.Run("WATCH k");
  f.Run("SET k 1");
  f.Run("WATCH k");
  CHECK_FALSE(ExecWorks(f));
}

TEST_CASE("An error while queueing counts more than a changed key", "[transaction]") {
  CommandFixture f;
  f.Run("WATCH k");
  f.RunAs(1, "SET k 1");
  f.Run("MULTI");
  f.Run("SET a");
  CHECK(f.Run("EXEC") == kAborted);
}

TEST_CASE("A refused EXEC ends the transaction", "[transaction]") {
  CommandFixture f;
  const std::string refused =
      "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
  CHECK(f.Run("EXEC foo") == refused);
  f.Run("MULTI");
  f.Run("SET a 1");
  CHECK(f.Run("EXEC foo") == refused);
  CHECK(f.Run("EXEC") == "-ERR EXEC without MULTI\r\n");
  CHECK(f.Run("EXISTS a") == ":0\r\n");
}

TEST_CASE("The null of a failed EXEC in RESP3", "[transaction]") {
  CommandFixture f;
  f.UseResp3();
  f.Run("WATCH k");
  f.RunAs(1, "SET k 1");
  f.Run("MULTI");
  CHECK(f.Run("EXEC") == "_\r\n");
}

TEST_CASE("A client that goes leaves no watches behind", "[transaction]") {
  CommandFixture f;
  f.RunAs(1, "WATCH a b c");
  CHECK(f.engine.watches.size() == 3);
  f.Disconnect(1);
  CHECK(f.engine.watches.empty());
  f.Run("SET a 1");
}

}  // namespace pinyon
