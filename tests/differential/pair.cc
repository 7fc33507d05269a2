#include "differential/pair.h"

#include <fmt/format.h>

#include <algorithm>

namespace pinyon::differential {
namespace {

using testing::ClientError;
using testing::Reply;
using testing::ReplyType;

constexpr int kReplyTimeoutMs = 10000;
// How long a server that answers differently is waited for, in case it is only slower.
constexpr int kSlowRawMs = 300;
constexpr int kCrashReportMs = 5000;
constexpr size_t kLogTailBytes = 3000;

Reply NoReply(std::string why) { return {.type = ReplyType::kNoReply, .text = std::move(why)}; }

testing::ServerOptions OptionsFor(const std::string& binary) {
  return {.binary = binary, .args = {"--enable-debug-command", "yes"}};
}

// How many of the first steps are commands for the same connection as the first one, up to `most`.
size_t CountBatch(std::span<const Step> steps, size_t most) {
  size_t count = 0;
  while (count < std::min(steps.size(), most) && !steps[count].args.empty() &&
         steps[count].connection == steps[0].connection) {
    ++count;
  }
  return count;
}

}  // namespace

Side::Side(const std::string& binary) : binary_(binary) {
  server_ = std::make_unique<testing::ServerProcess>(OptionsFor(binary));
}

void Side::Reset(bool resp3, bool listens) {
  resp3_ = resp3;
  connections_.clear();
  raw_.reset();
  listener_.reset();
  try {
    Flush();
  } catch (const ClientError&) {
    // Dead or dying: one that writes a crash report takes its time.
    control_.reset();
    server_->Stop();
    server_ = std::make_unique<testing::ServerProcess>(OptionsFor(binary_));
    Flush();
  }
  for (int i = 0; i < kConnections; ++i) connections_.push_back(Open());
  control_->Call({"CONFIG", "SET", "notify-keyspace-events", listens ? "KEAmn" : ""});
  if (!listens) return;
  listener_ = server_->Connect(kReplyTimeoutMs);
  listener_->Call({"PSUBSCRIBE", "__key*@*__:*"});
}

std::string Side::TakeEvents(bool without_misses) {
  std::string events;
  try {
    // The pong stands behind all that the step has caused.
    listener_->SendCommand({"PING"});
    while (true) {
      const Reply reply = listener_->ReadReply();
      if (reply.elements.size() < 4) return events;
      const std::string& channel = reply.elements[2].text;
      const std::string& payload = reply.elements[3].text;
      if (channel.ends_with("__:expired") || payload == "expired") continue;
      if (channel.ends_with("__:evicted") || payload == "evicted") continue;
      if (without_misses && (channel.ends_with("__:keymiss") || payload == "keymiss")) continue;
      events += fmt::format("{} {}\n", testing::Quote(channel), testing::Quote(payload));
    }
  } catch (const ClientError& error) {
    return events + error.what();
  }
}

void Side::Flush() {
  if (!control_) control_ = server_->Connect(kReplyTimeoutMs);
  // The control connection stays what it was; what the family acl did to others is undone.
  for (const Reply& user : control_->Call({"ACL", "USERS"}).elements) {
    if (user.text != "default") control_->Call({"ACL", "DELUSER", user.text});
  }
  control_->Call({"CONFIG", "SET", "requirepass", "", "acl-pubsub-default", "resetchannels"});
  control_->Call({"ACL", "SETUSER", "default", "reset", "on", "nopass", "+@all", "~*", "&*"});
  control_->Call({"ACL", "LOG", "RESET"});
  const Reply flushed = control_->Call({"FLUSHALL"});
  if (flushed.IsError()) throw std::runtime_error("FLUSHALL: " + flushed.text);
}

testing::RawClient Side::Open() {
  testing::RawClient client = server_->Connect(kReplyTimeoutMs);
  if (resp3_) client.Call({"HELLO", "3"});
  return client;
}

void Side::Send(std::span<const Step> steps) {
  testing::RawClient& client = connections_[static_cast<size_t>(steps.front().connection)];
  std::string bytes;
  for (const Step& step : steps) bytes += testing::EncodeCommand(step.args);
  try {
    if (client.closed()) client = Open();
    client.Send(bytes);
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
  redis_.Reset(false, false);
  pinyon_.Reset(false, false);
}

std::optional<Difference> Pair::RunRaw(const Step& step, size_t index) {
  std::string redis = redis_.RunRaw(step);
  std::string pinyon = pinyon_.RunRaw(step);
  if (trace_) trace_(step, redis);
  if (redis == pinyon) return std::nullopt;
  // Most often one of them is only a little slower.
  for (const int quiet_ms : {kSlowRawMs / 50, kSlowRawMs / 10, kSlowRawMs}) {
    redis = redis_.WaitForMoreRaw(quiet_ms);
    pinyon = pinyon_.WaitForMoreRaw(quiet_ms);
    if (redis == pinyon) return std::nullopt;
  }
  return Difference{index, redis + redis_.Obituary(), pinyon + pinyon_.Obituary()};
}

std::optional<Difference> Pair::CompareEvents(const Step& step, size_t index) {
  // In which order SORT looks for the keys of patterns, and for how many of them, is each server's own; LPOS
  // has a known difference.
  const std::string name = step.args.empty() ? "" : UpperCase(step.args[0]);
  const bool without_misses = name == "SORT" || name == "SORT_RO" || name == "LPOS";
  const std::string redis = redis_.TakeEvents(without_misses);
  const std::string pinyon = pinyon_.TakeEvents(without_misses);
  if (redis == pinyon) return std::nullopt;
  return Difference{index, "notifications:\n" + redis, "notifications:\n" + pinyon};
}

std::optional<Difference> Pair::RunCommands(std::span<const Step> steps, size_t index) {
  redis_.Send(steps);
  pinyon_.Send(steps);
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const Reply redis = redis_.Receive(step);
    const Reply pinyon = pinyon_.Receive(step);
    if (trace_) trace_(step, Print(redis));
    if (!comparisons_[static_cast<size_t>(step.connection)].Same(step.args, redis, pinyon)) {
      return Difference{index + i, Print(redis) + redis_.Obituary(), Print(pinyon) + pinyon_.Obituary()};
    }
  }
  return std::nullopt;
}

std::optional<Difference> Pair::Run(std::span<const Step> steps, Mode mode) {
  redis_.Reset(mode.resp3, mode.notifications);
  pinyon_.Reset(mode.resp3, mode.notifications);
  comparisons_ = {};
  for (size_t i = 0; i < steps.size();) {
    const size_t batch = CountBatch(steps.subspan(i), mode.pipelined);
    auto difference = batch == 0 ? RunRaw(steps[i], i) : RunCommands(steps.subspan(i, batch), i);
    if (!difference && mode.notifications) difference = CompareEvents(steps[i], i);
    if (difference) return difference;
    i += std::max<size_t>(batch, 1);
  }
  // A reply too many shows at the next command only.
  for (int connection = 0; connection < kConnections && !steps.empty(); ++connection) {
    const Step ping{.args = {"PING"}, .connection = connection};
    if (auto difference = RunCommands({&ping, 1}, steps.size() - 1)) {
      difference->redis = "at a PING behind it: " + difference->redis;
      return difference;
    }
  }
  return std::nullopt;
}

}  // namespace pinyon::differential
