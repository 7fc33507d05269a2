#include "engine/log_replay.h"

#include <fmt/format.h>

namespace pinyon {

LogReplay::LogReplay(Engine& engine, Dispatcher& dispatcher)
    : engine_(engine), dispatcher_(dispatcher), session_(0, &replies_) {
  session_.authenticated = true;
  session_.may_block = false;
  session_.null_sink = &engine_.null_sink;
}

void LogReplay::BeginUnit() {
  PINYON_ASSERT(engine_.is_loading);
  // Clients may have been served since the last unit.
  dispatcher_.UpdateTime();
  engine_.in_unit = true;
}

void LogReplay::EndUnit() { engine_.in_unit = false; }

Executor::Result LogReplay::Run(int database, std::span<const std::string_view> args) {
  Command* command = engine_.commands.Resolve(args);
  if (command == nullptr) return {Result::Verdict::kUnknownCommand, {}};
  const int argc = static_cast<int>(args.size());
  const int arity = command->spec->arity;
  if ((arity > 0 && arity != argc) || argc < -arity) {
    return {Result::Verdict::kRefused, fmt::format("wrong number of arguments for '{}'", command->name)};
  }
  session_.database = database;
  const uint64_t errors = session_.reply.error_count();
  dispatcher_.Run(session_, *command, args);
  if (session_.reply.error_count() == errors) {
    replies_.Clear();
    return {};
  }
  std::string text(replies_.text());
  replies_.Clear();
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.pop_back();
  return {Result::Verdict::kRefused, text};
}

}  // namespace pinyon
