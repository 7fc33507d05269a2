#include "server/network_options.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "base/settings.h"

namespace pinyon {

namespace {

struct NetworkOptionsFixture {
  NetworkOptionsFixture() {
    const auto rebind = [this] { return ++rebinds, rebind_error; };
    options.Declare(registry, {.bind_changed = rebind, .port_changed = rebind, .max_clients_changed = [this] {
                                 return max_clients_error;
                               }});
  }
  std::string Set(std::string_view name, std::string_view value) {
    return registry.Set({{name, value}}, SetPolicy{});
  }
  std::string Limits() { return registry.GetOne("client-output-buffer-limit"); }

  SettingsRegistry registry;
  NetworkOptions options;
  int rebinds = 0;
  std::string rebind_error;
  std::string max_clients_error;
};

constexpr std::string_view kLimits = "client-output-buffer-limit";

}  // namespace

TEST_CASE("Output limits of clients are set class by class", "[network_options]") {
  NetworkOptionsFixture f;
  CHECK(f.Limits() == "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  CHECK(f.Set(kLimits, "normal 1mb 2kb 3").empty());
  CHECK(f.Limits() == "normal 1048576 2048 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  CHECK(f.Set(kLimits, "replica 1 2 3 PubSub 4 5 6").empty());
  CHECK(f.Limits() == "normal 1048576 2048 3 slave 1 2 3 pubsub 4 5 6");
  CHECK(f.options.output_limits[NetworkOptions::kReplicaClients].soft == 2);
  CHECK(f.options.output_limits[NetworkOptions::kPubsubClients].soft_seconds == 6);
  // The last one of a class counts.
  CHECK(f.Set(kLimits, "NORMAL 7 7 7 normal 8 8 8").empty());
  CHECK(f.Limits() == "normal 8 8 8 slave 1 2 3 pubsub 4 5 6");
}

TEST_CASE("A mistake in output limits changes none of them", "[network_options]") {
  NetworkOptionsFixture f;
  const std::string before = f.Limits();
  const auto error = [&f](std::string_view value) { return f.Set(kLimits, value); };
  for (const char* value : {"normal", "normal 1 2", "normal 1 2 3 pubsub"}) {
    CHECK_THAT(error(value),
               Catch::Matchers::Contains("Wrong number of arguments in buffer limit configuration."));
  }
  for (const char* value : {"foo 1 2 3", "normal 7 7 7 foo 1 2 3", "master 7 7 7"}) {
    CHECK_THAT(error(value),
               Catch::Matchers::Contains("Invalid client class specified in buffer limit configuration."));
  }
  for (const char* value :
       {"normal -1 2 3", "normal 1 2 -3", "normal 1 2 x", "normal x 2 3", "normal 1 y 3"}) {
    CHECK_THAT(error(value),
               Catch::Matchers::Contains(
                   "Error in hard, soft or soft_seconds setting in buffer limit configuration."));
  }
  CHECK(error("").empty());
  CHECK(f.Limits() == before);
}

TEST_CASE("Network directives start with Redis's values and keep their bounds", "[network_options]") {
  NetworkOptionsFixture f;
  const std::pair<const char*, const char*> defaults[] = {
      {"bind", "* -::*"},       {"port", "6379"},         {"tcp-backlog", "511"},
      {"timeout", "0"},         {"tcp-keepalive", "300"}, {"maxclients", "10000"},
      {"unixsocket", ""},       {"unixsocketperm", "0"},  {"client-query-buffer-limit", "1073741824"},
      {"protected-mode", "yes"}};
  for (const auto& [name, value] : defaults) {
    INFO(name);
    CHECK(f.registry.GetOne(name) == value);
  }
  const auto refuses = [&f](const char* name, const char* value, const char* reason) {
    CHECK_THAT(f.Set(name, value), Catch::Matchers::Contains(reason));
  };
  refuses("port", "65536", "argument must be between 0 and 65535 inclusive");
  refuses("port", "-1", "argument must be between 0 and 65535 inclusive");
  refuses("timeout", "-1", "argument must be between 0 and 2147483647 inclusive");
  refuses("maxclients", "0", "argument must be between 1 and 4294967295 inclusive");
  refuses("client-query-buffer-limit", "1000",
          "argument must be between 1048576 and 9223372036854775807 inclusive");
  refuses("unixsocketperm", "0777", "can't set immutable config");
  refuses("unixsocket", "/tmp/x", "can't set immutable config");
  refuses("tcp-backlog", "1", "can't set immutable config");
}

TEST_CASE("What is listened on changes only if it can be bound", "[network_options]") {
  NetworkOptionsFixture f;
  CHECK(f.Set("port", "7000").empty());
  CHECK(f.options.port == 7000);
  CHECK(f.rebinds == 1);
  f.rebind_error = "Unable to listen on this port";
  CHECK_THAT(f.Set("port", "7001"), Catch::Matchers::Contains("Unable to listen on this port"));
  CHECK(f.options.port == 7000);
  CHECK_THAT(f.Set("bind", "10.1.2.3"), Catch::Matchers::Contains("Unable to listen on this port"));
  CHECK(f.registry.GetOne("bind") == "* -::*");
  f.max_clients_error = "no room";
  CHECK_THAT(f.Set("maxclients", "5"), Catch::Matchers::Contains("no room"));
  CHECK(f.options.max_clients == 10000);
}

}  // namespace pinyon
