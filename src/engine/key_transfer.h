// Connections to other servers over which MIGRATE gives them keys, implemented by server/ (a floor above).
//
// Whoever uses one waits, and with it everybody: nothing else runs between the look at a key and its
// deletion, which is what makes a transfer atomic here. Hence every step has a limit of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pinyon {

class TransferLink {
 public:
  enum class Result : uint8_t {
    kDone,
    kTimedOut,
    kBroken,  // closed or refused by the peer
  };
  static constexpr int64_t kUnknownDatabase = INT64_MIN;

  virtual ~TransferLink() = default;
  // All of it; the limit is for each 64 KiB.
  virtual Result Send(std::string_view bytes, int timeout_ms) = 0;
  // A line without its end, of which no more is kept than an error's text may have.
  virtual Result ReadLine(std::string* line, int timeout_ms) = 0;

  // The one that is selected over there.
  int64_t database = kUnknownDatabase;
};

class KeyTransfer {
 public:
  virtual ~KeyTransfer() = default;
  // A connection that was kept, or a new one; good until Close, or the end of the command. Null when the name
  // means nothing or nobody answers in time. A peer that refuses gives a link that is broken.
  virtual TransferLink* Open(std::string_view host, std::string_view port, int timeout_ms) = 0;
  // It is in a state that nobody knows: not to be used again.
  virtual void Close(TransferLink& link) = 0;
};

}  // namespace pinyon
