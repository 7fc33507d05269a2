#include "engine/watch.h"

#include <catch2/catch.hpp>
#include <memory>

namespace pinyon {

namespace {

constexpr int64_t kNow = 1'700'000'000'000;

// The caller's side of the contract: each test says what changed, as commands do.
struct Watching {
  Watching() { keyspace.set_now_ms(kNow); }

  void Set(int database, std::string_view key, int64_t expiry_ms = kNoExpiry) {
    keyspace.database(database).SetString(key, "v", expiry_ms);
    watches.KeyChanged(database, key);
  }
  void Flush(int database) {
    watches.BeforeFlush(database);
    for (int i = 0; i < keyspace.DatabaseCount(); ++i) {
      if (database < 0 || i == database) keyspace.database(i).Clear(Database::Clearing::kHere);
    }
  }
  void Swap(int first, int second) {
    watches.BeforeSwap(first, second);
    keyspace.Swap(first, second);
  }
  bool Changed(const Session& session) const {
    return session.transaction.watched_changed() || watches.HasExpired(session);
  }

  Keyspace keyspace{4, 7};
  WatchTable watches{keyspace};
  NullSink sink;
  Session a{1, &sink};
  Session b{2, &sink};
};

}  // namespace

TEST_CASE("A change marks those who watch that key in that database", "[watch]") {
  Watching w;
  w.watches.Watch(w.a, 0, "k");
  w.watches.Watch(w.b, 1, "k");
  w.watches.Watch(w.b, 0, "other");
  w.Set(0, "k");
  CHECK(w.Changed(w.a));
  CHECK_FALSE(w.Changed(w.b));
  w.Set(1, "k");
  CHECK(w.Changed(w.b));
}

TEST_CASE("Watching twice is watching once", "[watch]") {
  Watching w;
  w.watches.Watch(w.a, 0, "k");
  w.watches.Watch(w.a, 0, "k");
  CHECK(w.a.watched.size() == 1);
  w.watches.UnwatchAll(w.a);
  CHECK(w.watches.empty());
  CHECK(w.a.watched.empty());
  w.Set(0, "k");
  CHECK_FALSE(w.Changed(w.a));
}

TEST_CASE("One who stops watching leaves the others alone", "[watch]") {
  Watching w;
  w.watches.Watch(w.a, 0, "k");
  w.watches.Watch(w.b, 0, "k");
  w.watches.UnwatchAll(w.a);
  CHECK(w.watches.size() == 1);
  w.Set(0, "k");
  CHECK_FALSE(w.Changed(w.a));
  CHECK(w.Changed(w.b));
}

TEST_CASE("A watched key that expires unnoticed has changed", "[watch]") {
  Watching w;
  w.Set(0, "k", kNow + 10);
  w.watches.Watch(w.a, 0, "k");
  CHECK_FALSE(w.Changed(w.a));
  w.keyspace.set_now_ms(kNow + 11);
  CHECK(w.Changed(w.a));
}

TEST_CASE("The deletion of a key that had expired before WATCH is no change", "[watch]") {
  Watching w;
  w.Set(0, "k", kNow + 10);
  w.keyspace.set_now_ms(kNow + 11);
  w.watches.Watch(w.a, 0, "k");
  CHECK_FALSE(w.Changed(w.a));
  SECTION("told before the deletion") {
    w.watches.KeyChanged(0, "k");
    CHECK_FALSE(w.keyspace.database(0).Find("k"));
  }
  SECTION("told after the deletion") {
    CHECK_FALSE(w.keyspace.database(0).Find("k"));
    w.watches.KeyChanged(0, "k");
  }
  SECTION("by a flush") { w.Flush(0); }
  CHECK_FALSE(w.Changed(w.a));
  w.Set(0, "k");
  CHECK(w.Changed(w.a));
}

TEST_CASE("A flush changes the keys that are there", "[watch]") {
  Watching w;
  w.Set(0, "k");
  w.watches.Watch(w.a, 0, "k");
  w.watches.Watch(w.b, 0, "missing");
  SECTION("another database's") {
    w.Flush(1);
    CHECK_FALSE(w.Changed(w.a));
  }
  SECTION("this database's") {
    w.Flush(0);
    CHECK(w.Changed(w.a));
  }
  SECTION("all databases'") {
    w.Flush(-1);
    CHECK(w.Changed(w.a));
  }
  CHECK_FALSE(w.Changed(w.b));
}

TEST_CASE("Exchanging databases changes the keys that are in either", "[watch]") {
  Watching w;
  w.Set(0, "first");
  w.Set(1, "second");
  SECTION("there before") { w.watches.Watch(w.a, 0, "first"); }
  SECTION("there after") { w.watches.Watch(w.a, 0, "second"); }
  SECTION("seen from the other") { w.watches.Watch(w.a, 1, "first"); }
  w.watches.Watch(w.b, 0, "missing");
  w.watches.Watch(w.b, 2, "first");
  w.Swap(0, 1);
  CHECK(w.Changed(w.a));
  CHECK_FALSE(w.Changed(w.b));
}

TEST_CASE("Exchanging databases with expired keys is no change", "[watch]") {
  Watching w;
  SECTION("nothing becomes an expired key") {
    w.Set(1, "k", kNow + 10);
    w.keyspace.set_now_ms(kNow + 11);
    w.watches.Watch(w.a, 0, "k");
  }
  SECTION("an expired key becomes nothing") {
    w.Set(0, "k", kNow + 10);
    w.keyspace.set_now_ms(kNow + 11);
    w.watches.Watch(w.a, 0, "k");
  }
  SECTION("an expired key becomes an expired key") {
    w.Set(0, "k", kNow + 10);
    w.Set(1, "k", kNow + 10);
    w.keyspace.set_now_ms(kNow + 11);
    w.watches.Watch(w.a, 0, "k");
  }
  w.Swap(0, 1);
  CHECK_FALSE(w.Changed(w.a));
  w.Set(0, "k");
  CHECK(w.Changed(w.a));
}

TEST_CASE("An expired key that is replaced by a living one has changed", "[watch]") {
  Watching w;
  w.Set(0, "k", kNow + 10);
  w.Set(1, "k");
  w.keyspace.set_now_ms(kNow + 11);
  w.watches.Watch(w.a, 0, "k");
  w.Swap(0, 1);
  CHECK(w.Changed(w.a));
}

}  // namespace pinyon
