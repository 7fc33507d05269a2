// Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules know them:
//
//   *        any bytes, also none          [abc]  one of these bytes     [a-z]  a range, in either direction
//   ?        any one byte                  [^a]   none of these          \x     x itself, also within [ ]
//
// Malformed patterns have a meaning too, the one Redis 7.0 gives them (probed): a class that is not closed
// ends with the pattern, and a backslash at the end is a backslash.
//
// An empty text matches only the empty pattern, not even "*": so does Redis, where a channel named "" is not
// seen by PSUBSCRIBE *. Where "*" must mean everything (KEYS, the SCAN family, ACL keys and channels), Redis
// tests for that very pattern first, and so must the caller.
//
// Cost: O(pattern * text) at worst. Every element except '*' consumes exactly one byte, so a mismatch needs
// to retry only the last star seen, never an earlier one, and no pattern is exponential. No allocation, no
// recursion.
#pragma once

#include <string_view>

namespace pinyon {

// `ignore_case` folds ASCII letters only.
bool GlobMatch(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace pinyon
