// Places on Earth: sorted sets whose scores are geohashes (types/geohash.h). Adding places, and what is known
// of single ones; searches are in geo_search.cc.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "commands/families.h"
#include "commands/geo_args.h"

namespace pinyon {

namespace {

struct GeoaddRequest {
  ZaddOptions options;
  bool count_changed = false;  // CH
  size_t first_place = 2;      // argument of the first longitude
  size_t places = 0;
};

bool ParseGeoadd(Call& call, GeoaddRequest* request) {
  constexpr size_t kPlaceArgs = 3;
  size_t i = 2;
  for (; i < call.argc(); ++i) {
    if (call.Is(i, "nx")) {
      request->options.only_new = true;
    } else if (call.Is(i, "xx")) {
      request->options.only_existing = true;
    } else if (call.Is(i, "ch")) {
      request->count_changed = true;
    } else {
      break;
    }
  }
  const size_t rest = call.argc() - i;
  if (rest == 0 || rest % kPlaceArgs != 0) return call.SyntaxError();
  if (request->options.only_new && request->options.only_existing) return call.SyntaxError();
  request->first_place = i;
  request->places = rest / kPlaceArgs;
  return true;
}

// The effect: scores are what others can add without knowing of places.
void PropagateAsZadd(Call& call, const GeoaddRequest& request, const std::vector<double>& scores) {
  std::vector<std::string> digits(scores.size());
  std::vector<std::string_view> effect = {"ZADD", call.args[1]};
  if (request.options.only_new) effect.emplace_back("NX");
  if (request.options.only_existing) effect.emplace_back("XX");
  for (size_t i = 0; i < scores.size(); ++i) {
    digits[i] = fmt::format("{:.0f}", scores[i]);
    effect.push_back(digits[i]);
    effect.push_back(call.args[request.first_place + i * 3 + 2]);
  }
  call.PropagateAs(Args(effect));
}

// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]
void Geoadd(Call& call) {
  GeoaddRequest request;
  if (!ParseGeoadd(call, &request)) return;
  std::vector<double> scores(request.places);
  for (size_t i = 0; i < request.places; ++i) {
    geo::Point point;
    if (!ParsePoint(call, request.first_place + i * 3, &point)) return;
    scores[i] = static_cast<double>(geo::Encode(point));
  }

  const std::string_view key = call.args[1];
  const uint64_t hash = call.KeyHash(1);
  EntryRef ref = call.FindForWrite(key, hash);
  if (!call.CheckType(ref, ValueType::kZset)) return;
  if (!ref) {
    if (request.options.only_existing) return call.reply.Integer(0);
    ref = ZsetValue::AddKey(call.db, key, hash);
    call.Notify(call.session.database, kNotifyNew, "new", key);
  }

  ZsetValue zset(call.db, ref);
  int64_t added = 0;
  int64_t updated = 0;
  for (size_t i = 0; i < request.places; ++i) {
    double ignored;
    const std::string_view member = call.args[request.first_place + i * 3 + 2];
    const ZaddResult result = zset.Add(member, scores[i], request.options, &ignored);
    added += result == ZaddResult::kAdded;
    updated += result == ZaddResult::kUpdated;
  }
  if (added + updated > 0) {
    call.Changed(kNotifyZset, "zadd", key, added + updated);
    if (call.Propagating()) PropagateAsZadd(call, request, scores);
  }
  call.reply.Integer(request.count_changed ? added + updated : added);
}

// GEODIST key member1 member2 [M | KM | FT | MI]
void Geodist(Call& call) {
  double unit_m = 1;
  if (call.argc() == 5) {
    if (!ParseUnit(call, 4, &unit_m)) return;
  } else if (call.argc() > 5) {
    return call.reply.Error(kErrSyntax);
  }
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  geo::Point a;
  geo::Point b;
  if (!ref) return call.reply.Null();
  const ZsetValue zset(call.db, ref);
  if (!FindPoint(zset, call.args[2], &a) || !FindPoint(zset, call.args[3], &b)) return call.reply.Null();
  ReplyDistance(call.reply, geo::DistanceM(a, b) / unit_m);
}

// Replies an array of what `reply_point` says of each member, and what `reply_none` says of those that are
// not there.
template <typename ReplyPoint, typename ReplyNone>
void ReplyMembers(Call& call, ReplyPoint reply_point, ReplyNone reply_none) {
  EntryRef ref;
  if (!call.FindTypedForRead(1, ValueType::kZset, &ref)) return;
  call.reply.ArrayHeader(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    geo::Point point;
    const bool found = ref && FindPoint(ZsetValue(call.db, ref), call.args[i], &point);
    found ? reply_point(point) : reply_none();
  }
}

// GEOHASH key [member [member ...]]
void Geohash(Call& call) {
  const auto reply_text = [&](geo::Point point) {
    const auto text = geo::Text(point);
    call.reply.Bulk({text.data(), text.size()});
  };
  ReplyMembers(call, reply_text, [&] { call.reply.Null(); });
}

// GEOPOS key [member [member ...]]
void Geopos(Call& call) {
  const auto reply_point = [&](geo::Point point) { ReplyPoint(call.reply, point); };
  ReplyMembers(call, reply_point, [&] { call.reply.NullArray(); });
}

constexpr CommandSpec kGeoCommands[] = {
    {.name = "geoadd",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .handler = Geoadd,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRW | kKeyUpdate)},
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
     .summary = "Adds places, or moves them",
     .syntax = "key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]",
     .history = {{"6.2.0", "Added the `CH`, `NX` and `XX` options."}}},
    {.name = "geodist",
     .arity = -4,
     .flags = kReadOnly,
     .handler = Geodist,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(log(N))",
     .summary = "Returns the distance between two places",
     .syntax = "key member1 member2 [M | KM | FT | MI]"},
    {.name = "geohash",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Geohash,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "3.2.0",
     .complexity =
         "O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
     .summary = "Returns places as standard geohash strings",
     .syntax = "key member [member ...]"},
    {.name = "geopos",
     .arity = -2,
     .flags = kReadOnly,
     .handler = Geopos,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "3.2.0",
     .complexity = "O(N) where N is the number of members requested.",
     .summary = "Returns the longitudes and latitudes of places",
     .syntax = "key member [member ...]"},
};

}  // namespace

std::span<const CommandSpec> GeoCommands() { return kGeoCommands; }

}  // namespace pinyon
