#include "types/score_tree.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace pinyon {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A tree, the items in it, and a model of both. Replayed by the seed that Catch prints and takes
// (--rng-seed).
struct TreeFixture {
  TreeFixture() : random(Catch::rngSeed()) {}
  ~TreeFixture() {
    tree.Clear();
    for (const auto& [key, item] : items) ScoredMember::Delete(item);
  }

  // Not there yet.
  void Insert(double score, const std::string& member) {
    ScoredMember* item = ScoredMember::New(member, score);
    tree.Insert(item);
    items[{score, member}] = item;
  }
  void Remove(double score, const std::string& member) {
    const auto found = items.find({score, member});
    tree.Remove(found->second);
    ScoredMember::Delete(found->second);
    items.erase(found);
  }
  void Move(double score, const std::string& member, double new_score) {
    auto node = items.extract({score, member});
    tree.Move(node.mapped(), new_score);
    node.key().first = new_score;
    items.insert(std::move(node));
  }
  void RemoveRange(uint64_t rank, uint64_t count) {
    auto next = std::next(items.begin(), static_cast<std::ptrdiff_t>(rank));
    uint64_t told = 0;
    tree.RemoveRange(rank, count, [&](std::span<ScoredMember* const> removed) {
      for (ScoredMember* item : removed) {
        if (next->second != item) FAIL("item " << told << " of a range");
        ScoredMember::Delete(item);
        next = items.erase(next);
        ++told;
      }
    });
    CHECK(told == count);
  }

  // Everything that can be asked, for every item and bound when `step` is one.
  void Compare(size_t step = 1) {
    tree.CheckConsistency();
    REQUIRE(tree.size() == items.size());
    std::vector<ScoredMember*> order;
    for (const auto& [key, item] : items) order.push_back(item);
    size_t visited = 0;
    for (auto cursor = tree.First(); cursor; cursor.Next(), ++visited) {
      if (cursor.item() != order[visited] || cursor.score() != order[visited]->score())
        FAIL("at " << visited);
    }
    REQUIRE(visited == order.size());
    for (auto cursor = tree.Last(); cursor; cursor.Previous()) {
      if (cursor.item() != order[--visited]) FAIL("backward at " << visited);
    }
    REQUIRE(visited == 0);
    for (size_t rank = 0; rank < order.size(); rank += 1 + random.Below(2 * step - 1)) {
      const ScoredMember* item = order[rank];
      if (tree.At(rank).item() != item) FAIL("item of rank " << rank);
      if (tree.Rank(item->score(), item->key()) != rank) FAIL("rank of item " << rank);
      if (tree.Rank(item) != rank) FAIL("rank of a present item " << rank);
      CompareBound(ScoreBound::AfterItem(item->score(), item->key()), rank + 1, order);
      CompareScore(item->score(), order);
      if (step == 1) CompareScore(std::nextafter(item->score(), kInfinity), order);
    }
    CompareScore(-kInfinity, order);
    CompareScore(kInfinity, order);
  }

  void CompareScore(double score, const std::vector<ScoredMember*>& order) {
    const auto below = std::partition_point(order.begin(), order.end(),
                                            [=](const ScoredMember* item) { return item->score() < score; });
    const auto up_to = std::partition_point(below, order.end(),
                                            [=](const ScoredMember* item) { return item->score() <= score; });
    CompareBound(ScoreBound::BeforeScore(score), static_cast<size_t>(below - order.begin()), order);
    CompareBound(ScoreBound::AfterScore(score), static_cast<size_t>(up_to - order.begin()), order);
  }

  void CompareBound(const ScoreBound& bound, size_t before, const std::vector<ScoredMember*>& order) {
    if (tree.CountBefore(bound) != before) FAIL(tree.CountBefore(bound) << " instead of " << before);
    const auto after = tree.FirstAfter(bound);
    if (static_cast<bool>(after) != (before < order.size())) FAIL("end after " << before);
    if (after && after.item() != order[before]) FAIL("after " << before);
    const auto last = tree.LastBefore(bound);
    if (static_cast<bool>(last) != (before > 0)) FAIL("end before " << before);
    if (last && last.item() != order[before - 1]) FAIL("before " << before);
  }

