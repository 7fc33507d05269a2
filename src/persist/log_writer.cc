#include "persist/log_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/assert.h"
#include "base/blocked_signals.h"
#include "base/clock.h"

namespace pinyon {

namespace {

int64_t NowMs() { return MonotonicUs() / 1000; }

constexpr int64_t kForeverMs = 60 * 1000;

}  // namespace

LogWriter::Callbacks LogWriter::WithDefaults(Callbacks callbacks) {
  if (!callbacks.progress) callbacks.progress = [] {};
  if (!callbacks.fatal) callbacks.fatal = [](const std::string&) {};
  if (!callbacks.warn) callbacks.warn = [](const std::string&) {};
  return callbacks;
}

LogWriter::LogWriter(File file, const Options& options, Callbacks callbacks)
    : options_(options),
      callbacks_(WithDefaults(std::move(callbacks))),
      timestamps_(options.timestamps),
      policy_(options.policy),
      shared_policy_(options.policy),
      file_(std::move(file)),
      always_(options.policy == FsyncPolicy::kAlways),
      seen_policy_(options.policy),
      last_sync_ms_(NowMs()) {
  PINYON_CHECK(file_.is_open());
  UpdateGate();
  last_failure_ = file_.Size(&file_bytes_);
  const BlockedSignals blocked;
  thread_ = std::thread([this] { Run(); });
}

LogWriter::~LogWriter() { Stop(); }

uint64_t LogWriter::Append(std::string_view unit, int64_t unix_s) {
  if (timestamps_ && unix_s > last_annotation_s_) {
    last_annotation_s_ = unix_s;
    const size_t before = turn_.size();
    fmt::format_to(std::back_inserter(turn_), "#TS:{}\r\n", unix_s);
    appended_ += turn_.size() - before;
  }
  turn_.append(unit);
  appended_ += unit.size();
  return appended_;
}

void LogWriter::Commit() {
  if (turn_.empty()) return;
  bool wake;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!queue_.empty() && !queue_.back().next_file &&
        queue_.back().bytes.size() + turn_.size() <= kJoinBytes) {
      queue_.back().bytes.append(turn_);
      queue_.back().end = appended_;
      turn_.clear();
    } else {
      queue_.push_back({.end = appended_, .bytes = std::move(turn_), .next_file = {}, .publish = {}});
      turn_ = std::move(spare_);
      turn_.clear();
      spare_ = std::string();
    }
    wake = std::exchange(asleep_, false);
  }
  if (wake) Wake();
}

void LogWriter::UpdateGate() { gated_ = policy_ == FsyncPolicy::kAlways && !suspended_; }

void LogWriter::SetPolicy(FsyncPolicy policy) {
  if (policy == policy_) return;
  policy_ = policy;
  UpdateGate();
  const std::lock_guard<std::mutex> lock(mutex_);
  shared_policy_ = policy;
  Wake();
}

void LogWriter::SetSyncSuspended(bool suspended) {
  if (suspended == suspended_) return;
  suspended_ = suspended;
  UpdateGate();
  const std::lock_guard<std::mutex> lock(mutex_);
  shared_suspended_ = suspended;
  Wake();
}

void LogWriter::AskForSync() {
  const std::lock_guard<std::mutex> lock(mutex_);
  sync_asked_ = appended_;
  if (policy_ == FsyncPolicy::kNo) Wake();
}

std::string LogWriter::error() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return error_;
}

bool LogWriter::MustWait() {
  if (queued_bytes() > options_.max_queued_bytes) return true;
  const int64_t since = busy_since_ms_.load(std::memory_order_acquire);
  if (since == 0 || policy_ != FsyncPolicy::kEverysec || NowMs() - since <= options_.stuck_ms) return false;
  if (since != last_stuck_since_ms_) {
    last_stuck_since_ms_ = since;
    ++delayed_syncs_;
  }
  return true;
}

void LogWriter::WaitForProgress(int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t before = calls_done_;
  progressed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return calls_done_ != before; });
}

uint64_t LogWriter::Rotate(File next, std::function<FileError()> publish) {
  PINYON_ASSERT(next.is_open());
  Commit();
  // A file can be cut at a time only when it tells one from its beginning.
  last_annotation_s_ = -1;
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.push_back(
      {.end = appended_, .bytes = {}, .next_file = std::move(next), .publish = std::move(publish)});
  Wake();
  return appended_;
}

void LogWriter::BaseIsDurable(uint64_t offset) {
  PINYON_ASSERT(offset <= appended_);
  const std::lock_guard<std::mutex> lock(mutex_);
  durable_base_ = std::max(durable_base_, offset);
  Wake();
}

