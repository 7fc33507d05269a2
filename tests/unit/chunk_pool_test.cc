#include "base/chunk_pool.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <set>
#include <vector>

namespace pinyon {
namespace {

TEST_CASE("the pool hands out distinct chunks and the last one released first") {
  ChunkPool pool;
  std::set<char*> chunks;
  for (int i = 0; i < 20; ++i) {
    char* chunk = pool.Acquire();
    std::memset(chunk, i, ChunkPool::kChunkBytes);
    CHECK(chunks.insert(chunk).second);
  }
  char* last = nullptr;
  for (char* chunk : chunks) pool.Release(last = chunk);
  CHECK(pool.Acquire() == last);
  pool.Release(last);
  for (size_t i = 0; i < chunks.size(); ++i) CHECK(chunks.count(pool.Acquire()) == 1);
  for (char* chunk : chunks) pool.Release(chunk);
}

TEST_CASE("trimming keeps what it is told and gives the rest back, as the end of the pool does") {
  const uint64_t chunk_bytes = mem::UsableSize(ChunkPool::kChunkBytes);
  std::vector<char*> chunks(64);
  uint64_t before, held, kept, after;
  mem::RegisterThread();
  {
    ChunkPool pool;
    for (char*& chunk : chunks) chunk = pool.Acquire();
    for (char* chunk : chunks) pool.Release(chunk);  // the list of free chunks has its memory now
    pool.Trim(0);
    before = mem::UsedBytes();
    for (char*& chunk : chunks) chunk = pool.Acquire();
    for (char* chunk : chunks) pool.Release(chunk);
    held = mem::UsedBytes();
    pool.Trim(100);
    pool.Trim(10);
    kept = mem::UsedBytes();
    pool.Trim(0);
    after = mem::UsedBytes();
    CHECK(before == after);
    for (char*& chunk : chunks) chunk = pool.Acquire();
    for (char* chunk : chunks) pool.Release(chunk);
  }
  CHECK(held - before == 64 * chunk_bytes);
  CHECK(kept - before == 10 * chunk_bytes);
  CHECK(mem::UsedBytes() <= before);
}

}  // namespace
}  // namespace pinyon
