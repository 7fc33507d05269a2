// Waiting for keys: the engine's part, without a server.
#include "engine/blocking.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "command_fixture.h"
#include "waiting_commands.h"

namespace pinyon {

namespace {

class BlockingFixture : public CommandFixture {
 public:
  BlockingFixture() {
    commands.AddFamily(WaitingCommands());
    server.on_resumed = [this](Session& who) { resumed.push_back(who.id); };
  }
  ~BlockingFixture() {
    for (size_t client = 0; client < 2000 && engine.blocked.client_count() > 0; ++client) Disconnect(client);
    CHECK(engine.blocked.client_count() == 0);
    CHECK(engine.blocked.key_count() == 0);
    CHECK(engine.blocked.deadline_count() == 0);
  }
  // A command that has to wait.
  void Wait(size_t client, std::string_view line) {
    CHECK(RunAs(client, line).empty());
    CHECK(IsWaiting(client));
  }
  bool IsWaiting(size_t client) { return session(client).suspension != nullptr; }
  // Lets the deadlines of the next `milliseconds` pass.
  void TimeOut(int64_t milliseconds) {
    while (dispatcher.TimeOutBlocked(MonotonicUs() + milliseconds * 1000, 3)) {
    }
  }

  std::vector<uint64_t> resumed;
};

std::string Taken(const std::string& key, const std::string& value) {
  return "*2\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n$" + std::to_string(value.size()) +
         "\r\n" + value + "\r\n";
}

const std::string kNullArray = "*-1\r\n";

}  // namespace

TEST_CASE("A command that finds its key does not wait", "[blocking]") {
  BlockingFixture f;
  f.Run("SET k v");
  CHECK(f.Run("TAKE k 0") == Taken("k", "v"));
  CHECK(f.engine.blocked.client_count() == 0);
}

TEST_CASE("The one who came first is served first, by a unit of its own", "[blocking]") {
  BlockingFixture f;
  f.RecordEffects();
  f.Wait(1, "TAKE k 0");
  f.Wait(2, "TAKE k 0");
  CHECK(f.engine.blocked.client_count() == 2);
  CHECK(f.engine.blocked.key_count() == 1);
  CHECK(f.Run("SET k v") == "+OK\r\n");
  CHECK(f.Received(1) == Taken("k", "v"));
  CHECK(f.Received(2).empty());
  CHECK(f.resumed == std::vector<uint64_t>{f.session(1).id});
  CHECK(f.TakeEffects() == std::vector<std::string>{"SELECT 0", "SET k v", "DEL k"});
  CHECK(f.effect_recorder.units() == 2);
  CHECK(f.Run("EXISTS k") == ":0\r\n");
  f.Run("SET k w");
  CHECK(f.Received(2) == Taken("k", "w"));
}

TEST_CASE("A client that waits for several keys leaves all queues when one serves it", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE a b a c 0");
  CHECK(f.engine.blocked.key_count() == 3);
  f.Run("SET b v");
  CHECK(f.Received(1) == Taken("b", "v"));
  CHECK(f.engine.blocked.key_count() == 0);
  f.Run("SET a v");
  CHECK(f.Run("EXISTS a") == ":1\r\n");
}

TEST_CASE("Statistics count the call once", "[blocking]") {
  BlockingFixture f;
  const Command* take = f.commands.Find("take");
  f.Wait(1, "TAKE k 0");
  const uint64_t processed = f.engine.stats.commands_processed;
  CHECK(take->stats.calls == 1);
  f.Run("SET k v");
  CHECK(take->stats.calls == 1);
  CHECK(take->stats.failed == 0);
  CHECK(f.engine.stats.commands_processed == processed + 1);
}

TEST_CASE("Transactions serve when they are over, and from what became ready first", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE a b 0");
  f.Wait(2, "TAKE a 0");
  f.Wait(3, "TAKE gone 0");
  f.Run("MULTI");
  f.Run("SET gone v");
  f.Run("SET b first");
  f.Run("SET a second");
  f.Run("GET b");
  f.Run("DEL gone");
  CHECK(f.Run("EXEC").ends_with("+OK\r\n+OK\r\n+OK\r\n$5\r\nfirst\r\n:1\r\n"));
  CHECK(f.Received(1) == Taken("b", "first"));
  CHECK(f.Received(2) == Taken("a", "second"));
  CHECK(f.IsWaiting(3));
}

TEST_CASE("Nobody waits within a transaction, nor where waiting is not allowed", "[blocking]") {
  BlockingFixture f;
  f.Run("MULTI");
  f.Run("TAKE k 0");
  f.Run("PASS k d 0");
  CHECK(f.Run("EXEC") == "*2\r\n*-1\r\n$-1\r\n");
  f.session().may_block = false;
  CHECK(f.Run("TAKE k 0") == kNullArray);
  CHECK(f.engine.blocked.client_count() == 0);
}

TEST_CASE("What serving makes ready is served in the same go", "[blocking]") {
  BlockingFixture f;
  f.Wait(3, "TAKE c 0");
  f.Wait(2, "PASS b c 0");
  f.Wait(1, "PASS a b 0");
  f.Run("SET a v");
  CHECK(f.Received(1) == "$1\r\nv\r\n");
  CHECK(f.Received(2) == "$1\r\nv\r\n");
  CHECK(f.Received(3) == Taken("c", "v"));
  CHECK(f.resumed == std::vector<uint64_t>{f.session(1).id, f.session(2).id, f.session(3).id});
  SECTION("in a circle, each once") {
    f.Wait(1, "PASS a b 0");
    f.Wait(2, "PASS b a 0");
    f.Wait(3, "PASS a a 0");
    f.Run("SET a v");
    CHECK(f.Received(1) == "$1\r\nv\r\n");
    CHECK(f.Received(2) == "$1\r\nv\r\n");
    CHECK(f.Received(3) == "$1\r\nv\r\n");
    CHECK(f.Run("GET a") == "$1\r\nv\r\n");
  }
}

TEST_CASE("A handler that waits on keeps its place", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKEIF k x 0");
  f.Wait(2, "TAKEIF k y 0");
  f.Wait(3, "TAKEIF k x 0");
  f.Run("SET k y");
  CHECK(f.Received(2) == "+OK\r\n");
  f.Run("SET k x");
  CHECK(f.Received(1) == "+OK\r\n");
  CHECK(f.IsWaiting(3));
}

TEST_CASE("A value of another type serves only those who wait for that", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKELIST k 0");
  f.Wait(2, "TAKE k 0");
  f.Run("SET k v");
  CHECK(f.Received(2) == Taken("k", "v"));
  f.Run("SET k v");
  CHECK(f.IsWaiting(1));
  f.Run("DEL k");
  f.Run("FLUSHALL");
  CHECK(f.IsWaiting(1));
}

TEST_CASE("Keys that appear by other means serve too", "[blocking]") {
  BlockingFixture f;
  f.Run("SET other v");
  f.RunAs(5, "SELECT 1");
  f.RunAs(5, "SET k w");
  f.Wait(1, "TAKE k 0");
  std::string value = "v";
  SECTION("RENAME") { f.Run("RENAME other k"); }
  SECTION("RENAMENX") { f.Run("RENAMENX other k"); }
  SECTION("COPY") { f.Run("COPY other k"); }
  SECTION("COPY from another database") {
    f.RunAs(5, "COPY k k DB 0");
    value = "w";
  }
  SECTION("MOVE") {
    f.RunAs(5, "MOVE k 0");
    value = "w";
  }
  SECTION("SWAPDB") {
    f.Run("SWAPDB 0 1");
    value = "w";
  }
  SECTION("SWAPDB, the other way round") {
    f.Run("SWAPDB 1 0");
    value = "w";
  }
  CHECK(f.Received(1) == Taken("k", value));
}

TEST_CASE("SWAPDB serves those who wait in either database", "[blocking]") {
  BlockingFixture f;
  for (const size_t client : {2, 4}) f.RunAs(client, "SELECT 1");
  f.Run("SET x zero");
  f.RunAs(2, "SET y one");
  f.Wait(1, "TAKE y 0");
  f.Wait(2, "TAKE x 0");
  f.Wait(3, "TAKE z 0");
  f.Run("SWAPDB 0 1");
  CHECK(f.Received(1) == Taken("y", "one"));
  CHECK(f.Received(2) == Taken("x", "zero"));
  CHECK(f.IsWaiting(3));
}

TEST_CASE("Keys of the same name in other databases are other keys", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE k 0");
  f.RunAs(2, "SELECT 1");
  f.RunAs(2, "SET k v");
  CHECK(f.IsWaiting(1));
  CHECK(f.RunAs(2, "GET k") == "$1\r\nv\r\n");
}

TEST_CASE("Expiry leaves those who wait waiting", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKELIST k 0");
  f.Run("SET k v PX 10");
  f.Advance(20);
  CHECK(f.Run("GET k") == "$-1\r\n");
  CHECK(f.IsWaiting(1));
}

TEST_CASE("Timeouts end the waiting in the order of their deadlines", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE k 30");
  f.Wait(2, "TAKE k 20.0005");
  f.Wait(3, "TAKE k 0");
  f.Wait(4, "PASS k d 25");
  f.Wait(5, "TAKE k 1000");
  CHECK(f.engine.blocked.deadline_count() == 4);
  CHECK(f.engine.blocked.next_deadline_us() > MonotonicUs() + 19'000'000);
  f.TimeOut(19'000);
  CHECK(f.resumed.empty());
  f.UseResp3(1);
  f.TimeOut(40'000);
  CHECK(f.resumed == std::vector<uint64_t>{f.session(2).id, f.session(4).id, f.session(1).id});
  CHECK(f.Received(1) == "_\r\n");
  CHECK(f.Received(2) == kNullArray);
  CHECK(f.Received(4) == kNullArray);
  CHECK(f.IsWaiting(3));
  CHECK(f.IsWaiting(5));
  f.Run("SET k v");
  CHECK(f.Received(3) == Taken("k", "v"));
}

TEST_CASE("Timeouts are read as Redis reads them", "[blocking]") {
  BlockingFixture f;
  const std::string_view negative[] = {"-1",   "inf",    "-inf",   "1e400", "9223372036854775.808",
                                       "1e18", "-1e300", "-0.0015"};
  for (const std::string_view text : negative) {
    INFO(text);
    CHECK(f.DoAs(0, {"TAKE", "k", text}) == "-ERR timeout is negative\r\n");
  }
  const std::string_view unreadable[] = {"nan", "", " 1", "1 ", "abc", "1,5"};
  for (const std::string_view text : unreadable) {
    INFO(text);
    CHECK(f.DoAs(0, {"TAKE", "k", text}) == "-ERR timeout is not a float or out of range\r\n");
  }
  const std::string_view forever[] = {"0", "-0", "0.0", "-0.0001", "9223372036854775.807", "7e15"};
  size_t client = 1;
  for (const std::string_view text : forever) {
    INFO(text);
    CHECK(f.DoAs(client++, {"TAKE", "k", text}).empty());
    CHECK(f.engine.blocked.deadline_count() == 0);
  }
  const std::string_view short_times[] = {"0.0001", "1e-3", "0x10"};
  for (const std::string_view text : short_times) {
    INFO(text);
    CHECK(f.DoAs(client++, {"TAKE", "k", text}).empty());
  }
  CHECK(f.engine.blocked.deadline_count() == 3);
}

TEST_CASE("CLIENT UNBLOCK ends the waiting", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE k 0");
  const std::string id = std::to_string(f.session(1).id);
  CHECK(f.Run("CLIENT UNBLOCK " + id) == ":1\r\n");
  CHECK(f.Received(1) == kNullArray);
  CHECK(f.Run("CLIENT UNBLOCK " + id) == ":0\r\n");
  f.Wait(1, "TAKE k 0");
  CHECK(f.Run("CLIENT UNBLOCK " + id + " timeout") == ":1\r\n");
  CHECK(f.Received(1) == kNullArray);
  f.Wait(1, "TAKE k 0");
  CHECK(f.Run("CLIENT UNBLOCK " + id + " Error") == ":1\r\n");
  CHECK(f.Received(1) == "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
  CHECK(f.engine.stats.errors_by_code["UNBLOCKED"] == 1);
  CHECK(f.commands.Find("take")->stats.failed == 1);
  f.Run("SET k v");
  CHECK(f.Run("GET k") == "$1\r\nv\r\n");

  CHECK(f.Run("CLIENT UNBLOCK 99999") == ":0\r\n");
  CHECK(f.Run("CLIENT UNBLOCK -1") == ":0\r\n");
  CHECK(f.Run("CLIENT UNBLOCK x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("CLIENT UNBLOCK x y") == "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n");
  CHECK(f.Run("CLIENT UNBLOCK 1 error x") ==
        "-ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.\r\n");
}

TEST_CASE("Whoever leaves is out of all queues", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE a b 10");
  f.Wait(2, "TAKE b 0");
  f.Disconnect(1);
  CHECK(f.engine.blocked.client_count() == 1);
  CHECK(f.engine.blocked.key_count() == 1);
  CHECK(f.engine.blocked.deadline_count() == 0);
  f.Run("SET b v");
  CHECK(f.Received(2) == Taken("b", "v"));
}

TEST_CASE("A client that is being closed is passed over", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE k 0");
  f.Wait(2, "TAKE k 0");
  f.session(1).closing = true;
  f.Run("SET k v");
  CHECK(f.Received(1).empty());
  CHECK(f.Received(2) == Taken("k", "v"));
}

TEST_CASE("CLIENT REPLY SKIP goes on to the reply of a command that waited", "[blocking]") {
  BlockingFixture f;
  f.RunAs(1, "CLIENT REPLY SKIP");
  f.Wait(1, "TAKE k 0");
  f.Run("SET k v");
  CHECK(f.Received(1).empty());
  CHECK_FALSE(f.IsWaiting(1));
  CHECK(f.RunAs(1, "PING") == "+PONG\r\n");
}

TEST_CASE("Permissions are asked again when the command runs again", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE k 0");
  REQUIRE(f.Run("ACL SETUSER alice ~* +get") == "+OK\r\n");
  f.engine.acl.Login(f.session(1), *f.engine.acl.Find("alice"));
  f.Run("SET k v");
  CHECK(f.Received(1) == "-NOPERM this user has no permissions to run the 'take' command\r\n");
  CHECK(f.Run("GET k") == "$1\r\nv\r\n");
  CHECK_FALSE(f.IsWaiting(1));
}

TEST_CASE("CLIENT LIST shows who waits", "[blocking]") {
  BlockingFixture f;
  f.Wait(1, "TAKE key 0");
  const std::string line = f.Run("CLIENT LIST ID " + std::to_string(f.session(1).id));
  CHECK(line.find(" flags=b ") != std::string::npos);
  CHECK(line.find(" argv-mem=8 ") != std::string::npos);
  CHECK(line.find(" cmd=take ") != std::string::npos);
}

TEST_CASE("Random waiting agrees with a plain model", "[blocking]") {
  BlockingFixture f;
  Random random(7);
  constexpr size_t kClients = 40;
  for (size_t client = 0; client <= kClients; ++client) f.session(client);
  const std::string names[] = {"a", "b", "c", "d"};
  std::vector<std::pair<size_t, std::vector<std::string>>> waiting;  // in the order of their coming
  for (int step = 0; step < 20'000; ++step) {
    const size_t client = 1 + random.Below(kClients);
    const std::string& name = names[random.Below(4)];
    const auto place = std::find_if(waiting.begin(), waiting.end(),
                                    [client](const auto& entry) { return entry.first == client; });
    switch (random.Below(4)) {
      case 0:
      case 1: {
        if (place != waiting.end()) break;
        std::vector<std::string> keys;
        std::string line = "TAKE";
        for (size_t left = 1 + random.Below(4); left > 0; --left) {
          keys.push_back(names[random.Below(4)]);
          line += " " + keys.back();
        }
        f.Wait(client, line + " 0");
        waiting.emplace_back(client, keys);
        break;
      }
      case 2: {
        const auto served = std::find_if(waiting.begin(), waiting.end(), [&name](const auto& entry) {
          return std::find(entry.second.begin(), entry.second.end(), name) != entry.second.end();
        });
        f.Run("SET " + name + " v");
        if (served == waiting.end()) {
          REQUIRE(f.Run("DEL " + name) == ":1\r\n");
        } else {
          REQUIRE(f.Received(served->first) == Taken(name, "v"));
          waiting.erase(served);
        }
        break;
      }
      default:
        f.Disconnect(client);
        if (place != waiting.end()) waiting.erase(place);
    }
    REQUIRE(f.engine.blocked.client_count() == waiting.size());
  }
}

}  // namespace pinyon
