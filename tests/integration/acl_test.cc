// Access control with several connections, with files, and over restarts.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "integration/data_folder.h"
#include "integration/server_fixture.h"
#include "support/temporary_folder.h"

namespace pinyon::testing {
namespace {

constexpr char kWrongPassword[] = "WRONGPASS invalid username-password pair or user is disabled.";
constexpr char kFile[] = "users.acl";
constexpr char kNoAuth[] = "NOAUTH Authentication required.";
// SHA-256 of "p".
constexpr char kHash[] = "#148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";

std::string NoCommand(const std::string& name) {
  return "NOPERM this user has no permissions to run the '" + name + "' command";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> ListOf(RawClient& client) {
  std::vector<std::string> lines;
  for (const Reply& line : client.Call({"ACL", "LIST"}).elements) lines.push_back(line.text);
  return lines;
}

// The same without the flag that a default user has once it was read from a file.
std::vector<std::string> RulesOf(RawClient& client) {
  std::vector<std::string> lines = ListOf(client);
  for (std::string& line : lines) {
    const std::string flag = " sanitize-payload";
    if (const size_t place = line.find(flag); place != std::string::npos) line.erase(place, flag.size());
  }
  return lines;
}

RawClient LoginAs(ServerProcess& server, const std::string& user) {
  RawClient client = server.Connect();
  REQUIRE(TextOf(client.Call({"AUTH", user, "p"})) == "OK");
  return client;
}

bool IsOpen(RawClient& client) {
  try {
    return TextOf(client.Call({"PING"})) == "PONG";
  } catch (const ClientError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("users log in and are kept to their rules", "[acl][redis-ok]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  REQUIRE(TextOf(admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+get", "+set", "~a*", "+client|list"})) ==
          "OK");
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"AUTH", "u", "wrong"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"AUTH", "u", "p"})) == "OK");
  CHECK(TextOf(client.Call({"SET", "a", "1"})) == "OK");
  CHECK(TextOf(client.Call({"DEL", "a"})) == NoCommand("del"));
  CHECK(TextOf(client.Call({"GET", "b"})) ==
        "NOPERM this user has no permissions to access one of the keys used as arguments");
  CHECK(Has(TextOf(client.Call({"CLIENT", "LIST"})), " user=u "));
  // A changed rule holds for the next command, of connections that were there before, too.
  REQUIRE(TextOf(admin.Call({"ACL", "SETUSER", "u", "+del", "-get"})) == "OK");
  CHECK(client.Call({"DEL", "a"}).Integer() == 1);
  CHECK(TextOf(client.Call({"GET", "a"})) == NoCommand("get"));
  // What is off keeps those out who come; who is in stays.
  REQUIRE(TextOf(admin.Call({"ACL", "SETUSER", "u", "off"})) == "OK");
  CHECK(client.Call({"DEL", "a"}).Integer() == 0);
  CHECK(TextOf(client.Call({"AUTH", "u", "p"})) == kWrongPassword);
  CHECK(TextOf(client.Call({"ACL", "WHOAMI"})) == NoCommand("acl|whoami"));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("refusals are counted in INFO and reset with it", "[acl][pinyon]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+get", "+publish", "~a*"});
  RawClient client = LoginAs(*server, "u");
  client.Call({"AUTH", "u", "x"});
  client.Call({"GET", "b"});
  client.Call({"PUBLISH", "c", "x"});
  client.Call({"DEL", "a"});
  for (const char* name : {"auth", "cmd", "key", "channel"}) {
    CHECK(InfoField(admin, std::string("acl_access_denied_") + name) == "1");
  }
  CHECK(TextOf(admin.Call({"CONFIG", "RESETSTAT"})) == "OK");
  for (const char* name : {"auth", "cmd", "key", "channel"}) {
    CHECK(InfoField(admin, std::string("acl_access_denied_") + name) == "0");
  }
  const Reply log = admin.Call({"ACL", "LOG"});
  REQUIRE(log.elements.size() == 4);
  CHECK(log.elements[0].elements[7].text == "del");
  CHECK(log.elements[0].elements.size() == 20);
}

