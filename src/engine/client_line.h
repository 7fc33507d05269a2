// The line of CLIENT LIST about one client, which the log has too when a client is cut off, and ACL LOG when
// it is refused something.
#pragma once

#include <cstdint>
#include <string>

#include "engine/command_spec.h"
#include "engine/server_control.h"
#include "engine/session.h"

namespace pinyon {

// In the format of Redis 7.2, without a newline. `args` are those of the command that the client is
// executing, none when it is not. Costs some microseconds.
std::string ClientLine(ServerControl& server, const Session& session, Args args, int64_t now_ms);

}  // namespace pinyon
