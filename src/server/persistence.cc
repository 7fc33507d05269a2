#include "server/persistence.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "engine/log_replay.h"
#include "persist/aof_loader.h"
#include "persist/byte_source.h"
#include "persist/key_delay.h"
#include "persist/keyspace_loader.h"

namespace pinyon {

namespace {

// While data are loaded, clients and signals are looked after so often.
constexpr int64_t kServeIntervalUs = 20'000;

// Fills the keyspace as the server wants it.
class ServerLoader final : public KeyspaceLoader {
 public:
  struct Options {
    bool replace = false;  // keys that are there already (DEBUG RELOAD MERGE)
    const int64_t& key_delay;
    std::function<void()> after_delay;
  };
  ServerLoader(Keyspace& keyspace, Options options)
      : KeyspaceLoader(keyspace),
        keyspace_(keyspace),
        options_(std::move(options)),
        delay_(options_.key_delay) {}

  bool OnKey(const RdbKey& key, Entry* entry, std::string* reason) override {
    if (options_.replace) {
      Database& db = keyspace_.database(key.database);
      if (const EntryRef old = db.Find(entry->key())) db.Delete(old);
    }
    if (delay_.is_on()) {
      delay_.Next();
      options_.after_delay();
    }
    return KeyspaceLoader::OnKey(key, entry, reason);
  }

