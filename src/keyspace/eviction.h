// Chooses which key goes when memory is short (maxmemory-policy), and deletes it. When, and how many, is
// decided above (engine/memory_limit.h).
//
// Keys are not kept in the order of their use, which would cost 16 bytes each. For every eviction a few that
// stand beside each other at a random place of the table are looked at, and the best candidates of all that
// were looked at so far are kept in a small pool; the best of those goes. So a key that goes is among the
// oldest 1/n or so when n are looked at for each that goes: kSamplesPerStep for every one of
// maxmemory-samples. Neighbours share cache lines and are fetched together, so that this many cost about what
// a few at random places do. Under an adaptive policy a key
// that came not long ago is looked at, too.
//
// The pool names keys, with the rank that they had when they were looked at. One that was used since, or is
// gone, is passed over: so neither those who change keys nor SWAPDB need to know of the pool.
//
// Costs: an eviction looks at some 16 entries (by default), half a microsecond; memory, kPoolSize keys.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "keyspace/keyspace.h"

namespace pinyon {

class Eviction {
 public:
  static constexpr size_t kPoolSize = 32;
  // Beyond kMaxSamples more of maxmemory-samples changes nothing.
  static constexpr size_t kSamplesPerStep = 3;
  static constexpr size_t kMaxSamples = 96;

  explicit Eviction(Keyspace& keyspace);
  Eviction(const Eviction&) = delete;
  Eviction& operator=(const Eviction&) = delete;

  // Deletes one key, which the keyspace's observer hears of before. False when the policy allows none.
  bool EvictOne();
  // The policy has changed: what the pool knows means nothing any more.
  void ForgetCandidates() { pooled_ = 0; }

 private:
  // Of pool_, the first pooled_ are candidates, by rank; each has its key in names_[name]. The others only
  // have a name, which is free.
  struct Candidate {
    uint64_t rank;
    int database;
    uint8_t name;
  };

  // A database with odds by the number of its keys that may go; null when there is none.
  Database* PickDatabase();
  // The lower, the sooner an entry goes.
  uint64_t Rank(const Entry* entry) const;
  bool LookAround();
  // Under an adaptive policy: one of the keys that came not long ago.
  void LookAtNewcomer();
  // What an adaptive policy learns from an entry that was looked at.
  void Learn(Entry* entry);
  void Consider(int database, const Entry* entry);
  bool EvictBest();
  bool EvictRandom();
  void Evict(Database& database, EntryRef ref);

  Keyspace& keyspace_;
  std::array<Candidate, kPoolSize> pool_{};
  size_t pooled_ = 0;
  std::array<std::string, kPoolSize> names_;
};

}  // namespace pinyon
