// The thread that writes and syncs the append-only file. The loop appends the effects of each unit and
// commits once a turn; nothing that the loop calls waits for the disk, except what says so.
//
//   loop     Append, Append, ...  Commit ─┐                      Append ...
//   thread                                └> write ─ fdatasync ─> synced_offset, progress()
//
// Offsets count the bytes of the stream since the writer was made, across files. appended() >=
// written_offset()
// >= synced_offset().
//
// Policies, switchable at any time:
//   kAlways    what is queued is written and synced at once, one sync for all that came meanwhile;
//   reply_offset
//              follows the disk. A write or sync that fails is fatal: nothing is acknowledged any more.
//   kEverysec  written within a few milliseconds (kLingerMs: turns that follow each other closely share a
//              wake-up and a write), synced once a second.
//   kNo        written likewise, synced only when a file is left, when asked (AskForSync), and at Flush.
//
// Errors under kEverysec and kNo (health() and error() tell; progress() is called when they change):
//   kWriteFailed  what was written in part is cut off again and all is tried again once a second; what comes
//   in
//                 meanwhile is kept. The owner refuses writes (MISCONF), which bounds it.
//   kSyncFailed   the kernel may have dropped what it could not write, and would not say so again. The file
//   is
//                 written on, never synced nor trusted again, and synced_offset stands still until the owner
//                 has rotated and says by BaseIsDurable that a rewrite stands for everything before.
//
// Rotation: Rotate names the next file; bytes appended afterwards go there. The thread writes and syncs the
// old one to its end first, then runs `publish` (which writes the manifest), and only then the new file gets
// its first byte. So whenever the process dies, only the last file of the manifest can have a torn tail.
//
// Threads: one thread, the loop's, owns the writer and calls everything that is not said to be safe from any;
// callbacks run on the writer's thread. A forked child must not touch it.
//
// Costs: Append copies; Commit takes a lock that is never held during I/O, and wakes the thread if it sleeps.
// Memory: queued_bytes(), and one spare buffer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "persist/file_io.h"

namespace pinyon {

enum class FsyncPolicy : uint8_t { kAlways, kEverysec, kNo };

enum class LogHealth : uint8_t { kGood, kWriteFailed, kSyncFailed, kDead };

class LogWriter {
 public:
  struct Options {
    FsyncPolicy policy = FsyncPolicy::kEverysec;
    bool timestamps = false;  // aof-timestamp-enabled
    // Beyond so many bytes that are not written yet the owner must wait.
    uint64_t max_queued_bytes = uint64_t{256} << 20;
    // Times, for tests to shorten.
    int64_t sync_interval_ms = 1000;
    int64_t stuck_ms = 2000;
    int64_t retry_ms = 1000;
    int64_t linger_ms = 2;
  };
  // All on the writer's thread; they may take no lock that the loop holds while it calls the writer.
  struct Callbacks {
    // synced_offset(), health() or current_file_start() changed: wake the loop (uv_async_send).
    std::function<void()> progress;
    // kAlways, and the disk failed: the owner logs this and exits with status 1. Called once.
    std::function<void(const std::string&)> fatal;
    // For the server's log: an error (the first of its kind), or that writing works again.
    std::function<void(const std::string&)> warn;
  };

  // Takes over a file opened to append, whose contents, if any, are whole units.
  LogWriter(File file, const Options& options, Callbacks callbacks);
  // Stop.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // The encoded commands of one unit; returns the offset at their end. `unix_s` is for the annotation.
  uint64_t Append(std::string_view unit, int64_t unix_s);
  // Hands what was appended to the thread; the end of a turn.
  void Commit();

  uint64_t appended() const { return appended_; }
  // Any thread.
  uint64_t written_offset() const { return written_offset_.load(std::memory_order_acquire); }
  uint64_t synced_offset() const { return synced_offset_.load(std::memory_order_acquire); }
  // Replies that wait for offsets up to this may be sent: what the policy promises is kept up to here.
  uint64_t reply_offset() const { return gated_ ? synced_offset() : ~uint64_t{0}; }
  // Appended and not written.
  uint64_t queued_bytes() const { return appended_ - written_offset(); }

  void SetPolicy(FsyncPolicy policy);
  FsyncPolicy policy() const { return policy_; }
  void SetTimestamps(bool enabled) { timestamps_ = enabled; }
  // no-appendfsync-on-rewrite while a child lives: nothing is synced, replies under kAlways do not wait.
  void SetSyncSuspended(bool suspended);

  // Somebody waits for what was appended so far to be synced: kNo does it for once. Nobody waits here.
  void AskForSync();

  // Any thread.
  LogHealth health() const { return health_.load(std::memory_order_acquire); }
  // The last error, "" if all is well.
  std::string error() const;

