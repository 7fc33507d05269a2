#include "persist/snapshots.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "persist/byte_sink.h"
#include "persist/rdb_snapshot_writer.h"

namespace pinyon {

namespace {

// After a failed save the next one is not tried at once.
constexpr int64_t kRetrySeconds = 5;

// Written back while the rest is made, so that the last sync is short.
constexpr size_t kSyncEveryBytes = 4 << 20;

uint64_t Megabytes(uint64_t bytes) { return bytes / (1024 * 1024); }

}  // namespace

Snapshots::Snapshots(FileSystem& fs, Keyspace& keyspace, const PersistOptions& options, const RdbOptions& rdb,
                     ChildProcess& child, Log& log, int64_t* changes)
    : fs_(fs),
      keyspace_(keyspace),
      options_(options),
      rdb_(rdb),
      child_(child),
      log_(log),
      changes_(changes),
      last_save_s_(WallMs() / 1000) {}

std::string Snapshots::TemporaryName(int64_t pid) const { return fmt::format("temp-{}.rdb", pid); }

std::string Snapshots::WriteFile(ChildProgress* progress) const {
  const std::string temporary = TemporaryName(getpid());
  File file;
  if (const FileError error = File::Open(fs_, temporary, O_WRONLY | O_CREAT | O_TRUNC, &file)) {
    return fmt::format("Failed opening the temp RDB file {} for saving: {}", temporary, error.Text());
  }
  FileSink sink(file.fd());
  sink.set_sync_every(kSyncEveryBytes);
  RdbSnapshotOptions options{.max_version = static_cast<int>(rdb_.version_limit),
                             .compress = rdb_.compression,
                             .checksum = rdb_.checksum,
                             .access = AccessToKeep(keyspace_),
                             .key_delay = options_.key_save_delay};
  options.progress = [progress](uint64_t keys, uint64_t bytes) {
    if (progress == nullptr) return;
    progress->keys_done = keys;
    progress->bytes_written = bytes;
    progress->NoteCopied(false);
  };
  RdbSnapshotResult result;
  std::string failure;
  if (!WriteRdbSnapshot(keyspace_, sink, options, &result)) {
    failure = result.error;
  } else if (const FileError error = file.Sync()) {
    failure = error.Text();
  } else if (const FileError not_renamed = RenameDurably(fs_, temporary, options_.db_filename)) {
    failure = not_renamed.Text();
  }
  if (failure.empty()) return {};
  unlink(temporary.c_str());
  return fmt::format("Write error saving DB on disk: {}", failure);
}

bool Snapshots::Save() {
  const std::string error = WriteFile(nullptr);
  if (!error.empty()) {
    log_.Warning("{}", error);
    return false;
  }
  log_.Notice("DB saved on disk");
  NoteSaved(*changes_);
  // A background save that failed is made good by this one.
  last_background_ok_ = true;
  return true;
}

bool Snapshots::StartBackground() {
  scheduled_ = false;
  changes_at_fork_ = *changes_;
  last_try_s_ = WallMs() / 1000;
  const std::string error = child_.Start(ChildProcess::Task::kSnapshot, [this](ChildProgress& progress) {
    log_.SetRole(LogRole::kChild);
    const std::string failure = WriteFile(&progress);
    if (!failure.empty()) {
      log_.Warning("{}", failure);
      progress.SetError(failure);
      return 1;
    }
    log_.Notice("DB saved on disk");
    progress.NoteCopied(true);
    log_.Notice("Fork CoW for RDB: current {} MB, peak {} MB, average {} MB",
                Megabytes(progress.copied_bytes), Megabytes(progress.copied_bytes_peak),
                Megabytes(progress.copied_bytes));
    return 0;
  });
  if (!error.empty()) {
    last_background_ok_ = false;
    log_.Warning("Can't save in background: fork: {}", error);
    return false;
  }
  log_.Notice("Background saving started by pid {}", child_.pid());
  return true;
}

void Snapshots::OnChildEnded(const ChildProcess::Result& result) {
  last_background_s_ = result.run_us / 1'000'000;
  last_copied_bytes_ = result.copied_bytes;
  if (result.ok()) {
    log_.Notice("Background saving terminated with success");
    NoteSaved(changes_at_fork_);
    last_background_ok_ = true;
    return;
  }
  if (result.signal == 0) {
    log_.Warning("Background saving error");
    last_background_ok_ = false;
    return;
  }
  log_.Warning("Background saving terminated by signal {}", result.signal);
  unlink(TemporaryName(result.pid).c_str());
  // Whoever kills the child by hand did not want it, and writes go on.
  if (result.signal != SIGUSR1 && !result.was_killed) last_background_ok_ = false;
}

void Snapshots::StopBackground() {
  if (child_.task() != ChildProcess::Task::kSnapshot) return;
  log_.Warning("There is a child saving an .rdb. Killing it!");
  if (const auto result = child_.Kill()) OnChildEnded(*result);
}

void Snapshots::NoteSaved(int64_t changes_saved) {
  *changes_ -= changes_saved;
  last_save_s_ = WallMs() / 1000;
  ++saves_;
}

bool Snapshots::IsDue(int64_t now_s) const {
  if (!last_background_ok_ && now_s - last_try_s_ <= kRetrySeconds) return false;
  for (const SavePoint& point : options_.save_points) {
    if (*changes_ < point.changes || now_s - last_save_s_ <= point.seconds) continue;
    log_.Notice("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    return true;
  }
  return false;
}

}  // namespace pinyon
