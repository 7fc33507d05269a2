// Commands about the connection itself: AUTH, HELLO, PING, ECHO, QUIT, RESET. (CLIENT is in client.cc, SELECT
// in database.cc.)
#include <string>

#include "commands/client_name.h"
#include "commands/families.h"
#include "engine/call.h"
#include "engine/dispatcher.h"
#include "engine/session_subscriber.h"

namespace pinyon {

namespace {

constexpr std::string_view kErrWrongPassword =
    "WRONGPASS invalid username-password pair or user is disabled.";
constexpr std::string_view kErrNoPassword =
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
    "configuration is correct?";
constexpr std::string_view kErrHelloNoAuth =
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> "
    "<pass> option "
    "can be used to authenticate the client and select the RESP protocol version at the same time";

// Makes the session `user`'s; on failure replies the error and returns false.
bool Authenticate(Call& call, std::string_view name, std::string_view password) {
  Acl& acl = call.engine.acl;
  AclUser* user = acl.Authenticate(name, password);
  if (user == nullptr) {
    ++call.engine.stats.auth_failures;
    acl.LogFailedLogin(call.session, call.args, name, call.now_ms());
    return call.Fail(kErrWrongPassword);
  }
  acl.Login(call.session, *user);
  return true;
}

// AUTH [username] password
void Auth(Call& call) {
  if (call.argc() > 3) {
    call.SyntaxError();
    return;
  }
  const bool has_user = call.argc() == 3;
  if (!has_user && call.engine.acl.default_user().nopass()) {
    call.reply.Error(kErrNoPassword);
    return;
  }
  if (Authenticate(call, has_user ? call.args[1] : "default", call.args[call.argc() - 1])) call.reply.Ok();
}

// The options of HELLO take effect one by one, as in Redis: a later error does not undo an earlier one.
bool HelloOptions(Call& call) {
  for (size_t i = 2; i < call.argc(); ++i) {
    const size_t behind = call.argc() - 1 - i;
    if (call.Is(i, "auth") && behind >= 2) {
      if (!Authenticate(call, call.args[i + 1], call.args[i + 2])) return false;
      i += 2;
    } else if (call.Is(i, "setname") && behind >= 1) {
      if (!SetClientName(call, call.args[i + 1])) return false;
      i += 1;
    } else {
      return call.Fail("ERR Syntax error in HELLO option '" +
                       std::string(call.args[i].substr(0, call.args[i].find('\0'))) + "'");
    }
  }
  return true;
}

// HELLO [protover [AUTH username password] [SETNAME clientname]]
void Hello(Call& call) {
  int64_t version = 0;
  if (call.argc() >= 2) {
    if (!call.Int(1, &version, "ERR Protocol version is not an integer or out of range")) return;
    if (version < 2 || version > 3) {
      call.reply.Error("NOPROTO unsupported protocol version");
      return;
    }
  }
  if (!HelloOptions(call)) return;
  if (!call.session.authenticated && call.engine.acl.AuthRequired()) {
    call.reply.Error(kErrHelloNoAuth);
    return;
  }
  if (version != 0) call.reply.set_resp3(version == 3);

  call.reply.MapHeader(7);
  call.reply.Bulk("server");
  call.reply.Bulk("redis");
  call.reply.Bulk("version");
  call.reply.Bulk("7.2.4");
  call.reply.Bulk("proto");
  call.reply.Integer(call.reply.resp3() ? 3 : 2);
  call.reply.Bulk("id");
  call.reply.Integer(static_cast<int64_t>(call.session.id));
  call.reply.Bulk("mode");
  call.reply.Bulk("standalone");
  call.reply.Bulk("role");
  call.reply.Bulk("master");
  call.reply.Bulk("modules");
  call.reply.EmptyArray();
}

// PING [message]. Among the messages that a RESP2 client listens to it is answered in their form.
void Ping(Call& call) {
  if (call.argc() > 2) {
    call.reply.Error("ERR wrong number of arguments for 'ping' command");
  } else if (call.session.subscriber != nullptr && !call.reply.resp3()) {
    call.reply.ArrayHeader(2);
    call.reply.Bulk("pong");
    call.reply.Bulk(call.argc() == 2 ? call.args[1] : "");
  } else if (call.argc() == 2) {
    call.reply.Bulk(call.args[1]);
  } else {
    call.reply.SimpleString("PONG");
  }
}

// ECHO message
void Echo(Call& call) { call.reply.Bulk(call.args[1]); }

// QUIT
void Quit(Call& call) {
  call.reply.Ok();
  call.session.closing = true;
}

// RESET. What stays is what Redis 7.0 leaves: the library's name and CLIENT NO-EVICT.
void Reset(Call& call) {
  Session& session = call.session;
  DiscardTransaction(call.engine, session);
  EndSubscriptions(call.engine, session);
  call.engine.tracking.TurnOff(session);
  session.database = 0;
  session.name.clear();
  call.engine.acl.MakeDefault(session);
  session.no_touch = false;
  // A CLIENT REPLY SKIP right before silences RESET, too.
  if (session.reply_mode != Session::ReplyMode::kSkipping) session.SetReplyMode(Session::ReplyMode::kOn);
  session.reply.set_resp3(false);
  call.reply.SimpleString("RESET");
}

constexpr uint32_t kHandshake = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy | kEndsBatch;

constexpr CommandSpec kConnectionCommands[] = {
    {.name = "auth",
     .arity = -2,
     .flags = kHandshake,
     .handler = Auth,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(N) where N is the number of passwords defined for the user",
     .summary = "Authenticates the connection.",
     .syntax = "[username] password",
     .history = {{"6.0.0", "Added ACL style (username and password)."}}},
    {.name = "hello",
     .arity = -1,
     .flags = kHandshake,
     .handler = Hello,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.0.0",
     .complexity = "O(1)",
     .summary = "Chooses the protocol, and may authenticate and name the connection.",
     .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
     .history = {{"6.2.0",
                  "`protover` made optional; when called without arguments the command reports the current "
                  "connection's "
                  "context."}}},
    {.name = "ping",
     .arity = -1,
     .flags = kFast | kForSubscribers,
     .handler = Ping,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers PONG, or the message given.",
     .syntax = "[message]",
     .tips = "request_policy:all_shards,response_policy:all_succeeded"},
    {.name = "echo",
     .arity = 2,
     .flags = kLoading | kStale | kFast,
     .handler = Echo,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Answers the message given.",
     .syntax = "message"},
    {.name = "quit",
     .arity = -1,
     .flags = kHandshake | kRunsInMulti | kForSubscribers,
     .handler = Quit,
     .acl = kAclConnection,
     .group = "connection",
     .since = "1.0.0",
     .complexity = "O(1)",
     .summary = "Closes the connection once everything before it was answered."},
    {.name = "reset",
     .arity = 1,
     .flags = kHandshake | kRunsInMulti | kForSubscribers,
     .handler = Reset,
     .acl = kAclConnection,
     .group = "connection",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Makes the connection as it was when it was new."},
};

}  // namespace

std::span<const CommandSpec> ConnectionCommands() { return kConnectionCommands; }

}  // namespace pinyon
