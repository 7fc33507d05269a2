// Sorted sets: unions, intersections and differences, of sets too. A result is first a list of elements with
// scores, all borrowed from the sources, which is then put in order; so sources are only read until it is
// complete, the destination may be one of them, and a wrong type anywhere changes nothing.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "commands/families.h"
#include "commands/scored_source.h"
#include "commands/set_reply.h"
#include "commands/source_keys.h"
#include "engine/call.h"
#include "keyspace/zset_value.h"
#include "types/element_index.h"

namespace pinyon {

namespace {

enum class Aggregate : uint8_t { kSum, kMin, kMax };

// What a command's options may say beside its sources.
enum AlgebraOption : uint32_t { kWeights = 1u << 0, kWithScores = 1u << 1, kLimit = 1u << 2 };

struct WeightedSource {
  ScoredSource source;
  double weight = 1;
};

struct Operands {
  std::vector<WeightedSource> sources;
  std::vector<const Entry*> entries;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;
};

using Elements = std::vector<ScoredElement>;

// WEIGHTS weight [weight ...], as many as there are sources, from argument `index` on.
bool ParseWeights(Call& call, size_t index, std::vector<WeightedSource>& sources) {
  for (size_t i = 0; i < sources.size(); ++i) {
    if (!ParseDouble(call.args[index + i], &sources[i].weight)) {
      return call.Fail("ERR weight value is not a float");
    }
  }
  return true;
}

bool ParseAggregate(Call& call, size_t index, Aggregate* aggregate) {
  if (call.Is(index, "sum")) {
    *aggregate = Aggregate::kSum;
  } else if (call.Is(index, "min")) {
    *aggregate = Aggregate::kMin;
  } else if (call.Is(index, "max")) {
    *aggregate = Aggregate::kMax;
  } else {
    return call.SyntaxError();
  }
  return true;
}

bool ParseOptions(Call& call, size_t first, uint32_t known, Operands* operands) {
  const size_t weights = operands->sources.size();
  for (size_t i = first; i < call.argc();) {
    const size_t following = call.argc() - i - 1;
    if ((known & kWeights) != 0 && following >= weights && call.Is(i, "weights")) {
      if (!ParseWeights(call, i + 1, operands->sources)) return false;
      i += 1 + weights;
    } else if ((known & kWeights) != 0 && following >= 1 && call.Is(i, "aggregate")) {
      if (!ParseAggregate(call, i + 1, &operands->aggregate)) return false;
      i += 2;
    } else if ((known & kWithScores) != 0 && call.Is(i, "withscores")) {
      operands->with_scores = true;
      ++i;
    } else if ((known & kLimit) != 0 && following >= 1 && call.Is(i, "limit")) {
      if (!ParseInt64(call.args[i + 1], &operands->limit) || operands->limit < 0) {
        return call.Fail("ERR LIMIT can't be negative");
      }
      i += 2;
    } else {
      return call.SyntaxError();
    }
  }
  return true;
}

// numkeys, at argument `index`, and what follows. Types are checked before options, as Redis does.
bool ParseOperands(Call& call, size_t index, uint32_t known, Operands* operands) {
  int64_t count;
  if (!call.Int(index, &count)) return false;
  if (count < 1) {
    return call.Fail(fmt::format("ERR at least 1 input key is needed for '{}' command", call.command.name));
  }
  if (static_cast<uint64_t>(count) > call.argc() - index - 1) return call.SyntaxError();
  const size_t end = index + 1 + static_cast<size_t>(count);
  if (!FindSources(call, index + 1, end, ValueType::kZset, ValueType::kSet, &operands->entries)) return false;
  for (const Entry* entry : operands->entries) operands->sources.push_back({ScoredSource(entry)});
  return ParseOptions(call, end, known, operands);
}

// The smallest first. Scores are added in this order, of which a sum of floats may depend in its last digits.
void SortBySize(std::vector<WeightedSource>& sources) {
  std::stable_sort(sources.begin(), sources.end(), [](const WeightedSource& a, const WeightedSource& b) {
    return a.source.size() < b.source.size();
  });
}

double OrZero(double score) { return std::isnan(score) ? 0 : score; }

// Infinities of both signs, and zero times an infinity, make 0.
double Combine(Aggregate aggregate, double score, double other) {
  switch (aggregate) {
    case Aggregate::kMin: return other < score ? other : score;
    case Aggregate::kMax: return other > score ? other : score;
    default: return OrZero(score + other);
  }
}

// --- the operations ---

Elements Unite(const Call& call, Operands& operands) {
  SortBySize(operands.sources);
  Elements elements;
  ElementIndex index(call.engine.keyspace.seed());
  for (const WeightedSource& operand : operands.sources) {
    ScoredReader reader(operand.source);
    for (ScoredElement next; reader.Next(&next);) {
      next.score = OrZero(next.score * operand.weight);
      // Only what has more than one source may be there already.
      const auto [place, added] =
          operands.sources.size() > 1 ? index.Insert(next.element) : std::pair<size_t, bool>(0, true);
      if (added) {
        elements.push_back(next);
      } else {
        elements[place].score = Combine(operands.aggregate, elements[place].score, next.score);
      }
    }
  }
  return elements;
}

// Calls visit(element) with what all sources have and its score, until it returns false.
template <typename Visit>
void Intersect(const Call& call, Operands& operands, Visit visit) {
  SortBySize(operands.sources);
  const std::vector<WeightedSource>& sources = operands.sources;
  ScoredReader reader(sources.front().source);
  ScoredBatch batch(call.engine.keyspace.seed());
  while (batch.Fill(reader)) {
    std::array<double, ScoredBatch::kCapacity> scores, others;
    for (size_t i = 0; i < batch.size(); ++i) scores[i] = OrZero(batch[i].score * sources.front().weight);
    for (size_t j = 1; j < sources.size() && batch.any_kept(); ++j) {
      batch.KeepFound(sources[j].source, &others);
      for (size_t i = 0; i < batch.size(); ++i) {
        if (!batch.IsKept(i)) continue;
        scores[i] = Combine(operands.aggregate, scores[i], others[i] * sources[j].weight);
      }
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch.IsKept(i) && !visit(ScoredElement{batch[i].element, scores[i]})) return;
    }
  }
}

Elements IntersectAll(const Call& call, Operands& operands) {
  Elements elements;
  Intersect(call, operands, [&elements](const ScoredElement& element) {
    elements.push_back(element);
    return true;
  });
  return elements;
}

// Where the subtracted are few they are indexed; else each member of the first is looked for in them, the
// largest first, since that is the likeliest to have it.
Elements Subtract(const Call& call, Operands& operands) {
  const ScoredSource first = operands.sources.front().source;
  std::vector<WeightedSource> others(operands.sources.begin() + 1, operands.sources.end());
  SortBySize(others);
  std::reverse(others.begin(), others.end());
  size_t all = 0;
  for (const WeightedSource& other : others) all += other.source.size();

  Elements elements;
  const HashSeed& seed = call.engine.keyspace.seed();
  ScoredReader reader(first);
  if (others.size() > 1 && all < first.size() * (others.size() - 1) / 2) {
    ElementIndex subtracted(seed);
    for (const WeightedSource& other : others) {
      ScoredReader other_reader(other.source);
      for (ScoredElement element; other_reader.Next(&element);) subtracted.Insert(element.element);
    }
    for (ScoredElement element; reader.Next(&element);) {
      if (!subtracted.Contains(element.element)) elements.push_back(element);
    }
    return elements;
  }
  ScoredBatch batch(seed);
  while (batch.Fill(reader)) {
    for (size_t i = 0; i < others.size() && batch.any_kept(); ++i) batch.DropFound(others[i].source);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch.IsKept(i)) elements.push_back(batch[i]);
    }
  }
  return elements;
}

