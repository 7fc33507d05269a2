// Who gets which message, in which order; and the registry under random operations beside a plain model.
#include "pubsub/pubsub.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/glob.h"
#include "base/random.h"
#include "resp/reply_sink.h"

namespace pinyon {

namespace {

// What all subscribers received, in order: "name<bytes>".
using Journal = std::vector<std::pair<size_t, std::string>>;

class Ear final : public Subscriber {
 public:
  Ear(size_t id, Journal& journal) : id_(id), journal_(journal) {}
  void Receive(Message& message) override {
    StringSink sink;
    message.WriteTo(sink, resp3);
    journal_.emplace_back(id_, std::string(sink.text()));
  }
  bool resp3 = false;

 private:
  size_t id_;
  Journal& journal_;
};

struct Listening {
  explicit Listening(size_t count) {
    for (size_t i = 0; i < count; ++i) ears.push_back(std::make_unique<Ear>(i, journal));
  }
  ~Listening() {
    for (const auto& ear : ears) pubsub.UnsubscribeAll(*ear);
  }
  Journal Take() { return std::exchange(journal, {}); }

  Journal journal;
  PubSub pubsub{HashSeed{1, 2}};
  std::vector<std::unique_ptr<Ear>> ears;
};

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

constexpr auto kChannel = TopicKind::kChannel;
constexpr auto kShard = TopicKind::kShardChannel;
constexpr auto kPattern = TopicKind::kPattern;

}  // namespace

TEST_CASE("pubsub: a message goes to the channel's subscribers, then to the patterns'", "[pubsub]") {
  Listening l(3);
  l.pubsub.Subscribe(*l.ears[2], kPattern, "n*");
  l.pubsub.Subscribe(*l.ears[1], kChannel, "news");
  l.pubsub.Subscribe(*l.ears[0], kChannel, "news");
  l.pubsub.Subscribe(*l.ears[1], kPattern, "*s");
  l.pubsub.Subscribe(*l.ears[0], kShard, "news");
  l.ears[1]->resp3 = true;
  CHECK(l.pubsub.Publish("news", "hi") == 4);
  const std::string plain = "3\r\n" + Bulk("message") + Bulk("news") + Bulk("hi");
  CHECK(l.Take() == Journal{{1, ">" + plain},
                            {0, "*" + plain},
                            {2, "*4\r\n" + Bulk("pmessage") + Bulk("n*") + Bulk("news") + Bulk("hi")},
                            {1, ">4\r\n" + Bulk("pmessage") + Bulk("*s") + Bulk("news") + Bulk("hi")}});
  CHECK(l.pubsub.PublishToShard("news", "") == 1);
  CHECK(l.Take() == Journal{{0, "*3\r\n" + Bulk("smessage") + Bulk("news") + Bulk("")}});
  CHECK(l.pubsub.PublishToShard("old", "x") == 0);
  CHECK(l.pubsub.Publish("old", "x") == 0);
}

TEST_CASE("pubsub: subscribing twice is subscribing once", "[pubsub]") {
  Listening l(1);
  CHECK(l.pubsub.Subscribe(*l.ears[0], kChannel, "a"));
  CHECK_FALSE(l.pubsub.Subscribe(*l.ears[0], kChannel, "a"));
  CHECK(l.ears[0]->count(kChannel) == 1);
  CHECK(l.pubsub.Publish("a", "x") == 1);
  CHECK(l.pubsub.subscriber_count() == 1);
  CHECK(l.pubsub.Unsubscribe(*l.ears[0], kChannel, "a"));
  CHECK_FALSE(l.pubsub.Unsubscribe(*l.ears[0], kChannel, "a"));
  CHECK(l.pubsub.empty());
  CHECK(l.pubsub.topic_count(kChannel) == 0);
}

TEST_CASE("pubsub: one encoding for all receivers of a protocol version", "[pubsub]") {
  Message message("message", "c", "payload");
  SharedBlock* const plain = message.Encoded(false);
  CHECK(message.Encoded(false) == plain);
  CHECK(message.Encoded(true) != plain);
  CHECK(message.Encoded(true)->bytes().substr(1) == plain->bytes().substr(1));
}

TEST_CASE("pubsub: random operations beside a plain model", "[pubsub]") {
  constexpr size_t kEars = 6;
  const std::vector<std::string> names = {"", "a", "b", "ab", "a*", "*", "?", "[ab]", "abc"};
  Listening l(kEars);
  // By kind: topics in the order of their coming, each with its subscribers in theirs.
  std::vector<std::pair<std::string, std::vector<size_t>>> model[kTopicKinds];
  Random random(20240229);
  const auto find = [&](size_t kind, const std::string& name) {
    return std::find_if(model[kind].begin(), model[kind].end(),
                        [&](const auto& topic) { return topic.first == name; });
  };
  const auto leave = [&](size_t kind, const std::string& name, size_t ear) {
    const auto topic = find(kind, name);
    if (topic == model[kind].end() || std::erase(topic->second, ear) == 0) return false;
    if (topic->second.empty()) model[kind].erase(topic);
    return true;
  };
  for (int step = 0; step < 20000; ++step) {
    const size_t kind = random.Below(kTopicKinds), ear = random.Below(kEars);
    const std::string& name = names[random.Below(names.size())];
    const auto topic_kind = static_cast<TopicKind>(kind);
    const uint64_t action = random.Below(10);
    if (action < 4) {
      auto topic = find(kind, name);
      if (topic == model[kind].end()) topic = model[kind].insert(topic, {name, {}});
      const bool is_new = std::find(topic->second.begin(), topic->second.end(), ear) == topic->second.end();
      if (is_new) topic->second.push_back(ear);
      REQUIRE(l.pubsub.Subscribe(*l.ears[ear], topic_kind, name) == is_new);
    } else if (action < 7) {
      REQUIRE(l.pubsub.Unsubscribe(*l.ears[ear], topic_kind, name) == leave(kind, name, ear));
    } else if (random.Below(20) == 0) {
      l.pubsub.UnsubscribeAll(*l.ears[ear]);
      for (size_t each = 0; each < kTopicKinds; ++each) {
        for (const std::string& any : names) leave(each, any, ear);
      }
    } else {
      std::vector<size_t> expected;
      if (const auto topic = find(0, name); topic != model[0].end()) expected = topic->second;
      for (const auto& [pattern, ears] : model[static_cast<size_t>(kPattern)]) {
        if (GlobMatch(pattern, name)) expected.insert(expected.end(), ears.begin(), ears.end());
      }
      REQUIRE(l.pubsub.Publish(name, "x") == expected.size());
      std::vector<size_t> received;
      for (const auto& [who, bytes] : l.Take()) received.push_back(who);
      REQUIRE(received == expected);
    }
    REQUIRE(l.pubsub.topic_count(topic_kind) == model[kind].size());
    const auto topic = find(kind, name);
    REQUIRE(l.pubsub.CountSubscribers(topic_kind, name) ==
            (topic == model[kind].end() ? 0 : topic->second.size()));
  }
}

}  // namespace pinyon
