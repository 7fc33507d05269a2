// Client-side caching (CLIENT TRACKING): the server remembers which keys a client has read, and tells it once
// when one of them changes; or, in broadcast mode, remembers nothing and tells of all keys with certain
// prefixes.
//
// What is remembered is the key's name (not its database: as in Redis a change in any database is told) with
// the ids of the sessions that read it. A key is forgotten when it changes: who is told must read it again.
// What a session that ended or stopped tracking has left stays until then, or until the key's list of
// sessions is full and goes through them. With the last session that tracks everything is forgotten.
//
// At most tracking-table-max-keys keys are remembered: each new one beyond takes the place of an old one,
// chosen at random, whose readers are told as if it had changed. After CONFIG SET has lowered the limit, what
// is beyond goes in slices (server/periodic.h), and besides two for each new key.
//
// Invariants: a session is in `clients_` exactly while it has a SessionTracking; `items_` is the sum of the
// ids of all keys; without clients nothing is remembered.
//
// Costs: while nobody tracks, a change costs one test, a command one of its session's pointers (shared with
// pub/sub: Session::pushes). While somebody does, a change costs a hash and a search, and for each reader a
// search among the clients and a push of bytes that are encoded once; reading costs its client a hash and a
// search for each key. Memory: see tracked_key.h (about 60 bytes for a key and its first reader) and
// broadcasts.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/broadcasts.h"
#include "engine/command_table.h"
#include "engine/session_registry.h"
#include "engine/tracked_key.h"
#include "engine/tracking_options.h"
#include "keyspace/keyspace.h"

namespace pinyon {

class ServerControl;
struct SessionTracking;

class Tracking {
 public:
  Tracking(Keyspace& keyspace, const SessionRegistry& sessions, ServerControl& server,
           const TrackingOptions& options);
  ~Tracking();
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;

  // Makes the session track as `mode` says; prefixes are added to those that it has.
  void TurnOn(Session& session, const SessionTracking& mode);
  // Also if it does not; also when it ends.
  void TurnOff(Session& session);

  // To be called behind each command of a session that tracks: remembers what it has read, and ends what
  // CLIENT CACHING began.
  void AfterCommand(Session& session, const Command& command, Args args);
  // The same for a request that was refused.
  void AfterRefusal(Session& session);

  // A key has changed: by a command of the session `by`, null: by none (expiry, eviction).
  void KeyChanged(const Session* by, std::string_view key) {
    if (!clients_.empty()) [[unlikely]]
      Invalidate(by, key);
  }
  // Databases were emptied.
  void KeysFlushed();

  // Whether broadcasts are due; to be delivered at the end of each turn.
  bool HasBroadcasts() const { return broadcasts_.pending(); }
  void DeliverBroadcasts();

  bool IsOverLimit() const {
    return options_.max_keys > 0 && keys_->size() > static_cast<size_t>(options_.max_keys);
  }
  // Forgets some keys of those that are beyond the limit.
  void EvictSlice();

  size_t client_count() const { return clients_.size(); }
  size_t key_count() const { return keys_->size(); }
  size_t item_count() const { return items_; }
  size_t prefix_count() const { return broadcasts_.prefix_count(); }
  // What is remembered takes from memory.
  size_t MemoryBytes() const { return keys_->OverheadBytes() + keys_->ItemBytes(); }

 private:
  bool Remembers(const SessionTracking& mode, const Command& command) const;
  void Remember(Session& session, std::string_view key);
  void Grow(TrackedKeyTable::Position* position, uint64_t hash);
  // The session with this id if it tracks what it reads.
  Session* ReaderOf(uint64_t id) const;
  void Invalidate(const Session* by, std::string_view key);
  // Tells the readers of a key, and forgets it; returns how many there were.
  size_t Drop(TrackedKeyTable::Position position, const Session* by);
  // Forgets any key; returns how many readers were told.
  size_t EvictOne();
  void Send(Session& session, Invalidation& message);
  void SendBrokenRedirect(Session& session);
  void ForgetKeys();

  Keyspace& keyspace_;
  const SessionRegistry& sessions_;
  ServerControl& server_;
  const TrackingOptions& options_;
  std::map<uint64_t, Session*> clients_;  // by id
  std::unique_ptr<TrackedKeyTable> keys_;
  size_t items_ = 0;
  Broadcasts broadcasts_;
  std::vector<KeyPosition> found_keys_;  // scratch
};

// Where the session's invalidations go: an id, 0 for itself, -1 when it tracks nothing.
int64_t RedirectOf(const Session& session);

}  // namespace pinyon
