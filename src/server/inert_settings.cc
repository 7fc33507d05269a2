#include "server/inert_settings.h"

#include <algorithm>
#include <climits>
#include <iterator>
#include <utility>

#include "base/strings.h"
#include "server/network_options.h"

namespace pinyon {
namespace {

using setting::kDenyWhileLoading;
using setting::kHidden;
using setting::kImmutable;
using setting::kInert;
using setting::kMultiArg;
using setting::kProtected;
using setting::kSensitive;

struct BoolRow {
  std::string_view name;
  bool default_value;
  uint32_t flags = 0;
  std::string_view alias = {};
};

constexpr BoolRow kBools[] = {
    {"io-threads-do-reads", false, kImmutable},
    {"cluster-enabled", false, kImmutable},
    {"disable-thp", true, kImmutable},
    {"syslog-enabled", false, kImmutable},
    {"lua-enable-deprecated-api", false, kImmutable | kHidden},
    {"use-exit-on-panic", false, kHidden},
    {"activerehashing", true},
    {"repl-disable-tcp-nodelay", false},
    {"repl-diskless-sync", true},
    {"cluster-require-full-coverage", true},
    {"cluster-replica-no-failover", false, 0, "cluster-slave-no-failover"},
    {"replica-lazy-flush", false, 0, "slave-lazy-flush"},
    {"replica-serve-stale-data", true, 0, "slave-serve-stale-data"},
    {"replica-read-only", true, 0, "slave-read-only"},
    {"replica-ignore-maxmemory", true, 0, "slave-ignore-maxmemory"},
    {"replica-ignore-disk-write-errors", false},
    {"replica-announced", true},
    {"jemalloc-bg-thread", true},
    {"cluster-allow-reads-when-down", false},
    {"cluster-allow-pubsubshard-when-down", true},
    {"cluster-allow-replica-migration", true},
    {"crash-log-enabled", true},
    {"crash-memcheck-enabled", true},
    {"latency-tracking", true},
    {"tls-cluster", false},
    {"tls-replication", false},
    {"tls-prefer-server-ciphers", false},
    {"tls-session-caching", true},
};

struct IntegerRow {
  std::string_view name;
  int64_t default_value;
  int64_t min;
  int64_t max;
  uint32_t flags = 0;
  std::string_view alias = {};
};

constexpr IntegerRow kIntegers[] = {
    {"io-threads", 1, 1, 128, kImmutable},
    {"cluster-port", 0, 0, kMaxPort, kImmutable},
    {"socket-mark-id", 0, 0, UINT_MAX, kImmutable},
    {"tls-port", 0, 0, kMaxPort},
    {"tls-session-cache-size", 20480, 0, INT_MAX},
    {"tls-session-cache-timeout", 300, 0, INT_MAX},
    {"cluster-replica-validity-factor", 10, 0, INT_MAX, 0, "cluster-slave-validity-factor"},
    {"cluster-migration-barrier", 1, 0, INT_MAX},
    {"cluster-node-timeout", 15000, 0, LLONG_MAX},
    {"cluster-announce-bus-port", 0, 0, kMaxPort},
    {"cluster-announce-port", 0, 0, kMaxPort},
    {"cluster-announce-tls-port", 0, 0, kMaxPort},
    {"stream-node-max-entries", 100, 0, LLONG_MAX},
    {"replica-priority", 100, 0, INT_MAX, 0, "slave-priority"},
    {"replica-announce-port", 0, 0, kMaxPort, 0, "slave-announce-port"},
    {"repl-ping-replica-period", 10, 1, INT_MAX, 0, "repl-ping-slave-period"},
    {"repl-timeout", 60, 1, INT_MAX},
    {"repl-diskless-sync-delay", 5, 0, INT_MAX},
    {"repl-diskless-sync-max-replicas", 0, 0, INT_MAX},
    {"repl-backlog-ttl", 3600, 0, LONG_MAX},
    {"min-replicas-to-write", 0, 0, INT_MAX, 0, "min-slaves-to-write"},
    {"min-replicas-max-lag", 10, 0, INT_MAX, 0, "min-slaves-max-lag"},
    {"busy-reply-threshold", 5000, 0, LONG_MAX, 0, "lua-time-limit"},
    {"slowlog-log-slower-than", 10000, -1, LLONG_MAX},
    {"slowlog-max-len", 128, 0, LONG_MAX},
    {"latency-monitor-threshold", 0, 0, LLONG_MAX},
    {"max-new-connections-per-cycle", 10, 1, 1000},
    {"max-new-tls-connections-per-cycle", 1, 1, 1000},
    {"watchdog-period", 0, 0, INT_MAX, kHidden},
};

struct MemoryRow {
  std::string_view name;
  int64_t default_value;
  int64_t min;
  std::string_view alias = {};
  bool percent = false;
};

constexpr int64_t kMegabyte = 1024 * 1024;

constexpr MemoryRow kMemories[] = {
    {"repl-backlog-size", kMegabyte, 1},
    {"stream-node-max-bytes", 4096, 0},
    {"cluster-link-sendbuf-limit", 0, 0},
};

struct StringRow {
  std::string_view name;
  std::string_view default_value;
  uint32_t flags = 0;
  std::string_view alias = {};
  SettingError (*validate)(std::string_view) = nullptr;
};

SettingError ValidateHostname(std::string_view value) {
  constexpr size_t kMaxHostnameBytes = 255;
  if (value.size() > kMaxHostnameBytes) return "Hostnames must be less than 256 characters";
  for (const char c : value) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (ToLower(c) >= 'a' && ToLower(c) <= 'z');
    if (!alphanumeric && c != '-' && c != '.') {
      return "Hostnames may only contain alphanumeric characters, hyphens or dots";
    }
  }
  return {};
}

SettingError ValidateTlsPort(int64_t value) {
  return value == 0 ? SettingError() : SettingError("TLS is not supported yet");
}

constexpr StringRow kStrings[] = {
    {"syslog-ident", "redis", kImmutable},
    {"ignore-warnings", ""},
    {"locale-collate", ""},
    {"masteruser", "", kSensitive},
    {"masterauth", "", kSensitive},
    {"replica-announce-ip", "", 0, "slave-announce-ip"},
    {"cluster-announce-ip", ""},
    {"cluster-announce-hostname", "", 0, {}, ValidateHostname},
    {"cluster-announce-human-nodename", ""},
    {"cluster-config-file", "nodes.conf", kImmutable},
    {"server_cpulist", "", kImmutable, "server-cpulist"},
    {"bio_cpulist", "", kImmutable, "bio-cpulist"},
    {"aof_rewrite_cpulist", "", kImmutable, "aof-rewrite-cpulist"},
    {"bgsave_cpulist", "", kImmutable, "bgsave-cpulist"},
    {"tls-cert-file", ""},
    {"tls-key-file", ""},
    {"tls-key-file-pass", "", kSensitive},
    {"tls-client-cert-file", ""},
    {"tls-client-key-file", ""},
    {"tls-client-key-file-pass", "", kSensitive},
    {"tls-dh-params-file", ""},
    {"tls-ca-cert-file", ""},
    {"tls-ca-cert-dir", ""},
    {"tls-protocols", ""},
    {"tls-ciphers", ""},
    {"tls-ciphersuites", ""},
};

struct EnumRow {
  std::string_view name;
  std::vector<EnumChoice> choices;
  int default_value;
  uint32_t flags = 0;
};

std::vector<EnumRow> EnumRows() {
  const std::vector<EnumChoice> no_yes_local = {{"no", 0}, {"yes", 1}, {"local", 2}};
  return {
      {"repl-diskless-load", {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}}, 0, kDenyWhileLoading},
      {"oom-score-adj", {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}}, 0},
      {"enable-module-command", no_yes_local, 0, kImmutable},
      {"cluster-preferred-endpoint-type", {{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}}, 0},
      {"propagation-error-behavior", {{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}}, 0},
      {"tls-auth-clients", {{"no", 0}, {"yes", 1}, {"optional", 2}}, 1},
      {"syslog-facility",
       {{"user", 0},
        {"local0", 1},
        {"local1", 2},
        {"local2", 3},
        {"local3", 4},
        {"local4", 5},
        {"local5", 6},
        {"local6", 7},
        {"local7", 8}},
       1,
       kImmutable},
  };
}

}  // namespace

