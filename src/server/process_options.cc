#include "server/process_options.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "base/strings.h"

namespace pinyon {

namespace {

constexpr int kMinHz = 1;
constexpr int kMaxHz = 500;

// The last that was known, when the folder is gone.
std::string CurrentFolder() {
  static std::string last;
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) != nullptr) last = path;
  return last;
}

SettingError ChangeFolder(const std::string& path) {
  return chdir(path.c_str()) == 0 ? SettingError() : SettingError(std::strerror(errno));
}

}  // namespace

void ProcessOptions::Declare(SettingsRegistry& registry, Hooks hooks) {
  registry.AddInteger(
      "databases",
      {.target = &databases, .min = 1, .max = INT_MAX, .default_value = 16, .flags = setting::kImmutable});
  registry.AddInteger("hz", {.target = &hz,
                             .max = INT_MAX,
                             .default_value = 10,
                             .apply = [this, changed = std::move(hooks.hz_changed)] {
                               hz = std::clamp(hz, kMinHz, kMaxHz);
                               return changed();
                             }});
  registry.AddBool("dynamic-hz", {.target = &dynamic_hz, .default_value = true});
  registry.AddInteger("active-expire-effort",
                      {.target = &active_expire_effort, .min = 1, .max = 10, .default_value = 1});
  registry.AddEnum("loglevel", {.target = &log_level,
                                .choices = {{"debug", static_cast<int>(LogLevel::kDebug)},
                                            {"verbose", static_cast<int>(LogLevel::kVerbose)},
                                            {"notice", static_cast<int>(LogLevel::kNotice)},
                                            {"warning", static_cast<int>(LogLevel::kWarning)},
                                            {"nothing", static_cast<int>(LogLevel::kNothing)}},
                                .default_value = static_cast<int>(LogLevel::kNotice),
                                .apply = std::move(hooks.log_level_changed)});
  registry.AddString("logfile", {.target = &log_file, .flags = setting::kImmutable});
  registry.AddBool("always-show-logo", {.target = &always_show_logo, .flags = setting::kImmutable});
  registry.AddBool("daemonize", {.target = &daemonize, .flags = setting::kImmutable});
  registry.AddString("pidfile", {.target = &pid_file, .flags = setting::kImmutable});
  registry.AddEnum("supervised", {.target = &supervised,
                                  .choices = {{"upstart", static_cast<int>(Supervision::kUpstart)},
                                              {"systemd", static_cast<int>(Supervision::kSystemd)},
                                              {"auto", static_cast<int>(Supervision::kAuto)},
                                              {"no", static_cast<int>(Supervision::kNone)}},
                                  .default_value = static_cast<int>(Supervision::kNone),
                                  .flags = setting::kImmutable});
  registry.AddBool("set-proc-title",
                   {.target = &set_proc_title, .default_value = true, .flags = setting::kImmutable});
  registry.AddString("proc-title-template", {.target = &proc_title_template,
                                             .default_value = "{title} {listen-addr} {server-mode}",
                                             .apply = std::move(hooks.title_changed)});
  registry.AddInteger("shutdown-timeout",
                      {.target = &shutdown_timeout_s, .max = INT_MAX, .default_value = 10});
  registry.AddSpecial(
      "dir",
      {.set = [](const std::vector<std::string>& args, setting::Phase) { return ChangeFolder(args[0]); },
       .get = CurrentFolder,
       // Else the data would depend on where the next server is started.
       .rewrite = [] { return std::vector<std::string>{QuoteForLog(CurrentFolder())}; },
       .flags = setting::kProtected | setting::kDenyWhileLoading | setting::kAlwaysWritten});
}

}  // namespace pinyon
