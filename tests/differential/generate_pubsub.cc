// Publish and subscribe on one connection, which listens to what it says itself. Messages come between
// replies, so a step is a whole conversation, compared byte for byte.
#include "differential/generator.h"
#include "support/reply.h"

namespace pinyon::differential {
namespace {

// The names of one conversation. The connection before it may not have been closed yet, so none are used
// twice; and as the order among patterns, and in which UNSUBSCRIBE names channels, is each server's own, no
// two patterns match one channel, and only one channel is left without being named.
struct Names {
  std::string tag;

  std::string Channel(Random& random) const { return random.Pick({"p", "q", "r", "r\n", ""}) + tag; }
  std::string Pattern(Random& random) const { return random.Pick({"p*", "[q]", "[r]?"}) + tag; }
  std::string Only() const { return "p" + tag; }
};

std::vector<std::string> Several(std::string command, Random& random, const auto& make) {
  std::vector<std::string> args = {std::move(command)};
  for (size_t count = 1 + random.Below(3); count > 0; --count) args.push_back(make());
  return args;
}

Args Listen(Random& random, const Names& names) {
  const auto channel = [&] { return names.Channel(random); };
  const auto pattern = [&] { return names.Pattern(random); };
  switch (random.Below(8)) {
    case 0: return Several("PSUBSCRIBE", random, pattern);
    case 1: return Several("PUNSUBSCRIBE", random, pattern);
    case 2: return {"PUNSUBSCRIBE"};
    case 3: return Several("UNSUBSCRIBE", random, channel);
    case 4: return Several("SUNSUBSCRIBE", random, channel);
    case 5: return Several("SSUBSCRIBE", random, channel);
    default: return Several("SUBSCRIBE", random, channel);
  }
}

Args Other(Random& random, const Names& names) {
  switch (random.Below(24)) {
    case 0: return {"PUBSUB", "NUMSUB", names.Channel(random), names.Channel(random)};
    case 1: return {"PUBSUB", "SHARDNUMSUB", names.Channel(random)};
    case 2: return {"PUBSUB", random.Pick({"CHANNELS", "SHARDCHANNELS"}), names.Only()};
    case 3: return {"PUBSUB", random.Pick({"NUMSUB", "SHARDNUMSUB", "BOGUS"})};
    case 4: return {random.Pick({"SUBSCRIBE", "PSUBSCRIBE", "PUBLISH", "PUBSUB"})};
    case 5:
    case 6: return {"MULTI"};
    case 7:
    case 8: return {"EXEC"};
    case 9: return {"RESET"};
    case 10: return {"GET", names.tag};
    case 11: return {"PING", "x"};
    case 12: return {"CLIENT", "REPLY", random.Pick({"ON", "OFF", "SKIP"})};
    case 13: return {"SPUBLISH", names.Channel(random), Value(random)};
    case 14: return {"HELLO", random.Pick({"9", "x"})};
    case 15: return {"SET", names.tag, Value(random)};
    case 16: return {"PUBSUB", "CHANNELS", names.Only(), "more"};
    case 17: return {"DISCARD"};
    case 18: return {"PING"};
    default: return {"PUBLISH", names.Channel(random), Value(random)};
  }
}

}  // namespace

void AppendPubSub(Random& random, const Pool&, std::vector<Step>& steps) {
  const Names names{std::to_string(random.Below(1'000'000'000))};
  Step step;
  const auto add = [&step](const Args& args) { step.raw += testing::EncodeCommand(args); };
  if (random.OneIn(8)) {
    // One of each is left without being named, all of the patterns.
    add({"SUBSCRIBE", names.Only()});
    add({"SSUBSCRIBE", names.Only()});
    add({"PSUBSCRIBE", names.Pattern(random), names.Pattern(random)});
    add({random.Pick({"UNSUBSCRIBE", "SUNSUBSCRIBE", "PUNSUBSCRIBE"})});
    add({random.Pick({"UNSUBSCRIBE", "SUNSUBSCRIBE", "PUNSUBSCRIBE"})});
    add({"GET", names.tag});
  }
  for (size_t commands = 1 + random.Below(12); commands > 0; --commands) {
    add(random.OneIn(3) ? Listen(random, names) : Other(random, names));
    if (random.OneIn(4)) step.piece_ends.push_back(step.raw.size());
  }
  if (!step.piece_ends.empty() && step.piece_ends.back() == step.raw.size()) step.piece_ends.pop_back();
  steps.push_back(std::move(step));
}

}  // namespace pinyon::differential