void InertSettings::Declare(SettingsRegistry* registry) {
  for (const BoolRow& row : kBools) {
    if (registry->Has(row.name)) continue;
    BoolSetting spec = {.target = &bools_.emplace_back(),
                        .default_value = row.default_value,
                        .flags = row.flags | kInert,
                        .alias = row.alias,
                        .apply = ChangeReport(registry, row.name)};
    registry->AddBool(row.name, std::move(spec));
  }
  for (const IntegerRow& row : kIntegers) {
    if (registry->Has(row.name)) continue;
    IntegerSetting spec = {.target = &integers_.emplace_back(),
                           .min = row.min,
                           .max = row.max,
                           .default_value = row.default_value,
                           .flags = row.flags | kInert,
                           .alias = row.alias,
                           .apply = ChangeReport(registry, row.name)};
    if (row.name == "tls-port") spec.validate = ValidateTlsPort;
    registry->AddInteger(row.name, std::move(spec));
  }
  for (const MemoryRow& row : kMemories) {
    if (registry->Has(row.name)) continue;
    registry->AddMemory(row.name, {.target = &integers_.emplace_back(),
                                   .min = row.min,
                                   .default_value = row.default_value,
                                   .flags = kInert,
                                   .alias = row.alias,
                                   .percent = row.percent,
                                   .apply = ChangeReport(registry, row.name)});
  }
  for (const StringRow& row : kStrings) {
    if (registry->Has(row.name)) continue;
    StringSetting spec = {.target = &strings_.emplace_back(),
                          .default_value = row.default_value,
                          .flags = row.flags | kInert,
                          .alias = row.alias,
                          .rewrite_empty = false,
                          .apply = ChangeReport(registry, row.name)};
    if (row.validate != nullptr) spec.validate = row.validate;
    registry->AddString(row.name, std::move(spec));
  }
  DeclareEnums(registry);
  DeclareSpecials(registry);
  DeclareLines(registry);
}

