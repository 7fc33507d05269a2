// The append-only file of a running server: its folder, the thread that writes it, rewrites in a child, and
// turning it on and off. What is in the files, and in which order they are changed, is aof_directory.h's
// matter; what is promised of bytes handed in, log_writer.h's.
//
//   kOff          nothing is written
//   kOn           effects go to the last incremental file
//   kStarting     turned on while running: effects go to a file that no manifest names until the first
//   rewrite
//                 has made a base; until then nothing is promised
//
// Invariant: the base that a rewrite makes and the incremental file that is begun with it meet at the offset
// of the fork: both are done within one turn, between two units.
//
// Loop thread only. What may wait for the disk: the start, turning on and off, and Flush. What a rewrite
// leaves to be done when its child has ended (names, manifests, deleting what it stands for) is done on a
// thread of its own; until then the rewrite counts as running, and the folder is that thread's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"
#include "keyspace/keyspace.h"
#include "persist/aof_directory.h"
#include "persist/background_job.h"
#include "persist/child_process.h"
#include "persist/log_writer.h"
#include "persist/persist_options.h"
#include "persist/rdb_options.h"
#include "persist/rewrite_backoff.h"

namespace pinyon {

class AppendOnlyFile {
 public:
  enum class State : uint8_t { kOff, kStarting, kOn };

  struct Stats {
    uint64_t rewrites = 0;
    bool last_rewrite_ok = true;
    int64_t last_rewrite_s = -1;
    uint64_t last_copied_bytes = 0;
    int failures_in_a_row = 0;
  };

  // The callbacks run on the log's thread.
  AppendOnlyFile(FileSystem& fs, const PersistOptions& options, const RdbOptions& rdb, Keyspace& keyspace,
                 ChildProcess& child, Log& log, LogWriter::Callbacks callbacks);
  ~AppendOnlyFile();

  State state() const { return state_; }
  bool is_off() const { return state_ == State::kOff; }
  AofDirectory& directory() { return *directory_; }
  // Before the start: the names are known now.
  void SetNames();
  // After the data of directory() were loaded (or there were none): opens what is to be appended to. Returns
  // what went wrong.
  std::string Start();
  // appendonly yes and no. The data are in the log when the first rewrite is done. Return what went wrong.
  std::string TurnOn();
  std::string TurnOff();

  // The effects of a unit; returns the offset behind them. Not while off.
  uint64_t Append(std::string_view unit, int64_t unix_s) { return writer_->Append(unit, unix_s); }
  // The end of a turn. Waits, bounded, when the disk has been stuck for long or too much is queued.
  void Commit();
  uint64_t reply_offset() const { return writer_ == nullptr ? ~uint64_t{0} : writer_->reply_offset(); }
  void AskForSync() { writer_->AskForSync(); }
  // All is written and synced when this returns no error, after `timeout_ms` at the latest.
  FileError Flush(int64_t timeout_ms = LogWriter::kNoLimit);
  // After CONFIG SET of a directive that the thread needs to know, and when a child comes or goes.
  void UpdatePolicy();

  // --- rewrites ---
  // Forks; no child may run. False when that fails, which is logged.
  bool StartRewrite();
  void Schedule() { scheduled_ = true; }
  bool scheduled() const { return scheduled_; }
  // Whether a rewrite should start by itself: it was put off, the log has grown, or is not trusted any more.
  bool WantsRewrite(int64_t now_ms);
  // To be called with the result of a child of Task::kRewrite.
  void OnChildEnded(const ChildProcess::Result& result);
  // Whether the child runs, or what it has made is being put in place.
  bool rewriting() const { return child_.task() == ChildProcess::Task::kRewrite || finishing(); }
  bool finishing() const { return finish_job_.running(); }
  // To be called when the log's thread has got on, and now and then.
  void PollFinish();
  // Waits until no rewrite is being put in place.
  void WaitForFinish();
  // Stops a rewrite whose child runs.
  void StopRewrite();

  // Why writes must be refused ("" if they need not).
  std::string Trouble() const;
  const LogWriter* writer() const { return writer_.get(); }
  // Bytes of all files, and after the last rewrite or at the start.
  uint64_t current_bytes() const;
  uint64_t base_bytes() const { return base_bytes_; }
  const Stats& stats() const { return stats_; }
  void ResetStats() { stats_.rewrites = 0; }

 private:
  LogWriter::Options WriterOptions() const;
  void Measure();
  // What the child does; returns what went wrong.
  std::string WriteBase(ChildProgress& progress) const;
  std::string WriteRdbBase(File file, ChildProgress& progress) const;
  std::string WriteCommandBase(File file, ChildProgress& progress) const;
  // Another file for what is appended while the child works.
  std::string PrepareFiles();
  void StartFinish(const ChildProcess::Result& result);
  // On the thread of finish_job_.
  FileError PutInPlace(const std::string& temporary);
  void EndFinish();
  void NoteSuccess();
  void NoteFailure();

  FileSystem& fs_;
  const PersistOptions& options_;
  const RdbOptions& rdb_;
  Keyspace& keyspace_;
  ChildProcess& child_;
  Log& log_;
  const LogWriter::Callbacks callbacks_;
  std::unique_ptr<AofDirectory> directory_;
  std::unique_ptr<LogWriter> writer_;
  State state_ = State::kOff;
  bool scheduled_ = false;
  bool base_is_rdb_ = true;      // of the rewrite that runs
  int64_t incremental_seq_ = 0;  // of the file that was begun with it
  uint64_t rewrite_offset_ = 0;  // where that file begins
  uint64_t start_bytes_ = 0;     // of all files when measured_offset_ had been appended
  uint64_t measured_offset_ = 0;
  uint64_t base_bytes_ = 0;
  RewriteBackoff backoff_;
  Stats stats_;
  bool waited_ = false;  // the last turn had to
  // The outcome of the job.
  FileError finish_error_;
  FileError history_error_;
  BackgroundJob finish_job_;
};

}  // namespace pinyon
