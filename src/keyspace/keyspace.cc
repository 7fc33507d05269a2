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

void Keyspace::CountAccess(Entry* entry) {
  entry->set_access(lfu::Accessed(entry->access(), AccessMinutes(), eviction_options_->lfu_decay_minutes,
                                  eviction_options_->lfu_log_factor, random_));
}

void Keyspace::InitAccess(Entry* entry) {
  if (!tracks_frequency_) return Touch(entry);
  entry->set_access(lfu::Field(AccessMinutes(), lfu::kNewCounter));
}

void Keyspace::SetAccess(Entry* entry, int64_t idle_s, int frequency) {
  InitAccess(entry);
  if (tracks_frequency_) {
    if (frequency >= 0) entry->set_access(lfu::Field(AccessMinutes(), static_cast<uint32_t>(frequency)));
  } else if (idle_s > 0) {
    constexpr int64_t kMaxIdle = 0xffffff;
    const auto idle = static_cast<uint64_t>(std::min(idle_s, kMaxIdle)) * kAccessTicksPerSecond;
    entry->set_access_tick(static_cast<uint32_t>(access_ticks_ - idle));
  }
}

uint32_t Keyspace::Frequency(const Entry* entry) const {
  return lfu::Counter(entry->access(), AccessMinutes(), eviction_options_->lfu_decay_minutes);
}

size_t Keyspace::TotalKeys() const {
  size_t total = 0;
  for (const auto& database : databases_) total += database->size();
  return total;
}

}  // namespace pinyon
