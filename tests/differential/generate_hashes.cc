// Hashes: fields set, counted in, read, deleted and scanned, across the sizes at which the encoding changes.
// (Expiries of fields are newer than the oracle.)
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

std::string FieldName(Random& random) {
  if (random.OneIn(8)) {
    return random.Pick({"", "0", "-1", "007", "9223372036854775807", "9223372036854775808", "1.5"});
  }
  if (random.OneIn(30)) return std::string(63 + random.Below(4), 'f');
  return "f" + std::to_string(random.Below(random.OneIn(4) ? 60 : 6));
}

std::string FieldValue(Random& random) {
  if (random.OneIn(25)) return std::string(63 + random.Below(4), 'v');
  return Value(random);
}

Step Set(Random& random) {
  Args args = {random.Pick({"HSET", "HSET", "HMSET"}), Key(random)};
  for (size_t pairs = 1 + random.Below(4); pairs > 0; --pairs) {
    args.push_back(FieldName(random));
    args.push_back(FieldValue(random));
  }
  return {.args = args};
}

Step SetAbsent(Random& random) {
  return {.args = {"HSETNX", Key(random), FieldName(random), FieldValue(random)}};
}

// Around the 512 fields that the compact encoding holds.
Step SetMany(Random& random) {
  Args args = {"HSET", Key(random)};
  const size_t pairs = 500 + random.Below(30);
  for (size_t i = 0; i < pairs; ++i) {
    args.push_back("many" + std::to_string(random.OneIn(100) ? 0 : i));
    args.push_back(std::to_string(i));
  }
  return {.args = args};
}

Step Increment(Random& random) {
  return {.args = {"HINCRBY", Key(random), FieldName(random), Integer(random)}};
}

Step IncrementFloat(Random& random) {
  return {.args = {"HINCRBYFLOAT", Key(random), FieldName(random), Float(random)}};
}

Step ReadField(Random& random) {
  return {.args = {random.Pick({"HGET", "HGET", "HEXISTS", "HSTRLEN"}), Key(random), FieldName(random)}};
}

Step ReadFields(Random& random) {
  Args args = {"HMGET", Key(random)};
  for (size_t fields = 1 + random.Below(4); fields > 0; --fields) args.push_back(FieldName(random));
  return {.args = args};
}

Step ReadAll(Random& random) {
  return {.args = {random.Pick({"HGETALL", "HGETALL", "HKEYS", "HVALS", "HLEN", "HLEN"}), Key(random)}};
}

Step Delete(Random& random) {
  Args args = {"HDEL", Key(random)};
  for (size_t fields = 1 + random.Below(5); fields > 0; --fields) args.push_back(FieldName(random));
  return {.args = args};
}

// Which fields come is chance; how many, and in what shape, is not.
Step RandomField(Random& random) {
  Args args = {"HRANDFIELD", Key(random)};
  if (random.OneIn(4)) return {.args = args, .may_mutate = false};
  args.push_back(random.Pick({"1", "3", "-1", "-3", "0", "100", "-100", "700", "9223372036854775807",
                              "-9223372036854775808", "9223372036854775808", "abc", "", "1.5"}));
  if (random.OneIn(2)) args.push_back(random.OneIn(8) ? "BOGUS" : Word(random, "WITHVALUES"));
  if (random.OneIn(12)) args.push_back("WITHVALUES");
  return {.args = args, .may_mutate = false};
}

// Whole scans only: where a partial one stops is each server's own affair.
Step Scan(Random& random) {
  if (random.OneIn(6)) {
    return {
        .args = {"HSCAN", Key(random), random.Pick({"abc", "", "-1x", "1.5", " 0", "0 "}), "COUNT", "100000"},
        .may_mutate = false};
  }
  Args args = {"HSCAN", Key(random), "0", Word(random, "COUNT"), random.Pick({"100000", "2147483647"})};
  if (random.OneIn(3)) {
    args.insert(args.end(), {Word(random, "MATCH"), random.Pick({"*", "f[1-3]", "f?", "", "many1*"})});
  }
  if (random.OneIn(10)) {
    args.insert(args.end(), {"COUNT", random.Pick({"0", "-1", "abc", "", "9223372036854775808"})});
  }
  if (random.OneIn(12)) args.push_back(random.Pick({"COUNT", "MATCH", "BOGUS", "TYPE"}));
  if (random.OneIn(20)) args.insert(args.end(), {"TYPE", "hash"});
  return {.args = args, .may_mutate = false};
}

Step OnKey(Random& random) {
  switch (random.Below(6)) {
    case 0: return {.args = {"DEL", Key(random)}};
    case 1: return {.args = {"RENAME", Key(random), Key(random)}};
    case 2: return {.args = {"COPY", Key(random), Key(random), "REPLACE"}};
    case 3: return {.args = {"TYPE", Key(random)}};
    case 4: return {.args = {"SET", Key(random), Value(random)}};
    default: return {.args = {"GET", Key(random)}};
  }
}

Step Encoding(Random& random) { return {.args = {"OBJECT", "ENCODING", Key(random)}}; }

using Maker = Step (*)(Random&);
constexpr Maker kMakers[] = {
    Set,        Set,        Set,       Set,         SetAbsent,   SetMany,  Increment,
    Increment,  Increment,  ReadField, ReadField,   ReadField,   ReadAll,  IncrementFloat,
    ReadFields, ReadFields, ReadAll,   ReadAll,     Delete,      Delete,   IncrementFloat,
    Scan,       Scan,       OnKey,     RandomField, RandomField, Encoding, Encoding};

}  // namespace

void AppendHashes(Random& random, const Pool&, std::vector<Step>& steps) {
  steps.push_back(random.Pick(kMakers)(random));
}

}  // namespace pinyon::differential
