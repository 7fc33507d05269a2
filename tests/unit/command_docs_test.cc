// The syntax line's grammar: shapes of trees, types by names, and that malformed lines are refused.
#include "engine/command_docs.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "commands/families.h"

namespace pinyon {
namespace {

// One line per tree: "?" optional, "*" multiple, "+" multiple with its token, "TOKEN=" before what has a
// token.
std::string Show(const DocArgument& argument) {
  std::string text;
  if (argument.optional) text += '?';
  if (argument.multiple) text += argument.multiple_token ? '+' : '*';
  if (argument.has_token) text += argument.token + '=';
  text += argument.name + ':' + std::string(DocTypeName(argument.type));
  if (argument.key_spec_index >= 0) text += '#' + std::to_string(argument.key_spec_index);
  if (argument.arguments.empty()) return text;
  text += '(';
  for (size_t i = 0; i < argument.arguments.size(); ++i)
    text += (i > 0 ? " " : "") + Show(argument.arguments[i]);
  return text + ')';
}

std::string Parse(const CommandSpec& spec) {
  std::vector<DocArgument> arguments;
  std::string error;
  if (!ParseSyntax(spec, &arguments, &error)) return "error: " + error;
  std::string text;
  for (const DocArgument& argument : arguments) text += (text.empty() ? "" : " ") + Show(argument);
  return text;
}

std::string ParseLine(const char* line) {
  const CommandSpec spec = {.name = "x", .arity = -1, .syntax = line};
  return Parse(spec);
}

TEST_CASE("command docs: plain arguments, options and tokens", "[command_docs]") {
  CHECK(ParseLine("") == "");
  CHECK(ParseLine("message") == "message:string");
  CHECK(ParseLine("[message]") == "?message:string");
  CHECK(ParseLine("[MATCH pattern] [COUNT count]") == "?MATCH=pattern:pattern ?COUNT=count:integer");
  CHECK(ParseLine("[LIMIT offset count]") == "?LIMIT=offset_count:block(offset:integer count:integer)");
  CHECK(ParseLine("[BYTE|BIT]") == "?index_unit:oneof(BYTE=byte:pure-token BIT=bit:pure-token)");
  CHECK(
      ParseLine("<EX seconds | PXAT unix-time-milliseconds | KEEPTTL>") ==
      "seconds_unix-time-milliseconds_keepttl:oneof(EX=seconds:integer PXAT=unix-time-milliseconds:unix-time "
      "KEEPTTL=keepttl:pure-token)");
  CHECK(ParseLine("[TYPE <NORMAL | PUBSUB>]") ==
        "?TYPE=normal_pubsub:oneof(NORMAL=normal:pure-token PUBSUB=pubsub:pure-token)");
  CHECK(ParseLine("<value | \"\">") == "value_empty_string:oneof(value:string =empty_string:pure-token)");
  CHECK(ParseLine("[protover [AUTH username password] [SETNAME clientname]]") ==
        "?arguments:block(protover:integer ?AUTH=username_password:block(username:string password:string) "
        "?SETNAME=clientname:string)");
}

TEST_CASE("command docs: repetition", "[command_docs]") {
  CHECK(ParseLine("section [section ...]") == "*section:string");
  CHECK(ParseLine("[section [section ...]]") == "?*section:string");
  CHECK(ParseLine("a b [a b ...]") == "*a_b:block(a:string b:string)");
  CHECK(ParseLine("c a b [a b ...]") == "c:string *a_b:block(a:string b:string)");
  CHECK(ParseLine("[WEIGHTS weight [weight ...]]") == "?*WEIGHTS=weight:integer");
  CHECK(ParseLine("[GET pattern [GET pattern ...]]") == "?+GET=pattern:pattern");
  CHECK(ParseLine("STREAMS a [a ...] id [id ...]") == "STREAMS=a_id:block(*a:string *id:string)");
  CHECK(ParseLine("[GET a | <SET b | INCRBY c> [GET a | <SET b | INCRBY c> ...]]") ==
        "?*a_b_c:oneof(GET=a:string b_c:oneof(SET=b:string INCRBY=c:string))");
}

constexpr CommandSpec kRename = {
    .name = "rename", .arity = 3, .keys = {KeyAt(1, kKeyRW), KeyAt(2, kKeyOW)}, .syntax = "key newkey"};
constexpr CommandSpec kLcs = {
    .name = "lcs", .arity = -3, .keys = {KeysFrom(1, kKeyRO, 1)}, .syntax = "key1 key2 [LEN]"};
constexpr CommandSpec kIncrByFloat = {
    .name = "incrbyfloat", .arity = 3, .keys = {KeyAt(1, kKeyRW)}, .syntax = "key increment"};
constexpr CommandSpec kBlpop = {.name = "blpop",
                                .arity = -3,
                                .flags = kBlocking,
                                .keys = {KeysFrom(1, kKeyRW, -2)},
                                .syntax = "key [key ...] timeout"};

TEST_CASE("command docs: keys belong to key specifications, types follow from names", "[command_docs]") {
  CHECK(Parse(kRename) == "key:key#0 newkey:key#1");
  CHECK(Parse(kLcs) == "key1:key#0 key2:key#0 ?LEN=len:pure-token");
  CHECK(Parse(kIncrByFloat) == "key:key#0 increment:double");
  CHECK(Parse(kBlpop) == "*key:key#0 timeout:double");
  CHECK(ParseLine("key") == "key:string");
}

TEST_CASE("command docs: malformed lines are refused", "[command_docs]") {
  for (const char* line :
       {"[a", "a]", "<a]", "[]", "[a|]", "[|a]", "a | b", "...", "a ...", "[...]", "[a ...]", "a [b ...]",
        "a b [a ...]", "<a b> [b ...]", "[a [a ...] b]", "[a [a ...] | b]", "a >"}) {
    INFO(line);
    CHECK(ParseLine(line).substr(0, 6) == "error:");
  }
}

TEST_CASE("command docs: every declared line parses, and every declaration is documented", "[command_docs]") {
  for (const std::span<const CommandSpec> family : AllFamilies()) {
    for (const CommandSpec& command : family) {
      INFO(command.name << ": " << command.syntax);
      CHECK(Parse(command).substr(0, 6) != "error:");
      CHECK(std::string(command.summary) != "");
      CHECK(std::string(command.since) != "");
      CHECK(std::string(command.group) != "");
      for (const CommandSpec& subcommand : command.subcommands) {
        INFO(subcommand.name << ": " << subcommand.syntax);
        CHECK(Parse(subcommand).substr(0, 6) != "error:");
        CHECK(std::string(subcommand.summary) != "");
        CHECK(std::string(subcommand.since) != "");
        CHECK(std::string(subcommand.group) != "");
      }
    }
  }
}

}  // namespace
}  // namespace pinyon
