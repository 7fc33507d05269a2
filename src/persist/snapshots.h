// Snapshots of the keyspace on disk: on request, in the background, and when a save point is due.
//
// A snapshot is written to a temporary file in the working folder, synced, and renamed over the last one, so
// that there is a whole one at any time; then the folder is synced. In the background that is a child's work
// (persist/child_process.h), which the owner polls.
//
// Invariants: a failed snapshot leaves the last one and the count of changes as they were; changes that are
// made while a background save runs count for the next one.
#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"
#include "keyspace/keyspace.h"
#include "persist/child_process.h"
#include "persist/file_io.h"
#include "persist/persist_options.h"
#include "persist/rdb_options.h"

namespace pinyon {

class Snapshots {
 public:
  // Counts `changes` down by what a snapshot holds.
  Snapshots(FileSystem& fs, Keyspace& keyspace, const PersistOptions& options, const RdbOptions& rdb,
            ChildProcess& child, Log& log, int64_t* changes);

  // Writes one here and now; the log says how it went.
  bool Save();
  // Forks; no child may run. False when that fails, which is logged and counts as a failed save.
  bool StartBackground();
  // To be called with the result of a child of Task::kSnapshot.
  void OnChildEnded(const ChildProcess::Result& result);
  // Stops a background save; the result was a wish, not a failure.
  void StopBackground();

  // A background save as soon as no other child runs.
  void Schedule() { scheduled_ = true; }
  bool scheduled() const { return scheduled_; }
  // Whether a save point is due. After a failed save nothing is for five seconds.
  bool IsDue(int64_t now_s) const;

  bool last_background_ok() const { return last_background_ok_; }
  // Changes must be refused: they could not be saved, and the operator wants to know.
  bool MustRefuseWrites() const {
    return options_.stop_writes_on_bgsave_error && !options_.save_points.empty() && !last_background_ok_;
  }
  int64_t last_save_s() const { return last_save_s_; }
  // -1: there was none.
  int64_t last_background_seconds() const { return last_background_s_; }
  uint64_t last_copied_bytes() const { return last_copied_bytes_; }
  uint64_t saves() const { return saves_; }
  void ResetStats() { saves_ = 0; }
  // What was loaded at the start is saved already.
  void NoteLoaded() { *changes_ = 0; }

 private:
  // Writes the file of this process; returns what went wrong.
  std::string WriteFile(ChildProgress* progress) const;
  std::string TemporaryName(int64_t pid) const;
  void NoteSaved(int64_t changes_saved);

  FileSystem& fs_;
  Keyspace& keyspace_;
  const PersistOptions& options_;
  const RdbOptions& rdb_;
  ChildProcess& child_;
  Log& log_;
  int64_t* changes_;
  int64_t changes_at_fork_ = 0;
  bool scheduled_ = false;
  bool last_background_ok_ = true;
  int64_t last_try_s_ = 0;
  int64_t last_save_s_;
  int64_t last_background_s_ = -1;
  uint64_t last_copied_bytes_ = 0;
  uint64_t saves_ = 0;
};

}  // namespace pinyon
