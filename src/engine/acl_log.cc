#include "engine/acl_log.h"

namespace pinyon {

namespace {

constexpr int64_t kGroupMs = 60'000;
// An older entry is not added to: a new one is made.
constexpr int kGroupDepth = 10;

}  // namespace

std::string_view ReasonName(AclLog::Reason reason) {
  switch (reason) {
    case AclLog::Reason::kCommand: return "command";
    case AclLog::Reason::kKey: return "key";
    case AclLog::Reason::kChannel: return "channel";
    case AclLog::Reason::kAuth: return "auth";
  }
  return "unknown";
}

std::string_view ContextName(AclLog::Context context) {
  return context == AclLog::Context::kMulti ? "multi" : "toplevel";
}

void AclLog::Add(const Refusal& refusal, int64_t now_ms) {
  const std::string_view object = refusal.object.substr(0, kMaxObjectBytes);
  const std::string_view username = refusal.username.substr(0, kMaxObjectBytes);
  int depth = 0;
  for (auto it = entries_.begin(); it != entries_.end() && depth < kGroupDepth; ++it, ++depth) {
    const bool same = it->reason == refusal.reason && it->context == refusal.context &&
                      it->object == object && it->username == username;
    if (!same || now_ms - it->updated_ms > kGroupMs) continue;
    ++it->count;
    it->updated_ms = now_ms;
    it->client_info = refusal.client_info;
    entries_.splice(entries_.begin(), entries_, it);
    return;
  }
  entries_.push_front({.id = next_id_++,
                       .count = 1,
                       .reason = refusal.reason,
                       .context = refusal.context,
                       .object = std::string(object),
                       .username = std::string(username),
                       .client_info = std::string(refusal.client_info),
                       .created_ms = now_ms,
                       .updated_ms = now_ms});
  while (entries_.size() > static_cast<uint64_t>(max_entries_)) entries_.pop_back();
}

}  // namespace pinyon
