// pinyon-server: arguments, configuration, exit codes.
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/alloc.h"
#include "server/options.h"
#include "server/process.h"
#include "server/server.h"

namespace {

int Refuse(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything is allocated that used_memory should know of.
  pinyon::mem::RegisterThread();
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  const pinyon::StartOptions start = pinyon::ParseCommandLine(args);
  if (start.action == pinyon::StartOptions::Action::kRefuse) return Refuse(start.text);
  if (start.action == pinyon::StartOptions::Action::kPrintAndSucceed) {
    std::printf("%s\n", start.text.c_str());
    return 0;
  }

  pinyon::Log early_log;
  early_log.SetRole(pinyon::LogRole::kChild);
  if (start.read_stdin) early_log.Warning("Reading config from stdin");
  pinyon::Configuration configuration;
  std::string error = configuration.Load(start);
  if (!error.empty()) return Refuse(error);
  pinyon::InstallCrashHandlers();
  pinyon::ProcessTitle title(argc, argv);
  pinyon::ProcessOptions& process = configuration.process;
  pinyon::Log log(process.log_file, process.log_level);
  log.SetRole(pinyon::LogRole::kChild);
  process.supervisor = pinyon::ReportToSupervisor(process.supervised, log);
  const bool supervised = process.supervisor != pinyon::Supervision::kNone;
  if (process.daemonize && !supervised) {
    if (process.pid_file.empty()) process.pid_file = pinyon::kDaemonPidFile;
    if (!pinyon::Daemonize()) return Refuse("Cannot run in the background: fork failed");
  }

  pinyon::mem::TryHugePage();
  pinyon::Server server(configuration, title);
  error = server.Start();
  if (!error.empty()) return Refuse(error);
  const int code = server.Run();
#ifndef PINYON_ASSERTIONS
  // The system takes memory back faster than we free millions of keys; tests free them, to see that nothing
  // leaks.
  std::fflush(nullptr);
  _exit(code);
#endif
  return code;
}
