#include "keyspace/keyspace.h"

#include <algorithm>

#include "keyspace/lfu.h"

namespace pinyon {

Keyspace::Keyspace(int databases, uint64_t random_seed) : random_(random_seed) {
  // Not from random_, whose numbers clients can observe (RANDOMKEY, SPOP).
  Random secret = Random::FromSystem();
  seed_ = {secret.Next(), secret.Next()};
  for (int i = 0; i < databases; ++i) databases_.push_back(std::make_unique<Database>(*this, i, seed_));
}

void Keyspace::set_eviction_options(const EvictionOptions& options) {
  eviction_options_ = &options;
  tracks_frequency_ = options.TracksFrequency();
  evicts_volatile_ = options.IsVolatile();
  if (!options.IsAdaptive()) {
    adaptive_.reset();
    return;
  }
  if (!adaptive_) adaptive_ = std::make_unique<AdaptivePolicy>(random_.Next());
  adaptive_->SetKeys(EvictableKeys());
}

void Keyspace::CountAccess(Entry* entry) {
  if (adaptive_) {
    const uint32_t field = entry->access_tick();
    const bool may_go = !evicts_volatile_ || entry->HasExpiry();
    return entry->set_access_tick(may_go ? adaptive_->Hit(field) : adaptive_->Accessed(field));
  }
  entry->set_access(lfu::Accessed(entry->access(), AccessMinutes(), eviction_options_->lfu_decay_minutes,
                                  eviction_options_->lfu_log_factor, random_));
}

void Keyspace::InitAccess(Entry* entry, int database_index, uint64_t hash) {
  if (!tracks_frequency_) return Touch(entry);
  if (!adaptive_) return entry->set_access(lfu::Field(AccessMinutes(), lfu::kNewCounter));
  constexpr uint32_t kArrivalsPerCount = 64;
  if (++arrivals_ % kArrivalsPerCount == 0) adaptive_->SetKeys(EvictableKeys());
  const bool may_go = !evicts_volatile_ || entry->HasExpiry();
  entry->set_access_tick(may_go ? adaptive_->Arrived(database_index, hash) : adaptive_->FieldOf(1));
}

void Keyspace::SetAccess(Entry* entry, int64_t idle_s, int frequency) {
  if (adaptive_) {
    entry->set_access_tick(adaptive_->FieldOf(frequency >= 0 ? static_cast<uint32_t>(frequency) : 1));
  } else if (tracks_frequency_) {
    const uint32_t counter = frequency >= 0 ? static_cast<uint32_t>(frequency) : lfu::kNewCounter;
    entry->set_access(lfu::Field(AccessMinutes(), counter));
  } else {
    constexpr int64_t kMaxIdle = 0xffffff;
    const int64_t idle_ms = std::clamp<int64_t>(idle_s, 0, kMaxIdle) * 1000;
    entry->set_access_tick(static_cast<uint32_t>(access_clock_.TicksAt(access_clock_.now_ms() - idle_ms)));
  }
}

uint32_t Keyspace::IdleSeconds(const Entry* entry) const {
  const uint64_t now = access_clock_.ticks();
  const uint64_t idle = (static_cast<uint32_t>(now) - entry->access_tick()) & Entry::kAccessTickMask;
  const auto second = static_cast<uint32_t>(access_clock_.MsAt(now - idle) / 1000);
  return (AccessSeconds() - second) & 0xffffff;
}

uint32_t Keyspace::Frequency(const Entry* entry) const {
  if (adaptive_) return adaptive_->Frequency(entry->access_tick());
  return lfu::Counter(entry->access(), AccessMinutes(), eviction_options_->lfu_decay_minutes);
}

size_t Keyspace::EvictableKeys() const {
  size_t total = 0;
  for (int i = 0; i < DatabaseCount(); ++i) total += EvictableKeys(i);
  return total;
}

size_t Keyspace::TotalKeys() const {
  size_t total = 0;
  for (const auto& database : databases_) total += database->size();
  return total;
}

}  // namespace pinyon
