#include "base/alloc.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <deque>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

struct Piece {
  unsigned char* memory = nullptr;
  size_t size = 0;
  unsigned char pattern = 0;
};

Piece NewPiece(size_t size, unsigned char pattern) {
  auto* memory = static_cast<unsigned char*>(mem::Allocate(size));
  std::memset(memory, pattern, size);
  return {memory, size, pattern};
}

bool Intact(const Piece& piece) {
  return std::all_of(piece.memory, piece.memory + piece.size,
                     [&](unsigned char c) { return c == piece.pattern; });
}

// Mostly small, around the border to large, and some large ones.
size_t RandomSize(Random& random) {
  switch (random.Below(10)) {
    case 0: return mem::kMaxSmallBytes - 20 + random.Below(40);
    case 1: return mem::kMinEighthBytes - 20 + random.Below(40);
    case 2: return mem::kEighthBytes - 20 + random.Below(40);
    case 3: return 1 + random.Below(40'000);
    default: return 1 + random.Below(mem::kMaxSmallBytes);
  }
}

// So that the allocator's own lists and records have grown to their size before bytes are counted: twice,
// since those of chunks that were given back are there once more are needed.
void WarmUp() {
  mem::RegisterThread();
  for (int round = 0; round < 2; ++round) {
    std::vector<void*> pieces(400'000);
    for (void*& piece : pieces) piece = mem::Allocate(64);
    for (void* piece : pieces) mem::Free(piece, 64);
    while (mem::CollectFreed(1000)) {
    }
    mem::ReleaseSlabs(mem::TakeEmptySlabs(true));
  }
}

TEST_CASE("allocations of all sizes keep their bytes, alignment and exact count") {
  WarmUp();
  Random random(Catch::rngSeed());
  INFO("seed " << Catch::rngSeed());
  std::vector<Piece> pieces;
  pieces.reserve(3001);
  const uint64_t start = mem::UsedBytes();
  uint64_t expected = start;
  for (int step = 0; step < 60'000; ++step) {
    // Swings between empty and full, so that slabs fill and empty.
    const bool growing = (step / 6000) % 2 == 0;
    const bool allocate = pieces.empty() || (pieces.size() < 3000 && random.Below(10) < (growing ? 7 : 3));
    if (allocate) {
      const size_t size = RandomSize(random);
      pieces.push_back(NewPiece(size, static_cast<unsigned char>(random.Next())));
      expected += mem::UsableSize(size);
      if (reinterpret_cast<uintptr_t>(pieces.back().memory) % 8 != 0) FAIL("unaligned");
    } else {
      std::swap(pieces[random.Below(pieces.size())], pieces.back());
      const Piece piece = pieces.back();
      pieces.pop_back();
      if (!Intact(piece)) FAIL("bytes changed at step " << step);
      mem::Free(piece.memory, piece.size);
      expected -= mem::UsableSize(piece.size);
    }
    if (const uint64_t used = mem::UsedBytes(); used != expected) {
      FAIL("step " << step << ": " << used << " bytes used, expected " << expected);
    }
  }
  for (const Piece& piece : pieces) {
    if (!Intact(piece)) FAIL("bytes changed");
    mem::Free(piece.memory, piece.size);
  }
  CHECK(mem::UsedBytes() == start);
}

TEST_CASE("sizes round up to eight bytes, larger ones to 64, and classes are what shares a rounded size") {
  for (size_t size = 1; size <= mem::kMaxFineBytes; ++size) {
    if (mem::UsableSize(size) != (size + 7) / 8 * 8) FAIL("size " << size);
  }
  for (size_t size = mem::kMaxFineBytes + 1; size <= mem::kMaxSmallBytes; ++size) {
    if (mem::UsableSize(size) != (size + 63) / 64 * 64) FAIL("size " << size);
  }
  for (size_t size = mem::kMinEighthBytes; size <= mem::kEighthBytes; ++size) {
    if (mem::UsableSize(size) != mem::kEighthBytes) FAIL("size " << size);
  }
  CHECK_FALSE(mem::SameClass(mem::kMinEighthBytes - 1, mem::kMinEighthBytes));
  CHECK_FALSE(mem::SameClass(mem::kEighthBytes, mem::kEighthBytes + 1));
  Random random(Catch::rngSeed());
  for (int i = 0; i < 20'000; ++i) {
    const size_t a = RandomSize(random);
    const size_t b =
        random.Below(2) == 0 ? RandomSize(random) : std::max<size_t>(9, a + random.Below(17)) - 8;
    const bool same = mem::UsableSize(a) == mem::UsableSize(b);
    if (mem::SameClass(a, b) != same) FAIL("sizes " << a << " and " << b);
    if (mem::UsableSize(a) < a || (a <= b && mem::UsableSize(a) > mem::UsableSize(b))) FAIL("size " << a);
    if (!mem::SameClass(a, mem::UsableSize(a))) FAIL("size " << a);
  }
}

TEST_CASE("a block may be freed as any size of its class") {
  const uint64_t start = mem::UsedBytes();
  for (size_t size = 1; size <= mem::kEighthBytes + 100; ++size) {
    void* block = mem::Allocate(size);
    std::memset(block, 1, mem::UsableSize(size));
    mem::Free(block, mem::UsableSize(size));
    block = mem::Allocate(mem::UsableSize(size));
    mem::Free(block, size);
  }
  CHECK(mem::UsedBytes() == start);
}

TEST_CASE("aligned allocations are aligned and counted") {
  mem::RegisterThread();
  for (const size_t size : {size_t{64}, size_t{320}, size_t{2560}, size_t{65'536}}) {
    const uint64_t start = mem::UsedBytes();
    void* block = mem::AllocateAligned(size, 64);
    const uint64_t held = mem::UsedBytes();
    std::memset(block, 1, size);
    const bool aligned = reinterpret_cast<uintptr_t>(block) % 64 == 0;
    mem::FreeAligned(block, size, 64);
    const uint64_t end = mem::UsedBytes();
    CHECK(aligned);
    CHECK(held >= start + size);
    CHECK(end == start);
  }
}

TEST_CASE("blocks grow and shrink in place and keep the part that is used") {
  Random random(Catch::rngSeed());
  constexpr size_t kPages = mem::kBlockBytes / mem::kPageBytes;
  struct Block {
    unsigned char* memory;
    size_t used;
    unsigned char pattern;
  };
  std::vector<Block> blocks;
  blocks.reserve(200);
  {  // The allocator's own lists.
    std::vector<void*> warm(200);
    for (void*& block : warm) block = mem::AllocateBlock(mem::kPageBytes);
    for (void* block : warm) mem::FreeBlock(block, mem::kPageBytes);
  }
  const uint64_t start = mem::UsedBytes();
  uint64_t used = 0;
  for (int step = 0; step < 5000; ++step) {
    const size_t bytes = (1 + random.Below(kPages)) * mem::kPageBytes;
    if (blocks.size() < 100 && random.Below(3) == 0) {
      auto* memory = static_cast<unsigned char*>(mem::AllocateBlock(bytes));
      if (reinterpret_cast<uintptr_t>(memory) % mem::kPageBytes != 0) FAIL("unaligned");
      blocks.push_back({memory, bytes, static_cast<unsigned char>(step)});
      std::memset(memory, blocks.back().pattern, bytes);
      used += bytes;
    } else if (!blocks.empty()) {
      Block& block = blocks[random.Below(blocks.size())];
      const size_t kept = std::min(block.used, bytes);
      for (size_t i = 0; i < block.used; i += 997) {
        if (block.memory[i] != block.pattern) FAIL("bytes changed");
      }
      used -= block.used;
      if (random.Below(3) == 0) {
        mem::FreeBlock(block.memory, block.used);
        block = blocks.back();
        blocks.pop_back();
      } else {
        mem::ResizeBlock(block.memory, block.used, bytes);
        std::memset(block.memory + kept, block.pattern, bytes - kept);
        block.used = bytes;
        used += bytes;
      }
    }
    if (mem::UsedBytes() != start + used) FAIL("step " << step << ", seed " << Catch::rngSeed());
  }
  for (const Block& block : blocks) mem::FreeBlock(block.memory, block.used);
  CHECK(mem::UsedBytes() == start);
}

TEST_CASE("blocks that another thread frees are counted at once and used again") {
  std::vector<void*> blocks(64);
  for (int round = 0; round < 3; ++round) {
    for (void*& block : blocks) {
      block = mem::AllocateBlock(2 * mem::kPageBytes);
      std::memset(block, 1, 2 * mem::kPageBytes);
    }
    const uint64_t held = mem::UsedBytes();
    uint64_t after = 0;
    std::thread([&] {
      for (void* block : blocks) mem::FreeBlock(block, 2 * mem::kPageBytes);
      mem::ReleaseFreedBlocks();
      after = mem::UsedBytes();
    }).join();
    // Starting the thread took a little.
    CHECK(after < held - blocks.size() * 2 * mem::kPageBytes + 10'000);
  }
}

TEST_CASE("what another thread frees comes back to the owner") {
  WarmUp();
  constexpr size_t kPieces = 50'000, kSize = 56;
  std::vector<void*> pieces(kPieces);
  for (void*& piece : pieces) {
    piece = mem::Allocate(kSize);
    std::memset(piece, 7, kSize);
  }
  const uint64_t slab_bytes = mem::GetSlabStats().slab_bytes;
  const uint64_t held = mem::UsedBytes();
  std::thread([&] {
    for (void* piece : pieces) mem::Free(piece, kSize);
  }).join();
  CHECK(mem::UsedBytes() < held - kPieces * kSize + 10'000);  // before anything is taken back
  // As many again need no new slab: taking back is part of allocating.
  for (void*& piece : pieces) piece = mem::Allocate(kSize);
  CHECK(mem::GetSlabStats().slab_bytes <= slab_bytes + 10 * mem::kBlockBytes);
  std::sort(pieces.begin(), pieces.end());
  CHECK(std::adjacent_find(pieces.begin(), pieces.end()) == pieces.end());
  for (void* piece : pieces) mem::Free(piece, kSize);
}

#ifndef PINYON_PLAIN_MALLOC

struct ProcessBytes {
  uint64_t mapped = 0;
  uint64_t resident = 0;
};
ProcessBytes OwnBytes() {
  std::ifstream statm("/proc/self/statm");
  ProcessBytes pages;
  statm >> pages.mapped >> pages.resident;
  return {pages.mapped * mem::kPageBytes, pages.resident * mem::kPageBytes};
}

uint64_t BytesOf(const std::vector<mem::EmptyRange>& ranges) {
  uint64_t bytes = 0;
  for (const mem::EmptyRange& range : ranges) {
    if (range.chunk != nullptr) bytes += range.bytes;
  }
  return bytes;
}

TEST_CASE("empty slabs give their memory back to the system") {
  const bool from_another_thread = GENERATE(false, true);
  WarmUp();
  constexpr size_t kPieces = 200'000, kSize = 104;
  std::vector<void*> pieces(kPieces);
  mem::GiveBackUnused();  // of earlier tests
  const uint64_t resident_before = OwnBytes().resident;
  for (void*& piece : pieces) {
    piece = mem::Allocate(kSize);
    std::memset(piece, 7, kSize);
  }
  const uint64_t resident_full = OwnBytes().resident;
  CHECK(resident_full > resident_before + kPieces * kSize * 8 / 10);
  const auto free_all = [&] {
    for (void* piece : pieces) mem::Free(piece, kSize);
  };
  if (from_another_thread) {
    std::thread(free_all).join();
    CHECK(mem::CollectFreed(3));
    while (mem::CollectFreed(100)) {
    }
  } else {
    free_all();
  }
  const mem::SlabStats emptied = mem::GetSlabStats();
  CHECK(emptied.empty_bytes > kPieces * kSize * 9 / 10);
  const std::vector<mem::EmptyRange> empty = mem::TakeEmptySlabs(true);
  const mem::SlabStats trimmed = mem::GetSlabStats();
  CHECK(trimmed.empty_bytes <= 16 * mem::kBlockBytes);
  CHECK(trimmed.empty_bytes == emptied.empty_bytes - BytesOf(empty));
  CHECK(trimmed.used_bytes == emptied.used_bytes);
  CHECK(mem::TakeEmptySlabs(true).empty());
  std::thread([&] { mem::ReleaseSlabs(empty); }).join();
  CHECK(OwnBytes().resident < resident_full - kPieces * kSize * 8 / 10);

  // Its address space is used again.
  const uint64_t mapped = OwnBytes().mapped;
  for (void*& piece : pieces) piece = mem::Allocate(kSize);
  CHECK(OwnBytes().mapped < mapped + kPieces * kSize / 2);
  free_all();
}

TEST_CASE("the blocks in chosen slabs are told, each once") {
  WarmUp();
  constexpr size_t kSize = 72, kMany = 200'000;
  std::vector<void*> pieces(kMany);
  for (void*& piece : pieces) piece = mem::Allocate(kSize);
  std::set<void*> left;
  for (size_t i = 0; i < kMany; ++i) {
    if (i % 10 == 0) {
      left.insert(pieces[i]);
    } else {
      mem::Free(pieces[i], kSize);
    }
  }
  mem::BeginRound();
  while (mem::ChooseSparseChunks(1)) {
  }
  REQUIRE(mem::ChosenSlabs() > 0);
  std::set<void*> told;
  std::array<mem::ChosenBlock, 7> blocks;
  size_t count;
  bool has_more;
  do {
    has_more = mem::NextChosenBlocks(blocks, &count);
    for (size_t i = 0; i < count; ++i) {
      if (!left.contains(blocks[i].memory)) continue;  // somebody else's
      CHECK(blocks[i].bytes == kSize);
      CHECK(told.insert(blocks[i].memory).second);
      void* moved = mem::Relocate(blocks[i].memory, kSize);
      REQUIRE(moved != blocks[i].memory);
      left.erase(blocks[i].memory);
      left.insert(moved);
    }
  } while (has_more);
  // What was chosen has been told, all of it.
  for (void* piece : left) CHECK_FALSE(mem::IsToMove(piece, kSize));
  CHECK(told.size() > kMany / 20);
  while (mem::ReturnChosenChunks(1)) {
  }
  for (void* piece : left) mem::Free(piece, kSize);
}

TEST_CASE("an emptied slab serves another class") {
  WarmUp();
  std::vector<void*> pieces(100'000);
  for (void*& piece : pieces) piece = mem::Allocate(40);
  const uint64_t slab_bytes = mem::GetSlabStats().slab_bytes;
  for (void* piece : pieces) mem::Free(piece, 40);
  pieces.resize(50'000);
  for (void*& piece : pieces) piece = mem::Allocate(72);
  CHECK(mem::GetSlabStats().slab_bytes <= slab_bytes + 10 * mem::kBlockBytes);
  for (void* piece : pieces) mem::Free(piece, 72);
}

#endif

// Frees what the owner hands over, on several threads, checking that nobody else wrote to it.
class FreeingThreads {
 public:
  explicit FreeingThreads(int count) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { Run(); });
  }
  // Returns whether all was intact.
  bool Finish() {
    stopping_ = true;
    for (std::thread& thread : threads_) thread.join();
    return !damaged_;
  }
  void Give(const Piece& piece) {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(piece);
  }
  size_t Waiting() {
    const std::lock_guard lock(mutex_);
    return pieces_.size();
  }

 private:
  void Run() {
    mem::RegisterThread();
    while (true) {
      std::vector<Piece> some;
      {
        const std::lock_guard lock(mutex_);
        const size_t count = std::min<size_t>(pieces_.size(), 32);
        some.assign(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(count));
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(count));
        if (count == 0 && stopping_) return;
      }
      if (some.empty()) std::this_thread::yield();
      for (const Piece& piece : some) {
        if (!Intact(piece)) damaged_ = true;
        mem::Free(piece.memory, piece.size);
      }
    }
  }

  std::mutex mutex_;
  std::deque<Piece> pieces_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> damaged_{false};
  std::vector<std::thread> threads_;
};

TEST_CASE("other threads free while the owner allocates and frees") {
  WarmUp();
  Random random(Catch::rngSeed());
  std::vector<void*> ballast(100'000);
  for (void*& piece : ballast) piece = mem::Allocate(104);
  const uint64_t start = mem::UsedBytes();
  uint64_t least = start, most = start;
  {
    FreeingThreads threads(2);
    std::vector<Piece> own;
    for (int step = 0; step < 300'000; ++step) {
      // Few classes, so that the same slabs are freed into from all sides.
      const size_t size = random.Below(50) == 0 ? RandomSize(random) : 24 + 8 * random.Below(4);
      const Piece piece = NewPiece(size, static_cast<unsigned char>(step));
      if (random.Below(3) == 0) {
        own.push_back(piece);
      } else {
        threads.Give(piece);
        if (step % 64 == 0) {
          while (threads.Waiting() > 2000) std::this_thread::yield();
        }
      }
      if (own.size() > 2000) {
        std::swap(own[random.Below(own.size())], own.back());
        if (!Intact(own.back())) FAIL("bytes changed at step " << step);
        mem::Free(own.back().memory, own.back().size);
        own.pop_back();
      }
      if (step % 4 == 0) {
        const uint64_t bytes = mem::UsedBytes();
        least = std::min(least, bytes);
        most = std::max(most, bytes);
      }
    }
    for (const Piece& piece : own) {
      if (!Intact(piece)) FAIL("bytes changed");
      mem::Free(piece.memory, piece.size);
    }
    CHECK(threads.Finish());
  }
  while (mem::CollectFreed(1000)) {
  }
  // A moment's error is what other threads have in hand at most.
  CHECK(least + 1'000'000 > start);
  CHECK(most < start + 100'000'000);
  // Starting and ending threads may leave something behind, losing count of blocks would leave megabytes.
  CHECK(mem::UsedBytes() < start + 100'000);
  CHECK(mem::UsedBytes() + 100'000 > start);
  for (void* piece : ballast) mem::Free(piece, 104);
}

}  // namespace
}  // namespace pinyon
