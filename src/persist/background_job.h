// One thing at a time done on a thread that is made for it: what may wait for the disk, and happens seldom
// enough for a thread each. Owned and called by one thread.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace pinyon {

class BackgroundJob {
 public:
  BackgroundJob() = default;
  // Waits for the job.
  ~BackgroundJob();
  BackgroundJob(const BackgroundJob&) = delete;
  BackgroundJob& operator=(const BackgroundJob&) = delete;

  // `job`, and then `wake`, run on the thread; they share with the owner only what he leaves alone until
  // TakeEnded. No job may be running. Where no thread is to be had, both run here.
  void Start(std::function<void()> job, std::function<void()> wake);
  // From Start until TakeEnded has said true.
  bool running() const { return is_running_; }
  // Whether the job has ended since; once for each.
  bool TakeEnded();
  // Waits until TakeEnded says true.
  void Wait();

 private:
  std::thread thread_;
  std::atomic<bool> has_ended_{false};
  bool is_running_ = false;
};

}  // namespace pinyon
