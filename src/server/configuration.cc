// What can be configured, gathered from those whom it configures.
#include "commands/families.h"
#include "server/server.h"

namespace pinyon {

Configuration::Configuration() {
  for (const auto& family : AllFamilies()) commands.AddFamily(family);
  const auto call = [](const std::function<std::string()>& hook) { return hook ? hook() : std::string(); };
  network.Declare(
      registry, [this, call] { return call(on_listen_changed); },
      [this, call] { return call(on_max_clients_changed); });
  process.Declare(registry, {.hz_changed = [this, call] { return call(on_hz_changed); },
                             .log_level_changed = [this, call] { return call(on_log_level_changed); },
                             .title_changed = [this, call] { return call(on_title_changed); }});
  engine.Declare(registry);
  registry.AddLine("rename-command", {.load =
                                          [this](const std::vector<std::string>& args) {
                                            return commands.Rename(args[0], args[1])
                                                       ? SettingError()
                                                       : SettingError("No such command in rename-command");
                                          },
                                      .min_args = 2,
                                      .max_args = 2});
  inert.Declare(&registry);
}

std::string Configuration::Load(const StartOptions& start) {
  constexpr int kStandardInput = 0;
  config_path = start.config_path;
  return LoadConfiguration(start, kStandardInput, &registry);
}

}  // namespace pinyon
