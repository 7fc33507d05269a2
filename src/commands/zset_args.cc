#include "commands/zset_args.h"

#include <algorithm>

namespace pinyon {

namespace {

bool ParseBound(std::string_view text, double* score, bool* exclusive) {
  *exclusive = text.starts_with('(');
  if (*exclusive) text.remove_prefix(1);
  return ParseScoreBound(text, score);
}

bool ParseBound(std::string_view text, LexBound* bound) {
  if (text.empty()) return false;
  const std::string_view rest = text.substr(1);
  switch (text[0]) {
    case '[': *bound = {LexBound::Kind::kInclusive, rest}; return true;
    case '(': *bound = {LexBound::Kind::kExclusive, rest}; return true;
    case '-': *bound = {LexBound::Kind::kLowest, {}}; break;
    case '+': *bound = {LexBound::Kind::kHighest, {}}; break;
    default: return false;
  }
  // As in Redis, a zero byte ends these two.
  return rest.empty() || rest[0] == '\0';
}

}  // namespace

bool ParseScoreRange(Call& call, size_t min_index, size_t max_index, ScoreRange* range) {
  if (ParseBound(call.args[min_index], &range->min, &range->min_exclusive) &&
      ParseBound(call.args[max_index], &range->max, &range->max_exclusive)) {
    return true;
  }
  return call.Fail("ERR min or max is not a float");
}

bool ParseLexRange(Call& call, size_t min_index, size_t max_index, LexRange* range) {
  if (ParseBound(call.args[min_index], &range->min) && ParseBound(call.args[max_index], &range->max)) {
    return true;
  }
  return call.Fail("ERR min or max not valid string range item");
}

RankRange RanksOf(int64_t start, int64_t stop, uint64_t size) {
  const auto length = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  if (start > stop || start >= length) return {};
  return {static_cast<uint64_t>(start), static_cast<uint64_t>(std::min(stop, length - 1)) + 1};
}

void ReplyPair(Call& call, std::string_view member, double score, bool always_nested) {
  if (always_nested || call.reply.resp3()) call.reply.ArrayHeader(2);
  call.reply.Bulk(member);
  call.reply.Double(score);
}

void NoteRemoved(Call& call, std::string_view event, std::string_view key, uint64_t count, bool emptied) {
  call.Changed(kNotifyZset, event, key, static_cast<int64_t>(count));
  if (emptied) call.Notify(call.session.database, kNotifyGeneric, "del", key);
}

void RemoveMembers(Call& call, ZsetValue& zset, RankRange range, std::string_view event,
                   std::string_view key) {
  if (range.empty()) return;
  // All of them at once: a large set is freed elsewhere.
  const bool all = range.size() == zset.size();
  if (all) {
    call.db.Delete(zset.ref());
  } else {
    zset.RemoveRanks(range);
  }
  NoteRemoved(call, event, key, range.size(), all);
}

}  // namespace pinyon
