// The one forked child that writes a snapshot or a new log while the server goes on: starting it, seeing how
// far it is, and hearing of its end. A fork sees the data as they are at that moment, and shares every page
// that neither side writes.
//
// The child has the forking thread only. It resets the signal handlers of its parent, never touches the loop,
// dies with its parent (a server that is started anew must not have its files replaced by a forgotten child),
// and leaves by _exit.
//
// Figures come back through a page that both share; nothing else is shared for writing. There is at most one
// child. Poll does not wait.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace pinyon {

// What a child tells while it works; written by it alone.
struct ChildProgress {
  std::atomic<uint64_t> keys_done{0};
  std::atomic<uint64_t> keys_total{0};
  std::atomic<uint64_t> bytes_written{0};
  // Memory that the two do not share any more, as the child last looked, the most so far, and when that was
  // (MonotonicUs).
  std::atomic<uint64_t> copied_bytes{0};
  std::atomic<uint64_t> copied_bytes_peak{0};
  std::atomic<int64_t> copied_at_us{0};
  // Why it failed, if it did; ends with a zero.
  char error[512] = {};

  // To be called by the child now and then: looks at what is not shared any more, at most once a second, and
  // at the end.
  void NoteCopied(bool at_once);
  void SetError(const std::string& text);
};

class ChildProcess {
 public:
  enum class Task : uint8_t { kNone, kSnapshot, kRewrite };

  struct Result {
    Task task;
    pid_t pid;
    int exit_code;    // -1 when a signal ended it
    int signal;       // 0 when none did
    bool was_killed;  // by Kill
    int64_t run_us;
    uint64_t copied_bytes;
    std::string error;
    bool ok() const { return exit_code == 0 && signal == 0; }
  };

  ChildProcess();
  // Kills what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Forks; `body` runs in the child and returns its exit code. Returns what went wrong, empty if nothing did.
  // There must be no child.
  std::string Start(Task task, const std::function<int(ChildProgress&)>& body);
  // The result when the child has ended since.
  std::optional<Result> Poll();
  // Ends the child and waits for that; its result is returned here, not by Poll.
  std::optional<Result> Kill();

  bool running() const { return pid_ > 0; }
  Task task() const { return task_; }
  pid_t pid() const { return pid_; }
  int64_t started_us() const { return started_us_; }
  // How long the last fork held the loop.
  int64_t last_fork_us() const { return last_fork_us_; }
  uint64_t forks() const { return forks_; }
  const ChildProgress& progress() const { return *progress_; }

 private:
  Result Finish(int status, bool was_killed);

  ChildProgress* progress_ = nullptr;  // on a page of its own
  Task task_ = Task::kNone;
  pid_t pid_ = -1;
  int64_t started_us_ = 0;
  int64_t last_fork_us_ = 0;
  uint64_t forks_ = 0;
};

}  // namespace pinyon
