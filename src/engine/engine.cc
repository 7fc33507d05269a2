#include "engine/engine.h"

#include <fmt/format.h>

#include <climits>
#include <iterator>
#include <vector>

namespace pinyon {

void EngineOptions::Declare(SettingsRegistry& settings) {
  acl.Declare(settings);
  settings.AddMemory("proto-max-bulk-len", {.target = &proto_max_bulk_len,
                                            .min = 1024 * 1024,
                                            .max = LONG_MAX,
                                            .default_value = 512LL * 1024 * 1024});
  DeclareNotifyClasses(settings, &notify_classes, [this] {
    if (on_notify_classes_changed) on_notify_classes_changed();
  });
  encoding.Declare(settings);
  eviction.Declare(settings);
  lazy_free.Declare(settings);
  defrag.Declare(settings);
  rdb.Declare(settings);
  tracking.Declare(settings);
  const auto add_permission = [&settings](std::string_view name, Permission* target) {
    settings.AddEnum(name, {.target = target,
                            .choices = {{"no", static_cast<int>(Permission::kNo)},
                                        {"yes", static_cast<int>(Permission::kYes)},
                                        {"local", static_cast<int>(Permission::kLocal)}},
                            .flags = setting::kImmutable});
  };
  add_permission("enable-debug-command", &enable_debug_command);
  add_permission("enable-protected-configs", &enable_protected_configs);
}

Engine::~Engine() {
  options.eviction.on_limit_changed = options.eviction.on_policy_changed = nullptr;
  options.on_notify_classes_changed = nullptr;
  keyspace.set_observer(nullptr);
}

void Engine::UseEvictionOptions() {
  keyspace.set_eviction_options(options.eviction);
  memory_limit.ReadLimit();
  options.eviction.on_limit_changed = [this] { memory_limit.OnLimitChanged(); };
  options.eviction.on_policy_changed = [this] {
    keyspace.set_eviction_options(options.eviction);
    memory_limit.OnPolicyChanged();
  };
}

void Engine::ApplyNotifyClasses() {
  constexpr uint32_t kWhere = kNotifyKeyspace | kNotifyKeyevent;
  const bool anywhere = (options.notify_classes & kWhere) != 0;
  notifier.Subscribe(anywhere ? options.notify_classes & ~kWhere : 0,
                     [this](NotifyClass, std::string_view event, std::string_view key, int database) {
                       if (!pubsub.empty()) PublishEvent(event, key, database);
                     });
}

void Engine::PublishEvent(std::string_view event, std::string_view key, int database) {
  if ((options.notify_classes & kNotifyKeyspace) != 0) {
    event_channel_.clear();
    fmt::format_to(std::back_inserter(event_channel_), "__keyspace@{}__:{}", database, key);
    pubsub.Publish(event_channel_, event);
  }
  if ((options.notify_classes & kNotifyKeyevent) != 0) {
    event_channel_.clear();
    fmt::format_to(std::back_inserter(event_channel_), "__keyevent@{}__:{}", database, event);
    pubsub.Publish(event_channel_, key);
  }
}

void Engine::PropagateOwn(int database, Args effect) {
  effects.Add(database, effect);
  if (!in_unit) effects.EndUnit();
}

void Engine::OnExpired(int database, std::string_view key) {
  watches.KeyChanged(database, key);
  tracking.KeyChanged(nullptr, key);
  blocked.KeyGoes(database, key);
  if (notifier.Wants(kNotifyExpired)) notifier.Publish(kNotifyExpired, "expired", key, database);
  if (effects.Listening()) PropagateOwn(database, std::array{DeletionVerb(options.lazy_free.expire), key});
}

void Engine::OnFieldsExpired(int database, std::string_view key, std::span<const std::string_view> fields) {
  PINYON_ASSERT(!fields.empty());
  watches.KeyChanged(database, key);
  tracking.KeyChanged(nullptr, key);
  if (notifier.Wants(kNotifyHash)) notifier.Publish(kNotifyHash, "hexpired", key, database);
  if (!effects.Listening()) return;
  std::vector<std::string_view> deletion = {"HDEL", key};
  deletion.insert(deletion.end(), fields.begin(), fields.end());
  PropagateOwn(database, deletion);
}

void Engine::OnLastFieldsExpired(int database, std::string_view key) {
  watches.KeyChanged(database, key);
  tracking.KeyChanged(nullptr, key);
  if (notifier.Wants(kNotifyHash)) notifier.Publish(kNotifyHash, "hexpired", key, database);
  if (notifier.Wants(kNotifyGeneric)) notifier.Publish(kNotifyGeneric, "del", key, database);
  if (effects.Listening()) PropagateOwn(database, std::array<std::string_view, 2>{"DEL", key});
}

void Engine::OnEvicted(int database, std::string_view key) {
  PINYON_ASSERT(!in_unit);
  watches.KeyChanged(database, key);
  tracking.KeyChanged(nullptr, key);
  blocked.KeyGoes(database, key);
  if (notifier.Wants(kNotifyEvicted)) notifier.Publish(kNotifyEvicted, "evicted", key, database);
  if (!effects.Listening()) return;
  PropagateOwn(database, std::array{DeletionVerb(options.lazy_free.eviction), key});
}

}  // namespace pinyon
