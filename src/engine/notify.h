// Keyspace notifications as every command reports them. Until pub/sub delivers them nobody can want any, so
// the cost in the path of a command is one test of a bit.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace pinyon {

// The classes of notify-keyspace-events, named by their letters in the documentation.
enum NotifyClass : uint32_t {
  kNotifyKeyspace = 1u << 0,  // K
  kNotifyKeyevent = 1u << 1,  // E
  kNotifyGeneric = 1u << 2,   // g
  kNotifyString = 1u << 3,    // $
  kNotifyList = 1u << 4,      // l
  kNotifySet = 1u << 5,       // s
  kNotifyHash = 1u << 6,      // h
  kNotifyZset = 1u << 7,      // z
  kNotifyExpired = 1u << 8,   // x
  kNotifyEvicted = 1u << 9,   // e
  kNotifyStream = 1u << 10,   // t
  kNotifyKeyMiss = 1u << 11,  // m
  kNotifyModule = 1u << 13,   // d
  kNotifyNew = 1u << 14,      // n
};

class Notifier {
 public:
  using Subscriber =
      std::function<void(NotifyClass, std::string_view event, std::string_view key, int database)>;

  bool Wants(NotifyClass type) const { return (wanted_ & type) != 0; }
  void Publish(NotifyClass type, std::string_view event, std::string_view key, int database) {
    subscriber_(type, event, key, database);
  }
  // Starts (or, with no classes, stops) delivery of the given classes.
  void Subscribe(uint32_t classes, Subscriber subscriber) {
    wanted_ = classes;
    subscriber_ = std::move(subscriber);
  }

 private:
  uint32_t wanted_ = 0;
  Subscriber subscriber_;
};

}  // namespace pinyon
