// One numbered database: a table of entries, and the rules that every access to it obeys: a key that has
// expired is not there, nor one whose fields have all expired; a key has at most one entry; an expiry stands
// both in its entry and in the table's deadlines; and a hash with fields that expire is in the index of such
// hashes.
//
// A Ref names an entry until the next change of the same database; a change that returns a Ref gives the new
// one. Nothing here replies, propagates or notifies: what the outside must hear of goes through
// KeyspaceObserver.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "keyspace/entry.h"
#include "keyspace/field_expiry.h"
#include "keyspace/table.h"

namespace pinyon {

class Keyspace;

using EntryRef = Table::Position;

class Database {
 public:
  Database(Keyspace& keyspace, int index, const HashSeed& seed);

  Keyspace& keyspace() const { return keyspace_; }
  int index() const { return index_; }
  size_t size() const { return table_->size(); }
  size_t expiring() const { return table_->expiring(); }
  // Hashes that have fields with an expiry.
  size_t hashes_expiring() const { return field_expiry_->size(); }
  // What deleting a key gives back: its entry, its value, and its place in the index of hashes that expire.
  // See Entry::MemoryBytes.
  size_t MemoryOf(const Entry* entry, size_t samples) const;
  // What tables take that is not a key's own: of keys, and of expiries (deadlines, and the index of hashes
  // whose fields expire). Looks at every segment.
  size_t TableBytes() const { return table_->OverheadBytes() - table_->DeadlineBytes(); }
  size_t ExpiryBytes() const { return table_->DeadlineBytes() + field_expiry_->OverheadBytes(); }
  // Estimated from a few keys; 0 when none expires.
  int64_t AverageTtlMs() const;
  Table& table() { return *table_; }
  const Table& table() const { return *table_; }
  uint64_t Hash(std::string_view key) const { return table_->Hash(key); }

  // The entry of a key that has not expired, or none. A key found expired is deleted first (and reported as
  // expired), and so are some of a hash's expired fields, unless the keyspace only hides expired keys.
  EntryRef Find(std::string_view key) { return Find(key, Hash(key)); }
  EntryRef Find(std::string_view key, uint64_t hash);
  // As Find, but neither deletes nor updates anything.
  EntryRef Peek(std::string_view key) const;
  bool IsExpired(const Entry* entry) const {
    return IsPastExpiry(entry) || (field_expiry_->size() > 0 && AllFieldsExpired(entry));
  }

  // Sets a whole string value: an integer if the text is one in canonical form, else embstr or raw by its
  // length. The old value, of whatever type, goes; `expiry_ms` is kNoExpiry or a time.
  EntryRef SetString(std::string_view key, std::string_view value, int64_t expiry_ms);
  EntryRef SetInteger(std::string_view key, int64_t value, int64_t expiry_ms);
  // As SetString, for bytes that are already in a block (taken over), without a copy when they are large.
  EntryRef SetBlock(std::string_view key, BlockRef block, int64_t expiry_ms);
  // As above for a key that `ref` (may be none) is the Find result of, with its hash: saves the second
  // search.
  EntryRef SetString(EntryRef ref, std::string_view key, uint64_t hash, std::string_view value,
                     int64_t expiry_ms);
  EntryRef SetInteger(EntryRef ref, std::string_view key, uint64_t hash, int64_t value, int64_t expiry_ms);
  EntryRef SetBlock(EntryRef ref, std::string_view key, uint64_t hash, BlockRef block, int64_t expiry_ms);

  // Adds a key with an empty packed collection (kListpack or kIntset), to be filled at once; Find must see
  // nothing under that key.
  EntryRef AddPacked(std::string_view key, uint64_t hash, ValueType type, Encoding encoding,
                     int64_t expiry_ms = kNoExpiry);
  // The same outside of the database, for a value that is built first and stored when it is done.
  static Entry* NewPacked(std::string_view key, ValueType type, Encoding encoding,
                          int64_t expiry_ms = kNoExpiry);
  // Stores a detached entry under its own key, with its own expiry, in the place of whatever is there. Takes
  // it over; returns its place.
  EntryRef StoreEntry(Entry* entry);

  // Makes a string raw, private and exactly `length` bytes long: bytes beyond the old length are zero. The
  // bytes may be written through `ref->MutableBytes()` until the next change.
  EntryRef EditString(EntryRef ref, size_t length);

  // Sets, changes or (kNoExpiry) removes the expiry.
  EntryRef SetExpiry(EntryRef ref, int64_t expiry_ms);

