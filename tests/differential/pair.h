// The oracle and the server under test, side by side, running the same steps.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "differential/compare.h"
#include "differential/step.h"
#include "support/raw_client.h"
#include "support/server_process.h"

namespace pinyon::differential {

struct Difference {
  size_t index;  // of the step whose replies differ
  std::string redis;
  std::string pinyon;
};

// How a round's steps are run.
struct Mode {
  bool resp3 = false;
  // So many commands in a row for one connection are sent before the first reply is read.
  size_t pipelined = 1;
  // Keyspace notifications are on, and those of every step are compared, too. Only when nothing is pipelined.
  bool notifications = false;
};

// One server and the connections that steps run on. A reply that does not come is a reply too, of type
// kNoReply.
class Side {
 public:
  explicit Side(const std::string& binary);

  // Empty databases and fresh connections, after a restart if the server has died. `resp3` is the protocol
  // that the connections speak first; `listens`: notifications are on.
  void Reset(bool resp3, bool listens);

  // The commands of the steps, which are all for one connection, in one piece.
  void Send(std::span<const Step> steps);
  testing::Reply Receive(const Step& step);

  // The keyspace notifications since the last call, a line each; but for expiries and evictions, which come
  // when they come, and `without_misses` for misses.
  std::string TakeEvents(bool without_misses);

  // Everything that comes back for the step's bytes; ends in a line that says so when the server closes.
  std::string RunRaw(const Step& step);
  // The same after giving the server more time; only for the connection of the last RunRaw.
  std::string WaitForMoreRaw(int quiet_ms);

  // Lower-case names of all commands it has; empty when it does not tell.
  std::vector<std::string> CommandNames();

  // What is worth knowing when it has died: exit code and the end of its log. Empty while it runs.
  std::string Obituary();
  int Stop() { return server_->Stop(); }

 private:
  testing::RawClient Open();
  void Flush();
  void Synchronise();

  std::string binary_;
  bool resp3_ = false;
  std::unique_ptr<testing::ServerProcess> server_;
  std::vector<testing::RawClient> connections_;
  std::optional<testing::RawClient> control_;
  std::optional<testing::RawClient> raw_;
  std::optional<testing::RawClient> listener_;
  std::string raw_bytes_;
};

class Pair {
 public:
  Pair(const std::string& redis_binary, const std::string& pinyon_binary);

  // Runs the steps on empty databases until the first replies that are not the same.
  std::optional<Difference> Run(std::span<const Step> steps, Mode mode);

  // Called with every step and the oracle's reply from now on.
  void set_trace(std::function<void(const Step&, const std::string&)> trace) { trace_ = std::move(trace); }

  Side& pinyon() { return pinyon_; }
  Side& redis() { return redis_; }

 private:
  std::optional<Difference> RunCommands(std::span<const Step> steps, size_t index);
  std::optional<Difference> RunRaw(const Step& step, size_t index);
  std::optional<Difference> CompareEvents(const Step& step, size_t index);

  std::function<void(const Step&, const std::string&)> trace_;
  std::array<TransactionAwareComparison, kConnections> comparisons_;
  Side redis_;
  Side pinyon_;
};

}  // namespace pinyon::differential
