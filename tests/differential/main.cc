// Runs random commands on a redis-server and on the server under test; every reply must be the same.
//
// Ends with 0 when nothing differs, 1 on a difference or a server that cannot be started, 2 on wrong usage. A
// difference is shrunk to the shortest sequence that shows it and printed with what replays it.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "differential/compare.h"
#include "differential/generator.h"
#include "differential/pair.h"
#include "differential/shrink.h"

namespace pinyon::differential {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kShrinkSeconds = 15;
// Replies must not depend on how much is sent at once; most differences are easiest to read without.
constexpr size_t kPipelined[] = {1, 4, 1, 64};
// The index above of those rounds in which notifications are compared.
constexpr size_t kListening = 2;
constexpr std::string_view kMixed = "mixed";

constexpr std::string_view kUsage =
    "usage: differential_test [options]\n"
    "  --seed N                one seed instead of the fixed list\n"
    "  --random                one more seed, from the clock\n"
    "  --family a,b            only these families (mixed: all that mix, together)\n"
    "  --rounds N              rounds per seed and family, in RESP2 and RESP3, pipelined and not\n"
    "  --only-round N          only this one of them\n"
    "  --commands-per-round N  steps per round\n"
    "  --seconds N             stop after so long\n"
    "  --keep-going            go on after a difference\n"
    "  --skip-missing          leave out commands that the server under test does not have\n"
    "  --collections           also make lists, hashes, sets and sorted sets, as wrong types\n"
    "  --trace                 print every step and the oracle's reply\n"
    "  --list                  name the families and end\n"
    "The server under test is $PINYON_SERVER, the oracle $REDIS_SERVER or redis-server.\n";

struct Options {
  std::vector<uint64_t> seeds = {1, 20240229, 6379};
  std::vector<std::string> families;
  size_t rounds = 60;
  std::optional<size_t> only_round;
  size_t commands_per_round = 150;
  double seconds = 1e9;
  bool keep_going = false;
  bool skip_missing = false;
  bool collections = kCollections;
  bool trace = false;
  bool list = false;
};

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

uint64_t ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    throw UsageError(fmt::format("not a number: {}", text));
  }
  return value;
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  const auto value = [&](int& i) -> std::string_view {
    if (i + 1 >= argc) throw UsageError(fmt::format("{} needs a value", argv[i]));
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--seed") {
      options.seeds = {ParseNumber(value(i))};
    } else if (name == "--random") {
      options.seeds.push_back(
          static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
    } else if (name == "--family") {
      options.families = SplitAtCommas(value(i));
    } else if (name == "--rounds") {
      options.rounds = ParseNumber(value(i));
    } else if (name == "--only-round") {
      options.only_round = ParseNumber(value(i));
    } else if (name == "--commands-per-round") {
      options.commands_per_round = ParseNumber(value(i));
    } else if (name == "--seconds") {
      options.seconds = static_cast<double>(ParseNumber(value(i)));
    } else if (name == "--keep-going") {
      options.keep_going = true;
    } else if (name == "--skip-missing") {
      options.skip_missing = true;
    } else if (name == "--collections") {
      options.collections = true;
    } else if (name == "--trace") {
      options.trace = true;
    } else if (name == "--help") {
      throw UsageError("differential_test: the same commands on two servers must give the same replies");
    } else if (name == "--list") {
      options.list = true;
    } else {
      throw UsageError(fmt::format("unknown option: {}", name));
    }
  }
  return options;
}

// A family name and the generators that its rounds draw from.
struct Family {
  std::string name;
  std::vector<Generator> generators;
};

std::vector<Family> ChooseFamilies(const std::vector<std::string>& names) {
  std::vector<Family> all;
  Family mixed{std::string(kMixed), {}};
  for (const Generator& generator : AllGenerators()) {
    all.push_back({std::string(generator.name), {generator}});
    if (generator.mixes) mixed.generators.push_back(generator);
  }
  all.push_back(std::move(mixed));
  if (names.empty()) return all;
  std::vector<Family> chosen;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Family& family) { return family.name == name; });
    if (found == all.end()) throw UsageError(fmt::format("unknown family: {}", name));
    chosen.push_back(*found);
  }
  return chosen;
}

// Every round has randomness of its own, whatever ran before it.
uint64_t RoundSeed(uint64_t seed, std::string_view family, size_t round) {
  uint64_t mixed = seed;
  for (const char c : family) mixed = Random(mixed ^ static_cast<unsigned char>(c)).Next();
  return Random(mixed + round).Next();
}

class Runner {
 public:
  explicit Runner(const Options& options)
      : options_(options), pair_(testing::RedisBinary(), testing::PinyonBinary()), start_(Clock::now()) {
    pool_.collections = options.collections;
    if (options.trace)
      pair_.set_trace(
          [](const Step& step, const std::string& reply) { fmt::print("{}\n{}\n", Describe(step), reply); });
    for (const std::string& name : pair_.pinyon().CommandNames()) pool_.implemented.insert(name);
  }

  // True when it ran to its end without a difference.
  bool RunAll(const std::vector<Family>& families) {
    for (const uint64_t seed : options_.seeds) {
      fmt::print("seed {}\n", seed);
      for (const Family& family : families) {
        if (!RunFamily(seed, family)) break;
      }
      if (Over()) break;
    }
    CheckExit("redis-server", pair_.redis());
    CheckExit("the server under test", pair_.pinyon());
    Summarise();
    return differences_ == 0;
  }

 private:
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool Over() const { return Seconds() >= options_.seconds || (differences_ > 0 && !options_.keep_going); }

