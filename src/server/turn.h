// One turn of the loop: execute, then commit (see the house plan).
//
// Execute takes ready clients in rotation and gathers their requests into a batch: parsed, command resolved,
// first key hashed; group by group, the buckets of those keys are fetched, and then the entries; then the
// batch runs in order. A client has a share of each batch and goes to the end of the list with what is left,
// and the turn has a limit of time, so an endless pipeline delays nobody. Commit writes once for each client
// that is owed something.
//
// Invariants: views into input buffers live within one batch, during which nothing is read; a client is in
// the batch at most once (its requests stand together); nothing is parsed behind a request that may suspend
// its client, so what a suspended client has sent stays unparsed in its input.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "base/stretch_meter.h"
#include "engine/dispatcher.h"
#include "keyspace/element_prefetch.h"
#include "server/client.h"
#include "server/gather_pause.h"

namespace pinyon {

struct TurnStats {
  uint64_t turns = 0;
  StretchMeter meter;  // from the first client that was read from to the end of the turn
};

class Turn {
 public:
  // `max_pause_us` is borrowed (gather-pause-usec).
  Turn(Engine& engine, Dispatcher& dispatcher, ClientMemory& client_memory, const int64_t& max_pause_us);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void AddReady(Client& client);
  void AddFlush(Client& client);
  // A client that was suspended goes on: its reply was written, outside of the client's own batch.
  void Resume(Client& client);
  // Replies may be sent that waited for the log.
  void ReleaseGated();
  // Forgets a client that is about to be deleted.
  void Remove(Client& client);

  // Bounded background work that wants to go on turn by turn; returns whether more is left.
  void SetBackground(std::function<bool()> background) { background_ = std::move(background); }

  // Executes and commits; returns whether work is left that can go on at once.
  bool Run();

  TurnStats& stats() { return stats_; }
  // How long the loop should wait for more clients before the next turn.
  int64_t PauseUs() const { return pause_.WaitUs(); }

 private:
  struct Request {
    Client* client;
    Command* command;    // null: unknown
    uint32_t first_arg;  // in args_
    uint32_t argc;       // 0: nothing to run (an empty line)
    uint64_t key_hash;   // of the first key, 0: there is none
    size_t bytes;        // to be taken off the input
    bool is_error;       // the client broke the protocol here
  };
  struct Visit {
    Client* client;
    bool has_more;  // there may be another complete request behind those of the batch
  };

  bool HasPostponedToRun() const;
  bool ResumeSuspended();
  bool ServeLines();
  void Execute();
  void GatherBatch();
  bool Gather(Client& client);
  Command* Resolve(Args args);
  bool HasKeyToFetch(size_t i) const;
  void FetchGroups();
  void FetchBuckets();
  void FetchEntries();
  void FetchElements();
  void RunBatch();
  void RunRequest(const Request& request);
  void EndBatch();
  void Commit();

  Engine& engine_;
  Dispatcher& dispatcher_;
  ClientMemory& client_memory_;
  std::function<bool()> background_;
  std::deque<Client*> ready_;
  std::deque<Client*> flush_;
  std::deque<Client*> gated_;   // written to as far as the log allows
  std::vector<Request> batch_;  // never grows beyond what is reserved
  std::vector<Visit> visits_;
  // Of the batch, as many requests have been asked memory for: the buckets of their keys, and the entries.
  size_t fetched_buckets_ = 0, fetched_entries_ = 0;
  std::vector<std::string_view> args_;
  ElementPrefetch elements_;
  Command* last_command_ = nullptr;  // of this batch, with the name in its request
  std::string_view last_name_;
  TurnStats stats_;
  GatherPause pause_;
};

}  // namespace pinyon
