// What a started server tells of its memory: the shape is Redis's, the figures hold.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "integration/data_folder.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

constexpr int64_t kMegabyte = 1024 * 1024;

int64_t Number(RawClient& client, const std::string& field) {
  return std::stoll(InfoField(client, "memory", field));
}

// The names in MEMORY STATS, those of databases within, each with the type of its value.
std::vector<std::string> Shape(const Reply& reply) {
  std::vector<std::string> lines;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    const Reply& value = reply.elements[i + 1];
    lines.push_back(reply.elements[i].text + " " + std::to_string(static_cast<int>(value.type)));
    for (const std::string& line : Shape(value)) lines.push_back("  " + line);
  }
  return lines;
}

std::map<std::string, double> Figures(const Reply& reply) {
  std::map<std::string, double> figures;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    const Reply& value = reply.elements[i + 1];
    if (!value.IsAggregate()) figures[reply.elements[i].text] = std::stod(value.text);
  }
  return figures;
}

// A server that was built with a sanitizer has the system's allocator, of which little is known.
bool HasAllocator(RawClient& client) { return InfoField(client, "memory", "mem_allocator") != "libc"; }

std::vector<std::string> InfoNames(RawClient& client) {
  std::istringstream lines(TextOf(client.Call({"INFO", "memory"})));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (const size_t colon = line.find(':'); colon != std::string::npos)
      names.push_back(line.substr(0, colon));
  }
  return names;
}

void Store(RawClient& client, int count, size_t bytes) {
  const std::string value(bytes, 'v');
  for (int i = 0; i < count; ++i) client.SendCommand({"SET", "key:" + std::to_string(i), value});
  for (int i = 0; i < count; ++i) REQUIRE(TextOf(client.ReadReply()) == "OK");
}

}  // namespace

TEST_CASE("MEMORY STATS has the fields of Redis in their order and types", "[memory][pinyon]") {
  const bool resp3 = GENERATE(false, true);
  std::vector<std::vector<std::string>> shapes;
  for (const std::string& binary : {PinyonBinary(), RedisBinary()}) {
    auto server = Launch({.binary = binary});
    RawClient client = server->Connect();
    if (resp3) client.Call({"HELLO", "3"});
    client.Call({"SET", "a", "1"});
    client.Call({"SELECT", "9"});
    client.Call({"SET", "b", "1", "EX", "1000"});
    shapes.push_back(Shape(client.Call({"MEMORY", "STATS"})));
  }
  CHECK(shapes[0].size() == 29 + 6);
  CHECK(shapes[0] == shapes[1]);
}

TEST_CASE("INFO memory has every field of Redis, in its order", "[memory][pinyon]") {
  std::vector<std::vector<std::string>> names;
  for (const std::string& binary : {PinyonBinary(), RedisBinary()}) {
    auto server = Launch({.binary = binary});
    RawClient client = server->Connect();
    names.push_back(InfoNames(client));
  }
  std::erase_if(names[0], [](const std::string& name) { return name.starts_with("pinyon_"); });
  CHECK(names[0] == names[1]);
}

TEST_CASE("figures of memory agree with what is stored and with each other", "[memory][pinyon]") {
  auto server = Launch();
  RawClient client = server->Connect();
  if (!HasAllocator(client)) return;
  constexpr int kKeys = 50'000;
  constexpr size_t kBytes = 1'000;
  const auto empty = Figures(client.Call({"MEMORY", "STATS"}));
  CHECK(empty.at("keys.count") == 0);
  CHECK(empty.at("dataset.bytes") < kMegabyte);
  Store(client, kKeys, kBytes);
  const int64_t usage = client.Call({"MEMORY", "USAGE", "key:12345"}).Integer();
  CHECK(usage >= static_cast<int64_t>(kBytes));
  CHECK(usage < static_cast<int64_t>(kBytes) + 100);
  const auto stats = Figures(client.Call({"MEMORY", "STATS"}));
  CHECK(stats.at("keys.count") == kKeys);
  const double expected = static_cast<double>(usage) * kKeys;
  CHECK(stats.at("dataset.bytes") == Approx(expected).epsilon(0.02));
  CHECK(stats.at("total.allocated") - empty.at("total.allocated") == Approx(expected).epsilon(0.05));
  CHECK(stats.at("keys.bytes-per-key") == Approx(static_cast<double>(usage) + 11).epsilon(0.05));
  CHECK(stats.at("overhead.total") + stats.at("dataset.bytes") == Approx(stats.at("total.allocated")));
  CHECK(stats.at("dataset.percentage") > 90);
  CHECK(stats.at("peak.allocated") >= stats.at("total.allocated"));
  CHECK(stats.at("allocator.allocated") == Approx(stats.at("total.allocated")).epsilon(0.02));
  CHECK(stats.at("allocator.active") >= stats.at("allocator.allocated"));
  CHECK(stats.at("allocator.resident") >= stats.at("allocator.active"));
  CHECK(stats.at("fragmentation") < 1.5);
  CHECK(static_cast<double>(Number(client, "used_memory_rss")) ==
        Approx(stats.at("allocator.resident")).epsilon(0.25));
  CHECK(Number(client, "used_memory_dataset") == Approx(expected).epsilon(0.02));
  CHECK(Number(client, "mem_clients_normal") > 0);
  CHECK(TextOf(client.Call({"MEMORY", "DOCTOR"})).find("No memory issue") == 0);
  CHECK(TextOf(client.Call({"MEMORY", "MALLOC-STATS"})).find("jemalloc statistics") != std::string::npos);
}

TEST_CASE("MEMORY PURGE gives memory back to the system", "[memory][pinyon]") {
  auto server = LaunchWith({"--hz", "1"});
  RawClient client = server->Connect();
  if (!HasAllocator(client)) return;
  // Small blocks and large ones.
  Store(client, 100'000, 300);
  client.Call({"SELECT", "1"});
  Store(client, 5'000, 10'000);
  const int64_t full = Number(client, "used_memory_rss");
  CHECK(full > 75 * kMegabyte);
  client.Call({"FLUSHALL", "ASYNC"});
  REQUIRE(Eventually([&] { return InfoField(client, "memory", "lazyfree_pending_objects") == "0"; }));
  CHECK(TextOf(client.Call({"MEMORY", "PURGE"})) == "OK");
  CHECK(Number(client, "used_memory_rss") < full - 60 * kMegabyte);
  CHECK(Number(client, "pinyon_slab_empty_bytes") == 0);
  CHECK(TextOf(client.Call({"MEMORY", "DOCTOR"})).find("empty") != std::string::npos);
  Store(client, 1'000, 300);
  CHECK(TextOf(client.Call({"GET", "key:999"})) == std::string(300, 'v'));
}

}  // namespace pinyon::testing
