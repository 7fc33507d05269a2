// WATCH: which sessions want to know that a key changed. Keys are named, not pointed to. Costs nothing while
// nobody watches; while somebody does, one hash lookup for each change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/key_name.h"
#include "engine/session.h"
#include "keyspace/keyspace.h"

namespace pinyon {

class WatchTable {
 public:
  explicit WatchTable(Keyspace& keyspace) : keyspace_(keyspace), watchers_(0, KeyNameHash{keyspace.seed()}) {}

  void Watch(Session& session, int database, std::string_view key);
  // Also forgets that a watched key had changed only if the caller resets the transaction.
  void UnwatchAll(Session& session);
  // Whether a key that the session watches has expired meanwhile, though nobody has noticed yet.
  bool HasExpired(const Session& session) const;

  bool empty() const { return watchers_.empty(); }
  size_t size() const { return watchers_.size(); }
  void KeyChanged(int database, std::string_view key) {
    if (!watchers_.empty()) MarkKey(database, key);
  }
  // To be called before the databases are emptied (-1: all of them).
  void BeforeFlush(int database);
  // To be called before the contents of two databases are exchanged.
  void BeforeSwap(int first, int second);

 private:
  // The name of a key in `watchers_`, built in `name_`.
  const std::string& Name(int database, std::string_view key);
  void MarkKey(int database, std::string_view key);
  void MarkKeysThatDiffer(int database, const Database* before, const Database* after);

  Keyspace& keyspace_;
  KeyNameMap<std::vector<Session*>> watchers_;
  std::string name_;
};

}  // namespace pinyon