TEST_CASE("clients of deleted users are closed, others are not", "[acl][redis-ok]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  for (const char* name : {"alice", "bob"}) {
    admin.Call({"ACL", "SETUSER", name, "on", ">p", "+@all", "~*", "&*"});
  }
  RawClient alice = LoginAs(*server, "alice"), bob = LoginAs(*server, "bob"),
            waiting = LoginAs(*server, "alice");
  waiting.SendCommand({"BLPOP", "k", "0"});
  RawClient pipelining = LoginAs(*server, "alice");
  CHECK(admin.Call({"ACL", "DELUSER", "alice"}).Integer() == 1);
  CHECK(alice.WaitForClose(5000));
  CHECK(waiting.WaitForClose(5000));
  CHECK(pipelining.WaitForClose(5000));
  CHECK(IsOpen(bob));
  CHECK(IsOpen(admin));
  // Whoever deletes itself is told so first.
  CHECK(bob.Call({"ACL", "DELUSER", "bob"}).Integer() == 1);
  CHECK(bob.WaitForClose(5000));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("a user that deletes itself within a pipeline runs nothing more", "[acl][pinyon]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+@all", "~*", "&*"});
  RawClient client = LoginAs(*server, "u");
  client.Send(EncodeCommand({"ACL", "DELUSER", "u"}) + EncodeCommand({"SET", "k", "v"}));
  CHECK(client.ReadReply().Integer() == 1);
  CHECK(client.WaitForClose(5000));
  CHECK(admin.Call({"EXISTS", "k"}).Integer() == 0);
}

TEST_CASE("a subscriber that loses its channel is closed", "[acl][redis-ok]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+@all", "~*", "&ch1", "&p*"});
  RawClient channel = LoginAs(*server, "u"), pattern = LoginAs(*server, "u"), idle = LoginAs(*server, "u");
  channel.Call({"SUBSCRIBE", "ch1"});
  pattern.Call({"PSUBSCRIBE", "p*"});
  admin.Call({"ACL", "SETUSER", "u", "resetchannels", "&ch*", "&p*"});
  CHECK(Has(Print(channel.Call({"PING"})), "pong"));
  admin.Call({"ACL", "SETUSER", "u", "resetchannels", "&ch*"});
  CHECK(pattern.WaitForClose(5000));
  CHECK(Has(Print(channel.Call({"PING"})), "pong"));
  admin.Call({"ACL", "SETUSER", "u", "resetchannels"});
  CHECK(channel.WaitForClose(5000));
  CHECK(IsOpen(idle));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("one that takes its own channel away is answered, then closed", "[acl][pinyon]") {
  auto server = Launch();
  server->Connect().Call({"ACL", "SETUSER", "u", "on", ">p", "+@all", "~*", "&*"});
  RawClient client = LoginAs(*server, "u");
  client.Call({"HELLO", "3"});
  client.Call({"SUBSCRIBE", "zz"});
  CHECK(TextOf(client.Call({"ACL", "SETUSER", "u", "resetchannels"})) == "OK");
  CHECK(client.WaitForClose(5000));
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("CLIENT KILL USER closes the clients of that user", "[acl][redis-ok]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+@all"});
  RawClient first = LoginAs(*server, "u"), second = LoginAs(*server, "u"), other = server->Connect();
  CHECK(TextOf(admin.Call({"CLIENT", "KILL", "USER", "nobody"})) == "ERR No such user 'nobody'");
  CHECK(admin.Call({"CLIENT", "KILL", "USER", "u"}).Integer() == 2);
  CHECK(first.WaitForClose(5000));
  CHECK(second.WaitForClose(5000));
  CHECK(IsOpen(other));
}

TEST_CASE("a blocked client is asked again when it is served", "[acl][pinyon]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+@all", "~*"});
  RawClient client = LoginAs(*server, "u");
  client.SendCommand({"BLPOP", "k", "0"});
  while (!Has(TextOf(admin.Call({"CLIENT", "LIST"})), "flags=b")) {
  }
  admin.Call({"ACL", "SETUSER", "u", "-blpop"});
  CHECK(admin.Call({"LPUSH", "k", "1"}).Integer() == 1);
  CHECK(TextOf(client.ReadReply()) == NoCommand("blpop"));
  CHECK(admin.Call({"LLEN", "k"}).Integer() == 1);
}

