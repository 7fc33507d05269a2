// The commands of publish and subscribe, and the keyspace notifications that go through them. Replies as
// redis-server 7.0 gives them.
#include <catch2/catch.hpp>
#include <string>

#include "command_fixture.h"
#include "engine/notify.h"
#include "engine/session_subscriber.h"

namespace pinyon {
namespace {

std::string Push(std::initializer_list<std::string_view> words, int64_t count = -1) {
  const size_t elements = words.size() + (count < 0 ? 0 : 1);
  std::string text = ">" + std::to_string(elements) + "\r\n";
  for (const std::string_view word : words)
    text += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  return count < 0 ? text : text + ":" + std::to_string(count) + "\r\n";
}

TEST_CASE("pubsub commands: confirmations count channels and patterns together", "[pubsub]") {
  CommandFixture f;
  f.UseResp3();
  CHECK(f.Run("SUBSCRIBE a b a") ==
        Push({"subscribe", "a"}, 1) + Push({"subscribe", "b"}, 2) + Push({"subscribe", "a"}, 2));
  CHECK(f.Run("PSUBSCRIBE p*") == Push({"psubscribe", "p*"}, 3));
  CHECK(f.Run("SSUBSCRIBE a") == Push({"ssubscribe", "a"}, 1));
  CHECK(f.Run("UNSUBSCRIBE nobody") == Push({"unsubscribe", "nobody"}, 3));
  CHECK(f.Run("PUNSUBSCRIBE") == Push({"punsubscribe", "p*"}, 2));
  CHECK(f.Run("PUNSUBSCRIBE") == ">3\r\n$12\r\npunsubscribe\r\n_\r\n:2\r\n");
  CHECK(f.Run("UNSUBSCRIBE") == Push({"unsubscribe", "a"}, 1) + Push({"unsubscribe", "b"}, 0));
  CHECK(f.Run("SUNSUBSCRIBE") == Push({"sunsubscribe", "a"}, 0));
  CHECK(f.session().subscriber == nullptr);
}

TEST_CASE("pubsub commands: what waits for no reply is not for scripts", "[pubsub]") {
  CommandFixture f;
  f.Run("MULTI");
  f.Run("SUBSCRIBE a");
  f.Run("SSUBSCRIBE a");
  CHECK(f.Run("EXEC") ==
        "*2\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
        "-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
  f.session(1).may_block = false;
  CHECK(f.RunAs(1, "SUBSCRIBE a") == "-ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
  CHECK(f.RunAs(1, "PSUBSCRIBE a") == "-ERR PSUBSCRIBE isn't allowed for a DENY BLOCKING client\r\n");
}

TEST_CASE("pubsub commands: the restricted mode of RESP2", "[pubsub]") {
  CommandFixture f;
  f.Run("SUBSCRIBE a");
  for (const char* line : {"GET x", "HELLO 3", "MULTI", "CLIENT ID", "PUBLISH a x", "AUTH p"}) {
    INFO(line);
    CHECK(f.Run(line).starts_with("-ERR Can't execute '"));
  }
  CHECK(f.Run("CLIENT ID") ==
        "-ERR Can't execute 'client|id': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
        "allowed in this context\r\n");
  CHECK(f.Run("EXEC").starts_with("-EXECABORT Transaction discarded because of: Can't execute 'exec': only"));
  CHECK(f.Run("PING") == "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  CHECK(f.Run("PING x") == "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
  CHECK(f.Run("RESET") == "+RESET\r\n");
  CHECK(f.Run("GET x") == "$-1\r\n");
  CHECK(f.engine.pubsub.empty());
}

TEST_CASE("pubsub commands: a message to oneself stands before the reply", "[pubsub]") {
  CommandFixture f;
  f.UseResp3();
  f.Run("SUBSCRIBE c");
  CHECK(f.Run("PUBLISH c x") == Push({"message", "c", "x"}) + ":1\r\n");
  f.Run("MULTI");
  f.Run("PUBLISH c 1");
  f.Run("PUBLISH c 2");
  CHECK(f.Run("EXEC") ==
        "*2\r\n" + Push({"message", "c", "1"}) + ":1\r\n" + Push({"message", "c", "2"}) + ":1\r\n");
}

TEST_CASE("pubsub commands: messages pass by CLIENT REPLY", "[pubsub]") {
  CommandFixture f;
  f.UseResp3();
  f.Run("CLIENT REPLY OFF");
  CHECK(f.Run("SUBSCRIBE c") == Push({"subscribe", "c"}, 1));
  CHECK(f.Run("PUBLISH c x") == Push({"message", "c", "x"}));
}

TEST_CASE("pubsub commands: CLIENT LIST", "[pubsub]") {
  CommandFixture f;
  f.RunAs(1, "SUBSCRIBE a b");
  f.RunAs(1, "PSUBSCRIBE a");
  f.RunAs(1, "SSUBSCRIBE a b c");
  const std::string list = f.Run("CLIENT LIST TYPE pubsub");
  CHECK(list.find(" flags=P db=0 sub=2 psub=1 ssub=3 multi=-1 ") != std::string::npos);
  CHECK(f.Run("CLIENT LIST TYPE normal").find("flags=P") == std::string::npos);
  CHECK(f.Run("CLIENT KILL TYPE pubsub") == ":1\r\n");
}

TEST_CASE("notifications: the letters of the classes", "[notifications]") {
  const auto canonical = [](std::string_view text) {
    uint32_t classes = 0;
    return ParseNotifyClasses(text, &classes) ? NotifyClassesText(classes) : "refused";
  };
  for (const auto& [given, shown] : {std::pair{"", ""},
                                     {"KEA", "AKE"},
                                     {"Kn", "nK"},
                                     {"KEg$ltm", "g$ltKEm"},
                                     {"AKEmn", "AKEm"},
                                     {"dteKEx", "xetdKE"},
                                     {"KEg$lshzxetdn", "AKE"},
                                     {"KK", "K"},
                                     {"Kq", "refused"}}) {
    INFO(given);
    CHECK(canonical(given) == shown);
  }
}

TEST_CASE("notifications: by key and by event, while somebody listens", "[notifications]") {
  CommandFixture f;
  CHECK(f.settings.Set({{"notify-keyspace-events", "KE$"}}, {}).empty());
  f.UseResp3(1);
  f.RunAs(1, "PSUBSCRIBE __key*");
  f.Run("SELECT 3");
  f.Run("SET k v");
  f.Run("LPUSH l v");
  CHECK(f.Received(1) == Push({"psubscribe", "__key*"}, 1) +
                             Push({"pmessage", "__key*", "__keyspace@3__:k", "set"}) +
                             Push({"pmessage", "__key*", "__keyevent@3__:set", "k"}));
  CHECK(f.settings.Set({{"notify-keyspace-events", ""}}, {}).empty());
  f.Run("SET k v");
  CHECK(f.Received(1).empty());
}

}  // namespace
}  // namespace pinyon
