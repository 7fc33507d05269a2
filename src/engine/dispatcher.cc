#include "engine/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/clock.h"
#include "base/strings.h"
#include "engine/session_pushes.h"
#include "engine/session_subscriber.h"

namespace pinyon {

namespace {

// What an unknown command's error repeats of the request, in bytes.
constexpr size_t kMaxQuotedBytes = 128;
// The frozen time is read anew when units have taken about this long since (half a millisecond at 3 GHz).
constexpr uint64_t kTimeValidCycles = 1'500'000;

// What an error repeats of an argument: at most `max_bytes`, and nothing from a zero byte on.
std::string_view Quotable(std::string_view text, size_t max_bytes) {
  return text.substr(0, std::min(max_bytes, text.find('\0')));
}

// The first words of an HTTP request: a web page may make a browser send one to this port, with commands as
// its body.
bool IsCrossProtocol(std::string_view command) {
  const std::string_view word = Quotable(command, kMaxQuotedBytes);
  return EqualsIgnoreCase(word, "post") || EqualsIgnoreCase(word, "host:");
}

}  // namespace

void Dispatcher::UpdateTime() {
  EndTiming();
  engine_.is_loading ? engine_.keyspace.StopTime(WallMs()) : engine_.keyspace.set_now_ms(WallMs());
  time_cycles_ = mark_ = CycleClock::Now();
}

void Dispatcher::Dispatch(Session& session, Command* command, Args args, uint64_t first_key_hash) {
  PINYON_ASSERT(!args.empty() && session.suspension == nullptr);
  session.last_command = command;
  if (!Reject(session, command, args)) {
    if (engine_.pause.mode() != ClientPause::Mode::kNone && MustPostpone(session, *command)) {
      engine_.blocked.Postpone(session, *command, args);
    } else if (session.transaction.active() && MustQueue(*command)) {
      session.transaction.Queue(command, args);
      session.reply.SimpleString("QUEUED");
    } else {
      RunUnit(session, *command, args, first_key_hash);
      CountCall(*command);
      if (engine_.blocked.HasReady()) [[unlikely]]
        ServeBlocked();
    }
    if (mark_ - time_cycles_ > kTimeValidCycles) UpdateTime();
  } else if (session.tracking != nullptr) {
    engine_.tracking.AfterRefusal(session);
  }
  // That of a session which waits goes on with its reply.
  if (session.reply_mode != Session::ReplyMode::kOn && session.suspension == nullptr)
    AdvanceReplyMode(session);
}

void Dispatcher::RunUnit(Session& session, Command& command, Args args, uint64_t first_key_hash) {
  engine_.in_unit = true;
  Execute(session, command, args, first_key_hash);
  engine_.in_unit = false;
  if (engine_.effects.Listening() && engine_.effects.EndUnit())
    session.write_offset = engine_.effects.offset();
}

// CLIENT REPLY SKIP silences the command after it, and only that.
void Dispatcher::AdvanceReplyMode(Session& session) {
  if (session.reply_mode == Session::ReplyMode::kSkipping) {
    session.SetReplyMode(Session::ReplyMode::kOn);
  } else if (session.reply_mode == Session::ReplyMode::kSkipNext) {
    session.SetReplyMode(Session::ReplyMode::kSkipping);
  }
}

void Dispatcher::Run(Session& session, Command& command, Args args, uint64_t first_key_hash) {
  Execute(session, command, args, first_key_hash);
  CountCall(command);
}

void Dispatcher::Refuse(Session& session, std::string_view error) {
  session.reply.Error(error);
  CountErrorCode(session.reply.last_error_code());
}

void Dispatcher::PassOver(Session& session) { AdvanceReplyMode(session); }

// When it is done: what it says of itself does not count it yet (INFO, CONFIG RESETSTAT).
void Dispatcher::CountCall(Command& command) {
  ++command.stats.calls;
  ++engine_.stats.commands_processed;
}

void Dispatcher::Execute(Session& session, Command& command, Args args, uint64_t first_key_hash) {
  PINYON_ASSERT(command.spec->handler != nullptr);
  const uint64_t errors_before = session.reply.error_count();
  StartTiming(command);
  Call call(engine_, session, command, args, first_key_hash);
  if (session.pushes != nullptr) [[unlikely]]
    session.pushes->BeginCommand();
  command.spec->handler(call);
  if (session.pushes != nullptr) [[unlikely]]
    EndPushes(session, command, args);
  if ((command.flags & kFast) == 0) EndTiming();

  if (session.reply.error_count() != errors_before) CountError(session, command);
  if (call.changes() == 0) return;
  engine_.stats.changes_since_save += call.changes();
  if (engine_.effects.Listening() && !call.has_explicit_effect()) engine_.effects.Add(call.db.index(), args);
}

void Dispatcher::EndPushes(Session& session, Command& command, Args args) {
  if (session.tracking != nullptr) engine_.tracking.AfterCommand(session, command, args);
  session.pushes->EndCommand();
}

// --- suspended sessions ---

void Dispatcher::ServeBlocked() {
  for (;;) {
    Session* session = engine_.blocked.NextToServe();
    if (session == nullptr && NextLineUs() == WaitingLines::kAtOnce) {
      session = engine_.blocked.lines().NextDue(WaitingLines::kAtOnce);
    }
    if (session == nullptr) return;
    RunAgain(*session);
    if (mark_ - time_cycles_ > kTimeValidCycles) UpdateTime();
  }
}

// What those who stand in line do is a write.
int64_t Dispatcher::NextLineUs() const {
  const bool paused = engine_.pause.mode() != ClientPause::Mode::kNone;
  return paused ? BlockedClients::kNever : engine_.blocked.lines().next_wake_us();
}

bool Dispatcher::ServeLines(int64_t now_us, size_t max) {
  UpdateTime();
  for (; NextLineUs() <= now_us; --max) {
    if (max == 0) return true;
    Session* session = engine_.blocked.lines().NextDue(now_us);
    if (session == nullptr) return false;
    RunAgain(*session);
    ServeBlocked();
  }
  return false;
}

// The call was counted when it began to wait.
void Dispatcher::RunAgain(Session& session) {
  Suspension& suspension = *session.suspension;
  Command& command = suspension.request.command();
  const Args args = suspension.request.args();
  suspension.goes_on = false;
  // What the session may do can have changed while it waited.
  const bool denied = session.access_limited && RejectByAccess(session, command, args);
  if (!denied) RunUnit(session, command, args, 0);
  if (!suspension.goes_on) Resume(session);
}

// Not a unit of its own: it may happen within somebody else's (CLIENT UNBLOCK, CONFIG SET), and has no
// effects.
void Dispatcher::LookAgain(Session& session) {
  Suspension& suspension = *session.suspension;
  PINYON_ASSERT(suspension.kind == Suspension::Kind::kLog || suspension.is_over);
  suspension.goes_on = false;
  Execute(session, suspension.request.command(), suspension.request.args(), 0);
  if (!suspension.goes_on) Resume(session);
}

bool Dispatcher::ServeLogWaiters(size_t max) {
  if (engine_.persistence == nullptr) return false;
  for (; engine_.blocked.AwaitsLog(); --max) {
    if (!engine_.persistence->IsSynced(engine_.blocked.next_log_offset())) return false;
    if (max == 0) return true;
    Session& session = engine_.blocked.next_for_log();
    LookAgain(session);
    PINYON_ASSERT(session.suspension == nullptr);
  }
  return false;
}

void Dispatcher::OnLogTurnedOff() {
  for (Session* session : engine_.blocked.AllForLog()) LookAgain(*session);
}

void Dispatcher::EndWaiting(Session& session, std::string_view error) {
  PINYON_ASSERT(session.suspension != nullptr);
  Command& command = session.suspension->request.command();
  const Suspension::Kind kind = session.suspension->kind;
  if (error.empty() && (kind == Suspension::Kind::kLog || kind == Suspension::Kind::kLine)) {
    session.suspension->is_over = true;
    return LookAgain(session);
  }
  if (error.empty()) {
    session.reply.NullArray();
  } else {
    session.reply.Error(error);
    CountError(session, command);
  }
  Resume(session);
}

void Dispatcher::UpdatePause() {
  engine_.pause.Update(MonotonicUs());
  engine_.keyspace.set_hides_expired_only(engine_.is_loading ||
                                          engine_.pause.mode() != ClientPause::Mode::kNone);
}

bool Dispatcher::MustPostpone(const Session& session, const Command& command) const {
  constexpr uint32_t kMayWrite = kWrite | kMayReplicate;
  if (engine_.pause.mode() == ClientPause::Mode::kAll || (command.flags & kMayWrite) != 0) return true;
  if (std::string_view(command.spec->name) != "exec") return false;
  for (size_t i = 0; i < session.transaction.size(); ++i) {
    if ((session.transaction.command(i)->flags & kMayWrite) != 0) return true;
  }
  return false;
}

bool Dispatcher::RunPostponed(size_t max) {
  UpdateTime();
  std::unique_ptr<Suspension> suspension;
  for (; max > 0; --max) {
    Session* session = engine_.blocked.TakePostponed(&suspension);
    if (session == nullptr) return false;
    if (session->closing) continue;
    Dispatch(*session, &suspension->request.command(), suspension->request.args(), 0);
    if (session->suspension == nullptr) engine_.server.OnSessionResumed(*session);
  }
  return true;
}

bool Dispatcher::TimeOutBlocked(int64_t now_us, size_t max) {
  if (engine_.blocked.FirstOverdue(now_us) == nullptr) return false;
  UpdateTime();  // a last look may depend on it
  for (; max > 0; --max) {
    Session* session = engine_.blocked.FirstOverdue(now_us);
    if (session == nullptr) return false;
    EndWaiting(*session);
  }
  return engine_.blocked.FirstOverdue(now_us) != nullptr;
}

void Dispatcher::Resume(Session& session) {
  engine_.blocked.Release(session);
  if (session.reply_mode != Session::ReplyMode::kOn) AdvanceReplyMode(session);
  engine_.server.OnSessionResumed(session);
}

void Dispatcher::StartTiming(Command& command) {
  if (timed_ == &command) return;
  EndTiming();
  timed_ = &command;
}

void Dispatcher::EndTiming() {
  const uint64_t now = CycleClock::Now();
  if (timed_ != nullptr) timed_->cycles += now - mark_;
  timed_ = nullptr;
  mark_ = now;
}

void Dispatcher::CountError(Session& session, Command& command) {
  ++command.stats.failed;
  CountErrorCode(session.reply.last_error_code());
}

void Dispatcher::CountErrorCode(std::string_view code) {
  // A client must not fill memory with codes of its own making (DEBUG ERROR, scripts).
  constexpr size_t kMaxCodes = 128;
  ++engine_.stats.error_replies;
  auto& counts = engine_.stats.errors_by_code;
  const auto it = counts.find(code);
  if (it != counts.end()) {
    ++it->second;
  } else if (counts.size() < kMaxCodes) {
    counts.emplace(code, 1);
  }
}

bool Dispatcher::Reject(Session& session, Command* command, Args args) {
  if (command == nullptr) {
    RejectUnknown(session, args);
    return true;
  }
  const int argc = static_cast<int>(args.size());
  const int arity = command->spec->arity;
  if ((arity > 0 && arity != argc) || argc < -arity) {
    RejectWith(session, command,
               fmt::format("ERR wrong number of arguments for '{}' command", command->name));
    return true;
  }
  if ((command->flags & kProtectedDebug) != 0 &&
      !IsPermitted(engine_.options.enable_debug_command, session)) {
    RejectWith(
        session, command,
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run "
        "it from a local connection, otherwise you need to set this option in the configuration file, and "
        "then restart the server.");
    return true;
  }
  if (!session.authenticated && engine_.acl.AuthRequired() && (command->flags & kNoAuth) == 0) {
    RejectWith(session, command, "NOAUTH Authentication required.");
    return true;
  }
  if (session.transaction.active() && (command->flags & kNoMulti) != 0) {
    RejectWith(session, command, "ERR Command not allowed inside a transaction");
    return true;
  }
  if (session.access_limited) [[unlikely]] {
    if (RejectByAccess(session, *command, args)) return true;
  }
  if (engine_.memory_limit.enabled() && RejectByMemory(session, command)) return true;
  if (engine_.IsLimited() && RejectByState(session, command)) return true;
  return session.subscriber != nullptr && RejectSubscriber(session, command);
}

AclDecision Dispatcher::CheckAccess(Session& session, Command& command, Args args) {
  using Verdict = AclDecision::Verdict;
  const AclDecision decision = engine_.acl.Check(session, command, args);
  if (decision.allowed()) return decision;
  EngineStats& stats = engine_.stats;
  if (decision.verdict == Verdict::kCommand) ++stats.denied_commands;
  if (decision.verdict == Verdict::kKey) ++stats.denied_keys;
  if (decision.verdict == Verdict::kChannel) ++stats.denied_channels;
  engine_.acl.LogDenial(session, command, args, decision, engine_.keyspace.now_ms());
  return decision;
}

bool Dispatcher::RejectByAccess(Session& session, Command& command, Args args) {
  using Verdict = AclDecision::Verdict;
  const AclDecision decision = CheckAccess(session, command, args);
  switch (decision.verdict) {
    case Verdict::kAllowed: return false;
    case Verdict::kCommand:
      RejectWith(session, &command,
                 fmt::format("NOPERM this user has no permissions to run the '{}' command", command.name));
      return true;
    case Verdict::kKey:
      RejectWith(session, &command,
                 "NOPERM this user has no permissions to access one of the keys used as arguments");
      return true;
    case Verdict::kChannel:
      RejectWith(session, &command,
                 "NOPERM this user has no permissions to access one of the channels used as arguments");
      return true;
  }
  return true;
}

bool Dispatcher::DenyInExec(Session& session, Command& command, Args args) {
  using Verdict = AclDecision::Verdict;
  if (!session.access_limited) return false;
  const AclDecision decision = CheckAccess(session, command, args);
  if (decision.allowed()) return false;
  const std::string_view reason =
      decision.verdict == Verdict::kCommand ? "no permission to execute the command or subcommand"
      : decision.verdict == Verdict::kKey   ? "no permission to touch the specified keys"
                                            : "no permission to access one of the channels used as arguments";
  ++command.stats.rejected;
  Refuse(
      session,
      fmt::format(
          "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. "
          "This command is no longer allowed for the following reason: {}",
          reason));
  return true;
}

// In RESP2 a reply could not be told from a message.
bool Dispatcher::RejectSubscriber(Session& session, Command* command) {
  if (session.reply.resp3() || (command->flags & kForSubscribers) != 0) return false;
  RejectWith(session, command,
             fmt::format("ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / "
                         "RESET are allowed in this context",
                         command->name));
  return true;
}

// Makes room for the command. Where there is none, what may need some is refused; so is what would be queued,
// since a transaction may grow without end.
bool Dispatcher::RejectByMemory(Session& session, Command* command) {
  if (engine_.memory_limit.MakeRoom() != MemoryLimit::Room::kNone) return false;
  bool needs_room = (command->flags & kDenyOom) != 0;
  if (session.transaction.active()) {
    const std::string_view name = command->spec->name;
    if (name == "exec") {
      needs_room = session.transaction.MayGrow();
    } else {
      needs_room = name != "discard" && name != "quit" && name != "reset";
    }
  }
  if (needs_room) RejectWith(session, command, "OOM command not allowed when used memory > 'maxmemory'.");
  return needs_room;
}

// While the server loads, or cannot keep what would be written.
bool Dispatcher::RejectByState(Session& session, Command* command) {
  const std::string_view name = command->spec->name;
  const bool writes =
      (command->flags & kWrite) != 0 || name == "ping" || (name == "exec" && session.transaction.HasWrites());
  if (writes && !engine_.write_refusal.empty()) {
    RejectWith(session, command, engine_.write_refusal);
    return true;
  }
  if (!engine_.is_loading || (command->flags & kLoading) != 0) return false;
  RejectWith(session, command, "LOADING Redis is loading the dataset in memory");
  return true;
}

bool IsPermitted(EngineOptions::Permission permission, const Session& session) {
  using Permission = EngineOptions::Permission;
  return permission == Permission::kYes || (permission == Permission::kLocal && session.is_local);
}

void Dispatcher::RejectWith(Session& session, Command* command, std::string_view error) {
  if (session.transaction.active()) session.transaction.SetError();
  if (command != nullptr) ++command->stats.rejected;
  if (command != nullptr && std::string_view(command->spec->name) == "exec") {
    // A refused EXEC ends its transaction all the same.
    DiscardTransaction(engine_, session);
    if (error.starts_with("ERR ")) error.remove_prefix(4);
    return Refuse(session, fmt::format("EXECABORT Transaction discarded because of: {}", error));
  }
  Refuse(session, error);
}

// Nothing more is executed or answered, not even what came before.
void Dispatcher::AbortAttack(Session& session) {
  constexpr int64_t kLogIntervalMs = 60'000;
  if (const int64_t now_ms = engine_.keyspace.now_ms(); now_ms - attack_logged_ms_ > kLogIntervalMs) {
    attack_logged_ms_ = now_ms;
    engine_.log.Warning(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to "
        "Pinyon. This is "
        "likely due to an attacker attempting to use Cross Protocol Scripting to compromise your server. "
        "Connection "
        "aborted.");
  }
  engine_.server.CloseSession(session, true);
}

void Dispatcher::RejectUnknown(Session& session, Args args) {
  if (IsCrossProtocol(args[0])) return AbortAttack(session);
  if (const Command* container = engine_.commands.Find(args[0])) {
    if (args.size() < 2) {
      return RejectWith(session, nullptr,
                        fmt::format("ERR wrong number of arguments for '{}' command", container->name));
    }
    return RejectWith(session, nullptr,
                      fmt::format("ERR unknown subcommand '{}'. Try {} HELP.",
                                  Quotable(args[1], kMaxQuotedBytes), ToUpper(container->name)));
  }
  std::string quoted;
  for (size_t i = 1; i < args.size() && quoted.size() < kMaxQuotedBytes; ++i) {
    quoted += fmt::format("'{}' ", Quotable(args[i], kMaxQuotedBytes - quoted.size()));
  }
  RejectWith(session, nullptr,
             fmt::format("ERR unknown command '{}', with args beginning with: {}",
                         Quotable(args[0], kMaxQuotedBytes), quoted));
}

bool Dispatcher::MustQueue(const Command& command) { return (command.flags & kRunsInMulti) == 0; }

void DiscardTransaction(Engine& engine, Session& session) {
  session.transaction.Reset();
  engine.watches.UnwatchAll(session);
}

void ForgetSession(Engine& engine, Session& session) {
  engine.blocked.Release(session);
  EndSubscriptions(engine, session);
  engine.tracking.TurnOff(session);
  DiscardTransaction(engine, session);
  engine.sessions.Remove(&session);
}

}  // namespace pinyon
