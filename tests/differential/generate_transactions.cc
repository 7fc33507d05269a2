// Transactions: their commands in any order on two connections, with errors while queueing.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

Args Plain(Random& random) {
  switch (random.Below(14)) {
    case 0:
    case 1: return {"SET", Key(random), Value(random)};
    case 2: return {"GET", Key(random)};
    case 3: return {"INCR", Key(random)};
    case 4: return {"APPEND", Key(random), "x"};
    case 5: return {"DEL", Key(random)};
    case 6: return {"MSET", Key(random), Value(random), Key(random), Value(random)};
    // Deletes at once: a watched key must count as touched.
    case 7: return {"PEXPIRE", Key(random), "-1"};
    case 8: return {"RENAME", Key(random), Key(random)};
    case 9: return {"SELECT", Database(random)};
    case 10: return {"SWAPDB", Database(random), Database(random)};
    case 11: return {random.Pick({"FLUSHDB", "FLUSHALL", "DBSIZE", "PING"})};
    case 12: return {"MOVE", Key(random), Database(random)};
    default: return {"EXPIRE", Key(random), FarSeconds(random)};
  }
}

// Refused before it is queued, which poisons the transaction.
Args Refused(Random& random) {
  switch (random.Below(4)) {
    case 0: return {"NOSUCHCOMMAND", Value(random)};
    case 1: return {"GET"};
    case 2: return {"SET", Key(random)};
    default: return {random.Pick({"CLIENT", "OBJECT", "CONFIG"}), "BOGUS"};
  }
}

Args Watch(Random& random) {
  Args args = {"WATCH"};
  for (size_t keys = 1 + random.Below(3); keys > 0; --keys) args.push_back(Key(random));
  return args;
}

Args Control(Random& random) {
  switch (random.Below(12)) {
    case 0:
    case 1:
    case 2: return {"MULTI"};
    case 3:
    case 4:
    case 5: return {"EXEC"};
    case 6: return {"DISCARD"};
    case 7:
    case 8: return Watch(random);
    case 9: return {"UNWATCH"};
    case 10: return {"RESET"};
    default: return {"HELLO", random.Pick({"2", "3"})};
  }
}

// The usual course of things, which random order seldom gives: WATCH, a touch, MULTI, commands, EXEC.
void AppendWhole(Random& random, std::vector<Step>& steps) {
  const int connection = static_cast<int>(random.Below(kConnections));
  const auto add = [&](Args args, int on) { steps.push_back({.args = std::move(args), .connection = on}); };
  if (random.OneIn(2)) add(Watch(random), connection);
  if (random.OneIn(2)) add(Plain(random), static_cast<int>(random.Below(kConnections)));
  add({"MULTI"}, connection);
  for (size_t commands = random.Below(5); commands > 0; --commands) {
    add(random.OneIn(15) ? Refused(random) : Plain(random), connection);
    if (random.OneIn(8)) add(Plain(random), 1 - connection);
  }
  if (random.OneIn(10)) add(random.OneIn(2) ? Args{"MULTI"} : Watch(random), connection);
  add({random.OneIn(8) ? "DISCARD" : "EXEC"}, connection);
}

// A key that was over already when it was watched: that it is collected meanwhile must not count as a touch.
void AppendWatchOfExpired(Random& random, std::vector<Step>& steps) {
  const int connection = static_cast<int>(random.Below(kConnections));
  const std::string key = Key(random);
  const Args sequence[] = {{"SET", key, "1", "PXAT", "1000000000"},
                           {"WATCH", key},
                           {"GET", key},
                           {"MULTI"},
                           {"EXISTS", key},
                           {"EXEC"}};
  for (const Args& args : sequence)
    steps.push_back({.args = args, .connection = connection, .may_mutate = false});
}

}  // namespace

void AppendTransactions(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(6)) return AppendWhole(random, steps);
  if (random.OneIn(60)) return AppendWatchOfExpired(random, steps);
  Args args = random.OneIn(2) ? Plain(random) : random.OneIn(8) ? Refused(random) : Control(random);
  steps.push_back({.args = std::move(args), .connection = static_cast<int>(random.Below(kConnections))});
}

}  // namespace pinyon::differential
