// The RdbReceiver that fills a keyspace.
//
// A key that is there already, in the snapshot or before, is an error, and so is a database that the
// configuration does not have: Redis ends at either, too.
//
// Costs: an insertion a key; what it needs from memory is fetched while the next keys are read, so a few keys
// are not in the keyspace before OnEnd.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "keyspace/keyspace.h"
#include "persist/rdb_snapshot_reader.h"

namespace pinyon {

class KeyspaceLoader : public RdbReceiver {
 public:
  explicit KeyspaceLoader(Keyspace& keyspace) : keyspace_(keyspace) {}
  // Keys that have not been put in (after an error) go.
  ~KeyspaceLoader() override;

  bool OnSelect(uint64_t database, std::string* reason) override;
  void OnSizes(int database, uint64_t keys, uint64_t expiring) override {
    keyspace_.database(database).ReserveForLoad(keys, expiring);
  }
  bool OnKey(const RdbKey& key, Entry* entry, std::string* reason) override;
  bool OnEnd(std::string* reason) override;

 private:
  struct Pending {
    Entry* entry = nullptr;
    uint64_t hash = 0;
    int database = 0;
  };
  static constexpr size_t kPending = 16;

  bool PutIn(Pending* pending, std::string* reason);

  Keyspace& keyspace_;
  std::array<Pending, kPending> pending_;
  size_t next_ = 0;
};

}  // namespace pinyon
