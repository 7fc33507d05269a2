// The one propagation path: what a unit (a command, an EXEC, a script, an expiry) did, as commands that give
// the same data when they are replayed, for the append-only file and replicas.
//
// Effects are collected while the unit runs and delivered by EndUnit in order, each in its database (SELECT
// is put in where it changes), in MULTI ... EXEC when there is more than one. While nobody listens nothing is
// encoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/command_spec.h"

namespace pinyon {

class EffectListener {
 public:
  virtual ~EffectListener() = default;
  // The encoded commands of one unit; returns the log offset at its end.
  virtual uint64_t Append(std::string_view commands) = 0;
  // The end of a turn: what was appended goes on its way.
  virtual void Commit() {}
  // The log offset up to which replies may be sent (the reply gate): what the policy asks for is safe up to
  // here.
  virtual uint64_t ReplyOffset() const { return ~uint64_t{0}; }
};

class Effects {
 public:
  bool Listening() const { return listener_ != nullptr; }
  void SetListener(EffectListener* listener) {
    listener_ = listener;
    count_ = 0;  // what is left of a unit that ended without a listener is nobody's
    text_.clear();
    selected_database_ = -1;
  }

  void Commit() {
    if (listener_ != nullptr) listener_->Commit();
  }

  void Add(int database, Args effect);
  // Returns whether the unit had any effects: offset() is behind them then.
  bool EndUnit();
  // The unit that is under way has effects so far.
  bool HasPending() const { return count_ > 0; }

  // Replies that wait for a log offset up to this may be sent.
  uint64_t reply_offset() const { return listener_ == nullptr ? ~uint64_t{0} : listener_->ReplyOffset(); }
  // The log offset after the last delivered unit: what a reply that saw its effects has to wait for.
  uint64_t offset() const { return offset_; }

 private:
  EffectListener* listener_ = nullptr;
  int selected_database_ = -1;  // in the log, as far as it is known
  size_t count_ = 0;
  std::string text_;  // of the unit: MULTI (skipped if one effect follows), then the effects
  uint64_t offset_ = 0;
};

}  // namespace pinyon
