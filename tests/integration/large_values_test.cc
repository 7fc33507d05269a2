// The largest values that Redis takes: 512 MiB, and not a byte more.
#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <string_view>

#include "integration/server_fixture.h"

namespace pinyon::testing {
namespace {

constexpr size_t kMaxBulkBytes = size_t{512} << 20;
// The value in the server, its reply, and both once more in the test.
constexpr size_t kNeededKb = 6 * (kMaxBulkBytes >> 10);

// A field of /proc/meminfo or /proc/<pid>/status, in kB; 0 when it is not there.
size_t ProcField(const std::string& path, std::string_view field) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) return std::stoul(line.substr(field.size()));
  }
  return 0;
}

size_t AvailableMemoryKb() { return ProcField("/proc/meminfo", "MemAvailable:"); }

size_t ResidentKb(const ServerProcess& server) {
  return ProcField("/proc/" + std::to_string(server.pid()) + "/status", "VmRSS:");
}

}  // namespace

TEST_CASE("512 MiB go in and come out", "[large][slow][redis-ok]") {
  if (AvailableMemoryKb() < kNeededKb) {
    WARN("too little memory to try");
    return;
  }
  auto server = Launch();
  RawClient client = server->Connect(120000);
  std::string value(kMaxBulkBytes, 'x');
  for (size_t i = 0; i < value.size(); i += 4093) value[i] = static_cast<char>('a' + i % 26);
  client.Send("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$536870912\r\n");
  client.Send(value);
  client.Send("\r\n");
  REQUIRE(TextOf(client.ReadReply()) == "OK");
  CHECK(client.Call({"STRLEN", "big"}).Integer() == static_cast<int64_t>(kMaxBulkBytes));
  CHECK(TextOf(client.Call({"GETRANGE", "big", "-5", "-1"})) == value.substr(kMaxBulkBytes - 5));
  CHECK(TextOf(client.Call({"APPEND", "big", "x"})) ==
        "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  client.SendCommand({"GET", "big"});
  const std::string raw = client.ReadRawReply();
  const std::string header = "$536870912\r\n";
  // Not one CHECK over both: a failure would print half a gigabyte.
  const bool same = raw.size() == header.size() + value.size() + 2 &&
                    raw.compare(0, header.size(), header) == 0 &&
                    raw.compare(header.size(), value.size(), value) == 0;
  CHECK(same);
  CHECK(HealthyUntilTheEnd(*server));
}

TEST_CASE("513 MiB are refused before they are sent", "[large][protocol][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  client.Send("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$537919488\r\n");
  CHECK(TextOf(client.ReadReply()) == "ERR Protocol error: invalid bulk length");
  CHECK(client.WaitForClose(2000));
  CHECK(server->Connect().Call({"EXISTS", "big"}).Integer() == 0);
}

TEST_CASE("announced bytes cost nothing before they come", "[large][protocol][redis-ok]") {
  auto server = Launch();
  std::vector<RawClient> clients;
  // Eight times as much as may stay; AddressSanitizer takes a quarter of a second for each.
  for (int i = 0; i < 8; ++i) {
    clients.push_back(server->Connect());
    clients.back().Send("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$536870912\r\n");
  }
  REQUIRE(TextOf(server->Connect().Call({"PING"})) == "PONG");
  CHECK(ResidentKb(*server) < (400 << 10));
  CHECK(HealthyUntilTheEnd(*server));
}

}  // namespace pinyon::testing
