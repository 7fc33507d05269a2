// Sessions that wait: for keys (BLPOP, BLMOVE, BZPOPMIN, XREAD BLOCK and their kin), for their writes to
// be acknowledged (WAITAOF, WAIT), or in line for tokens (TB.WAIT). (And those whose commands are put off,
// see engine/client_pause.h.)
//
// How a command waits for keys: its handler finds nothing and calls Call::Block with the keys and the type of
// value that would serve it. The session is suspended: it executes nothing, its request is copied. When one
// of the keys holds a value of that type, the same handler runs again with the copy, as a unit of its own,
// right after the unit that put the value there. It serves the client, or calls Block again, which keeps its
// place in the queues. A timeout, CLIENT UNBLOCK or the end of the connection ends the waiting without the
// handler.
//
//   void Blpop(Call& call) {
//     int64_t timeout_ms;
//     if (!call.TimeoutSeconds(call.argc() - 1, &timeout_ms)) return;
//     const Args keys = call.args.subspan(1, call.argc() - 2);
//     for (const std::string_view key : keys) {
//       if (!call.MayServeFrom(key)) continue;
//       ... found: pop, reply, PropagateAs({"LPOP", key}), return; another type: WRONGTYPE, return ...
//     }
//     call.Block(keys, ValueType::kList, timeout_ms);
//   }
//
// How a command waits for an acknowledgement: its handler looks at what has been reached, and if that is not
// enough calls Call::BlockUntilSynced with the log offset that it needs. The handler runs again, but in no
// unit, as it changes nothing, when the log is synced so far, when the log is turned off, and when the time
// is over or CLIENT UNBLOCK ends the waiting: then Call::MayBlock says no and it replies what was reached. As
// there are no replicas yet, whoever awaits one of them waits for an offset that no log reaches (kNoOffset).
//
// How a command waits for a time and its turn: its handler finds that it must wait, and calls
// Call::StandInLine with its keys and the time at which to look again (engine/waiting_line.h). When its
// waiting is over without that it may have what it waits for, the handler runs for the last time, as above.
//
// Invariants:
// - A session waits once at most; it stands once in the queue of each of its keys, however often the command
//   names it. Queues are first come, first served, and have no empty ones among them.
// - Keys are named, never pointed to: they need not exist, may go, change type, or come back.
// - Keys are served in the order in which they became ready, the clients of a key in the order of their
//   coming, until nothing is ready; what serving makes ready is served in the same go. A client that waits
//   for several keys is served from the one that became ready first.
// - A key becomes ready when it is reported as changed (Call::Changed and its kin) while it holds a value of
//   a type that somebody awaits there. So whoever changes a key must say so after the change.
// - A client that is about to be closed is not served.
//
// Costs: nothing but one test for each change while nobody waits; otherwise one hash lookup for each change.
// Waiting and leaving take constant time for each key, and O(log n) for the deadline and for a log offset.
// While somebody waits for the log a turn looks at the lowest offset.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/key_name.h"
#include "engine/session.h"
#include "engine/waiting_line.h"
#include "keyspace/keyspace.h"

namespace pinyon {

// A request kept for later, with its arguments in one buffer.
class SavedRequest {
 public:
  SavedRequest(Command& command, Args args);
  SavedRequest(const SavedRequest&) = delete;
  SavedRequest& operator=(const SavedRequest&) = delete;

  Command& command() const { return *command_; }
  Args args() const { return args_; }
  size_t ArgBytes() const { return text_bytes_; }
  size_t MemoryBytes() const { return text_bytes_ + args_.capacity() * sizeof(std::string_view); }

 private:
  Command* command_;
  size_t text_bytes_ = 0;
  std::unique_ptr<char[]> text_;
  std::vector<std::string_view> args_;
};

struct KeyQueue;

// A session's place in the queue of one key.
struct KeyWaiter {
  Session* session;
  KeyQueue* queue;
  KeyWaiter* previous;
  KeyWaiter* next;
};

// What is known of a session while it waits; owned by the session.
struct Suspension {
  Suspension(Command& command, Args args) : request(command, args) {}

  size_t MemoryBytes() const {
    return sizeof(*this) + request.MemoryBytes() + waiters.capacity() * sizeof(KeyWaiter) +
           in_line.places.capacity() * sizeof(LinePlace);
  }

  enum class Kind : uint8_t {
    kKeys,
    kLog,
    kLine,       // engine/waiting_line.h
    kPostponed,  // by CLIENT PAUSE: its command has not run yet
  };

  SavedRequest request;
  Kind kind = Kind::kKeys;
  LineMembership in_line;                                      // of kLine
  std::list<Session*>::iterator place;                         // among the postponed
  std::multimap<uint64_t, Session*>::iterator awaited_offset;  // of kLog
  bool is_over = false;  // the handler runs for the last time: it must not wait again
  ValueType awaited = ValueType::kString;
  std::vector<KeyWaiter> waiters;  // never grows once they are in queues
  std::multimap<int64_t, Session*>::iterator deadline;
  bool has_deadline = false;
  // While the handler runs again: the key that may serve it, and whether it has called Block again.
  std::string_view ready_key;
  bool goes_on = false;
};

// Those who wait for one key of one database.
struct KeyQueue {
  static constexpr size_t kTypes = 8;

