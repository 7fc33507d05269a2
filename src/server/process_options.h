// Directives of the process: where it runs, how it logs, how often it does its periodic work.
#pragma once

#include <string>

#include "base/log.h"
#include "base/settings.h"

namespace pinyon {

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
  std::string pid_file;
  bool set_proc_title = true;
  std::string proc_title_template;
  int shutdown_timeout_s = 10;
};

}  // namespace pinyon
