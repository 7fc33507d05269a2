// Publish and subscribe: SUBSCRIBE and its kin, PUBLISH, SPUBLISH, and PUBSUB, which looks at who listens to
// what.
#include <string>
#include <vector>

#include "commands/families.h"
#include "commands/help.h"
#include "engine/call.h"
#include "engine/session_subscriber.h"

namespace pinyon {

namespace {

// How many topics a session listens to, as confirmations count them: shard channels apart from the others.
size_t CountOf(const Session& session, TopicKind kind) {
  if (session.subscriber == nullptr) return 0;
  if (kind == TopicKind::kShardChannel) return session.subscriber->count(kind);
  return session.subscriber->count(TopicKind::kChannel) + session.subscriber->count(TopicKind::kPattern);
}

// One for each channel; like messages, they are not silenced by CLIENT REPLY.
void Confirm(Call& call, std::string_view word, TopicKind kind, const std::string_view* name) {
  ReplyWriter push(call.session.normal_sink);
  push.set_resp3(call.reply.resp3());
  push.PushHeader(3);
  push.Bulk(word);
  name == nullptr ? push.Null() : push.Bulk(*name);
  push.Integer(static_cast<int64_t>(CountOf(call.session, kind)));
}

void SubscribeTo(Call& call, TopicKind kind, std::string_view word) {
  // Where a command may not wait, its client does not expect messages either. In a transaction only Redis's
  // older commands are let through.
  const bool in_transaction = call.session.transaction.active();
  const bool denied =
      kind == TopicKind::kShardChannel ? !call.MayBlock() : !call.session.may_block && !in_transaction;
  if (denied) {
    call.reply.Error("ERR " + ToUpper(word) + " isn't allowed for a DENY BLOCKING client");
    return;
  }
  SessionSubscriber& subscriber = SubscriberOf(call.engine, call.session);
  for (const std::string_view name : call.args.subspan(1)) {
    call.engine.pubsub.Subscribe(subscriber, kind, name);
    Confirm(call, word, kind, &name);
  }
}

void UnsubscribeFrom(Call& call, TopicKind kind, std::string_view word) {
  SessionSubscriber* subscriber = call.session.subscriber.get();
  const auto leave = [&](std::string_view name) {
    if (subscriber != nullptr) call.engine.pubsub.Unsubscribe(*subscriber, kind, name);
    Confirm(call, word, kind, &name);
  };
  if (call.argc() > 1) {
    for (const std::string_view name : call.args.subspan(1)) leave(name);
  } else if (subscriber == nullptr || subscriber->count(kind) == 0) {
    Confirm(call, word, kind, nullptr);
  } else {
    for (const std::string& name : subscriber->Names(kind)) leave(name);
  }
  DropIdleSubscriber(call.session);
}

// SUBSCRIBE channel [channel ...]
void Subscribe(Call& call) { SubscribeTo(call, TopicKind::kChannel, "subscribe"); }

// PSUBSCRIBE pattern [pattern ...]
void Psubscribe(Call& call) { SubscribeTo(call, TopicKind::kPattern, "psubscribe"); }

// SSUBSCRIBE shardchannel [shardchannel ...]
void Ssubscribe(Call& call) { SubscribeTo(call, TopicKind::kShardChannel, "ssubscribe"); }

// UNSUBSCRIBE [channel [channel ...]]
void Unsubscribe(Call& call) { UnsubscribeFrom(call, TopicKind::kChannel, "unsubscribe"); }

// PUNSUBSCRIBE [pattern [pattern ...]]
void Punsubscribe(Call& call) { UnsubscribeFrom(call, TopicKind::kPattern, "punsubscribe"); }

// SUNSUBSCRIBE [shardchannel [shardchannel ...]]
void Sunsubscribe(Call& call) { UnsubscribeFrom(call, TopicKind::kShardChannel, "sunsubscribe"); }

// PUBLISH channel message
void Publish(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.pubsub.Publish(call.args[1], call.args[2])));
}

// SPUBLISH shardchannel message
void Spublish(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.pubsub.PublishToShard(call.args[1], call.args[2])));
}

void ReplyNames(Call& call, TopicKind kind) {
  if (call.argc() > 3) return RejectArguments(call);
  const auto names = call.engine.pubsub.Names(kind, call.argc() == 3 ? &call.args[2] : nullptr);
  call.reply.ArrayHeader(names.size());
  for (const std::string_view name : names) call.reply.Bulk(name);
}

void ReplyCounts(Call& call, TopicKind kind) {
  call.reply.ArrayHeader((call.argc() - 2) * 2);
  for (const std::string_view name : call.args.subspan(2)) {
    call.reply.Bulk(name);
    call.reply.Integer(static_cast<int64_t>(call.engine.pubsub.CountSubscribers(kind, name)));
  }
}

// PUBSUB CHANNELS [pattern]
void PubSubChannels(Call& call) { ReplyNames(call, TopicKind::kChannel); }

// PUBSUB SHARDCHANNELS [pattern]
void PubSubShardChannels(Call& call) { ReplyNames(call, TopicKind::kShardChannel); }

// PUBSUB NUMSUB [channel [channel ...]]
void PubSubNumSub(Call& call) { ReplyCounts(call, TopicKind::kChannel); }

// PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]
void PubSubShardNumSub(Call& call) { ReplyCounts(call, TopicKind::kShardChannel); }

// PUBSUB NUMPAT
void PubSubNumPat(Call& call) {
  call.reply.Integer(static_cast<int64_t>(call.engine.pubsub.topic_count(TopicKind::kPattern)));
}

