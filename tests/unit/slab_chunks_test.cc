#include "base/slab_chunks.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "base/random.h"

namespace pinyon::mem {
namespace {

constexpr size_t kSlabs = SlabChunk::kSlabs;

std::vector<SlabChunks::Slab> TakeMany(SlabChunks& chunks, size_t count) {
  std::vector<SlabChunks::Slab> taken;
  for (size_t i = 0; i < count; ++i) taken.push_back(chunks.Take(false));
  return taken;
}

void ReturnAll(SlabChunks& chunks, const std::vector<SlabChunks::Slab>& slabs) {
  for (const SlabChunks::Slab& slab : slabs) chunks.Return(slab.chunk, slab.memory);
}

TEST_CASE("slab chunks: the fullest chunk gives the next slab") {
  SlabChunks chunks;
  const auto slabs = TakeMany(chunks, 3 * kSlabs);
  REQUIRE(chunks.chunk_count() == 3);
  CHECK(chunks.live_slabs() == 3 * kSlabs);
  CHECK(chunks.ready_slabs() == 0);
  SlabChunk* const some_left = slabs[0].chunk;
  SlabChunk* const most_left = slabs[kSlabs].chunk;
  for (size_t i = 0; i < 20; ++i) chunks.Return(some_left, slabs[i].memory);
  for (size_t i = 0; i < 3; ++i) chunks.Return(most_left, slabs[kSlabs + i].memory);
  CHECK(chunks.ready_slabs() == 23);
  for (int i = 0; i < 3; ++i) {
    const SlabChunks::Slab slab = chunks.Take(false);
    CHECK(slab.chunk == most_left);
    CHECK(slab.is_there);
  }
  CHECK(chunks.Take(false).chunk == some_left);
}

TEST_CASE("slab chunks: what is empty is given back whole, and parts only beyond what is kept") {
  SlabChunks chunks;
  const auto slabs = TakeMany(chunks, 3 * kSlabs);
  for (const SlabChunks::Slab& slab : slabs) std::memset(slab.memory, 7, SlabChunks::kSlabBytes);
  // One chunk is empty, of one two slabs are left, of one all but four.
  for (size_t i = 0; i < kSlabs; ++i) chunks.Return(slabs[i].chunk, slabs[i].memory);
  for (size_t i = 0; i < kSlabs; ++i) {
    if (i != 0 && i != 10) chunks.Return(slabs[kSlabs + i].chunk, slabs[kSlabs + i].memory);
  }
  for (size_t i = 0; i < 4; ++i) chunks.Return(slabs[2 * kSlabs + i].chunk, slabs[2 * kSlabs + i].memory);
  CHECK(chunks.ready_slabs() == kSlabs + 30 + 4);
  CHECK(chunks.ready_in_empty_chunks() == kSlabs);

  std::vector<EmptyRange> taken;
  chunks.TakeReady(kSlabs + 34, kSlabs + 34, {10, 10}, &taken);
  CHECK(taken.empty());  // nothing beyond
  chunks.TakeReady(0, 4, {10, 10}, &taken);
  REQUIRE(taken.size() == 3);
  CHECK(taken[0].memory == slabs[0].chunk->memory);
  CHECK(taken[0].bytes == ChunkSupply::kChunkBytes);
  // The emptiest chunk goes, in as few pieces as can be.
  CHECK(taken[1].bytes == 9 * SlabChunks::kSlabBytes);
  CHECK(taken[2].bytes == 21 * SlabChunks::kSlabBytes);
  CHECK(taken[1].chunk == slabs[kSlabs].chunk);
  CHECK(chunks.ready_slabs() == 4);
  CHECK(chunks.chunk_count() == 2);

  // Until it is back it is nobody's.
  for (int i = 0; i < 4; ++i) CHECK(chunks.Take(false).chunk == slabs[2 * kSlabs].chunk);
  CHECK(chunks.ready_slabs() == 0);
  std::thread([&] {
    for (const EmptyRange& range : taken) chunks.Release(range);
  }).join();
  std::set<char*> seen = {slabs[kSlabs].memory, slabs[kSlabs + 10].memory};
  for (int i = 0; i < 30; ++i) {
    const SlabChunks::Slab slab = chunks.Take(false);
    CHECK(slab.chunk == slabs[kSlabs].chunk);
    CHECK_FALSE(slab.is_there);
    CHECK(*slab.memory == 0);
    CHECK(seen.insert(slab.memory).second);
  }
  // Then the address space of the whole one.
  CHECK(chunks.Take(false).memory == slabs[0].chunk->memory);
}

TEST_CASE("slab chunks: a chunk that becomes empty while a part of it is away holds up nobody") {
  SlabChunks chunks;
  const auto slabs = TakeMany(chunks, 3 * kSlabs);
  SlabChunk* const first = slabs[0].chunk;
  for (size_t i = 1; i < kSlabs; ++i) chunks.Return(first, slabs[i].memory);
  std::vector<EmptyRange> part;
  chunks.TakeReady(0, 0, {0, 1}, &part);
  REQUIRE(part.size() == 1);
  for (size_t i = kSlabs; i < 3 * kSlabs; ++i) chunks.Return(slabs[i].chunk, slabs[i].memory);
  chunks.Return(first, slabs[0].memory);
  std::vector<EmptyRange> rest;
  chunks.TakeReady(0, 0, {10, 10}, &rest);
  CHECK(rest.size() == 2);
  CHECK(chunks.chunk_count() == 1);
  // And when that is back it goes, too.
  chunks.Release(part[0]);
  rest.clear();
  chunks.TakeReady(0, 0, {10, 10}, &rest);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].memory == first->memory);
  CHECK(chunks.chunk_count() == 0);
}

