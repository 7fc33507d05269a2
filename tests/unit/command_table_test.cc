// Lookup, what is derived from declarations, and key finding, over a table of the test's own whose commands
// are declared as those of the same names in Redis 7.0.
#include "engine/command_table.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace pinyon {
namespace {

void Nothing(Call&) {}

void SortKeys(Args args, std::vector<int>* positions) {
  if (args.size() == 4) positions->push_back(3);
}

void MigrateKeys(Args args, std::vector<int>* positions) {
  for (size_t i = 7; i < args.size(); ++i) positions->push_back(static_cast<int>(i));
}

constexpr KeySpec kUnknownRead = {
    .flags = kKeyRO | kKeyAccess, .begin = KeySpec::Begin::kUnknown, .find = KeySpec::Find::kUnknown};
constexpr KeySpec kUnknownStore = {
    .flags = kKeyOW | kKeyUpdate, .begin = KeySpec::Begin::kUnknown, .find = KeySpec::Find::kUnknown};

constexpr CommandSpec kThingSubcommands[] = {
    {.name = "encoding",
     .arity = 3,
     .flags = kReadOnly,
     .handler = Nothing,
     .acl = kAclKeyspace,
     .keys = {KeyAt(2, kKeyRO)}},
    {.name = "help", .arity = 2, .flags = kLoading | kStale, .handler = Nothing, .acl = kAclKeyspace},
};

constexpr CommandSpec kSpecs[] = {
    {.name = "get",
     .arity = 2,
     .flags = kReadOnly | kFast,
     .handler = Nothing,
     .acl = kAclString,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)}},
    {.name = "mset",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .handler = Nothing,
     .acl = kAclString,
     .keys = {KeysFrom(1, kKeyOW | kKeyUpdate, -1, 2)}},
    {.name = "blpop",
     .arity = -3,
     .flags = kWrite | kNoScript | kBlocking,
     .handler = Nothing,
     .acl = kAclList,
     .keys = {KeysFrom(1, kKeyRW | kKeyAccess | kKeyDelete, -2)}},
    {.name = "rename",
     .arity = 3,
     .flags = kWrite,
     .handler = Nothing,
     .acl = kAclKeyspace,
     .keys = {KeyAt(1, kKeyRW), KeyAt(2, kKeyOW)}},
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Nothing,
     .acl = kAclBitmap,
     .keys = {KeyAt(2, kKeyOW), KeysFrom(3, kKeyRO)}},
    {.name = "zunionstore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Nothing,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyOW), NumKeysAt(2, kKeyRO)}},
    {.name = "eval_ro",
     .arity = -3,
     .flags = kReadOnly | kNoScript | kNoMandatoryKeys,
     .handler = Nothing,
     .acl = kAclScripting,
     .keys = {NumKeysAt(2, kKeyRO)}},
    {.name = "sort",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .handler = Nothing,
     .acl = kAclSet | kAclSortedSet | kAclList | kAclDangerous,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), kUnknownRead, kUnknownStore},
     .get_keys = SortKeys},
    {.name = "migrate",
     .arity = -6,
     .flags = kWrite,
     .handler = Nothing,
     .acl = kAclKeyspace | kAclDangerous,
     .keys = {KeyAt(3, kKeyRW),
              {.flags = kKeyRW | kKeyIncomplete,
               .begin = KeySpec::Begin::kKeyword,
               .index = -2,
               .keyword = "KEYS",
               .last = -1}},
     .get_keys = MigrateKeys},
    {.name = "xread",
     .arity = -4,
     .flags = kReadOnly | kBlocking,
     .handler = Nothing,
     .acl = kAclStream,
     .keys = {{.flags = kKeyRO,
               .begin = KeySpec::Begin::kKeyword,
               .index = 1,
               .keyword = "STREAMS",
               .last = -1,
               .limit = 2}}},
    {.name = "spublish",
     .arity = 3,
     .flags = kPubsub | kLoading | kStale | kFast,
     .handler = Nothing,
     .keys = {KeyAt(1, kKeyNotKey)}},
    {.name = "shutdown", .arity = -1, .flags = kAdmin | kNoScript | kEndsBatch, .handler = Nothing},
    {.name = "georadiusbymember_ro",
     .arity = -5,
     .flags = kReadOnly,
     .handler = Nothing,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO)}},
    {.name = "thing", .arity = -2, .subcommands = kThingSubcommands},
};