TEST_CASE("an ACL file is loaded, saved, and refused when it is wrong", "[acl][redis-ok]") {
  TemporaryFolder folder;
  const std::string path = folder.At(kFile);
  folder.Put(kFile, "user alice on >p ~* +@all\nuser bob on >p ~* +@all\nuser carol on nopass +@all ~*\n");
  auto server = LaunchWith({"--aclfile", path});
  RawClient admin = server->Connect();
  CHECK(ListOf(admin) ==
        std::vector<std::string>{"user alice on " + std::string(kHash) + " ~* resetchannels +@all",
                                 "user bob on " + std::string(kHash) + " ~* resetchannels +@all",
                                 "user carol on nopass ~* resetchannels +@all",
                                 "user default on nopass ~* &* +@all"});
  RawClient bob = LoginAs(*server, "bob"), carol = LoginAs(*server, "carol");
  folder.Put(kFile, "user alice on >p ~a (+get ~k)\nuser bob on >p2 ~* +@all\n");
  CHECK(TextOf(admin.Call({"ACL", "LOAD"})) == "OK");
  CHECK(bob.WaitForClose(5000));
  CHECK(carol.WaitForClose(5000));
  CHECK(IsOpen(admin));
  const std::vector<std::string> loaded = ListOf(admin);
  CHECK(loaded.size() == 3);

  folder.Put(kFile, "user alice on >p ~* +@all +bad\nbogus\n");
  CHECK(TextOf(admin.Call({"ACL", "LOAD"})) ==
        "ERR " + path + ":1: Error in applying operation '+bad': Unknown command or category name in ACL. " +
            path +
            ":2 should start with user keyword followed by the username. WARNING: ACL errors detected, no "
            "change "
            "to the previously active ACL rules was performed");
  CHECK(ListOf(admin) == loaded);
  CHECK(TextOf(admin.Call({"ACL", "SAVE"})) == "OK");
  std::string expected;
  for (const std::string& line : loaded) expected += line + "\n";
  CHECK(folder.Get(kFile) == expected);
  CHECK(TextOf(admin.Call({"ACL", "LOAD"})) == "OK");
  CHECK(ListOf(admin) == loaded);
  CHECK(Has(TextOf(admin.Call({"CONFIG", "SET", "aclfile", "x"})), "can't set immutable config"));

  std::remove(path.c_str());
  CHECK(TextOf(admin.Call({"ACL", "LOAD"})) ==
        "ERR Error loading ACLs, opening file '" + path + "': No such file or directory");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("saving keeps the mode of the ACL file", "[acl][pinyon]") {
  TemporaryFolder folder;
  const std::string path = folder.At(kFile);
  folder.Put(kFile, "");
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  auto server = LaunchWith({"--aclfile", path});
  RawClient admin = server->Connect();
  CHECK(TextOf(admin.Call({"ACL", "SAVE"})) == "OK");
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  REQUIRE(unlink(path.c_str()) == 0);
  CHECK(TextOf(admin.Call({"ACL", "SAVE"})) == "OK");
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(folder.Get(kFile) == "user default on nopass ~* &* +@all\n");
}

TEST_CASE("ACL SAVE that fails leaves the file as it was", "[acl][redis-ok]") {
  TemporaryFolder folder;
  folder.Put("inner/users.acl", "user alice on\n");
  auto server = LaunchWith({"--aclfile", folder.At("inner/users.acl")});
  RawClient admin = server->Connect();
  REQUIRE(rename(folder.At("inner").c_str(), folder.At("moved").c_str()) == 0);
  CHECK(TextOf(admin.Call({"ACL", "SAVE"})) ==
        "ERR There was an error trying to save the ACLs. Please check the server logs for more information");
  CHECK(folder.Get("moved/users.acl") == "user alice on\n");
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("wrong ACL files and both places at once end the start", "[acl][redis-ok]") {
  TemporaryFolder folder;
  const std::string path = folder.At(kFile);
  std::string config, complaint;
  SECTION("a rule that is none") {
    folder.Put(kFile, "user alice on bad\n");
    config = "aclfile " + path + "\n";
    complaint = "users.acl:1: Syntax error. WARNING: ACL errors detected";
  }
  SECTION("no such file") {
    config = "aclfile " + path + "\n";
    complaint = "Error loading ACLs, opening file '" + path + "': No such file or directory";
  }
  SECTION("both") {
    folder.Put(kFile, "user alice on\n");
    config = "user bob on\naclfile " + path + "\n";
    complaint = "please define either an ACL file or declare users directly in your redis.conf, but not both";
  }
  SECTION("a user twice") {
    config = "user bob on\nuser bob off\n";
    complaint = "Error in user declaration 'bob': Duplicate user found.";
  }
  auto server = Launch({.config_text = config, .wait_until_ready = false});
  REQUIRE(server->WaitForExit(10000) == 1);
  CHECK(Has(server->LogText(), complaint));
}

TEST_CASE("a user line that is wrong is shown with its place", "[acl][pinyon]") {
  const auto [line, complaint] = GENERATE(table<std::string, std::string>(
      {{"user bob on bad", "Error in user declaration 'bob': Syntax error"},
       {"user bob on +foo", "Error in user declaration 'bob', rule '+foo': Unknown command or category"},
       {"user bob on (+get ~a", "Unmatched parenthesis in acl selector starting at '(+get'."},
       {"user 'b b' on", "Spaces not allowed in ACL usernames"},
       {"user", "Bad directive or wrong number of arguments"}}));
  auto server = Launch({.config_text = "# first\n" + line + "\n", .wait_until_ready = false});
  INFO(line);
  REQUIRE(server->WaitForExit(10000) == 1);
  CHECK(Has(server->ErrorText(), "at line 2"));
  CHECK(Has(server->ErrorText(), complaint));
}

TEST_CASE("user lines are obeyed and rewritten", "[acl][redis-ok]") {
  const std::string user_line = "user alice on >p ~* +@all (+get ~k)\n";
  auto server = Launch({.config_text = user_line + "requirepass foo\nuser bob off\n# tail\n"});
  RawClient admin = server->Connect();
  CHECK(TextOf(admin.Call({"PING"})) == kNoAuth);
  REQUIRE(TextOf(admin.Call({"AUTH", "foo"})) == "OK");
  admin.Call({"ACL", "DELUSER", "bob"});
  admin.Call({"ACL", "SETUSER", "zed", "on", "+get", "(+set ~k)"});
  REQUIRE(TextOf(admin.Call({"CONFIG", "REWRITE"})) == "OK");
  const std::string text = ReadFile(server->folder() + "/server.conf");
  const std::vector<std::string> lines = ListOf(admin);
  REQUIRE(lines.size() == 3);
  for (const std::string& line : lines) CHECK(Has(text, line + "\n"));
  CHECK_FALSE(Has(text, "user bob"));
  CHECK(Has(text, "requirepass \"foo\"\n"));

  auto again = Launch({.config_text = text});
  RawClient client = again->Connect();
  REQUIRE(TextOf(client.Call({"AUTH", "foo"})) == "OK");
  CHECK(RulesOf(client) == lines);
}

TEST_CASE("names and patterns with quotes survive CONFIG REWRITE", "[acl][pinyon]") {
  auto server = Launch({.config_text = "# empty\n"});
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "a\"b", "on", "~it's", "~\xff\x01", "&\"", "+get"});
  REQUIRE(TextOf(admin.Call({"CONFIG", "REWRITE"})) == "OK");
  const std::vector<std::string> lines = ListOf(admin);
  auto again = Launch({.config_text = ReadFile(server->folder() + "/server.conf")});
  RawClient client = again->Connect();
  CHECK(RulesOf(client) == lines);
}

