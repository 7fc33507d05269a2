// Active expiry: exact to the millisecond whatever the clock does.
#include <algorithm>
#include <limits>

#include "table_fixture.h"

namespace pinyon {
namespace {

constexpr int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

bool ExpectNone(Table::Position position) {
  FAIL(position->key() << " expires early");
  return false;
}

struct ExpiryTest : TableFixture {
  // All lengths from milliseconds to weeks, each magnitude as likely.
  int64_t RandomTtl() {
    static constexpr int64_t kScales[] = {kSecond, kMinute, 10 * kMinute, kHour, kDay, 21 * kDay};
    return 1 + static_cast<int64_t>(
                   random.Below(static_cast<uint64_t>(kScales[random.Below(std::size(kScales))])));
  }

  void Add() {
    const std::string key = KeyOf(next_key++);
    const int64_t expiry_ms = now_ms + RandomTtl();
    Insert(key, expiry_ms);
    model[key] = expiry_ms;
  }

  // Gives a random one of the recent keys another expiry, or none, or removes it.
  void ChangeOne() {
    if (next_key == 0) return;
    const std::string key = KeyOf(next_key - 1 - random.Below(std::min<uint64_t>(next_key, 3000)));
    const bool is_known = model.count(key) != 0;
    if (static_cast<bool>(Find(key)) != is_known) FAIL("presence of " << key);
    if (!is_known) return;
    switch (random.Below(3)) {
      case 0:
        Remove(key);
        model.erase(key);
        break;
      case 1:
        model[key] = random.Below(3) == 0 ? kNoExpiry : now_ms + RandomTtl();
        Replace(key, model[key]);
        break;
      default: {
        // The same entry with another expiry, as EXPIRE does.
        const Table::Position position = Find(key);
        if (!position->HasExpiry()) {
          Replace(key, model[key] = now_ms + RandomTtl());
        } else {
          position->set_expiry_ms(model[key] = now_ms + RandomTtl());
          table.Replace(position, position.entry(), 0);
        }
      }
    }
  }

  // Runs active expiry and compares with the model: what is due, and nothing else, goes. `stop_percent` is
  // how likely each call is to be stopped at each key.
  void Expire(unsigned stop_percent = 0) {
    size_t expected = 0;
    for (const auto& [key, expiry_ms] : model) expected += expiry_ms != kNoExpiry && expiry_ms < now_ms;
    size_t expired = 0;
    for (int calls = 0;; ++calls) {
      bool stopped = false;
      const bool done = table.ExpireDue(now_ms, [&](Table::Position position) {
        const auto known = model.find(std::string(position->key()));
        if (known == model.end()) FAIL("unknown key expires");
        if (known->second != position->expiry_ms() || known->second >= now_ms) {
          FAIL(position->key() << " expires early: " << known->second << " at " << now_ms);
        }
        model.erase(known);
        Entry::Delete(table.Remove(position));
        ++expired;
        stopped = random.Below(100) < stop_percent;
        return !stopped;
      });
      if (done == stopped) FAIL("stopped, and says that it is done, or the other way round");
      if (done) break;
      if (calls > 1'000'000) FAIL("no end");
    }
    if (expired != expected) FAIL(expected << " due at " << now_ms << ", expired " << expired);
    size_t with_expiry = 0;
    for (const auto& [key, expiry_ms] : model) with_expiry += expiry_ms != kNoExpiry;
    if (table.expiring() != with_expiry || table.size() != model.size()) FAIL("counts");
  }

  // How active expiry is called: every 10 ms, with pauses of all lengths.
  int64_t RandomStep() {
    switch (random.Below(40)) {
      case 0: return static_cast<int64_t>(random.Below(5 * kDay));
      case 1: return static_cast<int64_t>(random.Below(2 * kHour));
      case 2:
      case 3: return static_cast<int64_t>(random.Below(40 * kMinute));
      case 4:
      case 5:
      case 6: return static_cast<int64_t>(random.Below(kMinute));
      default: return static_cast<int64_t>(10 + random.Below(500));
    }
  }

