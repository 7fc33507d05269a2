// The command line of pinyon-check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check/cut.h"

namespace pinyon {

struct CheckOptions {
  enum class Action : uint8_t { kCheck, kPrint, kRefuse };

  Action action = Action::kCheck;
  std::string text;  // to be printed, or what is wrong
  CutRequest cut;
  bool yes = false;    // no questions
  bool quiet = false;  // faults and cuts only
  std::string path;
};

CheckOptions ParseCheckOptions(const std::vector<std::string>& args);

// A Unix time in decimal digits, maybe with a sign, as redis-check-aof takes it.
std::optional<int64_t> ParseTimestamp(std::string_view text);

}  // namespace pinyon
