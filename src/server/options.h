// The command line of pinyon-server, read as redis-server 7.0 reads its own:
//
//   pinyon-server [file | -] [--directive value ...] ... [-]
//
// - Only the first argument can be -v, --version, -h, --help, --test-memory, --check-system or --sentinel.
// - A first argument that does not start with a dash is a configuration file; a first or last "-" reads more
// of it from
//   standard input. The file comes first, then standard input, then the options.
// - "--name" starts a directive and ends the one before; the argument right after it is a value even if it
// starts with
//   two dashes (passwords may). Name and values may also come as one argument: "--save 60 1".
// - `--save` with nothing after it, or with another option, is `--save ""`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"

namespace pinyon {

struct StartOptions {
  enum class Action {
    kServe,
    kPrintAndSucceed,  // print `text` on standard output and exit with 0
    kRefuse,           // print `text` on standard error and exit with 1
  };
  struct Option {
    std::vector<std::string> words;  // the directive's name and values; empty if its quotes are unbalanced
    std::string shown;               // how errors quote it
  };

  Action action = Action::kServe;
  std::string text;
  std::string config_path;  // absolute; empty without a file. CONFIG REWRITE and INFO's config_file use it
  bool read_stdin = false;
  std::vector<Option> options;
};

// `args` are main's without the program's name. Nothing is read or printed.
StartOptions ParseCommandLine(const std::vector<std::string>& args);

// Loads file, standard input (from `stdin_fd`) and options, in that order. Returns the error to print before
// exiting with 1, or empty.
std::string LoadConfiguration(const StartOptions& start, int stdin_fd, SettingsRegistry* registry);

// "Pinyon server v=0.1.0 ..." in one line, in the form that readers of `redis-server --version` expect.
std::string VersionText();

}  // namespace pinyon