using Words = std::vector<std::string_view>;

// "1:RO 3:OW", or "error".
std::string KeysOf(const CommandTable& table, const Words& words) {
  const Command* command = table.Resolve(words);
  REQUIRE(command != nullptr);
  std::vector<KeyPosition> keys;
  if (!FindKeys(*command, words, &keys)) return "error";
  std::string text;
  for (const KeyPosition& key : keys) {
    if (!text.empty()) text += ' ';
    text += std::to_string(key.index) + ':' + std::string(KeySpecFlagNames(key.flags).at(0));
  }
  return text;
}

std::string Range(const Command* command) {
  return std::to_string(command->first_key) + ' ' + std::to_string(command->last_key) + ' ' +
         std::to_string(command->key_step) + ((command->flags & kMovableKeys) ? " movable" : "");
}

TEST_CASE("command table: names are found in any case and nothing else is", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  REQUIRE(table.commands().size() == std::size(kSpecs));
  for (const CommandSpec& spec : kSpecs) {
    std::string name = spec.name;
    REQUIRE(table.Find(name) != nullptr);
    REQUIRE(table.Find(name)->name == spec.name);
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    REQUIRE(table.Find(name) == table.Find(spec.name));
    REQUIRE(table.Find(name + "x") == nullptr);
    REQUIRE(table.Find(name.substr(1)) == nullptr);
    for (size_t i = 0; i < name.size(); ++i) {
      for (const char other : {'\0', ' ', '@', '[', '`', '{', '\x7f', '\xc7', '\xe7'}) {
        std::string changed = name;
        changed[i] = other;
        REQUIRE(table.Find(changed) == nullptr);
      }
    }
  }
  REQUIRE(table.Find("") == nullptr);
  REQUIRE(table.Find(std::string(100000, 'g')) == nullptr);
}

TEST_CASE("command table: subcommands have a full name and a parent", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  const Command* container = table.Find("thing");
  const Command* encoding = table.FindSubcommand(*container, "ENCODING");
  REQUIRE(encoding != nullptr);
  CHECK(encoding->name == "thing|encoding");
  CHECK(encoding->parent == container);
  CHECK(table.Resolve(Words{"THING", "Encoding", "k"}) == encoding);
  CHECK(table.Resolve(Words{"thing"}) == container);
  CHECK(table.Resolve(Words{"thing", "nothing"}) == nullptr);
  CHECK(table.Resolve(Words{"nothing"}) == nullptr);
  CHECK(table.Resolve(Words{"get", "k"}) == table.Find("get"));
  CHECK(table.Find("thing|encoding") == nullptr);
}

TEST_CASE("command table: renaming moves and removes names", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  Command* get = table.Find("get");
  CHECK_FALSE(table.Rename("nothing", "other"));
  CHECK_FALSE(table.Rename("get", "MSET"));
  REQUIRE(table.Rename("GET", "Fetch-A-Very-Long-Name"));
  CHECK(table.Find("get") == nullptr);
  CHECK(table.Find("fetch-a-very-long-name") == get);
  CHECK(table.Find("fetch-a-very-lonG-name") == get);
  CHECK(table.Find("fetch-a-veRX-long-name") == nullptr);
  REQUIRE(table.Rename("mset", ""));
  CHECK(table.Find("mset") == nullptr);
  CHECK(table.commands().size() == std::size(kSpecs) - 1);
  REQUIRE(table.Rename("blpop", "get"));
  CHECK(table.Find("get")->name == "blpop");
}

TEST_CASE("command table: key ranges are derived from key specifications", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  CHECK(Range(table.Find("get")) == "1 1 1");
  CHECK(Range(table.Find("mset")) == "1 -1 2");
  CHECK(Range(table.Find("blpop")) == "1 -2 1");
  CHECK(Range(table.Find("rename")) == "1 2 1");
  CHECK(Range(table.Find("bitop")) == "2 -1 1");
  CHECK(Range(table.Find("zunionstore")) == "1 1 1 movable");
  CHECK(Range(table.Find("eval_ro")) == "0 0 0 movable");
  CHECK(Range(table.Find("sort")) == "1 1 1 movable");
  CHECK(Range(table.Find("migrate")) == "3 3 1 movable");
  CHECK(Range(table.Find("xread")) == "0 0 0 movable");
  CHECK(Range(table.Find("shutdown")) == "0 0 0");
  CHECK(Range(table.Resolve(Words{"thing", "encoding"})) == "2 2 1");
}

