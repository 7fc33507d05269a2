// Chunked lists: queues at the ends, and work in the middle, in lists of several lengths.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.h"
#include "types/chunked_list.h"

namespace pinyon {
namespace {

using Cursor = ChunkedList::Cursor;

const std::string kText(64, 'x');
const ListLimits kLimits = ListLimits::FromFill(-2);

std::unique_ptr<ChunkedList> Filled(int64_t elements) {
  auto list = std::make_unique<ChunkedList>();
  for (int64_t i = 0; i < elements; ++i) list->PushBack(kText, kLimits);
  return list;
}

// One element comes in at the front for each that goes at the back.
void BM_ListQueue(benchmark::State& state) {
  const auto list = Filled(state.range(0));
  for (auto _ : state) {
    list->PushFront(kText, kLimits);
    benchmark::DoNotOptimize(list->Back());
    list->PopBack();
  }
}
BENCHMARK(BM_ListQueue)->Arg(100)->Arg(100'000);

// A list that grows from nothing.
void BM_ListGrow(benchmark::State& state) {
  auto list = std::make_unique<ChunkedList>();
  for (auto _ : state) {
    list->PushBack(kText, kLimits);
    if (list->size() < 1'000'000) continue;
    state.PauseTiming();
    list = std::make_unique<ChunkedList>();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_ListGrow);

void BM_ListIndex(benchmark::State& state) {
  const auto list = Filled(state.range(0));
  Random random(1);
  for (auto _ : state) {
    const Cursor cursor(*list, static_cast<int64_t>(random.Below(list->size())));
    benchmark::DoNotOptimize(cursor.Get());
  }
}
BENCHMARK(BM_ListIndex)->Arg(10'000)->Arg(1'000'000);

void BM_ListInsertAndDelete(benchmark::State& state) {
  const auto list = Filled(state.range(0));
  Random random(1);
  for (auto _ : state) {
    Cursor cursor(*list, static_cast<int64_t>(random.Below(list->size())));
    list->InsertBefore(cursor, kText, kLimits);
    list->DeleteRange(random.Below(list->size()), 1, kLimits);
  }
}
BENCHMARK(BM_ListInsertAndDelete)->Arg(10'000)->Arg(1'000'000);

}  // namespace
}  // namespace pinyon
