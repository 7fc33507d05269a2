#include "command_fixture.h"

#include <charconv>

#include "commands/families.h"

namespace pinyon {

namespace {

// Reads "<type><number>\r\n" off the front of `text`.
size_t TakeHeader(std::string_view* text, char type) {
  PINYON_CHECK(!text->empty() && text->front() == type);
  const size_t end = text->find("\r\n");
  PINYON_CHECK(end != std::string_view::npos);
  size_t value = 0;
  const auto [stop, error] = std::from_chars(text->data() + 1, text->data() + end, value);
  PINYON_CHECK(error == std::errc() && stop == text->data() + end);
  text->remove_prefix(end + 2);
  return value;
}

}  // namespace

std::string FakeServerControl::Info(std::span<const std::string_view> sections) {
  info_sections.assign(sections.begin(), sections.end());
  return "# Server\r\n";
}

bool FakeServerControl::Shutdown(int) {
  ++shutdown_calls;
  return !refuses_shutdown;
}

void FakeServerControl::CloseSession(Session& session, bool) {
  session.closing = true;
  closed_sessions.push_back(session.id);
}

ServerControl::ConnectionInfo FakeServerControl::GetConnectionInfo(const Session&) {
  ConnectionInfo info;
  info.address = "127.0.0.1:40000";
  info.local_address = "127.0.0.1:6379";
  info.fd = 8;
  info.local = true;
  return info;
}

uint64_t EffectRecorder::Append(std::string_view commands) {
  offset_ += commands.size();
  ++units_;
  while (!commands.empty()) {
    std::string line;
    for (size_t left = TakeHeader(&commands, '*'); left > 0; --left) {
      const size_t length = TakeHeader(&commands, '$');
      PINYON_CHECK(commands.size() >= length + 2 && commands.substr(length, 2) == "\r\n");
      if (!line.empty()) line += ' ';
      line += commands.substr(0, length);
      commands.remove_prefix(length + 2);
    }
    commands_.push_back(std::move(line));
  }
  return offset_;
}

CommandFixture::CommandFixture() {
  options.Declare(settings);
  for (const auto family : AllFamilies()) commands.AddFamily(family);
  SetNow(kStartMs);
}

CommandFixture::~CommandFixture() {
  for (size_t i = 0; i < clients_.size(); ++i) Disconnect(i);
}

Session& CommandFixture::session(size_t client) {
  while (clients_.size() <= client) clients_.emplace_back();
  Client& entry = clients_[client];
  if (entry.session == nullptr) {
    entry.session = std::make_unique<Session>(engine.sessions.NextId(), &entry.sink);
    engine.acl.MakeDefault(*entry.session);
    entry.session->authenticated = true;
    entry.session->null_sink = &engine.null_sink;
    entry.session->created_ms = keyspace.now_ms();
    engine.sessions.Add(entry.session.get());
  }
  return *entry.session;
}

void CommandFixture::Disconnect(size_t client) {
  Client& entry = clients_[client];
  if (entry.session == nullptr) return;
  ForgetSession(engine, *entry.session);
  entry.session.reset();
}

std::string CommandFixture::DoAs(size_t client, Args args) {
  Session& who = session(client);
  StringSink& sink = clients_[client].sink;
  sink.Clear();
  Command* command = commands.Resolve(args);
  uint64_t hash = 0;
  if (command != nullptr && command->first_key > 0 && static_cast<size_t>(command->first_key) < args.size()) {
    hash = keyspace.database(who.database).Hash(args[static_cast<size_t>(command->first_key)]);
  }
  // The dispatcher reads the real clock when its time is old, which it finds after each of these calls.
  keyspace.set_now_ms(now_ms_);
  engine.memory_limit.BeginTurn();
  dispatcher.Dispatch(who, command, args, hash);
  keyspace.set_now_ms(now_ms_);
  return std::string(sink.text());
}

std::string CommandFixture::RunAs(size_t client, std::string_view line) {
  std::vector<std::string_view> args;
  while (!line.empty()) {
    const size_t end = line.find(' ');
    args.push_back(line.substr(0, end));
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return DoAs(client, args);
}

void CommandFixture::RecordNotifications(uint32_t classes) {
  engine.notifier.Subscribe(classes,
                            [this](NotifyClass, std::string_view event, std::string_view key, int database) {
                              std::string line = std::string(event) + " " + std::string(key);
                              if (database != 0) line += "@" + std::to_string(database);
                              notifications_.push_back(std::move(line));
                            });
}

}  // namespace pinyon
