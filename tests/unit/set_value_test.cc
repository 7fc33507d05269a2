// Sets in all their encodings against std::set, and the odds of random choice.
#include "keyspace/set_value.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "keyspace/keyspace.h"

namespace pinyon {
namespace {

using Model = std::set<std::string>;

std::string TextOf(const PackedElement& element) {
  PackedElement::Digits digits;
  return std::string(element.Text(digits));
}

std::vector<std::string> Members(SetView set) {
  std::vector<std::string> members;
  SetReader reader(set);
  for (PackedElement element; reader.Next(&element);) members.push_back(TextOf(element));
  return members;
}

Model Sorted(const std::vector<std::string>& members) { return {members.begin(), members.end()}; }

struct Fixture {
  Keyspace keyspace{1, 7};
  Database& db = keyspace.database(0);
  EncodingLimits limits;
  Random random{11};

  Fixture() { keyspace.set_encoding_limits(limits); }

  // Adds members one by one under a key, which comes to be with the first.
  void Add(std::string_view key, const std::vector<std::string>& members) {
    EntryRef ref = db.Find(key);
    if (!ref) {
      const Encoding encoding = SetValue::InitialEncoding(limits, members.front(), members.size());
      ref = db.AddPacked(key, db.Hash(key), ValueType::kSet, encoding);
      SetValue(db, ref).Expect(members.size());
    }
    SetValue set(db, db.Find(key));
    for (const std::string& member : members) set.Add(member);
  }
  SetView View(std::string_view key) { return SetView(db.Find(key).entry()); }
  std::string EncodingOf(std::string_view key) { return std::string(EncodingName(View(key).encoding())); }
};

std::vector<std::string> Numbers(int count, int first = 0) {
  std::vector<std::string> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(first + i));
  return numbers;
}

TEST_CASE("set value: the first member and the number of members choose the encoding", "[set_value]") {
  Fixture f;
  f.Add("integers", {"3", "1", "2"});
  CHECK(f.EncodingOf("integers") == "intset");
  CHECK(Members(f.View("integers")) == std::vector<std::string>{"1", "2", "3"});
  f.Add("texts", {"b", "a", "7", "b"});
  CHECK(f.EncodingOf("texts") == "listpack");
  CHECK(Members(f.View("texts")) == std::vector<std::string>{"b", "a", "7"});
  f.Add("many_integers", Numbers(513));
  CHECK(f.EncodingOf("many_integers") == "hashtable");
  std::vector<std::string> many = Numbers(129);
  many.front() = "a";
  f.Add("many", many);
  CHECK(f.EncodingOf("many") == "hashtable");
  f.limits.set_max_intset_entries = 2;
  f.Add("listpack_of_integers", Numbers(3));
  CHECK(f.EncodingOf("listpack_of_integers") == "listpack");
}

TEST_CASE("set value: an encoding that is outgrown gives way, for good", "[set_value]") {
  Fixture f;
  f.Add("i", Numbers(512));
  CHECK(f.EncodingOf("i") == "intset");
  f.Add("i", {"512"});
  CHECK(f.EncodingOf("i") == "hashtable");
  CHECK(Sorted(Members(f.View("i"))) == Sorted(Numbers(513)));

  f.Add("text_to_few", Numbers(127));
  f.Add("text_to_few", {"text"});
  CHECK(f.EncodingOf("text_to_few") == "listpack");
  CHECK(f.View("text_to_few").size() == 128);
  CHECK(Members(f.View("text_to_few")).back() == "text");
  f.Add("text_to_few", {"text"});
  CHECK(f.EncodingOf("text_to_few") == "listpack");
  f.Add("text_to_few", {"another"});
  CHECK(f.EncodingOf("text_to_few") == "hashtable");

  f.Add("text_to_many", Numbers(128));
  f.Add("text_to_many", {"text"});
  CHECK(f.EncodingOf("text_to_many") == "hashtable");

  f.Add("long_text", {"a", std::string(64, 'x')});
  CHECK(f.EncodingOf("long_text") == "listpack");
  f.Add("long_text", {std::string(65, 'x')});
  CHECK(f.EncodingOf("long_text") == "hashtable");
  SetValue set(f.db, f.db.Find("long_text"));
  CHECK(set.Remove(std::string(65, 'x')));
  CHECK(f.EncodingOf("long_text") == "hashtable");

  f.limits.set_max_listpack_value = 3;
  f.Add("long_integers", {"1000"});
  f.Add("long_integers", {"a"});
  CHECK(f.EncodingOf("long_integers") == "hashtable");
}

TEST_CASE("set value: numbers are numbers only in their canonical spelling", "[set_value]") {
  Fixture f;
  f.Add("s", {"1", "-5", "9223372036854775807"});
  CHECK(f.EncodingOf("s") == "intset");
  CHECK(f.View("s").Contains("9223372036854775807"));
  CHECK_FALSE(f.View("s").Contains("01"));
  CHECK_FALSE(f.View("s").Contains("+1"));
  CHECK_FALSE(f.View("s").Contains(""));
  f.Add("s", {"01", "", "9223372036854775808", std::string("\0x", 2)});
  CHECK(f.EncodingOf("s") == "listpack");
  CHECK(f.View("s").size() == 7);
  for (const char* member : {"1", "-5", "01", "", "9223372036854775808"}) CHECK(f.View("s").Contains(member));
  CHECK(f.View("s").Contains(PackedElement{.is_integer = true, .integer = -5, .text = {}}));
}

std::string RandomMember(Random& random, bool integers) {
  const uint64_t number = random.Below(300);
  if (integers) return std::to_string(static_cast<int64_t>(number * number * number) - 5'000'000);
  if (number < 100) return std::to_string(number);
  return "member:" + std::string(number % 70, '_') + std::to_string(number);
}

void CheckSame(SetView set, const Model& model) {
  REQUIRE(set.size() == model.size());
  const std::vector<std::string> members = Members(set);
  REQUIRE(members.size() == model.size());
  REQUIRE(Sorted(members) == model);
  if (set.encoding() == Encoding::kHashtable) set.table().CheckConsistency();
}

TEST_CASE("set value: random operations give what a plain set gives", "[set_value]") {
  const auto [entries, value] =
      GENERATE(table<int64_t, int64_t>({{16, 64}, {128, 64}, {1000, 1000}, {0, 0}}));
  const bool integers = GENERATE(true, false);
  Fixture f;
  f.limits.set_max_listpack_entries = f.limits.set_max_intset_entries = entries;
  f.limits.set_max_listpack_value = value;
  Model model;
  for (int step = 0; step < 4000; ++step) {
    const std::string member = RandomMember(f.random, integers);
    EntryRef ref = f.db.Find("k");
    if (!ref) {
      f.Add("k", {member});
      model.insert(member);
      continue;
    }
    SetValue set(f.db, ref);
    const uint64_t choice = f.random.Below(100);
    if (choice < 55) {
      REQUIRE(set.Add(member) == model.insert(member).second);
    } else if (choice < 90) {
      REQUIRE(set.view().Contains(member) == model.contains(member));
      REQUIRE(set.Remove(member) == (model.erase(member) == 1));
    } else if (choice < 97) {
      const SetPick pick = set.view().PickRandom(f.random);
      REQUIRE(model.erase(TextOf(pick.element)) == 1);
      set.Remove(pick);
    } else if (set.size() > 1) {
      set.PopMany(1 + f.random.Below(set.size() - 1),
                  [&](const PackedElement& element) { REQUIRE(model.erase(TextOf(element)) == 1); });
    }
    REQUIRE(set.size() == model.size());
    if (step % 50 == 0) CheckSame(set.view(), model);
    if (model.empty()) f.db.Delete(set.ref());
  }
}

TEST_CASE("set value: many members at once are added and removed like one by one", "[set_value]") {
  Fixture f;
  f.Add("k", {"a"});
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) texts.push_back("member:" + std::to_string(i % 4000));
  const std::vector<std::string_view> members(texts.begin(), texts.end());
  SetValue set(f.db, f.db.Find("k"));
  CHECK(set.AddAll(std::span(members).first(100)) == 100);
  CHECK(set.encoding() == Encoding::kListpack);
  CHECK(set.AddAll(members) == 3900);
  CHECK(set.encoding() == Encoding::kHashtable);
  CHECK(set.size() == 4001);
  CHECK(set.RemoveAll(std::span(members).first(3000)) == 3000);
  CHECK(set.RemoveAll(members) == 1000);
  CHECK(Members(set.view()) == std::vector<std::string>{"a"});
}

