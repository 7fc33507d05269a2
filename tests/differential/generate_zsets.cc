// Sorted sets: ZADD to ZRANGESTORE, pops and removals, small and large ones, with scores at the edges and
// many that are equal.
//
// Ranges by member make sense only where all scores are equal: they have keys of their own.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

using namespace std::string_view_literals;

std::string Member(Random& random) {
  if (random.OneIn(40)) return Value(random);
  if (random.OneIn(60)) return std::string(65, 'm');  // too long for a listpack
  static constexpr std::string_view kMembers[] = {"a"sv, "b"sv, "c"sv,      "aa"sv, "12"sv, "-7"sv, "007"sv,
                                                  ""sv,  "B"sv, "\xff\0"sv, "z"sv,  "ab"sv, "1.5"sv};
  return std::string(random.Pick(kMembers));
}

std::string Score(Random& random) {
  switch (random.Below(8)) {
    case 0: return Float(random);
    case 1: return Integer(random);
    case 2:
      return random.Pick({"inf", "-inf", "+inf", "1e308", "-1e308", "0.30000000000000004", "-0", "0.1",
                          "4611686018427387904", "4611686018427388928", "9007199254740993", "1e17", "1e16",
                          "123456789.123456789", "5e-324", "infinity", "0x10"});
    default: return std::to_string(random.Between(-3, 3));
  }
}

std::string Bound(Random& random) {
  const std::string prefix = random.OneIn(3) ? "(" : "";
  if (random.OneIn(4)) return prefix + random.Pick({"-inf", "+inf", "inf"});
  return prefix + Score(random);
}

std::string LexKey(Random& random) { return random.OneIn(12) ? "nothing" : random.Pick({"lex1", "lex2"}); }

std::string LexBoundText(Random& random) {
  switch (random.Below(8)) {
    case 0: return "-";
    case 1: return "+";
    case 2: return random.Pick({"", "a", "++", "[", "(", "{a"});
    default: return (random.OneIn(2) ? "[" : "(") + Member(random);
  }
}

void AppendPairs(Random& random, Args& args, size_t pairs) {
  for (; pairs > 0; --pairs) {
    args.push_back(Score(random));
    args.push_back(Member(random));
  }
}

Args Add(Random& random) {
  Args args = {"ZADD", Key(random)};
  while (random.OneIn(3)) args.push_back(Word(random, random.Pick({"NX", "XX", "GT", "LT", "CH", "INCR"})));
  AppendPairs(random, args, 1 + random.Below(random.OneIn(3) ? 8 : 2));
  return args;
}

// More than a listpack may have, or just as many.
Args AddMany(Random& random) {
  Args args = {"ZADD", Key(random)};
  const size_t count = 120 + random.Below(60);
  const auto scores = static_cast<int64_t>(1 + random.Below(40));
  for (size_t i = 0; i < count; ++i) {
    args.push_back(std::to_string(random.Between(-scores, scores)));
    args.push_back("member:" + std::to_string(i));
  }
  return args;
}

Args AddLex(Random& random) {
  Args args = {"ZADD", random.Pick({"lex1", "lex2"})};
  for (size_t i = 1 + random.Below(6); i > 0; --i) {
    args.push_back("0");
    args.push_back(Member(random));
  }
  return args;
}

Args Increment(Random& random) { return {"ZINCRBY", Key(random), Score(random), Member(random)}; }

Args Remove(Random& random) {
  Args args = {"ZREM", Key(random)};
  for (size_t i = 1 + random.Below(3); i > 0; --i) args.push_back(Member(random));
  return args;
}

Args Ask(Random& random) {
  switch (random.Below(4)) {
    case 0: return {"ZCARD", Key(random)};
    case 1: return {"ZSCORE", Key(random), Member(random)};
    case 2: return {"ZCOUNT", Key(random), Bound(random), Bound(random)};
    default: return {"ZMSCORE", Key(random), Member(random), Member(random)};
  }
}

