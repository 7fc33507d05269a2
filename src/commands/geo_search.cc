// Searching for places: GEOSEARCH and GEOSEARCHSTORE, and GEORADIUS, GEORADIUSBYMEMBER and their read-only
// forms, which are the same with a circle given by position.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/families.h"
#include "commands/geo_args.h"
#include "commands/source_keys.h"

namespace pinyon {

namespace {

enum class Order : uint8_t { kNone, kAscending, kDescending };

// How a command is given.
struct Form {
  size_t source = 1;               // argument of the key that is searched
  size_t options = 2;              // the first argument that is an option
  bool has_area_options = false;   // FROM... and BY..., of GEOSEARCH
  bool has_store_options = false;  // STORE and STOREDIST with a key, of GEORADIUS
  bool stores = false;             // GEOSEARCHSTORE: argument 1 is the destination, STOREDIST stands alone
};

struct Search {
  geo::Area area;
  double unit_m = 1;  // of the distances that are replied
  bool has_center = false;
  bool from_member = false;
  bool by_circle = false;
  bool by_box = false;

  bool with_distance = false;
  bool with_hash = false;
  bool with_point = false;
  Order order = Order::kNone;
  size_t count = 0;  // 0: all
  bool any = false;
  size_t destination = 0;  // argument of the key where the result is stored; 0: it is replied
  bool store_distances = false;

  bool WithAnything() const { return with_distance || with_hash || with_point; }
};

// What is searched, which may be missing.
struct Source {
  EntryRef ref;

