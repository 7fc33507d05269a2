// Strings: every string command of Redis 7.0.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

// An expiry option of SET or GETEX with a time that cannot race, or one that is refused.
void AddExpiryOption(Random& random, Args& args) {
  const bool bad = random.OneIn(5);
  switch (random.Below(4)) {
    case 0: args.insert(args.end(), {Word(random, "EX"), bad ? BadTime(random) : FarSeconds(random)}); break;
    case 1:
      args.insert(args.end(), {Word(random, "PX"), bad ? BadTime(random) : FarMilliseconds(random)});
      break;
    case 2:
      args.insert(args.end(), {Word(random, "EXAT"), bad ? BadTime(random) : FarUnixSeconds(random)});
      break;
    default:
      args.insert(args.end(), {Word(random, "PXAT"), bad ? BadTime(random) : FarUnixMilliseconds(random)});
  }
}

Args Set(Random& random) {
  Args args = {"SET", Key(random), Value(random)};
  if (random.OneIn(2)) return args;
  for (size_t options = 1 + random.Below(3); options > 0; --options) {
    switch (random.Below(5)) {
      case 0: args.push_back(Word(random, "NX")); break;
      case 1: args.push_back(Word(random, "XX")); break;
      case 2: args.push_back(Word(random, "GET")); break;
      case 3: args.push_back(Word(random, "KEEPTTL")); break;
      default: AddExpiryOption(random, args);
    }
  }
  return args;
}

Args GetEx(Random& random) {
  Args args = {"GETEX", Key(random)};
  if (random.OneIn(3)) args.push_back(Word(random, "PERSIST"));
  if (random.OneIn(2)) AddExpiryOption(random, args);
  return args;
}

Args Get(Random& random) { return {random.Pick({"GET", "GET", "GET", "STRLEN", "GETDEL"}), Key(random)}; }
Args GetSet(Random& random) { return {"GETSET", Key(random), Value(random)}; }
Args SetNx(Random& random) { return {"SETNX", Key(random), Value(random)}; }
Args Append(Random& random) { return {"APPEND", Key(random), Value(random)}; }

Args SetEx(Random& random) {
  const bool bad = random.OneIn(4);
  if (random.OneIn(2))
    return {"SETEX", Key(random), bad ? BadTime(random) : FarSeconds(random), Value(random)};
  return {"PSETEX", Key(random), bad ? BadTime(random) : FarMilliseconds(random), Value(random)};
}

Args MultiSet(Random& random) {
  Args args = {random.Pick({"MSET", "MSETNX"})};
  for (size_t pairs = 1 + random.Below(4); pairs > 0; --pairs) {
    args.insert(args.end(), {Key(random), Value(random)});
  }
  return args;
}

Args MultiGet(Random& random) {
  Args args = {"MGET"};
  for (size_t keys = 1 + random.Below(6); keys > 0; --keys) args.push_back(Key(random));
  return args;
}

Args GetRange(Random& random) {
  return {random.Pick({"GETRANGE", "SUBSTR"}), Key(random), Index(random), Index(random)};
}

Args SetRange(Random& random) {
  // 512 MiB and beyond are refused; what is accepted stays small.
  const std::string offset =
      random.OneIn(6)
          ? random.Pick({"536870912", "-1", "9223372036854775807", "4294967295", "abc", "", "1.5"})
          : std::to_string(random.Below(random.OneIn(4) ? 300 : 20));
  return {"SETRANGE", Key(random), offset, Value(random)};
}

Args Increment(Random& random) {
  if (random.OneIn(2)) return {random.Pick({"INCR", "DECR"}), Key(random)};
  return {random.Pick({"INCRBY", "DECRBY"}), Key(random), Integer(random)};
}

Args IncrementFloat(Random& random) { return {"INCRBYFLOAT", Key(random), Float(random)}; }

Args SetNumber(Random& random) {
  return {"SET", Key(random), random.OneIn(2) ? Integer(random) : Float(random)};
}

Args Lcs(Random& random) {
  Args args = {"LCS", Key(random), Key(random)};
  for (size_t options = random.Below(5); options > 0; --options) {
    switch (random.Below(4)) {
      case 0: args.push_back(Word(random, "LEN")); break;
      case 1:
      case 2: args.push_back(Word(random, random.OneIn(2) ? "IDX" : "WITHMATCHLEN")); break;
      default: args.insert(args.end(), {Word(random, "MINMATCHLEN"), Index(random)});
    }
  }
  return args;
}

Args Look(Random& random) {
  if (random.OneIn(3)) return {"OBJECT", "ENCODING", Key(random)};
  return {random.Pick({"TTL", "PTTL", "TYPE", "EXISTS"}), Key(random)};
}

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {Set,
                             Set,
                             Set,
                             Get,
                             Get,
                             Get,
                             GetEx,
                             GetSet,
                             SetNx,
                             SetEx,
                             MultiSet,
                             MultiGet,
                             GetRange,
                             SetRange,
                             Increment,
                             Append,
                             Append,
                             Increment,
                             Increment,
                             IncrementFloat,
                             IncrementFloat,
                             SetNumber,
                             Lcs,
                             Look};

}  // namespace

void AppendStrings(Random& random, const Pool&, std::vector<Step>& steps) {
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
