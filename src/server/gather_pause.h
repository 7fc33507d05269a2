// When the loop should sleep for a moment before it looks for requests, so that those of several clients are
// found at once: a turn then costs one look, one wake-up and one commit for all of them, and with a pipelined
// load that is most of what a request costs. (Network drivers hold interrupts back for the same reason.)
//
// The pause is paid by clients that are waiting, so it is bounded by what it is to them: a twentieth of the
// time from one round of a client's requests to its next, on average. Few clients that wait for us have a
// short cycle and get no pause; neither do many that ask seldom, as nobody would come meanwhile. And the loop
// pauses only when there is nothing to do (EventLoop::SetPause looks).
//
// Costs: some additions for each client and turn.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pinyon {

class GatherPause {
 public:
  // Shorter ones gain nothing, longer ones little more.
  static constexpr int64_t kMinUs = 20;
  static constexpr int64_t kMaxUs = 60;

  explicit GatherPause(const int64_t& max_us) : max_us_(max_us) {}

  // A client came with requests at `now_us`, and the time before at `*last_us`, which becomes this one.
  void NoteClient(int64_t now_us, int64_t* last_us) {
    Blend(static_cast<double>(std::min(now_us - *last_us, kLongUs)), &cycle_us_);
    *last_us = now_us;
  }
  // A turn at `now_us` found so many.
  void NoteTurn(int64_t now_us, size_t clients) {
    const auto gap = static_cast<double>(std::min(now_us - last_turn_us_, kLongUs));
    Blend(gap / static_cast<double>(std::max<size_t>(clients, 1)), &gap_us_);
    last_turn_us_ = now_us;
  }

  // 0: none.
  int64_t WaitUs() const {
    constexpr double kShare = 0.05;
    const int64_t wait_us = std::min({static_cast<int64_t>(cycle_us_ * kShare), max_us_, kMaxUs});
    if (wait_us < kMinUs) return 0;
    return static_cast<double>(wait_us) >= gap_us_ ? wait_us : 0;
  }

 private:
  static constexpr int64_t kLongUs = 1'000'000;
  static void Blend(double value, double* average) {
    constexpr double kWeight = 1.0 / 64;
    *average += (value - *average) * kWeight;
  }

  const int64_t& max_us_;
  int64_t last_turn_us_ = 0;
  double cycle_us_ = 0;
  double gap_us_ = kLongUs;
};

}  // namespace pinyon
