#include "server/info.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strings.h"

namespace pinyon {

namespace {

using Out = std::back_insert_iterator<std::string>;

// "1.50M", as Redis prints sizes for people.
std::string HumanBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "K", "M", "G", "T", "P"};
  if (bytes < 1024) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

uint64_t SystemBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void Server(const InfoSources& s, Out out) {
  utsname system{};
  uname(&system);
  const int64_t now_us = WallUs();
  const int64_t uptime_s = (now_us / 1000 - s.start_ms) / 1000;
  fmt::format_to(
      out,
      "redis_version:7.2.4\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\nredis_build_id:0\r\n"
      "pinyon_version:{}\r\nredis_mode:standalone\r\nos:{} {} {}\r\narch_bits:{}\r\nmonotonic_clock:POSIX "
      "clock_gettime\r\nmultiplexing_api:libuv\r\natomicvar_api:c11-builtin\r\ngcc_version:{}\r\n",
      PINYON_VERSION, system.sysname, system.release, system.machine, sizeof(void*) * 8, __VERSION__);
  fmt::format_to(
      out,
      "process_id:{}\r\nprocess_supervised:{}\r\nrun_id:{}\r\ntcp_port:{}\r\nserver_time_usec:{}\r\n"
      "uptime_in_seconds:{}\r\nuptime_in_days:{}\r\nhz:{}\r\nconfigured_hz:{}\r\nlru_clock:{}\r\n"
      "executable:{}\r\nconfig_file:{}\r\nio_threads_active:0\r\n",
      getpid(), SupervisionName(s.process.supervisor), s.run_id, s.network.port, now_us, uptime_s,
      uptime_s / 86400, s.process.hz, s.process.hz, s.engine.keyspace.AccessSeconds(), s.executable,
      s.config_file);
}

void Clients(const InfoSources& s, Out out) {
  fmt::format_to(
      out,
      "connected_clients:{}\r\ncluster_connections:0\r\nmaxclients:{}\r\n"
      "client_recent_max_input_buffer:{}\r\nclient_recent_max_output_buffer:{}\r\nblocked_clients:{}\r\n"
      "tracking_clients:{}\r\npubsub_clients:{}\r\nclients_in_timeout_table:{}\r\ntotal_blocking_keys:{}\r\n"
      "total_blocking_keys_on_nokey:0\r\n",
      s.engine.sessions.size(), s.network.max_clients, s.clients_max_input, s.clients_max_output,
      s.engine.blocked.client_count(), s.engine.tracking.client_count(), s.engine.pubsub.subscriber_count(),
      s.engine.blocked.deadline_count(), s.engine.blocked.key_count());
}

void UsedMemory(const MemoryReport& report, Out out) {
  fmt::format_to(
      out,
      "used_memory:{}\r\nused_memory_human:{}\r\nused_memory_rss:{}\r\nused_memory_rss_human:{}\r\n"
      "used_memory_peak:{}\r\nused_memory_peak_human:{}\r\nused_memory_peak_perc:{:.2f}%\r\n"
      "used_memory_overhead:{}\r\nused_memory_startup:{}\r\nused_memory_dataset:{}\r\n"
      "used_memory_dataset_perc:{:.2f}%\r\nallocator_allocated:{}\r\nallocator_active:{}\r\n"
      "allocator_resident:{}\r\n",
      report.used, HumanBytes(report.used), report.resident, HumanBytes(report.resident), report.peak,
      HumanBytes(report.peak), report.PeakPercent(), report.Overhead(), report.startup, report.Dataset(),
      report.DatasetPercent(), report.allocated, report.active, report.allocator_resident);
}

void ExcessMemory(std::string_view name, MemoryReport::Excess excess, Out out) {
  fmt::format_to(out, "{}_ratio:{:.2f}\r\n{}_bytes:{}\r\n", name, excess.ratio, name, excess.bytes);
}

void Memory(const InfoSources& s, Out out) {
  const MemoryReport report = MakeMemoryReport(s);
  UsedMemory(report, out);
  const uint64_t system = SystemBytes();
  const auto limit = static_cast<uint64_t>(s.engine.options.eviction.max_memory);
  // There are no scripts and functions yet.
  fmt::format_to(out,
                 "total_system_memory:{}\r\ntotal_system_memory_human:{}\r\nused_memory_lua:0\r\n"
                 "used_memory_vm_eval:0\r\nused_memory_lua_human:0B\r\nused_memory_scripts_eval:0\r\n"
                 "number_of_cached_scripts:0\r\nnumber_of_functions:0\r\nnumber_of_libraries:0\r\n"
                 "used_memory_vm_functions:0\r\nused_memory_vm_total:0\r\nused_memory_vm_total_human:0B\r\n"
                 "used_memory_functions:0\r\nused_memory_scripts:0\r\nused_memory_scripts_human:0B\r\n"
                 "maxmemory:{}\r\nmaxmemory_human:{}\r\nmaxmemory_policy:{}\r\n",
                 system, HumanBytes(system), limit, HumanBytes(limit),
                 s.engine.settings.GetOne("maxmemory-policy"));
  ExcessMemory("allocator_frag", report.AllocatorFragmentation(), out);
  ExcessMemory("allocator_rss", report.AllocatorResidence(), out);
  ExcessMemory("rss_overhead", report.ProcessOverhead(), out);
  ExcessMemory("mem_fragmentation", report.Fragmentation(), out);
  const mem::SlabStats slabs = mem::GetSlabStats();
  const LazyFree& lazy_free = s.engine.keyspace.lazy_free();
  fmt::format_to(
      out,
      "mem_not_counted_for_evict:{}\r\nmem_replication_backlog:0\r\nmem_total_replication_buffers:0\r\n"
      "mem_clients_slaves:0\r\nmem_clients_normal:{}\r\nmem_cluster_links:0\r\nmem_aof_buffer:{}\r\n"
      "mem_allocator:{}\r\nactive_defrag_running:{}\r\nlazyfree_pending_objects:{}\r\nlazyfreed_objects:{}"
      "\r\n"
      "pinyon_slab_bytes:{}\r\npinyon_slab_used_bytes:{}\r\npinyon_slab_empty_bytes:{}\r\n"
      "pinyon_table_bytes:{}\r\n",
      s.engine.memory_limit.UncountedBytes(), report.client_bytes, report.log_buffer_bytes,
      mem::AllocatorName(), s.engine.defragmenter.CpuPercent(), lazy_free.pending(), lazy_free.freed(),
      slabs.slab_bytes, slabs.used_bytes, slabs.empty_bytes, report.table_bytes);
}

void Loading(const LoadStatus& load, Out out) {
  const int64_t elapsed_s = std::max<int64_t>(WallMs() / 1000 - load.start_s, 1);
  const double done = load.total_bytes == 0
                          ? 0
                          : static_cast<double>(load.loaded_bytes) / static_cast<double>(load.total_bytes);
  const double left_s = done > 0 ? static_cast<double>(elapsed_s) * (1 - done) / done : 1;
  fmt::format_to(out,
                 "loading_start_time:{}\r\nloading_total_bytes:{}\r\nloading_rdb_used_mem:0\r\n"
                 "loading_loaded_bytes:{}\r\nloading_loaded_perc:{:.2f}\r\nloading_eta_seconds:{}\r\n",
                 load.start_s, load.total_bytes, load.loaded_bytes, done * 100, static_cast<int64_t>(left_s));
}

void AppendOnlyLog(const AppendOnlyFile& log, Out out) {
  const AppendOnlyFile::Stats& stats = log.stats();
  const LogWriter* writer = log.writer();
  const bool healthy = writer == nullptr || writer->health() == LogHealth::kGood;
  fmt::format_to(
      out,
      "aof_last_rewrite_time_sec:{}\r\naof_last_bgrewrite_status:{}\r\naof_rewrites:{}\r\n"
      "aof_rewrites_consecutive_failures:{}\r\naof_last_write_status:{}\r\naof_last_cow_size:{}\r\n",
      stats.last_rewrite_s, stats.last_rewrite_ok ? "ok" : "err", stats.rewrites, stats.failures_in_a_row,
      healthy ? "ok" : "err", stats.last_copied_bytes);
}

void Persistence(const InfoSources& s, Out out) {
  const pinyon::Persistence& persistence = s.persistence;
  const Snapshots& snapshots = persistence.snapshots();
  const AppendOnlyFile& log = persistence.log_file();
  const ChildProcess& child = persistence.child();
  const ChildProgress& progress = child.progress();
  const bool saves = child.task() == ChildProcess::Task::kSnapshot;
  const bool rewrites = persistence.log_file().rewriting();
  const int64_t child_s = child.running() ? (MonotonicUs() - child.started_us()) / 1'000'000 : -1;
  const uint64_t keys = child.running() ? progress.keys_done.load() : 0;
  const uint64_t total = child.running() ? s.engine.keyspace.TotalKeys() : 0;
  const double percent = total == 0 ? 0 : 100.0 * static_cast<double>(keys) / static_cast<double>(total);
  const bool copied = child.running() && progress.copied_at_us != 0;
  fmt::format_to(
      out,
      "loading:{}\r\nasync_loading:0\r\ncurrent_cow_peak:{}\r\ncurrent_cow_size:{}\r\n"
      "current_cow_size_age:{}\r\ncurrent_fork_perc:{:.2f}\r\ncurrent_save_keys_processed:{}\r\n"
      "current_save_keys_total:{}\r\nrdb_changes_since_last_save:{}\r\nrdb_bgsave_in_progress:{}\r\n"
      "rdb_last_save_time:{}\r\nrdb_last_bgsave_status:{}\r\nrdb_last_bgsave_time_sec:{}\r\n"
      "rdb_current_bgsave_time_sec:{}\r\nrdb_saves:{}\r\nrdb_last_cow_size:{}\r\n"
      "rdb_last_load_keys_expired:{}\r\nrdb_last_load_keys_loaded:{}\r\n",
      persistence.loading().running ? 1 : 0, copied ? progress.copied_bytes_peak.load() : 0,
      copied ? progress.copied_bytes.load() : 0,
      copied ? (MonotonicUs() - progress.copied_at_us) / 1'000'000 : 0, std::min(percent, 100.0), keys, total,
      s.engine.stats.changes_since_save, saves ? 1 : 0, snapshots.last_save_s(),
      snapshots.last_background_ok() ? "ok" : "err", snapshots.last_background_seconds(),
      saves ? child_s : -1, snapshots.saves(), snapshots.last_copied_bytes(),
      persistence.loading().keys_expired, persistence.loading().keys_loaded);
  fmt::format_to(out,
                 "aof_enabled:{}\r\naof_rewrite_in_progress:{}\r\naof_rewrite_scheduled:{}\r\n"
                 "aof_current_rewrite_time_sec:{}\r\n",
                 log.is_off() ? 0 : 1, rewrites ? 1 : 0, log.scheduled() ? 1 : 0, rewrites ? child_s : -1);
  AppendOnlyLog(log, out);
  fmt::format_to(out, "module_fork_in_progress:0\r\nmodule_fork_last_cow_size:0\r\n");
  if (const LogWriter* writer = log.writer()) {
    fmt::format_to(out,
                   "aof_current_size:{}\r\naof_base_size:{}\r\naof_pending_rewrite:{}\r\n"
                   "aof_buffer_length:{}\r\naof_pending_bio_fsync:{}\r\naof_delayed_fsync:{}\r\n",
                   log.current_bytes(), log.base_bytes(), log.scheduled() ? 1 : 0, writer->queued_bytes(),
                   writer->synced_offset() < writer->appended() ? 1 : 0, writer->delayed_syncs());
  }
  if (persistence.loading().running) Loading(persistence.loading(), out);
}

void Stats(const InfoSources& s, Out out) {
  const Defragmenter::Stats defrag = s.engine.defragmenter.stats(MonotonicUs());
  const mem::RelocateStats relocated = mem::GetRelocateStats();
  const KeyspaceStats& keyspace = s.engine.keyspace.stats();
  fmt::format_to(
      out,
      "total_connections_received:{}\r\ntotal_commands_processed:{}\r\ninstantaneous_ops_per_sec:{}\r\n"
      "total_net_input_bytes:{}\r\ntotal_net_output_bytes:{}\r\ntotal_net_repl_input_bytes:0\r\n"
      "total_net_repl_output_bytes:0\r\ninstantaneous_input_kbps:{:.2f}\r\n"
      "instantaneous_output_kbps:{:.2f}\r\ninstantaneous_input_repl_kbps:0.00\r\n"
      "instantaneous_output_repl_kbps:0.00\r\nrejected_connections:{}\r\nsync_full:0\r\nsync_partial_ok:0\r\n"
      "sync_partial_err:0\r\n",
      s.stats.connections_received, s.engine.stats.commands_processed, s.stats.commands.PerSecond(),
      s.stats.traffic.input_bytes, s.stats.traffic.output_bytes,
      static_cast<double>(s.stats.input.PerSecond()) / 1024,
      static_cast<double>(s.stats.output.PerSecond()) / 1024, s.stats.connections_rejected);
  fmt::format_to(
      out,
      "expired_subkeys:{}\r\nexpired_keys:{}\r\nexpired_stale_perc:0.00\r\nexpired_time_cap_reached_count:{}"
      "\r\n"
      "expire_cycle_cpu_milliseconds:{}\r\nevicted_keys:{}\r\nevicted_clients:{}\r\n"
      "total_eviction_exceeded_time:{}\r\ncurrent_eviction_exceeded_time:{}\r\nkeyspace_hits:{}\r\n"
      "keyspace_misses:{}\r\npubsub_channels:{}\r\npubsub_patterns:{}\r\npubsubshard_channels:{}\r\n"
      "latest_fork_usec:{}\r\ntotal_forks:{}\r\nmigrate_cached_sockets:{}\r\nslave_expires_tracked_keys:0\r\n"
      "total_active_defrag_time:{}\r\ncurrent_active_defrag_time:{}\r\nactive_defrag_hits:{}\r\n"
      "active_defrag_misses:{}\r\nactive_defrag_key_hits:{}\r\nactive_defrag_key_misses:{}\r\n"
      "tracking_total_keys:{}\r\ntracking_total_items:{}\r\ntracking_total_prefixes:{}\r\nunexpected_error_"
      "replies:0\r\ntotal_error_replies:{}\r\n"
      "dump_payload_sanitizations:0\r\ntotal_reads_processed:{}\r\ntotal_writes_processed:{}\r\n"
      "io_threaded_reads_processed:0\r\nio_threaded_writes_processed:0\r\nreply_buffer_shrinks:0\r\n"
      "reply_buffer_expands:0\r\n"
      "client_query_buffer_limit_disconnections:{}\r\nclient_output_buffer_limit_disconnections:{}\r\n"
      "acl_access_denied_auth:{}\r\nacl_access_denied_cmd:{}\r\nacl_access_denied_key:{}\r\n"
      "acl_access_denied_channel:{}\r\n",
      keyspace.expired_fields, keyspace.expired_keys, keyspace.expire_cycle_stopped,
      keyspace.expire_cycle_us / 1000, keyspace.evicted_keys, s.stats.evicted_clients,
      s.engine.memory_limit.TotalExceededMs(), s.engine.memory_limit.CurrentExceededMs(), keyspace.hits,
      keyspace.misses, s.engine.pubsub.topic_count(TopicKind::kChannel),
      s.engine.pubsub.topic_count(TopicKind::kPattern), s.engine.pubsub.topic_count(TopicKind::kShardChannel),
      s.persistence.child().last_fork_us(), s.persistence.child().forks(), s.peers.count(),
      defrag.total_us / 1000, defrag.current_us / 1000, relocated.moved, relocated.asked - relocated.moved,
      defrag.keys_moved, defrag.keys_left, s.engine.tracking.key_count(), s.engine.tracking.item_count(),
      s.engine.tracking.prefix_count(), s.engine.stats.error_replies, s.stats.traffic.reads,
      s.stats.traffic.writes, s.stats.query_buffer_disconnections, s.stats.output_buffer_disconnections,
      s.engine.stats.auth_failures, s.engine.stats.denied_commands, s.engine.stats.denied_keys,
      s.engine.stats.denied_channels);
  fmt::format_to(out, "pinyon_turns:{}\r\npinyon_longest_turn_cpu_usec:{}\r\n", s.turns.turns,
                 s.turns.meter.longest_us());
}

void Replication(const InfoSources& s, Out out) {
  fmt::format_to(
      out,
      "role:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\nmaster_replid:{}\r\n"
      "master_replid2:0000000000000000000000000000000000000000\r\nmaster_repl_offset:0\r\n"
      "second_repl_offset:-1\r\nrepl_backlog_active:0\r\n",
      s.run_id);
}

void Cpu(const InfoSources&, Out out) {
  rusage self{}, children{}, thread{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  getrusage(RUSAGE_THREAD, &thread);
  fmt::format_to(out,
                 "used_cpu_sys:{:.6f}\r\nused_cpu_user:{:.6f}\r\nused_cpu_sys_children:{:.6f}\r\n"
                 "used_cpu_user_children:{:.6f}\r\nused_cpu_sys_main_thread:{:.6f}\r\n"
                 "used_cpu_user_main_thread:{:.6f}\r\n",
                 Seconds(self.ru_stime), Seconds(self.ru_utime), Seconds(children.ru_stime),
                 Seconds(children.ru_utime), Seconds(thread.ru_stime), Seconds(thread.ru_utime));
}

void Modules(const InfoSources&, Out) {}

void CommandStatLine(const InfoSources& s, const Command& command, Out out) {
  const CommandStats& stats = command.stats;
  if (stats.calls > 0 || stats.rejected > 0) {
    const uint64_t us = s.cycles.ToUs(command.cycles);
    const double per_call =
        stats.calls == 0 ? 0.0 : static_cast<double>(us) / static_cast<double>(stats.calls);
    fmt::format_to(out,
                   "cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}\r\n",
                   command.name, stats.calls, us, per_call, stats.rejected, stats.failed);
  }
  for (const Command* sub : command.subcommands) CommandStatLine(s, *sub, out);
}

void Commandstats(const InfoSources& s, Out out) {
  for (const Command* command : s.engine.commands.commands()) CommandStatLine(s, *command, out);
}

void Errorstats(const InfoSources& s, Out out) {
  for (const auto& [code, count] : s.engine.stats.errors_by_code) {
    fmt::format_to(out, "errorstat_{}:count={}\r\n", code, count);
  }
}

void Cluster(const InfoSources&, Out out) { fmt::format_to(out, "cluster_enabled:0\r\n"); }

void KeyspaceSection(const InfoSources& s, Out out) {
  const Keyspace& keyspace = s.engine.keyspace;
  for (int i = 0; i < keyspace.DatabaseCount(); ++i) {
    const Database& database = keyspace.database(i);
    if (database.size() == 0) continue;
    fmt::format_to(out, "db{}:keys={},expires={},avg_ttl={},subexpiry={}\r\n", i, database.size(),
                   database.expiring(), database.AverageTtlMs(), database.hashes_expiring());
  }
}

struct Section {
  std::string_view name;
  std::string_view title;
  bool is_default;
  void (*write)(const InfoSources&, Out);
};

// In the order in which they are printed.
constexpr Section kSections[] = {
    {"server", "Server", true, Server},
    {"clients", "Clients", true, Clients},
    {"memory", "Memory", true, Memory},
    {"persistence", "Persistence", true, Persistence},
    {"stats", "Stats", true, Stats},
    {"replication", "Replication", true, Replication},
    {"cpu", "CPU", true, Cpu},
    {"modules", "Modules", true, Modules},
    {"commandstats", "Commandstats", false, Commandstats},
    {"errorstats", "Errorstats", true, Errorstats},
    {"cluster", "Cluster", true, Cluster},
    {"keyspace", "Keyspace", true, KeyspaceSection},
};

bool IsWanted(const Section& section, std::span<const std::string_view> asked) {
  if (asked.empty()) return section.is_default;
  return std::any_of(asked.begin(), asked.end(), [&section](std::string_view name) {
    if (EqualsIgnoreCase(name, "all") || EqualsIgnoreCase(name, "everything")) return true;
    if (EqualsIgnoreCase(name, "default")) return section.is_default;
    return EqualsIgnoreCase(name, section.name);
  });
}

}  // namespace

std::string InfoText(const InfoSources& sources, std::span<const std::string_view> sections) {
  std::string text;
  for (const Section& section : kSections) {
    if (!IsWanted(section, sections)) continue;
    if (!text.empty()) text += "\r\n";
    text += fmt::format("# {}\r\n", section.title);
    section.write(sources, std::back_inserter(text));
  }
  return text;
}

}  // namespace pinyon
