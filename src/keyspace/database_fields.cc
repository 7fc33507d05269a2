// The part of Database that sees to hashes whose fields expire: the index of them follows every entry that
// comes, changes or goes, and what has expired is removed when it is met, and when it is due.
#include <algorithm>
#include <string>

#include "base/alloc.h"
#include "keyspace/database.h"
#include "keyspace/hash_value.h"
#include "keyspace/hash_view.h"
#include "keyspace/keyspace.h"

namespace pinyon {

namespace {

// Removed at once when a hash is met, or between two looks at the clock. Of a large hash more may be left,
// which whoever reads it does not see either.
constexpr size_t kFieldsAtOnce = 64;

}  // namespace

bool Database::AllFieldsExpired(const Entry* entry) const {
  return entry->type() == ValueType::kHash && HashView(entry, keyspace_.now_ms()).AllExpired();
}

size_t Database::MemoryOf(const Entry* entry, size_t samples) const {
  const bool is_indexed =
      field_expiry_->size() > 0 && entry->type() == ValueType::kHash && field_expiry_->Contains(entry->key());
  return entry->MemoryBytes(samples) + (is_indexed ? mem::UsableSize(DueHash::BytesFor(entry->key())) : 0);
}

void Database::NoteFieldExpiry(EntryRef ref) { EntryArrived(ref.entry(), Hash(ref->key())); }

void Database::HashArrived(const Entry* entry, uint64_t hash) {
  const HashView view(entry, keyspace_.now_ms());
  if (!view.HasExpiring()) {
    if (field_expiry_->size() > 0) field_expiry_->Remove(entry->key(), hash);
    return;
  }
  int64_t due_ms = view.EarliestExpiryMs();
  // A table's bound may have passed although nothing in it is due: to be looked at again a moment later, not
  // in the same round.
  if (!entry->IsPacked()) due_ms = std::max(due_ms, keyspace_.now_ms());
  field_expiry_->Set(entry->key(), hash, due_ms);
}

void Database::HashLeaves(const Entry* entry) { field_expiry_->Remove(entry->key(), Hash(entry->key())); }

void Database::ReportExpiredFields(EntryRef ref, std::span<const std::string_view> names) {
  PINYON_ASSERT(!keyspace_.hides_expired_only());
  keyspace_.stats().expired_fields += names.size();
  if (KeyspaceObserver* observer = keyspace_.observer()) observer->OnFieldsExpired(index_, ref->key(), names);
}

EntryRef Database::RemoveExpiredFields(EntryRef ref) {
  if (keyspace_.hides_expired_only() || !HashView(ref.entry(), keyspace_.now_ms()).HasExpired()) return ref;
  HashValue value(*this, ref);
  value.RemoveExpired(kFieldsAtOnce);
  return value.ref();
}

void Database::ExpireFieldsOf(std::string_view key, const std::function<bool()>& should_stop) {
  const uint64_t hash = Hash(key);
  EntryRef ref = table_->Find(key, hash);
  PINYON_ASSERT(ref && ref->type() == ValueType::kHash);
  // (The index, which IsExpired asks first, has just lost this hash.)
  if (IsPastExpiry(ref.entry()) || AllFieldsExpired(ref.entry())) return DeleteExpired(ref);
  HashValue value(*this, ref);
  bool more;
  do {
    more = value.RemoveExpired(kFieldsAtOnce) == kFieldsAtOnce;
  } while (more && !should_stop());
  NoteFieldExpiry(value.ref());
  // What is left of it is due now.
  if (more) field_expiry_->Set(key, hash, keyspace_.now_ms() - 1);
}

void Database::CheckConsistency() const {
  size_t expiring_hashes = 0;
  table_->ForEach([&](Entry* entry) {
    if (entry->type() != ValueType::kHash || !HashView(entry, keyspace_.now_ms()).HasExpiring()) return;
    ++expiring_hashes;
    PINYON_CHECK(field_expiry_->Contains(entry->key()));
  });
  PINYON_CHECK(expiring_hashes == field_expiry_->size());
}

bool Database::ExpireFieldsDue(const std::function<bool()>& should_stop) {
  if (keyspace_.hides_expired_only()) return true;
  std::string key;
  while (field_expiry_->size() > 0) {
    switch (field_expiry_->TakeDue(keyspace_.now_ms(), should_stop, &key)) {
      case FieldExpiry::Search::kNothingDue: return true;
      case FieldExpiry::Search::kStopped: return false;
      case FieldExpiry::Search::kFound: ExpireFieldsOf(key, should_stop);
    }
    if (should_stop()) return false;
  }
  return true;
}

}  // namespace pinyon
