#include "keyspace/zset_value.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "keyspace/keyspace.h"
#include "packed_fixture.h"

namespace pinyon {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct ZsetFixture {
  ZsetFixture() { keyspace.set_encoding_limits(limits); }

  ZsetValue Make(std::string_view key) { return ZsetValue(db, ZsetValue::AddKey(db, key, db.Hash(key))); }
  ZsetValue Get(std::string_view key) { return ZsetValue(db, db.Find(key)); }

  EncodingLimits limits;
  Keyspace keyspace{1, 7};
  Database& db = keyspace.database(0);
};

std::string PackedText(const ZsetValue& zset) {
  REQUIRE(zset.is_packed());
  return {reinterpret_cast<const char*>(zset.entry()->packed()), zset.entry()->PackedSize()};
}

using Pairs = std::vector<std::pair<std::string, double>>;

Pairs Forward(const ZsetValue& zset) {
  Pairs pairs;
  for (ZsetCursor at = zset.First(); at; at.Next()) pairs.push_back({std::string(at.member()), at.score()});
  return pairs;
}

Pairs Backward(const ZsetValue& zset) {
  Pairs pairs;
  for (ZsetCursor at = zset.Last(); at; at.Previous()) {
    pairs.push_back({std::string(at.member()), at.score()});
  }
  return pairs;
}

// What a sorted set has to be.
class Model {
 public:
  ZaddResult Add(const std::string& member, double score, const ZaddOptions& options) {
    const auto old = scores_.find(member);
    if (old == scores_.end()) {
      if (options.only_existing) return ZaddResult::kRefused;
      scores_[member] = score;
      order_.insert({score, member});
      return ZaddResult::kAdded;
    }
    if (options.only_new) return ZaddResult::kRefused;
    if (options.increment) score += old->second;
    if (std::isnan(score)) return ZaddResult::kNan;
    if (options.only_greater && !(score > old->second)) return ZaddResult::kRefused;
    if (options.only_less && !(score < old->second)) return ZaddResult::kRefused;
    if (score == old->second) return ZaddResult::kUnchanged;
    order_.erase({old->second, member});
    order_.insert({score, member});
    old->second = score;
    return ZaddResult::kUpdated;
  }

  bool Remove(const std::string& member) {
    const auto old = scores_.find(member);
    if (old == scores_.end()) return false;
    order_.erase({old->second, member});
    scores_.erase(old);
    return true;
  }

  void RemoveRanks(RankRange range) {
    auto from = std::next(order_.begin(), static_cast<long>(range.begin));
    for (uint64_t i = range.begin; i < range.end; ++i) {
      scores_.erase(from->second);
      from = order_.erase(from);
    }
  }

  Pairs InOrder() const {
    Pairs pairs;
    for (const auto& [score, member] : order_) pairs.push_back({member, score});
    return pairs;
  }
  size_t CountIf(auto predicate) const {
    return static_cast<size_t>(std::count_if(order_.begin(), order_.end(), predicate));
  }
  const std::map<std::string, double>& scores() const { return scores_; }

