// Directives of what reaches the disk: snapshots, the append-only file, and what a stop does about both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/settings.h"

namespace pinyon {

// A snapshot is due `seconds` after the last one when there were `changes` changes since.
struct SavePoint {
  int64_t seconds;
  int64_t changes;
};

// Values of a signal's shutdown directive; several may be or-ed.
enum ShutdownFlags : int {
  kShutdownDefault = 0,
  kShutdownSave = 1,
  kShutdownNoSave = 2,
  kShutdownNow = 4,
  kShutdownForce = 8,
};

struct PersistOptions {
  struct Hooks {
    // After a change of `appendonly`, of `appendfsync` or of what the log's thread is told otherwise.
    std::function<std::string()> append_only_changed;
    std::function<std::string()> log_policy_changed;
  };
  void Declare(SettingsRegistry& registry, Hooks hooks);

  enum class Sanitize : int { kNo, kYes, kClients };
  enum class Fsync : int { kEverySecond, kAlways, kNo };

  std::vector<SavePoint> save_points = {{3600, 1}, {300, 100}, {60, 10000}};
  std::string db_filename;
  bool rdb_del_sync_files = false;
  bool rdb_save_syncs = true;  // rdb-save-incremental-fsync
  bool stop_writes_on_bgsave_error = true;
  Sanitize sanitize_dump_payload = Sanitize::kNo;

  bool append_only = false;
  std::string append_filename;
  std::string append_dirname;
  Fsync append_fsync = Fsync::kEverySecond;
  bool no_fsync_on_rewrite = false;
  int64_t auto_rewrite_percentage = 100;
  int64_t auto_rewrite_min_bytes = 0;
  bool aof_load_truncated = true;
  bool aof_use_rdb_preamble = true;
  bool aof_timestamps = false;
  bool aof_disable_auto_gc = false;
  bool aof_rewrite_syncs = true;  // aof-rewrite-incremental-fsync

  int shutdown_on_sigint = kShutdownDefault;
  int shutdown_on_sigterm = kShutdownDefault;
  // Microseconds to wait per key, for tests that want a load or a save to last; a negative one is a
  // fraction: so many keys per microsecond.
  int64_t key_load_delay = 0;
  int64_t key_save_delay = 0;
  int64_t loading_events_interval_bytes = 0;

 private:
  void DeclareSave(SettingsRegistry& registry);
  void DeclareSnapshots(SettingsRegistry& registry);
  void DeclareLog(SettingsRegistry& registry, Hooks hooks);
  void DeclareShutdown(SettingsRegistry& registry);
};

}  // namespace pinyon
