// Ways through a table: scans, random choice, active expiry, and the check of its invariants. (A part of
// hash_table_impl.h.)
#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include "base/prefetch.h"
#include "types/hash_table.h"
#include "types/hash_table_segment.h"

namespace pinyon {

namespace table_detail {

// A scan cursor: where the scan goes on in hash order. [directory bits, left-aligned: 32][home: 16][depth:
// 6], with the depth of the segment when the cursor was made. All zero is the beginning.
struct Cursor {
  uint64_t prefix;  // as in a hash, at the top of 64 bits
  uint32_t home;
  uint8_t depth;

  static Cursor Decode(uint64_t value) {
    return {(value >> 22) << 32, static_cast<uint32_t>(value >> 6 & 0xffff),
            static_cast<uint8_t>(value & 0x3f)};
  }
  uint64_t Encode() const { return (prefix >> 32) << 22 | uint64_t{home} << 6 | depth; }
};

// The first home value that belongs to bucket `index` of `buckets`.
inline uint32_t FirstHome(uint32_t index, uint32_t buckets) {
  return ((index << 16) + buckets - 1) / buckets;
}

inline constexpr uint32_t kDeadlinesAtOnce = 8;

// Of the next eight deadlines (or as many as are left), those that have passed, as bits; `*set` are those
// that are not zero, and `*earliest_ahead` is lowered to the nearest of those to come.
inline uint32_t DueDeadlines(const uint16_t* deadlines, uint32_t left, int64_t now_tick, uint32_t* set,
                             int64_t* earliest_ahead) {
  alignas(16) uint16_t last[kDeadlinesAtOnce] = {};
  if (left < kDeadlinesAtOnce) {
    std::copy_n(deadlines, left, last);
    deadlines = last;
  }
  const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(deadlines));
  const __m128i zero = _mm_setzero_si128();
  const __m128i unset = _mm_cmpeq_epi16(values, zero);
  const __m128i ahead = _mm_sub_epi16(values, _mm_set1_epi16(static_cast<int16_t>(now_tick)));
  const __m128i to_come = _mm_andnot_si128(unset, _mm_cmpgt_epi16(ahead, zero));
  const auto bits = [zero](__m128i mask) {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(mask, zero)));
  };
  *set = ~bits(unset) & 0xff;
  const uint32_t future = bits(to_come);
  if (future != 0) {
    // What is not to come counts as far away.
    const __m128i far = _mm_set1_epi16(std::numeric_limits<int16_t>::max());
    __m128i nearest = _mm_or_si128(_mm_and_si128(to_come, ahead), _mm_andnot_si128(to_come, far));
    nearest = _mm_min_epi16(nearest, _mm_srli_si128(nearest, 8));
    nearest = _mm_min_epi16(nearest, _mm_srli_si128(nearest, 4));
    nearest = _mm_min_epi16(nearest, _mm_srli_si128(nearest, 2));
    *earliest_ahead = std::min<int64_t>(*earliest_ahead, static_cast<int16_t>(_mm_extract_epi16(nearest, 0)));
  }
  return *set & ~future;
}

}  // namespace table_detail

using namespace table_detail;

// Items mostly lie where nothing was lately: two buckets ahead, fourteen of them, they are there when their
// turn comes.
inline constexpr uint32_t kBucketsAhead = 3;

template <typename Item>
void HashTable<Item>::PrefetchItems(const Bucket& bucket) {
  for (uint32_t full = ~MatchTags(bucket, 0) & 0x7f; full != 0; full &= full - 1)
    Prefetch(ItemOf(bucket.slots[__builtin_ctz(full)]));
}

