// What can be configured, gathered from those whom it configures.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "base/sha256.h"
#include "commands/families.h"
#include "server/config_file.h"
#include "server/server.h"

namespace pinyon {

Configuration::Configuration() {
  for (const auto& family : AllFamilies()) commands.AddFamily(family);
  const auto call = [](const std::function<std::string()>& hook) { return hook ? hook() : std::string(); };
  network.Declare(registry, {.bind_changed = [this, call] { return call(on_bind_changed); },
                             .port_changed = [this, call] { return call(on_port_changed); },
                             .max_clients_changed = [this, call] { return call(on_max_clients_changed); }});
  process.Declare(registry, {.hz_changed = [this, call] { return call(on_hz_changed); },
                             .log_level_changed = [this, call] { return call(on_log_level_changed); },
                             .title_changed = [this, call] { return call(on_title_changed); }});
  engine.Declare(registry);
  persist.Declare(registry, {.append_only_changed = [this, call] { return call(on_append_only_changed); },
                             .log_policy_changed = [this, call] { return call(on_log_policy_changed); }});
  registry.AddLine("rename-command", {.load =
                                          [this](const std::vector<std::string>& args) {
                                            if (commands.Find(args[0]) == nullptr)
                                              return SettingError("No such command in rename-command");
                                            return commands.Rename(args[0], args[1])
                                                       ? SettingError()
                                                       : SettingError("Target command name already exists");
                                          },
                                      .min_args = 2,
                                      .max_args = 2});
  inert.is_password_hash = [this](std::string_view hash) {
    return !engine.requirepass.empty() && hash == Sha256Hex(engine.requirepass);
  };
  inert.Declare(&registry);
}

std::string Configuration::Load(const StartOptions& start) {
  constexpr int kStandardInput = 0;
  config_path = start.config_path;
  is_default = config_path.empty() && !start.read_stdin && start.options.empty();
  std::string error = LoadConfiguration(start, kStandardInput, &registry);
  if (!error.empty()) return error;
  // Only now, as `dir` may have changed where a relative path leads.
  if (!Log(process.log_file).CanOpen()) {
    return fmt::format("{}Can't open the log file: {}", FatalConfigHeadline(), std::strerror(errno));
  }
  return {};
}

}  // namespace pinyon
