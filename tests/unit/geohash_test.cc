// Geohashes, distances and covers. Expected values are what a redis-server 7.0 gave.
#include "types/geohash.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "base/random.h"

namespace pinyon::geo {
namespace {

constexpr Point kPalermo{13.361389, 38.115556};
constexpr Point kCatania{15.087269, 37.502669};

std::string TextOf(Point point) {
  const auto text = Text(point);
  return {text.data(), text.size()};
}

bool Covers(const Cover& cover, double score) {
  return std::any_of(cover.begin(), cover.end(),
                     [&](const ScoreRange& range) { return score >= range.begin && score < range.end; });
}

double Between(Random& random, double low, double high) { return low + random.Unit() * (high - low); }

TEST_CASE("Geohashes of 52 bits", "[geo]") {
  CHECK(Encode(kPalermo) == 3479099956230698);
  CHECK(Encode(kCatania) == 3479447370796909);
  const Point palermo = Decode(3479099956230698);
  CHECK(palermo.longitude == 13.361389338970184);
  CHECK(palermo.latitude == 38.1155563954963);
  CHECK(TextOf(palermo) == "sqc8b49rny0");
  CHECK(TextOf(Decode(3479447370796909)) == "sqdtr74hyu0");
  CHECK(Encode({0, 0}, 1) == 3);
  CHECK(Encode({-180, -kMaxLatitude}) == 0);
  CHECK(Encode({179.9999999, 85.0511287}) == (uint64_t{1} << 52) - 1);
}

TEST_CASE("Points off the map have no geohash", "[geo]") {
  CHECK(IsValid({180, 85.05112878}));
  CHECK(IsValid({-180, -85.05112878}));
  CHECK_FALSE(IsValid({180.000001, 0}));
  CHECK_FALSE(IsValid({0, 85.05112879}));
  CHECK_FALSE(IsValid({0, -90}));
  CHECK_FALSE(IsValid({std::nan(""), 0}));
  CHECK_FALSE(IsValid({0, std::numeric_limits<double>::infinity()}));
}

TEST_CASE("Encoding and decoding stay within a cell", "[geo]") {
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const Point point{Between(random, -180, 180), Between(random, -kMaxLatitude, kMaxLatitude)};
    const uint64_t geohash = Encode(point);
    const Point decoded = Decode(geohash);
    CHECK(Encode(decoded) == geohash);
    CHECK(std::abs(decoded.longitude - point.longitude) <= 180.0 / (1 << 26));
    CHECK(std::abs(decoded.latitude - point.latitude) <= kMaxLatitude / (1 << 26));
    for (unsigned step = 1; step <= kMaxStep; ++step) {
      CHECK(Encode(point, step) == geohash >> (2 * (kMaxStep - step)));
    }
  }
}

TEST_CASE("Scores that are no geohashes", "[geo]") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(GeohashOfScore(1.5) == 1);
  CHECK(GeohashOfScore(-3) == ~uint64_t{2});
  CHECK(GeohashOfScore(1e300) == 0);
  CHECK(GeohashOfScore(infinity) == 0);
  CHECK(GeohashOfScore(-infinity) == uint64_t{1} << 63);
  CHECK(GeohashOfScore(0x1.0p63) == uint64_t{1} << 63);
  CHECK(TextOf(Decode(GeohashOfScore(-3))) == "bp05b5048p0");
  CHECK(TextOf(Decode(GeohashOfScore(4503599627370496))) == "bp05b5048p0");
  CHECK(TextOf(Decode(GeohashOfScore(4503599627370495))) == "zzpgzgpfxz0");
  CHECK(Decode(~uint64_t{0}).longitude == 180);
  CHECK(Decode(~uint64_t{0}).latitude == kMaxLatitude);
}

