// What the integration tests share: the server under test, started with the directives of the test.
//
// Tests tagged [redis-ok] describe what a redis-server does too and can be checked against one:
// PINYON_SERVER=redis-server integration_tests "[redis-ok]". Those tagged [pinyon] are about Pinyon alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/raw_client.h"
#include "support/server_process.h"

namespace pinyon::testing {

inline std::unique_ptr<ServerProcess> Launch(ServerOptions options = {}) {
  if (options.binary.empty()) options.binary = PinyonBinary();
  return std::make_unique<ServerProcess>(std::move(options));
}

inline std::unique_ptr<ServerProcess> LaunchWith(std::vector<std::string> args) {
  return Launch({.args = std::move(args)});
}

// The text of a simple string, an error or a bulk; for anything else how it prints, which makes a readable
// failure.
inline std::string TextOf(const Reply& reply) {
  const bool text = reply.type == ReplyType::kSimple || reply.type == ReplyType::kBulk || reply.IsError();
  return text ? reply.text : Print(reply);
}

// The server still answers a new client and ends cleanly: the last line of a test that was rough with it.
inline bool HealthyUntilTheEnd(ServerProcess& server) {
  return TextOf(server.Connect().Call({"PING"})) == "PONG" && server.Stop() == 0;
}

}  // namespace pinyon::testing
