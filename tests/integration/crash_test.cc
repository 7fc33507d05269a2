// Kills the server at random moments under load, starts it again and looks for what was acknowledged.
//
// PINYON_CRASH_ROUNDS says how many rounds (a few by default), PINYON_CRASH_SEED repeats a run.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "integration/data_folder.h"
#include "support/environment.h"

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// A client that counts up in one key, pushes every number to a list, and now and then writes two keys in a
// transaction; it remembers what was acknowledged, and when.
class Writer {
 public:
  explicit Writer(int number) : number_(std::to_string(number)) {}

  void Run(ServerProcess& server, uint64_t begin) {
    thread_ = std::thread([this, &server, begin] {
      try {
        RawClient client = server.Connect();
        for (uint64_t i = begin;; ++i) Write(client, i);
      } catch (const std::exception&) {
        // The server is gone.
      }
    });
  }
  void Join() { thread_.join(); }

  // The last number acknowledged until `when`.
  uint64_t AcknowledgedAt(Clock::time_point when) const {
    uint64_t last = 0;
    for (const auto& [number, at] : acknowledged_) {
      if (at <= when) last = number;
    }
    return last;
  }
  std::string key() const { return "counter:" + number_; }
  std::string left() const { return "left:" + number_; }
  std::string right() const { return "right:" + number_; }

 private:
  void Write(RawClient& client, uint64_t i) {
    const std::string text = std::to_string(i);
    if (i % 4 == 0) {
      client.Call({"MULTI"});
      client.Call({"SET", left(), text});
      client.Call({"SET", key(), text});
      client.Call({"SET", right(), text});
      if (client.Call({"EXEC"}).elements.size() != 3) throw std::runtime_error("EXEC");
    } else if (client.Call({"SET", key(), text}).IsError()) {
      throw std::runtime_error("SET");
    }
    acknowledged_.emplace_back(i, Clock::now());
  }

  const std::string number_;
  std::thread thread_;
  std::vector<std::pair<uint64_t, Clock::time_point>> acknowledged_;
};

uint64_t NumberAt(RawClient& client, const std::string& key) {
  return std::strtoull(TextOf(client.Call({"GET", key})).c_str(), nullptr, 10);
}

// Something that a kill may interrupt: nothing, a rewrite, a snapshot.
void Disturb(ServerProcess& server, uint64_t what) {
  RawClient client = server.Connect();
  if (what == 1) client.Call({"BGREWRITEAOF"});
  if (what == 2) client.Call({"BGSAVE"});
}

}  // namespace

TEST_CASE("what was acknowledged is there after a kill", "[persistence][crash]") {
  const std::string policy = GENERATE("always", "everysec");
  const uint64_t rounds = FromEnvironment("PINYON_CRASH_ROUNDS", 6);
  const uint64_t seed = FromEnvironment("PINYON_CRASH_SEED", std::random_device{}());
  CAPTURE(policy, seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> args = {
      "--appendonly", "yes", "--appendfsync", policy, "--aof-timestamp-enabled", random() % 2 ? "yes" : "no"};
  DataFolder folder;
  std::vector<uint64_t> numbers(4, 0);
  for (uint64_t round = 0; round < rounds; ++round) {
    CAPTURE(round);
    std::vector<std::unique_ptr<Writer>> writers;
    Clock::time_point killed;
    {
      auto server = folder.Start(PinyonBinary(), args);
      RawClient client = server->Connect();
      if (round == 0) FillWithEverything(client);
      for (size_t i = 0; i < numbers.size(); ++i) {
        writers.push_back(std::make_unique<Writer>(static_cast<int>(i)));
        writers.back()->Run(*server, numbers[i] + 1);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
      Disturb(*server, random() % 3);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
      killed = Clock::now();
      server->Signal(SIGKILL);
      server->WaitForExit(10'000);
      for (const auto& writer : writers) writer->Join();
    }
    auto server = folder.Start(PinyonBinary(), args);
    RawClient client = server->Connect();
    CHECK(client.Call({"EXISTS", "key:299", "ZADD5000", "text"}).Integer() == 3);
    const Clock::time_point promised = policy == "always" ? Clock::time_point::max() : killed - 1s;
    for (size_t i = 0; i < numbers.size(); ++i) {
      const uint64_t found = NumberAt(client, writers[i]->key());
      CHECK(found >= std::max(numbers[i], writers[i]->AcknowledgedAt(promised)));
      // A transaction is there as a whole or not at all.
      const uint64_t left = NumberAt(client, writers[i]->left());
      CHECK(NumberAt(client, writers[i]->right()) == left);
      CHECK(found >= left);
      CHECK(left == found / 4 * 4);
      numbers[i] = found;
    }
    REQUIRE(HealthyUntilTheEnd(*server));
  }
}

}  // namespace pinyon::testing
