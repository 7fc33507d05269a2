// The table from key to item: a directory of segments (extendible hashing: Fagin, Nievergelt, Pippenger,
// Strong, ACM TODS 1979), each an open-addressed array of one-cache-line buckets. It holds the keyspace's
// entries, and the fields, members and scored members of large hashes, sets and sorted sets.
//
// An Item is one allocation, owned by the table, that has
//   std::string_view key() const                       never changes while the item is in the table
//   static void Delete(Item*)
//   static constexpr size_t kPrefetchLines             cache lines to fetch ahead of its use
//   static constexpr bool kCanExpire                   and, if so:
//   bool HasExpiry() const, int64_t expiry_ms() const
//   static constexpr bool kCountsBytes                 and, if so (the table sums up what its items take):
//   size_t AllocatedBytes() const                      of one size class as long as it is in the table
// The table is instantiated beside each kind of item, by including hash_table_impl.h there.
//
//   hash      [ directory bits, from the top ... ][ tag: 8 ][ home: 16 ]
//   directory 2^depth words: address of a segment (low 48 bits), number of its buckets (high 16)
//   segment   [header: 1 line][bucket 0] .. [bucket n-1][deadlines: u16 for each slot, only with expiring
//             keys]
//   bucket    [tags: 7][passed: 1][slots: 7 x 8]
//   slot      [home: 16][first bit of next][address: 44, of an item aligned to 8][other bits of next: 3]
//   next      up to three bits of the key's hash that will be the next directory bits, behind a one that
//             tells how many they are (0001: none, 1abc: three)
//
// A key's home bucket is home * n / 65536. When that is full the key goes to the next bucket with room, and
// each bucket it went past counts it in `passed`, so that a search knows where to stop and a removal leaves
// no tombstone. (At 255 the counter sticks until the segment is rebuilt.) A tag of zero means an empty slot.
//
// Growth: a segment is rebuilt one step larger when it is fuller than kMaxLoad: by a page, in place, within
// its 64 KiB block of address space; when that is full it splits in two. There is no moment at which
// everything doubles: only the directory does, 16 bytes for about 5,000 keys. Steps of a page keep the load
// between 82 and 92 % whatever the number of keys, and whole pages in place leave no holes behind.
//
// Rebuilding reads no entry. Splitting reads those whose slots do not know their next bit: each a miss of
// the caches, of the TLB, and under a hypervisor that has just looked for idle pages 10 us, while all
// segments split at nearly the same time. So a slot knows three bits when it is new, which leaves one entry
// in eight to be read, and each insertion into a large segment lets a neighbour of its slot learn its next
// ones, which leaves few. One insertion costs at most one split of about 6,500 slots (0.1 ms).
//
// Removal never moves anything. Shrinking and merging happen in Maintain(), in small steps.
//
// Order: both the directory and the home buckets follow the hash's order, whatever the sizes are, so a scan
// cursor is a place in hash order and stays valid while the table grows and shrinks.
//
// Deadlines: each slot of a segment with expiring keys has a 16-bit coarse deadline (kTickMs units, 0: none),
// so the next keys to expire are found without touching an entry. A deadline is never later than the key's
// expiry, unless both have passed; one farther away than the range stands for "look again then". When the
// clock goes back far, every deadline is made anew.
//
// Costs: 64 bytes for 7 slots at 82 to 92 % load: 10 to 11.2 bytes a key, and 2.2 to 2.5 more when keys
// expire.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "base/random.h"

namespace pinyon {

// What does not depend on the kind of item.
class HashTableLayout {
 public:
  static constexpr size_t kSlotsPerBucket = 7;
  static constexpr int64_t kTickMs = 64;

  struct Segment;

  // Where an item most likely is, and its deadline, if that will be needed.
  struct Likely {
    const char* item = nullptr;  // null: there is none
    const void* deadline = nullptr;
  };

 protected:
  static constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;

  // --- slots, as they are laid out above ---

  static constexpr uint64_t kItemMask = (uint64_t{1} << 47) - 8;
  static constexpr uint32_t kNextBits = 3;

