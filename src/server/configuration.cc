// What can be configured, gathered from those whom it configures.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/strings.h"
#include "commands/families.h"
#include "server/config_file.h"
#include "server/server.h"

namespace pinyon {

namespace {

// A word of a line of a user, so that it is read back as it is.
std::string QuoteIfNeeded(std::string_view word) {
  const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\'';
  });
  return is_plain ? std::string(word) : QuoteForLog(word);
}

// "user alice on ..." without the first word, as a configuration file has it.
std::string LineOfFile(std::string_view line) {
  std::string text;
  line.remove_prefix(std::string_view("user ").size());
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (!text.empty()) text += ' ';
    text += QuoteIfNeeded(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return text;
}

}  // namespace

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
  DeclareUsers();
  inert.Declare(&registry);
}

SettingError Configuration::AddUser(const std::vector<std::string>& words) {
  for (const Acl::Definition& other : users) {
    if (other[0] != words[0]) continue;
    return fmt::format(
        "Error in user declaration '{}': Duplicate user found. A user can only be defined once in config "
        "files",
        words[0]);
  }
  if (acl_commands_ == nullptr) acl_commands_ = std::make_unique<AclCommands>(commands);
  SettingError error = Acl::CheckDefinition(*acl_commands_, words);
  if (error.empty()) users.push_back(words);
  return error;
}

void Configuration::DeclareUsers() {
  registry.AddLine("user", {.load = [this](const std::vector<std::string>& words) { return AddUser(words); },
                            .rewrite =
                                [this] {
                                  std::vector<std::string> values;
                                  if (!list_users || !engine.acl.file.empty()) return values;
                                  for (const std::string& line : list_users()) {
                                    values.push_back(LineOfFile(line));
                                  }
                                  return values;
                                }});
}

std::string Configuration::Load(const StartOptions& start) {
  constexpr int kStandardInput = 0;
  config_path = start.config_path;
  is_default = config_path.empty() && !start.read_stdin && start.options.empty();
  std::string error = LoadConfiguration(start, kStandardInput, &registry);
  acl_commands_.reset();
  if (!error.empty()) return error;
  // Only now, as `dir` may have changed where a relative path leads.
  if (!Log(process.log_file).CanOpen()) {
    return fmt::format("{}Can't open the log file: {}", FatalConfigHeadline(), std::strerror(errno));
  }
  return {};
}

}  // namespace pinyon
