// CL.THROTTLE and TB.*, without a server: replies, errors that change nothing, effects, notifications.
// (tests/integration/rate_limit_test.cc has those who wait.)
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "ratelimit/bucket_state.h"

namespace pinyon {

namespace {

std::string Integers(std::initializer_list<int64_t> values) {
  std::string text = "*" + std::to_string(values.size()) + "\r\n";
  for (const int64_t value : values) text += ":" + std::to_string(value) + "\r\n";
  return text;
}

// What TB.TAKE and TB.PEEK reply for one bucket.
std::string Granted(int64_t tokens, int64_t full_ms) {
  return "*5\r\n:1\r\n:0\r\n$-1\r\n:" + std::to_string(tokens) + "\r\n:" + std::to_string(full_ms) + "\r\n";
}
std::string Refused(int64_t wait_ms, const std::string& key, int64_t tokens, int64_t full_ms) {
  return "*5\r\n:0\r\n:" + std::to_string(wait_ms) + "\r\n$" + std::to_string(key.size()) + "\r\n" + key +
         "\r\n:" + std::to_string(tokens) + "\r\n:" + std::to_string(full_ms) + "\r\n";
}

}  // namespace

TEST_CASE("CL.THROTTLE replies as redis-cell documents it", "[ratelimit]") {
  CommandFixture f;
  // The example of its README: 15 more than one at once, 30 a minute.
  CHECK(f.Run("CL.THROTTLE user123 15 30 60") == Integers({0, 16, 15, -1, 2}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 1") == Integers({0, 16, 14, -1, 4}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 0") == Integers({0, 16, 14, -1, 4}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 14") == Integers({0, 16, 0, -1, 32}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 0") == Integers({0, 16, 0, -1, 32}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60") == Integers({1, 16, 0, 2, 32}));
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 3") == Integers({1, 16, 0, 6, 32}));
  // More than there can ever be.
  CHECK(f.Run("CL.THROTTLE user123 15 30 60 17") == Integers({1, 16, 0, -1, 32}));
  // Its end-to-end test: one every two seconds.
  CHECK(f.Run("CL.THROTTLE one 0 1 2 1") == Integers({0, 1, 0, -1, 2}));
  CHECK(f.Run("CL.THROTTLE one 0 1 2 1") == Integers({1, 1, 0, 2, 2}));
  f.Advance(2000);
  CHECK(f.Run("CL.THROTTLE one 0 1 2 1") == Integers({0, 1, 0, -1, 2}));
  // The reports of its users: seconds are rounded up.
  CHECK(f.Run("CL.THROTTLE somekey 0 3 60 1") == Integers({0, 1, 0, -1, 20}));
  f.Advance(100);
  CHECK(f.Run("CL.THROTTLE somekey 0 3 60 1") == Integers({1, 1, 0, 20, 20}));
  f.Advance(1000);
  CHECK(f.Run("CL.THROTTLE somekey 0 3 60 1") == Integers({1, 1, 0, 19, 19}));
  // More than a thousand a second, which its own arithmetic refuses.
  CHECK(f.Run("CL.THROTTLE fast 20 1500 1 1") == Integers({0, 21, 20, -1, 1}));
  CHECK(f.Run("CL.THROTTLE faster 6000 6000 1 6001") == Integers({0, 6001, 0, -1, 2}));
}

TEST_CASE("CL.THROTTLE refuses what is no rate", "[ratelimit]") {
  CommandFixture f;
  const std::string zero = "-ERR zero rates are not supported\r\n";
  const std::string range = "-ERR value is out of range\r\n";
  CHECK(f.Run("CL.THROTTLE k 1 0 60") == zero);
  CHECK(f.Run("CL.THROTTLE k 1 30 0") == zero);
  CHECK(f.Run("CL.THROTTLE k 1 -1 60") == zero);
  CHECK(f.Run("CL.THROTTLE k -1 1 1") == range);
  CHECK(f.Run("CL.THROTTLE k 1 1 1 -1") == range);
  CHECK(f.Run("CL.THROTTLE k 281474976710655 1 1") == range);
  CHECK(f.Run("CL.THROTTLE k 9223372036854775807 1 1") == range);
  CHECK(f.Run("CL.THROTTLE k 1 1 9223372036854775807") == range);
  CHECK(f.Run("CL.THROTTLE k 281474976710654 1 1099511627") ==
        "-ERR invalid bucket: it would take more than 2000 years to fill\r\n");
  CHECK(f.Run("CL.THROTTLE k one 1 1") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("CL.THROTTLE k 1 1 1 x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("CL.THROTTLE k 1 1") == "-ERR wrong number of arguments for 'cl.throttle' command\r\n");
  CHECK(f.Run("CL.THROTTLE k 1 1 1 1 1") == "-ERR wrong number of arguments for 'cl.throttle' command\r\n");
  CHECK(f.Run("DBSIZE") == ":0\r\n");
}

TEST_CASE("TB.TAKE takes, refuses, and says how long until it would not", "[ratelimit]") {
  CommandFixture f;
  CHECK(f.Run("TB.TAKE k 5 2 1000 3") == Granted(2, 1500));
  CHECK(f.Run("TB.TAKE k 5 2 1000 3") == Refused(500, "k", 2, 1500));
  CHECK(f.Run("TB.PEEK k 5 2 1000 3") == Refused(500, "k", 2, 1500));
  CHECK(f.Run("TB.PEEK k 5 2 1000 2") == Granted(2, 1500));
  f.Advance(499);
  CHECK(f.Run("TB.TAKE k 5 2 1000 3") == Refused(1, "k", 2, 1001));
  f.Advance(1);
  CHECK(f.Run("TB.TAKE k 5 2 1000 3") == Granted(0, 2500));
  CHECK(f.Run("PTTL k") == ":2500\r\n");
  f.Advance(2501);
  CHECK(f.Run("EXISTS k") == ":0\r\n");
  CHECK(f.Run("TB.TAKE k 5 2 1000 5") == Granted(0, 2500));
}

TEST_CASE("Several buckets pay together or not at all", "[ratelimit]") {
  CommandFixture f;
  CHECK(f.Run("TB.TAKE user 10 10 1000 1 address 3 1 1000 1 all 100 50 1000 1") ==
        "*9\r\n:1\r\n:0\r\n$-1\r\n:9\r\n:100\r\n:2\r\n:1000\r\n:99\r\n:20\r\n");
  CHECK(f.Run("TB.TAKE address 3 1 1000 2").starts_with("*5\r\n:1\r\n"));
  f.RecordEffects();
  CHECK(f.Run("TB.TAKE user 10 10 1000 1 address 3 1 1000 1 all 100 50 1000 1") ==
        "*9\r\n:0\r\n:1000\r\n$7\r\naddress\r\n:9\r\n:100\r\n:0\r\n:3000\r\n:99\r\n:20\r\n");
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("TB.PEEK user 10 10 1000 9") == Granted(9, 100));
  // The one that takes longest is named.
  CHECK(f.Run("TB.TAKE user 10 10 1000 9").starts_with("*5\r\n:1\r\n"));
  CHECK(f.Run("TB.TAKE user 10 10 1000 2 address 3 1 1000 3 all 100 50 1000 1")
            .starts_with("*9\r\n:0\r\n:3000\r\n$7\r\naddress\r\n"));
  // An error of one is an error of all.
  f.TakeEffects();
  f.Run("RPUSH list x");
  f.TakeEffects();
  CHECK(f.Run("TB.TAKE all 100 50 1000 1 list 1 1 1 1") ==
        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  CHECK(f.Run("TB.TAKE all 100 50 1000 1 other 1 1 1 2") ==
        "-ERR cost must be between 1 and the capacity\r\n");
  CHECK(f.Run("TB.TAKE all 100 50 1000 1 all 100 50 1000 1") == "-ERR the same bucket is named twice\r\n");
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("Bad input of TB.* changes nothing", "[ratelimit]") {
  CommandFixture f;
  f.RecordEffects();
  const std::string capacity = "-ERR capacity must be between 1 and 281474976710655\r\n";
  const std::string refill = "-ERR refill must be between 1 and 281474976710655\r\n";
  const std::string period = "-ERR period must be between 1 and 1099511627775 milliseconds\r\n";
  const std::string cost = "-ERR cost must be between 1 and the capacity\r\n";
  for (const std::string name : {"TB.TAKE", "TB.PEEK"}) {
    CAPTURE(name);
    CHECK(f.Run(name + " k 0 1 1 1") == capacity);
    CHECK(f.Run(name + " k -5 1 1 1") == capacity);
    CHECK(f.Run(name + " k 281474976710656 1 1 1") == capacity);
    CHECK(f.Run(name + " k 1 0 1 1") == refill);
    CHECK(f.Run(name + " k 1 -1 1 1") == refill);
    CHECK(f.Run(name + " k 1 281474976710656 1 1") == refill);
    CHECK(f.Run(name + " k 1 1 0 1") == period);
    CHECK(f.Run(name + " k 1 1 1099511627776 1") == period);
    CHECK(f.Run(name + " k 10 1 1 0") == cost);
    CHECK(f.Run(name + " k 10 1 1 -1") == cost);
    CHECK(f.Run(name + " k 10 1 1 11") == cost);
    CHECK(f.Run(name + " k 281474976710655 1 1099511627775 1") ==
          "-ERR invalid bucket: it would take more than 2000 years to fill\r\n");
    CHECK(f.Run(name + " k 99999999999999999999 1 1 1") ==
          "-ERR value is not an integer or out of range\r\n");
    CHECK(f.Run(name + " k 1 1 1.5 1") == "-ERR value is not an integer or out of range\r\n");
    CHECK(f.Run(name + " k 1 1 1 1 j").starts_with("-ERR wrong number of arguments"));
    std::string many = name;
    for (int i = 0; i < 33; ++i) many += " k" + std::to_string(i) + " 1 1 1 1";
    CHECK(f.Run(many) == "-ERR more than 32 buckets in one request\r\n");
  }
  CHECK(f.Run("TB.WAIT k 0 1 1 1 0") == capacity);
  CHECK(f.Run("TB.WAIT k 1 1 1 1 -1") == "-ERR timeout is negative\r\n");
  CHECK(f.Run("TB.WAIT k 1 1 1 1 x") == "-ERR timeout is not an integer or out of range\r\n");
  CHECK(f.Run("TB.REFUND k 0") == "-ERR tokens must be between 1 and 281474976710655\r\n");
  CHECK(f.Run("TB.REFUND k 1 j").starts_with("-ERR wrong number of arguments"));
  CHECK(f.Run("DBSIZE") == ":0\r\n");
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("What is no bucket is refused and left alone", "[ratelimit]") {
  CommandFixture f;
  const std::string bucket = GENERATE("text", "12", "01234567890123456789012345678901");
  f.Do({"SET", "k", bucket});
  f.Run("TB.TAKE full 5 1 1000 1");
  f.RecordEffects();
  const std::string error = "-WRONGTYPE Key is not a valid token bucket string value.\r\n";
  CHECK(f.Run("CL.THROTTLE k 1 1 1") == error);
  CHECK(f.Run("CL.THROTTLE k 1 1 1 0") == error);
  CHECK(f.Run("TB.TAKE full 5 1 1000 1 k 1 1 1 1") == error);
  CHECK(f.Run("TB.PEEK k 1 1 1 1") == error);
  CHECK(f.Run("TB.WAIT k 1 1 1 1 0") == error);
  CHECK(f.Run("TB.REFUND full 1 k 1") == error);
  CHECK(f.Run("TB.RESET full k") == error);
  CHECK(f.Run("TB.INFO k") == error);
  CHECK(f.Do({"GET", "k"}) == "$" + std::to_string(bucket.size()) + "\r\n" + bucket + "\r\n");
  CHECK(f.Run("TB.PEEK full 5 1 1000 1") == Granted(4, 1000));
  CHECK(f.TakeEffects().empty());
}

TEST_CASE("Refunds, resets, and what is known of a bucket", "[ratelimit]") {
  CommandFixture f;
  CHECK(f.Run("TB.INFO k") == "$-1\r\n");
  CHECK(f.Run("TB.REFUND k 1") == "*1\r\n$-1\r\n");
  f.Run("TB.TAKE k 5 2 1000 4");
  f.Advance(100);
  CHECK(f.Run("TB.INFO k") ==
        "*14\r\n$8\r\ncapacity\r\n:5\r\n$6\r\nrefill\r\n:2\r\n$6\r\nperiod\r\n:1000\r\n$6\r\ntokens\r\n:1\r\n"
        "$13\r\nnext-token-ms\r\n:400\r\n$7\r\nfull-ms\r\n:1900\r\n$7\r\nwaiting\r\n:0\r\n");
  f.UseResp3();
  CHECK(f.Run("TB.INFO k").starts_with("%7\r\n"));
  f.session().reply.set_resp3(false);
  CHECK(f.Run("TB.REFUND k 2") == Integers({3}));
  CHECK(f.Run("TB.PEEK k 5 2 1000 1") == Granted(3, 900));
  f.RecordEffects();
  CHECK(f.Run("TB.REFUND k 2 none 1") == "*2\r\n:5\r\n$-1\r\n");  // a fifth of a token more would be too much
  CHECK(f.TakeEffects() == std::vector<std::string>{"SELECT 0", "DEL k"});
  CHECK(f.Run("EXISTS k") == ":0\r\n");
  f.Run("TB.TAKE k 5 2 1000 4 j 5 2 1000 1");
  f.TakeEffects();
  CHECK(f.Run("TB.REFUND k 1 k 1") == Integers({2, 3}));
  f.TakeEffects();
  CHECK(f.Run("TB.RESET k none j k") == ":2\r\n");
  CHECK(f.TakeEffects() == std::vector<std::string>{"MULTI", "DEL k", "DEL j", "EXEC"});
  CHECK(f.Run("DBSIZE") == ":0\r\n");
}

TEST_CASE("A take propagates the state that it left, and is told as one event", "[ratelimit]") {
  CommandFixture f;
  f.RecordEffects();
  f.RecordNotifications(~uint32_t{kNotifyKeyMiss});
  f.Run("TB.TAKE k 5 2 1000 1");
  const BucketState state = {.limits = {.capacity = 5, .refill = 2, .period_ms = 1000},
                             .full_at = {.ms = CommandFixture::kStartMs + 500, .fraction = 0}};
  std::string bytes(kBucketStateBytes, '\0');
  EncodeBucketState(state, bytes.data());
  const std::string expiry = std::to_string(CommandFixture::kStartMs + 500);
  CHECK(f.TakeEffects() == std::vector<std::string>{"SELECT 0", "SET k " + bytes + " PXAT " + expiry});
  CHECK(f.TakeNotifications() == std::vector<std::string>{"new k", "tb.take k"});
  CHECK(f.Do({"GET", "k"}) == "$32\r\n" + bytes + "\r\n");
  f.Run("TB.PEEK k 5 2 1000 1");
  f.Run("TB.TAKE k 5 2 1000 5");
  f.Run("CL.THROTTLE k 4 2 1 0");
  f.Run("TB.INFO k");
  CHECK(f.TakeEffects().empty());
  CHECK(f.TakeNotifications().empty());
  f.Run("CL.THROTTLE k 4 2 1");
  f.Run("TB.REFUND k 1");
  f.Run("TB.REFUND k 1");
  f.Run("TB.TAKE k 5 2 1000 1 j 5 2 1000 1");
  f.Run("TB.RESET k");
  CHECK(f.TakeNotifications() == std::vector<std::string>{"cl.throttle k", "tb.refund k", "del k", "new k",
                                                          "tb.take k", "new j", "tb.take j", "del k"});
  // Two of a period that is no whole number of milliseconds: full in the millisecond in which it is.
  f.TakeEffects();
  f.Run("TB.TAKE odd 5 3 10 1");
  CHECK(f.TakeEffects()[0].ends_with(" PXAT " + std::to_string(CommandFixture::kStartMs + 4)));
}

TEST_CASE("Limits that have changed count at once, also for who is refused", "[ratelimit]") {
  CommandFixture f;
  f.Run("TB.TAKE k 100 100 1000 100");
  f.RecordEffects();
  CHECK(f.Run("TB.TAKE k 10 1 1000 1") == Refused(1000, "k", 0, 10'000));
  CHECK(f.TakeEffects().size() == 2);
  f.Advance(999);
  CHECK(f.Run("TB.TAKE k 10 1 1000 1") == Refused(1, "k", 0, 9'001));
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("CL.THROTTLE k 99 100 1") == Integers({0, 100, 89, -1, 1}));  // 9.001 were missing
}

TEST_CASE("A bucket that is full although it has a key is one that is full", "[ratelimit]") {
  CommandFixture f;
  f.Run("TB.TAKE k 5 1 10 1 none 1 1 1000 1");
  f.Run("PERSIST k");
  f.Advance(500);
  CHECK(f.Run("TB.PEEK k 5 1 10 5") == Granted(5, 0));
  f.RecordEffects();
  // Refused for another's sake, under other limits: there is nothing to store.
  CHECK(f.Run("TB.TAKE k 7 1 10 1 none 1 1 1000 1")
            .starts_with("*7\r\n:0\r\n:500\r\n$4\r\nnone\r\n:7\r\n:0\r\n"));
  CHECK(f.TakeEffects().empty());
  CHECK(f.Run("TB.TAKE k 7 1 10 1") == Granted(6, 10));
  CHECK(f.Run("PTTL k") == ":10\r\n");
}

TEST_CASE("A clock that goes back empties a bucket, and lets it fill again", "[ratelimit]") {
  CommandFixture f;
  f.Run("TB.TAKE k 3 1 1000 3");
  f.SetNow(CommandFixture::kStartMs - 3'600'000);
  CHECK(f.Run("TB.PEEK k 3 1 1000 1") == Refused(1000, "k", 0, 3000));
  f.RecordEffects();
  CHECK(f.Run("TB.TAKE k 3 1 1000 1") == Refused(1000, "k", 0, 3000));
  CHECK(f.TakeEffects().size() == 2);
  f.Advance(1000);
  CHECK(f.Run("TB.TAKE k 3 1 1000 1") == Granted(0, 3000));
}

TEST_CASE("TB.WAIT answers at once when it may, and in transactions", "[ratelimit]") {
  CommandFixture f;
  CHECK(f.Run("TB.WAIT k 5 1 1000 5 0") == Granted(0, 5000));
  f.Run("MULTI");
  f.Run("TB.WAIT k 5 1 1000 2 0");
  CHECK(f.Run("EXEC") == "*1\r\n" + Refused(2000, "k", 0, 5000));
  CHECK(f.engine.blocked.client_count() == 0);
  CHECK(f.engine.blocked.lines().empty());
}

TEST_CASE("COMMAND GETKEYS finds all buckets", "[ratelimit]") {
  CommandFixture f;
  const std::string two = "*2\r\n$1\r\na\r\n$1\r\nb\r\n";
  CHECK(f.Run("COMMAND GETKEYS CL.THROTTLE a 1 2 3") == "*1\r\n$1\r\na\r\n");
  CHECK(f.Run("COMMAND GETKEYS TB.TAKE a 1 2 3 1 b 1 2 3 1") == two);
  CHECK(f.Run("COMMAND GETKEYS TB.PEEK a 1 2 3 1 b 1 2 3 1") == two);
  CHECK(f.Run("COMMAND GETKEYS TB.WAIT a 1 2 3 1 b 1 2 3 1 0") == two);
  CHECK(f.Run("COMMAND GETKEYS TB.REFUND a 1 b 1") == two);
  CHECK(f.Run("COMMAND GETKEYS TB.RESET a b") == two);
  CHECK(f.Run("COMMAND GETKEYS TB.INFO a") == "*1\r\n$1\r\na\r\n");
}

}  // namespace pinyon
