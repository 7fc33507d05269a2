// maxmemory-clients, with real clients that the test drives step by step.
#include "server/client_memory.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "turn_fixture.h"

namespace pinyon {
namespace {

std::string Repeat(std::string_view text, size_t count) {
  std::string all;
  for (; count > 0; --count) all += text;
  return all;
}

// Sends and reads nothing back, so that it holds what it is owed once the kernel takes no more.
class ClientMemoryFixture : public TurnFixture {
 public:
  ClientMemoryFixture() {
    commands.Do({"SET", "big", std::string(100'000, 'x')});
    commands.Do({"SET", "small", "v"});
  }
  // A client that is owed about so many bytes.
  Client& Owed(size_t bytes) {
    Client& client = Connect();
    while (client.OutputBytes() < bytes) {
      Give(client, "GET big\r\n");
      RunTurns();
      Poll();
    }
    return client;
  }
  // A client with half a request.
  Client& Sent(size_t bytes) {
    Client& client = Connect();
    Give(client, std::string(bytes, 'y'));
    return client;
  }
  // The sum over all clients, as it is at this moment.
  uint64_t Sum() {
    uint64_t sum = 0;
    for (const auto& [id, session] : commands.engine.sessions.all()) {
      if (session->connection != nullptr)
        sum += static_cast<Client&>(*session->connection->handler()).MemoryBytes();
    }
    return sum;
  }
};

TEST_CASE_METHOD(ClientMemoryFixture, "the fattest clients are dropped, and no more than needed",
                 "[client_memory]") {
  Client& a = Owed(1'000'000);
  Client& b = Owed(3'000'000);
  Client& c = Owed(2'000'000);
  Client& idle = Connect();
  const std::vector<uint64_t> ids = {a.session.id, b.session.id, c.session.id};
  CHECK(a.Info().output_list_bytes + a.Info().reply_buffer_used >= 1'000'000);
  CHECK(a.Info().output_list_length > 0);
  CHECK(a.Info().reply_buffer_peak > 0);
  CHECK(a.Info().total_bytes == a.MemoryBytes());
  clients_max_memory = 1'800'000;
  RunTurns();
  CHECK(dropped == std::vector<uint64_t>{ids[1], ids[2]});
  CHECK(client_memory.total() == Sum());
  CHECK(client_memory.total() < 1'800'000);
  Poll();
  CHECK(IsGone(ids[1]));
  CHECK(IsGone(ids[2]));
  CHECK_FALSE(IsGone(ids[0]));
  Give(idle, "PING\r\n");
  RunTurns();
  CHECK(Received(idle) == "+PONG\r\n");
  clients_max_memory = 500'000;
  RunTurns();
  CHECK(dropped.back() == ids[0]);
  // Without a limit nothing is known of anybody.
  clients_max_memory = 0;
  RunTurns();
  CHECK_FALSE(client_memory.enabled());
  CHECK(client_memory.total() == 0);
  CHECK(idle.memory_place.size_class == ClientMemory::Place::kUnknown);
}

TEST_CASE_METHOD(ClientMemoryFixture, "what is dropped gives its memory back at once", "[client_memory]") {
  clients_max_memory = 4'000'000;
  Client& client = Owed(3'000'000);
  const uint64_t id = client.session.id;
  Give(client, std::string(200'000, 'z'));
  CHECK(dropped.empty());
  clients_max_memory = 1'000'000;
  turn.Run();
  CHECK(dropped == std::vector<uint64_t>{id});
  CHECK(client.OutputBytes() == 0);
  CHECK(client.input.capacity() == 0);
  CHECK(client.MemoryBytes() < 5'000);
  Poll();
  CHECK(IsGone(id));
}

TEST_CASE_METHOD(ClientMemoryFixture, "a client that may not be dropped counts, and others go for it",
                 "[client_memory]") {
  Client& kept = Owed(2'000'000);
  kept.session.no_evict = true;
  Client& other = Sent(100'000);
  const uint64_t id = other.session.id;
  clients_max_memory = 1'000'000;
  RunTurns();
  CHECK(dropped == std::vector<uint64_t>{id});
  CHECK(client_memory.IsOver());
  // Those that come now go when they have done something.
  Client& late = Connect();
  Give(late, "PING\r\n");
  RunTurns();
  CHECK(dropped == std::vector<uint64_t>{id, late.session.id});
  // Unless that is to ask to stay, and they have just come.
  Client& asking = Connect();
  asking.session.created_ms = NowMs();
  asking.NoteMemory();
  Give(asking, "CLIENT NO-EVICT on\r\n");
  RunTurns();
  CHECK(Received(asking) == "+OK\r\n");
  CHECK(dropped.size() == 2);
  // The exemption ends.
  Poll();
  Give(kept, "CLIENT NO-EVICT off\r\n");
  RunTurns();
  CHECK(dropped.size() == 3);
  CHECK_FALSE(client_memory.IsOver());
}

TEST_CASE_METHOD(ClientMemoryFixture, "one pipeline is stopped in its midst", "[client_memory]") {
  clients_max_memory = 1'000'000;
  Client& greedy = Connect();
  Client& modest = Connect();
  const uint64_t id = greedy.session.id;
  Give(greedy, Repeat("GET big\r\n", 500) + "INCR counter\r\n");
  Give(modest, Repeat("GET small\r\n", 40));
  RunTurns();
  CHECK(dropped == std::vector<uint64_t>{id});
  CHECK(commands.Do({"GET", "counter"}) == "$-1\r\n");
  CHECK(Received(modest) == Repeat("$1\r\nv\r\n", 40));
  Poll();
  CHECK(IsGone(id));
}

TEST_CASE_METHOD(ClientMemoryFixture, "an idle subscriber is dropped for what it does not read",
                 "[client_memory]") {
  clients_max_memory = 1'000'000;
  Client& idle = Connect();
  Client& publisher = Connect();
  const uint64_t id = idle.session.id;
  Give(idle, "SUBSCRIBE c\r\n");
  RunTurns();
  const std::string publish =
      "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$10000\r\n" + std::string(10'000, 'm') + "\r\n";
  Give(publisher, Repeat(publish, 20));
  RunTurns();
  CHECK(dropped.empty());
  for (int i = 0; i < 20; ++i) {
    Give(publisher, Repeat(publish, 20));
    RunTurns();
    Received(publisher);
  }
  CHECK(dropped == std::vector<uint64_t>{id});
  CHECK(client_memory.total() == Sum());
}

TEST_CASE_METHOD(ClientMemoryFixture, "what is queued, watched and unparsed counts", "[client_memory]") {
  clients_max_memory = 100'000'000;
  Client& client = Connect();
  RunTurns();
  size_t before = client_memory.total();
  const auto grew_by = [&] {
    const size_t grown = client_memory.total() - before;
    before = client_memory.total();
    CHECK(client_memory.total() == Sum());
    return grown;
  };
  Give(client, "WATCH " + std::string(20'000, 'w') + "\r\n");
  RunTurns();
  CHECK(grew_by() > 20'000);
  Give(client, "MULTI\r\nSET k " + std::string(30'000, 'v') + "\r\n");
  RunTurns();
  CHECK(grew_by() > 30'000);
  // A large bulk has all its memory from its beginning on.
  Give(client, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000000\r\n" + std::string(100, 'b'));
  RunTurns();
  CHECK(grew_by() > 5'000'000);
  CHECK(client.Info().query_buffer_bytes >= 100);
  CHECK(client.Info().query_buffer_free > 4'900'000);
  clients_max_memory = 1'000'000;
  RunTurns();
  CHECK(dropped.size() == 1);
  CHECK(client_memory.total() == 0);
}

TEST_CASE_METHOD(ClientMemoryFixture, "a limit in percent is one of maxmemory", "[client_memory]") {
  const uint64_t id = Owed(2'000'000).session.id;
  clients_max_memory = -10;
  RunTurns();
  CHECK_FALSE(client_memory.enabled());
  commands.options.eviction.max_memory = 30'000'000;
  RunTurns();
  CHECK(client_memory.enabled());
  CHECK(dropped.empty());
  commands.options.eviction.max_memory = 15'000'000;
  RunTurns();
  CHECK(dropped == std::vector<uint64_t>{id});
}

TEST_CASE_METHOD(ClientMemoryFixture, "many clients are dropped a few at a time", "[client_memory]") {
  std::vector<Client*> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(&Sent(50'000));
  clients_max_memory = 100'000;
  CHECK(turn.Run());
  CHECK(dropped.size() < 60);
  CHECK(RunTurns() >= 1);
  CHECK_FALSE(client_memory.IsOver());
  CHECK(dropped.size() >= 58);
}

TEST_CASE_METHOD(ClientMemoryFixture, "what is known of clients is what they hold, whatever happens",
                 "[client_memory]") {
  const uint64_t seed = Random::FromSystem().Next();
  INFO("seed " << seed);
  Random random(seed);
  clients_max_memory = 3'000'000;
  std::vector<uint64_t> ids;
  std::map<uint64_t, Client*> known;
  const auto forget_gone = [&] {
    std::erase_if(known,
                  [this](const auto& entry) { return IsGone(entry.first) || entry.second->session.closing; });
  };
  for (int step = 0; step < 600; ++step) {
    forget_gone();
    if (known.size() < 10 || random.Below(10) == 0) {
      Client& client = Connect();
      known[client.session.id] = &client;
    }
    auto it = known.begin();
    std::advance(it, random.Below(known.size()));
    Client& client = *it->second;
    switch (random.Below(8)) {
      case 0: Give(client, Repeat("GET big\r\n", 1 + random.Below(40))); break;
      case 1: Give(client, "MULTI\r\nSET a " + std::string(random.Below(50'000), 'a') + "\r\n"); break;
      case 2: Give(client, "EXEC\r\n"); break;
      case 3: Give(client, "SUBSCRIBE c\r\nUNSUBSCRIBE c\r\n"); break;
      case 4: Received(client); break;
      case 5:
        Give(client, random.Below(2) == 0 ? "CLIENT NO-EVICT on\r\n" : "CLIENT NO-EVICT off\r\n");
        break;
      case 6: Give(client, "SET k " + std::string(random.Below(2'000), 'b')); break;
      default: Give(client, "\r\nQUIT\r\n"); break;
    }
    if (random.Below(3) > 0) RunTurns();
    if (random.Below(2) == 0) Poll();
    if (random.Below(50) == 0)
      clients_max_memory = random.Below(3) == 0 ? 0 : 200'000 + static_cast<int64_t>(random.Below(3'000'000));
    forget_gone();
    // What the kernel took since the last turn is noted in the next.
    if (random.Below(2) == 0) continue;
    RunTurns();
    if (client_memory.enabled()) REQUIRE(client_memory.total() == Sum());
  }
  CHECK(dropped.size() > 5);
}

}  // namespace
}  // namespace pinyon
