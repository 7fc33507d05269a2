// The settings registry: what every kind of directive accepts, refuses and prints, as redis-server 7.0 does,
// and that CONFIG SET and REWRITE lose nothing.
#include "base/settings.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/settings_text.h"

namespace pinyon {
namespace {

using setting::kHidden;
using setting::kImmutable;
using setting::kMultiArg;
using setting::kProtected;

enum class Policy { kVolatileLru, kNoEviction };

struct Values {
  int timeout_s = -1;
  uint32_t port = 1;
  int64_t maxmemory = 1;
  int64_t maxmemory_clients = 1;
  int mode = 1;
  bool daemonize = true;
  bool appendonly = true;
  std::string requirepass = "x";
  std::string dir;
  std::vector<std::string> bind;
  Policy policy = Policy::kVolatileLru;
  int shutdown = 9;
  int64_t hidden = 0;
  int priority = 0;
  std::vector<std::string> points = {"3600 1"};
  std::string user_line;

  std::vector<std::string> applied;
  std::string apply_error;
};

std::string Join(const std::vector<std::string>& words) { return JoinWords(words); }

// A registry with one directive of every kind.
struct SettingsFixture {
  Values values;
  SettingsRegistry registry;

  SettingsFixture() {
    const auto applied = [this](const char* name) {
      return [this, name]() -> SettingError {
        values.applied.emplace_back(name);
        return values.apply_error.empty() || std::string(name) != "port" ? "" : values.apply_error;
      };
    };
    registry.AddInteger("timeout",
                        {.target = &values.timeout_s, .max = INT_MAX, .apply = applied("timeout")});
    registry.AddInteger(
        "port", {.target = &values.port, .max = 65535, .default_value = 6379, .apply = applied("port")});
    registry.AddInteger("unixsocketperm",
                        {.target = &values.mode, .max = 0777, .flags = kImmutable, .octal = true});
    registry.AddMemory("maxmemory", {.target = &values.maxmemory});
    registry.AddMemory("maxmemory-clients", {.target = &values.maxmemory_clients, .percent = true});
    registry.AddBool("daemonize", {.target = &values.daemonize, .flags = kImmutable});
    registry.AddBool("appendonly", {.target = &values.appendonly, .flags = setting::kDenyWhileLoading});
    registry.AddString("requirepass",
                       {.target = &values.requirepass, .flags = setting::kSensitive, .rewrite_empty = false});
    registry.AddString("dir",
                       {.target = &values.dir, .flags = kProtected, .validate = [](std::string_view text) {
                          return SettingError(text == "/none" ? "No such file or directory" : "");
                        }});
    registry.AddStringList("bind", {.target = &values.bind, .default_value = {"*", "-::*"}, .max_count = 3});
    registry.AddEnum(
        "maxmemory-policy",
        {.target = &values.policy, .choices = {{"volatile-lru", 0}, {"noeviction", 1}}, .default_value = 1});
    registry.AddEnum("shutdown-on-sigint",
                     {.target = &values.shutdown,
                      .choices = {{"default", 0}, {"save", 1}, {"nosave", 2}, {"now", 4}},
                      .flags = kMultiArg,
                      .bit_flags = true});
    registry.AddInteger("key-load-delay", {.target = &values.hidden, .flags = kHidden});
    registry.AddInteger(
        "replica-priority",
        {.target = &values.priority, .max = INT_MAX, .default_value = 100, .alias = "slave-priority"});
    AddSave();
    registry.AddLine("user", {.load = [this](const std::vector<std::string>& args) -> SettingError {
                       values.user_line = Join(args);
                       return args[0] == "bad" ? "Error in user declaration" : "";
                     }});
  }

  void AddSave() {
    registry.AddSpecial(
        "save",
        {.set =
             [this](const std::vector<std::string>& args, setting::Phase phase) {
               if (args.size() % 2 != 0) return SettingError("Invalid save parameters");
               if (phase != setting::Phase::kLoadMore) values.points.clear();
               for (size_t i = 0; i < args.size(); i += 2) {
                 values.points.push_back(args[i] + " " + args[i + 1]);
               }
               return SettingError();
             },
         .get = [this] { return Join(values.points); },
         .rewrite =
             [this] { return values.points.empty() ? std::vector<std::string>{"\"\""} : values.points; },
         .flags = kMultiArg});
  }

