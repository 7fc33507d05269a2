// The same random dealings of several clients, some of which wait, on Pinyon and on a redis-server: every
// client must be told the same, in the same order. PINYON_SEED=n repeats one scenario.
//
// What a client asks for ends with an ECHO. So a client has come to rest when it was answered that, or is
// shown as waiting, and a step is over when all have: nothing depends on time. (A client does nothing else
// behind a command that waits, as the order in which clients go on that were served together is the server's
// affair.)
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "integration/server_fixture.h"
#include "support/environment.h"

namespace pinyon::testing {

namespace {

constexpr size_t kClients = 6;
constexpr int kScenarios = 40;
constexpr int kSteps = 150;

using Command = std::vector<std::string>;

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t limit) { return engine_() % limit; }
  std::string Pick(std::initializer_list<const char*> choices) {
    return *(choices.begin() + Below(choices.size()));
  }
  std::string Key() { return Pick({"a", "b", "c"}); }
  // A redis-server 7.0 does not notice when a STORE command puts a value in the place of one of another type,
  // hence only such commands write to `stored`.
  std::string AnyKey() { return Pick({"a", "b", "c", "stored"}); }
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (size_t left = 1 + Below(3); left > 0; --left) keys.push_back(AnyKey());
    return keys;
  }

 private:
  std::mt19937_64 engine_;
};

