// The count of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER. A negative one asks for that many draws, with
// repetition, whatever the size of the collection, so that it alone decides how long the reply gets: a reply
// that is sure to exceed what one bulk string may take (proto-max-bulk-len) is refused, and a client whose
// reply does exceed it, because its elements are long, is closed, as one over its output limit.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/call.h"

namespace pinyon {

inline constexpr std::string_view kErrCountRange =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

// The least value has no counterpart above zero.
inline bool ParseRandomCount(Call& call, size_t index, int64_t* count) {
  return call.IntInRange(index, -INT64_MAX, INT64_MAX, count, kErrCountRange);
}

class DrawBudget {
 public:
  explicit DrawBudget(Call& call)
      : call_(call), left_(static_cast<uint64_t>(call.engine.options.proto_max_bulk_len)) {}

  // Whether `draws` elements may be replied; otherwise an error was.
  bool Allows(uint64_t draws) { return draws <= left_ / kLeastBytes || call_.Fail(kErrOutOfRange); }
  // Accounts for an element of `bytes` bytes; false, with the client closed, when that is too much.
  bool Spend(size_t bytes) {
    if (bytes + kLeastBytes <= left_) {
      left_ -= bytes + kLeastBytes;
      return true;
    }
    call_.engine.server.CloseSession(call_.session, true);
    return false;
  }

 private:
  static constexpr uint64_t kLeastBytes = 6;  // "$0\r\n\r\n"

  Call& call_;
  uint64_t left_;
};

}  // namespace pinyon
