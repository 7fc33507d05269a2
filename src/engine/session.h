// What the server knows of one client beyond its socket: identity, database, protocol, transaction. The same
// for a client without a socket (loading a log, a script): then `connection` is null.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command_spec.h"
#include "resp/reply_writer.h"

namespace pinyon {

class AclUser;
class Connection;
class SessionPushes;
class SessionSubscriber;
struct SessionTracking;
struct Suspension;

// Commands queued by MULTI: names resolved, arguments copied into one buffer.
class Transaction {
 public:
  bool active() const { return active_; }
  void Begin() { active_ = true; }
  // EXEC runs the queued commands.
  bool executing() const { return executing_; }
  void BeginExecution() { executing_ = true; }
  // Forgets everything, also that a watched key had changed.
  void Reset();

  void Queue(Command* command, Args args);
  size_t size() const { return commands_.size(); }
  // Whether a command that writes is queued.
  bool HasWrites() const { return (flags_ & kWrite) != 0; }
  // Whether one is queued that may need memory.
  bool MayGrow() const { return (flags_ & kDenyOom) != 0; }
  Command* command(size_t index) const { return commands_[index].command; }
  // The arguments of a queued command; valid until the next Queue or Reset.
  void GetArgs(size_t index, std::vector<std::string_view>* args) const;
  size_t MemoryBytes() const {
    return text_.capacity() + ends_.capacity() * sizeof(size_t) + commands_.capacity() * sizeof(Queued);
  }

  // An error while queueing: EXEC will answer EXECABORT.
  bool has_error() const { return has_error_; }
  void SetError() { has_error_ = true; }
  // A watched key changed: EXEC will answer null.
  bool watched_changed() const { return watched_changed_; }
  void SetWatchedChanged() { watched_changed_ = true; }
  void ClearWatchedChanged() { watched_changed_ = false; }

 private:
  struct Queued {
    Command* command;
    size_t first_end;  // index into ends_ of the first argument
    size_t argc;
    size_t text_start;
  };
  bool active_ = false;
  bool executing_ = false;
  bool has_error_ = false;
  bool watched_changed_ = false;
  uint32_t flags_ = 0;  // of all queued commands
  std::string text_;
  std::vector<size_t> ends_;
  std::vector<Queued> commands_;
};

struct WatchedKey {
  int database;
  std::string key;
  bool was_expired;  // it was there, but expired, when WATCH ran: its deletion is no change
};

class Session {
 public:
  Session(uint64_t session_id, ReplySink* sink);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const uint64_t id;
  int database = 0;
  bool authenticated = false;
  // The user may not do everything: every request is put to Acl::Check.
  bool access_limited = false;
  // Connected from this machine (loopback, Unix socket).
  bool is_local = false;
  bool no_evict = false;
  bool no_touch = false;
  // Set by QUIT, CLIENT KILL of oneself, protocol errors: nothing more is executed, what is owed is still
  // sent.
  bool closing = false;
  ReplyWriter reply;
  // Where replies go unless CLIENT REPLY says otherwise.
  ReplySink* const normal_sink;
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipping } reply_mode = ReplyMode::kOn;
  NullSink* null_sink = nullptr;  // owned by the engine

  Connection* connection = nullptr;
  std::string name;
  std::string lib_name;
  std::string lib_version;
  // As whom it may do what (engine/acl.h); null: it may do everything (a log that is loaded).
  AclUser* user = nullptr;
  // The last request's command, whether it ran, was queued or refused; null: an unknown one, or none yet.
  const Command* last_command = nullptr;
  int64_t created_ms = 0;
  int64_t last_active_ms = 0;

  Transaction transaction;
  std::vector<WatchedKey> watched;
  size_t watched_name_bytes = 0;  // of their keys

  // The log offset behind the last write of this session, 0: it has written nothing.
  uint64_t write_offset = 0;

  // What it is told beside its replies, once it may be told anything (engine/session_pushes.h).
  std::unique_ptr<SessionPushes> pushes;
  // While it listens to any channel or pattern (engine/session_subscriber.h).
  std::unique_ptr<SessionSubscriber> subscriber;
  // While it is told which of the keys that it has read change (engine/tracking.h).
  std::unique_ptr<SessionTracking> tracking;

  // Set while the session waits (engine/blocking.h): it must not be given requests.
  std::unique_ptr<Suspension> suspension;
  // Whether its commands may wait at all; not so for those of a script, or of a log that is being loaded.
  bool may_block = true;

  // Block in which a large argument of the command being run arrived (at most one per argument; see
  // TakeBlock).
  std::vector<std::pair<size_t, SharedBlock*>>* large_args = nullptr;

  void SetReplyMode(ReplyMode mode) {
    reply_mode = mode;
    const bool silent = mode == ReplyMode::kOff || mode == ReplyMode::kSkipping;
    reply.set_sink(silent ? static_cast<ReplySink*>(null_sink) : normal_sink);
  }
};

}  // namespace pinyon
