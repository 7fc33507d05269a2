// Rules of access: what they make of a user, how that is described again, and what is wrong with those that
// are refused. Descriptions are what redis-server 7.0 gives, where it knows the same commands.
#include <catch2/catch.hpp>

#include "base/sha256.h"
#include "command_fixture.h"
#include "engine/acl_user.h"

namespace pinyon {
namespace {

class RuleFixture : public CommandFixture {
 public:
  // What is wrong, or the user's line without "user u ".
  std::string Set(std::string_view rules, const char* user = "u") {
    std::vector<std::string_view> words;
    while (!rules.empty()) {
      const size_t end = rules.find(' ');
      words.push_back(rules.substr(0, end));
      rules.remove_prefix(end == std::string_view::npos ? rules.size() : end + 1);
    }
    const std::string error = engine.acl.SetUser(user, words, nullptr);
    return error.empty() ? Line(user) : error;
  }
  std::string Line(const char* user = "u") {
    return engine.acl.Find(user)->Line(engine.acl.commands()).substr(sizeof "user u " - 1);
  }
  // The reason for which the last of some rules is refused.
  std::string Refusal(std::string_view rules) {
    const std::string text = Set(rules);
    const std::string prefix =
        "Error in ACL SETUSER modifier '" + std::string(rules.substr(rules.rfind(' ') + 1)) + "': ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
  }
  // The commands of a user made anew.
  std::string Commands(std::string_view rules) {
    Set("reset");
    const std::string text = Set(rules);
    return text.substr(text.find("@all") - 1);
  }
  std::string Allows(std::initializer_list<std::string_view> request) {
    const Args args(request.begin(), request.size());
    const AclDecision decision = engine.acl.Check(*engine.acl.Find("u"), *commands.Resolve(args), args);
    switch (decision.verdict) {
      case AclDecision::Verdict::kAllowed: return "yes";
      case AclDecision::Verdict::kCommand: return "no";
      case AclDecision::Verdict::kKey: return "key " + std::string(args[static_cast<size_t>(decision.arg)]);
      default: return "channel " + std::string(args[static_cast<size_t>(decision.arg)]);
    }
  }
};

constexpr char kSyntax[] = "Syntax error";
constexpr char kUnknown[] = "Unknown command or category name in ACL";
constexpr char kAfterAllKeys[] =
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
    "Try 'resetkeys' to start with an empty list of patterns";
constexpr char kAfterAllChannels[] =
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any "
    "effect. Try 'resetchannels' to start with an empty list of channels";
constexpr char kBadHash[] =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
constexpr char kNoSuchPassword[] = "The password you are trying to remove from the user does not exist";

}  // namespace

TEST_CASE("A new user may do nothing, the default user everything", "[acl]") {
  RuleFixture f;
  CHECK(f.Set("") == "off resetchannels -@all");
  CHECK(f.engine.acl.default_user().IsUnlimited());
  CHECK(f.engine.acl.Lines() ==
        std::vector<std::string>{"user default on nopass ~* &* +@all", "user u off resetchannels -@all"});
  CHECK(f.Set("reset") == "off sanitize-payload resetchannels -@all");
  CHECK_FALSE(f.engine.acl.Find("u")->IsUnlimited());
}

TEST_CASE("Flags and passwords", "[acl]") {
  RuleFixture f;
  const std::string x = "#" + Sha256Hex("x"), y = "#" + Sha256Hex("y"), none = "#" + Sha256Hex("");
  CHECK(f.Set("ON nopass") == "on nopass resetchannels -@all");
  CHECK(f.Set(">x >y >x") == "on " + x + " " + y + " resetchannels -@all");
  CHECK(f.Set("<x") == "on " + y + " resetchannels -@all");
  CHECK(f.Refusal("<x") == kNoSuchPassword);
  CHECK(f.Set(x + " !" + y.substr(1)) == "on " + x + " resetchannels -@all");
  CHECK(f.Refusal("!" + y.substr(1)) == kNoSuchPassword);
  CHECK(f.Set("nopass") == "on nopass resetchannels -@all");
  CHECK(f.Set("resetpass") == "on resetchannels -@all");
  CHECK(f.Set(">") == "on " + none + " resetchannels -@all");
  CHECK(f.Set("< off") == "off resetchannels -@all");
  for (const std::string rule : {"#abc", "!abc", "#", "!"}) CHECK(f.Refusal(rule) == kBadHash);
  CHECK(f.Refusal("#" + std::string(64, 'A')) == kBadHash);
  CHECK(f.Refusal("#" + std::string(65, 'a')) == kBadHash);
  CHECK(f.Set("skip-sanitize-payload") == "off skip-sanitize-payload resetchannels -@all");
  CHECK(f.Set("sanitize-payload") == "off sanitize-payload resetchannels -@all");
}

TEST_CASE("Keys", "[acl]") {
  RuleFixture f;
  CHECK(f.Set("~a ~a %R~a %W~b %RW~c %R~b %rw~d %wr~e %W~f") ==
        "off ~a ~b ~c ~d ~e %W~f resetchannels -@all");
  CHECK(f.Set("resetkeys %R~*") == "off %R~* resetchannels -@all");
  CHECK(f.Set("~foo %RW") == "off %R~* ~foo ~ resetchannels -@all");
  CHECK(f.Set("ALLKEYS") == "off ~* resetchannels -@all");
  for (const std::string rule : {"~foo", "~", "%R~foo", "%X~foo"}) CHECK(f.Refusal(rule) == kAfterAllKeys);
  CHECK(f.Set("~* allkeys") == "off ~* resetchannels -@all");
  CHECK(f.Set("resetkeys %RW~* ~a") == "off ~* ~a resetchannels -@all");
  for (const std::string rule : {"%", "%~x", "%X~x", "%RWR~x", "%RR~x"}) CHECK(f.Refusal(rule) == kSyntax);
  CHECK(f.engine.acl.SetUser("u", std::vector<std::string_view>{"~a b"}, nullptr) ==
        "Error in ACL SETUSER modifier '~a b': Syntax error");
  CHECK(f.Set("resetkeys") == "off resetchannels -@all");
}

TEST_CASE("Channels", "[acl]") {
  RuleFixture f;
  CHECK(f.Set("&a &a &b &") == "off resetchannels &a &b & -@all");
  CHECK(f.Set("AllChannels") == "off &* -@all");
  CHECK(f.Refusal("&foo") == kAfterAllChannels);
  CHECK(f.Set("&*") == "off &* -@all");
  CHECK(f.Set("resetchannels &x") == "off resetchannels &x -@all");
  CHECK(f.Run("CONFIG SET acl-pubsub-default allchannels") == "+OK\r\n");
  CHECK(f.Set("", "v") == "off &* -@all");
  CHECK(f.Set("resetchannels", "v") == "off resetchannels -@all");
  CHECK(f.Set("reset (+get)", "v") == "off sanitize-payload &* -@all (&* -@all +get)");
}

TEST_CASE("Commands are described by the categories that come closest", "[acl]") {
  RuleFixture f;
  CHECK(f.Commands("+@all") == "+@all");
  CHECK(f.Commands("allcommands nocommands") == "-@all");
  CHECK(f.Commands("+@all -get +get") == "+@all");
  CHECK(f.Commands("+@all -@dangerous") == "+@all -@dangerous");
  CHECK(f.Commands("+@read +@write") == "-@all +@write +@read");
  CHECK(f.Commands("+@READ") == "-@all +@read");
  CHECK(f.Commands("+@all -@read -@write") == "+@all -@write -@read");
  CHECK(f.Commands("+@string +@hash +@list -@dangerous") == "-@all +@string +@hash +@list -sort -sort_ro");
  CHECK(f.Commands("+@scripting +@string") == "-@all +@string +@scripting");
  CHECK(f.Commands("+@connection +@admin -client|kill") == "-@all +@admin +@connection -client|kill");
  CHECK(f.Commands("+get +set +del +mget") == "-@all +set +get +mget +del");
  CHECK(f.Commands("+GET +cOnFig|GET") == "-@all +get +config|get");
  // Five of those that block are for lists; TB.WAIT, which Redis does not have, must not tip the balance.
  const std::string half = f.Commands("+@blocking -@list");
  CHECK(half.find('@', 5) == std::string::npos);
  CHECK(half.find(" +tb.wait") != std::string::npos);
  for (size_t category = 0; category < AclCommands::kCategories; ++category) {
    const std::string name(AclCategoryNames(1u << category)[0]);
    CHECK(f.Commands("+@" + name) == "-@all +@" + name);
    CHECK(f.Commands("+@all -@" + name) == "+@all -@" + name);
  }
}

TEST_CASE("Subcommands and first arguments", "[acl]") {
  RuleFixture f;
  CHECK(f.Commands("+config -config|get") == "-@all +config -config|get");
  CHECK(f.Commands("+@all -config|get") == "+@all -config|get");
  CHECK(f.Commands("+client") == "-@all +client");
  CHECK(f.Commands("+client|id") == "-@all +client|id");
  CHECK(f.Commands("+@all -select +select|1 +select|2 +SELECT|AbC +select|1") ==
        "+@all -select +select|1 +select|2 +select|AbC");
  CHECK(f.Commands("+select|1 +select") == "-@all +select");
  CHECK(f.Commands("+select|1 +select -select") == "-@all");
  CHECK(f.Commands("+select +select|1") == "-@all +select");
  CHECK(f.Commands("+select|1 -@connection") == "-@all");
  CHECK(f.Commands("+select|1 +@all -select") == "+@all -select");
  for (const std::string rule :
       {"+foo", "-foo", "+", "-", "+@", "+@nosuch", "-@nosuch", "+config|nosuch", "+get|a|b", "-select|0"}) {
    CHECK(f.Refusal(rule) == kUnknown);
  }
  for (const std::string rule : {"foo", "+select|", "+config|", ")", "="}) CHECK(f.Refusal(rule) == kSyntax);
  CHECK(f.Refusal("+config|get|x") == "Allowing first-arg of a subcommand is not supported");
  CHECK(f.Refusal("-config|get|x") == kUnknown);
}

TEST_CASE("Rules may name commands of Redis that are not there", "[acl]") {
  RuleFixture f;
  const AclCommands& commands = f.engine.acl.commands();
  size_t absent = 0;
  for (const AbsentCommand& command : CommandsOfRedis()) {
    const Command* found = f.commands.Find(command.name);
    const std::string description = f.Commands("+" + std::string(command.name));
    INFO(command.name);
    CHECK(description.find(command.name) != std::string::npos);
    CHECK(commands.Find(command.name) != AclCommands::kNone);
    if (found == nullptr) ++absent;
  }
  CHECK(absent > 0);
  CHECK(f.Commands("+@all -@scripting") == "+@all -@scripting");
  CHECK(f.Commands("+@stream") == "-@all +@stream");
}

TEST_CASE("Selectors", "[acl]") {
  RuleFixture f;
  CHECK(f.Set("~a +get (+set ~b) (~* &* +@all)") ==
        "off ~a resetchannels -@all +get (~b resetchannels -@all +set) (~* &* +@all)");
  CHECK(f.engine.acl.Find("u")->IsUnlimited());
  CHECK(f.Set("clearselectors") == "off ~a resetchannels -@all +get");
  CHECK(f.Set("( +get ~x )  ()") ==
        "off ~a resetchannels -@all +get (~x resetchannels -@all +get) "
        "(resetchannels -@all)");
  CHECK(f.Set("reset") == "off sanitize-payload resetchannels -@all");
  CHECK(f.Set("(+get") == "Unmatched parenthesis in acl selector starting at '(+get'.");
  CHECK(f.Set("on (+get ~x)y") == "Unmatched parenthesis in acl selector starting at '(+get'.");
  for (const std::string rule : {"(on)", "(reset)", "(>x)", "((+get))"}) CHECK(f.Refusal(rule) == kSyntax);
  CHECK(f.Refusal("(+nosuch)") == kUnknown);
  CHECK(f.Set("(~* ~a)") == "Error in ACL SETUSER modifier '(~* ~a)': " + std::string(kAfterAllKeys));
  CHECK(f.Line() == "off sanitize-payload resetchannels -@all");
}

TEST_CASE("A user is changed by all rules or by none", "[acl]") {
  RuleFixture f;
  f.Set("on ~a +get");
  f.Set("off ~b +set (+del) nonsense");
  CHECK(f.Line() == "on ~a resetchannels -@all +get");
  CHECK(f.engine.acl.SetUser("v", std::vector<std::string_view>{"nonsense"}, nullptr) != "");
  CHECK(f.engine.acl.Find("v") == nullptr);
  for (const std::string_view name : {std::string_view("a b"), std::string_view("a\0b", 3)}) {
    CHECK(f.engine.acl.SetUser(name, {}, nullptr) == "Usernames can't contain spaces or null characters");
  }
}

TEST_CASE("What descriptions say makes the same user again", "[acl]") {
  RuleFixture f;
  const std::string rules = GENERATE(
      "on >a ~k* %R~r* %W~w* &c +@all -@dangerous +keys", "on +@read -@keyspace +client|list -client|id",
      "+@all -@write +@string +select|0 -select +select|1", "~* (+get %R~x* &y) (-@all +@fast -@read)",
      "+@slow -@admin -acl|cat +acl|setuser", "allchannels allkeys +@pubsub -publish skip-sanitize-payload");
  const std::string line = f.Set(rules);
  CHECK(f.Set(line, "v") == line);
}

TEST_CASE("Requests are checked by command, keys and channels", "[acl]") {
  RuleFixture f;
  f.Set("+@all -del -config|set -select +select|0 %R~r* %W~w* ~b* &c*");
  CHECK(f.Allows({"get", "r1"}) == "yes");
  CHECK(f.Allows({"get", "w1"}) == "key w1");
  CHECK(f.Allows({"set", "w1", "v"}) == "yes");
  CHECK(f.Allows({"set", "r1", "v"}) == "key r1");
  CHECK(f.Allows({"set", "w1", "v", "get"}) == "key w1");
  CHECK(f.Allows({"set", "b1", "v", "get"}) == "yes");
  CHECK(f.Allows({"del", "b1"}) == "no");
  CHECK(f.Allows({"exists", "w1", "r1", "x"}) == "key x");
  CHECK(f.Allows({"copy", "r1", "w1"}) == "yes");
  CHECK(f.Allows({"copy", "w1", "r1"}) == "key w1");
  CHECK(f.Allows({"zunionstore", "w1", "2", "r1", "x"}) == "key x");
  CHECK(f.Allows({"sort", "r1", "store", "w1"}) == "yes");
  CHECK(f.Allows({"sort", "r1", "store", "r1"}) == "key r1");
  CHECK(f.Allows({"bitfield", "r1", "get", "u8", "0"}) == "yes");
  CHECK(f.Allows({"bitfield", "r1", "set", "u8", "0", "1"}) == "key r1");
  CHECK(f.Allows({"georadius", "r1", "1", "2", "3", "m", "store", "w"}) == "yes");
  CHECK(f.Allows({"georadius", "r1", "1", "2", "3", "m", "store", "r"}) == "key r");
  CHECK(f.Allows({"migrate", "h", "1", "", "0", "9", "keys", "b", "r1"}) == "key r1");
  CHECK(f.Allows({"config", "get", "x"}) == "yes");
  CHECK(f.Allows({"config", "set", "x", "y"}) == "no");
  CHECK(f.Allows({"select", "0"}) == "yes");
  CHECK(f.Allows({"select", "1"}) == "no");
  CHECK(f.Allows({"publish", "c1", "x"}) == "yes");
  CHECK(f.Allows({"publish", "d", "x"}) == "channel d");
  CHECK(f.Allows({"spublish", "d", "x"}) == "channel d");
  CHECK(f.Allows({"subscribe", "c1", "d"}) == "channel d");
  CHECK(f.Allows({"ssubscribe", "c1", "d"}) == "channel d");
  CHECK(f.Allows({"psubscribe", "c*"}) == "yes");
  CHECK(f.Allows({"psubscribe", "c1"}) == "channel c1");
  CHECK(f.Allows({"unsubscribe", "d"}) == "yes");
  CHECK(f.Allows({"get", ""}) == "key ");
}

TEST_CASE("A selector allows all of a request or nothing", "[acl]") {
  RuleFixture f;
  f.Set("(+get ~a*) (+set ~b*) (+publish &c*) ~c* +mget");
  CHECK(f.Allows({"get", "a"}) == "yes");
  CHECK(f.Allows({"get", "b"}) == "key b");
  CHECK(f.Allows({"set", "b", "1"}) == "yes");
  CHECK(f.Allows({"mget", "a", "c"}) == "key a");
  CHECK(f.Allows({"mget", "c", "c"}) == "yes");
  CHECK(f.Allows({"publish", "c", "x"}) == "yes");
  CHECK(f.Allows({"publish", "d", "x"}) == "channel d");
  CHECK(f.Allows({"del", "a"}) == "no");
  f.Set("reset +@all ~a (+@all ~b &*)");
  CHECK(f.Allows({"mget", "a", "b"}) == "key b");
  CHECK(f.Allows({"mget", "b", "z"}) == "key z");
  CHECK(f.Allows({"publish", "a", "z"}) == "yes");
  // What logs in or out is always allowed.
  f.Set("reset");
  for (const std::string_view name : {"auth", "hello", "quit", "reset"})
    CHECK(f.Allows({name, "x"}) == "yes");
  CHECK(f.Allows({"ping"}) == "no");
}

TEST_CASE("Passwords are compared whole", "[acl]") {
  RuleFixture f;
  f.Set("on >secret >other");
  const AclUser* user = f.engine.acl.Find("u");
  CHECK(f.engine.acl.Authenticate("u", "secret") == user);
  CHECK(f.engine.acl.Authenticate("u", "other") == user);
  for (const std::string_view wrong : {"", "s", "secreT", "secret ", "otherother"}) {
    CHECK(f.engine.acl.Authenticate("u", wrong) == nullptr);
  }
  CHECK(f.engine.acl.Authenticate("nobody", "secret") == nullptr);
  f.Set("off");
  CHECK(f.engine.acl.Authenticate("u", "secret") == nullptr);
  f.Set("on nopass");
  CHECK(f.engine.acl.Authenticate("u", "whatever") == user);
  f.Set("off");
  CHECK(f.engine.acl.Authenticate("u", "whatever") == nullptr);
}

}  // namespace pinyon
