// Messages in the turn: when they are written, and that they keep their place among replies that wait for the
// log.
#include <catch2/catch.hpp>
#include <string>

#include "engine/session_subscriber.h"
#include "turn_fixture.h"

namespace pinyon {

namespace {

std::string Subscribed(const std::string& type) { return type + "3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"; }
std::string Told(const std::string& type, const std::string& payload) {
  return type + "3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$" + std::to_string(payload.size()) + "\r\n" + payload +
         "\r\n";
}

}  // namespace

TEST_CASE("A message is written at the end of the turn that published it", "[turn][pubsub]") {
  TurnFixture f;
  Client& a = f.Connect();
  Client& b = f.Connect();
  Client& publisher = f.Connect();
  f.Give(a, "SUBSCRIBE c\r\n");
  f.Give(b, "SUBSCRIBE c\r\n");
  f.RunTurns();
  CHECK(f.Received(a) == Subscribed("*"));
  CHECK(f.Received(b) == Subscribed("*"));
  f.Give(publisher, "PUBLISH c 1\r\nPUBLISH c 2\r\n");
  f.RunTurns();
  CHECK(f.Received(a) == Told("*", "1") + Told("*", "2"));
  CHECK(f.Received(b) == Told("*", "1") + Told("*", "2"));
  CHECK(f.Received(publisher) == ":2\r\n:2\r\n");
  CHECK(a.output.MemoryBytes() < ChunkPool::kChunkBytes);
}

TEST_CASE("Many subscribers share the bytes of a message", "[turn][pubsub]") {
  TurnFixture f;
  Client& a = f.Connect();
  Client& b = f.Connect();
  f.Give(a, "SUBSCRIBE c\r\n");
  f.Give(b, "SUBSCRIBE c\r\n");
  f.RunTurns();
  f.Received(a);
  f.Received(b);
  const std::string payload(40, 'x');
  f.commands.Do({"PUBLISH", "c", payload});
  iovec first{}, second{};
  REQUIRE(a.output.Front(&first, 1, ~size_t{0}) == 1);
  REQUIRE(b.output.Front(&second, 1, ~size_t{0}) == 1);
  CHECK(first.iov_base == second.iov_base);
  // The second of a turn is gathered behind the first.
  f.commands.Do({"PUBLISH", "c", payload});
  f.commands.Do({"PUBLISH", "c", payload});
  CHECK(a.output.piece_count() <= 2);
  f.RunTurns();
  const std::string all = Told("*", payload) + Told("*", payload) + Told("*", payload);
  CHECK(f.Received(a) == all);
  CHECK(f.Received(b) == all);
}

TEST_CASE("A message does not wait for the log, but for the replies before it", "[turn][pubsub]") {
  TurnFixture f;
  GatedLog log;
  Client& writer = f.Connect();
  Client& reader = f.Connect();
  writer.session.reply.set_resp3(true);
  f.Give(writer, "SUBSCRIBE c\r\n");
  f.Give(reader, "SUBSCRIBE c\r\n");
  f.RunTurns();
  CHECK(f.Received(writer) == Subscribed(">"));
  CHECK(f.Received(reader) == Subscribed("*"));
  f.commands.engine.effects.SetListener(&log);
  f.Give(writer, "SET k v\r\n");
  f.RunTurns();
  CHECK(f.Received(writer).empty());
  f.commands.Do({"PUBLISH", "c", "x"});
  f.RunTurns();
  CHECK(f.Received(reader) == Told("*", "x"));
  CHECK(f.Received(writer).empty());
  log.reached = log.written;
  f.turn.ReleaseGated();
  f.turn.AddFlush(writer);
  f.RunTurns();
  CHECK(f.Received(writer) == "+OK\r\n" + Told(">", "x"));
  f.commands.engine.effects.SetListener(nullptr);
}

TEST_CASE("A subscriber that leaves is out of everything at once", "[turn][pubsub]") {
  TurnFixture f;
  Client& a = f.Connect();
  const uint64_t id = a.session.id;
  f.Give(a, "SUBSCRIBE c d\r\nPSUBSCRIBE p*\r\n");
  f.RunTurns();
  CHECK(f.commands.engine.pubsub.subscriber_count() == 1);
  a.Close(true);
  CHECK(f.commands.engine.pubsub.empty());
  CHECK(f.commands.Do({"PUBLISH", "c", "x"}) == ":0\r\n");
  f.RunTurns();
  f.Poll();
  CHECK(f.IsGone(id));
}

TEST_CASE("Who listens to nothing any more keeps nothing", "[turn][pubsub]") {
  TurnFixture f;
  Client& a = f.Connect();
  f.Give(a, "SUBSCRIBE c\r\nSSUBSCRIBE c\r\nUNSUBSCRIBE\r\n");
  f.RunTurns();
  CHECK(a.session.subscriber != nullptr);
  f.Give(a, "SUNSUBSCRIBE c\r\n");
  f.RunTurns();
  CHECK(a.session.subscriber == nullptr);
  f.Give(a, "UNSUBSCRIBE x\r\n");
  f.RunTurns();
  CHECK(a.session.subscriber == nullptr);
}

}  // namespace pinyon
