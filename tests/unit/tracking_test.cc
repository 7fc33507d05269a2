// Client-side caching: which keys are remembered for whom, and who is told what, in which order. Replies as
// redis-server 7.0 gives them.
#include "engine/tracking.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_fixture.h"
#include "engine/session_pushes.h"
#include "engine/session_tracking.h"

namespace pinyon {
namespace {

std::string Invalidate(std::initializer_list<std::string_view> keys) {
  std::string text = ">2\r\n$10\r\ninvalidate\r\n*" + std::to_string(keys.size()) + "\r\n";
  for (const std::string_view key : keys)
    text += "$" + std::to_string(key.size()) + "\r\n" + std::string(key) + "\r\n";
  return text;
}

const std::string kAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

// Client 0 speaks RESP3.
struct TrackingFixture : CommandFixture {
  TrackingFixture() { UseResp3(); }
  // The reply is taken, so that Received tells what came beside replies.
  std::string RunAs(size_t client, std::string_view line) {
    std::string reply = CommandFixture::RunAs(client, line);
    Received(client);
    return reply;
  }
  std::string Run(std::string_view line) { return RunAs(0, line); }
  Tracking& tracking() { return engine.tracking; }
  std::string Id(size_t client) { return std::to_string(session(client).id); }
};

}  // namespace

TEST_CASE("tracking: a key that was read is told of once", "[tracking]") {
  TrackingFixture f;
  CHECK(f.Run("CLIENT TRACKING ON") == "+OK\r\n");
  f.Run("GET k");
  CHECK(f.tracking().key_count() == 1);
  f.RunAs(1, "SET k 1");
  CHECK(f.Received(0) == Invalidate({"k"}));
  CHECK(f.tracking().key_count() == 0);
  CHECK(f.tracking().item_count() == 0);
  f.RunAs(1, "SET k 2");
  CHECK(f.Received(0).empty());
}

TEST_CASE("tracking: what is read, and by what", "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON");
  f.Run("LPUSH list x");
  for (const char* line : {"MGET a b", "EXISTS c", "SORT_RO d", "PFCOUNT e", "ZUNION 2 f g", "TOUCH h",
                           "MEMORY USAGE i", "GET list"})
    f.Run(line);
  CHECK(f.tracking().key_count() == 10);
  for (const char* line : {"SORT m", "GETEX n", "SET o 1", "SUNIONSTORE p q r", "WATCH s",
                           "BITFIELD t GET u8 0", "COPY u v", "SCAN 0", "KEYS *", "GET", "DBSIZE", "GET a b"})
    f.Run(line);
  CHECK(f.tracking().key_count() == 10);
  f.Run("MGET a a b");
  CHECK(f.tracking().item_count() == 10);
}

TEST_CASE("tracking: one's own changes are told behind the reply, those of EXEC behind EXEC's",
          "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON");
  f.Run("MGET a b");
  CHECK(f.Run("MSET a 1 b 2") == "+OK\r\n" + Invalidate({"a"}) + Invalidate({"b"}));
  f.Run("GET a");
  f.Run("MULTI");
  f.Run("SET a 3");
  f.Run("GET b");
  f.Run("SET b 4");
  f.Run("GET a");
  CHECK(f.Run("EXEC") ==
        "*4\r\n+OK\r\n$1\r\n2\r\n+OK\r\n$1\r\n3\r\n" + Invalidate({"a"}) + Invalidate({"b"}));
  CHECK(f.tracking().key_count() == 1);
  f.RunAs(1, "SET a 1");
  CHECK(f.Received(0) == Invalidate({"a"}));
}

TEST_CASE("tracking: NOLOOP keeps one's own changes from oneself only", "[tracking]") {
  TrackingFixture f;
  f.session(1).reply.set_resp3(true);
  f.Run("CLIENT TRACKING ON NOLOOP");
  f.RunAs(1, "CLIENT TRACKING ON");
  f.Run("GET a");
  f.RunAs(1, "GET a");
  CHECK(f.Run("SET a 1") == "+OK\r\n");
  CHECK(f.Received(1) == Invalidate({"a"}));
  CHECK(f.tracking().key_count() == 0);
  CHECK(f.Run("FLUSHALL") == "+OK\r\n" + kAll);
  CHECK(f.Received(1) == kAll);
}

