// Places on Earth as sorted set scores, as Redis keeps them: longitude and latitude, 26 bits each,
// interleaved into a geohash of 52 bits, which a double holds exactly. The even bits are the latitude's. A
// shorter prefix is a larger cell, and a cell is one range of scores; so what lies near a place is found by
// reading a few ranges and keeping what is near enough.
//
//   step   1: 2 x 2 cells cover the Earth ... 26: 2^26 x 2^26, 0.6 m by 0.3 m at the equator
//
// Latitudes end at +-85.05112878, as in Web Mercator (EPSG:3857). Distances are along great circles of a
// sphere (haversine formula), up to 0.5 % off for the real Earth. Everything here takes constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pinyon::geo {

inline constexpr double kMaxLongitude = 180.0;
inline constexpr double kMaxLatitude = 85.05112878;
inline constexpr unsigned kMaxStep = 26;

// In degrees.
struct Point {
  double longitude = 0;
  double latitude = 0;
};

// Whether a point has a geohash; false for NaN.
bool IsValid(Point point);

// The geohash of a valid point; `step` bits of each coordinate.
uint64_t Encode(Point point, unsigned step = kMaxStep);
// The middle of a cell of step 26. Any 64 bits may be given, as a score may be any number: what lies beyond
// the map is drawn to its edge.
Point Decode(uint64_t geohash);
// The bits that a score stands for. Those that are no geohash get what a conversion in hardware would give.
uint64_t GeohashOfScore(double score);

// The standard text form (base 32, latitudes to +-90): eleven characters, the last always '0' because 52 bits
// are ten.
inline constexpr size_t kTextChars = 11;
std::array<char, kTextChars> Text(Point point);

double DistanceM(Point a, Point b);

// What is searched: a circle, or a box whose width is measured along the latitude of each point in it.
struct Area {
  enum class Shape : uint8_t { kCircle, kBox };
  Shape shape = Shape::kCircle;
  Point center;
  double radius_m = 0;  // of a circle
  double width_m = 0;   // of a box
  double height_m = 0;

  // The distance from the center, if the point lies within.
  std::optional<double> DistanceWithinM(Point point) const;
};

// Scores from `begin` to before `end`.
struct ScoreRange {
  double begin = 0;
  double end = 0;
};

// Up to nine cells that together hold all that lies within an area: the center's, then its neighbours to the
// north, south, east, west, north-east, north-west, south-east and south-west, but for those that are too far
// away. Without another order results come cell by cell.
class Cover {
 public:
  explicit Cover(const Area& area);
  const ScoreRange* begin() const { return ranges_.data(); }
  const ScoreRange* end() const { return ranges_.data() + count_; }
  unsigned step() const { return step_; }

 private:
  void AddCell(uint32_t column, uint32_t row);
  void AddRange(uint32_t column, uint32_t row);

  // At a corner of the map six cells have ranges beyond its edges beside their own.
  std::array<ScoreRange, 16> ranges_;
  size_t count_ = 0;
  unsigned step_ = 0;
};

// Meters in a unit of distance: "m", "km", "ft" or "mi" in any case.
std::optional<double> MetersIn(std::string_view unit);

}  // namespace pinyon::geo