  static uint32_t HomeOf(uint64_t slot) { return static_cast<uint32_t>(slot >> 48); }
  static uint32_t NextOf(uint64_t slot) { return static_cast<uint32_t>((slot & 7) | (slot >> 44 & 8)); }
  static uint64_t WithNext(uint64_t slot, uint32_t next) {
    PINYON_ASSERT(next > 0 && next < 2u << kNextBits);
    constexpr uint64_t kTop = uint64_t{1} << 47;
    return (slot & ~(kTop | 7)) | (next & 7) | (uint64_t{next} << 44 & kTop);
  }
  // As many bits as fit, for a segment of this depth.
  static uint32_t NextOfHash(uint64_t hash, uint8_t depth) {
    return 1u << kNextBits | static_cast<uint32_t>(hash << depth >> (64 - kNextBits));
  }
  static uint32_t KnownBits(uint64_t slot) { return static_cast<uint32_t>(std::bit_width(NextOf(slot))) - 1; }
  static bool NextBit(uint64_t slot) {
    PINYON_ASSERT(KnownBits(slot) > 0);
    return (NextOf(slot) >> (KnownBits(slot) - 1) & 1) != 0;
  }
  // The slot for a segment that is one bit deeper; and for one that is less deep, to which `bit` is the next.
  static uint64_t Deeper(uint64_t slot);
  static uint64_t LessDeep(uint64_t slot, bool bit);
  static void CheckNext(uint64_t slot, uint64_t hash, uint8_t depth);

  struct alignas(64) Bucket {
    uint8_t tags[kSlotsPerBucket];
    uint8_t passed;
    uint64_t slots[kSlotsPerBucket];
  };
  static_assert(sizeof(Bucket) == 64);

  static uint8_t Tag(uint64_t hash) {
    const uint8_t tag = static_cast<uint8_t>(hash >> 16);
    return tag == 0 ? 1 : tag;
  }
  static uint32_t Home(uint64_t hash) { return static_cast<uint32_t>(hash & 0xffff); }
  static uint32_t HomeBucket(uint32_t home, uint32_t buckets) { return home * buckets >> 16; }
  // The seven slots of a bucket whose tag is `tag`, as bits.
  static uint32_t MatchTags(const Bucket& bucket, uint8_t tag) {
    const __m128i tags = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & 0x7f;
  }
  static Bucket* Buckets(Segment* segment) { return reinterpret_cast<Bucket*>(segment) + 1; }
  static const Bucket* Buckets(const Segment* segment) {
    return reinterpret_cast<const Bucket*>(segment) + 1;
  }
  static uint16_t* Deadlines(Segment* segment);
  // Puts a slot into a segment that has room; returns the slot's index.
  static uint32_t Place(Segment* segment, uint64_t slot, uint8_t tag, uint16_t deadline);
  template <typename Target>
  static void MoveSlots(const Segment* from, Target target);
  static size_t DeadlineBytesOf(const Segment* segment);

  // The temporary copy of a segment.
  struct SegmentDeleter {
    void operator()(Segment* copy) const;
  };
  using SegmentCopy = std::unique_ptr<Segment, SegmentDeleter>;
  static SegmentCopy CopySegment(const Segment* segment);
};

template <typename Item>
class HashTable : public HashTableLayout {
 public:
  // A place in the table that holds an item. Valid until the next insertion, removal or maintenance.
  class Position {
   public:
    Position() = default;
    explicit operator bool() const { return slot_ != nullptr; }
    Item* entry() const { return ItemOf(*slot_); }
    Item* operator->() const { return entry(); }

   private:
    friend class HashTable;
    Position(uint64_t* slot, Segment* segment, uint32_t index)
        : slot_(slot), segment_(segment), index_(index) {}
    uint64_t* slot_ = nullptr;
    Segment* segment_ = nullptr;
    uint32_t index_ = 0;
  };

  explicit HashTable(const HashSeed& seed) : seed_(seed) {}
  // Frees all items.
  ~HashTable();
  HashTable(const HashTable&) = delete;
  HashTable& operator=(const HashTable&) = delete;

  const HashSeed& seed() const { return seed_; }
  uint64_t Hash(std::string_view key) const { return HashBytes(key, seed_); }
  size_t size() const { return size_; }
  size_t expiring() const { return expiring_; }

  // Hints for a later Find, in three steps: the bucket is fetched; when it has arrived, it tells where the
  // item most likely is (`to_write`: and what else Replace and Remove touch); that is fetched. Of several
  // hints each step is best taken for all of them, one right behind the other: even a hint waits until its
  // page's address is known, and the processor looks up those of neighbouring instructions together.
  void PrefetchBucket(uint64_t hash) const;
  Likely FindLikely(uint64_t hash, bool to_write = false) const;
  static void PrefetchLikely(const Likely& likely);
  // Both: what the bucket says, and the item.
  void PrefetchItem(uint64_t hash) const { PrefetchLikely(FindLikely(hash)); }

