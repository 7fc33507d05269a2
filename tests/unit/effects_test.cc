#include "engine/effects.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace pinyon {

namespace {

class Listener final : public EffectListener {
 public:
  uint64_t Append(std::string_view commands) override {
    units.emplace_back(commands);
    offset += commands.size();
    return offset;
  }
  std::vector<std::string> units;
  uint64_t offset = 0;
};

void Add(Effects& effects, int database, std::vector<std::string_view> args) { effects.Add(database, args); }

constexpr const char* kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr const char* kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr const char* kSelect0 = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
constexpr const char* kSelect12 = "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n";
constexpr const char* kDelK = "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n";

}  // namespace

TEST_CASE("Effects reach nobody while nobody listens", "[effects]") {
  Effects effects;
  CHECK_FALSE(effects.Listening());
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  CHECK(effects.offset() == 0);
}

TEST_CASE("One effect is delivered alone, with SELECT where the database changes", "[effects]") {
  Effects effects;
  Listener listener;
  effects.SetListener(&listener);
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  Add(effects, 12, {"DEL", "k"});
  effects.EndUnit();
  REQUIRE(listener.units.size() == 3);
  CHECK(listener.units[0] == std::string(kSelect0) + kDelK);
  CHECK(listener.units[1] == kDelK);
  CHECK(listener.units[2] == std::string(kSelect12) + kDelK);
  CHECK(effects.offset() == listener.offset);
}

TEST_CASE("Several effects of a unit are one transaction", "[effects]") {
  Effects effects;
  Listener listener;
  effects.SetListener(&listener);
  Add(effects, 0, {"DEL", "k"});
  Add(effects, 12, {"DEL", "k"});
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  REQUIRE(listener.units.size() == 1);
  CHECK(listener.units[0] ==
        std::string(kMulti) + kSelect0 + kDelK + kSelect12 + kDelK + kSelect0 + kDelK + kExec);
}

TEST_CASE("A unit without effects is not delivered", "[effects]") {
  Effects effects;
  Listener listener;
  effects.SetListener(&listener);
  effects.EndUnit();
  CHECK(listener.units.empty());
}

TEST_CASE("A new listener is told the database again", "[effects]") {
  Effects effects;
  Listener first, second;
  effects.SetListener(&first);
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  effects.SetListener(nullptr);
  Add(effects, 12, {"DEL", "k"});
  effects.EndUnit();
  effects.SetListener(&second);
  Add(effects, 0, {"DEL", "k"});
  effects.EndUnit();
  CHECK(first.units.size() == 1);
  REQUIRE(second.units.size() == 1);
  CHECK(second.units[0] == std::string(kSelect0) + kDelK);
}

TEST_CASE("Effects carry any bytes of any length", "[effects]") {
  Effects effects;
  Listener listener;
  effects.SetListener(&listener);
  const std::string big(200'000, '\0');
  Add(effects, 0, {"SET", "\r\n", big});
  effects.EndUnit();
  REQUIRE(listener.units.size() == 1);
  CHECK(listener.units[0] ==
        std::string(kSelect0) + "*3\r\n$3\r\nSET\r\n$2\r\n\r\n\r\n$200000\r\n" + big + "\r\n");
}

}  // namespace pinyon
