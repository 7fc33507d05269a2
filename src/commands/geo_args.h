// What the files of the geo commands share: coordinates and units as arguments, places of members, and how
// distances and coordinates are replied.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "engine/call.h"
#include "keyspace/zset_value.h"
#include "types/geohash.h"

namespace pinyon {

// Parses a longitude and the latitude behind it; false after the error reply.
inline bool ParsePoint(Call& call, size_t index, geo::Point* point) {
  if (!ParseDouble(call.args[index], &point->longitude) ||
      !ParseDouble(call.args[index + 1], &point->latitude)) {
    return call.Fail(kErrNotFloat);
  }
  if (geo::IsValid(*point)) return true;
  return call.Fail(
      fmt::format("ERR invalid longitude,latitude pair {:f},{:f}", point->longitude, point->latitude));
}

// Parses a unit of distance; false after the error reply.
inline bool ParseUnit(Call& call, size_t index, double* unit_m) {
  const auto meters = geo::MetersIn(call.args[index]);
  if (!meters) return call.Fail("ERR unsupported unit provided. please use M, KM, FT, MI");
  *unit_m = *meters;
  return true;
}

// The place of a member; false when it is not there.
inline bool FindPoint(const ZsetValue& zset, std::string_view member, geo::Point* point) {
  double score;
  if (!zset.Score(member, &score)) return false;
  *point = geo::Decode(geo::GeohashOfScore(score));
  return true;
}

// With four decimals, as Redis rounds them: ten thousandths to the nearest, ties to even.
inline void ReplyDistance(ReplyWriter& reply, double distance) {
  PINYON_ASSERT(distance >= 0 && distance < 1e14);
  constexpr uint64_t kParts = 10'000;
  const auto parts = static_cast<uint64_t>(std::nearbyint(distance * double{kParts}));
  char text[kMaxHumanDoubleChars];
  const auto end = fmt::format_to_n(text, sizeof text, "{}.{:04}", parts / kParts, parts % kParts).out;
  reply.Bulk({text, static_cast<size_t>(end - text)});
}

inline void ReplyPoint(ReplyWriter& reply, geo::Point point) {
  reply.ArrayHeader(2);
  reply.HumanDouble(point.longitude);
  reply.HumanDouble(point.latitude);
}

}  // namespace pinyon
