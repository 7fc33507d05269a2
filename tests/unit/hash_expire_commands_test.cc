// Commands of fields that expire: replies as documented for Redis 7.4 and 8, what is propagated and notified,
// and that a field whose time has come is not there for anybody.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kMissing =
    "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
constexpr std::string_view kMismatch =
    "-ERR The `numfields` parameter must match the number of arguments\r\n";
constexpr std::string_view kNotPositive = "-ERR Parameter `numFields` should be greater than 0\r\n";
constexpr std::string_view kNegative = "-ERR invalid expire time, must be >= 0\r\n";

// "*2\r\n:1\r\n:-2\r\n" of {1, -2}.
std::string Integers(std::initializer_list<int64_t> values) {
  std::string text = "*" + std::to_string(values.size()) + "\r\n";
  for (const int64_t value : values) text += ":" + std::to_string(value) + "\r\n";
  return text;
}

class FieldExpiryCommands : public CommandFixture {
 public:
  FieldExpiryCommands() { Run("HSET h a 1 b 2 c 3"); }
  ~FieldExpiryCommands() {
    for (int i = 0; i < keyspace.DatabaseCount(); ++i) keyspace.database(i).CheckConsistency();
  }

  void MakeTable(std::string_view key = "h") {
    Do({"HSET", key, "large", std::string(100, 'x')});
    Do({"HDEL", key, "large"});
  }
  void Record() {
    RecordEffects();
    RecordNotifications();
  }
};

}  // namespace

