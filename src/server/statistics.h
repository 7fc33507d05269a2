// Figures of the server as a whole, for INFO: counters, and rates sampled by periodic work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/client.h"

namespace pinyon {

// A rate per second: the mean of the last samples of a counter.
class Rate {
 public:
  void Sample(int64_t now_ms, uint64_t counter) {
    if (last_ms_ != 0 && now_ms > last_ms_) {
      samples_[next_] = (counter - last_counter_) * 1000 / static_cast<uint64_t>(now_ms - last_ms_);
      next_ = (next_ + 1) % samples_.size();
    }
    last_ms_ = now_ms;
    last_counter_ = counter;
  }
  uint64_t PerSecond() const {
    uint64_t sum = 0;
    for (const uint64_t sample : samples_) sum += sample;
    return sum / samples_.size();
  }
  // After the counter was set back.
  void Restart() { *this = Rate(); }

 private:
  std::array<uint64_t, 16> samples_{};
  size_t next_ = 0;
  int64_t last_ms_ = 0;
  uint64_t last_counter_ = 0;
};

struct ServerStats {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t query_buffer_disconnections = 0;
  uint64_t output_buffer_disconnections = 0;
  uint64_t evicted_clients = 0;
  uint64_t peak_memory = 0;
  TrafficStats traffic;
  Rate commands;
  Rate input;
  Rate output;
};

}  // namespace pinyon