TEST_CASE("set value: integers are brought together in an intset if they are few", "[set_value]") {
  Fixture f;
  f.Add("table", Numbers(200));
  {
    SetValue set(f.db, f.db.Find("table"));
    set.Add("text");
    CHECK(set.encoding() == Encoding::kHashtable);
    set.CompactIntegers();
    CHECK(set.encoding() == Encoding::kHashtable);
    set.Remove("text");
    set.CompactIntegers();
    CHECK(set.encoding() == Encoding::kIntset);
    CheckSame(set.view(), Sorted(Numbers(200)));
  }
  f.Add("listpack", {"a", "30", "10"});
  SetValue set(f.db, f.db.Find("listpack"));
  set.Remove("a");
  f.limits.set_max_intset_entries = 1;
  set.CompactIntegers();
  CHECK(set.encoding() == Encoding::kListpack);
  f.limits.set_max_intset_entries = 2;
  set.CompactIntegers();
  CHECK(set.encoding() == Encoding::kIntset);
  CHECK(Members(set.view()) == std::vector<std::string>{"10", "30"});
}

TEST_CASE("set value: what is left of a table after most was popped is small again", "[set_value]") {
  Fixture f;
  Model model;
  for (int i = 0; i < 3000; ++i) model.insert("member:" + std::to_string(i));
  f.Add("k", {model.begin(), model.end()});
  SetValue set(f.db, f.db.Find("k"));
  const auto erase = [&](const PackedElement& element) { REQUIRE(model.erase(TextOf(element)) == 1); };
  set.PopMany(2600, erase);
  CHECK(set.encoding() == Encoding::kHashtable);
  CheckSame(set.view(), model);
  set.PopMany(350, erase);
  CHECK(set.encoding() == Encoding::kListpack);
  CheckSame(set.view(), model);
}