TEST_CASE("with an ACL file no users are written into the configuration", "[acl][redis-ok]") {
  TemporaryFolder folder;
  const std::string path = folder.At(kFile);
  folder.Put(kFile, "user alice on\n");
  auto server = Launch({.config_text = "aclfile " + path + "\n"});
  RawClient admin = server->Connect();
  REQUIRE(TextOf(admin.Call({"CONFIG", "REWRITE"})) == "OK");
  CHECK_FALSE(Has(ReadFile(server->folder() + "/server.conf"), "user "));
}

TEST_CASE("acl-pubsub-default holds for users of files, wherever it stands", "[acl][redis-ok]") {
  const std::string config =
      GENERATE("acl-pubsub-default allchannels\nuser u on\n", "user u on\nacl-pubsub-default allchannels\n");
  auto server = Launch({.config_text = config});
  RawClient admin = server->Connect();
  CHECK(ListOf(admin) ==
        std::vector<std::string>{"user default on nopass ~* &* +@all", "user u on &* -@all"});
}

TEST_CASE("a default user that is off keeps new clients out until they log in", "[acl][redis-ok]") {
  auto server = Launch({.config_text = "user admin on >p +@all ~* &*\nuser default off\n"});
  RawClient client = server->Connect();
  CHECK(TextOf(client.Call({"PING"})) == kNoAuth);
  CHECK(TextOf(client.Call({"AUTH", "default", ""})) == kWrongPassword);
  // The limits of those who have not logged in hold for all of them.
  RawClient big = server->Connect();
  big.Send("*11\r\n");
  CHECK(TextOf(big.ReadReply()) == "ERR Protocol error: unauthenticated multibulk length");
  CHECK(TextOf(client.Call({"AUTH", "admin", "p"})) == "OK");
  CHECK(TextOf(client.Call({"ACL", "SETUSER", "default", "on", "nopass", "-@all", "+ping"})) == "OK");
  RawClient guest = server->Connect();
  CHECK(TextOf(guest.Call({"PING"})) == "PONG");
  CHECK(TextOf(guest.Call({"GET", "k"})) == NoCommand("get"));
  CHECK(server->Stop() == 0);
}

