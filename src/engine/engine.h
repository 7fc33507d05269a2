// What executes commands: the parts that a handler may reach, gathered by reference. It owns the small ones that
// belong to execution and no logic of theirs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/log.h"
#include "base/settings.h"
#include "engine/command_table.h"
#include "engine/effects.h"
#include "engine/notify.h"
#include "engine/server_control.h"
#include "engine/session_registry.h"
#include "engine/watch.h"
#include "keyspace/keyspace.h"

namespace pinyon {

class Dispatcher;

struct EngineStats {
  uint64_t commands_processed = 0;
  uint64_t error_replies = 0;
  uint64_t auth_failures = 0;
  int64_t changes_since_save = 0;
  std::map<std::string, uint64_t, std::less<>> errors_by_code;
};

// Directives that commands and the dispatcher obey; declared in engine.cc.
struct EngineOptions {
  std::string requirepass;
  int64_t proto_max_bulk_len = 512LL * 1024 * 1024;
  int lazyfree_lazy_user_del = 0;
  int lazyfree_lazy_user_flush = 0;
  int enable_debug_command = 0;  // 0 no, 1 yes, 2 local
};

struct Engine {
  Engine(Keyspace& in_keyspace, CommandTable& in_commands, SettingsRegistry& in_settings, Log& in_log,
         ServerControl& in_server)
      : keyspace(in_keyspace),
        commands(in_commands),
        settings(in_settings),
        log(in_log),
        server(in_server),
        watches(in_keyspace) {}

  // Declares the directives of EngineOptions.
  void DeclareSettings();

  Keyspace& keyspace;
  CommandTable& commands;
  SettingsRegistry& settings;
  Log& log;
  ServerControl& server;
  // Set by the Dispatcher's constructor; EXEC runs queued commands through it.
  Dispatcher* dispatcher = nullptr;

  EngineOptions options;
  EngineStats stats;
  SessionRegistry sessions;
  WatchTable watches;
  Effects effects;
  Notifier notifier;
  NullSink null_sink;
};

}  // namespace pinyon