TEST_CASE("Distances", "[geo]") {
  const Point palermo = Decode(Encode(kPalermo));
  const Point catania = Decode(Encode(kCatania));
  CHECK(DistanceM(palermo, catania) == 166274.15156960032);
  CHECK(DistanceM(palermo, palermo) == 0);
  CHECK(DistanceM({0, 0}, {0, 1}) == Approx(111226.3).epsilon(1e-6));
  CHECK(DistanceM({-179.9, 0}, {179.9, 0}) == Approx(DistanceM({-0.1, 0}, {0.1, 0})));
  CHECK(MetersIn("KM") == 1000.0);
  CHECK(MetersIn("mi") == 1609.34);
  CHECK(MetersIn("Ft") == 0.3048);
  CHECK(MetersIn("m") == 1.0);
  CHECK_FALSE(MetersIn("").has_value());
  CHECK_FALSE(MetersIn("kms").has_value());
}

TEST_CASE("A box is measured along the latitudes of its points", "[geo]") {
  const Area box{.shape = Area::Shape::kBox, .center = {15, 37}, .width_m = 400'000, .height_m = 400'000};
  CHECK(box.DistanceWithinM(kPalermo).has_value());
  CHECK(box.DistanceWithinM(kCatania) == DistanceM({15, 37}, kCatania));
  CHECK_FALSE(box.DistanceWithinM({15, 39}).has_value());
  CHECK_FALSE(box.DistanceWithinM({17.5, 37}).has_value());
}

// Whatever the area, whoever lies within it has a score in one of the ranges: near the poles, around the date
// line, for areas from less than a cell to more than the Earth.
TEST_CASE("A cover misses nothing", "[geo]") {
  Random random(2);
  size_t inside = 0;
  for (int i = 0; i < 20'000; ++i) {
    Area area;
    area.center = {Between(random, -180, 180), Between(random, -kMaxLatitude, kMaxLatitude)};
    if (random.Below(4) == 0)
      area.center.longitude = std::copysign(180 - random.Unit(), area.center.longitude);
    if (random.Below(4) == 0) area.center.latitude = std::copysign(85 - random.Unit(), area.center.latitude);
    const double size_m = std::pow(10, Between(random, -1, 7.5));
    area.radius_m = size_m;
    if (random.Below(2) == 0) {
      area.shape = Area::Shape::kBox;
      area.width_m = size_m * random.Unit();
      area.height_m = size_m * random.Unit();
    }
    const Cover cover(area);
    CHECK(cover.begin() != cover.end());
    const double degrees = std::min(180.0, size_m / 100'000);
    for (int k = 0; k < 20; ++k) {
      double longitude = area.center.longitude + Between(random, -degrees, degrees) * 3;
      longitude = std::remainder(longitude, 360);
      const double latitude = area.center.latitude + Between(random, -degrees, degrees);
      Point point{longitude, std::clamp(latitude, -kMaxLatitude, kMaxLatitude)};
      if (random.Below(20) == 0) point.longitude = std::copysign(180.0, point.longitude);
      const uint64_t geohash = Encode(point);
      if (!area.DistanceWithinM(Decode(geohash))) continue;
      ++inside;
      if (!Covers(cover, static_cast<double>(geohash))) {
        FAIL_CHECK("center " << area.center.longitude << "," << area.center.latitude << " size " << size_m
                             << " point " << point.longitude << "," << point.latitude << " step "
                             << cover.step());
      }
    }
  }
  CHECK(inside > 10'000);
}

TEST_CASE("Covers are tight and in order", "[geo]") {
  const Cover point({.center = {15, 37}, .radius_m = 0});
  CHECK(point.step() == kMaxStep);
  CHECK(point.end() - point.begin() == 1);
  const Cover all({.center = {15, 37}, .radius_m = 1e9});
  CHECK(all.step() == 1);
  // The four cells, and the edges of the map.
  double covered = 0;
  for (const ScoreRange& range : all) covered += range.end - range.begin;
  CHECK(covered >= 0x1.0p52);
  const Cover city({.center = {15, 37}, .radius_m = 1000});
  const double center = static_cast<double>(Encode({15, 37}));
  CHECK(center >= city.begin()->begin);
  CHECK(center < city.begin()->end);
  for (const double radius_m : {std::numeric_limits<double>::infinity(), 1e300, 1e-300}) {
    const Cover extreme({.center = {-180, kMaxLatitude}, .radius_m = radius_m});
    CHECK(Covers(extreme, static_cast<double>(Encode({-180, kMaxLatitude}))));
  }
}

}  // namespace
}  // namespace pinyon::geo
