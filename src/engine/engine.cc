#include "engine/engine.h"

#include <climits>

namespace pinyon {

void EngineOptions::Declare(SettingsRegistry& settings) {
  settings.AddString("requirepass", {.target = &requirepass, .flags = setting::kSensitive});
  settings.AddMemory("proto-max-bulk-len", {.target = &proto_max_bulk_len,
                                            .min = 1024 * 1024,
                                            .max = LONG_MAX,
                                            .default_value = 512LL * 1024 * 1024});
  settings.AddBool("lazyfree-lazy-user-del", {.target = &lazyfree_lazy_user_del});
  settings.AddBool("lazyfree-lazy-user-flush", {.target = &lazyfree_lazy_user_flush});
  encoding.Declare(settings);
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

void Engine::OnExpired(int database, std::string_view key) {
  watches.KeyChanged(database, key);
  if (notifier.Wants(kNotifyExpired)) notifier.Publish(kNotifyExpired, "expired", key, database);
  if (!effects.Listening()) return;
  const std::string_view deletion[] = {"DEL", key};
  effects.Add(database, deletion);
  if (!in_unit) effects.EndUnit();
}

}  // namespace pinyon
