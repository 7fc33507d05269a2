#include "keyspace/lazy_free.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/shared_block.h"
#include "keyspace/table.h"

namespace pinyon {
namespace {

void WaitUntilDone(const LazyFree& lazy_free) {
  while (!lazy_free.IsIdle()) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

Entry* NewLarge(int number) {
  return Entry::NewBlock("key:" + std::to_string(number), kNoExpiry, SharedBlock::New(300'000));
}

std::unique_ptr<Table> NewTable(int keys) {
  auto table = std::make_unique<Table>(HashSeed{3, 4});
  for (int i = 0; i < keys; ++i) {
    const std::string key = "key:" + std::to_string(i);
    table->Insert(Entry::NewString(key, i % 2 == 0 ? 5 : kNoExpiry, "value", Encoding::kEmbstr),
                  table->Hash(key));
  }
  return table;
}

TEST_CASE("entries are freed on the thread and counted") {
  mem::RegisterThread();
  LazyFree lazy_free;
  CHECK(lazy_free.pending() == 0);
  CHECK(lazy_free.freed() == 0);
  // Giving memory back frees nothing.
  lazy_free.Release({});
  CHECK(lazy_free.IsIdle());
  const uint64_t before = mem::UsedBytes();
  for (int i = 0; i < 100; ++i) lazy_free.Free(NewLarge(i), true);
  WaitUntilDone(lazy_free);
  lazy_free.Free(NewLarge(0), true);
  WaitUntilDone(lazy_free);
  while (lazy_free.freed() < 101) std::this_thread::yield();
  CHECK(lazy_free.freed() == 101);
  lazy_free.ResetFreed();
  CHECK(lazy_free.freed() == 0);
  // What the thread itself took is less than one of those values.
  CHECK(mem::UsedBytes() < before + 100'000);
}

TEST_CASE("a whole table counts as its keys") {
  mem::RegisterThread();
  LazyFree lazy_free;
  uint64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    before = mem::UsedBytes();
    lazy_free.Free(NewTable(20'000), true);
    lazy_free.Free(NewTable(0), true);
    WaitUntilDone(lazy_free);
  }
  while (lazy_free.freed() < 60'000) std::this_thread::yield();
  CHECK(lazy_free.freed() == 60'000);
  CHECK(mem::UsedBytes() < before + 100'000);
}

TEST_CASE("a reply keeps the block of a value that is freed on the thread") {
  SharedBlock* block = SharedBlock::Copy(std::string(300'000, 'r'));
  block->Ref();
  const BlockRef reply(block);
  LazyFree lazy_free;
  lazy_free.Free(Entry::NewBlock("key", kNoExpiry, block), true);
  WaitUntilDone(lazy_free);
  CHECK_FALSE(reply->IsShared());
  CHECK(reply->bytes() == std::string(300'000, 'r'));
}

TEST_CASE("the end waits for what is queued") {
  mem::RegisterThread();
  uint64_t before = 0;
  for (int round = 0; round < 2; ++round) {
    before = mem::UsedBytes();
    LazyFree lazy_free;
    for (int i = 0; i < 5; ++i) lazy_free.Free(NewTable(5000), true);
    for (int i = 0; i < 50; ++i) lazy_free.Free(NewLarge(i), true);
  }
  CHECK(mem::UsedBytes() < before + 100'000);
  const LazyFree never_used;
}

TEST_CASE("the loop allocates and frees while tables are freed behind it") {
  LazyFree lazy_free;
  for (int round = 0; round < 8; ++round) {
    lazy_free.Free(NewTable(10'000), true);
    // Takes back what the thread has freed so far, and uses it for another table.
    const std::unique_ptr<Table> table = NewTable(10'000);
    mem::CollectFreed(10);
    table->CheckConsistency();
  }
  WaitUntilDone(lazy_free);
}

}  // namespace
}  // namespace pinyon
