#include "types/sorted_set.h"

#include <catch2/catch.hpp>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/alloc.h"
#include "base/random.h"

namespace pinyon {
namespace {

// A set and a model of it. Replayed by the seed that Catch prints and takes (--rng-seed).
struct SortedSetFixture {
  SortedSetFixture()
      : random(Catch::rngSeed()),
        seed{random.Next(), random.Next()},
        set(std::make_unique<SortedSet>(seed)) {}

  void Put(const std::string& member, double score) {
    const auto known = scores.find(member);
    ScoredMember* item = set->Find(member);
    REQUIRE((item != nullptr) == (known != scores.end()));
    if (item == nullptr) {
      item = set->Insert(member, score);
    } else {
      REQUIRE(item->score() == known->second);
      order.erase({known->second, member});
      set->SetScore(item, score);
    }
    REQUIRE(item->score() == score);
    REQUIRE(set->Find(member) == item);
    order.insert({score, member});
    scores[member] = score;
  }
  void Remove(const std::string& member) {
    const auto known = scores.find(member);
    REQUIRE(set->Remove(member) == (known != scores.end()));
    REQUIRE(set->Find(member) == nullptr);
    if (known == scores.end()) return;
    order.erase({known->second, member});
    scores.erase(known);
  }
  void RemoveRange(uint64_t rank, uint64_t count) {
    set->RemoveRange(rank, count);
    auto next = std::next(order.begin(), static_cast<std::ptrdiff_t>(rank));
    for (uint64_t i = 0; i < count; ++i) {
      scores.erase(next->second);
      next = order.erase(next);
    }
  }
  void Compare(const SortedSet& other) {
    other.CheckConsistency();
    REQUIRE(other.size() == order.size());
    auto expected = order.begin();
    for (auto at = other.tree().First(); at; at.Next(), ++expected) {
      if (at.score() != expected->first || at->key() != expected->second) FAIL("at " << expected->second);
    }
  }

  Random random;
  HashSeed seed;
  std::unique_ptr<SortedSet> set;
  std::set<std::pair<double, std::string>> order;
  std::map<std::string, double> scores;
};

std::string Member(uint64_t number) { return "member:" + std::to_string(number); }

TEST_CASE_METHOD(SortedSetFixture, "random changes of a sorted set against a model", "[sorted_set]") {
  const auto members = GENERATE(50u, 20'000u);
  const auto different_scores = GENERATE(3u, 100'000u);
  for (int phase = 0; phase < 4; ++phase) {
    const uint64_t put_percent = phase % 2 == 0 ? 75 : 30;
    for (uint64_t i = 0; i < 2 * members; ++i) {
      const std::string member = Member(random.Below(members));
      if (random.Below(100) < put_percent) {
        Put(member, static_cast<double>(random.Below(different_scores)));
      } else {
        Remove(member);
      }
    }
    Compare(*set);
    if (order.empty()) continue;
    const uint64_t rank = random.Below(order.size());
    RemoveRange(rank, random.Below((order.size() - rank) / 2 + 1));
    Compare(*set);
  }
  RemoveRange(0, order.size());
  Compare(*set);
}

TEST_CASE_METHOD(SortedSetFixture, "a sorted set knows what it takes", "[sorted_set]") {
  CHECK(set->MemoryBytes() == mem::UsableSizeOfNew(sizeof(SortedSet)));
  constexpr uint64_t kMembers = 100'000;
  for (uint64_t number = 0; number < kMembers; ++number) {
    const std::string digits = std::to_string(number);
    set->Insert("member:" + std::string(8 - digits.size(), '0') + digits, random.Unit());
  }
  CHECK(static_cast<double>(set->MemoryBytes()) / kMembers < 56.5);
  const ScoredMember* item = set->RandomItem(random);
  CHECK(set->tree().At(set->tree().Rank(item)).item() == item);
  set->RemoveRange(0, kMembers);
  CHECK(set->size() == 0);
  CHECK(set->MemoryBytes() < 8192);
}

TEST_CASE_METHOD(SortedSetFixture, "a member may be removed by its own name", "[sorted_set]") {
  Put("a", 1);
  Put("b", 2);
  CHECK(set->Remove(set->Find("a")->key()));
  CHECK(set->Find("a") == nullptr);
  CHECK(set->size() == 1);
}

TEST_CASE_METHOD(SortedSetFixture, "a scan of a sorted set visits everything", "[sorted_set]") {
  for (uint64_t number = 0; number < 5'000; ++number) Put(Member(number), static_cast<double>(number));
  std::map<std::string, double> seen;
  uint64_t cursor = 0;
  do {
    cursor = set->Scan(cursor, 10,
                       [&](std::string_view member, double score) { seen[std::string(member)] = score; });
  } while (cursor != 0);
  CHECK(seen == scores);
}

TEST_CASE_METHOD(SortedSetFixture, "a copy of a sorted set is its own", "[sorted_set]") {
  for (uint64_t number = 0; number < 5'000; ++number) Put(Member(number), random.Unit());
  const auto copy = set->Copy();
  Compare(*copy);
  set->RemoveRange(0, 2'500);
  set->SetScore(set->tree().First().item(), 7);
  Compare(*copy);
  CHECK(copy->MemoryBytes() > 5'000 * 50);
}

TEST_CASE_METHOD(SortedSetFixture, "hints change nothing, whatever they are about", "[sorted_set]") {
  const auto hint = [this](std::string_view member, double score) {
    const uint64_t hash = set->index().Hash(member);
    set->index().PrefetchBucket(hash);
    set->index().PrefetchItem(hash);
    ScoreTree::Hint place{score};
    set->tree().PrefetchParent(&place);
    set->tree().PrefetchLeaf(&place);
    set->tree().PrefetchEqual(place);
  };
  hint("a", 0);
  for (uint64_t number = 0; number <= ScoreTree::kWorthHints; ++number)
    set->Insert(Member(number), random.Unit());
  for (uint64_t number = 0; number < 1'000; ++number) hint(Member(number), random.Unit() * 3 - 1);
  hint("a", 0);
  CHECK(set->Find("a") == nullptr);
  CHECK(set->size() == ScoreTree::kWorthHints + 1);
}

TEST_CASE_METHOD(SortedSetFixture, "a sorted set is freed by another thread", "[sorted_set]") {
  Put(std::string(1'000, 'm'), 1);
  for (uint64_t number = 0; number < 20'000; ++number) Put(Member(number), random.Unit());
  std::thread([this] {
    mem::RegisterThread();
    set.reset();
  }).join();
  while (mem::CollectFreed(100)) {
  }
  CHECK(set == nullptr);
}

}  // namespace
}  // namespace pinyon
