// Generic: commands on keys of any type and on whole databases.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

Step SetValue(Random& random) { return {.args = {"SET", Key(random), Value(random)}}; }

Step OnKeys(Random& random) {
  Args args = {random.Pick({"DEL", "UNLINK", "EXISTS", "EXISTS", "TOUCH"})};
  for (size_t keys = 1 + random.Below(4); keys > 0; --keys) args.push_back(Key(random));
  return {.args = args};
}

Step OnKey(Random& random) { return {.args = {random.Pick({"TYPE", "GET", "TTL", "STRLEN"}), Key(random)}}; }

Step Rename(Random& random) {
  return {.args = {random.Pick({"RENAME", "RENAMENX"}), Key(random), Key(random)}};
}

Step Copy(Random& random) {
  Args args = {"COPY", Key(random), Key(random)};
  for (size_t options = random.Below(4); options > 0; --options) {
    if (random.OneIn(2)) {
      args.push_back(Word(random, "REPLACE"));
    } else {
      args.insert(args.end(), {Word(random, "DB"), Database(random)});
    }
  }
  return {.args = args};
}

Step Move(Random& random) { return {.args = {"MOVE", Key(random), Database(random)}}; }

Step Keys(Random& random) {
  static constexpr std::string_view kPatterns[] = {
      "*",   "?",    "[a-c]", "[^a-c]",  "[c-a]",   "\\a",   "*a*", "{tag}*", "k*y*",
      "[",   "[a",   "**",    "",        "a",       "[\\a]", "*\\", "?*?",    "[a-",
      "[^]", "*[b]", "bin*",  "1[0-5]*", "***a***", "[]a]",  "\\*", "[!a]"};
  return {.args = {"KEYS", std::string(random.Pick(kPatterns))}};
}

// Whole scans only: where a partial one stops is each server's own affair.
Step Scan(Random& random) {
  if (random.OneIn(6)) {
    return {.args = {"SCAN", random.Pick({"abc", "", "-1x", "1.5", " 0", "0 "}), "COUNT", "1000"},
            .may_mutate = false};
  }
  Args args = {"SCAN", "0", Word(random, "COUNT"), random.Pick({"1000", "100000", "2147483647"})};
  if (random.OneIn(3))
    args.insert(args.end(), {Word(random, "MATCH"), random.Pick({"*", "[a-c]", "?", "", "a*"})});
  if (random.OneIn(3)) {
    args.insert(args.end(),
                {Word(random, "TYPE"), random.Pick({"string", "STRING", "list", "nosuchtype", ""})});
  }
  if (random.OneIn(10)) {
    args.insert(args.end(), {"COUNT", random.Pick({"0", "-1", "abc", "", "9223372036854775808"})});
  }
  if (random.OneIn(12)) args.push_back(random.Pick({"COUNT", "MATCH", "BOGUS"}));
  return {.args = args, .may_mutate = false};
}

Step Object(Random& random) {
  if (random.OneIn(8)) return {.args = {"OBJECT", random.Pick({"HELP", "help", "BOGUS", ""})}};
  return {.args = {"OBJECT",
                   Word(random, random.Pick({"ENCODING", "ENCODING", "REFCOUNT", "FREQ", "IDLETIME"})),
                   Key(random)}};
}

Step WholeDatabase(Random& random) {
  switch (random.Below(12)) {
    case 0: return {.args = {"FLUSHDB"}};
    case 1: return {.args = {"FLUSHDB", random.Pick({"ASYNC", "sync", "BOGUS"})}};
    case 2: return {.args = {"FLUSHALL"}};
    case 3: return {.args = {"FLUSHALL", random.Pick({"async", "SYNC", "BOGUS", ""})}};
    case 4:
    case 5: return {.args = {"SWAPDB", Database(random), Database(random)}};
    case 6:
    case 7: return {.args = {"RANDOMKEY"}};
    default: return {.args = {"DBSIZE"}};
  }
}

Step Select(Random& random) { return {.args = {"SELECT", Database(random)}}; }

using Maker = Step (*)(Random&);
constexpr Maker kMakers[] = {SetValue, SetValue, SetValue, SetValue, SetValue,      OnKeys, OnKeys,
                             OnKeys,   OnKey,    OnKey,    Rename,   Rename,        Rename, Copy,
                             Copy,     Copy,     Move,     Move,     Keys,          Keys,   Scan,
                             Scan,     Object,   Object,   Object,   WholeDatabase, Select};

}  // namespace

void AppendGeneric(Random& random, const Pool&, std::vector<Step>& steps) {
  steps.push_back(random.Pick(kMakers)(random));
  if (random.OneIn(5)) steps.back().connection = 1;
}

}  // namespace pinyon::differential