  Position Find(std::string_view key, uint64_t hash) const;
  // The item that has this hash, as far as the table keeps it: another one may be taken for it.
  Position FindHash(uint64_t hash) const;

  // Takes over an item whose key is not in the table.
  Position Insert(Item* item, uint64_t hash);
  // Puts another item with the same key in the place of the old one, which the caller frees; returns its
  // place. Also to be called with the same item when its expiry has changed. `hash` may be 0 when the old
  // item had an expiry.
  Position Replace(Position position, Item* item, uint64_t hash);
  // Takes the item out and returns it.
  Item* Remove(Position position);

  // Visits some items in hash order, starting at `cursor` (0: the beginning), at least `count` slots' worth
  // unless the end is reached; returns the next cursor, 0 at the end. Every item that is present throughout
  // a complete scan is visited at least once. The visitor must not change the table.
  uint64_t Scan(uint64_t cursor, size_t count, const std::function<void(Item*)>& visit) const;
  // As Scan, until `count` items were visited; but in a table that is nearly empty it gives up after some
  // steps.
  uint64_t ScanItems(uint64_t cursor, size_t count, const std::function<void(Item*)>& visit) const;
  // As Scan, to move items in memory: `move` returns where the item is now, itself or an exact copy of it,
  // and has freed the old one then. Mostly every item once.
  uint64_t Relocate(uint64_t cursor, size_t count, const std::function<Item*(Item*)>& move);
  // The same for one item that is known by its address, and what would be its hash if it were in the table;
  // false when it is not.
  bool RelocateItem(const Item* item, uint64_t hash, const std::function<Item*(Item*)>& move);
  // Visits every item once; the table must not change.
  void ForEach(const std::function<void(Item*)>& visit) const;

  // An item chosen with equal odds, null when empty.
  Position RandomPosition(Random& random) const;
  // An item among those with an expiry, null when there is none; odds are near enough equal for sampling.
  Position RandomExpiring(Random& random) const;

  // Fills `sample` with items that stand beside each other, beginning at a random place; with `expiring`,
  // only with those that have an expiry, and fewer where they are rare. Neighbours have nothing in common but
  // bits of their hash, so they do for a random sample, and seven share a cache line. Their first lines are
  // being fetched. Returns how many there are, 0 only when there is none in the table.
  size_t SampleNeighbours(Random& random, bool expiring, std::span<Item*> sample) const;

  // Looks for items whose deadline has passed and calls `expire` with each whose expiry is before `now_ms`;
  // `expire` must remove that item and nothing else, and returns false to stop. `should_stop` is asked after
  // each segment that had to be looked at: after a jump of the clock, or when far expiries come into range,
  // that may be all of them without one key to expire. Continues from call to call where it stopped. Returns
  // false when it was stopped, true at the end of a round over the table: what was due at its start is gone.
  //
  // With a `should_stop`, items that expire within the tick that has begun may be left for its end, since
  // only they themselves tell whether they have expired: of a million in one tick all would be read again and
  // again.
  bool ExpireDue(int64_t now_ms, const std::function<bool(Position)>& expire,
                 const std::function<bool()>& should_stop = {});

  // No item expires before this time (a lower bound; the more exact the later the last ExpireDue was);
  // INT64_MAX when none expires.
  int64_t EarliestDueMs() const;

  // Bounded housekeeping: shrinks and merges. Visits at most `segments` segments and rebuilds at most
  // `rebuilds` of them; returns true when it stopped at the latter, so that there may be more to do.
  bool Maintain(size_t segments, size_t rebuilds);

  // Maintenance for a table that nobody looks after periodically: to be called after each removal.
  void Tidy() {
    constexpr unsigned kRemovalsPerStep = 32;
    if (++untidy_ % kRemovalsPerStep == 0) Maintain(2, 1);
  }

  // Makes an empty table large enough for about `items` items, of which about `expiring` have an expiry, so
  // that putting them in rebuilds next to nothing. Takes the memory that they will need at once; what turns
  // out to be too much goes in Maintain.
  void Reserve(size_t items, size_t expiring);

