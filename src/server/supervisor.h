// The service manager that started the server: telling it how far the server is.
//
// systemd (Type=notify, see sd_notify(3)): datagrams to the socket that NOTIFY_SOCKET names, a path or, with
// a leading @, an abstract name. upstart (expect stop): the server stops itself once and is continued.
// A server that is supervised stays in the foreground, whatever `daemonize` says.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"

namespace pinyon {

enum class Supervision : int { kUpstart, kSystemd, kAuto, kNone };

// The word of CONFIG and of INFO's process_supervised.
std::string_view SupervisionName(Supervision supervision);

// Reports to the manager that `wanted` names, or to the one whose environment variable is there (kAuto), that
// the server is loading. Returns which one listens: kNone when it cannot be found, which is logged.
Supervision ReportToSupervisor(Supervision wanted, Log& log);

// Sends `state` ("READY=1\n") to systemd; a failure is logged and returns false.
bool NotifySystemd(std::string_view state, Log& log);

}  // namespace pinyon
