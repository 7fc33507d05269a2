// Active defragmentation: gives back memory that slabs hold but do not use. When the sizes of what is stored
// change, slabs of one class stay thinly filled while those of another are needed, and a cache that is kept
// at maxmemory would take far more than that from the system.
//
// It works in rounds. In each, chunks of slabs that are emptier than most are chosen
// (mem::ChooseSparseChunks), and what lies in their slabs is moved, so that the chunks are given back. That
// an entry has one pointer only, its slot, is what makes it cheap. Nothing that a client can see changes: no
// event, no access clock, no propagation.
//
// First the blocks in the chosen slabs are looked at. Nobody knows what they are; but a block that may be an
// entry by its bytes is one if the slot of what would be its key refers to it. That costs by what is to be
// moved, not by what there is. Then, when too much is left (parts of collections, which are not found so),
// all keys are gone through in the order of the table, and collections see to their own (RelocateObject).
//
// A round is a succession of short slices. It may be left at any point, and everything may change between two
// slices: cursors are places in hash order, large collections are named by their keys. What is left out is
// moved in another round. After a round that could not empty what it chose the next one waits, longer each
// time.
//
// Costs: while memory is not fragmented a few loads a tick; in a round up to the share of a core that
// active-defrag-cycle-* say: about 200 ns for each block in a chosen slab, and when all keys are gone through
// 50 ns each.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "keyspace/defrag_options.h"
#include "keyspace/keyspace.h"

namespace pinyon {

class Defragmenter {
 public:
  Defragmenter(Keyspace& keyspace, const DefragOptions& options) : keyspace_(keyspace), options_(options) {}
  Defragmenter(const Defragmenter&) = delete;
  Defragmenter& operator=(const Defragmenter&) = delete;

  // Periodic: begins a round when one is due. `now_us` is monotonic time, here and below.
  void Tick(int64_t now_us);
  // Goes on with the round for as long as its share allows, at most kSliceUs; whoever calls sees to it that
  // pages are not spared meanwhile (Keyspace::spares_pages).
  void RunSlice(int64_t now_us);
  // Tests: begins a round, needed or not; none is running. And a whole one at once.
  void BeginRound(int64_t now_us);
  void RunRound();

  // When the next slice has enough time to be worth a turn of its own; never while no round is running.
  int64_t NextSliceUs() const;

  bool running() const { return phase_ != Phase::kIdle; }
  // The share of a core that the round may use, in percent; 0: none is running.
  int CpuPercent() const { return running() ? share_percent_ : 0; }

  struct Stats {
    uint64_t keys_moved = 0;
    uint64_t keys_left = 0;  // that were looked at and stayed
    int64_t total_us = 0;    // in which rounds were running
    int64_t current_us = 0;
  };
  Stats stats(int64_t now_us) const;
  void ResetStats() { keys_moved_ = keys_left_ = 0, total_us_ = 0; }

 private:
  static constexpr int64_t kSliceUs = 400;

  enum class Phase : uint8_t { kIdle, kChoose, kEntries, kKeys, kReturn };
  // A collection that is gone through by steps.
  struct LargeValue {
    int database;
    std::string key;
    uint64_t cursor;
  };

  void EndRound(int64_t now_us);
  // One step of mostly some ten microseconds; false when the round has ended.
  bool Step();
  void StepEntries();
  void StepKeys();
  void StepLargeValue();
  Entry* RelocateKey(int database, Entry* entry);
  void UpdateShare();

  Keyspace& keyspace_;
  const DefragOptions& options_;
  Phase phase_ = Phase::kIdle;
  std::vector<int> databases_;  // that had keys when the blocks of the round were first looked at
  int database_ = 0;            // of which the keys are gone through
  uint64_t cursor_ = 0;
  std::deque<LargeValue> large_;

  int share_percent_ = 0;
  double credit_us_ = 0;
  int64_t seen_us_ = 0;   // when credit was last given
  int64_t began_us_ = 0;  // the round
  size_t chosen_ = 0;     // slabs, and how many of them it could not empty
  size_t left_ = 0;
  int rounds_without_keys_ = 0;
  int wait_ticks_ = 0;  // before the next round
  int next_wait_ticks_ = 0;

  uint64_t keys_moved_ = 0;
  uint64_t keys_left_ = 0;
  int64_t total_us_ = 0;
};

}  // namespace pinyon
