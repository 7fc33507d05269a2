#include "differential/pool.h"

#include <utility>

namespace pinyon::differential {
namespace {

using namespace std::string_view_literals;

// Steps of ten seconds keep two relative times apart however slowly one server runs; the sets of possible
// relative and absolute times do not overlap before the year 2100.
constexpr int64_t kTimeStepSeconds = 10;
constexpr int64_t kFarSecondsBase = 5000;
constexpr int64_t kYear2100 = 4102444800;
constexpr int64_t kTimeSteps = 1000000;

constexpr std::string_view kIntegers[] = {"0"sv,
                                          "1"sv,
                                          "-1"sv,
                                          "2"sv,
                                          "10"sv,
                                          "100"sv,
                                          "-100"sv,
                                          "9999"sv,
                                          "10000"sv,
                                          "2147483647"sv,
                                          "4294967296"sv,
                                          "9223372036854775807"sv,
                                          "9223372036854775806"sv,
                                          "-9223372036854775808"sv,
                                          "-9223372036854775807"sv,
                                          "4611686018427387904"sv};

constexpr std::string_view kNotIntegers[] = {""sv,
                                             " 1"sv,
                                             "1 "sv,
                                             "+1"sv,
                                             "-0"sv,
                                             "01"sv,
                                             "1.0"sv,
                                             "1e3"sv,
                                             "0x10"sv,
                                             "abc"sv,
                                             "-"sv,
                                             "1\0"sv,
                                             "9223372036854775808"sv,
                                             "-9223372036854775809"sv,
                                             "18446744073709551616"sv,
                                             "99999999999999999999999999999999999999999"sv,
                                             "nan"sv,
                                             "inf"sv,
                                             "1\n"sv};

constexpr std::string_view kFloats[] = {"0"sv,
                                        "1.5"sv,
                                        "-1.5"sv,
                                        "0.1"sv,
                                        "0.2"sv,
                                        "3.0e3"sv,
                                        "5.0e-3"sv,
                                        "1e17"sv,
                                        "-1e-10"sv,
                                        "1e-20"sv,
                                        "1e300"sv,
                                        "100000000000000000000"sv,
                                        "0.30000000000000004"sv,
                                        "3.14159265358979323846264338327950288"sv,
                                        "1e4000"sv,
                                        "-1e4000"sv,
                                        "1.7976931348623157e308"sv,
                                        "4.9e-324"sv,
                                        "0x1p3"sv,
                                        "-0"sv,
                                        "-0.0"sv,
                                        ".5"sv,
                                        "5."sv,
                                        "+2.5"sv};

constexpr std::string_view kNotFloats[] = {""sv,     " 1.5"sv,  "1.5 "sv, "abc"sv,  "1.5abc"sv,   "nan"sv,
                                           "-nan"sv, "inf"sv,   "-inf"sv, "+inf"sv, "infinity"sv, "1e5000"sv,
                                           "1,5"sv,  "1.5\0"sv, "--1"sv,  "1e"sv,   "."sv};

constexpr std::string_view kTexts[] = {
    "hello"sv,  "Hello World"sv,  "ohmytext"sv, "mynewtext"sv,     "foobar"sv,           ""sv,
    "\0\0\0"sv, "\xff\xf0\x00"sv, "\r\n"sv,     "a\0b\xff\"'\\"sv, "\xc3\xa9t\xc3\xa9"sv};

std::string LongText(Random& random) {
  // Around the sizes at which encodings change: 44 bytes (embstr) and one cache line.
  static constexpr size_t kSizes[] = {43, 44, 45, 63, 64, 65, 100, 300};
  std::string text(random.Pick(kSizes), 'x');
  for (size_t i = 0; i < text.size(); i += 7) text[i] = static_cast<char>('a' + random.Below(26));
  return text;
}

// Swapped arguments could turn any value into a time that passes during the test, or into a huge bit offset.
bool MaySwap(std::string_view command) {
  std::string name(command);
  for (char& c : name) c = static_cast<char>(c & ~0x20);
  return name != "SET" && name.find("EX") == std::string::npos && !name.starts_with("BITFIELD");
}

int64_t FarStep(Random& random) { return kTimeStepSeconds * static_cast<int64_t>(random.Below(kTimeSteps)); }

}  // namespace

std::string Key(Random& random) {
  static constexpr std::string_view kCommon[] = {"a"sv, "b"sv, "c"sv, "d"sv, "e"sv};
  static constexpr std::string_view kRare[] = {"f"sv,
                                               ""sv,
                                               "{tag}1"sv,
                                               "{tag}2"sv,
                                               "bin\0\xff\r\n"sv,
                                               "key with space"sv,
                                               "a-key-of-more-than-forty-four-bytes-so-that-it-is-long"sv,
                                               "12345"sv};
  return std::string(random.OneIn(6) ? random.Pick(kRare) : random.Pick(kCommon));
}

std::string Value(Random& random) {
  switch (random.Below(8)) {
    case 0:
    case 1: return std::string(random.Pick(kIntegers));
    case 2: return std::to_string(random.Between(-1000, 1000));
    case 3: return std::string(random.Pick(kFloats));
    case 4: return std::string(random.Pick(kNotIntegers));
    case 5: return LongText(random);
    default: return std::string(random.Pick(kTexts));
  }
}

std::string Integer(Random& random) {
  switch (random.Below(10)) {
    case 0: return std::string(random.Pick(kNotIntegers));
    case 1:
    case 2:
    case 3: return std::string(random.Pick(kIntegers));
    default: return std::to_string(random.Between(-100, 100));
  }
}

std::string Float(Random& random) {
  switch (random.Below(8)) {
    case 0: return std::string(random.Pick(kNotFloats));
    case 1: return std::string(random.Pick(kIntegers));
    case 2: return std::to_string(random.Between(-1000, 1000)) + "." + std::to_string(random.Below(1000));
    default: return std::string(random.Pick(kFloats));
  }
}

std::string Index(Random& random) {
  switch (random.Below(12)) {
    case 0: return std::string(random.Pick(kNotIntegers));
    case 1:
      return std::string(
          random.Pick({"9223372036854775807", "-9223372036854775808", "2147483648", "-2147483649"}));
    case 2:
    case 3: return std::to_string(random.Between(-200, 200));
    default: return std::to_string(random.Between(-12, 12));
  }
}

std::string Database(Random& random) {
  if (random.OneIn(6)) {
    return random.Pick(
        {"16", "-1", "abc", "", "9223372036854775807", "4294967296", "1.5", "99999999999999999999"});
  }
  return random.Pick({"0", "0", "1", "2", "15"});
}

std::string FarSeconds(Random& random) { return std::to_string(kFarSecondsBase + FarStep(random)); }
std::string FarMilliseconds(Random& random) { return FarSeconds(random) + "000"; }
std::string FarUnixSeconds(Random& random) { return std::to_string(kYear2100 + FarStep(random)); }
std::string FarUnixMilliseconds(Random& random) { return FarUnixSeconds(random) + "000"; }

std::string BadTime(Random& random) {
  if (random.OneIn(3)) return std::string(random.Pick(kNotIntegers));
  return random.Pick({"0", "-1", "-100", "-100000", "9223372036854775807", "-9223372036854775808",
                      "9223372036854775", "9223372036854776", "-9223372036854776", "4611686018427387904",
                      "9223372036854770000"});
}

std::string OddArgument(Random& random) {
  switch (random.Below(3)) {
    case 0: return std::string(random.Pick(kNotIntegers));
    case 1:
      return random.Pick({"0", "-1", "-2", "9223372036854775807", "-9223372036854775808",
                          "4611686018427387904", "NX", "GET", "*", "?", "[", "\\"});
    default: return random.OneIn(2) ? LongText(random) : std::string(random.Pick(kTexts));
  }
}

std::string Word(Random& random, std::string_view word) {
  std::string text(word);
  if (!random.OneIn(4)) return text;
  for (char& c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && random.OneIn(2)) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

Args MakeCollection(Random& random) {
  const std::string key = Key(random);
  switch (random.Below(4)) {
    case 0: return {"RPUSH", key, "1", "abc"};
    case 1: return {"HSET", key, "field", "1"};
    case 2: return {"SADD", key, "1", "2"};
    default: return {"ZADD", key, "1", "member"};
  }
}

void Mutate(Random& random, Step& step) {
  Args& args = step.args;
  if (args.empty()) return;
  args[0] = Word(random, args[0]);
  if (!step.may_mutate || !random.OneIn(12)) return;
  const size_t count = args.size();
  switch (random.Below(6)) {
    case 0:
      if (count > 1) args.pop_back();
      break;
    case 1: args.push_back(OddArgument(random)); break;
    case 2:
      if (count > 1) args.push_back(args[1 + random.Below(count - 1)]);
      break;
    case 3:
      if (count > 2 && MaySwap(args[0]))
        std::swap(args[1 + random.Below(count - 1)], args[1 + random.Below(count - 1)]);
      break;
    case 4:
      if (count > 1) args.resize(1);
      break;
    default:
      if (count > 1) args[1 + random.Below(count - 1)] = OddArgument(random);
  }
}

}  // namespace pinyon::differential
