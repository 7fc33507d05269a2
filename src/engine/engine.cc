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
  settings.AddEnum("enable-debug-command", {.target = &enable_debug_command,
                                            .choices = {{"no", 0}, {"yes", 1}, {"local", 2}},
                                            .flags = setting::kImmutable});
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
