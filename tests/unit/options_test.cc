// The command line, with the quirks of redis-server 7.0's, and the directives that are known without effect.
#include "server/options.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "engine/acl_options.h"
#include "engine/tracking_options.h"
#include "keyspace/encoding_limits.h"
#include "keyspace/eviction_options.h"
#include "keyspace/lazy_free_options.h"
#include "persist/persist_options.h"
#include "persist/rdb_options.h"
#include "server/inert_settings.h"

namespace pinyon {
namespace {

using Action = StartOptions::Action;

struct OptionsFixture {
  int timeout_s = 0;
  int hz = 0;
  std::vector<std::string> bind;
  AclOptions acl;
  EncodingLimits encoding;
  EvictionOptions eviction;
  LazyFreeOptions lazy_free;
  RdbOptions rdb;
  TrackingOptions tracking;
  PersistOptions persist;
  InertSettings inert;
  SettingsRegistry registry;

  OptionsFixture() {
    registry.AddInteger("timeout", {.target = &timeout_s, .max = INT_MAX});
    registry.AddInteger("hz", {.target = &hz, .max = INT_MAX, .default_value = 10});
    registry.AddStringList("bind", {.target = &bind});
    acl.Declare(registry);
    encoding.Declare(registry);
    eviction.Declare(registry);
    lazy_free.Declare(registry);
    rdb.Declare(registry);
    tracking.Declare(registry);
    persist.Declare(registry, {});
    inert.Declare(&registry);
  }

