// Connection and server: greetings, CLIENT, COMMAND, CONFIG, and the texts of errors about the command
// itself.
#include "differential/generator.h"
#include "support/reply.h"

namespace pinyon::differential {
namespace {

constexpr std::string_view kCommands[] = {
    "get",         "set",         "getset",  "getdel",   "getex",       "setnx",       "setex",
    "psetex",      "mset",        "msetnx",  "mget",     "append",      "strlen",      "getrange",
    "substr",      "setrange",    "incr",    "decr",     "incrby",      "decrby",      "incrbyfloat",
    "lcs",         "setbit",      "getbit",  "bitcount", "bitpos",      "bitop",       "bitfield",
    "bitfield_ro", "del",         "unlink",  "exists",   "touch",       "type",        "rename",
    "renamenx",    "copy",        "move",    "keys",     "scan",        "dbsize",      "object",
    "randomkey",   "select",      "swapdb",  "flushdb",  "flushall",    "expire",      "pexpire",
    "expireat",    "pexpireat",   "ttl",     "pttl",     "expiretime",  "pexpiretime", "persist",
    "multi",       "exec",        "discard", "watch",    "unwatch",     "reset",       "ping",
    "echo",        "hello",       "auth",    "quit",     "client",      "command",     "config",
    "time",        "info",        "rpush",   "lpush",    "lpop",        "lrange",      "blpop",
    "lmove",       "hset",        "hget",    "hgetall",  "hincrby",     "sadd",        "srem",
    "sinter",      "sunionstore", "zadd",    "zrange",   "zunionstore", "publish",     "subscribe",
    "eval",        "xadd",        "xread",   "sort",     "migrate",     "dump",        "restore",
    "debug",       "shutdown",    "save",    "bgsave",   "wait",        "memory",      "slowlog",
    "latency"};

Step Fixed(Args args) { return {.args = std::move(args), .may_mutate = false}; }

Step Ping(Random& random) {
  switch (random.Below(4)) {
    case 0: return {.args = {"PING"}};
    case 1: return {.args = {"PING", Value(random)}};
    case 2: return {.args = {"PING", Value(random), Value(random)}};
    default: return {.args = {"ECHO", Value(random)}};
  }
}

Step Hello(Random& random) {
  Args args = {"HELLO"};
  if (random.OneIn(6)) return Fixed(args);
  args.push_back(random.OneIn(5) ? random.Pick({"4", "1", "abc", "", "-3", "3.0", "9223372036854775808"})
                                 : random.Pick({"2", "3"}));
  for (size_t options = random.Below(3); options > 0; --options) {
    switch (random.Below(5)) {
      case 0: args.insert(args.end(), {Word(random, "AUTH"), "default", "secret"}); break;
      case 1: args.insert(args.end(), {Word(random, "AUTH"), "nosuchuser", "secret"}); break;
      case 2:
        args.insert(args.end(), {Word(random, "SETNAME"), random.Pick({"name", "other", "a b", "", "\n"})});
        break;
      case 3: args.push_back(random.Pick({"AUTH", "SETNAME", "BOGUS"})); break;
      default: args.insert(args.end(), {"AUTH", "default"});
    }
  }
  return Fixed(args);
}

Step Auth(Random& random) {
  switch (random.Below(5)) {
    case 0: return Fixed({"AUTH"});
    case 1: return Fixed({"AUTH", "secret"});
    case 2: return Fixed({"AUTH", "default", Value(random)});
    case 3: return Fixed({"AUTH", "nosuchuser", Value(random)});
    default: return Fixed({"AUTH", "a", "b", "c"});
  }
}

Step ClientCommand(Random& random) {
  switch (random.Below(16)) {
    case 0: return Fixed({"CLIENT", Word(random, "GETNAME")});
    case 1:
      return Fixed({"CLIENT", "SETNAME",
                    random.Pick({"name", "another-name", "", "a b", "a\nb", "\x7f", "\xc3\xa9", "~!"})});
    case 2: return Fixed({"CLIENT", "ID"});
    case 3: return Fixed({"CLIENT", "NO-EVICT", random.Pick({"ON", "OFF", "on", "BOGUS", ""})});
    case 4: return Fixed({"CLIENT", "REPLY", random.Pick({"ON", "BOGUS", ""})});
    case 5: return Fixed({"CLIENT", random.Pick({"HELP", "help"})});
    case 6: return Fixed({"CLIENT", random.Pick({"BOGUS", "", "GETNAMES", "list2", "a\nb"})});
    case 7: return Fixed({"CLIENT"});
    case 8:
      return Fixed(
          {"CLIENT", random.Pick({"GETNAME", "ID", "SETNAME", "NO-EVICT", "REPLY", "UNPAUSE"}), "a", "b"});
    case 9:
      return Fixed({"CLIENT", random.Pick({"SETNAME", "NO-EVICT", "REPLY", "KILL", "PAUSE", "UNBLOCK"})});
    case 10: return Fixed({"CLIENT", "KILL", random.Pick({"127.0.0.1:1", "ID", "TYPE", "BOGUS"})});
    case 11:
      return Fixed({"CLIENT", "KILL", random.Pick({"ID", "TYPE", "USER", "ADDR", "LADDR", "SKIPME", "BOGUS"}),
                    random.Pick({"abc", "999999", "-1", "0", "bogus", "127.0.0.1:1"})});
    case 12:
      return Fixed({"CLIENT", "UNBLOCK", random.Pick({"abc", "999999", "-1", "0", ""}),
                    random.Pick({"TIMEOUT", "ERROR", "error", "BOGUS"})});
    case 13:
      return Fixed({"CLIENT", "PAUSE", random.Pick({"0", "abc", "-1", "1.5", ""}),
                    random.Pick({"WRITE", "all", "BOGUS"})});
    case 14: return Fixed({"CLIENT", "UNPAUSE"});
    default: return Fixed({"CLIENT", random.Pick({"INFO", "LIST"})});
  }
}

// Which replies are left out shows only in the bytes of a whole connection.
Step ClientReply(Random& random) {
  std::string raw;
  for (size_t commands = 2 + random.Below(6); commands > 0; --commands) {
    Args args = {"CLIENT", "REPLY", random.Pick({"OFF", "SKIP", "ON", "BOGUS"})};
    if (random.OneIn(2)) args = {"ECHO", Value(random)};
    if (random.OneIn(6)) args = {random.Pick({"MULTI", "EXEC", "PING", "BOGUS"})};
    raw += testing::EncodeCommand(args);
  }
  raw += testing::EncodeCommand({"CLIENT", "REPLY", "ON"}) + testing::EncodeCommand({"PING"});
  return {.raw = std::move(raw)};
}

Step CommandInfo(Random& random, const Pool& pool) {
  Args args = {"COMMAND", Word(random, "INFO")};
  for (size_t names = 1 + random.Below(4); names > 0; --names) {
    const std::string_view name = random.Pick(kCommands);
    if (pool.Implements(name)) args.push_back(Word(random, name));
  }
  if (args.size() == 2 || random.OneIn(10)) args.push_back(random.Pick({"nosuchcommand", "", "get|set"}));
  return Fixed(args);
}

Step CommandGetKeys(Random& random) {
  Args args = {"COMMAND", Word(random, random.OneIn(2) ? "GETKEYS" : "GETKEYSANDFLAGS")};
  switch (random.Below(12)) {
    case 0: args.insert(args.end(), {"MSET", Key(random), "1", Key(random), "2"}); break;
    case 1: args.insert(args.end(), {"GET", Key(random)}); break;
    case 2: args.insert(args.end(), {"DEL", Key(random), Key(random), Key(random)}); break;
    case 3: args.insert(args.end(), {"BITOP", "AND", Key(random), Key(random)}); break;
    case 4: args.insert(args.end(), {random.Pick({"PING", "DBSIZE", "NOSUCHCOMMAND"})}); break;
    case 5: args.insert(args.end(), {"SET", Key(random)}); break;
    case 6: args.insert(args.end(), {"OBJECT", "ENCODING", Key(random)}); break;
    case 7:
      args.insert(args.end(), {"SET", Key(random), "GET", random.Pick({"GET", "get", "NX", "EX"})});
      break;
    case 8: args.insert(args.end(), {"BITFIELD", Key(random), "GET", "u8", "0"}); break;
    case 10: {
      args.insert(args.end(), {"MIGRATE", "h", "1", random.OneIn(3) ? Key(random) : "", "0", "1"});
      for (size_t words = random.Below(6); words > 0; --words) {
        args.push_back(random.Pick({"KEYS", "keys", "AUTH", "AUTH2", "COPY", "a"}));
      }
      break;
    }
    case 9: {
      args.insert(args.end(), {"BITFIELD", Key(random)});
      for (size_t words = random.Below(5); words > 0; --words) {
        args.push_back(random.Pick({"get", "SET", "OVERFLOW", "u8", "0", "WRAP"}));
      }
      break;
    }
    default: args.insert(args.end(), {"COPY", Key(random), Key(random), "REPLACE"});
  }
  return Fixed(args);
}

Step CommandOther(Random& random) {
  switch (random.Below(4)) {
    case 0: return Fixed({"COMMAND", random.Pick({"HELP", "BOGUS", ""})});
    case 1: return Fixed({"COMMAND", "COUNT", "extra"});
    case 2: return Fixed({"COMMAND", "GETKEYS"});
    default: return Fixed({"COMMAND", "LIST", "FILTERBY", random.Pick({"BOGUS", "MODULE", "ACLCAT"})});
  }
}

std::string UnknownName(Random& random) {
  switch (random.Below(7)) {
    case 0: return "nosuch";
    case 1: return "";
    case 2: return std::string(50 + random.Below(200), 'n');
    case 3: return "bad\r\nname";
    case 4: return std::string("nul\0byte", 8);
    case 5: return "\xff\xfe'\"\\";
    default: return "GETT";
  }
}

Step UnknownCommand(Random& random) {
  Args args = {UnknownName(random)};
  for (size_t count = random.Below(6); count > 0; --count) {
    args.push_back(random.OneIn(3) ? std::string(random.Below(200), 'a') : Value(random));
  }
  return Fixed(args);
}

Step WrongArity(Random& random, const Pool& pool) {
  static constexpr std::string_view kFixedArity[] = {
      "get",       "getset", "getdel",   "setnx",   "setex",    "psetex",     "append",      "strlen",
      "getrange",  "substr", "setrange", "incr",    "decr",     "incrby",     "decrby",      "incrbyfloat",
      "setbit",    "getbit", "type",     "rename",  "renamenx", "move",       "keys",        "dbsize",
      "randomkey", "select", "swapdb",   "ttl",     "pttl",     "expiretime", "pexpiretime", "persist",
      "multi",     "exec",   "discard",  "unwatch", "echo",     "time"};
  const std::string name(random.Pick(kFixedArity));
  if (!pool.Implements(name)) return Fixed({"PING"});
  Args args = {Word(random, name)};
  for (size_t count = random.OneIn(2) ? 0 : 4 + random.Below(3); count > 0; --count) args.push_back("1");
  return Fixed(args);
}

Step ConfigGet(Random& random) {
  static constexpr std::string_view kNames[] = {"timeout",
                                                "databases",
                                                "maxmemory",
                                                "maxmemory-policy",
                                                "appendonly",
                                                "save",
                                                "tcp-keepalive",
                                                "nosuchname",
                                                "maxclients",
                                                "proto-max-bulk-len",
                                                "hash-max-listpack-entries",
                                                "set-max-intset-entries",
                                                "appendfsync",
                                                "lfu-decay-time",
                                                "lfu-log-factor",
                                                "maxmemory-samples",
                                                "hz",
                                                "requirepass",
                                                "loglevel",
                                                "tcp-backlog"};
  Args args = {"CONFIG", Word(random, "GET")};
  for (size_t names = 1 + random.Below(3); names > 0; --names)
    args.push_back(Word(random, random.Pick(kNames)));
  return Fixed(args);
}

// Nothing that succeeds: settings outlive the round.
Step ConfigErrors(Random& random) {
  switch (random.Below(9)) {
    case 0: return Fixed({"CONFIG", "SET", "nosuchname", Value(random)});
    case 1:
      return Fixed({"CONFIG", "SET", random.Pick({"timeout", "maxmemory-samples", "hz"}),
                    random.Pick({"abc", "", "-1", "1.5"})});
    case 2: return Fixed({"CONFIG", "SET", "maxmemory-policy", random.Pick({"bogus", "", "lru"})});
    case 3: return Fixed({"CONFIG", "SET", "appendonly", random.Pick({"maybe", "", "1"})});
    case 4: return Fixed({"CONFIG", "SET", "maxmemory", random.Pick({"abc", "-1", "1zb", "", "10 mb"})});
    case 5: return Fixed({"CONFIG", "SET", "timeout", "0", random.Pick({"timeout", "nosuchname", "hz"})});
    case 6: return Fixed({"CONFIG", "SET", "timeout", "0", "timeout", "0"});
    case 7: return Fixed({"CONFIG", "SET", random.Pick({"databases", "port2", "daemonize"}), "20"});
    default: return Fixed({"CONFIG", random.Pick({"BOGUS", "HELP", "GET", "SET", "RESETSTAT"})});
  }
}

// There are no replicas, so whoever wants some waits for a moment.
Step Wait(Random& random) {
  return Fixed({Word(random, "WAIT"), random.Pick({"0", "-1", "1", "2", "abc", "", "9223372036854775808"}),
                random.Pick({"1", "2", "-1", "1.5", "abc", "", "9223372036854775808"})});
}

Step Other(Random& random) {
  switch (random.Below(6)) {
    case 0: return Fixed({"TIME"});
    case 1: return Fixed({"SELECT", Database(random)});
    case 2: return Fixed({"RESET"});
    case 3: return Fixed({"SET", Key(random), Value(random)});
    case 4: return Wait(random);
    default: return Fixed({"MULTI"});
  }
}

}  // namespace

void AppendConnection(Random& random, const Pool& pool, std::vector<Step>& steps) {
  switch (random.Below(14)) {
    case 0: return steps.push_back(Ping(random));
    case 1: return steps.push_back(Hello(random));
    case 2: return steps.push_back(Auth(random));
    case 3:
    case 4: return steps.push_back(ClientCommand(random));
    case 5: return steps.push_back(ClientReply(random));
    case 6: return steps.push_back(CommandInfo(random, pool));
    case 7: return steps.push_back(CommandGetKeys(random));
    case 8: return steps.push_back(CommandOther(random));
    case 9: return steps.push_back(UnknownCommand(random));
    case 10: return steps.push_back(WrongArity(random, pool));
    case 11: return steps.push_back(ConfigGet(random));
    case 12: return steps.push_back(ConfigErrors(random));
    default: steps.push_back(Other(random));
  }
}

}  // namespace pinyon::differential