  bool RunFamily(uint64_t seed, const Family& family) {
    const size_t steps_before = steps_;
    const size_t differences_before = differences_;
    const double seconds_before = Seconds();
    for (size_t round = 0; round < options_.rounds && !Over(); ++round) {
      if (options_.only_round && *options_.only_round != round) continue;
      RunRound(seed, family, round);
    }
    fmt::print("  {:<14}{:>7} steps{:>6} differences{:>7.1f} s\n", family.name, steps_ - steps_before,
               differences_ - differences_before, Seconds() - seconds_before);
    std::fflush(stdout);
    return !Over();
  }

  void RunRound(uint64_t seed, const Family& family, size_t round) {
    Random random(RoundSeed(seed, family.name, round));
    const size_t way = round / 2 % std::size(kPipelined);
    const Mode mode{
        .resp3 = round % 2 == 1, .pipelined = kPipelined[way], .notifications = way == kListening};
    std::vector<Step> steps = GenerateRound(random, pool_, family.generators, options_.commands_per_round);
    if (options_.skip_missing) std::erase_if(steps, [this](const Step& step) { return Missing(step); });
    // Whatever no reply told; on a connection of its own, as the others may be in a transaction.
    steps.push_back({.raw = "DEBUG DIGEST\r\n"});
    ++rounds_;
    steps_ += steps.size();
    const auto difference = pair_.Run(steps, mode);
    if (!difference) return;
    ++differences_;
    fmt::print("\nDIFFERENCE in {}, seed {}, round {}\n", family.name, seed, round);
    fmt::print("replay: differential_test --seed {} --family {} --rounds {} --only-round {}", seed,
               family.name, round + 1, round);
    fmt::print(" --commands-per-round {}{}{}\n", options_.commands_per_round,
               options_.skip_missing ? " --skip-missing" : "", options_.collections ? " --collections" : "");
    std::fflush(stdout);
    Report(std::move(steps), mode, *difference);
  }

  // Shrinks and prints. Of steps that were pipelined, which is harder to follow, only if it takes that.
  void Report(std::vector<Step> steps, Mode mode, Difference difference) {
    const size_t steps_in_round = steps.size();
    const Mode plain{.resp3 = mode.resp3, .pipelined = 1, .notifications = mode.notifications};
    if (mode.pipelined > 1) {
      if (const auto unpipelined = pair_.Run(steps, plain)) {
        mode = plain;
        difference = *unpipelined;
      }
    }
    steps.resize(difference.index + 1);
    const auto fails = [&](std::span<const Step> fewer) { return pair_.Run(fewer, mode).has_value(); };
    steps = Shrink(std::move(steps), fails, kShrinkSeconds);
    // One that shows only now and then may be gone: then the first sighting is what there is to tell.
    const auto again = pair_.Run(steps, mode);
    if (again) {
      difference = *again;
      steps.resize(difference.index + 1);
    }
    const Step& failing = steps.back();
    ++differences_by_command_[failing.args.empty() ? "(bytes)" : UpperCase(failing.args[0])];
    fmt::print("{} of {} steps, {}{}{}:\n", steps.size(), steps_in_round, mode.resp3 ? "RESP3" : "RESP2",
               mode.pipelined > 1   ? fmt::format(", pipelined by {}", mode.pipelined)
               : mode.notifications ? ", with notifications"
                                    : "",
               again ? "" : ", did not show again");
    if (mode.resp3) fmt::print("    HELLO 3\n");
    for (const Step& step : steps) fmt::print("    {}\n", Describe(step));
    fmt::print("redis:\n{}\npinyon:\n{}\n\n", difference.redis, difference.pinyon);
    std::fflush(stdout);
  }

  bool Missing(const Step& step) {
    if (step.args.empty()) return false;
    std::string name = step.args[0];
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (oracle_names_.empty()) {
      for (const std::string& known : pair_.redis().CommandNames()) oracle_names_.insert(known);
    }
    if (!oracle_names_.contains(name) || pool_.Implements(name)) return false;
    missing_.insert(name);
    return true;
  }

  void CheckExit(std::string_view name, Side& side) {
    const int code = side.Stop();
    if (code == 0) return;
    ++differences_;
    fmt::print("{} ended with {} instead of 0{}\n", name, code, side.Obituary());
  }

  void Summarise() const {
    if (!missing_.empty()) {
      fmt::print("left out, not implemented:");
      for (const std::string& name : missing_) fmt::print(" {}", name);
      fmt::print("\n");
    }
    for (const auto& [name, count] : differences_by_command_)
      fmt::print("differences at {}: {}\n", name, count);
    fmt::print("{}: {} differences, {} rounds, {} steps, {:.1f} s\n", differences_ == 0 ? "passed" : "FAILED",
               differences_, rounds_, steps_, Seconds());
  }

  Options options_;
  Pool pool_;
  Pair pair_;
  Clock::time_point start_;
  size_t rounds_ = 0;
  size_t steps_ = 0;
  size_t differences_ = 0;
  std::map<std::string, size_t> differences_by_command_;
  std::set<std::string, std::less<>> missing_;
  std::set<std::string, std::less<>> oracle_names_;
};

int Run(int argc, char** argv) {
  try {
    const Options options = ParseOptions(argc, argv);
    const std::vector<Family> families = ChooseFamilies(options.families);
    if (options.list) {
      for (const Family& family : families) fmt::print("{}\n", family.name);
      return 0;
    }
    return Runner(options).RunAll(families) ? 0 : 1;
  } catch (const UsageError& error) {
    fmt::print(stderr, "{}\n{}", error.what(), kUsage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "differential_test: {}\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace pinyon::differential

int main(int argc, char** argv) { return pinyon::differential::Run(argc, argv); }
