// Lists: every command on lists of Redis 7.0; those that wait only where they need not.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

// Few, so that searches find something.
std::string Element(Random& random) {
  switch (random.Below(8)) {
    case 0: return Value(random);
    case 1: return std::to_string(random.Below(5));
    case 2: return random.Pick({"12345678901", "-1", "", "0", "00"});
    case 3: return random.OneIn(10) ? std::string(3000 + random.Below(9000), 'x') : "y";
    default: return std::string(1, static_cast<char>('a' + random.Below(4)));
  }
}

std::string End(Random& random) { return Word(random, random.OneIn(2) ? "LEFT" : "RIGHT"); }

std::string Count(Random& random) {
  if (random.OneIn(3)) return Index(random);
  return std::to_string(random.Below(5));
}

Args Push(Random& random) {
  Args args = {random.Pick({"LPUSH", "RPUSH", "LPUSH", "RPUSH", "LPUSHX", "RPUSHX"}), Key(random)};
  const size_t many = random.OneIn(20) ? 300 : 6;
  for (size_t elements = 1 + random.Below(many); elements > 0; --elements) args.push_back(Element(random));
  return args;
}

Args Pop(Random& random) {
  Args args = {random.Pick({"LPOP", "RPOP"}), Key(random)};
  if (random.OneIn(3)) args.push_back(Count(random));
  return args;
}

Args Look(Random& random) {
  if (random.OneIn(3)) return {"LLEN", Key(random)};
  return {"LINDEX", Key(random), Index(random)};
}

Args Range(Random& random) {
  if (random.OneIn(2)) return {"LRANGE", Key(random), "0", "-1"};
  return {"LRANGE", Key(random), Index(random), Index(random)};
}

Args Trim(Random& random) { return {"LTRIM", Key(random), Index(random), Index(random)}; }
Args Set(Random& random) { return {"LSET", Key(random), Index(random), Element(random)}; }

Args Insert(Random& random) {
  return {"LINSERT", Key(random), Word(random, random.OneIn(2) ? "BEFORE" : "AFTER"), Element(random),
          Element(random)};
}

Args Remove(Random& random) {
  const std::string count = random.OneIn(4) ? Index(random) : random.Pick({"0", "1", "-1", "2", "-2"});
  return {"LREM", Key(random), count, Element(random)};
}

Args Position(Random& random) {
  Args args = {"LPOS", Key(random), Element(random)};
  for (size_t options = random.Below(4); options > 0; --options) {
    switch (random.Below(3)) {
      case 0:
        args.insert(args.end(), {Word(random, "RANK"),
                                 random.OneIn(3) ? Index(random) : random.Pick({"1", "2", "-1", "-2"})});
        break;
      case 1: args.insert(args.end(), {Word(random, "COUNT"), Count(random)}); break;
      default: args.insert(args.end(), {Word(random, "MAXLEN"), Count(random)});
    }
  }
  return args;
}

Args Move(Random& random) {
  if (random.OneIn(3)) return {"RPOPLPUSH", Key(random), Key(random)};
  return {"LMOVE", Key(random), Key(random), End(random), End(random)};
}

void AppendKeys(Random& random, Args& args) {
  const size_t keys = 1 + random.Below(3);
  args.push_back(random.OneIn(12) ? random.Pick({"0", "-1", "abc", "100", "9223372036854775807"})
                                  : std::to_string(keys));
  for (size_t i = 0; i < keys; ++i) args.push_back(Key(random));
  args.push_back(End(random));
  if (random.OneIn(2)) args.insert(args.end(), {Word(random, "COUNT"), Count(random)});
}

Args PopFromSeveral(Random& random) {
  Args args = {"LMPOP"};
  AppendKeys(random, args);
  return args;
}

// A timeout so short that it is over before anything else happens, or one that is refused.
std::string Timeout(Random& random) {
  return random.OneIn(4) ? random.Pick({"-1", "abc", "", "inf", "1e30", "-0.1"})
                         : random.Pick({"0.001", "0.01"});
}

Args Wait(Random& random) {
  switch (random.Below(4)) {
    case 0: return {"BLMOVE", Key(random), Key(random), End(random), End(random), Timeout(random)};
    case 1: return {"BRPOPLPUSH", Key(random), Key(random), Timeout(random)};
    case 2: {
      Args args = {"BLMPOP", Timeout(random)};
      AppendKeys(random, args);
      return args;
    }
    default: {
      Args args = {random.Pick({"BLPOP", "BRPOP"})};
      for (size_t keys = 1 + random.Below(3); keys > 0; --keys) args.push_back(Key(random));
      args.push_back(Timeout(random));
      return args;
    }
  }
}

Args Other(Random& random) {
  switch (random.Below(5)) {
    case 0: return {"COPY", Key(random), Key(random), "REPLACE"};
    case 1: return {"RENAME", Key(random), Key(random)};
    case 2: return {"OBJECT", "ENCODING", Key(random)};
    case 3: return {"EXPIRE", Key(random), FarSeconds(random)};
    default: return {random.Pick({"TYPE", "TTL", "DEL", "GET"}), Key(random)};
  }
}

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {Push,  Push,           Push, Push,   Pop,    Pop,    Look,     Range,    Range,
                             Range, Trim,           Set,  Insert, Insert, Remove, Position, Position, Move,
                             Move,  PopFromSeveral, Other};

}  // namespace

void AppendLists(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(80)) {
    // A mutation could make it wait for ever.
    steps.push_back({.args = Wait(random), .may_mutate = false});
    return;
  }
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
