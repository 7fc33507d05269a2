#include "server/process_options.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <climits>
#include <string>
#include <string_view>

#include "base/settings.h"
#include "server/process.h"

namespace pinyon {

namespace {

struct ProcessOptionsFixture {
  ProcessOptionsFixture() {
    options.Declare(registry, {.hz_changed = [this] { return ++hz_changes, std::string(); },
                               .log_level_changed = [this] { return ++level_changes, std::string(); },
                               .title_changed = [this] { return title_error; }});
  }
  std::string Set(std::string_view name, std::string_view value) {
    return registry.Set({{name, value}}, SetPolicy{});
  }

  SettingsRegistry registry;
  ProcessOptions options;
  int hz_changes = 0;
  int level_changes = 0;
  std::string title_error;
};

std::string Expand(const std::string& title_template, const TitleFields& fields = {}) {
  std::string title;
  return ExpandTitle(title_template, fields, &title) ? title : "(refused)";
}

}  // namespace

TEST_CASE("hz stays within what can be kept", "[process_options]") {
  ProcessOptionsFixture f;
  CHECK(f.registry.GetOne("hz") == "10");
  CHECK(f.Set("hz", "0").empty());
  CHECK(f.registry.GetOne("hz") == "1");
  CHECK(f.Set("hz", "1000").empty());
  CHECK(f.options.hz == 500);
  CHECK(f.hz_changes == 2);
  CHECK_FALSE(f.Set("hz", "-1").empty());
  CHECK(f.options.hz == 500);
}

TEST_CASE("Directives of the process start with Redis's values", "[process_options]") {
  ProcessOptionsFixture f;
  const std::pair<const char*, const char*> defaults[] = {
      {"databases", "16"},
      {"dynamic-hz", "yes"},
      {"active-expire-effort", "1"},
      {"loglevel", "notice"},
      {"logfile", ""},
      {"daemonize", "no"},
      {"pidfile", ""},
      {"set-proc-title", "yes"},
      {"shutdown-timeout", "10"},
      {"always-show-logo", "no"},
      {"proc-title-template", "{title} {listen-addr} {server-mode}"}};
  for (const auto& [name, value] : defaults) {
    INFO(name);
    CHECK(f.registry.GetOne(name) == value);
  }
  for (const char* name :
       {"databases", "logfile", "daemonize", "pidfile", "set-proc-title", "always-show-logo"}) {
    INFO(name);
    CHECK_THAT(f.Set(name, "yes"), Catch::Matchers::Contains("can't set immutable config"));
  }
  CHECK_THAT(f.Set("active-expire-effort", "11"),
             Catch::Matchers::Contains("argument must be between 1 and 10 inclusive"));
  CHECK(f.Set("loglevel", "Warning").empty());
  CHECK(f.options.log_level == LogLevel::kWarning);
  CHECK(f.level_changes == 1);
}

TEST_CASE("The folder is where the process is", "[process_options]") {
  ProcessOptionsFixture f;
  char here[PATH_MAX];
  REQUIRE(getcwd(here, sizeof here) != nullptr);
  CHECK(f.registry.GetOne("dir") == here);
  CHECK_THAT(f.Set("dir", "/"), Catch::Matchers::Contains("can't set protected config"));
  CHECK(f.registry.GetOne("dir") == here);
}

TEST_CASE("A title's template is filled in, or refused", "[process_options]") {
  const TitleFields fields{.title = "pinyon-server",
                           .listen_address = "*:6379",
                           .server_mode = "",
                           .port = "6379",
                           .tls_port = "0",
                           .unix_socket = "/tmp/s",
                           .config_file = "/etc/pinyon.conf"};
  CHECK(Expand("{title} {listen-addr} {server-mode}", fields) == "pinyon-server *:6379");
  CHECK(Expand("{port}{tls-port} {unixsocket}:{config-file}", fields) == "63790 /tmp/s:/etc/pinyon.conf");
  CHECK(Expand("plain", fields) == "plain");
  CHECK(Expand("", fields).empty());
  CHECK(Expand("  {title}  ", fields) == "  pinyon-server");
  for (const char* bad : {"{bad}", "{", "{title", "x {title} { y", "{Title}", "{}"}) {
    INFO(bad);
    CHECK(Expand(bad, fields) == "(refused)");
  }
  ProcessOptionsFixture f;
  f.title_error = "template format is invalid or contains unknown variables";
  CHECK_THAT(f.Set("proc-title-template", "{bad}"), Catch::Matchers::Contains(f.title_error));
  CHECK(f.options.proc_title_template == "{title} {listen-addr} {server-mode}");
}

}  // namespace pinyon
