// What a test of commands needs: sixteen databases, the command table with every family, an engine without a
// server, and clients whose replies are collected as raw protocol text. Time stands still at kStartMs until a
// test moves it.
//
//   CommandFixture f;
//   CHECK(f.Do({"SET", "k", "v"}) == "+OK\r\n");
//   CHECK(f.Run("GET k") == "$1\r\nv\r\n");          // split at spaces
//   CHECK(f.RunAs(1, "GET k") == "$1\r\nv\r\n");     // another client; clients come to be when they are
//   named
//
// Effects (what would be propagated) and keyspace notifications are recorded once a test asks for them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/settings.h"
#include "engine/command_table.h"
#include "engine/dispatcher.h"
#include "engine/engine.h"
#include "engine/server_control.h"
#include "keyspace/keyspace.h"
#include "resp/reply_sink.h"

namespace pinyon {

// Remembers what it was asked, does nothing.
class FakeServerControl final : public ServerControl {
 public:
  std::string Info(std::span<const std::string_view> sections) override;
  MemoryReport GetMemoryReport() override { return memory_report; }
  void PurgeMemory() override { ++purge_calls; }
  void ResetStats() override { ++reset_stats_calls; }
  bool Shutdown(int flags) override;
  void CloseSession(Session& session, bool at_once) override;
  void OnSessionResumed(Session& session) override {
    if (on_resumed) on_resumed(session);
  }
  bool BeginPush(Session& session) override {
    if (on_push) on_push(session);
    return true;
  }
  std::string RewriteConfig() override { return rewrite_error; }
  std::string ReadAclFile(std::string* text) override {
    *text = acl_file;
    return acl_file_error;
  }
  std::string WriteAclFile(std::string_view text) override {
    if (acl_file_error.empty()) acl_file = text;
    return acl_file_error;
  }
  void SetActiveExpiry(bool enabled) override { active_expiry = enabled; }
  void SetTableMaintenance(bool enabled) override { table_maintenance = enabled; }
  ConnectionInfo GetConnectionInfo(const Session& session) override;

  std::function<void(Session&)> on_resumed;
  std::function<void(Session&)> on_push;
  std::vector<std::string> info_sections;
  std::vector<uint64_t> closed_sessions;
  std::string rewrite_error;
  MemoryReport memory_report;
  int purge_calls = 0;
  std::string acl_file;
  std::string acl_file_error;
  bool refuses_shutdown = false;
  int reset_stats_calls = 0;
  int shutdown_calls = 0;
  bool active_expiry = true;
  bool table_maintenance = true;
};

// Splits what it is given into commands, each with its arguments joined by spaces.
class EffectRecorder final : public EffectListener {
 public:
  uint64_t Append(std::string_view commands) override;
  std::vector<std::string> Take() { return std::exchange(commands_, {}); }
  uint64_t offset() const { return offset_; }
  size_t units() const { return units_; }

 private:
  std::vector<std::string> commands_;
  uint64_t offset_ = 0;
  size_t units_ = 0;
};

class CommandFixture {
 public:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  CommandFixture();
  ~CommandFixture();
  CommandFixture(const CommandFixture&) = delete;
  CommandFixture& operator=(const CommandFixture&) = delete;

  // Runs one request and returns the raw reply.
  std::string Do(std::initializer_list<std::string_view> args) {
    return DoAs(0, {args.begin(), args.size()});
  }
  std::string DoAs(size_t client, std::initializer_list<std::string_view> args) {
    return DoAs(client, Args(args.begin(), args.size()));
  }
  std::string DoAs(size_t client, Args args);
  // As above, for arguments without spaces in them.
  std::string Run(std::string_view line) { return RunAs(0, line); }
  std::string RunAs(size_t client, std::string_view line);

  // What a client that waits was replied since the last call.
  std::string Received(size_t client) {
    const std::string text(clients_[client].sink.text());
    clients_[client].sink.Clear();
    return text;
  }

  // A client's session; the client comes to be with the first mention of its number.
  Session& session(size_t client = 0);
  void UseResp3(size_t client = 0) { session(client).reply.set_resp3(true); }
  // What a lost connection does to a session; the number is free for a new one afterwards.
  void Disconnect(size_t client);

  void SetNow(int64_t now_ms) {
    now_ms_ = now_ms;
    keyspace.set_now_ms(now_ms);
  }
  void Advance(int64_t milliseconds) { SetNow(now_ms_ + milliseconds); }

  void RecordEffects() { engine.effects.SetListener(&effect_recorder); }
  // The effects since the last call, "SET k v" each.
  std::vector<std::string> TakeEffects() { return effect_recorder.Take(); }

  // Records the given classes (default: all).
  void RecordNotifications(uint32_t classes = ~0u);
  // Since the last call: "event key", with "@number" behind when it happened in another database than 0.
  std::vector<std::string> TakeNotifications() { return std::exchange(notifications_, {}); }

  SettingsRegistry settings;
  Log log{"/dev/null", LogLevel::kNothing};
  Keyspace keyspace{16, 42};
  CommandTable commands;
  FakeServerControl server;
  EngineOptions options;
  Engine engine{keyspace, commands, settings, log, server, options};
  Dispatcher dispatcher{engine};
  EffectRecorder effect_recorder;

 private:
  struct Client {
    StringSink sink;
    std::unique_ptr<Session> session;
  };

  int64_t now_ms_ = kStartMs;
  std::deque<Client> clients_;
  std::vector<std::string> notifications_;
};

}  // namespace pinyon
