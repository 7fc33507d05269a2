// Client-side caching by prefixes (CLIENT TRACKING BCAST): who is told of changes of which keys, and what has
// changed since they were last told, gathered so that a prefix's listeners get one message for a turn.
//
// Invariants: a prefix has at least one listener, else it does not exist; `lengths_` counts the prefixes of
// each length.
//
// Costs: a change looks one prefix up for each length that any prefix has, however many there are, and keeps
// a copy of the key's name for each that fits, until the end of the turn. Delivering encodes a prefix's keys
// once for all listeners, and once more for each that must not be told of its own changes and made some. A
// listener costs about 50 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "engine/invalidation.h"

namespace pinyon {

class Session;

class Broadcasts {
 public:
  using Send = std::function<void(Session& listener, Invalidation& message)>;

  void Add(std::string_view prefix, Session& listener);
  // A listener of the prefix.
  void Remove(std::string_view prefix, const Session& listener);

  size_t prefix_count() const { return prefixes_.size(); }
  // `by` is the id of the session that changed the key, 0: none did.
  void NoteChange(std::string_view key, uint64_t by);
  bool pending() const { return pending_; }
  // Gives all listeners what they are to be told, by prefix in order. `send` must neither add nor remove
  // listeners.
  void Deliver(const Send& send);

 private:
  struct Prefix {
    std::map<uint64_t, Session*> listeners;                // by id
    std::map<std::string, uint64_t, std::less<>> changed;  // by whom last, 0: by nobody
  };
  static void DeliverTo(const Prefix& prefix, const Send& send);

  std::map<std::string, Prefix, std::less<>> prefixes_;
  std::map<size_t, size_t> lengths_;
  bool pending_ = false;
};

}  // namespace pinyon
