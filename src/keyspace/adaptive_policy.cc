#include "keyspace/adaptive_policy.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pinyon {

namespace {

constexpr uint32_t kTicksPerStep = 64;
// Learning costs the same whatever the number of keys.
constexpr uint64_t kLeastAccesses = 2048;
constexpr size_t kLeastKeys = 16;

// Keys of the same name in other databases are other keys.
uint64_t GhostHash(int database, uint64_t hash) {
  return hash + static_cast<uint64_t>(database) * 0x9e3779b97f4a7c15;
}

}  // namespace

AdaptivePolicy::AdaptivePolicy(uint64_t random_seed) : random_(random_seed) {
  for (size_t i = 0; i < kept_.size(); ++i) {
    const double half_lives = static_cast<double>(i * kTicksPerStep) / kHalfLifeTicks;
    kept_[i] = static_cast<uint16_t>(std::min(std::exp2(-half_lives) * 65536, 65535.0));
  }
  SetKeys(0);
}

void AdaptivePolicy::SetKeys(size_t keys) {
  keys_ = std::max(keys, kLeastKeys);
  step_ = (uint64_t{HitDensity::kTicksPerTurnover} << kTickFractionBits) / keys_;
  learn_after_ = std::max(keys_ / 2, kLeastAccesses);
  // Where most keys are gone the room for the remembered ones goes, too.
  if (ghosts_.slots() > 4 * keys_) ghosts_.SetKeys(keys_);
}

uint32_t AdaptivePolicy::ClassOf(uint32_t uses) {
  if (uses < kOneUse) return 0;
  if (uses < kOneUse * 3 / 2) return 1;
  const auto log = static_cast<uint32_t>(std::bit_width(uses)) - 1;
  return std::min((log - 3) * 2 + (uses >> (log - 1) & 1) + 1, HitDensity::kClasses - 1);
}

// The middle of a class.
uint32_t AdaptivePolicy::UsesOf(uint32_t use_class) {
  if (use_class == 0) return kOneUse / 2;
  const uint32_t base = kOneUse << ((use_class - 1) / 2);
  return use_class % 2 == 1 ? base + base / 4 : base + base / 2 + base / 4;
}

uint32_t AdaptivePolicy::UsesNow(uint32_t field) const {
  const uint32_t step = Age(field) / kTicksPerStep;
  if (step == 0) return field & kMaxUses;
  // Rounded up or down with odds by the remainder, or small numbers would never fall, or at once.
  const auto dither = static_cast<uint32_t>(accesses_ * 40503 & 0xffff);
  return ((field & kMaxUses) * kept_[step] + dither) >> 16;
}

void AdaptivePolicy::Advance() {
  time_ += step_;
  if (++accesses_ < learn_after_) [[likely]]
    return;
  density_.Learn(accesses_, keys_);
  accesses_ = 0;
}

uint32_t AdaptivePolicy::Hit(uint32_t field) {
  density_.CountHit(CellOf(field));
  Advance();
  return Accessed(field);
}

uint32_t AdaptivePolicy::Arrived(int database, uint64_t hash) {
  Advance();
  newcomers_[newcomers_end_++ % kNewcomers] = {database, hash};
  newcomers_begin_ += newcomers_end_ - newcomers_begin_ > kNewcomers ? 1 : 0;
  const int use_class = ghosts_.Take(GhostHash(database, hash));
  return Field(kOneUse + (use_class < 0 ? 0 : UsesOf(static_cast<uint32_t>(use_class))));
}

uint32_t AdaptivePolicy::Frequency(uint32_t field) const {
  constexpr uint32_t kHalf = 1 << 15;
  const uint32_t step = Age(field) / kTicksPerStep;
  const uint32_t uses = step == 0 ? field & kMaxUses : ((field & kMaxUses) * kept_[step] + kHalf) >> 16;
  return std::min((uses + kOneUse / 2) / kOneUse, kMaxFrequency);
}

uint32_t AdaptivePolicy::Rank(uint32_t field, size_t bytes) const {
  // Floating-point numbers above zero are in the order of their bits.
  return std::bit_cast<uint32_t>(density_.Density(CellOf(field)) / static_cast<float>(bytes));
}

bool AdaptivePolicy::NextNewcomer(Newcomer* newcomer) {
  if (newcomers_end_ - newcomers_begin_ <= kLeftAlone) return false;
  *newcomer = newcomers_[newcomers_begin_++ % kNewcomers];
  return true;
}

void AdaptivePolicy::Evicted(int database, uint64_t hash, uint32_t field) {
  ghosts_.SetKeys(keys_);
  ghosts_.Put(GhostHash(database, hash), std::min(ClassOf(UsesNow(field)), GhostTable::kMaxClass),
              static_cast<uint32_t>(random_.Next() >> 32));
}

}  // namespace pinyon
