#include "persist/persist_options.h"

#include <climits>
#include <string_view>
#include <utility>

#include "base/numbers.h"
#include "base/settings_text.h"

namespace pinyon {

namespace {

using setting::kDenyWhileLoading;
using setting::kHidden;
using setting::kImmutable;
using setting::kMultiArg;
using setting::kProtected;
using setting::Phase;

SettingError RefusePath(std::string_view value, std::string_view name, std::string_view kind) {
  if (value.find('/') == std::string_view::npos) return {};
  return std::string(name) + " can't be a path, just a " + std::string(kind);
}

// For names that must not be empty either.
std::function<SettingError(std::string_view)> NameRule(std::string_view name, std::string_view kind) {
  return [name, kind](std::string_view value) -> SettingError {
    if (value.empty()) return std::string(name) + " can't be empty";
    return RefusePath(value, name, kind);
  };
}

SettingError ParseSavePoints(const std::vector<std::string>& args, std::vector<SavePoint>* points) {
  if (args.size() % 2 != 0) return "Invalid save parameters";
  for (size_t i = 0; i < args.size(); i += 2) {
    SavePoint point = {};
    const bool numbers = ParseInt64(args[i], &point.seconds) && ParseInt64(args[i + 1], &point.changes);
    if (!numbers || point.seconds < 1 || point.changes < 0) return "Invalid save parameters";
    points->push_back(point);
  }
  return {};
}

}  // namespace

void PersistOptions::Declare(SettingsRegistry& registry, Hooks hooks) {
  DeclareSave(registry);
  DeclareSnapshots(registry);
  DeclareLog(registry, std::move(hooks));
  DeclareShutdown(registry);
}

// The first `save` of a source replaces the save points, the next ones of it add to them; no words clear
// them.
void PersistOptions::DeclareSave(SettingsRegistry& registry) {
  const auto set = [this](const std::vector<std::string>& args, Phase phase) -> SettingError {
    std::vector<SavePoint> points;
    SettingError error = ParseSavePoints(args, &points);
    if (!error.empty()) return error;
    if (phase != Phase::kLoadMore || args.empty()) save_points.clear();
    save_points.insert(save_points.end(), points.begin(), points.end());
    return {};
  };
  const auto lines = [this] {
    std::vector<std::string> texts;
    for (const SavePoint& point : save_points) {
      texts.push_back(std::to_string(point.seconds) + " " + std::to_string(point.changes));
    }
    return texts;
  };
  const auto rewrite = [lines] {
    std::vector<std::string> texts = lines();
    return texts.empty() ? std::vector<std::string>{"\"\""} : texts;
  };
  registry.AddSpecial(
      "save",
      {.set = set, .get = [lines] { return JoinWords(lines()); }, .rewrite = rewrite, .flags = kMultiArg});
}

void PersistOptions::DeclareSnapshots(SettingsRegistry& registry) {
  registry.AddString("dbfilename", {.target = &db_filename,
                                    .default_value = "dump.rdb",
                                    .flags = kProtected | kDenyWhileLoading,
                                    .validate = [](std::string_view value) {
                                      return RefusePath(value, "dbfilename", "filename");
                                    }});
  registry.AddBool("rdb-del-sync-files", {.target = &rdb_del_sync_files});
  registry.AddBool("rdb-save-incremental-fsync", {.target = &rdb_save_syncs, .default_value = true});
  registry.AddBool("stop-writes-on-bgsave-error",
                   {.target = &stop_writes_on_bgsave_error, .default_value = true});
  registry.AddEnum("sanitize-dump-payload", {.target = &sanitize_dump_payload,
                                             .choices = {{"no", static_cast<int>(Sanitize::kNo)},
                                                         {"yes", static_cast<int>(Sanitize::kYes)},
                                                         {"clients", static_cast<int>(Sanitize::kClients)}},
                                             .default_value = static_cast<int>(Sanitize::kNo)});
  registry.AddInteger("key-load-delay",
                      {.target = &key_load_delay, .min = INT_MIN, .max = INT_MAX, .flags = kHidden});
  registry.AddInteger("rdb-key-save-delay",
                      {.target = &key_save_delay, .min = INT_MIN, .max = INT_MAX, .flags = kHidden});
  registry.AddInteger("loading-process-events-interval-bytes", {.target = &loading_events_interval_bytes,
                                                                .min = 1024,
                                                                .max = INT_MAX,
                                                                .default_value = 2 * 1024 * 1024,
                                                                .flags = kHidden});
}

void PersistOptions::DeclareLog(SettingsRegistry& registry, Hooks hooks) {
  registry.AddBool(
      "appendonly",
      {.target = &append_only, .flags = kDenyWhileLoading, .apply = std::move(hooks.append_only_changed)});
  registry.AddString("appendfilename", {.target = &append_filename,
                                        .default_value = "appendonly.aof",
                                        .flags = kImmutable,
                                        .validate = NameRule("appendfilename", "filename")});
  registry.AddString("appenddirname", {.target = &append_dirname,
                                       .default_value = "appendonlydir",
                                       .flags = kImmutable,
                                       .validate = NameRule("appenddirname", "dirname")});
  registry.AddEnum("appendfsync", {.target = &append_fsync,
                                   .choices = {{"everysec", static_cast<int>(Fsync::kEverySecond)},
                                               {"always", static_cast<int>(Fsync::kAlways)},
                                               {"no", static_cast<int>(Fsync::kNo)}},
                                   .default_value = static_cast<int>(Fsync::kEverySecond),
                                   .apply = hooks.log_policy_changed});
  registry.AddBool("no-appendfsync-on-rewrite",
                   {.target = &no_fsync_on_rewrite, .apply = hooks.log_policy_changed});
  registry.AddInteger("auto-aof-rewrite-percentage",
                      {.target = &auto_rewrite_percentage, .max = INT_MAX, .default_value = 100});
  registry.AddMemory("auto-aof-rewrite-min-size",
                     {.target = &auto_rewrite_min_bytes, .default_value = 64 * 1024 * 1024});
  registry.AddBool("aof-load-truncated", {.target = &aof_load_truncated, .default_value = true});
  registry.AddBool("aof-use-rdb-preamble", {.target = &aof_use_rdb_preamble, .default_value = true});
  registry.AddBool("aof-timestamp-enabled",
                   {.target = &aof_timestamps, .apply = std::move(hooks.log_policy_changed)});
  registry.AddBool("aof-disable-auto-gc", {.target = &aof_disable_auto_gc});
  registry.AddBool("aof-rewrite-incremental-fsync", {.target = &aof_rewrite_syncs, .default_value = true});
}

void PersistOptions::DeclareShutdown(SettingsRegistry& registry) {
  const std::vector<EnumChoice> choices = {{"default", kShutdownDefault},
                                           {"save", kShutdownSave},
                                           {"nosave", kShutdownNoSave},
                                           {"now", kShutdownNow},
                                           {"force", kShutdownForce}};
  const auto validate = [](int flags) -> SettingError {
    const bool both = (flags & kShutdownSave) != 0 && (flags & kShutdownNoSave) != 0;
    return both ? "shutdown action cannot be both save and nosave" : SettingError();
  };
  registry.AddEnum("shutdown-on-sigint", {.target = &shutdown_on_sigint,
                                          .choices = choices,
                                          .flags = kMultiArg,
                                          .bit_flags = true,
                                          .validate = validate});
  registry.AddEnum("shutdown-on-sigterm", {.target = &shutdown_on_sigterm,
                                           .choices = choices,
                                           .flags = kMultiArg,
                                           .bit_flags = true,
                                           .validate = validate});
}

}  // namespace pinyon
