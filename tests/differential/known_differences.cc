#include "differential/known_differences.h"

#include <algorithm>

namespace pinyon::differential {
namespace {

using testing::ReplyType;

// Index of the subcommands in one command's entry of COMMAND INFO.
constexpr size_t kSubcommandsIndex = 9;

// HELLO: everything but the version, and the connection's number, which counts connections.
bool SameHello(const Args&, const Reply& redis, const Reply& pinyon) {
  if (redis.type != pinyon.type || redis.elements.size() != pinyon.elements.size()) return false;
  for (size_t i = 0; i + 1 < redis.elements.size(); i += 2) {
    const Reply& name = redis.elements[i];
    if (!(name == pinyon.elements[i])) return false;
    const bool varies = name.text == "version" || name.text == "id";
    const Reply& expected = redis.elements[i + 1];
    const Reply& actual = pinyon.elements[i + 1];
    if (varies ? expected.type != actual.type : !(expected == actual)) return false;
  }
  return redis.IsAggregate();
}

// HELP: the first line, and that HELP is the last subcommand it explains.
bool SameHelpFrame(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (args.size() != 2 || redis.elements.size() < 3 || pinyon.elements.size() < 3) return false;
  return redis.type == pinyon.type && redis.elements.front() == pinyon.elements.front() &&
         *(redis.elements.end() - 2) == *(pinyon.elements.end() - 2);
}

const Reply* FindNamed(const std::vector<Reply>& entries, std::string_view name) {
  for (const Reply& entry : entries) {
    if (!entry.elements.empty() && entry.elements[0].text == name) return &entry;
  }
  return nullptr;
}

// Keeps the subcommands that `other` has too, in the order of their names.
Reply KeepCommonSubcommands(Reply reply, const Reply& other) {
  for (size_t i = 0; i < reply.elements.size() && i < other.elements.size(); ++i) {
    std::vector<Reply>& fields = reply.elements[i].elements;
    const std::vector<Reply>& other_fields = other.elements[i].elements;
    if (fields.size() <= kSubcommandsIndex || other_fields.size() <= kSubcommandsIndex) continue;
    std::vector<Reply>& subcommands = fields[kSubcommandsIndex].elements;
    const std::vector<Reply>& theirs = other_fields[kSubcommandsIndex].elements;
    std::erase_if(subcommands, [&theirs](const Reply& entry) {
      return !entry.elements.empty() && FindNamed(theirs, entry.elements[0].text) == nullptr;
    });
    std::sort(subcommands.begin(), subcommands.end(), [](const Reply& a, const Reply& b) {
      return !a.elements.empty() && !b.elements.empty() && a.elements[0].text < b.elements[0].text;
    });
  }
  return SortSets(std::move(reply));
}

bool SameCommonSubcommands(const Args&, const Reply& redis, const Reply& pinyon) {
  return KeepCommonSubcommands(redis, pinyon) == KeepCommonSubcommands(pinyon, redis);
}

bool SmallSetIsListpack(const Args&, const Reply& redis, const Reply& pinyon) {
  return redis.type == ReplyType::kBulk && redis.text == "hashtable" && pinyon.type == ReplyType::kBulk &&
         pinyon.text == "listpack";
}

bool SmallListIsListpack(const Args&, const Reply& redis, const Reply& pinyon) {
  return redis.type == ReplyType::kBulk && redis.text == "quicklist" && pinyon.type == ReplyType::kBulk &&
         pinyon.text == "listpack";
}

// The oracle takes the smallest integer for a rank, whose sign cannot be changed.
bool SmallestRankIsRefused(const Args& args, const Reply&, const Reply& pinyon) {
  return std::find(args.begin(), args.end(), "-9223372036854775808") != args.end() &&
         pinyon.text.starts_with("ERR value is out of range, value must between");
}

// Where the order of elements, or what is in which chunk of a list, is each server's own: the same kind of
// value, of the same size but for the chunks.
bool SameDumpButOrder(const Args&, const Reply& redis, const Reply& pinyon) {
  constexpr char kSet = 2, kHash = 4, kQuicklist = 18;
  if (redis.type != ReplyType::kBulk || pinyon.type != ReplyType::kBulk) return false;
  if (redis.text.size() < 12 || pinyon.text.size() < 12 || redis.text[0] != pinyon.text[0]) return false;
  const char code = redis.text[0];
  if (code == kQuicklist) return redis.text[1] != 1 || pinyon.text[1] != 1;
  return (code == kSet || code == kHash) && redis.text.size() == pinyon.text.size();
}

// The same error, which lists the policies, and two more at the end.
bool ListsOwnPoliciesToo(const Args& args, const Reply& redis, const Reply& pinyon) {
  return std::find(args.begin(), args.end(), "maxmemory-policy") != args.end() && redis.IsError() &&
         pinyon.text == redis.text + ", volatile-adaptive, allkeys-adaptive";
}

// A command that the oracle is too old to know.
bool NewerThanOracle(const Args&, const Reply& redis, const Reply&) {
  return redis.IsError() &&
         (redis.text.starts_with("ERR unknown command") || redis.text.starts_with("ERR unknown subcommand"));
}

// Commands that the oracle is too old to know, and our own.
constexpr std::string_view kNewer[] = {
    "delifeq", "msetex",  "hexpire",        "hpexpire",        "hexpireat", "hpexpireat",
    "httl",    "hpttl",   "hexpiretime",    "hpexpiretime",    "hpersist",  "hgetex",
    "hsetex",  "hgetdel", "client|setinfo", "client|no-touch", "waitaof",   "cl.throttle",
    "tb.take", "tb.peek", "tb.wait",        "tb.refund",       "tb.reset",  "tb.info"};

bool IsNewer(std::string_view name) {
  return std::find(std::begin(kNewer), std::end(kNewer), name) != std::end(kNewer);
}

// A description of commands with those sorted that stand by themselves: the oracle's come in the order of a
// table that is seeded at random.
std::string SortCommands(std::string_view text) {
  std::string sorted;
  std::vector<std::string> commands;
  const auto flush = [&] {
    std::sort(commands.begin(), commands.end());
    for (const std::string& command : commands) sorted += " " + command;
    commands.clear();
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    std::string word(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool closes = word.ends_with(')');
    if (closes) word.pop_back();
    if (word.size() > 1 && (word[0] == '+' || word[0] == '-') && word[1] != '@') {
      if (!IsNewer(std::string_view(word).substr(1))) commands.push_back(word);
    } else {
      flush();
      sorted += " " + word;
    }
    if (closes) {
      flush();
      sorted += ")";
    }
  }
  flush();
  return sorted;
}

Reply SortAllCommands(Reply reply) {
  if (reply.type == ReplyType::kBulk) reply.text = SortCommands(reply.text);
  for (Reply& element : reply.elements) element = SortAllCommands(std::move(element));
  return reply;
}

bool SameAccess(const Args&, const Reply& redis, const Reply& pinyon) {
  return SortAllCommands(redis) == SortAllCommands(pinyon);
}

// But for ages, clients, and what entries have since 7.2.
bool SameAccessLog(const Args&, const Reply& redis, const Reply& pinyon) {
  constexpr size_t kComparable = 11, kEndsAt = 14, kSince72 = 6;
  if (redis.type != pinyon.type || redis.elements.size() != pinyon.elements.size()) return false;
  for (size_t i = 0; i < redis.elements.size(); ++i) {
    const auto &theirs = redis.elements[i].elements, &ours = pinyon.elements[i].elements;
    if (redis.elements[i].type != pinyon.elements[i].type) return false;
    if (theirs.size() != kEndsAt || ours.size() != kEndsAt + kSince72) return false;
    if (!std::equal(theirs.begin(), theirs.begin() + kComparable, ours.begin())) return false;
    if (theirs[kComparable].type != ours[kComparable].type) return false;
  }
  return true;
}

// The names of a category: ours but for what is newer are theirs.
bool SameCategory(const Args& args, const Reply& redis, const Reply& pinyon) {
  if (args.size() != 3 || redis.type != ReplyType::kArray || pinyon.type != redis.type) return false;
  return std::all_of(pinyon.elements.begin(), pinyon.elements.end(), [&](const Reply& name) {
    return IsNewer(name.text) ||
           std::find(redis.elements.begin(), redis.elements.end(), name) != redis.elements.end();
  });
}

constexpr Rule kKnownDifferences[] = {
    {"ACL", "HELP", SameHelpFrame, "help is in words of our own"},
    {"ACL", "LIST", SameAccess, "order of commands, and there are newer ones"},
    {"ACL", "GETUSER", SameAccess, "order of commands, and there are newer ones"},
    {"ACL", "LOG", SameAccessLog, "entries have the fields of 7.2; ages and ports"},
    {"ACL", "CAT", SameCategory, "order of commands; some are newer, some missing"},
    {"HELLO", "", SameHello, "reports version 7.2.4, for clients that check it"},
    {"CLIENT", "HELP", SameHelpFrame, "help is in words of our own, of newer subcommands too"},
    {"OBJECT", "HELP", SameHelpFrame, "help is in words of our own, of newer subcommands too"},
    {"MEMORY", "HELP", SameHelpFrame, "help is in words of our own"},
    {"PUBSUB", "HELP", SameHelpFrame, "help is in words of our own"},
    {"COMMAND", "HELP", SameHelpFrame, "help is in words of our own, of newer subcommands too"},
    {"CONFIG", "HELP", SameHelpFrame, "help is in words of our own, of newer subcommands too"},
    {"CONFIG", "SET", ListsOwnPoliciesToo, "has eviction policies of its own"},
    {"COMMAND", "INFO", SameCommonSubcommands, "has subcommands newer than 7.0"},
    {"OBJECT", "ENCODING", SmallSetIsListpack, "small sets are listpacks since 7.2"},
    {"OBJECT", "ENCODING", SmallListIsListpack, "small lists are listpacks since 7.2"},
    {"DUMP", "", SameDumpButOrder,
     "tables have no order, and chunks of lists are cut where each server cuts"},
    {"LPOS", "", SmallestRankIsRefused, "refused since 7.2"},
    {"WAITAOF", "", NewerThanOracle, "new in 7.2"},
    {"CLIENT", "NO-TOUCH", NewerThanOracle, "new in 7.2"},
    {"CLIENT", "SETINFO", NewerThanOracle, "new in 7.2"},
};

}  // namespace

std::span<const Rule> KnownDifferences() { return kKnownDifferences; }

}  // namespace pinyon::differential
