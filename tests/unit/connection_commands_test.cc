// AUTH, HELLO, PING, ECHO, QUIT, RESET, and the commands about the server (CONFIG, COMMAND, INFO, SHUTDOWN):
// replies as redis-server 7.0 gives them.
#include <catch2/catch.hpp>
#include <string>

#include "command_fixture.h"
#include "replies.h"

namespace pinyon {
namespace {

constexpr const char* kSyntax = "-ERR syntax error\r\n";
constexpr const char* kWrongPass = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}
bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("auth: without a password", "[connection]") {
  CommandFixture f;
  CHECK(f.Run("AUTH x") ==
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure your "
        "configuration is correct?\r\n");
  CHECK(f.Run("AUTH default anything") == kOk);
  CHECK(f.Run("AUTH bob x") == kWrongPass);
  CHECK(f.Run("AUTH a b c") == kSyntax);
  CHECK(f.engine.stats.auth_failures == 1);
}

TEST_CASE("auth: with a password", "[connection]") {
  CommandFixture f;
  f.engine.acl.SetDefaultPassword("sesame");
  f.session().authenticated = false;
  CHECK(f.Run("PING") == "-NOAUTH Authentication required.\r\n");
  for (const char* wrong : {"s", "sesamE", "sesamesesame", "sesam", "sesame1"}) {
    CHECK(f.Do({"AUTH", wrong}) == kWrongPass);
    CHECK(f.Do({"AUTH", "default", wrong}) == kWrongPass);
  }
  CHECK(f.Do({"AUTH", ""}) == kWrongPass);
  CHECK(f.engine.stats.auth_failures == 11);
  CHECK_FALSE(f.session().authenticated);
  CHECK(f.Run("AUTH sesame") == kOk);
  CHECK(f.Run("PING") == "+PONG\r\n");
  CHECK(f.Run("RESET") == "+RESET\r\n");
  CHECK(f.Run("PING") == "-NOAUTH Authentication required.\r\n");
  CHECK(f.Run("AUTH default sesame") == kOk);
  CHECK(f.Run("PING") == "+PONG\r\n");
}

TEST_CASE("hello: protocol, name and password", "[connection]") {
  CommandFixture f;
  const std::string id = std::to_string(f.session().id);
  CHECK(f.Run("HELLO") ==
        "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:2\r\n$"
        "2\r\nid\r\n:" +
            id +
            "\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n");
  CHECK(f.Run("HELLO 1") == "-NOPROTO unsupported protocol version\r\n");
  CHECK(f.Run("HELLO 4") == "-NOPROTO unsupported protocol version\r\n");
  CHECK(f.Run("HELLO x") == "-ERR Protocol version is not an integer or out of range\r\n");
  CHECK(f.Run("HELLO 3 AUTH x") == "-ERR Syntax error in HELLO option 'AUTH'\r\n");
  CHECK(f.Run("HELLO 3 FOO") == "-ERR Syntax error in HELLO option 'FOO'\r\n");
  CHECK_FALSE(f.session().reply.resp3());
  CHECK(StartsWith(f.Run("HELLO 3 SETNAME me AUTH default x"), "%7\r\n"));
  CHECK(f.session().name == "me");
  CHECK(f.session().reply.resp3());
  CHECK(StartsWith(f.Run("HELLO"), "%7\r\n"));
  CHECK(StartsWith(f.Run("HELLO 2"), "*14\r\n"));
  CHECK(f.Do({"HELLO", "3", "SETNAME", "a b"}) ==
        "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");

  f.engine.acl.SetDefaultPassword("sesame");
  f.session(1).authenticated = false;
  CHECK(StartsWith(f.RunAs(1, "HELLO 3"),
                   "-NOAUTH HELLO must be called with the client already authenticated"));
  CHECK(f.RunAs(1, "HELLO 3 AUTH default nope") == kWrongPass);
  CHECK_FALSE(f.session(1).reply.resp3());
  CHECK(StartsWith(f.RunAs(1, "HELLO 3 AUTH default sesame"), "%7\r\n"));
}

TEST_CASE("ping, echo, quit", "[connection]") {
  CommandFixture f;
  CHECK(f.Run("PING") == "+PONG\r\n");
  CHECK(f.Run("PING a") == "$1\r\na\r\n");
  CHECK(f.Run("PING a b") == "-ERR wrong number of arguments for 'ping' command\r\n");
  CHECK(f.Run("ECHO a") == "$1\r\na\r\n");
  CHECK(f.Run("MULTI") == kOk);
  CHECK(f.Run("QUIT whatever") == kOk);
  CHECK(f.session().closing);
}

TEST_CASE("reset: nothing of the connection's state stays", "[connection]") {
  CommandFixture f;
  Session& session = f.session();
  f.Run("HELLO 3 SETNAME me");
  f.Run("CLIENT SETINFO LIB-NAME lib");
  f.Run("CLIENT NO-EVICT ON");
  f.Run("CLIENT NO-TOUCH ON");
  f.Run("SELECT 3");
  f.Run("WATCH k");
  f.Run("MULTI");
  f.Run("SET k v");
  CHECK(f.Run("RESET") == "+RESET\r\n");
  CHECK_FALSE(session.transaction.active());
  CHECK(session.watched.empty());
  CHECK(session.database == 0);
  CHECK(session.name.empty());
  CHECK_FALSE(session.no_touch);
  CHECK_FALSE(session.reply.resp3());
  CHECK(session.no_evict);
  CHECK(session.lib_name == "lib");

  f.Run("CLIENT REPLY OFF");
  CHECK(f.Run("PING").empty());
  CHECK(f.Run("RESET") == "+RESET\r\n");
}

TEST_CASE("config: get, set and the rest", "[config]") {
  CommandFixture f;
  CHECK(f.Run("CONFIG GET requirepass") == "*2\r\n$11\r\nrequirepass\r\n$0\r\n\r\n");
  CHECK(f.Run("CONFIG SET requirepass a") == kOk);
  CHECK(f.engine.options.acl.requirepass == "a");
  f.UseResp3();
  CHECK(f.Run("CONFIG GET REQUIREPASS requirepas?") == "%1\r\n$11\r\nREQUIREPASS\r\n$1\r\na\r\n");
  CHECK(f.Run("CONFIG GET nothing") == "%0\r\n");
  CHECK(f.Run("CONFIG SET a b c") == kSyntax);
  CHECK(f.Run("CONFIG SET nothing b") ==
        "-ERR Unknown option or number of arguments for CONFIG SET - 'nothing'\r\n");
  CHECK(f.Run("CONFIG RESETSTAT") == kOk);
  CHECK(f.server.reset_stats_calls == 1);
  CHECK(f.Run("CONFIG REWRITE") == kOk);
  f.server.rewrite_error = "ERR The server is running without a config file";
  CHECK(f.Run("CONFIG REWRITE") == "-ERR The server is running without a config file\r\n");
  CHECK(f.Run("CONFIG NOTHING") == "-ERR unknown subcommand 'NOTHING'. Try CONFIG HELP.\r\n");
  CHECK(
      Contains(f.Run("CONFIG HELP"), "+CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"));
}

TEST_CASE("info, time, lolwut", "[admin]") {
  CommandFixture f;
  CHECK(f.Run("INFO server Memory") == "$10\r\n# Server\r\n\r\n");
  CHECK(f.server.info_sections == std::vector<std::string>{"server", "Memory"});
  f.UseResp3();
  CHECK(f.Run("INFO") == "=14\r\ntxt:# Server\r\n\r\n");
  CHECK(f.server.info_sections.empty());
  CHECK(StartsWith(f.Run("TIME"), "*2\r\n$10\r\n"));
  CHECK(Contains(f.Run("LOLWUT"), "Pinyon ver. "));
  CHECK(StartsWith(f.Run("LOLWUT VERSION 5"), "="));
  CHECK(f.Run("LOLWUT VERSION x") == "-ERR value is not an integer or out of range\r\n");
}

TEST_CASE("shutdown", "[admin]") {
  CommandFixture f;
  for (const char* line :
       {"SHUTDOWN FOO", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN ABORT NOW", "SHUTDOWN SAVE ABORT"}) {
    CHECK(f.Run(line) == kSyntax);
  }
  CHECK(f.Run("SHUTDOWN ABORT") == "-ERR No shutdown in progress.\r\n");
  CHECK(f.server.shutdown_calls == 0);
  f.server.refuses_shutdown = true;
  CHECK(f.Run("SHUTDOWN") == "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
  f.server.refuses_shutdown = false;
  CHECK(f.Run("SHUTDOWN NOSAVE NOW FORCE").empty());
  CHECK(f.server.shutdown_calls == 2);
}

TEST_CASE("command: information about commands", "[command]") {
  CommandFixture f;
  const std::string count = std::to_string(f.commands.commands().size());
  CHECK(f.Run("COMMAND COUNT") == ":" + count + "\r\n");
  CHECK(StartsWith(f.Run("COMMAND"), "*" + count + "\r\n"));
  CHECK(f.Run("COMMAND INFO") == f.Run("COMMAND"));
  CHECK(StartsWith(f.Run("COMMAND DOCS"), "*" + std::to_string(2 * f.commands.commands().size()) + "\r\n"));
  CHECK(f.Run("COMMAND INFO echo nothing client|nothing") ==
        "*3\r\n*10\r\n$4\r\necho\r\n:2\r\n*3\r\n+loading\r\n+stale\r\n+fast\r\n:0\r\n:0\r\n:0\r\n*2\r\n+@"
        "fast\r\n"
        "+@connection\r\n*0\r\n*0\r\n*0\r\n$-1\r\n$-1\r\n");
  f.UseResp3();
  CHECK(f.Run("COMMAND INFO get") ==
        "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n+@read\r\n+@"
        "string\r\n"
        "+@fast\r\n~0\r\n~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%2\r\n$"
        "4\r\ntype\r\n"
        "$5\r\nindex\r\n$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$"
        "5\r\nrange\r\n"
        "$4\r\nspec\r\n%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n~0\r\n");
  const std::string docs = f.Run("COMMAND DOCS hello nothing");
  CHECK(StartsWith(docs, "%1\r\n$5\r\nhello\r\n%6\r\n$7\r\nsummary\r\n"));
  CHECK(Contains(docs, "$7\r\nhistory\r\n~1\r\n*2\r\n$5\r\n6.2.0\r\n"));
  CHECK(Contains(
      docs,
      "%4\r\n$4\r\nname\r\n$9\r\narguments\r\n$4\r\ntype\r\n$5\r\nblock\r\n$5\r\nflags\r\n~1\r\n+optional\r\n"
      "$9\r\narguments\r\n*3\r\n%2\r\n$4\r\nname\r\n$8\r\nprotover\r\n$4\r\ntype\r\n$7\r\ninteger\r\n"));
}

TEST_CASE("command: lists and filters", "[command]") {
  CommandFixture f;
  CHECK(f.Run("COMMAND LIST FILTERBY PATTERN ECH?") == "*1\r\n$4\r\necho\r\n");
  CHECK(f.Run("COMMAND LIST FILTERBY PATTERN client|getn*") == "*1\r\n$14\r\nclient|getname\r\n");
  CHECK(f.Run("COMMAND LIST FILTERBY MODULE m") == "*0\r\n");
  CHECK(f.Run("COMMAND LIST FILTERBY ACLCAT nothing") == "*0\r\n");
  CHECK(Contains(f.Run("COMMAND LIST FILTERBY ACLCAT dangerous"), "$8\r\nshutdown\r\n"));
  CHECK(f.Run("COMMAND LIST FILTERBY NOTHING x") == kSyntax);
  CHECK(f.Run("COMMAND LIST FILTERBY") == kSyntax);
  CHECK(Contains(f.Run("COMMAND LIST"), "$9\r\nclient|id\r\n"));
}

TEST_CASE("command: keys of a request", "[command]") {
  CommandFixture f;
  CHECK(f.Run("COMMAND GETKEYS mset a 1 b 2") == "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  CHECK(f.Run("COMMAND GETKEYSANDFLAGS mset a 1 b 2") ==
        "*2\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n");
  constexpr std::string_view kReads = "*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+RO\r\n+access\r\n";
  constexpr std::string_view kOverwrites = "*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+OW\r\n+update\r\n";
  constexpr std::string_view kModifies = "*1\r\n*2\r\n$1\r\nk\r\n*3\r\n+RW\r\n+access\r\n+update\r\n";
  CHECK(f.Run("COMMAND GETKEYSANDFLAGS set k get") == kOverwrites);
  CHECK(f.Run("COMMAND GETKEYSANDFLAGS set k v ex 1 get") == kModifies);
  CHECK(f.Run("COMMAND GETKEYSANDFLAGS bitfield k get u8 0 overflow sat") == kReads);
  CHECK(f.Run("COMMAND GETKEYSANDFLAGS bitfield k get u8 0 set u8 0 1") == kModifies);
  CHECK(f.Run("COMMAND GETKEYS object encoding k") == "*1\r\n$1\r\nk\r\n");
  CHECK(f.Run("COMMAND GETKEYS nothing a") == "-ERR Invalid command specified\r\n");
  CHECK(f.Run("COMMAND GETKEYS object nothing k") == "-ERR Invalid command specified\r\n");
  CHECK(f.Run("COMMAND GETKEYS ping a") == "-ERR The command has no key arguments\r\n");
  CHECK(f.Run("COMMAND GETKEYS get a b") == "-ERR Invalid number of arguments specified for command\r\n");
}

}  // namespace
}  // namespace pinyon