TEST_CASE_METHOD(FieldExpiryCommands, "HEXPIRE and its kin set when fields expire",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  CHECK(Run("HEXPIRE h 10 FIELDS 2 a x") == Integers({1, -2}));
  CHECK(Run("HPEXPIRE h 1500 FIELDS 1 b") == Integers({1}));
  CHECK(Run("HTTL h FIELDS 4 a b c x") == Integers({10, 2, -1, -2}));
  CHECK(Run("HPTTL h FIELDS 2 a b") == Integers({10'000, 1500}));
  CHECK(Run("HEXPIRETIME h FIELDS 3 a c x") == Integers({kStartMs / 1000 + 10, -1, -2}));
  CHECK(Run("HPEXPIRETIME h FIELDS 2 a b") == Integers({kStartMs + 10'000, kStartMs + 1500}));
  CHECK(Run("HEXPIREAT h 1800000000 FIELDS 1 c") == Integers({1}));
  CHECK(Run("HPEXPIRETIME h FIELDS 1 c") == Integers({1'800'000'000'000}));
  CHECK(Run("HPEXPIREAT h 1800000000001 fields 1 c") == Integers({1}));
  CHECK(Run("HPEXPIRETIME h FIELDS 1 c") == Integers({1'800'000'000'001}));
  CHECK(Run("HEXPIRE n 10 FIELDS 2 a b") == Integers({-2, -2}));
  CHECK(Run("HTTL n FIELDS 1 a") == Integers({-2}));
  CHECK(Run("HPERSIST n FIELDS 1 a") == Integers({-2}));
  CHECK(Run("HPERSIST h FIELDS 3 a a x") == Integers({1, -1, -2}));
  CHECK(Run("HTTL h FIELDS 1 a") == Integers({-1}));
  CHECK(Run("EXISTS n") == ":0\r\n");
}

TEST_CASE_METHOD(FieldExpiryCommands, "conditions compare with the expiry that is there",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  CHECK(Run("HEXPIRE h 100 XX FIELDS 1 a") == Integers({0}));
  CHECK(Run("HEXPIRE h 100 GT FIELDS 1 a") == Integers({0}));
  CHECK(Run("HEXPIRE h 100 NX FIELDS 1 a") == Integers({1}));
  CHECK(Run("HEXPIRE h 200 nx FIELDS 2 a b") == Integers({0, 1}));
  CHECK(Run("HEXPIRE h 100 GT FIELDS 1 a") == Integers({0}));
  CHECK(Run("HEXPIRE h 101 GT FIELDS 1 a") == Integers({1}));
  CHECK(Run("HEXPIRE h 101 LT FIELDS 1 a") == Integers({0}));
  CHECK(Run("HEXPIRE h 50 LT FIELDS 2 a c") == Integers({1, 1}));
  CHECK(Run("HEXPIRE h 70 XX FIELDS 1 a") == Integers({1}));
  CHECK(Run("HTTL h FIELDS 3 a b c") == Integers({70, 200, 50}));
  // Conditions come before the deletion of a field whose time has passed.
  CHECK(Run("HEXPIRE h 0 NX FIELDS 1 a") == Integers({0}));
  CHECK(Run("HEXPIRE h 0 LT FIELDS 1 a") == Integers({2}));
}

TEST_CASE_METHOD(FieldExpiryCommands, "arguments out of place are refused", "[hash_expire_commands]") {
  Record();
  CHECK(Run("HEXPIRE h 10 a FIELDS 1 a") == kMissing);
  CHECK(Run("HEXPIRE h 10 NX GT FIELDS 1 a") == kMissing);
  CHECK(Run("HEXPIRE h 10 FIELDS 1 a b") == kMismatch);
  CHECK(Run("HEXPIRE h 10 FIELDS 3 a b") == kMismatch);
  CHECK(Run("HEXPIRE h 10 NX FIELDS 1") == kMismatch);
  CHECK(Run("HEXPIRE h 10 FIELDS 0 a") == kNotPositive);
  CHECK(Run("HEXPIRE h 10 FIELDS -1 a") == kNotPositive);
  CHECK(Run("HEXPIRE h 10 FIELDS 9223372036854775807 a") == kMismatch);
  CHECK(Run("HEXPIRE h 10 FIELDS abc a") == kNotInteger);
  CHECK(Run("HEXPIRE h abc FIELDS 1 a") == kNotInteger);
  CHECK(Run("HEXPIRE h -1 FIELDS 1 a") == kNegative);
  CHECK(Run("HPEXPIREAT h -1 FIELDS 1 a") == kNegative);
  CHECK(Run("HEXPIRE h 9223372036854775807 FIELDS 1 a") ==
        "-ERR invalid expire time in 'hexpire' command\r\n");
  CHECK(Run("HPEXPIRE h 9223372036854775807 FIELDS 1 a") ==
        "-ERR invalid expire time in 'hpexpire' command\r\n");
  CHECK(Run("HEXPIREAT h 9223372036854775807 FIELDS 1 a") ==
        "-ERR invalid expire time in 'hexpireat' command\r\n");
  CHECK(Run("HPEXPIREAT h 70368744177664 FIELDS 1 a") ==
        "-ERR invalid expire time in 'hpexpireat' command\r\n");
  CHECK(Run("HTTL h a 1 b") == kMissing);
  CHECK(Run("HTTL h FIELDS 0 b") == kNotPositive);
  CHECK(Run("HTTL h FIELDS 2 b") == kMismatch);
  CHECK(Run("HPERSIST h FIELDS 2 b") == kMismatch);
  CHECK(Run("HGETDEL h FIELDS 0 b") == "-ERR Number of fields must be a positive integer\r\n");
  CHECK(Run("HGETDEL h FIELDS 2 b") == kMismatch);
  CHECK(Run("HGETDEL h a 2 b") == kMissing);
  CHECK(Run("HGETEX h FIELDS 0 b") == "-ERR invalid number of fields\r\n");
  CHECK(Run("HGETEX h EX 10 PX 10 FIELDS 1 b") ==
        "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n");
  CHECK(Run("HGETEX h KEEPTTL FIELDS 1 b") == "-ERR unknown argument: KEEPTTL\r\n");
  CHECK(Run("HGETEX h FNX FIELDS 1 b") == "-ERR unknown argument: FNX\r\n");
  CHECK(Run("HGETEX h EX abc FIELDS 1 b") == kNotInteger);
  CHECK(Run("HGETEX h EX -1 FIELDS 1 b") == kNegative);
  CHECK(Run("HGETEX h PERSIST b b b") == "-ERR unknown argument: b\r\n");
  CHECK(Run("HSETEX h EX 10 KEEPTTL FIELDS 1 b 1") ==
        "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n");
  CHECK(Run("HSETEX h FNX FXX FIELDS 1 b 1") == "-ERR Only one of FXX or FNX arguments can be specified\r\n");
  CHECK(Run("HSETEX h PERSIST FIELDS 1 b 1") == "-ERR unknown argument: PERSIST\r\n");
  CHECK(Run("HSETEX h FIELDS 1 b 1 x") == kMismatch);
  CHECK(Run("HSETEX h FIELDS 2 b 1 x") == kMismatch);
  CHECK(Run("HSETEX h FIELDS 9223372036854775807 b 1") == kMismatch);
  CHECK(Run("HSETEX h EX 9223372036854775807 FIELDS 1 b 1") ==
        "-ERR invalid expire time in 'hsetex' command\r\n");
  CHECK(Run("HGETALL h") == "*6\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n");
  CHECK(TakeEffects().empty());
  CHECK(TakeNotifications().empty());
  CHECK(keyspace.database(0).hashes_expiring() == 0);
}

TEST_CASE_METHOD(FieldExpiryCommands, "a time that has passed deletes", "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Record();
  CHECK(Run("HEXPIRE h 0 FIELDS 3 a a x") == Integers({2, -2, -2}));
  CHECK(TakeEffects() == Lines{"SELECT 0", "HDEL h a"});
  CHECK(TakeNotifications() == Lines{"hdel h"});
  CHECK(Run("HPEXPIREAT h 1000 FIELDS 2 b c") == Integers({2, 2}));
  CHECK(TakeEffects() == Lines{"HDEL h b c"});
  CHECK(TakeNotifications() == Lines{"hdel h", "del h"});
  CHECK(Run("EXISTS h") == ":0\r\n");
}

TEST_CASE_METHOD(FieldExpiryCommands, "effects have absolute times", "[hash_expire_commands]") {
  Record();
  Run("HEXPIRE h 10 FIELDS 3 a b x");
  Run("HEXPIRE h 5 GT FIELDS 2 a b");
  Run("HPERSIST h FIELDS 3 a c x");
  Run("HPERSIST h FIELDS 1 c");
  const std::string when = std::to_string(kStartMs + 10'000);
  CHECK(TakeEffects() ==
        Lines{"SELECT 0", "HPEXPIREAT h " + when + " FIELDS 2 a b", "HPERSIST h FIELDS 1 a"});
  CHECK(TakeNotifications() == Lines{"hexpire h", "hpersist h"});
}

TEST_CASE_METHOD(FieldExpiryCommands, "an expired field is not there for any command",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Run("HPEXPIRE h 100 FIELDS 1 a");
  Record();
  Advance(100);
  CHECK(Run("HGET h a") == "$1\r\n1\r\n");
  Advance(1);
  CHECK(Run("HLEN h") == ":2\r\n");
  CHECK(TakeEffects() == Lines{"SELECT 0", "HDEL h a"});
  CHECK(TakeNotifications() == Lines{"hexpired h"});
  CHECK(Run("HGET h a") == "$-1\r\n");
  CHECK(Run("HEXISTS h a") == ":0\r\n");
  CHECK(Run("HSTRLEN h a") == ":0\r\n");
  CHECK(Run("HMGET h a b") == "*2\r\n$-1\r\n$1\r\n2\r\n");
  CHECK(Run("HDEL h a") == ":0\r\n");
  CHECK(Run("HTTL h FIELDS 1 a") == Integers({-2}));
  CHECK(Run("HINCRBY h a 5") == ":5\r\n");
  CHECK(Run("HTTL h FIELDS 1 a") == Integers({-1}));
}

TEST_CASE_METHOD(FieldExpiryCommands, "the last fields take the key with them", "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Run("HPEXPIRE h 100 FIELDS 3 a b c");
  Run("SET s 1");
  Record();
  Advance(101);
  SECTION("for commands of hashes") { CHECK(Run("HLEN h") == ":0\r\n"); }
  SECTION("for commands of keys") { CHECK(Run("EXISTS h") == ":0\r\n"); }
  SECTION("for KEYS and SCAN") {
    CHECK(Run("KEYS *") == "*1\r\n$1\r\ns\r\n");
    CHECK(Run("SCAN 0") == "*2\r\n$1\r\n0\r\n*1\r\n$1\r\ns\r\n");
  }
  SECTION("for RANDOMKEY") {
    for (int i = 0; i < 20; ++i) CHECK(Run("RANDOMKEY") == "$1\r\ns\r\n");
    Run("TYPE h");
  }
  SECTION("where another value is set") { CHECK(Run("SETNX h 1") == ":1\r\n"); }
  SECTION("in the background") {
    CHECK(keyspace.database(0).ExpireFieldsDue([] { return false; }));
  }
  const Lines effects = TakeEffects();
  CHECK(std::count(effects.begin(), effects.end(), "DEL h") == 1);
  const Lines notifications = TakeNotifications();
  REQUIRE(notifications.size() >= 2);
  CHECK(notifications[0] == "hexpired h");
  CHECK(notifications[1] == "del h");
  CHECK(keyspace.stats().expired_fields == 3);
  CHECK(keyspace.database(0).hashes_expiring() == 0);
}

TEST_CASE_METHOD(FieldExpiryCommands, "setting a field removes its expiry, counting in it does not",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Run("HEXPIRE h 100 FIELDS 3 a b c");
  Run("HSET h a 5");
  CHECK(Run("HTTL h FIELDS 1 a") == Integers({-1}));
  Run("HINCRBY h b 5");
  CHECK(Run("HTTL h FIELDS 1 b") == Integers({100}));
  Record();
  Run("HINCRBYFLOAT h c 0.5");
  CHECK(Run("HTTL h FIELDS 1 c") == Integers({100}));
  CHECK(TakeEffects() == Lines{"MULTI", "SELECT 0", "HSET h c 3.5",
                               "HPEXPIREAT h " + std::to_string(kStartMs + 100'000) + " FIELDS 1 c", "EXEC"});
  Run("HDEL h b c");
  CHECK(keyspace.database(0).hashes_expiring() == 0);
}

TEST_CASE_METHOD(FieldExpiryCommands, "expiries go where their hash goes", "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Run("HEXPIRE h 100 FIELDS 1 a");
  Run("COPY h copy");
  CHECK(Run("HTTL copy FIELDS 2 a b") == Integers({100, -1}));
  Run("RENAME h renamed");
  CHECK(Run("HTTL renamed FIELDS 1 a") == Integers({100}));
  Run("MOVE renamed 1");
  Run("SWAPDB 1 2");
  RunAs(1, "SELECT 2");
  CHECK(RunAs(1, "HTTL renamed FIELDS 1 a") == Integers({100}));
  CHECK(keyspace.database(0).hashes_expiring() == 1);
  CHECK(keyspace.database(1).hashes_expiring() == 0);
  CHECK(keyspace.database(2).hashes_expiring() == 1);
  Advance(100'001);
  for (int i = 0; i < 3; ++i) CHECK(keyspace.database(i).ExpireFieldsDue([] { return false; }));
  CHECK(keyspace.stats().expired_fields == 2);
  CHECK(RunAs(1, "HLEN renamed") == ":2\r\n");
  Run("HEXPIRE copy 100 FIELDS 1 b");
  Run("FLUSHALL");
  CHECK(keyspace.database(0).hashes_expiring() == 0);
}

TEST_CASE_METHOD(FieldExpiryCommands, "HGETEX reads, and sets or removes expiries",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Record();
  CHECK(Run("HGETEX h FIELDS 2 a x") == "*2\r\n$1\r\n1\r\n$-1\r\n");
  CHECK(TakeEffects().empty());
  CHECK(Run("HGETEX h EX 10 FIELDS 2 a x") == "*2\r\n$1\r\n1\r\n$-1\r\n");
  CHECK(Run("HPTTL h FIELDS 1 a") == Integers({10'000}));
  CHECK(Run("HGETEX h PXAT " + std::to_string(kStartMs + 500) + " FIELDS 1 b") == "*1\r\n$1\r\n2\r\n");
  CHECK(Run("HPTTL h FIELDS 1 b") == Integers({500}));
  CHECK(Run("HGETEX h PERSIST FIELDS 2 a c") == "*2\r\n$1\r\n1\r\n$1\r\n3\r\n");
  CHECK(Run("HPTTL h FIELDS 1 a") == Integers({-1}));
  CHECK(TakeEffects() ==
        Lines{"SELECT 0", "HPEXPIREAT h " + std::to_string(kStartMs + 10'000) + " FIELDS 1 a",
              "HPEXPIREAT h " + std::to_string(kStartMs + 500) + " FIELDS 1 b", "HPERSIST h FIELDS 1 a"});
  CHECK(TakeNotifications() == Lines{"hexpire h", "hexpire h", "hpersist h"});
  CHECK(Run("HGETEX h EX 0 FIELDS 4 a a b c") == "*4\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n");
  CHECK(TakeEffects() == Lines{"HDEL h a b c"});
  CHECK(TakeNotifications() == Lines{"hdel h", "del h"});
  CHECK(Run("HGETEX h EX 10 FIELDS 1 a") == "*1\r\n$-1\r\n");
  CHECK(Run("EXISTS h") == ":0\r\n");
}

TEST_CASE_METHOD(FieldExpiryCommands, "HGETDEL reads and deletes", "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Record();
  CHECK(Run("HGETDEL h FIELDS 3 a x a") == "*3\r\n$1\r\n1\r\n$-1\r\n$-1\r\n");
  CHECK(Run("HGETDEL h FIELDS 1 x") == "*1\r\n$-1\r\n");
  CHECK(Run("HGETDEL h FIELDS 2 b c") == "*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
  CHECK(TakeEffects() == Lines{"SELECT 0", "HDEL h a", "HDEL h b c"});
  CHECK(TakeNotifications() == Lines{"hdel h", "hdel h", "del h"});
  CHECK(Run("HGETDEL h FIELDS 1 b") == "*1\r\n$-1\r\n");
}

TEST_CASE_METHOD(FieldExpiryCommands, "HSETEX sets fields with their expiry", "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  Record();
  CHECK(Run("HSETEX h EX 10 FIELDS 2 a 7 d 8") == ":1\r\n");
  CHECK(Run("HPTTL h FIELDS 3 a d b") == Integers({10'000, 10'000, -1}));
  CHECK(TakeEffects() == Lines{"MULTI", "SELECT 0", "HSET h a 7 d 8",
                               "HPEXPIREAT h " + std::to_string(kStartMs + 10'000) + " FIELDS 2 a d",
                               "EXEC"});
  CHECK(TakeNotifications() == Lines{"hset h", "hexpire h"});
  CHECK(Run("HSETEX h KEEPTTL FIELDS 2 a 9 b 9") == ":1\r\n");
  CHECK(Run("HPTTL h FIELDS 2 a b") == Integers({10'000, -1}));
  CHECK(TakeEffects() == Lines{"MULTI", "HSET h a 9 b 9",
                               "HPEXPIREAT h " + std::to_string(kStartMs + 10'000) + " FIELDS 1 a", "EXEC"});
  CHECK(Run("HSETEX h FIELDS 1 a 10") == ":1\r\n");
  CHECK(Run("HPTTL h FIELDS 1 a") == Integers({-1}));
  CHECK(TakeEffects() == Lines{"HSET h a 10"});

  CHECK(Run("HSETEX h FNX FIELDS 2 new 1 a 1") == ":0\r\n");
  CHECK(Run("HSETEX h FXX FIELDS 2 new 1 a 1") == ":0\r\n");
  CHECK(Run("HSETEX n FXX FIELDS 1 a 1") == ":0\r\n");
  CHECK(Run("HSETEX n XX FIELDS 1 a 1") == ":0\r\n");
  CHECK(Run("HSETEX h NX FIELDS 1 z 1") == ":0\r\n");
  CHECK(TakeEffects().empty());
  CHECK(Run("HSETEX h FNX PX 50 FIELDS 1 new 1") == ":1\r\n");
  CHECK(Run("HSETEX h PX 60 FXX FIELDS 2 new 2 a 2") == ":1\r\n");
  CHECK(Run("HPTTL h FIELDS 2 new a") == Integers({60, 60}));

  CHECK(Run("HSETEX h EXAT 1000 FIELDS 2 a 1 fresh 1") == ":1\r\n");
  CHECK(Run("HMGET h a fresh") == "*2\r\n$-1\r\n$-1\r\n");
  CHECK(Run("HSETEX n PX 0 FIELDS 1 a 1") == ":1\r\n");
  CHECK(Run("EXISTS n") == ":0\r\n");
}

TEST_CASE_METHOD(FieldExpiryCommands, "the last expiry of a field is remembered when commands repeat it",
                 "[hash_expire_commands]") {
  if (GENERATE(false, true)) MakeTable();
  for (int i = 1; i <= 5; ++i) Run("HPEXPIRE h " + std::to_string(i * 100) + " FIELDS 2 a b");
  CHECK(Run("HPTTL h FIELDS 2 a b") == Integers({500, 500}));
  CHECK(Run("HPEXPIRE h 50 FIELDS 2 b b") == Integers({1, 1}));
  Advance(51);
  CHECK(Run("HLEN h") == ":2\r\n");
  Advance(450);
  CHECK(Run("HKEYS h") == "*1\r\n$1\r\nc\r\n");
}

}  // namespace pinyon