FileError LogWriter::Flush(int64_t timeout_ms) {
  Commit();
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t ticket = ++flushes_asked_;
  Wake();
  const auto is_done = [&] { return flushes_done_ >= ticket; };
  if (timeout_ms == kNoLimit) {
    progressed_.wait(lock, is_done);
  } else if (!progressed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), is_done)) {
    return {"wait for", "the disk", ETIMEDOUT};
  }
  return flush_error_;
}

void LogWriter::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    Wake();
  }
  thread_.join();
}

// What follows runs on the thread.

template <typename Call>
FileError LogWriter::Timed(Call call) {
  busy_since_ms_.store(std::max<int64_t>(NowMs(), 1), std::memory_order_release);
  FileError error = call();
  busy_since_ms_.store(0, std::memory_order_release);
  const std::lock_guard<std::mutex> lock(mutex_);
  ++calls_done_;
  progressed_.notify_all();
  return error;
}

void LogWriter::Run() {
  // Without its length a file could not be brought back to whole units.
  if (last_failure_) Die(last_failure_);
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    const int64_t now_ms = NowMs();
    if (!HasWork(now_ms)) {
      if (stopping_) return;
      asleep_ = true;
      wake_.wait_for(lock, std::chrono::milliseconds(WaitMs(now_ms)));
      asleep_ = false;
      continue;
    }
    Round(lock);
    // Turns follow each other while there is load; those of the next moments are written together.
    if (!stopping_ && flushes_asked_ == flushes_done_ && shared_policy_ != FsyncPolicy::kAlways) {
      wake_.wait_for(lock, std::chrono::milliseconds(options_.linger_ms));
    }
  }
}

bool LogWriter::HasWork(int64_t now_ms) const {
  if (flushes_asked_ != flushes_done_ || durable_base_ != durable_base_applied_) return true;
  if (health() == LogHealth::kDead || stopping_) return false;
  if (shared_policy_ != seen_policy_) return true;
  if ((!queue_.empty() || !work_.empty()) && retry_at_ms_ <= now_ms) return true;
  return WantsSync(now_ms);
}

int64_t LogWriter::WaitMs(int64_t now_ms) const {
  if (health() == LogHealth::kDead) return kForeverMs;
  int64_t until = now_ms + kForeverMs;
  if (!work_.empty() || !queue_.empty()) until = retry_at_ms_;
  if (!shared_suspended_ && !IsFileLost() && seen_policy_ == FsyncPolicy::kEverysec &&
      file_synced_ < written_offset()) {
    until = std::min(until, last_sync_ms_ + options_.sync_interval_ms);
  }
  return std::clamp<int64_t>(until - now_ms, 1, kForeverMs);
}

bool LogWriter::WantsSync(int64_t now_ms) const {
  if (shared_suspended_ || IsFileLost() || written_offset() <= file_synced_) return false;
  switch (shared_policy_) {
    case FsyncPolicy::kAlways: return true;
    case FsyncPolicy::kEverysec: return now_ms - last_sync_ms_ >= options_.sync_interval_ms;
    // All of it, or what of it is written: more may be appended all the time.
    case FsyncPolicy::kNo: return file_synced_ < sync_asked_;
  }
  return false;
}

// Takes everything that is queued, writes it, and syncs it if it is time to.
void LogWriter::Round(std::unique_lock<std::mutex>& lock) {
  seen_policy_ = shared_policy_;
  always_ = shared_policy_ == FsyncPolicy::kAlways;
  const uint64_t flush = flushes_asked_;
  const bool flushing = flush != flushes_done_;
  const uint64_t base = durable_base_;
  while (!queue_.empty()) {
    work_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  lock.unlock();

  if (durable_base_applied_ != base) {
    durable_base_applied_ = base;
    retry_at_ms_ = 0;
    ApplyDurableBase();
  }
  if (flushing || retry_at_ms_ <= NowMs()) WriteChunks();
  lock.lock();
  bool sync = health() != LogHealth::kDead && WantsSync(NowMs());
  if (flushing && health() != LogHealth::kDead && !IsFileLost()) sync = file_synced_ < written_offset();
  if (sync) {
    lock.unlock();
    SyncFile();
    lock.lock();
  }
  if (!flushing) return;
  const bool safe = health() != LogHealth::kDead && work_.empty() && !sync_lost_;
  PINYON_ASSERT(safe || last_failure_);
  flush_error_ = safe ? FileError() : last_failure_;
  flushes_done_ = flush;
  progressed_.notify_all();
}

void LogWriter::WriteChunks() {
  while (!work_.empty() && health() != LogHealth::kDead) {
    Chunk& chunk = work_.front();
    if (!(chunk.next_file ? SwitchFile(chunk) : WriteChunk(chunk))) return;
    if (chunk.bytes.capacity() > 0 && chunk.bytes.capacity() <= kSpareBytes) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (spare_.capacity() == 0) spare_ = std::move(chunk.bytes);
    }
    work_.pop_front();
  }
}