// --- replying and storing ---

bool IsBefore(const ScoredElement& a, const ScoredElement& b) {
  if (a.score != b.score) return a.score < b.score;
  PackedElement::Digits a_digits, b_digits;
  return a.element.Text(a_digits) < b.element.Text(b_digits);
}

void ReplyElements(Call& call, Elements& elements, bool with_scores) {
  std::sort(elements.begin(), elements.end(), IsBefore);
  ReplyWriter& reply = call.reply;
  const bool as_pairs = with_scores && reply.resp3();
  reply.ArrayHeader(with_scores && !as_pairs ? elements.size() * 2 : elements.size());
  for (const ScoredElement& element : elements) {
    if (as_pairs) reply.ArrayHeader(2);
    ReplyElement(reply, element.element);
    if (with_scores) reply.Double(element.score);
  }
}

void StoreElements(Call& call, Elements& elements, std::string_view event) {
  std::sort(elements.begin(), elements.end(), IsBefore);
  ZsetValue result(call.db, ZsetValue::New(call.args[1]));
  result.ExpectSize(elements.size());
  PackedElement::Digits digits;
  for (const ScoredElement& element : elements) result.AddNew(element.element.Text(digits), element.score);
  StoreResult(call, 1, result.Release(), elements.size(), kNotifyZset, event);
  call.reply.Integer(static_cast<int64_t>(elements.size()));
}

// ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
void Zunion(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 1, kWeights | kWithScores, &operands)) return;
  Elements elements = Unite(call, operands);
  ReplyElements(call, elements, operands.with_scores);
}

// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
void Zunionstore(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 2, kWeights, &operands)) return;
  Elements elements = Unite(call, operands);
  StoreElements(call, elements, "zunionstore");
}

// ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
void Zinter(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 1, kWeights | kWithScores, &operands)) return;
  Elements elements = IntersectAll(call, operands);
  ReplyElements(call, elements, operands.with_scores);
}

// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
void Zinterstore(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 2, kWeights, &operands)) return;
  Elements elements = IntersectAll(call, operands);
  StoreElements(call, elements, "zinterstore");
}

// ZINTERCARD numkeys key [key ...] [LIMIT limit]
void Zintercard(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 1, kLimit, &operands)) return;
  int64_t count = 0;
  Intersect(call, operands, [&](const ScoredElement&) { return ++count != operands.limit; });
  call.reply.Integer(count);
}

// ZDIFF numkeys key [key ...] [WITHSCORES]
void Zdiff(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 1, kWithScores, &operands)) return;
  Elements elements = Subtract(call, operands);
  ReplyElements(call, elements, operands.with_scores);
}

// ZDIFFSTORE destination numkeys key [key ...]
void Zdiffstore(Call& call) {
  Operands operands;
  if (!ParseOperands(call, 2, 0, &operands)) return;
  Elements elements = Subtract(call, operands);
  StoreElements(call, elements, "zdiffstore");
}

constexpr CommandSpec kZsetAlgebraCommands[] = {
    {.name = "zunion",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Zunion,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being "
                   "the number of elements in the resulting sorted set.",
     .summary = "Lists the members of several sorted sets taken together.",
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
               "[WITHSCORES]"},
    {.name = "zinter",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Zinter,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the "
                   "number of input sorted sets and M being the number of elements in the resulting sorted "
                   "set.",
     .summary = "Lists the members that several sorted sets have in common.",
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
               "[WITHSCORES]"},
    {.name = "zdiff",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Zdiff,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N "
                   "is the size of the first set, and K is the size of the result set.",
     .summary = "Lists the members of a sorted set that others do not have.",
     .syntax = "numkeys key [key ...] [WITHSCORES]"},
    {.name = "zunionstore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Zunionstore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), NumKeysAt(2, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being "
                   "the number of elements in the resulting sorted set.",
     .summary = "Stores the members of several sorted sets taken together in a key.",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE <SUM | MIN | MAX>]"},
    {.name = "zinterstore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Zinterstore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), NumKeysAt(2, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "2.0.0",
     .complexity = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the "
                   "number of input sorted sets and M being the number of elements in the resulting sorted "
                   "set.",
     .summary = "Stores the members that several sorted sets have in common in a key.",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] "
               "[AGGREGATE <SUM | MIN | MAX>]"},
    {.name = "zdiffstore",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .handler = Zdiffstore,
     .acl = kAclSortedSet,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), NumKeysAt(2, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "6.2.0",
     .complexity = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N "
                   "is the size of the first set, and K is the size of the result set.",
     .summary = "Stores the members of a sorted set that others do not have in a key.",
     .syntax = "destination numkeys key [key ...]"},
    {.name = "zintercard",
     .arity = -3,
     .flags = kReadOnly,
     .handler = Zintercard,
     .acl = kAclSortedSet,
     .keys = {NumKeysAt(1, kKeyRO | kKeyAccess)},
     .group = "sorted-set",
     .since = "7.0.0",
     .complexity = "O(N*K) worst case with N being the smallest input sorted set, K being the number of "
                   "input sorted sets.",
     .summary = "Counts the members that several sorted sets have in common.",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
};

}  // namespace

std::span<const CommandSpec> ZsetAlgebraCommands() { return kZsetAlgebraCommands; }

}  // namespace pinyon