TEST_CASE("set value: a detached set is stored when it is done", "[set_value]") {
  Fixture f;
  f.Add("k", {"old", "a"});
  SetView source = f.View("k");
  SetValue result(f.db, Database::NewPacked("k", ValueType::kSet, Encoding::kIntset));
  SetReader reader(source);
  for (PackedElement element; reader.Next(&element);) result.Add(element);
  for (const std::string& number : Numbers(300)) result.Add(number);
  CHECK(f.View("k").size() == 2);
  const EntryRef stored = f.db.StoreEntry(result.Release());
  CHECK(SetView(stored.entry()).size() == 302);
  CHECK(f.db.size() == 1);
  // One that is not stored frees what it holds.
  SetValue abandoned(f.db, Database::NewPacked("k", ValueType::kSet, Encoding::kListpack));
  for (const std::string& number : Numbers(300)) abandoned.Add(number);
}

TEST_CASE("set value: a batch is tested against sets of all encodings", "[set_value]") {
  Fixture f;
  f.Add("integers", Numbers(20, 5));
  f.Add("listpack", {"a", "6", "7", "b"});
  std::vector<std::string> many = Numbers(1000, 7);
  many.push_back("b");
  f.Add("table", many);
  SetBatch batch(f.keyspace.seed());
  const char* const texts[] = {"5", "6", "7", "8", "a", "b", "zz"};
  const auto kept = [&] {
    std::string all;
    for (size_t i = 0; i < batch.size(); ++i) {
      if (batch.IsKept(i)) all += TextOf(batch.element(i)) + " ";
    }
    return all;
  };
  const auto refill = [&] {
    batch.Clear();
    for (const char* text : texts) batch.Add(text);
  };
  refill();
  batch.KeepMembersOf(f.View("integers"));
  CHECK(kept() == "5 6 7 8 ");
  batch.KeepMembersOf(f.View("listpack"));
  CHECK(kept() == "6 7 ");
  batch.KeepMembersOf(f.View("table"));
  CHECK(kept() == "7 ");
  refill();
  batch.DropMembersOf(f.View("table"));
  CHECK(kept() == "5 6 a zz ");
  batch.DropMembersOf(f.View("listpack"));
  CHECK(kept() == "5 zz ");
  batch.DropMembersOf(f.View("integers"));
  CHECK(kept() == "zz ");
  SetReader reader(f.View("integers"));
  REQUIRE(batch.Fill(reader));
  CHECK(batch.size() == 16);
  batch.KeepMembersOf(f.View("table"));
  CHECK(kept() == "7 8 9 10 11 12 13 14 15 16 17 18 19 20 ");
  REQUIRE(batch.Fill(reader));
  CHECK(batch.size() == 4);
  CHECK_FALSE(batch.Fill(reader));
}

