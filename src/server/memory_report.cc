// Gathers what engine/memory_report.h tells from the parts of the server.
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/alloc.h"
#include "server/info.h"

namespace pinyon {

namespace {

uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void AddDatabases(const Keyspace& keyspace, MemoryReport* report) {
  for (int i = 0; i < keyspace.DatabaseCount(); ++i) {
    const Database& database = keyspace.database(i);
    const MemoryReport::DatabaseOverhead overhead{i, database.TableBytes(), database.ExpiryBytes()};
    report->table_bytes += overhead.table_bytes + overhead.expiry_bytes;
    report->keys += database.size();
    if (database.size() > 0) report->databases.push_back(overhead);
  }
}

}  // namespace

MemoryReport MakeMemoryReport(const InfoSources& sources) {
  MemoryReport report;
  report.used = mem::UsedBytes();
  report.peak = sources.stats.peak_memory = std::max(sources.stats.peak_memory, report.used);
  report.startup = sources.startup_memory;
  AddDatabases(sources.engine.keyspace, &report);
  report.client_bytes = sources.clients_memory;
  report.client_count = sources.engine.sessions.size();
  report.idle_chunk_bytes = sources.idle_chunk_bytes;
  report.log_buffer_bytes = sources.persistence.LogBufferBytes();
  const mem::AllocatorStats allocator = mem::GetAllocatorStats();
  report.allocated = allocator.allocated;
  report.active = allocator.active;
  report.allocator_resident = allocator.resident;
  report.resident = ResidentBytes();
  return report;
}

}  // namespace pinyon
