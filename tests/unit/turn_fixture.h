// The turn with real clients on a Unix socket, driven step by step: what is in a client's input is executed
// when the test says so.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "command_fixture.h"
#include "net/event_loop.h"
#include "net/listener.h"
#include "server/turn.h"

namespace pinyon {

// Holds replies back until the test says that the log is safe.
class GatedLog final : public EffectListener {
 public:
  uint64_t Append(std::string_view commands) override { return written += commands.size(); }
  uint64_t ReplyOffset() const override { return reached; }
  uint64_t written = 0;
  uint64_t reached = 0;
};

class TurnFixture : public ClientHost {
 public:
  TurnFixture() {
    char folder[] = "/tmp/pinyon-turn-XXXXXX";
    PINYON_CHECK(mkdtemp(folder) != nullptr);
    folder_ = folder;
    std::string error;
    listener_ = Listener::Unix(
        loop_, folder_ + "/socket", 0, 16,
        [this](Connection* connection) { accepted_ = std::unique_ptr<Connection>(connection); }, &error);
    INFO(error);
    REQUIRE(listener_ != nullptr);
  }
  ~TurnFixture() override {
    for (const auto& [id, client] : clients_) client->CloseNow();
    listener_.reset();
    loop_.DrainClosing();
    PINYON_CHECK(clients_.empty());
    for (const auto& [id, peer] : peers_) close(peer);
    std::filesystem::remove_all(folder_);
  }

  Client& Connect() {
    const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/socket";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(fcntl(peer, F_SETFL, O_NONBLOCK) == 0);
    while (accepted_ == nullptr) Poll();
    commands.server.on_resumed = [this](Session& session) { turn.Resume(*clients_.at(session.id)); };
    commands.server.on_push = [this](Session& session) {
      turn.AddFlush(*clients_.at(session.id));
      clients_.at(session.id)->NoteMemory();
    };
    const uint64_t id = commands.engine.sessions.NextId();
    auto client = std::make_unique<Client>(*this, pool_, std::move(accepted_), id);
    client->session.null_sink = &commands.engine.null_sink;
    commands.engine.acl.MakeDefault(client->session);
    commands.engine.sessions.Add(&client->session);
    peers_[id] = peer;
    client->NoteMemory();
    return *(clients_[id] = std::move(client));
  }

  // Puts bytes into a client's input, as if they had been read, and the client on the ready list.
  void Give(Client& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> space = client.input.Space();
      const size_t count = std::min(space.size(), bytes.size());
      std::memcpy(space.data(), bytes.data(), count);
      client.input.Filled(count);
      bytes.remove_prefix(count);
    }
    client.NoteMemory();
    turn.AddReady(client);
  }
  // Turns until nothing is left to do; returns how many.
  int RunTurns() {
    int turns = 1;
    while (turn.Run()) ++turns;
    return turns;
  }
  void Poll() { uv_run(loop_.uv(), UV_RUN_NOWAIT); }

  // What the peer has received since the last call; "<EOF>" at the end when the connection was closed.
  std::string Received(uint64_t id) {
    std::string text;
    char buffer[65536];
    while (true) {
      const ssize_t count = read(peers_.at(id), buffer, sizeof buffer);
      if (count == 0) return text + "<EOF>";
      if (count < 0) return text;
      text.append(buffer, static_cast<size_t>(count));
    }
  }
  std::string Received(const Client& client) { return Received(client.session.id); }
  void Send(const Client& client, std::string_view bytes) {
    REQUIRE(write(peers_.at(client.session.id), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // Sends what fits; may be called from another thread.
  size_t TrySend(const Client& client, std::string_view bytes) {
    const ssize_t count = write(peers_.at(client.session.id), bytes.data(), bytes.size());
    return count < 0 ? 0 : static_cast<size_t>(count);
  }
  void HangUp(const Client& client) { shutdown(peers_.at(client.session.id), SHUT_WR); }
  bool IsGone(uint64_t id) const { return !clients_.contains(id); }

  void OnClientReady(Client& client) override { turn.AddReady(client); }
  void OnClientHungUp(Client& client) override { turn.AddReady(client); }
  void OnClientFlush(Client& client) override { turn.AddFlush(client); }
  void OnClientLeaving(Client& client) override {
    client_memory.Forget(client);
    ForgetSession(commands.engine, client.session);
  }
  void OnMemoryChanged(Client& client) override { client_memory.Update(client); }
  void OnClientGone(Client& client) override {
    turn.Remove(client);
    clients_.erase(client.session.id);
  }
  void OnQueryBufferLimit(Client&) override {}
  int64_t QueryBufferLimit() const override { return query_buffer_limit; }
  int64_t NowMs() const override { return commands.keyspace.now_ms(); }
  TrafficStats& Traffic() override { return traffic_; }
  void OnOutputLimit(Client&) override {}
  bool IsOverOutputLimit(Client&) override { return false; }
  uint64_t ReplyOffset() const override { return ~uint64_t{0}; }

  int64_t query_buffer_limit = 1 << 30;
  CommandFixture commands;
  int64_t max_pause_us = 0;
  int64_t clients_max_memory = 0;
  std::vector<uint64_t> dropped;  // numbers of clients, in order
  ClientMemory client_memory{commands.engine.sessions, clients_max_memory, commands.options.eviction,
                             commands.log, [this](Client& client) {
                               dropped.push_back(client.session.id);
                               client.Drop();
                             }};
  Turn turn{commands.engine, commands.dispatcher, client_memory, max_pause_us};

 private:
  ChunkPool pool_;
  TrafficStats traffic_;
  EventLoop loop_;
  std::string folder_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connection> accepted_;
  std::map<uint64_t, std::unique_ptr<Client>> clients_;
  std::map<uint64_t, int> peers_;
};

}  // namespace pinyon
