// What commands ask of persistence, implemented by server/ (a floor above).
#pragma once

#include <cstdint>
#include <string>

namespace pinyon {

class PersistenceControl {
 public:
  virtual ~PersistenceControl() = default;

  // A status reply, or an error reply with its code.
  struct Answer {
    bool ok;
    std::string text;
  };

  // SAVE.
  virtual Answer Save() = 0;
  // BGSAVE [SCHEDULE]. Within a transaction nothing is forked, only scheduled.
  virtual Answer BackgroundSave(bool schedule, bool in_transaction) = 0;
  // BGREWRITEAOF.
  virtual Answer RewriteLog(bool in_transaction) = 0;
  // LASTSAVE: Unix time in seconds.
  virtual int64_t LastSave() const = 0;
  // DEBUG RELOAD: saves, empties the keyspace and loads again, unless told to leave one of these out.
  struct ReloadOptions {
    bool save = true;
    bool flush = true;
    bool merge = false;  // keys that are there already are replaced, not an error
  };
  virtual Answer Reload(const ReloadOptions& options) = 0;
  // DEBUG LOADAOF: empties the keyspace and loads the append-only file again.
  virtual Answer ReloadLog() = 0;
  // FLUSHALL has emptied the keyspace.
  virtual void OnFlushAll() = 0;

  // --- for those who wait until what they wrote is safe ---
  // Whether the append-only file is on.
  virtual bool IsLogging() const = 0;
  // Whether a crash takes nothing of what is before this offset of the log (Effects::offset). Never so for
  // BlockedClients::kNoOffset, and for no offset while the log is off, or is turned on and not complete yet.
  virtual bool IsSynced(uint64_t offset) const = 0;
  // Somebody waits for what has been written so far: it is synced also where the policy leaves that to the
  // kernel. The others go by their own clock.
  virtual void AskForSync() = 0;
};

}  // namespace pinyon