bool LogWriter::WriteChunk(Chunk& chunk) {
  // What a base stands for already may be lost: its file is history.
  if (chunk.end > durable_base_applied_) {
    const std::string_view rest = std::string_view(chunk.bytes).substr(partial_bytes_);
    size_t written = 0;
    FileError error = Timed([&] { return file_.WriteAll(rest, &written); });
    if (error) {
      partial_bytes_ += written;
      // A unit must not be left in half: a process that dies now would find it as a torn tail, one that
      // writes on would have it in the middle.
      if (partial_bytes_ > 0 && !file_.Truncate(file_bytes_)) partial_bytes_ = 0;
      WriteFailed(error);
      return false;
    }
    file_bytes_ += chunk.bytes.size();
  }
  partial_bytes_ = 0;
  written_offset_.store(chunk.end, std::memory_order_release);
  WriteWorks();
  return true;
}

bool LogWriter::SwitchFile(Chunk& chunk) {
  const bool needed = chunk.end > durable_base_applied_;
  // Once, whatever the policy: what stands behind it in the log is worth nothing without it. Where it fails,
  // the file is lost, and the log goes on in the next one.
  if (needed && !IsFileLost() && file_synced_ < chunk.end && !SyncFile() && always_) return false;
  if (chunk.publish) {
    if (FileError error = Timed([&] { return chunk.publish(); })) {
      WriteFailed(error);
      return false;
    }
  }
  file_ = std::move(*chunk.next_file);
  file_bytes_ = 0;
  partial_bytes_ = 0;
  file_synced_ = chunk.end;
  file_start_.store(chunk.end, std::memory_order_release);
  WriteWorks();
  callbacks_.progress();
  return true;
}

bool LogWriter::SyncFile() {
  const uint64_t offset = written_offset();
  last_sync_ms_ = NowMs();
  if (FileError error = Timed([&] { return file_.SyncData(); })) {
    SyncFailed(error);
    return false;
  }
  file_synced_ = offset;
  if (!sync_lost_) PublishSynced(offset);
  return true;
}

void LogWriter::PublishSynced(uint64_t offset) {
  if (offset <= synced_offset()) return;
  synced_offset_.store(offset, std::memory_order_release);
  callbacks_.progress();
}

void LogWriter::ApplyDurableBase() {
  const uint64_t base = durable_base_applied_;
  if (sync_lost_ && sync_lost_start_ < base) {
    sync_lost_ = false;
    if (health() == LogHealth::kSyncFailed) {
      callbacks_.warn("A rewrite has replaced the append only file that could not be synced.");
      SetHealth(LogHealth::kGood, "");
    }
  }
  if (sync_lost_) return;
  // What the current file holds may have been synced while that could not be told.
  PublishSynced(std::max(base, file_synced_));
}

void LogWriter::SetHealth(LogHealth health, const std::string& error) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = error;
  }
  if (health_.exchange(health, std::memory_order_acq_rel) != health) callbacks_.progress();
}

void LogWriter::Die(const FileError& error) {
  SetHealth(LogHealth::kDead, error.Text());
  callbacks_.fatal(error.Text());
}

void LogWriter::WriteFailed(const FileError& error) {
  last_failure_ = error;
  if (always_) return Die(error);
  retry_at_ms_ = NowMs() + options_.retry_ms;
  if (health() == LogHealth::kGood) {
    callbacks_.warn(fmt::format("Error writing to the append only file: {}", error.Text()));
  }
  // A lost sync is the graver of the two and stays.
  SetHealth(sync_lost_ ? LogHealth::kSyncFailed : LogHealth::kWriteFailed, error.Text());
}

void LogWriter::WriteWorks() {
  retry_at_ms_ = 0;
  if (health() != LogHealth::kWriteFailed) return;
  callbacks_.warn("AOF write error looks solved. The server can write again.");
  SetHealth(LogHealth::kGood, "");
}

void LogWriter::SyncFailed(const FileError& error) {
  last_failure_ = error;
  if (always_) return Die(error);
  sync_lost_ = true;
  sync_lost_start_ = file_start_.load(std::memory_order_relaxed);
  callbacks_.warn(fmt::format(
      "Error syncing the append only file: {}. It is not trusted any more; a rewrite has to replace it.",
      error.Text()));
  SetHealth(LogHealth::kSyncFailed, error.Text());
}

}  // namespace pinyon