TEST_CASE("tracking: keys that expire or are flushed", "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON NOLOOP");
  f.Run("SET k 1 PX 10");
  f.Run("GET k");
  f.Advance(11);
  // Nobody has changed it: the one who finds that out is told, too, and has read it anew.
  CHECK(f.Run("GET k") == "_\r\n" + Invalidate({"k"}));
  CHECK(f.tracking().key_count() == 1);
  f.RunAs(1, "SELECT 1");
  f.RunAs(1, "FLUSHDB");
  CHECK(f.Received(0) == kAll);
  CHECK(f.tracking().key_count() == 0);
}

TEST_CASE("tracking: OPTIN and OPTOUT with CLIENT CACHING", "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON OPTIN");
  f.Run("GET a");
  CHECK(f.tracking().key_count() == 0);
  f.Run("CLIENT CACHING YES");
  f.Run("CLIENT ID");
  f.Run("GET a");
  f.Run("GET b");
  CHECK(f.tracking().key_count() == 1);
  for (const char* line : {"PING", "NOSUCHCOMMAND", "GET"}) {
    f.Run("CLIENT CACHING YES");
    f.Run(line);
    f.Run("GET b");
  }
  CHECK(f.tracking().key_count() == 1);
  f.Run("CLIENT CACHING YES");
  for (const char* line : {"MULTI", "GET c", "GET d", "EXEC", "GET e"}) f.Run(line);
  CHECK(f.tracking().key_count() == 3);

  f.RunAs(1, "CLIENT TRACKING ON OPTOUT");
  f.RunAs(1, "CLIENT CACHING NO");
  f.RunAs(1, "GET x");
  f.RunAs(1, "GET y");
  CHECK(f.tracking().key_count() == 4);
}

TEST_CASE("tracking: redirection, and the way of RESP2", "[tracking]") {
  TrackingFixture f;
  f.RunAs(1, "CLIENT TRACKING ON REDIRECT " + f.Id(2));
  f.RunAs(1, "GET a");
  f.Run("SET a 1");  // client 2 does not listen
  CHECK(f.Received(2).empty());
  f.RunAs(2, "SUBSCRIBE anything");
  f.RunAs(1, "GET a");
  f.Run("SET a 1");
  CHECK(f.Received(2) == "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\na\r\n");
  f.Run("FLUSHALL");
  CHECK(f.Received(2) == "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");

  f.session(1).reply.set_resp3(true);
  f.session(3).reply.set_resp3(true);
  f.RunAs(1, "CLIENT TRACKING ON REDIRECT " + f.Id(3));
  f.RunAs(1, "MGET a b");
  // Who is told by redirection is told before the reply, but never within EXEC's.
  CHECK(f.RunAs(3, "SET a 1") == Invalidate({"a"}) + "+OK\r\n");
  f.RunAs(3, "MULTI");
  f.RunAs(3, "SET b 1");
  CHECK(f.RunAs(3, "EXEC") == "*1\r\n+OK\r\n" + Invalidate({"b"}));
}

TEST_CASE("tracking: a redirection to a client that has gone", "[tracking]") {
  TrackingFixture f;
  const std::string id = f.Id(1);
  f.Run("CLIENT TRACKING ON REDIRECT " + id);
  f.Run("MGET a b");
  f.Disconnect(1);
  CHECK_FALSE(f.session(0).tracking->redirect_broken);
  f.RunAs(2, "SET a 1");
  CHECK(f.Received(0) == ">2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n");
  CHECK(f.session(0).tracking->redirect_broken);
  CHECK(f.Run("SET b 1") == "+OK\r\n>2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n");
  f.Run("CLIENT TRACKING ON");
  CHECK_FALSE(f.session(0).tracking->redirect_broken);
}

TEST_CASE("tracking: broadcasts gather what a turn changes", "[tracking]") {
  TrackingFixture f;
  f.session(1).reply.set_resp3(true);
  f.session(2).reply.set_resp3(true);
  f.Run("CLIENT TRACKING ON BCAST PREFIX u: PREFIX v NOLOOP");
  f.RunAs(1, "CLIENT TRACKING ON BCAST");
  CHECK(f.tracking().prefix_count() == 3);
  f.RunAs(2, "MSET u:2 1 w 1 v 1 u:1 1 u:2 2");
  f.Run("SET u:3 1");
  CHECK(f.Received(0).empty());
  REQUIRE(f.tracking().HasBroadcasts());
  f.tracking().DeliverBroadcasts();
  CHECK_FALSE(f.tracking().HasBroadcasts());
  CHECK(f.Received(0) == Invalidate({"u:1", "u:2"}) + Invalidate({"v"}));
  CHECK(f.Received(1) == Invalidate({"u:1", "u:2", "u:3", "v", "w"}));
  // Changed by oneself and then by somebody else, which has to be told; not so the other way round.
  f.Run("SET u:1 1");
  f.RunAs(2, "SET u:1 2");
  f.tracking().DeliverBroadcasts();
  CHECK(f.Received(0) == Invalidate({"u:1"}));
  f.RunAs(2, "SET u:1 2");
  f.Run("SET u:1 1");
  f.tracking().DeliverBroadcasts();
  CHECK(f.Received(0).empty());
  CHECK(f.tracking().key_count() == 0);
  f.RunAs(1, "CLIENT TRACKING OFF");
  CHECK(f.tracking().prefix_count() == 2);
  f.Disconnect(0);
  CHECK(f.tracking().prefix_count() == 0);
  CHECK(f.tracking().client_count() == 0);
}

