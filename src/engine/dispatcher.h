// From a parsed request to its execution: the checks that Redis makes, in its order, queueing in a
// transaction, and the unit of execution around a handler (frozen time, statistics, propagation, hooks).
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/call.h"
#include "engine/engine.h"

namespace pinyon {

class Dispatcher {
 public:
  explicit Dispatcher(Engine& engine) : engine_(engine) { engine.dispatcher = this; }

  // Handles one request of a session. `command` is what CommandTable::Resolve gave for its arguments (null:
  // unknown); `first_key_hash` the hash of its first key in the session's database, 0 when it was not
  // computed.
  void Dispatch(Session& session, Command* command, Args args, uint64_t first_key_hash);

  // Whether the session's user may not run a queued command any more; then that is its reply.
  bool DenyInExec(Session& session, Command& command, Args args);
  // Runs a command that has passed the checks, within the current unit (EXEC, a script).
  void Run(Session& session, Command& command, Args args, uint64_t first_key_hash = 0);

  // Asks up to `max` of the sessions again for which the log has been synced far enough; returns whether more
  // are left.
  bool ServeLogWaiters(size_t max);
  // The log was turned off: whoever waits for it hears of it.
  void OnLogTurnedOff();
  // Serves up to `max` of those who stand in line and whose time has come; returns whether more are left.
  bool ServeLines(int64_t now_us, size_t max);
  // When that is to be done next, in MonotonicUs's time; BlockedClients::kNever while a pause puts it off.
  int64_t NextLineUs() const;
  // Ends the waiting of a suspended session with what its timeout replies, or with `error`.
  void EndWaiting(Session& session, std::string_view error = {});
  // Lets a clients' pause begin or end; to be called between batches.
  void UpdatePause();
  // Runs up to `max` of the commands that a pause has put off; returns whether more are left.
  bool RunPostponed(size_t max);
  // Ends the waiting of up to `max` sessions whose deadlines have passed; returns whether more are left.
  bool TimeOutBlocked(int64_t now_us, size_t max);

  // Replies an error to what is not run, and counts it.
  void Refuse(Session& session, std::string_view error);
  // An empty request: nothing is run, but it uses up CLIENT REPLY SKIP.
  void PassOver(Session& session);

  // Sets the frozen time from the clock; called at the start of a batch.
  void UpdateTime();
  // Time is measured by the run of equal fast commands, as reading the clock takes longer than some of them.
  // To be called at the end of a batch, so that a run does not include what follows.
  void EndTiming();

 private:
  void RunUnit(Session& session, Command& command, Args args, uint64_t first_key_hash);
  void Execute(Session& session, Command& command, Args args, uint64_t first_key_hash);
  // Behind the handler of a session that may be told things beside its replies.
  void EndPushes(Session& session, Command& command, Args args);
  // Whether a pause puts the command off.
  bool MustPostpone(const Session& session, const Command& command) const;
  void ServeBlocked();
  void RunAgain(Session& session);
  void LookAgain(Session& session);
  void Resume(Session& session);
  // Replies the error to a request that must not run, and returns true.
  bool Reject(Session& session, Command* command, Args args);
  bool RejectByAccess(Session& session, Command& command, Args args);
  // Whether the user may not; that is then logged and counted.
  AclDecision CheckAccess(Session& session, Command& command, Args args);
  bool RejectByMemory(Session& session, Command* command);
  bool RejectByState(Session& session, Command* command);
  bool RejectSubscriber(Session& session, Command* command);
  void RejectWith(Session& session, Command* command, std::string_view error);
  void RejectUnknown(Session& session, Args args);
  void AbortAttack(Session& session);
  // Whether a command that comes within MULTI waits for EXEC.
  static bool MustQueue(const Command& command);
  static void AdvanceReplyMode(Session& session);
  void StartTiming(Command& command);
  void CountError(Session& session, Command& command);
  void CountErrorCode(std::string_view code);
  void CountCall(Command& command);

  Engine& engine_;
  uint64_t time_cycles_ = 0;  // when the frozen time was set, by the cycle clock
  Command* timed_ = nullptr;  // what the time since mark_ belongs to
  uint64_t mark_ = 0;         // when the last run of commands ended
  int64_t attack_logged_ms_ = 0;
};

// Whether a session may use what `permission` guards.
bool IsPermitted(EngineOptions::Permission permission, const Session& session);

// Ends the transaction of a session: EXEC, DISCARD, RESET and disconnects.
void DiscardTransaction(Engine& engine, Session& session);

// Takes a session that ends out of everything that refers to it.
void ForgetSession(Engine& engine, Session& session);

}  // namespace pinyon