  // Deletes a key. The value is freed on the freeing thread when that is worth it.
  void Delete(EntryRef ref);
  // The same for another reason than that a command needs the key gone: whether it counts as freed lazily
  // (lazy_free_options.h).
  void Delete(EntryRef ref, bool lazily);
  // Takes an entry out of this database; the caller owns it (Entry::Delete, or Adopt).
  Entry* Detach(EntryRef ref);
  // Puts in a detached entry under `key` with `expiry_ms`; Find must see nothing under that key.
  EntryRef Adopt(Entry* entry, std::string_view key, int64_t expiry_ms);
  // Puts in a detached entry that was loaded, as it is: its own key (with its hash), expiry and access clock.
  // None, and the entry stays the caller's, when something is under that key, expired or not.
  EntryRef AddLoaded(Entry* entry, uint64_t hash);
  // Makes room for about so many keys that will be loaded, if there are none yet.
  void ReserveForLoad(size_t keys, size_t expiring);
  // A copy of `source`'s value under `key`, where Find must see nothing.
  EntryRef AddCopy(const Entry* source, std::string_view key, int64_t expiry_ms);

  // A key with equal odds among all that have not expired; none when there is none. (Where expired keys are
  // hidden, it gives up after a hundred of them and returns one.)
  EntryRef RandomKey();

  // Starts empty; returns how many entries there were. Unless told to free them here it hands them to the
  // freeing thread, where they may or may not count as freed lazily.
  enum class Clearing : uint8_t { kHere, kInBackground, kLazily };
  size_t Clear(Clearing how);

  // Exchanges the contents of two databases; their numbers stay.
  void SwapContents(Database& other) {
    table_.swap(other.table_);
    field_expiry_.swap(other.field_expiry_);
  }

  // Active expiry: deletes keys that are due, until `should_stop` (asked every few keys, and segments) says
  // so. Returns true when a round over all is done. Does nothing while expired keys are only hidden.
  bool ExpireDue(const std::function<bool()>& should_stop);
  // The same for the fields of hashes.
  bool ExpireFieldsDue(const std::function<bool()>& should_stop);

  // For HashValue, when expiries of a hash's fields have changed, and when fields are about to be removed
  // because their time has come.
  void NoteFieldExpiry(EntryRef ref);
  void ReportExpiredFields(EntryRef ref, std::span<const std::string_view> names);

  // Whether the index of hashes whose fields expire holds exactly those; for tests.
  void CheckConsistency() const;

 private:
  // Here, or on the freeing thread where that takes long.
  void FreeEntry(Entry* entry, bool lazily);
  // Puts a new entry in the place of `ref` (may be none), whose entry is freed.
  EntryRef Store(EntryRef ref, uint64_t hash, Entry* entry);
  // The entry of a key that Find did not see: an expired one that is only hidden. None is searched for
  // otherwise.
  EntryRef FindHidden(std::string_view key, uint64_t hash) const;
  static Entry* CopyOf(const Entry* source, std::string_view key, int64_t expiry_ms);
  void DeleteHidden(std::string_view key, uint64_t hash);
  // Whether an entry may be changed where it lies. Builds with assertions say so only every few times, so
  // that whoever keeps the address of an entry is found out.
  bool MayStayInPlace();
  // Whether a new string may be written over an entry: nothing outside it, and room for an expiry as needed.
  bool CanRewrite(const Entry* entry, int64_t expiry_ms);
  EntryRef Rewritten(EntryRef ref, uint64_t hash, int64_t expiry_ms);
  void DeleteExpired(EntryRef ref);

  bool IsPastExpiry(const Entry* entry) const;
  bool AllFieldsExpired(const Entry* entry) const;
  // Of a hash that was found: removes some of the fields that have expired.
  EntryRef RemoveExpiredFields(EntryRef ref);
  void ExpireFieldsOf(std::string_view key, const std::function<bool()>& should_stop);
  // To be called with every entry that comes into the table, before or after, and with every one that is
  // about to leave.
  void EntryArrived(const Entry* entry, uint64_t hash) {
    if (entry->type() == ValueType::kHash) HashArrived(entry, hash);
  }
  void EntryLeaves(const Entry* entry) {
    if (field_expiry_->size() > 0 && entry->type() == ValueType::kHash) HashLeaves(entry);
  }
  void HashArrived(const Entry* entry, uint64_t hash);
  void HashLeaves(const Entry* entry);

  Keyspace& keyspace_;
  int index_;
  std::unique_ptr<Table> table_;
  std::unique_ptr<FieldExpiry> field_expiry_;
#ifdef PINYON_ASSERTIONS
  unsigned changes_in_place_asked_ = 0;
#endif
};

}  // namespace pinyon
