// A large sorted set as commands use it: the member is looked up, then asked for its rank or given another
// score. Argument: members of the set; what is asked for lies anywhere. Batch: sixteen requests for which all
// hints are given before the first is answered; an iteration is a batch.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/random.h"
#include "types/sorted_set.h"

namespace pinyon {
namespace {

constexpr HashSeed kSeed{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9};
constexpr size_t kBatch = 16;

struct Name {
  explicit Name(uint64_t number) {
    for (size_t place = sizeof text; place-- > 7; number /= 10)
      text[place] = static_cast<char>('0' + number % 10);
  }
  operator std::string_view() const { return {text, sizeof text}; }  // NOLINT(google-explicit-constructor)
  char text[15] = {'m', 'e', 'm', 'b', 'e', 'r', ':'};
};

// Random scores.
struct FilledSet {
  explicit FilledSet(size_t members) : random(7), set(kSeed), count(members) {
    for (size_t i = 0; i < members; ++i) set.Insert(Name(i), RandomScore());
  }
  Name RandomName() { return Name(random.Below(count)); }
  double RandomScore() { return random.Unit() * 1e6; }
  // Takes out again what was added, up to number `end`.
  void TakeOut(uint64_t end) {
    while (end > count) set.Remove(Name(--end));
  }

  Random random;
  SortedSet set;
  size_t count;
};

// One for all measurements of a size, since filling ten million takes longer than measuring.
FilledSet& Filled(const benchmark::State& state) {
  static std::unique_ptr<FilledSet> filled;
  const auto count = static_cast<size_t>(state.range(0));
  if (filled == nullptr || filled->count != count) {
    filled.reset();
    filled = std::make_unique<FilledSet>(count);
  }
  return *filled;
}

void BM_SortedSetRank(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(filled.set.tree().Rank(filled.set.Find(filled.RandomName())));
  }
}

void BM_SortedSetIncrement(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  for (auto _ : state) {
    ScoredMember* item = filled.set.Find(filled.RandomName());
    filled.set.SetScore(item, item->score() + filled.random.Unit() * 0.1);
  }
}

void BM_SortedSetUpdate(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  for (auto _ : state) filled.set.SetScore(filled.set.Find(filled.RandomName()), filled.RandomScore());
}

// A request that waits: about a member, and with another score for it.
struct Request {
  uint64_t number;
  uint64_t hash;
  double score;
};

// Gives all hints for a batch, as ElementPrefetch does; `with_scores`: for the other scores, too.
void Prefetch(const SortedSet& set, const std::array<Request, kBatch>& batch, bool with_scores) {
  for (const Request& request : batch) set.index().PrefetchBucket(request.hash);
  for (const Request& request : batch) set.index().PrefetchItem(request.hash);
  std::array<ScoreTree::Hint, 2 * kBatch> room;
  size_t count = 0;
  for (const Request& request : batch) {
    const auto position = set.index().Find(Name(request.number), request.hash);
    if (position) room[count++] = {position->score()};
    if (with_scores) room[count++] = {request.score};
  }
  const std::span<ScoreTree::Hint> hints(room.data(), count);
  for (ScoreTree::Hint& hint : hints) set.tree().PrefetchParent(&hint);
  for (ScoreTree::Hint& hint : hints) set.tree().PrefetchLeaf(&hint);
  for (const ScoreTree::Hint& hint : hints) set.tree().PrefetchEqual(hint);
}

std::array<Request, kBatch> RandomBatch(FilledSet& filled) {
  std::array<Request, kBatch> batch;
  for (Request& request : batch) {
    const uint64_t number = filled.random.Below(filled.count);
    request = {number, filled.set.index().Hash(Name(number)), filled.RandomScore()};
  }
  return batch;
}

void BM_SortedSetBatchRank(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  for (auto _ : state) {
    const auto batch = RandomBatch(filled);
    Prefetch(filled.set, batch, false);
    for (const Request& request : batch) {
      benchmark::DoNotOptimize(filled.set.tree().Rank(filled.set.Find(Name(request.number))));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

void BM_SortedSetBatchUpdate(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  for (auto _ : state) {
    const auto batch = RandomBatch(filled);
    Prefetch(filled.set, batch, true);
    for (const Request& request : batch) {
      filled.set.SetScore(filled.set.Find(Name(request.number)), request.score);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

void BM_SortedSetBatchInsert(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  uint64_t next = filled.count;
  for (auto _ : state) {
    std::array<Request, kBatch> batch;
    for (Request& request : batch) {
      request = {next, filled.set.index().Hash(Name(next)), filled.RandomScore()};
      ++next;
    }
    Prefetch(filled.set, batch, true);
    for (const Request& request : batch) {
      benchmark::DoNotOptimize(filled.set.Find(Name(request.number)));
      filled.set.Insert(Name(request.number), request.score);
    }
    if (next - filled.count < filled.count / 10) continue;
    state.PauseTiming();
    filled.TakeOut(next);
    next = filled.count;
    state.ResumeTiming();
  }
  filled.TakeOut(next);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

// Members that are not there yet; at most a tenth of the set is added.
void BM_SortedSetInsert(benchmark::State& state) {
  FilledSet& filled = Filled(state);
  uint64_t next = filled.count;
  for (auto _ : state) {
    const Name name(next++);
    benchmark::DoNotOptimize(filled.set.Find(name));
    filled.set.Insert(name, filled.RandomScore());
    if (next - filled.count < filled.count / 10) continue;
    state.PauseTiming();
    filled.TakeOut(next);
    next = filled.count;
    state.ResumeTiming();
  }
  filled.TakeOut(next);
}

// From empty, in random order; also says what a member takes in all.
void BM_SortedSetFill(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    const auto filled = std::make_unique<FilledSet>(count);
    bytes = static_cast<double>(filled->set.MemoryBytes()) / static_cast<double>(count);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
  state.counters["bytes_per_member"] = bytes;
}

// By size, then by operation.
BENCHMARK(BM_SortedSetRank)->Arg(100'000);
BENCHMARK(BM_SortedSetBatchRank)->Arg(100'000);
BENCHMARK(BM_SortedSetIncrement)->Arg(100'000);
BENCHMARK(BM_SortedSetUpdate)->Arg(100'000);
BENCHMARK(BM_SortedSetBatchUpdate)->Arg(100'000);
BENCHMARK(BM_SortedSetInsert)->Arg(100'000);
BENCHMARK(BM_SortedSetBatchInsert)->Arg(100'000);
BENCHMARK(BM_SortedSetRank)->Arg(10'000'000);
BENCHMARK(BM_SortedSetBatchRank)->Arg(10'000'000);
BENCHMARK(BM_SortedSetIncrement)->Arg(10'000'000);
BENCHMARK(BM_SortedSetUpdate)->Arg(10'000'000);
BENCHMARK(BM_SortedSetBatchUpdate)->Arg(10'000'000);
BENCHMARK(BM_SortedSetInsert)->Arg(10'000'000);
BENCHMARK(BM_SortedSetBatchInsert)->Arg(10'000'000);
BENCHMARK(BM_SortedSetFill)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pinyon
