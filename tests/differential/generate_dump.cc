// Dump: MIGRATE's errors; DUMP's bytes, and RESTORE of payloads that a redis-server made, with all its
// options. What DUMP gives is compared to the byte, uncompressed: that two compressors agree is not asked.
#include <iterator>

#include "differential/generator.h"

namespace pinyon::differential {
namespace {

// Of Redis 7.0. Large tables come with two elements (made so by the limits), as order is each server's own.
constexpr std::string_view kPayloads[] = {
    "00c2c01dfeff0a00e1b6629eabbd54f2",                          // SET k -123456
    "0010746578742077697468207370616365730a00e7b799fb2cd8974c",  // SET k "text with spaces"
    "001e3031323334353637383930313233343536373839303132333435363738390a00b87a21295d902afa",
    "00c30b3c0361626361e02d020162630a006f6029e4afd764ac",                      // SET k abcabc..., compressed
    "12010215150000000400816102010182626203f290eefe04ff0a00f9b197554d70cfe9",  // RPUSH k a 1 bb -70000
    "1203020a0a0000000100816102ff02090900000001000101ff020b0b000000010082626203ff0a0051e5a95c22410faa",
    "120102c314406f076f0000000200b261e028000033e02a330133ff0a00b2f7b453225cf14a",
    "0b140400000003000000fdffffff05000000701101000a009db067c236a65f3f",  // SADD k 5 -3 70000
    "02030161c00701620a0092d08493cc0e0d34",                              // SADD k a b 7
    "1122220000000800816102dffe02816102010181620283312e350481640283696e6604ff0a005a20b1feaacfbaf6",
    "05020162000000000000f83f0161000000000000f03f0a00b1c7e3fb2aa7d73f",    // ZADD k 1 a 1.5 b
    "10151500000004008166020101816702847465787405ff0a00a5f21a6e9bea923b",  // HSET k f 1 g text
    "0402016704746578740166c0010a003bb6eee82ae53be9",
};

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string Payload(Random& random) {
  std::string payload = FromHex(random.Pick(kPayloads));
  // With another byte its checksum is wrong.
  if (random.OneIn(12)) payload[random.Below(payload.size())] ^= 1;
  if (random.OneIn(20)) payload.resize(random.Below(payload.size()));
  return payload;
}

std::string Ttl(Random& random) {
  if (random.OneIn(2)) return "0";
  return random.OneIn(4) ? BadTime(random) : FarMilliseconds(random);
}

void AppendOption(Random& random, Args& args) {
  switch (random.Below(8)) {
    case 0:
    case 1:
    case 2: return args.push_back(Word(random, "REPLACE"));
    case 3:
      // Absolute, so all that is far away relatively is over.
      args[2] = random.OneIn(3) ? args[2] : FarUnixMilliseconds(random);
      return args.push_back(Word(random, "ABSTTL"));
    case 4:
    case 5:
      args.push_back(Word(random, "IDLETIME"));
      return args.push_back(random.Pick({"0", "10", "1000000", "-1", "abc", ""}));
    case 6:
      args.push_back(Word(random, "FREQ"));
      return args.push_back(random.Pick({"0", "255", "256", "-1", "x"}));
    default: return args.push_back(random.Pick({"BOGUS", "IDLETIME", "FREQ", ""}));
  }
}

Step Restore(Random& random) {
  Args args = {"RESTORE", Key(random), Ttl(random), Payload(random)};
  if (random.OneIn(2)) args.push_back(Word(random, "REPLACE"));
  for (size_t options = random.Below(3); options > 0; --options) AppendOption(random, args);
  return {.args = args};
}

Step Look(Random& random) {
  switch (random.Below(5)) {
    case 0: return {.args = {"TYPE", Key(random)}};
    case 1: return {.args = {"PTTL", Key(random)}};
    case 2: return {.args = {"OBJECT", "ENCODING", Key(random)}};
    default: return {.args = {"DEBUG", "DIGEST-VALUE", Key(random)}};
  }
}

// Where nobody listens, so that nothing leaves: what is asked of the arguments, and which error comes first.
Step Migrate(Random& random) {
  const bool keys_behind = random.OneIn(3);
  Args args = {Word(random, "MIGRATE"),
               random.OneIn(10) ? "" : "127.0.0.1",
               random.Pick({"1", "1", "1", "0", "abc", "-1", "1x"}),
               keys_behind && !random.OneIn(6) ? "" : Key(random),
               random.Pick({"0", "0", "0", "3", "-1", "x", ""}),
               random.Pick({"100", "100", "0", "-5", "x", "9999999999999"})};
  if (random.OneIn(10)) args.resize(1 + random.Below(5));
  for (size_t options = random.Below(3); options > 0; --options) {
    switch (random.Below(6)) {
      case 0:
      case 1: args.push_back(Word(random, "COPY")); break;
      case 2: args.push_back(Word(random, "REPLACE")); break;
      case 3: args.insert(args.end(), {Word(random, "AUTH"), "secret"}); break;
      case 4: args.insert(args.end(), {Word(random, "AUTH2"), "default", "secret"}); break;
      default: args.push_back(random.Pick({"BOGUS", "AUTH", "AUTH2", ""}));
    }
  }
  if (!keys_behind) return {.args = args, .may_mutate = false};
  args.push_back(Word(random, "KEYS"));
  for (size_t keys = random.Below(4); keys > 0; --keys) args.push_back(Key(random));
  return {.args = args, .may_mutate = false};
}

// A change of what was restored.
Step Change(Random& random) {
  const std::string key = Key(random);
  switch (random.Below(8)) {
    case 0: return {.args = {"APPEND", key, "x"}};
    case 1: return {.args = {"LPUSH", key, Value(random)}};
    case 2: return {.args = {"RPOP", key}};
    case 3: return {.args = {"SADD", key, Value(random)}};
    case 4: return {.args = {"ZADD", key, Integer(random), Value(random)}};
    case 5: return {.args = {"HSET", key, Value(random), Value(random)}};
    case 6: return {.args = {"HDEL", key, "f"}};
    default: return {.args = {"SET", key, Value(random)}};
  }
}

}  // namespace

void AppendDump(Random& random, const Pool&, std::vector<Step>& steps) {
  switch (random.Below(9)) {
    case 0:
    case 1:
    case 2: return steps.push_back(Restore(random));
    case 3:
    case 4: return steps.push_back(Look(random));
    case 5: return steps.push_back(Change(random));
    case 6: return steps.push_back(Migrate(random));
    default:
      steps.push_back({.args = {"CONFIG", "SET", "rdbcompression", "no"}, .may_mutate = false});
      steps.push_back({.args = {"DUMP", Key(random)}});
  }
}

}  // namespace pinyon::differential
