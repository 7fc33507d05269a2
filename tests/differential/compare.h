// Whether two replies to the same command count as the same.
//
// Exactly equal (RESP types included) unless the command stands in one of two tables: the one in compare.cc
// for replies that are unordered or depend on the moment, and known_differences.cc for what Pinyon does
// otherwise on purpose.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "differential/step.h"
#include "support/reply.h"

namespace pinyon::differential {

using testing::Reply;

// Applies to a command, or to one of its subcommands. Names are in upper case; an empty subcommand is any.
struct Rule {
  std::string_view command;
  std::string_view subcommand;
  bool (*same)(const Args& args, const Reply& redis, const Reply& pinyon);
  std::string_view reason;
};

bool SameReply(const Args& args, const Reply& redis, const Reply& pinyon);

// SameReply along one connection: knows which commands were queued, so that each element of an EXEC's reply
// is compared by the rule of its command.
class TransactionAwareComparison {
 public:
  bool Same(const Args& args, const Reply& redis, const Reply& pinyon);

 private:
  bool SameExec(const Reply& redis, const Reply& pinyon);

  std::vector<Args> queued_;
};

// The same when every RESP3 set, and every RESP2 array of simple strings that stands for one, is sorted.
Reply SortSets(Reply reply);

std::string UpperCase(std::string_view text);

}  // namespace pinyon::differential