  std::string Set(const std::vector<std::pair<std::string_view, std::string_view>>& pairs,
                  SetPolicy policy = {}) {
    return registry.Set(pairs, policy);
  }
  std::string Get(std::string_view name) { return registry.GetOne(name); }
};

std::string Failed(const std::string& name, const std::string& reason) {
  return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + reason;
}

TEST_CASE("A declaration stores the default into its target", "[settings]") {
  SettingsFixture f;
  CHECK(f.values.timeout_s == 0);
  CHECK(f.values.port == 6379);
  CHECK(f.values.daemonize == false);
  CHECK(f.values.requirepass.empty());
  CHECK(f.values.policy == Policy::kNoEviction);
  CHECK(f.values.bind == std::vector<std::string>{"*", "-::*"});
}

TEST_CASE("Loading refuses what redis-server refuses, in its words", "[settings]") {
  SettingsFixture f;
  const auto load = [&](std::vector<std::string> words) { return f.registry.Load(words); };
  CHECK(load({"foo", "bar"}) == "Bad directive or wrong number of arguments");
  CHECK(load({"timeout"}) == "wrong number of arguments");
  CHECK(load({"timeout", "1", "2"}) == "wrong number of arguments");
  CHECK(load({"timeout", "abc"}) == "argument couldn't be parsed into an integer");
  CHECK(load({"timeout", ""}) == "argument couldn't be parsed into an integer");
  CHECK(load({"timeout", " 5"}) == "argument couldn't be parsed into an integer");
  CHECK(load({"timeout", "-1"}) == "argument must be between 0 and 2147483647 inclusive");
  CHECK(load({"unixsocketperm", "999"}) == "argument couldn't be parsed as an octal number");
  CHECK(load({"unixsocketperm", "7777"}) == "argument must be between 0 and 777 inclusive");
  CHECK(load({"unixsocketperm", "-5"}) == "argument must be between 0 and 777 inclusive");
  CHECK(load({"daemonize", "maybe"}) == "argument must be 'yes' or 'no'");
  CHECK(load({"maxmemory", "1x"}) == "argument must be a memory value");
  CHECK(load({"maxmemory-clients", "5x"}) == "argument must be a memory or percent value");
  CHECK(load({"maxmemory-clients", "-5%"}) == "argument must be a memory or percent value");
  CHECK(load({"maxmemory-clients", "500%"}) == "percentage argument must be less or equal to 100");
  CHECK(load({"maxmemory-policy", "foo"}) ==
        "argument(s) must be one of the following: volatile-lru, noeviction");
  CHECK(load({"shutdown-on-sigint", "now", "foo"}) ==
        "argument(s) must be one of the following: default, save, nosave, now");
  CHECK(load({"save", "1", "2", "3"}) == "Invalid save parameters");
  CHECK(load({"dir", "/none"}) == "No such file or directory");
  CHECK(load({"user"}) == "Bad directive or wrong number of arguments");
  CHECK(load({"user", "bad"}) == "Error in user declaration");
  CHECK(f.Get("timeout") == "0");
  CHECK(f.Get("maxmemory-clients") == "0");
}

TEST_CASE("Loading accepts every form of a value", "[settings]") {
  SettingsFixture f;
  const auto load = [&](std::vector<std::string> words) { return f.registry.Load(words); };
  CHECK(load({"TIMEOUT", "5"}) == "");
  CHECK(f.values.timeout_s == 5);
  CHECK(load({"unixsocketperm", "0700"}) == "");
  CHECK(f.values.mode == 0700);
  CHECK(f.Get("unixsocketperm") == "700");
  CHECK(load({"daemonize", "YES"}) == "");
  CHECK(f.Get("daemonize") == "yes");
  CHECK(load({"maxmemory", "1GB"}) == "");
  CHECK(f.Get("maxmemory") == "1073741824");
  CHECK(load({"maxmemory-clients", "5%"}) == "");
  CHECK(f.values.maxmemory_clients == -5);
  CHECK(f.Get("maxmemory-clients") == "5%");
  CHECK(load({"maxmemory-policy", "Volatile-LRU"}) == "");
  CHECK(f.values.policy == Policy::kVolatileLru);
  CHECK(load({"shutdown-on-sigint", "now", "nosave"}) == "");
  CHECK(f.Get("shutdown-on-sigint") == "nosave now");
  CHECK(load({"bind", "1.1.1.1 127.0.0.1"}) == "");
  CHECK(f.values.bind == std::vector<std::string>{"1.1.1.1", "127.0.0.1"});
  CHECK(load({"bind", "a", "b"}) == "");
  CHECK(f.Get("bind") == "a b");
  CHECK(load({"bind", ""}) == "");
  CHECK(f.values.bind.empty());
  CHECK(load({"slave-priority", "7"}) == "");
  CHECK(f.Get("replica-priority") == "7");
  CHECK(load({"user", "bob", "on"}) == "");
  CHECK(f.values.user_line == "bob on");
}

TEST_CASE("Lines of one source accumulate, the first of another replaces", "[settings]") {
  SettingsFixture f;
  CHECK(f.registry.Load({"save", "1", "1"}) == "");
  CHECK(f.Get("save") == "1 1");
  CHECK(f.registry.Load({"save", "2", "2"}) == "");
  CHECK(f.Get("save") == "1 1 2 2");
  f.registry.BeginSource();
  CHECK(f.registry.Load({"save", "3 3 4 4"}) == "");
  CHECK(f.Get("save") == "3 3 4 4");
}

TEST_CASE("CONFIG GET matches patterns and answers names as asked", "[settings]") {
  SettingsFixture f;
  using Pairs = std::vector<SettingsRegistry::Pair>;
  CHECK(f.registry.Get({"foo"}).empty());
  CHECK(f.registry.Get({"user"}).empty());
  CHECK(f.registry.Get({"timeout"}) == Pairs{{"timeout", "0"}});
  CHECK(f.registry.Get({"TIMEOUT", "timeout"}) == Pairs{{"TIMEOUT", "0"}});
  CHECK(f.registry.Get({"SLAVE-P*"}) == Pairs{{"slave-priority", "100"}});
  CHECK(f.registry.Get({"SLAVE-PRIORITY", "replica-priority", "replica-prio*"}) ==
        Pairs{{"SLAVE-PRIORITY", "100"}, {"replica-priority", "100"}});
  CHECK(f.registry.Get({"key-load*"}).empty());
  CHECK(f.registry.Get({"key-load-delay"}) == Pairs{{"key-load-delay", "0"}});
  // The hidden one and the line are left out, the alias comes in.
  CHECK(f.registry.Get({"*"}).size() + 1 == f.registry.Names().size());
}

TEST_CASE("CONFIG SET reports the first pair that cannot be set", "[settings]") {
  SettingsFixture f;
  CHECK(f.Set({{"foo", "1"}}) == "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  CHECK(f.Set({{"foo", "1"}, {"timeout", "abc"}}) ==
        "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  CHECK(f.Set({{"user", "bob"}}) == "ERR Unknown option or number of arguments for CONFIG SET - 'user'");
  CHECK(f.Set({{"daemonize", "yes"}, {"foo", "1"}}) == Failed("daemonize", "can't set immutable config"));
  CHECK(f.Set({{"timeout", "1"}, {"TIMEOUT", "2"}}) == Failed("TIMEOUT", "duplicate parameter"));
  CHECK(f.Set({{"timeout", "1"}, {"timeout", "1"}, {"foo", "1"}}) ==
        Failed("timeout", "duplicate parameter"));
  CHECK(f.Set({{"dir", "/tmp"}}) == Failed("dir", "can't set protected config"));
  CHECK(f.Set({{"timeout", "abc"}}) == Failed("timeout", "argument couldn't be parsed into an integer"));
  CHECK(f.Set({{"shutdown-on-sigint", ""}}) ==
        Failed("shutdown-on-sigint", "argument(s) must be one of the following: default, save, nosave, now"));
  CHECK(f.values.timeout_s == 0);
  CHECK(f.values.applied.empty());

  CHECK(f.Set({{"dir", "/tmp"}}, {.allow_protected = true}) == "");
  CHECK(f.values.dir == "/tmp");
  CHECK(!f.Set({{"appendonly", "yes"}}, {.loading = true}).empty());
  CHECK(f.Set({{"replica-priority", "5"}, {"slave-priority", "6"}}) == "");
  CHECK(f.Get("replica-priority") == "6");
}

TEST_CASE("CONFIG SET is all or nothing", "[settings]") {
  SettingsFixture f;
  CHECK(f.Set({{"save", "60 1"}, {"bind", "10.0.0.1"}, {"maxmemory-clients", "5%"}, {"save ", "1"}}) ==
        "ERR Unknown option or number of arguments for CONFIG SET - 'save '");
  const std::string error = f.Set({{"save", ""},
                                   {"bind", ""},
                                   {"maxmemory-clients", "5%"},
                                   {"replica-priority", "5"},
                                   {"slave-priority", "6"},
                                   {"timeout", "x"}});
  CHECK(error == Failed("timeout", "argument couldn't be parsed into an integer"));
  CHECK(f.Get("save") == "3600 1");
  CHECK(f.Get("bind") == "* -::*");
  CHECK(f.Get("maxmemory-clients") == "0");
  CHECK(f.Get("replica-priority") == "100");
}

TEST_CASE("Apply runs for what changed, and its failure restores everything", "[settings]") {
  SettingsFixture f;
  CHECK(f.Set({{"timeout", "0"}, {"port", "1"}}) == "");
  CHECK(f.values.applied == std::vector<std::string>{"port"});

  f.values.applied.clear();
  f.values.apply_error = "Unable to listen on this port. Check server logs.";
  CHECK(f.Set({{"timeout", "7"}, {"port", "2"}}) == Failed("port", f.values.apply_error));
  CHECK(f.values.timeout_s == 0);
  CHECK(f.values.port == 1);
  CHECK(f.values.applied == std::vector<std::string>{"timeout", "port", "timeout", "port"});
}

TEST_CASE("CONFIG REWRITE keeps what the user wrote", "[settings]") {
  SettingsFixture f;
  CHECK(f.registry.RewriteText("") == "");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"timeout", "6"},
                                                                                     {"maxmemory", "50mb"},
                                                                                     {"slave-priority", "33"},
                                                                                     {"requirepass", "a b"},
                                                                                     {"save", "100", "1"},
                                                                                     {"save", "200", "2"}}) {
    REQUIRE(f.registry.Load(words) == "");
  }
  const std::string old_text =
      "# about timeout\n"
      "timeout 5\n"
      "\n"
      "include b.conf\n"
      "save 900 1\n"
      "  # indented\n"
      "TIMEOUT 6\n"
      "slave-priority 33\n"
      "user bob on\n"
      "bind   \"*\" -::*\n"
      "unknown \"unbalanced";
  const std::string new_text =
      "# about timeout\n"
      "timeout 6\n"
      "\n"
      "include b.conf\n"
      "save 100 1\n"
      "  # indented\n"
      "replica-priority 33\n"
      "user bob on\n"
      "bind * -::*\n"
      "unknown \"unbalanced\n"
      "\n"
      "# Generated by CONFIG REWRITE\n"
      "maxmemory 50mb\n"
      "requirepass \"a b\"\n"
      "save 200 2\n";
  CHECK(f.registry.RewriteText(old_text) == new_text);
  CHECK(f.registry.RewriteText(new_text) == new_text);

