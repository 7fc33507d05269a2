#include "server/options.h"

#include <filesystem>
#include <system_error>

#include "base/assert.h"
#include "base/strings.h"
#include "server/config_file.h"

namespace pinyon {
namespace {

constexpr char kUsage[] =
    R"(Usage: pinyon-server [/path/to/pinyon.conf] [options] [-]
       pinyon-server - (read the configuration from standard input)
       pinyon-server -v or --version
       pinyon-server -h or --help

Every directive of the configuration file is an option too:
       pinyon-server (run with the default configuration)
       echo 'maxmemory 128mb' | pinyon-server -
       pinyon-server /etc/pinyon/6379.conf
       pinyon-server --port 7777
       pinyon-server --port 7777 --save '' --loglevel verbose
       pinyon-server /etc/mypinyon.conf --bind 127.0.0.1 ::1

A redis.conf of Redis up to 7.2 is read as it is.)";

// Collects arguments into options, one directive at a time.
class OptionCollector {
 public:
  explicit OptionCollector(std::vector<StartOptions::Option>* options) : options_(options) {}

  void Take(const std::string& arg) {
    if (!arg.starts_with("--") || value_follows_) {
      if (options_->empty()) options_->emplace_back();
      AddValue(arg);
      return;
    }
    Start(arg.substr(2));
  }

  // Called before something that looks like an option, and at the end: scripts write a bare --save for
  // `--save ""`.
  void EndBareSave() {
    if (!value_follows_) return;
    const StartOptions::Option& last = options_->back();
    if (last.words.size() == 1 && EqualsIgnoreCase(last.words[0], "save")) AddValue("");
  }

 private:
  void Start(const std::string& text) {
    StartOptions::Option& option = options_->emplace_back();
    option.shown = text;
    auto words = SplitArgs(text);
    balanced_ = words.has_value();
    if (words) option.words = std::move(*words);
    value_follows_ = balanced_ && option.words.size() <= 1;
  }

  void AddValue(const std::string& value) {
    StartOptions::Option& option = options_->back();
    if (!option.shown.empty()) option.shown += ' ';
    option.shown += QuoteForLog(value);
    if (balanced_) option.words.push_back(value);
    value_follows_ = false;
  }

  std::vector<StartOptions::Option>* options_;
  bool value_follows_ = false;
  bool balanced_ = true;
};

StartOptions Finish(StartOptions::Action action, std::string text) {
  StartOptions start;
  start.action = action;
  start.text = std::move(text);
  return start;
}

}  // namespace

std::string VersionText() {
  return "Pinyon server v=" PINYON_VERSION " sha=00000000:0 malloc=jemalloc bits=" +
         std::to_string(sizeof(void*) * 8) + " build=0";
}

StartOptions ParseCommandLine(const std::vector<std::string>& args) {
  StartOptions start;
  if (args.empty()) return start;

  const std::string& first = args.front();
  using Action = StartOptions::Action;
  if (first == "-v" || first == "--version") return Finish(Action::kPrintAndSucceed, VersionText());
  if (first == "-h" || first == "--help") return Finish(Action::kPrintAndSucceed, kUsage);
  if (first == "--test-memory") {
    return Finish(Action::kRefuse, "Pinyon has no memory test; use memtester or memtest86+ instead.");
  }
  if (first == "--check-system") return Finish(Action::kRefuse, "Pinyon has no system check.");
  if (first == "--sentinel") return Finish(Action::kRefuse, "Pinyon has no Sentinel mode.");

  size_t begin = 0;
  size_t end = args.size();
  if (first.empty() || first == "-" || first.front() != '-') begin = 1;
  if (first == "-") start.read_stdin = true;
  if (begin == 1 && !first.empty() && first != "-") {
    std::error_code error;
    const std::filesystem::path absolute = std::filesystem::absolute(first, error);
    start.config_path = error ? first : absolute.lexically_normal().string();
  }
  if (end > begin && args[end - 1] == "-") {
    start.read_stdin = true;
    --end;
  }

  OptionCollector collector(&start.options);
  for (size_t i = begin; i < end; ++i) {
    if (args[i].starts_with("--")) collector.EndBareSave();
    collector.Take(args[i]);
  }
  collector.EndBareSave();
  return start;
}

std::string LoadConfiguration(const StartOptions& start, int stdin_fd, SettingsRegistry* registry) {
  PINYON_CHECK(start.action == StartOptions::Action::kServe);
  ConfigReader reader(registry);
  std::string error;
  if (!start.config_path.empty()) error = reader.ReadFile(start.config_path);
  if (error.empty() && start.read_stdin) error = reader.ReadDescriptor(stdin_fd, "standard input");
  int number = 0;
  for (const StartOptions::Option& option : start.options) {
    if (!error.empty()) break;
    error = reader.ReadOption(option.words, option.shown, ++number);
  }
  return error;
}

}  // namespace pinyon
