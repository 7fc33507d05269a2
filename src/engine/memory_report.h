// What memory is used for, as INFO, MEMORY STATS and MEMORY DOCTOR tell it: figures of one moment, gathered
// by the server, and what follows from them.
//
// Overhead is what would be there without the keys, or beside them: the server itself, clients, tables,
// buffers. What is left of the memory used is the dataset. Bytes that a reply sends by reference count as the
// client's although they are a key's, so with large replies under way the dataset may be told too small,
// never too large.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pinyon {

struct MemoryReport {
  struct DatabaseOverhead {
    int database;
    uint64_t table_bytes;   // of keys
    uint64_t expiry_bytes;  // of expiries
  };

  uint64_t used = 0;
  uint64_t peak = 0;     // of `used`, since the start
  uint64_t startup = 0;  // of `used`, when the server was ready
  uint64_t keys = 0;
  std::vector<DatabaseOverhead> databases;  // of those that hold keys
  uint64_t table_bytes = 0;                 // of all databases, expiries included
  uint64_t client_bytes = 0;
  uint64_t client_count = 0;
  uint64_t idle_chunk_bytes = 0;  // what connections have given back, kept for the next
  uint64_t log_buffer_bytes = 0;

  // mem::AllocatorStats, and what the system says of the process.
  uint64_t allocated = 0;
  uint64_t active = 0;
  uint64_t allocator_resident = 0;
  uint64_t resident = 0;

  uint64_t Overhead() const {
    return startup + client_bytes + idle_chunk_bytes + log_buffer_bytes + table_bytes;
  }
  uint64_t Dataset() const { return Below(used, Overhead()); }
  // Beyond what the server uses without keys.
  uint64_t UsedSinceStartup() const { return Below(used, startup); }
  double DatasetPercent() const { return Percent(Dataset(), UsedSinceStartup()); }
  double PeakPercent() const { return Percent(used, peak); }
  uint64_t BytesPerKey() const { return keys == 0 ? 0 : UsedSinceStartup() / keys; }

  // How much more one thing takes than another that is part of it.
  struct Excess {
    double ratio;
    int64_t bytes;
  };
  Excess AllocatorFragmentation() const { return ExcessOf(active, allocated); }
  Excess AllocatorResidence() const { return ExcessOf(allocator_resident, active); }
  Excess ProcessOverhead() const { return ExcessOf(resident, allocator_resident); }
  Excess Fragmentation() const { return ExcessOf(resident, used); }

 private:
  static uint64_t Below(uint64_t whole, uint64_t part) { return whole - std::min(whole, part); }
  static double Percent(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) * 100 / static_cast<double>(whole);
  }
  static Excess ExcessOf(uint64_t whole, uint64_t part) {
    return {part == 0 ? 1 : static_cast<double>(whole) / static_cast<double>(part),
            static_cast<int64_t>(whole) - static_cast<int64_t>(part)};
  }
};

}  // namespace pinyon
