// What a command that set a string whole propagates.
#pragma once

#include <string_view>

#include "engine/call.h"

namespace pinyon {

// SET key value, with the expiry or KEEPTTL that it came to.
inline void PropagateSet(Call& call, std::string_view key, std::string_view value, bool keep_ttl,
                         int64_t expiry_ms) {
  if (!call.Propagating()) return;
  if (keep_ttl) return call.PropagateAs({"SET", key, value, "KEEPTTL"});
  if (expiry_ms == kNoExpiry) return call.PropagateAs({"SET", key, value});
  char digits[kMaxInt64Chars];
  const size_t length = FormatInt64(expiry_ms, digits);
  call.PropagateAs({"SET", key, value, "PXAT", std::string_view(digits, length)});
}

}  // namespace pinyon
