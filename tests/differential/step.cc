#include "differential/step.h"

#include <fmt/format.h>

#include "support/reply.h"

namespace pinyon::differential {

std::string Describe(const Step& step) {
  if (!step.args.empty()) {
    const std::string line = testing::QuoteCommand(step.args);
    return step.connection == 0 ? line : fmt::format("{}   # connection {}", line, step.connection + 1);
  }
  std::string line = "# bytes on a new connection:";
  size_t begin = 0;
  for (const size_t end : step.piece_ends) {
    line += " " + testing::Quote(step.raw.substr(begin, end - begin));
    begin = end;
  }
  return line + " " + testing::Quote(step.raw.substr(begin));
}

}  // namespace pinyon::differential
