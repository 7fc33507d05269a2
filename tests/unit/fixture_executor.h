// Runs a log's commands on the engine of a CommandFixture.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "command_fixture.h"
#include "persist/executor.h"

namespace pinyon {

class FixtureExecutor final : public Executor {
 public:
  explicit FixtureExecutor(CommandFixture& fixture) : fixture_(fixture) {}

  int DatabaseCount() const override { return fixture_.keyspace.DatabaseCount(); }
  void BeginUnit() override { ++units; }
  Result Run(int database, std::span<const std::string_view> args) override {
    fixture_.session().database = database;
    ++commands;
    const std::string reply = fixture_.DoAs(0, args);
    if (reply.starts_with("-ERR unknown command")) return {Result::Verdict::kUnknownCommand, ""};
    if (reply.starts_with("-")) return {Result::Verdict::kRefused, reply.substr(1, reply.size() - 3)};
    return {};
  }

  int units = 0;
  int commands = 0;

 private:
  CommandFixture& fixture_;
};

}  // namespace pinyon
