#include "persist/background_job.h"

#include <catch2/catch.hpp>
#include <latch>

namespace pinyon {
namespace {

TEST_CASE("a job runs on a thread of its own and ends once") {
  BackgroundJob job;
  CHECK_FALSE(job.running());
  CHECK_FALSE(job.TakeEnded());
  std::latch go(1), woken(1);
  std::thread::id where;
  job.Start(
      [&] {
        go.wait();
        where = std::this_thread::get_id();
      },
      [&] { woken.count_down(); });
  CHECK(job.running());
  CHECK_FALSE(job.TakeEnded());
  go.count_down();
  woken.wait();
  CHECK(job.TakeEnded());
  CHECK_FALSE(job.TakeEnded());
  CHECK_FALSE(job.running());
  CHECK(where != std::this_thread::get_id());
}

TEST_CASE("who waits for a job finds it done, and may start the next") {
  int runs = 0;
  BackgroundJob job;  // waits for the last one
  for (int i = 0; i < 10; ++i) {
    job.Start([&] { ++runs; }, {});
    job.Wait();
    CHECK_FALSE(job.running());
  }
  CHECK(runs == 10);
  job.Start([&] { ++runs; }, {});
}

}  // namespace
}  // namespace pinyon