 private:
  std::map<std::string, double> scores_;
  std::set<std::pair<double, std::string>> order_;
};

std::string AnyMember(Random& random) {
  const uint64_t number = random.Below(60);
  switch (random.Below(5)) {
    case 0: return std::to_string(number);
    case 1: return std::to_string(-static_cast<int>(number) * 1000);
    case 2: return std::string(number * 2, 'x');
    case 3: return std::string("\0\xff", 2) + std::to_string(number);
    default: return "m" + std::to_string(number);
  }
}

double AnyScore(Random& random) {
  constexpr double kEdges[] = {kInf,   -kInf, 0.0,    0.1 + 0.2, 1e308,   -1e308,
                               5e-324, 1e17,  0x1p62, 0x1p63,    -0x1p62, 1.5};
  if (random.Below(3) == 0) return kEdges[random.Below(std::size(kEdges))];
  return static_cast<double>(random.Below(20)) - 10;
}

ZaddOptions AnyOptions(Random& random) {
  ZaddOptions options;
  switch (random.Below(8)) {
    case 0: options.only_new = true; break;
    case 1: options.only_existing = true; break;
    case 2: options.only_greater = true; break;
    case 3: options.only_less = true; break;
    case 4: options.increment = true; break;
    case 5: options.increment = options.only_greater = true; break;
    default: break;
  }
  return options;
}

void CheckSame(const ZsetValue& zset, const Model& model) {
  const Pairs expected = model.InOrder();
  REQUIRE(zset.size() == expected.size());
  REQUIRE(Forward(zset) == expected);
  REQUIRE(Backward(zset) == Pairs(expected.rbegin(), expected.rend()));
  for (uint64_t rank = 0; rank < expected.size(); ++rank) {
    const auto& [member, score] = expected[rank];
    double found_score;
    uint64_t found_rank;
    REQUIRE(zset.Rank(member, &found_rank, &found_score));
    REQUIRE(found_rank == rank);
    REQUIRE(found_score == score);
    ZsetCursor at = zset.At(rank);
    REQUIRE(at.member() == member);
  }
  if (!zset.is_packed()) zset.sorted_set().CheckConsistency();
}

void CheckBounds(const ZsetValue& zset, const Model& model, double score, const std::string& member) {
  using Pair = std::pair<double, std::string>;
  const Pair item{score, member};
  REQUIRE(zset.CountBefore(ScoreBound::BeforeScore(score)) ==
          model.CountIf([&](const Pair& pair) { return pair.first < score; }));
  REQUIRE(zset.CountBefore(ScoreBound::AfterScore(score)) ==
          model.CountIf([&](const Pair& pair) { return pair.first <= score; }));
  REQUIRE(zset.CountBefore(ScoreBound::BeforeItem(score, member)) ==
          model.CountIf([&](const Pair& pair) { return pair < item; }));
  REQUIRE(zset.CountBefore(ScoreBound::AfterItem(score, member)) ==
          model.CountIf([&](const Pair& pair) { return pair <= item; }));
  for (int which = 0; which < 4; ++which) {
    const ScoreRange range{.min = score - 3,
                           .max = score + 4,
                           .min_exclusive = (which & 1) != 0,
                           .max_exclusive = (which & 2) != 0};
    REQUIRE(zset.RanksOf(range).size() == model.CountIf([&](const Pair& pair) {
      return (range.min_exclusive ? pair.first > range.min : pair.first >= range.min) &&
             (range.max_exclusive ? pair.first < range.max : pair.first <= range.max);
    }));
  }
}

TEST_CASE("a sorted set is what a set of pairs is", "[zset]") {
  const int64_t max_entries = GENERATE(0, 8, 1000);
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = max_entries;
  f.limits.zset_max_listpack_value = 1000;
  Random random(static_cast<uint64_t>(max_entries) + 1);
  for (int round = 0; round < 20; ++round) {
    Model model;
    ZsetValue zset = f.Make("key");
    for (int i = 0; i < 150; ++i) {
      const std::string member = AnyMember(random);
      const double score = AnyScore(random);
      if (random.Below(10) < 7) {
        const ZaddOptions options = AnyOptions(random);
        double new_score = 0;
        const ZaddResult result = zset.Add(member, score, options, &new_score);
        REQUIRE(result == model.Add(member, score, options));
        if (result != ZaddResult::kRefused && result != ZaddResult::kNan) {
          REQUIRE(new_score == model.scores().at(member));
        }
      } else if (random.Below(10) < 8) {
        REQUIRE(zset.Remove(member) == model.Remove(member));
      } else {
        const uint64_t begin = random.Below(zset.size() + 1);
        const RankRange range{begin, begin + random.Below(zset.size() - begin + 1)};
        zset.RemoveRanks(range);
        model.RemoveRanks(range);
      }
      double score_found = 0;
      const auto expected = model.scores().find(member);
      REQUIRE(zset.Score(member, &score_found) == (expected != model.scores().end()));
      REQUIRE(zset.Contains(member) == (expected != model.scores().end()));
      if (i % 10 == 0) CheckSame(zset, model);
      if (i % 10 == 5) CheckBounds(zset, model, score, member);
    }
    CheckSame(zset, model);
    f.db.Delete(zset.ref());
  }
}

TEST_CASE("a small sorted set has Redis's bytes", "[zset]") {
  ZsetFixture f;
  ZsetValue large = f.Make("large");
  large.Add("a", 0x1p62);
  CHECK(PackedText(large) == FromHex("14 00 00 00 02 00 81 61 02 f4 00 00 00 00 00 00 00 40 09 ff"));

  ZsetValue zset = f.Make("scores");
  zset.Add("too-large", 0x1p62 * 2);
  zset.Add("tenth", 0.1);
  zset.Add("zero", -0.0);
  zset.Add("12", 1e17);
  zset.Add("inf", kInf);
  zset.Add("lowest", -kInf);
  PackedBlock bytes;
  Listpack::InitEmpty(bytes);
  const std::string_view expected[] = {"lowest",    "-inf",
                                       "zero",      "0",
                                       "tenth",     "0.10000000000000001",
                                       "12",        "100000000000000000",
                                       "too-large", "9.2233720368547758e+18",
                                       "inf",       "inf"};
  Listpack(bytes).AppendAll(expected, std::size(expected));
  CHECK(PackedText(zset) == std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  CHECK(Forward(zset) == Pairs{{"lowest", -kInf},
                               {"zero", 0},
                               {"tenth", 0.1},
                               {"12", 1e17},
                               {"too-large", 0x1p63},
                               {"inf", kInf}});
}

TEST_CASE("a sorted set changes its encoding at the limits, and not back", "[zset]") {
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = 3;
  f.limits.zset_max_listpack_value = 5;

  ZsetValue by_count = f.Make("count");
  for (const char* member : {"a", "b", "c"}) by_count.Add(member, 1);
  by_count.Add("a", 2);
  CHECK(by_count.encoding() == Encoding::kListpack);
  by_count.Add("d", 1);
  CHECK(by_count.encoding() == Encoding::kSkiplist);
  CHECK(Forward(by_count) == Pairs{{"b", 1}, {"c", 1}, {"d", 1}, {"a", 2}});
  by_count.Remove("d");
  by_count.Remove("c");
  CHECK(by_count.encoding() == Encoding::kSkiplist);

  ZsetValue by_length = f.Make("length");
  by_length.Add("12345", 1);
  CHECK(by_length.encoding() == Encoding::kListpack);
  by_length.Add("123456", 1);
  CHECK(by_length.encoding() == Encoding::kSkiplist);
  // What is there already does not count.
  f.limits.zset_max_listpack_value = 100;
  ZsetValue grown = f.Make("grown");
  grown.Add("123456", 1);
  f.limits.zset_max_listpack_value = 5;
  grown.Add("123456", 2);
  CHECK(grown.encoding() == Encoding::kListpack);
}

TEST_CASE("a sorted set is built outside and stored", "[zset]") {
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = 3;
  f.db.SetString("dst", "old", 5000);
  ZsetValue result(f.db, ZsetValue::New("dst"));
  for (const char* member : {"a", "b", "c", "d"}) result.AddNew(member, 1);
  CHECK(result.encoding() == Encoding::kSkiplist);
  result.PackIfSmall();
  CHECK(result.encoding() == Encoding::kSkiplist);
  result.Remove("b");
  result.PackIfSmall();
  CHECK(result.encoding() == Encoding::kListpack);
  f.db.StoreEntry(result.Release());

  CHECK(Forward(f.Get("dst")) == Pairs{{"a", 1}, {"c", 1}, {"d", 1}});
  CHECK(f.db.Find("dst")->expiry_ms() == kNoExpiry);
  // One that is not stored is freed.
  ZsetValue dropped(f.db, ZsetValue::New("other"));
  for (const char* member : {"a", "b", "c", "d"}) dropped.AddNew(member, 1);
}

TEST_CASE("a large sorted set is copied, measured and deleted", "[zset]") {
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = 4;
  ZsetValue zset = f.Make("key");
  for (int i = 0; i < 1000; ++i) zset.Add("member:" + std::to_string(i), i % 10);
  const Pairs expected = Forward(zset);
  f.db.AddCopy(zset.entry(), "copy", kNoExpiry);
  f.Get("key").Remove("member:0");
  CHECK(Forward(f.Get("copy")) == expected);
  CHECK(f.db.Find("copy")->MemoryBytes() > 1000 * 40);
  CHECK(f.db.Find("copy")->IsExpensiveToFree());
  f.db.Delete(f.db.Find("copy"));
  f.db.Delete(f.db.Find("key"));
  CHECK(f.db.size() == 0);
}

TEST_CASE("ranges by member", "[zset]") {
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = GENERATE(0, 128);
  ZsetValue zset = f.Make("key");
  for (const char* member : {"", "a", "aa", "b", "c", "\xff"}) zset.Add(member, 0);
  using Kind = LexBound::Kind;
  const auto ranks = [&](LexBound min, LexBound max) {
    const RankRange range = zset.RanksOf(LexRange{min, max});
    return std::pair(range.begin, range.end);
  };
  using Ranks = std::pair<uint64_t, uint64_t>;
  CHECK(ranks({Kind::kLowest}, {Kind::kHighest}) == Ranks(0, 6));
  CHECK(ranks({Kind::kInclusive, "a"}, {Kind::kInclusive, "b"}) == Ranks(1, 4));
  CHECK(ranks({Kind::kExclusive, "a"}, {Kind::kExclusive, "b"}) == Ranks(2, 3));
  CHECK(ranks({Kind::kExclusive, ""}, {Kind::kHighest}) == Ranks(1, 6));
  CHECK(ranks({Kind::kInclusive, "ab"}, {Kind::kInclusive, "ab"}) == Ranks(0, 0));
  CHECK(ranks({Kind::kInclusive, "c"}, {Kind::kInclusive, "a"}) == Ranks(0, 0));
  CHECK(ranks({Kind::kHighest}, {Kind::kLowest}) == Ranks(0, 0));
}

TEST_CASE("a scan sees everything that stays", "[zset]") {
  ZsetFixture f;
  ZsetValue zset = f.Make("key");
  std::set<std::string> seen;
  const auto see = [&](std::string_view member, double) { seen.insert(std::string(member)); };
  for (int i = 0; i < 100; ++i) zset.Add(std::to_string(i), i);
  CHECK(zset.Scan(0, 10, see) == 0);
  CHECK(seen.size() == 100);

  for (int i = 0; i < 5000; ++i) zset.Add(std::to_string(i), i);
  seen.clear();
  uint64_t cursor = 0;
  int added = 5000;
  do {
    cursor = zset.Scan(cursor, 50, see);
    // What comes and goes meanwhile does not matter.
    for (int i = 0; i < 30; ++i) zset.Add(std::to_string(added++), 1);
    zset.Remove(std::to_string(added - 1));
  } while (cursor != 0);
  for (int i = 0; i < 5000; ++i) REQUIRE(seen.count(std::to_string(i)) == 1);
}

TEST_CASE("a member at random may be any", "[zset]") {
  ZsetFixture f;
  f.limits.zset_max_listpack_entries = GENERATE(0, 128);
  ZsetValue zset = f.Make("key");
  for (int i = 0; i < 10; ++i) zset.Add(std::to_string(i), 1);
  std::map<std::string, int> drawn;
  for (int i = 0; i < 10'000; ++i) ++drawn[std::string(zset.RandomMember().member())];
  REQUIRE(drawn.size() == 10);
  for (const auto& [member, count] : drawn) CHECK(std::abs(count - 1000) < 200);
}

}  // namespace
}  // namespace pinyon
