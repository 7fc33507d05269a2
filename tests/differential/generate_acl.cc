// Access control: users made and changed by random rules, asked for, logged in as, and refused. The first
// connection mostly stays the default user's, the second one changes users.
#include "differential/generator.h"

namespace pinyon::differential {
namespace {

std::string UserName(Random& random) {
  return random.Pick({"alice", "bob", "alice", "bob", "carol", "", "a b"});
}

std::string Password(Random& random) { return random.Pick({"p", "q", "", "long password"}); }

std::string Pattern(Random& random) {
  return random.Pick({"a*", "b*", "a1", "*", "[ab]?", "", "c", "\xff*", "a b", "a\\*"});
}

std::string AnyKey(Random& random) {
  return random.Pick({"a1", "a2", "b1", "b2", "c", "", "\xff\x01", "a*"});
}

std::string Channel(Random& random) { return random.Pick({"a1", "b1", "c", "a*", "*", ""}); }

std::string Category(Random& random) {
  return random.Pick({"keyspace",    "read",      "write",      "set",         "sortedset",
                      "list",        "hash",      "string",     "bitmap",      "geo",
                      "stream",      "pubsub",    "admin",      "fast",        "slow",
                      "blocking",    "dangerous", "connection", "transaction", "scripting",
                      "hyperloglog", "nosuch",    "ALL",        "Read",        "all"});
}

std::string CommandName(Random& random) {
  return random.Pick({"get",
                      "set",
                      "del",
                      "mget",
                      "SUBSCRIBE",
                      "publish",
                      "config",
                      "config|get",
                      "config|set",
                      "client",
                      "client|id",
                      "client|kill",
                      "select",
                      "select|0",
                      "select|1",
                      "SELECT|x",
                      "acl",
                      "acl|whoami",
                      "acl|setuser",
                      "object",
                      "object|help",
                      "command",
                      "command|docs",
                      "xadd",
                      "xgroup|create",
                      "eval",
                      "function",
                      "script|load",
                      "sort",
                      "multi",
                      "exec",
                      "ping",
                      "zadd",
                      "hset",
                      "lpush",
                      "memory|usage",
                      "debug",
                      "nosuch",
                      "get|a",
                      "get|a|b",
                      "config|no",
                      "config|get|x",
                      "select|",
                      "",
                      "|",
                      "migrate",
                      "copy",
                      "geoadd",
                      "bitfield",
                      "slowlog|get",
                      "cluster",
                      "replicaof",
                      "auth",
                      "hello"});
}

std::string SelectorRule(Random& random) {
  switch (random.Below(14)) {
    case 0: return random.Pick({"allkeys", "~*", "resetkeys"});
    case 1: return random.Pick({"allchannels", "&*", "resetchannels"});
    case 2: return random.Pick({"allcommands", "+@all", "nocommands", "-@all"});
    case 3:
    case 4: return "~" + Pattern(random);
    case 5:
      return random.Pick({"%R~", "%W~", "%RW~", "%w~", "%wr~", "%~", "%X~", "%RR~", "%R"}) + Pattern(random);
    case 6: return "&" + Pattern(random);
    case 7:
    case 8: return "+@" + Category(random);
    case 9: return "-@" + Category(random);
    case 10: return "-" + CommandName(random);
    case 11: return random.Pick({"foo", ")", "%", "=", "+", "-", "~", "&"});
    default: return "+" + CommandName(random);
  }
}

std::string Rule(Random& random) {
  switch (random.Below(24)) {
    case 0: return random.Pick({"on", "on", "On", "off"});
    case 1: return random.Pick({"nopass", "resetpass"});
    case 2: return ">" + Password(random);
    case 3: return "<" + Password(random);
    case 4:
      return random.Pick({"#", "!"}) +
             random.Pick({"148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940",
                          "148DE9C5A7A44D19E56CD9AE1A554BF67847AFB0C58F6E12FA29AC7DDFCA9940", "12"});
    case 5: return random.Pick({"sanitize-payload", "skip-sanitize-payload"});
    case 6: return random.Pick({"reset", "clearselectors", "RESET"});
    case 7: return random.Pick({"(", "()", "(on)", "(+get", "~x)"});
    case 8:
    case 9:
    case 10: {
      std::string text = "(";
      for (size_t count = random.Below(5); count > 0; --count) text += SelectorRule(random) + " ";
      return text + (random.OneIn(20) ? "" : ")");
    }
    default: return SelectorRule(random);
  }
}

// Most rules are good, as one that is not undoes the others.
Args SetUser(Random& random) {
  Args args = {"ACL", "SETUSER", UserName(random)};
  if (random.OneIn(4)) args.insert(args.end(), {"reset", "on", "nopass"});
  if (random.OneIn(3)) args.emplace_back("on");
  if (random.OneIn(4)) args.emplace_back("+@all");
  if (random.OneIn(4)) args.emplace_back("resetkeys");
  // Redis forgets a selector that another one opens in; Pinyon refuses both.
  bool is_open = false;
  for (size_t count = random.Below(5); count > 0; --count) {
    const std::string rule = Rule(random);
    const bool opens = rule.starts_with('(') && !rule.ends_with(')');
    if (opens && is_open) continue;
    is_open |= opens;
    args.push_back(rule);
  }
  return args;
}

// What is refused or allowed; nothing that takes the control connection's rights.
Args Request(Random& random) {
  switch (random.Below(24)) {
    case 0: return {"GET", AnyKey(random)};
    case 1: return {"SET", AnyKey(random), "v"};
    case 2: return {"SET", AnyKey(random), "v", "GET"};
    case 3: return {"DEL", AnyKey(random), AnyKey(random)};
    case 4: return {"MGET", AnyKey(random), AnyKey(random)};
    case 5: return {"EXISTS", AnyKey(random)};
    case 6: return {"COPY", AnyKey(random), AnyKey(random)};
    case 7: return {"PUBLISH", Channel(random), "x"};
    case 8: return {"SPUBLISH", Channel(random), "x"};
    case 9: return {"SELECT", random.Pick({"0", "1", "x"})};
    case 10: return {"CONFIG", "GET", "maxmemory"};
    case 11:
      return {"ZUNIONSTORE", AnyKey(random), random.Pick({"1", "2", "0"}), AnyKey(random), AnyKey(random)};
    case 12:
      return {"SORT", AnyKey(random), "BY", random.Pick({"w*", "nosort"}), "GET", random.Pick({"#", "*"})};
    case 13: return {"SORT", AnyKey(random), "STORE", AnyKey(random)};
    case 14: return {"BITFIELD", AnyKey(random), random.Pick({"GET", "SET"}), "u8", "0"};
    case 15: return {"MIGRATE", "127.0.0.1", "1", "", "0", "10", "KEYS", AnyKey(random), AnyKey(random)};
    case 16: return {"GEORADIUS", AnyKey(random), "1", "2", "3", "m", "STORE", AnyKey(random)};
    case 17: return {"OBJECT", random.Pick({"ENCODING", "HELP"}), AnyKey(random)};
    case 18: return {"RENAME", AnyKey(random), AnyKey(random)};
    case 19: return {"LMOVE", AnyKey(random), AnyKey(random), "LEFT", "RIGHT"};
    case 20: return {"WATCH", AnyKey(random)};
    case 21: return {"CLIENT", random.Pick({"ID", "GETNAME"})};
    default: return {"PING"};
  }
}

Args Ask(Random& random) {
  switch (random.Below(16)) {
    case 0: return {"ACL", "USERS"};
    case 1: return {"ACL", "WHOAMI"};
    case 2: return random.OneIn(2) ? Args{"ACL", "CAT"} : Args{"ACL", "CAT", Category(random)};
    case 3: return {"ACL", "DELUSER", UserName(random), UserName(random)};
    case 4: return {"ACL", "DELUSER", random.Pick({"default", "nobody"})};
    case 5: return {"ACL", "GENPASS", random.Pick({"0", "-1", "4097", "x"})};
    case 6: return {"ACL", "LOG", random.Pick({"3", "100", "-1", "0", "RESET", "x"})};
    case 7: return {"ACL", random.Pick({"LOAD", "SAVE", "HELP", "BOGUS", "LOG"})};
    case 8:
    case 9: return {"ACL", "LIST"};
    case 10:
    case 11:
    case 12: {
      Args args = {"ACL", "DRYRUN", UserName(random)};
      const Args request = Request(random);
      args.insert(args.end(), request.begin(), request.end());
      return args;
    }
    default: return {"ACL", "GETUSER", UserName(random)};
  }
}

Args LogIn(Random& random) {
  switch (random.Below(8)) {
    case 0: return {"AUTH", Password(random)};
    case 1: return {"HELLO", random.Pick({"2", "3", "4"}), "AUTH", UserName(random), Password(random)};
    case 2: return {"RESET"};
    default: return {"AUTH", UserName(random), Password(random)};
  }
}

Args Configure(Random& random) {
  if (random.OneIn(2))
    return {"CONFIG", "SET", "acl-pubsub-default", random.Pick({"allchannels", "resetchannels"})};
  return {"CONFIG", "SET", "requirepass", random.Pick({"", "p"})};
}

}  // namespace

void AppendAcl(Random& random, const Pool&, std::vector<Step>& steps) {
  const auto add = [&steps](Args args, int connection, bool may_mutate = false) {
    steps.push_back({.args = std::move(args), .connection = connection, .may_mutate = may_mutate});
  };
  switch (random.Below(16)) {
    case 0:
    case 1:
    case 2: add(SetUser(random), 0); break;
    case 3: add(SetUser(random), random.OneIn(2)); break;
    case 4: add({"ACL", "GETUSER", UserName(random)}, 0); break;
    case 5:
    case 6: add(LogIn(random), 1); break;
    case 7:
      add({"MULTI"}, 1);
      for (size_t count = random.Below(4); count > 0; --count) add(Request(random), 1);
      if (random.OneIn(2)) add(SetUser(random), 0);
      add({random.Pick({"EXEC", "EXEC", "DISCARD"})}, 1);
      break;
    case 8: add(random.OneIn(6) ? Configure(random) : Ask(random), 0); break;
    case 9:
    case 10: add(Ask(random), random.OneIn(2), true); break;
    default: add(Request(random), 1);
  }
}

}  // namespace pinyon::differential
