#include "net/event_loop.h"

#include <poll.h>
#include <time.h>

#include <algorithm>

#include "base/assert.h"

namespace pinyon {

EventLoop::EventLoop() {
  PINYON_CHECK(uv_loop_init(&loop_) == 0);
  loop_.data = this;
  uv_check_init(&loop_, &check_);
  uv_prepare_init(&loop_, &prepare_);
  uv_idle_init(&loop_, &idle_);
  uv_timer_init(&loop_, &alarm_);
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
  if (time_us == wake_at_us_) return;
  wake_at_us_ = time_us;
  if (time_us == INT64_MAX) {
    uv_timer_stop(&alarm_);
    return;
  }
  // libuv counts whole milliseconds of the same clock, from when it last looked at it.
  uv_update_time(&loop_);
  const int64_t due_ms = time_us / 1000 + 1;
  const int64_t delay_ms = std::max<int64_t>(due_ms - static_cast<int64_t>(uv_now(&loop_)), 1);
  uv_timer_start(
      &alarm_,
      [](uv_timer_t* handle) {
        EventLoop* loop = static_cast<EventLoop*>(handle->loop->data);
        loop->wake_at_us_ = INT64_MAX;
        loop->RequestTurn();
      },
      static_cast<uint64_t>(delay_ms), 0);
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
  close(&alarm_);
  close(&async_);
  for (const auto& timer : timers_) close(&timer->handle);
  for (const auto& signal : signals_) close(&signal->handle);
  uv_run(&loop_, UV_RUN_DEFAULT);
}

}  // namespace pinyon