  const std::string* name = nullptr;  // the key of this queue in the map
  KeyWaiter* first = nullptr;
  KeyWaiter* last = nullptr;
  std::array<uint32_t, kTypes> awaited = {};  // how many wait for each type
  bool is_ready = false;                      // it stands in the list of those to be served
};

class BlockedClients {
 public:
  explicit BlockedClients(Keyspace& keyspace)
      : keyspace_(keyspace), queues_(0, KeyNameHash{keyspace.seed()}), lines_(keyspace.seed()) {}
  BlockedClients(const BlockedClients&) = delete;
  BlockedClients& operator=(const BlockedClients&) = delete;

  // Suspends a session that is not, with a request of its current database. `timeout_ms` 0: for ever.
  void Block(Session& session, Command& command, Args args, Args keys, ValueType awaited, int64_t timeout_ms);
  // Suspends a session until the log is synced up to `offset`; kNoOffset: only its time ends that.
  static constexpr uint64_t kNoOffset = ~uint64_t{0};
  void AwaitLog(Session& session, Command& command, Args args, uint64_t offset, int64_t timeout_ms);
  // Suspends a session that stands in line from now on; WaitingLines::WakeAt is to follow.
  void StandInLine(Session& session, Command& command, Args args, std::span<const LineTicket> tickets,
                   int64_t timeout_ms);
  // The session waits no more: it leaves all queues and lines. Nothing for one that does not wait.
  void Release(Session& session);

  // To be called after every change of a key.
  void KeyChanged(int database, std::string_view key) {
    if (!queues_.empty()) MarkIfReady(database, key);
    if (!lines_.empty()) [[unlikely]]
      lines_.KeyChanged(database, key);
  }
  // To be called when a key goes that no command deletes: nobody can be served by one that is not there, but
  // by a bucket that is full without it.
  void KeyGoes(int database, std::string_view key) {
    if (!lines_.empty()) [[unlikely]]
      lines_.KeyChanged(database, key);
  }
  // To be called after the contents of two databases were exchanged.
  void AfterSwap(int first, int second);
  // To be called after everything in a database has gone.
  void AfterFlush(int database) {
    if (!lines_.empty()) lines_.DatabaseChanged(database);
  }

  WaitingLines& lines() { return lines_; }
  const WaitingLines& lines() const { return lines_; }

  // Whether somebody is to be served: by a key, or as the first of a line.
  bool HasReady() const { return HasReadyKey() || lines_.next_wake_us() == WaitingLines::kAtOnce; }
  // Of those who wait for keys, the next session whose command is to be run again, null when there is none.
  // Each session of a key is given once, as long as the key holds what it awaits; the caller runs it, and
  // releases it when it was served, before it asks for the next.
  Session* NextToServe();

  // The lowest offset of the log that a session awaits, and that session; only while there is one.
  bool AwaitsLog() const { return !log_waiters_.empty(); }
  uint64_t next_log_offset() const { return log_waiters_.begin()->first; }
  Session& next_for_log() const { return *log_waiters_.begin()->second; }
  std::vector<Session*> AllForLog() const;

  // The earliest deadline, in MonotonicUs's time; kNever when there is none.
  static constexpr int64_t kNever = INT64_MAX;
  int64_t next_deadline_us() const { return deadlines_.empty() ? kNever : deadlines_.begin()->first; }
  // The session whose deadline passed first, null when none has; the caller releases it.
  Session* FirstOverdue(int64_t now_us) const;

  // Suspends a session until the clients' pause is over, without keys or deadline.
  void Postpone(Session& session, Command& command, Args args);
  // Takes out the session that was postponed first, with its request; null when there is none.
  Session* TakePostponed(std::unique_ptr<Suspension>* suspension);

  // Of all kinds.
  size_t client_count() const { return client_count_; }
  size_t postponed_count() const { return postponed_.size(); }
  size_t key_count() const { return queues_.size(); }
  size_t deadline_count() const { return deadlines_.size(); }

 private:
  // The name of a key in `queues_`, built in `name_`.
  const std::string& Name(int database, std::string_view key);
  void SetDeadline(Session& session, int64_t timeout_ms);
  void Enqueue(KeyWaiter& waiter, KeyQueue& queue);
  void Dequeue(KeyWaiter& waiter);
  void EraseIfUnused(KeyQueue& queue);
  bool HasReadyKey() const { return current_ != nullptr || !ready_.empty(); }
  void MarkIfReady(int database, std::string_view key);
  void MarkIfReady(KeyQueue& queue);
  // The type of the value at the queue's key; false when there is none.
  bool FindType(const KeyQueue& queue, ValueType* type) const;

  Keyspace& keyspace_;
  KeyNameMap<KeyQueue> queues_;
  std::string name_;
  std::deque<KeyQueue*> ready_;
  // The queue that is being served, and whose turn is next in it; kept right when either leaves.
  KeyQueue* current_ = nullptr;
  KeyWaiter* cursor_ = nullptr;
  std::multimap<int64_t, Session*> deadlines_;
  std::multimap<uint64_t, Session*> log_waiters_;  // by the offset that they await
  std::list<Session*> postponed_;
  WaitingLines lines_;
  size_t client_count_ = 0;
};

}  // namespace pinyon
