#include "net/event_loop.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "base/clock.h"

namespace pinyon {

EventLoop::EventLoop() {
  PINYON_CHECK(uv_loop_init(&loop_) == 0);
  loop_.data = this;
  uv_check_init(&loop_, &check_);
  uv_prepare_init(&loop_, &prepare_);
  uv_idle_init(&loop_, &idle_);
  uv_timer_init(&loop_, &early_alarm_);
  alarm_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  PINYON_CHECK(alarm_fd_ >= 0 && uv_poll_init(&loop_, &alarm_, alarm_fd_) == 0);
  uv_poll_start(&alarm_, UV_READABLE,
                [](uv_poll_t* handle, int, int) { static_cast<EventLoop*>(handle->loop->data)->OnAlarm(); });
  PINYON_CHECK(uv_async_init(&loop_, &async_, [](uv_async_t* handle) {
                 EventLoop* loop = static_cast<EventLoop*>(handle->loop->data);
                 loop->RequestTurn();
                 if (loop->on_wake_) loop->on_wake_();
               }) == 0);
  uv_check_start(&check_, [](uv_check_t* handle) { static_cast<EventLoop*>(handle->loop->data)->RunTurn(); });
  uv_prepare_start(&prepare_, [](uv_prepare_t* handle) {
    EventLoop* loop = static_cast<EventLoop*>(handle->loop->data);
    if (loop->turn_requested_) loop->RunTurn();
    if (!loop->idle_active_) loop->Pause();
  });
}

EventLoop::~EventLoop() {
  DrainClosing();
  PINYON_CHECK(uv_loop_close(&loop_) == 0);
  close(alarm_fd_);
}

void EventLoop::RunTurn() {
  turn_requested_ = false;
  const bool work_left = turn_ && turn_();
  if (work_left == idle_active_) return;
  idle_active_ = work_left;
  if (work_left) {
    uv_idle_start(&idle_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&idle_);
  }
}

void EventLoop::Pause() {
  const int64_t wait_us = pause_us_ ? pause_us_() : 0;
  if (wait_us == 0) return;
  pollfd events = {.fd = uv_backend_fd(&loop_), .events = POLLIN, .revents = 0};
  if (poll(&events, 1, 0) != 0) return;
  const timespec time = {.tv_sec = 0, .tv_nsec = wait_us * 1000};
  nanosleep(&time, nullptr);
}

void EventLoop::WakeAt(int64_t time_us) {
  constexpr int64_t kLastUs = 3000;
  if (time_us == wake_at_us_) return;
  wake_at_us_ = time_us;
  uv_timer_stop(&early_alarm_);
  if (time_us == INT64_MAX) return;  // the other one, if it is set, brings a turn more
  const int64_t left_us = time_us - MonotonicUs();
  if (left_us <= kLastUs) {
    const int64_t at_us =
        std::max<int64_t>(time_us, 1);  // zero would turn it off; what is past comes at once
    const itimerspec at = {.it_interval = {},
                           .it_value = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000}};
    PINYON_CHECK(timerfd_settime(alarm_fd_, TFD_TIMER_ABSTIME, &at, nullptr) == 0);
    return;
  }
  uv_update_time(&loop_);
  uv_timer_start(
      &early_alarm_, [](uv_timer_t* handle) { static_cast<EventLoop*>(handle->loop->data)->OnAlarm(); },
      static_cast<uint64_t>((left_us - kLastUs) / 1000) + 1, 0);
}

void EventLoop::OnAlarm() {
  uint64_t times;
  const ssize_t taken = read(alarm_fd_, &times, sizeof times);  // nothing, when it is the early one
  static_cast<void>(taken);
  wake_at_us_ = INT64_MAX;
  RequestTurn();
}

size_t EventLoop::AddTimer(uint64_t interval_ms, std::function<void()> callback) {
  timers_.push_back(std::make_unique<Timer>());
  Timer& timer = *timers_.back();
  timer.callback = std::move(callback);
  uv_timer_init(&loop_, &timer.handle);
  timer.handle.data = &timer;
  SetInterval(timers_.size() - 1, interval_ms);
  return timers_.size() - 1;
}

void EventLoop::SetInterval(size_t timer, uint64_t interval_ms) {
  PINYON_ASSERT(interval_ms > 0);
  uv_timer_start(
      &timers_[timer]->handle,
      [](uv_timer_t* handle) {
        static_cast<EventLoop*>(handle->loop->data)->RequestTurn();
        static_cast<Timer*>(handle->data)->callback();
      },
      interval_ms, interval_ms);
}

void EventLoop::OnSignal(int signal, std::function<void()> callback) {
  signals_.push_back(std::make_unique<Signal>());
  Signal& added = *signals_.back();
  added.callback = std::move(callback);
  uv_signal_init(&loop_, &added.handle);
  added.handle.data = &added;
  PINYON_CHECK(uv_signal_start(
                   &added.handle,
                   [](uv_signal_t* handle, int) {
                     static_cast<EventLoop*>(handle->loop->data)->RequestTurn();
                     static_cast<Signal*>(handle->data)->callback();
                   },
                   signal) == 0);
}

void EventLoop::Run() { uv_run(&loop_, UV_RUN_DEFAULT); }

void EventLoop::RunOnce() { uv_run(&loop_, UV_RUN_NOWAIT); }

void EventLoop::Stop() { uv_stop(&loop_); }

void EventLoop::DrainClosing() {
  turn_ = nullptr;
  const auto close = [](auto* handle) {
    uv_handle_t* base = reinterpret_cast<uv_handle_t*>(handle);
    if (uv_is_closing(base) == 0) uv_close(base, nullptr);
  };
  close(&check_);
  close(&prepare_);
  close(&idle_);
  close(&early_alarm_);
  close(&alarm_);
  close(&async_);
  for (const auto& timer : timers_) close(&timer->handle);
  for (const auto& signal : signals_) close(&signal->handle);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

}  // namespace pinyon
