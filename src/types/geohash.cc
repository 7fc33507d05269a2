#include "types/geohash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/assert.h"
#include "base/strings.h"

namespace pinyon::geo {

namespace {

constexpr double kEarthRadiusM = 6372797.560856;
constexpr double kRadiansPerDegree = std::numbers::pi / 180.0;
// Half the circumference that the Web Mercator map has.
constexpr double kMapHalfWidthM = 20037726.37;

double Radians(double degrees) { return degrees * kRadiansPerDegree; }
double Degrees(double radians) { return radians / kRadiansPerDegree; }

// Puts a zero before each bit.
uint64_t Spread(uint32_t value) {
  uint64_t x = value;
  x = (x | x << 16) & 0x0000ffff0000ffff;
  x = (x | x << 8) & 0x00ff00ff00ff00ff;
  x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x << 2) & 0x3333333333333333;
  return (x | x << 1) & 0x5555555555555555;
}

// The even bits.
uint32_t Gather(uint64_t x) {
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(x | x >> 16);
}

// A cell by its column and row in the grid of its step.
struct Cell {
  uint32_t column;
  uint32_t row;
};

uint64_t Interleave(Cell cell) { return Spread(cell.row) | Spread(cell.column) << 1; }

double Cells(unsigned step) { return static_cast<double>(uint64_t{1} << step); }

// The index of what lies at `value` between -limit and limit. The upper limit itself would be one too far,
// and spills into the bits above, as in Redis.
uint32_t Index(double value, double limit, unsigned step) {
  return static_cast<uint32_t>((value + limit) / (2 * limit) * Cells(step));
}

Cell CellOf(Point point, double latitude_limit, unsigned step) {
  return {Index(point.longitude, kMaxLongitude, step), Index(point.latitude, latitude_limit, step)};
}

// Where the cell with an index begins.
double Edge(double index, double limit, unsigned step) { return -limit + index / Cells(step) * (2 * limit); }

double Middle(uint32_t index, double limit) {
  const double middle =
      (Edge(index, limit, kMaxStep) + Edge(static_cast<double>(index) + 1, limit, kMaxStep)) / 2;
  return std::clamp(middle, -limit, limit);
}

double LatitudeDistanceM(double a, double b) { return kEarthRadiusM * std::fabs(Radians(b) - Radians(a)); }

// The degrees that an area reaches from its center. More than 180 of longitude: all around, which is so when
// it holds a pole.
struct Reach {
  double latitude;
  double longitude;
};

Reach ReachOf(const Area& area) {
  const bool is_circle = area.shape == Area::Shape::kCircle;
  const double height_m = is_circle ? area.radius_m : area.height_m / 2;
  const double width_m = is_circle ? area.radius_m : area.width_m / 2;
  const double latitude = Degrees(height_m / kEarthRadiusM);
  // The meridians are closest at the latitude that is farthest from the equator.
  const double farthest = std::fabs(area.center.latitude) + latitude;
  constexpr double kAllAround = 360;
  if (!(farthest < 90)) return {latitude, kAllAround};
  return {latitude, std::min(kAllAround, Degrees(width_m / kEarthRadiusM / std::cos(Radians(farthest))))};
}

// The step whose cells are about as large as the area, so that a cell and its neighbours hold it.
unsigned EstimateStep(double radius_m, double latitude) {
  if (!(radius_m > 0)) return kMaxStep;
  int step = -1;
  for (double size = radius_m; size < kMapHalfWidthM && step < 64; size *= 2) ++step;
  // Toward the poles cells get narrower.
  const double distance = std::fabs(latitude);
  if (distance > 66) --step;
  if (distance > 80) --step;
  return static_cast<unsigned>(std::clamp(step, 1, static_cast<int>(kMaxStep)));
}

// Which neighbours of a cell an area reaches into, and whether beyond them.
struct Needs {
  bool north, south, east, west;
  bool more;
};

Needs NeedsAround(Cell cell, unsigned step, Point center, Reach reach) {
  const double west = Edge(cell.column, kMaxLongitude, step);
  const double east = Edge(cell.column + 1.0, kMaxLongitude, step);
  const double south = Edge(cell.row, kMaxLatitude, step);
  const double north = Edge(cell.row + 1.0, kMaxLatitude, step);
  const double width = east - west;
  const double height = north - south;
  const double min_longitude = center.longitude - reach.longitude;
  const double max_longitude = center.longitude + reach.longitude;
  const double min_latitude = std::max(center.latitude - reach.latitude, -kMaxLatitude);
  const double max_latitude = std::min(center.latitude + reach.latitude, kMaxLatitude);
  Needs needs;
  needs.west = min_longitude <= west;
  needs.east = max_longitude >= east;
  // Nothing lies beyond the map's edges.
  needs.south = cell.row > 0 && min_latitude <= south;
  needs.north = cell.row + 1 < (uint32_t{1} << step) && max_latitude >= north;
  needs.more = min_longitude < west - width || max_longitude > east + width ||
               min_latitude < south - height || max_latitude > north + height;
  return needs;
}

}  // namespace

bool IsValid(Point point) {
  return point.longitude >= -kMaxLongitude && point.longitude <= kMaxLongitude &&
         point.latitude >= -kMaxLatitude && point.latitude <= kMaxLatitude;
}

