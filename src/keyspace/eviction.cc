#include "keyspace/eviction.h"

#include <algorithm>
#include <span>

#include "keyspace/lfu.h"

namespace pinyon {

namespace {

// A name in the pool that is longer does not keep its memory.
constexpr size_t kKeptNameBytes = 1024;

}  // namespace

Eviction::Eviction(Keyspace& keyspace) : keyspace_(keyspace) {
  for (size_t i = 0; i < kPoolSize; ++i) pool_[i].name = static_cast<uint8_t>(i);
}

Database* Eviction::PickDatabase() {
  const size_t total = keyspace_.EvictableKeys();
  if (total == 0) return nullptr;
  size_t left = keyspace_.random().Below(total);
  for (int i = 0;; ++i) {
    const size_t count = keyspace_.EvictableKeys(i);
    if (left < count) return &keyspace_.database(i);
    left -= count;
  }
}

uint64_t Eviction::Rank(const Entry* entry) const {
  const EvictionOptions& options = keyspace_.eviction_options();
  if (options.policy == EvictionPolicy::kVolatileTtl) return static_cast<uint64_t>(entry->expiry_ms());
  if (const AdaptivePolicy* adaptive = keyspace_.adaptive()) {
    // Of a long list a look at one of its parts will do.
    return adaptive->Rank(entry->access_tick(), entry->MemoryBytes(1));
  }
  if (options.TracksFrequency()) {
    // Of those that are used equally often, the one that was used last stays.
    const uint32_t minutes = keyspace_.AccessMinutes();
    const uint32_t counter = lfu::Counter(entry->access(), minutes, options.lfu_decay_minutes);
    return counter << 16 | (lfu::kMinuteMask - lfu::IdleMinutes(entry->access(), minutes));
  }
  // The time of the last access, of which the entry has only the lower bits.
  const uint64_t now = keyspace_.access_clock().ticks();
  return now - ((static_cast<uint32_t>(now) - entry->access_tick()) & Entry::kAccessTickMask);
}

void Eviction::Consider(int database, const Entry* entry) {
  const uint64_t rank = Rank(entry);
  const bool is_full = pooled_ == kPoolSize;
  if (is_full && rank >= pool_[kPoolSize - 1].rank) return;
  const std::string_view key = entry->key();
  Candidate* const begin = pool_.data();
  Candidate* const end = begin + pooled_;
  Candidate* const place = std::upper_bound(
      begin, end, rank, [](uint64_t value, const Candidate& candidate) { return value < candidate.rank; });
  // It may be there already: equal ranks stand before it.
  for (const Candidate* other = place; other != begin && (other - 1)->rank == rank; --other) {
    if ((other - 1)->database == database && names_[(other - 1)->name] == key) return;
  }
  uint8_t name;
  if (is_full) {
    name = pool_[kPoolSize - 1].name;
    std::move_backward(place, end - 1, end);
  } else {
    name = pool_[pooled_].name;
    std::move_backward(place, end, end + 1);
    ++pooled_;
  }
  *place = {rank, database, name};
  std::string& text = names_[name];
  if (text.capacity() > kKeptNameBytes && key.size() <= kKeptNameBytes) std::string().swap(text);
  text.assign(key);
}

void Eviction::LookAtNewcomer() {
  AdaptivePolicy::Newcomer newcomer;
  if (keyspace_.adaptive() == nullptr || !keyspace_.adaptive()->NextNewcomer(&newcomer)) return;
  Database& database = keyspace_.database(newcomer.database);
  const EntryRef ref = database.table().FindHash(newcomer.hash);
  if (!ref || (keyspace_.eviction_options().IsVolatile() && !ref->HasExpiry())) return;
  Consider(newcomer.database, ref.entry());
}

void Eviction::Learn(Entry* entry) {
  AdaptivePolicy* adaptive = keyspace_.adaptive();
  if (adaptive == nullptr) return;
  const uint32_t field = entry->access_tick();
  adaptive->Seen(field);
  if (adaptive->IsOlderThanKept(field) && !keyspace_.spares_pages()) {
    entry->set_access_tick(adaptive->AsOldAsKept(field));
  }
}

bool Eviction::LookAround() {
  Database* database = PickDatabase();
  if (database == nullptr) return false;
  const auto wanted = static_cast<size_t>(keyspace_.eviction_options().samples);
  std::array<Entry*, kMaxSamples> sample;
  const size_t most = std::min(std::min(wanted, kMaxSamples) * kSamplesPerStep, kMaxSamples);
  const size_t count = database->table().SampleNeighbours(
      keyspace_.random(), keyspace_.eviction_options().IsVolatile(), std::span<Entry*>(sample.data(), most));
  LookAtNewcomer();
  for (size_t i = 0; i < count; ++i) {
    Learn(sample[i]);
    Consider(database->index(), sample[i]);
  }
  return count > 0;
}

bool Eviction::EvictBest() {
  while (pooled_ > 0) {
    const Candidate best = pool_[0];
    std::move(pool_.data() + 1, pool_.data() + pooled_, pool_.data());
    --pooled_;
    pool_[pooled_].name = best.name;
    Database& database = keyspace_.database(best.database);
    const std::string_view key = names_[best.name];
    const EntryRef ref = database.table().Find(key, database.Hash(key));
    if (!ref || Rank(ref.entry()) > best.rank) continue;
    if (keyspace_.eviction_options().IsVolatile() && !ref->HasExpiry()) continue;
    if (keyspace_.eviction_options().IsLru()) {
      keyspace_.access_clock().NoteEvicted(keyspace_.access_clock().ticks() - best.rank);
    }
    Evict(database, ref);
    return true;
  }
  return false;
}

bool Eviction::EvictRandom() {
  Database* database = PickDatabase();
  if (database == nullptr) return false;
  const Table& table = database->table();
  Evict(*database, keyspace_.eviction_options().IsVolatile() ? table.RandomExpiring(keyspace_.random())
                                                             : table.RandomPosition(keyspace_.random()));
  return true;
}

void Eviction::Evict(Database& database, EntryRef ref) {
  PINYON_ASSERT(ref);
  ++keyspace_.stats().evicted_keys;
  if (AdaptivePolicy* adaptive = keyspace_.adaptive()) {
    adaptive->Evicted(database.index(), database.Hash(ref->key()), ref->access_tick());
  }
  if (keyspace_.observer() != nullptr) keyspace_.observer()->OnEvicted(database.index(), ref->key());
  database.Delete(ref, keyspace_.lazy_free_options().eviction);
}

bool Eviction::EvictOne() {
  if (AdaptivePolicy* adaptive = keyspace_.adaptive()) adaptive->SetKeys(keyspace_.EvictableKeys());
  switch (keyspace_.eviction_options().policy) {
    case EvictionPolicy::kNoEviction: return false;
    case EvictionPolicy::kAllkeysRandom:
    case EvictionPolicy::kVolatileRandom: return EvictRandom();
    default: break;
  }
  // What has just been looked at is as it was, so when all that the pool had before is passed over, one look
  // is enough.
  constexpr int kLooks = 2;
  for (int looks = 0; looks < kLooks; ++looks) {
    if (!LookAround()) return false;
    if (EvictBest()) return true;
  }
  return EvictRandom();
}

}  // namespace pinyon
