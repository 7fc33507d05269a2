// Sorted-set algebra: ZUNION to ZINTERCARD and their STORE forms, of sorted sets and sets in all encodings,
// with weights that make infinities, zeros and no numbers.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

std::string Member(Random& random) {
  switch (random.Below(6)) {
    case 0: return "member:" + std::to_string(random.Below(20));
    case 1: return random.Pick({"9223372036854775807", "01", "-5", "1.5", "x"});
    default: return std::to_string(random.Below(25));
  }
}

std::string Score(Random& random) {
  switch (random.Below(8)) {
    case 0: return random.Pick({"inf", "-inf", "0", "-0", "1e300", "-1e300", "1e-300"});
    case 1: return random.Pick({"0.1", "0.2", "0.3", "3.14159", "1e17", "12345678901234567"});
    default: return std::to_string(random.Between(-10, 10));
  }
}

std::string Weight(Random& random) {
  switch (random.Below(8)) {
    case 0: return random.Pick({"inf", "-inf", "0", "1e308", "nan", "abc", "", " 1", "0x10"});
    case 1: return random.Pick({"0.1", "-0.5", "3.3", "1e-10"});
    default: return std::to_string(random.Between(-3, 3));
  }
}

Step AddScored(Random& random) {
  Args args = {"ZADD", Key(random)};
  for (size_t members = 1 + random.Below(8); members > 0; --members) {
    args.push_back(Score(random));
    args.push_back(Member(random));
  }
  return {.args = args};
}

Step AddManyScored(Random& random) {
  Args args = {"ZADD", Key(random)};
  const size_t members = 120 + random.Below(20);
  const size_t first = random.Below(10);
  for (size_t i = 0; i < members; ++i) {
    args.push_back(std::to_string(random.Below(50)));
    args.push_back(std::to_string(first + i));
  }
  return {.args = args, .may_mutate = false};
}

Step AddMembers(Random& random) {
  Args args = {"SADD", Key(random)};
  for (size_t members = 1 + random.Below(8); members > 0; --members) args.push_back(Member(random));
  return {.args = args};
}

Step AddManyMembers(Random& random) {
  Args args = {"SADD", Key(random)};
  const std::string prefix = random.OneIn(2) ? "" : "member:";
  for (size_t i = 0; i < 140; ++i) args.push_back(prefix + std::to_string(i));
  return {.args = args, .may_mutate = false};
}

// numkeys and the keys.
void AppendSources(Random& random, Args& args, size_t* count) {
  *count = 1 + random.Below(random.OneIn(8) ? 8 : 3);
  args.push_back(random.OneIn(20) ? random.Pick({"0", "-1", "abc", "", "2", "9223372036854775807"})
                                  : std::to_string(*count));
  for (size_t i = 0; i < *count; ++i) args.push_back(Key(random));
}

void AppendWeights(Random& random, Args& args, size_t count) {
  args.push_back(Word(random, "WEIGHTS"));
  if (random.OneIn(15)) count = random.Below(4);
  for (; count > 0; --count) args.push_back(Weight(random));
}

void AppendOptions(Random& random, Args& args, size_t count) {
  if (random.OneIn(2)) AppendWeights(random, args, count);
  if (random.OneIn(3)) {
    args.insert(args.end(), {Word(random, "AGGREGATE"),
                             random.OneIn(12) ? random.Pick({"", "AVG"})
                                              : Word(random, random.Pick({"SUM", "MIN", "MAX"}))});
  }
  if (random.OneIn(20)) args.push_back(random.Pick({"WEIGHTS", "AGGREGATE", "LIMIT", "BOGUS"}));
}

Step Combine(Random& random) {
  const bool is_difference = random.OneIn(3);
  Args args = {is_difference ? "ZDIFF" : random.Pick({"ZUNION", "ZINTER"})};
  size_t count = 0;
  AppendSources(random, args, &count);
  if (!is_difference || random.OneIn(15)) AppendOptions(random, args, count);
  if (!random.OneIn(3)) args.push_back(Word(random, "WITHSCORES"));
  return {.args = args};
}

Step CombineAndStore(Random& random) {
  const bool is_difference = random.OneIn(3);
  Args args = {is_difference ? "ZDIFFSTORE" : random.Pick({"ZUNIONSTORE", "ZINTERSTORE"}), Key(random)};
  size_t count = 0;
  AppendSources(random, args, &count);
  if (!is_difference || random.OneIn(15)) AppendOptions(random, args, count);
  if (random.OneIn(15)) args.push_back("WITHSCORES");
  return {.args = args};
}

Step InterCard(Random& random) {
  Args args = {"ZINTERCARD"};
  size_t count = 0;
  AppendSources(random, args, &count);
  while (random.OneIn(3)) {
    args.insert(args.end(),
                {Word(random, "LIMIT"), random.OneIn(5) ? Integer(random) : std::to_string(random.Below(8))});
  }
  if (random.OneIn(15)) args.push_back(random.Pick({"LIMIT", "WITHSCORES", "BOGUS"}));
  return {.args = args};
}

Step Look(Random& random) {
  if (random.OneIn(3)) return {.args = {"OBJECT", "ENCODING", Key(random)}};
  return {.args = {"ZRANGE", Key(random), "0", "-1", "WITHSCORES"}};
}

Step SetValue(Random& random) { return {.args = {"SET", Key(random), "v"}}; }
Step Delete(Random& random) { return {.args = {"DEL", Key(random), Key(random)}}; }

using Maker = Step (*)(Random&);
constexpr Maker kMakers[] = {
    AddScored,       AddScored, AddScored, AddScored,       AddManyScored,   AddMembers, AddMembers,
    AddManyMembers,  Combine,   Combine,   Combine,         Combine,         Combine,    InterCard,
    CombineAndStore, InterCard, Look,      CombineAndStore, CombineAndStore, Look,       Look,
    SetValue,        Delete,
};

}  // namespace

void AppendZsetAlgebra(Random& random, const Pool&, std::vector<Step>& steps) {
  steps.push_back(random.Pick(kMakers)(random));
}

}  // namespace pinyon::differential