// PUBSUB HELP
void PubSubHelp(Call& call) {
  constexpr std::string_view kLines[] = {
      "CHANNELS [<pattern>]",
      "    Return the channels that somebody listens to, or those of them that match.",
      "NUMPAT",
      "    Return how many different patterns clients listen to.",
      "NUMSUB [<channel> ...]",
      "    Return how many clients listen to each channel, other than by a pattern.",
      "SHARDCHANNELS [<pattern>]",
      "    As CHANNELS, of shard channels.",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    As NUMSUB, of shard channels.",
  };
  ReplyHelp(call, kLines);
}

constexpr uint32_t kListen = kPubsub | kNoScript | kLoading | kStale | kForSubscribers;
constexpr uint32_t kPublish = kPubsub | kLoading | kStale | kFast | kMayReplicate;
constexpr uint32_t kLook = kPubsub | kLoading | kStale;

constexpr CommandSpec kPubSubSubcommands[] = {
    {.name = "help",
     .arity = 2,
     .flags = kLoading | kStale,
     .handler = PubSubHelp,
     .group = "pubsub",
     .since = "6.2.0",
     .complexity = "O(1)",
     .summary = "Explains the subcommands."},
    {.name = "channels",
     .arity = -2,
     .flags = kLook,
     .handler = PubSubChannels,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity =
         "O(N) where N is the number of active channels, and assuming constant time pattern matching "
         "(relatively short channels and patterns)",
     .summary = "Returns the channels that somebody listens to.",
     .syntax = "[pattern]"},
    {.name = "numpat",
     .arity = 2,
     .flags = kLook,
     .handler = PubSubNumPat,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "O(1)",
     .summary = "Returns how many different patterns clients listen to."},
    {.name = "shardnumsub",
     .arity = -2,
     .flags = kLook,
     .handler = PubSubShardNumSub,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
     .summary = "Returns how many clients listen to shard channels.",
     .syntax = "[shardchannel [shardchannel ...]]"},
    {.name = "numsub",
     .arity = -2,
     .flags = kLook,
     .handler = PubSubNumSub,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
     .summary = "Returns how many clients listen to channels.",
     .syntax = "[channel [channel ...]]"},
    {.name = "shardchannels",
     .arity = -2,
     .flags = kLook,
     .handler = PubSubShardChannels,
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of active shard channels, and assuming constant time pattern "
                   "matching (relatively short shard channels).",
     .summary = "Returns the shard channels that somebody listens to.",
     .syntax = "[pattern]"},
};

constexpr CommandSpec kPubSubCommands[] = {
    {.name = "subscribe",
     .arity = -2,
     .flags = kListen,
     .handler = Subscribe,
     .channels = {.first = 1, .last = -1},
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to subscribe to.",
     .summary = "Listens to channels.",
     .syntax = "channel [channel ...]"},
    {.name = "unsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = Unsubscribe,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of channels to unsubscribe.",
     .summary = "Stops listening to channels, or to all of them.",
     .syntax = "[channel [channel ...]]"},
    {.name = "psubscribe",
     .arity = -2,
     .flags = kListen,
     .handler = Psubscribe,
     .channels = {.first = 1, .last = -1, .are_patterns = true},
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to subscribe to.",
     .summary = "Listens to all channels whose names match patterns.",
     .syntax = "pattern [pattern ...]"},
    {.name = "punsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = Punsubscribe,
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N) where N is the number of patterns to unsubscribe.",
     .summary = "Stops listening by patterns, or by all of them.",
     .syntax = "[pattern [pattern ...]]"},
    {.name = "ssubscribe",
     .arity = -2,
     .flags = kListen,
     .handler = Ssubscribe,
     .keys = {KeysFrom(1, kKeyNotKey)},
     .channels = {.first = 1, .last = -1},
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to subscribe to.",
     .summary = "Listens to shard channels.",
     .syntax = "shardchannel [shardchannel ...]"},
    {.name = "sunsubscribe",
     .arity = -1,
     .flags = kListen,
     .handler = Sunsubscribe,
     .keys = {KeysFrom(1, kKeyNotKey)},
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of shard channels to unsubscribe.",
     .summary = "Stops listening to shard channels, or to all of them.",
     .syntax = "[shardchannel [shardchannel ...]]"},
    {.name = "publish",
     .arity = 3,
     .flags = kPublish,
     .handler = Publish,
     .channels = {.first = 1, .last = 1},
     .group = "pubsub",
     .since = "2.0.0",
     .complexity = "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the "
                   "total number of subscribed patterns (by any client).",
     .summary = "Sends a message to all who listen to a channel.",
     .syntax = "channel message"},
    {.name = "spublish",
     .arity = 3,
     .flags = kPublish,
     .handler = Spublish,
     .keys = {KeyAt(1, kKeyNotKey)},
     .channels = {.first = 1, .last = 1},
     .group = "pubsub",
     .since = "7.0.0",
     .complexity = "O(N) where N is the number of clients subscribed to the receiving shard channel.",
     .summary = "Sends a message to all who listen to a shard channel.",
     .syntax = "shardchannel message"},
    {.name = "pubsub",
     .arity = -2,
     .group = "pubsub",
     .since = "2.8.0",
     .complexity = "Depends on subcommand.",
     .summary = "Looks at who listens to what.",
     .subcommands = kPubSubSubcommands},
};

}  // namespace

std::span<const CommandSpec> PubSubCommands() { return kPubSubCommands; }

}  // namespace pinyon
