#include "keyspace/hit_density.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"

namespace pinyon {

namespace {

constexpr double kKeptPerTurnover = 0.97;
constexpr double kLeastKept = 0.5;
// With fewer entries seen nothing is learned.
constexpr double kLeastEntries = 64;
// The formula counts as much as so many entries seen: as little as will do, since it stands between what was
// learned, and so between LRU and what suits it, wherever few entries come.
constexpr double kPriorEntries = 0.1;

// The first tick of an age.
double StartOf(uint32_t age) {
  if (age < 4) return age;
  return std::ldexp(4.0 + age % 4, static_cast<int>(age / 4) - 1);
}

// What stands in for a rate that is not known, but for its scale: the uses that a class stands for, over the
// time in which they were counted and twice the time without any since.
double PriorRate(uint32_t use_class, uint32_t age) {
  constexpr double kCountedTicks = 16.25 * HitDensity::kTicksPerTurnover;
  return std::exp2(0.5 * use_class) / (kCountedTicks + 2 * StartOf(age));
}

// Width of the last age, which has no end.
double WidthOf(uint32_t age) {
  return age + 1 == HitDensity::kAges ? HitDensity::kMaxAge : std::max(StartOf(age + 1) - StartOf(age), 1.0);
}

// A table made once: PriorRate(use_class, age) by cell.
struct PriorRates {
  PriorRates() {
    for (uint32_t c = 0; c < HitDensity::kClasses; ++c) {
      for (uint32_t a = 0; a < HitDensity::kAges; ++a) rates[c][a] = PriorRate(c, a);
    }
    for (uint32_t a = 0; a < HitDensity::kAges; ++a) widths[a] = WidthOf(a);
  }
  double rates[HitDensity::kClasses][HitDensity::kAges];
  double widths[HitDensity::kAges];
};

const PriorRates& Priors() {
  static const PriorRates kPriors;
  return kPriors;
}

// Of an age and its neighbours together: rates change little from one to the next, and of a single cell there
// are often too few for the entries to be told apart by.
double AroundAge(const double* cells_of_class, uint32_t age) {
  double sum = cells_of_class[age];
  if (age > 0) sum += cells_of_class[age - 1];
  if (age + 1 < HitDensity::kAges) sum += cells_of_class[age + 1];
  return sum;
}

}  // namespace

HitDensity::HitDensity() {
  for (uint32_t cell = 0; cell < kCells; ++cell) {
    densities_[cell] = static_cast<float>(Priors().rates[cell / kAges][cell % kAges]);
  }
}

void HitDensity::LearnClass(uint32_t use_class, double prior_scale, double ticks_per_entry) {
  // From the oldest age to the youngest. A stretch of ages begins at each age that was looked at and is not
  // part of another: entries at its beginning do best to stay until its end.
  struct Stretch {
    double hits;       // expected of an entry at its beginning
    double ticks;      // that such an entry spends in it
    double survivors;  // the share of those that reach the end without a hit
  };
  std::array<Stretch, kAges> stretches;
  size_t count = 0;
  for (uint32_t age = kAges; age-- > 0;) {
    const uint32_t cell = use_class * kAges + age;
    const double prior = Priors().rates[use_class][age] * prior_scale;
    const double hits = AroundAge(&hits_[use_class * kAges], age);
    const double entries = AroundAge(&entries_[use_class * kAges], age);
    const double rate = (hits + kPriorEntries * prior) / (entries + kPriorEntries) / ticks_per_entry;
    const double expected = rate * Priors().widths[age];
    const double survivors = 1 / (1 + expected);
    Stretch stretch = {expected * survivors, Priors().widths[age] * survivors, survivors};
    while (count > 0) {
      const Stretch& next = stretches[count - 1];
      if (next.hits * stretch.ticks <= stretch.hits * next.ticks) break;
      stretch.hits += stretch.survivors * next.hits;
      stretch.ticks += stretch.survivors * next.ticks;
      stretch.survivors *= next.survivors;
      --count;
    }
    stretches[count++] = stretch;
    densities_[cell] = static_cast<float>(stretch.hits / stretch.ticks);
  }
}

void HitDensity::Learn(uint64_t accesses, uint64_t keys) {
  accesses_ += static_cast<double>(accesses);
  double hits = 0;
  double entries = 0;
  double prior_hits = 0;
  for (uint32_t cell = 0; cell < kCells; ++cell) {
    hits += hits_[cell];
    entries += entries_[cell];
    prior_hits += entries_[cell] * Priors().rates[cell / kAges][cell % kAges];
  }
  if (entries >= kLeastEntries) {
    // In `accesses` accesses the clock advances by kTicksPerTurnover / keys each, and all keys grow older by
    // that: so long were all entries together in the cells.
    const double ticks_per_entry = accesses_ * kTicksPerTurnover / entries;
    // Not zero, so that of a cache without a hit the densities are still positive.
    const double prior_scale = std::max(hits, 1.0) / prior_hits;
    for (uint32_t c = 0; c < kClasses; ++c) LearnClass(c, prior_scale, ticks_per_entry);
  }
  const double turnovers = static_cast<double>(accesses) / static_cast<double>(std::max<uint64_t>(keys, 1));
  const double kept = std::max(std::pow(kKeptPerTurnover, turnovers), kLeastKept);
  for (double& value : hits_) value *= kept;
  for (double& value : entries_) value *= kept;
  accesses_ *= kept;
}

}  // namespace pinyon
