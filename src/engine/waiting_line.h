// Sessions that stand in line for keys until a time comes: the clients of TB.WAIT, whose buckets fill by
// themselves, with no command that would make a key ready. (engine/blocking.h has the waiting itself: the
// suspension, its deadline, CLIENT UNBLOCK.)
//
// A session stands in the line of each of its keys. Only one that is the first of all of its lines may be
// served: its handler runs, as a unit of its own, when it becomes so, when one of its keys changes, and at
// the time that the handler gave when it ran last (Call::StandInLine). It serves the client, or says when to
// run again. Everybody else just stands: nothing is polled, and a change of a key costs the same however long
// its line is.
//
// Invariants:
// - A session comes into all its lines at once and at their ends, so of any two the one that came first
//   stands before the other wherever both do, and the first of all can always be served in time.
// - Keys are named, never pointed to: a bucket that is full has no key.
// - Only sessions that are the first of all of their lines have a time at which to be woken.
// - There are no empty lines.
//
// Costs: one test for each change of a key while nobody stands in line; otherwise one hash lookup for each
// change. Coming and leaving take constant time for each key, a time to be woken O(log n).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/key_name.h"

namespace pinyon {

class Session;
struct WaitingLine;

// What a session wants in a line: `weight` is its handler's to choose, and is told to those behind it.
struct LineTicket {
  std::string_view key;
  uint64_t weight;
};

// A session's place in the line of one key.
struct LinePlace {
  Session* session;
  WaitingLine* line;
  uint64_t weight;
  LinePlace* previous;
  LinePlace* next;
};

struct WaitingLine {
  const std::string* name = nullptr;  // the key of this line in the map
  LinePlace* first = nullptr;
  LinePlace* last = nullptr;
  uint64_t weight = 0;  // of all
  size_t length = 0;
};

// What a session knows of its lines; part of its suspension.
struct LineMembership {
  std::vector<LinePlace> places;  // never grows once they are in lines
  std::multimap<int64_t, Session*>::iterator wake;
  bool has_wake = false;
};

class WaitingLines {
 public:
  static constexpr int64_t kAtOnce = 0;
  static constexpr int64_t kNever = INT64_MAX;

  explicit WaitingLines(const HashSeed& seed) : lines_(0, KeyNameHash{seed}) {}
  WaitingLines(const WaitingLines&) = delete;
  WaitingLines& operator=(const WaitingLines&) = delete;

  // For a session that was just suspended, with keys of its database, none of them twice.
  void Enter(Session& session, std::span<const LineTicket> tickets);
  // Those who are the first of all of their lines now are to be served at once. Nothing for a session that
  // stands in no line.
  void Leave(Session& session);
  // When the session is to be served again, in MonotonicUs's time; ignored unless it is the first of its
  // lines: it will be served when it is.
  void WakeAt(Session& session, int64_t time_us);

  // Who stands before a session that is or would be in the line of a key of its database.
  struct Ahead {
    size_t sessions = 0;
    uint64_t weight = 0;
  };
  Ahead AheadOf(const Session& session, std::string_view key);

  bool empty() const { return lines_.empty(); }
  size_t line_count() const { return lines_.size(); }
  // To be called after every change of a key.
  void KeyChanged(int database, std::string_view key);
  // To be called after everything in a database has changed.
  void DatabaseChanged(int database);

  // The earliest time at which somebody is to be served.
  int64_t next_wake_us() const { return next_wake_us_; }
  // The session that is to be served first, if its time has come by `now_us`; else null. It is given once
  // and keeps its places; the caller runs its handler.
  Session* NextDue(int64_t now_us);

 private:
  WaitingLine* Find(int database, std::string_view key);
  void SetWake(Session& session, int64_t time_us);
  void ClearWake(Session& session);
  void NoteNextWake() { next_wake_us_ = wakes_.empty() ? kNever : wakes_.begin()->first; }
  static bool IsFirstEverywhere(const Session& session);
  // The first of a line may be served now.
  void OfferToFirst(const WaitingLine& line);

  KeyNameMap<WaitingLine> lines_;
  std::string name_;  // scratch
  std::multimap<int64_t, Session*> wakes_;
  int64_t next_wake_us_ = kNever;
};

}  // namespace pinyon
