// Places: GEOADD to GEOSEARCHSTORE, from a few meters to around the Earth.
#include <fmt/format.h>

#include "differential/generator.h"

namespace pinyon::differential {
namespace {

void Append(Args* args, const Args& more) { args->insert(args->end(), more.begin(), more.end()); }

std::string Member(Random& random) {
  return random.OneIn(20) ? Value(random) : "m" + std::to_string(random.Below(40));
}

// No two the same, so that no two places are equally far away; most of them near each other.
std::string Coordinate(Random& random, int64_t limit_degrees) {
  constexpr int64_t kMillionths = 1'000'000;
  const int64_t limit = random.OneIn(3) ? limit_degrees * kMillionths : 2 * kMillionths;
  return fmt::format("{:.6f}", static_cast<double>(random.Between(-limit, limit)) / kMillionths);
}

std::string Longitude(Random& random) {
  if (random.OneIn(60)) return random.Pick({"180.0001", "-181", "1e9", "nan", "inf", "", "x", "1e-400"});
  return Coordinate(random, 180);
}

std::string Latitude(Random& random) {
  if (random.OneIn(60)) return random.Pick({"85.0512", "-86", "90", "nan", "-inf", "", "y", "85.05112879"});
  return Coordinate(random, 85);
}

std::string Unit(Random& random) {
  return random.OneIn(40) ? random.Pick({"", "cm", "kms", "mile"})
                          : Word(random, random.Pick({"m", "km", "ft", "mi", "km", "mi"}));
}

std::string Length(Random& random) {
  switch (random.Below(16)) {
    case 0: return random.Pick({"-1", "x", "", "nan", "inf", "1e300", "0", "-0"});
    case 1: return std::to_string(random.Below(30'000));
    case 2: return fmt::format("{}.{}", random.Below(10), random.Below(1000));
    default: return std::to_string(random.Below(500));
  }
}

Args GeoAdd(Random& random) {
  Args args = {"GEOADD", Key(random)};
  if (random.OneIn(5)) args.push_back(Word(random, random.Pick({"NX", "XX"})));
  if (random.OneIn(5)) args.push_back(Word(random, "CH"));
  if (random.OneIn(30)) args.push_back(Word(random, random.Pick({"NX", "XX", "GT", "INCR"})));
  for (size_t places = 1 + random.Below(random.OneIn(8) ? 30 : 4); places > 0; --places) {
    Append(&args, {Longitude(random), Latitude(random), Member(random)});
  }
  return args;
}

Args GeoDist(Random& random) {
  Args args = {"GEODIST", Key(random), Member(random), Member(random)};
  if (random.OneIn(2)) args.push_back(Unit(random));
  return args;
}

Args Members(Random& random, std::string_view command) {
  Args args = {std::string(command), Key(random)};
  for (size_t count = random.Below(4); count > 0; --count) args.push_back(Member(random));
  return args;
}

Args GeoPos(Random& random) { return Members(random, "GEOPOS"); }
Args GeoHash(Random& random) { return Members(random, "GEOHASH"); }

void AppendResultOptions(Random& random, Args* args, bool with) {
  if (random.OneIn(3)) args->push_back(Word(random, random.Pick({"ASC", "DESC"})));
  if (random.OneIn(3)) {
    args->push_back(Word(random, "COUNT"));
    args->push_back(random.OneIn(12) ? random.Pick({"0", "-1", "x", "", "9223372036854775808"})
                                     : std::to_string(1 + random.Below(8)));
    if (random.OneIn(3)) args->push_back(Word(random, "ANY"));
  }
  for (const std::string_view word : {"WITHDIST", "WITHHASH", "WITHCOORD"}) {
    if (with ? random.OneIn(3) : random.OneIn(60)) args->push_back(Word(random, word));
  }
  if (random.OneIn(60)) args->push_back(random.Pick({"ANY", "STORE", "COUNT", "BYRADIUS", "foo"}));
}

Args From(Random& random) {
  if (random.OneIn(2)) return {Word(random, "FROMMEMBER"), Member(random)};
  return {Word(random, "FROMLONLAT"), Longitude(random), Latitude(random)};
}

Args By(Random& random) {
  if (random.OneIn(2)) return {Word(random, "BYRADIUS"), Length(random), Unit(random)};
  return {Word(random, "BYBOX"), Length(random), Length(random), Unit(random)};
}

void AppendArea(Random& random, Args* args) {
  const bool from_first = random.OneIn(2);
  Append(args, from_first ? From(random) : By(random));
  if (!random.OneIn(30)) Append(args, from_first ? By(random) : From(random));
  if (random.OneIn(40)) Append(args, random.OneIn(2) ? From(random) : By(random));
}

Args GeoSearch(Random& random) {
  Args args = {"GEOSEARCH", Key(random)};
  AppendArea(random, &args);
  AppendResultOptions(random, &args, true);
  return args;
}

Args GeoSearchStore(Random& random) {
  Args args = {"GEOSEARCHSTORE", Key(random), Key(random)};
  AppendArea(random, &args);
  AppendResultOptions(random, &args, false);
  if (random.OneIn(3)) args.push_back(Word(random, "STOREDIST"));
  return args;
}

void AppendStore(Random& random, Args* args) {
  if (!random.OneIn(3)) return AppendResultOptions(random, args, true);
  AppendResultOptions(random, args, false);
  Append(args, {Word(random, random.Pick({"STORE", "STOREDIST"})), Key(random)});
  if (random.OneIn(8)) Append(args, {Word(random, random.Pick({"STORE", "STOREDIST"})), Key(random)});
}

Args GeoRadius(Random& random) {
  const bool read_only = random.OneIn(4);
  Args args = {read_only ? "GEORADIUS_RO" : "GEORADIUS",
               Key(random),
               Longitude(random),
               Latitude(random),
               Length(random),
               Unit(random)};
  read_only ? AppendResultOptions(random, &args, true) : AppendStore(random, &args);
  return args;
}

Args GeoRadiusByMember(Random& random) {
  const bool read_only = random.OneIn(4);
  Args args = {read_only ? "GEORADIUSBYMEMBER_RO" : "GEORADIUSBYMEMBER", Key(random), Member(random),
               Length(random), Unit(random)};
  read_only ? AppendResultOptions(random, &args, true) : AppendStore(random, &args);
  return args;
}

Args Look(Random& random) { return {"ZRANGE", Key(random), "0", "-1", "WITHSCORES"}; }
Args Delete(Random& random) { return {"DEL", Key(random)}; }

// Scores that are no geohashes.
Args ZAdd(Random& random) {
  return {"ZADD", Key(random), random.Pick({"0", "1.5", "-3", "4503599627370495"}), Member(random)};
}

using Maker = Args (*)(Random&);
constexpr Maker kMakers[] = {GeoAdd,           GeoAdd,         GeoAdd,    GeoAdd,    GeoAdd,
                             GeoAdd,           GeoDist,        GeoDist,   GeoPos,    GeoPos,
                             GeoHash,          GeoSearch,      GeoSearch, GeoSearch, GeoSearch,
                             GeoSearch,        GeoSearch,      GeoSearch, Look,      GeoSearchStore,
                             GeoSearchStore,   GeoSearchStore, GeoRadius, GeoRadius, GeoRadiusByMember,
                             GeoRadiusByMember};

}  // namespace

void AppendGeo(Random& random, const Pool&, std::vector<Step>& steps) {
  if (random.OneIn(40)) {
    steps.push_back({.args = random.OneIn(2) ? Delete(random) : ZAdd(random)});
    return;
  }
  steps.push_back({.args = random.Pick(kMakers)(random)});
}

}  // namespace pinyon::differential
