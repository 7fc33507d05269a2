#include "persist/append_only_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "persist/aof_rewriter.h"
#include "persist/byte_sink.h"
#include "persist/rdb_snapshot_writer.h"

namespace pinyon {

namespace {

// How long one turn waits for a disk that is stuck; then it goes on and waits in the next one again.
constexpr int64_t kWaitMs = 100;
constexpr uint64_t kSyncEveryBytes = 4 << 20;

FsyncPolicy PolicyOf(PersistOptions::Fsync fsync) {
  switch (fsync) {
    case PersistOptions::Fsync::kAlways: return FsyncPolicy::kAlways;
    case PersistOptions::Fsync::kNo: return FsyncPolicy::kNo;
    case PersistOptions::Fsync::kEverySecond: break;
  }
  return FsyncPolicy::kEverysec;
}

}  // namespace

AppendOnlyFile::AppendOnlyFile(FileSystem& fs, const PersistOptions& options, const RdbOptions& rdb,
                               Keyspace& keyspace, ChildProcess& child, Log& log,
                               LogWriter::Callbacks callbacks)
    : fs_(fs),
      options_(options),
      rdb_(rdb),
      keyspace_(keyspace),
      child_(child),
      log_(log),
      callbacks_(std::move(callbacks)) {}

AppendOnlyFile::~AppendOnlyFile() = default;

void AppendOnlyFile::SetNames() {
  directory_ =
      std::make_unique<AofDirectory>(fs_, AofDirectory::Names{.data_folder = ".",
                                                              .append_folder = options_.append_dirname,
                                                              .file_name = options_.append_filename});
}

LogWriter::Options AppendOnlyFile::WriterOptions() const {
  return {.policy = PolicyOf(options_.append_fsync), .timestamps = options_.aof_timestamps};
}

std::string AppendOnlyFile::Start() {
  PINYON_ASSERT(is_off());
  File file;
  if (const FileError error = directory_->OpenForAppend(&file)) return error.Text();
  writer_ = std::make_unique<LogWriter>(std::move(file), WriterOptions(), callbacks_);
  state_ = State::kOn;
  Measure();
  base_bytes_ = start_bytes_;
  return {};
}

void AppendOnlyFile::Measure() {
  uint64_t bytes = 0;
  if (const FileError error = directory_->TotalBytes(&bytes)) log_.Warning("{}", error.Text());
  // What is queued is not in the files yet.
  measured_offset_ = writer_->written_offset();
  start_bytes_ = bytes;
}

uint64_t AppendOnlyFile::current_bytes() const {
  return writer_ == nullptr ? 0 : start_bytes_ + (writer_->appended() - measured_offset_);
}

std::string AppendOnlyFile::TurnOn() {
  PINYON_ASSERT(is_off());
  WaitForFinish();
  std::string error;
  if (directory_->Find(&error) == AofDirectory::Found::kError) return error;
  File file;
  if (const FileError failure = directory_->PrepareTurnOn(&file)) return failure.Text();
  writer_ = std::make_unique<LogWriter>(std::move(file), WriterOptions(), callbacks_);
  state_ = State::kStarting;
  start_bytes_ = measured_offset_ = base_bytes_ = 0;
  scheduled_ = true;
  return {};
}

std::string AppendOnlyFile::TurnOff() {
  PINYON_ASSERT(!is_off());
  StopRewrite();
  WaitForFinish();
  const FileError error = Flush();
  writer_.reset();
  state_ = State::kOff;
  scheduled_ = false;
  return error ? error.Text() : std::string();
}

void AppendOnlyFile::Commit() {
  writer_->Commit();
  if (!writer_->MustWait()) {
    waited_ = false;
    return;
  }
  if (!waited_) {
    log_.Notice(
        "Asynchronous AOF fsync is taking too long (disk is busy?). Waiting for it, this may slow down the "
        "server.");
  }
  waited_ = true;
  writer_->WaitForProgress(kWaitMs);
}

FileError AppendOnlyFile::Flush(int64_t timeout_ms) {
  if (writer_ == nullptr) return {};
  writer_->Commit();
  return writer_->Flush(timeout_ms);
}

void AppendOnlyFile::UpdatePolicy() {
  if (writer_ == nullptr) return;
  writer_->SetPolicy(PolicyOf(options_.append_fsync));
  writer_->SetTimestamps(options_.aof_timestamps);
  writer_->SetSyncSuspended(options_.no_fsync_on_rewrite && child_.running());
}

// --- rewrites ---

bool AppendOnlyFile::WantsRewrite(int64_t now_ms) {
  if (finishing()) return false;
  if (is_off()) return scheduled_;
  const bool needed = state_ == State::kStarting || writer_->health() == LogHealth::kSyncFailed ||
                      AofHasGrown(base_bytes_, current_bytes(), options_.auto_rewrite_percentage,
                                  static_cast<uint64_t>(options_.auto_rewrite_min_bytes));
  return scheduled_ || (needed && backoff_.MayStart(now_ms));
}

std::string AppendOnlyFile::PrepareFiles() {
  if (is_off()) return {};
  writer_->Commit();
  File file;
  if (state_ == State::kStarting) {
    // Whatever was appended before this fork is in the new base.
    if (const FileError error = directory_->PrepareTurnOn(&file)) return error.Text();
    rewrite_offset_ = writer_->Rotate(std::move(file), [] { return FileError(); });
    return {};
  }
  std::function<FileError()> publish;
  if (const FileError error = directory_->PrepareIncremental(&file, &incremental_seq_, &publish)) {
    return error.Text();
  }
  rewrite_offset_ = writer_->Rotate(std::move(file), std::move(publish));
  return {};
}

bool AppendOnlyFile::StartRewrite() {
  PINYON_ASSERT(!finishing());
  scheduled_ = false;
  // BGREWRITEAOF of a server whose log is off makes a log that nobody goes on with.
  std::string error;
  if (is_off() && directory_->Find(&error) == AofDirectory::Found::kError) {
    log_.Warning("Can't rewrite append only file in background: {}", error);
    return false;
  }
  base_is_rdb_ = options_.aof_use_rdb_preamble;
  error = PrepareFiles();
  if (error.empty()) {
    error = child_.Start(ChildProcess::Task::kRewrite, [this](ChildProgress& progress) {
      log_.SetRole(LogRole::kChild);
      const std::string failure = WriteBase(progress);
      if (failure.empty()) return 0;
      log_.Warning("Write error writing append only file on disk: {}", failure);
      progress.SetError(failure);
      return 1;
    });
  }
  if (!error.empty()) {
    log_.Warning("Can't rewrite append only file in background: {}", error);
    NoteFailure();
    return false;
  }
  log_.Notice("Background append only file rewriting started by pid {}", child_.pid());
  UpdatePolicy();
  return true;
}

std::string AppendOnlyFile::WriteBase(ChildProgress& progress) const {
  const std::string path = directory_->TemporaryBasePath(getpid());
  File file;
  FileError error = MakeFolder(fs_, directory_->folder());
  if (!error) error = File::Open(fs_, path, O_WRONLY | O_CREAT | O_TRUNC, &file);
  if (error) return error.Text();
  std::string failure =
      base_is_rdb_ ? WriteRdbBase(std::move(file), progress) : WriteCommandBase(std::move(file), progress);
  if (!failure.empty()) unlink(path.c_str());
  return failure;
}

std::string AppendOnlyFile::WriteRdbBase(File file, ChildProgress& progress) const {
  FileSink sink(file.fd());
  sink.set_sync_every(kSyncEveryBytes);
  RdbSnapshotResult result;
  RdbSnapshotOptions options{.max_version = static_cast<int>(rdb_.version_limit),
                             .compress = rdb_.compression,
                             .checksum = rdb_.checksum,
                             .aof_base = true,
                             .access = AccessToKeep(keyspace_),
                             .key_delay = options_.key_save_delay};
  options.progress = [&progress](uint64_t keys, uint64_t bytes) {
    progress.keys_done = keys;
    progress.bytes_written = bytes;
    progress.NoteCopied(false);
  };
  if (!WriteRdbSnapshot(keyspace_, sink, options, &result)) return result.error;
  const FileError error = file.Sync();
  return error ? error.Text() : std::string();
}

std::string AppendOnlyFile::WriteCommandBase(File file, ChildProgress& progress) const {
  FileWriter out(std::move(file), kSyncEveryBytes);
  AofRewriter rewriter([&out](std::string_view bytes) { return out.Write(bytes); });
  rewriter.set_progress([&](uint64_t keys) {
    progress.keys_done = keys;
    progress.bytes_written = out.bytes();
    progress.NoteCopied(false);
  });
  std::string error;
  const bool stamped = !options_.aof_timestamps || rewriter.WriteTimestamp(WallMs() / 1000);
  if (!stamped || !rewriter.Write(keyspace_, &error)) return out.error() ? out.error().Text() : error;
  const FileError failure = out.Finish();
  return failure ? failure.Text() : std::string();
}

void AppendOnlyFile::OnChildEnded(const ChildProcess::Result& result) {
  stats_.last_rewrite_s = result.run_us / 1'000'000;
  stats_.last_copied_bytes = result.copied_bytes;
  if (result.ok()) {
    log_.Notice("Background AOF rewrite terminated with success");
    StartFinish(result);
    return;
  }
  if (result.signal == 0) {
    log_.Warning("Background AOF rewrite terminated with error");
  } else {
    log_.Warning("Background AOF rewrite terminated by signal {}", result.signal);
  }
  unlink(directory_->TemporaryBasePath(result.pid).c_str());
  UpdatePolicy();
  if (!result.was_killed) NoteFailure();
}

void AppendOnlyFile::StartFinish(const ChildProcess::Result& result) {
  finish_error_ = history_error_ = {};
  finish_job_.Start(
      [this, temporary = directory_->TemporaryBasePath(result.pid)] {
        finish_error_ = PutInPlace(temporary);
        if (finish_error_) unlink(temporary.c_str());
        if (!finish_error_ && !options_.aof_disable_auto_gc) history_error_ = directory_->DeleteHistory();
      },
      callbacks_.progress);
}

FileError AppendOnlyFile::PutInPlace(const std::string& temporary) {
  switch (state_) {
    case State::kOn: return directory_->CommitRewrite(temporary, base_is_rdb_, incremental_seq_);
    case State::kStarting: return directory_->CommitTurnOn(temporary, base_is_rdb_);
    case State::kOff: break;
  }
  // Nothing is appended behind it.
  File unused;
  if (FileError error = directory_->PrepareTurnOn(&unused)) return error;
  return directory_->CommitTurnOn(temporary, base_is_rdb_);
}

void AppendOnlyFile::PollFinish() {
  if (finish_job_.TakeEnded()) EndFinish();
}

void AppendOnlyFile::WaitForFinish() {
  if (!finishing()) return;
  finish_job_.Wait();
  EndFinish();
}

void AppendOnlyFile::EndFinish() {
  PINYON_ASSERT(!finishing());
  if (finish_error_) {
    log_.Warning("Error trying to finish the AOF rewrite: {}", finish_error_.Text());
    UpdatePolicy();
    NoteFailure();
    return;
  }
  if (writer_ != nullptr) {
    state_ = State::kOn;
    writer_->BaseIsDurable(rewrite_offset_);
    Measure();
    base_bytes_ = start_bytes_;
  }
  if (history_error_) log_.Warning("{}", history_error_.Text());
  UpdatePolicy();
  NoteSuccess();
}

void AppendOnlyFile::NoteSuccess() {
  ++stats_.rewrites;
  stats_.last_rewrite_ok = true;
  stats_.failures_in_a_row = 0;
  backoff_.Succeeded();
  log_.Notice("Background AOF rewrite finished successfully");
}

void AppendOnlyFile::NoteFailure() {
  stats_.last_rewrite_ok = false;
  ++stats_.failures_in_a_row;
  backoff_.Failed(MonotonicUs() / 1000);
}

void AppendOnlyFile::StopRewrite() {
  if (child_.task() != ChildProcess::Task::kRewrite) return;
  log_.Warning("There is a child rewriting the AOF. Killing it!");
  if (const auto result = child_.Kill()) OnChildEnded(*result);
}

std::string AppendOnlyFile::Trouble() const {
  if (writer_ == nullptr || writer_->health() == LogHealth::kGood) return {};
  return fmt::format("MISCONF Errors writing to the AOF file: {}", writer_->error());
}

}  // namespace pinyon
