// The definitions of HashTable<Item>: included only where a kind of item instantiates the table. Here:
// segments, lookup and changes; hash_table_scan_impl.h has the ways through a table.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/alloc.h"
#include "base/prefetch.h"
#include "types/hash_table.h"
#include "types/hash_table_scan_impl.h"
#include "types/hash_table_segment.h"

namespace pinyon {

namespace table_detail {

template <typename Word>
Word Difference(const char* a, const char* b) {
  Word first, second;
  std::memcpy(&first, a, sizeof first);
  std::memcpy(&second, b, sizeof second);
  return first ^ second;
}

// Comparing short keys by words, of which two may overlap, costs a third of a call of memcmp.
inline bool SameKey(std::string_view a, std::string_view b) {
  const size_t n = a.size();
  if (n != b.size()) return false;
  const char *p = a.data(), *q = b.data();
  if (n < 4 || n > 32) return std::memcmp(p, q, n) == 0;
  if (n < 8) return (Difference<uint32_t>(p, q) | Difference<uint32_t>(p + n - 4, q + n - 4)) == 0;
  uint64_t difference = Difference<uint64_t>(p + n - 8, q + n - 8);
  for (size_t i = 0; i + 8 < n; i += 8) difference |= Difference<uint64_t>(p + i, q + i);
  return difference == 0;
}

}  // namespace table_detail

using namespace table_detail;

inline uint16_t* HashTableLayout::Deadlines(Segment* segment) {
  PINYON_ASSERT(segment->has_deadlines);
  return reinterpret_cast<uint16_t*>(Buckets(segment) + segment->buckets);
}

inline size_t HashTableLayout::DeadlineBytesOf(const Segment* segment) {
  return segment->has_deadlines ? segment->buckets * kDeadlineBytesPerBucket : 0;
}

template <typename Item>
HashTable<Item>::~HashTable() {
  if (directory_.empty()) return;
  // Entries lie anywhere in memory: fetch some ahead of the one that is being freed.
  constexpr size_t kAhead = 8;
  std::array<Item*, kAhead> ahead{};
  size_t next = 0;
  ForEach([&](Item* entry) {
    Prefetch(entry);
    std::swap(entry, ahead[next]);
    next = (next + 1) % kAhead;
    if (entry != nullptr) Item::Delete(entry);
  });
  for (Item* entry : ahead) {
    if (entry != nullptr) Item::Delete(entry);
  }
  for (Segment *segment = FirstSegment(), *following; segment != nullptr; segment = following) {
    following = NextSegment(segment);
    FreeSegment(segment);
  }
}

// --- segments ---

// Clears `segment` and makes it an empty one of `bytes` bytes, which it must have.
template <typename Item>
void HashTable<Item>::InitSegment(Segment* segment, size_t bytes, bool with_deadlines, uint8_t depth,
                                  uint64_t prefix) {
  std::memset(static_cast<void*>(segment), 0, bytes);
  segment->prefix = prefix;
  segment->bytes = static_cast<uint32_t>(bytes);
  segment->buckets = BucketsIn(static_cast<uint32_t>(bytes), with_deadlines);
  segment->depth = depth;
  segment->has_deadlines = with_deadlines;
  segment_bytes_ += bytes;
  deadline_bytes_ += DeadlineBytesOf(segment);
  bucket_count_ += segment->buckets;
}

template <typename Item>
HashTableLayout::Segment* HashTable<Item>::NewSegment(size_t bytes, bool with_deadlines, uint8_t depth,
                                                      uint64_t prefix) {
  void* memory =
      bytes <= kMaxSmallSegment ? mem::AllocateAligned(bytes, kLineBytes) : mem::AllocateBlock(bytes);
  Segment* segment = static_cast<Segment*>(memory);
  InitSegment(segment, bytes, with_deadlines, depth, prefix);
  ++segment_count_;
  return segment;
}

template <typename Item>
void HashTable<Item>::ForgetSegment(const Segment* segment) {
  segment_bytes_ -= segment->bytes;
  deadline_bytes_ -= DeadlineBytesOf(segment);
  bucket_count_ -= segment->buckets;
}

template <typename Item>
void HashTable<Item>::FreeSegment(Segment* segment) {
  ForgetSegment(segment);
  --segment_count_;
  if (segment->bytes <= kMaxSmallSegment) {
    mem::FreeAligned(segment, segment->bytes, kLineBytes);
  } else {
    mem::FreeBlock(segment, segment->bytes);
  }
}

// A copy of a segment's memory from which its slots are put back after it was cleared.
inline HashTableLayout::SegmentCopy HashTableLayout::CopySegment(const Segment* segment) {
  void* memory = mem::AllocateAligned(segment->bytes, kLineBytes);
  std::memcpy(memory, segment, segment->bytes);
  return SegmentCopy(static_cast<Segment*>(memory));
}

inline void HashTableLayout::SegmentDeleter::operator()(Segment* copy) const {
  mem::FreeAligned(copy, copy->bytes, kLineBytes);
}

// Empties a segment that lies in a block and gives it another size there.
template <typename Item>
void HashTable<Item>::ReshapeInBlock(Segment* segment, size_t bytes, bool with_deadlines, uint8_t depth) {
  PINYON_ASSERT(segment->bytes > kMaxSmallSegment && bytes > kMaxSmallSegment);
  const uint64_t prefix = segment->prefix;
  ForgetSegment(segment);
  mem::ResizeBlock(segment, segment->bytes, bytes);
  InitSegment(segment, bytes, with_deadlines, depth, prefix);
}

template <typename Item>
size_t HashTable<Item>::DirectoryStart(const Segment* segment) const {
  return DirectoryIndex(segment->prefix);
}

// Enters a segment at all its places in the directory.
template <typename Item>
void HashTable<Item>::InstallSegment(Segment* segment) {
  PINYON_ASSERT(segment->depth <= depth_);
  const uint64_t word = reinterpret_cast<uint64_t>(segment) | static_cast<uint64_t>(segment->buckets) << 48;
  const size_t start = DirectoryStart(segment), count = size_t{1} << (depth_ - segment->depth);
  std::fill_n(directory_.begin() + static_cast<ptrdiff_t>(start), count, word);
}

template <typename Item>
HashTableLayout::Segment* HashTable<Item>::FirstSegment() const {
  return directory_.empty() ? nullptr : SegmentAt(0);
}

template <typename Item>
HashTableLayout::Segment* HashTable<Item>::NextSegment(const Segment* segment) const {
  const size_t next = DirectoryStart(segment) + (size_t{1} << (depth_ - segment->depth));
  return next < directory_.size() ? SegmentAt(next) : nullptr;
}

inline uint32_t HashTableLayout::Place(Segment* segment, uint64_t slot, uint8_t tag, uint16_t deadline) {
  Bucket* buckets = Buckets(segment);
  uint32_t index = HomeBucket(HomeOf(slot), segment->buckets);
  uint32_t free_slots = MatchTags(buckets[index], 0);
  while (free_slots == 0) {
    if (buckets[index].passed != kStuck) ++buckets[index].passed;
    if (++index == segment->buckets) index = 0;
    free_slots = MatchTags(buckets[index], 0);
  }
  const uint32_t in_bucket = static_cast<uint32_t>(__builtin_ctz(free_slots));
  buckets[index].tags[in_bucket] = tag;
  buckets[index].slots[in_bucket] = slot;
  const uint32_t slot_index = index * static_cast<uint32_t>(kSlotsPerBucket) + in_bucket;
  ++segment->used;
  if (deadline != 0) {
    Deadlines(segment)[slot_index] = deadline;
    ++segment->expiring;
  }
  return slot_index;
}

inline uint64_t HashTableLayout::Deeper(uint64_t slot) {
  PINYON_ASSERT(KnownBits(slot) > 0);
  const uint32_t left = KnownBits(slot) - 1;
  return WithNext(slot, 1u << left | (NextOf(slot) & ((1u << left) - 1)));
}

inline uint64_t HashTableLayout::LessDeep(uint64_t slot, bool bit) {
  const uint32_t known = KnownBits(slot);
  const uint32_t longer = 2u << known | (bit ? 1u << known : 0u) | (NextOf(slot) & ((1u << known) - 1));
  return WithNext(slot, known < kNextBits ? longer : longer >> 1);
}

// Puts each slot into the segment that `target` says, which may change the slot.
template <typename Target>
void HashTableLayout::MoveSlots(const Segment* from, Target target) {
  const Bucket* buckets = Buckets(from);
  const uint16_t* deadlines = from->has_deadlines ? Deadlines(const_cast<Segment*>(from)) : nullptr;
  for (uint32_t b = 0; b < from->buckets; ++b) {
    for (uint32_t full = ~MatchTags(buckets[b], 0) & 0x7f; full != 0; full &= full - 1) {
      const uint32_t s = static_cast<uint32_t>(__builtin_ctz(full));
      const uint16_t deadline = deadlines != nullptr ? deadlines[b * kSlotsPerBucket + s] : uint16_t{0};
      uint64_t slot = buckets[b].slots[s];
      Segment* to = target(&slot);
      Place(to, slot, buckets[b].tags[s], deadline);
    }
  }
}

template <typename Item>
HashTableLayout::Segment* HashTable<Item>::Rebuild(Segment* segment, size_t bytes, bool with_deadlines) {
  if (segment->bytes > kMaxSmallSegment && bytes > kMaxSmallSegment) {
    const SegmentCopy copy = CopySegment(segment);
    ReshapeInBlock(segment, bytes, with_deadlines, segment->depth);
    MoveSlots(copy.get(), [segment](uint64_t*) { return segment; });
    InstallSegment(segment);
    return segment;
  }
  Segment* rebuilt = NewSegment(bytes, with_deadlines, segment->depth, segment->prefix);
  MoveSlots(segment, [rebuilt](uint64_t*) { return rebuilt; });
  InstallSegment(rebuilt);
  FreeSegment(segment);
  return rebuilt;
}

// Lets a slot know its next bits, for which its entry is read.
template <typename Item>
void HashTable<Item>::LearnNext(uint64_t* slot, uint8_t depth) const {
  *slot = WithNext(*slot, NextOfHash(Hash(ItemOf(*slot)->key()), depth));
}

// Of the slots that stand beside that at `index`.
template <typename Item>
void HashTable<Item>::LearnOneNext(Segment* segment, uint32_t index) const {
  Bucket& bucket = Buckets(segment)[index / kSlotsPerBucket];
  for (uint32_t full = ~MatchTags(bucket, 0) & 0x7f; full != 0; full &= full - 1) {
    uint64_t& slot = bucket.slots[__builtin_ctz(full)];
    if (KnownBits(slot) == 0) return LearnNext(&slot, segment->depth);
  }
}

// All that know none; entries are fetched ahead. Returns in how many slots the next bit is set.
template <typename Item>
size_t HashTable<Item>::LearnAllNext(Segment* segment) const {
  constexpr size_t kAhead = 16;
  std::array<uint64_t*, kAhead> fetched{};
  size_t next = 0, upper = 0;
  const auto learn = [&](uint64_t* slot) {
    if (slot == nullptr) return;
    LearnNext(slot, segment->depth);
    upper += NextBit(*slot) ? 1 : 0;
  };
  Bucket* buckets = Buckets(segment);
  for (uint32_t b = 0; b < segment->buckets; ++b) {
    for (uint32_t full = ~MatchTags(buckets[b], 0) & 0x7f; full != 0; full &= full - 1) {
      uint64_t* slot = &buckets[b].slots[__builtin_ctz(full)];
      if (KnownBits(*slot) > 0) {
        upper += NextBit(*slot) ? 1 : 0;
        continue;
      }
      Prefetch(ItemOf(*slot));
      std::swap(slot, fetched[next]);
      next = (next + 1) % kAhead;
      learn(slot);
    }
  }
  for (uint64_t* slot : fetched) learn(slot);
  return upper;
}

template <typename Item>
void HashTable<Item>::Split(Segment* segment) {
  if (segment->depth == depth_) DoubleDirectory();
  const uint8_t depth = static_cast<uint8_t>(segment->depth + 1);
  const uint64_t bit = uint64_t{1} << (64 - depth);
  const bool with_deadlines = segment->expiring > 0;
  const size_t upper_used = LearnAllNext(segment);

  const auto size_for = [&](size_t used) {
    const uint32_t bytes = SizeFor(used + 1, with_deadlines, kMaxLoadPercent);
    // Zero when all keys are on one side: that one will split again.
    return std::max<uint32_t>(bytes != 0 ? bytes : kMaxSegmentBytes, mem::kPageBytes);
  };
  const int64_t due = due_[DirectoryStart(segment)];
  const SegmentCopy copy = CopySegment(segment);
  Segment* low = segment;
  ReshapeInBlock(low, size_for(copy->used - upper_used), with_deadlines, depth);
  Segment* high = NewSegment(size_for(upper_used), with_deadlines, depth, copy->prefix | bit);
  MoveSlots(copy.get(), [low, high](uint64_t* slot) {
    Segment* to = NextBit(*slot) ? high : low;
    *slot = Deeper(*slot);
    return to;
  });
  PINYON_ASSERT(high->used == upper_used);
  deepest_seen_ = std::max(deepest_seen_, depth);
  InstallSegment(low);
  InstallSegment(high);
  // Both halves inherit the earlier bound; the next look at them makes it exact.
  due_[DirectoryStart(low)] = low->expiring > 0 ? due : kNothingDue;
  due_[DirectoryStart(high)] = high->expiring > 0 ? due : kNothingDue;
}

template <typename Item>
void HashTable<Item>::DoubleDirectory() {
  PINYON_CHECK(depth_ < kMaxDepth);
  const size_t old_size = directory_.size();
  std::vector<uint64_t> directory(old_size * 2);
  std::vector<int64_t> due(old_size * 2, kNothingDue);
  for (size_t i = 0; i < old_size; ++i) {
    directory[2 * i] = directory[2 * i + 1] = directory_[i];
    due[2 * i] = due_[i];
  }
  directory_.swap(directory);
  due_.swap(due);
  ++depth_;
  expire_next_ *= 2;
  expire_left_ *= 2;
  maintain_next_ *= 2;
}

template <typename Item>
void HashTable<Item>::HalveDirectory() {
  for (size_t i = 0; i < directory_.size() / 2; ++i) {
    PINYON_ASSERT(directory_[2 * i] == directory_[2 * i + 1]);
    directory_[i] = directory_[2 * i];
    due_[i] = due_[2 * i];
  }
  directory_.resize(directory_.size() / 2);
  due_.resize(due_.size() / 2);
  directory_.shrink_to_fit();
  due_.shrink_to_fit();
  --depth_;
  expire_next_ /= 2;
  expire_left_ = (expire_left_ + 1) / 2;
  maintain_next_ /= 2;
}

// Makes the segment that `hash` belongs to able to take one more entry, with an expiry if need be.
template <typename Item>
HashTableLayout::Segment* HashTable<Item>::MakeRoom(uint64_t hash, bool with_expiry) {
  while (true) {
    Segment* segment = SegmentAt(DirectoryIndex(hash));
    const bool with_deadlines = with_expiry || segment->expiring > 0;
    const bool fits =
        (segment->used + size_t{1}) * 100 <= segment->buckets * kSlotsPerBucket * kMaxLoadPercent;
    if (fits && (segment->has_deadlines || !with_expiry)) return segment;
    const uint32_t bytes = SizeFor(segment->used + size_t{1}, with_deadlines, kMaxLoadPercent);
    if (bytes != 0) {
      Rebuild(segment, std::max(bytes, fits ? segment->bytes : bytes), with_deadlines);
    } else {
      Split(segment);
    }
  }
}

template <typename Item>
void HashTable<Item>::Reserve(size_t items, size_t expiring) {
  PINYON_ASSERT(size_ == 0);
  if (!directory_.empty() || items == 0) return;
  // Where nearly every segment would get one, they have deadlines from the start.
  const bool with_deadlines = expiring >= 4 * (items / (kMaxSegmentBytes / kLineBytes * kSlotsPerBucket) + 1);
  // Keys fall into segments by chance: room for two standard deviations more than the average.
  const auto size_at = [&](uint8_t depth) {
    const auto average = static_cast<double>(items) / static_cast<double>(uint64_t{1} << depth);
    return SizeFor(static_cast<size_t>(average + 2 * std::sqrt(average)) + 1, with_deadlines,
                   kMaxLoadPercent);
  };
  uint8_t depth = 0;
  while (depth < kMaxDepth && size_at(depth) == 0) ++depth;
  const uint32_t bytes = size_at(depth);
  if (bytes == 0) return;
  depth_ = depth;
  directory_.resize(size_t{1} << depth);
  due_.assign(directory_.size(), kNothingDue);
  for (uint64_t i = 0; i < directory_.size(); ++i) {
    InstallSegment(NewSegment(bytes, with_deadlines, depth, depth == 0 ? 0 : i << (64 - depth)));
  }
  deepest_seen_ = depth;
}

// --- lookup ---

template <typename Item>
void HashTable<Item>::PrefetchBucket(uint64_t hash) const {
  if (directory_.empty()) return;
  const uint64_t word = directory_[DirectoryIndex(hash)];
  const Bucket* buckets = Buckets(reinterpret_cast<const Segment*>(word & kAddressMask));
  const Bucket* home = buckets + HomeBucket(Home(hash), static_cast<uint32_t>(word >> 48));
  Prefetch(home);
  // One key in four had to go on to the next bucket.
  Prefetch(home + 1);
}

template <typename Item>
HashTableLayout::Likely HashTable<Item>::FindLikely(uint64_t hash, bool to_write) const {
  if (directory_.empty()) return {};
  constexpr uint32_t kBucketsLookedAt = 2;
  const uint64_t word = directory_[DirectoryIndex(hash)];
  const Bucket* buckets = Buckets(reinterpret_cast<const Segment*>(word & kAddressMask));
  const uint32_t count = static_cast<uint32_t>(word >> 48);
  uint32_t index = HomeBucket(Home(hash), count);
  for (uint32_t looked_at = 0; looked_at < kBucketsLookedAt; ++looked_at) {
    const Bucket& bucket = buckets[index];
    for (uint32_t matches = MatchTags(bucket, Tag(hash)); matches != 0; matches &= matches - 1) {
      const auto in_bucket = static_cast<uint32_t>(__builtin_ctz(matches));
      const uint64_t slot = bucket.slots[in_bucket];
      if (HomeOf(slot) != Home(hash)) continue;
      Likely likely{.item = reinterpret_cast<const char*>(ItemOf(slot))};
      if (to_write && expiring_ > 0) {
        // Where the deadline is, if the segment has some.
        const auto* deadlines = reinterpret_cast<const uint16_t*>(buckets + count);
        likely.deadline = deadlines + index * kSlotsPerBucket + in_bucket;
      }
      return likely;
    }
    if (bucket.passed == 0) break;
    if (++index == count) index = 0;
  }
  return {};
}

template <typename Item>
void HashTable<Item>::PrefetchLikely(const Likely& likely) {
  if (likely.item == nullptr) return;
  for (size_t line = 0; line < Item::kPrefetchLines; ++line) Prefetch(likely.item + line * kLineBytes);
  if (likely.deadline != nullptr) Prefetch(likely.deadline);
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::Find(std::string_view key, uint64_t hash) const {
  return Probe(hash, [key](const Item* item) { return SameKey(item->key(), key); });
}

template <typename Item>
template <typename IsIt>
[[gnu::always_inline]] inline typename HashTable<Item>::Position HashTable<Item>::Probe(uint64_t hash,
                                                                                        IsIt is_it) const {
  if (directory_.empty()) return {};
  const uint64_t word = directory_[DirectoryIndex(hash)];
  Segment* segment = reinterpret_cast<Segment*>(word & kAddressMask);
  const uint32_t count = static_cast<uint32_t>(word >> 48);
  const uint32_t home = Home(hash);
  const uint8_t tag = Tag(hash);
  Bucket* buckets = Buckets(segment);
  uint32_t index = HomeBucket(home, count);
  for (uint32_t visited = 0; visited < count; ++visited) {
    Bucket& bucket = buckets[index];
    for (uint32_t matches = MatchTags(bucket, tag); matches != 0; matches &= matches - 1) {
      const uint32_t s = static_cast<uint32_t>(__builtin_ctz(matches));
      const uint64_t slot = bucket.slots[s];
      if (HomeOf(slot) != home) continue;
      if (is_it(ItemOf(slot))) {
        return Position(&bucket.slots[s], segment, index * static_cast<uint32_t>(kSlotsPerBucket) + s);
      }
    }
    if (bucket.passed == 0) return {};
    if (++index == count) index = 0;
  }
  return {};
}

// --- changes ---

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::Insert(Item* entry, uint64_t hash) {
  PINYON_ASSERT(hash == Hash(entry->key()));
  PINYON_ASSERT((reinterpret_cast<uint64_t>(entry) & ~kItemMask) == 0);
  PINYON_ASSERT(!Find(entry->key(), hash));
  if (directory_.empty()) {
    Segment* first = NewSegment(SizeFor(1, Expires(entry), kMaxLoadPercent), Expires(entry), 0, 0);
    directory_.resize(1);
    due_.assign(1, kNothingDue);
    InstallSegment(first);
  }
  Segment* segment = MakeRoom(hash, Expires(entry));
  const uint64_t slot = reinterpret_cast<uint64_t>(entry) | static_cast<uint64_t>(Home(hash)) << 48;
  const uint32_t index = Place(segment, WithNext(slot, NextOfHash(hash, segment->depth)), Tag(hash), 0);
  if (segment->bytes > kMaxSegmentBytes / 2) LearnOneNext(segment, index);
  ++size_;
  item_bytes_ += BytesOf(entry);
  if (Expires(entry)) SetDeadline(segment, index, entry);
  return PositionAt(segment, index);
}

template <typename Item>
uint64_t HashTable<Item>::BytesOf(const Item* item) {
  if constexpr (Item::kCountsBytes) {
    return mem::UsableSize(item->AllocatedBytes());
  } else {
    return 0;
  }
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::PositionAt(Segment* segment, uint32_t index) const {
  Bucket& bucket = Buckets(segment)[index / kSlotsPerBucket];
  PINYON_ASSERT(bucket.tags[index % kSlotsPerBucket] != 0);
  return Position(&bucket.slots[index % kSlotsPerBucket], segment, index);
}

// Brings a slot's deadline, and the counts, in line with its entry.
template <typename Item>
void HashTable<Item>::SetDeadline(Segment* segment, uint32_t index, const Item* entry) {
  if (!segment->has_deadlines) {
    PINYON_ASSERT(!Expires(entry));
    return;
  }
  uint16_t& deadline = Deadlines(segment)[index];
  if (!Expires(entry)) {
    if (deadline == 0) return;
    deadline = 0;
    --segment->expiring;
    --expiring_;
    return;
  }
  if (deadline == 0) {
    ++segment->expiring;
    ++expiring_;
  }
  const int64_t tick =
      std::clamp(TickOf(ExpiryMs(entry)), now_tick_ - kDeadlineRange / 2, now_tick_ + kDeadlineRange);
  deadline = DeadlineOf(tick);
  int64_t& due = due_[DirectoryStart(segment)];
  due = std::min(due, tick - 1);  // DeadlineOf may have gone back by one
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::Replace(Position position, Item* entry, uint64_t hash) {
  PINYON_ASSERT(position);
  Segment* segment = position.segment_;
  item_bytes_ += BytesOf(entry) - BytesOf(position.entry());
  PINYON_ASSERT((reinterpret_cast<uint64_t>(entry) & ~kItemMask) == 0);
  *position.slot_ = reinterpret_cast<uint64_t>(entry) | (*position.slot_ & ~kItemMask);
  if (Expires(entry) && !segment->has_deadlines) {
    PINYON_ASSERT(hash != 0 && hash == Hash(entry->key()));
    // MakeRoom may find the segment full for the larger layout and move or split it.
    segment = MakeRoom(hash, true);
    position = Find(entry->key(), hash);
    segment = position.segment_;
  }
  SetDeadline(segment, position.index_, entry);
  return position;
}

template <typename Item>
Item* HashTable<Item>::Remove(Position position) {
  PINYON_ASSERT(position);
  Segment* segment = position.segment_;
  Item* entry = position.entry();
  Bucket* buckets = Buckets(segment);
  const uint32_t found = position.index_ / static_cast<uint32_t>(kSlotsPerBucket);
  if (segment->has_deadlines) {
    uint16_t& deadline = Deadlines(segment)[position.index_];
    if (deadline != 0) {
      deadline = 0;
      --segment->expiring;
      --expiring_;
    }
  }
  for (uint32_t b = HomeBucket(HomeOf(*position.slot_), segment->buckets); b != found;) {
    PINYON_ASSERT(buckets[b].passed > 0);
    if (buckets[b].passed != kStuck) --buckets[b].passed;
    if (++b == segment->buckets) b = 0;
  }
  buckets[found].tags[position.index_ % kSlotsPerBucket] = 0;
  *position.slot_ = 0;
  --segment->used;
  --size_;
  item_bytes_ -= BytesOf(entry);
  return entry;
}

// --- housekeeping ---

template <typename Item>
bool HashTable<Item>::TryMerge(Segment* segment) {
  if (segment->depth == 0) return false;
  const uint64_t bit = uint64_t{1} << (64 - segment->depth);
  Segment* buddy = SegmentAt(DirectoryIndex(segment->prefix ^ bit));
  if (buddy->depth != segment->depth) return false;
  const bool with_deadlines = segment->expiring + buddy->expiring > 0;
  const size_t used = size_t{segment->used} + buddy->used;
  const uint32_t bytes = SizeFor(used + 1, with_deadlines, kShrunkLoadPercent);
  if (bytes == 0 || bytes > kMaxSegmentBytes / 2) return false;
  const int64_t due = std::min(due_[DirectoryStart(segment)], due_[DirectoryStart(buddy)]);
  due_[DirectoryStart(segment)] = due_[DirectoryStart(buddy)] = kNothingDue;
  Segment* merged =
      NewSegment(bytes, with_deadlines, static_cast<uint8_t>(segment->depth - 1), segment->prefix & ~bit);
  for (const Segment* half : {segment, buddy}) {
    MoveSlots(half, [&](uint64_t* slot) {
      *slot = LessDeep(*slot, (half->prefix & bit) != 0);
      return merged;
    });
  }
  InstallSegment(merged);
  due_[DirectoryStart(merged)] = due;
  FreeSegment(segment);
  FreeSegment(buddy);
  return true;
}

template <typename Item>
bool HashTable<Item>::Maintain(size_t segments, size_t rebuilds) {
  if (directory_.empty()) return false;
  for (; segments > 0; --segments) {
    if (maintain_next_ >= directory_.size()) {
      maintain_next_ = 0;
      // A whole round has passed: the directory may have become too deep.
      if (depth_ > 0 && deepest_seen_ < depth_) HalveDirectory();
      deepest_seen_ = 0;
    }
    Segment* segment = SegmentAt(maintain_next_);
    maintain_next_ = DirectoryStart(segment);
    if (Shrink(segment)) {
      // Looked at again in its new shape, which may shrink further.
      if (--rebuilds == 0) return true;
      maintain_next_ = DirectoryStart(SegmentAt(maintain_next_));
      continue;
    }
    deepest_seen_ = std::max(deepest_seen_, segment->depth);
    maintain_next_ += size_t{1} << (depth_ - segment->depth);
  }
  return false;
}

// Merges or shrinks a segment that has become too empty; returns whether it did.
template <typename Item>
bool HashTable<Item>::Shrink(Segment* segment) {
  if (segment->used * size_t{100} >= segment->buckets * kSlotsPerBucket * kMinLoadPercent) return false;
  if (TryMerge(segment)) return true;
  const bool with_deadlines = segment->expiring > 0;
  const uint32_t bytes = SizeFor(segment->used + size_t{1}, with_deadlines, kShrunkLoadPercent);
  if (bytes == 0 || bytes >= segment->bytes) return false;
  Rebuild(segment, bytes, with_deadlines);
  return true;
}

}  // namespace pinyon
