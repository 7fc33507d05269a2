#include "keyspace/database.h"

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "keyspace/hash_view.h"
#include "keyspace/keyspace.h"
#include "keyspace/value_object.h"
#include "types/intset.h"
#include "types/listpack.h"

namespace pinyon {

namespace {

Encoding TextEncoding(size_t length) {
  return length <= kEmbstrMaxBytes ? Encoding::kEmbstr : Encoding::kRaw;
}

}  // namespace

Database::Database(Keyspace& keyspace, int index, const HashSeed& seed)
    : keyspace_(keyspace),
      index_(index),
      table_(std::make_unique<Table>(seed)),
      field_expiry_(std::make_unique<FieldExpiry>(seed)) {}

bool Database::IsPastExpiry(const Entry* entry) const {
  return entry->HasExpiry() && keyspace_.now_ms() > entry->expiry_ms();
}

EntryRef Database::Find(std::string_view key, uint64_t hash) {
  const EntryRef ref = table_->Find(key, hash);
  if (!ref) return ref;
  if (IsExpired(ref.entry())) {
    if (!keyspace_.hides_expired_only()) DeleteExpired(ref);
    return {};
  }
  return field_expiry_->size() > 0 && ref->type() == ValueType::kHash ? RemoveExpiredFields(ref) : ref;
}

EntryRef Database::Peek(std::string_view key) const {
  const EntryRef ref = table_->Find(key, Hash(key));
  return ref && !IsExpired(ref.entry()) ? ref : EntryRef();
}

void Database::DeleteExpired(EntryRef ref) {
  PINYON_ASSERT(!keyspace_.hides_expired_only());
  KeyspaceObserver* observer = keyspace_.observer();
  if (IsPastExpiry(ref.entry())) {
    ++keyspace_.stats().expired_keys;
    if (observer != nullptr) observer->OnExpired(index_, ref->key());
  } else {
    keyspace_.stats().expired_fields += HashView(ref.entry(), keyspace_.now_ms()).StoredSize();
    if (observer != nullptr) observer->OnLastFieldsExpired(index_, ref->key());
  }
  Delete(ref, keyspace_.lazy_free_options().expire);
}

EntryRef Database::FindHidden(std::string_view key, uint64_t hash) const {
  return keyspace_.hides_expired_only() ? table_->Find(key, hash) : EntryRef();
}

void Database::DeleteHidden(std::string_view key, uint64_t hash) {
  const EntryRef hidden = FindHidden(key, hash);
  if (!hidden) return;
  PINYON_ASSERT(IsExpired(hidden.entry()));
  Delete(hidden);
}

bool Database::MayStayInPlace() {
#ifdef PINYON_ASSERTIONS
  constexpr unsigned kMovesOf = 4;
  return ++changes_in_place_asked_ % kMovesOf == 0;
#else
  return true;
#endif
}

EntryRef Database::Store(EntryRef ref, uint64_t hash, Entry* entry) {
  if (ref && keyspace_.tracks_frequency()) {
    entry->set_access_tick(ref->access_tick());
  } else {
    keyspace_.InitAccess(entry, index_, hash);
  }
  if (!ref) ref = FindHidden(entry->key(), hash);
  if (ref) EntryLeaves(ref.entry());
  EntryArrived(entry, hash);
  if (!ref) return table_->Insert(entry, hash);
  Entry* old = ref.entry();
  const EntryRef stored = table_->Replace(ref, entry, hash);
  FreeEntry(old, keyspace_.lazy_free_options().server_del);
  return stored;
}

EntryRef Database::SetString(std::string_view key, std::string_view value, int64_t expiry_ms) {
  const uint64_t hash = Hash(key);
  return SetString(table_->Find(key, hash), key, hash, value, expiry_ms);
}

EntryRef Database::SetInteger(std::string_view key, int64_t value, int64_t expiry_ms) {
  const uint64_t hash = Hash(key);
  return SetInteger(table_->Find(key, hash), key, hash, value, expiry_ms);
}

EntryRef Database::SetBlock(std::string_view key, BlockRef block, int64_t expiry_ms) {
  const uint64_t hash = Hash(key);
  return SetBlock(table_->Find(key, hash), key, hash, std::move(block), expiry_ms);
}

EntryRef Database::SetString(EntryRef ref, std::string_view key, uint64_t hash, std::string_view value,
                             int64_t expiry_ms) {
  int64_t number;
  if (value.size() <= 20 && ParseInt64(value, &number)) return SetInteger(ref, key, hash, number, expiry_ms);
  if (value.size() > kInlineMaxBytes) {
    return Store(ref, hash, Entry::NewBlock(key, expiry_ms, SharedBlock::Copy(value)));
  }
  const Encoding encoding = TextEncoding(value.size());
  if (ref && CanRewrite(ref.entry(), expiry_ms) && ref->RewriteInPlace(value, encoding)) {
    return Rewritten(ref, hash, expiry_ms);
  }
  return Store(ref, hash, Entry::NewString(key, expiry_ms, value, encoding));
}

EntryRef Database::SetInteger(EntryRef ref, std::string_view key, uint64_t hash, int64_t value,
                              int64_t expiry_ms) {
  if (ref && CanRewrite(ref.entry(), expiry_ms) && ref->RewriteInPlace(value)) {
    return Rewritten(ref, hash, expiry_ms);
  }
  return Store(ref, hash, Entry::NewInteger(key, expiry_ms, value));
}

EntryRef Database::SetBlock(EntryRef ref, std::string_view key, uint64_t hash, BlockRef block,
                            int64_t expiry_ms) {
  if (block->length() <= kInlineMaxBytes) return SetString(ref, key, hash, block->bytes(), expiry_ms);
  return Store(ref, hash, Entry::NewBlock(key, expiry_ms, block.Release()));
}

bool Database::CanRewrite(const Entry* entry, int64_t expiry_ms) {
  return entry->type() == ValueType::kString && !entry->IsOutOfLine() &&
         entry->HasExpiry() == (expiry_ms != kNoExpiry) && MayStayInPlace();
}

EntryRef Database::Rewritten(EntryRef ref, uint64_t hash, int64_t expiry_ms) {
  keyspace_.TouchWritten(ref.entry());
  if (expiry_ms == kNoExpiry) return ref;
  ref->set_expiry_ms(expiry_ms);
  return table_->Replace(ref, ref.entry(), hash);
}

Entry* Database::NewPacked(std::string_view key, ValueType type, Encoding encoding, int64_t expiry_ms) {
  PackedBlock bytes;
  if (encoding == Encoding::kIntset) {
    Intset::InitEmpty(bytes);
  } else {
    PINYON_ASSERT(encoding == Encoding::kListpack);
    Listpack::InitEmpty(bytes);
  }
  Entry* entry = Entry::NewPacked(key, expiry_ms, type, encoding, bytes.size());
  std::memcpy(entry->packed(), bytes.data(), bytes.size());
  return entry;
}

EntryRef Database::AddPacked(std::string_view key, uint64_t hash, ValueType type, Encoding encoding,
                             int64_t expiry_ms) {
  return Store({}, hash, NewPacked(key, type, encoding, expiry_ms));
}

EntryRef Database::StoreEntry(Entry* entry) {
  const uint64_t hash = Hash(entry->key());
  return Store(table_->Find(entry->key(), hash), hash, entry);
}

EntryRef Database::EditString(EntryRef ref, size_t length) {
  Entry* entry = ref.entry();
  PINYON_ASSERT(entry->type() == ValueType::kString);
  SharedBlock* block = entry->block();
  if (block != nullptr && !block->IsShared() && block->capacity() >= length) {
    const size_t old_length = block->length();
    if (length > old_length) std::memset(block->data() + old_length, 0, length - old_length);
    block->set_length(length);
    entry->set_encoding(Encoding::kRaw);
    keyspace_.TouchWritten(entry);
    if (MayStayInPlace()) return ref;
    Entry* moved = Entry::Rebuild(entry, entry->key(), entry->expiry_ms());
    return table_->Replace(ref, moved, Hash(moved->key()));
  }

  IntegerText text;
  const std::string_view old_bytes = entry->StringBytes(text);
  const size_t kept = std::min(length, old_bytes.size());
  const uint64_t hash = Hash(entry->key());
  if (block == nullptr && length <= kInlineEditMaxBytes) {
    char edited[kInlineEditMaxBytes] = {};
    std::memcpy(edited, old_bytes.data(), kept);
    const std::string_view value(edited, length);
    if (MayStayInPlace() && entry->RewriteInPlace(value, Encoding::kRaw)) {
      keyspace_.TouchWritten(entry);
      return ref;
    }
    return Store(ref, hash, Entry::NewString(entry->key(), entry->expiry_ms(), value, Encoding::kRaw));
  }
  // Room to grow, as a string that is edited once is likely to be again: its old length, at most 1 MiB.
  const size_t capacity =
      std::max(length, old_bytes.size() + std::min<size_t>(old_bytes.size(), 1024 * 1024));
  SharedBlock* grown = SharedBlock::New(length, capacity);
  std::memcpy(grown->data(), old_bytes.data(), kept);
  std::memset(grown->data() + kept, 0, length - kept);
  return Store(ref, hash, Entry::NewBlock(entry->key(), entry->expiry_ms(), grown));
}

EntryRef Database::SetExpiry(EntryRef ref, int64_t expiry_ms) {
  Entry* entry = ref.entry();
  if (entry->HasExpiry() && expiry_ms != kNoExpiry && MayStayInPlace()) {
    entry->set_expiry_ms(expiry_ms);
    return table_->Replace(ref, entry, 0);
  }
  if (!entry->HasExpiry() && expiry_ms == kNoExpiry) return ref;
  // The key is needed after its entry is gone only by way of the new entry.
  const uint64_t hash = Hash(entry->key());
  Entry* rebuilt = Entry::Rebuild(entry, entry->key(), expiry_ms);
  return table_->Replace(ref, rebuilt, hash);
}

void Database::FreeEntry(Entry* entry, bool lazily) {
  if (entry->IsExpensiveToFree()) {
    keyspace_.lazy_free().Free(entry, lazily);
  } else {
    Entry::Delete(entry);
  }
}

void Database::Delete(EntryRef ref) { Delete(ref, keyspace_.lazy_free_options().server_del); }

void Database::Delete(EntryRef ref, bool lazily) {
  EntryLeaves(ref.entry());
  FreeEntry(table_->Remove(ref), lazily);
}

Entry* Database::Detach(EntryRef ref) {
  EntryLeaves(ref.entry());
  return table_->Remove(ref);
}

EntryRef Database::Adopt(Entry* entry, std::string_view key, int64_t expiry_ms) {
  const uint64_t hash = Hash(key);
  DeleteHidden(key, hash);
  Entry* adopted = Entry::Rebuild(entry, key, expiry_ms);
  EntryArrived(adopted, hash);
  return table_->Insert(adopted, hash);
}

EntryRef Database::AddLoaded(Entry* entry, uint64_t hash) {
  if (table_->Find(entry->key(), hash)) return {};
  EntryArrived(entry, hash);
  return table_->Insert(entry, hash);
}

void Database::ReserveForLoad(size_t keys, size_t expiring) {
  if (table_->size() == 0) table_->Reserve(keys, expiring);
}

Entry* Database::CopyOf(const Entry* source, std::string_view key, int64_t expiry_ms) {
  if (SharedBlock* block = source->block()) {
    block->Ref();
    return Entry::NewBlock(key, expiry_ms, block);
  }
  if (source->IsPacked()) {
    const size_t size = source->PackedSize();
    Entry* copy = Entry::NewPacked(key, expiry_ms, source->type(), source->encoding(), size);
    std::memcpy(copy->packed(), source->packed(), size);
    return copy;
  }
  if (source->IsObject()) {
    void* object = CopyObject(source->type(), source->encoding(), source->pointer());
    return Entry::NewObject(key, expiry_ms, source->type(), source->encoding(), object);
  }
  if (source->IsInteger()) return Entry::NewInteger(key, expiry_ms, source->integer());
  return Entry::NewString(key, expiry_ms, source->StoredBytes(), source->encoding());
}

EntryRef Database::AddCopy(const Entry* source, std::string_view key, int64_t expiry_ms) {
  const uint64_t hash = Hash(key);
  DeleteHidden(key, hash);
  Entry* copy = CopyOf(source, key, expiry_ms);
  keyspace_.InitAccess(copy, index_, hash);
  EntryArrived(copy, hash);
  return table_->Insert(copy, hash);
}

EntryRef Database::RandomKey() {
  // Where expired keys are only hidden a database may hold nothing else: give up after a while.
  constexpr int kMaxHiddenTries = 100;
  for (int tries = 0; size() > 0; ++tries) {
    const EntryRef ref = table_->RandomPosition(keyspace_.random());
    if (!IsExpired(ref.entry())) return ref;
    if (!keyspace_.hides_expired_only()) {
      DeleteExpired(ref);
    } else if (tries >= kMaxHiddenTries) {
      return ref;
    }
  }
  return {};
}

int64_t Database::AverageTtlMs() const {
  constexpr int kSamples = 16;
  int64_t sum = 0;
  int counted = 0;
  for (; counted < kSamples && expiring() > 0; ++counted) {
    sum +=
        std::max<int64_t>(table_->RandomExpiring(keyspace_.random())->expiry_ms() - keyspace_.now_ms(), 0) /
        kSamples;
  }
  return counted == 0 ? 0 : sum;
}

size_t Database::Clear(Clearing how) {
  const size_t keys = size();
  if (keys == 0) return 0;
  auto emptied = std::make_unique<Table>(keyspace_.seed());
  emptied.swap(table_);
  auto emptied_index = std::make_unique<FieldExpiry>(keyspace_.seed());
  emptied_index.swap(field_expiry_);
  if (how != Clearing::kHere) {
    keyspace_.lazy_free().Free(std::move(emptied), how == Clearing::kLazily);
    if (emptied_index->size() > 0) keyspace_.lazy_free().Free(std::move(emptied_index));
  }
  return keys;
}

bool Database::ExpireDue(const std::function<bool()>& should_stop) {
  if (keyspace_.hides_expired_only()) return true;
  // Reading the clock costs about as much as deleting a key; once every few is often enough.
  constexpr unsigned kKeysPerCheck = 16;
  unsigned since_check = 0;
  const auto expire = [&](EntryRef ref) {
    DeleteExpired(ref);
    if (++since_check < kKeysPerCheck) return true;
    since_check = 0;
    return !should_stop();
  };
  return table_->ExpireDue(keyspace_.now_ms(), expire, should_stop);
}

}  // namespace pinyon