template <typename Item>
template <typename VisitSlot>
uint64_t HashTable<Item>::Walk(uint64_t cursor_value, size_t count, VisitSlot visit) const {
  PINYON_ASSERT(count > 0);
  if (size_ == 0) return 0;
  const Cursor cursor = Cursor::Decode(cursor_value);
  Segment* segment = SegmentAt(DirectoryIndex(cursor.prefix));
  // A segment that was merged since: what came from its other half may not have been visited at all.
  uint32_t home = segment->depth < cursor.depth ? 0 : cursor.home;
  size_t visited = 0;
  while (true) {
    Bucket* buckets = Buckets(segment);
    uint32_t fetched = HomeBucket(home, segment->buckets);
    for (uint32_t b = fetched; b < segment->buckets; ++b) {
      if (visited >= count) return Cursor{segment->prefix, home, segment->depth}.Encode();
      for (; fetched < std::min(b + kBucketsAhead, segment->buckets); ++fetched)
        PrefetchItems(buckets[fetched]);
      const size_t before = visited;
      // The keys that are at home here, wherever they found room.
      for (uint32_t i = b;;) {
        Bucket& bucket = buckets[i];
        for (uint32_t full = ~MatchTags(bucket, 0) & 0x7f; full != 0; full &= full - 1) {
          uint64_t& slot = bucket.slots[__builtin_ctz(full)];
          const uint32_t slot_home = HomeOf(slot);
          if (HomeBucket(slot_home, segment->buckets) != b || slot_home < home) continue;
          visit(slot);
          ++visited;
        }
        if (bucket.passed == 0) break;
        if (++i == segment->buckets) i = 0;
        if (i == b) break;
      }
      if (visited == before) ++visited;
      home = FirstHome(b + 1, segment->buckets);
    }
    segment = NextSegment(segment);
    if (segment == nullptr) return 0;
    home = 0;
    if (visited >= count) return Cursor{segment->prefix, 0, segment->depth}.Encode();
  }
}

template <typename Item>
uint64_t HashTable<Item>::Scan(uint64_t cursor, size_t count, const std::function<void(Item*)>& visit) const {
  return Walk(cursor, count, [&](uint64_t slot) { visit(ItemOf(slot)); });
}

template <typename Item>
uint64_t HashTable<Item>::Relocate(uint64_t cursor, size_t count, const std::function<Item*(Item*)>& move) {
  return Walk(cursor, count, [&](uint64_t& slot) {
    Item* item = move(ItemOf(slot));
    PINYON_ASSERT((reinterpret_cast<uint64_t>(item) & ~kItemMask) == 0);
    slot = (slot & ~kItemMask) | reinterpret_cast<uint64_t>(item);
  });
}

template <typename Item>
bool HashTable<Item>::RelocateItem(const Item* item, uint64_t hash, const std::function<Item*(Item*)>& move) {
  const Position position = Probe(hash, [item](const Item* other) { return other == item; });
  if (!position) return false;
  uint64_t& slot = *position.slot_;
  slot = (slot & ~kItemMask) | reinterpret_cast<uint64_t>(move(ItemOf(slot)));
  return true;
}

template <typename Item>
uint64_t HashTable<Item>::ScanItems(uint64_t cursor, size_t count,
                                    const std::function<void(Item*)>& visit) const {
  constexpr int kMaxSteps = 10;
  size_t visited = 0;
  const auto count_and_visit = [&](Item* item) {
    ++visited;
    visit(item);
  };
  for (int step = 0; step < kMaxSteps && visited < count; ++step) {
    cursor = Scan(cursor, count - visited, count_and_visit);
    if (cursor == 0) break;
  }
  return cursor;
}

