// All sessions with a connection, by id, in the order in which they came.
#pragma once

#include <cstdint>
#include <map>

#include "engine/session.h"

namespace pinyon {

class SessionRegistry {
 public:
  uint64_t NextId() { return ++last_id_; }
  void Add(Session* session) { sessions_.emplace(session->id, session); }
  void Remove(Session* session) { sessions_.erase(session->id); }
  Session* Find(uint64_t id) const {
    const auto it = sessions_.find(id);
    return it == sessions_.end() ? nullptr : it->second;
  }
  size_t size() const { return sessions_.size(); }
  const std::map<uint64_t, Session*>& all() const { return sessions_; }

 private:
  uint64_t last_id_ = 0;
  std::map<uint64_t, Session*> sessions_;
};

}  // namespace pinyon