  // Whether the loop should wait (WaitForProgress) before it goes on: the thread is stuck in one system call
  // for longer than stuck_ms (kEverysec), or too much is queued. Cheap; asked once a turn.
  bool MustWait();
  // How often the thread was found stuck: aof_delayed_fsync.
  uint64_t delayed_syncs() const { return delayed_syncs_; }
  // Waits until the thread has finished a system call, at most so long. The only waits are here and in Flush.
  void WaitForProgress(int64_t timeout_ms);

  // From the returned offset on bytes go to `next`, which is empty. `publish` runs on the thread when the old
  // file is complete, before the first byte of the new one; an error of it is handled like that of a write
  // (it is run again).
  uint64_t Rotate(File next, std::function<FileError()> publish);
  // Where the file begins that is written now: a rotation at R has been done when this is R. Any thread.
  uint64_t current_file_start() const { return file_start_.load(std::memory_order_acquire); }
  // A rewrite that began with the rotation at `offset` has succeeded, and its base is in the manifest,
  // durably, and so is the file of that rotation: what comes before `offset` needs to be written and synced
  // no more. That is also how a log that cannot be written any more is left behind.
  void BaseIsDurable(uint64_t offset);

  // Waits until everything appended is written and synced, whatever the policy, but no longer than
  // `timeout_ms`. An error means that it is not (one attempt, or ETIMEDOUT); the writer goes on afterwards as
  // before.
  static constexpr int64_t kNoLimit = INT64_MAX;
  FileError Flush(int64_t timeout_ms = kNoLimit);
  // Ends the thread; what is queued and not flushed is lost.
  void Stop();

 private:
  struct Chunk {
    uint64_t end = 0;  // offset in the stream
    std::string bytes;
    // A chunk without bytes: the file that follows.
    std::optional<File> next_file;
    std::function<FileError()> publish;
  };
  // Chunks below this are joined, so that many small turns become one write.
  static constexpr size_t kJoinBytes = 64 * 1024;
  static constexpr size_t kSpareBytes = 1024 * 1024;

  void Wake() { wake_.notify_one(); }
  void UpdateGate();
  static Callbacks WithDefaults(Callbacks callbacks);

  // On the thread. `lock` is held on entry and on return of those that take it.
  void Run();
  bool HasWork(int64_t now_ms) const;
  int64_t WaitMs(int64_t now_ms) const;
  void Round(std::unique_lock<std::mutex>& lock);
  void WriteChunks();
  bool WriteChunk(Chunk& chunk);
  bool SwitchFile(Chunk& chunk);
  bool SyncFile();
  bool WantsSync(int64_t now_ms) const;
  void WriteFailed(const FileError& error);
  void WriteWorks();
  void SyncFailed(const FileError& error);
  void Die(const FileError& error);
  void SetHealth(LogHealth health, const std::string& error);
  void ApplyDurableBase();
  void PublishSynced(uint64_t offset);
  // The file that is written now had a sync that failed.
  bool IsFileLost() const {
    return sync_lost_ && sync_lost_start_ == file_start_.load(std::memory_order_relaxed);
  }
  template <typename Call>
  FileError Timed(Call call);

  const Options options_;
  const Callbacks callbacks_;

  // The loop's.
  std::string turn_;
  uint64_t appended_ = 0;
  bool timestamps_;
  int64_t last_annotation_s_ = -1;
  FsyncPolicy policy_;
  bool suspended_ = false;
  bool gated_ = false;
  uint64_t delayed_syncs_ = 0;
  int64_t last_stuck_since_ms_ = 0;

  // Shared, under the mutex.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable progressed_;
  std::deque<Chunk> queue_;
  std::string spare_;
  FsyncPolicy shared_policy_;
  bool shared_suspended_ = false;
  bool stopping_ = false;
  bool asleep_ = false;
  uint64_t durable_base_ = 0;
  uint64_t sync_asked_ = 0;  // up to where
  uint64_t flushes_asked_ = 0;
  uint64_t flushes_done_ = 0;
  FileError flush_error_;
  std::string error_;
  uint64_t calls_done_ = 0;

  std::atomic<uint64_t> written_offset_{0};
  std::atomic<uint64_t> synced_offset_{0};
  std::atomic<uint64_t> file_start_{0};
  std::atomic<LogHealth> health_{LogHealth::kGood};
  // When the system call began that the thread is in; 0: in none. Monotonic.
  std::atomic<int64_t> busy_since_ms_{0};

  // The thread's.
  File file_;
  uint64_t file_bytes_ = 0;   // whole chunks only
  size_t partial_bytes_ = 0;  // of the first chunk, written and not to be cut off
  std::deque<Chunk> work_;
  bool always_;  // as of the last look
  FsyncPolicy seen_policy_;
  bool sync_lost_ = false;        // a sync failed and no base has made up for it
  uint64_t sync_lost_start_ = 0;  // where the file begins in which that was
  uint64_t file_synced_ = 0;      // offset up to which the current file was synced; where it begins, at least
  uint64_t durable_base_applied_ = 0;
  int64_t last_sync_ms_ = 0;
  int64_t retry_at_ms_ = 0;
  FileError last_failure_;
  std::thread thread_;
};

}  // namespace pinyon
