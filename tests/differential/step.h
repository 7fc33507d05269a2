// What a generated sequence is made of. A sequence depends on nothing but its seed (never on replies), so
// that any part of it can be run again: that is what shrinking needs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pinyon::differential {

using Args = std::vector<std::string>;

constexpr int kConnections = 2;

struct Step {
  // A command on one of the two lasting connections ...
  Args args = {};
  int connection = 0;
  // False for commands in which a changed argument could make replies depend on timing.
  bool may_mutate = true;

  // ... or, when args is empty, bytes on a fresh connection, in pieces that the server reads one by one.
  std::string raw = {};
  std::vector<size_t> piece_ends = {};  // ascending offsets into raw; the rest of raw is the last piece
};

// One line per command, as redis-cli takes it.
std::string Describe(const Step& step);

}  // namespace pinyon::differential