TEST_CASE("command table: categories are derived from flags, in Redis's order", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  const auto categories = [&](const Words& words) { return AclCategoryNames(table.Resolve(words)->acl); };
  CHECK(categories({"get"}) == Words{"read", "string", "fast"});
  CHECK(categories({"blpop"}) == Words{"write", "list", "slow", "blocking"});
  CHECK(categories({"sort"}) == Words{"write", "set", "sortedset", "list", "slow", "dangerous"});
  CHECK(categories({"eval_ro"}) == Words{"slow", "scripting"});
  CHECK(categories({"shutdown"}) == Words{"admin", "slow", "dangerous"});
  CHECK(categories({"spublish"}) == Words{"pubsub", "fast"});
  CHECK(categories({"thing"}) == Words{"slow"});
  CHECK(categories({"thing", "help"}) == Words{"keyspace", "slow"});
  CHECK(CommandFlagNames(table.Find("shutdown")->flags) == Words{"admin", "noscript"});
  CHECK(CommandFlagNames(table.Find("eval_ro")->flags) ==
        Words{"readonly", "noscript", "no_mandatory_keys", "movablekeys"});
  CHECK(KeySpecFlagNames(kKeyRW | kKeyAccess | kKeyDelete) == Words{"RW", "access", "delete"});
  CHECK(AclCategoryByName("SortedSet") == kAclSortedSet);
  CHECK(AclCategoryByName("@set") == 0);
}

TEST_CASE("key finder: every kind of key specification", "[command_table]") {
  CommandTable table;
  table.AddFamily(kSpecs);
  CHECK(KeysOf(table, {"get", "k"}) == "1:RO");
  CHECK(KeysOf(table, {"mset", "a", "1", "b", "2"}) == "1:OW 3:OW");
  CHECK(KeysOf(table, {"blpop", "a", "b", "0"}) == "1:RW 2:RW");
  CHECK(KeysOf(table, {"bitop", "and", "d", "a", "b"}) == "2:OW 3:RO 4:RO");
  CHECK(KeysOf(table, {"zunionstore", "d", "2", "a", "b"}) == "1:OW 3:RO 4:RO");
  CHECK(KeysOf(table, {"zunionstore", "d", "3", "a", "b"}) == "error");
  CHECK(KeysOf(table, {"zunionstore", "d", "0", "a", "b"}) == "error");
  CHECK(KeysOf(table, {"zunionstore", "d", "x", "a", "b"}) == "error");
  CHECK(KeysOf(table, {"zunionstore", "d", "9223372036854775807", "a"}) == "error");
  CHECK(KeysOf(table, {"eval_ro", "s", "0"}) == "");
  CHECK(KeysOf(table, {"eval_ro", "s", "1", "k", "arg"}) == "3:RO");
  CHECK(KeysOf(table, {"eval_ro", "s", "-1", "k"}) == "error");
  CHECK(KeysOf(table, {"sort", "k"}) == "1:RO");
  CHECK(KeysOf(table, {"sort", "k", "store", "d"}) == "1:RO 3:OW");
  CHECK(KeysOf(table, {"migrate", "h", "p", "", "0", "9", "keys", "a", "b"}) == "7:RW 8:RW");
  CHECK(KeysOf(table, {"xread", "count", "1", "streams", "a", "b", "0", "0"}) == "4:RO 5:RO");
  CHECK(KeysOf(table, {"xread", "Streams", "a", "b", "c"}) == "2:RO");
  CHECK(KeysOf(table, {"xread", "a", "b", "streams"}) == "");
  CHECK(KeysOf(table, {"spublish", "c", "m"}) == "");
  CHECK(KeysOf(table, {"thing", "encoding", "k"}) == "2:RO");
  CHECK(KeysOf(table, {"get"}) == "error");
}

}  // namespace
}  // namespace pinyon
