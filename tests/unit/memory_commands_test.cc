// MEMORY: arguments, the shape of its replies, and diagnoses.
#include <catch2/catch.hpp>
#include <string>

#include "command_fixture.h"
#include "commands/memory_doctor.h"

namespace pinyon {
namespace {

constexpr uint64_t kMegabyte = 1024 * 1024;

// An instance about which there is nothing to be said.
MemoryReport Healthy() {
  MemoryReport report;
  report.used = report.peak = report.allocated = 100 * kMegabyte;
  report.startup = kMegabyte;
  report.active = report.allocator_resident = report.resident = 105 * kMegabyte;
  report.keys = 1'000;
  report.client_count = 10;
  report.client_bytes = 20'000;
  return report;
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("MEMORY USAGE checks its arguments as Redis does", "[memory_commands]") {
  CommandFixture f;
  f.Run("SET k v");
  CHECK(f.Run("MEMORY USAGE k")[0] == ':');
  CHECK(f.Run("MEMORY USAGE k SAMPLES 0") == f.Run("memory usage k samples 7 SAMPLES 3"));
  CHECK(f.Run("MEMORY USAGE none") == "$-1\r\n");
  CHECK(f.Run("MEMORY USAGE none SAMPLES x") == "-ERR value is not an integer or out of range\r\n");
  CHECK(f.Run("MEMORY USAGE none SAMPLES -1") == "-ERR syntax error\r\n");
  CHECK(f.Run("MEMORY USAGE none SAMPLES") == "-ERR syntax error\r\n");
  CHECK(f.Run("MEMORY USAGE none SAMPLES 5 x") == "-ERR syntax error\r\n");
  CHECK(f.Run("MEMORY USAGE none COUNT 5") == "-ERR syntax error\r\n");
  CHECK(f.Run("MEMORY USAGE") == "-ERR wrong number of arguments for 'memory|usage' command\r\n");
  CHECK(f.keyspace.stats().hits + f.keyspace.stats().misses == 0);
}

TEST_CASE("MEMORY STATS is a map with one of its own for each database", "[memory_commands]") {
  CommandFixture f;
  f.server.memory_report = Healthy();
  f.server.memory_report.databases = {{0, 1'000, 0}, {12, 2'000, 300}};
  f.server.memory_report.table_bytes = 3'300;
  const std::string text = f.Run("MEMORY STATS");
  CHECK(text.starts_with("*58\r\n$14\r\npeak.allocated\r\n:104857600\r\n$15\r\ntotal.allocated\r\n"));
  CHECK(Has(text,
            "$4\r\ndb.0\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:1000\r\n$26\r\n"
            "overhead.hashtable.expires\r\n:0\r\n$31\r\noverhead.hashtable.slot-to-keys\r\n:0\r\n"
            "$5\r\ndb.12\r\n*6\r\n$23\r\noverhead.hashtable.main\r\n:2000\r\n"));
  CHECK(Has(text,
            "overhead.total\r\n:1071876\r\n$10\r\nkeys.count\r\n:1000\r\n$18\r\nkeys.bytes-per-key\r\n:"
            "103809\r\n"));
  CHECK(Has(text, "allocator-fragmentation.ratio\r\n$4\r\n1.05\r\n"));
  CHECK(text.ends_with("$19\r\nfragmentation.bytes\r\n:5242880\r\n"));
  f.UseResp3();
  const std::string map = f.Run("MEMORY STATS");
  CHECK(map.starts_with("%29\r\n$14\r\npeak.allocated\r\n"));
  CHECK(Has(map, "db.0\r\n%3\r\n"));
  CHECK(Has(map, "peak.percentage\r\n,100\r\n"));
}

TEST_CASE("MEMORY PURGE, MALLOC-STATS and HELP reply", "[memory_commands]") {
  CommandFixture f;
  CHECK(f.Run("MEMORY PURGE") == "+OK\r\n");
  CHECK(f.server.purge_calls == 1);
  CHECK(f.Run("MEMORY MALLOC-STATS").size() > 30);
  const std::string help = f.Run("MEMORY HELP");
  CHECK(Has(help, "+MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:\r\n"));
  CHECK(Has(help, "+USAGE <key> [SAMPLES <count>]\r\n"));
  CHECK(f.Run("MEMORY NOTHING") == "-ERR unknown subcommand 'NOTHING'. Try MEMORY HELP.\r\n");
  f.UseResp3();
  CHECK(f.Run("MEMORY DOCTOR").starts_with("="));
}

TEST_CASE("MEMORY DOCTOR tells what is conspicuous, and only that", "[memory_commands]") {
  CHECK(Has(DiagnoseMemory({}), "empty"));
  MemoryReport report = Healthy();
  const std::string healthy = DiagnoseMemory(report);
  CHECK(Has(healthy, "No memory issue"));
  const std::vector<std::string> issues = {"Peak memory",
                                           "High total fragmentation",
                                           "High allocator fragmentation",
                                           "High allocator residence",
                                           "High process overhead",
                                           "Big client buffers"};
  const auto found = [&issues](const MemoryReport& of) {
    const std::string text = DiagnoseMemory(of);
    std::string all;
    for (size_t i = 0; i < issues.size(); ++i) all += Has(text, issues[i]) ? std::to_string(i) : "";
    return all;
  };
  CHECK(found(report).empty());
  report.peak = 151 * kMegabyte;
  CHECK(found(report) == "0");
  report = Healthy();
  report.active = report.allocator_resident = report.resident = 112 * kMegabyte;
  CHECK(found(report) == "2");
  report.active = 105 * kMegabyte;
  report.allocator_resident = report.resident = 120 * kMegabyte;
  CHECK(found(report) == "3");
  report.allocator_resident = 105 * kMegabyte;
  report.resident = 141 * kMegabyte;
  CHECK(found(report) == "14");
  report = Healthy();
  report.client_bytes = 10 * 205 * 1024;
  CHECK(found(report) == "5");
  // A high ratio of next to nothing.
  report = Healthy();
  report.used = report.peak = report.allocated = 6 * kMegabyte;
  report.active = 9 * kMegabyte;
  report.allocator_resident = 12 * kMegabyte;
  report.resident = 15 * kMegabyte;
  CHECK(found(report).empty());
}

}  // namespace
}  // namespace pinyon
