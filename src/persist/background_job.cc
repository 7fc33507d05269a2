#include "persist/background_job.h"

#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/blocked_signals.h"

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
  try {
    const BlockedSignals blocked;
    thread_ = std::thread(run);
    return;
  } catch (const std::system_error&) {
    // No thread to be had now.
  }
  run();
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
