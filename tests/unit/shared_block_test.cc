#include "base/shared_block.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pinyon {
namespace {

TEST_CASE("a block holds what it was given, of any length") {
  for (const size_t length : {size_t{0}, size_t{1}, size_t{488}, size_t{489}, size_t{100'000}}) {
    const std::string text(length, 'x');
    BlockRef block(SharedBlock::Copy(text));
    CHECK(block->bytes() == text);
    CHECK(block->length() == length);
    CHECK(block->capacity() == length);
    CHECK(block->AllocatedBytes() == length + 24);
    CHECK_FALSE(block->IsShared());
  }
}

TEST_CASE("a block's length moves within its capacity") {
  BlockRef block(SharedBlock::New(10, 1000));
  std::memset(block->data(), 'a', 1000);
  CHECK(block->length() == 10);
  block->set_length(1000);
  CHECK(block->bytes() == std::string(1000, 'a'));
  block->set_length(0);
  CHECK(block->bytes().empty());
  CHECK(block->capacity() == 1000);
  CHECK(block->AllocatedBytes() == 1024);
}

TEST_CASE("the last reference frees the block") {
  mem::RegisterThread();
  for (const size_t length : {size_t{40}, size_t{20'000}}) {
    const uint64_t before = mem::UsedBytes();
    SharedBlock* block = SharedBlock::New(length);
    const uint64_t held = mem::UsedBytes();
    block->Ref();
    const bool shared = block->IsShared();
    block->Unref();
    const bool shared_after = block->IsShared();
    const uint64_t still_held = mem::UsedBytes();
    block->Unref();
    const uint64_t after = mem::UsedBytes();
    CHECK(shared);
    CHECK_FALSE(shared_after);
    CHECK(held - before == mem::UsableSize(length + 24));
    CHECK(still_held == held);
    CHECK(after == before);
  }
}

TEST_CASE("BlockRef owns one reference through moves and gives it away when told") {
  mem::RegisterThread();
  const uint64_t before = mem::UsedBytes();
  uint64_t after;
  bool empty_ok, moved_ok;
  {
    const BlockRef empty;
    BlockRef first(SharedBlock::New(5000));
    SharedBlock* block = first.get();
    BlockRef second(std::move(first));
    BlockRef third(SharedBlock::New(100));
    third = std::move(second);
    moved_ok = third.get() == block && !block->IsShared();
    BlockRef fourth(third.Release());
    empty_ok = !empty && !third && fourth.get() == block;
  }
  after = mem::UsedBytes();
  CHECK(moved_ok);
  CHECK(empty_ok);
  CHECK(after == before);
}

TEST_CASE("references may be taken and dropped on several threads") {
  mem::RegisterThread();
  const uint64_t before = mem::UsedBytes();
  SharedBlock* block = SharedBlock::New(100'000);
  constexpr int kThreads = 3, kRounds = 20'000;
  for (int i = 0; i < kThreads; ++i) block->Ref();
  {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([block] {
        mem::RegisterThread();
        for (int round = 0; round < kRounds; ++round) {
          block->Ref();
          block->Unref();
        }
        block->Unref();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK_FALSE(block->IsShared());
  block->Unref();
  // What starting threads leaves behind is far below the block's size.
  CHECK(mem::UsedBytes() < before + 50'000);
}

}  // namespace
}  // namespace pinyon
