// MEMORY: what keys and the server take from memory, what is conspicuous about it, and giving back what is
// not needed.
#include <fmt/format.h>

#include <string>

#include "base/alloc.h"
#include "commands/families.h"
#include "commands/help.h"
#include "commands/memory_doctor.h"
#include "engine/call.h"

namespace pinyon {

namespace {

constexpr int64_t kDefaultSamples = 5;

// MEMORY DOCTOR
void MemoryDoctor(Call& call) {
  call.reply.Verbatim("txt", DiagnoseMemory(call.engine.server.GetMemoryReport()));
}

// MEMORY MALLOC-STATS
void MemoryMallocStats(Call& call) {
  const std::string text = mem::StatsText();
  if (text.empty()) return call.reply.Bulk("Stats not supported for the current allocator");
  call.reply.Verbatim("txt", text);
}

// MEMORY PURGE
void MemoryPurge(Call& call) {
  call.engine.server.PurgeMemory();
  call.reply.Ok();
}

class StatsReply {
 public:
  explicit StatsReply(ReplyWriter& reply) : reply_(reply) {}

  void Number(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Real(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
  }
  void Excess(std::string_view ratio_name, std::string_view bytes_name, MemoryReport::Excess excess) {
    Real(ratio_name, excess.ratio);
    reply_.Bulk(bytes_name);
    reply_.Integer(excess.bytes);
  }
  void Database(const MemoryReport::DatabaseOverhead& database) {
    constexpr size_t kFields = 3;
    reply_.Bulk(fmt::format("db.{}", database.database));
    reply_.MapHeader(kFields);
    Number("overhead.hashtable.main", database.table_bytes);
    Number("overhead.hashtable.expires", database.expiry_bytes);
    Number("overhead.hashtable.slot-to-keys", 0);
  }

 private:
  ReplyWriter& reply_;
};

// MEMORY STATS
void MemoryStats(Call& call) {
  constexpr size_t kFields = 27;
  const MemoryReport report = call.engine.server.GetMemoryReport();
  call.reply.MapHeader(kFields + report.databases.size());
  StatsReply stats(call.reply);
  stats.Number("peak.allocated", report.peak);
  stats.Number("total.allocated", report.used);
  stats.Number("startup.allocated", report.startup);
  stats.Number("replication.backlog", 0);
  stats.Number("clients.slaves", 0);
  stats.Number("clients.normal", report.client_bytes);
  stats.Number("cluster.links", 0);
  stats.Number("aof.buffer", report.log_buffer_bytes);
  stats.Number("lua.caches", 0);
  stats.Number("functions.caches", 0);
  for (const MemoryReport::DatabaseOverhead& database : report.databases) stats.Database(database);
  stats.Number("overhead.total", report.Overhead());
  stats.Number("keys.count", report.keys);
  stats.Number("keys.bytes-per-key", report.BytesPerKey());
  stats.Number("dataset.bytes", report.Dataset());
  stats.Real("dataset.percentage", report.DatasetPercent());
  stats.Real("peak.percentage", report.PeakPercent());
  stats.Number("allocator.allocated", report.allocated);
  stats.Number("allocator.active", report.active);
  stats.Number("allocator.resident", report.allocator_resident);
  stats.Excess("allocator-fragmentation.ratio", "allocator-fragmentation.bytes",
               report.AllocatorFragmentation());
  stats.Excess("allocator-rss.ratio", "allocator-rss.bytes", report.AllocatorResidence());
  stats.Excess("rss-overhead.ratio", "rss-overhead.bytes", report.ProcessOverhead());
  stats.Excess("fragmentation", "fragmentation.bytes", report.Fragmentation());
}

// MEMORY USAGE key [SAMPLES count]. No use of the key, and neither a hit nor a miss.
void MemoryUsage(Call& call) {
  int64_t samples = kDefaultSamples;
  for (size_t i = 3; i < call.argc(); i += 2) {
    if (!call.Is(i, "samples") || i + 1 == call.argc()) {
      call.SyntaxError();
      return;
    }
    if (!call.Int(i + 1, &samples)) return;
    if (samples < 0) {
      call.SyntaxError();
      return;
    }
  }
  const EntryRef ref = call.db.Find(call.args[2], call.KeyHash(2));
  if (!ref) return call.reply.Null();
  call.reply.Integer(static_cast<int64_t>(call.db.MemoryOf(ref.entry(), static_cast<size_t>(samples))));
}

// MEMORY HELP
void MemoryHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "DOCTOR",
      "    Tell what is conspicuous about the memory of this server.",
      "MALLOC-STATS",
      "    Return what the memory allocator says of itself.",
      "PURGE",
      "    Give memory that is not needed back to the system.",
      "STATS",
      "    Return what memory is used for.",
      "USAGE <key> [SAMPLES <count>]",
      "    Return how many bytes a key and its value take. Where they are not known",
      "    they are estimated from <count> parts of it (default: 5, 0 means all).",
  };
  ReplyHelp(call, kLines);
}

constexpr CommandSpec kMemorySubcommands[] = {
    {.name = "doctor",
     .arity = 2,
     .handler = MemoryDoctor,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Tells what is conspicuous about the server's memory.",
     .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special"},
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = MemoryHelp,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
    {.name = "malloc-stats",
     .arity = 2,
     .handler = MemoryMallocStats,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Returns the memory allocator's own statistics.",
     .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special"},
    {.name = "purge",
     .arity = 2,
     .handler = MemoryPurge,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on how much memory is allocated, could be slow",
     .summary = "Gives unused memory back to the system.",
     .tips = "request_policy:all_shards,response_policy:all_succeeded"},
    {.name = "stats",
     .arity = 2,
     .handler = MemoryStats,
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(1)",
     .summary = "Tells what memory is used for.",
     .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special"},
    {.name = "usage",
     .arity = -3,
     .flags = kReadOnly,
     .handler = MemoryUsage,
     .keys = {KeyAt(2, kKeyRO)},
     .group = "server",
     .since = "4.0.0",
     .complexity = "O(N) where N is the number of samples.",
     .summary = "Tells how many bytes a key and its value take.",
     .syntax = "key [SAMPLES count]"},
};

constexpr CommandSpec kMemoryCommands[] = {
    {.name = "memory",
     .arity = -2,
     .group = "server",
     .since = "4.0.0",
     .complexity = "Depends on subcommand.",
     .summary = "Contains the commands on memory.",
     .subcommands = kMemorySubcommands},
};

}  // namespace

std::span<const CommandSpec> MemoryCommands() { return kMemoryCommands; }

}  // namespace pinyon
