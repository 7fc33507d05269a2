#include "types/field.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "base/alloc.h"
#include "base/random.h"
#include "types/member.h"

namespace pinyon {

namespace {

std::string Text(Random& random, size_t length) {
  std::string text(length, '\0');
  for (char& c : text) c = static_cast<char>(random.Below(256));
  return text;
}

// Lengths at which the form of a field changes, among others.
size_t Length(Random& random) {
  constexpr size_t kEdges[] = {0, 1, 16, 126, 127, 128, 129, 254, 255, 256, 257, 5000};
  return random.Below(2) == 0 ? kEdges[random.Below(std::size(kEdges))] : random.Below(40);
}

}  // namespace

TEST_CASE("A field gives back its name, value and expiry", "[field]") {
  Random random(Catch::rngSeed());
  for (int i = 0; i < 2000; ++i) {
    const std::string name = Text(random, Length(random));
    const std::string value = Text(random, Length(random));
    const int64_t expiry_ms =
        random.Below(2) == 0 ? Field::kNoExpiry : static_cast<int64_t>(random.Next() >> 2);
    Field* field = Field::New(name, value, expiry_ms);
    CHECK(field->key() == name);
    CHECK(field->value() == value);
    CHECK(field->HasExpiry() == (expiry_ms != Field::kNoExpiry));
    CHECK(field->expiry_ms() == expiry_ms);
    const std::string other = Text(random, Length(random));
    const bool rewritten = field->RewriteInPlace(other);
    CHECK(field->key() == name);
    CHECK(field->value() == (rewritten ? other : value));
    CHECK(field->expiry_ms() == expiry_ms);
    if (other.size() == value.size()) CHECK(rewritten);
    Field::Delete(field);
  }
}

TEST_CASE("The usual field takes two bytes beside its own", "[field]") {
  Field* field = Field::New("item:000000001", "0123456789abcdef");
  CHECK(field->AllocatedBytes() == 32);
  Field::Delete(field);
  Member* member = Member::New("visitor:000000001");
  CHECK(member->AllocatedBytes() == 18);
  Member::Delete(member);
}

TEST_CASE("A table of fields agrees with a map", "[field]") {
  Random random(Catch::rngSeed());
  FieldTable table(HashSeed{random.Next(), random.Next()});
  std::map<std::string, std::string> model;
  for (int i = 0; i < 30'000; ++i) {
    const std::string name = "field:" + std::to_string(random.Below(3000));
    const uint64_t hash = table.Hash(name);
    const FieldTable::Position found = table.Find(name, hash);
    REQUIRE(static_cast<bool>(found) == model.contains(name));
    if (random.Below(3) == 0) {
      if (!found) continue;
      Field::Delete(table.Remove(found));
      table.Tidy();
      model.erase(name);
      continue;
    }
    const std::string value = Text(random, random.Below(50));
    model[name] = value;
    if (!found) {
      table.Insert(Field::New(name, value), hash);
    } else if (!found->RewriteInPlace(value)) {
      Field* old = found.entry();
      table.Replace(found, Field::New(name, value), hash);
      Field::Delete(old);
    }
  }
  table.CheckConsistency();
  REQUIRE(table.size() == model.size());
  for (const auto& [name, value] : model) CHECK(table.Find(name, table.Hash(name))->value() == value);
}

TEST_CASE("A table of few members is small and finds them all", "[member]") {
  Random random(Catch::rngSeed());
  MemberTable table(HashSeed{random.Next(), random.Next()});
  CHECK(table.RandomPosition(random).operator bool() == false);
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::to_string(i * 7919);
    table.Insert(Member::New(text), table.Hash(text));
    table.CheckConsistency();
    if (i == 5) CHECK(table.OverheadBytes() <= 160);
  }
  size_t seen = 0;
  table.ForEach([&seen](Member*) { ++seen; });
  CHECK(seen == 200);
  for (int i = 0; i < 200; ++i) {
    const std::string text = std::to_string(i * 7919);
    Member::Delete(table.Remove(table.Find(text, table.Hash(text))));
    table.Tidy();
  }
  CHECK(table.size() == 0);
  table.CheckConsistency();
}

}  // namespace pinyon
