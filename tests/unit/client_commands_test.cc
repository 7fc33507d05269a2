// CLIENT: names, lines, killing, and silence. Replies as redis-server 7.0 gives them.
#include <catch2/catch.hpp>
#include <string>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

constexpr const char* kSyntax = "-ERR syntax error\r\n";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Id(CommandFixture& f, size_t client) { return std::to_string(f.session(client).id); }

TEST_CASE("client: names and library", "[client]") {
  CommandFixture f;
  CHECK(f.Run("CLIENT GETNAME") == "$-1\r\n");
  CHECK(f.Run("CLIENT SETNAME me") == kOk);
  CHECK(f.Run("CLIENT GETNAME") == "$2\r\nme\r\n");
  for (const char* bad : {"a b", "a\nb", "a\x7f", "caf\xc3\xa9"}) {
    CHECK(f.Do({"CLIENT", "SETNAME", bad}) ==
          "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  }
  CHECK(f.Do({"CLIENT", "SETNAME", ""}) == kOk);
  CHECK(f.Run("CLIENT GETNAME") == "$-1\r\n");
  CHECK(f.Run("CLIENT SETINFO LIB-NAME jay(x_v1)") == kOk);
  CHECK(f.Run("CLIENT SETINFO lib-ver 1.2") == kOk);
  CHECK(f.Do({"CLIENT", "SETINFO", "LIB-NAME", "a b"}) ==
        "-ERR LIB-NAME cannot contain spaces, newlines or special characters.\r\n");
  CHECK(f.Run("CLIENT SETINFO other x") == "-ERR Unrecognized option 'other'\r\n");
  CHECK(Contains(f.Run("CLIENT INFO"), " lib-name=jay(x_v1) lib-ver=1.2\n"));
}

TEST_CASE("client: the line of CLIENT INFO", "[client]") {
  CommandFixture f;
  f.session().last_active_ms = CommandFixture::kStartMs;
  f.Run("CLIENT SETNAME me");
  f.Run("SELECT 2");
  f.Advance(2500);
  f.session().last_active_ms = CommandFixture::kStartMs + 1000;
  const std::string line =
      "id=" + Id(f, 0) +
      " addr=127.0.0.1:40000 laddr=127.0.0.1:6379 fd=8 name=me age=2 idle=1 flags=N db=2 sub=0 "
      "psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=10 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 "
      "omem=0 tot-mem=0 events=r cmd=client|info user=default redir=-1 resp=2 lib-name= "
      "lib-ver=\n";
  CHECK(f.Run("CLIENT INFO") == "$" + std::to_string(line.size()) + "\r\n" + line + "\r\n");
  f.Run("CLIENT NO-EVICT ON");
  f.Run("CLIENT NO-TOUCH ON");
  f.UseResp3();
  CHECK(Contains(f.Run("CLIENT INFO"), " flags=eT "));
  CHECK(Contains(f.Run("CLIENT INFO"), " resp=3 "));
  CHECK(f.Run("CLIENT INFO").compare(0, 1, "=") == 0);
  CHECK(f.Run("CLIENT NO-EVICT maybe") == kSyntax);
  CHECK(f.Run("CLIENT NO-TOUCH OFF") == kOk);
}

TEST_CASE("client: lists", "[client]") {
  CommandFixture f;
  f.session(0);
  f.session(1);
  const auto count = [&](const std::string& line) {
    const std::string reply = f.Run(line);
    size_t lines = 0;
    for (size_t at = reply.find("id="); at != std::string::npos; at = reply.find("\nid=", at + 1)) ++lines;
    return lines;
  };
  CHECK(count("CLIENT LIST") == 2);
  CHECK(count("CLIENT LIST TYPE normal") == 2);
  CHECK(count("CLIENT LIST TYPE replica") == 0);
  CHECK(count("CLIENT LIST TYPE slave") == 0);
  CHECK(count("CLIENT LIST ID " + Id(f, 1) + " 0 -1 99999") == 1);
  CHECK(f.Run("CLIENT LIST ID 99999") == "$0\r\n\r\n");
  CHECK(f.Run("CLIENT LIST TYPE other") == "-ERR Unknown client type 'other'\r\n");
  CHECK(f.Run("CLIENT LIST ID x") == "-ERR Invalid client ID\r\n");
  for (const char* bad :
       {"CLIENT LIST x", "CLIENT LIST TYPE", "CLIENT LIST ID", "CLIENT LIST TYPE normal x"}) {
    CHECK(f.Run(bad) == kSyntax);
  }
  f.RunAs(1, "MULTI");
  f.RunAs(1, "PING");
  CHECK(Contains(f.Run("CLIENT LIST ID " + Id(f, 1)), " flags=x db=0 sub=0 psub=0 ssub=0 multi=1 "));
}

TEST_CASE("client: kill", "[client]") {
  CommandFixture f;
  const uint64_t own = f.session(0).id, other = f.session(1).id;
  CHECK(f.Run("CLIENT KILL 1.2.3.4:5") == "-ERR No such client\r\n");
  CHECK(f.Do({"CLIENT", "KILL", ""}) == "-ERR No such client\r\n");
  CHECK(f.Run("CLIENT KILL ID") == "-ERR No such client\r\n");
  CHECK(f.Run("CLIENT KILL ID 0") == "-ERR client-id should be greater than 0\r\n");
  CHECK(f.Run("CLIENT KILL ID x") == "-ERR client-id should be greater than 0\r\n");
  CHECK(f.Run("CLIENT KILL USER bob") == "-ERR No such user 'bob'\r\n");
  CHECK(f.Run("CLIENT KILL TYPE other") == "-ERR Unknown client type 'other'\r\n");
  for (const char* bad : {"CLIENT KILL FOO bar", "CLIENT KILL ID 9 ADDR", "CLIENT KILL ID 9 SKIPME maybe"}) {
    CHECK(f.Run(bad) == kSyntax);
  }
  CHECK(f.Run("CLIENT KILL ID 99999") == ":0\r\n");
  CHECK(f.Run("CLIENT KILL MAXAGE 10") == ":0\r\n");
  CHECK(f.Run("CLIENT KILL LADDR 1.2.3.4:5 SKIPME no") == ":0\r\n");
  CHECK(f.server.closed_sessions.empty());

  CHECK(f.Run("CLIENT KILL TYPE normal LADDR 127.0.0.1:6379 USER default") == ":1\r\n");
  CHECK(f.server.closed_sessions == std::vector<uint64_t>{other});
  CHECK_FALSE(f.session(0).closing);
  f.Advance(20'000);
  CHECK(f.Run("CLIENT KILL MAXAGE 10 SKIPME no ID " + std::to_string(own)) == ":1\r\n");
  CHECK(f.session(0).closing);
  CHECK(f.server.closed_sessions.size() == 1);
}

TEST_CASE("client: reply off and skip", "[client]") {
  CommandFixture f;
  CHECK(f.Run("CLIENT REPLY ON") == kOk);
  CHECK(f.Run("CLIENT REPLY maybe") == kSyntax);
  CHECK(f.Run("CLIENT REPLY SKIP").empty());
  CHECK(f.Run("PING").empty());
  CHECK(f.Run("PING") == "+PONG\r\n");
  f.Run("CLIENT REPLY SKIP");
  f.Run("CLIENT REPLY SKIP");
  CHECK(f.Run("PING").empty());
  CHECK(f.Run("PING") == "+PONG\r\n");
  CHECK(f.Run("CLIENT REPLY OFF").empty());
  CHECK(f.Run("PING").empty());
  CHECK(f.Run("NOTHING").empty());
  CHECK(f.Run("CLIENT REPLY SKIP").empty());
  CHECK(f.Run("PING").empty());
  CHECK(f.Run("CLIENT REPLY ON") == kOk);
  CHECK(f.Run("PING") == "+PONG\r\n");
}

TEST_CASE("client: a pause whose end the clock never comes to is none", "[client]") {
  CommandFixture f;
  CHECK(f.Run("CLIENT PAUSE 9223372036854775807") == kOk);
  CHECK(f.engine.pause.mode() == ClientPause::Mode::kNone);
  CHECK_FALSE(f.engine.pause.pending());
}

TEST_CASE("client: help and unknown subcommands", "[client]") {
  CommandFixture f;
  const std::string help = f.Run("CLIENT HELP");
  CHECK(Contains(help, "+CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"));
  CHECK(Contains(help, "+HELP\r\n+    Print"));
  CHECK(f.Run("CLIENT NOTHING") == "-ERR unknown subcommand 'NOTHING'. Try CLIENT HELP.\r\n");
  CHECK(f.Run("CLIENT") == "-ERR wrong number of arguments for 'client' command\r\n");
}

}  // namespace
}  // namespace pinyon