TEST_CASE("what an unauthenticated client makes the server keep is bounded", "[acl][pinyon]") {
  auto server = LaunchWith({"--requirepass", "secret", "--acllog-max-len", "4"});
  RawClient client = server->Connect();
  for (int i = 0; i < 50; ++i) {
    const std::string name = std::to_string(i) + std::string(16000, 'u');
    CHECK(TextOf(client.Call({"AUTH", name, std::string(16000, 'p')})) == kWrongPassword);
  }
  CHECK(TextOf(client.Call({"AUTH", "secret"})) == "OK");
  CHECK(client.Call({"ACL", "LOG", "100"}).elements.size() == 4);
}

TEST_CASE("whoever has not logged in is cut off for not reading its errors", "[acl][pinyon]") {
  auto server = LaunchWith({"--requirepass", "secret"});
  RawClient admin = server->Connect();
  REQUIRE(TextOf(admin.Call({"AUTH", "secret"})) == "OK");
  RawClient client = server->Connect();
  std::string block;
  for (int i = 0; i < 1000; ++i) block += "PING\r\n";
  bool closed = false;
  // What the kernel keeps for the socket comes first.
  for (int i = 0; i < 5000 && !closed; ++i) {
    try {
      client.Send(block);
    } catch (const ClientError& error) {
      closed = error.kind == ClientError::Kind::kClosed;
      if (!closed) throw;
    }
  }
  CHECK(closed);
  CHECK(InfoField(admin, "client_output_buffer_limit_disconnections") == "1");
}

TEST_CASE("rules are checked while many clients work and rules change", "[acl][pinyon]") {
  auto server = Launch();
  RawClient admin = server->Connect();
  admin.Call({"ACL", "SETUSER", "u", "on", ">p", "+@all", "~*", "&*"});
  std::vector<RawClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(LoginAs(*server, "u"));
  for (int round = 0; round < 50; ++round) {
    const bool allowed = round % 2 == 0;
    REQUIRE(TextOf(admin.Call({"ACL", "SETUSER", "u", allowed ? "+set" : "-set"})) == "OK");
    for (RawClient& client : clients) client.Send(EncodeCommand({"SET", "k", "v"}) + EncodeCommand({"PING"}));
    for (RawClient& client : clients) {
      CHECK(TextOf(client.ReadReply()) == (allowed ? "OK" : NoCommand("set")));
      CHECK(TextOf(client.ReadReply()) == "PONG");
    }
  }
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