 private:
  Keyspace& keyspace_;
  const Options options_;
  KeyDelay delay_;
};

uint64_t SizeOf(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

LogWriter::Callbacks CallbacksOf(Log& log, std::function<void()> wake) {
  return {.progress = std::move(wake),
          // As Redis: nothing more is acknowledged, and what was can be found on the disk.
          .fatal =
              [&log](const std::string& text) {
                log.Warning(
                    "Can't recover from AOF write error when the AOF fsync policy is 'always'. "
                    "Exiting... ({})",
                    text);
                std::fflush(nullptr);
                _exit(1);
              },
          .warn = [&log](const std::string& text) { log.Warning("{}", text); }};
}

}  // namespace

Persistence::Persistence(FileSystem& fs, Engine& engine, Dispatcher& dispatcher,
                         const PersistOptions& options, Log& log, std::function<void()> wake,
                         std::function<void()> serve)
    : engine_(engine),
      dispatcher_(dispatcher),
      options_(options),
      log_(log),
      serve_(std::move(serve)),
      snapshots_(fs, engine.keyspace, options, engine.options.rdb, child_, log,
                 &engine.stats.changes_since_save),
      log_file_(fs, options, engine.options.rdb, engine.keyspace, child_, log,
                CallbacksOf(log, std::move(wake))) {
  engine_.persistence = this;
}

Persistence::~Persistence() {
  engine_.effects.SetListener(nullptr);
  engine_.persistence = nullptr;
}

// --- loading ---

void Persistence::BeginLoading(uint64_t total_bytes) {
  loading_ = {.running = true, .start_s = WallMs() / 1000, .total_bytes = total_bytes};
  loaded_before_ = 0;
  shown_percent_ = -1;
  engine_.is_loading = true;
  dispatcher_.UpdatePause();
  dispatcher_.UpdateTime();
}

void Persistence::OnLoadProgress(uint64_t loaded_bytes) {
  loading_.loaded_bytes = loaded_bytes;
  if (loading_.total_bytes > 0) {
    ShowProgress(static_cast<int>(std::min<uint64_t>(loaded_bytes * 100 / loading_.total_bytes, 100)));
  }
  const int64_t now_us = MonotonicUs();
  // Within a command (DEBUG RELOAD) the loop must not be entered again.
  if (engine_.in_unit || now_us - served_us_ < kServeIntervalUs) return;
  serve_();
  served_us_ = MonotonicUs();
  dispatcher_.UpdateTime();
}

// On a terminal a bar that is drawn over; else a line in the log for every tenth, once it takes seconds.
void Persistence::ShowProgress(int percent) {
  constexpr int kBarColumns = 40;
  if (percent == shown_percent_) return;
  const bool takes_long = WallMs() / 1000 - loading_.start_s >= 2;
  if (isatty(STDERR_FILENO) != 0) {
    shown_percent_ = percent;
    if (!takes_long && !bar_shown_) return;
    const auto filled = static_cast<size_t>(percent * kBarColumns / 100);
    const std::string bar = std::string(filled, '#') + std::string(kBarColumns - filled, '.');
    fmt::print(stderr, "\rloading [{}] {:3}%", bar, percent);
    bar_shown_ = true;
  } else if (takes_long && percent / 10 > shown_percent_ / 10) {
    shown_percent_ = percent;
    log_.Notice("Loading: {}% of {} MB", percent, loading_.total_bytes >> 20);
  }
}

void Persistence::EndLoading() {
  if (bar_shown_) fmt::print(stderr, "\r{:60}\r", "");
  bar_shown_ = false;
  loading_.running = false;
  engine_.is_loading = false;
  dispatcher_.UpdatePause();
  dispatcher_.UpdateTime();
}

std::string Persistence::LoadSnapshot(const std::string& path, const LoadOptions& load, uint64_t* end) {
  File file;
  if (const FileError error = File::OpenToRead(FileSystem::Real(), path, &file)) return error.Text();
  FileSource source(file.fd());
  ServerLoader loader(engine_.keyspace, {.replace = load.replace,
                                         .key_delay = options_.key_load_delay,
                                         .after_delay = [this] { OnLoadProgress(loading_.loaded_bytes); }});
  // Whoever loads a snapshot goes by the clock; time stands still otherwise while data are loaded.
  RdbReadOptions options{.drop_expired = load.drop_expired, .verify_checksum = engine_.options.rdb.checksum};
  if (load.drop_expired) engine_.keyspace.set_now_ms(WallMs());
  options.progress = [this, &load](uint64_t offset) {
    OnLoadProgress(loaded_before_ + offset);
    if (load.drop_expired) engine_.keyspace.set_now_ms(WallMs());
  };
  RdbSnapshotReader reader(source, engine_.keyspace, loader, std::move(options));
  RdbReadResult result;
  const bool ok = reader.Read(&result);
  loading_.keys_loaded += result.keys;
  loading_.keys_expired += result.expired_keys;
  if (end != nullptr) *end = result.offset;
  if (!ok) return fmt::format("{}: {}", path, result.error);
  if (!load.is_preamble) {
    log_.Notice("Done loading RDB, keys loaded: {}, keys expired: {}.", result.keys, result.expired_keys);
  }
  return {};
}

std::string Persistence::LoadLog() {
  AofDirectory& directory = log_file_.directory();
  std::string error;
  AofDirectory::Found found = directory.Find(&error);
  if (found == AofDirectory::Found::kError) return error;
  if (found == AofDirectory::Found::kSingleFile) {
    if (!directory.Upgrade(&error)) return error;
    log_.Notice("Successfully migrated an old-style AOF configuration ({}) into the AOF directory ({}).",
                options_.append_filename, options_.append_dirname);
    found = directory.Find(&error);
    if (found == AofDirectory::Found::kError) return error;
  }
  if (found == AofDirectory::Found::kNothing) return {};
  uint64_t total = 0;
  if (const FileError failure = directory.TotalBytes(&total)) return failure.Text();
  BeginLoading(total);
  LogReplay replay(engine_, dispatcher_);
  AofLoader::Hooks hooks;
  hooks.load_rdb = [this](const std::string& path, uint64_t* end, std::string* reason) {
    // The log says itself when a key went.
    *reason = LoadSnapshot(path, {.is_preamble = true}, end);
    return reason->empty();
  };
  hooks.progress = [this](uint64_t done, uint64_t) {
    loaded_before_ = done;
    OnLoadProgress(done);
  };
  hooks.log = [this](bool warning, const std::string& text) {
    warning ? log_.Warning("{}", text) : log_.Notice("{}", text);
  };
  const AofLoader::Result result =
      AofLoader(FileSystem::Real(), replay, std::move(hooks)).Load(directory, options_.aof_load_truncated);
  EndLoading();
  return result.ok ? std::string() : result.error;
}

std::string Persistence::LoadAndOpen() {
  const int64_t start_us = MonotonicUs();
  const auto seconds = [start_us] { return static_cast<double>(MonotonicUs() - start_us) / 1e6; };
  log_file_.SetNames();
  if (options_.append_only) {
    std::string error = LoadLog();
    if (error.empty()) error = log_file_.Start();
    if (!error.empty())
      return fmt::format("Bad file format reading the append only file, or it can't be opened: {}", error);
    if (engine_.keyspace.TotalKeys() > 0)
      log_.Notice("DB loaded from append only file: {:.3f} seconds", seconds());
    engine_.effects.SetListener(this);
  } else if (access(options_.db_filename.c_str(), F_OK) == 0) {
    BeginLoading(SizeOf(options_.db_filename));
    const std::string error = LoadSnapshot(options_.db_filename, {.drop_expired = true}, nullptr);
    EndLoading();
    if (!error.empty())
      return fmt::format("Fatal error loading the DB, check server logs. Exiting. ({})", error);
    log_.Notice("DB loaded from disk: {:.3f} seconds", seconds());
  }
  snapshots_.NoteLoaded();
  return {};
}

// --- while the server runs ---

uint64_t Persistence::Append(std::string_view commands) {
  return first_offset_ + log_file_.Append(commands, WallMs() / 1000);
}

uint64_t Persistence::ReplyOffset() const {
  const uint64_t reached = log_file_.reply_offset();
  return reached == ~uint64_t{0} ? reached : first_offset_ + reached;
}

// What was written while the log was off is in the base that the first rewrite made.
bool Persistence::IsSynced(uint64_t offset) const {
  return log_file_.state() == AppendOnlyFile::State::kOn &&
         offset <= first_offset_ + log_file_.writer()->synced_offset();
}

void Persistence::EmptyKeyspace() {
  for (int i = 0; i < engine_.keyspace.DatabaseCount(); ++i) {
    engine_.watches.BeforeFlush(i);
    engine_.keyspace.database(i).Clear(Database::Clearing::kInBackground);
  }
  engine_.tracking.KeysFlushed();
}

void Persistence::UpdateRefusal() {
  std::string trouble = log_file_.Trouble();
  if (trouble.empty() && snapshots_.MustRefuseWrites()) {
    trouble =
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
        "Commands that may modify the data set are disabled, because this instance is configured to report "
        "errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check "
        "the Redis logs for details about the RDB error.";
  }
  engine_.write_refusal = std::move(trouble);
}

void Persistence::OnLogProgress() {
  log_file_.PollFinish();
  UpdateRefusal();
}

void Persistence::Tick() {
  if (loading_.running) return;
  log_file_.PollFinish();
  if (const auto result = child_.Poll()) {
    result->task == ChildProcess::Task::kSnapshot ? snapshots_.OnChildEnded(*result)
                                                  : log_file_.OnChildEnded(*result);
  }
  if (!child_.running()) StartWhatIsDue();
  // Whether anything is synced may depend on whether a child runs.
  log_file_.UpdatePolicy();
  engine_.keyspace.set_spares_pages(child_.running());
  UpdateRefusal();
}

bool Persistence::StartRewrite() {
  const bool started = log_file_.StartRewrite();
  engine_.keyspace.set_spares_pages(child_.running());
  // The new file begins in database 0, whatever the last one ended in.
  if (!log_file_.is_off()) engine_.effects.SetListener(this);
  return started;
}

void Persistence::StartWhatIsDue() {
  const int64_t now_ms = MonotonicUs() / 1000;
  if (log_file_.WantsRewrite(now_ms)) {
    StartRewrite();
  } else if (snapshots_.scheduled() || snapshots_.IsDue(WallMs() / 1000)) {
    snapshots_.StartBackground();
  }
}

std::string Persistence::OnAppendOnlyChanged() {
  if (options_.append_only == !log_file_.is_off()) return {};
  if (!options_.append_only) {
    engine_.effects.SetListener(nullptr);
    const std::string error = log_file_.TurnOff();
    if (!error.empty()) log_.Warning("Turning the append only file off: {}", error);
    dispatcher_.OnLogTurnedOff();
    UpdateRefusal();
    return {};
  }
  const std::string error = log_file_.TurnOn();
  if (!error.empty()) {
    log_.Warning("Unable to turn on the append only file: {}", error);
    return "Unable to turn on AOF. Check server logs.";
  }
  first_offset_ = engine_.effects.offset();
  engine_.effects.SetListener(this);
  if (!child_.running()) StartWhatIsDue();
  return {};
}

PersistenceControl::Answer Persistence::Save() {
  if (child_.task() == ChildProcess::Task::kSnapshot)
    return {false, "ERR Background save already in progress"};
  if (!snapshots_.Save()) return {false, "ERR"};
  UpdateRefusal();
  return {true, "OK"};
}

PersistenceControl::Answer Persistence::BackgroundSave(bool schedule, bool in_transaction) {
  if (child_.task() == ChildProcess::Task::kSnapshot)
    return {false, "ERR Background save already in progress"};
  if (child_.running() || in_transaction) {
    if (!schedule && !in_transaction) {
      return {
          false,
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order "
          "to schedule a BGSAVE whenever possible."};
    }
    snapshots_.Schedule();
    return {true, "Background saving scheduled"};
  }
  if (!snapshots_.StartBackground()) return {false, "ERR"};
  engine_.keyspace.set_spares_pages(true);
  return {true, "Background saving started"};
}

PersistenceControl::Answer Persistence::RewriteLog(bool in_transaction) {
  if (log_file_.rewriting()) {
    return {false, "ERR Background append only file rewriting already in progress"};
  }
  if (child_.running() || in_transaction) {
    log_file_.Schedule();
    return {true, "Background append only file rewriting scheduled"};
  }
  if (StartRewrite()) return {true, "Background append only file rewriting started"};
  return {
      false,
      "ERR Can't execute an AOF background rewriting. Please check the server logs for more information."};
}

PersistenceControl::Answer Persistence::Reload(const ReloadOptions& options) {
  snapshots_.StopBackground();
  if (options.save && !snapshots_.Save()) return {false, "ERR"};
  if (options.flush) EmptyKeyspace();
  BeginLoading(SizeOf(options_.db_filename));
  const std::string error = LoadSnapshot(options_.db_filename, {.replace = options.merge}, nullptr);
  EndLoading();
  if (!error.empty()) {
    log_.Warning("DEBUG RELOAD: {}", error);
    return {false, "ERR Error trying to load the RDB dump, check server logs"};
  }
  log_.Warning("DB reloaded by DEBUG RELOAD");
  return {true, "OK"};
}

PersistenceControl::Answer Persistence::ReloadLog() {
  if (log_file_.is_off()) return {false, "ERR Append only file is not enabled"};
  if (const FileError error = log_file_.Flush()) return {false, "ERR " + error.Text()};
  log_file_.WaitForFinish();
  EmptyKeyspace();
  engine_.effects.SetListener(nullptr);
  const std::string error = LoadLog();
  engine_.effects.SetListener(this);
  if (!error.empty()) {
    log_.Warning("DEBUG LOADAOF: {}", error);
    return {false, "ERR Error trying to load the AOF files, check server logs"};
  }
  engine_.stats.changes_since_save = 0;
  log_.Warning("Append Only File loaded by DEBUG LOADAOF");
  return {true, "OK"};
}

// What was there must not come back after a crash.
void Persistence::OnFlushAll() {
  snapshots_.StopBackground();
  if (!options_.save_points.empty()) snapshots_.Save();
}

// What the disk has not taken is told, so that whoever forces the stop knows what that costs.
bool Persistence::FlushForStop(int64_t timeout_ms) {
  log_.Notice("Calling fsync() on the AOF file.");
  const FileError error = log_file_.Flush(timeout_ms);
  if (!error) return true;
  const LogWriter& writer = *log_file_.writer();
  const uint64_t written = writer.written_offset(), synced = writer.synced_offset();
  log_.Warning(
      "Fail to fsync the AOF file: {}. Not on the disk: {} bytes that are not written, {} bytes that are not "
      "synced.",
      error.Text(), writer.appended() - written, written - std::min(written, synced));
  return false;
}

bool Persistence::PrepareStop(int flags, int64_t timeout_ms) {
  const bool force = (flags & kShutdownForce) != 0;
  snapshots_.StopBackground();
  log_file_.StopRewrite();
  if (loading_.running) return true;  // there is nothing yet that is not on the disk
  abandons_log_ = !log_file_.is_off() && !FlushForStop(timeout_ms);
  if (abandons_log_ && !force) return false;
  const bool configured = !options_.save_points.empty() && (flags & kShutdownNoSave) == 0;
  if (!configured && (flags & kShutdownSave) == 0) return true;
  log_.Notice("Saving the final RDB snapshot before exiting.");
  if (snapshots_.Save()) return true;
  log_.Warning("Error trying to save the DB, {}", force ? "but the stop is forced." : "can't exit.");
  return force;
}

void Persistence::ResetStats() {
  snapshots_.ResetStats();
  log_file_.ResetStats();
}

}  // namespace pinyon
