#include "engine/watch.h"

#include <algorithm>

#include "base/assert.h"

namespace pinyon {

namespace {

const Entry* StoredEntry(const Database& database, std::string_view key) {
  const EntryRef ref = database.table().Find(key, database.Hash(key));
  return ref ? ref.entry() : nullptr;
}

WatchedKey& FindWatched(Session& session, int database, std::string_view key) {
  const auto it = std::find_if(
      session.watched.begin(), session.watched.end(),
      [&](const WatchedKey& watched) { return watched.database == database && watched.key == key; });
  PINYON_CHECK(it != session.watched.end());
  return *it;
}

}  // namespace

const std::string& WatchTable::Name(int database, std::string_view key) {
  key_name::Assign(&name_, database, key);
  return name_;
}

void WatchTable::Watch(Session& session, int database, std::string_view key) {
  std::vector<Session*>& sessions = watchers_[Name(database, key)];
  if (std::find(sessions.begin(), sessions.end(), &session) != sessions.end()) return;
  const Database& db = keyspace_.database(database);
  const Entry* entry = StoredEntry(db, key);
  session.watched.push_back({database, std::string(key), entry != nullptr && db.IsExpired(entry)});
  session.watched_name_bytes += key.size();
  sessions.push_back(&session);
}

void WatchTable::UnwatchAll(Session& session) {
  for (const WatchedKey& watched : session.watched) {
    const auto it = watchers_.find(Name(watched.database, watched.key));
    PINYON_CHECK(it != watchers_.end());
    std::erase(it->second, &session);
    if (it->second.empty()) watchers_.erase(it);
  }
  std::vector<WatchedKey>().swap(session.watched);
  session.watched_name_bytes = 0;
}

bool WatchTable::HasExpired(const Session& session) const {
  return std::any_of(session.watched.begin(), session.watched.end(), [this](const WatchedKey& watched) {
    if (watched.was_expired) return false;
    const Database& db = keyspace_.database(watched.database);
    const Entry* entry = StoredEntry(db, watched.key);
    return entry != nullptr && db.IsExpired(entry);
  });
}

void WatchTable::MarkKey(int database, std::string_view key) {
  const auto it = watchers_.find(Name(database, key));
  if (it == watchers_.end()) return;
  const Database& db = keyspace_.database(database);
  for (Session* session : it->second) {
    if (session->transaction.watched_changed()) continue;
    WatchedKey& watched = FindWatched(*session, database, key);
    if (watched.was_expired) {
      const Entry* entry = StoredEntry(db, key);
      if (entry == nullptr) watched.was_expired = false;
      if (entry == nullptr || db.IsExpired(entry)) continue;
    }
    session->transaction.SetWatchedChanged();
  }
}

void WatchTable::MarkKeysThatDiffer(int database, const Database* before, const Database* after) {
  for (const auto& [name, sessions] : watchers_) {
    if (key_name::DatabaseOf(name) != database) continue;
    const std::string_view key = key_name::KeyOf(name);
    const bool was_there = StoredEntry(*before, key) != nullptr;
    const Entry* replacement = after == nullptr ? nullptr : StoredEntry(*after, key);
    if (!was_there && replacement == nullptr) continue;
    const bool comes_expired = replacement != nullptr && after->IsExpired(replacement);
    for (Session* session : sessions) {
      WatchedKey& watched = FindWatched(*session, database, key);
      const bool was_visible = was_there && !watched.was_expired;
      if (was_visible || (replacement != nullptr && !comes_expired)) {
        session->transaction.SetWatchedChanged();
      } else {
        watched.was_expired = comes_expired;
      }
    }
  }
}

void WatchTable::BeforeFlush(int database) {
  if (watchers_.empty()) return;
  const int first = database < 0 ? 0 : database;
  const int last = database < 0 ? keyspace_.DatabaseCount() - 1 : database;
  for (int i = first; i <= last; ++i) MarkKeysThatDiffer(i, &keyspace_.database(i), nullptr);
}

void WatchTable::BeforeSwap(int first, int second) {
  if (watchers_.empty()) return;
  MarkKeysThatDiffer(first, &keyspace_.database(first), &keyspace_.database(second));
  MarkKeysThatDiffer(second, &keyspace_.database(second), &keyspace_.database(first));
}

}  // namespace pinyon