  size_t SegmentCount() const { return segment_count_; }
  // Bytes of directory and segments, without items.
  size_t OverheadBytes() const { return segment_bytes_ + directory_.capacity() * 16; }
  // What of that deadlines take.
  size_t DeadlineBytes() const { return deadline_bytes_; }
  // What the items take from memory, if they are counted (kCountsBytes).
  uint64_t ItemBytes() const { return item_bytes_; }
  size_t SlotCapacity() const { return bucket_count_ * kSlotsPerBucket; }
  size_t DirectoryDepth() const { return depth_; }

  // Checks every invariant; for tests.
  void CheckConsistency() const;

 private:
  size_t DirectoryIndex(uint64_t hash) const {
    return depth_ == 0 ? 0 : static_cast<size_t>(hash >> (64 - depth_));
  }
  Segment* SegmentAt(size_t index) const {
    return reinterpret_cast<Segment*>(directory_[index] & kAddressMask);
  }
  void InitSegment(Segment* segment, size_t bytes, bool with_deadlines, uint8_t depth, uint64_t prefix);
  void ForgetSegment(const Segment* segment);
  void ReshapeInBlock(Segment* segment, size_t bytes, bool with_deadlines, uint8_t depth);
  static Item* ItemOf(uint64_t slot) { return reinterpret_cast<Item*>(slot & kItemMask); }
  void LearnNext(uint64_t* slot, uint8_t depth) const;
  void LearnOneNext(Segment* segment, uint32_t index) const;
  size_t LearnAllNext(Segment* segment) const;
  Segment* NewSegment(size_t bytes, bool with_deadlines, uint8_t depth, uint64_t prefix);
  void FreeSegment(Segment* segment);
  void InstallSegment(Segment* segment);
  Segment* Rebuild(Segment* segment, size_t bytes, bool with_deadlines);
  Segment* MakeRoom(uint64_t hash, bool with_expiry);
  Position PositionAt(Segment* segment, uint32_t index) const;
  void Split(Segment* segment);
  bool TryMerge(Segment* segment);
  bool Shrink(Segment* segment);
  void DoubleDirectory();
  void HalveDirectory();
  void SetDeadline(Segment* segment, uint32_t index, const Item* item);
  bool ExpireSegment(size_t directory_index, int64_t now_ms, const std::function<bool(Position)>& expire,
                     bool is_exact);
  static uint64_t BytesOf([[maybe_unused]] const Item* item);
  static bool Expires(const Item* item) {
    if constexpr (Item::kCanExpire) {
      return item->HasExpiry();
    } else {
      return false;
    }
  }
  static int64_t ExpiryMs(const Item* item) {
    if constexpr (Item::kCanExpire) {
      return item->expiry_ms();
    } else {
      return 0;
    }
  }
  // What Scan and Relocate share: visits slots.
  template <typename VisitSlot>
  uint64_t Walk(uint64_t cursor, size_t count, VisitSlot visit) const;
  static void PrefetchItems(const Bucket& bucket);
  // The item of this hash that is the one.
  template <typename IsIt>
  Position Probe(uint64_t hash, IsIt is_it) const;
  Segment* FirstSegment() const;
  Segment* NextSegment(const Segment* segment) const;
  size_t DirectoryStart(const Segment* segment) const;

  HashSeed seed_;
  // Address and bucket count of each segment; and, at the first index of each segment, the first tick at
  // which it may hold a key that is due (kNothingDue: none), kept apart so that looking for work is one pass
  // over a small array.
  std::vector<uint64_t> directory_;
  std::vector<int64_t> due_;
  uint8_t depth_ = 0;
  uint8_t deepest_seen_ = 0;  // of the segments met in this round of Maintain, or split since
  unsigned untidy_ = 0;       // removals since the last step of Tidy, and more
  size_t size_ = 0;
  uint64_t item_bytes_ = 0;
  size_t expiring_ = 0;
  size_t segment_count_ = 0;
  size_t segment_bytes_ = 0;
  size_t deadline_bytes_ = 0;  // of those
  size_t bucket_count_ = 0;
  size_t expire_next_ = 0;
  size_t expire_left_ = 0;  // places still to be visited in the round of ExpireDue that was stopped
  size_t maintain_next_ = 0;
  int64_t now_tick_ = 0;     // as of the last ExpireDue
  int64_t latest_tick_ = 0;  // of all ExpireDue calls since deadlines were last all distrusted
};

}  // namespace pinyon
