// The message by which a client learns that keys which it may have cached have changed, or all keys: encoded
// when its first receiver needs it, once for each protocol, and shared by all receivers from then on.
//
//   RESP3  a push: "invalidate", array of keys
//   RESP2  a message on the channel __redis__:invalidate, with the array as its payload
//
// All keys is null in the place of the array. The keys are borrowed: they must outlive the message, the
// encoded block need not.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/shared_block.h"

namespace pinyon {

class Invalidation {
 public:
  // Of all keys.
  Invalidation() : all_(true) {}
  explicit Invalidation(std::span<const std::string_view> keys) : keys_(keys) {}
  Invalidation(const Invalidation&) = delete;
  Invalidation& operator=(const Invalidation&) = delete;

  // Valid as long as the message, unless the caller keeps a reference.
  SharedBlock* Encoded(bool resp3);

 private:
  std::span<const std::string_view> keys_;
  bool all_ = false;
  std::array<BlockRef, 2> encoded_;  // RESP2, RESP3
};

// The push to a client whose invalidations went to a client, with this id, that is there no more.
BlockRef EncodeBrokenRedirect(uint64_t id);

}  // namespace pinyon
