// The small pools that arguments come from: few keys, so that commands collide; values at the edges.
//
// What is returned is safe to run twice at slightly different times on two machines' worth of load: relative
// times to live are either over (zero, negative) or hours away, offsets either small or refused.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "differential/random.h"
#include "differential/step.h"

namespace pinyon::differential {

// Lists, hashes, sets and sorted sets, as wrong types for the other families. To be turned on for good once
// the server under test has them all; until then --collections.
constexpr bool kCollections = true;

struct Pool {
  bool collections = kCollections;
  // Lower-case names that both servers have; empty when the server under test does not tell.
  std::set<std::string, std::less<>> implemented;

  bool Implements(std::string_view name) const { return implemented.empty() || implemented.contains(name); }
};

std::string Key(Random& random);
std::string Value(Random& random);       // any string: integers, floats, empty, binary, long, text
std::string Integer(Random& random);     // an increment: small, boundary or invalid
std::string Float(Random& random);       // finite, huge, special or invalid
std::string Index(Random& random);       // of a byte in a string: small, negative, extreme or invalid
std::string Database(Random& random);    // few valid ones, some that are not
std::string FarSeconds(Random& random);  // relative; far enough away that a test never sees it pass
std::string FarMilliseconds(Random& random);
std::string FarUnixSeconds(Random& random);  // absolute, beyond every FarSeconds
std::string FarUnixMilliseconds(Random& random);
std::string BadTime(Random& random);  // over, refused or no number at all
std::string OddArgument(Random& random);

// `word` in random case now and then.
std::string Word(Random& random, std::string_view word);

// A command that creates a list, hash, set or sorted set.
Args MakeCollection(Random& random);

// Now and then changes one thing about a command: an argument dropped, added, doubled, swapped or odd.
void Mutate(Random& random, Step& step);

}  // namespace pinyon::differential
