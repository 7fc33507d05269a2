// What maxmemory and its policies make of commands: OOM replies, within transactions too, what OBJECT tells,
// and MEMORY. Each sequence puts the settings back at its end; they are set on the second connection, which
// has no transaction.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

void Add(std::vector<Step>& steps, Args args, int connection = 0) {
  steps.push_back({.args = std::move(args), .connection = connection, .may_mutate = false});
}

void Configure(std::vector<Step>& steps, const std::string& policy, const std::string& limit) {
  // Evictions must not stop half-way, or it would depend on timing how far they got.
  Add(steps,
      {"CONFIG", "SET", "maxmemory-eviction-tenacity", "100", "maxmemory-policy", policy, "maxmemory", limit},
      1);
}

std::string Policy(Random& random) {
  return random.Pick({"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu",
                      "volatile-random", "volatile-ttl", "noeviction"});
}

// One that may need memory, or not, in about equal parts.
Args AnyCommand(Random& random) {
  switch (random.Below(24)) {
    case 0: return {"SET", Key(random), Value(random)};
    case 1: return {"APPEND", Key(random), "x"};
    case 2: return {"INCR", Key(random)};
    case 3: return {"RPUSH", Key(random), "a"};
    case 4: return {"SADD", Key(random), "a"};
    case 5: return {"ZADD", Key(random), "1", "a"};
    case 6: return {"HSET", Key(random), "f", "v"};
    case 7: return {"SETBIT", Key(random), "3", "1"};
    case 8: return {"PFADD", Key(random), "a"};
    case 9: return {"COPY", Key(random), Key(random)};
    case 10: return {"SORT", Key(random), "STORE", Key(random)};
    case 11: return {"BLMOVE", Key(random), Key(random), "LEFT", "RIGHT", "0.01"};
    case 12: return {"GET", Key(random)};
    case 13: return {"DEL", Key(random)};
    case 14: return {"EXPIRE", Key(random), FarSeconds(random)};
    case 15: return {"LPOP", Key(random)};
    case 16: return {"RENAME", Key(random), Key(random)};
    case 17: return {"GETDEL", Key(random)};
    case 18: return {"TYPE", Key(random)};
    case 19: return {"PERSIST", Key(random)};
    case 20: return {"SET", Key(random)};
    case 21: return {"SMOVE", Key(random), Key(random), "a"};
    case 22: return {"DBSIZE"};
    default: return {random.Pick({"PING", "UNWATCH"})};
  }
}

void AppendOutOfMemory(Random& random, std::vector<Step>& steps) {
  for (size_t i = random.Below(4); i > 0; --i) Add(steps, AnyCommand(random));
  const bool is_open = random.OneIn(3);
  if (is_open) Add(steps, {"MULTI"});
  for (size_t i = is_open ? random.Below(3) : 0; i > 0; --i) Add(steps, AnyCommand(random));
  Configure(steps, "noeviction", "1");
  for (size_t i = 1 + random.Below(6); i > 0; --i) {
    if (random.OneIn(6)) Add(steps, {random.Pick({"MULTI", "EXEC", "DISCARD", "RESET"})});
    Add(steps, AnyCommand(random));
  }
  Add(steps, {random.OneIn(2) ? "EXEC" : "DISCARD"});
  Configure(steps, "noeviction", "0");
  Add(steps, {"RESET"});
}

// Everything that may go goes, so which key goes first does not matter.
void AppendEvictAll(Random& random, std::vector<Step>& steps) {
  const std::string policy = Policy(random);
  Add(steps, {"FLUSHALL"});
  for (int i = 0; i < 6; ++i) {
    const std::string key = "evict:" + std::to_string(i);
    if (random.OneIn(2)) {
      Add(steps, {"SET", key, "v", "EX", FarSeconds(random)});
    } else {
      Add(steps, {"RPUSH", key, "a", "b"});
    }
  }
  if (random.OneIn(2)) Add(steps, {"WATCH", "evict:1"});
  Configure(steps, policy, "1");
  Add(steps, AnyCommand(random));
  for (int i = 0; i < 6; ++i) Add(steps, {"EXISTS", "evict:" + std::to_string(i)});
  Add(steps, {"DBSIZE"});
  Configure(steps, "noeviction", "0");
  Add(steps, {"MULTI"});
  Add(steps, {"PING"});
  Add(steps, {"EXEC"});
}

void AppendObject(Random& random, std::vector<Step>& steps) {
  const std::string key = Key(random);
  Configure(steps, Policy(random), "0");
  Add(steps, {"CONFIG", "GET", random.Pick({"maxmemory", "maxmemory-policy", "maxmemory-samples", "lfu-*"})},
      1);
  Add(steps, {"DEL", key});
  Add(steps, {"SET", key, "v"});
  Add(steps, {"OBJECT", "FREQ", key});
  if (random.OneIn(2)) Add(steps, {random.Pick({"GET", "TYPE", "TOUCH", "EXISTS"}), key});
  Add(steps, {"OBJECT", "FREQ", key});
  Add(steps, {"OBJECT", "IDLETIME", key});
  Add(steps, {"OBJECT", random.Pick({"FREQ", "IDLETIME"}), "nosuchkey"});
  if (random.OneIn(2)) Add(steps, {"COPY", key, key + "copy", "REPLACE"});
  Add(steps, {"OBJECT", "FREQ", key + "copy"});
  Configure(steps, "noeviction", "0");
}

// What clients may take is tried without a limit that drops them, which the servers do not reach alike.
void AppendMemory(Random& random, std::vector<Step>& steps) {
  const std::string key = Key(random);
  for (size_t i = random.Below(3); i > 0; --i) Add(steps, AnyCommand(random));
  Add(steps, {"MEMORY", "USAGE", key});
  Args usage = {"MEMORY", random.Pick({"usage", "USAGE"}), key};
  for (size_t i = random.Below(3); i > 0; --i) {
    usage.push_back(random.Pick({"SAMPLES", "samples", "SAMPLE", "5"}));
    if (!random.OneIn(8)) usage.push_back(random.Pick({"0", "5", "-1", "x", "9223372036854775807", "1.5"}));
  }
  Add(steps, std::move(usage));
  Add(steps, {"MEMORY", random.Pick({"STATS", "DOCTOR", "MALLOC-STATS", "PURGE", "HELP", "USAGE", "NONE"})});
  Add(steps, {"MEMORY", random.Pick({"STATS", "DOCTOR", "MALLOC-STATS", "PURGE", "HELP"}), "more"});
  Add(steps,
      {"CONFIG", "SET", "maxmemory-clients",
       random.Pick(
           {"10%", "100%", "101%", "0%", "-1", "-5%", "1.5%", "x", "", "100mb", "1gb", "1000000000"})},
      1);
  Add(steps, {"CONFIG", "GET", "maxmemory-clients"}, 1);
  Add(steps, {"CONFIG", "SET", "maxmemory-clients", "0"}, 1);
}

}  // namespace

void AppendEviction(Random& random, const Pool&, std::vector<Step>& steps) {
  switch (random.Below(4)) {
    case 0: return AppendOutOfMemory(random, steps);
    case 1: return AppendEvictAll(random, steps);
    case 2: return AppendMemory(random, steps);
    default: return AppendObject(random, steps);
  }
}

}  // namespace pinyon::differential
