// Runs the commands of a log while the server loads it: through the command table and the handlers, as a
// client that may do everything and to whom nothing is said.
//
// Engine::is_loading must be set: time stands still then, so that nothing expires whose deletion the log does
// not say.
#pragma once

#include <string>

#include "engine/dispatcher.h"
#include "engine/engine.h"
#include "persist/executor.h"

namespace pinyon {

class LogReplay final : public Executor {
 public:
  LogReplay(Engine& engine, Dispatcher& dispatcher);

  int DatabaseCount() const override { return engine_.keyspace.DatabaseCount(); }
  void BeginUnit() override;
  void EndUnit() override;
  Result Run(int database, std::span<const std::string_view> args) override;

 private:
  Engine& engine_;
  Dispatcher& dispatcher_;
  StringSink replies_;
  Session session_;
};

}  // namespace pinyon
