// Sets: SADD to SDIFFSTORE, in sizes at which encodings change. What chance decides is only looked at
// (SRANDMEMBER), or made certain (SPOP of all, or of a set of one).
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

std::string Member(Random& random) {
  switch (random.Below(8)) {
    case 0: return Value(random);
    case 1:
      return random.Pick({"9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01"});
    case 2:
    case 3: return "member:" + std::to_string(random.Below(30));
    case 4: return random.Pick({"32767", "32768", "-32769", "2147483648", "-2147483649", "65536"});
    default: return std::to_string(random.Below(40));
  }
}

void AddMembers(Random& random, Args& args) {
  for (size_t members = 1 + random.Below(5); members > 0; --members) args.push_back(Member(random));
}

Step Add(Random& random) {
  Args args = {"SADD", Key(random)};
  AddMembers(random, args);
  return {.args = args};
}

Step AddIntegers(Random& random) {
  Args args = {"SADD", Key(random)};
  for (size_t members = 1 + random.Below(8); members > 0; --members) {
    args.push_back(std::to_string(random.Between(-20, 20)));
  }
  return {.args = args};
}

// Enough to leave the small encodings, or nearly.
Step AddMany(Random& random) {
  Args args = {"SADD", Key(random)};
  const size_t members = random.OneIn(4) ? 508 + random.Below(10) : 120 + random.Below(16);
  const std::string prefix = random.OneIn(2) ? "" : "many:";
  const size_t first = random.Below(20);
  for (size_t i = 0; i < members; ++i) args.push_back(prefix + std::to_string(first + i));
  return {.args = args, .may_mutate = false};
}

Step Remove(Random& random) {
  Args args = {"SREM", Key(random)};
  AddMembers(random, args);
  return {.args = args};
}

Step IsMember(Random& random) {
  if (random.OneIn(2)) return {.args = {"SISMEMBER", Key(random), Member(random)}};
  Args args = {"SMISMEMBER", Key(random)};
  for (size_t members = 1 + random.Below(20); members > 0; --members) args.push_back(Member(random));
  return {.args = args};
}

Step Look(Random& random) {
  return {.args = {random.Pick({"SCARD", "SMEMBERS", "SMEMBERS", "TYPE"}), Key(random)}};
}

Step Move(Random& random) { return {.args = {"SMOVE", Key(random), Key(random), Member(random)}}; }

std::string Count(Random& random) {
  return random.OneIn(4) ? Integer(random) : std::to_string(random.Between(-20, 20));
}

Step PopAll(Random& random) {
  if (random.OneIn(4)) {
    return {.args = {"SPOP", Key(random), random.Pick({"-1", "abc", "", "1.5", "9223372036854775808", "0"})},
            .may_mutate = false};
  }
  Args args = {"SPOP", Key(random), random.Pick({"100000", "9223372036854775807", "5000"})};
  if (random.OneIn(10)) args.push_back("1");
  return {.args = args, .may_mutate = false};
}

// Draws of a negative count are counted only; no more than a few.
Step DrawSome(Random& random) {
  if (random.OneIn(3)) return {.args = {"SRANDMEMBER", Key(random)}, .may_mutate = false};
  const std::string count = random.OneIn(5)
                                ? random.Pick({"abc", "", "-9223372036854775808", "9223372036854775807",
                                               "9223372036854775808", "-9223372036854775809", "1.0", "100"})
                                : std::to_string(random.Between(-20, 20));
  Args args = {"SRANDMEMBER", Key(random), count};
  if (random.OneIn(12)) args.push_back("1");
  return {.args = args, .may_mutate = false};
}

// Whole scans only: where a partial one stops is each server's own affair.
Step Scan(Random& random) {
  if (random.OneIn(6)) {
    return {.args = {"SSCAN", Key(random), random.Pick({"abc", "", "-1x", "1.5", " 0"}), "COUNT", "1000"},
            .may_mutate = false};
  }
  Args args = {"SSCAN", Key(random), "0", Word(random, "COUNT"), random.Pick({"2000", "100000"})};
  if (random.OneIn(3)) {
    args.insert(args.end(), {Word(random, "MATCH"), random.Pick({"*", "1*", "member:?", "", "[0-9]"})});
  }
  if (random.OneIn(10)) args.insert(args.end(), {"COUNT", random.Pick({"0", "-1", "abc", "2000"})});
  if (random.OneIn(12)) args.push_back(random.Pick({"COUNT", "MATCH", "BOGUS", "TYPE", "NOVALUES"}));
  return {.args = args, .may_mutate = false};
}

void AppendKeys(Random& random, Args& args) {
  for (size_t keys = 1 + random.Below(random.OneIn(6) ? 8 : 4); keys > 0; --keys) args.push_back(Key(random));
}

Step Combine(Random& random) {
  Args args = {random.Pick({"SINTER", "SUNION", "SDIFF", "SDIFF"})};
  AppendKeys(random, args);
  return {.args = args};
}

Step CombineAndStore(Random& random) {
  Args args = {random.Pick({"SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE", "SDIFFSTORE"}), Key(random)};
  AppendKeys(random, args);
  return {.args = args};
}

Step InterCard(Random& random) {
  Args args = {"SINTERCARD", ""};
  AppendKeys(random, args);
  args[1] = random.OneIn(8) ? Count(random) : std::to_string(args.size() - 2);
  while (random.OneIn(3)) {
    args.insert(args.end(),
                {Word(random, "LIMIT"), random.OneIn(4) ? Count(random) : std::to_string(random.Below(12))});
  }
  if (random.OneIn(12)) args.push_back(random.Pick({"LIMIT", "BOGUS"}));
  return {.args = args};
}

Step Encoding(Random& random) { return {.args = {"OBJECT", "ENCODING", Key(random)}}; }
Step SetValue(Random& random) { return {.args = {"SET", Key(random), Value(random)}}; }
Step Delete(Random& random) { return {.args = {"DEL", Key(random), Key(random)}}; }

using Maker = Step (*)(Random&);
constexpr Maker kMakers[] = {
    Add,
    Add,
    Add,
    Add,
    AddIntegers,
    AddIntegers,
    AddIntegers,
    AddMany,
    Remove,
    Remove,
    Remove,
    Remove,
    IsMember,
    IsMember,
    Look,
    Look,
    Move,
    Move,
    PopAll,
    DrawSome,
    Scan,
    Combine,
    Combine,
    Combine,
    Combine,
    InterCard,
    InterCard,
    CombineAndStore,
    CombineAndStore,
    CombineAndStore,
    CombineAndStore,
    Encoding,
    Encoding,
    SetValue,
    Delete,
};

}  // namespace

void AppendSets(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(40)) {
    // A set of one has nothing to choose from.
    const std::string key = Key(random);
    steps.push_back({.args = {"DEL", key}, .may_mutate = false});
    steps.push_back({.args = {"SADD", key, Member(random)}, .may_mutate = false});
    steps.push_back({.args = {"SPOP", key}, .may_mutate = false});
    return;
  }
  steps.push_back(random.Pick(kMakers)(random));
}

}  // namespace pinyon::differential
