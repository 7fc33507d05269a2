// Publish and subscribe: who listens to which channels, shard channels and patterns, and the delivery of
// messages to them. Shard channels are a world of their own: neither PUBLISH nor patterns reach them.
//
// Invariants:
// - A subscriber stands once at most in a topic (a channel, a shard channel or a pattern); a topic has at
// least one
//   subscriber, else it does not exist.
// - Messages are delivered in the order of publishing; each to the channel's subscribers in the order of
// their coming,
//   then to those of every pattern that matches, patterns in the order of their coming.
// - Receiving a message must not subscribe, unsubscribe or end anybody.
//
// Costs: subscribing and unsubscribing take constant time, however many listen to the topic, and about 150
// bytes, plus the topic's name once. Publishing looks the channel up, tries each pattern once (not each of
// its subscribers), and encodes the message once for each topic that it reaches. Names are hashed with a
// secret, as clients choose them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "pubsub/message.h"

namespace pinyon {

enum class TopicKind : uint8_t { kChannel, kShardChannel, kPattern };
inline constexpr size_t kTopicKinds = 3;

struct Topic;
class Subscriber;

// A subscriber's place among those of a topic, and the topic's among those of the subscriber.
struct Subscription {
  Topic* topic = nullptr;
  Subscriber* subscriber = nullptr;
  Subscription* previous_in_topic = nullptr;
  Subscription* next_in_topic = nullptr;
  Subscription* previous_of_subscriber = nullptr;  // of the same kind
  Subscription* next_of_subscriber = nullptr;
};

struct Topic {
  TopicKind kind = TopicKind::kChannel;
  std::string_view name;  // the key of this topic in its map
  Subscription* first = nullptr;
  Subscription* last = nullptr;
  size_t subscribers = 0;
  Topic* previous_pattern = nullptr;
  Topic* next_pattern = nullptr;
};

// Whoever listens. It must have been taken out of everything (UnsubscribeAll) before it goes.
class Subscriber {
 public:
  Subscriber() = default;
  virtual ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  virtual void Receive(Message& message) = 0;

  size_t count(TopicKind kind) const { return lists_[static_cast<size_t>(kind)].count; }
  size_t total() const { return subscriptions_.size(); }
  // In the order of subscribing.
  std::vector<std::string> Names(TopicKind kind) const;
  size_t MemoryBytes() const;

 private:
  friend class PubSub;
  struct List {
    Subscription* first = nullptr;
    Subscription* last = nullptr;
    size_t count = 0;
  };
  std::unordered_map<const Topic*, Subscription> subscriptions_;
  std::array<List, kTopicKinds> lists_;
};

class PubSub {
 public:
  explicit PubSub(HashSeed seed);
  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;

  // Both return whether that changed anything.
  bool Subscribe(Subscriber& subscriber, TopicKind kind, std::string_view name);
  bool Unsubscribe(Subscriber& subscriber, TopicKind kind, std::string_view name);
  void UnsubscribeAll(Subscriber& subscriber);

  // Nobody listens to anything.
  bool empty() const { return subscriber_count_ == 0; }
  size_t subscriber_count() const { return subscriber_count_; }
  size_t topic_count(TopicKind kind) const { return topics(kind).size(); }
  size_t CountSubscribers(TopicKind kind, std::string_view name) const;
  // Those whose names match, all for an empty pattern; in no order. Valid until a subscription changes.
  std::vector<std::string_view> Names(TopicKind kind, const std::string_view* pattern) const;

  // Return to how many the message went: a subscriber whom it reaches in several ways counts as often.
  size_t Publish(std::string_view channel, std::string_view payload);
  size_t PublishToShard(std::string_view channel, std::string_view payload);

 private:
  struct NameHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's
    HashSeed seed;
    size_t operator()(std::string_view name) const { return HashBytes(name, seed); }
  };
  using TopicMap = std::unordered_map<std::string, Topic, NameHash, std::equal_to<>>;

  TopicMap& topics(TopicKind kind) { return topics_[static_cast<size_t>(kind)]; }
  const TopicMap& topics(TopicKind kind) const { return topics_[static_cast<size_t>(kind)]; }
  Topic& FindOrCreate(TopicKind kind, std::string_view name);
  void Remove(Subscription& subscription);
  void EraseIfUnused(Topic& topic);
  static size_t Deliver(const Topic& topic, Message& message);

  std::array<TopicMap, kTopicKinds> topics_;
  Topic* first_pattern_ = nullptr;
  Topic* last_pattern_ = nullptr;
  size_t subscriber_count_ = 0;
};

}  // namespace pinyon