  // Where a member lies; false after the error reply. Of a missing key nothing will be found, from anywhere.
  bool Locate(Call& call, size_t index, geo::Point* point) const {
    if (!ref || FindPoint(ZsetValue(call.db, ref), call.args[index], point)) return true;
    return call.Fail("ERR could not decode requested zset member");
  }
};

bool ParseLength(Call& call, size_t index, std::string_view error, double* length) {
  return ParseDouble(call.args[index], length) || call.Fail(error);
}

// "radius unit"
bool ParseCircle(Call& call, size_t index, Search* search) {
  double radius;
  if (!ParseLength(call, index, "ERR need numeric radius", &radius)) return false;
  if (radius < 0) return call.Fail("ERR radius cannot be negative");
  if (!ParseUnit(call, index + 1, &search->unit_m)) return false;
  search->area.shape = geo::Area::Shape::kCircle;
  search->area.radius_m = radius * search->unit_m;
  search->by_circle = true;
  return true;
}

// "width height unit"
bool ParseBox(Call& call, size_t index, Search* search) {
  double width;
  double height;
  if (!ParseLength(call, index, "ERR need numeric width", &width)) return false;
  if (!ParseLength(call, index + 1, "ERR need numeric height", &height)) return false;
  if (width < 0 || height < 0) return call.Fail("ERR height or width cannot be negative");
  if (!ParseUnit(call, index + 2, &search->unit_m)) return false;
  search->area.shape = geo::Area::Shape::kBox;
  search->area.width_m = width * search->unit_m;
  search->area.height_m = height * search->unit_m;
  search->by_box = true;
  return true;
}

// What became of an argument.
enum class Parsed : uint8_t { kOption, kNothing, kError };

Parsed Taken(bool ok) { return ok ? Parsed::kOption : Parsed::kError; }

// An option that says which area; *i is moved to its last argument.
Parsed ParseAreaOption(Call& call, const Source& source, size_t* i, Search* search) {
  const size_t option = *i;
  const size_t following = call.argc() - option - 1;
  const bool from_point = search->has_center && !search->from_member;
  if (call.Is(option, "frommember") && following >= 1 && !from_point) {
    *i += 1;
    search->has_center = true;
    search->from_member = true;
    return Taken(source.Locate(call, option + 1, &search->area.center));
  }
  if (call.Is(option, "fromlonlat") && following >= 2 && !search->from_member) {
    *i += 2;
    search->has_center = true;
    return Taken(ParsePoint(call, option + 1, &search->area.center));
  }
  if (call.Is(option, "byradius") && following >= 2 && !search->by_box) {
    *i += 2;
    return Taken(ParseCircle(call, option + 1, search));
  }
  if (call.Is(option, "bybox") && following >= 3 && !search->by_circle) {
    *i += 3;
    return Taken(ParseBox(call, option + 1, search));
  }
  return Parsed::kNothing;
}

// An option that says where the result goes.
Parsed ParseStoreOption(Call& call, const Form& form, size_t* i, Search* search) {
  if (form.stores && call.Is(*i, "storedist")) {
    search->store_distances = true;
    return Parsed::kOption;
  }
  if (!form.has_store_options || *i + 1 >= call.argc()) return Parsed::kNothing;
  const bool distances = call.Is(*i, "storedist");
  if (!distances && !call.Is(*i, "store")) return Parsed::kNothing;
  search->destination = ++*i;
  search->store_distances = distances;
  return Parsed::kOption;
}

Parsed ParseResultOption(Call& call, size_t* i, Search* search) {
  if (call.Is(*i, "withdist")) {
    search->with_distance = true;
  } else if (call.Is(*i, "withhash")) {
    search->with_hash = true;
  } else if (call.Is(*i, "withcoord")) {
    search->with_point = true;
  } else if (call.Is(*i, "any")) {
    search->any = true;
  } else if (call.Is(*i, "asc")) {
    search->order = Order::kAscending;
  } else if (call.Is(*i, "desc")) {
    search->order = Order::kDescending;
  } else if (call.Is(*i, "count") && *i + 1 < call.argc()) {
    int64_t count;
    if (!call.Int(++*i, &count)) return Parsed::kError;
    if (count <= 0) return Taken(call.Fail("ERR COUNT must be > 0"));
    search->count = static_cast<size_t>(count);
  } else {
    return Parsed::kNothing;
  }
  return Parsed::kOption;
}

bool ParseOptions(Call& call, const Form& form, const Source& source, Search* search) {
  for (size_t i = form.options; i < call.argc(); ++i) {
    Parsed parsed = ParseResultOption(call, &i, search);
    if (parsed == Parsed::kNothing) parsed = ParseStoreOption(call, form, &i, search);
    if (parsed == Parsed::kNothing && form.has_area_options) {
      parsed = ParseAreaOption(call, source, &i, search);
    }
    if (parsed == Parsed::kNothing) return call.SyntaxError();
    if (parsed == Parsed::kError) return false;
  }
  if (search->destination != 0 && search->WithAnything()) {
    return call.Fail(std::string("ERR ") + (form.stores ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
                     " is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
  }
  if (form.has_area_options && !search->has_center) {
    return call.Fail("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " +
                     std::string(call.args[0]));
  }
  if (form.has_area_options && !search->by_circle && !search->by_box) {
    return call.Fail("ERR exactly one of BYRADIUS and BYBOX can be specified for " +
                     std::string(call.args[0]));
  }
  if (search->any && search->count == 0) return call.Fail("ERR the ANY argument requires COUNT argument");
  return true;
}

// The places that were found. Members are copied: a packed set lends one at a time.
class Places {
 public:
  struct Place {
    size_t member_end;  // in the text of all
    double score;
    geo::Point point;
    double distance_m;
  };

  void Add(std::string_view member, double score, geo::Point point, double distance_m) {
    members_.append(member);
    places_.push_back({members_.size(), score, point, distance_m});
    order_.push_back(order_.size());
  }
  size_t found() const { return places_.size(); }
  // Of those that were found, the ones to give.
  size_t size() const { return order_.size(); }
  const Place& operator[](size_t index) const { return places_[order_[index]]; }
  std::string_view member(size_t index) const {
    const size_t at = order_[index];
    const size_t begin = at == 0 ? 0 : places_[at - 1].member_end;
    return std::string_view(members_).substr(begin, places_[at].member_end - begin);
  }

  // Puts the first `count` in order, and drops the others. Among equal distances the order stays.
  void Arrange(Order order, size_t count) {
    count = std::min(count, order_.size());
    const auto before = [&](size_t a, size_t b) {
      const double a_m = places_[a].distance_m;
      const double b_m = places_[b].distance_m;
      if (a_m == b_m) return a < b;
      return order == Order::kAscending ? a_m < b_m : a_m > b_m;
    };
    const auto end = order_.begin() + static_cast<ptrdiff_t>(count);
    if (order != Order::kNone && end == order_.end()) std::sort(order_.begin(), end, before);
    if (order != Order::kNone && end != order_.end()) {
      std::partial_sort(order_.begin(), end, order_.end(), before);
    }
    order_.resize(count);
  }

 private:
  std::string members_;
  std::vector<Place> places_;
  std::vector<size_t> order_;
};

// Collects the places within the area, cell by cell, until there are as many as ANY asks for.
void Collect(const ZsetValue& zset, const Search& search, Places* places) {
  const size_t limit = search.any ? search.count : SIZE_MAX;
  const uint64_t size = zset.size();
  for (const geo::ScoreRange& range : geo::Cover(search.area)) {
    const uint64_t rank = zset.CountBefore(ScoreBound::BeforeScore(range.begin));
    if (rank >= size) continue;
    for (ZsetCursor at = zset.At(rank); at && at.score() < range.end; at.Next()) {
      const geo::Point point = geo::Decode(geo::GeohashOfScore(at.score()));
      const auto distance_m = search.area.DistanceWithinM(point);
      if (!distance_m) continue;
      places->Add(at.member(), at.score(), point, *distance_m);
      if (places->found() >= limit) return;
    }
  }
}

void ReplyPlaces(Call& call, const Search& search, const Places& places) {
  const size_t parts = size_t{1} + search.with_distance + search.with_hash + search.with_point;
  call.reply.ArrayHeader(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    if (parts > 1) call.reply.ArrayHeader(parts);
    call.reply.Bulk(places.member(i));
    if (search.with_distance) ReplyDistance(call.reply, places[i].distance_m / search.unit_m);
    if (search.with_hash) call.reply.Integer(static_cast<int64_t>(geo::GeohashOfScore(places[i].score)));
    if (search.with_point) ReplyPoint(call.reply, places[i].point);
  }
}

// Stores the result in the place of whatever the destination holds.
void StorePlaces(Call& call, const Search& search, const Places& places, std::string_view event) {
  ZsetValue result(call.db, ZsetValue::New(call.args[search.destination]));
  for (size_t i = 0; i < places.size(); ++i) {
    const double score = search.store_distances ? places[i].distance_m / search.unit_m : places[i].score;
    result.AddNew(places.member(i), score);
  }
  StoreResult(call, search.destination, result.Release(), places.size(), kNotifyZset, event);
  const int64_t count = static_cast<int64_t>(places.size());
  if (count > 0) call.CountChanges(count - 1);
  call.reply.Integer(count);
}

// Everything from the options on.
void RunSearch(Call& call, const Form& form, const Source& source, Search search) {
  if (form.stores) search.destination = 1;
  if (!ParseOptions(call, form, source, &search)) return;
  Places places;
  if (source.ref) {
    if (search.count > 0 && !search.any && search.order == Order::kNone) search.order = Order::kAscending;
    Collect(ZsetValue(call.db, source.ref), search, &places);
    places.Arrange(search.order, search.count == 0 ? SIZE_MAX : search.count);
  }
  if (search.destination == 0) return ReplyPlaces(call, search, places);
  StorePlaces(call, search, places, form.has_area_options ? "geosearchstore" : "georadiusstore");
}

bool FindSource(Call& call, const Form& form, Source* source) {
  return call.FindTypedForRead(form.source, ValueType::kZset, &source->ref);
}

void SearchByOptions(Call& call, const Form& form) {
  Source source;
  if (FindSource(call, form, &source)) RunSearch(call, form, source, {});
}

// GEORADIUS key longitude latitude radius unit [option ...]
void SearchAroundPoint(Call& call, const Form& form) {
  Source source;
  if (!FindSource(call, form, &source)) return;
  Search search;
  if (!ParsePoint(call, 2, &search.area.center) || !ParseCircle(call, 4, &search)) return;
  RunSearch(call, form, source, search);
}

// GEORADIUSBYMEMBER key member radius unit [option ...]. Of a missing key, only the options are looked at.
void SearchAroundMember(Call& call, const Form& form) {
  Source source;
  if (!FindSource(call, form, &source)) return;
  Search search;
  if (source.ref) {
    if (!source.Locate(call, 2, &search.area.center) || !ParseCircle(call, 3, &search)) return;
  }
  RunSearch(call, form, source, search);
}

// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX width height
// unit [option ...]
void Geosearch(Call& call) { SearchByOptions(call, {.has_area_options = true}); }

// GEOSEARCHSTORE destination source, then as GEOSEARCH
void Geosearchstore(Call& call) {
  SearchByOptions(call, {.source = 2, .options = 3, .has_area_options = true, .stores = true});
}

void Georadius(Call& call) { SearchAroundPoint(call, {.options = 6, .has_store_options = true}); }
void GeoradiusReadOnly(Call& call) { SearchAroundPoint(call, {.options = 6}); }
void Georadiusbymember(Call& call) { SearchAroundMember(call, {.options = 5, .has_store_options = true}); }
void GeoradiusbymemberReadOnly(Call& call) { SearchAroundMember(call, {.options = 5}); }

constexpr const char* kSearchComplexity =
    "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape "
    "provided as the filter and M is the number of items inside the shape";
constexpr const char* kRadiusComplexity =
    "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by "
    "center and radius and M is the number of items inside the index.";

// A destination that an option names.
constexpr KeySpec StoreKey(const char* keyword, int search_from) {
  return {.flags = kKeyOW | kKeyUpdate,
          .begin = KeySpec::Begin::kKeyword,
          .index = search_from,
          .keyword = keyword};
}

constexpr CommandSpec kGeoSearchCommands[] = {
    {.name = "geosearch",
     .arity = -7,
     .flags = kReadOnly,
     .handler = Geosearch,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Finds the places within a circle or a box",
     .syntax =
         "key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | KM | FT | MI> | "
         "BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] "
         "[WITHDIST] [WITHHASH]",
     .history = {{"7.0.0", "Added support for uppercase unit names."}}},
    {.name = "geosearchstore",
     .arity = -8,
     .flags = kWrite | kDenyOom,
     .handler = Geosearchstore,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyOW | kKeyUpdate), KeyAt(2, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "6.2.0",
     .complexity = kSearchComplexity,
     .summary = "Finds the places within a circle or a box and stores them",
     .syntax = "destination source <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius <M | "
               "KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
               "[STOREDIST]",
     .history = {{"7.0.0", "Added support for uppercase unit names."}}},
    {.name = "georadius",
     .arity = -6,
     .flags = kWrite | kDenyOom,
     .handler = Georadius,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), StoreKey("STORE", 6), StoreKey("STOREDIST", 6)},
     .group = "geo",
     .since = "3.2.0",
     .complexity = kRadiusComplexity,
     .summary = "Finds the places within a distance of a point, and may store them",
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC] [STORE key] [STOREDIST key]",
     .history = {{"6.2.0", "Added the `ANY` option for `COUNT`."},
                 {"7.0.0", "Added support for uppercase unit names."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument"},
    {.name = "georadius_ro",
     .arity = -6,
     .flags = kReadOnly,
     .handler = GeoradiusReadOnly,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "3.2.10",
     .complexity = kRadiusComplexity,
     .summary = "Finds the places within a distance of a point",
     .syntax = "key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
               "[COUNT count [ANY]] [ASC | DESC]",
     .history = {{"6.2.0", "Added the `ANY` option for `COUNT`."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` argument"},
    {.name = "georadiusbymember",
     .arity = -5,
     .flags = kWrite | kDenyOom,
     .handler = Georadiusbymember,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess), StoreKey("STORE", 5), StoreKey("STOREDIST", 5)},
     .group = "geo",
     .since = "3.2.0",
     .complexity = kRadiusComplexity,
     .summary = "Finds the places within a distance of a member, and may store them",
     .syntax = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
               "[ASC | DESC] [STORE key] [STOREDIST key]",
     .history = {{"7.0.0", "Added support for uppercase unit names."}},
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments"},
    {.name = "georadiusbymember_ro",
     .arity = -5,
     .flags = kReadOnly,
     .handler = GeoradiusbymemberReadOnly,
     .acl = kAclGeo,
     .keys = {KeyAt(1, kKeyRO | kKeyAccess)},
     .group = "geo",
     .since = "3.2.10",
     .complexity = kRadiusComplexity,
     .summary = "Finds the places within a distance of a member",
     .syntax = "key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
               "[ASC | DESC]",
     .deprecated_since = "6.2.0",
     .replaced_by = "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments"},
};

}  // namespace

std::span<const CommandSpec> GeoSearchCommands() { return kGeoSearchCommands; }

}  // namespace pinyon