TEST_CASE("tracking: with the last client everything is forgotten", "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON");
  f.RunAs(1, "CLIENT TRACKING ON");
  for (int i = 0; i < 2000; ++i) f.Run("GET k" + std::to_string(i));
  f.RunAs(1, "GET k0");
  CHECK(f.tracking().item_count() == 2001);
  f.Run("RESET");
  CHECK(f.tracking().key_count() == 2000);
  f.Disconnect(1);
  CHECK(f.tracking().key_count() == 0);
  CHECK(f.tracking().item_count() == 0);
}

TEST_CASE("tracking: sessions that have gone do not pile up on a key", "[tracking]") {
  TrackingFixture f;
  f.Run("CLIENT TRACKING ON");
  for (size_t client = 1; client <= 1000; ++client) {
    f.RunAs(client, "CLIENT TRACKING ON");
    f.RunAs(client, "GET k");
    f.Disconnect(client);
  }
  CHECK(f.tracking().key_count() == 1);
  CHECK(f.tracking().item_count() <= 2);
}

TEST_CASE("tracking: many readers of a key are told in the order of their ids", "[tracking]") {
  TrackingFixture f;
  std::vector<size_t> told;
  for (size_t client = 1; client <= 40; ++client) f.session(client).reply.set_resp3(true);
  for (size_t i = 0; i < 40; ++i) {
    const size_t client = 1 + i * 7 % 40;
    f.RunAs(client, "CLIENT TRACKING ON");
    f.RunAs(client, "GET k");
    f.RunAs(client, "GET k");
  }
  CHECK(f.tracking().item_count() == 40);
  f.server.on_push = [&](Session& session) { told.push_back(session.id); };
  f.RunAs(41, "SET k 1");
  CHECK(told.size() == 40);
  CHECK(std::is_sorted(told.begin(), told.end()));
}

TEST_CASE("tracking: no more keys than tracking-table-max-keys", "[tracking]") {
  TrackingFixture f;
  f.Run("CONFIG SET tracking-table-max-keys 10");
  f.Run("CLIENT TRACKING ON");
  size_t told = 0;
  const auto count = [&](std::string_view text) {
    for (size_t at = text.find("invalidate"); at != std::string_view::npos;
         at = text.find("invalidate", at + 1))
      ++told;
  };
  for (int i = 0; i < 100; ++i) {
    count(f.Run("GET k" + std::to_string(i)));
    CHECK(f.tracking().key_count() <= 10);
  }
  CHECK(told == 90);
  f.Run("CONFIG SET tracking-table-max-keys 0");
  for (int i = 0; i < 300; ++i) count(f.Run("GET m" + std::to_string(i)));
  CHECK(told == 90);
  const size_t before = f.tracking().key_count();
  f.Run("CONFIG SET tracking-table-max-keys 5");
  size_t slices = 0;
  for (; f.tracking().IsOverLimit(); ++slices) f.tracking().EvictSlice();
  CHECK(slices > 1);
  CHECK(f.tracking().key_count() == 5);
  count(f.Received(0));
  CHECK(told == 90 + before - 5);
}

