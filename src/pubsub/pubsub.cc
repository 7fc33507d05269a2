#include "pubsub/pubsub.h"

#include "base/assert.h"
#include "base/glob.h"

namespace pinyon {

namespace {

// Puts `node` at the end of the list that `first` and `last` delimit, linked by the given members, or takes
// it out.
template <auto Previous, auto Next, typename Node>
void Link(Node& node, Node*& first, Node*& last) {
  node.*Previous = last;
  node.*Next = nullptr;
  (last == nullptr ? first : last->*Next) = &node;
  last = &node;
}

template <auto Previous, auto Next, typename Node>
void Unlink(Node& node, Node*& first, Node*& last) {
  (node.*Previous == nullptr ? first : (node.*Previous)->*Next) = node.*Next;
  (node.*Next == nullptr ? last : (node.*Next)->*Previous) = node.*Previous;
}

}  // namespace

Subscriber::~Subscriber() { PINYON_ASSERT(subscriptions_.empty()); }

std::vector<std::string> Subscriber::Names(TopicKind kind) const {
  std::vector<std::string> names;
  const List& list = lists_[static_cast<size_t>(kind)];
  names.reserve(list.count);
  for (const Subscription* s = list.first; s != nullptr; s = s->next_of_subscriber)
    names.emplace_back(s->topic->name);
  return names;
}

size_t Subscriber::MemoryBytes() const {
  constexpr size_t kNodeOverhead = 2 * sizeof(void*);
  return sizeof(*this) + subscriptions_.bucket_count() * sizeof(void*) +
         subscriptions_.size() * (sizeof(Subscription) + kNodeOverhead);
}

PubSub::PubSub(HashSeed seed)
    : topics_{TopicMap(0, NameHash{seed}), TopicMap(0, NameHash{seed}), TopicMap(0, NameHash{seed})} {}

Topic& PubSub::FindOrCreate(TopicKind kind, std::string_view name) {
  TopicMap& map = topics(kind);
  if (const auto it = map.find(name); it != map.end()) return it->second;
  const auto it = map.try_emplace(std::string(name)).first;
  Topic& topic = it->second;
  topic.kind = kind;
  topic.name = it->first;
  if (kind == TopicKind::kPattern)
    Link<&Topic::previous_pattern, &Topic::next_pattern>(topic, first_pattern_, last_pattern_);
  return topic;
}

void PubSub::EraseIfUnused(Topic& topic) {
  if (topic.subscribers > 0) return;
  if (topic.kind == TopicKind::kPattern)
    Unlink<&Topic::previous_pattern, &Topic::next_pattern>(topic, first_pattern_, last_pattern_);
  TopicMap& map = topics(topic.kind);
  map.erase(map.find(topic.name));
}

bool PubSub::Subscribe(Subscriber& subscriber, TopicKind kind, std::string_view name) {
  Topic& topic = FindOrCreate(kind, name);
  const auto [it, is_new] = subscriber.subscriptions_.try_emplace(&topic);
  if (!is_new) return false;
  if (subscriber.total() == 1) ++subscriber_count_;
  Subscription& subscription = it->second;
  subscription.topic = &topic;
  subscription.subscriber = &subscriber;
  Link<&Subscription::previous_in_topic, &Subscription::next_in_topic>(subscription, topic.first, topic.last);
  ++topic.subscribers;
  Subscriber::List& list = subscriber.lists_[static_cast<size_t>(kind)];
  Link<&Subscription::previous_of_subscriber, &Subscription::next_of_subscriber>(subscription, list.first,
                                                                                 list.last);
  ++list.count;
  return true;
}

void PubSub::Remove(Subscription& subscription) {
  Topic& topic = *subscription.topic;
  Subscriber& subscriber = *subscription.subscriber;
  Unlink<&Subscription::previous_in_topic, &Subscription::next_in_topic>(subscription, topic.first,
                                                                         topic.last);
  --topic.subscribers;
  Subscriber::List& list = subscriber.lists_[static_cast<size_t>(topic.kind)];
  Unlink<&Subscription::previous_of_subscriber, &Subscription::next_of_subscriber>(subscription, list.first,
                                                                                   list.last);
  --list.count;
  subscriber.subscriptions_.erase(&topic);
  if (subscriber.total() == 0) --subscriber_count_;
  EraseIfUnused(topic);
}

bool PubSub::Unsubscribe(Subscriber& subscriber, TopicKind kind, std::string_view name) {
  TopicMap& map = topics(kind);
  const auto topic = map.find(name);
  if (topic == map.end()) return false;
  const auto subscription = subscriber.subscriptions_.find(&topic->second);
  if (subscription == subscriber.subscriptions_.end()) return false;
  Remove(subscription->second);
  return true;
}

void PubSub::UnsubscribeAll(Subscriber& subscriber) {
  for (Subscriber::List& list : subscriber.lists_) {
    while (list.first != nullptr) Remove(*list.first);
  }
  PINYON_ASSERT(subscriber.total() == 0);
}

size_t PubSub::CountSubscribers(TopicKind kind, std::string_view name) const {
  const auto it = topics(kind).find(name);
  return it == topics(kind).end() ? 0 : it->second.subscribers;
}

std::vector<std::string_view> PubSub::Names(TopicKind kind, const std::string_view* pattern) const {
  std::vector<std::string_view> names;
  for (const auto& [name, topic] : topics(kind)) {
    if (pattern == nullptr || GlobMatch(*pattern, name)) names.push_back(name);
  }
  return names;
}

size_t PubSub::Deliver(const Topic& topic, Message& message) {
  for (Subscription* s = topic.first; s != nullptr; s = s->next_in_topic) s->subscriber->Receive(message);
  return topic.subscribers;
}

size_t PubSub::Publish(std::string_view channel, std::string_view payload) {
  size_t receivers = 0;
  const TopicMap& channels = topics(TopicKind::kChannel);
  if (const auto it = channels.find(channel); it != channels.end()) {
    Message message("message", channel, payload);
    receivers += Deliver(it->second, message);
  }
  for (const Topic* pattern = first_pattern_; pattern != nullptr; pattern = pattern->next_pattern) {
    if (!GlobMatch(pattern->name, channel)) continue;
    Message message("pmessage", pattern->name, channel, payload);
    receivers += Deliver(*pattern, message);
  }
  return receivers;
}

size_t PubSub::PublishToShard(std::string_view channel, std::string_view payload) {
  const TopicMap& channels = topics(TopicKind::kShardChannel);
  const auto it = channels.find(channel);
  if (it == channels.end()) return 0;
  Message message("smessage", channel, payload);
  return Deliver(it->second, message);
}

}  // namespace pinyon
