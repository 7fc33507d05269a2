// CLIENT PAUSE: for a time, what clients ask for is put off: everything, or what may change data. A client
// whose command is put off is suspended with a copy of it (engine/blocking.h) and goes on, in the order in
// which clients came, when the pause is over. Meanwhile expired keys are hidden, not deleted, so that the
// data stands still.
//
// A pause that is asked for takes effect between batches, since the requests of a batch are parsed ahead and
// run together. It can be made longer and stricter, not shorter or laxer; it ends all at once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pinyon {

class ClientPause {
 public:
  enum class Mode : uint8_t { kNone, kWrites, kAll };
  static constexpr int64_t kNever = INT64_MAX;

  // `until_us` in MonotonicUs's time.
  void Ask(Mode mode, int64_t until_us) {
    asked_ = std::max(asked_, mode);
    until_us_ = until_us_ == kNone ? until_us : std::max(until_us_, until_us);
  }
  void End() {
    asked_ = Mode::kNone;
    until_us_ = kNone;
  }
  // Makes what was asked for take effect, and ends what is over.
  void Update(int64_t now_us) {
    if (now_us >= until_us_) End();
    mode_ = asked_;
  }

  // Whether Update may have anything to do.
  bool pending() const { return asked_ != mode_ || asked_ != Mode::kNone; }
  Mode mode() const { return mode_; }
  // When it ends; kNever when there is none.
  int64_t until_us() const { return until_us_ == kNone ? kNever : until_us_; }

 private:
  static constexpr int64_t kNone = INT64_MIN;

  Mode asked_ = Mode::kNone;
  Mode mode_ = Mode::kNone;
  int64_t until_us_ = kNone;
};

}  // namespace pinyon