TEST_CASE("tracking: every bad combination of options", "[tracking]") {
  TrackingFixture f;
  const auto error = [&f](const std::string& options) { return f.Run("CLIENT TRACKING " + options); };
  CHECK(error("x") == "-ERR syntax error\r\n");
  CHECK(error("ON x") == "-ERR syntax error\r\n");
  CHECK(error("OFF x") == "-ERR syntax error\r\n");
  CHECK(error("ON PREFIX") == "-ERR syntax error\r\n");
  CHECK(error("ON REDIRECT") == "-ERR syntax error\r\n");
  CHECK(error("ON REDIRECT x") == "-ERR value is not an integer or out of range\r\n");
  const std::string missing = "-ERR The client ID you want redirect to does not exist\r\n";
  CHECK(error("x REDIRECT 999") == missing);
  CHECK(error("OFF REDIRECT 999") == missing);
  CHECK(error("ON REDIRECT 0") == missing);
  CHECK(error("ON REDIRECT -1") == missing);
  CHECK(error("ON REDIRECT " + f.Id(0) + " REDIRECT x") ==
        "-ERR A client can only redirect to a single other client\r\n");
  CHECK(error("ON OPTIN OPTOUT PREFIX a") == "-ERR PREFIX option requires BCAST mode to be enabled\r\n");
  CHECK(error("ON BCAST OPTIN OPTOUT") == "-ERR OPTIN and OPTOUT are not compatible with BCAST\r\n");
  CHECK(error("ON OPTIN OPTOUT") == "-ERR You can't specify both OPTIN mode and OPTOUT mode\r\n");
  CHECK(error("ON BCAST PREFIX ab PREFIX abc") ==
        "-ERR Prefix 'ab' overlaps with another provided prefix 'abc'. Prefixes for a single client must not "
        "overlap.\r\n");
  CHECK(error("OFF PREFIX a OPTIN OPTOUT") == "+OK\r\n");
  CHECK(f.session().tracking == nullptr);

  CHECK(error("ON OPTIN") == "+OK\r\n");
  CHECK(error("ON OPTOUT") ==
        "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
        "re-enabling it with a different mode.\r\n");
  CHECK(error("ON BCAST OPTIN OPTOUT") ==
        "-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
        "re-enabling it with a different mode.\r\n");
  CHECK(error("ON") == "+OK\r\n");
  CHECK(error("ON OPTOUT") == "+OK\r\n");
  error("OFF");
  CHECK(error("ON BCAST PREFIX b PREFIX a") == "+OK\r\n");
  CHECK(error("ON BCAST PREFIX c PREFIX aa") ==
        "-ERR Prefix 'aa' overlaps with an existing prefix 'a'. Prefixes for a single client must not "
        "overlap.\r\n");
  CHECK(error("ON BCAST") == "+OK\r\n");
  CHECK(error("ON BCAST") == "+OK\r\n");
  CHECK(f.Run("CLIENT TRACKINGINFO") ==
        "%3\r\n$5\r\nflags\r\n~2\r\n$2\r\non\r\n$5\r\nbcast\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n"
        "*3\r\n$0\r\n\r\n$1\r\na\r\n$1\r\nb\r\n");
}

TEST_CASE("tracking: CLIENT CACHING and what is told of the mode", "[tracking]") {
  TrackingFixture f;
  const std::string none =
      "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
      "enabled\r\n";
  CHECK(f.Run("CLIENT CACHING x") == none);
  CHECK(f.Run("CLIENT GETREDIR") == ":-1\r\n");
  f.Run("CLIENT TRACKING ON REDIRECT " + f.Id(1));
  CHECK(f.Run("CLIENT GETREDIR") == ":" + f.Id(1) + "\r\n");
  CHECK(f.Run("CLIENT CACHING x") == "-ERR syntax error\r\n");
  CHECK(f.Run("CLIENT CACHING YES") ==
        "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.\r\n");
  CHECK(f.Run("CLIENT CACHING NO") ==
        "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n");
  f.Run("CLIENT TRACKING ON OPTIN NOLOOP");
  f.Run("CLIENT CACHING YES");
  CHECK(f.Run("CLIENT TRACKINGINFO") ==
        "%3\r\n$5\r\nflags\r\n~4\r\n$2\r\non\r\n$5\r\noptin\r\n$11\r\ncaching-yes\r\n$6\r\nnoloop\r\n"
        "$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*0\r\n");
  CHECK(f.Run("CLIENT INFO").find(" flags=t ") != std::string::npos);
  CHECK(f.Run("CLIENT INFO").find(" redir=0 ") != std::string::npos);
  f.Run("RESET");
  CHECK(f.Run("CLIENT TRACKINGINFO") ==
        "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n");
  CHECK(f.Run("CLIENT INFO").find(" redir=-1 ") != std::string::npos);
}

// What costs nothing while nobody tracks: neither is a session given pushes, nor is anything remembered.
TEST_CASE("tracking: nobody tracks, nothing is kept", "[tracking]") {
  TrackingFixture f;
  for (int i = 0; i < 100; ++i) {
    f.Run("SET k" + std::to_string(i) + " v");
    f.Run("GET k" + std::to_string(i));
  }
  CHECK(f.session().pushes == nullptr);
  CHECK(f.tracking().MemoryBytes() == 0);
  CHECK_FALSE(f.tracking().HasBroadcasts());
}

}  // namespace pinyon
