#include "differential/pair.h"

#include <fmt/format.h>

#include <array>

#include "differential/compare.h"

namespace pinyon::differential {
namespace {

using testing::ClientError;
using testing::ReplyType;

constexpr int kReplyTimeoutMs = 10000;
// How long a server that answers differently is waited for, in case it is only slower.
constexpr int kSlowRawMs = 300;
constexpr int kCrashReportMs = 5000;
constexpr size_t kLogTailBytes = 3000;

Reply NoReply(std::string why) { return {.type = ReplyType::kNoReply, .text = std::move(why)}; }

// Which commands an EXEC will answer for: their replies have rules of their own.
class Queued {
 public:
  // Compares the replies to `args` and follows MULTI, EXEC and what ends a transaction.
  bool Same(const Args& args, const Reply& redis, const Reply& pinyon) {
    const std::string name = args.empty() ? "" : UpperCase(args[0]);
    if (redis.type == ReplyType::kSimple && redis.text == "QUEUED") {
      commands_.push_back(args);
      return redis == pinyon;
    }
    if (name == "EXEC" && redis.type == ReplyType::kArray) return SameExec(redis, pinyon);
    if (name == "EXEC" || name == "RESET" || (name == "DISCARD" && !redis.IsError())) commands_.clear();
    return SameReply(args, redis, pinyon);
  }

 private:
  bool SameExec(const Reply& redis, const Reply& pinyon) {
    const std::vector<Args> commands = std::move(commands_);
    commands_.clear();
    const size_t count = redis.elements.size();
    if (redis.type != pinyon.type || count != pinyon.elements.size() || count != commands.size()) {
      return redis == pinyon;
    }
    for (size_t i = 0; i < count; ++i) {
      if (!SameReply(commands[i], redis.elements[i], pinyon.elements[i])) return false;
    }
    return true;
  }

  std::vector<Args> commands_;
};

}  // namespace

Side::Side(const std::string& binary) : binary_(binary) {
  server_ = std::make_unique<testing::ServerProcess>(testing::ServerOptions{.binary = binary});
}

void Side::Reset(bool resp3) {
  resp3_ = resp3;
  connections_.clear();
  raw_.reset();
  try {
    Flush();
  } catch (const ClientError&) {
    // Dead or dying: one that writes a crash report takes its time.
    control_.reset();
    server_->Stop();
    server_ = std::make_unique<testing::ServerProcess>(testing::ServerOptions{.binary = binary_});
    Flush();
  }
  for (int i = 0; i < kConnections; ++i) connections_.push_back(Open());
}

void Side::Flush() {
  if (!control_) control_ = server_->Connect(kReplyTimeoutMs);
  const Reply flushed = control_->Call({"FLUSHALL"});
  if (flushed.IsError()) throw std::runtime_error("FLUSHALL: " + flushed.text);
}

testing::RawClient Side::Open() {
  testing::RawClient client = server_->Connect(kReplyTimeoutMs);
  if (resp3_) client.Call({"HELLO", "3"});
  return client;
}

void Side::Send(const Step& step) {
  testing::RawClient& client = connections_[static_cast<size_t>(step.connection)];
  try {
    if (client.closed()) client = Open();
    client.SendCommand(step.args);
  } catch (const ClientError&) {
    // The read that follows says what is wrong.
  }
}

Reply Side::Receive(const Step& step) {
  try {
    return connections_[static_cast<size_t>(step.connection)].ReadReply();
  } catch (const ClientError& error) {
    return NoReply(error.kind == ClientError::Kind::kTimeout ? error.what() : "closed");
  } catch (const testing::MalformedReply& error) {
    return NoReply(std::string("malformed: ") + error.what());
  }
}

// When this returns, the server has read and answered what other connections had sent before: what arrived
// with our first PING is done by the second.
void Side::Synchronise() {
  for (int i = 0; i < 2; ++i) control_->Call({"PING"});
}

std::string Side::RunRaw(const Step& step) {
  raw_bytes_.clear();
  try {
    // A reset leaves no port behind in TIME_WAIT.
    if (raw_) raw_->Reset();
    raw_ = Open();
    size_t begin = 0;
    for (const size_t end : step.piece_ends) {
      raw_->Send(std::string_view(step.raw).substr(begin, end - begin));
      begin = end;
      Synchronise();
    }
    raw_->Send(std::string_view(step.raw).substr(begin));
    Synchronise();
  } catch (const ClientError&) {
    // Closed before all was sent, which is a result like any other.
  }
  return WaitForMoreRaw(0);
}

std::string Side::WaitForMoreRaw(int quiet_ms) {
  raw_bytes_ += raw_->Drain(quiet_ms);
  return testing::Quote(raw_bytes_) + (raw_->closed() ? "\nthen closed" : "");
}

std::vector<std::string> Side::CommandNames() {
  std::vector<std::string> names;
  for (const Reply& name : control_->Call({"COMMAND", "LIST"}).elements) names.push_back(name.text);
  return names;
}

std::string Side::Obituary() {
  if (control_) {
    try {
      control_->Call({"PING"});
      return "";
    } catch (const ClientError&) {
      // It does not answer any more; a crash report takes its time.
    }
  }
  const auto exit_code = server_->WaitForExit(kCrashReportMs);
  if (!exit_code) return "\nthe server hangs";
  std::string log = server_->LogText();
  if (log.size() > kLogTailBytes) log.erase(0, log.size() - kLogTailBytes);
  return fmt::format("\nthe server has ended with {}; its log ends:\n{}", *exit_code, log);
}

Pair::Pair(const std::string& redis_binary, const std::string& pinyon_binary)
    : redis_(redis_binary), pinyon_(pinyon_binary) {
  redis_.Reset(false);
  pinyon_.Reset(false);
}

std::optional<Difference> Pair::Run(std::span<const Step> steps, bool resp3) {
  redis_.Reset(resp3);
  pinyon_.Reset(resp3);
  std::array<Queued, kConnections> queued;
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    if (step.args.empty()) {
      std::string redis = redis_.RunRaw(step);
      std::string pinyon = pinyon_.RunRaw(step);
      if (trace_) trace_(step, redis);
      if (redis != pinyon) {
        redis = redis_.WaitForMoreRaw(kSlowRawMs);
        pinyon = pinyon_.WaitForMoreRaw(kSlowRawMs);
      }
      if (redis != pinyon) return Difference{i, redis + redis_.Obituary(), pinyon + pinyon_.Obituary()};
      continue;
    }
    redis_.Send(step);
    pinyon_.Send(step);
    const Reply redis = redis_.Receive(step);
    const Reply pinyon = pinyon_.Receive(step);
    if (trace_) trace_(step, Print(redis));
    if (!queued[static_cast<size_t>(step.connection)].Same(step.args, redis, pinyon)) {
      return Difference{i, Print(redis) + redis_.Obituary(), Print(pinyon) + pinyon_.Obituary()};
    }
  }
  return std::nullopt;
}

}  // namespace pinyon::differential
