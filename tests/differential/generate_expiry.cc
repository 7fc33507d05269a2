// Expiry: times far away, in the past, or refused; nothing that a slow machine could let pass in between.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

Args SetValue(Random& random) { return {"SET", Key(random), Value(random)}; }

// GT and LT compare a relative time with one from earlier: only times that are far apart give both servers
// the same answer, whatever passes in between.
Args ExpireRelative(Random& random) {
  const bool milliseconds = random.OneIn(2);
  const bool bad = random.OneIn(5);
  const std::string time = bad            ? BadTime(random)
                           : milliseconds ? FarMilliseconds(random)
                                          : FarSeconds(random);
  Args args = {milliseconds ? "PEXPIRE" : "EXPIRE", Key(random), time};
  for (size_t options = random.Below(3); options > 0; --options) {
    args.push_back(bad ? Word(random, random.Pick({"NX", "XX", "BOGUS"}))
                       : Word(random, random.Pick({"NX", "XX", "GT", "LT"})));
  }
  return args;
}

Args ExpireAbsolute(Random& random) {
  const bool milliseconds = random.OneIn(2);
  std::string time = milliseconds ? FarUnixMilliseconds(random) : FarUnixSeconds(random);
  if (random.OneIn(5))
    time = random.OneIn(2) ? BadTime(random) : random.Pick({"1", "1000000000", "1000000000000"});
  Args args = {milliseconds ? "PEXPIREAT" : "EXPIREAT", Key(random), time};
  for (size_t options = random.Below(3); options > 0; --options) {
    args.push_back(random.OneIn(15) ? random.Pick({"ZZ", "", "NXX"})
                                    : Word(random, random.Pick({"NX", "XX", "GT", "LT"})));
  }
  return args;
}

Args Ask(Random& random) {
  return {random.Pick({"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "EXISTS", "GET"}), Key(random)};
}

Args Persist(Random& random) { return {"PERSIST", Key(random)}; }

Args KeepOrDrop(Random& random) {
  switch (random.Below(8)) {
    case 0: return {"SET", Key(random), Value(random), "KEEPTTL"};
    case 1: return {"GETEX", Key(random), random.Pick({"PERSIST", "BOGUS"})};
    case 2: return {"GETEX", Key(random), "EX", FarSeconds(random)};
    case 3: return {"APPEND", Key(random), Value(random)};
    case 4: return {"INCR", Key(random)};
    case 5: return {"RENAME", Key(random), Key(random)};
    case 6: return {"COPY", Key(random), Key(random), "REPLACE"};
    default: return {"GETSET", Key(random), Value(random)};
  }
}

Args SetWithExpiry(Random& random) {
  switch (random.Below(3)) {
    case 0: return {"SET", Key(random), Value(random), "EX", FarSeconds(random)};
    case 1: return {"SET", Key(random), Value(random), "PXAT", FarUnixMilliseconds(random)};
    default: return {"PSETEX", Key(random), FarMilliseconds(random), Value(random)};
  }
}

// Set to a moment that is over. DBSIZE may count such a key until it is looked at or collected, so it is
// looked at.
void AppendSetInThePast(Random& random, std::vector<Step>& steps) {
  const std::string key = Key(random);
  const bool seconds = random.OneIn(2);
  steps.push_back(
      {.args = {"SET", key, Value(random), seconds ? "EXAT" : "PXAT", "1000000000"}, .may_mutate = false});
  steps.push_back({.args = {random.Pick({"GET", "TTL", "EXISTS", "TYPE", "DEL"}), key}, .may_mutate = false});
}

Args Count(Random& random) { return random.OneIn(2) ? Args{"DBSIZE"} : Args{"KEYS", "*"}; }

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {SetValue,
                             SetValue,
                             SetValue,
                             ExpireRelative,
                             ExpireRelative,
                             ExpireRelative,
                             ExpireAbsolute,
                             ExpireAbsolute,
                             ExpireAbsolute,
                             Ask,
                             Ask,
                             Ask,
                             Ask,
                             Ask,
                             Persist,
                             Persist,
                             Count,
                             SetWithExpiry,
                             SetWithExpiry,
                             KeepOrDrop,
                             KeepOrDrop};

}  // namespace

void AppendExpiry(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(15)) return AppendSetInThePast(random, steps);
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