// Not with a fourth argument, which is WITHSCORE since 7.2 and one too many for the oracle.
Args Rank(Random& random) { return {random.Pick({"ZRANK", "ZREVRANK"}), Key(random), Member(random)}; }

void AppendLimit(Random& random, Args& args) {
  args.push_back(Word(random, "LIMIT"));
  args.push_back(random.OneIn(3) ? Index(random) : std::to_string(random.Below(4)));
  args.push_back(random.OneIn(3) ? Index(random) : std::to_string(random.Between(-1, 5)));
}

void AppendRangeOptions(Random& random, Args& args) {
  if (random.OneIn(3)) AppendLimit(random, args);
  if (random.OneIn(2)) args.push_back(Word(random, "WITHSCORES"));
  if (random.OneIn(20)) args.push_back(random.Pick({"LIMIT", "REV", "BYSCORE", ""}));
}

Args RangeByScore(Random& random) {
  Args args = {random.Pick({"ZRANGEBYSCORE", "ZREVRANGEBYSCORE"}), Key(random), Bound(random), Bound(random)};
  AppendRangeOptions(random, args);
  return args;
}

Args RangeByRank(Random& random) {
  Args args = {random.Pick({"ZRANGE", "ZREVRANGE"}), Key(random), Index(random), Index(random)};
  if (random.OneIn(2)) args.push_back(Word(random, "WITHSCORES"));
  if (random.OneIn(8)) AppendRangeOptions(random, args);
  return args;
}

Args UnifiedRange(Random& random) {
  const bool by_score = random.OneIn(2);
  Args args = {"ZRANGE", Key(random)};
  for (int i = 0; i < 2; ++i) args.push_back(by_score ? Bound(random) : Index(random));
  if (by_score) args.push_back(Word(random, "BYSCORE"));
  if (random.OneIn(2)) args.push_back(Word(random, "REV"));
  AppendRangeOptions(random, args);
  return args;
}

Args Store(Random& random) {
  const bool by_score = random.OneIn(2);
  Args args = {"ZRANGESTORE", Key(random), Key(random)};
  for (int i = 0; i < 2; ++i) args.push_back(by_score ? Bound(random) : Index(random));
  if (by_score) args.push_back(Word(random, "BYSCORE"));
  if (random.OneIn(2)) args.push_back(Word(random, "REV"));
  if (random.OneIn(3)) AppendLimit(random, args);
  if (random.OneIn(20)) args.push_back("WITHSCORES");
  return args;
}

Args ByLex(Random& random) {
  const std::string low = LexBoundText(random);
  const std::string high = LexBoundText(random);
  switch (random.Below(4)) {
    case 0: return {"ZLEXCOUNT", LexKey(random), low, high};
    case 1: return {"ZREMRANGEBYLEX", LexKey(random), low, high};
    case 2: {
      Args args = {"ZRANGE", LexKey(random), low, high, "BYLEX"};
      if (random.OneIn(2)) args.push_back("REV");
      if (random.OneIn(2)) AppendLimit(random, args);
      return args;
    }
    default: {
      Args args = {random.Pick({"ZRANGEBYLEX", "ZREVRANGEBYLEX"}), LexKey(random), low, high};
      if (random.OneIn(2)) AppendLimit(random, args);
      return args;
    }
  }
}

Args RemoveRange(Random& random) {
  if (random.OneIn(2)) return {"ZREMRANGEBYSCORE", Key(random), Bound(random), Bound(random)};
  return {"ZREMRANGEBYRANK", Key(random), Index(random), Index(random)};
}

Args Pop(Random& random) {
  Args args = {random.Pick({"ZPOPMIN", "ZPOPMAX"}), Key(random)};
  if (random.OneIn(2)) args.push_back(random.OneIn(3) ? Integer(random) : std::to_string(random.Below(5)));
  return args;
}

void AppendPopFromKeys(Random& random, Args& args) {
  const size_t keys = 1 + random.Below(3);
  args.push_back(random.OneIn(10) ? Integer(random) : std::to_string(keys));
  for (size_t i = 0; i < keys; ++i) args.push_back(Key(random));
  args.push_back(Word(random, random.Pick({"MIN", "MAX"})));
  if (random.OneIn(2)) return;
  args.push_back(Word(random, "COUNT"));
  args.push_back(random.OneIn(4) ? Integer(random) : std::to_string(1 + random.Below(5)));
}

