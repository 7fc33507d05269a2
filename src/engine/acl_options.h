// The directives of access control.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/settings.h"

namespace pinyon {

struct AclOptions {
  // Where new users start, and what `reset` leaves them.
  enum class PubsubDefault : int { kAllChannels, kResetChannels };

  std::string requirepass;  // the default user's password, when it was last set by this directive
  std::string file;         // aclfile; empty: users stand in the configuration file
  int64_t log_max_entries = 128;
  PubsubDefault pubsub_default = PubsubDefault::kResetChannels;

  // Set by the engine: CONFIG SET gave requirepass another value.
  std::function<void()> on_requirepass_changed;

  void Declare(SettingsRegistry& registry);
};

}  // namespace pinyon
