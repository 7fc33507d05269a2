// SORT and SORT_RO over lists, sets and sorted sets, with weights and values from strings and hashes.
//
// Not generated: numbers that a double cannot hold (the oracle reads every number after one as an error), and
// LIMIT together with BY and ALPHA, where the oracle leaves open in which order equal weights come.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

void Append(Args* args, const Args& more) { args->insert(args->end(), more.begin(), more.end()); }

// Mostly numbers, few enough that weights are found.
std::string Element(Random& random) {
  if (random.OneIn(12)) return random.Pick({"1.5", "-2", "1e3", "0x10", " 7", "+3", "inf", "-inf", "07", ""});
  if (random.OneIn(60)) return random.Pick({"abc", "x y", "5 ", "nan", "a", "B", "b"});
  return std::to_string(random.Below(12));
}

std::string Prefix(Random& random) { return random.Pick({"w_", "o_"}); }

Args Fill(Random& random) {
  Args args;
  switch (random.Below(3)) {
    case 0: args = {"RPUSH", Key(random)}; break;
    case 1: args = {"SADD", Key(random)}; break;
    default: args = {"ZADD", Key(random)}; break;
  }
  const bool set = args[0] == "SADD";
  const bool scores = args[0] == "ZADD";
  for (size_t count = 1 + random.Below(6); count > 0; --count) {
    if (scores) args.push_back(std::to_string(random.Below(1000)));
    // Sets of integers are in order on both servers.
    args.push_back(set ? std::to_string(random.Below(12)) : Element(random));
  }
  return args;
}

Args SetWeight(Random& random) {
  return {"SET", Prefix(random) + Element(random),
          random.OneIn(15) ? random.Pick({"abc", "", "zz", "1 "}) : std::to_string(random.Between(-5, 20))};
}

Args SetField(Random& random) {
  return {"HSET", Prefix(random) + Element(random), random.Pick({"f", "g"}),
          std::to_string(random.Between(-5, 20))};
}

std::string Pattern(Random& random) {
  if (random.OneIn(10))
    return random.Pick({"#", "nosort", "", "*", "w_**", "w_*->", "->*", "*->f", "w_*->f->g"});
  std::string pattern = Prefix(random) + "*";
  if (random.OneIn(3)) pattern += random.Pick({"->f", "->g", "->h"});
  return pattern;
}

Args Sort(Random& random) {
  const bool read_only = random.OneIn(4);
  Args args = {read_only ? "SORT_RO" : "SORT", Key(random)};
  const bool by = random.OneIn(2);
  const bool nosort = by && random.OneIn(3);
  const bool alpha = random.OneIn(2);
  if (by) Append(&args, {Word(random, "BY"), nosort ? "nosort" : Pattern(random)});
  if (random.OneIn(3)) args.push_back(Word(random, random.Pick({"ASC", "DESC"})));
  if (alpha) args.push_back(Word(random, "ALPHA"));
  if ((!by || nosort || !alpha) && random.OneIn(3)) {
    Append(&args, {Word(random, "LIMIT"), Index(random), Index(random)});
  }
  for (size_t gets = random.OneIn(2) ? 0 : random.Below(4); gets > 0; --gets) {
    Append(&args, {Word(random, "GET"), random.OneIn(4) ? "#" : Pattern(random)});
  }
  // Equal text weights keep the order of the collection, which is each server's own: compared, but not
  // stored.
  const bool has_ties = by && !nosort && alpha;
  if (!has_ties && (read_only ? random.OneIn(20) : random.OneIn(4)))
    Append(&args, {Word(random, "STORE"), Key(random)});
  if (random.OneIn(40)) args.push_back(random.Pick({"BY", "GET", "LIMIT", "STORE", "foo"}));
  return args;
}

Args Look(Random& random) { return {"LRANGE", Key(random), "0", "-1"}; }
Args GetKeys(Random& random) {
  Args args = {"COMMAND", random.Pick({"GETKEYS", "GETKEYSANDFLAGS"})};
  Append(&args, Sort(random));
  return args;
}

Args Delete(Random& random) {
  return {"DEL", random.OneIn(2) ? Key(random) : Prefix(random) + Element(random)};
}

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {Fill,     Fill, Fill, SetWeight, SetWeight, SetWeight, SetField,
                             SetField, Sort, Sort, Sort,      Sort,      Sort,      Sort,
                             Sort,     Sort, Sort, Look,      Delete};

}  // namespace

void AppendSort(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(60)) {
    steps.push_back({.args = GetKeys(random), .may_mutate = false});
    return;
  }
  // No mutation: it could make the numbers, and the combination of options, that are not generated.
  steps.push_back({.args = random.Pick(kMakers)(random), .may_mutate = false});
}

}  // namespace pinyon::differential
