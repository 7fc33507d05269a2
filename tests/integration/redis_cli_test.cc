// redis-cli's ways of looking for the keys that matter: the biggest, and those that are used the most.
#include <catch2/catch.hpp>

#include "integration/data_folder.h"
#include "support/run_program.h"

namespace pinyon::testing {
namespace {

ProgramRun RunCli(const ServerProcess& server, std::vector<std::string> args) {
  std::vector<std::string> argv = {"redis-cli", "-p", std::to_string(server.port())};
  argv.insert(argv.end(), args.begin(), args.end());
  return RunProgram(argv);
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A large value of each type among small ones, and a database without any.
void FillWithSizes(RawClient& client) {
  for (int i = 0; i < 300; ++i) {
    const std::string number = std::to_string(i);
    client.Call({"SET", "string:" + number, "v"});
    client.Call({"RPUSH", "list:" + number, "a"});
    client.Call({"SADD", "set:" + number, "a"});
    client.Call({"ZADD", "zset:" + number, "1", "a"});
    client.Call({"HSET", "hash:" + number, "f", "v"});
  }
  client.Call({"SET", "big string", std::string(12'345, 'x')});
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    client.Call({"RPUSH", "big list", "element " + number});
    if (i < 900) client.Call({"SADD", "big set", "member " + number});
    if (i < 800) client.Call({"ZADD", "big zset", number, "member " + number});
    if (i < 700) client.Call({"HSET", "big hash", "field " + number, "value"});
  }
}

}  // namespace

TEST_CASE("redis-cli --bigkeys finds the biggest of each type", "[redis_cli][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  FillWithSizes(client);
  const ProgramRun run = RunCli(*server, {"--bigkeys"});
  INFO(run.output << run.errors);
  CHECK(run.code == 0);
  CHECK(Has(run.output, "Sampled 1505 keys in the keyspace!"));
  CHECK(Has(run.output, "Biggest string found '\"big string\"' has 12345 bytes"));
  CHECK(Has(run.output, "list found '\"big list\"' has 1000 items"));
  CHECK(Has(run.output, "set found '\"big set\"' has 900 members"));
  CHECK(Has(run.output, "zset found '\"big zset\"' has 800 members"));
  CHECK(Has(run.output, "hash found '\"big hash\"' has 700 fields"));
  CHECK(Has(run.output, "301 lists with 1300 items"));
}

TEST_CASE("redis-cli --memkeys finds what takes the most memory", "[redis_cli][redis-ok]") {
  auto server = Launch();
  RawClient client = server->Connect();
  FillWithSizes(client);
  const ProgramRun run = RunCli(*server, {"--memkeys"});
  INFO(run.output << run.errors);
  CHECK(run.code == 0);
  CHECK(Has(run.output, "Sampled 1505 keys in the keyspace!"));
  for (const std::string type : {"string", "list", "set", "zset", "hash"}) {
    const std::string key = "big " + type;
    const int64_t bytes = client.Call({"MEMORY", "USAGE", key}).Integer();
    CHECK(Has(run.output, " " + type + " found '\"" + key + "\"' has " + std::to_string(bytes) + " bytes"));
  }
  const ProgramRun all = RunCli(*server, {"--memkeys-samples", "0"});
  CHECK(all.code == 0);
  CHECK(Has(all.output, "string found '\"big string\"' has"));
}

TEST_CASE("redis-cli --hotkeys finds what is used the most, with frequencies", "[redis_cli][redis-ok]") {
  auto server = LaunchWith({"--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "0"});
  RawClient client = server->Connect();
  FillWithSizes(client);
  for (int i = 0; i < 100; ++i) client.Call({"GET", "string:17"});
  for (int i = 0; i < 50; ++i) client.Call({"HGET", "hash:3", "f"});
  const ProgramRun run = RunCli(*server, {"--hotkeys"});
  INFO(run.output << run.errors);
  CHECK(run.code == 0);
  CHECK(Has(run.output, "Sampled 1505 keys in the keyspace!"));
  CHECK(Has(run.output, "keyname: \"string:17\""));
  CHECK(Has(run.output, "keyname: \"hash:3\""));
  // Under another policy it says why it cannot.
  client.Call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const ProgramRun refused = RunCli(*server, {"--hotkeys"});
  CHECK(refused.code == 1);
  CHECK(Has(refused.errors, "An LFU maxmemory policy is not selected"));
}

TEST_CASE("redis-cli shows MEMORY's replies", "[redis_cli][redis-ok]") {
  auto server = Launch();
  const ProgramRun stats = RunCli(*server, {"memory", "stats"});
  CHECK(Has(stats.output, "dataset.percentage\n"));
  CHECK(Has(RunCli(*server, {"-3", "memory", "doctor"}).output, "empty"));
  CHECK(RunCli(*server, {"memory", "purge"}).output == "OK\n");
}

}  // namespace pinyon::testing