void InertSettings::DeclareEnums(SettingsRegistry* registry) {
  for (EnumRow& row : EnumRows()) {
    if (registry->Has(row.name)) continue;
    registry->AddEnum(row.name, {.target = &enums_.emplace_back(),
                                 .choices = std::move(row.choices),
                                 .default_value = row.default_value,
                                 .flags = row.flags | kInert,
                                 .bit_flags = (row.flags & kMultiArg) != 0,
                                 .apply = ChangeReport(registry, row.name)});
  }
}

void InertSettings::DeclareLines(SettingsRegistry* registry) {
  if (!registry->Has("loadmodule")) {
    registry->AddLine("loadmodule", {.load = [](const std::vector<std::string>&) -> SettingError {
                        return "modules are not supported yet";
                      }});
  }
  if (!registry->Has("rename-command")) {
    registry->AddLine("rename-command", {.load =
                                             [this](const std::vector<std::string>&) {
                                               lines_seen_.emplace("rename-command");
                                               return SettingError();
                                             },
                                         .min_args = 2,
                                         .max_args = 2});
  }
  // Names that Redis itself still accepts and ignores.
  for (const std::string_view name : {"list-max-ziplist-entries", "list-max-ziplist-value"}) {
    if (registry->Has(name)) continue;
    registry->AddLine(
        name, {.load = [](const std::vector<std::string>&) { return SettingError(); }, .max_args = 1});
  }
  if (!registry->Has("sentinel")) {
    registry->AddLine("sentinel", {.load = [](const std::vector<std::string>&) -> SettingError {
                        return "sentinel directive while not in sentinel mode";
                      }});
  }
}

std::function<SettingError()> InertSettings::ChangeReport(SettingsRegistry* registry, std::string_view name) {
  return [this, registry, name] {
    const std::vector<std::string> names = NamesInUse(*registry);
    if (on_changed && std::find(names.begin(), names.end(), name) != names.end()) on_changed(name);
    return SettingError();
  };
}

std::vector<std::string> InertSettings::NamesInUse(const SettingsRegistry& registry) const {
  std::vector<std::string> names = registry.InertInUse();
  names.insert(names.end(), lines_seen_.begin(), lines_seen_.end());
  return names;
}

}  // namespace pinyon
