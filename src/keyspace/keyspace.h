// All databases, what they share (the clock of the unit, statistics, the freeing thread), and the one way by
// which upper floors hear of deletions that no command asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "keyspace/database.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/lazy_free.h"

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
};

struct KeyspaceStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expired_fields = 0;
  uint64_t expire_cycle_stopped = 0;
  uint64_t expire_cycle_us = 0;
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
    access_clock_ = static_cast<uint32_t>(now_ms / 1000) & 0xffffff;
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

  void set_observer(KeyspaceObserver* observer) { observer_ = observer; }
  KeyspaceObserver* observer() const { return observer_; }
  KeyspaceStats& stats() { return stats_; }
  const KeyspaceStats& stats() const { return stats_; }
  Random& random() { return random_; }
  LazyFree& lazy_free() { return lazy_free_; }
  const HashSeed& seed() const { return seed_; }

  // The access clock of new and touched entries: seconds, 24 bits.
  uint32_t AccessClock() const { return access_clock_; }
  void Touch(Entry* entry) const { entry->set_access(AccessClock()); }
  // The same of an entry that was only looked at.
  void TouchRead(Entry* entry) const {
    if (!spares_pages_) Touch(entry);
  }

 private:
  int64_t now_ms_ = 0;
  uint32_t access_clock_ = 0;
  bool hides_expired_only_ = false;
  bool spares_pages_ = false;
  EncodingLimits default_limits_;
  const EncodingLimits* encoding_limits_ = &default_limits_;
  KeyspaceObserver* observer_ = nullptr;
  KeyspaceStats stats_;
  Random random_;
  HashSeed seed_;
  LazyFree lazy_free_;
  std::vector<std::unique_ptr<Database>> databases_;
};

}  // namespace pinyon
