// The directives lazyfree-lazy-*, owned by the engine's options. What is expensive to free is freed off the
// loop whatever they say. They decide what clients can tell by: what INFO counts as freed lazily
// (lazyfreed_objects), and whether an eviction or an expiry propagates as UNLINK or as DEL.
#pragma once

#include <string_view>

#include "base/settings.h"

namespace pinyon {

struct LazyFreeOptions {
  bool eviction = false;
  bool expire = false;
  bool server_del = false;  // what commands overwrite or delete besides what they are asked to
  bool user_del = false;    // DEL counts as UNLINK
  bool user_flush = false;  // FLUSHALL and FLUSHDB count as ASYNC

  void Declare(SettingsRegistry& registry);
};

// The command as which the deletion of a key propagates.
inline std::string_view DeletionVerb(bool lazily) { return lazily ? "UNLINK" : "DEL"; }

}  // namespace pinyon
