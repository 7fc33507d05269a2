#include "check/check_options.h"

#include <fmt/format.h>

#include <charconv>

namespace pinyon {

namespace {

constexpr char kUsage[] =
    R"(Usage: pinyon-check [--fix [--yes] | --truncate-to-timestamp SECONDS] [--quiet] PATH
       pinyon-check -v or --version
       pinyon-check -h or --help

PATH is an RDB file, a file of an append-only log, a log's manifest, or a folder of data with any of these.
What is found is told, and the first fault of each with file, offset and reason.

  --fix      cut a torn tail off the last file of a log, after asking
  --yes      do not ask
  --truncate-to-timestamp SECONDS
             cut off what a log, written with aof-timestamp-enabled, has from after this Unix time; does not ask
  --quiet    tell faults and cuts only

Stop the server before anything is cut. Exit codes: 0 all is good (now), 1 a fault, 2 wrong usage.
Linked as redis-check-rdb or redis-check-aof it takes their arguments.)";

CheckOptions Refuse(std::string text) {
  CheckOptions options;
  options.action = CheckOptions::Action::kRefuse;
  options.text = std::move(text);
  return options;
}

CheckOptions PrintOnly(std::string text) {
  CheckOptions options;
  options.action = CheckOptions::Action::kPrint;
  options.text = std::move(text);
  return options;
}

}  // namespace

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

CheckOptions ParseCheckOptions(const std::vector<std::string>& args) {
  CheckOptions options;
  bool has_path = false, options_end = false;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (options_end || !arg.starts_with('-')) {
      if (has_path) return Refuse(fmt::format("one path only: {} is a second one", arg));
      options.path = arg;
      has_path = true;
    } else if (arg == "-h" || arg == "--help") {
      return PrintOnly(kUsage);
    } else if (arg == "-v" || arg == "--version") {
      return PrintOnly("pinyon-check " PINYON_VERSION);
    } else if (arg == "--fix") {
      options.cut.fix = true;
    } else if (arg == "--yes" || arg == "-y") {
      options.yes = true;
    } else if (arg == "--quiet" || arg == "-q") {
      options.quiet = true;
    } else if (arg == "--truncate-to-timestamp") {
      if (++i == args.size()) return Refuse("--truncate-to-timestamp needs a Unix time in seconds");
      options.cut.until_s = ParseTimestamp(args[i]);
      if (!options.cut.until_s) return Refuse(fmt::format("{} is no Unix time in seconds", args[i]));
    } else if (arg == "--") {
      options_end = true;
    } else {
      return Refuse(fmt::format("unknown option {}", arg));
    }
  }
  if (!has_path || options.path.empty()) return Refuse("a path is missing");
  if (options.cut.fix && options.cut.until_s) {
    return Refuse("--fix and --truncate-to-timestamp are two different cuts: one at a time");
  }
  if (options.yes && !options.cut.fix)
    return Refuse("--yes answers what --fix asks, which was not asked for");
  return options;
}

}  // namespace pinyon
