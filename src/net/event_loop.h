// The libuv loop, and the places in it at which the server's turn runs.
//
// After polling (uv_check) the turn handler runs. Before polling (uv_prepare) it runs again if something was
// queued since, because libuv fires timers before it polls and would sleep on their results. While the
// handler says that there is work left, polling does not block (an idle handle is active).
//
// Callbacks of timers and signals run on the loop's thread and must only enqueue work.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace pinyon {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // `turn` returns whether it left work that can go on at once.
  void SetTurn(std::function<bool()> turn) { turn_ = std::move(turn); }
  // Something was queued for the turn: it runs before the loop sleeps.
  void RequestTurn() { turn_requested_ = true; }

  // The turn runs at `time_us` (of MonotonicUs), as soon as the kernel can: a rate of a thousand a second is
  // kept that way. INT64_MAX: not on this account. One time at once: the last that was given; the turn is to
  // give it anew each time that it runs.
  void WakeAt(int64_t time_us);

  // Asked before the loop would sleep for want of events: for how many microseconds it shall not look for
  // any, so that several gather.
  void SetPause(std::function<int64_t()> pause_us) { pause_us_ = std::move(pause_us); }

  // Calls `callback` every `interval_ms`, as long as the loop lives. The handle's number is for SetInterval.
  size_t AddTimer(uint64_t interval_ms, std::function<void()> callback);
  void SetInterval(size_t timer, uint64_t interval_ms);
  // What runs on the loop's thread after Wake, which any thread may call (several calls may count as one).
  void SetWakeHandler(std::function<void()> handler) { on_wake_ = std::move(handler); }
  void Wake() { uv_async_send(&async_); }
  void OnSignal(int signal, std::function<void()> callback);

  // Runs until Stop().
  void Run();
  // Handles what is there, without waiting: for work that goes on before Run.
  void RunOnce();
  void Stop();
  // Closes every handle that is still open and lets their callbacks run; to be called after Run, when the
  // owners of connections and listeners have asked them to close.
  void DrainClosing();

  uv_loop_t* uv() { return &loop_; }

 private:
  struct Timer {
    uv_timer_t handle;
    std::function<void()> callback;
  };
  struct Signal {
    uv_signal_t handle;
    std::function<void()> callback;
  };

  void RunTurn();
  void Pause();
  void OnAlarm();

  uv_loop_t loop_;
  uv_check_t check_;
  uv_prepare_t prepare_;
  uv_idle_t idle_;
  // libuv's timers are late by up to two milliseconds: they are for all but the last milliseconds.
  uv_timer_t early_alarm_;
  int alarm_fd_ = -1;
  uv_poll_t alarm_;
  uv_async_t async_;
  std::function<void()> on_wake_;
  int64_t wake_at_us_ = INT64_MAX;
  bool idle_active_ = false;
  bool turn_requested_ = false;
  std::function<bool()> turn_;
  std::function<int64_t()> pause_us_;
  std::vector<std::unique_ptr<Timer>> timers_;
  std::vector<std::unique_ptr<Signal>> signals_;
};

}  // namespace pinyon