TEST_CASE("set value: a scan visits what is there throughout", "[set_value]") {
  Fixture f;
  std::vector<std::string> stay;
  for (int i = 0; i < 2000; ++i) stay.push_back("stay:" + std::to_string(i));
  f.Add("k", stay);
  Model seen;
  uint64_t cursor = 0;
  int step = 0;
  do {
    cursor =
        f.View("k").Scan(cursor, 10, [&](const PackedElement& element) { seen.insert(TextOf(element)); });
    SetValue set(f.db, f.db.Find("k"));
    for (int i = 0; i < 30; ++i) {
      set.Add("come:" + std::to_string(step * 30 + i));
      if (step > 50) set.Remove("come:" + std::to_string((step - 50) * 30 + i));
    }
    ++step;
  } while (cursor != 0 && step < 100'000);
  for (const std::string& member : stay) REQUIRE(seen.contains(member));
}

// Chi-square of how often each of `members` was drawn; with n - 1 degrees of freedom its mean is n - 1 and
// its standard deviation sqrt(2 (n - 1)).
double ChiSquare(const std::map<std::string, int>& counts, size_t members, size_t draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(members);
  double sum = expected * static_cast<double>(members - counts.size());
  for (const auto& [member, count] : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

void CheckFair(const std::map<std::string, int>& counts, size_t members, size_t draws) {
  const double freedom = static_cast<double>(members - 1);
  const double chi = ChiSquare(counts, members, draws);
  CHECK(std::abs(chi - freedom) < 5 * std::sqrt(2 * freedom));
}

TEST_CASE("set value: every member is drawn with equal odds", "[set_value]") {
  Fixture f;
  const size_t size = GENERATE(5, 100, 400, 3000);
  const bool integers = GENERATE(true, false);
  std::vector<std::string> members = Numbers(static_cast<int>(size));
  if (!integers) {
    for (std::string& member : members) member = "m" + member;
  }
  f.Add("k", members);
  const SetView set = f.View("k");
  const SetPicker picker(set);
  std::map<std::string, int> picked, drawn, sampled, popped;
  const size_t draws = size * 40;
  for (size_t i = 0; i < draws; ++i) {
    ++picked[TextOf(set.PickRandom(f.random).element)];
    ++drawn[TextOf(picker.Draw(f.random))];
  }
  CheckFair(picked, size, draws);
  CheckFair(drawn, size, draws);
  for (const size_t part : {size / 5, size / 2 + 1}) {
    sampled.clear();
    popped.clear();
    size_t total = 0;
    for (int round = 0; round < 60; ++round) {
      Model distinct;
      for (const PackedElement& element : set.Sample(part, f.random)) {
        ++sampled[TextOf(element)];
        distinct.insert(TextOf(element));
      }
      REQUIRE(distinct.size() == part);
      f.db.AddCopy(set.entry(), "copy", kNoExpiry);
      SetValue copy(f.db, f.db.Find("copy"));
      copy.PopMany(part, [&](const PackedElement& element) { ++popped[TextOf(element)]; });
      REQUIRE(copy.size() == size - part);
      f.db.Delete(copy.ref());
      total += part;
    }
    // Without replacement the spread is smaller than that of independent draws: an upper bound.
    const double freedom = static_cast<double>(size - 1);
    CHECK(ChiSquare(sampled, size, total) < freedom + 5 * std::sqrt(2 * freedom));
    CHECK(ChiSquare(popped, size, total) < freedom + 5 * std::sqrt(2 * freedom));
  }
}

TEST_CASE("set value: a large set of short members takes at most 36 bytes a member", "[set_value]") {
  Fixture f;
  constexpr size_t kMembers = 1'000'000;
  f.Add("k", {"first"});
  const size_t before = mem::UsedBytes();
  SetValue set(f.db, f.db.Find("k"));
  char text[32];
  for (size_t i = 0; i < kMembers; ++i) {
    const int length = std::snprintf(text, sizeof text, "visitor:%09zu", i);
    set.Add(std::string_view(text, static_cast<size_t>(length)));
  }
  REQUIRE(set.size() == kMembers + 1);
  CHECK(static_cast<double>(mem::UsedBytes() - before) / kMembers < 36.0);
}

}  // namespace
}  // namespace pinyon
