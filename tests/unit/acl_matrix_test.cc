// Every command of the table against users with and without each of its categories: generated from the table,
// so that a new command is in it from its first day, and one without categories fails.
#include <algorithm>
#include <catch2/catch.hpp>

#include "command_fixture.h"
#include "engine/acl_user.h"

namespace pinyon {
namespace {

// A request with as few arguments as the command takes.
std::vector<std::string_view> ShortestRequest(const Command& command) {
  std::vector<std::string_view> request;
  if (command.parent != nullptr) request.emplace_back(command.parent->spec->name);
  request.emplace_back(command.spec->name);
  const int arity = command.spec->arity < 0 ? -command.spec->arity : command.spec->arity;
  while (static_cast<int>(request.size()) < arity) request.emplace_back("1");
  return request;
}

std::string Name(size_t category) { return std::string(AclCategoryNames(1u << category)[0]); }

bool Allows(CommandFixture& f, const std::string& user, const Command& command) {
  const auto request = ShortestRequest(command);
  return f.engine.acl.Check(*f.engine.acl.Find(user), command, request).allowed();
}

// The category that a group's commands must have, 0 when it has none of its own.
uint32_t CategoryOfGroup(std::string_view group) {
  static constexpr std::pair<std::string_view, uint32_t> kGroups[] = {{"string", kAclString},
                                                                      {"hash", kAclHash},
                                                                      {"list", kAclList},
                                                                      {"set", kAclSet},
                                                                      {"sorted-set", kAclSortedSet},
                                                                      {"bitmap", kAclBitmap},
                                                                      {"hyperloglog", kAclHyperLogLog},
                                                                      {"geo", kAclGeo},
                                                                      {"stream", kAclStream},
                                                                      {"scripting", kAclScripting},
                                                                      {"transactions", kAclTransaction}};
  for (const auto& [name, category] : kGroups) {
    if (name == group) return category;
  }
  return 0;
}

}  // namespace

TEST_CASE("Every command has the categories that say what it is", "[acl][matrix]") {
  CommandFixture f;
  REQUIRE(f.commands.all().size() > 100);
  for (const auto& command : f.commands.all()) {
    INFO(command->name);
    CHECK(((command->acl & kAclFast) != 0) != ((command->acl & kAclSlow) != 0));
    const CommandSpec& spec = *command->spec;
    if (!spec.subcommands.empty() && spec.handler == nullptr) continue;
    if (std::string_view(spec.name) == "help") continue;
    if (const uint32_t category = CategoryOfGroup(spec.group); category != 0) {
      CHECK((command->acl & category) != 0);
    }
    // Whoever touches keys reads or writes, and whoever writes may be kept from it.
    const bool has_keys = spec.keys[0].begin != KeySpec::Begin::kNone && !(spec.keys[0].flags & kKeyNotKey);
    const bool of_transaction = (command->acl & kAclTransaction) != 0;
    const bool of_keys = (command->acl & (kAclRead | kAclWrite | kAclKeyspace)) != 0;
    const bool for_operators = (command->acl & (kAclAdmin | kAclDangerous)) != 0;
    if (has_keys && !of_transaction) CHECK((of_keys || for_operators));
    if ((spec.flags & kWrite) != 0) CHECK((command->acl & kAclWrite) != 0);
    // All others: at least one category beside fast or slow, but for what everybody may ask.
    const bool says_something = (command->acl & ~(kAclFast | kAclSlow)) != 0;
    static constexpr std::string_view kForEverybody[] = {
        "acl|cat", "acl|genpass", "acl|whoami", "time", "lolwut", "pubsub|help",
        // As Redis 7.0 has them.
        "memory|doctor", "memory|malloc-stats", "memory|purge", "memory|stats"};
    const bool for_everybody = std::find(std::begin(kForEverybody), std::end(kForEverybody), command->name) !=
                               std::end(kForEverybody);
    CHECK((says_something || for_everybody));
  }
}

TEST_CASE("Every command with and without each of its categories", "[acl][matrix]") {
  CommandFixture f;
  for (size_t category = 0; category < AclCommands::kCategories; ++category) {
    const std::string name = Name(category);
    REQUIRE(f.Run("ACL SETUSER only-" + name + " on nopass ~* &* -@all +@" + name) == "+OK\r\n");
    REQUIRE(f.Run("ACL SETUSER all-but-" + name + " on nopass ~* &* +@all -@" + name) == "+OK\r\n");
  }
  for (const auto& command : f.commands.all()) {
    const bool always = (command->flags & kNoAuth) != 0;
    size_t having = 0;
    for (size_t category = 0; category < AclCommands::kCategories; ++category) {
      const bool has = (command->acl >> category & 1) != 0;
      // A container's categories reach what it contains.
      const bool reached = has || (command->parent != nullptr && (command->parent->acl >> category & 1) != 0);
      having += has;
      INFO(command->name << " @" << Name(category));
      CHECK(Allows(f, "only-" + Name(category), *command) == (reached || always));
      CHECK(Allows(f, "all-but-" + Name(category), *command) == (!reached || always));
    }
    INFO(command->name);
    CHECK(having > 0);
  }
}

TEST_CASE("Whoever lacks a command is told so, whatever its arguments", "[acl][matrix]") {
  CommandFixture f;
  size_t refused = 0;
  for (const auto& command : f.commands.all()) {
    if ((command->flags & (kNoAuth | kProtectedDebug)) != 0 || command->spec->handler == nullptr) continue;
    INFO(command->name);
    const std::string name(command->name);
    REQUIRE(f.Run("ACL SETUSER u reset on nopass ~* &* +@all -" + name) == "+OK\r\n");
    f.engine.acl.Login(f.session(1), *f.engine.acl.Find("u"));
    const auto request = ShortestRequest(*command);
    const std::string refusal = "NOPERM this user has no permissions to run the '" + name + "' command\r\n";
    const std::string prefix = name == "exec" ? "-EXECABORT Transaction discarded because of: " : "-";
    CHECK(f.DoAs(1, request) == prefix + refusal);
    ++refused;
    REQUIRE(f.Run("ACL SETUSER u -@all +" + name) == "+OK\r\n");
    std::vector<std::string_view> dry_run = {"ACL", "DRYRUN", "u"};
    dry_run.insert(dry_run.end(), request.begin(), request.end());
    CHECK(f.DoAs(0, dry_run) == "+OK\r\n");
  }
  CHECK(f.engine.stats.denied_commands == refused);
}

TEST_CASE("Without keys nothing that has keys is allowed, without channels nothing that has those",
          "[acl][matrix]") {
  CommandFixture f;
  REQUIRE(f.Run("ACL SETUSER u on nopass +@all &*") == "+OK\r\n");
  REQUIRE(f.Run("ACL SETUSER v on nopass +@all ~*") == "+OK\r\n");
  for (const auto& command : f.commands.all()) {
    INFO(command->name);
    const auto request = ShortestRequest(*command);
    std::vector<KeyPosition> keys;
    if (FindKeys(*command, request, &keys) && !keys.empty()) CHECK_FALSE(Allows(f, "u", *command));
    CHECK(Allows(f, "v", *command) == (command->spec->channels.first == 0));
  }
}

}  // namespace pinyon
