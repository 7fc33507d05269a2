// CLIENT TRACKING and its kin: client-side caching (docs/tracking.md).
#include "commands/client_tracking.h"

#include <string>
#include <vector>

#include "engine/call.h"
#include "engine/session_tracking.h"
#include "engine/tracking.h"

namespace pinyon {

namespace {

struct TrackingRequest {
  SessionTracking mode;
  std::vector<std::string_view> prefixes;  // as they were given
};

bool ParseRedirect(Call& call, size_t index, uint64_t* redirect) {
  int64_t id = 0;
  if (*redirect != 0) return call.Fail("ERR A client can only redirect to a single other client");
  if (!call.Int(index, &id)) return false;
  if (call.engine.sessions.Find(static_cast<uint64_t>(id)) == nullptr)
    return call.Fail("ERR The client ID you want redirect to does not exist");
  *redirect = static_cast<uint64_t>(id);
  return true;
}

bool ParseTrackingOptions(Call& call, TrackingRequest* request) {
  SessionTracking& mode = request->mode;
  for (size_t i = 3; i < call.argc(); ++i) {
    const bool has_value = i + 1 < call.argc();
    if (call.Is(i, "redirect") && has_value) {
      if (!ParseRedirect(call, ++i, &mode.redirect)) return false;
    } else if (call.Is(i, "prefix") && has_value) {
      request->prefixes.push_back(call.args[++i]);
    } else if (call.Is(i, "bcast")) {
      mode.broadcast = true;
    } else if (call.Is(i, "optin")) {
      mode.opt_in = true;
    } else if (call.Is(i, "optout")) {
      mode.opt_out = true;
    } else if (call.Is(i, "noloop")) {
      mode.no_loop = true;
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

bool Overlap(std::string_view a, std::string_view b) { return a.starts_with(b) || b.starts_with(a); }

// A key must have one prefix of a client at most, or the client would be told twice.
bool CheckOverlaps(Call& call, const std::vector<std::string_view>& prefixes) {
  const auto fail = [&call](std::string_view prefix, std::string_view which, std::string_view other) {
    return call.Fail("ERR Prefix '" + std::string(prefix) + "' overlaps with " + std::string(which) +
                     " prefix '" + std::string(other) + "'. Prefixes for a single client must not overlap.");
  };
  for (size_t i = 0; i < prefixes.size(); ++i) {
    if (const SessionTracking* current = call.session.tracking.get()) {
      for (const std::string& other : current->prefixes) {
        if (Overlap(prefixes[i], other)) return fail(prefixes[i], "an existing", other);
      }
    }
    for (size_t j = i + 1; j < prefixes.size(); ++j) {
      if (Overlap(prefixes[i], prefixes[j])) return fail(prefixes[i], "another provided", prefixes[j]);
    }
  }
  return true;
}

bool CheckTracking(Call& call, const TrackingRequest& request) {
  const SessionTracking& mode = request.mode;
  const SessionTracking* current = call.session.tracking.get();
  if (!mode.broadcast && !request.prefixes.empty())
    return call.Fail("ERR PREFIX option requires BCAST mode to be enabled");
  if (current != nullptr && current->broadcast != mode.broadcast) {
    return call.Fail(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then "
        "re-enabling it with a different mode.");
  }
  if (mode.broadcast && (mode.opt_in || mode.opt_out))
    return call.Fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (mode.opt_in && mode.opt_out) return call.Fail("ERR You can't specify both OPTIN mode and OPTOUT mode");
  const bool switches =
      current != nullptr && ((mode.opt_in && current->opt_out) || (mode.opt_out && current->opt_in));
  if (switches) {
    return call.Fail(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then "
        "re-enabling it with a different mode.");
  }
  return CheckOverlaps(call, request.prefixes);
}

}  // namespace

// CLIENT TRACKING ON|OFF [REDIRECT client-id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]
void ClientTracking(Call& call) {
  TrackingRequest request;
  if (!ParseTrackingOptions(call, &request)) return;
  if (call.Is(2, "off")) {
    call.engine.tracking.TurnOff(call.session);
    return call.reply.Ok();
  }
  if (!call.Is(2, "on")) {
    call.SyntaxError();
    return;
  }
  if (!CheckTracking(call, request)) return;
  request.mode.prefixes.insert(request.prefixes.begin(), request.prefixes.end());
  // Without prefixes: all keys.
  if (request.mode.broadcast && request.prefixes.empty()) request.mode.prefixes.emplace();
  call.engine.tracking.TurnOn(call.session, request.mode);
  call.reply.Ok();
}

// CLIENT CACHING YES|NO
void ClientCaching(Call& call) {
  SessionTracking* mode = call.session.tracking.get();
  if (mode == nullptr) {
    return call.reply.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode "
        "enabled");
  }
  const bool yes = call.Is(2, "yes");
  if (!yes && !call.Is(2, "no")) {
    call.SyntaxError();
    return;
  }
  if (yes && !mode->opt_in) {
    return call.reply.Error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  }
  if (!yes && !mode->opt_out) {
    return call.reply.Error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  }
  mode->caching = true;
  call.reply.Ok();
}

// CLIENT GETREDIR
void ClientGetRedir(Call& call) { call.reply.Integer(RedirectOf(call.session)); }

// CLIENT TRACKINGINFO
void ClientTrackingInfo(Call& call) {
  const SessionTracking* mode = call.session.tracking.get();
  std::vector<std::string_view> flags = {mode == nullptr ? "off" : "on"};
  if (mode != nullptr) {
    if (mode->broadcast) flags.emplace_back("bcast");
    if (mode->opt_in) flags.emplace_back("optin");
    if (mode->opt_in && mode->caching) flags.emplace_back("caching-yes");
    if (mode->opt_out) flags.emplace_back("optout");
    if (mode->opt_out && mode->caching) flags.emplace_back("caching-no");
    if (mode->no_loop) flags.emplace_back("noloop");
    if (mode->redirect_broken) flags.emplace_back("broken_redirect");
  }
  call.reply.MapHeader(3);
  call.reply.Bulk("flags");
  call.reply.SetHeader(flags.size());
  for (const std::string_view flag : flags) call.reply.Bulk(flag);
  call.reply.Bulk("redirect");
  call.reply.Integer(RedirectOf(call.session));
  call.reply.Bulk("prefixes");
  call.reply.ArrayHeader(mode == nullptr ? 0 : mode->prefixes.size());
  if (mode == nullptr) return;
  for (const std::string& prefix : mode->prefixes) call.reply.Bulk(prefix);
}

}  // namespace pinyon
