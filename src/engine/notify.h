// Keyspace notifications as every command reports them (Call::Notify, Call::Changed). While their class is
// off the cost in the path of a command is one test of a bit. The engine publishes those that are wanted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/settings.h"

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

// The text of notify-keyspace-events: letters in any order, "A" for all that it stands for; and back, in the
// order and with the abbreviation in which CONFIG GET shows them.
bool ParseNotifyClasses(std::string_view text, uint32_t* classes);
std::string NotifyClassesText(uint32_t classes);

// Declares the directive, which keeps its value in `target` and calls `apply` when CONFIG SET has changed it.
void DeclareNotifyClasses(SettingsRegistry& settings, uint32_t* target, std::function<void()> apply);

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
