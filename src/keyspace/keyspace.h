// All databases, what they share (the clock of the unit, statistics, the freeing thread), and the one way by
// which upper floors hear of deletions that no command asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "keyspace/access_clock.h"
#include "keyspace/adaptive_policy.h"
#include "keyspace/database.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/eviction_options.h"
#include "keyspace/lazy_free.h"
#include "keyspace/lazy_free_options.h"

namespace pinyon {

// Called by the keyspace. Implementations must not change the keyspace from within.
class KeyspaceObserver {
 public:
  virtual ~KeyspaceObserver() = default;
  // A key is about to be deleted because its time has come.
  virtual void OnExpired(int database, std::string_view key) = 0;
  // Some fields of a hash, which keeps others, go because their time has come.
  virtual void OnFieldsExpired(int database, std::string_view key,
                               std::span<const std::string_view> fields) = 0;
  // A hash is about to be deleted because the time of all fields that it still had has come.
  virtual void OnLastFieldsExpired(int database, std::string_view key) = 0;
  // A key is about to be deleted to make room.
  virtual void OnEvicted(int database, std::string_view key) = 0;
};

struct KeyspaceStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expired_fields = 0;
  uint64_t expire_cycle_stopped = 0;
  uint64_t expire_cycle_us = 0;
  uint64_t evicted_keys = 0;
};

class Keyspace {
 public:
  explicit Keyspace(int databases, uint64_t random_seed);

  int DatabaseCount() const { return static_cast<int>(databases_.size()); }
  Database& database(int index) { return *databases_[static_cast<size_t>(index)]; }
  const Database& database(int index) const { return *databases_[static_cast<size_t>(index)]; }
  void Swap(int first, int second) { database(first).SwapContents(database(second)); }
  size_t TotalKeys() const;

  // Time stands still within a unit: the dispatcher sets it, everything below reads it. Unix time,
  // milliseconds.
  int64_t now_ms() const { return now_ms_; }
  void set_now_ms(int64_t now_ms) {
    now_ms_ = now_ms;
    access_clock_.SetNow(now_ms);
  }

  // While data are loaded nothing is past its time, whatever the clock says; entries are touched all the
  // same.
  void StopTime(int64_t wall_ms) {
    set_now_ms(wall_ms);
    now_ms_ = 0;
  }

  // While set, expired keys are hidden, not deleted (loading, replicas).
  bool hides_expired_only() const { return hides_expired_only_; }
  void set_hides_expired_only(bool value) { hides_expired_only_ = value; }

  // While set, reading an entry does not write its access clock, and tables neither shrink nor merge: a
  // forked child shares the pages.
  bool spares_pages() const { return spares_pages_; }
  void set_spares_pages(bool value) { spares_pages_ = value; }

  // Borrowed; the directives' defaults until then.
  const EncodingLimits& encoding_limits() const { return *encoding_limits_; }
  void set_encoding_limits(const EncodingLimits& limits) { encoding_limits_ = &limits; }

  // Borrowed; the directives' defaults until then. To be called again when the policy has changed: what
  // entries know of their accesses means something else under some, and takes a while to become right then,
  // as in Redis.
  const EvictionOptions& eviction_options() const { return *eviction_options_; }
  void set_eviction_options(const EvictionOptions& options);
  bool tracks_frequency() const { return tracks_frequency_; }
  // What the adaptive policies know; null under another policy.
  AdaptivePolicy* adaptive() { return adaptive_.get(); }
  const AdaptivePolicy* adaptive() const { return adaptive_.get(); }
  // How many keys the policy may evict.
  size_t EvictableKeys() const;
  size_t EvictableKeys(int database_index) const {
    return evicts_volatile_ ? database(database_index).expiring() : database(database_index).size();
  }

  void set_observer(KeyspaceObserver* observer) { observer_ = observer; }
  KeyspaceObserver* observer() const { return observer_; }
  KeyspaceStats& stats() { return stats_; }
  const KeyspaceStats& stats() const { return stats_; }
  Random& random() { return random_; }
  LazyFree& lazy_free() { return lazy_free_; }
  const LazyFreeOptions& lazy_free_options() const { return *lazy_free_options_; }
  void set_lazy_free_options(const LazyFreeOptions& options) { lazy_free_options_ = &options; }
  const HashSeed& seed() const { return seed_; }

  // The access clock, and Unix time in seconds as clients see it (24 bits). It goes on where the unit's time
  // stands still (StopTime).
  const AccessClock& access_clock() const { return access_clock_; }
  AccessClock& access_clock() { return access_clock_; }
  uint32_t AccessSeconds() const { return static_cast<uint32_t>(access_clock_.now_ms() / 1000) & 0xffffff; }
  // The clock of a frequency (lfu.h).
  uint32_t AccessMinutes() const { return static_cast<uint32_t>(access_clock_.now_ms() / 60'000); }

  // A command has used the key of an entry.
  void Touch(Entry* entry) {
    if (tracks_frequency_) [[unlikely]]
      return CountAccess(entry);
    entry->set_access_tick(static_cast<uint32_t>(access_clock_.ticks()));
  }
  // The same when it was only looked at.
  void TouchRead(Entry* entry) {
    if (!spares_pages_) Touch(entry);
  }
  // The value of an entry was written: by a command that has touched the key already, so that is no second
  // use of it.
  void TouchWritten(Entry* entry) {
    if (!tracks_frequency_) Touch(entry);
  }
  // A new entry of a database, whose key, with this hash, was not there.
  void InitAccess(Entry* entry, int database_index, uint64_t hash);
  // What an entry's key is known for from elsewhere (a snapshot, RESTORE): idle seconds, or a frequency,
  // negative: it is not known. What the policy in force does not track is ignored.
  void SetAccess(Entry* entry, int64_t idle_s, int frequency);
  // What OBJECT IDLETIME and OBJECT FREQ tell.
  uint32_t IdleSeconds(const Entry* entry) const;
  uint32_t Frequency(const Entry* entry) const;

 private:
  void CountAccess(Entry* entry);

  int64_t now_ms_ = 0;
  AccessClock access_clock_;
  bool tracks_frequency_ = false;
  bool evicts_volatile_ = false;
  std::unique_ptr<AdaptivePolicy> adaptive_;
  uint32_t arrivals_ = 0;
  bool hides_expired_only_ = false;
  bool spares_pages_ = false;
  EncodingLimits default_limits_;
  const EncodingLimits* encoding_limits_ = &default_limits_;
  LazyFreeOptions default_lazy_free_;
  const LazyFreeOptions* lazy_free_options_ = &default_lazy_free_;
  EvictionOptions default_eviction_;
  const EvictionOptions* eviction_options_ = &default_eviction_;
  KeyspaceObserver* observer_ = nullptr;
  KeyspaceStats stats_;
  Random random_;
  HashSeed seed_;
  LazyFree lazy_free_;
  std::vector<std::unique_ptr<Database>> databases_;
};

}  // namespace pinyon