  REQUIRE(f.Set({{"requirepass", ""}, {"save", ""}, {"bind", ""}, {"timeout", "0"}, {"maxmemory", "0"}}) ==
          "");
  CHECK(f.registry.RewriteText(new_text) ==
        "# about timeout\n"
        "timeout 0\n"
        "\n"
        "include b.conf\n"
        "save \"\"\n"
        "  # indented\n"
        "replica-priority 33\n"
        "user bob on\n"
        "bind \"\"\n"
        "unknown \"unbalanced\n"
        "\n"
        "# Generated by CONFIG REWRITE\n"
        "maxmemory 0\n");
}

TEST_CASE("CONFIG REWRITE replaces the file at once and keeps its mode and links", "[settings]") {
  SettingsFixture f;
  char folder_template[] = "/tmp/pinyon-settings-XXXXXX";
  REQUIRE(mkdtemp(folder_template) != nullptr);
  const std::filesystem::path folder(folder_template);
  const std::filesystem::path file = folder / "real.conf";
  const std::filesystem::path link = folder / "link.conf";
  std::ofstream(file) << "timeout 5";
  chmod(file.c_str(), 0600);
  std::filesystem::create_symlink(file, link);
  f.values.timeout_s = 9;

  CHECK(f.registry.RewriteFile(link.string()) == "");
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  CHECK(text.str() == "timeout 9\n");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms(0600));

  CHECK(f.registry.RewriteFile((folder / "new.conf").string()) == "");
  CHECK(f.registry.RewriteFile(folder.string()) == "Is a directory");
  CHECK(f.registry.RewriteFile("/nonexistent-folder/x.conf") == "No such file or directory");
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 3);
  std::filesystem::remove_all(folder);
}

TEST_CASE("Memory sizes are written in their largest unit", "[settings]") {
  CHECK(FormatMemory(0) == "0");
  CHECK(FormatMemory(1500) == "1500");
  CHECK(FormatMemory(3072) == "3kb");
  CHECK(FormatMemory(64 << 20) == "64mb");
  CHECK(FormatMemory(5LL << 30) == "5gb");
}

}  // namespace
}  // namespace pinyon
