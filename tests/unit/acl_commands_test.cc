// ACL's commands, and what rules mean for sessions: logging in, refusals and their log, transactions, clients
// that must be closed.
#include <catch2/catch.hpp>

#include "command_fixture.h"
#include "engine/acl_user.h"
#include "engine/session_subscriber.h"
#include "replies.h"

namespace pinyon {
namespace {

constexpr char kWrongPass[] = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string NoCommand(const std::string& name) {
  return "-NOPERM this user has no permissions to run the '" + name + "' command\r\n";
}
constexpr char kNoKey[] =
    "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";
constexpr char kNoChannel[] =
    "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";

}  // namespace

TEST_CASE("ACL: names, lines and their ends", "[acl]") {
  CommandFixture f;
  CHECK(f.Run("ACL WHOAMI") == Bulk("default"));
  CHECK(f.Run("ACL SETUSER bob on nopass +@all") == kOk);
  CHECK(f.Run("ACL SETUSER alice") == kOk);
  CHECK(f.Run("ACL USERS") == "*3\r\n" + Bulk("alice") + Bulk("bob") + Bulk("default"));
  CHECK(f.Run("ACL LIST") == "*3\r\n" + Bulk("user alice off resetchannels -@all") +
                                 Bulk("user bob on nopass resetchannels +@all") +
                                 Bulk("user default on nopass ~* &* +@all"));
  CHECK(f.RunAs(1, "AUTH bob x") == kOk);
  CHECK(f.RunAs(1, "ACL WHOAMI") == Bulk("bob"));
  CHECK(f.Run("ACL DELUSER default") == "-ERR The 'default' user cannot be removed\r\n");
  CHECK(f.Run("ACL DELUSER alice default") == "-ERR The 'default' user cannot be removed\r\n");
  CHECK(f.Run("ACL DELUSER alice nobody alice bob") == ":2\r\n");
  CHECK(f.Run("ACL USERS") == "*1\r\n" + Bulk("default"));
  CHECK(f.Run("ACL GETUSER alice") == "$-1\r\n");
}

TEST_CASE("ACL GETUSER in both protocols", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass ~a %R~b &c +get (+set ~x)");
  const std::string root =
      Bulk("commands") + Bulk("-@all +get") + Bulk("keys") + Bulk("~a %R~b") + Bulk("channels") + Bulk("&c");
  const std::string selector =
      Bulk("commands") + Bulk("-@all +set") + Bulk("keys") + Bulk("~x") + Bulk("channels") + Bulk("");
  const auto expected = [&](const char* map, const char* set, const char* inner) {
    return map + Bulk("flags") + set + Bulk("on") + Bulk("nopass") + Bulk("passwords") + "*0\r\n" + root +
           Bulk("selectors") + "*1\r\n" + inner + selector;
  };
  CHECK(f.Run("ACL GETUSER u") == expected("*12\r\n", "*2\r\n", "*6\r\n"));
  f.UseResp3();
  CHECK(f.Run("ACL GETUSER u") == expected("%6\r\n", "~2\r\n", "%3\r\n"));
}

TEST_CASE("ACL CAT names what exists", "[acl]") {
  CommandFixture f;
  CHECK(f.Run("ACL CAT").starts_with("*21\r\n$8\r\nkeyspace\r\n"));
  const std::string dangerous = f.Run("ACL CAT dangerous");
  CHECK(Has(dangerous, Bulk("acl|setuser")));
  CHECK(Has(dangerous, Bulk("flushall")));
  CHECK_FALSE(Has(dangerous, Bulk("get")));
  CHECK(f.Run("ACL CAT nosuch") == "-ERR Unknown category 'nosuch'\r\n");
  CHECK(f.Run("ACL CAT @read") == "-ERR Unknown category '@read'\r\n");
  CHECK(f.Run("ACL CAT a b") ==
        "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.\r\n");
}

TEST_CASE("ACL GENPASS", "[acl]") {
  CommandFixture f;
  const std::string password = f.Run("ACL GENPASS");
  CHECK(password.starts_with("$64\r\n"));
  CHECK(password.find_first_not_of("0123456789abcdef", 5) == 69);
  CHECK(f.Run("ACL GENPASS") != password);
  CHECK(f.Run("ACL GENPASS 1").starts_with("$1\r\n"));
  CHECK(f.Run("ACL GENPASS 5").starts_with("$2\r\n"));
  CHECK(f.Run("ACL GENPASS 4096").starts_with("$1024\r\n"));
  for (const std::string bits : {"0", "-5", "4097"}) {
    CHECK(
        f.Run("ACL GENPASS " + bits) ==
        "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up "
        "to 4096\r\n");
  }
  CHECK(f.Run("ACL GENPASS x") == "-ERR value is not an integer or out of range\r\n");
}

TEST_CASE("ACL DRYRUN", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u +get +config|get +publish ~a &c");
  CHECK(f.Run("ACL DRYRUN u get a") == kOk);
  CHECK(f.Run("ACL DRYRUN u get b") == Bulk("This user has no permissions to access the 'b' key"));
  CHECK(f.Run("ACL DRYRUN u publish d x") == Bulk("This user has no permissions to access the 'd' channel"));
  CHECK(f.Run("ACL DRYRUN u config set a b") ==
        Bulk("This user has no permissions to run the 'config|set' command"));
  CHECK(f.Run("ACL DRYRUN u get") == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(f.Run("ACL DRYRUN u config") == "-ERR wrong number of arguments for 'config' command\r\n");
  CHECK(f.Run("ACL DRYRUN u config no") == "-ERR Command 'config' not found\r\n");
  CHECK(f.Run("ACL DRYRUN u no") == "-ERR Command 'no' not found\r\n");
  CHECK(f.Run("ACL DRYRUN v get a") == "-ERR User 'v' not found\r\n");
  CHECK(f.Run("ACL LOG") == "*0\r\n");
}

TEST_CASE("Refusals are answered, counted and logged", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on >p +get +publish ~a &c +multi +exec");
  CHECK(f.RunAs(1, "AUTH u wrong") == kWrongPass);
  CHECK(f.RunAs(1, "AUTH u p") == kOk);
  CHECK(f.RunAs(1, "GET b") == kNoKey);
  CHECK(f.RunAs(1, "GET b") == kNoKey);
  CHECK(f.RunAs(1, "PUBLISH d x") == kNoChannel);
  CHECK(f.RunAs(1, "DEL a") == NoCommand("del"));
  CHECK(f.RunAs(1, "GET") == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(f.engine.stats.auth_failures == 1);
  CHECK(f.engine.stats.denied_keys == 2);
  CHECK(f.engine.stats.denied_channels == 1);
  CHECK(f.engine.stats.denied_commands == 1);
  const std::string log = f.Run("ACL LOG");
  CHECK(
      log.starts_with("*4\r\n*20\r\n$5\r\ncount\r\n:1\r\n$6\r\nreason\r\n$7\r\ncommand\r\n$7\r\ncontext\r\n"
                      "$8\r\ntoplevel\r\n$6\r\nobject\r\n$3\r\ndel\r\n$8\r\nusername\r\n$1\r\nu\r\n"
                      "$11\r\nage-seconds\r\n$1\r\n0\r\n$11\r\nclient-info\r\n"));
  CHECK(Has(log,
            "$5\r\ncount\r\n:2\r\n$6\r\nreason\r\n$3\r\nkey\r\n$7\r\ncontext\r\n$8\r\ntoplevel\r\n$6\r\n"
            "object\r\n$1\r\nb\r\n"));
  CHECK(Has(log, "$4\r\nauth\r\n$7\r\ncontext\r\n$8\r\ntoplevel\r\n$6\r\nobject\r\n$4\r\nAUTH\r\n"));
  CHECK(Has(log, " cmd=del user=u "));
  CHECK(f.Run("ACL LOG 1").starts_with("*1\r\n"));
  CHECK(f.Run("ACL LOG -1") == "*0\r\n");
  CHECK(f.Run("ACL LOG x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("ACL LOG RESET") == kOk);
  CHECK(f.Run("ACL LOG") == "*0\r\n");
}

TEST_CASE("The log groups what is equal and young, and is bounded", "[acl]") {
  int64_t max_entries = 20;
  AclLog log(max_entries);
  const auto add = [&](std::string_view object, int64_t now_ms, AclLog::Reason reason = AclLog::Reason::kKey,
                       AclLog::Context context = AclLog::Context::kTopLevel) {
    log.Add({.reason = reason, .context = context, .object = object, .username = "u", .client_info = "i"},
            now_ms);
  };
  add("first", 1000);
  add("first", 1000 + 60'000);
  REQUIRE(log.entries().size() == 1);
  CHECK(log.entries().front().count == 2);
  CHECK(log.entries().front().created_ms == 1000);
  CHECK(log.entries().front().updated_ms == 61'000);
  add("first", 61'000 + 60'001);
  CHECK(log.entries().size() == 2);
  add("first", 121'001, AclLog::Reason::kCommand);
  add("first", 121'001, AclLog::Reason::kKey, AclLog::Context::kMulti);
  CHECK(log.entries().size() == 4);
  CHECK(log.entries().front().id == 3);

  log.Clear();
  add("old", 0);
  for (int i = 0; i < 9; ++i) add(std::to_string(i), 0);
  add("old", 1);  // the tenth from the front
  CHECK(log.entries().size() == 10);
  CHECK(log.entries().front().object == "old");
  for (int i = 0; i < 10; ++i) add("x" + std::to_string(i), 2);
  add("old", 3);                      // the eleventh
  CHECK(log.entries().size() == 20);  // one was dropped
  max_entries = 5;
  CHECK(log.entries().size() == 20);
  add("new", 4);
  CHECK(log.entries().size() == 5);
  max_entries = 0;
  add("newer", 4);
  CHECK(log.entries().empty());
  max_entries = 5;
  add(std::string(100'000, 'k'), 5);
  CHECK(log.entries().front().object.size() == AclLog::kMaxObjectBytes);
}

TEST_CASE("Queued commands are checked when they are queued and when they run", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass +@all ~a &c");
  f.RunAs(1, "AUTH u p");
  f.RunAs(1, "MULTI");
  CHECK(f.RunAs(1, "GET b") == kNoKey);
  CHECK(f.RunAs(1, "EXEC") == "-EXECABORT Transaction discarded because of previous errors.\r\n");
  f.RunAs(1, "MULTI");
  f.RunAs(1, "SET a 1");
  f.RunAs(1, "PUBLISH c 1");
  f.RunAs(1, "ECHO x");
  f.RunAs(1, "GET a");
  f.Run("ACL SETUSER u -echo resetchannels resetkeys %W~a");
  const std::string prefix =
      "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This "
      "command is no longer allowed for the following reason: ";
  CHECK(f.RunAs(1, "EXEC") == "*4\r\n+OK\r\n" + prefix +
                                  "no permission to access one of the channels used as arguments\r\n" +
                                  prefix + "no permission to execute the command or subcommand\r\n" + prefix +
                                  "no permission to touch the specified keys\r\n");
  CHECK(Has(f.Run("ACL LOG"), "$7\r\ncontext\r\n$5\r\nmulti\r\n"));
  f.RunAs(1, "MULTI");
  f.Run("ACL SETUSER u -exec");
  CHECK(f.RunAs(1, "EXEC") ==
        "-EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' "
        "command\r\n");
  CHECK_FALSE(f.session(1).transaction.active());
}

TEST_CASE("SORT looks up only what its user may read", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass +sort +sort_ro ~a");
  f.RunAs(1, "AUTH u p");
  for (const std::string name : {"SORT", "SORT_RO"}) {
    CHECK(f.RunAs(1, name + " a BY w*") ==
          "-ERR BY option of SORT denied due to insufficient ACL permissions.\r\n");
    CHECK(f.RunAs(1, name + " a BY nosort GET #") ==
          "-ERR GET option of SORT denied due to insufficient ACL permissions.\r\n");
    CHECK(f.RunAs(1, name + " a BY nosort") == "*0\r\n");
  }
  f.Run("ACL SETUSER u (+sort %R~*)");
  CHECK(f.RunAs(1, "SORT a BY w* GET y*") == "*0\r\n");
  CHECK(f.RunAs(1, "SORT a BY w* STORE a") != "*0\r\n");
}

TEST_CASE("The flag that spares unlimited users follows the rules", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass +@all ~* &*");
  f.RunAs(1, "AUTH u p");
  CHECK_FALSE(f.session(1).access_limited);
  f.Run("ACL SETUSER u -get");
  CHECK(f.session(1).access_limited);
  f.Run("ACL SETUSER u +get");
  CHECK_FALSE(f.session(1).access_limited);
  f.Run("ACL SETUSER u resetkeys (+@all ~* &*)");
  CHECK_FALSE(f.session(1).access_limited);
  f.Run("ACL SETUSER default -get");
  CHECK(f.session(0).access_limited);
  CHECK(f.Run("GET a") == NoCommand("get"));
  CHECK(f.RunAs(1, "ACL SETUSER default +get") == kOk);
  CHECK_FALSE(f.session(0).access_limited);
  CHECK(f.RunAs(1, "RESET") == "+RESET\r\n");
  CHECK(f.RunAs(1, "ACL WHOAMI") == Bulk("default"));
}

TEST_CASE("Deleted users' clients are closed", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass +@all ~* &*");
  f.RunAs(1, "AUTH u p");
  f.RunAs(2, "AUTH u p");
  CHECK(f.RunAs(2, "ACL DELUSER u") == ":1\r\n");
  CHECK(f.server.closed_sessions == std::vector<uint64_t>{f.session(1).id});
  CHECK(f.session(2).closing);
  CHECK_FALSE(f.session(0).closing);
  CHECK_FALSE(f.session(1).authenticated);
  CHECK(f.session(1).user == &f.engine.acl.default_user());
}

TEST_CASE("Whoever loses a channel is closed", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER u on nopass +@all ~* &ch1 &p*");
  const auto closed = [&] { return f.server.closed_sessions.size(); };
  for (size_t client = 1; client <= 3; ++client) f.RunAs(client, "AUTH u p");
  f.RunAs(1, "SUBSCRIBE ch1");
  f.RunAs(2, "PSUBSCRIBE p*");
  f.Run("ACL SETUSER u resetchannels &ch* &p* &more");
  CHECK(closed() == 0);
  f.Run("ACL SETUSER u resetchannels &ch*");
  CHECK(f.server.closed_sessions == std::vector<uint64_t>{f.session(2).id});
  f.Disconnect(2);
  f.Run("ACL SETUSER u resetchannels (&ch1)");
  CHECK(closed() == 1);
  f.Run("ACL SETUSER u clearselectors");
  CHECK(f.server.closed_sessions.back() == f.session(1).id);
  CHECK(closed() == 2);
  CHECK_FALSE(f.session(3).closing);
}

TEST_CASE("ACL files", "[acl]") {
  CommandFixture f;
  CHECK(f.Run("ACL LOAD").starts_with("-ERR This Redis instance is not configured to use an ACL file."));
  CHECK(f.Run("ACL SAVE").starts_with("-ERR This Redis instance is not configured to use an ACL file."));
  f.options.acl.file = "users.acl";
  f.Run("ACL SETUSER bob on nopass +@all ~*");
  f.RunAs(1, "AUTH bob x");
  CHECK(f.Run("ACL SAVE") == kOk);
  CHECK(f.server.acl_file ==
        "user bob on nopass ~* resetchannels +@all\nuser default on nopass ~* &* +@all\n");

  f.server.acl_file = "\n  user alice on  ~a   +get (+set  ~x)\r\n\nuser default on nopass +@all ~* &*\n";
  CHECK(f.Run("ACL LOAD") == kOk);
  CHECK(f.Run("ACL LIST") ==
        "*2\r\n" + Bulk("user alice on ~a resetchannels -@all +get (~x resetchannels -@all +set)") +
            Bulk("user default on nopass ~* &* +@all"));
  CHECK(f.server.closed_sessions == std::vector<uint64_t>{f.session(1).id});
  CHECK_FALSE(f.session(0).closing);

  const std::string lines = f.Run("ACL LIST");
  const auto load = [&](std::string text) {
    f.server.acl_file = std::move(text);
    const std::string reply = f.Run("ACL LOAD");
    CHECK(f.Run("ACL LIST") == lines);
    return reply;
  };
  const std::string end =
      "WARNING: ACL errors detected, no change to the previously active ACL rules was performed\r\n";
  CHECK(load("user a on +foo +bar\nuser b bad worse\n") ==
        "-ERR users.acl:1: Error in applying operation '+foo': Unknown command or category name in ACL. "
        "users.acl:1: Error in applying operation '+bar': Unknown command or category name in ACL. "
        "users.acl:2: Syntax error. " +
            end);
  CHECK(load("usr a\nuser\n# comment\nUSER a\n") ==
        "-ERR users.acl:1 should start with user keyword followed by the username. "
        "users.acl:2 should start with user keyword followed by the username. "
        "users.acl:3 should start with user keyword followed by the username. "
        "users.acl:4 should start with user keyword followed by the username. " +
            end);
  CHECK(load("user a on\nuser a off\n") == "-ERR WARNING: Duplicate user 'a' found on line 2. " + end);
  CHECK(load("user a (+get\n") == "-ERR users.acl:1: Unmatched parenthesis in selector definition. " + end);
  f.server.acl_file_error = "Error loading ACLs, opening file 'users.acl': No such file or directory";
  CHECK(load("") == "-ERR " + f.server.acl_file_error + "\r\n");
  CHECK(f.Run("ACL SAVE") ==
        "-ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information\r\n");

  // Without a line of its own the default user is as it was at first.
  f.server.acl_file_error.clear();
  f.Run("ACL SETUSER default >x");
  f.server.acl_file = "user alice on\n";
  CHECK(f.Run("ACL LOAD") == kOk);
  CHECK(Has(f.Run("ACL LIST"), Bulk("user default on nopass ~* &* +@all")));
}

TEST_CASE("Users of configuration files", "[acl]") {
  CommandFixture f;
  Acl& acl = f.engine.acl;
  CHECK(acl.DefineUsers({{"alice", "on", ">p", "(+get", "~a)"}, {"default", "on", ">x", "+get"}}) == "");
  CHECK(acl.Find("alice") != nullptr);
  CHECK(acl.AuthRequired());
  CHECK_FALSE(acl.default_user().IsUnlimited());
  const AclCommands& commands = acl.commands();
  CHECK(Acl::CheckDefinition(commands, {"bob", "bad"}) == "Error in user declaration 'bob': Syntax error");
  CHECK(Acl::CheckDefinition(commands, {"bob", "+foo"}) ==
        "Error in user declaration 'bob', rule '+foo': Unknown command or category name in ACL");
  CHECK(Acl::CheckDefinition(commands, {"b b"}) == "Spaces not allowed in ACL usernames");
  CHECK(Acl::CheckDefinition(commands, {"bob", "(+get"}) ==
        "Unmatched parenthesis in acl selector starting at '(+get'.");
}

TEST_CASE("requirepass is the default user's password", "[acl]") {
  CommandFixture f;
  CHECK(f.Run("CONFIG SET requirepass foo") == kOk);
  CHECK(f.engine.acl.AuthRequired());
  CHECK(Has(f.Run("ACL LIST"),
            "user default on #2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"));
  f.Run("ACL SETUSER default nopass >bar");
  // As Redis 7.0: what has not changed is not applied again.
  CHECK(f.Run("CONFIG SET requirepass foo") == kOk);
  CHECK(f.engine.acl.Authenticate("default", "bar") != nullptr);
  CHECK(f.Run("CONFIG SET requirepass foo2") == kOk);
  CHECK(f.engine.acl.Authenticate("default", "bar") == nullptr);
  CHECK(f.engine.acl.Authenticate("default", "foo2") != nullptr);
  CHECK(f.Do({"CONFIG", "SET", "requirepass", ""}) == kOk);
  CHECK_FALSE(f.engine.acl.AuthRequired());
}

TEST_CASE("A default user that is off lets nobody in without another user", "[acl]") {
  CommandFixture f;
  f.Run("ACL SETUSER admin on >p +@all ~* &*");
  f.Run("ACL SETUSER default off");
  f.engine.acl.MakeDefault(f.session(1));
  CHECK(f.RunAs(1, "PING") == "-NOAUTH Authentication required.\r\n");
  CHECK(f.RunAs(1, "AUTH default x") == kWrongPass);
  CHECK(f.RunAs(1, "HELLO 3 AUTH admin p").starts_with("%7\r\n"));
  CHECK(f.RunAs(1, "ACL WHOAMI") == Bulk("admin"));
  CHECK(f.Run("CLIENT KILL USER nobody") == "-ERR No such user 'nobody'\r\n");
  CHECK(f.Run("CLIENT KILL USER admin") == ":1\r\n");
}

}  // namespace pinyon
