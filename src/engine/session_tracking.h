// How a session tracks keys, there while it does (CLIENT TRACKING).
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace pinyon {

struct SessionTracking {
  bool broadcast = false;  // BCAST: told of every key with one of `prefixes`, whatever it read
  bool opt_in = false;     // keys are tracked only when CLIENT CACHING YES came right before
  bool opt_out = false;    // keys are tracked unless CLIENT CACHING NO came right before
  bool no_loop = false;    // not told of what it changes itself
  bool caching = false;    // CLIENT CACHING holds for the command, or transaction, that comes
  // Whom to tell instead, 0: the session itself.
  uint64_t redirect = 0;
  bool redirect_broken = false;    // found when there was something to be told
  std::set<std::string> prefixes;  // of broadcasts; not one begins with another but for the empty one

  size_t MemoryBytes() const {
    constexpr size_t kNodeOverhead = 4 * sizeof(void*);
    size_t bytes = sizeof(*this);
    for (const std::string& prefix : prefixes)
      bytes += kNodeOverhead + sizeof(std::string) + prefix.capacity();
    return bytes;
  }
};

}  // namespace pinyon
