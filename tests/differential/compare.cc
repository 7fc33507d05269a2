#include "differential/compare.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "differential/known_differences.h"

namespace pinyon::differential {
namespace {

using testing::ReplyType;

// The two servers run a command one after the other, on a machine that may be busy.
constexpr int64_t kToleranceMs = 5000;

bool ByText(const Reply& a, const Reply& b) { return a.text < b.text; }

bool SameUnordered(const Args&, const Reply& redis, const Reply& pinyon) {
  Reply a = redis;
  Reply b = pinyon;
  std::sort(a.elements.begin(), a.elements.end(), ByText);
  std::sort(b.elements.begin(), b.elements.end(), ByText);
  return a == b;
}

bool SameScan(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (redis.elements.size() != 2 || pinyon.elements.size() != 2) return redis == pinyon;
  return redis.type == pinyon.type && redis.elements[0] == pinyon.elements[0] &&
         SameUnordered(args, redis.elements[1], pinyon.elements[1]);
}

// Name and value alternate, as a map in RESP3 and an array in RESP2.
bool SamePairs(const Args&, const Reply& redis, const Reply& pinyon) {
  const auto pairs = [](const Reply& reply) {
    std::vector<std::string> lines;
    for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
      lines.push_back(Print(reply.elements[i]) + " = " + Print(reply.elements[i + 1]));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  if (!redis.IsAggregate()) return redis == pinyon;
  return redis.type == pinyon.type && redis.elements.size() == pinyon.elements.size() &&
         pairs(redis) == pairs(pinyon);
}

bool SameScanOfPairs(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (redis.elements.size() != 2 || pinyon.elements.size() != 2) return redis == pinyon;
  return redis.type == pinyon.type && redis.elements[0] == pinyon.elements[0] &&
         SamePairs(args, redis.elements[1], pinyon.elements[1]);
}

bool SameWithin(const Reply& redis, const Reply& pinyon, int64_t tolerance) {
  if (redis.type != ReplyType::kInteger || pinyon.type != ReplyType::kInteger) return redis == pinyon;
  const int64_t a = redis.Integer();
  const int64_t b = pinyon.Integer();
  // -1 and -2 mean something else than a time.
  if (a < 0 || b < 0) return a == b;
  return (a > b ? a - b : b - a) <= tolerance;
}

bool SameSeconds(const Args&, const Reply& redis, const Reply& pinyon) {
  return SameWithin(redis, pinyon, kToleranceMs / 1000);
}

bool SameMilliseconds(const Args&, const Reply& redis, const Reply& pinyon) {
  return SameWithin(redis, pinyon, kToleranceMs);
}

bool SameType(const Args&, const Reply& redis, const Reply& pinyon) {
  return redis.type == pinyon.type && redis.elements.size() == pinyon.elements.size() &&
         (!redis.IsError() || redis.text == pinyon.text);
}

bool SameElementTypes(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (!SameType(args, redis, pinyon)) return false;
  for (size_t i = 0; i < redis.elements.size(); ++i) {
    if (!SameType(args, redis.elements[i], pinyon.elements[i])) return false;
  }
  return true;
}

// Names and values alternate, within values too.
bool SameFigures(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (!SameType(args, redis, pinyon)) return false;
  for (size_t i = 0; i + 1 < redis.elements.size(); i += 2) {
    if (!(redis.elements[i] == pinyon.elements[i])) return false;
    if (!SameFigures(args, redis.elements[i + 1], pinyon.elements[i + 1])) return false;
  }
  return true;
}

bool SameSorted(const Args&, const Reply& redis, const Reply& pinyon) {
  return SortSets(redis) == SortSets(pinyon);
}

bool HasWord(const Args& args, std::string_view word) {
  return std::any_of(args.begin(), args.end(),
                     [&](const std::string& arg) { return UpperCase(arg) == word; });
}

// By text weights, elements of equal ones, or of none, keep the order of the collection, which is each
// server's own.
bool SameButForTies(const Args& args, const Reply& redis, const Reply& pinyon) {
  return HasWord(args, "BY") && HasWord(args, "ALPHA") && SameType(args, redis, pinyon);
}

constexpr Rule kRules[] = {
    {"SORT", "", SameButForTies, "order of equal weights"},
    {"SORT_RO", "", SameButForTies, "order of equal weights"},
    {"KEYS", "", SameUnordered, "order of keys"},
    {"SCAN", "", SameScan, "order of keys"},
    {"CONFIG", "GET", SamePairs, "order of settings"},
    {"COMMAND", "LIST", SameUnordered, "order of commands"},
    {"COMMAND", "INFO", SameSorted, "order of flags and subcommands"},
    {"TTL", "", SameSeconds, "the clock"},
    {"EXPIRETIME", "", SameSeconds, "the clock"},
    {"PTTL", "", SameMilliseconds, "the clock"},
    {"PEXPIRETIME", "", SameMilliseconds, "the clock"},
    {"TIME", "", SameElementTypes, "the clock"},
    {"OBJECT", "IDLETIME", SameType, "of a small integer, which Redis shares, it is the age of the server"},
    {"OBJECT", "REFCOUNT", SameType, "how values are shared"},
    {"MEMORY", "USAGE", SameType, "what values take"},
    {"MEMORY", "STATS", SameFigures, "what everything takes"},
    {"MEMORY", "DOCTOR", SameType, "what is found, and the words for it"},
    {"MEMORY", "MALLOC-STATS", SameType, "what the allocator has done"},
    {"RANDOMKEY", "", SameType, "chance"},
    {"SMEMBERS", "", SameUnordered, "order of members"},
    {"SINTER", "", SameUnordered, "order of members"},
    {"SUNION", "", SameUnordered, "order of members"},
    {"SDIFF", "", SameUnordered, "order of members"},
    {"SPOP", "", SameUnordered, "order of members"},
    {"SSCAN", "", SameScan, "order of members"},
    {"SRANDMEMBER", "", SameType, "chance"},
    {"HGETALL", "", SamePairs, "order of fields"},
    {"HKEYS", "", SameUnordered, "order of fields"},
    {"HVALS", "", SameUnordered, "order of fields"},
    {"HSCAN", "", SameScanOfPairs, "order of fields"},
    {"HRANDFIELD", "", SameElementTypes, "chance"},
    {"ZSCAN", "", SameScanOfPairs, "order of members"},
    {"ZRANDMEMBER", "", SameElementTypes, "chance"},
    {"ACL", "GENPASS", SameType, "chance"},
    {"CLIENT", "ID", SameType, "connections counted"},
    {"CLIENT", "INFO", SameType, "ports, buffers and ages"},
    {"CLIENT", "LIST", SameType, "ports, buffers and ages"},
};

bool Applies(const Rule& rule, const Args& args) {
  if (UpperCase(args[0]) != rule.command) return false;
  return rule.subcommand.empty() || (args.size() > 1 && UpperCase(args[1]) == rule.subcommand);
}

}  // namespace

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

Reply SortSets(Reply reply) {
  for (Reply& element : reply.elements) element = SortSets(std::move(element));
  const bool words = std::all_of(reply.elements.begin(), reply.elements.end(),
                                 [](const Reply& element) { return element.type == ReplyType::kSimple; });
  if (reply.type == ReplyType::kSet || (reply.type == ReplyType::kArray && words)) {
    std::sort(reply.elements.begin(), reply.elements.end(), ByText);
  }
  return reply;
}

bool TransactionAwareComparison::Same(const Args& args, const Reply& redis, const Reply& pinyon) {
  const std::string name = args.empty() ? "" : UpperCase(args[0]);
  if (redis.type == ReplyType::kSimple && redis.text == "QUEUED") {
    queued_.push_back(args);
    return redis == pinyon;
  }
  if (name == "EXEC" && redis.type == ReplyType::kArray) return SameExec(redis, pinyon);
  if (name == "EXEC" || name == "RESET" || (name == "DISCARD" && !redis.IsError())) queued_.clear();
  return SameReply(args, redis, pinyon);
}

bool TransactionAwareComparison::SameExec(const Reply& redis, const Reply& pinyon) {
  const std::vector<Args> commands = std::exchange(queued_, {});
  const size_t count = redis.elements.size();
  if (redis.type != pinyon.type || count != pinyon.elements.size() || count != commands.size()) {
    return redis == pinyon;
  }
  for (size_t i = 0; i < count; ++i) {
    if (!SameReply(commands[i], redis.elements[i], pinyon.elements[i])) return false;
  }
  return true;
}

bool SameReply(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (redis == pinyon) return true;
  if (args.empty()) return false;
  for (const Rule& rule : kRules) {
    if (Applies(rule, args) && rule.same(args, redis, pinyon)) return true;
  }
  for (const Rule& rule : KnownDifferences()) {
    if (Applies(rule, args) && rule.same(args, redis, pinyon)) return true;
  }
  return false;
}

}  // namespace pinyon::differential
