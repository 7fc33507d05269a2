// What an entry's access field is under an LFU policy: how often the key is used, as Redis documents it ("Key
// eviction", lfu-log-factor and lfu-decay-time).
//
//   [ minutes of Unix time: 16 ][ counter: 8 ]
//
// The counter grows with the logarithm of the accesses: by one with odds of 1 in (counter - 5) * factor + 1,
// so that with factor 10 a million accesses reach 255. It falls by one for every `decay_minutes` in which
// nobody came (0: never). What falls is reckoned when somebody looks, and written down with the next access.
// A new key starts with 5, or it would go before it had a chance.
//
// Minutes wrap around after 45 days: what was idle for longer counts as idle for less.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace pinyon::lfu {

inline constexpr uint32_t kNewCounter = 5;
inline constexpr uint32_t kMaxCounter = 255;
inline constexpr uint32_t kMinuteMask = 0xffff;

inline uint32_t Field(uint32_t minutes, uint32_t counter) { return (minutes & kMinuteMask) << 8 | counter; }
inline uint32_t IdleMinutes(uint32_t field, uint32_t minutes) {
  return (minutes - (field >> 8)) & kMinuteMask;
}

// The counter as of now.
inline uint32_t Counter(uint32_t field, uint32_t minutes, int decay_minutes) {
  const uint32_t counter = field & kMaxCounter;
  if (decay_minutes <= 0) return counter;
  const uint32_t periods = IdleMinutes(field, minutes) / static_cast<uint32_t>(decay_minutes);
  return periods > counter ? 0 : counter - periods;
}

inline uint32_t Incremented(uint32_t counter, int log_factor, Random& random) {
  if (counter >= kMaxCounter) return counter;
  const uint32_t above = counter > kNewCounter ? counter - kNewCounter : 0;
  const uint64_t one_in = uint64_t{above} * static_cast<uint64_t>(log_factor) + 1;
  return random.Below(one_in) == 0 ? counter + 1 : counter;
}

// The field after one more access.
inline uint32_t Accessed(uint32_t field, uint32_t minutes, int decay_minutes, int log_factor,
                         Random& random) {
  return Field(minutes, Incremented(Counter(field, minutes, decay_minutes), log_factor, random));
}

}  // namespace pinyon::lfu
