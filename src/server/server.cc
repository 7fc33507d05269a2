#include "server/server.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/alloc.h"
#include "base/strings.h"
#include "engine/client_line.h"
#include "server/acl_file.h"

namespace pinyon {

namespace {

constexpr std::string_view kProtectedModeError =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for "
    "the "
    "default user. In this mode connections are only accepted from the loopback interface. If you want to "
    "connect "
    "from external computers to Redis you may adopt one of the following solutions: 1) Just disable "
    "protected mode "
    "sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis "
    "from the "
    "same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if "
    "you do so. "
    "Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected "
    "mode by "
    "editing the Redis configuration file, and setting the protected mode option to 'no', and then "
    "restarting the "
    "server. 3) If you started the server manually just for testing, restart it with the '--protected-mode "
    "no' "
    "option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of "
    "the above "
    "things in order for the server to start accepting connections from the outside.\r\n";

// What those who have not logged in may be owed, beyond what is free: errors that they do not read must not
// fill the memory.
constexpr int64_t kUnauthenticatedOutput = 16 * 1024;

std::string RandomHex(Random random, int digits) {
  std::string text;
  while (digits-- > 0) text += "0123456789abcdef"[random.Below(16)];
  return text;
}

std::string ExecutablePath() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

}  // namespace

Server::Server(Configuration& configuration, ProcessTitle& title)
    : configuration_(configuration),
      title_(title),
      log_(configuration.process.log_file, configuration.process.log_level),
      keyspace_(configuration.process.databases, Random::FromSystem().Next()),
      engine_(keyspace_, configuration.commands, configuration.registry, log_, *this, configuration.engine),
      dispatcher_(engine_),
      client_memory_(engine_.sessions, configuration.network.clients_max_memory,
                     configuration.engine.eviction, log_, [this](Client& client) { EvictClient(client); }),
      turn_(engine_, dispatcher_, client_memory_, configuration_.network.gather_pause_us),
      periodic_(engine_, dispatcher_, stats_, configuration.process, pool_),
      persistence_(
          FileSystem::Real(), engine_, dispatcher_, configuration.persist, log_, [this] { loop_.Wake(); },
          [this] { loop_.RunOnce(); }),
      listeners_(loop_, configuration.network, log_,
                 [this](Connection* connection) { OnAccept(connection); }),
      run_id_(RandomHex(Random::FromSystem(), 40)),
      executable_(ExecutablePath()),
      start_ms_(WallMs()) {
  dispatcher_.UpdateTime();
  log_.SetRole(LogRole::kChild);
  engine_.transfer = &peers_;
  engine_.memory_limit.set_uncounted([this] { return persistence_.LogBufferBytes(); });
  BindHooks();
}

Server::~Server() {
  listeners_.Close();
  for (const auto& [id, client] : clients_) client->CloseNow();
  loop_.DrainClosing();
}

void Server::BindHooks() {
  const auto reopen = [this](Listeners::Change change) {
    const std::string error = listeners_.ReopenTcp(change);
    return error.empty() ? UpdateTitle() : error;
  };
  configuration_.on_bind_changed = [reopen] { return reopen(Listeners::Change::kBind); };
  configuration_.on_port_changed = [reopen] { return reopen(Listeners::Change::kPort); };
  configuration_.inert.on_changed = [this](std::string_view name) {
    log_.Warning("CONFIG SET {}: the directive has no effect yet", name);
  };
  configuration_.on_max_clients_changed = [this] {
    const int64_t wanted = configuration_.network.max_clients;
    const int64_t room = ReserveDescriptors(wanted, log_);
    if (room >= wanted) return std::string();
    return fmt::format(
        "The operating system is not able to handle the specified number of clients, try with {}", room);
  };
  configuration_.on_hz_changed = [this] {
    loop_.SetInterval(tick_timer_, static_cast<uint64_t>(1000 / configuration_.process.hz));
    return std::string();
  };
  configuration_.on_log_level_changed = [this] {
    log_.SetLevel(configuration_.process.log_level);
    return std::string();
  };
  configuration_.list_users = [this] { return engine_.acl.Lines(); };
  configuration_.on_title_changed = [this] { return UpdateTitle(); };
  configuration_.on_append_only_changed = [this] { return persistence_.OnAppendOnlyChanged(); };
  configuration_.on_log_policy_changed = [this] {
    persistence_.OnLogPolicyChanged();
    return std::string();
  };
}

// The lines by which watchers of a log know which process serves where.
void Server::ShowBanner() {
  const int port = configuration_.network.port;
  const bool on_terminal = configuration_.process.log_file.empty() && isatty(STDOUT_FILENO) != 0;
  if (!on_terminal && !configuration_.process.always_show_logo) {
    log_.Notice("Running mode=standalone, port={}.", port);
    log_.Notice("PID: {}", getpid());
    return;
  }
  log_.Raw(LogLevel::kNotice, fmt::format("\n"
                                          "         __\n"
                                          "      __/o \\__          Pinyon {} {} bit\n"
                                          "     '--,     \\___      Running in standalone mode\n"
                                          "         \\   ~~~~ \\__   Port: {}\n"
                                          "          \\__  ~~~__>  PID: {}\n"
                                          "             \\__-'\n\n",
                                          PINYON_VERSION, sizeof(void*) * 8, port, getpid()));
}

std::string Server::Start() {
  log_.RefreshTimeZone();
  log_.Warning("oO0OoO0OoO0Oo Pinyon is starting oO0OoO0OoO0Oo");
  log_.Warning("Pinyon version={}, bits={}, pid={}, just started", PINYON_VERSION, sizeof(void*) * 8,
               getpid());
  if (configuration_.is_default) {
    log_.Warning(
        "Warning: no config file specified, using the default config. In order to specify a config file use "
        "pinyon-server /path/to/pinyon.conf");
  } else {
    log_.Warning("Configuration loaded");
  }
  const auto inert = configuration_.inert.NamesInUse(configuration_.registry);
  if (!inert.empty())
    log_.Warning("Known directives without effect yet: {}", fmt::format("{}", fmt::join(inert, ", ")));

  const int64_t room = ReserveDescriptors(configuration_.network.max_clients, log_);
  if (room < 1) return "The limit of open files leaves no room for a client. Increase 'ulimit -n'.";
  configuration_.network.max_clients = room;
  log_.SetRole(LogRole::kMaster);
  log_.Notice("monotonic clock: POSIX clock_gettime");
  // Whoever can connect may also ask for a clean stop.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  loop_.OnSignal(SIGTERM, [this] { OnStopSignal("SIGTERM", configuration_.persist.shutdown_on_sigterm); });
  loop_.OnSignal(SIGINT, [this] { OnStopSignal("SIGINT", configuration_.persist.shutdown_on_sigint); });
  std::string error = LoadUsers();
  if (!error.empty()) {
    log_.Warning("{}", error);  // who runs in the background has no standard error
    return error;
  }
  error = listeners_.Open();
  if (!error.empty()) return error;
  error = UpdateTitle();
  if (!error.empty()) return error;
  const std::string& pid_file = configuration_.process.pid_file;
  if (!pid_file.empty()) WritePidFile(pid_file, log_);
  ShowBanner();
  log_.Warning("Server initialized");
  startup_memory_ = mem::UsedBytes();
  return {};
}

std::string Server::LoadUsers() {
  const AclOptions& options = configuration_.engine.acl;
  if (options.file.empty()) return engine_.acl.DefineUsers(configuration_.users);
  if (!configuration_.users.empty()) {
    return "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is "
           "invalid. This setup is very likely to lead to configuration errors and security holes, please "
           "define either an ACL file or declare users directly in your redis.conf, but not both.";
  }
  if (!options.requirepass.empty()) {
    log_.Warning("requirepass has no effect: the default user is as the ACL file says");
  }
  std::string text;
  std::string error = ReadAclFile(&text);
  if (error.empty()) error = engine_.acl.LoadText(text, options.file, nullptr);
  return error.empty() ? error : "Aborting Redis startup because of ACL errors: " + error;
}

std::string Server::ReadAclFile(std::string* text) {
  return pinyon::ReadAclFile(configuration_.engine.acl.file, text);
}

std::string Server::WriteAclFile(std::string_view text) {
  return pinyon::WriteAclFile(configuration_.engine.acl.file, text);
}

std::string Server::UpdateTitle() {
  const NetworkOptions& network = configuration_.network;
  const std::string address = network.port == 0      ? network.unix_socket
                              : network.bind.empty() ? fmt::format("*:{}", network.port)
                                                     : fmt::format("{}:{}", network.bind[0], network.port);
  std::string title;
  if (!ExpandTitle(configuration_.process.proc_title_template,
                   {.title = executable_,
                    .listen_address = address,
                    .server_mode = "",
                    .port = std::to_string(network.port),
                    .tls_port = "0",
                    .unix_socket = network.unix_socket,
                    .config_file = configuration_.config_path},
                   &title) ||
      title.empty()) {
    return "template format is invalid or contains unknown variables";
  }
  if (configuration_.process.set_proc_title) title_.Set(title);
  return {};
}

int Server::Run() {
  loop_.SetTurn([this] {
    const bool work_left = turn_.Run();
    loop_.WakeAt(std::min({engine_.blocked.next_deadline_us(), dispatcher_.NextLineUs(),
                           engine_.pause.until_us(), periodic_.NextSliceUs()}));
    return work_left;
  });
  loop_.SetPause([this] { return turn_.PauseUs(); });
  loop_.SetWakeHandler([this] {
    persistence_.OnLogProgress();
    turn_.ReleaseGated();
  });
  turn_.SetBackground([this] { return periodic_.RunSlice(); });
  tick_timer_ = loop_.AddTimer(static_cast<uint64_t>(1000 / configuration_.process.hz), [this] { OnTick(); });
  const std::string error = persistence_.LoadAndOpen();
  if (!error.empty()) {
    log_.Warning("{}", error);
    return 1;
  }
  ReportReady();
  loop_.Run();
  log_.Warning("Pinyon is now ready to exit, bye bye...");
  if (persistence_.abandons_log()) {
    // Ending the log's thread would wait for the disk after all.
    std::fflush(nullptr);
    _exit(0);
  }
  return 0;
}

void Server::ReportReady() {
  if (configuration_.network.port != 0) log_.Notice("Ready to accept connections");
  if (!configuration_.network.unix_socket.empty()) {
    log_.Notice("The server is now ready to accept connections at {}", configuration_.network.unix_socket);
  }
  if (configuration_.process.supervisor != Supervision::kSystemd) return;
  NotifySystemd("STATUS=Ready to accept connections\n", log_);
  NotifySystemd("READY=1\n", log_);
}

void Server::OnStopSignal(const char* name, int flags) {
  // Redis writes this line from its signal handler, hence the form.
  log_.Raw(LogLevel::kWarning, fmt::format("{}:signal-handler ({}) Received {} scheduling shutdown...\n",
                                           getpid(), WallMs() / 1000, name));
  if (!Shutdown(flags)) {
    log_.Warning("{} received but errors trying to shut down the server, check the logs for more information",
                 name);
  }
}

bool Server::Shutdown(int flags) {
  log_.Warning("User requested shutdown...");
  // Redis knows 0 as the way not to wait for replicas; a disk needs a moment even so.
  const int64_t timeout_s = std::max(configuration_.process.shutdown_timeout_s, 1);
  if (!persistence_.PrepareStop(flags, timeout_s * 1000)) return false;
  if (configuration_.process.supervisor == Supervision::kSystemd) NotifySystemd("STOPPING=1\n", log_);
  const std::string& pid_file = configuration_.process.pid_file;
  if (!pid_file.empty()) {
    log_.Notice("Removing the pid file.");
    unlink(pid_file.c_str());
  }
  if (persistence_.loading().running) {
    // What was loaded is on the disk, and whoever loads it cannot stop half-way.
    log_.Warning("Received shutdown signal during loading, exiting now.");
    std::fflush(nullptr);
    _exit(1);
  }
  listeners_.Close();
  loop_.Stop();
  return true;
}

// --- clients ---

std::string Server::RefusalOf(const Connection& connection) {
  // Those whose end came with this one make room, though they have yet to be closed; but not without bounds,
  // as they have their descriptors until then.
  const auto count = static_cast<int64_t>(engine_.sessions.size() - hung_up_clients_);
  const auto connections = static_cast<int64_t>(clients_.size());
  const int64_t most = configuration_.network.max_clients;
  if (count >= most || connections >= most + kReservedDescriptors / 2) {
    ++stats_.connections_rejected;
    return "-ERR max number of clients reached\r\n";
  }
  const bool open_to_all = !configuration_.network.protected_mode || !engine_.acl.default_user().nopass();
  if (open_to_all || connection.IsLocal()) return {};
  ++stats_.connections_rejected;
  return std::string(kProtectedModeError);
}

void Server::OnAccept(Connection* accepted) {
  std::unique_ptr<Connection> connection(accepted);
  const std::string refusal = RefusalOf(*connection);
  if (!refusal.empty()) {
    const iovec piece{const_cast<char*>(refusal.data()), refusal.size()};
    connection->TryWrite(&piece, 1);
    connection.release()->Close();  // deletes itself
    return;
  }
  connection->ConfigureTcp(configuration_.network.tcp_keepalive_s);
  ++stats_.connections_received;
  const uint64_t id = engine_.sessions.NextId();
  auto client = std::make_unique<Client>(*this, pool_, std::move(connection), id);
  Session& session = client->session;
  engine_.acl.MakeDefault(session);
  session.is_local = client->connection().IsLocal();
  session.null_sink = &engine_.null_sink;
  session.created_ms = session.last_active_ms = WallMs();
  engine_.sessions.Add(&session);
  client->StartReading();
  client->NoteMemory();
  clients_.emplace(id, std::move(client));
}

void Server::OnClientFlush(Client& client) {
  turn_.AddFlush(client);
  loop_.RequestTurn();
}

void Server::OnClientLeaving(Client& client) {
  if (client.hung_up()) --hung_up_clients_;
  client_memory_.Forget(client);
  ForgetSession(engine_, client.session);
  if (engine_.blocked.HasReady()) loop_.RequestTurn();  // who stood behind it in a line
}

void Server::EvictClient(Client& client) {
  ++stats_.evicted_clients;
  log_.Notice("Evicting client: {}", ClientLine(*this, client.session, {}, WallMs()));
  client.Drop();
}

void Server::OnClientGone(Client& client) {
  turn_.Remove(client);
  clients_.erase(client.session.id);
}

void Server::OnQueryBufferLimit(Client& client) {
  ++stats_.query_buffer_disconnections;
  constexpr size_t kShownBytes = 64;
  log_.Warning("Closing client that reached max query buffer length: {} (qbuf initial bytes: {})",
               ClientLine(*this, client.session, {}, WallMs()),
               QuoteForLog(client.input.bytes().substr(0, kShownBytes)));
}

void Server::CloseSession(Session& session, bool at_once) {
  const auto it = clients_.find(session.id);
  if (it != clients_.end()) it->second->Close(at_once);
}

void Server::OnSessionResumed(Session& session) {
  // Waiting was no idleness.
  session.last_active_ms = NowMs();
  turn_.Resume(*clients_.at(session.id));
  loop_.RequestTurn();
}

bool Server::BeginPush(Session& session) {
  // Whoever has a connection is a client; asking the map of clients would cost more than the message.
  Client& client = static_cast<Client&>(*session.connection->handler());
  OnClientFlush(client);
  client.NoteMemory();  // of what it was told before
  return !IsOverOutputLimit(client);
}

const NetworkOptions::OutputLimit& Server::OutputLimitOf(const Client& client) const {
  const bool listens = client.session.subscriber != nullptr;
  return configuration_.network
      .output_limits[listens ? NetworkOptions::kPubsubClients : NetworkOptions::kNormalClients];
}

int64_t Server::HardOutputLimit(const Client& client) const {
  const int64_t limit = OutputLimitOf(client).hard;
  if (client.session.authenticated || !engine_.acl.AuthRequired()) return limit;
  return limit == 0 ? kUnauthenticatedOutput : std::min(limit, kUnauthenticatedOutput);
}

bool Server::IsOverOutputLimit(Client& client) {
  // As in Redis what a client's own reply buffer takes, 16 KiB, is free.
  const size_t output = client.OutputBytes();
  const auto owed = static_cast<int64_t>(output - std::min(output, ChunkPool::kChunkBytes));
  const int64_t hard = HardOutputLimit(client);
  if (hard > 0 && owed > hard) return true;
  const NetworkOptions::OutputLimit& limit = OutputLimitOf(client);
  if (limit.soft == 0 || owed < limit.soft) {
    client.soft_limit_since_ms = 0;
    return false;
  }
  const int64_t now_ms = NowMs();
  if (client.soft_limit_since_ms == 0) client.soft_limit_since_ms = now_ms;
  return now_ms - client.soft_limit_since_ms > limit.soft_seconds * 1000;
}

ServerControl::ConnectionInfo Server::GetConnectionInfo(const Session& session) {
  const auto it = clients_.find(session.id);
  return it != clients_.end() ? it->second->Info() : ConnectionInfo();
}

// --- periodic work and statistics ---

void Server::OnTick() {
  dispatcher_.UpdateTime();
  periodic_.Tick();
  persistence_.Tick();
  peers_.CloseIdle(MonotonicUs());
  CheckClients();
}

// Looks at a share of the clients, so that each is seen about once a second.
void Server::CheckClients() {
  const auto& sessions = engine_.sessions.all();
  constexpr size_t kAtLeast = 5;
  size_t left = std::max(sessions.size() / static_cast<size_t>(configuration_.process.hz), kAtLeast);
  left = std::min(left, sessions.size());
  for (; left > 0; --left) {
    auto it = sessions.lower_bound(next_checked_);
    if (it == sessions.end()) {
      it = sessions.begin();
      if (it == sessions.end()) return;
    }
    next_checked_ = it->first + 1;
    CheckClient(*clients_.at(it->first));
  }
}

void Server::CheckClient(Client& client) {
  const int64_t now_ms = WallMs();
  client.AgeReplyPeak(now_ms);
  client.NoteMemory();  // it may have come to an age
  max_input_bytes_ = std::max(max_input_bytes_, client.input.bytes().size());
  max_output_bytes_ = std::max(max_output_bytes_, client.OutputBytes());
  const int64_t timeout_s = configuration_.network.timeout_s;
  const bool waits = client.session.suspension != nullptr || client.session.subscriber != nullptr;
  if (timeout_s > 0 && !waits && now_ms - client.session.last_active_ms > timeout_s * 1000) {
    log_.Verbose("Closing idle client");
    return client.Close(true);
  }
  if (!IsOverOutputLimit(client)) return;
  OnOutputLimit(client);
  client.Close(true);
}

void Server::OnOutputLimit(Client& client) {
  ++stats_.output_buffer_disconnections;
  log_.Warning("Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
               ClientLine(*this, client.session, {}, WallMs()));
}

InfoSources Server::Sources() {
  uint64_t clients_memory = 0;
  for (const auto& [id, client] : clients_) clients_memory += client->MemoryBytes();
  return {engine_,
          persistence_,
          peers_,
          stats_,
          turn_.stats(),
          configuration_.network,
          configuration_.process,
          cycles_,
          run_id_,
          executable_,
          configuration_.config_path,
          start_ms_,
          startup_memory_,
          clients_memory,
          pool_.IdleBytes(),
          max_input_bytes_,
          max_output_bytes_};
}

std::string Server::Info(std::span<const std::string_view> sections) { return InfoText(Sources(), sections); }

void Server::PurgeMemory() {
  pool_.Trim(0);
  mem::GiveBackUnused();
}

void Server::ResetStats() {
  const uint64_t peak_memory = stats_.peak_memory;
  stats_ = ServerStats();
  stats_.peak_memory = peak_memory;
  turn_.stats() = TurnStats();
  persistence_.ResetStats();
  keyspace_.stats() = KeyspaceStats();
  keyspace_.lazy_free().ResetFreed();
  engine_.memory_limit.ResetStats();
  engine_.defragmenter.ResetStats();
  mem::ResetRelocateStats();
  const int64_t changes = engine_.stats.changes_since_save;
  engine_.stats = EngineStats();
  engine_.stats.changes_since_save = changes;
  engine_.commands.ResetStats();
  max_input_bytes_ = max_output_bytes_ = 0;
}

std::string Server::RewriteConfig() {
  if (configuration_.config_path.empty()) return "ERR The server is running without a config file";
  const std::string error = configuration_.registry.RewriteFile(configuration_.config_path);
  if (!error.empty()) {
    log_.Warning("CONFIG REWRITE failed: {}", error);
    return fmt::format("ERR Rewriting config file: {}", error);
  }
  log_.Notice("CONFIG REWRITE executed with success.");
  return {};
}

}  // namespace pinyon
