#include "server/network_options.h"

#include <fmt/format.h>

#include <climits>

#include "base/numbers.h"
#include "base/settings_text.h"
#include "base/strings.h"

namespace pinyon {

namespace {

constexpr std::string_view kClassNames[] = {"normal", "slave", "pubsub"};

int ClassByName(std::string_view name) {
  if (EqualsIgnoreCase(name, "replica")) return NetworkOptions::kReplicaClients;
  for (int i = 0; i < NetworkOptions::kClientClasses; ++i) {
    if (EqualsIgnoreCase(name, kClassNames[i])) return i;
  }
  return -1;
}

SettingError SetOutputLimits(NetworkOptions& options, const std::vector<std::string>& args) {
  if (args.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
  NetworkOptions::OutputLimit parsed[NetworkOptions::kClientClasses];
  std::copy(std::begin(options.output_limits), std::end(options.output_limits), parsed);
  for (size_t i = 0; i < args.size(); i += 4) {
    const int index = ClassByName(args[i]);
    if (index < 0) return "Invalid client class specified in buffer limit configuration.";
    uint64_t hard = 0, soft = 0;
    int64_t seconds = 0;
    if (!ParseMemory(args[i + 1], &hard) || !ParseMemory(args[i + 2], &soft) ||
        !ParseInt64(args[i + 3], &seconds) || seconds < 0 || hard > INT64_MAX || soft > INT64_MAX) {
      return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    }
    parsed[index] = {static_cast<int64_t>(hard), static_cast<int64_t>(soft), seconds};
  }
  std::copy(std::begin(parsed), std::end(parsed), options.output_limits);
  return {};
}

std::string OutputLimitText(const NetworkOptions& options, int index) {
  const NetworkOptions::OutputLimit& limit = options.output_limits[index];
  return fmt::format("{} {} {} {}", kClassNames[index], limit.hard, limit.soft, limit.soft_seconds);
}

// The same for a configuration file, where Redis has other words for it.
std::string OutputLimitLine(const NetworkOptions& options, int index) {
  const NetworkOptions::OutputLimit& limit = options.output_limits[index];
  return fmt::format("{} {} {} {}", index == NetworkOptions::kReplicaClients ? "replica" : kClassNames[index],
                     FormatMemory(limit.hard), FormatMemory(limit.soft), limit.soft_seconds);
}

}  // namespace

void NetworkOptions::Declare(SettingsRegistry& registry, Hooks hooks) {
  constexpr size_t kMaxAddresses = 16;
  registry.AddStringList("bind", {.target = &bind,
                                  .default_value = {"*", "-::*"},
                                  .max_count = kMaxAddresses,
                                  .apply = std::move(hooks.bind_changed)});
  registry.AddString("bind-source-addr", {.target = &bind_source});
  registry.AddInteger(
      "port",
      {.target = &port, .max = kMaxPort, .default_value = 6379, .apply = std::move(hooks.port_changed)});
  registry.AddInteger(
      "tcp-backlog",
      {.target = &tcp_backlog, .max = INT_MAX, .default_value = 511, .flags = setting::kImmutable});
  registry.AddInteger("gather-pause-usec", {.target = &gather_pause_us, .max = 60, .default_value = 60});
  registry.AddInteger("tcp-keepalive", {.target = &tcp_keepalive_s, .max = INT_MAX, .default_value = 300});
  registry.AddInteger("timeout", {.target = &timeout_s, .max = INT_MAX, .default_value = 0});
  registry.AddInteger("maxclients", {.target = &max_clients,
                                     .min = 1,
                                     .max = UINT_MAX,
                                     .default_value = 10000,
                                     .apply = std::move(hooks.max_clients_changed)});
  registry.AddBool("protected-mode", {.target = &protected_mode, .default_value = true});
  registry.AddString("unixsocket", {.target = &unix_socket, .flags = setting::kImmutable});
  registry.AddInteger("unixsocketperm", {.target = &unix_socket_permissions,
                                         .max = 0777,
                                         .default_value = 0,
                                         .flags = setting::kImmutable,
                                         .octal = true});
  registry.AddMemory("client-query-buffer-limit", {.target = &query_buffer_limit,
                                                   .min = 1024 * 1024,
                                                   .max = LONG_MAX,
                                                   .default_value = 1024LL * 1024 * 1024});
  registry.AddMemory("maxmemory-clients",
                     {.target = &clients_max_memory, .default_value = 0, .percent = true});
  registry.AddSpecial("client-output-buffer-limit",
                      {.set = [this](const std::vector<std::string>& args,
                                     setting::Phase) { return SetOutputLimits(*this, args); },
                       .get =
                           [this] {
                             std::string all;
                             for (int i = 0; i < kClientClasses; ++i) {
                               if (i > 0) all += ' ';
                               all += OutputLimitText(*this, i);
                             }
                             return all;
                           },
                       .rewrite =
                           [this] {
                             std::vector<std::string> lines;
                             lines.reserve(kClientClasses);
                             for (int i = 0; i < kClientClasses; ++i)
                               lines.push_back(OutputLimitLine(*this, i));
                             return lines;
                           },
                       .min_args = 0,  // SetOutputLimits says what is wrong with their number
                       .flags = setting::kMultiArg});
}

}  // namespace pinyon
