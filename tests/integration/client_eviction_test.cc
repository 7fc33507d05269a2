// maxmemory-clients on a started server: who is dropped, in which order, and who is not.
#include <catch2/catch.hpp>

#include "integration/data_folder.h"
#include "support/eventually.h"

namespace pinyon::testing {
namespace {

// One that stays whatever is dropped, and sees the others.
RawClient Administrator(const ServerProcess& server) {
  RawClient client = server.Connect();
  client.Call({"CLIENT", "SETNAME", "administrator"});
  client.Call({"CLIENT", "NO-EVICT", "on"});
  client.Call({"SET", "big", std::string(200'000, 'x')});
  return client;
}

// The field of a client's line, -1 when there is no client of that name.
int64_t Field(RawClient& administrator, const std::string& name, const std::string& field) {
  const std::string text = TextOf(administrator.Call({"CLIENT", "LIST"}));
  const size_t at = text.find(" name=" + name + " ");
  if (at == std::string::npos) return -1;
  const size_t found = text.find(" " + field + "=", at);
  return std::stoll(text.substr(found + field.size() + 2));
}
int64_t Memory(RawClient& administrator, const std::string& name) {
  return Field(administrator, name, "tot-mem");
}
bool IsThere(RawClient& administrator, const std::string& name) { return Memory(administrator, name) >= 0; }

RawClient Named(const ServerProcess& server, const std::string& name) {
  RawClient client = server.Connect();
  client.Call({"CLIENT", "SETNAME", name});
  return client;
}

// Does not read its replies until it is owed so much more than the kernel takes.
RawClient FatByOutput(const ServerProcess& server, RawClient& administrator, const std::string& name,
                      int64_t bytes) {
  RawClient client = Named(server, name);
  REQUIRE(Eventually([&] {
    for (int i = 0; i < 3; ++i) client.SendCommand({"GET", "big"});
    return Memory(administrator, name) >= bytes;
  }));
  return client;
}

// Sends half of a request.
RawClient FatByInput(const ServerProcess& server, RawClient& administrator, const std::string& name,
                     int64_t bytes) {
  RawClient client = Named(server, name);
  const std::string part(static_cast<size_t>(bytes), 'y');
  client.Send("*2\r\n$4\r\nECHO\r\n$" + std::to_string(bytes + 1'000) + "\r\n" + part);
  REQUIRE(Eventually([&] { return Memory(administrator, name) >= bytes; }));
  return client;
}

void SetLimit(RawClient& administrator, const std::string& limit) {
  REQUIRE(TextOf(administrator.Call({"CONFIG", "SET", "maxmemory-clients", limit})) == "OK");
}

}  // namespace

TEST_CASE("the fattest clients are dropped first, and only until it is enough",
          "[client_eviction][redis-ok]") {
  auto server = Launch();
  RawClient administrator = Administrator(*server);
  RawClient input = FatByInput(*server, administrator, "input", 12'000'000);
  RawClient output = FatByOutput(*server, administrator, "output", 5'000'000);
  RawClient queue = Named(*server, "queue");
  queue.Call({"MULTI"});
  queue.Call({"SET", "k", std::string(1'000'000, 'q')});
  RawClient idle = Named(*server, "idle");
  SetLimit(administrator, "8mb");
  CHECK(Eventually([&] { return !IsThere(administrator, "input"); }));
  CHECK(input.WaitForClose(5'000));
  CHECK(IsThere(administrator, "output"));
  SetLimit(administrator, "4mb");
  CHECK(Eventually([&] { return !IsThere(administrator, "output"); }));
  CHECK(output.WaitForClose(5'000));
  CHECK(IsThere(administrator, "queue"));
  SetLimit(administrator, "300kb");
  CHECK(Eventually([&] { return !IsThere(administrator, "queue"); }));
  CHECK(IsThere(administrator, "idle"));
  CHECK(TextOf(idle.Call({"PING"})) == "PONG");
  CHECK(InfoField(administrator, "stats", "evicted_clients") == "3");
  CHECK(server->OutputText().find("Evicting client: id=") != std::string::npos);
  CHECK(std::stoll(InfoField(administrator, "memory", "mem_clients_normal")) < 300 * 1024);
  administrator.Call({"CONFIG", "RESETSTAT"});
  CHECK(InfoField(administrator, "stats", "evicted_clients") == "0");
}

TEST_CASE("CLIENT NO-EVICT keeps a client, for whom others go", "[client_eviction][redis-ok]") {
  auto server = Launch();
  RawClient administrator = Administrator(*server);
  RawClient kept = FatByOutput(*server, administrator, "kept", 3'000'000);
  kept.SendCommand({"CLIENT", "NO-EVICT", "on"});
  RawClient other = FatByInput(*server, administrator, "other", 500'000);
  // Nothing of what the client sends behind its replies is read back, so its flag is looked for.
  REQUIRE(Eventually([&] {
    const std::string text = TextOf(administrator.Call({"CLIENT", "LIST"}));
    const size_t at = text.find(" name=kept ");
    return at != std::string::npos && text.substr(at, 60).find("flags=e") != std::string::npos;
  }));
  SetLimit(administrator, "1mb");
  CHECK(Eventually([&] { return !IsThere(administrator, "other"); }));
  CHECK(other.WaitForClose(5'000));
  CHECK(IsThere(administrator, "kept"));
  SetLimit(administrator, "0");
  CHECK(kept.ReadReply().text.size() == 200'000);
}

TEST_CASE("a pipeline whose replies nobody reads is stopped", "[client_eviction][redis-ok]") {
  auto server = LaunchWith({"--maxmemory-clients", "2mb"});
  RawClient administrator = Administrator(*server);
  RawClient greedy = Named(*server, "greedy");
  std::string pipeline;
  for (int i = 0; i < 500; ++i) pipeline += EncodeCommand({"GET", "big"});
  greedy.Send(pipeline + EncodeCommand({"SET", "reached", "yes"}));
  CHECK(Eventually([&] { return !IsThere(administrator, "greedy"); }));
  CHECK(administrator.Call({"EXISTS", "reached"}).Integer() == 0);
  CHECK(InfoField(administrator, "stats", "evicted_clients") == "1");
}

TEST_CASE("an idle subscriber is dropped for messages that it does not read", "[client_eviction][redis-ok]") {
  auto server = LaunchWith({"--maxmemory-clients", "2mb"});
  RawClient administrator = Administrator(*server);
  RawClient idle = Named(*server, "subscriber");
  idle.Call({"SUBSCRIBE", "news"});
  const std::string message(100'000, 'm');
  CHECK(Eventually([&] {
    administrator.Call({"PUBLISH", "news", message});
    return !IsThere(administrator, "subscriber");
  }));
  CHECK(idle.WaitForClose(5'000));
}

TEST_CASE("percent of maxmemory limit clients only where there is a maxmemory",
          "[client_eviction][redis-ok]") {
  auto server = LaunchWith({"--maxmemory-clients", "1%"});
  RawClient administrator = Administrator(*server);
  RawClient fat = FatByInput(*server, administrator, "fat", 3'000'000);
  REQUIRE(TextOf(administrator.Call({"CONFIG", "SET", "maxmemory", "1gb"})) == "OK");
  CHECK(IsThere(administrator, "fat"));
  REQUIRE(TextOf(administrator.Call({"CONFIG", "SET", "maxmemory", "200mb"})) == "OK");
  CHECK(Eventually([&] { return !IsThere(administrator, "fat"); }));
  CHECK(fat.WaitForClose(5'000));
}

TEST_CASE("dropping clients spares the keys", "[client_eviction][pinyon]") {
  auto server =
      LaunchWith({"--maxmemory", "60mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-clients", "10%"});
  RawClient administrator = Administrator(*server);
  for (int i = 0; i < 200; ++i) {
    administrator.Call(
        {"SET", "key:" + std::to_string(i), std::string(200'000, static_cast<char>('a' + i % 26))});
  }
  const int64_t keys = administrator.Call({"DBSIZE"}).Integer();
  for (int i = 0; i < 10; ++i) {
    RawClient fat = Named(*server, "fat");
    const std::string part(8'000'000, 'y');
    try {
      fat.Send("*2\r\n$4\r\nECHO\r\n$9000000\r\n" + part);
    } catch (const ClientError&) {
      // Dropped while it sent.
    }
    CHECK(fat.WaitForClose(5'000));
  }
  CHECK(administrator.Call({"DBSIZE"}).Integer() == keys);
  CHECK(InfoField(administrator, "stats", "evicted_clients") == "10");
  CHECK(InfoField(administrator, "stats", "evicted_keys") == "0");
}

}  // namespace pinyon::testing
