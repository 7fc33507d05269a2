#include "keyspace/ghost_table.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pinyon {

namespace {

uint16_t Fingerprint(uint64_t hash) {
  const auto bits = static_cast<uint16_t>(hash & 0xfff);
  return bits == 0 ? uint16_t{1} : bits;
}
uint32_t ClassOf(uint16_t slot) { return slot & GhostTable::kMaxClass; }

}  // namespace

GhostTable::Set* GhostTable::Generation::Find(uint64_t hash, bool add) {
  if (sets == 0) return nullptr;
  __extension__ using Wide = unsigned __int128;
  const auto index = static_cast<size_t>(static_cast<Wide>(hash) * sets >> 64);
  std::unique_ptr<Set[]>& chunk = chunks[index / kSetsPerChunk];
  if (!chunk) {
    if (!add) return nullptr;
    const size_t first = index / kSetsPerChunk * kSetsPerChunk;
    const size_t count = std::min(sets - first, kSetsPerChunk);
    chunk = std::make_unique<Set[]>(count);
    bytes += count * sizeof(Set);
  }
  return &chunk[index % kSetsPerChunk];
}

void GhostTable::SetKeys(size_t keys) {
  const size_t wanted = std::max(keys / kWays, kMinSets);
  // Between three quarters and one and a half times of what is wanted nothing changes.
  if (now_.sets <= wanted + wanted / 2 && now_.sets >= wanted - wanted / 4) return;
  // The old generation lasts, even if the new one is replaced before it is full.
  if (puts_ > 0 && puts_ * 4 >= slots()) before_ = std::move(now_);
  now_ = Generation();
  now_.sets = wanted;
  now_.chunks.resize((wanted + kSetsPerChunk - 1) / kSetsPerChunk);
  puts_ = 0;
}

void GhostTable::Put(uint64_t hash, uint32_t use_class, uint32_t aging) {
  PINYON_ASSERT(use_class <= kMaxClass);
  PINYON_ASSERT(now_.sets > 0);
  uint16_t* slots_of_set = now_.Find(hash, true)->slots;
  size_t place = kWays - 1;
  if (slots_of_set[place] != 0) {
    for (size_t i = kWays; i-- > 0;) {
      if (ClassOf(slots_of_set[i]) < ClassOf(slots_of_set[place])) place = i;
    }
    if (aging % kAgeOneIn == 0) {
      for (size_t i = 0; i < kWays; ++i) {
        if (ClassOf(slots_of_set[i]) > 0) --slots_of_set[i];
      }
    }
  }
  std::move_backward(slots_of_set, slots_of_set + place, slots_of_set + place + 1);
  slots_of_set[0] = static_cast<uint16_t>(Fingerprint(hash) << 4 | use_class);
  if (++puts_ == slots()) before_ = Generation();
}

int GhostTable::TakeFrom(Set* set, uint64_t hash) {
  if (set == nullptr) return -1;
  uint16_t* const end = set->slots + kWays;
  uint16_t* const found =
      std::find_if(set->slots, end, [&](uint16_t slot) { return slot >> 4 == Fingerprint(hash); });
  if (found == end) return -1;
  const auto use_class = static_cast<int>(ClassOf(*found));
  std::move(found + 1, end, found);
  end[-1] = 0;
  return use_class;
}

int GhostTable::Take(uint64_t hash) {
  const int use_class = TakeFrom(now_.Find(hash, false), hash);
  return use_class >= 0 ? use_class : TakeFrom(before_.Find(hash, false), hash);
}

}  // namespace pinyon
