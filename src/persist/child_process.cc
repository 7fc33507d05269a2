#include "persist/child_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/assert.h"
#include "base/clock.h"

namespace pinyon {

namespace {

constexpr int kParentGone = 255;
constexpr int64_t kLookIntervalUs = 1'000'000;

// Bytes that this process has written to since the fork and so does not share, by the kernel's account; 0
// when it does not tell. Reading it takes the kernel time in proportion to the memory.
uint64_t PrivateDirtyBytes() {
  std::FILE* file = std::fopen("/proc/self/smaps_rollup", "re");
  if (file == nullptr) return 0;
  char line[256];
  uint64_t kilobytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "Private_Dirty:", 14) == 0) kilobytes = std::strtoull(line + 14, nullptr, 10);
  }
  std::fclose(file);
  return kilobytes * 1024;
}

void ResetSignals() {
  for (const int number :
       {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGCHLD}) {
    signal(number, SIG_DFL);
  }
  // Whoever stops the server by its terminal stops the server, which sees to its child.
  signal(SIGINT, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void ChildProgress::NoteCopied(bool at_once) {
  const int64_t now_us = MonotonicUs();
  if (!at_once && now_us - copied_at_us < kLookIntervalUs) return;
  const uint64_t bytes = PrivateDirtyBytes();
  copied_bytes = bytes;
  copied_bytes_peak = std::max<uint64_t>(bytes, copied_bytes_peak);
  copied_at_us = now_us;
}

void ChildProgress::SetError(const std::string& text) {
  const size_t length = std::min(text.size(), sizeof error - 1);
  std::memcpy(error, text.data(), length);
  error[length] = '\0';
}

ChildProcess::ChildProcess() {
  void* page =
      mmap(nullptr, sizeof(ChildProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PINYON_CHECK(page != MAP_FAILED);
  progress_ = new (page) ChildProgress;
}

ChildProcess::~ChildProcess() {
  Kill();
  munmap(progress_, sizeof(ChildProgress));
}

std::string ChildProcess::Start(Task task, const std::function<int(ChildProgress&)>& body) {
  PINYON_ASSERT(!running() && task != Task::kNone);
  new (progress_) ChildProgress;
  const pid_t parent = getpid();
  const int64_t start_us = MonotonicUs();
  const pid_t pid = fork();
  if (pid < 0) return std::strerror(errno);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kParentGone);  // it was gone before that took effect
    ResetSignals();
    const int code = body(*progress_);
    progress_->NoteCopied(true);
    _exit(code);
  }
  last_fork_us_ = MonotonicUs() - start_us;
  ++forks_;
  started_us_ = start_us;
  task_ = task;
  pid_ = pid;
  return {};
}

std::optional<ChildProcess::Result> ChildProcess::Poll() {
  if (!running()) return std::nullopt;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  PINYON_CHECK(ended == pid_);
  return Finish(status, false);
}

std::optional<ChildProcess::Result> ChildProcess::Kill() {
  if (!running()) return std::nullopt;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return Finish(status, true);
}

ChildProcess::Result ChildProcess::Finish(int status, bool was_killed) {
  const Result result{.task = task_,
                      .pid = pid_,
                      .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                      .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                      .was_killed = was_killed,
                      .run_us = MonotonicUs() - started_us_,
                      .copied_bytes = progress_->copied_bytes_peak,
                      .error = progress_->error};
  pid_ = -1;
  task_ = Task::kNone;
  return result;
}

}  // namespace pinyon
