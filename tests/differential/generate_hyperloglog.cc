// HyperLogLogs: PFADD, PFCOUNT, PFMERGE and PFDEBUG on values from empty to dense, compared byte for byte by
// GET, and on values that were damaged by SETRANGE.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

// From a few to many: values stay sparse for a while and then become dense.
Args PfAdd(Random& random) {
  Args args = {"PFADD", Key(random)};
  size_t elements = random.Below(4);
  if (random.OneIn(6)) elements = 20 + random.Below(400);
  for (; elements > 0; --elements) {
    args.push_back(random.OneIn(5) ? Value(random) : std::to_string(random.Below(20'000)));
  }
  return args;
}

Args Keys(Random& random, std::string_view command, size_t at_most) {
  Args args = {std::string(command)};
  for (size_t count = 1 + random.Below(at_most); count > 0; --count) args.push_back(Key(random));
  return args;
}

Args PfCountOne(Random& random) { return {"PFCOUNT", Key(random)}; }
Args PfCount(Random& random) { return Keys(random, "PFCOUNT", 4); }
Args PfMerge(Random& random) { return Keys(random, "PFMERGE", 4); }

Args PfDebug(Random& random) {
  if (random.OneIn(20))
    return {"PFDEBUG", random.Pick({"GETREG", "TODENSE", "todense", "FOO", ""}), Key(random)};
  return {"PFDEBUG", Word(random, random.Pick({"DECODE", "ENCODING"})), Key(random)};
}

Args Get(Random& random) { return {"GET", Key(random)}; }
Args Encoding(Random& random) { return {"OBJECT", "ENCODING", Key(random)}; }

// Whole values: short enough to be embstr, empty, of the wrong length, and no opcodes at all.
Args SetValue(Random& random) {
  using namespace std::string_view_literals;
  static constexpr std::string_view kValues[] = {
      "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"sv,
      "HYLL\1\0\0\0\2\0\0\0\0\0\0\x80zS\x88"
      "E\xa0\x84\x08"sv,
      "HYLL\1\0\0\0\5\0\0\0\0\0\0\0zS\x88"
      "E\xa0\x84\x08"sv,
      "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80"sv,
      "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\x7f\xff"sv,
      "HYLL\1\0\0\0\0\0\0\0\0\0\0\x80\x80\x81\x82\x83"sv,
      "HYLL\0\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"sv,
      "HYLL\2\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"sv,
      "HYLL\1\0\0\0\0\0\0"sv,
      "HYLK\1\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"sv,
  };
  return {"SET", Key(random), std::string(random.Pick(kValues))};
}

// Damages what stands at the front, so that no value grows, and looks at it. One element at a time, because a
// PFADD that fails half way leaves Redis's value half changed; then the value goes. The zero behind completes
// an opcode at the end, whose second byte Redis would read behind the value.
void AppendDamaged(Random& random, std::vector<Step>& steps) {
  const std::string key = Key(random);
  const size_t offset = random.Below(random.OneIn(2) ? 18 : 60);
  const std::string element = std::to_string(random.Below(100));
  const std::string bytes = {static_cast<char>(random.Next()), '\0'};
  for (const Args& args : {Args{"SETRANGE", key, std::to_string(offset), bytes}, Args{"PFCOUNT", key},
                           Args{"PFADD", key, element}, Args{"GET", key}, Args{"PFCOUNT", key, "e"},
                           Args{"PFMERGE", "f", key}, Args{"PFDEBUG", "TODENSE", key}, Args{"DEL", key}}) {
    steps.push_back({.args = args, .may_mutate = false});
  }
}

Args Delete(Random& random) { return {"DEL", Key(random)}; }

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {PfAdd,   PfAdd,   PfAdd,    PfAdd,    PfAdd, PfAdd, PfAdd, PfAdd,    PfCountOne,
                             PfCount, PfMerge, PfMerge,  PfDebug,  Get,   Get,   Get,   Encoding, PfCountOne,
                             PfAdd,   PfAdd,   SetValue, Encoding, Get,   Get,   PfAdd, Delete};

}  // namespace

void AppendHyperLogLog(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(60)) return AppendDamaged(random, steps);
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
