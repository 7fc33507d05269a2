#include "persist/background_job.h"

#include <signal.h>

#include <system_error>
#include <utility>

#include "base/assert.h"

namespace pinyon {

BackgroundJob::~BackgroundJob() { Wait(); }

void BackgroundJob::Start(std::function<void()> job, std::function<void()> wake) {
  PINYON_ASSERT(!is_running_);
  is_running_ = true;
  has_ended_ = false;
  auto run = [this, job = std::move(job), wake = std::move(wake)] {
    job();
    has_ended_.store(true, std::memory_order_release);
    if (wake) wake();
  };
  // Signals are the loop's: the thread starts with all of them blocked.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool has_thread = true;
  try {
    thread_ = std::thread(run);
  } catch (const std::system_error&) {
    has_thread = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!has_thread) run();
}

bool BackgroundJob::TakeEnded() {
  if (!is_running_ || !has_ended_.load(std::memory_order_acquire)) return false;
  Wait();
  return true;
}

void BackgroundJob::Wait() {
  if (thread_.joinable()) thread_.join();
  is_running_ = false;
}

}  // namespace pinyon