uint64_t Encode(Point point, unsigned step) {
  PINYON_ASSERT(IsValid(point) && step >= 1 && step <= kMaxStep);
  return Interleave(CellOf(point, kMaxLatitude, step));
}

Point Decode(uint64_t geohash) {
  return {Middle(Gather(geohash >> 1), kMaxLongitude), Middle(Gather(geohash), kMaxLatitude)};
}

uint64_t GeohashOfScore(double score) {
  constexpr double k2To63 = 0x1.0p63;
  if (score < -k2To63) return uint64_t{1} << 63;
  if (score < k2To63) return static_cast<uint64_t>(static_cast<int64_t>(score));
  if (score < 2 * k2To63) return static_cast<uint64_t>(score);
  return 0;
}

std::array<char, kTextChars> Text(Point point) {
  constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr unsigned kCharBits = 5;
  const uint64_t bits = Interleave(CellOf(point, 90, kMaxStep));
  std::array<char, kTextChars> text;
  text.fill(kAlphabet[0]);
  for (unsigned i = 0; i < kTextChars - 1; ++i) {
    text[i] = kAlphabet[(bits >> (2 * kMaxStep - (i + 1) * kCharBits)) & 0x1f];
  }
  return text;
}

double DistanceM(Point a, Point b) {
  const double sin_longitude = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  // On one meridian the formula's rounding is spared.
  if (sin_longitude == 0) return LatitudeDistanceM(a.latitude, b.latitude);
  const double a_latitude = Radians(a.latitude);
  const double b_latitude = Radians(b.latitude);
  const double sin_latitude = std::sin((b_latitude - a_latitude) / 2);
  const double haversine = sin_latitude * sin_latitude +
                           std::cos(a_latitude) * std::cos(b_latitude) * sin_longitude * sin_longitude;
  return 2 * kEarthRadiusM * std::asin(std::sqrt(haversine));
}

std::optional<double> Area::DistanceWithinM(Point point) const {
  if (shape == Shape::kCircle) {
    const double distance_m = DistanceM(center, point);
    if (distance_m > radius_m) return std::nullopt;
    return distance_m;
  }
  // The cheap test first.
  if (LatitudeDistanceM(center.latitude, point.latitude) > height_m / 2) return std::nullopt;
  if (DistanceM(point, {center.longitude, point.latitude}) > width_m / 2) return std::nullopt;
  return DistanceM(center, point);
}

Cover::Cover(const Area& area) {
  const double radius_m =
      area.shape == Area::Shape::kCircle
          ? area.radius_m
          : std::sqrt(area.width_m / 2 * (area.width_m / 2) + area.height_m / 2 * (area.height_m / 2));
  const Reach reach = ReachOf(area);
  step_ = EstimateStep(radius_m, area.center.latitude);
  Cell cell;
  Needs needs;
  while (true) {
    const uint32_t last = (uint32_t{1} << step_) - 1;
    cell = CellOf(area.center, kMaxLatitude, step_);
    cell = {std::min(cell.column, last), std::min(cell.row, last)};
    needs = NeedsAround(cell, step_, area.center, reach);
    // Of the four cells of step 1 three are neighbours.
    if (!needs.more || step_ == 1) break;
    --step_;
  }

  struct Direction {
    int east;
    int north;
  };
  constexpr Direction kDirections[] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                       {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
  const uint32_t mask = (uint32_t{1} << step_) - 1;
  for (const auto [east, north] : kDirections) {
    if ((east > 0 && !needs.east) || (east < 0 && !needs.west)) continue;
    if ((north > 0 && !needs.north) || (north < 0 && !needs.south)) continue;
    // Around the Earth the columns meet again; rows end before, by what is needed.
    AddCell((cell.column + static_cast<uint32_t>(east)) & mask, cell.row + static_cast<uint32_t>(north));
  }
}

void Cover::AddCell(uint32_t column, uint32_t row) {
  const uint32_t beyond = uint32_t{1} << step_;
  PINYON_ASSERT(column < beyond && row < beyond);
  AddRange(column, row);
  // What lies exactly on the map's east or north edge has an index one too high.
  if (column + 1 == beyond) AddRange(beyond, row);
  if (row + 1 == beyond) AddRange(column, beyond);
  if (column + 1 == beyond && row + 1 == beyond) AddRange(beyond, beyond);
}

void Cover::AddRange(uint32_t column, uint32_t row) {
  const unsigned shift = 2 * (kMaxStep - step_);
  const uint64_t first = Interleave({column, row}) << shift;
  const ScoreRange range{static_cast<double>(first), static_cast<double>(first + (uint64_t{1} << shift))};
  const auto is_known = [&](const ScoreRange& other) { return other.begin == range.begin; };
  if (std::any_of(begin(), end(), is_known)) return;
  PINYON_ASSERT(count_ < ranges_.size());
  ranges_[count_++] = range;
}

std::optional<double> MetersIn(std::string_view unit) {
  if (EqualsIgnoreCase(unit, "m")) return 1;
  if (EqualsIgnoreCase(unit, "km")) return 1000;
  if (EqualsIgnoreCase(unit, "ft")) return 0.3048;
  if (EqualsIgnoreCase(unit, "mi")) return 1609.34;
  return std::nullopt;
}

}  // namespace pinyon::geo
