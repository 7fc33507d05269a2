#include "support/run_program.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "support/server_process.h"

extern char** environ;

namespace pinyon::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kLimit = 60s;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

// Without a name, so that nothing is left behind.
FilePtr Temporary() {
  FilePtr file(std::tmpfile());
  if (file == nullptr) throw std::runtime_error("tmpfile");
  return file;
}

std::string Contents(std::FILE* file) {
  std::string text;
  char block[4096];
  std::rewind(file);
  while (const size_t count = std::fread(block, 1, sizeof block, file)) text.append(block, count);
  return text;
}

int WaitFor(pid_t pid, const std::string& name) {
  const auto end = Clock::now() + kLimit;
  for (auto pause = 200us;; pause = std::min<std::chrono::microseconds>(pause * 2, 10ms)) {
    int status = 0;
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (ended < 0) throw std::runtime_error(fmt::format("waitpid: {}", std::strerror(errno)));
    if (Clock::now() > end) break;
    std::this_thread::sleep_for(pause);
  }
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  throw std::runtime_error(name + " does not end");
}

}  // namespace

ProgramRun RunProgram(std::vector<std::string> argv, const ProgramOptions& options) {
  const FilePtr input = Temporary(), output = Temporary(), errors = Temporary();
  std::fwrite(options.input.data(), 1, options.input.size(), input.get());
  std::rewind(input.get());
  std::vector<char*> pointers;
  for (std::string& arg : argv) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(input.get()), 0);
  posix_spawn_file_actions_adddup2(&actions, fileno(output.get()), 1);
  posix_spawn_file_actions_adddup2(&actions, fileno(errors.get()), 2);
  if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error(fmt::format("start {}: {}", argv[0], std::strerror(failed)));
  ProgramRun run;
  run.code = WaitFor(pid, argv[0]);
  run.output = Contents(output.get());
  run.errors = Contents(errors.get());
  return run;
}

std::string SiblingOfPinyon(const std::string& name) {
  return (std::filesystem::absolute(PinyonBinary()).parent_path() / name).string();
}

}  // namespace pinyon::testing
