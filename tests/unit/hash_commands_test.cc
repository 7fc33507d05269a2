// Commands of hashes: replies, what is propagated and notified, and that errors change nothing. Expected
// replies are those of Redis 7.0.
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

constexpr std::string_view kNull = "$-1\r\n";

using Lines = std::vector<std::string>;

class HashCommands : public CommandFixture {
 public:
  // A hash that is a table.
  void SetMany(std::string_view key, int fields) {
    std::vector<std::string> texts = {"HSET", std::string(key)};
    for (int i = 0; i < fields; ++i) {
      texts.push_back("f" + std::to_string(i));
      texts.push_back("v" + std::to_string(i));
    }
    const std::vector<std::string_view> args(texts.begin(), texts.end());
    DoAs(0, Args(args));
  }
  std::string EncodingOf(std::string_view key) {
    const std::string reply = Do({"OBJECT", "ENCODING", key});
    return reply.substr(reply.find('\n') + 1, reply.size() - reply.find('\n') - 3);
  }
};

}  // namespace

TEST_CASE_METHOD(HashCommands, "HSET counts the fields that are new", "[hash_commands]") {
  CHECK(Run("HSET h a 1 b 2") == ":2\r\n");
  CHECK(Run("HSET h a 3 c 4") == ":1\r\n");
  CHECK(Run("HSET h d 1 d 2") == ":1\r\n");
  CHECK(Run("HGET h d") == "$1\r\n2\r\n");
  CHECK(Run("HMSET h e 1 a 9") == "+OK\r\n");
  CHECK(Run("HMGET h a e x") == "*3\r\n$1\r\n9\r\n$1\r\n1\r\n$-1\r\n");
  CHECK(Run("HSET h a") == "-ERR wrong number of arguments for 'hset' command\r\n");
  CHECK(Run("HSET h a 1 b") == "-ERR wrong number of arguments for 'hset' command\r\n");
  CHECK(Run("HMSET n a 1 b") == "-ERR wrong number of arguments for 'hmset' command\r\n");
  CHECK(Run("EXISTS n") == ":0\r\n");
  CHECK(Run("TYPE h") == "+hash\r\n");
}

TEST_CASE_METHOD(HashCommands, "HSETNX sets what is not there", "[hash_commands]") {
  CHECK(Run("HSETNX h a 1") == ":1\r\n");
  CHECK(Run("HSETNX h a 2") == ":0\r\n");
  CHECK(Run("HGET h a") == "$1\r\n1\r\n");
  // A value that is not set does not change the encoding.
  CHECK(Do({"HSETNX", "h", "a", std::string(65, 'x')}) == ":0\r\n");
  CHECK(EncodingOf("h") == "listpack");
  CHECK(Do({"HSETNX", "h", "b", std::string(65, 'x')}) == ":1\r\n");
  CHECK(EncodingOf("h") == "hashtable");
}

TEST_CASE_METHOD(HashCommands, "hashes are read in every encoding", "[hash_commands]") {
  const bool large = GENERATE(false, true);
  Run("HSET h a 1 b two");
  if (large) Do({"HSET", "h", "b", std::string(70, 'x')});
  if (large) Run("HSET h b two");
  CHECK(EncodingOf("h") == (large ? "hashtable" : "listpack"));
  CHECK(Run("HGET h a") == "$1\r\n1\r\n");
  CHECK(Run("HGET h x") == kNull);
  CHECK(Run("HLEN h") == ":2\r\n");
  CHECK(Run("HSTRLEN h b") == ":3\r\n");
  CHECK(Run("HSTRLEN h a") == ":1\r\n");
  CHECK(Run("HSTRLEN h x") == ":0\r\n");
  CHECK(Run("HEXISTS h a") == ":1\r\n");
  CHECK(Run("HEXISTS h x") == ":0\r\n");
  const std::string all = Run("HGETALL h");
  CHECK((all == "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\ntwo\r\n" ||
         all == "*4\r\n$1\r\nb\r\n$3\r\ntwo\r\n$1\r\na\r\n$1\r\n1\r\n"));
  CHECK(Run("HKEYS h").size() == std::string("*2\r\n$1\r\na\r\n$1\r\nb\r\n").size());
  CHECK(Run("HVALS h").size() == std::string("*2\r\n$1\r\n1\r\n$3\r\ntwo\r\n").size());
}