  Random random;
  ScoreTree tree;
  std::map<std::pair<double, std::string>, ScoredMember*> items;
};

std::string MemberName(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "member:" + std::string(8 - digits.size(), '0') + digits;
}

TEST_CASE("a scored member takes what its member and score take", "[score_tree]") {
  const auto bytes_of = [](size_t length) {
    ScoredMember* item = ScoredMember::New(std::string(length, 'm'), 1.5);
    CHECK(item->key() == std::string(length, 'm'));
    CHECK(item->score() == 1.5);
    item->set_score(-kInfinity);
    CHECK(item->key() == std::string(length, 'm'));
    CHECK(item->score() == -kInfinity);
    const size_t bytes = item->AllocatedBytes();
    ScoredMember::Delete(item);
    return bytes;
  };
  CHECK(bytes_of(0) == 16);
  CHECK(bytes_of(7) == 16);
  CHECK(bytes_of(15) == 24);
  CHECK(bytes_of(254) == 264);
  CHECK(bytes_of(255) == 272);
  CHECK(bytes_of(70'000) >= 70'013);
}

TEST_CASE_METHOD(TreeFixture, "an empty tree has nothing", "[score_tree]") {
  Compare();
  CHECK_FALSE(tree.First());
  CHECK_FALSE(tree.Last());
  CHECK(tree.First() == tree.Last());
  CHECK_FALSE(tree.FirstAfter(ScoreBound::BeforeMember("")));
  CHECK_FALSE(tree.LastBefore(ScoreBound::AfterMember("a")));
  CHECK(tree.Rank(1, "a") == 0);
  CHECK(tree.MemoryBytes() == 0);
  tree.RemoveRange(0, 0, [](std::span<ScoredMember* const>) { FAIL("items"); });
  Insert(1, "a");
  Compare();
  CHECK(tree.MemoryBytes() > 0);
  Remove(1, "a");
  Compare();
  CHECK(tree.MemoryBytes() == 0);
}

TEST_CASE_METHOD(TreeFixture, "equal scores are in the order of their members' bytes", "[score_tree]") {
  const std::vector<std::string> members = {"",
                                            std::string("\0", 1),
                                            std::string("\0\0", 2),
                                            "A",
                                            "a",
                                            "a" + std::string("\0", 1),
                                            "aa",
                                            "ab",
                                            "b",
                                            "\x7f",
                                            "\x80",
                                            "\xff",
                                            "\xff\xff"};
  for (const std::string& member : members) Insert(0, member);
  std::vector<std::string> seen;
  for (auto cursor = tree.First(); cursor; cursor.Next()) seen.emplace_back(cursor->key());
  CHECK(seen == members);
  Compare();
}

TEST_CASE_METHOD(TreeFixture, "zeros are equal, infinities are the ends", "[score_tree]") {
  Insert(0.0, "b");
  Insert(-0.0, "a");
  Insert(-0.0, "c");
  Insert(kInfinity, "x");
  Insert(-kInfinity, "x");
  Insert(std::numeric_limits<double>::max(), "x");
  Insert(std::numeric_limits<double>::denorm_min(), "x");
  Compare();
  CHECK(tree.CountBefore(ScoreBound::BeforeScore(0.0)) == 1);
  CHECK(tree.CountBefore(ScoreBound::BeforeScore(-0.0)) == 1);
  CHECK(tree.CountBefore(ScoreBound::AfterScore(-0.0)) == 4);
  CHECK(std::signbit(tree.At(1).score()));
  CHECK_FALSE(std::signbit(tree.At(2).score()));
  Move(0.0, "b", -0.0);
  CHECK(std::signbit(tree.At(2).score()));
  Compare();
}

TEST_CASE_METHOD(TreeFixture, "every size up to some hundred, in every order", "[score_tree]") {
  enum Order { kAscending, kDescending, kAlternating, kRandom };
  const auto order = GENERATE(kAscending, kDescending, kAlternating, kRandom);
  const auto ties = GENERATE(1u, 7u, 1000u);
  const auto score_of = [&](uint64_t number) {
    switch (order) {
      case kAscending: return static_cast<double>(number / ties);
      case kDescending: return -static_cast<double>(number / ties);
      case kAlternating: return (number % 2 == 0 ? 1 : -1) * static_cast<double>(number / ties);
      default: return static_cast<double>(random.Below(1000) / ties);
    }
  };
  for (uint64_t number = 0; number < 600; ++number) {
    Insert(score_of(number), MemberName(number));
    if (number % 20 < 2) Compare();
  }
  Compare();
  while (!items.empty()) {
    const uint64_t from = order == kAscending    ? 0
                          : order == kDescending ? items.size() - 1
                                                 : random.Below(items.size());
    const auto victim = std::next(items.begin(), static_cast<std::ptrdiff_t>(from))->first;
    Remove(victim.first, victim.second);
    if (items.size() % 20 < 2) Compare();
  }
  CHECK(tree.MemoryBytes() == 0);
}

TEST_CASE_METHOD(TreeFixture, "ordered insertion fills leaves", "[score_tree]") {
  const auto direction = GENERATE(1.0, -1.0);
  for (uint64_t number = 0; number < 100'000; ++number) {
    Insert(direction * static_cast<double>(number), MemberName(number));
  }
  Compare(100);
  CHECK(static_cast<double>(tree.MemoryBytes()) / 100'000 < 17.2);
  // And emptying one in two does not leave the memory taken.
  for (uint64_t number = 0; number < 100'000; ++number) {
    if (number % 8 != 0) Remove(direction * static_cast<double>(number), MemberName(number));
  }
  Compare(100);
  CHECK(static_cast<double>(tree.MemoryBytes()) / 12'500 < 36);
}

TEST_CASE_METHOD(TreeFixture, "random insertion fills leaves to 85 percent", "[score_tree]") {
  for (uint64_t number = 0; number < 200'000; ++number) Insert(random.Unit(), MemberName(number));
  Compare(100);
  CHECK(static_cast<double>(tree.MemoryBytes()) / 200'000 < 20.5);
}

TEST_CASE_METHOD(TreeFixture, "random changes against a model", "[score_tree]") {
  // Scores: few and many different ones.
  const auto scores = GENERATE(1u, 10u, 1'000'000u);
  const auto target = GENERATE(100u, 3'000u, 30'000u);
  std::map<std::string, double> scores_of;
  const auto random_score = [&] { return static_cast<double>(random.Below(scores)) - scores / 3; };
  for (int phase = 0; phase < 6; ++phase) {
    const uint64_t insert_percent = phase % 3 == 0 ? 70 : phase % 3 == 1 ? 50 : 25;
    for (uint64_t i = 0; i < target; ++i) {
      const std::string member = MemberName(random.Below(target));
      const auto known = scores_of.find(member);
      if (known == scores_of.end()) {
        if (random.Below(100) >= insert_percent) continue;
        const double score = random_score();
        Insert(score, member);
        scores_of[member] = score;
      } else if (random.Below(100) < insert_percent) {
        // Near or far.
        const double score =
            random.Below(2) == 0 ? random_score() : known->second + (random.Unit() - 0.5) * scores / 1000;
        Move(known->second, member, score);
        known->second = score;
      } else {
        Remove(known->second, member);
        scores_of.erase(known);
      }
      if (target == 100) tree.CheckConsistency();
    }
    Compare(1 + target / 200);
    if (phase != 3 || items.empty()) continue;
    for (int ranges = 0; ranges < 5 && !items.empty(); ++ranges) {
      const uint64_t rank = random.Below(items.size());
      RemoveRange(rank, random.Below((items.size() - rank) / (ranges + 1) + 1));
      Compare(1 + target / 200);
    }
    scores_of.clear();
    for (const auto& [key, item] : items) scores_of[key.second] = key.first;
  }
}

TEST_CASE_METHOD(TreeFixture, "moving without change of place, to the neighbours and to the ends",
                 "[score_tree]") {
  for (uint64_t number = 0; number < 5'000; ++number) Insert(static_cast<double>(number), MemberName(number));
  for (uint64_t number = 0; number < 5'000; ++number) {
    const auto score = static_cast<double>(number);
    Move(score, MemberName(number), score + 0.5);
    tree.CheckConsistency();
    Move(score + 0.5, MemberName(number), score);
    // On both sides of both neighbours, by score and by member.
    for (const double other : {score - 1, score + 1, score - 1.5, score + 1.5, -1.0, 5'000.0}) {
      Move(score, MemberName(number), other);
      if (number % 16 == 0) tree.CheckConsistency();
      if (tree.At(tree.Rank(other, MemberName(number)))->key() != MemberName(number))
        FAIL(number << " to " << other);
      Move(other, MemberName(number), score);
    }
  }
  Compare(10);
}

TEST_CASE_METHOD(TreeFixture, "ranges of every kind are removed", "[score_tree]") {
  const auto size = GENERATE(1u, 62u, 63u, 1'000u, 20'000u);
  const auto fill = [&] {
    for (uint64_t number = 0; number < size; ++number) {
      if (items.count({static_cast<double>(number / 3), MemberName(number)}) > 0) continue;
      Insert(static_cast<double>(number / 3), MemberName(number));
    }
  };
  fill();
  RemoveRange(0, size);
  Compare();
  CHECK(tree.MemoryBytes() == 0);
  for (int i = 0; i < 20; ++i) {
    fill();
    const uint64_t rank = i == 0 ? 0 : random.Below(size);
    const uint64_t count = i == 1 ? size - rank : random.Below(size - rank + 1);
    RemoveRange(rank, count);
    Compare(1 + size / 100);
  }
}

TEST_CASE_METHOD(TreeFixture, "bounds by member alone", "[score_tree]") {
  for (uint64_t number = 0; number < 3'000; number += 2) Insert(7, MemberName(number));
  std::vector<ScoredMember*> order;
  for (const auto& [key, item] : items) order.push_back(item);
  for (uint64_t number = 0; number < 3'000; ++number) {
    CompareBound(ScoreBound::BeforeMember(MemberName(number)), (number + 1) / 2, order);
    CompareBound(ScoreBound::AfterMember(MemberName(number)), number / 2 + 1, order);
  }
  CompareBound(ScoreBound::BeforeMember(""), 0, order);
  CompareBound(ScoreBound::AfterMember("z"), order.size(), order);

  // Where scores differ the answer means nothing, but is one.
  for (uint64_t number = 1; number < 3'000; number += 2) Insert(random.Unit(), MemberName(number));
  for (uint64_t number = 0; number < 3'000; ++number) {
    const std::string member = MemberName(number);
    const ScoreBound bound = ScoreBound::BeforeMember(member);
    const uint64_t before = tree.CountBefore(bound);
    REQUIRE(before <= tree.size());
    const auto after = tree.FirstAfter(bound);
    REQUIRE((after ? tree.Rank(after.score(), after->key()) : tree.size()) == before);
    const auto last = tree.LastBefore(bound);
    REQUIRE((last ? tree.Rank(last.score(), last->key()) + 1 : 0) == before);
  }
}

TEST_CASE_METHOD(TreeFixture, "clearing does not read items", "[score_tree]") {
  for (uint64_t number = 0; number < 10'000; ++number) Insert(random.Unit(), MemberName(number));
  for (const auto& [key, item] : items) ScoredMember::Delete(item);
  items.clear();
  tree.Clear();
  Compare();
  CHECK(tree.MemoryBytes() == 0);
  Insert(1, "a");
  Compare();
}

}  // namespace
}  // namespace pinyon
