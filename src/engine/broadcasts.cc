#include "engine/broadcasts.h"

#include <set>
#include <vector>

#include "base/assert.h"
#include "engine/session.h"
#include "engine/session_tracking.h"

namespace pinyon {

void Broadcasts::Add(std::string_view prefix, Session& listener) {
  const auto [it, is_new] = prefixes_.try_emplace(std::string(prefix));
  if (is_new) ++lengths_[prefix.size()];
  it->second.listeners.emplace(listener.id, &listener);
}

void Broadcasts::Remove(std::string_view prefix, const Session& listener) {
  const auto it = prefixes_.find(prefix);
  PINYON_CHECK(it != prefixes_.end());
  it->second.listeners.erase(listener.id);
  if (!it->second.listeners.empty()) return;
  const auto length = lengths_.find(prefix.size());
  if (--length->second == 0) lengths_.erase(length);
  prefixes_.erase(it);
}

void Broadcasts::NoteChange(std::string_view key, uint64_t by) {
  for (const auto& [length, count] : lengths_) {
    if (length > key.size()) return;
    const auto it = prefixes_.find(key.substr(0, length));
    if (it == prefixes_.end()) continue;
    // Who changed it last has seen the changes before.
    it->second.changed.insert_or_assign(std::string(key), by);
    pending_ = true;
  }
}

void Broadcasts::DeliverTo(const Prefix& prefix, const Send& send) {
  std::vector<std::string_view> keys;
  std::set<uint64_t> changers;
  for (const auto& [key, by] : prefix.changed) {
    keys.push_back(key);
    if (by != 0) changers.insert(by);
  }
  Invalidation message(keys);
  for (const auto& [id, listener] : prefix.listeners) {
    if (!listener->tracking->no_loop || !changers.contains(id)) {
      send(*listener, message);
      continue;
    }
    std::vector<std::string_view> others;
    for (const auto& [key, by] : prefix.changed) {
      if (by != id) others.push_back(key);
    }
    Invalidation message_of_others(others);
    if (!others.empty()) send(*listener, message_of_others);
  }
}

void Broadcasts::Deliver(const Send& send) {
  pending_ = false;
  for (auto& [name, prefix] : prefixes_) {
    if (prefix.changed.empty()) continue;
    DeliverTo(prefix, send);
    prefix.changed.clear();
  }
}

}  // namespace pinyon