TEST_CASE_METHOD(HashCommands, "a key that is not there is an empty hash", "[hash_commands]") {
  CHECK(Run("HGET n a") == kNull);
  CHECK(Run("HMGET n a b") == "*2\r\n$-1\r\n$-1\r\n");
  CHECK(Run("HGETALL n") == "*0\r\n");
  CHECK(Run("HKEYS n") == "*0\r\n");
  CHECK(Run("HVALS n") == "*0\r\n");
  CHECK(Run("HLEN n") == ":0\r\n");
  CHECK(Run("HSTRLEN n a") == ":0\r\n");
  CHECK(Run("HEXISTS n a") == ":0\r\n");
  CHECK(Run("HDEL n a") == ":0\r\n");
  CHECK(Run("HRANDFIELD n") == kNull);
  CHECK(Run("HRANDFIELD n 2") == "*0\r\n");
  CHECK(Run("HSCAN n 0 BOGUS") == "*2\r\n$1\r\n0\r\n*0\r\n");
  CHECK(Run("EXISTS n") == ":0\r\n");
}

TEST_CASE_METHOD(HashCommands, "RESP3 has maps and pairs", "[hash_commands]") {
  UseResp3();
  Run("HSET h a 1");
  CHECK(Run("HGETALL h") == "%1\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(Run("HGETALL n") == "%0\r\n");
  CHECK(Run("HKEYS h") == "*1\r\n$1\r\na\r\n");
  CHECK(Run("HGET h x") == "_\r\n");
  CHECK(Run("HRANDFIELD n") == "_\r\n");
  CHECK(Run("HRANDFIELD h 1 WITHVALUES") == "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(Run("HRANDFIELD h -2 withvalues") ==
        "*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
  CHECK(Run("HSCAN h 0") == "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n");
}

TEST_CASE_METHOD(HashCommands, "HDEL deletes the hash with its last field", "[hash_commands]") {
  Run("HSET h a 1 b 2 c 3");
  RecordEffects();
  RecordNotifications();
  CHECK(Run("HDEL h a x a") == ":1\r\n");
  CHECK(TakeNotifications() == Lines{"hdel h"});
  CHECK(Run("HDEL h x") == ":0\r\n");
  CHECK(TakeNotifications().empty());
  CHECK(Run("HDEL h b c d") == ":2\r\n");
  CHECK(TakeNotifications() == Lines{"hdel h", "del h"});
  CHECK(TakeEffects() == Lines{"SELECT 0", "HDEL h a x a", "HDEL h b c d"});
  CHECK(Run("EXISTS h") == ":0\r\n");
}

TEST_CASE_METHOD(HashCommands, "HINCRBY adds, and refuses what it cannot add to", "[hash_commands]") {
  CHECK(Run("HINCRBY h n 5") == ":5\r\n");
  CHECK(Run("HINCRBY h n -7") == ":-2\r\n");
  Run("HSET h max 9223372036854775807 text abc float 3.0");
  CHECK(Run("HINCRBY h max 1") == "-ERR increment or decrement would overflow\r\n");
  CHECK(Run("HINCRBY h text 1") == "-ERR hash value is not an integer\r\n");
  CHECK(Run("HINCRBY h float 1") == "-ERR hash value is not an integer\r\n");
  CHECK(Run("HINCRBY h n abc") == kNotInteger);
  CHECK(Run("HINCRBY none n abc") == kNotInteger);
  CHECK(Run("EXISTS none") == ":0\r\n");
  CHECK(Run("HGET h max") == "$19\r\n9223372036854775807\r\n");
  RecordEffects();
  RecordNotifications();
  Run("HINCRBY h n 1");
  CHECK(TakeEffects() == Lines{"SELECT 0", "HINCRBY h n 1"});
  CHECK(TakeNotifications() == Lines{"hincrby h"});
  CHECK(Do({"HINCRBY", "long", std::string(65, 'f'), "1"}) == ":1\r\n");
  CHECK(EncodingOf("long") == "hashtable");
}

TEST_CASE_METHOD(HashCommands, "HINCRBYFLOAT propagates its result", "[hash_commands]") {
  Run("HSET h f 3.0e1 text abc");
  RecordEffects();
  RecordNotifications();
  CHECK(Run("HINCRBYFLOAT h f 1.5") == "$4\r\n31.5\r\n");
  CHECK(Run("HINCRBYFLOAT h n 0.1") == "$3\r\n0.1\r\n");
  CHECK(TakeEffects() == Lines{"SELECT 0", "HSET h f 31.5", "HSET h n 0.1"});
  CHECK(TakeNotifications() == Lines{"hincrbyfloat h", "hincrbyfloat h"});
  CHECK(Run("HINCRBYFLOAT h f abc") == "-ERR value is not a valid float\r\n");
  CHECK(Run("HINCRBYFLOAT h f nan") == "-ERR value is not a valid float\r\n");
  CHECK(Run("HINCRBYFLOAT none f inf") == "-ERR value is NaN or Infinity\r\n");
  CHECK(Run("EXISTS none") == ":0\r\n");
  Run("HSET h text abc huge 1e4931");
  CHECK(Run("HINCRBYFLOAT h text 1") == "-ERR hash value is not a float\r\n");
  CHECK(Run("HINCRBYFLOAT h huge 1.1e4932") == "-ERR increment would produce NaN or Infinity\r\n");
  CHECK(Run("HGET h huge") == "$6\r\n1e4931\r\n");
}

TEST_CASE_METHOD(HashCommands, "HRANDFIELD replies as many fields as it is asked for", "[hash_commands]") {
  const int fields = GENERATE(4, 600);
  SetMany("h", fields);
  const std::string size = std::to_string(fields);
  CHECK(Run("HRANDFIELD h").starts_with("$"));
  CHECK(Run("HRANDFIELD h 0") == "*0\r\n");
  CHECK(Run("HRANDFIELD h 3").starts_with("*3\r\n"));
  CHECK(Run("HRANDFIELD h 3 WITHVALUES").starts_with("*6\r\n"));
  CHECK(Run("HRANDFIELD h 1000").starts_with("*" + size + "\r\n"));
  CHECK(Run("HRANDFIELD h 9223372036854775807").starts_with("*" + size + "\r\n"));
  CHECK(Run("HRANDFIELD h -1000").starts_with("*1000\r\n"));
  CHECK(Run("HRANDFIELD h -1000 WITHVALUES").starts_with("*2000\r\n"));
  CHECK(Run("HRANDFIELD h abc") == kNotInteger);
  CHECK(Run("HRANDFIELD n abc") == kNotInteger);
  CHECK(Run("HRANDFIELD h 1 BOGUS") == "-ERR syntax error\r\n");
  CHECK(Run("HRANDFIELD h 1 WITHVALUES x") == "-ERR syntax error\r\n");
  CHECK(Run("HRANDFIELD h -9223372036854775808") ==
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n");
  CHECK(Run("HRANDFIELD h -9223372036854775807 WITHVALUES") == "-ERR value is out of range\r\n");
  CHECK(Run("HRANDFIELD h 9223372036854775807 WITHVALUES") == "-ERR value is out of range\r\n");
  // A reply that no client could take.
  CHECK(Run("HRANDFIELD h -9223372036854775807") == "-ERR value is out of range\r\n");
  CHECK(Run("HRANDFIELD h -4611686018427387903 WITHVALUES") == "-ERR value is out of range\r\n");
}

TEST_CASE_METHOD(HashCommands, "HSCAN goes through all fields", "[hash_commands]") {
  Run("HSET h a 1 ab 2 b 3");
  CHECK(Run("HSCAN h 0") ==
        "*2\r\n$1\r\n0\r\n*6\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\nab\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n3\r\n");
  // A compact hash is answered at once, wherever the cursor stands and whatever COUNT says.
  CHECK(Run("HSCAN h 5 COUNT 1 MATCH a*") ==
        "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\nab\r\n$1\r\n2\r\n");
  CHECK(Run("HSCAN h 0 NOVALUES") == "*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n$2\r\nab\r\n$1\r\nb\r\n");
  CHECK(Run("HSCAN h 0 novalues COUNT 3 MATCH b") == "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n");
  CHECK(Run("HSCAN h abc") == "-ERR invalid cursor\r\n");
  CHECK(Run("HSCAN h 0 BOGUS 1") == "-ERR syntax error\r\n");
  CHECK(Run("HSCAN h 0 COUNT") == "-ERR syntax error\r\n");
  CHECK(Run("HSCAN h 0 COUNT 0") == "-ERR syntax error\r\n");
  CHECK(Run("HSCAN h 0 COUNT abc") == kNotInteger);
  CHECK(Run("HSCAN h 0 TYPE hash") == "-ERR syntax error\r\n");
  Run("SET s 1");
  CHECK(Run("HSCAN s 0 BOGUS") == kWrongType);
  CHECK(Run("HSCAN s abc") == "-ERR invalid cursor\r\n");

  SetMany("large", 1000);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const std::string reply = Do({"HSCAN", "large", cursor, "COUNT", "50", "NOVALUES"});
    const size_t start = reply.find('\n', reply.find('\n') + 1) + 1;
    const size_t end = reply.find('\r', start);
    cursor = reply.substr(start, end - start);
    for (size_t at = reply.find("\r\nf"); at != std::string::npos; at = reply.find("\r\nf", at + 1)) {
      seen.insert(reply.substr(at + 2, reply.find('\r', at + 2) - at - 2));
    }
  } while (cursor != "0");
  CHECK(seen.size() == 1000);
}

TEST_CASE_METHOD(HashCommands, "every command refuses another type and changes nothing", "[hash_commands]") {
  Run("SET s 1");
  RecordEffects();
  for (const char* line : {"HSET s a 1",
                           "HSETNX s a 1",
                           "HMSET s a 1",
                           "HGET s a",
                           "HMGET s a",
                           "HGETALL s",
                           "HKEYS s",
                           "HVALS s",
                           "HLEN s",
                           "HSTRLEN s a",
                           "HEXISTS s a",
                           "HDEL s a",
                           "HINCRBY s a 1",
                           "HINCRBYFLOAT s a 1",
                           "HRANDFIELD s",
                           "HRANDFIELD s 1",
                           "HSCAN s 0",
                           "HEXPIRE s 1 FIELDS 1 a",
                           "HTTL s FIELDS 1 a",
                           "HPERSIST s FIELDS 1 a",
                           "HGETEX s FIELDS 1 a",
                           "HSETEX s FIELDS 1 a 1",
                           "HGETDEL s FIELDS 1 a"}) {
    INFO(line);
    CHECK(Run(line) == kWrongType);
  }
  CHECK(Run("GET s") == "$1\r\n1\r\n");
  CHECK(TakeEffects().empty());
}

TEST_CASE_METHOD(HashCommands, "encodings change at the directives' sizes", "[hash_commands]") {
  SetMany("h", 512);
  CHECK(EncodingOf("h") == "listpack");
  SetMany("h", 513);
  CHECK(EncodingOf("h") == "hashtable");
  Run("HDEL h f0 f1");
  CHECK(EncodingOf("h") == "hashtable");
  // All arguments are looked at before any is set, also one that is overwritten at once.
  Do({"HSET", "o", "f", std::string(65, 'x'), "f", "1"});
  CHECK(EncodingOf("o") == "hashtable");
  options.encoding.hash_max_listpack_entries = 0;
  Run("HSET none f 1");
  CHECK(EncodingOf("none") == "hashtable");
}

TEST_CASE_METHOD(HashCommands, "what changes a hash is propagated, notified and seen by WATCH",
                 "[hash_commands]") {
  RecordEffects();
  RecordNotifications();
  Run("HSET h a 1 b 2");
  Run("HMSET h a 1");
  Run("HSETNX h c 1");
  Run("HSETNX h c 2");
  CHECK(TakeEffects() == Lines{"SELECT 0", "HSET h a 1 b 2", "HMSET h a 1", "HSETNX h c 1"});
  CHECK(TakeNotifications() == Lines{"new h", "hset h", "hset h", "hset h"});
  Run("WATCH h");
  RunAs(1, "HSET h a 5");
  Run("MULTI");
  Run("PING");
  CHECK(Run("EXEC") == "*-1\r\n");
}

TEST_CASE_METHOD(HashCommands, "hashes are copied, renamed and moved with what is in them",
                 "[hash_commands]") {
  const int fields = GENERATE(3, 600);
  SetMany("h", fields);
  const std::string size = ":" + std::to_string(fields) + "\r\n";
  Run("COPY h c");
  Run("HSET c f0 changed");
  CHECK(Run("HGET h f0") == "$2\r\nv0\r\n");
  CHECK(Run("HLEN c") == size);
  Run("RENAME h r");
  CHECK(Run("HLEN r") == size);
  Run("MOVE r 1");
  Run("SELECT 1");
  CHECK(Run("HLEN r") == size);
  CHECK(Run("HGET r f2") == "$2\r\nv2\r\n");
}

}  // namespace pinyon
