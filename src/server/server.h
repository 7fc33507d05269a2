// The server: wires loop, listeners, clients, turn, engine and periodic work together, and owns no logic of
// theirs.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "engine/command_table.h"
#include "engine/dispatcher.h"
#include "engine/engine.h"
#include "keyspace/keyspace.h"
#include "net/event_loop.h"
#include "server/client.h"
#include "server/inert_settings.h"
#include "server/info.h"
#include "server/listeners.h"
#include "server/network_options.h"
#include "server/options.h"
#include "server/peer_connections.h"
#include "server/periodic.h"
#include "server/persistence.h"
#include "server/process.h"
#include "server/process_options.h"
#include "server/statistics.h"
#include "server/turn.h"

namespace pinyon {

// Everything that is configured, and the registry that knows it: complete before the server is built.
class Configuration {
 public:
  Configuration();
  // Loads file, standard input and arguments; returns the text of what is wrong, empty if nothing is.
  std::string Load(const StartOptions& start);

  SettingsRegistry registry;
  CommandTable commands;  // rename-command changes it while loading
  NetworkOptions network;
  ProcessOptions process;
  EngineOptions engine;
  PersistOptions persist;
  InertSettings inert;
  std::vector<Acl::Definition> users;  // of `user` lines
  std::string config_path;
  bool is_default = false;  // nobody configured anything

  // What CONFIG SET must do at once; set by the server.
  std::function<std::string()> on_bind_changed;
  std::function<std::string()> on_port_changed;
  std::function<std::string()> on_max_clients_changed;
  std::function<std::string()> on_hz_changed;
  std::function<std::string()> on_log_level_changed;
  std::function<std::string()> on_title_changed;
  std::function<std::string()> on_append_only_changed;
  std::function<std::string()> on_log_policy_changed;
  // The users whom CONFIG REWRITE writes; set by the server.
  std::function<std::vector<std::string>()> list_users;

 private:
  void DeclareUsers();
  SettingError AddUser(const std::vector<std::string>& words);

  std::unique_ptr<AclCommands> acl_commands_;  // while there are `user` lines to be read
};

class Server final : public ServerControl, public ClientHost {
 public:
  Server(Configuration& configuration, ProcessTitle& title);
  ~Server() override;

  // Opens what is to be listened on; returns what went wrong, empty if all is well.
  std::string Start();
  // Serves until a signal or SHUTDOWN ends it; returns the exit code.
  int Run();

  // ServerControl
  std::string Info(std::span<const std::string_view> sections) override;
  MemoryReport GetMemoryReport() override { return MakeMemoryReport(Sources()); }
  void PurgeMemory() override;
  void ResetStats() override;
  bool Shutdown(int flags) override;
  void CloseSession(Session& session, bool at_once) override;
  void OnSessionResumed(Session& session) override;
  bool BeginPush(Session& session) override;
  std::string RewriteConfig() override;
  std::string ReadAclFile(std::string* text) override;
  std::string WriteAclFile(std::string_view text) override;
  void SetActiveExpiry(bool enabled) override { periodic_.set_active_expiry(enabled); }
  void SetTableMaintenance(bool enabled) override { periodic_.set_table_maintenance(enabled); }
  ConnectionInfo GetConnectionInfo(const Session& session) override;

 private:
  // ClientHost
  void OnClientReady(Client& client) override { turn_.AddReady(client); }
  void OnClientHungUp(Client& client) override {
    ++hung_up_clients_;
    turn_.AddReady(client);
  }
  void OnClientFlush(Client& client) override;
  void OnClientLeaving(Client& client) override;
  void OnClientGone(Client& client) override;
  void OnMemoryChanged(Client& client) override { client_memory_.Update(client); }
  void OnQueryBufferLimit(Client& client) override;
  void OnOutputLimit(Client& client) override;
  bool IsOverOutputLimit(Client& client) override;
  int64_t QueryBufferLimit() const override { return configuration_.network.query_buffer_limit; }
  int64_t NowMs() const override { return engine_.is_loading ? WallMs() : keyspace_.now_ms(); }
  TrafficStats& Traffic() override { return stats_.traffic; }
  uint64_t ReplyOffset() const override { return engine_.effects.reply_offset(); }

  const NetworkOptions::OutputLimit& OutputLimitOf(const Client& client) const;
  // In bytes, 0: there is none.
  int64_t HardOutputLimit(const Client& client) const;
  // Those of the configuration file or those of the ACL file.
  std::string LoadUsers();
  void OnAccept(Connection* connection);
  // The reply to a connection that is not taken, empty when it is.
  std::string RefusalOf(const Connection& connection);
  void OnTick();
  void EvictClient(Client& client);
  void CheckClients();
  void CheckClient(Client& client);
  void ReportReady();
  void OnStopSignal(const char* name, int flags);
  void ShowBanner();
  std::string UpdateTitle();
  void BindHooks();
  InfoSources Sources();

  Configuration& configuration_;
  ProcessTitle& title_;
  Log log_;
  CycleClock cycles_;
  ChunkPool pool_;
  EventLoop loop_;
  Keyspace keyspace_;
  Engine engine_;
  Dispatcher dispatcher_;
  ClientMemory client_memory_;
  Turn turn_;
  ServerStats stats_;
  Periodic periodic_;
  Persistence persistence_;
  PeerConnections peers_;
  Listeners listeners_;
  std::unordered_map<uint64_t, std::unique_ptr<Client>> clients_;
  size_t hung_up_clients_ = 0;  // that have yet to leave
  uint64_t next_checked_ = 0;
  size_t tick_timer_ = 0;
  size_t max_input_bytes_ = 0;
  size_t max_output_bytes_ = 0;
  std::string run_id_;
  std::string executable_;
  int64_t start_ms_ = 0;
  uint64_t startup_memory_ = 0;  // in use when the server was ready
};

}  // namespace pinyon