TEST_CASE("slab chunks: few parts are given back at a time") {
  SlabChunks chunks;
  const auto slabs = TakeMany(chunks, 8 * kSlabs);
  for (size_t i = 0; i < slabs.size(); ++i) {
    if (i % 8 != 0) chunks.Return(slabs[i].chunk, slabs[i].memory);
  }
  std::vector<EmptyRange> taken;
  chunks.TakeReady(0, 0, {10, 2}, &taken);
  CHECK(taken.size() == 8);  // four pieces of each
  CHECK(chunks.ready_slabs() == 6 * 28);
  for (const EmptyRange& range : taken) chunks.Release(range);
}

TEST_CASE("slab chunks: a barred chunk gives nothing until it is empty or unbarred") {
  SlabChunks chunks;
  const auto slabs = TakeMany(chunks, 2 * kSlabs);
  SlabChunk* const chunk = slabs[0].chunk;
  chunks.Return(chunk, slabs[0].memory);
  chunks.Bar(chunk);
  chunks.Return(chunk, slabs[1].memory);
  CHECK(chunks.ready_slabs() == 2);
  const SlabChunks::Slab other = chunks.Take(false);
  CHECK(other.chunk != chunk);
  chunks.Return(other.chunk, other.memory);
  SECTION("unbarred") {
    chunks.Unbar(chunk);
    CHECK(chunks.Take(false).chunk == chunk);
  }
  SECTION("empty") {
    for (size_t i = 2; i < kSlabs; ++i) chunks.Return(chunk, slabs[i].memory);
    CHECK_FALSE(chunk->is_barred);
    CHECK(chunks.ready_in_empty_chunks() >= kSlabs);
  }
}

