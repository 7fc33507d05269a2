// Directives of the process: where it runs, how it logs, how often it does its periodic work.
#pragma once

#include <string>

#include "base/log.h"
#include "base/settings.h"
#include "server/supervisor.h"

namespace pinyon {

// Where tools for Redis look for the process id of a daemon that was not told where to write it.
inline constexpr char kDaemonPidFile[] = "/var/run/redis.pid";

struct ProcessOptions {
  struct Hooks {
    std::function<std::string()> hz_changed;
    std::function<std::string()> log_level_changed;
    std::function<std::string()> title_changed;
  };
  void Declare(SettingsRegistry& registry, Hooks hooks);

  int databases = 16;
  int hz = 10;
  bool dynamic_hz = true;
  int active_expire_effort = 1;
  LogLevel log_level = LogLevel::kNotice;
  std::string log_file;
  bool always_show_logo = false;
  bool daemonize = false;
  std::string pid_file;  // a daemon without one gets kDaemonPidFile
  Supervision supervised = Supervision::kNone;
  // Not a directive: who listens in fact, known once the supervisor was told that the server is starting.
  Supervision supervisor = Supervision::kNone;
  bool set_proc_title = true;
  std::string proc_title_template;
  int shutdown_timeout_s = 10;
};

}  // namespace pinyon