  int64_t now_ms = 1'700'000'000'000;
  uint64_t next_key = 0;
  std::unordered_map<std::string, int64_t> model;
};

TEST_CASE_METHOD(ExpiryTest, "a key expires in the first millisecond after its time, not before") {
  for (int i = 0; i < 300; ++i) {
    const int64_t expiry_ms = now_ms + i % 3 * 7 + i;
    Insert("key", expiry_ms);
    model["key"] = expiry_ms;
    now_ms = expiry_ms - 1;
    Expire();
    now_ms = expiry_ms;
    Expire();
    REQUIRE(table.size() == 1);
    ++now_ms;
    Expire();
    REQUIRE(table.size() == 0);
  }
}

TEST_CASE_METHOD(ExpiryTest, "every deadline is met, whatever its 16 bits are") {
  // Steps of one tick over more than the whole range of a deadline, with a key due in each.
  now_ms -= now_ms % Table::kTickMs;
  const int64_t start_ms = now_ms;
  for (int i = 0; i < 2000; ++i) {
    const std::string key = KeyOf(next_key++);
    const int64_t expiry_ms = start_ms + i * 35 * Table::kTickMs + i % 64;
    Insert(key, expiry_ms);
    model[key] = expiry_ms;
  }
  for (int step = 0; step < 71'000; ++step) {
    now_ms += Table::kTickMs;
    if (step % 35 < 3) {
      Expire();
    } else if (!table.ExpireDue(now_ms, ExpectNone)) {
      FAIL("stopped");
    }
  }
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(ExpiryTest, "nothing expires early and nothing is missed, with steps from 10 ms to days") {
  INFO("seed " << Catch::rngSeed());
  const unsigned stop_percent = GENERATE(0u, 0u, 5u, 80u);
  for (int step = 0; step < 2500; ++step) {
    for (uint64_t i = random.Below(80); i > 0; --i) Add();
    for (uint64_t i = random.Below(10); i > 0; --i) ChangeOne();
    if (random.Below(30) == 0) table.Maintain(3, 3);
    now_ms += RandomStep();
    Expire(stop_percent);
    if (step % 500 == 0) table.CheckConsistency();
  }
  now_ms += 30 * kDay;
  Expire(stop_percent);
  CHECK(table.expiring() == 0);
}

TEST_CASE_METHOD(ExpiryTest, "the clock may go back") {
  INFO("seed " << Catch::rngSeed());
  for (int step = 0; step < 4000; ++step) {
    for (uint64_t i = random.Below(40); i > 0; --i) Add();
    for (uint64_t i = random.Below(10); i > 0; --i) ChangeOne();
    const int64_t forward_ms = RandomStep();
    now_ms += random.Below(4) == 0 ? -forward_ms : forward_ms;
    // Keys that come between the change of the clock and the next look, some with expiries long past.
    if (random.Below(2) == 0) Add();
    if (random.Below(20) == 0) {
      const std::string key = KeyOf(next_key++);
      Insert(key, model[key] = now_ms - RandomTtl());
    }
    Expire();
    if (step % 500 == 0) table.CheckConsistency();
  }
}

TEST_CASE_METHOD(ExpiryTest, "keys set before the first look, or long after the last one, expire in time") {
  for (int i = 0; i < 1000; ++i) Add();
  Expire();
  now_ms += 3 * kDay;  // nobody looked
  for (int i = 0; i < 1000; ++i) Add();
  for (int i = 0; i < 300; ++i) {
    now_ms += 10 * kMinute;
    Expire();
  }
}

TEST_CASE_METHOD(ExpiryTest, "expiries at the ends of what 64 bits hold do no harm") {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = std::numeric_limits<int64_t>::min();
  for (const int64_t expiry_ms : {kMax, kMax - 1, kMin, kMin + 1, int64_t{0}, int64_t{1}}) {
    const std::string key = KeyOf(next_key++);
    Insert(key, model[key] = expiry_ms);
  }
  Expire();
  CHECK(table.size() == 2);
  now_ms += kDay;
  Expire();
  CHECK(table.size() == 2);
  table.CheckConsistency();
}

TEST_CASE_METHOD(ExpiryTest, "active expiry goes on where it was stopped") {
  // Many segments, all with keys that are due: each call stopped after one key must still reach all of them.
  constexpr size_t kKeys = 30'000;
  for (size_t i = 0; i < kKeys; ++i) Insert(KeyOf(i), now_ms - 1);
  for (size_t left = kKeys; left > 0; --left) {
    const bool done = table.ExpireDue(now_ms, [&](Table::Position position) {
      Entry::Delete(table.Remove(position));
      return false;
    });
    if (done || table.size() != left - 1) FAIL("at " << left);
  }
  CHECK(table.ExpireDue(now_ms, ExpectNone));
}

TEST_CASE_METHOD(ExpiryTest, "a look at many keys of which none expires can be stopped") {
  constexpr size_t kKeys = 60'000;
  for (size_t i = 0; i < kKeys; ++i) Insert(KeyOf(i), now_ms + 100 * kDay);
  CHECK(table.ExpireDue(now_ms, ExpectNone));
  now_ms += kDay;  // beyond the range of deadlines: every entry has to be looked at
  const size_t segments = table.SegmentCount();
  REQUIRE(segments > 4);
  size_t calls = 1;
  while (!table.ExpireDue(now_ms, ExpectNone, [] { return true; })) ++calls;
  CHECK(calls == segments);
  CHECK(table.ExpireDue(now_ms, ExpectNone, [] { return true; }));
  table.CheckConsistency();
}

TEST_CASE_METHOD(ExpiryTest, "expiry that is stopped reaches all while the table grows and shrinks") {
  size_t next = 0, rounds = 0;
  const auto stop = [] { return true; };
  for (; next < 30'000; ++next) Insert(KeyOf(next), now_ms + 100 * kDay);
  now_ms += kDay;
  while (rounds < 3) {
    rounds += table.ExpireDue(now_ms, ExpectNone, stop);
    if (rounds < 2) {
      for (size_t end = next + 2000; next < end; ++next) Insert(KeyOf(next), now_ms + kDay);
    } else {
      for (size_t i = 0; i < 3000 && next > 0; ++i) Remove(KeyOf(--next));
      table.Maintain(100, 100);
    }
  }
  table.CheckConsistency();
  now_ms += 200 * kDay;
  for (uint64_t i = 0; i < next; ++i) model[KeyOf(i)] = Find(KeyOf(i))->expiry_ms();
  Expire();
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(ExpiryTest, "expiries survive growth, shrinking and merging") {
  INFO("seed " << Catch::rngSeed());
  for (int i = 0; i < 40'000; ++i) Add();
  table.CheckConsistency();
  for (uint64_t i = 0; i < next_key; ++i) {
    if (i % 10 == 0) continue;
    Remove(KeyOf(i));
    model.erase(KeyOf(i));
  }
  MaintainFully();
  table.CheckConsistency();
  for (int i = 0; i < 400; ++i) {
    now_ms += RandomStep();
    Expire();
  }
}

}  // namespace
}  // namespace pinyon