template <typename Item>
void HashTable<Item>::ForEach(const std::function<void(Item*)>& visit) const {
  for (const Segment* segment = FirstSegment(); segment != nullptr; segment = NextSegment(segment)) {
    const Bucket* buckets = Buckets(segment);
    for (uint32_t b = 0; b < segment->buckets; ++b) {
      for (uint32_t full = ~MatchTags(buckets[b], 0) & 0x7f; full != 0; full &= full - 1) {
        visit(ItemOf(buckets[b].slots[__builtin_ctz(full)]));
      }
    }
  }
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::RandomPosition(Random& random) const {
  if (size_ == 0) return {};
  // Each slot of the table, and as many that do not exist as make all segments equally large, are equally
  // likely; what is not an entry is drawn again. A segment that stands in the directory more than once counts
  // once.
  const uint32_t slots_drawn_from =
      depth_ == 0 ? SegmentAt(0)->buckets * static_cast<uint32_t>(kSlotsPerBucket)
                  : BucketsIn(kMaxSegmentBytes, false) * static_cast<uint32_t>(kSlotsPerBucket);
  constexpr int kMaxTries = 20000;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const size_t place = random.Below(directory_.size());
    Segment* segment = SegmentAt(place);
    if (DirectoryStart(segment) != place) continue;
    const uint32_t index = static_cast<uint32_t>(random.Below(slots_drawn_from));
    if (index >= segment->buckets * kSlotsPerBucket) continue;
    Bucket& bucket = Buckets(segment)[index / kSlotsPerBucket];
    if (bucket.tags[index % kSlotsPerBucket] != 0) return PositionAt(segment, index);
  }
  // Almost empty (before it shrinks): count off a random number of entries.
  uint64_t left = random.Below(size_);
  for (Segment* segment = FirstSegment(); segment != nullptr; segment = NextSegment(segment)) {
    if (left >= segment->used) {
      left -= segment->used;
      continue;
    }
    for (uint32_t index = 0;; ++index) {
      if (Buckets(segment)[index / kSlotsPerBucket].tags[index % kSlotsPerBucket] == 0) continue;
      if (left-- == 0) return PositionAt(segment, index);
    }
  }
  PINYON_CHECK(false);
  return {};
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::RandomExpiring(Random& random) const {
  if (expiring_ == 0) return {};
  constexpr int kMaxTries = 64;
  size_t place = random.Below(directory_.size());
  // After some tries at random, one after the other: there are few.
  for (int tries = 0; SegmentAt(place)->expiring == 0; ++tries) {
    place = tries < kMaxTries ? random.Below(directory_.size()) : (place + 1) % directory_.size();
  }
  Segment* segment = SegmentAt(place);
  const uint16_t* deadlines = Deadlines(segment);
  const uint32_t slots = segment->buckets * static_cast<uint32_t>(kSlotsPerBucket);
  uint32_t index = static_cast<uint32_t>(random.Below(slots));
  while (deadlines[index] == 0) index = index + 1 == slots ? 0 : index + 1;
  return PositionAt(segment, index);
}

template <typename Item>
size_t HashTable<Item>::SampleNeighbours(Random& random, bool expiring, std::span<Item*> sample) const {
  // Where few expire the search for the next of them ends after so many slots.
  constexpr uint32_t kMaxSlots = 1024;
  constexpr uint32_t kSlots = static_cast<uint32_t>(kSlotsPerBucket);
  const Position start = expiring ? RandomExpiring(random) : RandomPosition(random);
  if (!start) return 0;
  Segment* segment = start.segment_;
  const Bucket* buckets = Buckets(segment);
  const uint16_t* deadlines = expiring ? Deadlines(segment) : nullptr;
  size_t count = 0;
  const auto take = [&](uint32_t index) {
    Item* item = ItemOf(buckets[index / kSlots].slots[index % kSlots]);
    Prefetch(reinterpret_cast<const char*>(item));
    sample[count++] = item;
  };
  const uint32_t slots = segment->buckets * kSlots;
  const uint32_t steps = expiring ? std::min(slots, kMaxSlots) : slots;
  uint32_t index = start.index_;
  for (uint32_t step = 0; step < steps && count < sample.size(); ++step) {
    const bool wanted = expiring ? deadlines[index] != 0 : buckets[index / kSlots].tags[index % kSlots] != 0;
    if (wanted) take(index);
    if (++index == slots) index = 0;
  }
  return count;
}

template <typename Item>
typename HashTable<Item>::Position HashTable<Item>::FindHash(uint64_t hash) const {
  if (directory_.empty()) return {};
  Segment* segment = SegmentAt(DirectoryIndex(hash));
  const uint32_t count = segment->buckets;
  uint32_t index = HomeBucket(Home(hash), count);
  for (uint32_t visited = 0; visited < count; ++visited) {
    const Bucket& bucket = Buckets(segment)[index];
    for (uint32_t matches = MatchTags(bucket, Tag(hash)); matches != 0; matches &= matches - 1) {
      const auto s = static_cast<uint32_t>(__builtin_ctz(matches));
      if (HomeOf(bucket.slots[s]) == Home(hash)) {
        return PositionAt(segment, index * static_cast<uint32_t>(kSlotsPerBucket) + s);
      }
    }
    if (bucket.passed == 0) return {};
    if (++index == count) index = 0;
  }
  return {};
}

template <typename Item>
int64_t HashTable<Item>::EarliestDueMs() const {
  if (expiring_ == 0) return std::numeric_limits<int64_t>::max();
  // Every place is looked at, those that are no segment's first hold kNothingDue.
  const int64_t tick = *std::min_element(due_.begin(), due_.end());
  // (kDueUnknown, and what is due since before 1970, are due at any time.)
  return tick <= 0 ? 0 : tick * kTickMs;
}

template <typename Item>
bool HashTable<Item>::ExpireDue(int64_t now_ms, const std::function<bool(Position)>& expire,
                                const std::function<bool()>& should_stop) {
  now_tick_ = TickOf(now_ms);
  if (now_tick_ < latest_tick_ - kDeadlineRange / 2) {
    // The clock went back so far that deadlines of keys long due then (SetDeadline) are ahead, and their
    // expiries may be ahead or not: look at every one.
    for (int64_t& due : due_) due = due == kNothingDue ? due : kDueUnknown;
    latest_tick_ = now_tick_;
    expire_left_ = 0;
  }
  latest_tick_ = std::max(latest_tick_, now_tick_);
  if (expiring_ == 0) return true;
  const size_t places = directory_.size();
  if (expire_left_ == 0) expire_left_ = places;
  while (expire_left_ > 0) {
    if (expire_next_ >= places) expire_next_ = 0;
    const bool is_due = due_[expire_next_] <= now_tick_;
    if (is_due && !ExpireSegment(expire_next_, now_ms, expire, !should_stop)) return false;
    ++expire_next_;
    --expire_left_;
    if (is_due && expire_left_ > 0 && should_stop && should_stop()) return false;
  }
  return true;
}

template <typename Item>
bool HashTable<Item>::ExpireSegment(size_t place, int64_t now_ms, const std::function<bool(Position)>& expire,
                                    bool is_exact) {
  Segment* segment = SegmentAt(place);
  PINYON_ASSERT(DirectoryStart(segment) == place);
  if (segment->expiring == 0) {
    due_[place] = kNothingDue;
    return true;
  }
  uint16_t* deadlines = Deadlines(segment);
  const uint32_t slots = segment->buckets * static_cast<uint32_t>(kSlotsPerBucket);
  // Sixteen bits do not tell what was due long ago from what is due far ahead: then every entry is looked at.
  const bool trust_deadlines = now_tick_ - due_[place] <= kDeadlineRange;
  // Candidates in groups, so that their entries can be fetched together.
  constexpr size_t kGroup = 16;
  std::array<uint32_t, kGroup + kDeadlinesAtOnce> group;
  int64_t earliest_ahead = std::numeric_limits<int16_t>::max();
  bool any_left = false;
  // Of those in the tick that has begun.
  constexpr size_t kMostEarly = 64;
  const size_t most_early = is_exact || !trust_deadlines ? SIZE_MAX : kMostEarly;
  size_t read_early = 0;
  for (uint32_t next = 0; next < slots;) {
    size_t count = 0;
    for (; next < slots && count < kGroup; next += kDeadlinesAtOnce) {
      uint32_t set = 0;
      const uint32_t due = DueDeadlines(deadlines + next, slots - next, now_tick_, &set, &earliest_ahead);
      any_left = any_left || set != due;
      for (uint32_t bits = trust_deadlines ? due : set; bits != 0; bits &= bits - 1) {
        const uint32_t index = next + static_cast<uint32_t>(__builtin_ctz(bits));
        if (read_early >= most_early && DeadlineAhead(deadlines[index], now_tick_) == 0) {
          earliest_ahead = std::min<int64_t>(earliest_ahead, 0);
          any_left = true;
          continue;
        }
        Prefetch(PositionAt(segment, index).entry());
        group[count++] = index;
      }
    }
    for (size_t i = 0; i < count; ++i) {
      const Position position = PositionAt(segment, group[i]);
      if (ExpiryMs(position.entry()) < now_ms) {
        if (!expire(position)) return false;
        continue;
      }
      SetDeadline(segment, group[i], position.entry());
      earliest_ahead = std::min(earliest_ahead, DeadlineAhead(deadlines[group[i]], now_tick_));
      any_left = true;
      ++read_early;
    }
  }
  due_[place] = any_left ? now_tick_ + earliest_ahead : kNothingDue;
  return true;
}

// What a slot knows of its next bits is so.
inline void HashTableLayout::CheckNext(uint64_t slot, uint64_t hash, uint8_t depth) {
  PINYON_CHECK(NextOf(slot) > 0);
  PINYON_CHECK(NextOf(slot) == NextOfHash(hash, depth) >> (kNextBits - KnownBits(slot)));
}

template <typename Item>
void HashTable<Item>::CheckConsistency() const {
  size_t size = 0, expiring = 0, segments = 0, bytes = 0, buckets_seen = 0, deadline_bytes = 0;
  uint64_t item_bytes = 0;
  for (size_t place = 0; place < directory_.size();) {
    const Segment* segment = SegmentAt(place);
    PINYON_CHECK(segment->depth <= depth_);
    const size_t copies = size_t{1} << (depth_ - segment->depth);
    PINYON_CHECK(DirectoryStart(segment) == place);
    for (size_t i = 0; i < copies; ++i) {
      PINYON_CHECK(SegmentAt(place + i) == segment && directory_[place + i] >> 48 == segment->buckets);
    }
    std::vector<uint32_t> passed(segment->buckets, 0);
    size_t used = 0, segment_expiring = 0;
    const uint16_t* deadlines = segment->has_deadlines ? Deadlines(const_cast<Segment*>(segment)) : nullptr;
    for (uint32_t index = 0; index < segment->buckets * kSlotsPerBucket; ++index) {
      const Bucket& bucket = Buckets(segment)[index / kSlotsPerBucket];
      const uint64_t slot = bucket.slots[index % kSlotsPerBucket];
      if (bucket.tags[index % kSlotsPerBucket] == 0) {
        PINYON_CHECK(slot == 0 && (deadlines == nullptr || deadlines[index] == 0));
        continue;
      }
      ++used;
      const Item* entry = ItemOf(slot);
      item_bytes += BytesOf(entry);
      const uint64_t hash = Hash(entry->key());
      PINYON_CHECK(Tag(hash) == bucket.tags[index % kSlotsPerBucket] && Home(hash) == HomeOf(slot));
      CheckNext(slot, hash, segment->depth);
      PINYON_CHECK(SegmentAt(DirectoryIndex(hash)) == segment);
      PINYON_CHECK(Find(entry->key(), hash).entry() == entry);
      uint32_t b = HomeBucket(Home(hash), segment->buckets);
      for (; b != index / kSlotsPerBucket; b = b + 1 == segment->buckets ? 0 : b + 1) ++passed[b];
      PINYON_CHECK(Expires(entry) == (deadlines != nullptr && deadlines[index] != 0));
      if (!Expires(entry)) continue;
      ++segment_expiring;
      PINYON_CHECK(due_[place] <= std::max(TickOf(ExpiryMs(entry)), now_tick_));
    }
    for (uint32_t b = 0; b < segment->buckets; ++b) {
      const uint8_t counted = Buckets(segment)[b].passed;
      PINYON_CHECK(counted == kStuck || counted == passed[b]);
    }
    PINYON_CHECK(used == segment->used && segment_expiring == segment->expiring);
    size += used;
    expiring += segment_expiring;
    ++segments;
    bytes += segment->bytes;
    deadline_bytes += DeadlineBytesOf(segment);
    buckets_seen += segment->buckets;
    place += copies;
  }
  PINYON_CHECK(item_bytes == item_bytes_);
  PINYON_CHECK(size == size_ && expiring == expiring_ && segments == segment_count_ &&
               bytes == segment_bytes_);
  PINYON_CHECK(buckets_seen == bucket_count_ && deadline_bytes == deadline_bytes_);
}

}  // namespace pinyon