Args PopMany(Random& random) {
  Args args = {"ZMPOP"};
  AppendPopFromKeys(random, args);
  return args;
}

// A timeout so short that it is over before anything else happens, or one that is refused.
Args Wait(Random& random) {
  const std::string timeout =
      random.OneIn(4) ? random.Pick({"-1", "abc", "", "1e30", "-0.1"}) : random.Pick({"0.001", "0.01"});
  if (random.OneIn(2)) {
    Args args = {"BZMPOP", timeout};
    AppendPopFromKeys(random, args);
    return args;
  }
  Args args = {random.Pick({"BZPOPMIN", "BZPOPMAX"})};
  for (size_t keys = 1 + random.Below(3); keys > 0; --keys) args.push_back(Key(random));
  args.push_back(timeout);
  return args;
}

// Negative counts stay small: so many members are replied.
Args PickAny(Random& random) {
  Args args = {"ZRANDMEMBER", Key(random)};
  if (random.OneIn(3)) return args;
  args.push_back(random.Pick({"0", "1", "3", "1000", "-1", "-3", "-9223372036854775808", "abc",
                              "9223372036854775807", "4611686018427387904"}));
  if (random.OneIn(2)) args.push_back(random.OneIn(12) ? "SCORES" : Word(random, "WITHSCORES"));
  return args;
}

Args Scan(Random& random) {
  Args args = {"ZSCAN", Key(random), random.OneIn(12) ? random.Pick({"abc", "-1x", ""}) : "0"};
  if (random.OneIn(3))
    args.insert(args.end(), {"MATCH", random.Pick({"*", "m*", "member:1*", "[ab]", "12"})});
  args.insert(args.end(), {"COUNT", random.OneIn(12) ? random.Pick({"0", "-1", "x"}) : "1000"});
  return args;
}

Args Look(Random& random) {
  switch (random.Below(4)) {
    case 0: return {"OBJECT", "ENCODING", random.OneIn(5) ? LexKey(random) : Key(random)};
    case 1: return {"TYPE", Key(random)};
    case 2: return {"ZRANGE", LexKey(random), "0", "-1", "WITHSCORES"};
    default: return {"ZRANGE", Key(random), "0", "-1", "WITHSCORES"};
  }
}

Args Other(Random& random) {
  switch (random.Below(4)) {
    case 0: return {"COPY", Key(random), Key(random), "REPLACE"};
    case 1: return {"RENAME", Key(random), Key(random)};
    case 2: return {"DEL", Key(random)};
    default: return {"SET", Key(random), "string"};
  }
}

struct Maker {
  Args (*make)(Random&);
  size_t weight;
  bool may_mutate = true;
};

constexpr Maker kMakers[] = {{Add, 14},           {AddMany, 1},      {AddLex, 3, false}, {Increment, 4},
                             {Remove, 3},         {Ask, 6},          {Rank, 3, false},   {RangeByScore, 4},
                             {RangeByRank, 4},    {UnifiedRange, 5}, {Store, 3},         {ByLex, 6, false},
                             {RemoveRange, 2},    {Pop, 2},          {PopMany, 2},       {Wait, 1, false},
                             {PickAny, 2, false}, {Scan, 2, false},  {Look, 5},          {Other, 2}};

constexpr size_t kTotalWeight = [] {
  size_t total = 0;
  for (const Maker& maker : kMakers) total += maker.weight;
  return total;
}();

}  // namespace

void AppendZsets(Random& random, const Pool&, std::vector<Step>& steps) {
  size_t left = random.Below(kTotalWeight);
  const Maker* maker = kMakers;
  for (; left >= maker->weight; ++maker) left -= maker->weight;
  steps.push_back({.args = maker->make(random), .may_mutate = maker->may_mutate});
}

}  // namespace pinyon::differential