TEST_CASE("slab chunks: one that has filled up is told once, when there are many") {
  SlabChunks chunks;
  auto slabs = TakeMany(chunks, SlabChunks::kHugeFromSlabs - 1);
  CHECK(chunks.TakeFilled() == nullptr);
  slabs.push_back(chunks.Take(false));
  SlabChunk* const filled = slabs.back().chunk;
  CHECK(chunks.TakeFilled() == filled);
  CHECK(chunks.TakeFilled() == nullptr);
  // Emptied and filled again it is told again, unless it was made one.
  chunks.Return(filled, slabs.back().memory);
  CHECK(chunks.Take(false).memory == slabs.back().memory);
  CHECK(chunks.TakeFilled() == filled);
  filled->is_huge = true;
  // Emptied and filled again it is one still; given back in part it is not.
  const SlabChunks::Slab last = slabs.back();
  chunks.Return(last.chunk, last.memory);
  CHECK(chunks.Take(false).memory == last.memory);
  CHECK(chunks.TakeFilled() == nullptr);
  chunks.Return(last.chunk, last.memory);
  std::vector<EmptyRange> taken;
  chunks.TakeReady(0, 0, {10, 1}, &taken);
  REQUIRE(taken.size() == 1);
  chunks.Release(taken[0]);
  CHECK(chunks.Take(false).memory == last.memory);
  CHECK(chunks.TakeFilled() == last.chunk);
  last.chunk->is_huge = true;
  // What has been emptied meanwhile is not told.
  chunks.Return(last.chunk, last.memory);
  taken.clear();
  chunks.TakeReady(0, 0, {10, 1}, &taken);
  for (const EmptyRange& range : taken) chunks.Release(range);
  CHECK(chunks.Take(false).memory == last.memory);
  chunks.Return(last.chunk, last.memory);
  CHECK(chunks.TakeFilled() == nullptr);
}

TEST_CASE("slab chunks: random use") {
  INFO("seed " << Catch::rngSeed());
  Random random(Catch::rngSeed());
  SlabChunks chunks;
  std::vector<SlabChunks::Slab> live;
  std::vector<EmptyRange> away;
  std::map<char*, size_t> number_of;
  for (size_t step = 0; step < 60'000; ++step) {
    const size_t action = random.Below(100);
    const bool growing = step / 3000 % 2 == 0;
    if (action < (growing ? 55 : 35) || live.empty()) {
      const SlabChunks::Slab slab = chunks.Take(false);
      if (!number_of.emplace(slab.memory, step).second) FAIL("handed out twice, step " << step);
      if ((slab.memory - slab.chunk->memory) % SlabChunks::kSlabBytes != 0) FAIL("not a slab");
      if (!slab.is_there && *slab.memory != 0) FAIL("not bare, step " << step);
      std::memcpy(slab.memory, &step, sizeof step);
      live.push_back(slab);
    } else if (action < 92) {
      std::swap(live[random.Below(live.size())], live.back());
      const SlabChunks::Slab slab = live.back();
      live.pop_back();
      if (std::memcmp(slab.memory, &number_of.at(slab.memory), sizeof step) != 0)
        FAIL("changed, step " << step);
      number_of.erase(slab.memory);
      chunks.Return(slab.chunk, slab.memory);
    } else if (action < 95) {
      chunks.TakeReady(random.Below(40), random.Below(80), {random.Below(4), random.Below(4)}, &away);
    } else if (action < 97) {
      for (const EmptyRange& range : away) chunks.Release(range);
      away.clear();
    } else if (SlabChunk* chunk = chunks.chunk(random.Below(chunks.chunk_count())); chunk->is_barred) {
      chunks.Unbar(chunk);
    } else if (chunk->live != 0) {
      chunks.Bar(chunk);
    }
    if (step % 64 != 0) continue;
    size_t ready = 0, in_empty = 0;
    for (size_t i = 0; i < chunks.chunk_count(); ++i) {
      const SlabChunk* chunk = chunks.chunk(i);
      const auto count = static_cast<size_t>(std::popcount(chunk->ready()));
      ready += count;
      if (chunk->live == 0) in_empty += count;
    }
    if (live.size() != chunks.live_slabs()) FAIL("live, step " << step);
    if (ready != chunks.ready_slabs() || in_empty != chunks.ready_in_empty_chunks())
      FAIL("ready, step " << step);
  }
  for (const EmptyRange& range : away) chunks.Release(range);
  ReturnAll(chunks, live);
  std::vector<EmptyRange> rest;
  chunks.TakeReady(0, 0, {~size_t{0}, 0}, &rest);
  for (const EmptyRange& range : rest) chunks.Release(range);
  CHECK(chunks.live_slabs() == 0);
}

}  // namespace
}  // namespace pinyon::mem
