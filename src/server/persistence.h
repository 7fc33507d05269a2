// What the server does about its disk: loads at the start, hands effects to the log, lets snapshots and
// rewrites run (one child at a time), refuses writes that could not be kept, and sees to the data when the
// server stops.
//
// The parts that do the work are in persist/; here they meet the engine and the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/dispatcher.h"
#include "engine/effects.h"
#include "engine/engine.h"
#include "engine/persistence_control.h"
#include "persist/append_only_file.h"
#include "persist/child_process.h"
#include "persist/persist_options.h"
#include "persist/snapshots.h"

namespace pinyon {

// A load that runs, for INFO and the progress that is shown.
struct LoadStatus {
  bool running = false;
  int64_t start_s = 0;
  uint64_t total_bytes = 0;
  uint64_t loaded_bytes = 0;
  // Of the last one.
  uint64_t keys_loaded = 0;
  uint64_t keys_expired = 0;
};

class Persistence final : public PersistenceControl, public EffectListener {
 public:
  // The disk is reached through `fs`. `wake` may be called from any thread; it makes the loop call
  // OnLogProgress. `serve` lets the loop do what is due while data are loaded.
  Persistence(FileSystem& fs, Engine& engine, Dispatcher& dispatcher, const PersistOptions& options, Log& log,
              std::function<void()> wake, std::function<void()> serve);
  ~Persistence() override;

  // Loads what is there, as `appendonly` says, and opens the log. Returns what went wrong. The loop serves
  // clients meanwhile, who are told that the server is loading.
  std::string LoadAndOpen();
  // Periodic: ended children, save points, rewrites that are due.
  void Tick();
  // The log's thread has got on, or has trouble.
  void OnLogProgress();
  // After CONFIG SET.
  std::string OnAppendOnlyChanged();
  void OnLogPolicyChanged() { log_file_.UpdatePolicy(); }

  // What a stop does about the data; `flags` are ShutdownFlags. Returns whether it is safe to stop: not so
  // when the disk has not taken the log after `timeout_ms`, unless the stop is forced. Everybody waits.
  bool PrepareStop(int flags, int64_t timeout_ms);
  // A forced stop has left data behind that the log's thread may still be stuck with.
  bool abandons_log() const { return abandons_log_; }

  // PersistenceControl
  Answer Save() override;
  Answer BackgroundSave(bool schedule, bool in_transaction) override;
  Answer RewriteLog(bool in_transaction) override;
  int64_t LastSave() const override { return snapshots_.last_save_s(); }
  Answer Reload(const ReloadOptions& options) override;
  Answer ReloadLog() override;
  void OnFlushAll() override;
  bool IsLogging() const override { return !log_file_.is_off(); }
  bool IsSynced(uint64_t offset) const override;
  void AskForSync() override { log_file_.AskForSync(); }

  // EffectListener
  uint64_t Append(std::string_view commands) override;
  void Commit() override { log_file_.Commit(); }
  uint64_t ReplyOffset() const override;

  // What waits to be written to the log, which does not count toward maxmemory.
  uint64_t LogBufferBytes() const {
    const LogWriter* writer = log_file_.writer();
    return writer != nullptr ? writer->queued_bytes() : 0;
  }

  const LoadStatus& loading() const { return loading_; }
  const Snapshots& snapshots() const { return snapshots_; }
  const AppendOnlyFile& log_file() const { return log_file_; }
  const ChildProcess& child() const { return child_; }
  const PersistOptions& options() const { return options_; }
  void ResetStats();

 private:
  struct LoadOptions {
    bool is_preamble = false;  // of a log
    bool drop_expired = false;
    bool replace = false;  // keys that are there already
  };
  // *end (may be null): the offset behind it.
  std::string LoadSnapshot(const std::string& path, const LoadOptions& load, uint64_t* end);
  std::string LoadLog();
  void BeginLoading(uint64_t total_bytes);
  void OnLoadProgress(uint64_t loaded_bytes);
  void EndLoading();
  void ShowProgress(int percent);
  void EmptyKeyspace();
  void UpdateRefusal();
  bool StartRewrite();
  void StartWhatIsDue();
  bool FlushForStop(int64_t timeout_ms);

  Engine& engine_;
  Dispatcher& dispatcher_;
  const PersistOptions& options_;
  Log& log_;
  const std::function<void()> serve_;
  ChildProcess child_;
  Snapshots snapshots_;
  AppendOnlyFile log_file_;
  // Offsets of the engine go on when the log is turned off and on again, those of the log begin with 0.
  uint64_t first_offset_ = 0;
  bool abandons_log_ = false;
  LoadStatus loading_;
  int64_t served_us_ = 0;   // when clients were last served while loading
  int shown_percent_ = -1;  // by the bar on a terminal, or in the log
  bool bar_shown_ = false;
  uint64_t loaded_before_ = 0;  // bytes of the files that were loaded before the current one
};

}  // namespace pinyon
