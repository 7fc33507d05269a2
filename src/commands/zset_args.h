// What the files of the sorted sets' commands share: ranges as arguments, and how members and scores are
// replied.
#pragma once

#include <string_view>

#include "engine/call.h"
#include "keyspace/zset_value.h"

namespace pinyon {

inline constexpr std::string_view kErrScoreNan = "ERR resulting score is not a number (NaN)";

// Two bounds, of scores ("5", "(5", "-inf") or of members ("[a", "(a", "-", "+"); on failure the error has
// been replied. Members are borrowed from the arguments.
bool ParseScoreRange(Call& call, size_t min_index, size_t max_index, ScoreRange* range);
bool ParseLexRange(Call& call, size_t min_index, size_t max_index, LexRange* range);

// Two indexes as ZRANGE and ZREMRANGEBYRANK take them, negative ones from the end; empty when they meet
// nothing.
RankRange RanksOf(int64_t start, int64_t stop, uint64_t size);

// A member with its score: in RESP3 an array of both, in RESP2 one after the other, unless it is to be an
// array there, too.
void ReplyPair(Call& call, std::string_view member, double score, bool always_nested = false);
// The header of so many of them, when they are not always nested.
inline void ReplyPairsHeader(Call& call, uint64_t pairs) {
  call.reply.ArrayHeader(call.reply.resp3() ? pairs : pairs * 2);
}

// Says that members were removed from a key, and whether the key went with them.
void NoteRemoved(Call& call, std::string_view event, std::string_view key, uint64_t count, bool emptied);

// Removes a range of ranks and says so; the key goes with its last member, and `zset` must not be used any
// more.
void RemoveMembers(Call& call, ZsetValue& zset, RankRange range, std::string_view event,
                   std::string_view key);

}  // namespace pinyon
