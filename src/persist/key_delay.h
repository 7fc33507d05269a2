// The wait per key of rdb-key-save-delay and key-load-delay, by which tests make a save or a load last: so
// many microseconds a key, or, if negative, a microsecond every so many keys.
#pragma once

#include <unistd.h>

#include <cstdint>

namespace pinyon {

class KeyDelay {
 public:
  // The delay is looked at anew for each key.
  explicit KeyDelay(const int64_t& delay) : delay_(delay) {}
  bool is_on() const { return delay_ != 0; }
  void Next() {
    if (delay_ > 0) {
      ::usleep(static_cast<useconds_t>(delay_));
    } else if (delay_ < 0 && ++keys_ >= -delay_) {
      keys_ = 0;
      ::usleep(1);
    }
  }

 private:
  const int64_t& delay_;
  int64_t keys_ = 0;
};

}  // namespace pinyon
