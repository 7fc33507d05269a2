// What executes commands: the parts that a handler may reach, gathered by reference. It owns the small ones
// that belong to execution and no logic of theirs.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/log.h"
#include "base/settings.h"
#include "engine/acl.h"
#include "engine/blocking.h"
#include "engine/client_pause.h"
#include "engine/command_table.h"
#include "engine/effects.h"
#include "engine/key_transfer.h"
#include "engine/memory_limit.h"
#include "engine/notify.h"
#include "engine/persistence_control.h"
#include "engine/server_control.h"
#include "engine/session_registry.h"
#include "engine/tracking.h"
#include "engine/watch.h"
#include "keyspace/defrag_options.h"
#include "keyspace/defragmenter.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/eviction_options.h"
#include "keyspace/keyspace.h"
#include "keyspace/lazy_free_options.h"
#include "persist/rdb_options.h"
#include "pubsub/pubsub.h"

namespace pinyon {

class Dispatcher;

struct EngineStats {
  uint64_t commands_processed = 0;
  uint64_t error_replies = 0;
  uint64_t auth_failures = 0;
  uint64_t denied_commands = 0;
  uint64_t denied_keys = 0;
  uint64_t denied_channels = 0;
  int64_t changes_since_save = 0;
  std::map<std::string, uint64_t, std::less<>> errors_by_code;
};

// Directives that commands and the dispatcher obey; owned by the server.
struct EngineOptions {
  int64_t proto_max_bulk_len = 512LL * 1024 * 1024;
  uint32_t notify_classes = 0;  // NotifyClass bits
  // Set by the engine: notify_classes has changed.
  std::function<void()> on_notify_classes_changed;
  AclOptions acl;
  EncodingLimits encoding;
  EvictionOptions eviction;
  LazyFreeOptions lazy_free;
  DefragOptions defrag;
  RdbOptions rdb;
  TrackingOptions tracking;
  // Declares the directives that are kept here.
  void Declare(SettingsRegistry& registry);

  // Who may use what could harm the server: nobody, everybody, or clients on this machine.
  enum class Permission : int { kNo, kYes, kLocal };
  Permission enable_debug_command = Permission::kNo;
  Permission enable_protected_configs = Permission::kNo;
};

class Engine final : public KeyspaceObserver {
 public:
  Engine(Keyspace& in_keyspace, CommandTable& in_commands, SettingsRegistry& in_settings, Log& in_log,
         ServerControl& in_server, EngineOptions& in_options)
      : keyspace(in_keyspace),
        commands(in_commands),
        settings(in_settings),
        log(in_log),
        server(in_server),
        options(in_options),
        acl(in_commands, sessions, in_server, in_options.acl),
        watches(in_keyspace),
        tracking(in_keyspace, sessions, in_server, in_options.tracking),
        blocked(in_keyspace),
        memory_limit(in_keyspace, in_log),
        defragmenter(in_keyspace, in_options.defrag),
        pubsub(in_keyspace.seed()) {
    keyspace.set_observer(this);
    keyspace.set_encoding_limits(options.encoding);
    keyspace.set_lazy_free_options(options.lazy_free);
    UseEvictionOptions();
    options.on_notify_classes_changed = [this] { ApplyNotifyClasses(); };
    ApplyNotifyClasses();
  }
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // A key's time has come: watchers, notification and propagation, as part of the unit that found it, or, for
  // active expiry, as a unit of its own.
  void OnExpired(int database, std::string_view key) override;
  // The same for fields of hashes.
  void OnFieldsExpired(int database, std::string_view key, std::span<const std::string_view> fields) override;
  void OnLastFieldsExpired(int database, std::string_view key) override;
  // A key goes to make room: a unit of its own.
  void OnEvicted(int database, std::string_view key) override;

  Keyspace& keyspace;
  CommandTable& commands;
  SettingsRegistry& settings;
  Log& log;
  ServerControl& server;
  EngineOptions& options;
  // Set by the Dispatcher's constructor; EXEC runs queued commands through it.
  Dispatcher* dispatcher = nullptr;

  // Set by the server; null where nothing is kept on disk.
  PersistenceControl* persistence = nullptr;
  // Set by the server; null where keys go nowhere.
  KeyTransfer* transfer = nullptr;

  EngineStats stats;
  SessionRegistry sessions;
  Acl acl;
  WatchTable watches;
  Tracking tracking;
  BlockedClients blocked;
  MemoryLimit memory_limit;
  Defragmenter defragmenter;
  ClientPause pause;
  Effects effects;
  PubSub pubsub;
  Notifier notifier;
  NullSink null_sink;
  // Whether a unit of execution is under way.
  bool in_unit = false;

  // Commands that may be refused because of the state of the server, not of the session.
  bool IsLimited() const { return is_loading || !write_refusal.empty(); }
  // The data are being loaded: what needs them is refused, and nothing expires.
  bool is_loading = false;
  // The error by which commands that write are refused (MISCONF); empty: they are not.
  std::string write_refusal;

 private:
  void UseEvictionOptions();
  void ApplyNotifyClasses();
  // Publishes an event of a key as its keyspace and its keyevent message.
  void PublishEvent(std::string_view event, std::string_view key, int database);
  // What happened outside of a unit is a unit of its own.
  void PropagateOwn(int database, Args effect);

  std::string event_channel_;  // scratch
};

}  // namespace pinyon
