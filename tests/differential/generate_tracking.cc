// Client-side caching on one connection, which is told of what it changes itself. Invalidations come between
// replies, so a step is a whole conversation, compared byte for byte. In rounds of RESP2 nothing is told.
#include "differential/generator.h"
#include "support/reply.h"

namespace pinyon::differential {
namespace {

// The keys of one conversation begin with its tag: what an earlier one has left tracked is no key of it.
struct Keys {
  std::string tag;

  std::string One(Random& random) const { return tag + random.Pick({"a", "b", "ab", "c", ""}); }
  std::string Prefix(Random& random) const { return random.Pick({tag, tag + "a", tag + "b", tag + "ab"}); }
};

// Once tracking was turned off it is not turned on again: what Redis remembers from before Pinyon has
// forgotten (docs/tracking.md).
Args Mode(Random& random, const Keys& keys) {
  Args args = {"CLIENT", "TRACKING", random.OneIn(20) ? random.Pick({"YES", "x"}) : "on"};
  // Messages of broadcasts come at the end of a turn, which may be anywhere in a conversation that does not
  // come in one piece. So here broadcasting is always refused.
  if (random.OneIn(3)) {
    args.push_back("BCAST");
    args.push_back(random.Pick({"OPTIN", "OPTOUT"}));
    for (size_t count = random.Below(3); count > 0; --count) {
      args.push_back("PREFIX");
      args.push_back(keys.Prefix(random));
    }
  }
  if (random.OneIn(8)) args.push_back("PREFIX");
  if (random.OneIn(3)) args.push_back(random.Pick({"OPTIN", "optout"}));
  if (random.OneIn(10)) args.push_back(random.Pick({"OPTIN", "OPTOUT"}));
  if (random.OneIn(4)) args.push_back("NOLOOP");
  if (random.OneIn(12)) args.push_back("REDIRECT");
  if (random.OneIn(12)) {
    args.push_back("REDIRECT");
    args.push_back(random.Pick({"0", "-1", "99999999", "x", "9223372036854775808"}));
  }
  if (random.OneIn(40)) args.push_back("BOGUS");
  return args;
}

Args Read(Random& random, const Keys& keys) {
  switch (random.Below(14)) {
    case 0: return {"MGET", keys.One(random), keys.One(random), keys.One(random)};
    case 1: return {"EXISTS", keys.One(random), keys.One(random)};
    case 2: return {"LRANGE", keys.One(random), "0", random.Pick({"-1", "x"})};
    case 3: return {"SINTER", keys.One(random), keys.One(random)};
    case 4: return {"SINTERCARD", "2", keys.One(random), keys.One(random)};
    case 5: return {"ZUNION", "2", keys.One(random), keys.One(random)};
    case 6: return {"OBJECT", "FREQ", keys.One(random)};
    case 7: return {"TTL", keys.One(random)};
    case 8: return {"PFCOUNT", keys.One(random)};
    case 9: return {"SORT_RO", keys.One(random), "ALPHA"};
    case 10: return {"BITFIELD_RO", keys.One(random), "GET", "u8", "0"};
    case 11: return {"HGET", keys.One(random)};
    default: return {"GET", keys.One(random)};
  }
}

Args Write(Random& random, const Keys& keys) {
  switch (random.Below(22)) {
    case 0: return {"MSET", keys.One(random), "1", keys.One(random), "2"};
    case 1: return {"DEL", keys.One(random), keys.One(random)};
    case 2: return {"LPUSH", keys.One(random), "x"};
    case 3: return {"LPOP", keys.One(random)};
    case 4: return {"RENAME", keys.One(random), keys.One(random)};
    case 5: return {"COPY", keys.One(random), keys.One(random), "REPLACE"};
    case 6: return {"SADD", keys.One(random), "m"};
    case 7: return {"SMOVE", keys.One(random), keys.One(random), "m"};
    case 8: return {"SUNIONSTORE", keys.One(random), keys.One(random), keys.One(random)};
    case 9: return {"EXPIRE", keys.One(random), "1000"};
    case 10: return {"PERSIST", keys.One(random)};
    case 11: return {"GETEX", keys.One(random), "EX", "1000"};
    case 12: return {"GETDEL", keys.One(random)};
    case 13: return {"INCR", keys.One(random)};
    case 14: return {"APPEND", keys.One(random), random.Pick({"", "x"})};
    case 15: return {"SETRANGE", keys.One(random), "0", random.Pick({"", "x"})};
    case 16: return {"ZADD", keys.One(random), "1", "m"};
    case 17: return {"SORT", keys.One(random), "ALPHA", "STORE", keys.One(random)};
    case 18: return {random.Pick({"FLUSHDB", "FLUSHALL"})};
    case 19: return {"BITFIELD", keys.One(random), "GET", "u8", "0"};
    case 20: return {"HSET", keys.One(random), "f", "v"};
    default: return {"SET", keys.One(random), "v"};
  }
}

Args Other(Random& random, const Keys& keys) {
  switch (random.Below(12)) {
    case 0:
    case 1: return {"MULTI"};
    case 2:
    case 3: return {"EXEC"};
    case 4: return {"CLIENT", "TRACKINGINFO"};
    case 5: return {"CLIENT", "GETREDIR"};
    case 6: return {"CLIENT", "REPLY", random.Pick({"ON", "OFF", "SKIP"})};
    case 7: return {"SELECT", random.Pick({"0", "1", "x"})};
    case 8: return {"HELLO", random.Pick({"9", "x"})};
    case 9: return {random.Pick({"PING", "NOSUCHCOMMAND"})};
    case 10: return Mode(random, keys);
    default: return {"CLIENT", "CACHING", random.Pick({"YES", "NO", "x"})};
  }
}

}  // namespace

void AppendTracking(Random& random, const Pool&, std::vector<Step>& steps) {
  const Keys keys{std::to_string(random.Below(1'000'000'000)) + ":"};
  Step step;
  const auto add = [&step](const Args& args) { step.raw += testing::EncodeCommand(args); };
  add(Mode(random, keys));
  for (size_t commands = 2 + random.Below(16); commands > 0; --commands) {
    if (random.OneIn(6)) add({"CLIENT", "CACHING", random.Pick({"YES", "NO"})});
    const size_t kind = random.Below(5);
    add(kind < 2 ? Read(random, keys) : kind < 4 ? Write(random, keys) : Other(random, keys));
  }
  if (random.OneIn(4)) {
    add(random.OneIn(2) ? Args{"RESET"} : Args{"CLIENT", "TRACKING", "OFF"});
    add({"CLIENT", "TRACKINGINFO"});
    add(Write(random, keys));
  }
  steps.push_back(std::move(step));
}

}  // namespace pinyon::differential
