// Protocol: streams of bytes, whole or broken, that the server reads in pieces.
#include "differential/generator.h"
#include "support/reply.h"

namespace pinyon::differential {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kStreams[] = {
    // Inline commands and their quoting.
    "PING\r\n"sv, "ping\n"sv, "  PING  \r\n"sv, "\r\nPING\r\n"sv, "\n\n\nPING\n"sv, "   \r\nPING\r\n"sv,
    "ECHO \"a b\"\r\n"sv, "ECHO 'a b'\r\n"sv, "ECHO \"\\x41\\n\\r\\t\\a\\b\\\\\\\"\"\r\n"sv,
    "ECHO 'it\\'s'\r\n"sv, "ECHO \"\"\r\n"sv, "ECHO ''\r\n"sv, "ECHO \"\\xzz\"\r\n"sv, "ECHO a\"b c\"\r\n"sv,
    "ECHO\ta\r\n"sv, "ECHO \0a\r\n"sv, "SET a 1\r\nGET a\r\nINCR a\r\n"sv,
    "PING\r\n*1\r\n$4\r\nPING\r\nPING\r\n"sv, "PING \x01\r\n"sv, "\rPING\r\n"sv, "ECHO \"abc\r\nPING\r\n"sv,
    "ECHO 'abc\r\nPING\r\n"sv, "ECHO \"a\"b\r\nPING\r\n"sv, "ECHO 'a'b\r\nPING\r\n"sv, "ECHO \"\r\n"sv,
    "ECHO '\r\n"sv, "\"PING\"\r\n"sv, "ECHO \xff\xfe\r\n"sv, "ECHO a\rb\r\n"sv,
    // Arrays of bulk strings.
    "*1\r\n$4\r\nPING\r\n"sv, "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"sv, "*0\r\n*1\r\n$4\r\nPING\r\n"sv,
    "*-1\r\n*1\r\n$4\r\nPING\r\n"sv, "*-5\r\nPING\r\n"sv, "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n"sv,
    "*2\r\n$4\r\nECHO\r\n$3\r\na\0b\r\n"sv, "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n"sv,
    "*01\r\n$4\r\nPING\r\n"sv, "*1\r\n$04\r\nPING\r\n"sv, "*+1\r\n$4\r\nPING\r\n"sv, "*1\rx$4\r\nPING\r\n"sv,
    "*1\n$4\nPING\n"sv, "*1\r\n$4\rxPING\r\n"sv, "*1\r\n$0\r\n\r\nPING\r\n"sv,
    "*2\r\n$0\r\n\r\n$1\r\na\r\n"sv,
    // What must be refused, with a text, and the connection closed.
    "*abc\r\nPING\r\n"sv, "*\r\nPING\r\n"sv, "* 1\r\nPING\r\n"sv, "*1 \r\nPING\r\n"sv, "*1.5\r\n"sv,
    "*1048577\r\n"sv, "*2147483648\r\n"sv, "*99999999999999999999\r\n"sv, "*1\r\nPING\r\n"sv,
    "*1\r\n:1\r\n"sv, "*1\r\n+PING\r\n"sv, "*1\r\n\r\n"sv, "*1\r\n*1\r\n"sv, "*1\r\n\0\r\n"sv,
    "*1\r\n$abc\r\n"sv, "*1\r\n$\r\n"sv, "*1\r\n$-1\r\n"sv, "*1\r\n$-2\r\n"sv, "*1\r\n$536870913\r\n"sv,
    "*1\r\n$99999999999999999999\r\n"sv, "*1\r\n$4 \r\nPING\r\n"sv, "*2\r\n$4\r\nECHO\r\n$1x\r\n"sv,
    "*1\r\n\xff\r\n"sv, "*1\r\n'\r\n"sv, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"sv,
    "Host: localhost\r\nPING\r\n"sv, "GET / HTTP/1.1\r\n\r\n"sv, "QUIT\r\nPING\r\n"sv,
    "*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n"sv, "quit now\r\nPING\r\n"sv, "MULTI\r\nQUIT\r\n"sv,
    "$4\r\nPING\r\n"sv, ":1\r\n"sv, "+OK\r\n"sv, "-ERR\r\n"sv, "PING"sv, "*1\r\n$4\r\nPI"sv};

std::string Pipeline(Random& random) {
  std::string raw;
  for (size_t commands = 1 + random.Below(6); commands > 0; --commands) {
    switch (random.Below(6)) {
      case 0: raw += "PING\r\n"; break;
      case 1: raw += testing::EncodeCommand({"SET", Key(random), Value(random)}); break;
      case 2: raw += testing::EncodeCommand({"GET", Key(random)}); break;
      case 3: raw += "ECHO " + testing::Quote(Value(random)) + "\r\n"; break;
      case 4: raw += testing::EncodeCommand({random.Pick({"MULTI", "EXEC", "BOGUS", "GET"})}); break;
      default: raw += testing::EncodeCommand({"ECHO", Value(random)});
    }
  }
  return raw;
}

// More than a line or a header may hold.
std::string Oversized(Random& random) {
  std::string many(70000, random.OneIn(2) ? '1' : 'a');
  switch (random.Below(4)) {
    case 0: return many;
    case 1: return "*" + many;
    case 2: return "*1\r\n$" + many;
    default: return "ECHO " + many + "\r\n";
  }
}

// Broken at one place. Never into longer numbers, which could announce bulks that are worth allocating.
std::string Damage(Random& random, std::string raw) {
  static constexpr std::string_view kBytes =
      "\r\n\0 *$+:'\"\\\xff"
      "ax"sv;
  const size_t at = random.Below(raw.size());
  const char byte = kBytes[random.Below(kBytes.size())];
  switch (random.Below(3)) {
    case 0: raw[at] = byte; break;
    case 1: raw.erase(at, 1); break;
    default: raw.insert(at, 1, byte);
  }
  return raw;
}

constexpr size_t kEveryBoundaryBytes = 48;

}  // namespace

void AppendProtocol(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(100)) {
    steps.push_back({.raw = Oversized(random)});
    return;
  }
  std::string raw = random.OneIn(3) ? Pipeline(random) : std::string(random.Pick(kStreams));
  if (random.OneIn(4)) raw = Damage(random, std::move(raw));
  // A command behind it tells whether the connection still works.
  if (random.OneIn(3)) raw += testing::EncodeCommand({"PING", "end"});
  if (raw.size() <= kEveryBoundaryBytes && random.OneIn(10)) {
    for (size_t end = 1; end < raw.size(); ++end) steps.push_back({.raw = raw, .piece_ends = {end}});
    return;
  }
  Step step{.raw = std::move(raw)};
  const size_t every = random.OneIn(16) ? 1 : random.OneIn(2) ? 8 : step.raw.size() + 1;
  for (size_t end = 1; end < step.raw.size(); ++end) {
    if (random.OneIn(every)) step.piece_ends.push_back(end);
  }
  steps.push_back(std::move(step));
}

}  // namespace pinyon::differential