Command Concat(Command head, const Command& middle, const Command& tail = {}) {
  head.insert(head.end(), middle.begin(), middle.end());
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

Command NumKeys(Dice& dice) {
  const Command keys = dice.Keys();
  return Concat({std::to_string(keys.size())}, keys);
}

Command Waiting(Dice& dice) {
  switch (dice.Below(8)) {
    case 0: return Concat({"BLPOP"}, dice.Keys(), {"0"});
    case 1: return Concat({"BRPOP"}, dice.Keys(), {"0"});
    case 2:
      return {"BLMOVE", dice.AnyKey(), dice.Key(), dice.Pick({"LEFT", "RIGHT"}), dice.Pick({"LEFT", "RIGHT"}),
              "0"};
    case 3: return {"BRPOPLPUSH", dice.Key(), dice.Key(), "0"};
    case 4:
      return Concat({"BLMPOP", "0"}, NumKeys(dice),
                    {dice.Pick({"LEFT", "RIGHT"}), "COUNT", dice.Pick({"1", "2"})});
    case 5: return Concat({"BZPOPMIN"}, dice.Keys(), {"0"});
    case 6: return Concat({"BZPOPMAX"}, dice.Keys(), {"0"});
    default:
      return Concat({"BZMPOP", "0"}, NumKeys(dice),
                    {dice.Pick({"MIN", "MAX"}), "COUNT", dice.Pick({"1", "2"})});
  }
}

Command Writing(Dice& dice, int step) {
  const std::string value = "v" + std::to_string(step);
  switch (dice.Below(20)) {
    case 0:
    case 1:
    case 2: return {"RPUSH", dice.Key(), value};
    case 3:
    case 4: return {"LPUSH", dice.Key(), value + "x", value + "y", value + "z"};
    case 5:
    case 6: return {"ZADD", dice.Key(), std::to_string(step), value};
    case 7: return {"ZADD", dice.Key(), "1", value + "x", "2", value + "y"};
    case 8:
    case 9: return {"DEL", dice.AnyKey()};
    case 10: return {"SET", dice.Key(), value};
    case 11: return {"RENAME", dice.Key(), dice.Key()};
    case 12: return {"COPY", dice.Key(), dice.Key(), "REPLACE"};
    case 13: return {"LMOVE", dice.Key(), dice.Key(), "LEFT", "RIGHT"};
    case 14: return {"LPUSHX", dice.Key(), value};
    case 15: return {"ZUNIONSTORE", "stored", "2", dice.Key(), dice.Key()};
    case 16: return {"ZRANGESTORE", "stored", dice.Key(), "0", "0"};
    case 17: return {"LPOP", dice.Key()};
    case 18: return {"TYPE", dice.Key()};
    default: return {"FLUSHALL"};
  }
}

// One server and what the clients of a scenario were told by it.
class Side {
 public:
  explicit Side(const std::string& binary)
      : server_(Launch({.binary = binary})), admin_(server_->Connect()) {}

  void Begin() {
    clients_.clear();
    admin_.Call({"FLUSHALL"});
    while (clients_.size() < kClients) clients_.push_back(NewClient());
  }
  void Send(size_t client, const std::string& bytes, const std::string& last_reply) {
    clients_[client].socket.Send(bytes);
    clients_[client].last_reply = last_reply;
  }
  Reply Do(const Command& command) { return admin_.Call(command); }
  void Replace(size_t client) {
    clients_[client].socket.Close();
    clients_[client] = NewClient();
  }
  Reply Unblock(size_t client, const std::string& reason) {
    return admin_.Call({"CLIENT", "UNBLOCK", clients_[client].id, reason});
  }
  bool IsWaiting(size_t client) {
    const std::string line = TextOf(admin_.Call({"CLIENT", "LIST", "ID", clients_[client].id}));
    const size_t flags = line.find(" flags=") + 7;
    return line.substr(flags, line.find(' ', flags) - flags).find('b') != std::string::npos;
  }
  bool IsAtWork(size_t client) { return !clients_[client].last_reply.empty(); }
  // What every client has been sent since the last call, once all have come to rest.
  std::vector<std::string> Settle() {
    std::vector<std::string> received(kClients);
    // Whoever was at rest may have been served by one that came to rest behind it, hence twice.
    for (int quiet_rounds = 0; quiet_rounds < 2;) quiet_rounds = Look(&received) ? quiet_rounds + 1 : 0;
    return received;
  }

 private:
  struct Client {
    RawClient socket;
    std::string id;
    std::string last_reply;  // of what it asked for; empty when that has come
  };

  Client NewClient() {
    RawClient socket = server_->Connect();
    std::string id = std::to_string(socket.Call({"CLIENT", "ID"}).Integer());
    return {std::move(socket), std::move(id), ""};
  }
  // Returns whether all are at rest and nobody was sent anything.
  bool Look(std::vector<std::string>* received) {
    bool quiet = true;
    for (size_t i = 0; i < kClients; ++i) {
      Client& client = clients_[i];
      const bool waiting = IsAtWork(i) && IsWaiting(i);
      const std::string more = client.socket.Drain(0);
      std::string& text = (*received)[i];
      text += more;
      if (IsAtWork(i) && text.ends_with(client.last_reply)) client.last_reply.clear();
      quiet = quiet && more.empty() && (waiting || !IsAtWork(i));
    }
    return quiet;
  }

  std::unique_ptr<ServerProcess> server_;
  RawClient admin_;
  std::vector<Client> clients_;
};

class Scenario {
 public:
  Scenario(Side& pinyon, Side& redis, uint64_t seed) : pinyon_(pinyon), redis_(redis), dice_(seed) {}

  void Run() {
    pinyon_.Begin();
    redis_.Begin();
    for (int step = 0; step < kSteps; ++step) {
      history_ += Step(step) + "\n";
      const std::vector<std::string> expected = redis_.Settle(), actual = pinyon_.Settle();
      if (expected == actual) continue;
      for (size_t i = 0; i < kClients; ++i) {
        INFO("client " << i << " got\n" << actual[i] << "instead of\n" << expected[i]);
        CHECK(actual[i] == expected[i]);
      }
      FAIL(history_);
    }
  }

 private:
  std::string Step(int step) {
    const size_t client = dice_.Below(kClients);
    switch (dice_.Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: return redis_.IsAtWork(client) ? "nothing" : SendBoth(client, Waiting(dice_), step);
      case 5: {
        std::string what = DoBoth({"MULTI"});
        for (size_t left = 1 + dice_.Below(4); left > 0; --left) {
          what += "; " + DoBoth(dice_.Below(5) == 0 ? Waiting(dice_) : Writing(dice_, step));
        }
        return what + "; " + DoBoth({"EXEC"});
      }
      case 6: {
        const size_t choice = dice_.Below(4);
        if (choice == 0) {
          pinyon_.Replace(client);
          redis_.Replace(client);
          return std::to_string(client) + " goes and comes back";
        }
        const std::string reason = choice == 1 ? "ERROR" : "TIMEOUT";
        const Reply expected = redis_.Unblock(client, reason);
        CHECK(pinyon_.Unblock(client, reason) == expected);
        return "CLIENT UNBLOCK " + std::to_string(client) + " " + reason;
      }
      default: return DoBoth(Writing(dice_, step));
    }
  }
  std::string SendBoth(size_t client, const Command& command, int step) {
    const std::string last = "end" + std::to_string(step);
    const std::string bytes = EncodeCommand(command) + EncodeCommand({"ECHO", last});
    const std::string last_reply = "$" + std::to_string(last.size()) + "\r\n" + last + "\r\n";
    pinyon_.Send(client, bytes, last_reply);
    redis_.Send(client, bytes, last_reply);
    return std::to_string(client) + ": " + QuoteCommand(command);
  }
  std::string DoBoth(const Command& command) {
    const Reply expected = redis_.Do(command), actual = pinyon_.Do(command);
    const std::string what = QuoteCommand(command);
    INFO(history_ << what);
    CHECK(Print(actual) == Print(expected));
    return what;
  }

  Side& pinyon_;
  Side& redis_;
  Dice dice_;
  std::string history_;
};

}  // namespace

TEST_CASE("clients that wait are told what redis-server tells them", "[blocking][scenarios]") {
  Side pinyon(PinyonBinary()), redis(RedisBinary());
  const uint64_t chosen = FromEnvironment("PINYON_SEED", 0);
  const uint64_t first = chosen == 0 ? 1 : chosen, last = chosen == 0 ? kScenarios : chosen;
  for (uint64_t seed = first; seed <= last; ++seed) {
    INFO("PINYON_SEED=" << seed);
    Scenario(pinyon, redis, seed).Run();
  }
}

}  // namespace pinyon::testing