  // The error, or empty.
  std::string Start(const std::vector<std::string>& args) {
    return LoadConfiguration(ParseCommandLine(args), -1, &registry);
  }
  std::string Get(std::string_view name) const { return registry.GetOne(name); }
};

// What a fresh server answers for a directive after being started with `args`.
std::string Started(const std::vector<std::string>& args, std::string_view name) {
  OptionsFixture f;
  const std::string error = f.Start(args);
  return error.empty() ? f.Get(name) : error;
}

std::string Report(int option, const std::string& shown, const std::string& reason) {
  return "\n*** FATAL CONFIG FILE ERROR (Pinyon " PINYON_VERSION
         ") ***\nReading the command line, at option " +
         std::to_string(option) + "\n>>> '" + shown + "'\n" + reason;
}

TEST_CASE("Options set directives", "[options]") {
  CHECK(Started({}, "timeout") == "0");
  CHECK(Started({"--timeout", "5", "--hz", "20"}, "hz") == "20");
  CHECK(Started({"--timeout 5", "--hz 20"}, "timeout") == "5");
  CHECK(Started({"--timeout  5 ", "--hz", "20"}, "hz") == "20");
  CHECK(Started({"--bind", "127.0.0.1", "::1"}, "bind") == "127.0.0.1 ::1");
  CHECK(Started({"--bind", "127.0.0.1 ::1"}, "bind") == "127.0.0.1 ::1");
  CHECK(Started({"--list-max-listpack-size", "-1"}, "list-max-listpack-size") == "-1");
  CHECK(Started({"--masterauth \"a b\""}, "masterauth") == "a b");
  CHECK(Started({"--masterauth", "a\\n\""}, "masterauth") == "a\\n\"");
  CHECK(Started({"", "--hz", "20"}, "hz") == "20");
  CHECK(Started({"--"}, "hz") == "10");
}

TEST_CASE("The argument after a name is its value, whatever it looks like", "[options]") {
  CHECK(Started({"--masterauth", "--x", "--hz", "20"}, "masterauth") == "--x");
  CHECK(Started({"--masterauth", "--hz", "--hz", "20"}, "hz") == "20");
  CHECK(Started({"--masterauth", "--x y", "--hz", "20"}, "masterauth") == "--x y");
  CHECK(Started({"--masterauth", "-abc"}, "masterauth") == "-abc");
  CHECK(Started({"--bind", "--hz", "20"}, "bind") == "--hz 20");
  CHECK(Started({"--masterauth x", "--hz", "--hz", "20"}, "hz") ==
        Report(2, "hz \"--hz\" \"20\"", "wrong number of arguments"));
}

TEST_CASE("Save on the command line", "[options]") {
  CHECK(Started({"--save", ""}, "save") == "");
  CHECK(Started({"--save"}, "save") == "");
  CHECK(Started({"--SAVE", "--hz", "20"}, "save") == "");
  CHECK(Started({"--save", "--hz", "20"}, "hz") == "20");
  CHECK(Started({"--save", "60", "1000"}, "save") == "60 1000");
  CHECK(Started({"--save", "", "--save", "60", "1000"}, "save") == "60 1000");
  CHECK(Started({"--save", "3600", "1", "60", "5"}, "save") == "3600 1 60 5");
  CHECK(Started({"--save", "3600 1 60 5"}, "save") == "3600 1 60 5");
  CHECK(Started({"--save", "3600", "1", "--save", "60", "5"}, "save") == "3600 1 60 5");
  CHECK(Started({"--save", "1", "1", "", "--hz", "20"}, "save") ==
        Report(1, "save \"1\" \"1\" \"\"", "Invalid save parameters"));
}

TEST_CASE("Mistakes in options are reported", "[options]") {
  CHECK(Started({"--timeout=5", "--port", "0"}, "hz") ==
        Report(1, "timeout=5 \"--port\" \"0\"", "Bad directive or wrong number of arguments"));
  CHECK(Started({"-timeout", "5"}, "hz") ==
        Report(1, "\"-timeout\" \"5\"", "Bad directive or wrong number of arguments"));
  CHECK(Started({"--timeout", "-5"}, "hz") ==
        Report(1, "timeout \"-5\"", "argument must be between 0 and 2147483647 inclusive"));
  CHECK(Started({"--hz", "1", "--timeout", "5", "6"}, "hz") ==
        Report(2, "timeout \"5\" \"6\"", "wrong number of arguments"));
  CHECK(Started({"--timeout", "12", "a.conf"}, "hz") ==
        Report(1, "timeout \"12\" \"a.conf\"", "wrong number of arguments"));
  CHECK(Started({"--timeout '5"}, "hz") ==
        Report(1, "timeout '5", "Unbalanced quotes in configuration line"));
  CHECK(Started({"--hz"}, "hz") == Report(1, "hz", "wrong number of arguments"));
  CHECK(Started({"--timeout", "5", "--version"}, "hz") ==
        Report(2, "version", "Bad directive or wrong number of arguments"));
}

TEST_CASE("A file comes before the options, standard input between them", "[options]") {
  char folder_template[] = "/tmp/pinyon-options-XXXXXX";
  REQUIRE(mkdtemp(folder_template) != nullptr);
  const std::filesystem::path folder(folder_template);
  const std::string path = (folder / "a.conf").string();
  std::ofstream(path) << "timeout 9\nsave 1 1\nsave 2 2\nhz 33\n";

  CHECK(Started({path}, "timeout") == "9");
  CHECK(Started({path, "--timeout", "12"}, "timeout") == "12");
  CHECK(Started({path, "--save", "5", "5"}, "save") == "1 1 2 2 5 5");
  CHECK(Started({path, "--save", ""}, "save") == "");
  CHECK(Started({"--include", path}, "hz") == "33");
  CHECK(Started({"/nonexistent.conf"}, "hz") ==
        "Fatal error, can't open config file '/nonexistent.conf': No such file or directory");
  std::filesystem::remove_all(folder);

  CHECK(ParseCommandLine({"x.conf"}).config_path == (std::filesystem::current_path() / "x.conf").string());
  CHECK(ParseCommandLine({"-"}).read_stdin);
  CHECK(ParseCommandLine({"x.conf", "--hz", "5", "-"}).read_stdin);
  CHECK(ParseCommandLine({"x.conf", "--hz", "5", "-"}).options.size() == 1);
  CHECK(!ParseCommandLine({"--hz", "-", "5"}).read_stdin);
}

TEST_CASE("Version and help", "[options]") {
  const StartOptions version = ParseCommandLine({"--version"});
  CHECK(version.action == Action::kPrintAndSucceed);
  CHECK(version.text.starts_with("Pinyon server v=" PINYON_VERSION " "));
  CHECK(ParseCommandLine({"-v", "--port", "0"}).text == version.text);
  CHECK(ParseCommandLine({"-h"}).action == Action::kPrintAndSucceed);
  CHECK(ParseCommandLine({"--test-memory", "5"}).action == Action::kRefuse);
  CHECK(ParseCommandLine({"--check-system"}).action == Action::kRefuse);
  CHECK(ParseCommandLine({"--sentinel"}).action == Action::kRefuse);
}

TEST_CASE("Directives answer as a fresh redis-server does", "[inert_settings]") {
  static constexpr std::pair<std::string_view, std::string_view> kProbed[] = {
      {"acl-pubsub-default", "resetchannels"},
      {"aclfile", ""},
      {"acllog-max-len", "128"},
      {"activerehashing", "yes"},
      {"aof-disable-auto-gc", "no"},
      {"aof-load-truncated", "yes"},
      {"aof-rewrite-incremental-fsync", "yes"},
      {"aof-timestamp-enabled", "no"},
      {"aof-use-rdb-preamble", "yes"},
      {"aof_rewrite_cpulist", ""},
      {"appenddirname", "appendonlydir"},
      {"appendfilename", "appendonly.aof"},
      {"appendfsync", "everysec"},
      {"appendonly", "no"},
      {"auto-aof-rewrite-min-size", "67108864"},
      {"auto-aof-rewrite-percentage", "100"},
      {"bgsave_cpulist", ""},
      {"bio_cpulist", ""},
      {"busy-reply-threshold", "5000"},
      {"cluster-allow-pubsubshard-when-down", "yes"},
      {"cluster-allow-reads-when-down", "no"},
      {"cluster-allow-replica-migration", "yes"},
      {"cluster-announce-bus-port", "0"},
      {"cluster-announce-hostname", ""},
      {"cluster-announce-ip", ""},
      {"cluster-announce-port", "0"},
      {"cluster-announce-tls-port", "0"},
      {"cluster-config-file", "nodes.conf"},
      {"cluster-enabled", "no"},
      {"cluster-link-sendbuf-limit", "0"},
      {"cluster-migration-barrier", "1"},
      {"cluster-node-timeout", "15000"},
      {"cluster-port", "0"},
      {"cluster-preferred-endpoint-type", "ip"},
      {"cluster-replica-no-failover", "no"},
      {"cluster-replica-validity-factor", "10"},
      {"cluster-require-full-coverage", "yes"},
      {"cluster-slave-no-failover", "no"},
      {"cluster-slave-validity-factor", "10"},
      {"crash-log-enabled", "yes"},
      {"crash-memcheck-enabled", "yes"},
      {"dbfilename", "dump.rdb"},
      {"disable-thp", "yes"},
      {"enable-module-command", "no"},
      {"hash-max-listpack-entries", "512"},
      {"hash-max-listpack-value", "64"},
      {"hash-max-ziplist-entries", "512"},
      {"hash-max-ziplist-value", "64"},
      {"hll-sparse-max-bytes", "3000"},
      {"ignore-warnings", ""},
      {"io-threads", "1"},
      {"io-threads-do-reads", "no"},
      {"jemalloc-bg-thread", "yes"},
      {"latency-monitor-threshold", "0"},
      {"latency-tracking", "yes"},
      {"latency-tracking-info-percentiles", "50 99 99.9"},
      {"lazyfree-lazy-eviction", "no"},
      {"lazyfree-lazy-expire", "no"},
      {"lazyfree-lazy-server-del", "no"},
      {"lazyfree-lazy-user-del", "no"},
      {"lazyfree-lazy-user-flush", "no"},
      {"lfu-decay-time", "1"},
      {"lfu-log-factor", "10"},
      {"list-compress-depth", "0"},
      {"list-max-listpack-size", "-2"},
      {"list-max-ziplist-size", "-2"},
      {"lua-time-limit", "5000"},
      {"masterauth", ""},
      {"masteruser", ""},
      {"maxmemory", "0"},
      {"maxmemory-eviction-tenacity", "10"},
      {"maxmemory-policy", "noeviction"},
      {"maxmemory-samples", "5"},
      {"min-replicas-max-lag", "10"},
      {"min-replicas-to-write", "0"},
      {"min-slaves-max-lag", "10"},
      {"min-slaves-to-write", "0"},
      {"no-appendfsync-on-rewrite", "no"},
      {"oom-score-adj", "no"},
      {"oom-score-adj-values", "0 200 800"},
      {"propagation-error-behavior", "ignore"},
      {"rdb-del-sync-files", "no"},
      {"rdb-save-incremental-fsync", "yes"},
      {"rdbchecksum", "yes"},
      {"rdbcompression", "yes"},
      {"repl-backlog-size", "1048576"},
      {"repl-backlog-ttl", "3600"},
      {"repl-disable-tcp-nodelay", "no"},
      {"repl-diskless-load", "disabled"},
      {"repl-diskless-sync", "yes"},
      {"repl-diskless-sync-delay", "5"},
      {"repl-diskless-sync-max-replicas", "0"},
      {"repl-ping-replica-period", "10"},
      {"repl-ping-slave-period", "10"},
      {"repl-timeout", "60"},
      {"replica-announce-ip", ""},
      {"replica-announce-port", "0"},
      {"replica-announced", "yes"},
      {"replica-ignore-disk-write-errors", "no"},
      {"replica-ignore-maxmemory", "yes"},
      {"replica-lazy-flush", "no"},
      {"replica-priority", "100"},
      {"replica-read-only", "yes"},
      {"replica-serve-stale-data", "yes"},
      {"replicaof", ""},
      {"sanitize-dump-payload", "no"},
      {"save", "3600 1 300 100 60 10000"},
      {"server_cpulist", ""},
      {"set-max-intset-entries", "512"},
      {"shutdown-on-sigint", "default"},
      {"shutdown-on-sigterm", "default"},
      {"slave-announce-ip", ""},
      {"slave-announce-port", "0"},
      {"slave-ignore-maxmemory", "yes"},
      {"slave-lazy-flush", "no"},
      {"slave-priority", "100"},
      {"slave-read-only", "yes"},
      {"slave-serve-stale-data", "yes"},
      {"slaveof", ""},
      {"slowlog-log-slower-than", "10000"},
      {"slowlog-max-len", "128"},
      {"socket-mark-id", "0"},
      {"stop-writes-on-bgsave-error", "yes"},
      {"stream-node-max-bytes", "4096"},
      {"stream-node-max-entries", "100"},
      {"syslog-enabled", "no"},
      {"syslog-facility", "local0"},
      {"syslog-ident", "redis"},
      {"tls-auth-clients", "yes"},
      {"tls-ca-cert-dir", ""},
      {"tls-ca-cert-file", ""},
      {"tls-cert-file", ""},
      {"tls-ciphers", ""},
      {"tls-ciphersuites", ""},
      {"tls-client-cert-file", ""},
      {"tls-client-key-file", ""},
      {"tls-client-key-file-pass", ""},
      {"tls-cluster", "no"},
      {"tls-dh-params-file", ""},
      {"tls-key-file", ""},
      {"tls-key-file-pass", ""},
      {"tls-port", "0"},
      {"tls-prefer-server-ciphers", "no"},
      {"tls-protocols", ""},
      {"tls-replication", "no"},
      {"tls-session-cache-size", "20480"},
      {"tls-session-cache-timeout", "300"},
      {"tls-session-caching", "yes"},
      {"tracking-table-max-keys", "1000000"},
      {"zset-max-listpack-entries", "128"},
      {"zset-max-listpack-value", "64"},
      {"zset-max-ziplist-entries", "128"},
      {"zset-max-ziplist-value", "64"},
  };
  const OptionsFixture f;
  for (const auto& [name, value] : kProbed) {
    INFO(name);
    REQUIRE(f.registry.Has(name));
    CHECK(f.Get(name) == value);
  }
  for (const std::string_view name : {"set-max-listpack-entries", "set-max-listpack-value", "locale-collate",
                                      "cluster-announce-human-nodename", "server-cpulist"}) {
    CHECK(f.registry.Has(name));
  }
  CHECK(f.inert.NamesInUse(f.registry).empty());
}

TEST_CASE("Directives without effect keep their values and are named once in use", "[inert_settings]") {
  OptionsFixture f;
  CHECK(f.Start({"--appendonly", "yes", "--replicaof", "10.0.0.1", "6379", "--slowlog-max-len", "128",
                 "--timeout", "5", "--repl-backlog-size", "100mb", "--slowlog-log-slower-than", "7",
                 "--list-max-ziplist-value", "64"}) == "");
  CHECK(f.Get("slaveof") == "10.0.0.1 6379");
  CHECK(f.inert.NamesInUse(f.registry) ==
        std::vector<std::string>{"slowlog-log-slower-than", "repl-backlog-size", "replicaof"});
  CHECK(Started({"--slaveof", "no", "one"}, "replicaof") == "");
}

TEST_CASE("What CONFIG SET changes without effect is reported when it is not the default",
          "[inert_settings]") {
  OptionsFixture f;
  std::vector<std::string> reported;
  f.inert.on_changed = [&](std::string_view name) { reported.emplace_back(name); };
  const std::vector<std::pair<std::string_view, std::string_view>> changes = {
      {"repl-backlog-size", "1gb"},
      {"repl-backlog-size", "1mb"},
      {"slowlog-max-len", "128"},
      {"slowlog-log-slower-than", "1"}};
  for (const auto& change : changes) f.registry.Set({change}, {});
  CHECK(reported == std::vector<std::string>{"repl-backlog-size", "slowlog-log-slower-than"});
}

TEST_CASE("Directives that would guard the server are refused", "[inert_settings]") {
  for (const char* line : {"tls-port 6380", "loadmodule /x.so a"}) {
    OptionsFixture f;
    INFO(line);
    CHECK(f.registry.Load(*SplitArgs(line)).find("not supported yet") != std::string::npos);
  }
  for (const char* line : {"tls-port 0", "tls-cert-file /x"}) {
    OptionsFixture f;
    INFO(line);
    CHECK(f.registry.Load(*SplitArgs(line)) == "");
  }
  OptionsFixture f;
  CHECK(f.registry.Set({{"tls-port", "1"}}, {}).find("TLS is not supported yet") != std::string::npos);
}

TEST_CASE("Directives without effect check their values", "[inert_settings]") {
  OptionsFixture f;
  const auto set = [&](std::string_view name, std::string_view value) {
    const std::string error = f.registry.Set({{name, value}}, {.allow_protected = true});
    const size_t dash = error.find(" - ");
    return dash == std::string::npos ? error : error.substr(dash + 3);
  };
  CHECK(set("latency-tracking-info-percentiles", "50.50 99.90 0.001 1e1") == "");
  CHECK(f.Get("latency-tracking-info-percentiles") == "50.5 99.9 0.001 10");
  CHECK(set("latency-tracking-info-percentiles", "a") ==
        "Invalid latency-tracking-info-percentiles parameters");
  CHECK(set("latency-tracking-info-percentiles", "101") ==
        "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  CHECK(set("oom-score-adj-values", "1 2") == "wrong number of arguments");
  CHECK(set("oom-score-adj-values", "0 200 80000") ==
        "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  CHECK(set("dbfilename", "a/b") == "dbfilename can't be a path, just a filename");
  CHECK(set("cluster-announce-hostname", "a b") ==
        "Hostnames may only contain alphanumeric characters, hyphens or dots");
  CHECK(set("oom-score-adj", "relative") == "");
  CHECK(f.Get("oom-score-adj") == "yes");
  CHECK(set("replicaof", "a 1") == "can't set immutable config");
  CHECK(f.registry.Load({"replicaof", "a"}) == "wrong number of arguments");
  CHECK(f.registry.Load({"replicaof", "a", "999999"}) == "Invalid master port");
  CHECK(f.registry.Load({"appendfilename", ""}) == "appendfilename can't be empty");
}

}  // namespace
}  // namespace pinyon
