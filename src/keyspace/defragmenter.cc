#include "keyspace/defragmenter.h"

#include <algorithm>
#include <array>

#include "base/alloc.h"
#include "base/clock.h"
#include "keyspace/value_object.h"

namespace pinyon {

namespace {

constexpr double kMinSliceUs = 40;
constexpr size_t kChunksPerStep = 1;
constexpr size_t kKeysPerStep = 32;
constexpr size_t kElementsPerStep = 32;
// So many large collections wait at most; then they go first.
constexpr size_t kMaxLarge = 64;
constexpr int kMaxWaitTicks = 512;
constexpr size_t kBlocksPerStep = 32;
// Keys are gone through for what is left of the chosen slabs when that is more than a quarter, and after so
// many rounds for anything: it would be chosen again and again.
constexpr int kMaxRoundsWithoutKeys = 4;

uint64_t WasteOf(const mem::SlabStats& slabs) {
  const uint64_t held = slabs.used_bytes + slabs.empty_chunk_bytes;
  return slabs.slab_bytes > held ? slabs.slab_bytes - held : 0;
}

int PercentOf(uint64_t part, uint64_t whole) {
  return static_cast<int>(part * 100 / std::max<uint64_t>(whole, 1));
}

}  // namespace

void Defragmenter::Tick(int64_t now_us) {
  if (running()) {
    if (options_.enabled) return UpdateShare();
    phase_ = Phase::kReturn;
    return;
  }
  if (!options_.enabled) return;
  const mem::SlabStats slabs = mem::GetSlabStats();
  const uint64_t waste = WasteOf(slabs);
  if (waste < static_cast<uint64_t>(options_.ignore_bytes)) return;
  if (PercentOf(waste, slabs.used_bytes) < options_.threshold_lower) return;
  if (wait_ticks_ > 0) {
    --wait_ticks_;
    return;
  }
  BeginRound(now_us);
}

void Defragmenter::UpdateShare() {
  const mem::SlabStats slabs = mem::GetSlabStats();
  const int percent = PercentOf(WasteOf(slabs), slabs.used_bytes);
  const int low = options_.threshold_lower;
  const int range = std::max(options_.threshold_upper - low, 1);
  const int above = std::clamp(percent - low, 0, range);
  // The limits may have been set the wrong way round.
  const int most = std::max(options_.cycle_min, options_.cycle_max);
  share_percent_ = options_.cycle_min + (most - options_.cycle_min) * above / range;
}

void Defragmenter::BeginRound(int64_t now_us) {
  PINYON_ASSERT(!running());
  chosen_ = left_ = 0;
  mem::BeginRound();
  phase_ = Phase::kChoose;
  database_ = 0;
  cursor_ = 0;
  began_us_ = seen_us_ = now_us;
  credit_us_ = 0;
  UpdateShare();
}

void Defragmenter::EndRound(int64_t now_us) {
  phase_ = Phase::kIdle;
  large_.clear();
  total_us_ += now_us - began_us_;
  // Not by what is lost now, which may be what was freed meanwhile.
  const bool was_worth_it = chosen_ > 0 && left_ <= chosen_ / 2;
  next_wait_ticks_ = was_worth_it ? 0 : std::clamp(next_wait_ticks_ * 2, 1, kMaxWaitTicks);
  wait_ticks_ = next_wait_ticks_;
}

void Defragmenter::RunSlice(int64_t now_us) {
  PINYON_ASSERT(running());
  credit_us_ += static_cast<double>(now_us - seen_us_) * share_percent_ / 100;
  credit_us_ = std::min(credit_us_, static_cast<double>(kSliceUs));
  seen_us_ = now_us;
  if (credit_us_ < kMinSliceUs) return;
  const int64_t end_us = now_us + static_cast<int64_t>(credit_us_);
  int64_t at_us = now_us;
  while (at_us < end_us) {
    const bool goes_on = Step();
    at_us = MonotonicUs();
    if (!goes_on) return EndRound(at_us);
  }
  credit_us_ -= static_cast<double>(at_us - now_us);
}

int64_t Defragmenter::NextSliceUs() const {
  constexpr double kWorthUs = kSliceUs / 2.0;
  if (!running()) return INT64_MAX;
  return seen_us_ + static_cast<int64_t>((kWorthUs - credit_us_) * 100 / std::max(share_percent_, 1));
}

void Defragmenter::RunRound() {
  const int64_t now_us = MonotonicUs();
  if (!running()) BeginRound(now_us);
  while (Step()) {
  }
  EndRound(MonotonicUs());
}

bool Defragmenter::Step() {
  switch (phase_) {
    case Phase::kIdle: break;
    case Phase::kChoose:
      if (mem::ChooseSparseChunks(kChunksPerStep)) return true;
      chosen_ = mem::ChosenSlabs();
      // With nothing chosen, since it would gain too little, there is nothing to look for.
      phase_ = chosen_ > 0 ? Phase::kEntries : Phase::kReturn;
      databases_.clear();
      for (int d = 0; d < keyspace_.DatabaseCount(); ++d) {
        if (keyspace_.database(d).size() > 0) databases_.push_back(d);
      }
      return true;
    case Phase::kEntries: StepEntries(); return true;
    case Phase::kKeys:
      if (large_.empty() || (large_.size() < kMaxLarge && database_ < keyspace_.DatabaseCount())) {
        StepKeys();
      } else {
        StepLargeValue();
      }
      return true;
    case Phase::kReturn: return mem::ReturnChosenChunks(kChunksPerStep);
  }
  return false;
}

void Defragmenter::StepEntries() {
  std::array<mem::ChosenBlock, kBlocksPerStep> blocks;
  size_t count = 0;
  const bool has_more = mem::NextChosenBlocks(blocks, &count);
  std::array<bool, kBlocksPerStep> is_found{};
  for (const int d : databases_) {
    Table& table = keyspace_.database(d).table();
    std::array<uint64_t, kBlocksPerStep> hashes;
    std::array<bool, kBlocksPerStep> may_be{};
    for (size_t i = 0; i < count; ++i) {
      std::string_view key;
      may_be[i] = !is_found[i] && Entry::MayBe(blocks[i].memory, blocks[i].bytes, &key);
      if (!may_be[i]) continue;
      hashes[i] = table.Hash(key);
      table.PrefetchBucket(hashes[i]);
    }
    for (size_t i = 0; i < count; ++i) {
      if (!may_be[i]) continue;
      is_found[i] =
          table.RelocateItem(static_cast<Entry*>(blocks[i].memory), hashes[i], [this](Entry* entry) {
            Entry* moved = Entry::Relocate(entry);
            ++(moved == entry ? keys_left_ : keys_moved_);
            return moved;
          });
    }
  }
  if (has_more) return;
  left_ = mem::ChosenSlabs();
  const bool is_enough = left_ == 0 || (left_ <= chosen_ / 4 && rounds_without_keys_ < kMaxRoundsWithoutKeys);
  rounds_without_keys_ = is_enough ? rounds_without_keys_ + 1 : 0;
  phase_ = is_enough ? Phase::kReturn : Phase::kKeys;
}

void Defragmenter::StepKeys() {
  while (database_ < keyspace_.DatabaseCount() && keyspace_.database(database_).size() == 0) ++database_;
  if (database_ == keyspace_.DatabaseCount()) {
    left_ = mem::ChosenSlabs();
    phase_ = Phase::kReturn;
    return;
  }
  Table& table = keyspace_.database(database_).table();
  const int database = database_;
  cursor_ = table.Relocate(cursor_, kKeysPerStep, [&](Entry* entry) { return RelocateKey(database, entry); });
  if (cursor_ == 0) ++database_;
}

Entry* Defragmenter::RelocateKey(int database, Entry* entry) {
  if (entry->IsObject()) {
    const size_t blocks = ObjectAllocations(entry->type(), entry->encoding(), entry->pointer());
    if (blocks > static_cast<size_t>(options_.max_scan_fields)) {
      large_.push_back({database, std::string(entry->key()), 0});
    } else {
      uint64_t cursor = 0;
      do {
        cursor = RelocateObject(entry->type(), entry->encoding(), entry->pointer(), cursor, kElementsPerStep);
      } while (cursor != 0);
    }
  }
  Entry* moved = Entry::Relocate(entry);
  ++(moved == entry ? keys_left_ : keys_moved_);
  return moved;
}

void Defragmenter::StepLargeValue() {
  LargeValue& value = large_.front();
  Table& table = keyspace_.database(value.database).table();
  const auto position = table.Find(value.key, table.Hash(value.key));
  // It may be gone, or another one.
  if (position && position->IsObject()) {
    value.cursor = RelocateObject(position->type(), position->encoding(), position->pointer(), value.cursor,
                                  kElementsPerStep);
    if (value.cursor != 0) return;
  }
  large_.pop_front();
}

Defragmenter::Stats Defragmenter::stats(int64_t now_us) const {
  const int64_t current_us = running() ? now_us - began_us_ : 0;
  return {keys_moved_, keys_left_, total_us_ + current_us, current_us};
}

}  // namespace pinyon
